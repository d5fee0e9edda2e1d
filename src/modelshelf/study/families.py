"""Families: models that share task, algorithm, data and language (the paper's section 5.2.2.1).

    for family in families(models):
        family.id, family.algorithm, [member.variant for member in family.members]

What a publisher declares wins. Else the four parts of the key are normalised by rules that know no
name (`algorithms`, `datasets`, `wording`); models of which no algorithm is known are alone, and so
are parts of a whole (an encoder and its decoder), which work together instead of for each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from modelshelf.package.record import Feature
from modelshelf.study.algorithms import Algorithm, Algorithms, Subject
from modelshelf.study.datasets import Datasets
from modelshelf.study.variation import Named, features
from modelshelf.study.wording import ROLES, parse, tokens

_LONGEST_ID = 96
_WORDED = frozenset(("audio", "language", "speech", "text", "translation"))
"""A task with one of these words is of a language."""


class Model(NamedTuple):
    """One model of a catalogue, as its page describes it.

    `name` is the hub's name without publisher and version (for a package of several models: the
    variant's), `architectures`, `datasets` and `languages` are labels as on the page.
    """

    package: str
    variant: str
    name: str
    task: str | None = None
    architectures: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    summary: str = ""
    text: str = ""
    declared: str | None = None
    features: Mapping[str, Feature] = {}
    handle: str = ""
    """The hub's own name of the package."""


class Member(NamedTuple):
    """A model of a family with what tells it from the others, and why it is in it."""

    package: str
    variant: str
    features: Mapping[str, Feature]
    why: str
    handle: str = ""


class Family(NamedTuple):
    """Members in the order of their packages and variants; the key's parts are normalised."""

    id: str
    task: str | None
    algorithm: str | None
    dataset: str | None
    language: str | None
    members: tuple[Member, ...]
    declared: bool = False


class Key(NamedTuple):
    """What members share. `part` is set where a model is one part of a whole, or alone."""

    task: str
    algorithm: str
    dataset: str
    language: str
    part: str = ""


class _Placed(NamedTuple):
    model: Model
    key: Key
    algorithm: Algorithm | None
    why: str


def families(models: Iterable[Model]) -> tuple[Family, ...]:
    """All families, each model in exactly one, the largest first; singletons are included."""
    everything = tuple(models)
    subjects = [_subject(model) for model in everything]
    known = Algorithms(subjects)
    datasets = Datasets(label for model in everything for label in model.datasets)
    placed = [
        _place(model, known.of(subject), datasets.of(model.datasets, model.summary))
        for model, subject in zip(everything, subjects, strict=True)
    ]
    groups: dict[Key, list[_Placed]] = defaultdict(list)
    for each in _same_names(placed):
        groups[each.key].append(each)
    names = _identifiers(groups)
    found = [_family(names[key], key, members) for key, members in groups.items()]
    return tuple(sorted(found, key=lambda each: (-len(each.members), each.id)))


def _subject(model: Model) -> Subject:
    spoken = " ".join((model.task or "", *model.datasets))
    return Subject(
        model.architectures,
        model.name,
        model.summary,
        model.text,
        model.package.partition("/")[0],
        frozenset(tokens(spoken)),
    )


def _place(model: Model, algorithm: Algorithm | None, trained: tuple[str, ...]) -> _Placed:
    if model.declared:
        # within the publisher's own packages: nobody joins another's family by writing its name
        publisher = model.package.partition("/")[0]
        key = Key("", "", "", "", f"declared {publisher} {model.declared}")
        return _Placed(model, key, algorithm, f"its publisher puts it into {model.declared}")
    key = Key(
        model.task or "",
        algorithm.name if algorithm else "",
        " + ".join(trained),
        _language(model),
        _part(model, algorithm),
    )
    return _Placed(
        model, key, algorithm, algorithm.why if algorithm else "nothing tells how it works"
    )


def _language(model: Model) -> str:
    """Of what is said or written; a label on a model of pictures says nothing about it."""
    if model.task and not _WORDED.intersection(tokens(model.task)):
        return ""
    return ", ".join(sorted({each.lower() for each in model.languages}))


def _part(model: Model, algorithm: Algorithm | None) -> str:
    if algorithm is None:
        return f"{model.package} {model.variant}"
    last = model.name.rpartition("/")[2].lower()
    return last if last in ROLES else ""


def _same_names(placed: Sequence[_Placed]) -> list[_Placed]:
    """Models that a publisher calls the same but for sizes are one algorithm, whatever its parts.

    That is so where their names do not speak of the architectures that their labels tell.
    """
    called: dict[tuple[str, Key, tuple[str, ...]], set[str]] = defaultdict(set)
    for each in placed:
        called[_name_key(each)].add(each.key.algorithm)
    found = []
    for each in placed:
        words = parse(each.model.name).words
        labels = called[_name_key(each)]
        if len(labels) > 1 and all(set(words).isdisjoint(label.split()) for label in labels):
            key = each.key._replace(algorithm=" ".join(words))
            why = f"its publisher calls others {' '.join(words)} too"
            each = each._replace(key=key, why=why)  # noqa: PLW2901 (one step of a pipeline)
        found.append(each)
    return found


def _name_key(placed: _Placed) -> tuple[str, Key, tuple[str, ...]]:
    publisher = placed.model.package.partition("/")[0]
    return publisher, placed.key._replace(algorithm=""), parse(placed.model.name).words


def _family(identifier: str, key: Key, placed: Sequence[_Placed]) -> Family:
    ordered = sorted(placed, key=lambda each: (each.model.package, each.model.variant))
    named = [
        Named(
            each.model.name, each.algorithm.features if each.algorithm else {}, each.model.features
        )
        for each in ordered
    ]
    members = tuple(
        Member(each.model.package, each.model.variant, found, each.why, each.model.handle)
        for each, found in zip(ordered, features(named, key.task), strict=True)
    )
    return Family(
        identifier,
        key.task or None,
        key.algorithm or None,
        key.dataset or None,
        key.language or None,
        members,
        declared=key.part.startswith("declared "),
    )


def _identifiers(keys: Iterable[Key]) -> dict[Key, str]:
    """Words of each key with hyphens; a digest keeps those apart that are long or alike."""
    words = {key: "-".join(tokens(" ".join(key))) or "unknown" for key in keys}
    often = Counter(words.values())
    return {
        key: text if often[text] == 1 and len(text) <= _LONGEST_ID else _cut(text, key)
        for key, text in words.items()
    }


def _cut(text: str, key: Key) -> str:
    digest = sha256("\0".join(key).encode("utf-8", "replace")).hexdigest()[:8]
    return f"{text[: _LONGEST_ID - 9].rstrip('-')}-{digest}"
