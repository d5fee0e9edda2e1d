"""An SVG that stands alone: a title and a description in words, colours for light and dark.

WAI-ARIA Graphics Module: a figure is an image with a name. No scripts, no fonts of others.
"""

from __future__ import annotations

from modelshelf.study.answer import Drawing
from modelshelf.study.markup import Markup, joined, tag

LETTER = 6.4
"""Width of a letter at 12 px, about; fonts differ."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
STYLE = """
.d-ink{fill:#1c2430}.d-grey{fill:#55606c}.d-line{stroke:#55606c;fill:none}.d-pale{stroke:#dde2e7;fill:none}
.d-box{fill:#eef3f9;stroke:#0b62c4}.d-blue{fill:#0b62c4}.d-dot{fill:#0b62c4;fill-opacity:.45}
.d-blueline{stroke:#0b62c4;fill:none}.d-open{fill:none;stroke:#0b62c4;stroke-width:1.5}
@media (prefers-color-scheme:dark){.d-ink{fill:#e6eaef}.d-grey{fill:#a5afba}.d-line{stroke:#a5afba}
.d-pale{stroke:#39424d}.d-box{fill:#1d2a3a;stroke:#6fb1ff}.d-blue{fill:#6fb1ff}.d-dot{fill:#6fb1ff}
.d-blueline,.d-open{stroke:#6fb1ff}}
"""


def drawing(
    id: str,  # noqa: A002  the field's name
    title: str,
    description: str,
    size: tuple[float, float],
    parts: object,
) -> Drawing:
    """A drawing of `size` pixels made of `parts`; its title is drawn by whoever shows it."""
    width, height = size
    svg = tag(
        "svg",
        tag("title", title, id=f"{id}-title"),
        tag("desc", description, id=f"{id}-description"),
        tag("style", Markup(STYLE)),
        joined(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="img",
        aria_labelledby=f"{id}-title {id}-description",
        font_family=FONT,
        font_size="12",
    )
    return Drawing(id, title, description, str(svg))


def label(x: float, y: float, text: str, kind: str = "ink", anchor: str = "start") -> Markup:
    """Words at a point; `kind` is a colour of `STYLE`."""
    return tag("text", text, x=x, y=y, class_=f"d-{kind}", text_anchor=anchor)


def path(d: str, kind: str = "line") -> Markup:
    """A line."""
    return tag("path", d=d, class_=f"d-{kind}")


def cut(text: str, width: float) -> str:
    """`text` as far as it has room in `width` pixels."""
    letters = max(int(width / LETTER), 1)
    return text if len(text) <= letters else text[: letters - 1] + "\u2026"
