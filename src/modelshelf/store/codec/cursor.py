"""A cursor over the bytes of a blob, which trusts none of them."""

from __future__ import annotations

from modelshelf.errors import IntegrityError


class Cursor:
    """Takes a blob apart from the front; raises IntegrityError where it is cut or says nonsense."""

    def __init__(self, blob: memoryview) -> None:
        self._rest = blob

    def take(self, size: int) -> memoryview:
        """The next `size` bytes."""
        if size > len(self._rest):
            raise malformed(f"{len(self._rest)} bytes where {size} were announced")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def number(self) -> int:
        """The next number: seven bits a byte, the lowest first, below 2^35."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise malformed("a number without end")

    def rest(self) -> memoryview:
        """All bytes that are left."""
        return self.take(len(self._rest))

    def finish(self) -> None:
        """Raise IntegrityError if bytes are left."""
        if len(self._rest):
            raise malformed(f"{len(self._rest)} bytes too many")


def number(value: int) -> bytes:
    """The bytes from which `Cursor.number` reads `value`."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes((*written, value))


def malformed(what: str) -> IntegrityError:
    """The error for a blob that no encoder writes."""
    return IntegrityError(
        "a segment is not to be decoded", got=what[:200], hint="fetch it once more"
    )
