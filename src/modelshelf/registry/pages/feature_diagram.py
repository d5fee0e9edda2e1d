"""The feature diagram of a family, as in the paper's Figure 2: what its models must and may have.

A filled dot leads to what every model has, an open one to what some have; an arc joins values of
which each model has one, a filled arc those of which it may have several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

import markupsafe

from modelshelf.registry.families import Family
from modelshelf.registry.pages.members import told
from modelshelf.study.markup import Markup, tag

Group = Literal["all", "one", "some"]
_MOST_VALUES = 8
_MOST_FEATURES = 8
_COLUMNS = (8.0, 118.0, 296.0, 474.0)
"""Where each depth begins."""
_WIDTH = 720.0
_ROW, _BOX = 26.0, 20.0
_LETTER = 6.7
_PARTS = (
    ("Task", "task"),
    ("Algorithm", "algorithm"),
    ("Dataset", "dataset"),
    ("Language", "language"),
)


class Node(NamedTuple):
    """A feature with what it consists of; `group` says how many of its parts a model has."""

    name: str
    mandatory: bool = True
    group: Group = "all"
    parts: tuple[Node, ...] = ()
    note: str = ""


class _Placed(NamedTuple):
    """A node with where it is drawn: its depth and the middle of its box."""

    node: Node
    depth: int
    y: float
    parts: tuple[_Placed, ...]


def diagram(family: Family) -> markupsafe.Markup:
    """The SVG; `told` has the same in words."""
    root = tree(family)
    placed, rows = _place(root, 0, 0)
    words = "; ".join(_words(part) for part in root.parts)
    svg = tag(
        "svg",
        tag("title", f"What models of the family {family.title} have in common, and what varies", id="diagram-title"),
        tag("desc", words, id="diagram-words"),
        list(_drawn(placed)),
        viewBox=f"0 0 {_WIDTH:.0f} {rows * _ROW + 8:.0f}",
        width=f"{_WIDTH:.0f}",
        height=f"{rows * _ROW + 8:.0f}",
        class_="diagram",
        role="img",
        aria_labelledby="diagram-title diagram-words",
    )  # fmt: skip
    return markupsafe.Markup(svg)  # noqa: S704 (escaped by `tag`)


def tree(family: Family) -> Node:
    """Task, algorithm, data and language, the formats, and the configuration that varies."""
    parts = [
        Node(title, group="one", parts=(Node(_shown(value)),))
        for title, key in _PARTS
        if (value := getattr(family, key))
    ]
    formats = Counter(each for member in family.members for each in member.formats)
    if formats:
        several = any(len(member.formats) > 1 for member in family.members)
        values = tuple(Node(name, note=str(n)) for name, n in formats.most_common(_MOST_VALUES))
        parts.append(Node("Package format", group="some" if several else "one", parts=values))
    if family.varying:
        features = tuple(
            _feature(family, number) for number in range(len(family.varying[:_MOST_FEATURES]))
        )
        mandatory = any(each.mandatory for each in features)
        parts.append(Node("Configuration", mandatory=mandatory, parts=features))
    return Node("Model", parts=tuple(parts))


def _feature(family: Family, number: int) -> Node:
    varies = family.varying[number]
    values = [each for each in varies.values if each.value is not None]
    shown = [Node(told(each.value), note=str(each.models)) for each in values[:_MOST_VALUES]]
    if len(values) > len(shown):
        shown.append(Node(f"and {len(values) - len(shown)} more"))
    everywhere = len(values) == len(varies.values)
    return Node(varies.feature.replace("_", " "), everywhere, "one", tuple(shown))


def _shown(value: str) -> str:
    return value if len(value) <= 60 else value[:59] + "…"


def _words(node: Node) -> str:
    if not node.parts:
        return node.name + (f" ({node.note})" if node.note else "")
    return f"{node.name}: {', '.join(_words(part) for part in node.parts)}"


def _place(node: Node, depth: int, row: int) -> tuple[_Placed, int]:
    """The node with its parts below each other from `row` on, and the first row after it."""
    if not node.parts:
        return _Placed(node, depth, row * _ROW + _ROW / 2 + 4, ()), row + 1
    parts = []
    for part in node.parts:
        placed, row = _place(part, depth + 1, row)
        parts.append(placed)
    return _Placed(node, depth, (parts[0].y + parts[-1].y) / 2, tuple(parts)), row


def _drawn(placed: _Placed) -> Iterator[Markup]:
    start = _left(placed) + _width(placed)
    if placed.node.group != "all" and len(placed.parts) > 1:
        yield _arc(placed, start)
    for part in placed.parts:
        yield _limb(start, placed.y, _left(part), part.y)
        if placed.node.group == "all":
            kind = "must" if part.node.mandatory else "may"
            yield tag("circle", cx=_left(part) - 5, cy=part.y, r=4.5, class_=kind)
    yield from _box(placed)
    for part in placed.parts:
        yield from _drawn(part)


def _left(placed: _Placed) -> float:
    """Values stand in the last column, so that all are below each other."""
    return _COLUMNS[placed.depth if placed.parts or placed.depth == 0 else 3]


def _width(placed: _Placed) -> float:
    return min(len(placed.node.name) * _LETTER + 18, _WIDTH - _left(placed) - 60)


def _limb(x: float, y: float, to_x: float, to_y: float) -> Markup:
    middle = (x + to_x) / 2
    return tag(
        "path",
        d=f"M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}",
        class_="limb",
    )


def _arc(placed: _Placed, x: float) -> Markup:
    """Over the limbs of alternatives, as feature diagrams have it."""
    reach = 16.0
    spread = min(reach, (placed.parts[-1].y - placed.parts[0].y) / 3)
    kind = "some" if placed.node.group == "some" else "one"
    return tag(
        "path",
        d=f"M{x:.1f} {placed.y:.1f}L{x + reach:.1f} {placed.y - spread:.1f}"
        f"A{reach + 6:.0f} {reach + 6:.0f} 0 0 1 {x + reach:.1f} {placed.y + spread:.1f}Z",
        class_=f"arc {kind}",
    )


def _box(placed: _Placed) -> Iterator[Markup]:
    node, x, width = placed.node, _left(placed), _width(placed)
    letters = max(int((width - 16) / _LETTER), 3)
    name = node.name if len(node.name) <= letters + 1 else node.name[:letters] + "…"
    kind = "value" if not placed.parts else "feature"
    yield tag("rect", x=x, y=placed.y - _BOX / 2, width=width, height=_BOX, rx=4, class_=kind)
    yield tag("text", name, x=x + 9, y=placed.y + 4)
    if node.note:
        yield tag("text", f"\u00d7 {node.note}", x=x + width + 7, y=placed.y + 4, class_="note")
