"""Blobs on disk and in a bucket: the same promises, whatever the world does."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from modelshelf.errors import Invalid, NetworkError, NotAllowed, NotFound, ShelfError
from modelshelf.store.blobs import Blobs, DiskBlobs
from modelshelf.store.bucket import Bucket
from modelshelf.store.s3 import RENEW_SECONDS, S3Blobs
from tests.s3 import ObjectStore, serving_s3
from tests.trouble.conftest import small_disk

BIG_BYTES = (4 << 20) + 64
EVERY_METHOD: dict[str, Callable[[Blobs, str], object]] = {
    "put": lambda blobs, key: blobs.put(key, b"blob"),
    "get": lambda blobs, key: blobs.get(key),
    "size": lambda blobs, key: blobs.size(key),
    "delete": lambda blobs, key: blobs.delete(key),
    "url": lambda blobs, key: blobs.url(key),
    "held": lambda blobs, _key: list(blobs.held()),
}


def key(number: int, base: int | None = None) -> str:
    identifier = f"{number * 0x9E3779B1 % 2**32:08x}" * 8
    return identifier if base is None else f"{identifier}-{key(base)}"


@pytest.fixture
def prefix() -> str:
    return f"test/{secrets.token_hex(8)}"


@pytest.fixture(params=["disk", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path, prefix: str) -> Path:
    """The folder in which the blobs of `blobs` end up."""
    if request.param == "disk":
        return tmp_path / "blobs"
    store: ObjectStore = request.getfixturevalue("s3")
    return store.folder / prefix


@pytest.fixture
def blobs(request: pytest.FixtureRequest, root: Path, prefix: str) -> Blobs:
    if request.node.callspec.params["root"] == "disk":
        return DiskBlobs(root, fsync=False)
    store: ObjectStore = request.getfixturevalue("s3")
    return S3Blobs(store.at(prefix))


@pytest.mark.parametrize(
    "content",
    [b"b", bytes(range(256)) * 100, os.urandom(BIG_BYTES), memoryview(b"a part")[2:]],
    ids=["one", "some", "big", "view"],
)
@pytest.mark.parametrize("name", [key(1), key(1, base=2)], ids=["solo", "delta"])
def test_what_is_put_is_there(blobs: Blobs, name: str, content: bytes | memoryview) -> None:
    before = time.time()
    blobs.put(name, content)
    assert blobs.get(name) == content
    assert blobs.size(name) == len(content)
    (held,) = blobs.held()
    assert (held.key, held.size) == (name, len(content))
    assert abs(held.written - before) < 60


def test_the_first_stays(blobs: Blobs) -> None:
    blobs.put(key(1), b"first")
    blobs.put(key(1), b"second, which is longer")
    assert blobs.get(key(1)) == b"first"


def test_nothing_is_missing_quietly(blobs: Blobs) -> None:
    with pytest.raises(NotFound) as caught:
        blobs.get(key(1))
    assert caught.value.where == key(1)
    assert blobs.size(key(1)) is None
    assert list(blobs.held()) == []


def test_what_is_deleted_is_gone_and_may_come_again(blobs: Blobs) -> None:
    blobs.put(key(1), b"first")
    blobs.put(key(2), b"other")
    blobs.delete(key(1))
    blobs.delete(key(1))
    assert blobs.size(key(1)) is None
    assert [each.key for each in blobs.held()] == [key(2)]
    blobs.put(key(1), b"second")
    assert blobs.get(key(1)) == b"second"


@contextlib.contextmanager
def over(kind: str, copied: DiskBlobs) -> Iterator[Blobs]:
    """Blobs made of what is in `copied` already."""
    if kind == "disk":
        yield DiskBlobs(copied.root)
        return
    with serving_s3(copied.root.parents[1]) as store:
        yield S3Blobs(store.at(copied.root.name))


@pytest.fixture
def copied(tmp_path: Path) -> DiskBlobs:
    return DiskBlobs(tmp_path / "models" / "segments", fsync=False)


@pytest.mark.parametrize("kind", ["disk", "s3"])
def test_all_are_held_and_nothing_else(kind: str, copied: DiskBlobs) -> None:
    for number in range(1100):
        copied.put(key(number), b"blob")
    for other in ("README", "00/README", f"zz/{key(1)}", f"00/{key(1)}x", "00/.aa.part"):
        (copied.root / other).parent.mkdir(exist_ok=True)
        (copied.root / other).write_bytes(b"other")
    with over(kind, copied) as blobs:
        assert sorted(each.key for each in blobs.held()) == sorted(map(key, range(1100)))
        assert blobs.get(key(1099)) == b"blob"


def test_prefixes_are_apart(s3: ObjectStore, prefix: str) -> None:
    one, more = S3Blobs(s3.at(prefix)), S3Blobs(s3.at(f"{prefix}-more"))
    more.put(key(1), b"blob")
    assert list(one.held()) == []
    assert one.size(key(1)) is None


@pytest.mark.parametrize(
    "name",
    ["", "../" * 3, "a" * 63, "A" * 64, f"{'a' * 64}\n", f"{'a' * 64}-", f"{key(1)}/{key(2)}",
     f"../{key(1)}", f"{key(1)}-{key(2)}-{key(3)}", "é" * 64, "٣" * 64],
)  # fmt: skip
@pytest.mark.parametrize("method", sorted(EVERY_METHOD.keys() - {"held"}))
def test_what_is_no_key_is_no_path(blobs: Blobs, root: Path, method: str, name: str) -> None:
    with pytest.raises(Invalid):
        EVERY_METHOD[method](blobs, name)
    assert not root.exists()


def test_many_threads(blobs: Blobs) -> None:
    def work(number: int) -> bytes:
        blobs.put(key(number % 8), bytes([number % 8]) * 10_000)
        return blobs.get(key(number % 8))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(64)))
    assert found == [bytes([number % 8]) * 10_000 for number in range(64)]


# Clients fetch from the bucket


def fetched(url: str, **headers: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_url_leads_to_the_blob_or_a_part_of_it(s3: ObjectStore, prefix: str) -> None:
    blobs = S3Blobs(s3.at(prefix))
    content = os.urandom(100_000)
    blobs.put(key(1), content)
    assert fetched(blobs.url(key(1))) == (200, content)
    assert fetched(blobs.url(key(1)), Range="bytes=99000-")[1] == content[99000:]
    assert fetched(blobs.url(key(2)))[0] == 404


def test_a_url_leads_to_no_other_blob(s3: ObjectStore, prefix: str) -> None:
    blobs = S3Blobs(s3.at(prefix))
    blobs.put(key(2), b"blob")
    assert fetched(blobs.url(key(1)).replace(key(1), key(2)))[0] == 403


def test_a_url_names_the_address_that_clients_know(s3: ObjectStore, prefix: str) -> None:
    known = s3.endpoint.replace("127.0.0.1", "localhost")
    blobs = S3Blobs(replace(s3.at(prefix), public_url=known))
    blobs.put(key(1), b"blob")
    assert blobs.url(key(1)).startswith(f"{known}/")
    assert fetched(blobs.url(key(1))) == (200, b"blob")


def test_on_disk_there_is_no_url(tmp_path: Path) -> None:
    assert DiskBlobs(tmp_path).url(key(1)) is None


# An object store that refuses, or does not answer


@pytest.mark.parametrize("method", sorted(EVERY_METHOD.keys() - {"url"}))
def test_a_wrong_key_is_told(s3: ObjectStore, prefix: str, method: str) -> None:
    blobs = S3Blobs(replace(s3.at(prefix), secret_access_key="wrong"))
    with pytest.raises(NotAllowed) as caught:
        EVERY_METHOD[method](blobs, key(1))
    assert "AWS_SECRET_ACCESS_KEY" in (caught.value.hint or "")
    assert s3.secret_access_key not in repr(caught.value.as_json())


@pytest.mark.parametrize("method", ["put", "get", "held"])
def test_a_missing_bucket_is_told(s3: ObjectStore, prefix: str, method: str) -> None:
    blobs = S3Blobs(replace(s3.at(prefix), name="elsewhere"))
    with pytest.raises(NotFound) as caught:
        EVERY_METHOD[method](blobs, key(1))
    assert caught.value.where == f"s3://elsewhere/{prefix}"


def beyond(endpoint: str) -> S3Blobs:
    bucket = Bucket(
        name="models", endpoint=endpoint, access_key_id="ID", secret_access_key="secret"
    )
    return S3Blobs(bucket, timeout_seconds=0.3)


@pytest.mark.parametrize("method", ["put", "get", "held"])
def test_a_server_that_is_down_is_told(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(NetworkError) as caught:
        EVERY_METHOD[method](beyond(f"http://127.0.0.1:{port}"), key(1))
    assert caught.value.got == "Connection refused"


@pytest.mark.parametrize("method", ["size", "get", "delete", "held"])
def test_a_server_that_says_nothing_is_not_waited_for(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NetworkError) as caught:
            EVERY_METHOD[method](beyond(f"http://127.0.0.1:{port}"), key(1))
    assert caught.value.got == "no answer in time"


class Answers(BaseHTTPRequestHandler):
    """An object store that has nothing; what it answers to a put on condition is set."""

    conditional = 200
    plain = 200
    puts: list[bytes]

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.conditional if self.headers["If-None-Match"] == "*" else self.plain
        if status == 200:
            self.puts.append(body)
        self._answer(status)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("ETag", '"tag"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextlib.contextmanager
def answering(conditional: int, plain: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    puts: list[bytes] = []
    settings = {"conditional": conditional, "plain": plain, "puts": puts}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Set", (Answers,), settings))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", puts
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("conditional", "expected"), [(200, [b"blob"]), (412, []), (501, [b"blob"])]
)
def test_a_put_asks_not_to_replace_what_another_put_meanwhile(
    conditional: int, expected: list[bytes]
) -> None:
    with answering(conditional) as (url, puts):
        blobs = beyond(url)
        blobs.put(key(1), b"blob")
        assert puts == expected
        blobs.put(key(2), b"more")
        assert puts == [*expected, b"more"][: 2 * len(expected)]


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_server_in_trouble_is_told(status: int) -> None:
    with answering(status, status) as (url, _), pytest.raises(NetworkError) as caught:
        beyond(url).put(key(1), b"blob")
    assert caught.value.got == str(status)


def test_without_a_key_and_a_role_the_operator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200) as (url, _):
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", url)
        blobs = S3Blobs(Bucket(name="models", endpoint=url))
        with pytest.raises(NotAllowed, match="no key"):
            blobs.get(key(1))


# What was written long ago and is put again must not look forgotten


@pytest.mark.parametrize("kind", ["disk", "s3"])
def test_a_blob_that_is_put_again_counts_as_new(kind: str, copied: DiskBlobs) -> None:
    copied.put(key(1), b"first")
    long_ago = time.time() - RENEW_SECONDS - 100
    os.utime(copied.path(key(1)), (long_ago, long_ago))
    with over(kind, copied) as blobs:
        assert next(blobs.held()).written < long_ago + 2
        blobs.put(key(1), b"second")
        assert next(blobs.held()).written > long_ago + RENEW_SECONDS
        assert blobs.get(key(1)) == b"first"


# On disk: several processes, killed ones, no space


PUTTING = """\
import sys
from pathlib import Path
from modelshelf.store.blobs import DiskBlobs
from tests.store.test_blobs import key
blobs = DiskBlobs(Path(sys.argv[1]), fsync=False)
print(flush=True)
sys.stdin.readline()
for number in range(300):
    blobs.put(key(number), sys.argv[2].encode() * 50_000)
"""


def test_processes_that_put_the_same_leave_the_first(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUTTING, str(tmp_path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "abc"
    ]  # fmt: skip
    for each in processes:
        assert each.stdout is not None
        each.stdout.readline()
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    blobs, seen = DiskBlobs(tmp_path), dict[str, bytes]()
    running = True
    while running:
        running = any(each.poll() is None for each in processes)
        for held in blobs.held():
            found = blobs.get(held.key)
            assert seen.setdefault(held.key, found[:1]) * 50_000 == found
    assert [each.wait() for each in processes] == [0, 0, 0]
    assert len(seen) == 300
    for each in processes:
        each.communicate()
    assert not list(tmp_path.rglob("*.part"))


KILLED = """\
import os, signal, sys
from pathlib import Path
from modelshelf.store.blobs import DiskBlobs
from tests.trouble.every_moment import changes
from tests.store.test_blobs import key
left = int(sys.argv[2])
def hook(event, arguments):
    global left
    if changes(event, arguments):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
blobs = DiskBlobs(Path(sys.argv[1]))
sys.addaudithook(hook)
blobs.put(key(1), b"blob" * 100_000)
"""


@pytest.mark.no_cover
def test_a_killed_put_leaves_all_or_nothing_and_its_litter_is_swept(tmp_path: Path) -> None:
    sizes, litter = set(), 0
    for moment in range(100):
        blobs = DiskBlobs(tmp_path / str(moment))
        command = [sys.executable, "-c", KILLED, str(blobs.root), str(moment)]
        code = subprocess.run(command, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        sizes.add(blobs.size(key(1)))
        assert len(list(blobs.held())) == (blobs.size(key(1)) is not None)
        assert blobs.sweep(older_than_seconds=60) == []
        litter += len(blobs.sweep(older_than_seconds=-1))
        assert not list(blobs.root.rglob("*.part"))
        assert blobs.size(key(1)) in sizes
        if code == 0:
            break
    assert moment >= 5
    assert litter >= 2
    assert sizes == {None, 400_000}


def test_what_is_being_written_is_not_swept(copied: DiskBlobs) -> None:
    copied.put(key(1), b"blob")
    fresh, left = (copied.path(key(1)).with_name(f".{name}.part") for name in ("fresh", "left"))
    fresh.touch()
    left.touch()
    os.utime(left, (0, 0))
    os.utime(copied.path(key(1)), (0, 0))
    assert copied.sweep(older_than_seconds=3600) == [left]
    assert fresh.exists()
    assert copied.get(key(1)) == b"blob"


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 1 << 20) as limit_bytes:
        if limit_bytes is not None:
            pytest.skip("nothing may be mounted here")
        blobs = DiskBlobs(tmp_path / "small" / "blobs")
        blobs.put(key(1), b"small")
        with pytest.raises(ShelfError, match="No space"):
            blobs.put(key(2), bytes(2 << 20))
        assert [each.key for each in blobs.held()] == [key(1)]
        assert not list(blobs.root.rglob("*.part"))
        blobs.put(key(2), b"small")


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    blobs = DiskBlobs(tmp_path)
    blobs.put(key(1), b"blob")
    assert blobs.get(key(1)) == b"blob"
    assert not list(tmp_path.rglob("*.part"))
