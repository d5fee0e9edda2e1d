"""What a page says of a model's quality: figures out of its tables, lists and sentences."""

from __future__ import annotations

import re

from modelshelf.importers.page.figure import Figure, once, own, shared
from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Page, Paragraph, Section, Table
from modelshelf.importers.page.metric_names import hits
from modelshelf.importers.page.quality_tables import Setting, figures_of
from modelshelf.importers.page.quality_text import data_of, said_in

__all__ = ["Figure", "own", "read", "shared"]

CAPTION_CHARACTERS = 600
FIGURE_COUNT = 5000
"""Figures of one page; what stands below is not read."""

_ELSEWHERE = re.compile(
    r"references?|citations?|citing|bibliography|acknowledge?ments?|license|change ?log|release notes|history"
    r"|further reading|related|version \d",
    re.IGNORECASE,
)


def read(page: Page) -> tuple[Figure, ...]:
    """Every figure of quality on the page, each with the label that says whose it is.

    Shares of 1 (accuracy, error, IoU ...) are fractions, also where the page gives percents. `own`
    picks those of one model, `shared` gives each of several models its own.
    """
    found: list[Figure] = []
    for section in page.sections:
        if any(map(_ELSEWHERE.match, (*section.path, section.title))) or len(found) > FIGURE_COUNT:
            continue
        found += _of_tables(section)
        found += said_in(section.blocks)
        found += said_in([Paragraph(section.title, section.line)])
    return once(found)


def _of_tables(section: Section) -> list[Figure]:
    found: list[Figure] = []
    caption = ""
    for block in section.blocks:
        if isinstance(block, Paragraph):
            caption = block.text
        elif isinstance(block, Table):
            found += figures_of(block, _setting(section, plain(caption)[-CAPTION_CHARACTERS:]))
    return found


def _setting(section: Section, caption: str) -> Setting:
    dataset, split = data_of(caption)
    named = tuple(
        hit.measure
        for hit in hits(caption)
        if not any(map(str.isdigit, caption[hit.end : hit.end + 12]))
    )
    return Setting((*section.path, section.title), named[-2:], dataset, split)
