"""Registries that lie, are not there, or are something else altogether."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Finished, Shelf, run_here, write_package

Pages = dict[str, bytes]
Line = dict[str, Any]


@pytest.fixture
def pages() -> Pages:
    """What a strange server answers, by path; 404 for the rest."""
    return {}


@pytest.fixture
def stranger(pages: Pages) -> Iterator[str]:
    """The URL of a web server that is no registry."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that has read enough hangs up: nothing to tell."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def asked(project: Path, user_env: dict[str, str], stranger: str) -> Callable[..., Finished]:
    """The command line with the stranger as its registry; gives the JSON that it printed."""

    def run(*arguments: str) -> Finished:
        env = user_env | {"MODELSHELF_REGISTRY": stranger}
        return run_here(*arguments, "--json", cwd=project, env=env)

    return run


@pytest.fixture
def line(shelf: Shelf, publisher: str, tmp_path: Path) -> Line:
    """An honest index line of a real release."""
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    done = shelf("publish", str(folder), "--json")
    assert done.code == 0, done.err
    line: Line = json.loads(done.out)
    return line


def climbing(line: Line, pages: Pages) -> None:
    """A file that would be written outside of the shelf; the commit fits it."""
    from modelshelf.package.entry import File, commit_name

    file = next(each for each in line["files"] if each["path"] == "small.onnx")
    file["path"] = "../../../../climbed.onnx"
    line["variants"][0]["artifacts"][0]["files"] = [file["path"]]
    line["commit"] = commit_name(tuple(File(**each) for each in line["files"]))


def another_commit(line: Line, pages: Pages) -> None:
    line["commit"] = "0" * 40


def another_name(line: Line, pages: Pages) -> None:
    line["name"] = "other/package"


def another_size(line: Line, pages: Pages) -> None:
    for file in line["files"]:
        file["size"] += 1


def other_bytes(line: Line, pages: Pages) -> None:
    for file in line["files"]:
        pages[f"/files/{file['sha256']}"] = b"x" * file["size"]


def another_license(line: Line, pages: Pages) -> None:
    """What the manifest says otherwise: rights, needs, dependencies cannot be put into the index."""
    line["license"] = "MIT"


def another_manifest(line: Line, pages: Pages) -> None:
    pages[f"/files/{line['manifest']}"] = b"{}"


def a_digest_that_is_a_path(line: Line, pages: Pages) -> None:
    from modelshelf.package.entry import File, commit_name

    line["files"][0]["sha256"] = "../../../climbed"
    line["commit"] = commit_name(tuple(File(**each) for each in line["files"]))


def a_version_that_is_a_path(line: Line, pages: Pages) -> None:
    line["version"] = "../../climbed"


def a_file_that_is_not_listed(line: Line, pages: Pages) -> None:
    line["variants"][0]["artifacts"][0]["files"] = ["../climbed.onnx"]


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (climbing, 5),
        (another_commit, 5),
        (another_name, 5),
        (another_size, 5),
        (other_bytes, 5),
        (another_license, 5),
        (another_manifest, 5),
        (a_digest_that_is_a_path, 5),
        (a_version_that_is_a_path, 5),
        (a_file_that_is_not_listed, 5),
    ],
)
def test_a_lying_index_puts_nothing_anywhere(
    lie: Callable[[Line, Pages], None],
    code: int,
    line: Line,
    pages: Pages,
    asked: Callable[..., Finished],
    project: Path,
    tmp_path: Path,
    registry_url: str,
) -> None:
    name = line["name"]
    serve(line, pages, tmp_path, registry_url)
    lie(line, pages)
    pages[f"/index/{name}.jsonl"] = json.dumps(line).encode() + b"\n"
    done = asked("install", name)
    told = json.loads(done.out)
    assert (done.code, told["error"]) == (code, "IntegrityError"), told
    assert done.err == ""
    assert not (project / "shelf.lock").exists()
    assert not list(tmp_path.rglob("climbed*"))


def serve(line: Line, pages: Pages, tmp_path: Path, registry_url: str) -> None:
    """Let the stranger have the files of the release and the document that describes it."""
    for path in tmp_path.joinpath("package").iterdir():
        digest = next(each["sha256"] for each in line["files"] if each["path"] == path.name)
        pages[f"/files/{digest}"] = path.read_bytes()
    with urllib.request.urlopen(f"{registry_url}/files/{line['manifest']}") as answer:
        pages[f"/files/{line['manifest']}"] = answer.read()


def test_an_honest_stranger_is_believed(
    line: Line, pages: Pages, asked: Callable[..., Finished], tmp_path: Path, registry_url: str
) -> None:
    """The lies above are refused for what they are, not for who tells them."""
    serve(line, pages, tmp_path, registry_url)
    pages[f"/index/{line['name']}.jsonl"] = json.dumps(line).encode() + b"\n"
    assert asked("install", line["name"]).code == 0


def test_an_index_that_is_older_than_before_is_refused(
    line: Line, pages: Pages, asked: Callable[..., Finished], tmp_path: Path, registry_url: str
) -> None:
    """Who hides a release from a shelf may hide the one that mends it."""
    serve(line, pages, tmp_path, registry_url)
    newer = line | {"version": "1.0.1", "number": 2, "manifest": "f" * 64}
    both = [json.dumps(each).encode() + b"\n" for each in (line, newer)]
    pages[f"/index/{line['name']}.jsonl"] = b"".join(both)
    assert asked("install", f"{line['name']}@=1.0.0").code == 0
    pages[f"/index/{line['name']}.jsonl"] = both[0]
    done = asked("upgrade")
    told = json.loads(done.out)
    assert (done.code, told["error"]) == (5, "IntegrityError")
    assert "older" in told["message"]
    assert asked("sync", "--frozen").code == 0, "what is locked needs no index"
    pages[f"/index/{line['name']}.jsonl"] = both[0].replace(line["manifest"].encode(), b"e" * 64)
    assert asked("upgrade").code == 5


@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b"\xff\xfe\x00", b"{}", b'{"name": 3}', b"[[[[" * 100_000]
)
def test_an_answer_that_is_no_index(
    body: bytes, pages: Pages, asked: Callable[..., Finished], project: Path
) -> None:
    pages["/index/acme/digits.jsonl"] = body
    done = asked("install", "acme/digits")
    assert done.code == 6, done.out
    assert json.loads(done.out)["error"] == "NetworkError"
    assert not (project / "shelf.lock").exists()


@pytest.mark.parametrize(
    "arguments",
    [("install", "acme/digits"), ("search", "digits"), ("info", "acme/digits")],
    ids=lambda arguments: arguments[0],
)
def test_what_is_no_registry_is_told_so(
    arguments: tuple[str, ...], asked: Callable[..., Finished]
) -> None:
    done = asked(*arguments)
    assert done.code == 6, done.out
    assert json.loads(done.out)["hint"]


def test_a_registry_that_is_down(project: Path, user_env: dict[str, str]) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        env = user_env | {"MODELSHELF_REGISTRY": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        done = run_here("install", "acme/digits", "--json", cwd=project, env=env)
    assert done.code == 6
    told = json.loads(done.out)
    assert told["error"] == "NetworkError"
    assert "running" in told["hint"]
    assert not (project / "shelf.lock").exists()


@pytest.mark.parametrize(
    "url", ["ftp://example", "nonsense", "http://", "http://h:99999", "http://[x"]
)
def test_an_address_that_is_none(url: str, project: Path, user_env: dict[str, str]) -> None:
    done = run_here("search", "--json", "--registry", url, cwd=project, env=user_env)
    assert done.code == 2, done.err
    assert json.loads(done.out)["error"] == "UsageError"
