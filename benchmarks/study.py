"""The study of a million releases: written to Parquet as they come, asked on the disk and on S3."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Cost, Result, cost
from modelshelf.package.catalogue import Described, Found, HubPublisher
from modelshelf.package.record import (
    Artifact,
    Dependency,
    Metric,
    Package,
    Record,
    Requires,
    Variant,
)
from modelshelf.package.vocabularies import vocabulary
from modelshelf.plugins import offered
from modelshelf.study.answer import Part
from modelshelf.study.parquet import Writer, document, stored
from modelshelf.study.rows import Hub, package_rows, publisher_rows
from modelshelf.study.schema import CatalogueRow, PageRow
from modelshelf.study.survey import Survey

RELEASES = 1_000_000
GOAL_SECONDS = 300
GOAL_MIB = 1536
LABEL = "synthetic:2030"
PUBLISHERS = 5000
ALGORITHMS, DATASETS = 400, 60
"""Of both there are as many as people invent, however many models they make of them."""
FORMATS = (
    ("saved-model", "python"),
    ("tflite", "edge"),
    ("tfjs", "javascript"),
    ("onnx", "python"),
)
LICENSES = ("Apache-2.0", "MIT", "BSD-3-Clause", None)
FOUND = {
    "package.name": Found("name"), "package.version": Found("name"), "package.task": Found("label"),
    "package.algorithm": Found("label"), "package.datasets": Found("label"),
    "package.summary": Found("text"), "package.license": Found("text", unsure=True),
    "variants.metrics": Found("table"), "variants.artifacts": Found("label"),
    "requires.python": Found("code"), "dependencies": Found("text"),
}  # fmt: skip


def measure(folder: Path) -> list[Result]:
    """Write, then ask for every table and figure, each in a process of its own."""
    from tests.ranges import answering_ranges
    from tests.s3 import serving_s3

    place = folder / "models" / "study"
    results = [*_told("written", _run("write", str(place), str(RELEASES)))]
    size = sum(each.stat().st_size for each in place.rglob("*.parquet"))
    results.append(Result("study: a million releases in Parquet", size / 1e6, "MB"))
    results += _told("asked, on disk", _run("ask", str(place)))
    with serving_s3(folder) as store, answering_ranges(store.endpoint) as (endpoint, _):
        whole = _run("ask", store.url("study"), env=store.environment)
        ranges = store.environment | {"AWS_ENDPOINT_URL": endpoint}
        results += _told("asked, on S3", _run("ask", store.url("study"), env=ranges))
        results += _told("asked, on S3 without ranges", whole)
    shutil.rmtree(place)
    return results


def _told(what: str, found: Cost) -> list[Result]:
    return [
        Result(f"study: a million releases {what}, CPU", found.cpu, "s", GOAL_SECONDS),
        Result(f"study: a million releases {what}, wall", found.wall, "s"),
        Result(
            f"study: a million releases {what}, peak", found.peak_bytes / 2**20, "MiB", GOAL_MIB
        ),
    ]


def _run(*words: str, env: dict[str, str] | None = None) -> Cost:
    command = [sys.executable, "-m", "benchmarks.study", *words]
    return cost(command, env={**os.environ, **(env or {})})


def write(place: str, count: int) -> None:
    """`count` invented releases, package by package, to `place`."""
    hub = Hub(LABEL, {each.name: each for each in _publishers()}, ("downloads", "published-time"))
    packages: Counter[str] = Counter()
    done = 0
    with Writer(place) as writer:
        for releases in _packages(count):
            packages[releases[0].record.package.name.partition("/")[0]] += 1
            writer.extend(package_rows(hub, releases))
            for each in releases:
                writer.extend([document(LABEL, done, each), _page(each)])
                done += 1
        writer.extend(publisher_rows(hub, packages))
        writer.extend([CatalogueRow(LABEL, "synthetic", packages.total(), done, done)])
        writer.finish()


def ask(place: str) -> None:
    """Every part of the study that one catalogue is enough for."""
    with Survey([stored(place)]) as survey:
        for part in offered("modelshelf.study", "PART"):
            if isinstance(part, Part) and part.fits(survey):
                made = part.compute(survey)
                print(part.name, [len(table.rows) for table in made.tables])


def _publishers() -> Iterator[HubPublisher]:
    for number in range(PUBLISHERS):
        kind = "person" if number % 4 == 0 else "organization"
        yield HubPublisher(f"lab{number}", f"Lab{number}", f"Lab {number}", kind)


def _packages(count: int) -> Iterator[list[Described]]:
    """Packages of one to three releases, `count` releases in all."""
    chance = random.Random(7)
    number = 0
    while count > 0:
        versions = min(count, chance.choice((1, 1, 2, 3)))
        name = f"lab{number % PUBLISHERS}/net-{number}"
        count -= versions
        number += 1
        yield [_release(chance, name, version) for version in range(1, versions + 1)]


def _release(chance: random.Random, name: str, version: int) -> Described:
    kind, width = int(ALGORITHMS * chance.random() ** 2), chance.choice((0.25, 0.5, 0.75, 1.0))
    task = _TASKS[kind % len(_TASKS)]
    formats = chance.sample(FORMATS, chance.choice((1, 1, 2)))
    metric = Metric("accuracy", round(chance.random(), 4), dataset="set-1", split="test")
    variant = Variant(
        "default",
        tuple(Artifact(form, (), (context,)) for form, context in formats),
        features={"width": width, "depth": chance.choice((18, 50, 101))},
        metrics=(metric,) if chance.random() < 0.5 else (),
    )
    package = Package(
        name, f"{version}.0.0",
        summary=f"Network {kind} of width {width} trained for {task} by those who made {name}",
        license=chance.choice(LICENSES), task=task, algorithm=f"Quux{kind % 40} V{kind // 40 + 1}",
        datasets=(f"set-{chance.randrange(DATASETS)}",), language="en" if "text" in task else None,
    )  # fmt: skip
    needs = {"lab1/net-1": Dependency("^1.0.0", "preprocess")} if chance.random() < 0.1 else {}
    record = Record(package, (variant,), needs, Requires(python=("numpy>=1.26", "pillow")))
    handle = f"{name}/{version}"
    return Described(record, handle, f"https://hub.example/{handle}", f"{handle}.md", found=FOUND)


_TASKS = tuple(vocabulary("tasks"))


def _page(release: Described) -> PageRow:
    return PageRow(LABEL, release.page, "Model", release.handle, "imported", None, None)


if __name__ == "__main__":
    mode, *words = sys.argv[1:]
    write(words[0], int(words[1])) if mode == "write" else ask(words[0])
