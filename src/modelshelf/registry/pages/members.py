"""The table of a family's members: its columns, in which order they stand, what the links sort by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from modelshelf.package.record import Feature, Metric
from modelshelf.registry.families import Family, FamilyMember, order
from modelshelf.registry.pages.rendering import count, hub_name, size

PER_PAGE = 50
NOTHING = "\u2013"
"""A cell of which nothing is said."""
_MOST_FEATURES = 7
_MOST_MEASURES = 3
_FEW = 4
_MOST_CHOSEN = 12
Amount = Callable[[FamilyMember], int | None]
Measure = tuple[str, str | None, str | None]
"""What makes values comparable: name, data set and split of a metric."""


class Column(NamedTuple):
    """One column: what it is called, its words above, its cells, by what it sorts."""

    key: str
    title: str
    cell: Callable[[FamilyMember], str]
    value: Callable[[FamilyMember], Feature | None]
    number: bool = False
    falling: bool = False
    """Whether the first click shows the largest first."""


class Heading(NamedTuple):
    """A column's head: the address that sorts by it, and `ascending` or `descending` if it does."""

    title: str
    url: str
    sorted: str | None
    number: bool


class Row(NamedTuple):
    """A member with the texts of its cells, first to last, and whether each is a number."""

    member: FamilyMember
    cells: tuple[tuple[str, bool], ...]


class Choice(NamedTuple):
    """A value of a feature: the address that shows only members with it, or all again."""

    text: str
    models: int
    url: str
    chosen: bool


class Varies(NamedTuple):
    """A feature that varies, with its values as links."""

    feature: str
    choices: tuple[Choice, ...]


class Asked(NamedTuple):
    """What a reader asked of the table: an order, values of features, from which member on."""

    sort: str = ""
    falling: bool = False
    only: tuple[tuple[str, str], ...] = ()
    offset: int = 0

    def url(self, family: str) -> str:
        """The address of the family's page that shows this."""
        told = [("sort", self.sort)] if self.sort else []
        told += [("order", "falling")] if self.falling else []
        told += [("is", f"{feature}:{value}") for feature, value in self.only]
        told += [("offset", str(self.offset))] if self.offset else []
        query = f"?{urlencode(told, errors='replace')}" if told else ""
        return f"/families/{family}{query}#members"


class Members(NamedTuple):
    """The table as it is shown; `total` counts the members that were asked for."""

    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    total: int
    previous: str | None
    next: str | None
    everything: str | None
    """The address without what narrows it, where something does."""
    described: int
    """How many of all members are only described."""


def asked(sort: str | None, order: str | None, only: Iterable[str], offset: str | None) -> Asked:
    """What the query of an address asks for; what makes no sense is left out."""
    pairs = tuple((f, v) for f, colon, v in (each.rpartition(":") for each in only) if colon)
    start = (
        int(offset) if offset and offset.isascii() and offset.isdigit() and len(offset) < 7 else 0
    )
    return Asked((sort or "")[:100], order == "falling", pairs[:_MOST_CHOSEN], start)


def table(family: Family, wanted: Asked) -> Members:
    """The part of the table that was asked for."""
    columns = _columns(family)
    chosen = next((each for each in columns if each.key == wanted.sort), columns[0])
    members = [each for each in family.members if _is_wanted(each, wanted.only)]
    ordered = _sorted(members, chosen, falling=wanted.falling)
    shown = ordered[wanted.offset : wanted.offset + PER_PAGE]
    following = wanted.offset + PER_PAGE
    before = wanted._replace(offset=max(wanted.offset - PER_PAGE, 0))
    return Members(
        headings=tuple(_heading(each, family, wanted, chosen) for each in columns),
        rows=tuple(
            Row(member, tuple((each.cell(member), each.number) for each in columns[1:]))
            for member in shown
        ),
        total=len(members),
        previous=before.url(family.id) if wanted.offset else None,
        next=wanted._replace(offset=following).url(family.id) if following < len(members) else None,
        everything=wanted._replace(only=(), offset=0).url(family.id) if wanted.only else None,
        described=sum(each.described for each in family.members),
    )


def varies(family: Family, wanted: Asked) -> tuple[Varies, ...]:
    """The features that vary, each value an address."""
    return tuple(
        Varies(
            each.feature,
            tuple(
                _choice(family, wanted, (each.feature, told(v.value)), v.models)
                for v in each.values
            ),
        )
        for each in family.varying
    )


def told(value: Feature | None) -> str:
    """A value of a feature in a cell; nothing said is a dash."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)[:80]


def measures(members: Iterable[FamilyMember]) -> list[Measure]:
    """What the members were measured by, what most of them tell first."""
    counts = Counter(kind for each in members for kind in {measure(m) for m in each.metrics})
    return sorted(counts, key=lambda kind: (-counts[kind], str(kind)))


def measure(metric: Metric) -> Measure:
    """What a metric can be compared with."""
    return metric.name, metric.dataset, metric.split


def named(kind: Measure) -> str:
    """`accuracy (uci-digits test)`."""
    where = " ".join(part for part in kind[1:] if part)
    return f"{kind[0][:40]} ({where[:60]})" if where else kind[0][:40]


def figure(member: FamilyMember, kind: Measure) -> float | None:
    """The member's value of a measure."""
    return next((each.value for each in member.metrics if measure(each) == kind), None)


def is_lower_better(members: Iterable[FamilyMember], kind: Measure) -> bool:
    """Whether any of them says so."""
    return any(m.lower_is_better for each in members for m in each.metrics if measure(m) == kind)


def _columns(family: Family) -> list[Column]:
    members = family.members
    columns = [Column("model", "Model", lambda m: m.side, lambda m: m.side)]
    if len(family.hubs) > 1:
        columns.append(Column("hub", "From", lambda m: hub_name(m.hub), lambda m: hub_name(m.hub)))
    columns += [_of_feature(each.feature, members) for each in family.varying[:_MOST_FEATURES]]
    columns += [_of_measure(number, kind, members) for number, kind in enumerate(_telling(members))]
    amounts: tuple[tuple[str, str, Amount, Callable[[int], str]], ...] = (
        ("size", "Size", lambda m: m.size, size),
        ("parameters", "Parameters", lambda m: m.parameters, count),
        ("macs", "MACs", lambda m: m.macs, count),
    )
    return columns + [
        _of_amount(key, title, value, form)
        for key, title, value, form in amounts
        if any(value(each) is not None for each in members)
    ]


def _telling(members: Sequence[FamilyMember]) -> list[Measure]:
    """The measures that are worth a column: more than one member tells them, if there are many."""
    least = 2 if len(members) > _FEW else 1
    told_by = {
        kind: sum(figure(m, kind) is not None for m in members) for kind in measures(members)
    }
    return [kind for kind, number in told_by.items() if number >= least][:_MOST_MEASURES]


def _of_feature(name: str, members: Sequence[FamilyMember]) -> Column:
    values = [each.features.get(name) for each in members]
    number = all(
        v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values
    )
    return Column(
        f"feature.{name}"[:100], name.replace("_", " ")[:40],
        lambda m: told(m.features.get(name)), lambda m: m.features.get(name), number,
    )  # fmt: skip


def _of_measure(number: int, kind: Measure, members: Sequence[FamilyMember]) -> Column:
    def value(member: FamilyMember) -> float | None:
        return figure(member, kind)

    def cell(member: FamilyMember) -> str:
        found = value(member)
        return "" if found is None else f"{found:.4g}"

    falling = not is_lower_better(members, kind)
    return Column(f"metric.{number}", named(kind), cell, value, number=True, falling=falling)


def _of_amount(
    key: str,
    title: str,
    value: Amount,
    form: Callable[[int], str],
) -> Column:
    def cell(member: FamilyMember) -> str:
        found = value(member)
        return "" if found is None else form(found)

    return Column(key, title, cell, value, number=True)


def _heading(column: Column, family: Family, wanted: Asked, chosen: Column) -> Heading:
    falling = column.falling if column.key != chosen.key else not wanted.falling
    url = wanted._replace(sort=column.key, falling=falling, offset=0).url(family.id)
    state = None
    if column.key == chosen.key:
        state = "descending" if wanted.falling else "ascending"
    return Heading(column.title, url, state, column.number)


def _sorted(
    members: Sequence[FamilyMember], column: Column, *, falling: bool
) -> list[FamilyMember]:
    """Who tells nothing of it is always last."""
    known = [each for each in members if column.value(each) is not None]
    rest = [each for each in members if column.value(each) is None]
    return sorted(known, key=lambda m: order(column.value(m)), reverse=falling) + rest


def _is_wanted(member: FamilyMember, only: Sequence[tuple[str, str]]) -> bool:
    asked_for = Counter(feature for feature, _ in only)
    return all(
        any((feature, told(member.features.get(feature))) == pair for pair in only)
        for feature in asked_for
    )


def _choice(family: Family, wanted: Asked, pair: tuple[str, str], models: int) -> Choice:
    chosen = pair in wanted.only
    rest = tuple(each for each in wanted.only if each != pair)
    only = rest if chosen else (*rest, pair)
    return Choice(pair[1], models, wanted._replace(only=only, offset=0).url(family.id), chosen)
