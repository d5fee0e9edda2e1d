"""How many bytes a second may pass, in all threads together: `--limit-rate`."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from modelshelf.errors import UsageError

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SPARE_SECONDS = 0.25
"""What was not used may be used later, but not more than this much time's worth."""
_PORTION_SECONDS = 0.1


class Bucket:
    """`bytes_per_second` for whoever takes; those who wait are served in their order."""

    def __init__(
        self,
        bytes_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.Lock()
        self._free_at = clock()

    def take(self, count: int) -> None:
        """Wait until `count` more bytes may pass."""
        with self._turn:
            now = self._clock()
            self._free_at = max(self._free_at, now - _SPARE_SECONDS) + count / self._rate
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)

    def portion(self, most: int) -> int:
        """How many bytes, at most `most`, to move at once, so that they flow evenly."""
        return max(1, min(most, int(self._rate * _PORTION_SECONDS)))

    def paced(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, not faster than they may pass."""
        for chunk in chunks:
            size = self.portion(len(chunk))
            for start in range(0, len(chunk), size):
                part = chunk[start : start + size]
                self.take(len(part))
                yield part


def parsed(text: str) -> int:
    """The bytes a second that `500K`, `1.5M` or `20000` mean; raises UsageError."""
    match = re.fullmatch(
        r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([kmg]?)(?:i?b)?(?:/s)?", text.strip().lower()
    )
    found = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if found < 1:
        raise UsageError(
            "this is no rate", expected="bytes a second, as 20000, 500K or 1.5M", got=text[:80]
        )
    return found
