"""The picture of the documentation: for each pair, the share of the file that travels, as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.bytes.report import Row
from modelshelf.cli.plot import Axis

WIDTH = 860
_LEFT, _RIGHT, _TOP, _BOTTOM = 290, 74, 92, 40
_STEP, _BAR = 34, 11
_INK, _GREY, _PALE, _BLUE, _ORANGE = "#1c2430", "#5b6672", "#e3e7eb", "#0b62c4", "#d98324"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_CAPTION = "The reader has the first file (cold: none) and gets the second; logarithmic."
_LEAST = 1e-5
_TICKS = (0.0001, 0.001, 0.01, 0.1, 1.0)
_AXIS = Axis("share of the file", "minimize", _LEAST, 1.0, logarithmic=True)


def svg(rows: Sequence[Row]) -> str:
    """The whole document: it stands alone, and its description says what is drawn in words."""
    height = _TOP + _STEP * len(rows) + _BOTTOM
    title = "Bytes on the wire, as a share of the file"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title description" '
        f'font-family="{_FONT}" font-size="12" fill="{_INK}">'
    )
    parts = [
        head,
        f'<title id="title">{title}</title>',
        f'<desc id="description">{escape(_told(rows))}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="20" y="30" font-size="17" font-weight="600">{title}</text>',
        f'<text x="20" y="50" fill="{_GREY}">{_CAPTION}</text>',
        *_legend(),
        *_scale(height),
    ]
    for number, row in enumerate(rows):
        parts += _bars(row, _TOP + _STEP * number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _told(rows: Sequence[Row]) -> str:
    """The bars in words."""
    found = []
    for row in rows:
        shares = ", ".join(f"{name} {_percent(share)}" for name, share, _ in _shares(row))
        found.append(f"{row.title}: {shares}")
    return "; ".join(found) + "."


def _shares(row: Row) -> Iterator[tuple[str, float, str]]:
    if row.share is not None:
        yield "Modelshelf", row.share, _BLUE
    if "hf_xet" in row.peers:
        yield "hf_xet", row.peers["hf_xet"] / row.file_bytes, _ORANGE


def _legend() -> Iterator[str]:
    for x, name, colour in (
        (20, "Modelshelf", _BLUE),
        (120, "huggingface_hub with hf_xet", _ORANGE),
    ):
        yield f'<rect x="{x}" y="62" width="11" height="11" fill="{colour}"/>'
        yield f'<text x="{x + 17}" y="72">{name}</text>'
    yield f'<path d="M320 67.5H340" stroke="{_INK}" stroke-dasharray="4 3"/>'
    yield '<text x="346" y="72">the whole file (DVC, MLflow, plain files)</text>'


def _scale(height: int) -> Iterator[str]:
    floor = height - _BOTTOM
    for tick in _TICKS:
        x = _x(tick)
        whole = tick == 1.0
        style = f'stroke="{_INK}" stroke-dasharray="4 3"' if whole else f'stroke="{_PALE}"'
        yield f'<path d="M{x:.1f} {_TOP - 6}V{floor}" {style}/>'
        yield (
            f'<text x="{x:.1f}" y="{floor + 18}" text-anchor="middle" fill="{_GREY}">'
            f"{_percent(tick)}</text>"
        )
    yield f'<path d="M{_LEFT} {floor}H{WIDTH - _RIGHT}" stroke="{_GREY}"/>'


def _bars(row: Row, top: float) -> Iterator[str]:
    yield (
        f'<text x="{_LEFT - 10}" y="{top + _BAR + 4}" text-anchor="end">{escape(row.title)}</text>'
    )
    for number, (_, share, colour) in enumerate(_shares(row)):
        y = top + number * (_BAR + 1)
        end = _x(share)
        yield (
            f'<rect x="{_LEFT}" y="{y}" width="{max(end - _LEFT, 1):.1f}" height="{_BAR}" '
            f'fill="{colour}"/>'
        )
        yield (
            f'<text x="{max(end, _LEFT) + 5:.1f}" y="{y + 9.5}" font-size="10" stroke="#ffffff" '
            f'stroke-width="3" paint-order="stroke" fill="{_GREY}">{_percent(share)}</text>'
        )


def _x(share: float) -> float:
    return _LEFT + _AXIS.place(max(share, _LEAST)) * (WIDTH - _LEFT - _RIGHT)


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %" if share < 0.9995 else f"{share * 100:.0f} %"
