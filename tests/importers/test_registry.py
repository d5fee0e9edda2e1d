"""A registry of Modelshelf as a catalogue: a real one, and answers that no registry would give."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelshelf import importers
from modelshelf.errors import NetworkError, NotFound, UsageError
from modelshelf.importers import registry
from modelshelf.package.catalogue import CataloguePart, Found
from modelshelf.study.rows import rows
from modelshelf.study.schema import DescriptionRow
from tests.conftest import Shelf
from tests.study.catalogues import release

Package = Callable[..., Path]


def read(url: str, publisher: str) -> Any:
    """The catalogue, with one publisher's releases only: all tests share the registry."""
    found = importers.read(f"registry:{url}")
    own = [each for each in found.releases if each.record.package.name.startswith(f"{publisher}/")]
    return msgspec.structs.replace(found, releases=tuple(own))


@pytest.fixture
def published(shelf: Shelf, publisher: str, package: Package, tmp_path: Path) -> str:
    """A package of the publisher in two versions, and one that needs it."""
    for number, (name, version, needs) in enumerate(
        [("scale", "1.0.0", {}), ("scale", "1.10.0", {}), ("scale", "1.9.0", {}),
         ("after", "1.0.0", {"scale": "^1.0"})]
    ):  # fmt: skip
        dependencies = {f"{publisher}/{each}": wanted for each, wanted in needs.items()}
        folder = package(
            tmp_path / str(number), name=f"{publisher}/{name}", version=version,
            factor=2.0 + number / 8, dependencies=dependencies,
        )  # fmt: skip
        done = shelf("publish", str(folder), "--override", "a test")
        assert done.code == 0, done.err
    return publisher


def test_everything_that_was_published_is_there(published: str, registry_url: str) -> None:
    found = read(registry_url, published)
    assert [(r.record.package.name, r.record.package.version) for r in found.releases] == [
        (f"{published}/after", "1.0.0"),
        (f"{published}/scale", "1.0.0"),
        (f"{published}/scale", "1.9.0"),
        (f"{published}/scale", "1.10.0"),
    ]
    assert (found.hub, found.specification) == ("registry", f"registry:{registry_url}")
    newest = found.releases[-1]
    assert newest.handle == newest.page == f"{published}/scale/1.10.0"
    assert newest.url == f"{registry_url}/{published}/scale/1.10.0"
    assert newest.record.package.summary == "Doubles numbers"
    (artifact,) = newest.record.variants[1].artifacts
    assert (artifact.format, artifact.files) == ("onnx", ())
    assert {each.outcome for each in found.pages} == {"imported"}
    assert published in {each.name for each in found.publishers}


def test_marks_tell_where_facts_come_from(published: str, registry_url: str) -> None:
    found = read(registry_url, published)
    newest = found.releases[-1]
    assert newest.found["package.task"] == Found("label")
    assert newest.found["size"] == Found("hub")
    assert newest.found["components"] == Found("file")
    assert "dependents" in found.provides
    (row,) = (each for each in rows(found) if isinstance(each, DescriptionRow) and
              each.latest and each.package == f"{published}/scale")  # fmt: skip
    known = dict(zip(row.known, row.sources, strict=True))
    assert known["license"] == "label"
    assert known["components"] == "file"
    assert known["dependents"] == known["published-time"] == "hub"
    assert "release-notes" not in known


def test_parts_of_any_size_make_the_same_catalogue(
    published: str, registry_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelshelf.registry import catalogue

    whole = importers.read(f"registry:{registry_url}")
    monkeypatch.setattr(catalogue, "MOST_RELEASES", 1)
    told: list[tuple[int, int]] = []
    parts = importers.read(f"registry:{registry_url}/", lambda done, of: told.append((done, of)))
    assert parts.releases == whole.releases
    assert len(told) > len(whole.releases) >= 4
    assert {of for _, of in told} == {len(whole.releases)}


Answers = Callable[..., str]


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Gives the address of a server that answers every request with `status` and `body`."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: bytes, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_registry_below_a_path_is_asked_there(published: str, registry_url: str) -> None:
    with pytest.raises(NotFound, match="no registry"):
        importers.read(f"registry:{registry_url}/below")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"<html>", NotFound),
        (500, b"<html>", NetworkError),
        (503, b'{"message": "later"}', NetworkError),
        (503, b"[" * 100_000, NetworkError),
        (302, b"", NetworkError),
        (200, b"", NetworkError),
        (200, b"<html>", NetworkError),
        (200, b"[]", NetworkError),
        (200, b'{"releases": [1]}', NetworkError),
        (200, b'{"releases": [{"record": ' + b"[" * 100_000, NetworkError),
        (200, b'{"releases": [], "next": "a/b/1"}', NetworkError),
        (200, b"\xff\xfe", NetworkError),
    ],
)
def test_answers_that_no_registry_gives(
    status: int, body: bytes, error: type[Exception], answers: Answers
) -> None:
    with pytest.raises(error):
        importers.read(f"registry:{answers(body, status)}")


def test_a_catalogue_without_end_is_left(answers: Answers) -> None:
    body = msgspec.json.encode(CataloguePart((release(),), next="acme/digits/1"))
    with pytest.raises(NetworkError, match="no end"):
        importers.read(f"registry:{answers(body)}")


def test_a_part_that_is_too_large_is_left(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "most_part_bytes", 1000)
    with pytest.raises(NetworkError, match="too large"):
        importers.read(f"registry:{answers(bytes(2000))}")


def test_parts_that_are_too_large_together_are_left(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = msgspec.json.encode(CataloguePart((release(),), next="acme/digits/1"))
    monkeypatch.setattr(registry, "most_bytes", len(body) + 10)
    with pytest.raises(NetworkError, match="too large"):
        importers.read(f"registry:{answers(body)}")


def test_releases_that_cannot_be_are_accounted_for(answers: Answers) -> None:
    told = (
        release("../etc/passwd"),
        release("acme/Digits"),
        release(version="one"),
        release(variants=()),
        release(version="1.0.0"),
        release(version="1.0.0+again"),
    )
    found = importers.read(f"registry:{answers(msgspec.json.encode(CataloguePart(told)))}")
    assert [each.record.package.version for each in found.releases] == ["1.0.0"]
    assert [each.outcome for each in found.pages] == ["skipped"] * 4 + ["imported", "skipped"]
    assert all(each.reason for each in found.pages if each.outcome == "skipped")


@pytest.mark.parametrize(
    "place",
    ["ftp://x", "http://", "http://a:b@host", "https://host?x=1", "http://h:99999", "http://h\x00"],
)
def test_what_is_no_address_is_told(place: str) -> None:
    with pytest.raises(UsageError):
        importers.read(f"registry:{place}")


def test_nobody_there() -> None:
    with pytest.raises(NetworkError, match="cannot be reached"):
        importers.read("registry:http://127.0.0.1:9")


@pytest.mark.parametrize("after", ["x", "acme/digits", "acme/digits/x", "a/b/9999999999999"])
def test_a_part_is_named_as_it_was_told(after: str, registry_url: str) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{registry_url}/api/v1/catalogue?after={after}", timeout=30)
    assert caught.value.code == 400
    assert json.loads(caught.value.read())["error"] == "UsageError"
