"""Sections of a page by what their headings promise, as the Markdown that they are."""

from __future__ import annotations

import re

from modelshelf.importers.page.markdown import Page, Section

longest_chapter_characters = 20_000


def chapters(page: Page, title: re.Pattern[str], *, but: re.Pattern[str] | None = None) -> str:
    """The sections whose headings match (and not `but`), with what is below them; empty for none.

    A section of another kind below one of them is left out.
    """
    lines = page.text.split("\n")
    kept: list[str] = []
    inside = 0
    for number, section in enumerate(page.sections):
        matches = bool(title.search(section.title))
        refused = bool(but and but.search(section.title))
        if inside and section.level <= inside:
            inside = 0
        if matches and not refused and not inside:
            inside = section.level or 1
        if inside and not refused:
            kept += lines[section.line - 1 : _end(page.sections, number, len(lines))]
    return "\n".join(kept).strip()[:longest_chapter_characters].rstrip()


def _end(sections: tuple[Section, ...], number: int, last: int) -> int:
    """The line before the next heading; one that is underlined begins at its words."""
    return sections[number + 1].line - 1 if number + 1 < len(sections) else last
