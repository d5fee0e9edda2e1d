"""Files as their segments tell them: each segment is there and has its id, all are the file."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import select

from modelshelf.errors import IntegrityError, NotFound
from modelshelf.registry import encoding, recipes, tables
from modelshelf.registry.fsck import mending
from modelshelf.registry.fsck.mending import Place
from modelshelf.registry.fsck.state import Check
from modelshelf.registry.service import Kept
from modelshelf.store.digest import Hashes, sha256_of
from modelshelf.store.recipe import Recipe
from modelshelf.store.whole import threads

Item = TypeVar("Item")
Made = TypeVar("Made")


class _Read(NamedTuple):
    """A segment as it was read: bytes of its blob, and its own, where they are the right ones."""

    id: str
    place: Place
    stored: int
    content: bytes | None


def look(check: Check, sha256: str) -> None:
    """Read a file from its segments, and mend those that its own whole file or parents hold."""
    with check.kept.database.reading() as connection:
        row = connection.execute(select(tables.blobs).filter_by(sha256=sha256)).one()
        has_recipe = recipes.body(connection, sha256) is not None
    recipe = check.recipe(sha256)
    is_right = recipe is not None and _digests(check, sha256, recipe) in (
        None,
        Hashes(row.size, row.sha256, row.git, row.md5),
    )
    if has_recipe and not is_right:
        mended = check.repair and _cut_anew(check.kept, sha256)
        (check.untold if mended else check.unfit).add(sha256)
        check.tell("recipe", sha256, sha256, mended=mended)


def mend_from_others(check: Check) -> None:
    """Mend what is still lost from other files, then read those files that lacked it."""
    lacking = {place.sha256 for places in check.lost.values() for place in places}
    while check.repair and _mend_some(check):
        pass  # what was mended may be the base of another one
    for identifier, places in check.lost.items():
        for place in places:
            check.tell("segment", place.sha256, identifier)
    for sha256 in lacking if check.repair else ():
        look(check, sha256)


def _mend_some(check: Check) -> bool:
    mended = False
    for identifier, places in [*check.lost.items()]:
        mended |= _mend(check, identifier, places) is not None
    return mended


def _digests(check: Check, sha256: str, recipe: Recipe) -> Hashes | None:
    """The digests of what the segments are together; None where one is lost."""
    git = hashlib.sha1(f"blob {recipe.size}\0".encode(), usedforsecurity=False)
    digests = hashlib.sha256(), git, hashlib.md5(usedforsecurity=False)
    is_whole = True
    with check.kept.database.reading() as connection:
        sizes = recipes.sizes(connection, recipe.distinct())
    places = ((each, Place(sha256, *where)) for each, *where in recipe.segments())
    for read, stored in zip(
        _in_order(partial(_read, check.kept), places), recipe.stored, strict=True
    ):
        check.advance(read.place.size, segments=1)
        content = read.content
        if content is None:
            content = _mend(check, read.id, [read.place])
            if content is None:
                check.lost.setdefault(read.id, []).append(read.place)
        elif {sizes.get(read.id), (read.place.size, stored)} != {(len(content), read.stored)}:
            check.sizes[read.id] = (len(content), read.stored)
            check.tell("size", sha256, read.id, mended=check.repair)
        for digest in digests:
            digest.update(content or b"")
        is_whole = is_whole and content is not None
    return Hashes(recipe.size, *(each.hexdigest() for each in digests)) if is_whole else None


def _read(kept: Kept, segment: tuple[str, Place]) -> _Read:
    identifier, place = segment
    try:
        blob = kept.blobs.get(identifier)
        with kept.codecs.one() as codec:
            content = codec.decode(blob, place.size)
            if mending.is_it(identifier, content):
                return _Read(identifier, place, len(blob), bytes(content))
    except (NotFound, IntegrityError):
        pass
    return _Read(identifier, place, 0, None)


def _mend(check: Check, identifier: str, places: Iterable[Place]) -> bytes | None:
    """Make a segment anew from what is at one of the places; None where nothing is."""
    got = mending.recovered(check.kept, identifier, places) if check.repair else None
    if got is None:
        return None
    place, content = got
    check.sizes[identifier] = (len(content), mending.put_anew(check.kept, identifier, *got))
    for each in (place, *check.lost.pop(identifier, ())):
        check.tell("segment", each.sha256, identifier, mended=True)
    return content


def _cut_anew(kept: Kept, sha256: str) -> bool:
    """Make a recipe from the whole file, where that is right."""
    try:
        is_right = sha256_of(kept.store.path(sha256)) == sha256
    except FileNotFoundError:
        return False
    if is_right:
        encoding.cut_anew(kept, sha256)
    return is_right


def _in_order(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What `work` makes of each item, in order, a few of them at once."""
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[Made]] = deque()
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > 2 * threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
