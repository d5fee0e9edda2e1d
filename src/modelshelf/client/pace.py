"""Whether segments come sooner raw: the link and the decoding, measured as they are used."""

from __future__ import annotations

import threading

_FIRST_BYTES = 4 << 20
"""So much is to be measured of each before anything is concluded."""


class _Speed:
    def __init__(self) -> None:
        self._bytes = 0
        self._seconds = 0.0

    def note(self, count: int, seconds: float) -> None:
        self._bytes += count
        self._seconds += seconds

    def bytes_per_second(self) -> float | None:
        if self._bytes < _FIRST_BYTES:
            return None
        return self._bytes / max(self._seconds, 1e-6)


class Pace:
    """What one thread receives, and decodes, in a second."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._link, self._decoding = _Speed(), _Speed()

    def received(self, count: int, seconds: float) -> None:
        """So many bytes came in so much time of waiting for them."""
        with self._turn:
            self._link.note(count, seconds)

    def decoded(self, count: int, seconds: float) -> None:
        """So many raw bytes were made in so much time."""
        with self._turn:
            self._decoding.note(count, seconds)

    def prefers_raw(self, stored: int, raw: int) -> bool:
        """Whether `raw` bytes arrive sooner than `stored` ones arrive and are decoded."""
        with self._turn:
            link, decoding = self._link.bytes_per_second(), self._decoding.bytes_per_second()
        if link is None or decoding is None:
            return False
        return link > decoding * (1 - stored / raw)
