"""Which models' files a hub took away: a page that says so and lists them."""

from __future__ import annotations

import re

from modelshelf.importers.page.labels import handle, one_line

longest_paragraph_characters = 2000

_SAYS_SO = re.compile(r"\b(?:deleted|removed|no longer (?:possible|available))\b", re.IGNORECASE)
_ITEM = re.compile(
    r"[ \t]{0,8}[-*+][ \t]{1,8}(?:\[([^\[\]]{1,400})\]\(|`([^`]{1,400})`|(\S{1,400}))"
)


def gone(text: str) -> dict[str, str]:
    """Handles below a paragraph that says that files were deleted → the sentence that says it."""
    found: dict[str, str] = {}
    paragraph, ended = "", True
    for line in text.split("\n"):
        item = _ITEM.match(line)
        if not line.strip():
            ended = True
        elif item and _SAYS_SO.search(paragraph):
            found[handle(item[1] or item[2] or item[3])] = _sentence(paragraph)
            ended = True
        else:
            paragraph = (line if ended else f"{paragraph}\n{line}")[:longest_paragraph_characters]
            ended = False
    return found


def _sentence(paragraph: str) -> str:
    sentences = " ".join(paragraph.split()).split(". ")
    said = next((each for each in sentences if _SAYS_SO.search(each)), paragraph)
    return f"{one_line(said)[0].rstrip('.:')}."
