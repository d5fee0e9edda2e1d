"""What the name of a model plainly says of it: its depth, width, size, precision, languages."""

from __future__ import annotations

import re
from itertools import pairwise

from modelshelf.package.record import Feature

_SIZES = frozenset("nano micro tiny mini small medium base large xlarge huge giant".split())  # noqa: SIM905
_CASES = {"cased": "cased", "uncased": "uncased"}
_PRECISIONS = {
    "fp16": "float16", "fp32": "float32", "bf16": "bfloat16", "int8": "int8",
    "float16": "float16", "float32": "float32", "half": "float16",
}  # fmt: skip
_LANGUAGES = frozenset(
    """ar bg bn ca cs da de el en es et fa fi fr gu he hi hr hu id it ja kk ko lt lv mr ms nl no pl
    pt ro ru sk sl sr sv sw ta te th tr uk ur vi zh""".split()  # noqa: SIM905 (a list to read)
)
_GROUPS = re.compile(r"(\d{1,4})x(\d{1,4})d")
_RESOLUTION = re.compile(r"([1-9]\d{1,3})(x\1)?")
_DEPTH = re.compile(r"([^\W\d_]{2,})([1-9]\d{1,2})[a-z]{0,2}")
_DIVIDED = re.compile(r"[_.\-/ ]+")
_SMALLEST_RESOLUTION = 128
_least_depth_inside = 18
"""Behind the first word smaller numbers are generations and multiples."""


def features(name: str) -> dict[str, Feature]:
    """The features that the name of a model tells: `some_net50_32x4d_bn` has a depth of 50, ..."""
    found: dict[str, Feature] = {}
    words = [word.lower() for word in _DIVIDED.split(name[:200]) if word]
    for number, word in enumerate(words):
        told = _of_word(word) or _of_number(word, first=number == 0, last=word is words[-1])
        for key, value in told.items():
            found.setdefault(key, value)
    return found | _of_pairs(words)


def _of_word(word: str) -> dict[str, Feature]:
    if groups := _GROUPS.fullmatch(word):
        return {"groups": int(groups[1]), "width": int(groups[2])}
    if word == "bn":
        return {"batch-norm": True}
    if word in _SIZES:
        return {"size": word}
    if word in _CASES:
        return {"case": _CASES[word]}
    if word in _PRECISIONS:
        return {"precision": _PRECISIONS[word]}
    return {}


def _of_number(word: str, *, first: bool, last: bool) -> dict[str, Feature]:
    depth = _DEPTH.fullmatch(word)
    if depth and (first or (len(depth[1]) > 3 and int(depth[2]) >= _least_depth_inside)):
        return {"depth": int(depth[2])}
    size = _RESOLUTION.fullmatch(word)
    if size and (size[2] or (last and not first and int(size[1]) >= _SMALLEST_RESOLUTION)):
        return {"resolution": int(size[1])}
    return {}


def _of_pairs(words: list[str]) -> dict[str, Feature]:
    """What two words beside each other say: languages, a width in tenths."""
    found: dict[str, Feature] = {}
    for first, second in pairwise(words):
        if first in _LANGUAGES and second in _LANGUAGES:
            found = {"source-language": first, "target-language": second}
        elif re.fullmatch(r"x\d", first) and re.fullmatch(r"\d{1,2}", second):
            found["width"] = float(f"{first[1:]}.{second}")
    return found


def languages(name: str) -> tuple[str, ...]:
    """The languages between which a model translates, by its name, in alphabetical order."""
    found = features(name)
    return tuple(sorted({str(found[key]) for key in found if key.endswith("-language")}))
