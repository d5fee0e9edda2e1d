"""How to use a package, as its page says it: the sections that show how, else the example code."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.importers.page.chapters import chapters, longest_chapter_characters
from modelshelf.importers.page.markdown import Page
from modelshelf.package.catalogue import Source

_SHOWS = re.compile(
    r"\busages?\b|\bhow to (?:use|run|load)\b|\busing (?:this|the)\b|\bexamples?\b|\bquick ?start\b"
    r"|\bgetting started\b|\bexample (?:use|code)\b|\b(?:basic|general|advanced) use\b"
    r"|^uses?(?: savedmodel| it)?\b.{0,20}$",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"suitable|intended|limitation|out-of-scope|distortion|use[- ]?cases|glossary", re.IGNORECASE
)


class Usage(NamedTuple):
    """Markdown of at least one line, and whether sections or only code was found."""

    text: str
    source: Source


def usage(page: Page) -> Usage | None:
    """How the page says that the package is used; None where it shows nothing."""
    told = chapters(page, _SHOWS, but=_LIMITS)
    if told:
        return Usage(f"{told}\n", "text")
    code = [f"```{each.language}\n{each.text}\n```" for each in page.code if each.text.strip()]
    if not code or sum(map(len, code)) > longest_chapter_characters:
        return None
    return Usage("\n\n".join(code) + "\n", "code")
