from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.package.entry import Entry, Upstream
from modelshelf.package.record import Artifact, Package, Record, Requires, Variant
from modelshelf.package.search import FACETS
from modelshelf.registry.search import Search, SearchDocument, document, open_search


def described(
    name: str,
    *,
    task: str = "image-classification",
    algorithm: str = "CNN",
    datasets: tuple[str, ...] = ("mnist",),
    formats: tuple[str, ...] = ("onnx",),
    summary: str = "",
    readme: str = "",
    downloads: int = 0,
    upstream: Upstream | None = None,
    handles: tuple[str, ...] = (),
) -> SearchDocument:
    package = Package(
        name=name, version="1.0.0", task=task, algorithm=algorithm, datasets=datasets,
        summary=summary, license="MIT", keywords=("tiny",),
    )  # fmt: skip
    variants = (Variant("v", tuple(Artifact(each, (f"m.{each}",)) for each in formats)),)
    requires = Requires(frameworks={"torch": ">=2"})
    entry = Entry(
        name, "1.0.0", "c" * 40, 1, "m" * 64, "2026-01-02T03:04:05Z", (), variants,
        license="MIT", requires=requires, upstream=upstream, described=upstream is not None,
    )  # fmt: skip
    record = Record(package, variants, requires=requires)
    return document(record, entry, readme=readme, downloads=downloads, handles=handles)


@pytest.fixture
def search(tmp_path: Path) -> Search:
    index = open_search(tmp_path / "search")
    index.add(
        [
            described("acme/digits", summary="Handwritten digits", downloads=5),
            described("acme/mobilenet-v2", datasets=("imagenet", "mnist"), downloads=9),
            described("lab/bert", task="text-embedding", algorithm="Transformer", formats=("pt",)),
        ]
    )
    return index


def found(search: Search, text: str = "", **facets: str) -> list[str]:
    return [hit.name for hit in search.query(text, {k: (v,) for k, v in facets.items()}).hits]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["acme/mobilenet-v2", "acme/digits", "lab/bert"]),
        ("handwritten", ["acme/digits"]),
        ("acme/digits", ["acme/digits"]),
        ("mobil", ["acme/mobilenet-v2"]),
        ("mobilnet", ["acme/mobilenet-v2"]),
        ("BERT", ["lab/bert"]),
        ("text embedding", ["lab/bert"]),
        ("lab digits", []),
        ("tiny bert", ["lab/bert"]),
        ("!!!", []),
    ],
)
def test_text(search: Search, text: str, names: list[str]) -> None:
    assert found(search, text) == names


@pytest.mark.parametrize(
    "text",
    [
        'name:"', "(((", "a AND OR NOT", "*", "^9", "[a TO", "\0", "\ud800", "é" * 5000, "a:b:c",
        "x " * 5000, "' OR 1=1 --", "/.*/", "~2", "+", "a" * 100_000,
    ],
)  # fmt: skip
def test_hostile_text_finds_nothing_and_breaks_nothing(search: Search, text: str) -> None:
    search.query(text, {"task": [text], "nonsense": [text]}, offset=-3, limit=10**9)


def test_a_facet_narrows_and_its_own_counts_stay(search: Search) -> None:
    results = search.query("", {"task": ["image-classification"], "dataset": ["imagenet"]})
    assert [hit.name for hit in results.hits] == ["acme/mobilenet-v2"]
    assert results.facets["task"] == (("image-classification", 1),)
    assert results.facets["dataset"] == (("mnist", 2), ("imagenet", 1))
    assert results.facets["format"] == (("onnx", 1),)
    assert tuple(results.facets) == FACETS


def test_values_of_one_facet_add_up(search: Search) -> None:
    assert search.query("", {"format": ["onnx", "pt"]}).total == 3


def test_counts_over_many_segments_are_exact(search: Search) -> None:
    for number in range(12):
        search.add([described(f"lab/m{number}", algorithm=f"a{number}")])
    assert dict(search.query("", {}).facets["task"])["image-classification"] == 14
    assert len(search.query("", {}).facets["algorithm"]) == 14


def test_adding_again_replaces(search: Search) -> None:
    search.add([described("lab/bert", summary="new words")])
    assert search.query("", {}).total == 3
    assert found(search, "words") == ["lab/bert"]


def test_paging(search: Search) -> None:
    pages = [search.query("", {}, offset=number, limit=1) for number in range(4)]
    assert [hit.name for page in pages for hit in page.hits] == found(search)
    assert {page.total for page in pages} == {3}


def test_remove_and_rebuild(search: Search) -> None:
    search.remove(["lab/bert", "lab/unknown"])
    assert search.query("", {}).total == 2
    for _ in range(2):
        search.rebuild([described("lab/only")])
        assert found(search) == ["lab/only"]


def test_survives_reopening_and_broken_files(tmp_path: Path) -> None:
    open_search(tmp_path).add([described("lab/bert")])
    again = open_search(tmp_path)
    assert (again.fresh, again.query("", {}).total) == (False, 1)
    (tmp_path / "v2" / "meta.json").write_text("{broken")
    again = open_search(tmp_path)
    assert again.fresh
    again.rebuild([described("lab/bert")])
    assert again.query("bert", {}).total == 1


def test_two_openings_write_in_turn(tmp_path: Path) -> None:
    first, second = open_search(tmp_path), open_search(tmp_path)
    first.add([described("lab/one")])
    second.add([described("lab/two")])
    assert open_search(tmp_path).query("", {}).total == 2


def test_absurd_records_are_clipped(search: Search) -> None:
    datasets = tuple(f"data-{number}" for number in range(500))
    search.add([described("lab/huge", datasets=("x" * 70_000, *datasets), readme="w " * 10**6)])
    assert len(search.query("huge", {}).facets["dataset"]) == 64


@pytest.fixture
def hub(tmp_path: Path) -> Search:
    """Packages that were imported, one of them without files upstream."""
    at = Upstream("tfhub", "lab/enc_L-12_H-768_A-12/3", "https://hub.example/lab/enc")
    gone = Upstream("tfhub", "lab/enc_L-12_H-512_A-8/1", "https://hub.example/x", "deleted")
    index = open_search(tmp_path / "hub")
    index.add(
        [
            described("lab/enc-l-12-h-768-a-12", upstream=at, downloads=1, handles=(
                "lab/enc_L-12_H-768_A-12", "lab/enc_L-12_H-768_A-12/3", "lab/old_name/1",
            )),
            described("lab/enc-l-12-h-512-a-8", upstream=gone, downloads=9, handles=(
                "lab/enc_L-12_H-512_A-8", "lab/enc_L-12_H-512_A-8/1",
            )),
            described("acme/own"),
        ]
    )  # fmt: skip
    return index


@pytest.mark.parametrize(
    "text",
    [
        "lab/enc_L-12_H-768_A-12/3",
        "https://hub.example/lab/enc_L-12_H-768_A-12/3",
        "https://hub.example/lab/enc_L-12_H-768_A-12",
        "lab/old_name/1",
        "old name",
    ],
)
def test_old_handles_find_their_package_first(hub: Search, text: str) -> None:
    assert found(hub, text)[0] == "lab/enc-l-12-h-768-a-12"


def test_described_packages_can_be_told_apart(hub: Search) -> None:
    assert found(hub, availability="installable") == ["acme/own"]
    assert found(hub, hub="tfhub", availability="files-gone") == ["lab/enc-l-12-h-512-a-8"]
    assert dict(hub.query("", {}).facets["availability"]) == {
        "described-only": 1, "files-gone": 1, "installable": 1,
    }  # fmt: skip
