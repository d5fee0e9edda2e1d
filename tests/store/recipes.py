"""Recipes of contents that tests make up."""

from __future__ import annotations

import random

import blake3

from modelshelf.store.recipe import Recipe


def recipe_of(*segments: bytes) -> Recipe:
    """The recipe of the file that these segments are."""
    return Recipe(
        sum(map(len, segments)),
        b"".join(blake3.blake3(each).digest() for each in segments),
        tuple(map(len, segments)),
        tuple(len(each) + 2 for each in segments),
    )


def segment(number: int, size: int = 1000) -> bytes:
    """Bytes that no other number gives."""
    return random.Random(number).randbytes(size)
