"""By which algorithm a model works, so that sizes and spellings of one algorithm are equal.

The label of the architecture says it. Where that is missing, or so wide that it says little
(`Transformer`), the next of these does: the words of its own name that its summary uses as a name
(`The SPARROW model ...`); the algorithm that its text speaks of most among those that other models
are known by; what models of the same summary have in common in their names; what remains of its
name without sizes and languages.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from modelshelf.package.record import Feature
from modelshelf.study.wording import CLASSES, GENERATION, SILENT, parse, tokens

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")
_LONGEST_SUMMARY = 2_000
_LONGEST_GENERATION = 8
_LONGEST_TEXT = 20_000


class Subject(NamedTuple):
    """What is known of a model that may tell its algorithm.

    `labels` are as on the page, `name` is the hub's, without its publisher. `ignored` are words of
    the name that speak of data or task.
    """

    labels: tuple[str, ...]
    name: str
    summary: str = ""
    text: str = ""
    publisher: str = ""
    ignored: frozenset[str] = frozenset()


class Algorithm(NamedTuple):
    """A normalised name, what the labels tell of sizes, and how it was found."""

    name: str
    features: Mapping[str, Feature]
    why: str


class Algorithms:
    """The algorithms of one catalogue: what one page leaves open, others may tell."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self._known: Counter[str] = Counter()
        alike: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
        for subject in subjects:
            plain = _plain(subject)
            self._known.update(found.name for found in plain if len(found.name) > 2)
            if not plain and subject.summary:
                alike[_likeness(subject)].append(_bare(_words(subject)))
        self._common = {key: _common(names) for key, names in alike.items() if len(names) > 1}

    def of(self, subject: Subject) -> Algorithm | None:
        """The algorithm of a model; None where nothing tells one."""
        plain = next(iter(_plain(subject)), None)
        return plain or self._mentioned(subject) or self._shared(subject) or _remains(subject)

    def _mentioned(self, subject: Subject) -> Algorithm | None:
        """The known algorithm that a page with too wide a label speaks of most."""
        if SILENT.issuperset(label.lower() for label in subject.labels):
            return None
        words = Counter(tokens(subject.text[:_LONGEST_TEXT]))
        counts = {name: words[name] for name in self._known if words[name]}
        if not counts:
            return None
        best = max(counts, key=lambda name: (counts[name], self._known[name], name))
        return Algorithm(best, {}, f"its text speaks of {best} {counts[best]} times")

    def _shared(self, subject: Subject) -> Algorithm | None:
        """What the names of the publisher's models with the same summary have in common."""
        name = self._common.get(_likeness(subject))
        return Algorithm(name, {}, f"models with its summary are called {name}") if name else None


def _plain(subject: Subject) -> Sequence[Algorithm]:
    """What the page says by itself."""
    if labels := _telling(subject):
        return [_labelled(label) for label in labels]
    found = _called(subject)
    return [found] if found else []


def _telling(subject: Subject) -> list[str]:
    """The labels that say more than a class; of several, those that are in the model's name."""
    labels = [label for label in subject.labels if not CLASSES.issuperset(parse(label).words)]
    if len(labels) < 2:
        return labels
    words = set(parse(subject.name).words)
    inside = [label for label in labels if words.intersection(parse(label).words)]
    return inside or labels[:1]


def _labelled(label: str) -> Algorithm:
    found = parse(label)
    return Algorithm(found.name, found.features, f"its architecture is labelled {label}")


def _called(subject: Subject) -> Algorithm | None:
    """The words of the model's name that its summary uses as a name, the longest such."""
    words = _words(subject)
    bare = _bare(words)
    found: list[tuple[int, int, str, str]] = []
    for proper in _proper_names(subject.summary[:_LONGEST_SUMMARY]):
        wanted = parse(proper).words
        if CLASSES.issuperset(wanted) or not subject.ignored.isdisjoint(wanted):
            continue
        for place in range(len(words) - len(wanted) + 1):
            there = slice(place, place + len(wanted))
            if wanted in (tuple(words[there]), tuple(bare[there])):
                found.append((-len(wanted), place, " ".join(wanted), proper))
    if not found:
        return None
    _, _, name, proper = min(found)
    if generation := _generation(proper, subject.summary, words):
        name, proper = f"{name} {generation}", f"{proper} {generation.upper()}"
    return Algorithm(name, {}, f"its name and its summary call it {proper}")


def _generation(proper: str, summary: str, words: Sequence[str]) -> str | None:
    """`v2`, where the summary writes it behind the algorithm, and the name has it."""
    _, _, behind = summary[:_LONGEST_SUMMARY].partition(proper)
    first = next(iter(tokens(behind[:_LONGEST_GENERATION])), "")
    return first if GENERATION.fullmatch(first) and first in words else None


def _proper_names(summary: str) -> Iterator[str]:
    """Words with a capital that is not their first letter, as names of methods have."""
    for word in _WORD.findall(summary):
        for part in dict.fromkeys((word, *word.split("-"))):
            if len(part) > 2 and any(c.isupper() for c in part[1:]):
                yield part


def _remains(subject: Subject) -> Algorithm | None:
    words = _words(subject)
    return Algorithm(" ".join(words), {}, "its name without sizes and languages") if words else None


def _words(subject: Subject) -> list[str]:
    return [word for word in parse(subject.name).words if word not in subject.ignored]


def _bare(words: Iterable[str]) -> list[str]:
    """Without numbers at the end of words, but for generations (`v2`)."""
    return [
        word if GENERATION.fullmatch(word) else word.rstrip("0123456789") or word for word in words
    ]


def _likeness(subject: Subject) -> tuple[str, str]:
    return subject.publisher, " ".join(tokens(subject.summary[:_LONGEST_SUMMARY]))


def _common(names: Sequence[Sequence[str]]) -> str:
    """The words that all names have, in the order of the first."""
    shared = set(names[0]).intersection(*names[1:])
    return " ".join(dict.fromkeys(word for word in names[0] if word in shared))
