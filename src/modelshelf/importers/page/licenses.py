"""Licenses as people write them → SPDX expressions (https://spdx.org/licenses)."""

from __future__ import annotations

import re
from functools import cache

longest_license_characters = 200

_NAMES = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache v2": "Apache-2.0",
    "apache software": "Apache-2.0",
    "mit": "MIT",
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

_OPEN = {"apache", "apache software", "bsd", "gnu gpl", "gpl", "public domain"}
_FILLING = re.compile(r"\b(?:the|licen[cs]ed?|under|version|ver|terms|of)\b|[-_,;:()\s]+")
_STATED = re.compile(
    r"\b(?:licen[cs]ed?|released|available|distributed|published|provided)\b"
    r"[^\n.]{0,40}?\bunder\b(?: the| an?| terms of| \[){0,3} ?([^\n\]]{1,80})",
    re.IGNORECASE,
)


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


def is_open(written: str) -> bool:
    """Whether the name leaves open which version of the license is meant."""
    return _bare(written) in _OPEN


def stated(text: str) -> str | None:
    """The license that sentences of a page name (`released under the MIT License`), or None."""
    for match in _STATED.finditer(text):
        words = match[1].replace("*", "").split()
        for length in range(min(8, len(words)), 0, -1):
            tried = " ".join(words[:length]).rstrip(".,;)")
            known = _listed().get(tried.lower()) or _named(tried)
            if known:
                return known
    return None


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
