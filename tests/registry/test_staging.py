"""Uploads: resumed, damaged, from several sides, and over a restart."""

from __future__ import annotations

import hashlib
import http.client
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelshelf.registry import staging

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running

    Drafts = type[Draft]


def opened(client: Client, draft: Draft) -> tuple[str, str, bytes]:
    """A session of a draft with one file: (address of the session, of the file, its bytes)."""
    answer = client("POST", "/api/v1/sessions", draft.session())
    content = next(iter(draft.files.values()))
    session = f"/api/v1/sessions/{answer.json['id']}"
    return session, f"{session}/files/{hashlib.sha256(content).hexdigest()}", content


def state(client: Client, session: str) -> Any:
    return client("GET", session).json


def test_an_upload_goes_on_where_it_ended(acme: Client, draft: Drafts) -> None:
    session, file, content = opened(acme, draft())
    assert acme("PUT", f"{file}?offset=0", content[:30]).json["complete"] is False
    assert state(acme, session)["missing"][0]["offset"] == 30
    wrong = acme("PUT", f"{file}?offset=10", content[10:])
    assert (wrong.status, wrong.json["offset"]) == (409, 30)
    done = acme("PUT", f"{file}?offset=30", content[30:])
    assert done.json == {"sha256": file[-64:], "offset": len(content), "complete": True}
    assert state(acme, session)["missing"] == []
    assert acme("PUT", f"{file}?offset=0", b"late").json["complete"] is True


def test_wrong_bytes_are_dropped(acme: Client, draft: Drafts) -> None:
    session, file, content = opened(acme, draft())
    answer = acme("PUT", f"{file}?offset=0", b"x" * len(content))
    assert (answer.status, answer.json["error"]) == (422, "IntegrityError")
    assert state(acme, session)["missing"][0]["offset"] == 0
    assert acme("PUT", f"{file}?offset=0", content).json["complete"] is True


def test_more_bytes_than_declared_are_refused(acme: Client, draft: Drafts) -> None:
    _, file, content = opened(acme, draft())
    assert acme("PUT", f"{file}?offset=0", content + b"!").status == 422


def test_only_what_was_announced_is_taken(acme: Client, draft: Drafts) -> None:
    session, file, _ = opened(acme, draft())
    assert acme("PUT", f"{session}/files/{'0' * 64}?offset=0", b"x").status == 404
    assert acme("PUT", f"{file}?offset=-1", b"x").status == 400
    assert acme("PUT", f"{session}/files/..%2f..%2fx?offset=0", b"x").status == 404


def test_a_session_belongs_to_its_account(registry: Running, acme: Client, draft: Drafts) -> None:
    session, file, content = opened(acme, draft())
    bob = registry.client.account("bob")
    assert bob("GET", session).status == 404
    assert bob("PUT", f"{file}?offset=0", content).status == 404
    assert bob("POST", f"{session}/publish").status == 404
    assert registry.client("GET", session).status == 401


def test_a_session_given_up_takes_and_publishes_nothing(acme: Client, draft: Drafts) -> None:
    session, file, content = opened(acme, draft())
    assert acme("DELETE", session).status == 204
    assert acme("PUT", f"{file}?offset=0", content).status == 409
    assert acme("POST", f"{session}/publish").status == 409


def cut_off(client: Client, file: str, content: bytes, sent: int) -> None:
    """Announce the whole file, send the first bytes, and hang up."""
    connection = http.client.HTTPConnection(urlsplit(client.url).netloc, timeout=30)
    connection.putrequest("PUT", f"{file}?offset=0")
    connection.putheader("Authorization", f"Bearer {client.token}")
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content[:sent])
    connection.close()


def test_a_server_stopped_in_mid_upload_goes_on(
    serve: Callable[[], Running], draft: Drafts
) -> None:
    first = serve()
    acme = first.client.account("acme")
    session, file, content = opened(acme, draft())
    cut_off(acme, file, content, 20)
    first.stop()
    second = serve()
    acme.url = second.url
    offset = state(acme, session)["missing"][0]["offset"]
    assert 0 <= offset <= 20
    assert acme("PUT", f"{file}?offset={offset}", content[offset:]).json["complete"] is True
    assert acme("POST", f"{session}/publish").status == 201


def test_what_arrived_whole_before_a_crash_is_verified_later(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    session, file, content = opened(acme, draft())
    store = registry.service.store
    partial = store.stage(f"{session.rpartition('/')[2]}-{file[-64:]}")
    partial.write_bytes(content)
    assert state(acme, session)["missing"] == []
    assert acme("POST", f"{session}/publish").status == 201


def test_the_sweep_forgets_what_nobody_will_publish(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    service = registry.service
    published = draft().publish(acme).json["files"][0]["sha256"]
    orphan = service.store.stage()
    orphan.write_bytes(b"orphan")
    lost = hashlib.sha256(b"orphan").hexdigest()
    service.store.commit(orphan, lost)
    for sha256 in (published, lost):
        os.utime(service.store.path(sha256), (0, 0))
    stale = service.store.stage("stale")
    os.utime(stale, (0, 0))
    staging.sweep(service.database, service.store, 60)
    assert (service.store.has(published), service.store.has(lost)) == (True, False)
    assert not stale.exists()
