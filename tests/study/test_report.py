"""The report: one document that stands alone and that everybody can read."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

import pytest

from modelshelf.study import answers, report
from modelshelf.study.answer import Drawing
from tests.study.catalogues import release
from tests.study.surveys import birds, of_hub, survey

VOID = {"meta", "link", "br", "hr"}


class Page(HTMLParser):
    """What a page is made of; raises where elements are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def page() -> Page:
    with survey(birds("2020"), birds("2024")) as made:
        return read(report.html(answers(made), made))


def test_it_stands_alone(page: Page) -> None:
    assert page.count["script"] == page.count["link"] == page.count["img"] == 0
    wanted = {"src", "href", "xlink:href"}
    links = [a[name] for _, a in page.attributes for name in wanted & a.keys()]
    assert all(str(link).startswith("#") for link in links)
    assert all(not name.startswith("on") for _, a in page.attributes for name in a)


def test_tables_and_figures_have_names(page: Page) -> None:
    assert page.count["table"] == page.count["caption"] > 20
    scopes = {a.get("scope") for tag, a in page.attributes if tag == "th"}
    assert scopes == {"col", "colgroup", "row"}
    figures = [a for tag, a in page.attributes if tag == "svg"]
    assert len(figures) == page.count["figure"] == 3
    ids = Counter(a["id"] for _, a in page.attributes if "id" in a)
    assert max(ids.values()) == 1
    for each in figures:
        assert set(str(each["aria-labelledby"]).split()) <= set(ids)
    regions = [a for _, a in page.attributes if a.get("role") == "region"]
    assert all(each["aria-label"] and each["tabindex"] == "0" for each in regions)


def test_the_language_is_told_and_headings_are_in_order(page: Page) -> None:
    assert ("html", {"lang": "en"}) in page.attributes
    assert page.count["h1"] == page.count["main"] == 1
    assert page.count["h2"] == page.count["section"] > 10


def test_what_differs_is_told_with_its_reason(page: Page) -> None:
    assert "Differences from the paper" in page.text
    assert "another snapshot than the paper's" in page.text
    assert "≠ 383" in page.text


def test_foreign_words_are_text() -> None:
    hostile = release(summary="<img src=x onerror=alert(1)>", task="<script>", algorithm="</table>")
    with survey(of_hub("hub", "<x>", hostile)) as made:
        found = read(report.html(answers(made), made))
        markdown = report.markdown(answers(made), made)
    assert found.count["script"] == found.count["img"] == 0
    assert "\\<script\\>" in markdown


def test_markdown_has_all_tables_and_links_its_drawings() -> None:
    linked: list[Drawing] = []

    def link(drawing: Drawing) -> str:
        linked.append(drawing)
        return f"{drawing.id}.svg"

    with survey() as made:
        found = answers(made)
        text = report.markdown(found, made, link)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        f"## {each.title} (paper, {each.section})" for each in found
    ]
    assert [each.id for each in linked] == ["figure2-birds", "figure3"]
    assert "](figure3.svg)" in text
