"""What a release may be called: judged by the registry on its own data, and told everywhere."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import delete, update

from modelshelf.checks.contract import Contract
from modelshelf.package.entry import Change, Entry, predecessor
from modelshelf.registry import describing, tables
from tests.registry.conftest import Draft, tensors

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Running

CONTRACT = "/api/v1/packages/acme/digits/{}/contract"


def release(version: str, value: float = 0.0, license_name: str = "MIT") -> Draft:
    files = {"small.safetensors": tensors(value)}
    return Draft(version=version, files=files, package={"license": license_name})


def line(client: Client, version: str) -> Entry:
    body = client("GET", "/index/acme/digits.jsonl").body
    entries = [msgspec.json.decode(each, type=Entry) for each in body.splitlines()]
    return next(each for each in entries if each.version == version)


def with_override(draft: Draft, client: Client, reason: object) -> Any:
    session = draft.session() | {"override": reason}
    return client("POST", "/api/v1/sessions", session)


def test_a_version_too_low_is_refused_with_what_asks_for_more(acme: Client) -> None:
    assert release("1.0.0").publish(acme).status == 201
    answer = release("1.0.1", 1.0).publish(acme)
    assert answer.status == 422
    (problem,) = answer.json["problems"]
    assert (problem["rule"], problem["element"]) == ("level", "package.version")
    assert "weights-changed" in problem["message"]
    assert "1.1.0" in problem["hint"]
    assert "--override-level" in problem["hint"]
    assert release("1.1.0", 1.0).publish(acme).status == 201


def test_what_moved_is_told_in_line_package_and_history(registry: Running, acme: Client) -> None:
    release("1.0.0").publish(acme)
    told = release("1.1.0", 1.0).publish(acme).json
    change = Change("1.0.0", "minor", ("tensors",), unverified=True)
    assert line(registry.client, "1.1.0").change == change
    assert line(registry.client, "1.0.0").change is None
    assert msgspec.convert(told["change"], Change) == change
    package = registry.client("GET", "/api/v1/packages/acme/digits").json
    assert package["releases"][0]["change"] == told["change"]
    elements = registry.client("GET", "/api/v1/packages/acme/digits/1.1.0").json["elements"]
    assert [each["level"] for each in elements["release-history"]["value"]] == ["minor", None]


@pytest.mark.parametrize(
    ("first", "second", "value", "status"),
    [
        ("1.0.0", "1.0.1", 0.0, 201),
        ("1.0.0", "2.0.0", 0.0, 201),
        ("1.0.0", "1.0.1-rc.1", 1.0, 422),
        ("1.0.0", "1.1.0-rc.1", 1.0, 201),
        ("1.0.0-rc.1", "1.0.0", 1.0, 201),
        ("0.1.0", "0.1.1", 1.0, 201),
        ("1.1.0", "1.0.1", 1.0, 201),
    ],
)
def test_steps(acme: Client, first: str, second: str, value: float, status: int) -> None:
    assert release(first).publish(acme).status == 201
    assert release(second, value).publish(acme).status == status


def test_an_override_is_kept_and_shown(registry: Running, acme: Client) -> None:
    release("1.0.0").publish(acme)
    draft = release("1.0.1", 1.0)
    opened = with_override(draft, acme, "same weights, written by another library")
    content = draft.files["small.safetensors"]
    address = f"/api/v1/sessions/{opened.json['id']}"
    acme("PUT", f"{address}/files/{opened.json['missing'][0]}?offset=0", content)
    assert acme("POST", f"{address}/publish").status == 201
    change = line(registry.client, "1.0.1").change
    assert change is not None
    assert (change.level, change.override) == ("minor", "same weights, written by another library")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "\x1b[2J", 7])
def test_an_override_needs_a_reason_to_show(acme: Client, reason: object) -> None:
    assert with_override(release("1.0.0"), acme, reason).status == 422


def test_an_override_that_nothing_needs_is_not_told(registry: Running, acme: Client) -> None:
    release("1.0.0").publish(acme)
    opened = with_override(release("1.0.1"), acme, "to be sure")
    assert acme("POST", f"/api/v1/sessions/{opened.json['id']}/publish").status == 201
    change = line(registry.client, "1.0.1").change
    assert change is not None
    assert change.override is None


def test_yanked_releases_are_not_compared_with(acme: Client) -> None:
    release("1.0.0").publish(acme)
    release("1.1.0", 1.0).publish(acme)
    acme("PUT", "/api/v1/packages/acme/digits/1.1.0/yank", {"reason": "wrong weights"})
    told = release("1.1.1").publish(acme)
    assert told.json["change"]["previous"] == "1.0.0"


def test_a_contract_is_kept_and_served(registry: Running, acme: Client) -> None:
    release("1.0.0").publish(acme)
    answer = registry.client("GET", CONTRACT.format("1.0.0"))
    contract = msgspec.json.decode(answer.body, type=Contract)
    assert contract.record.package.version == "1.0.0"
    assert contract.facts["small.safetensors"].parameters == 1
    assert registry.client("GET", CONTRACT.format("9.9.9")).status == 404


def test_two_releases_are_compared(registry: Running, acme: Client) -> None:
    release("1.0.0").publish(acme)
    release("2.0.0", 1.0, "GPL-3.0-only").publish(acme)
    told = registry.client("GET", "/api/v1/packages/acme/digits/diff/1.0.0/2.0.0").json
    assert told["diff"]["level"] == "major"
    assert {"license-narrowed", "weights-changed"} <= {f["lint"] for f in told["diff"]["findings"]}
    assert told["next"] == "2.0.0"
    assert told["sizes"][0]["variant"] == "small"
    assert registry.client("GET", "/api/v1/packages/acme/digits/diff/1.0.0/9.0.0").status == 404


def test_releases_from_before_are_described_at_the_start(
    serve: Callable[[], Running],
) -> None:
    first = serve()
    acme = first.client.account("acme")
    release("1.0.0").publish(acme)
    release("1.1.0", 1.0).publish(acme)
    lines = first.client("GET", "/index/acme/digits.jsonl").body
    with first.service.database.writing() as connection:
        connection.execute(delete(tables.contracts))
        connection.execute(delete(tables.verdicts))
        empty = dict.fromkeys(("change", "step", "verdict", "rules", "decision"))
        connection.execute(update(tables.releases).values(**empty))
    first.service.refresh("acme", "digits")
    old = first.client("GET", "/index/acme/digits.jsonl").body
    assert "change" not in json.loads(old.splitlines()[1])
    first.stop()
    second = serve()
    second.service.jobs.run_due()
    second.stop()
    third = serve()
    third.service.jobs.run_due()
    assert third.client("GET", "/index/acme/digits.jsonl").body == lines
    assert third.client("GET", CONTRACT.format("1.0.0")).status == 200


@pytest.mark.parametrize(
    ("there", "new", "before"),
    [
        ([], "1.0.0", None),
        (["1.0.0", "1.2.0", "2.0.0"], "1.3.0", "1.2.0"),
        (["1.0.0", "1.1.0-rc.1"], "1.1.0", "1.0.0"),
        (["1.0.0-rc.1", "1.0.0-rc.2"], "1.0.0", "1.0.0-rc.2"),
        (["2.0.0"], "1.0.0", None),
        (["1.0.0", "-1.1.0"], "1.1.1", "1.0.0"),
        (["-1.0.0"], "1.0.1", "1.0.0"),
        (["1.0.0", "-2.0.0"], "2.0.1", "2.0.0"),
        (["1.0.0", "-2.0.0"], "3.0.0", "1.0.0"),
        (["-0.1.0"], "0.2.0", None),
    ],
)
def test_the_release_before(there: list[str], new: str, before: str | None) -> None:
    found = predecessor([entry(version) for version in there], new)
    assert (found.version if found else None) == before


def entry(version: str) -> Entry:
    """A release; one whose version begins with a minus is yanked."""
    yanked = "wrong" if version.startswith("-") else None
    return Entry("acme/digits", version.lstrip("-"), "", 1, "", "", (), (), yanked=yanked)


def test_new_readers_make_contracts_anew(registry: Running, acme: Client) -> None:
    release("1.0.0").publish(acme)
    with registry.service.database.writing() as connection:
        old = {"readers": 0, "body": zlib.compress(b"{}")}
        connection.execute(update(tables.contracts).values(**old))
        connection.execute(update(tables.releases).values(facts=b"{}"))
    assert release("1.1.0", 1.0).publish(acme).json["change"]["level"] == "minor"
    with registry.service.database.reading() as connection:
        assert describing.enqueue_lacking(connection) == 0
    elements = acme("GET", "/api/v1/packages/acme/digits/1.0.0").json["elements"]
    assert elements["components"]["value"][0]["parameters"] == 1


def test_a_line_of_a_registry_from_before_is_understood() -> None:
    old = msgspec.json.encode(entry("1.0.0"))
    assert msgspec.json.decode(old, type=Entry).scan is None


def test_a_comparison_is_made_once_and_one_at_a_time(
    registry: Running, acme: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    release("1.0.0").publish(acme)
    release("1.1.0", 1.0).publish(acme)
    comparisons = registry.service.comparisons
    key = ("acme", "digits", "1.0.0", "1.1.0")
    assert comparisons.compared(key) is comparisons.compared(key)
    monkeypatch.setattr("modelshelf.registry.comparisons.WAIT_SECONDS", 0.01)
    with comparisons._turn:
        assert registry.client("GET", "/api/v1/packages/acme/digits/diff/1.0.0/1.1.0").status == 503
        assert registry.client("GET", "/acme/digits/diff/1.0.0...1.1.0").status == 503
