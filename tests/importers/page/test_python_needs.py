from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page import markdown, python_needs
from modelshelf.package.catalogue import Found
from modelshelf.package.python_needs import need_of
from tests.corpora import corpus


def needs(text: str) -> python_needs.Needs:
    return python_needs.read(markdown.read(text))


@pytest.mark.parametrize(
    ("command", "python"),
    [
        ("pip install numpy scipy", ("numpy", "scipy")),
        ("!pip3 install --quiet digit_text>=2.0.0rc0", ("digit-text>=2.0.0rc0",)),
        ('%pip install -U "digits[onnx]>=1.2,<2"  # why', ("digits[onnx]<2,>=1.2",)),
        ("python -m pip install --index-url https://a.example 'x==1.0' && ls y", ("x==1.0",)),
        ("pip install -r requirements.txt -qr https://a.example/r.txt z", ("z",)),
        ("pip install -e . ./folder $VARIABLE {name} numpy", ("numpy",)),
        ("pip install a; pip install b", ("a", "b")),
        ("pip install numpy NumPy==1.26", ("numpy==1.26",)),
        ('# Install it with "pip install digit-text"', ("digit-text",)),
        ("pip install git+https://git.example/acme/digits.git@v1", ("digits@ git+https://git.example/acme/digits.git@v1",)),
        ("pip install https://a.example/w/foo-1.0-py3-none-any.whl", ("foo@ https://a.example/w/foo-1.0-py3-none-any.whl",)),
        ("pip install \\\n  numpy \\\n  scipy", ("numpy", "scipy")),
        ("conda install numpy", ()),
        ("pip uninstall numpy", ()),
    ],
)  # fmt: skip
def test_commands(command: str, python: tuple[str, ...]) -> None:
    found = needs(f"# a\n\n```bash\n{command}\n```\n")
    assert tuple(text.replace(" @ ", "@ ") for text in found.requires.python) == python
    assert found.found == ({"python": Found("code")} if python else {})


def test_commands_within_a_sentence() -> None:
    assert needs("First `pip install digits`, then go on.").requires.python == ("digits",)
    assert needs("You could pip install it.").requires.python == ()


@pytest.mark.parametrize(
    ("sentence", "frameworks", "unsure"),
    [
        ("Using it requires TensorFlow 2 (or 1.15) and TensorFlow Hub 0.5.0 or newer.",
         {"tensorflow": ">=1.15,<3", "tensorflow-hub": ">=0.5.0"}, False),
        ("This is for use with TensorFlow 1.", {"tensorflow": ">=1,<2"}, False),
        ("## Note: requires TensorFlow 2.2+", {"tensorflow": ">=2.2"}, False),
        ("It needs PyTorch version 1.8 (or later) to run.", {"torch": ">=1.8"}, False),
        ("It requires JAX 0.4.x only.", {"jax": "==0.4.*"}, False),
        ("It works with TensorFlow 2.4.", {"tensorflow": ">=2.4"}, True),
        ("TensorFlow 2.4 fixed a bug of version 1.", {}, False),
        ("See Section 2.1 for what it requires.", {}, False),
        ("## Changelog\n\n#### Version 2\n\n* Requires Keras 3.0 or newer.", {"keras": ">=3.0"}, True),
    ],
)  # fmt: skip
def test_sentences(sentence: str, frameworks: dict[str, str], unsure: bool) -> None:
    found = needs(sentence)
    assert found.requires.frameworks == frameworks
    assert found.found.get("frameworks", Found("text")).unsure == unsure


def test_what_stands_before_a_changelog_wins() -> None:
    page = "## Changelog\n\n* requires PyTorch 1.2 or newer\n\n## Usage\n\nRequires PyTorch 2.0 or newer."
    assert needs(page).requires.frameworks == {"torch": ">=2.0"}


def test_python_itself_and_distributions_of_sentences() -> None:
    found = needs(
        "It requires Python 3.8 or newer.\n\n* Requires PIP package `digit-hub>=0.2.0`.\n\n"
        "This model requires digit_text version 2.4.0b0 (or later)."
    )
    assert found.requires.python_version == ">=3.8"
    assert found.requires.python == ("digit-hub>=0.2.0", "digit-text>=2.4.0b0")
    assert found.found == {"python": Found("text"), "python_version": Found("text")}


@given(st.text(alphabet="pip install-rq>=1.0[x]\"'#;&\\ \n`requires Foo2", max_size=200))
def test_what_is_found_can_be_read(text: str) -> None:
    for page in (text, f"```\npip install {text}\n```", f"It requires {text}"):
        assert all(map(need_of, needs(page).requires.python))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("name", "with_python", "with_frameworks"),
    [("tfhub-2024-03", 470, 650), ("pytorchhub-2024-04", 18, 0)],
)
def test_pages_of_the_hubs(name: str, with_python: int, with_frameworks: int) -> None:
    paths = sorted(corpus(name).rglob("*.md"))
    found = [needs(path.read_text(encoding="utf-8")).requires for path in paths]
    assert all(need_of(text) for each in found for text in each.python)
    assert sum(bool(each.python) for each in found) >= with_python
    assert sum(bool(each.frameworks) for each in found) >= with_frameworks
