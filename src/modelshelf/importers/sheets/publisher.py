"""Sheets of kind Publisher: who publishes, and whether that is a person or an organization."""

from __future__ import annotations

import re
from collections.abc import Iterable

from modelshelf.importers.page import naming
from modelshelf.importers.page.labels import Sheet, one_line
from modelshelf.package.catalogue import HubPublisher
from modelshelf.package.record import Kind

most_text = 20_000
sure_by = 2
"""Points between the two kinds below which the reading is unsure."""

_ROLES = """engineer student researcher scientist developer architect professor competitor enthusiast
    contributor participant freelancer author""".split()  # noqa: SIM905 (a list to read)
_BODIES = """company corporation organization organisation foundation institute society community
    laboratory laboratories group team teams members museum university framework platform ecosystem
    customers businesses users developers scientists researchers""".split()  # noqa: SIM905
_PERSON = (
    (r"linkedin\.com/in/", 2),
    (r"(?:avatars\d*\.githubusercontent\.com/u/|github\.com/[\w-]{1,40}\.png)", 2),
    (r"\btwitter\.com/|\bx\.com/", 1),
    (r"\bpersonal (?:web ?site|page|blog)\b", 2),
    (r"\b(?:i am|i'm|my|myself)\b", 2),
    (rf"\b(?:{'|'.join(_ROLES)})\b", 1),
)
_OWN_SITE = (
    r"^#{1,4} \[[^\]\n]{1,200}\]\(https?://(?!(?:www\.)?(?:github|gitlab|linkedin|twitter)\.com/)"
)
_ORGANIZATION = (
    (r"linkedin\.com/company/", 3),
    (r"\b(?:we|our|us)\b", 2),
    (rf"\b(?:{'|'.join(_BODIES)})\b", 1),
    (_OWN_SITE, 1),
)
"""What speaks for either kind, and how much."""
_NAMED_AFTER = re.compile(
    r"\b(?:foundation|lab|labs|society|museum|group|team|alliance|inc|ltd|llc|gmbh|corp|corporation|"
    r"university|institute|academy|association|benchmark|project|studio|company|network|ai|kit)\b",
    re.IGNORECASE,
)
_PERSONAL_NAME = re.compile(r"(?:[A-Z]\w{0,30}[.']?[ -]){1,3}[A-Z][\w'-]{1,30}\.?")
_HANDLE = re.compile(r"\s*\(@[^()]{1,60}\)")


def publisher(sheet: Sheet) -> HubPublisher:
    """Who the sheet is about."""
    display = _display(sheet)
    points = _points(display, sheet.text[:most_text])
    return HubPublisher(
        name=naming.publisher(sheet.handle),
        handle=sheet.handle,
        display=display,
        kind="person" if points > 0 else "organization",
        unsure=abs(points) < sure_by,
        text=sheet.text,
    )


def unnamed(handle: str, addresses: Iterable[str] = ()) -> HubPublisher:
    """A publisher whom no sheet is about: little is known but the handle.

    Who keeps the files of models (`addresses`) in an account of that name at a host of code is
    more often a person.
    """
    own = re.compile(
        rf"https?://(?:www\.)?(?:github|gitlab)\.com/{re.escape(handle)}/", re.IGNORECASE
    )
    person = any(own.match(each) for each in addresses)
    kind: Kind = "person" if person else "organization"
    return HubPublisher(naming.publisher(handle), handle, handle, kind, unsure=True)


def _display(sheet: Sheet) -> str:
    line = _HANDLE.sub("", one_line(sheet.summary)[0]).strip()
    return line.removesuffix(".") or sheet.handle


def _points(display: str, text: str) -> int:
    """How much speaks for a person, less what speaks for an organization."""
    lower = text.lower()
    person = sum(weight for pattern, weight in _PERSON if re.search(pattern, lower, re.MULTILINE))
    other = sum(
        weight for pattern, weight in _ORGANIZATION if re.search(pattern, lower, re.MULTILINE)
    )
    if _NAMED_AFTER.search(display):
        other += 3
    elif _PERSONAL_NAME.fullmatch(display):
        person += 1
    return person - other
