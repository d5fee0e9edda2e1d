"""Licenses as people write them → SPDX expressions (https://spdx.org/licenses)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Page, Paragraph

longest_license_characters = 200
longest_paragraph_characters = 4000
most_words = 200
most_places = 20
"""Paragraphs of a page that are searched for a license."""

_NAMES = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache v2": "Apache-2.0",
    "apache software": "Apache-2.0",
    "mit": "MIT",
    "isc": "ISC",
    "unlicense": "Unlicense",
    "x11": "X11",
    "bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "simplified bsd": "BSD-2-Clause",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "gnu gpl": "GPL-3.0-or-later",
    "gpl": "GPL-3.0-or-later",
    "gpl 2.0": "GPL-2.0-only",
    "gpl 3.0": "GPL-3.0-only",
    "gpl v2": "GPL-2.0-only",
    "gpl v3": "GPL-3.0-only",
    "lgpl 2.0": "LGPL-2.0-only",
    "lgpl 2.1": "LGPL-2.1-only",
    "lgpl 3.0": "LGPL-3.0-only",
    "agpl 3.0": "AGPL-3.0-only",
    "mozilla public 2.0": "MPL-2.0",
    "creative commons attribution 4.0": "CC-BY-4.0",
    "creative commons attribution 4.0 international": "CC-BY-4.0",
    "creative commons attribution noncommercial 4.0": "CC-BY-NC-4.0",
    "creative commons attribution noncommercial 4.0 international": "CC-BY-NC-4.0",
    "creative commons attribution sharealike 4.0": "CC-BY-SA-4.0",
    "public domain": "CC0-1.0",
}
"""Where a name leaves the version open, the one that people mean."""

_STARTS = {name.partition(" ")[0] for name in _NAMES}
_FILLING = re.compile(r"\b(?:the|licen[cs]ed?|under|version|ver|terms|of)\b|[-_,;:()\s]+")
_HEADING = re.compile(r"\blicen[cs]e|\bterms of use\b|\bcopyright\b", re.IGNORECASE)
_GIVEN = re.compile(
    r"\b(?:(?:licen[cs]ed?|released|available|distributed|published|provided)\b[^\n.]{0,40}?\bunder"
    r"|follows|licen[cs]e:)(?= )",
    re.IGNORECASE,
)
_HINTS = ("under", "Under", "follows", "icense:")
"""Without one of them, a paragraph gives no license."""
_COMMONS = re.compile(r"creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/(\d\.\d)")
_ADDRESSES = {
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "opensource.org/licenses/mit": "MIT",
    "opensource.org/license/mit": "MIT",
    "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
    "gnu.org/licenses/gpl-3.0": "GPL-3.0-only",
    "mozilla.org/en-us/mpl/2.0": "MPL-2.0",
}
_longest_name_words = 8
_characters_behind = 100


def expression(written: str) -> str | None:
    """The SPDX expression of a license as written (`apache-2.0`, `The MIT License`).

    A word that SPDX does not know (`custom`) becomes `LicenseRef-custom`; None for no word.
    """
    text = written.strip()[:longest_license_characters]
    known = _listed().get(text.lower()) or _named(text)
    if known:
        return known
    word = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")
    return f"LicenseRef-{word}" if word else None


class Stated(NamedTuple):
    """A license that a page names; `unsure` where it may be that of something else."""

    expression: str
    unsure: bool


def stated(page: Page) -> Stated | None:
    """The license that a page names: in a section on it, else in a sentence; None for none."""
    for text in islice(_on_licenses(page), most_places):
        if known := _first(text):
            return Stated(known, unsure=False)
    for text in islice(_given(page), most_places):
        if known := _first(text):
            return Stated(known, unsure=True)
    return None


def _on_licenses(page: Page) -> Iterator[str]:
    """The paragraphs of sections on licenses."""
    for section in page.sections:
        if _HEADING.search(section.title):
            yield from (each.text for each in section.blocks if isinstance(each, Paragraph))


def _given(page: Page) -> Iterator[str]:
    """What stands behind words that give a license."""
    for paragraph in page.paragraphs:
        if any(hint in paragraph.text for hint in _HINTS):
            for match in _GIVEN.finditer(paragraph.text):
                yield paragraph.text[match.end() : match.end() + _characters_behind]


def _first(text: str) -> str | None:
    """The first license that Markdown names, or whose address it holds."""
    text = text[:longest_paragraph_characters]
    words = re.sub(r"[*`\[\]<>\"']", " ", plain(text)).split()
    for start, word in enumerate(words[:most_words]):
        first = word.lower().strip(".,;()")
        if "-" in first and first in _listed():
            return _listed()[first]
        if _bare(first).partition(" ")[0] in _STARTS and (known := _behind(words[start:])):
            return known
    return _addressed(text.lower())


def _behind(words: list[str]) -> str | None:
    """The license whose name the words begin with, the longest one."""
    for length in range(min(_longest_name_words, len(words)), 0, -1):
        if known := _named(" ".join(words[:length]).rstrip(".,;)")):
            return known
    return None


def _addressed(text: str) -> str | None:
    if commons := _COMMONS.search(text):
        return f"CC-{commons[1].upper()}-{commons[2]}"
    return next((known for address, known in _ADDRESSES.items() if address in text), None)


def _named(text: str) -> str | None:
    return _NAMES.get(_bare(text))


def _bare(text: str) -> str:
    words = _FILLING.sub(" ", text.lower()[:longest_license_characters])
    return " ".join(re.sub(r"\bv ?(\d)", r"\1", words).split())


@cache
def _listed() -> dict[str, str]:
    """Every license of SPDX by its id in lower case; the deprecated ones by what they meant."""
    from packaging.licenses._spdx import LICENSES

    listed = {}
    for key, license_ in LICENSES.items():
        meant = f"{license_['id']}-only"
        listed[key] = meant if meant.lower() in LICENSES else license_["id"]
    return listed
