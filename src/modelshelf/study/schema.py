"""The tables that catalogues are for the study: one frozen struct each, whose fields are the columns.

Every row names its catalogue first (its specification, or a label that the caller gives);
`catalogue`, `package`, `version` and `variant` join the tables. `latest` marks what belongs to a
package's highest version. A list is a list in SQL, `features` is JSON, and None is NULL.
"""

from __future__ import annotations

from typing import ClassVar, get_args, get_type_hints

import msgspec

from modelshelf.package.record import Feature


class Row(msgspec.Struct, frozen=True):
    """One row of the table `table`; its fields are the columns, in their order."""

    table: ClassVar[str]


class CatalogueRow(Row, frozen=True):
    """One catalogue; `packages`, `versions` and `pages` are counts."""

    table: ClassVar[str] = "catalogues"
    catalogue: str
    hub: str
    packages: int
    versions: int
    pages: int


class PublisherRow(Row, frozen=True):
    """Who publishes; `kind` is NULL where the hub does not say, `packages` is how many they have."""

    table: ClassVar[str] = "publishers"
    catalogue: str
    publisher: str
    display: str | None
    kind: str | None
    packages: int


class PageRow(Row, frozen=True):
    """What became of one page of the hub."""

    table: ClassVar[str] = "pages"
    catalogue: str
    path: str
    kind: str
    handle: str
    outcome: str
    merged_into: str | None
    reason: str | None


class PackageRow(Row, frozen=True):
    """One package, as its latest release says; `versions` counts all of its releases.

    `datasets`, `languages`, `formats` and `contexts` hold what any model of that release has, each
    once; `gone` is told where the files of the latest release are. `task` and `algorithm` are the
    package's own; `models`, `signatures` and `entrypoints` are how many it has. `by_persons` tells
    whether all of its developers are persons, `entrypoints_listed` whether one place of the page
    names all of several entrypoints that return models.
    """

    table: ClassVar[str] = "packages"
    catalogue: str
    package: str
    handle: str
    publisher: str
    publisher_kind: str | None
    by_persons: bool
    versions: int
    version: str
    task: str | None
    algorithm: str | None
    datasets: tuple[str, ...]
    languages: tuple[str, ...]
    license: str | None
    license_source: str | None
    formats: tuple[str, ...]
    contexts: tuple[str, ...]
    models: int
    signatures: int
    signatures_source: str | None
    entrypoints: int
    entrypoints_listed: bool
    summary: str | None
    gone: str | None


class ReleaseRow(Row, frozen=True):
    """One release; `number` counts a package's from 1, the lowest version."""

    table: ClassVar[str] = "releases"
    catalogue: str
    package: str
    version: str
    latest: bool
    number: int
    handle: str
    url: str
    formats: tuple[str, ...]
    license: str | None
    has_notes: bool
    gone: str | None


class ModelRow(Row, frozen=True):
    """One variant of one release: what a family is made of.

    `declared_family` is the publisher's word, `family` is NULL until families are computed.
    `features` is JSON, without those that have columns here.
    """

    table: ClassVar[str] = "models"
    catalogue: str
    package: str
    version: str
    latest: bool
    variant: str
    task: str | None
    algorithm: str | None
    datasets: tuple[str, ...]
    language: str | None
    features: dict[str, Feature]
    formats: tuple[str, ...]
    declared_family: str | None
    family: str | None


class DescriptionRow(Row, frozen=True):
    """The elements that are known of one release, as lists of equal length.

    The view `elements` has a row for each of the 33 of each release (`element`, `known`, `source`,
    `unsure`), in the table's order.
    """

    table: ClassVar[str] = "descriptions"
    catalogue: str
    package: str
    version: str
    latest: bool
    known: tuple[str, ...]
    sources: tuple[str, ...]
    unsure: tuple[bool, ...]


class MetricRow(Row, frozen=True):
    """One quality figure of one variant."""

    table: ClassVar[str] = "metrics"
    catalogue: str
    package: str
    version: str
    latest: bool
    variant: str
    metric: str
    dataset: str | None
    split: str | None
    value: float
    lower_is_better: bool
    source: str | None
    unsure: bool


class ArtifactRow(Row, frozen=True):
    """One format of one variant for one usage context."""

    table: ClassVar[str] = "artifacts"
    catalogue: str
    package: str
    version: str
    latest: bool
    variant: str
    format: str
    context: str


class DependencyRow(Row, frozen=True):
    """One package of models that a release needs, in the versions `range`."""

    table: ClassVar[str] = "dependencies"
    catalogue: str
    package: str
    version: str
    latest: bool
    on_package: str
    kind: str
    range: str
    source: str | None
    unsure: bool


class PythonNeedRow(Row, frozen=True):
    """One Python requirement (PEP 508) of a release."""

    table: ClassVar[str] = "python_needs"
    catalogue: str
    package: str
    version: str
    latest: bool
    requirement: str


class HubRow(Row, frozen=True):
    """What a catalogue is without its releases and pages: JSON of `package.catalogue`."""

    table: ClassVar[str] = "hubs"
    catalogue: str
    document: str


class RecordRow(Row, frozen=True):
    """One release as it was described: JSON of `package.catalogue`, from which all was made."""

    table: ClassVar[str] = "records"
    catalogue: str
    package: str
    version: str
    number: int
    document: str


class FamilyRow(Row, frozen=True):
    """That a model, in all of its versions, is of a family."""

    table: ClassVar[str] = "families_of_models"
    catalogue: str
    package: str
    variant: str
    family: str


class KeyFamilyRow(Row, frozen=True):
    """That all models with these labels, as written, are of a family."""

    table: ClassVar[str] = "families_of_keys"
    task: str | None
    algorithm: str | None
    datasets: tuple[str, ...]
    language: str | None
    declared_family: str | None
    family: str


TABLES: tuple[type[Row], ...] = (
    CatalogueRow, PublisherRow, PageRow, PackageRow, ReleaseRow, ModelRow, DescriptionRow,
    MetricRow, ArtifactRow, DependencyRow, PythonNeedRow,
)  # fmt: skip

_SQL_TYPES: dict[object, str] = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    tuple[str, ...]: "VARCHAR[]",
    tuple[bool, ...]: "BOOLEAN[]",
    dict[str, Feature]: "JSON",
}


def columns(table: type[Row]) -> dict[str, str]:
    """The columns of a table → their types in SQL, in order."""
    hints = get_type_hints(table)
    return {name: _sql_type(hints[name]) for name in table.__struct_fields__}


def _sql_type(hint: object) -> str:
    """Of `str | None` it is that of `str`: every column may be NULL."""
    plain = [each for each in get_args(hint) if each is not type(None)]
    return _SQL_TYPES.get(hint) or _SQL_TYPES[plain[0]]
