"""What data a model was trained on, so that two spellings of the same data are equal.

A label says it; where it says nothing (`Multiple`), the summary may (`trained on the X dataset`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from modelshelf.study.wording import NOISE, VAGUE

_YEAR = re.compile(r"(?:19|20)\d\d")
_PARENTHESIS = re.compile(r"\([^()]{0,200}\)")
_WORD = re.compile(r"[a-z0-9]+(?:[.+][a-z0-9]+)*")
_PARTS = re.compile(r",|;|&|\band\b|\+")
_TRAINED = re.compile(
    r"(?:train(?:e|i)?n?e?d|tuned|evaluated) (?:from scratch )?(?:on|using|with) (?:the |a |an )?",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\bdatasets?\b|\bcorpus\b|\bcorpora\b|[.;:()\[\]\n]|, |\bfor\b|\bwith\b|\bby\b|\busing\b|\bprovided\b"
)
_LONGEST_PHRASE = 120


class Datasets:
    """The data sets of one catalogue: a longer name of one that is known by a shorter is the same.

    Only where an edition makes it longer: `some-net-sn-2012-cls` is `some net`, `some-net-21k` not.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        self._known = frozenset(each for label in set(labels) for each in _of_label(label))

    def of(self, labels: Iterable[str], summary: str = "") -> tuple[str, ...]:
        """Normalised names, sorted, each once; from `summary` where no label names one."""
        found = {self._short(label, each) for label in labels for each in _of_label(label)}
        return tuple(sorted(found or set(_of_summary(summary[:2000]))))

    def _short(self, label: str, name: str) -> str:
        if not _YEAR.search(label):
            return name
        words = name.split()
        shorter = (" ".join(words[:count]) for count in range(1, len(words)))
        return next((each for each in shorter if each in self._known), name)


@lru_cache(maxsize=65536)
def normal(text: str) -> str:
    """One data set's name without spelling: `Some Net (SN-2012)`, `some-net 2012` → `some net`.

    A year is an edition of the same data, and what follows it says which part was used.
    """
    kept: list[str] = []
    for word in _WORD.findall(_PARENTHESIS.sub(" ", text.lower())):
        if _YEAR.fullmatch(word) and kept:
            break
        if word not in NOISE:
            kept.append(word)
    return " ".join(kept)


def _of_label(label: str) -> Iterator[str]:
    for part in _PARTS.split(_PARENTHESIS.sub(" ", label)):
        name = normal(part)
        if name and not VAGUE.issuperset(name.split()):
            yield name


def _of_summary(summary: str) -> Iterator[str]:
    for match in _TRAINED.finditer(summary):
        phrase = summary[match.end() : match.end() + _LONGEST_PHRASE]
        end = _ENDS.search(phrase)
        is_set = end is not None and end[0][:4] in ("data", "corp")
        phrase = phrase[: end.start()] if end else phrase
        if name := _proper(phrase, is_set):
            yield name
            return


def _proper(phrase: str, is_set: bool) -> str | None:
    """The name in `phrase`: its words, where it is called a data set; else those with a capital."""
    words = phrase.split()
    if not is_set:
        words = [word for word in words if any(c.isupper() for c in word)]
        if len(words) != len(phrase.split()):
            return None
    name = normal(" ".join(words[:6]))
    return name if name and VAGUE.isdisjoint(name.split()) else None
