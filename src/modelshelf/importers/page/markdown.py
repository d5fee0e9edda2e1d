"""Markdown → a page of sections: paragraphs, code, tables and comments, each with its line.

An own reader, line by line, of the blocks of CommonMark and GitHub's tables (also in HTML), because
markdown-it-py took three to four times as long on the pages of a hub (1.3 s for 2,819 of them, without
what stands inside a line) and 0.7 GB for one page of a megabyte; and so that a catalogue can be read
without the registry's libraries. What stands inside a line is `inline`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

from modelshelf.importers.page.inline import Link, References, definition, links, plain

PAGE_CHARACTERS = 1_000_000
"""What stands behind is not read."""
LINE_CHARACTERS = 50_000
"""What stands behind on a line is not read."""
CELL_COUNT = 60
"""Cells of a row; what stands behind is not read."""

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)|(#{2,6})([^#\s!].*)|(#{1,6})$")
_CLOSED = re.compile(r"(?:^|(?<=[ \t]))#+$")
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*+([^`\s]*+)[^`]*$")
_RULE = re.compile(r"(?:[-*_][ \t]*){3,}+$")
_ROW = re.compile(r"<tr\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"<t[hd]\b[^<>]*>", re.IGNORECASE)


class _Value(msgspec.Struct, frozen=True):
    """What all parts of a page share: frozen; `line` counts from 1."""


class Paragraph(_Value, frozen=True):
    """Lines of text, their indentation gone; `item` where it opens a point of a list."""

    text: str
    line: int
    item: bool = False


class Code(_Value, frozen=True):
    """A block of code, between fences or indented; `language` in lower case, empty where unsaid."""

    text: str
    line: int
    language: str = ""


class Table(_Value, frozen=True):
    """A table; cells are Markdown, and rows may be shorter or longer than the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line: int


class Comment(_Value, frozen=True):
    """What stands between `<!--` and `-->`, stripped."""

    text: str
    line: int


Block = Paragraph | Code | Table | Comment


class Section(_Value, frozen=True):
    """A heading with what follows until the next one; `path` are the headings above it, topmost first.

    What stands before the first heading is a section of level 0 without a title.
    """

    title: str
    level: int
    line: int
    blocks: tuple[Block, ...]
    path: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True, dict=True):
    """A page of Markdown, parsed; its `text` has one kind of line end.

    `front` is what stands between `---` at its top, `references` are the addresses that
    `[name]: address` defines, by name in lower case.
    """

    text: str
    front: str
    sections: tuple[Section, ...]
    references: References

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in order."""
        return tuple(block for section in self.sections for block in section.blocks)

    @cached_property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """All paragraphs, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Paragraph))

    @cached_property
    def code(self) -> tuple[Code, ...]:
        """All blocks of code, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Code))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """All links of headings, paragraphs and tables, in order: see `inline.links`."""
        return tuple(
            link
            for section in self.sections
            for text, line in _texts(section)
            for link in links(text, line, self.references)
        )

    def below(self, section: Section) -> tuple[Section, ...]:
        """`section` and the sections under it."""
        start = self.sections.index(section)
        end = start + 1
        while end < len(self.sections) and self.sections[end].level > section.level:
            end += 1
        return self.sections[start:end]


def read(text: str) -> Page:
    """The page that `text` is; any text is one."""
    text = text[:PAGE_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    return _Reader([line[:LINE_CHARACTERS] for line in text.split("\n")]).page(text)


def _texts(section: Section) -> Iterator[tuple[str, int]]:
    if section.title:
        yield section.title, section.line
    for block in section.blocks:
        if isinstance(block, Paragraph):
            yield block.text, block.line
        elif isinstance(block, Table):
            for number, row in enumerate((block.header, *block.rows)):
                yield " | ".join(row), block.line + number + (number > 0)


class _Reader:
    """Goes down the lines once; each method takes what begins at line `at` and moves behind it."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.words: list[str] = []
        """The lines of the paragraph that is open."""
        self.began = 0
        self.item = False
        self.listed = False
        """Whether indentation means to belong to a point of a list."""
        self.blocks: list[Block] = []
        self.titles: list[tuple[int, str]] = []
        self.heading = ("", 0, 1)
        self.sections: list[Section] = []
        self.references: dict[str, str] = {}
        self.last_comment = self._last("-->")
        self.last_table = self._last("</table>")

    def page(self, text: str) -> Page:
        front = self._front()
        while self.at < len(self.lines):
            line = self.lines[self.at]
            bare = line.strip()
            if not bare:
                self._flush()
                self.at += 1
            elif line[0] in " \t" and self._indented(line):
                self._indented_code()
            else:
                self._block(bare)
        self._close()
        return Page(text, front, tuple(self.sections), self.references)

    def _last(self, mark: str) -> int:
        """The last line that holds `mark`: what is never closed must not take the rest of the page."""
        return next((n for n in range(len(self.lines) - 1, -1, -1) if mark in self.lines[n]), -1)

    def _front(self) -> str:
        if self.lines[0].rstrip() != "---":
            return ""
        for end in range(1, min(len(self.lines), 500)):
            if self.lines[end].rstrip() == "---":
                self.at = end + 1
                return "\n".join(self.lines[1:end])
        return ""

    def _block(self, bare: str) -> None:
        """What `bare`, the line without its indentation, begins."""
        first = bare[0]
        if first == ">":
            self._block_quoted(bare)
        elif first in "`~" and (fence := _FENCE.match(bare)):
            self._fenced(fence)
        elif first == "#" and (heading := _HEADING.match(bare)):
            self._headed(heading)
        elif first in "<-=:|" and (self._marked_up(bare) or self._underlined(bare)):
            pass
        elif first in "-*_" and _RULE.match(bare):
            self._flush()
            self.at += 1
        elif (first in "-*+" or first.isdigit()) and (item := _ITEM.match(bare)):
            self._listed(bare[item.end() :])
        elif first == "[" and not self.words and (found := definition(bare)):
            self.references.setdefault(*found)
            self.at += 1
        else:
            self._said(bare)

    def _said(self, bare: str) -> None:
        if not self.words:
            self.began = self.at + 1
            self.listed = self.listed and self.lines[self.at][:1] in (" ", "\t")
        self.words.append(bare)
        self.at += 1

    def _listed(self, rest: str) -> None:
        self._flush()
        self.item = self.listed = True
        if rest[0] in "`~" and (fence := _FENCE.match(rest)):
            self._fenced(fence)
        else:
            self.words, self.began = [rest], self.at + 1
            self.at += 1

    def _block_quoted(self, bare: str) -> None:
        rest = bare.lstrip("> \t")
        if rest:
            self._block(rest)
        else:
            self._flush()
            self.at += 1

    def _flush(self) -> None:
        if self.words:
            self.blocks.append(Paragraph("\n".join(self.words), self.began, self.item))
            self.words = []
        self.item = False

    def _indented(self, line: str) -> bool:
        return not (self.words or self.listed) and line.startswith(("    ", "\t"))

    def _indented_code(self) -> None:
        began = self.at
        while self.at < len(self.lines) and (
            not self.lines[self.at].strip() or self.lines[self.at].startswith(("    ", "\t"))
        ):
            self.at += 1
        lines = [
            line.removeprefix("\t").removeprefix("    ") for line in self.lines[began : self.at]
        ]
        self.blocks.append(Code("\n".join(lines).rstrip(), began + 1))

    def _fenced(self, fence: re.Match[str]) -> None:
        self._flush()
        mark, language = fence.groups()
        began = self.at
        quoted = self.lines[began].lstrip().startswith(">")
        indent = self.lines[began][: -len(self.lines[began].lstrip()) or None]
        body: list[str] = []
        self.at += 1
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            line = line.lstrip("> ") if quoted else line.removeprefix(indent)
            bare = line.strip()
            if bare.startswith(mark) and not bare.strip(mark[0]):
                break
            body.append(line)
        self.blocks.append(Code("\n".join(body), began + 1, language.strip("{.}").lower()))

    def _headed(self, heading: re.Match[str]) -> None:
        marks = heading[1] or heading[3] or heading[5]
        title = _CLOSED.sub("", (heading[2] or heading[4] or "").strip()).rstrip()
        self._flush()
        self._open(title, len(marks), self.at + 1)
        self.at += 1

    def _open(self, title: str, level: int, line: int) -> None:
        self._close()
        self.titles = [above for above in self.titles if above[0] < level]
        self.heading = (title, level, line)
        self.listed = False

    def _close(self) -> None:
        """End the section that is open."""
        self._flush()
        title, level, line = self.heading
        if level or self.blocks:
            path = tuple(above for _, above in self.titles)
            self.sections.append(Section(title, level, line, tuple(self.blocks), path))
            self.titles.append((level, title))
        self.blocks = []

    def _underlined(self, bare: str) -> bool:
        """A heading that is underlined, or a table whose header is."""
        if not self.words:
            return False
        if "|" in bare and "-" in bare and "|" in self.words[-1] and not bare.strip("|:- \t"):
            self._table()
            return True
        only = bare[0] * len(bare) == bare and (bare[0] == "=" or len(bare) > 1) and bare[0] in "-="
        if not only or self.item or len(self.words) > 1:
            return False
        title = self.words.pop()
        self._open(title, 1 if bare[0] == "=" else 2, self.at)
        self.at += 1
        return True

    def _table(self) -> None:
        header = _cells(self.words.pop())
        began = self.at
        self._flush()
        self.at += 1
        rows = []
        while self.at < len(self.lines) and "|" in self.lines[self.at]:
            rows.append(_cells(self.lines[self.at].strip().lstrip("> ")))
            self.at += 1
        self.blocks.append(Table(header, tuple(rows), began))

    def _marked_up(self, bare: str) -> bool:
        """A comment or a table in HTML."""
        if bare.startswith("<!--") and self.at <= self.last_comment:
            self._commented()
        elif bare[:6].lower() == "<table" and self.at <= self.last_table:
            self._html_table()
        else:
            return False
        return True

    def _commented(self) -> None:
        self._flush()
        began = self.at
        while "-->" not in self.lines[self.at]:
            self.at += 1
        whole = "\n".join(self.lines[began : self.at + 1])
        said, _, rest = whole.partition("<!--")[2].partition("-->")
        self.blocks.append(Comment(said.strip(), began + 1))
        self.lines[self.at] = rest
        self.at += not rest.strip()

    def _html_table(self) -> None:
        self._flush()
        began = self.at
        while "</table>" not in self.lines[self.at]:
            self.at += 1
        rows = _ROW.split("\n".join(self.lines[began : self.at + 1]))[1:]
        self.at += 1
        cells = [tuple(map(plain, _CELL.split(row, CELL_COUNT)[1:])) for row in rows]
        if cells:
            self.blocks.append(Table(cells[0], tuple(cells[1:]), began + 1))


def _cells(row: str) -> tuple[str, ...]:
    bare = row.strip().removeprefix("|")
    if "\\|" in bare:
        bare = bare.replace("\\|", "\0")
    cells = bare.removesuffix("|").split("|", CELL_COUNT)[:CELL_COUNT]
    return tuple(cell.strip().replace("\0", "|") for cell in cells)
