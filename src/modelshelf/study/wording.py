"""The words of a model's name: which are its name, and which tell its size, precision or part.

    parse("Convnet V2 50 (large)")  # words ("convnet", "v2"), features {"number": 50, "size": "large"}

The rules are those by which names of architectures and models are built in the whole field: a
word, a generation, then sizes. They and the lists of `words.json` know no name of any model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from modelshelf.package.record import Feature

_TABLE = json.loads(files(__package__).joinpath("words.json").read_text(encoding="utf-8"))
_LISTS = {name: frozenset(row["words"].split()) for name, row in _TABLE.items()}
ROLES = _LISTS["roles"]
CLASSES = _LISTS["classes"]
SILENT = _LISTS["silent"]
VAGUE = _LISTS["vague"]
NOISE = _LISTS["noise"]
_FILLER = _LISTS["filler"]
_NAMED = {
    "sizes": "size",
    "languages": "language",
    "precisions": "precision",
    "training": "training",
}
_FEATURES = {word: feature for name, feature in _NAMED.items() for word in _LISTS[name]}

_SPLIT = re.compile(r"[^a-z0-9.]+|(?<!\d)\.|\.(?!\d)")
_DECIMAL = re.compile(r"(?<=[a-uw-z])(\d)_(\d)(?!\d)")
GENERATION = re.compile(r"v\d{1,2}(?:\.\d{1,2})?")
"""A whole word that counts an algorithm's generations: `v2`, `v1.5`."""
_GLUED_GENERATION = re.compile(r"([a-z][a-z0-9]*[a-z])(v\d{1,2})([nsmlx]?)")
_GLUED_SIZE = re.compile(r"([a-z][a-z0-9]*[a-z])(\d{2,5}|\d\.\d)([a-z]{0,3})")
_GLUED_BY = re.compile(r"([a-z][a-z0-9]*[a-z])(\d{1,4}x\d{1,4})")
_LETTERED = re.compile(r"([a-z])(\d{1,5}(?:\.\d{1,3})?)")
_BY = re.compile(r"\d{1,4}x\d{1,4}[a-z]{0,2}")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_SUFFIXED = re.compile(r"\d{2,5}[a-z]{1,3}")
_UNIT = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(k|m|b|dim|d|px|steps|layers|hz|khz)|dim(\d{1,5})")
_LONGEST = 400


class Parsed(NamedTuple):
    """The words that name it, in their order, and the features that the others tell."""

    words: tuple[str, ...]
    features: dict[str, Feature]

    @property
    def name(self) -> str:
        """The words in one line."""
        return " ".join(self.words)


def tokens(text: str) -> list[str]:
    """The lower-case words and numbers of `text`; a point stays between digits only."""
    return [token for token in _SPLIT.split(_DECIMAL.sub(r"\1.\2", text.lower())) if token]


@lru_cache(maxsize=65536)
def parse(text: str) -> Parsed:
    """What of `text`, the name of an architecture or of a model, is name and what is feature.

    A generation (`v2`) is part of the name. The first word always is.
    """
    words: list[str] = []
    features: dict[str, Feature] = {}
    for token in _joined(_apart(tokens(text[:_LONGEST]))):
        feature = _feature(token, words)
        if feature is not None:
            features.setdefault(*feature)
        elif not words or token not in _FILLER:
            words.append(token)
    return Parsed(tuple(words), features)


def plain_numbers(text: str) -> list[str]:
    """The numbers in `text` that stand for themselves, as written: `net_050_224` → 050, 224."""
    found = _joined(_apart(tokens(text[:_LONGEST])))
    return [token for token in found if _NUMBER.fullmatch(token)]


def _apart(found: list[str]) -> Iterator[str]:
    """Words with what is glued to them taken off: `convnet50` → `convnet`, `50`."""
    for token in found:
        if _UNIT.fullmatch(token):
            yield token
        elif match := _GLUED_BY.fullmatch(token) or _GLUED_GENERATION.fullmatch(token):
            yield from (part for part in match.groups() if part)
        elif match := _GLUED_SIZE.fullmatch(token):
            yield from (match[1], match[2] + match[3])
        else:
            yield token


def _joined(found: Iterator[str]) -> Iterator[str]:
    """Single letters with the number behind them: `l`, `12` → `l12`."""
    letter = ""
    for token in found:
        if letter and _NUMBER.fullmatch(token):
            yield letter + token
            letter = ""
            continue
        if letter:
            yield letter
        letter = token if len(token) == 1 and token.isalpha() else ""
        if not letter:
            yield token
    if letter:
        yield letter


def _feature(token: str, before: list[str]) -> tuple[str, Feature] | None:
    """What `token` says beside the name made of the words `before`; None where it is name itself."""
    if not before or GENERATION.fullmatch(token):
        return None
    if (feature := _FEATURES.get(token)) is not None:
        # a class of architectures and a size are a name together
        named = feature == "size" and len(before) == 1 and before[0] in CLASSES
        return None if named else (feature, token)
    return _measure(token, before)


def _measure(token: str, before: list[str]) -> tuple[str, Feature] | None:
    if _BY.fullmatch(token):
        return "shape", token
    if match := _LETTERED.fullmatch(token):
        return match[1], _number(match[2])
    if match := _UNIT.fullmatch(token):
        return match[2] or "dim", _number(match[1] or match[3])
    if _SUFFIXED.fullmatch(token):
        return "number", token
    if not _NUMBER.fullmatch(token) or (len(token) == 1 and len(before) == 1):
        return None  # a single digit behind a single word is a generation without its v
    return ("width" if "." in token else "number"), _number(token)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
