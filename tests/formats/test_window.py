"""The window that keeps readers to the headers."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats.window import Window


def test_it_counts_what_is_read() -> None:
    window = Window(io.BytesIO(b"one\ntwo"), allowance=100)
    assert (window.readline(), window.read(), window.spent) == (b"one\n", b"two", 7)


def test_an_absurd_length_costs_nothing() -> None:
    assert Window(io.BytesIO(b"abc"), allowance=3).read(1 << 62) == b"abc"


@pytest.mark.parametrize("read", [lambda window: window.read(4), lambda window: window.readline()])
def test_the_allowance_is_kept(read: Callable[[Window], bytes]) -> None:
    window = Window(io.BytesIO(b"abcdef"), allowance=3)
    with pytest.raises(FormatError, match="larger than"):
        read(window)
