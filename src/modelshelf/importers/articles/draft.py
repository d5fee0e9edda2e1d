"""A file of the hub → its labels and its article in Markdown, whether it was kept as Markdown or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from typing import NamedTuple

import msgspec

from modelshelf.importers.page import front_matter
from modelshelf.importers.page.html_markdown import Writer, tame
from modelshelf.importers.snapshot import Text

Labels = Mapping[str, tuple[str, ...]]

_DOCUMENTATION = re.compile(
    r"readme|contributing|code_of_conduct|changelog|license|notice|security|template", re.IGNORECASE
)
_CALL = "hub.load("
_EMPTY_FIELD = re.compile(r"<(?:REQUIRED|OPTIONAL)\b")


class Draft(NamedTuple):
    """A page of the hub before it is described; `name` is the hub's own for it.

    `body` is Markdown, in which lines are where they are in the file (of HTML, in what was made
    of it). `broken` says what of the front matter was missing.
    """

    path: str
    name: str
    labels: Labels
    body: str
    broken: str = ""

    def first(self, key: str) -> str:
        """The first value of a label, empty where there is none."""
        return next(iter(self.labels.get(key, ())), "")


class _Meta(msgspec.Struct):
    """What a crawl noted of a page beside it."""

    modelName: str = ""  # noqa: N815 (the crawl's own words)
    modelURL: str = ""  # noqa: N815
    dataTag: str = ""  # noqa: N815


def of_markdown(file: Text) -> Draft | str:
    """The page that a file of Markdown is, or why it is none."""
    stem = _stem(file.path)
    if _DOCUMENTATION.match(stem) or "docs" in file.path.split("/")[:-1]:
        return "documentation of the hub itself"
    if not file.text.strip():
        return "empty"
    front = front_matter.split(file.text)
    if any(_EMPTY_FIELD.match(value) for values in front.labels.values() for value in values):
        return "a template: its fields are not filled"
    if "title" not in front.labels and _CALL not in front.body:
        return "neither a title nor a call of torch.hub.load"
    return Draft(file.path, stem, front.labels, front.body, front.broken)


def of_html(file: Text, notes: Mapping[str, tuple[str, tuple[str, ...]]]) -> Draft | str:
    """The page that a file of HTML is, or why it is none; `notes` are by title: name and tags."""
    html = tame(file.text)
    head = _Head()
    head.feed(html)
    head.close()
    article = _article(html)
    title = " ".join("".join(head.texts["title"]).split()) or file.path.split("/")[-2:][0]
    if not article:
        return "it holds no article" if html.strip() else "empty"
    name, tags = notes.get(title) or notes.get(file.path.split("/")[-2:][0]) or ("", ())
    labels = {
        "title": title,
        "author": re.sub(r"^By\s", "", " ".join("".join(head.texts["author"]).split())),
        "summary": " ".join("".join(head.texts["summary"]).split()),
        "github-link": head.links.get("github", ""),
        "colab-link": head.links.get("colab", ""),
    }
    found = {key: (value,) for key, value in labels.items() if value}
    return Draft(file.path, name or title, found | ({"tags": tags} if tags else {}), article)


def notes(files: Iterable[Text]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What `meta_info.json` says of pages, by title: the hub's name for each, and its tags."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for file in files:
        try:
            rows = msgspec.json.decode(file.text, type=list[_Meta])
        except (msgspec.DecodeError, RecursionError):
            continue
        for row in rows:
            name = row.modelURL.strip("/").rpartition("/")[2]
            if row.modelName and name:
                found.setdefault(row.modelName, (name, front_matter.items((row.dataTag,))))
    return found


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _article(html: str) -> str:
    """The article of a page as Markdown, empty where there is none."""
    start = html.find("<article")
    end = html.find("</article>", start)
    if start < 0:
        return ""
    writer = Writer()
    writer.feed(html[start : end if end >= 0 else None])
    writer.close()
    return writer.text if writer.text.strip() else ""


class _Head(HTMLParser):
    """What stands around the article: title, author, summary, and where its buttons lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, list[str]] = {"title": [], "author": [], "summary": []}
        self.links: dict[str, str] = {}
        self.inside = ""
        self.address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if tag == "a":
            self.address = given.get("href", "")
        for kind in ("github", "colab"):
            if f"detail-{kind}-link" in classes:
                self.links.setdefault(kind, self.address)
        if tag == "h1" and not self.texts["title"]:
            self.inside = "title"
        elif "lead-summary" in classes:
            self.inside = "summary"
        elif "detail-lead" in classes:
            self.inside = "author"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "p"):
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[self.inside].append(data)
