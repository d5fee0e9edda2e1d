"""Importing: the packages of another hub come aboard as releases that are only described.

    report = bring(kept, catalogue)

Front door: `bring`. It plans from what is here (`plan`, `names`, `here`), keeps the texts (`texts`),
and writes whole packages, many in one transaction (`rows`, `moves`), so that a killed import goes on
when it is run again. Where the files are to be had (`sources`), releases are published with them as
any other (`supply`).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from filelock import FileLock, Timeout
from sqlalchemy.exc import IntegrityError as NotUnique

from modelshelf.errors import Conflict
from modelshelf.package.catalogue import Catalogue
from modelshelf.registry import log
from modelshelf.registry.importing import batches, rows, supply, texts
from modelshelf.registry.importing.fetching import Bounds
from modelshelf.registry.importing.plan import Package, Plan, planned
from modelshelf.registry.importing.report import Accounted, Passed, Report
from modelshelf.registry.importing.sources import Folder, Hub, Source
from modelshelf.registry.importing.supply import Outcome
from modelshelf.registry.service import Kept

__all__ = ["Bounds", "Folder", "Hub", "Report", "Source", "bring"]

LOCK = "import.lock"
Progress = Callable[[int], None]
"""Told of each so many releases more that are done."""


def bring(
    kept: Kept,
    catalogue: Catalogue,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _count: None,
    sources: tuple[Source, ...] = (),
    supplying: Progress = lambda _count: None,
) -> Report:
    """Bring all packages of the catalogue aboard, or tell what would become of them.

    Run again, it changes nothing but what the catalogue says otherwise by now. Of releases whose
    files the first of the `sources` has, or the next, they are published. Raises Conflict where
    another import is at it, or someone took one of the names meanwhile.
    """
    with _alone(kept):
        with kept.database.reading() as connection:
            plan = planned(connection, catalogue)
        for batch in () if dry_run else batches.of(plan):
            _write(kept, catalogue.hub, batch)
            progress(sum(len(each.releases) for each in batch))
        supplied = Outcome()
        if sources and not dry_run:
            supply.clean(kept)
            supplied = supply.supply(kept, catalogue.hub, plan, sources, supplying)
    return _report(catalogue, plan, supplied, dry_run=dry_run)


def _write(kept: Kept, hub: str, packages: tuple[Package, ...]) -> None:
    """Write whole packages in one transaction, their texts before it."""
    with kept.database.reading() as connection:
        batch = batches.made(kept, connection, hub, packages)
    if batch is None:
        return
    try:
        with kept.database.writing() as connection:
            rows.account(connection)
            rows.write(connection, batch)
    except NotUnique:
        raise Conflict(
            "Someone took one of the names meanwhile",
            where=f"{packages[0].name} to {packages[-1].name}",
            hint="import again: what came so far stays",
        ) from None
    texts.keep_again(kept, (text for each in batch.releases for text in each.texts))
    log.event("imported", packages=len(packages), releases=len(batch.releases))


@contextlib.contextmanager
def _alone(kept: Kept) -> Iterator[None]:
    """One import at a time."""
    lock = FileLock(kept.settings.data / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict("Another import is at it", hint="try again when it is done") from None
    try:
        yield
    finally:
        lock.release()


def _report(catalogue: Catalogue, plan: Plan, supplied: Outcome, *, dry_run: bool) -> Report:
    steps = {
        step: tuple(
            f"{package.name}@{each.version}"
            for package in plan.packages
            for each in package.stepping(step)
        )
        for step in ("add", "update", "same", "kept")
    }
    return Report(
        catalogue=catalogue.specification,
        packages=len(plan.packages),
        releases=sum(len(each.releases) for each in plan.packages),
        pages=_accounted(catalogue),
        skipped=tuple(
            Passed(page.path, page.reason) for page in catalogue.pages if page.outcome == "skipped"
        ),
        dry_run=dry_run,
        new_packages=sum(each.new for each in plan.packages),
        added=steps["add"],
        updated=steps["update"],
        unchanged=len(steps["same"]),
        kept=steps["kept"],
        renamed=plan.renamed,
        passed=plan.passed,
        supplied=supplied.supplied,
        failed=supplied.failed,
    )


def _accounted(catalogue: Catalogue) -> tuple[Accounted, ...]:
    found = Counter((page.outcome, page.kind) for page in catalogue.pages)
    ordered = sorted(found.items(), key=lambda each: (each[0][0], -each[1]))
    return tuple(Accounted(outcome, kind, count) for (outcome, kind), count in ordered)
