"""HTML of a page → Markdown, for pages of which only HTML was kept; what has no Markdown is left out.

Before it is parsed, what could keep the parser busy is made text: marks that do not end, comments,
declarations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

longest_html_characters = 2_000_000

_OPENING = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_NO_TAG = re.compile(r"<(?!/?[a-zA-Z][^<>]{0,4000}>)")
_LANGUAGE = re.compile(r"\blanguage-([\w+-]{1,30})")
_BLOCKS = frozenset("p div section article ul ol table blockquote h1 h2 h3 h4 h5 h6 pre hr".split())  # noqa: SIM905
_EMPHASIS = {"em": "*", "i": "*", "strong": "**", "b": "**"}


def tame(html: str) -> str:
    """The HTML without scripts and comments, in which every `<` begins a tag that ends."""
    text = html[:longest_html_characters]
    lowered = text.lower()
    kept, at = [], 0
    while found := _OPENING.search(text, at):
        mark = f"</{found[1].lower()}" if found[1] else "-->"
        end = lowered.find(mark, found.end())
        kept.append(text[at : found.start()])
        at = found.end() if end < 0 else end + len(mark)
        if end < 0:
            break
    return _NO_TAG.sub("&lt;", "".join([*kept, text[at:]]))


class Writer(HTMLParser):
    """Writes Markdown of what it is fed; `text` is what was written so far."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.links: list[str] = []
        self.lists: list[str] = []
        self.code = 0
        """How many `pre` are open."""
        self.language = ""
        self.row: list[str] | None = None
        self.cell: list[str] | None = None
        self.rows = 0
        self.tables = 0
        """How many tables are open; what stands between their cells is no text."""

    @property
    def text(self) -> str:
        """The Markdown, with one empty line between blocks."""
        return re.sub(r"\n{3,}", "\n\n", "".join(self.out)).strip() + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open what the tag opens."""
        given = {name: value or "" for name, value in attrs}
        if language := _LANGUAGE.search(given.get("class", "")):
            self.language = language[1]
        if tag == "pre":
            self.code += 1
            self._write(f"\n\n```{self.language}\n")
            self.language = ""
        elif self.code:
            pass
        elif tag in _BLOCKS:
            self._open(tag)
        elif tag in ("li", "a", "code", "br", "img", *_EMPHASIS):
            self._inside(tag, given)
        else:
            self._open_table(tag)

    def _inside(self, tag: str, given: Mapping[str, str]) -> None:
        """What stands inside a line, or begins a point."""
        if tag == "li":
            mark = "1." if self.lists[-1:] == ["ol"] else "*"
            self._write(f"\n{'  ' * (min(len(self.lists), 9) - 1)}{mark} ")
        elif tag == "a":
            self.links.append(given.get("href", ""))
            self._write("[")
        elif tag == "br":
            self._write("\n" if self.cell is None else " ")
        elif tag == "img":
            self._write(f"![{given.get('alt', '')}]({given.get('src', '')})")
        else:
            self._write(_EMPHASIS.get(tag, "`"))

    def handle_endtag(self, tag: str) -> None:
        """Close what the tag closes."""
        if tag == "pre" and self.code:
            self.code -= 1
            self._write("" if "".join(self.out[-1:]).endswith("\n") else "\n")
            self._write("```\n\n")
        elif self.code:
            pass
        elif tag in ("ul", "ol") and self.lists:
            self.lists.pop()
            self._write("\n\n" if not self.lists else "")
        elif tag in _BLOCKS:
            self.tables -= tag == "table" and self.tables > 0
            self._write("\n\n")
        elif tag == "a" and self.links:
            self._write(f"]({self.links.pop()})")
        elif tag in ("code", *_EMPHASIS):
            self._write(_EMPHASIS.get(tag, "`"))
        else:
            self._close_table(tag)

    def handle_data(self, data: str) -> None:
        """Text: as it is in code, with single spaces elsewhere."""
        if self.code:
            self._write(data)
        elif self.cell is not None:
            self._write(re.sub(r"\s+", " ", data))
        elif not self.tables:
            self._write(data if data.strip() else "\n" if "\n" in data else " ")

    def _write(self, text: str) -> None:
        (self.out if self.cell is None else self.cell).append(text)

    def _open(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self.lists.append(tag)
            self._write("\n\n" if len(self.lists) == 1 else "")
        elif tag[0] == "h" and tag[1:].isdigit():
            self._write(f"\n\n{'#' * int(tag[1:])} ")
        else:
            if tag == "table":
                self.tables, self.rows = self.tables + 1, 0
            self._write("\n\n")

    def _open_table(self, tag: str) -> None:
        if tag == "tr":
            self.row, self.cell = [], None
        elif tag in ("td", "th") and self.row is not None:
            self._end_cell()
            self.cell = []

    def _close_table(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr" and self.row is not None:
            self._end_cell()
            row, self.row = self.row, None
            self._write(f"\n| {' | '.join(row)} |")
            if not self.rows:
                self._write(f"\n|{' --- |' * len(row)}")
            self.rows += 1

    def _end_cell(self) -> None:
        if self.cell is not None and self.row is not None:
            self.row.append("".join(self.cell).replace("|", "\\|").strip())
        self.cell = None
