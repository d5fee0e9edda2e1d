"""A trade-off as SVG: one file that stands alone, without scripts, styles or fonts of others.

Its title and description say in words what is drawn (WAI-ARIA Graphics Module: a figure is an
image with a name); the numbers themselves are the table of `shelf choose`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from modelshelf.cli.output import harmless
from modelshelf.cli.plot import Axis, Mark, Plot

WIDTH, HEIGHT = 820, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 28, 64, 70
_END = WIDTH - _RIGHT
_INK, _GREY, _PALE, _BLUE, _WHITE = "#1c2430", "#5b6672", "#e3e7eb", "#0b62c4", "#ffffff"
_LETTER = 6.3
"""Width of a letter of a label, about; fonts differ."""
_LINE = 14
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
most_labels = 40
longest_label = 60


class _Box(NamedTuple):
    """Where something is drawn, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        """Whether the two overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def inside(self) -> bool:
        """Whether all of it is on the plot."""
        on_top = self.top >= _TOP and self.bottom <= HEIGHT - _BOTTOM
        return on_top and self.left >= _LEFT and self.right <= WIDTH - _RIGHT + 20


def svg(plot: Plot, title: str, description: str) -> str:
    """The whole document."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-labelledby="title description" '
        f'font-family="{_FONT}" font-size="12" fill="{_INK}">'
    )
    parts = [
        head,
        f'<title id="title">{_text(title)}</title>',
        f'<desc id="description">{_text(description)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_WHITE}"/>',
        f'<text x="{_LEFT}" y="28" font-size="17" font-weight="600">{_text(title)}</text>',
        f'<text x="{_LEFT}" y="47" fill="{_GREY}">{_text(_legend(plot.marks))}</text>',
        *_across(plot.x),
        *_upwards(plot.y),
        *_bounds(plot),
        *_marks(plot),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _across(along: Axis) -> Iterator[str]:
    floor = HEIGHT - _BOTTOM
    for tick in along.ticks(7):
        x = _x(along, tick)
        yield f'<path d="M{x:.1f} {_TOP}V{floor}" stroke="{_PALE}"/>'
        yield (
            f'<text x="{x:.1f}" y="{floor + 20}" text-anchor="middle" fill="{_GREY}">'
            f"{_text(along.told(tick))}</text>"
        )
    yield f'<path d="M{_LEFT} {floor}H{_END}" stroke="{_GREY}"/>'
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    scale = ", logarithmic" if along.logarithmic else ""
    yield (
        f'<text x="{middle:.0f}" y="{HEIGHT - 22}" text-anchor="middle" font-size="13">'
        f"{_text(along.title + scale)}</text>"
    )


def _upwards(along: Axis) -> Iterator[str]:
    for tick in along.ticks(7):
        y = _y(along, tick)
        yield f'<path d="M{_LEFT} {y:.1f}H{_END}" stroke="{_PALE}"/>'
        yield (
            f'<text x="{_LEFT - 9}" y="{y + 4:.1f}" text-anchor="end" fill="{_GREY}">'
            f"{_text(along.told(tick))}</text>"
        )
    yield f'<path d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}" stroke="{_GREY}"/>'
    middle = (_TOP + HEIGHT - _BOTTOM) / 2
    scale = ", logarithmic" if along.logarithmic else ""
    yield (
        f'<text x="20" y="{middle:.0f}" text-anchor="middle" font-size="13" '
        f'transform="rotate(-90 20 {middle:.0f})">{_text(along.title + scale)}</text>'
    )


def _bounds(plot: Plot) -> Iterator[str]:
    """What was asked for, as a dashed line where it lies on the plot."""
    for along, across in ((plot.x, True), (plot.y, False)):
        if along.bound is None or not along.low <= along.bound <= along.high:
            continue
        x, y = _x(along, along.bound), _y(along, along.bound)
        line = f"M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}" if across else f"M{_LEFT} {y:.1f}H{_END}"
        at, base, anchor = (x, _TOP - 4, "middle") if across else (_END, y - 5, "end")
        yield f'<path d="{line}" stroke="{_GREY}" stroke-dasharray="5 4" fill="none"/>'
        yield (
            f'<text x="{at:.1f}" y="{base:.1f}" text-anchor="{anchor}" font-size="11" '
            f'fill="{_GREY}">{_text(along.asked)}</text>'
        )


def _marks(plot: Plot) -> Iterator[str]:
    """The others first, then the line of the best and the best with their names."""
    others = sorted((m for m in plot.marks if m.number is None), key=lambda mark: mark.fits)
    best = [mark for mark in plot.marks if mark.number is not None]
    yield from (_dot(plot, mark) for mark in others)
    yield from _line(plot, best)
    yield from (_dot(plot, mark) for mark in best)
    taken = [_around(plot, mark, 6) for mark in best]
    for mark in best[:most_labels]:
        yield from _label(plot, mark, taken)


def _dot(plot: Plot, mark: Mark) -> str:
    if mark.number is not None:
        style = f'r="5.5" fill="{_BLUE}" stroke="{_WHITE}" stroke-width="1.5"'
    elif mark.fits:
        style = f'r="4" fill="{_GREY}" fill-opacity="0.55"'
    else:
        style = f'r="3.5" fill="{_WHITE}" stroke="{_GREY}" stroke-opacity="0.6"'
    words = f"{mark.label}: {plot.x.told(mark.x)}, {plot.y.told(mark.y)}"
    x, y = _x(plot.x, mark.x), _y(plot.y, mark.y)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" {style}><title>{_text(words)}</title></circle>'


def _line(plot: Plot, best: Sequence[Mark]) -> Iterator[str]:
    """The Pareto line as stairs: what lies on its good side nobody offers.

    In two respects only those that are best in both are on it; others are best in a third one.
    """
    sign = -1 if plot.y.goal == "minimize" else 1
    along = sorted(
        {(mark.x, mark.y) for mark in best},
        key=lambda at: (at[0] if plot.x.goal == "minimize" else -at[0], -sign * at[1]),
    )
    path: list[str] = []
    highest: float | None = None
    for x, y in along:
        if highest is not None and sign * y <= sign * highest:
            continue
        at = _x(plot.x, x)
        path.append(f"H{at:.1f}V{_y(plot.y, y):.1f}" if path else f"M{at:.1f} {_y(plot.y, y):.1f}")
        highest = y
    if len(path) > 1:
        yield f'<path d="{"".join(path)}" stroke="{_BLUE}" stroke-width="1.5" fill="none"/>'


def _label(plot: Plot, mark: Mark, taken: list[_Box]) -> Iterator[str]:
    """The name beside its point, where there is room; else the title of the point tells it."""
    x, y = _x(plot.x, mark.x), _y(plot.y, mark.y)
    name = mark.label if len(mark.label) <= longest_label else mark.label[: longest_label - 1] + "…"
    width = len(name) * _LETTER
    places = (
        (x + 9, y + 15, "start"),
        (x + 9, y - 6, "start"),
        (x - 9, y - 7, "end"),
        (x - 9, y + 15, "end"),
        (x, y - 12, "middle"),
        (x, y + 22, "middle"),
    )
    for at, base, anchor in places:
        left = at - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        box = _Box(left, base - _LINE + 3, left + width, base + 3)
        if box.inside() and not any(box.meets(other) for other in taken):
            taken.append(box)
            yield (
                f'<text x="{at:.1f}" y="{base:.1f}" text-anchor="{anchor}" stroke="{_WHITE}" '
                f'stroke-width="3" paint-order="stroke">{_text(name)}</text>'
            )
            return


def _around(plot: Plot, mark: Mark, radius: float) -> _Box:
    x, y = _x(plot.x, mark.x), _y(plot.y, mark.y)
    return _Box(x - radius, y - radius, x + radius, y + radius)


def _legend(marks: Sequence[Mark]) -> str:
    best = sum(mark.number is not None for mark in marks)
    dominated = sum(mark.number is None and mark.fits for mark in marks)
    others = len(marks) - best - dominated
    told = [f"{best} best (blue)"]
    told += [f"{dominated} dominated (grey)"] if dominated else []
    told += [f"{others} that miss a condition (hollow)"] if others else []
    return ", ".join(told)


def _x(along: Axis, value: float) -> float:
    return _LEFT + along.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(along: Axis, value: float) -> float:
    return HEIGHT - _BOTTOM - along.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _text(words: str) -> str:
    """What strangers wrote, as text of XML 1.0: no markup, no control characters."""
    return escape(re.sub("[\x1b\ufffe\uffff]", "\ufffd", harmless(words)))
