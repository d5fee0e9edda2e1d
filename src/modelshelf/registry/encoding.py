"""Encoding files: their recipes when they are published, and soon after what helps to update them.

A job a release finds the parents of each large file: the file of the release before, or of a
`base`, with tensors of the same names. Who has a parent fetches the difference only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, exists, select, union

from modelshelf.checks.layout import cuts, layout
from modelshelf.errors import Conflict, NotFound
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
from modelshelf.store.whole import is_made_of, lying, take_apart

JOB = "encode"
MANIFEST = ""
"""In place of a path: the document that a release is named by is no file of it."""


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
    try:
        return [
            _cut(kept, session, declared.get(each), each, by_digest.get(each, ()))
            for each in (file.sha256 for file in files)
        ]
    except FileNotFoundError as error:  # someone else published it, and it was given up
        where = Path(error.filename).name
        raise Conflict("A file was swept away meanwhile: publish again", where=where) from None


def keep(connection: Connection, cuts: Iterable[Cut]) -> None:
    """Write the recipes in the transaction that publishes their files."""
    for each in cuts:
        recipes.keep(connection, each.sha256, each.recipe, each.spans)


def enqueue_lacking(connection: Connection) -> None:
    """Enqueue a job for each release with a file that has no recipe: those of before there were any."""
    of, by, release = tables.release_files.c, tables.recipes.c, tables.releases.c
    files = select(of.publisher, of.name, of.version).where(~exists().where(by.sha256 == of.sha256))
    manifests = select(release.publisher, release.name, release.version).where(
        ~exists().where(by.sha256 == release.manifest)
    )
    rows = connection.execute(union(files, manifests)).all()
    jobs.enqueue_all(connection, JOB, (contracts.by_key((*row,)) for row in rows))


def encode(kept: Kept, key: Key) -> None:
    """Give the files of a release what they lack: recipes, and parents, which need recipes first."""
    _encode_lacking(kept, key)
    with kept.database.reading() as connection:
        others = parents.related(connection, key)
    for other in others:
        with contextlib.suppress(NotFound):  # a file of it is lost
            _encode_lacking(kept, other)
    parents.find(kept, key)


def _encode_lacking(kept: Kept, key: Key) -> None:
    """Give the files of a release the recipes that they lack; raises NotFound for one that is lost."""
    with kept.database.reading() as connection:
        found = releases.release(connection, *key)
        names = {file.path: file.sha256 for file in found.entry.files}
        names[MANIFEST] = found.entry.manifest
        lacking = {
            path: sha256
            for path, sha256 in names.items()
            if recipes.body(connection, sha256) is None
        }
    if lacking:
        spans = layout(describing.staged(kept, found.entry, found.record).facts)
        for path, sha256 in lacking.items():
            _encode(kept, sha256, spans.get(path, ()))


def cut_anew(kept: Kept, sha256: str) -> None:
    """Give a published file another recipe, from the whole file that lies there."""
    with kept.database.reading() as connection:
        spans = recipes.layout(connection, sha256)
    _encode(kept, sha256, spans, instead=True)


def _encode(kept: Kept, sha256: str, spans: tuple[Span, ...], *, instead: bool = False) -> None:
    """Give a published file its recipe."""

    def name(recipe: Recipe) -> None:
        with kept.database.writing() as connection:
            if instead:
                recipes.forget(connection, sha256)
            recipes.keep(connection, sha256, recipe, spans)

    _taken_apart(kept, kept.raw.path(sha256), spans, name)


def _cut(
    kept: Kept, session: Session, file: Declared | None, sha256: str, spans: tuple[Span, ...]
) -> Cut:
    path = kept.store.path(sha256)
    with kept.database.reading() as connection:
        made = arriving.complete_recipe(connection, session, file) if file else None
    # a recipe may be told of a file that was then sent whole, and be that of another one
    if made is None or not is_made_of(path, made):
        made = _taken_apart(
            kept,
            path,
            spans,
            lambda recipe: arriving.name(kept, session, sha256, recipe),
        )
    return Cut(sha256, made, spans)


def _taken_apart(
    kept: Kept, path: Path, spans: tuple[Span, ...], name: Callable[[Recipe], None]
) -> Recipe:
    """The recipe of the file at `path`, its segments kept; `name` writes that they are needed.

    One that was here already, needed by nobody, may be swept away until it is named: looking once
    more after that tells. What is named stays.
    """
    made = take_apart(path, cuts(spans), kept.blobs, kept.codecs)
    name(made)
    while (found := _lying(kept, made)) != made:
        made = found or take_apart(path, cuts(spans), kept.blobs, kept.codecs)
        name(made)
    return made


def _lying(kept: Kept, recipe: Recipe) -> Recipe | None:
    """The recipe with the bytes in which its segments lie there, None where one does not."""
    ids = [identifier for identifier, _, _ in recipe.segments()]
    found = lying(ids, kept.blobs)
    stored = tuple(size for each in ids if (size := found[each]) is not None)
    return msgspec.structs.replace(recipe, stored=stored) if len(stored) == len(ids) else None
