"""Moving bytes: files from a registry into the store and back, resumed, checked, shown."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import NamedTuple

from modelshelf.client.http import Connection, retries
from modelshelf.errors import Conflict, IntegrityError, NetworkError
from modelshelf.store.disk import DiskStore

threads = 4
block_bytes = 1 << 20
another_process_seconds = 120.0
"""How long to wait for another process that fetches the same file and does not get on."""

Progress = Callable[[int], None]
"""Told how many more bytes have arrived (or were found to be there already)."""


class Wanted(NamedTuple):
    """One file to fetch: its digest and its size in bytes."""

    sha256: str
    size: int


def fetch(
    connect: Callable[[], Connection],
    store: DiskStore,
    files: Iterable[Wanted],
    *,
    release: str,
    progress: Progress,
) -> None:
    """Bring `files` of `release` (`name@version`) into the store, four at a time.

    `connect` gives the registry; it is not asked where nothing is missing. What another run left half done is gone on with. Raises IntegrityError for wrong bytes,
    NetworkError when the registry stays away, ShelfError on a full disk; whole files stay.
    """
    headers = {"Shelf-Install": f"{secrets.token_hex(8)} {release}"}
    missing = {file.sha256: file for file in files if not store.has(file.sha256)}
    if not missing:
        return
    http = connect()
    with ThreadPoolExecutor(threads) as pool:
        tasks = [
            pool.submit(_fetch_file, http, store, file, headers, progress)
            for file in missing.values()
        ]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _fetch_file(
    http: Connection, store: DiskStore, file: Wanted, headers: dict[str, str], progress: Progress
) -> None:
    """Fetch one file; where another process is at it, wait for as long as that one gets on."""
    seen, since = -1, time.monotonic()
    while not store.has(file.sha256):
        counted: list[int] = []

        def count(more: int, counted: list[int] = counted) -> None:
            counted.append(more)
            progress(more)

        try:
            return _fetch_alone(http, store, file, headers, count)
        except (Conflict, FileNotFoundError):  # it is being written, or was moved a moment ago
            progress(-sum(counted))
            length = store.stage(file.sha256).stat().st_size
            if length != seen:
                seen, since = length, time.monotonic()
            elif time.monotonic() - since > another_process_seconds:
                raise
        time.sleep(0.1)
    store.discard(store.stage(file.sha256))
    progress(file.size)
    return None


def _fetch_alone(
    http: Connection, store: DiskStore, file: Wanted, headers: dict[str, str], progress: Progress
) -> None:
    """Fetch one file; every attempt goes on where the last one ended, and only standstill counts."""
    partial = store.stage(file.sha256)
    digest, offset = _begun(partial, file.size)
    progress(offset)
    failures = 0
    while offset < file.size:
        before = offset
        try:
            for block in _blocks(http, store, partial, file, offset, headers):
                digest.update(block)
                offset += len(block)
                progress(len(block))
        except NetworkError:
            if failures == retries:
                raise
        failures = 0 if offset > before else failures + 1
        if failures > retries:
            raise NetworkError(
                "the registry ends the file too early", where=f"{http.base}/files/{file.sha256}"
            )
        if offset < file.size and failures:
            time.sleep(0.2 * 2**failures)
    store.commit(partial, file.sha256, computed=digest.hexdigest())


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
    headers: dict[str, str],
) -> Iterator[memoryview]:
    """Append the file's bytes from `offset` to `partial`, yielding each block once it is written."""
    buffer = memoryview(bytearray(block_bytes))
    left = file.size - offset
    with store.append(partial, offset) as appender:  # before anything is asked for in vain
        response = _opened(http, file, offset, headers)
        while left:
            count = _read(http, response, buffer[: min(left, block_bytes)])
            if not count:
                break
            appender.write(buffer[:count])
            left -= count
            yield buffer[:count]
    if left:
        http.close()
    else:
        response.read()


def _opened(http: Connection, file: Wanted, offset: int, headers: dict[str, str]) -> HTTPResponse:
    """The response that begins with byte `offset` of the file and has all that follow."""
    asked = headers | ({"Range": f"bytes={offset}-"} if offset else {})
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


def _read(http: Connection, response: HTTPResponse, buffer: memoryview) -> int:
    try:
        return response.readinto(buffer)
    except (OSError, HTTPException) as error:
        http.close()
        raise NetworkError(f"the connection broke: {error}", where=http.base) from None


def send(http: Connection, path: str, source: Path, offset: int, progress: Progress) -> None:
    """PUT the bytes of `source` from `offset` on to `path`, one request."""
    size = source.stat().st_size
    http.upload(f"{path}?offset={offset}", _file_blocks(source, offset, progress), size - offset)


def _file_blocks(source: Path, offset: int, progress: Progress) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(offset)
        while block := file.read(block_bytes):
            yield block
            progress(len(block))
