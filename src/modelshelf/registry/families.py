"""Families as the registry keeps them: lists, one with all its members, those of a package.

They are derived (`grouping` makes them): what is here reads the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, tuple_

from modelshelf.errors import NotFound
from modelshelf.package.record import Feature, Metric
from modelshelf.registry import jobs, tables

JOB = "families"
DELAY_SECONDS = 3.0
"""Whatever else is published meanwhile is in the same run."""
MOST_LISTED = 100
PARTS = {"dataset": " + ", "language": ", "}
"""What stands between several values of a part of the key."""


class FamilyLine(msgspec.Struct, frozen=True):
    """A family in a list: the parts of its key, its size, and the newest generation after it."""

    id: str
    title: str
    task: str | None
    algorithm: str | None
    dataset: str | None
    language: str | None
    declared: bool
    models: int
    packages: int
    newer: str | None = None


class FamilyMember(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model of a family, with what tells it from the others and what is known of it.

    `hub` is where it was imported from. `size` is that of its first artifact, in bytes; `macs` are
    multiply-accumulates of one call. One that is only `described` has no files here.
    """

    package: str
    version: str
    variant: str
    features: dict[str, Feature] = {}
    why: str = ""
    hub: str | None = None
    described: bool = False
    alone: bool = True
    """Whether it is the only model of its package."""
    formats: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    size: int | None = None
    parameters: int | None = None
    macs: int | None = None

    @property
    def side(self) -> str:
        """What it is called where models are compared."""
        return self.package if self.alone else f"{self.package}:{self.variant}"


class Generation(msgspec.Struct, frozen=True):
    """A family in a line of generations; `best` is its best value of the measure that they share."""

    number: float
    family: str
    title: str
    models: int
    best: Metric | None = None


class Similar(msgspec.Struct, frozen=True):
    """How many models a catalogue has of one task, algorithm and data set, and in which family.

    `hub` is empty for what was published here.
    """

    hub: str
    family: str
    title: str
    models: int


class FamilyBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is worked out of a family beside its key and its members."""

    datasets: tuple[str, ...] = ()
    hubs: dict[str, int] = {}
    generations: tuple[Generation, ...] = ()
    similar: tuple[Similar, ...] = ()


class Counted(msgspec.Struct, frozen=True):
    """A value, None where nothing is said, and how many models have it."""

    value: Feature | None
    models: int


class Varying(msgspec.Struct, frozen=True):
    """A feature on which members differ: its values, and how many have each."""

    feature: str
    values: tuple[Counted, ...]


class Family(FamilyLine, frozen=True):
    """A family with its members (by package and variant) and all that is known of it.

    `datasets` are its data as the pages of the members write it, `hubs` count its models by where
    they come from. `similar` is set where several catalogues have the same.
    """

    datasets: tuple[str, ...] = ()
    hubs: dict[str, int] = {}
    generations: tuple[Generation, ...] = ()
    similar: tuple[Similar, ...] = ()
    varying: tuple[Varying, ...] = ()
    members: tuple[FamilyMember, ...] = ()


class InFamily(msgspec.Struct, frozen=True, omit_defaults=True):
    """A family that a package has models in: `own` of its `models`; `newer` is a later generation."""

    id: str
    title: str
    models: int
    own: int
    newer: str | None = None
    newer_title: str | None = None


class Listed(msgspec.Struct, frozen=True):
    """One page of families, the largest first, and how many there are in all."""

    total: int
    families: tuple[FamilyLine, ...]


_MEMBER = msgspec.json.Decoder(FamilyMember)
_BODY = msgspec.json.Decoder(FamilyBody)


def ask_for(connection: Connection) -> None:
    """Have families made anew soon: once, however often it is asked until then."""
    jobs.enqueue_once(connection, JOB, {}, delay_seconds=DELAY_SECONDS)


def listed(
    connection: Connection,
    wanted: Mapping[str, str],
    *,
    least: int = 1,
    offset: int = 0,
    limit: int = 20,
) -> Listed:
    """Families of at least `least` models that match all of `wanted`.

    Its keys are `task`, `algorithm`, `dataset`, `language` and `package`; a family of several data
    sets or languages matches each of them.
    """
    of = tables.families.c
    conditions = [of.models >= least, *(_matches(*each) for each in wanted.items())]
    total = connection.execute(select(func.count(of.id)).where(*conditions)).scalar_one()
    query = (
        select(tables.families)
        .where(*conditions)
        .order_by(of.models.desc(), of.id)
        .offset(offset)
        .limit(min(limit, MOST_LISTED))
    )
    return Listed(total, tuple(_line(row) for row in connection.execute(query)))


def find(connection: Connection, identifier: str) -> Family:
    """A family with its members; raises NotFound."""
    row = connection.execute(select(tables.families).filter_by(id=identifier)).first()
    if row is None:
        raise NotFound(
            "There is no such family", where=identifier[:130], hint="all of them: /families"
        )
    by = tables.family_members.c
    bodies = select(by.body).where(by.family == identifier)
    query = bodies.order_by(by.publisher, by.name, by.number)
    members = tuple(_MEMBER.decode(body) for body in connection.execute(query).scalars())
    body = _BODY.decode(row.body)
    return Family(
        **msgspec.structs.asdict(_line(row)),
        **msgspec.structs.asdict(body),
        varying=varying(members),
        members=members,
    )


def of_package(connection: Connection, publisher: str, name: str) -> tuple[InFamily, ...]:
    """The families of a package's models, those with most of its own first."""
    of, by = tables.families.c, tables.family_members.c
    later = tables.families.alias()
    own = func.count(by.number).label("own")
    query = (
        select(of.id, of.title, of.models, own, later.c.id.label("newer"), later.c.title)
        .join_from(tables.family_members, tables.families, by.family == of.id)
        .outerjoin(later, later.c.id == of.newer)
        .where(by.publisher == publisher, by.name == name)
        .group_by(of.id, of.title, of.models, later.c.id, later.c.title)
        .order_by(own.desc(), of.id)
    )
    return tuple(InFamily(*row) for row in connection.execute(query))


def of_packages(connection: Connection, names: Iterable[str]) -> tuple[FamilyLine, ...]:
    """The families that packages (by their whole names) share with others, the largest first."""
    pairs = [name.split("/") for name in names]
    of, by = tables.families.c, tables.family_members.c
    inside = exists().where(by.family == of.id, _one_of(pairs))
    query = select(tables.families).where(of.models > 1, inside)
    rows = connection.execute(query.order_by(of.models.desc(), of.id)) if pairs else ()
    return tuple(_line(row) for row in rows)


def packages_in(connection: Connection, identifiers: Iterable[str]) -> tuple[str, ...]:
    """The whole names of the packages that have models in any of these families."""
    by = tables.family_members.c
    query = select(by.publisher, by.name).distinct().where(by.family.in_([*identifiers]))
    return tuple(f"{row.publisher}/{row.name}" for row in connection.execute(query))


def tasks(connection: Connection, least: int) -> tuple[tuple[str, int], ...]:
    """Tasks with the number of their families of at least `least` models, most first."""
    of = tables.families.c
    number = func.count(of.id).label("number")
    query = select(of.task, number).where(of.models >= least, of.task.is_not(None))
    rows = connection.execute(query.group_by(of.task).order_by(number.desc(), of.task))
    return tuple((row.task, row.number) for row in rows)


def varying(members: Sequence[FamilyMember]) -> tuple[Varying, ...]:
    """What members differ in: the features that most of them tell first, values in their order."""
    told = Counter(name for member in members for name in member.features)
    found = []
    for name, number in sorted(told.items(), key=lambda pair: (-pair[1], pair[0])):
        # a mapping would take 1, 1.0 and True for one value
        counts = Counter(
            (type(v) is bool, v) for m in members if (v := m.features.get(name)) is not None
        )
        values = [Counted(value, count) for (_, value), count in counts.items()]
        values.sort(key=lambda each: order(each.value))
        if number < len(members):
            values.append(Counted(None, len(members) - number))
        if len(values) > 1:
            found.append(Varying(name, tuple(values)))
    return tuple(found)


def order(value: Feature | None) -> tuple[int, float, str]:
    """By which values of a feature are sorted: numbers by size, then words, then nothing."""
    if value is None:
        return 2, 0.0, ""
    if isinstance(value, bool | int | float):
        return 0, float(value), ""
    return 1, 0.0, value


def _matches(part: str, value: str) -> ColumnElement[bool]:
    of, by = tables.families.c, tables.family_members.c
    if part == "package":
        return exists().where(by.family == of.id, _one_of([value.split("/")]))
    column = {
        "task": of.task,
        "algorithm": of.algorithm,
        "dataset": of.dataset,
        "language": of.language,
    }[part]
    between = PARTS.get(part)
    if between is None:
        return column == value
    around = between + column + between
    return around.contains(between + value + between, autoescape=True)


def _one_of(pairs: Iterable[Sequence[str]]) -> ColumnElement[bool]:
    by = tables.family_members.c
    return tuple_(by.publisher, by.name).in_([tuple(pair) for pair in pairs if len(pair) == 2])


def _line(row: Row[tuple[object, ...]]) -> FamilyLine:
    return FamilyLine(
        row.id, row.title, row.task, row.algorithm, row.dataset, row.language, bool(row.declared),
        row.models, row.packages, row.newer,
    )  # fmt: skip
