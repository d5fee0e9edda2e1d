from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page import links, markdown
from tests.corpora import corpus


def found(text: str, publisher: str = "") -> links.Links:
    return links.read(markdown.read(text), publisher)


@pytest.mark.parametrize(
    ("text", "papers"),
    [
        ("[Digits](http://arxiv.org/pdf/1905.13725v2.pdf) and https://arxiv.org/abs/1905.13725", ("https://arxiv.org/abs/1905.13725",)),
        ("see arXiv:1901.02860, 2019", ("https://arxiv.org/abs/1901.02860",)),
        ("[x](https://arxiv.org/abs/cs/0703110)", ("https://arxiv.org/abs/cs/0703110",)),
        ("[x](http://dx.doi.org/10.1109/J.2019.29)", ("https://doi.org/10.1109/J.2019.29",)),
        ("doi: 10.1000/182.", ("https://doi.org/10.1000/182",)),
        ("[1] A. Author. https://openreview.net/forum?id=abc.", ("https://openreview.net/forum?id=abc",)),
        ("[x](https://acme.example/pubs/pub49029/)", ("https://acme.example/pubs/pub49029/",)),
        ("## References\n\n[x](https://acme.example/digits.pdf)", ("https://acme.example/digits.pdf",)),
        ("[brochure](https://acme.example/digits.pdf)", ()),
        ("![x](https://arxiv.org/abs/1905.13725)", ()),
        ("[arxiv](https://arxiv.org/list/cs.CL/recent)", ()),
        ("As in [BIRD][1].\n\n[1]: https://arxiv.org/abs/1810.04805", ("https://arxiv.org/abs/1810.04805",)),
    ],
)  # fmt: skip
def test_papers(text: str, papers: tuple[str, ...]) -> None:
    assert found(text).papers == papers


@pytest.mark.parametrize(
    ("text", "sources", "unsure"),
    [
        ("The [source code](https://github.com/acme/digits/blob/main/a.py) is open.", ["acme/digits"], False),
        ("Code: https://gitlab.com/acme/digits.git", ["acme/digits"], False),
        ("Our implementation: [a](https://github.com/acme/a).\n\nSo is [b](https://github.com/other/b).", ["acme/a", "other/b"], False),
        ("Code of [a](https://github.com/acme/a) and [b](https://github.com/acme/b).", ["acme/a", "acme/b"], True),
        ("([issue 109](https://github.com/acme/hub/issues/109))", [], True),
        ("see the [migration guide](https://github.com/acme/hub/blob/main/docs/migration.md)", [], True),
        ("converted using the [converter](https://github.com/acme/convert)", [], True),
        ("[labels](https://github.com/acme/digits/blob/main/labels.txt)", [], True),
        ("![logo](https://github.com/acme/digits/raw/main/logo.png)", [], True),
        ("## References\n\n[x](https://github.com/other/cited)", [], True),
        ("[me](https://github.com/acme)", [], True),
    ],
)  # fmt: skip
def test_sources(text: str, sources: list[str], unsure: bool) -> None:
    result = found(text)
    assert [url.split("/", 3)[3] for url in result.sources] == sources
    assert not sources or result.found["sources"].unsure == unsure


def test_a_repository_of_the_publisher_is_likelier() -> None:
    text = "[a](https://github.com/other/a) and [b](https://github.com/acme/b)"
    assert found(text, "acme").sources[0] == "https://github.com/acme/b"


def test_repository() -> None:
    assert links.repository("https://raw.githubusercontent.com/acme/d/main/labels.txt") == (
        "https://github.com/acme/d"
    )
    assert links.repository("https://acme.example/a/b") is None
    assert links.repository("http://[") is None


def test_notebooks_and_demos() -> None:
    text = (
        "[how it was converted](https://github.com/acme/d/blob/main/convert.ipynb)\n"
        "[![Open Colab notebook]](https://colab.acme.example/github/acme/d/blob/main/x.ipynb)\n"
        "[Colab](https://colab.acme.example/) [live demo](https://demo.acme.example/digits)"
    )
    assert found(text).demos == (
        "https://colab.acme.example/github/acme/d/blob/main/x.ipynb",
        "https://github.com/acme/d/blob/main/convert.ipynb",
        "https://demo.acme.example/digits",
    )


def test_trackers_and_home() -> None:
    text = (
        "Report to [us](https://github.com/acme/d/issues) or <mailto:ml@acme.example?subject=x>,\n"
        "[project page](https://acme.example/digits)\n"
    )
    result = found(text)
    assert result.issues == ("https://github.com/acme/d/issues",)
    assert result.homepages == ("https://acme.example/digits",)
    assert all(each.source == "text" for each in result.found.values())


@given(st.text(alphabet="https://github.com[]()@<>.arXiv:1905 \n", max_size=200))
def test_no_text_is_too_much(text: str) -> None:
    assert all(url.isprintable() for url in found(text).papers)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("name", "papers", "sources"), [("tfhub-2024-03", 1900, 1250), ("pytorchhub-2024-04", 46, 20)]
)
def test_pages_of_the_hubs(name: str, papers: int, sources: int) -> None:
    pages = [found(path.read_text(encoding="utf-8")) for path in sorted(corpus(name).rglob("*.md"))]
    assert sum(bool(each.papers) for each in pages) >= papers
    assert sum(bool(each.sources) for each in pages) >= sources
