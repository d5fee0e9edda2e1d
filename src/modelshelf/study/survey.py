"""Catalogues that are studied together: what was measured, their families, and whom to ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Self

from modelshelf.package.catalogue import Catalogue
from modelshelf.store.tables import Tables
from modelshelf.study import paper
from modelshelf.study.database import Key, Study
from modelshelf.study.families import Family, Model, families
from modelshelf.study.models import of_catalogue
from modelshelf.study.schema import FamilyRow, KeyFamilyRow
from modelshelf.study.similar import Counted, Shared, similar


class Measured(NamedTuple):
    """One catalogue and its size, under the label by which tables show it."""

    label: str
    hub: str
    packages: int
    versions: int

    @property
    def name(self) -> str:
        """The hub's own name, where the paper studied it."""
        return str(paper.figures("hubs").get(self.hub, {}).get("name", self.hub))

    @property
    def known(self) -> bool:
        """Whether the paper has figures of this hub."""
        return self.hub in paper.figures("hubs")

    @property
    def same(self) -> bool:
        """Whether this is the snapshot that the paper measured, by the number of what is in it."""
        told = paper.figures("hubs").get(self.hub)
        return told is not None and (self.packages, self.versions) == (
            told["packages"],
            told["versions"],
        )

    @property
    def other(self) -> str:
        """Why figures differ where it is another snapshot."""
        told = paper.figures("hubs")[self.hub]
        return (
            f"another snapshot than the paper's of {told['taken']}: "
            f"{self.packages:,} packages against {told['packages']:,}"
        )


class Group(NamedTuple):
    """A family within one catalogue: its normalised key, and how many models it has there.

    `varying` counts for each feature how many values its members have; those with one are left out.
    """

    catalogue: str
    family: str
    task: str | None
    algorithm: str | None
    dataset: str | None
    language: str | None
    models: int
    varying: Mapping[str, int]


class Survey:
    """A study of some catalogues, to be closed (use `with`); by one thread.

    `offers` are the names of the commands that Modelshelf has, for its own row of Table 6.
    """

    def __init__(
        self, catalogues: Sequence[Catalogue | Tables], *, offers: Iterable[str] = ()
    ) -> None:
        self.offers = frozenset(offers)
        self._described = [each for each in catalogues if isinstance(each, Catalogue)]
        self.study = Study.of(catalogues)
        told = {str(row[0]): row[1:] for row in self.ask("SELECT * FROM catalogues")}
        self.measured = tuple(
            Measured(label, str(hub), _count(packages), _count(versions))
            for label in self.study.catalogues
            for hub, packages, versions, *_ in (told[label],)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.study.close()

    def ask(self, sql: str, **parameters: object) -> list[tuple[object, ...]]:
        """The rows that answer a statement; see `Study.query`."""
        return self.study.query(sql, **parameters).rows

    def counted(self, sql: str, **parameters: object) -> dict[tuple[str, ...], int]:
        """The same where the last column is a count: the other columns → it."""
        return {
            tuple("" if each is None else str(each) for each in row[:-1]): _count(row[-1])
            for row in self.ask(sql, **parameters)
        }

    @cached_property
    def models(self) -> dict[str, tuple[Model, ...]]:
        """The models of each catalogue that is in memory."""
        return {each.specification: tuple(of_catalogue(each)) for each in self._described}

    @cached_property
    def families(self) -> dict[str, tuple[Family, ...]]:
        """The families of each catalogue that is in memory; singletons are families too."""
        return {label: families(models) for label, models in self.models.items()}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The families of every catalogue, whether in memory or stored; `models` knows them then."""
        found = [_group(label, each) for label, many in self.families.items() for each in many]
        return (*found, *self._stored.groups)

    @cached_property
    def shared(self) -> tuple[Shared, ...]:
        """What several catalogues have, as families that are the same."""
        known = self._stored
        counted = {
            label: Counted(self.families[label], self.models[label]) for label in self.families
        }
        for label in self.labels:
            here = {group.family for group in known.groups if group.catalogue == label}
            if here:
                counted[label] = Counted([known.families[name] for name in here], known.models)
        return similar(counted)

    @property
    def labels(self) -> tuple[str, ...]:
        """The catalogues in the order given."""
        return tuple(each.label for each in self.measured)

    @cached_property
    def _stored(self) -> _Stored:
        """The families of the catalogues that are not in memory: by their labels only."""
        labels = set(self.labels) - set(self.families)
        keyed = _keyed(self.study) if labels else []
        self.study.assign([*(each.row for each in keyed), *_rows(self.families)])
        if not labels:
            return _Stored((), {}, ())
        known = {each.family.id: each.family for each in keyed}
        varying = self._varying()
        groups = tuple(
            Group(
                label, each.id, each.task, each.algorithm, each.dataset, each.language, models,
                varying.get((label, each.id), {}),
            )
            for (label, name), models in self.counted(_GROUPS).items()
            for each in (known[name],)
            if label in labels
        )  # fmt: skip
        return _Stored(groups, known, tuple(each.model for each in keyed))

    def _varying(self) -> dict[tuple[str, str], dict[str, int]]:
        found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for (label, family, feature), values in self.counted(_VARYING).items():
            found[label, family][feature] = values
        return found


class _Stored(NamedTuple):
    groups: tuple[Group, ...]
    families: Mapping[str, Family]
    models: tuple[Model, ...]


_GROUPS = """
SELECT catalogue, family, count(*) FROM models WHERE latest AND family IS NOT NULL
GROUP BY ALL ORDER BY ALL
"""
_VARYING = """
SELECT catalogue, family, told.key AS feature, count(DISTINCT told.value) AS n
FROM models, json_each(features) AS told WHERE latest AND family IS NOT NULL
GROUP BY ALL HAVING n > 1 ORDER BY ALL
"""


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _rows(found: Mapping[str, Sequence[Family]]) -> Iterator[FamilyRow]:
    for label, many in found.items():
        for family in many:
            for member in family.members:
                yield FamilyRow(label, member.package, member.variant, family.id)


class _Keyed(NamedTuple):
    model: Model
    family: Family
    row: KeyFamilyRow


def _keyed(study: Study) -> list[_Keyed]:
    """What models have for labels, each once as if it were a model, with the family that it is."""
    keys = {str(number): key for number, key in enumerate(study.keys())}
    models = {number: _of_key(number, key) for number, key in keys.items()}
    return [
        _Keyed(
            models[member.package], family, KeyFamilyRow(*keys[member.package], family=family.id)
        )
        for family in families(models.values())
        for member in family.members
    ]


def _of_key(number: str, key: Key) -> Model:
    return Model(
        package=number,
        variant="",
        name=key.algorithm or "",
        task=key.task,
        architectures=(key.algorithm,) if key.algorithm else (),
        datasets=key.datasets,
        languages=tuple(part.strip() for part in (key.language or "").split(",") if part.strip()),
        declared=key.declared_family,
    )


def _group(label: str, family: Family) -> Group:
    values: dict[str, set[object]] = defaultdict(set)
    for member in family.members:
        for feature, value in member.features.items():
            values[feature].add(value)
    varying = {name: len(each) for name, each in sorted(values.items()) if len(each) > 1}
    return Group(
        label, family.id, family.task, family.algorithm, family.dataset, family.language,
        len(family.members), varying,
    )  # fmt: skip
