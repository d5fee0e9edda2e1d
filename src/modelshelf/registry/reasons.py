"""Reasons that people give for what others will wonder about: plain text, shown to everyone."""

from __future__ import annotations

import re

from modelshelf.errors import Invalid

longest_reason_characters = 1000
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal or turns the direction of writing."""


def stated(text: str) -> str:
    """The reason without white space around it; raises Invalid where there is none to show."""
    if not text.strip() or len(text) > longest_reason_characters:
        raise Invalid(
            "A reason is needed: those who depend on it read it",
            expected=f"1 to {longest_reason_characters} characters",
            got=len(text),
        )
    if _STEERING.search(text):
        raise Invalid("A reason is plain text, without control characters", got=text[:80])
    return text.strip()
