"""The hub's lists of words (`tags/*.yaml`): how an id of a label is shown to people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from modelshelf.importers.snapshot import Text

most_words = 20_000

_ID = re.compile(r"[ \t]{0,12}-[ \t]{1,8}id:[ \t]{1,8}(.{1,200})")
_NAME = re.compile(r"[ \t]{0,12}display_name:[ \t]{1,8}(.{1,300})")

Tags = Mapping[str, Mapping[str, str]]
"""Key of a label (`dataset`) → id → the name to show."""


def tags(files: Iterable[Text]) -> Tags:
    """The lists among `files`: each is named for its label, `network_architecture.yaml`."""
    found: dict[str, dict[str, str]] = {}
    for file in files:
        key = file.path.rpartition("/")[2].rpartition(".")[0].replace("_", "-")
        words = _words(file.text)
        if words:
            found[key] = words
    return found


def _words(text: str) -> dict[str, str]:
    words: dict[str, str] = {}
    current = None
    for line in text.split("\n"):
        if match := _ID.fullmatch(line.rstrip()):
            current = _plain(match[1])
        elif current is not None and (match := _NAME.fullmatch(line.rstrip())):
            if len(words) < most_words:
                words[current] = _plain(match[1])
            current = None
    return words


def _plain(value: str) -> str:
    return value.strip().strip("\"'")
