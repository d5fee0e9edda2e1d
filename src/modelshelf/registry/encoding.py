"""Encoding files: their recipes when they are published, and soon after what helps to update them.

A job a release finds the parents of each large file: the file of the release before, or of a
`base`, with tensors of the same names. Who has a parent fetches the difference only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from modelshelf.checks.layout import cuts, layout
from modelshelf.formats.facts import Facts
from modelshelf.formats.spans import Span
from modelshelf.package.entry import File
from modelshelf.registry import (
    arriving,
    contracts,
    describing,
    jobs,
    parents,
    recipes,
    releases,
    tables,
)
from modelshelf.registry.contracts import Key
from modelshelf.registry.service import Kept
from modelshelf.registry.staging import Declared, Session
from modelshelf.store.digest import Hashes
from modelshelf.store.recipe import Recipe
from modelshelf.store.whole import take_apart

JOB = "encode"


class Cut(NamedTuple):
    """A file in segments: its recipe, and where its tensors lie."""

    sha256: str
    recipe: Recipe
    spans: tuple[Span, ...]


def cut(
    kept: Kept, session: Session, files: Iterable[File | Hashes], facts: Mapping[str, Facts]
) -> list[Cut]:
    """The files of a release in segments, all kept: as they were sent, or cut now."""
    spans = layout(facts)
    by_digest = {file.sha256: spans.get(file.path, ()) for file in session.files}
    declared = {file.sha256: file for file in session.files}
    return [
        _cut(kept, session, declared.get(file.sha256), file.sha256, by_digest.get(file.sha256, ()))
        for file in files
    ]


def keep(connection: Connection, cuts: Iterable[Cut]) -> None:
    """Write the recipes in the transaction that publishes their files."""
    for each in cuts:
        recipes.keep(connection, each.sha256, each.recipe, each.spans)


def enqueue_lacking(connection: Connection) -> None:
    """Enqueue a job for each release with a file that has no recipe: those of before there were any."""
    of, by = tables.release_files.c, tables.recipes.c
    query = (
        select(of.publisher, of.name, of.version)
        .where(~exists().where(by.sha256 == of.sha256))
        .distinct()
    )
    rows = connection.execute(query).all()
    jobs.enqueue_all(connection, JOB, (contracts.by_key((*row,)) for row in rows))


def encode(kept: Kept, key: Key) -> None:
    """Give the files of a release what they lack: recipes, and parents."""
    with kept.database.reading() as connection:
        found = releases.release(connection, *key)
        lacking = [
            file for file in found.entry.files if recipes.body(connection, file.sha256) is None
        ]
    if lacking:
        facts = describing.staged(kept, found.entry, found.record).facts
        spans = layout(facts)
        for file in lacking:
            lying = spans.get(file.path, ())
            made = take_apart(kept.raw.path(file.sha256), cuts(lying), kept.blobs, kept.codecs)
            with kept.database.writing() as connection:
                recipes.keep(connection, file.sha256, made, lying)
    parents.find(kept, key)


def _cut(
    kept: Kept, session: Session, file: Declared | None, sha256: str, spans: tuple[Span, ...]
) -> Cut:
    with kept.database.reading() as connection:
        made = arriving.complete_recipe(connection, session, file) if file else None
    if made is None:
        made = take_apart(kept.store.path(sha256), cuts(spans), kept.blobs, kept.codecs)
    return Cut(sha256, made, spans)
