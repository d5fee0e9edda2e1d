"""HTML and SVG, escaped by default: what is not `Markup` is foreign text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_VOID = frozenset({"meta", "link", "br", "hr", "col", "path", "rect", "circle", "line"})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element with its children: text, markup, or several of them; None is nothing.

    Of an attribute's name a last underscore is dropped and others become hyphens (`class_`,
    `text_anchor`); one whose value is None is left out.
    """
    opening = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = joined(children)
    if not inner and name in _VOID:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{inner}</{name}>")


def joined(children: object) -> Markup:
    """The markup of several children, one after another."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str) or not isinstance(children, Iterable):
        return Markup(_text(children))
    return Markup("".join(joined(each) for each in children))


def _text(value: object) -> str:
    return escape(
        _NOT_XML.sub("\ufffd", _number(value) if isinstance(value, float) else str(value))
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
