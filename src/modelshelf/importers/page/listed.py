"""Names that a page lists beside one that is known: in a column, in points, in comments, in prose.

The known one is called in the example code; of a listed one nothing is known but that it is like
it. Lists that compare with the models of others are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import product

from modelshelf.importers.page.example_code import Example
from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Page, Paragraph, Section, Table

most_names = 100
longest_name_characters = 80

_NAME = re.compile(r"[A-Za-z0-9][\w.@-]{0,79}")
_WORD = re.compile(r"[A-Za-z0-9][\w.@-]{1,79}")
_QUOTED = re.compile(r"""(["'`])([\w.@/-]{1,80})\1""")
_MARK = "[\"'\u2018\u2019\u201c\u201d]"
_CODE = re.compile(r"`([^`\n]{1,80})`(?!`)")
_POINT = re.compile(r"[*_ ]{0,4}`([^`\n]{1,80})`")
_OURS = re.compile(r"\(ours\)|\bours\b", re.IGNORECASE)
_OFFER = re.compile(
    r"\b(?:available|options?|choose|choices?|one of|others?|also|list of|select|either|variants?"
    r"|alternatives?|supported?|possible|any of)\b",
    re.IGNORECASE,
)
_PART = re.compile(r"[^\W\d_]+|\d+")
_STEM = re.compile(r"[^\W\d_]{2,}")


def folded(name: str) -> str:
    """The name without case and separators: `Some-Net 50` and `some_net50` are one."""
    return "".join(_PART.findall(name.lower()))


def parts(name: str) -> list[str]:
    """The words and numbers of a name in lower case: `someNet50_v2` → some net 50 v 2."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)
    return [part.lower() for part in _PART.findall(spaced)]


def alike(one: str, other: str) -> bool:
    """Whether two names can be of one kind: they begin with the same word, or end with the same."""
    first, second = _STEM.match(one), _STEM.match(other)
    if first and second and first[0].lower() == second[0].lower():
        return True
    if re.sub(r"\d", "0", one.lower()) == re.sub(r"\d", "0", other.lower()):
        return True
    these, those = (re.split(r"[\W_]+", name.lower()) for name in (one, other))
    if min(len(these), len(those)) < 2:
        return False
    return (these[0] == those[0] != "") or (these[-1] == those[-1] and these[-1].isalpha())


def in_tables(known: str, tables: Iterable[Table]) -> Iterator[tuple[Table, str, int]]:
    """Names in the column (or in two beside each other) that holds `known`, with table and line.

    Where no column holds it as written, they are spelled as it is: where that is `some_net50` and
    stands there as `SomeNet-50`, a `SomeNet-101` is `some_net101`.
    """
    found = [each for table in tables for each in _in_table(known, table)]
    spelled = [each for each in found if each[3]]
    yield from (each[:3] for each in spelled or found)


def _in_table(known: str, table: Table) -> Iterator[tuple[Table, str, int, bool]]:
    width = min(max(map(len, (table.header, *table.rows)), default=0), 8)
    for columns in [(n,) for n in range(width)] + [(n, n + 1) for n in range(width - 1)]:
        cells = [_cells(row, columns) for row in table.rows[:most_names]]
        spelling = _spelling(known, cells)
        if spelling is None or any(_OURS.search(cell) for row in cells for cell in row):
            continue
        for number, row in enumerate(cells):
            name = spelling(row)
            if name and (name == known or alike(name, known)):
                yield table, name, table.line + 2 + number, spelling is _SPELLINGS[0]
        return


def in_points(known: Iterable[str], section: Section) -> Iterator[tuple[str, int]]:
    """Names in code style that open the points of a list, where a known one opens one of them."""
    points = [
        (found[1], block.line)
        for block in section.blocks
        if isinstance(block, Paragraph) and block.item and (found := _POINT.match(block.text))
    ]
    if {name for name, _ in points}.intersection(known):
        yield from ((name, line) for name, line in points if _NAME.fullmatch(name))


def in_prose(known: Iterable[str], section: Section) -> Iterator[tuple[str, int]]:
    """Names in code style in sentences that begin as a known one does: `net_b` where it is `net_a`."""
    wanted = [name for name in known if _STEM.match(name)]
    for block in section.blocks:
        if isinstance(block, Paragraph):
            for found in _CODE.finditer(block.text):
                name = found[1]
                if _NAME.fullmatch(name) and any(_same_beginning(name, each) for each in wanted):
                    yield name, block.line + block.text.count("\n", 0, found.start())


def in_comment(known: str, comment: str, *, loose: bool = False) -> Iterator[str]:
    """Names that a comment offers instead: `# also available: "b", "c"`, `# or net_b, net_c`.

    They must be like the known one; where `loose`, what stands in quotes need not.
    """
    if "load(" in comment or not _OFFER.search(comment):
        return
    quoted = [found[2] for found in _QUOTED.finditer(comment)]
    words = [found[0].rstrip(".") for found in _WORD.finditer(_QUOTED.sub(" ", comment))]
    said = [
        *(name for name in quoted if loose or alike(name, known)),
        *(word for word in words if re.search(r"[\d_.-]", word) and alike(word, known)),
    ]
    for name in said[:most_names]:
        if _NAME.fullmatch(name) and folded(name) != folded(known):
            yield name


def given_in_prose(argument: str, page: Page) -> Iterator[tuple[str, int]]:
    """Values that sentences give an argument: `Setting precision='b' will load ...`."""
    form = re.compile(rf"(?<![\w.]){re.escape(argument)}\s?=\s?{_MARK}([\w.-]{{1,80}}){_MARK}")
    for block in page.paragraphs:
        for found in form.finditer(block.text):
            yield found[1], block.line + block.text.count("\n", 0, found.start())


def groups(examples: Iterable[Example]) -> dict[str, list[str]]:
    """For each text that is a key of a dictionary, or stands in a list, those beside it.

    Only where all are alike; of several groups with one text the first.
    """
    found: dict[str, list[str]] = {}
    for example in examples:
        for piece in example.pieces:
            for node in ast.walk(piece.node):
                names = _strings(node)
                if names and all(alike(name, names[0]) for name in names):
                    for name in names:
                        found.setdefault(name, names)
    return found


def _strings(node: ast.AST) -> list[str]:
    nodes = (
        node.keys if isinstance(node, ast.Dict)
        else node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set)
        else []
    )  # fmt: skip
    if len(nodes) > most_names:
        return []
    found = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return found if len(found) == len(nodes) else []


def _cells(row: tuple[str, ...], columns: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(plain(row[n]).strip() if n < len(row) else "" for n in columns)


class _Spelling:
    """How a name is made of cells: `between` them, their separators as `separator`, or lower case."""

    def __init__(self, between: str, separator: str | None, *, lower: bool) -> None:
        self.between = between
        self.separator = separator
        self.lower = lower

    def __call__(self, cells: tuple[str, ...]) -> str:
        name = self.between.join(cells)
        if self.separator is not None:
            name = re.sub(r"[\s_-]+", self.separator, name)
        name = name.lower() if self.lower else name
        return name if all(cells) and _NAME.fullmatch(name) else ""


_SPELLINGS = tuple(
    _Spelling(between, separator, lower=lower)
    for lower, separator, between in product((False, True), (None, "", "_", "-"), ("", "_", "-"))
)


def _spelling(known: str, rows: list[tuple[str, ...]]) -> _Spelling | None:
    """How the cells of a row become `known`, or that with a number behind; None where no row does."""
    start = re.compile(re.escape(folded(known)) + r"\d?")
    like = [row for row in rows if start.fullmatch(folded("".join(row)))]
    return next(
        (form for form in _SPELLINGS for row in like if form(row)[: len(known)] == known), None
    )


def _same_beginning(name: str, known: str) -> bool:
    if name == known:
        return True
    first, second = _STEM.match(name), _STEM.match(known)
    if not (first and second and re.search(r"[\d_-]", name)):
        return False
    short, long = sorted((first[0], second[0]), key=len)
    return len(short) > 2 and long.startswith(short)
