from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page.entrypoints import Call, read
from modelshelf.importers.page.markdown import read as page_of
from tests.importers.page.hostile import survives


def calls(*code: str, page: str = "") -> tuple[Call, ...]:
    """The calls in blocks of code, followed by more of the page."""
    blocks = "\n".join(f"```python\n{each}\n```\n" for each in code)
    return read(page_of(f"{blocks}\n{page}")).calls


def named(*code: str, page: str = "") -> list[str]:
    return list(dict.fromkeys(call.entrypoint for call in calls(*code, page=page)))


def test_a_plain_call() -> None:
    (call,) = calls(
        "import torch\n\nnet = torch.hub.load('acme/digits:v1.2', 'small', 7, pretrained=True)"
    )
    assert (call.repository, call.tag, call.entrypoint) == ("acme/digits", "v1.2", "small")
    assert [(each.name, each.value) for each in call.arguments] == [("", 7), ("pretrained", True)]
    assert (call.line, call.place, call.targets) == (4, "code 0", ("net",))
    assert not call.commented
    assert not call.offered


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = torch.hub.load('a/b', 'one').eval()", ["one"]),
        ("x, y = torch.hub.load(repo_or_dir='a/b', model='one', lang='de')", ["one"]),
        ("from torch import hub\nx = hub.load('a/b', 'one')", ["one"]),
        ("from torch.hub import load as get\nx = get('a/b', 'one')", ["one"]),
        ("import torch.hub as th\nth.load('a/b', 'one')", ["one"]),
        (">>> x = torch.hub.load('a/b', 'one')\n>>> x(1)\n0.5", ["one"]),
        ("!pip install acme\n%time\nx = torch.hub.load('a/b', 'one')", ["one"]),
        ("x = torch.hub.load('a/b', 'one'\n      )\nprint x", ["one"]),
        ("x = torch.hub.load('a/b',\n   'one', deep=(1, [2]))\n)) not python", ["one"]),
        ("# x = torch.hub.load('a/b', 'one')", ["one"]),
        ("#x = torch.hub.load('a/b',\n#                   'one',\n#   deep=True)", ["one"]),
        ("# or y: x = torch.hub.load('a/b', 'one')", ["one"]),
        ("size = 'one'\nx = torch.hub.load('a/b', size)", ["one"]),
        ("size = 'one'\n#size = 'two'\nx = torch.hub.load('a/b', size)", ["one", "two"]),
        ("size = 5\nx = torch.hub.load('a/b', f'net{size}')", ["net5"]),
        ("x = torch.hub.load('a/b', 'net' + '5')", ["net5"]),
        ("for n in ['one', 'two']:\n    torch.hub.load('a/b', n)", ["one", "two"]),
        ("ns = ('one', 'two')\nfor n in ns:\n    torch.hub.load('a/b', n)", ["one", "two"]),
        ("x = torch.hub.load('https://tfhub.dev/a/b/1')", []),
        ("x = torch.hub.load('./folder', 'one', source='local')", []),
        ("x = torch.hub.load(where, what)", []),
        ("x = torch.hub.load('a/b', './file.pth')", []),
        ("x = torch.hub.load_state_dict_from_url('a/b', 'one')", []),
        ("x = torch.hub.load('a/b', " + "(" * 500, []),
        ("x = torch.hub.load('a/b', 'n" + "x" * 40 + "'" + " + 'x'" * 5000 + ")", []),
        ("x = torch.hub.load('a/b', 0x" + "f" * 20000 + ")", []),
    ],
)
def test_ways_to_write_a_call(code: str, expected: list[str]) -> None:
    assert named(code) == expected


@pytest.mark.parametrize(
    ("code", "page", "expected"),
    [
        ("n = 'net_cpu'\n# net_gpu, net_tiny2 are also available.\nLOAD", "", ["net_gpu", "net_tiny2"]),
        ("n = 'net_cpu' # or choose\n#   net_gpu /\n#   net_tiny\nLOAD", "", []),
        ("n = 'net_cpu'\n# other options:\n#   net_gpu /\n#   net_tiny\nLOAD", "", ["net_gpu", "net_tiny"]),
        ("# list of models: 'net_gpu', 'net_x'\nn = 'net_cpu'\nLOAD", "", ["net_gpu", "net_x"]),
        ("n = 'net_cpu'  # also available 'de', 'es'\nLOAD", "", ["de", "es"]),
        ("n = 'net_cpu'  # a remark on 'de' and net_gpu\nLOAD", "", []),
        ("n = 'net_cpu'\nsizes = {'net_cpu': 1, 'net_gpu': 2}\nLOAD", "", ["net_gpu"]),
        ("n = 'net_cpu'\nothers = ['net_cpu', 'batch']\nLOAD", "", []),
        ("n = 'net_cpu'\nLOAD", "Setting n='net_gpu' is faster.", ["net_gpu"]),
    ],
)  # fmt: skip
def test_what_stands_beside_a_variable(code: str, page: str, expected: list[str]) -> None:
    code = code.replace("LOAD", "x = torch.hub.load('a/b', n)")
    assert named(code, page=page) == ["net_cpu", *expected]


def test_values_that_an_argument_may_have() -> None:
    code = "p = 'fp32' # select either fp32 or fp16\nx = torch.hub.load('a/b', 'net', math=p)"
    (call,) = calls(code)
    assert call.arguments == (("math", "fp32", ("fp16",)),)
    assert not calls(code.replace("select either", "both"))[0].arguments[0].others


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("net18", ["net18 | 0.1", "net34 | 0.2", "other | 0.3"], ["net34"]),
        ("net18", ["`net18` | 0.1", "**`net34`** | 0.2"], ["net34"]),
        ("net18", ["Net-18 | 0.1", "Net-34 | 0.2", "Net-34 + more | 0.2"], ["net34"]),
        ("slow_r50", ["Slow | R50", "Slow | R101"], ["slow_r101"]),
        ("net50_w_a", ["net50_w_a | 1", "se_net50_w_a | 2"], ["se_net50_w_a"]),
        ("net18", ["Net18 (ours) | 1", "Net34 | 2"], []),
        ("net18", ["Nets | 1", "Net34 | 2"], []),
    ],
)
def test_names_in_a_table(name: str, rows: list[str], expected: list[str]) -> None:
    table = "\n".join(["Model | Error", "--- | ---", *rows])
    assert named(f"x = torch.hub.load('a/b', '{name}')", page=table) == [name, *expected]


def test_names_that_open_points_and_stand_in_sentences() -> None:
    points = "## Models\n* __`umx`__ is the usual one\n* `tiny` is smaller\n\n"
    page = points + "Also as `umx_spec` with `x.y()` and `other`."
    found = calls("x = torch.hub.load('a/b', 'umx')", page=page)
    assert [call.entrypoint for call in found if call.offered] == ["umx", "tiny", "umx_spec"]
    assert {call.place for call in found if call.offered} == {"text 5"}


def test_what_the_code_does_with_a_model() -> None:
    page = page_of("```\nmel = net.infer(text)\naudio = voice(mel)\nx = get('big')\n```")
    first, second, third = read(page).uses
    assert (first.variable, first.method, first.given) == ("net", "infer", ("text",))
    assert (second.variable, second.given, second.result) == ("voice", ("mel",), ("audio",))
    assert third.of_text


@given(st.text("torch.hub.load()'\"a/b,#=\n \\`|-*{}[]", max_size=300))
def test_any_text_is_read(code: str) -> None:
    page = page_of(f"```\nx = torch.hub.load('a/b', 'c')\n{code}\n```\n{code}")
    assert len(read(page).calls) <= 600


@pytest.mark.no_cover
def test_texts_that_keep_a_reader_busy() -> None:
    assert survives("modelshelf.importers.page.entrypoints", "read") == ""
