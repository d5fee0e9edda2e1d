from __future__ import annotations

import pytest

from modelshelf.importers.page.entrypoints import read
from modelshelf.importers.page.markdown import read as page_of
from modelshelf.importers.page.models import Models, lists_elsewhere, models, repository


def offered(*code: str, text: str = "", foreign: tuple[str, ...] = ()) -> Models:
    """What a page with these blocks of code offers; LOAD is a call of one repository."""
    blocks = "\n".join(f"```\n{each}\n```\n" for each in code)
    page = page_of(f"{blocks}\n{text}".replace("LOAD(", "torch.hub.load('acme/nets', "))
    return models(read(page), page, foreign)


def names(*code: str, text: str = "") -> list[str]:
    return [model.name for model in offered(*code, text=text).models]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = LOAD('Net_A.b', pretrained=True)", ["net-a-b"]),
        ("x = LOAD('net_a')\n# x = LOAD('net_b')", ["net-a", "net-b"]),
        ("x = LOAD('net-a')\n# x = LOAD('net_a')", ["net-a", "net-a-2"]),
        ("x = LOAD('model', 'small')\ny = LOAD('model', './my/net/')", ["small"]),
        ("x = LOAD('model', 'small')\ny = LOAD('headed', 'small')", ["small"]),
        ("x = LOAD('make', model_name='faces-64')", ["faces-64"]),
        ("x = LOAD('make',\n  lang='en')  # also available 'de'", ["make-en", "make-de"]),
        ("x = LOAD('make', lang='en', device='cpu')", ["make"]),
        ("x = LOAD('make', lang='en')\n# x = LOAD('make', lang='de')", ["make-en", "make-de"]),
        ("x = LOAD('make', device='cpu')\n# x = LOAD('make', device='cuda')", ["make"]),
    ],
)
def test_one_model_for_each_text_that_chooses_one(code: str, expected: list[str]) -> None:
    assert names(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "u = LOAD('net_processing_utils')",
        "u = LOAD('modelTokenizer', 'small')",
        "my_transforms = LOAD('pre')",
        "make = LOAD('make_net')\nnet = make('big')\nnet.eval()",
    ],
)
def test_tools_are_entrypoints_without_a_model(code: str) -> None:
    found = offered(f"x = LOAD('net')\n{code}")
    assert [model.name for model in found.models] == ["net"]
    assert len(found.tools) == 1
    assert len(found.entrypoints) == 2


def test_what_belongs_to_another_page_is_no_model_of_this_one() -> None:
    found = offered("x = LOAD('net')\ny = LOAD('voice')", foreign=("voice",))
    assert [model.name for model in found.models] == ["net"]
    assert list(found.entrypoints) == ["net"]
    assert [call.entrypoint for call in found.foreign] == ["voice"]


@pytest.mark.parametrize(
    ("code", "text", "place"),
    [
        (["x = LOAD('a1')\n# x = LOAD('a2')"], "", "code 0"),
        (["x = LOAD('a1')", "x = LOAD('a2')"], "", ""),
        (["x = LOAD('a1')"], "Net | Error\n--- | ---\na1 | 1\na2 | 2", "table 5"),
        (["x = LOAD('a1')", "x = LOAD('b1')"], "## Nets\n* `a1` one\n* `b1` other", "text 9"),
        (["x = LOAD('a1')\n# x = LOAD('a2')"], "More models are listed [here](https://a.example).", ""),
        (["x = LOAD('a1')\ntorch.hub.list('acme/nets')"], "", ""),
    ],
)  # fmt: skip
def test_what_names_all_entrypoints_together(code: list[str], text: str, place: str) -> None:
    assert offered(*code, text=text).place == place


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("For all available checkpoints see the [file](https://a.example).", True),
        ("All models are listed below. See the [paper](https://a.example).", False),
        ("More documentation can be found [here](https://a.example/models).", False),
        ("All models are listed below.", False),
    ],
)
def test_lists_elsewhere(text: str, expected: bool) -> None:
    assert lists_elsewhere(page_of(text)) is expected


def test_the_repository_that_most_calls_load_from() -> None:
    page = page_of(
        "```\ntorch.hub.load('a/b', 'c')\nfor n in (1, 2):\n  torch.hub.load('d/e', 'f')\n```"
    )
    assert repository(read(page).calls) == "a/b"
    assert repository(()) == ""
