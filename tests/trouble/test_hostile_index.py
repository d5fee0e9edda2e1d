"""A registry that lies: whatever it answers is an error that the user understands, or harmless."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from modelshelf.client.example import program
from modelshelf.client.remote import Registry
from modelshelf.client.settings import Settings
from modelshelf.errors import IntegrityError, NetworkError, ShelfError
from modelshelf.package.entry import Entry, File, commit_name
from modelshelf.package.record import Artifact, Variant
from modelshelf.package.signature import Signature, Tensor

NAME = "acme/scale"


class Liar(ThreadingHTTPServer):
    """Answers everything with the same status and body."""

    status = 200
    body = b""


@pytest.fixture
def liar() -> Iterator[Liar]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert isinstance(self.server, Liar)
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(self.server.body)))
            self.end_headers()
            self.wfile.write(self.server.body)

        def log_message(self, *_: object) -> None:
            pass

    server = Liar(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def asked(liar: Liar, tmp_path: Path) -> Registry:
    return Registry(Settings(tmp_path, f"http://127.0.0.1:{liar.server_port}", None))


def entry(*, files: tuple[str, ...] = ("a.onnx",), named: str = "a.onnx") -> Entry:
    held = tuple(File(path, 1, "0" * 64, "0" * 40, "0" * 32) for path in files)
    variants = (Variant("small", (Artifact("onnx", (named,)),)),)
    return Entry(NAME, "1.0.0", commit_name(held), 1, "0" * 64, "2026-01-01", held, variants)


@pytest.mark.parametrize("named", ["b.onnx", "../../secret.onnx", "/etc/passwd"])
def test_an_artifact_is_made_of_the_files_of_its_release(
    named: str, liar: Liar, asked: Registry
) -> None:
    liar.body = msgspec.json.encode(entry(named=named))
    with pytest.raises(IntegrityError):
        asked.entries(NAME)


@pytest.mark.parametrize("path", ["../x", ".release.json", ".Release.JSON", "x\u202egnp.py"])
def test_paths_that_would_do_harm_are_refused(path: str, liar: Liar, asked: Registry) -> None:
    liar.body = msgspec.json.encode(entry(files=(path,), named=path))
    with pytest.raises(IntegrityError):
        asked.entries(NAME)


@pytest.mark.parametrize("manifest", ["", "x", "../../x"])
def test_a_release_without_variants_or_hashes_is_refused(
    manifest: str, liar: Liar, asked: Registry
) -> None:
    honest = entry()
    liar.body = msgspec.json.encode(msgspec.structs.replace(honest, variants=()))
    with pytest.raises(IntegrityError):
        asked.entries(NAME)
    odd = tuple(msgspec.structs.replace(file, sha256=manifest) for file in honest.files)
    liar.body = msgspec.json.encode(
        msgspec.structs.replace(honest, files=odd, commit=commit_name(odd))
    )
    with pytest.raises(IntegrityError):
        asked.entries(NAME)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"Invalid","message":{},"problems":"all"}',
        b'{"error":"Invalid","problems":7}',
        b'{"error":"Invalid","problems":[1,null,{"file":{},"line":"x","message":[]}]}',
        b'{"error":"NotFound","hint":{"a":1},"message":5}',
        b"[" * 100_000,
        b'{"message":' * 100_000,
    ],
)
def test_odd_errors_are_errors_all_the_same(body: bytes, liar: Liar, asked: Registry) -> None:
    liar.status, liar.body = 422, body
    with pytest.raises(ShelfError) as caught:
        asked.describe(NAME, "1.0.0")
    assert isinstance(caught.value.message, str)
    assert isinstance(caught.value.hint, str | None)
    assert all(isinstance(each.where(), str) for each in caught.value.problems)


@pytest.mark.parametrize("ask", ["describe", "entries"])
def test_endless_nesting_is_no_answer(ask: str, liar: Liar, asked: Registry) -> None:
    liar.body = b'{"a":' * 100_000
    ways: dict[str, Callable[[], object]] = {
        "describe": lambda: asked.describe(NAME, "1.0.0"),
        "entries": lambda: asked.entries(NAME),
    }
    with pytest.raises(NetworkError):
        ways[ask]()


BREAKOUT = 'x"\nimport os; os._exit(66)\n"'


@pytest.mark.parametrize(
    "inputs",
    [
        {BREAKOUT: Tensor("float32", (1,))},
        {"x": Tensor(BREAKOUT, (1,))},
        {"x": Tensor("float32", (BREAKOUT,))},
        {"class": Tensor("float32", (1,)), "a b": Tensor("string", (1,))},
    ],
)
def test_an_example_holds_nothing_that_the_publisher_wrote_as_code(
    inputs: dict[str, Tensor],
) -> None:
    text = program(NAME, None, Signature(inputs, {}))
    assert compile(text, "example", "exec")
    assert not [line for line in text.splitlines() if line.startswith("import os")]
