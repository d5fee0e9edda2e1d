"""Rows of the study: what of a catalogue goes into which table."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest

from modelshelf.package.catalogue import Catalogue, Described, Found, Page
from modelshelf.package.elements import ELEMENTS
from modelshelf.study.rows import rows
from modelshelf.study.schema import (
    TABLES,
    ArtifactRow,
    CatalogueRow,
    DependencyRow,
    DescriptionRow,
    MetricRow,
    ModelRow,
    PackageRow,
    PageRow,
    PublisherRow,
    PythonNeedRow,
    ReleaseRow,
    Row,
    columns,
)
from tests.study.catalogues import ACME, artifact, catalogue, release

Of = TypeVar("Of", bound=Row)


def only(kind: type[Of], *releases: Described, **rest: Any) -> list[Of]:
    return [each for each in rows(catalogue(*releases, **rest)) if isinstance(each, kind)]


def known(described: Described, **rest: Any) -> dict[str, tuple[str, bool]]:
    """Element → its source, and whether that is unsure."""
    (row,) = only(DescriptionRow, described, **rest)
    return dict(zip(row.known, zip(row.sources, row.unsure, strict=True), strict=True))


def test_a_package_is_told_by_its_latest_release() -> None:
    old = release(version="1.0.0", task="other", summary="Old")
    new = release(version="2.0.0", task="image-classification", summary="New", gone="deleted")
    (row,) = only(PackageRow, old, new, publishers=(ACME,))
    assert (row.package, row.version, row.versions) == ("acme/digits", "2.0.0", 2)
    assert (row.task, row.summary, row.gone) == ("image-classification", "New", "deleted")
    assert (row.publisher, row.publisher_kind, row.handle) == (
        "acme", "organization", "acme/digits/2",
    )  # fmt: skip


def test_a_package_has_what_any_of_its_models_has() -> None:
    variants = (
        {"name": "a", "artifacts": artifact("saved-model", "tflite", contexts=("python", "edge"))},
        {"name": "b", "artifacts": artifact("tfjs", contexts=("javascript",)),
         "features": {"dataset": "coco", "language": "fr"}},
    )  # fmt: skip
    (row,) = only(PackageRow, release(variants=variants, datasets=("imagenet",), language="en, de"))
    assert row.formats == ("saved-model", "tflite", "tfjs")
    assert row.contexts == ("python", "edge", "javascript")
    assert row.datasets == ("imagenet", "coco")
    assert row.languages == ("en", "de", "fr")
    assert row.models == 2


def test_releases_are_numbered_and_the_last_is_the_latest() -> None:
    found = only(
        ReleaseRow,
        release(version="1.0.0"),
        release(version="1.1.0", notes="Trained longer."),
        release("acme/letters"),
    )
    assert [(each.package, each.number, each.latest, each.has_notes) for each in found] == [
        ("acme/digits", 1, False, False),
        ("acme/digits", 2, True, True),
        ("acme/letters", 1, True, False),
    ]


def test_what_a_variant_says_of_itself_goes_before_what_the_package_says() -> None:
    variants: tuple[dict[str, Any], ...] = (
        {"name": "plain"},
        {"name": "own", "features": {
            "task": "text-embedding", "algorithm": "RNN", "dataset": "news", "language": "de",
            "width": 8,
        }},
    )  # fmt: skip
    plain, own = only(
        ModelRow,
        release(
            variants=variants, task="other", algorithm="CNN", datasets=("a", "b"), language="en",
            family="digits",
        ),
    )  # fmt: skip
    assert (plain.task, plain.algorithm, plain.datasets, plain.language) == (
        "other", "CNN", ("a", "b"), "en",
    )  # fmt: skip
    assert (own.task, own.algorithm, own.datasets, own.language) == (
        "text-embedding", "RNN", ("news",), "de",
    )  # fmt: skip
    assert (plain.features, own.features) == ({}, {"width": 8})
    assert own.declared_family == "digits"
    assert own.family is None


def test_quality_figures_know_where_they_were_found() -> None:
    metric = {"name": "accuracy", "dataset": "imagenet", "split": "test", "value": 0.75}
    variants = ({"name": "a", "metrics": [metric]}, {"name": "b", "metrics": [metric]})
    places = {"variants.a.metrics": Found("table"), "variants.metrics": Found("text", unsure=True)}
    first, second = only(MetricRow, release(variants=variants, found=places))
    assert (first.variant, first.metric, first.value, first.dataset) == (
        "a", "accuracy", 0.75, "imagenet",
    )  # fmt: skip
    assert (first.source, first.unsure) == ("table", False)
    assert (second.source, second.unsure) == ("text", True)


def test_artifacts_have_a_row_for_each_context() -> None:
    variants = ({"name": "a", "artifacts": artifact("onnx", contexts=("python", "javascript"))},)
    found = only(ArtifactRow, release(variants=variants))
    assert [(each.format, each.context) for each in found] == [
        ("onnx", "python"),
        ("onnx", "javascript"),
    ]


def test_needs_have_rows() -> None:
    described = release(
        record={
            "dependencies": {"acme/normalizer": {"version": "^2.0", "kind": "preprocess"}},
            "requires": {"python": ["numpy>=1.26", "pillow"]},
        },
        found={"dependencies.acme/normalizer": Found("code")},
    )
    (needed,) = only(DependencyRow, described)
    assert (needed.on_package, needed.kind, needed.range) == (
        "acme/normalizer", "preprocess", "^2.0",
    )  # fmt: skip
    assert (needed.source, needed.unsure) == ("code", False)
    assert [each.requirement for each in only(PythonNeedRow, described)] == [
        "numpy>=1.26",
        "pillow",
    ]


def test_publishers_are_those_told_and_those_who_have_packages() -> None:
    found = only(PublisherRow, release(), release("bolt/x"), release("bolt/y"), publishers=(ACME,))
    assert [(each.publisher, each.kind, each.packages) for each in found] == [
        ("acme", "organization", 1),
        ("bolt", None, 2),
    ]


def test_a_catalogue_counts_itself_and_accounts_for_its_pages() -> None:
    pages = (Page("a.md", "imported"), Page("b.md", "skipped", reason="no heading"))
    whole = Catalogue("hub", "hub:here", (release(), release(version="2.0.0")), pages)
    found = list(rows(whole, "2024"))
    assert [each for each in found if isinstance(each, CatalogueRow)] == [
        CatalogueRow("2024", "hub", packages=1, versions=2, pages=2)
    ]
    told = [each for each in found if isinstance(each, PageRow)]
    assert [(each.path, each.outcome, each.reason) for each in told] == [
        ("a.md", "imported", None),
        ("b.md", "skipped", "no heading"),
    ]


@pytest.mark.parametrize(
    ("package", "found", "element", "expected"),
    [
        ({"summary": "x"}, {"package.summary": Found("text")}, "description", ("text", False)),
        ({"task": "other"}, {}, "domain", ("default", True)),
        ({}, {}, "name", ("name", False)),
        ({}, {"package.version": Found("default")}, "version", None),
        ({}, {"package.version": Found("name")}, "version", ("name", False)),
        ({}, {}, "license", None),
        ({"datasets": ("a",), "language": "en"},
         {"package.language": Found("default", unsure=True), "package.datasets": Found("label")},
         "data-description", ("label", False)),
        ({}, {"size": Found("hub")}, "size", ("hub", False)),
        ({}, {"package.license": Found("label")}, "license", None),
    ],
)  # fmt: skip
def test_an_element_is_known_where_the_record_has_it_or_the_importer_says_so(
    package: dict[str, Any],
    found: dict[str, Found],
    element: str,
    expected: tuple[str, bool] | None,
) -> None:
    assert known(release(found=found, **package)).get(element) == expected


@pytest.mark.parametrize(
    "place", ["variants.metrics", "variants.a.metrics", "variants.a.b.metrics"]
)
def test_places_below_variants_are_of_their_element(place: str) -> None:
    variants = ({"name": "a.b", "metrics": [{"name": "accuracy", "value": 1.0}]},)
    assert known(release(variants=variants, found={place: Found("table")}))["quality"] == (
        "table", False,
    )  # fmt: skip


def test_what_the_hub_shows_of_all_is_known_of_each_and_comes_after_the_page() -> None:
    shown = known(
        release(source="https://git.example/x", found={"package.source": Found("text")}),
        provides=("downloads", "source-repository"),
    )
    assert shown["downloads"] == ("hub", False)
    assert shown["source-repository"] == ("text", False)


def test_known_elements_stand_in_the_order_of_the_table() -> None:
    (row,) = only(DescriptionRow, release(summary="x", task="other", license="MIT"))
    order = [each.id for each in ELEMENTS]
    assert list(row.known) == sorted(row.known, key=order.index)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_type_of_sql(table: type[Row]) -> None:
    assert list(columns(table)) == list(table.__struct_fields__)
