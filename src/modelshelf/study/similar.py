"""Families that several catalogues have: the same task, algorithm and data (the paper's Table 5).

Two hubs write the same algorithm differently: one counts its generations from the first (`V1`), the
other names the first by the bare word; one calls it by its authors' name, the other by another
name, and says so (`codenamed "Sparrow"`). Editions of data count as one, as in the paper.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from modelshelf.study.families import Family, Model
from modelshelf.study.wording import GENERATION, parse

_FIRST = "v1"
_ALSO = re.compile(
    r"(?:codenamed|code-named|also called|also known as|a\.k\.a\.|renamed(?: to)?|formerly(?: known as)?)"
    r" [\"'“”*`_]{0,3}([A-Za-z][A-Za-z0-9_.-]{1,40}(?: [Vv]\d{1,2})?)"
)
_LONGEST_SUMMARY = 2_000


class Shared(NamedTuple):
    """One key with the families that have it: catalogue → family."""

    task: str | None
    algorithm: str
    dataset: str | None
    language: str | None
    families: Mapping[str, Family]


class Counted(NamedTuple):
    """One catalogue: its families, and the models that they were made of."""

    families: Sequence[Family]
    models: Sequence[Model]


def similar(catalogues: Mapping[str, Counted]) -> tuple[Shared, ...]:
    """What at least two of `catalogues` have, by task, then algorithm."""
    names = _Names(catalogues)
    found: dict[tuple[str, ...], dict[str, Family]] = defaultdict(dict)
    for label, (families, _models) in catalogues.items():
        for family in families:
            if family.algorithm and not family.declared:
                key = (
                    family.task or "",
                    names.of(label, family.algorithm),
                    family.dataset or "",
                    family.language or "",
                )
                found[key].setdefault(label, family)
    shared = [
        Shared(key[0] or None, key[1], key[2] or None, key[3] or None, families)
        for key, families in found.items()
        if len(families) > 1
    ]
    return tuple(sorted(shared, key=lambda each: (each.task or "", each.algorithm)))


class _Names:
    """One name for each algorithm, whatever a catalogue calls it."""

    def __init__(self, catalogues: Mapping[str, Counted]) -> None:
        self._explicit = {
            label: {family.algorithm for family in families if family.algorithm}
            for label, (families, _) in catalogues.items()
        }
        self._also: dict[str, str] = {}
        for label, (families, models) in catalogues.items():
            self._learn(label, families, {(each.package, each.variant): each for each in models})

    def of(self, label: str, algorithm: str) -> str:
        """The name by which `algorithm` of this catalogue is compared."""
        counted = self._counted(label, algorithm)
        return self._also.get(counted, counted)

    def _counted(self, label: str, algorithm: str) -> str:
        """With its generation: the bare word is the first, unless the catalogue has that too."""
        last = algorithm.rpartition(" ")[2]
        first = f"{algorithm} {_FIRST}"
        if GENERATION.fullmatch(last) or first in self._explicit.get(label, ()):
            return algorithm
        return first

    def _learn(
        self, label: str, families: Iterable[Family], models: Mapping[tuple[str, str], Model]
    ) -> None:
        known = {
            self._counted(each, name) for each, names in self._explicit.items() for name in names
        }
        for family in families:
            own = self._counted(label, family.algorithm) if family.algorithm else None
            for member in family.members:
                model = models[member.package, member.variant]
                for name in _ALSO.findall(model.summary[:_LONGEST_SUMMARY]):
                    other = self._counted("", parse(name).name)
                    if own and other != own and other in known:
                        self._also.setdefault(own, other)
