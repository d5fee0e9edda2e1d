"""Packages in batches: as many as one transaction may write, each release made ready."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection

from modelshelf.package.entry import Entry, File, Upstream, commit_name, draft
from modelshelf.package.handle import bare
from modelshelf.package.record import canonical
from modelshelf.registry import clock, handles, imported, releases
from modelshelf.registry.handles import Named
from modelshelf.registry.importing import moves, texts
from modelshelf.registry.importing.plan import README, Package, Plan, Release
from modelshelf.registry.importing.rows import Batch, Made
from modelshelf.registry.importing.texts import Text
from modelshelf.registry.service import Kept

MOST_RELEASES = 200
"""So many releases are written at once, or those of one package."""
longest_reason_characters = 500


def of(plan: Plan) -> Iterator[tuple[Package, ...]]:
    """All packages in their order, some at a time."""
    batch: list[Package] = []
    for package in plan.packages:
        batch.append(package)
        if sum(len(each.releases) for each in batch) >= MOST_RELEASES:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)


def made(
    kept: Kept, connection: Connection, hub: str, packages: tuple[Package, ...]
) -> Batch | None:
    """What has to be written of the packages, texts kept already; None where nothing has."""
    wanted = [
        (package, package.stepping("add", "update"))
        for package in packages
        if package.stepping("add", "update")
    ]
    if not wanted:
        return None
    steps = [each for _, listed in wanted for each in listed]
    ready = dict(
        zip([each.key for each in steps], _made(kept, connection, hub, steps), strict=True)
    )
    moved = [
        each
        for package, listed in wanted
        for each in moves.moved(
            connection, package.name, [ready[one.key] for one in listed], anew=package.new
        )
    ]
    return Batch(
        publishers=tuple(each.publisher for each in packages if each.publisher),
        new_packages=tuple(package.name for package, _ in wanted if package.new),
        releases=tuple(ready.values()),
        moved=tuple(moved),
        touched=tuple(package.name for package, _ in wanted),
    )


def _made(kept: Kept, connection: Connection, hub: str, steps: list[Release]) -> list[Made]:
    """The releases with their texts and documents kept."""
    readmes = texts.keep(kept, [_text(each) for each in steps])
    files = [_files(readmes[_text(each)]) for each in steps]
    documents = [
        canonical.encode({"record": each.described.record, "files": listed})
        for each, listed in zip(steps, files, strict=True)
    ]
    manifests = texts.keep(kept, documents)
    now = clock.now()
    return [
        _release(connection, hub, each, listed, (readmes[_text(each)], manifests[document]), now)
        for each, listed, document in zip(steps, files, documents, strict=True)
    ]


def _text(release: Release) -> bytes:
    return release.described.text.encode(errors="replace")


def _files(text: Text) -> tuple[File, ...]:
    if not text.content.strip():
        return ()
    return (File(README, text.hashes.size, text.hashes.sha256, text.hashes.git, text.hashes.md5),)


def _release(
    connection: Connection,
    hub: str,
    release: Release,
    files: tuple[File, ...],
    kept_texts: tuple[Text, Text],
    now: str,
) -> Made:
    readme, manifest = kept_texts
    described = release.described
    entry = msgspec.structs.replace(
        draft(described.record),
        files=files,
        commit=commit_name(files),
        number=release.number,
        manifest=manifest.hashes.sha256,
        published=now if release.step == "add" else _published(connection, release),
        upstream=_upstream(hub, release),
        described=True,
    )
    return Made(
        key=release.key,
        entry=entry,
        record=described.record,
        texts=(readme, manifest) if files else (manifest,),
        said=imported.row(
            release.key, hub, described.handle, release.digest, imported.of(described)
        ),
        names=tuple(_names(hub, release)),
        anew=release.step == "add",
    )


def _upstream(hub: str, release: Release) -> Upstream:
    described = release.described
    gone = described.gone[:longest_reason_characters] if described.gone else None
    return Upstream(hub, bare(described.handle), described.url, gone)


def _published(connection: Connection, release: Release) -> str:
    """When a release came that now says something else."""
    entries: list[Entry] = releases.entries(connection, *release.key[:2])
    return next(each.published for each in entries if each.version == release.version)


def _names(hub: str, release: Release) -> Iterator[Named]:
    described = release.described
    yield from handles.spellings(hub, described.handle, described.url, release.key)
    for each in release.also:
        yield from handles.spellings(hub, each, "", release.key)
