"""How well a label of a page (`EffDigit-B0`, `Large` with `0.75`) names a model (`efficient_digit_b0`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

ENOUGH = 0.5
"""Below, a label is taken to name another model."""
TOKEN_COUNT = 24

_TOKEN = re.compile(r"\d+|[a-z]+")
_VERSION = re.compile(r"v(?=\d)")
_DECIMAL = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,3})(?![\d.])")


def resemblance(label: str, beside: Sequence[str], name: str) -> float:
    """From 0 (another model) to about 1.5 (this one, and what stands beside the label says so too).

    What stands `beside` contradicts where it gives a word of the name another number (`data1k`
    against `data21k`): then nothing is left.
    """
    wanted = _tokens(name)
    if any(_contradicts(_tokens(each), wanted) for each in beside):
        return 0.0
    forms = [
        _tokens(label),
        _tokens(_DECIMAL.sub(_whole, label)),
        _tokens(_DECIMAL.sub(_percent, label)),
    ]
    best = max((_matched(form, wanted) for form in forms), default=0.0)
    if best < ENOUGH:
        return 0.0
    return best + 0.1 * sum(_supports(each, wanted) for each in beside[:4])


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(_VERSION.sub(" v ", text[:400].lower()))[:TOKEN_COUNT]


def _whole(found: re.Match[str]) -> str:
    """`1.0` → `1`."""
    return found[1] if not found[2].strip("0") else found[0]


def _percent(found: re.Match[str]) -> str:
    """`0.75` → `075`, `1.0` → `100`."""
    return f"{round(float(found[0]) * 100):03d}"


def _matched(label: list[str], name: list[str]) -> float:
    """The share of the label's tokens that the name has, and a little of the share of the name's.

    Nothing where the longest word, or a number, of the label is not in the name.
    """
    if not label or not name:
        return 0.0
    if "".join(label) == "".join(name):
        return 1.1
    left = list(name)
    count = 0
    longest = max(label, key=len)
    for token in label:
        found = next((each for each in left if each == token), None) or next(
            (each for each in left if _abbreviates(token, each)), None
        )
        if found is not None:
            left.remove(found)
            count += 1
        elif token is longest or token.isdigit():
            return 0.0
    return count / len(label) + 0.1 * count / len(name)


def _abbreviates(token: str, word: str) -> bool:
    """`sparnet` and `sparrownet`, `tiny` and `t`: same first and last letter, the others in order."""
    if token.isdigit() or word.isdigit() or token[0] != word[0]:
        return False
    if len(word) == 1:
        return len(token) > 1
    if not 3 <= len(token) <= 0.75 * len(word):
        return False
    letters = iter(word)
    return (token[-1] == word[-1] or word.startswith(token)) and all(
        each in letters for each in token
    )


def _contradicts(beside: list[str], name: list[str]) -> bool:
    for word, number in pairwise(beside):
        if len(word) > 2 and word.isalpha() and number.isdigit():
            numbers = [b for a, b in pairwise(name) if a == word and b.isdigit()]
            if numbers and number not in numbers:
                return True
    return False


def _supports(beside: str, name: list[str]) -> bool:
    """Whether the name has the words beside a label, their number, or a token with their initials."""
    number = _DECIMAL.sub(_percent, beside).strip()
    if number in name:
        return True
    words = _tokens(beside)
    initials = "".join(word[0] for word in words)
    named = len(words) > 1 and any(each.startswith(initials) for each in name)
    return bool(words) and (named or all(word in name for word in words))
