"""Whole files as they come from a registry: gone on with where they broke off, checked at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelshelf.client.arriving import Response
from modelshelf.client.http import Connection
from modelshelf.client.receive import Stopped, Wire, failed
from modelshelf.client.transfer import Progress, Wanted
from modelshelf.errors import IntegrityError, NetworkError
from modelshelf.store.disk import DiskStore

block_bytes = 256 << 10


def fetch(
    http: Connection,
    store: DiskStore,
    file: Wanted,
    headers: Mapping[str, str],
    wire: Wire,
    progress: Progress,
) -> int:
    """Fetch one file; gives how much of it was there. Raises what `segments.fetch` raises."""
    partial = store.stage(file.sha256)
    digest, offset = _begun(partial, file.size)
    progress(offset)
    there, failures = offset, 0
    while offset < file.size:
        before = offset
        try:
            for block in _blocks(http, store, partial, file, offset, headers):
                digest.update(block)
                offset += len(block)
                progress(len(block))
                wire.received(len(block))
                if wire.stop.is_set():
                    raise Stopped
        except NetworkError as error:
            failures = failed(failures, error, advanced=offset > before, stop=wire.stop)
    store.commit(partial, file.sha256, computed=digest.hexdigest())
    return there


def _begun(partial: Path, size: int) -> tuple[hashlib._Hash, int]:
    """The digest of what is there already, and how much that is; too long a partial begins anew."""
    if partial.stat().st_size > size:
        partial.write_bytes(b"")
    digest = hashlib.sha256()
    offset = 0
    with partial.open("rb") as file:
        while block := file.read(block_bytes):
            digest.update(block)
            offset += len(block)
    return digest, offset


def _blocks(
    http: Connection,
    store: DiskStore,
    partial: Path,
    file: Wanted,
    offset: int,
    headers: Mapping[str, str],
) -> Iterator[memoryview]:
    """Append the file's bytes from `offset` to `partial`, yielding each block once it is written."""
    buffer = memoryview(bytearray(min(block_bytes, file.size)))
    left = file.size - offset
    with store.append(partial, offset) as appender:  # before anything is asked for in vain
        response = _opened(http, file, offset, headers)
        try:
            while left:
                count = http.read(response, buffer[:left])
                if not count:
                    raise NetworkError("the registry ends the file too early", where=http.base)
                appender.write(buffer[:count])
                left -= count
                yield buffer[:count]
        finally:
            if left:
                http.close()
    response.read()


def _opened(http: Connection, file: Wanted, offset: int, headers: Mapping[str, str]) -> Response:
    """The response that begins with byte `offset` of the file and has all that follow."""
    asked = dict(headers) | ({"Range": f"bytes={offset}-"} if offset else {})
    response = http.stream(f"/files/{file.sha256}", asked)
    if offset and response.status != 206:
        http.close()
        raise NetworkError("the registry does not resume downloads", where=http.base)
    left = file.size - offset
    if response.length not in (None, left):
        http.close()
        raise IntegrityError(
            "the registry's file has another size than its index says",
            where=file.sha256,
            expected=left,
            got=response.length,
        )
    return response
