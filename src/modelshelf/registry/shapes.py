"""What msgspec has to know of every type, learned before there are threads.

It learns a type at its first decoding, and lets other threads use what is learned by halves: two
requests that are the first of their kind would crash the process (msgspec 0.22).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


def learn() -> int:
    """Make a decoder of every struct that is imported and can be decoded; gives how many there are."""
    return sum(map(_learned, _below(msgspec.Struct)))


def _learned(kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.json.Decoder(kind)
    except TypeError:  # of several structs that look alike in JSON: nobody decodes such
        return False
    return True


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("modelshelf."):
            yield each
        yield from _below(each)
