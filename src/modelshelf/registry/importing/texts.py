"""Texts and documents of described releases, kept as all files are: in segments, with a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import blake3

from modelshelf.registry.service import Kept
from modelshelf.store.digest import Hashes
from modelshelf.store.recipe import Recipe, pieces
from modelshelf.store.whole import asking, lying


class Text(NamedTuple):
    """A file in memory: what identifies it, of which segments it is made."""

    content: bytes
    hashes: Hashes
    recipe: Recipe


def keep(kept: Kept, contents: Iterable[bytes]) -> dict[bytes, Text]:
    """Keep the segments of each content, whether it was here before or not."""
    distinct = [*dict.fromkeys(contents)]
    with ThreadPoolExecutor(asking) as pool:
        found = pool.map(lambda content: _kept(kept, content), distinct)
        return dict(zip(distinct, found, strict=True))


def keep_again(kept: Kept, texts: Iterable[Text]) -> None:
    """Put once more what was swept away before it was named: to be called when it is."""
    texts = [*texts]
    ids = [identifier for each in texts for identifier in each.recipe.distinct()]
    there = lying(ids, kept.blobs)
    for each in texts:
        if any(there[identifier] is None for identifier in each.recipe.distinct()):
            _kept(kept, each.content)


def hashes_of(content: bytes) -> Hashes:
    """What identifies a file that is in memory."""
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False)
    md5 = hashlib.md5(content, usedforsecurity=False)
    sha256 = hashlib.sha256(content)
    return Hashes(len(content), sha256.hexdigest(), git.hexdigest(), md5.hexdigest())


def _kept(kept: Kept, content: bytes) -> Text:
    ids, sizes, stored = [], [], []
    for piece in pieces(len(content), ()):
        raw = content[piece.start : piece.start + piece.size]
        digest = blake3.blake3(raw).digest()
        length = kept.blobs.size(digest.hex())
        if length is None:
            with kept.codecs.one() as codec:
                blob = codec.solo(raw, 1)
            kept.blobs.put(digest.hex(), blob)
            length = len(blob)
        ids.append(digest)
        sizes.append(piece.size)
        stored.append(length)
    recipe = Recipe(len(content), b"".join(ids), tuple(sizes), tuple(stored))
    return Text(content, hashes_of(content), recipe)
