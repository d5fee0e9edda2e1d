"""What the scanner blocks: held until the operator decides, in every state and over restarts."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from modelshelf.errors import Conflict, Invalid, NotFound
from modelshelf.package.entry import Entry, Scan
from modelshelf.registry import clock, describing, operating, staging, tables
from tests.registry.conftest import Draft, tensors

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Running

INDEX = "/index/acme/digits.jsonl"


class Harm:
    """Its pickle asks for `os.system`."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def harmful() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("model/data.pkl", pickle.dumps(Harm()))
        file.writestr("model/version", "3\n")
    return buffer.getvalue()


def bad(version: str = "1.0.0") -> Draft:
    """A draft whose second file is harmful."""
    files = {"small.safetensors": tensors(), "extra.pt": harmful()}
    return Draft(version=version, files=files, package={"include": ["extra.pt"]})


def held(client: Client, draft: Draft | None = None) -> tuple[str, Any]:
    """The session of a harmful draft, and the answer to its publication."""
    session = (draft or bad()).send(client)
    return session, client("POST", f"/api/v1/sessions/{session}/publish")


def verdict(client: Client) -> Any:
    return json.loads(client("GET", INDEX).body.splitlines()[-1])["scan"]


def test_a_harmless_release_tells_its_verdict(registry: Running, acme: Client) -> None:
    Draft().publish(acme)
    assert verdict(registry.client)["verdict"] == "note"
    elements = registry.client("GET", "/api/v1/packages/acme/digits/1.0.0").json["elements"]
    assert elements["vulnerability-report"]["value"]["verdict"] == "note"
    assert "scanner" in elements["review-mechanism"]["value"]


def test_a_blocked_release_is_held_and_says_the_same_again(registry: Running, acme: Client) -> None:
    session, answer = held(acme)
    assert (answer.status, answer.json["error"]) == (422, "Refused")
    assert "operator decides" in answer.json["message"]
    assert any("system" in each["message"] for each in answer.json["problems"])
    again = acme("POST", f"/api/v1/sessions/{session}/publish")
    assert again.json == answer.json
    assert acme("GET", f"/api/v1/sessions/{session}").json["state"] == "held"
    assert registry.client("GET", INDEX).status == 404


def test_what_is_held_outlives_sweeping_and_restarts(serve: Callable[[], Running]) -> None:
    first = serve()
    acme = first.client.account("acme")
    session, _ = held(acme)
    partials = list((first.service.store.root / "partial").iterdir())
    for path in partials:
        os.utime(path, (0, 0))
    staging.sweep(first.service.database, first.service.store, 0)
    first.stop()
    second = serve()
    assert operating.allow(second.service, session, "looked at it", "olga") == "acme/digits@1.0.0"


def test_the_operator_lets_it_through_and_everyone_sees_why(
    registry: Running, acme: Client
) -> None:
    session, _ = held(acme)
    (waiting,) = operating.waiting(registry.service)
    assert (waiting.session, waiting.name, waiting.account) == (session, "acme/digits", "acme")
    assert any("system" in risk.detail for risk in waiting.findings)
    operating.allow(registry.service, session, "it runs `true`", "olga")
    registry.service.jobs.run_due()
    told = acme("POST", f"/api/v1/sessions/{session}/publish")
    assert told.status == 201
    registry.service.refresh("acme", "digits")
    scan = {"verdict": "blocked", "rules": 1, "decision": "it runs `true`"}
    assert verdict(registry.client) | {"rules": 1} == scan
    release = registry.client("GET", "/api/v1/packages/acme/digits/1.0.0").json
    assert release["elements"]["review-mechanism"]["value"]["let_through_by"] == "olga"
    assert registry.client("GET", "/api/v1/packages/acme/digits").json["latest"] == "1.0.0"
    assert operating.waiting(registry.service) == []


def test_the_operator_refuses_and_the_publisher_is_told(registry: Running, acme: Client) -> None:
    session, _ = held(acme)
    operating.refuse(registry.service, session, "it asks for a shell", "olga")
    answer = acme("POST", f"/api/v1/sessions/{session}/publish")
    assert (answer.status, answer.json["error"]) == (422, "Refused")
    assert "it asks for a shell" in answer.json["message"]
    assert acme("GET", f"/api/v1/sessions/{session}").json["decision"] == "it asks for a shell"
    with pytest.raises(Conflict):
        operating.allow(registry.service, session, "after all", "olga")
    assert acme("POST", "/api/v1/sessions", Draft().session()).status == 201


def test_a_publisher_gives_up_what_is_held(registry: Running, acme: Client) -> None:
    session, _ = held(acme)
    assert acme("DELETE", f"/api/v1/sessions/{session}").status == 204
    assert operating.waiting(registry.service) == []


@pytest.mark.parametrize("reason", ["", "\x1b[2J", "x" * 1001])
def test_a_decision_needs_a_reason_to_show(registry: Running, acme: Client, reason: str) -> None:
    session, _ = held(acme)
    for decide in (operating.allow, operating.refuse):
        with pytest.raises(Invalid):
            decide(registry.service, session, reason, "olga")
    assert len(operating.waiting(registry.service)) == 1


@pytest.mark.parametrize("which", ["0" * 32, "../x", "acme/digits@9.9.9", "acme/nothing@1.0.0"])
def test_only_what_is_there_is_decided(registry: Running, acme: Client, which: str) -> None:
    Draft().publish(acme)
    with pytest.raises(NotFound):
        operating.allow(registry.service, which, "because", "olga")


def test_other_problems_come_before_the_operator(acme: Client) -> None:
    draft = bad()
    draft.files["small.safetensors"] = b"\xff" * 40
    _, answer = held(acme, draft)
    assert answer.json["error"] == "Invalid"


def old_rules(running: Running, verdict: str) -> None:
    """As if the releases had been scanned by other rules."""
    with running.service.database.writing() as connection:
        connection.execute(update(tables.releases).values(rules=0, verdict=verdict))
        connection.execute(update(tables.verdicts).values(findings=b"[]", scanned=clock.now()))


def published_bad(running: Running, acme: Client) -> None:
    session, _ = held(acme)
    operating.allow(running.service, session, "for the test", "olga")


def test_new_rules_scan_every_release_again(serve: Callable[[], Running]) -> None:
    first = serve()
    acme = first.client.account("acme")
    Draft(name="acme/other").publish(acme)
    published_bad(first, acme)
    old_rules(first, "note")
    first.stop()
    second = serve()
    second.service.jobs.run_due()
    second.stop()
    third = serve()
    third.service.jobs.run_due()
    assert verdict(third.client) == {"verdict": "blocked", "rules": current_rules(third)}
    assert [each.name for each in operating.waiting(third.service)] == ["acme/digits"]
    with third.service.database.reading() as connection:
        package = third.client("GET", "/api/v1/packages/acme/digits").json
        waiting = select(tables.jobs.c.id).filter_by(kind=describing.JOB)
        assert connection.execute(waiting).first() is None
    assert package["releases"][0]["scan"]["verdict"] == "blocked"


def current_rules(running: Running) -> int:
    with running.service.database.reading() as connection:
        query = select(tables.releases.c.rules).filter_by(name="other")
        return int(connection.execute(query).scalar_one())


def test_a_blocked_release_is_not_the_latest_until_it_is_let_through(
    registry: Running, acme: Client
) -> None:
    Draft(version="0.9.0").publish(acme)
    published_bad(registry, acme)
    old_rules(registry, "note")
    described = operating.rescan(registry.service, "acme/digits@1.0.0")
    assert [(each.before, each.after) for each in described] == [("note", "blocked")]
    package = registry.client("GET", "/api/v1/packages/acme/digits").json
    assert package["latest"] == "0.9.0"
    operating.allow(registry.service, "acme/digits@1.0.0", "known to us", "olga")
    assert registry.client("GET", "/api/v1/packages/acme/digits").json["latest"] == "1.0.0"


def test_a_decision_outlives_a_scan_that_finds_the_same(registry: Running, acme: Client) -> None:
    published_bad(registry, acme)
    for _ in range(2):
        describing.describe(registry.service, ("acme", "digits", "1.0.0"), scan_again=True)
    assert operating.waiting(registry.service) == []


def test_a_package_is_put_aside_and_taken_back(registry: Running, acme: Client) -> None:
    Draft().publish(acme)
    operating.quarantine(registry.service, "acme/digits", "reported to us")
    registry.service.refresh("acme", "digits")
    line = json.loads(registry.client("GET", INDEX).body)
    assert line["status"] == "quarantined"
    assert acme("POST", "/api/v1/sessions", Draft(version="1.0.1").session()).status == 422
    operating.quarantine(registry.service, "acme/digits", None)
    with pytest.raises(Conflict):
        operating.quarantine(registry.service, "acme/digits", None)


@pytest.mark.parametrize(
    ("scan", "choosable"),
    [
        (None, True),
        (("note", 1), True),
        (("code", 1), True),
        (("blocked", 1), False),
        (("blocked", 1, "looked at"), True),
    ],
)
def test_what_may_be_chosen(scan: tuple[Any, ...] | None, *, choosable: bool) -> None:
    entry = Entry("acme/digits", "1.0.0", "", 1, "", "", (), (), scan=Scan(*scan) if scan else None)
    assert entry.choosable is choosable
