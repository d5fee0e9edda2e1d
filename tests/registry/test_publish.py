"""Publishing over HTTP: the happy road, and everything that must not get through."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from modelshelf.package.entry import Entry
from modelshelf.package.record import canonical

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running

    Drafts = type[Draft]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_release_is_published_and_told_everywhere(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    answer = draft(dependencies={"acme/base": {"version": "^1.0"}}).publish(acme)
    assert answer.status == 201, answer.body
    entry = msgspec.json.decode(answer.body, type=Entry)
    assert (entry.name, entry.version, entry.number) == ("acme/digits", "1.0.0", 1)
    line = registry.client("GET", "/index/acme/digits.jsonl")
    assert msgspec.json.decode(line.body, type=Entry) == entry
    release = registry.client("GET", "/api/v1/packages/acme/digits/1.0.0").json
    assert len(release["elements"]) == 33
    assert release["elements"]["downloads"]["known"] == "observed"
    found = registry.client("GET", "/api/v1/search?q=digits").json
    assert [hit["name"] for hit in found["results"]] == ["acme/digits"]


def test_the_manifest_is_a_file_of_the_registry(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    entry = draft().publish(acme).json
    document = registry.client("GET", f"/files/{entry['manifest']}").body
    assert digest(document) == entry["manifest"]
    assert document == canonical.encode(json.loads(document))
    assert json.loads(document)["files"] == entry["files"]


def test_publishing_again_what_was_published_says_the_same(acme: Client, draft: Drafts) -> None:
    identifier = draft().send(acme)
    first = acme("POST", f"/api/v1/sessions/{identifier}/publish")
    again = acme("POST", f"/api/v1/sessions/{identifier}/publish")
    assert (first.status, again.status) == (201, 201)
    assert first.json["commit"] == again.json["commit"]
    assert acme("GET", f"/api/v1/sessions/{identifier}").json["state"] == "published"


def test_files_of_an_earlier_release_need_not_be_sent(acme: Client, draft: Drafts) -> None:
    files = {**draft().files, "labels.txt": b"one\n"}
    draft(files=files, package={"include": ["labels.txt"]}).publish(acme)
    later = draft(
        version="1.0.1",
        files={**files, "labels.txt": b"one\ntwo\n"},
        package={"include": ["labels.txt"]},
    )
    opened = acme("POST", "/api/v1/sessions", later.session())
    assert opened.json["missing"] == [digest(b"one\ntwo\n")]
    assert later.publish(acme).json["number"] == 2


def test_who_asks_once_more_while_it_is_published_gets_the_same_answer(
    acme: Client, draft: Drafts
) -> None:
    """A client that was killed, or cut off, comes again before the registry is done."""
    session = draft().send(acme)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(acme, "POST", f"/api/v1/sessions/{session}/publish") for _ in range(4)]
        answers = [each.result() for each in asked]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["manifest"] for answer in answers}) == 1


def test_of_many_at_once_exactly_one_wins(registry: Running, acme: Client, draft: Drafts) -> None:
    sessions = [
        draft(files={"small.safetensors": draft().files["small.safetensors"]}).send(acme)
        for _ in range(4)
    ]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda one: acme("POST", f"/api/v1/sessions/{one}/publish"), sessions)
        )
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert {a.json["error"] for a in answers if a.status == 409} == {"Conflict"}
    package = registry.client("GET", "/api/v1/packages/acme/digits").json
    assert [each["number"] for each in package["releases"]] == [1]


@pytest.mark.parametrize("version", ["1.0.0", "1.0.0+other"])
def test_a_version_is_never_taken_twice(acme: Client, draft: Drafts, version: str) -> None:
    draft().publish(acme)
    answer = acme("POST", "/api/v1/sessions", draft(version=version).session())
    assert answer.status == 409
    assert "raise the version" in answer.json["hint"]


def test_nothing_is_seen_before_it_is_published(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    one = draft()
    one.send(acme)
    sha256 = digest(one.files["small.safetensors"])
    assert registry.client("GET", f"/files/{sha256}").status == 404
    assert registry.client("GET", "/index/acme/digits.jsonl").status == 404
    assert registry.client("GET", "/api/v1/packages/acme/digits").status == 404
    bob = registry.client.account("bob")
    opened = bob("POST", "/api/v1/sessions", draft(name="bob/digits").session())
    assert opened.json["missing"] == [sha256]


def test_a_publish_waits_for_all_files(acme: Client, draft: Drafts) -> None:
    opened = acme("POST", "/api/v1/sessions", draft().session())
    answer = acme("POST", f"/api/v1/sessions/{opened.json['id']}/publish")
    assert answer.status == 409
    assert answer.json["expected"] == ["small.safetensors"]


def test_what_the_checks_find_comes_back_as_problems(acme: Client, draft: Drafts) -> None:
    answer = draft(files={"small.safetensors": b"\xff" * 40}).publish(acme)
    assert answer.status == 422
    assert answer.json["problems"][0]["file"] == "small.safetensors"
    assert acme("GET", "/api/v1/packages/acme/digits").status == 404


PATHS = ["../up", "/etc/passwd", "a/../../b", "C:\\x", "a//b", "nul", "a\u0000b", ""]


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_could_escape_are_refused(acme: Client, draft: Drafts, path: str) -> None:
    session = draft().session()
    session["files"].append({"path": path, "size": 1, "sha256": "0" * 64})
    answer = acme("POST", "/api/v1/sessions", session)
    assert answer.status == 422
    assert any("path" in problem["message"] for problem in answer.json["problems"])


def wrong(**changes: object) -> dict[str, Any]:
    return {"path": "more.txt", "size": 1, "sha256": "0" * 64} | changes


@pytest.mark.parametrize(
    "file",
    [
        wrong(size=-1),
        wrong(size=1 << 60),
        wrong(sha256="xyz"),
        wrong(path="small.safetensors"),
        wrong(path="SMALL.safetensors"),
        wrong(path="small.safetensors/inside"),
        wrong(size="1"),
        wrong(size=1 << 80),
    ],
)
def test_absurd_files_are_refused_before_a_byte_is_sent(
    acme: Client, draft: Drafts, file: dict[str, Any]
) -> None:
    session = draft().session()
    session["files"].append(file)
    assert acme("POST", "/api/v1/sessions", session).status == 422


@pytest.mark.parametrize("name", ["acme", "Acme/digits", "acme/..", "api/x", "acme/a--b", ""])
def test_bad_names_are_refused(acme: Client, draft: Drafts, name: str) -> None:
    assert acme("POST", "/api/v1/sessions", draft(name=name).session()).status == 422


@pytest.mark.parametrize("version", ["1", "v1.0.0", "1.0", "9" * 200, "1.0.0-01"])
def test_bad_versions_are_refused(acme: Client, draft: Drafts, version: str) -> None:
    assert acme("POST", "/api/v1/sessions", draft(version=version).session()).status == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"\xff\xfe", 400),
        (b'{"more": ' + b"[" * 100_000, 400),
        (b"{}", 422),
        (b'{"record": {}, "files": []}', 422),
        (b" " * (11 << 20), 413),
    ],
)
def test_broken_documents_are_refused(acme: Client, body: bytes, status: int) -> None:
    assert acme("POST", "/api/v1/sessions", body).status == status


def test_names_that_look_alike_are_kept_apart(acme: Client, draft: Drafts) -> None:
    assert draft(name="acme/digits").publish(acme).status == 201
    answer = draft(name="acme/d1gits").publish(acme)
    assert answer.status == 409
    assert "acme/digits" in answer.json["message"]


def test_names_that_clash_in_a_foreign_client_are_kept_apart(
    registry: Running, draft: Drafts
) -> None:
    assert draft(name="a-b/c").publish(registry.client.account("a-b")).status == 201
    answer = draft(name="a/b-c").publish(registry.client.account("a"))
    assert answer.status == 409
    assert answer.json["where"] == "pip: a-b-c"


def test_a_level_of_documentation_is_asked_for(acme: Client, draft: Drafts) -> None:
    answer = draft(package={"license": None}).publish(acme)
    assert answer.status == 422
    assert "package.license" in {each["element"] for each in answer.json["problems"]}
