"""Packages as the API shows them: history, yanks, status, dependents, installs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from modelshelf.registry import downloads, tables

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running

    Drafts = type[Draft]

PACKAGE = "/api/v1/packages/acme/digits"


def test_releases_are_listed_newest_first_and_latest_is_the_highest(
    acme: Client, draft: Drafts
) -> None:
    for version in ("1.0.0", "2.0.0", "1.0.1", "3.0.0-rc.1"):
        assert draft(version=version).publish(acme).status == 201
    package = acme("GET", PACKAGE).json
    assert [each["version"] for each in package["releases"]] == [
        "3.0.0-rc.1", "1.0.1", "2.0.0", "1.0.0",
    ]  # fmt: skip
    assert [each["number"] for each in package["releases"]] == [4, 3, 2, 1]
    assert package["latest"] == "2.0.0"


def test_a_yank_hides_and_an_unyank_shows(acme: Client, draft: Drafts) -> None:
    for version in ("1.0.0", "1.1.0"):
        draft(version=version).publish(acme)
    yanked = acme("PUT", f"{PACKAGE}/1.1.0/yank", {"reason": "wrong labels"})
    assert yanked.json["entry"]["yanked"] == "wrong labels"
    assert acme("GET", PACKAGE).json["latest"] == "1.0.0"
    alert = acme("GET", f"{PACKAGE}/1.1.0").json["elements"]["version-alert"]
    assert alert == {"value": "yanked: wrong labels", "known": "observed"}
    assert acme("DELETE", f"{PACKAGE}/1.1.0/yank").status == 200
    assert acme("GET", PACKAGE).json["latest"] == "1.1.0"


def test_a_yank_needs_a_reason_a_member_and_a_release(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    draft().publish(acme)
    bob = registry.client.account("bob")
    assert bob("PUT", f"{PACKAGE}/1.0.0/yank", {"reason": "x"}).status == 403
    assert acme("PUT", f"{PACKAGE}/1.0.0/yank", {"reason": " "}).status == 422
    assert acme("PUT", f"{PACKAGE}/9.0.0/yank", {"reason": "x"}).status == 404
    assert acme("PUT", f"{PACKAGE}/1.0.0/yank", {}).status == 422


def test_a_deprecated_package_names_its_successor(acme: Client, draft: Drafts) -> None:
    draft().publish(acme)
    draft(name="acme/numbers").publish(acme)
    body = {"status": "deprecated", "successor": "acme/numbers", "reason": "renamed"}
    assert acme("PUT", f"{PACKAGE}/status", body).json["successor"] == "acme/numbers"
    line = acme("GET", "/index/acme/digits.jsonl").json
    assert (line["status"], line["successor"]) == ("deprecated", "acme/numbers")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "deprecated", "successor": "acme/none"}, 404),
        ({"status": "deprecated", "successor": "acme/digits"}, 409),
        ({"status": "active", "successor": "acme/numbers"}, 422),
        ({"status": "deprecated", "successor": "no name"}, 422),
        ({"status": "gone"}, 422),
    ],
)
def test_a_status_that_makes_no_sense(
    acme: Client, draft: Drafts, body: dict[str, str], status: int
) -> None:
    draft().publish(acme)
    assert acme("PUT", f"{PACKAGE}/status", body).status == status


def test_an_archived_package_takes_no_releases(acme: Client, draft: Drafts) -> None:
    draft().publish(acme)
    acme("PUT", f"{PACKAGE}/status", {"status": "archived"})
    answer = acme("POST", "/api/v1/sessions", draft(version="2.0.0").session())
    assert (answer.status, answer.json["error"]) == (422, "Refused")
    acme("PUT", f"{PACKAGE}/status", {"status": "active"})
    assert draft(version="2.0.0").publish(acme).status == 201


def test_a_quarantine_is_not_lifted_by_the_publisher(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    draft().publish(acme)
    with registry.service.database.writing() as connection:
        connection.execute(update(tables.packages).values(status="quarantined"))
    assert acme("PUT", f"{PACKAGE}/status", {"status": "active"}).status == 403


def test_names_and_versions_outlive_what_they_named(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    draft().publish(acme)
    with registry.service.database.writing() as connection:
        for table in (
            tables.contracts,
            tables.verdicts,
            tables.release_files,
            tables.releases,
            tables.packages,
        ):
            connection.execute(delete(table))
    assert acme("POST", "/api/v1/sessions", draft().session()).status == 409
    assert draft(version="2.0.0").publish(acme).status == 409


def test_dependents_are_those_whose_newest_release_depends(acme: Client, draft: Drafts) -> None:
    draft().publish(acme)
    needs: dict[str, object] = {"acme/digits": {"version": "^1.0", "kind": "preprocess"}}
    draft(name="acme/app", dependencies=needs).publish(acme)
    listed = acme("GET", f"{PACKAGE}/dependents").json["dependents"]
    assert listed == [
        {"name": "acme/app", "version": "1.0.0", "requirement": "^1.0", "kind": "preprocess"}
    ]
    draft(name="acme/app", version="2.0.0").publish(acme)
    assert acme("GET", PACKAGE).json["dependents"] == []


@pytest.mark.parametrize("path", ["nobody/x", "acme/none", "acme/digits/9.9.9", "a/b/c/d", "%00/x"])
def test_what_is_not_there(acme: Client, draft: Drafts, path: str) -> None:
    draft().publish(acme)
    answer = acme("GET", f"/api/v1/packages/{path}")
    assert (answer.status, answer.json["error"]) == (404, "NotFound")


def test_installs_are_counted_once_each_and_heads_never(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    entry = draft().publish(acme).json
    file = f"/files/{entry['files'][0]['sha256']}"
    for install in ("first", "first", "second"):
        acme("GET", file, None, {"Shelf-Install": f"{install} acme/digits@1.0.0"})
    acme("HEAD", file, None, {"Shelf-Install": "third acme/digits@1.0.0"})
    acme("GET", file)
    for odd in ("fourth acme/digits@9.0.0", "fifth", "x" * 5000, "sixth ../x@1"):
        acme("GET", file, None, {"Shelf-Install": odd})
    registry.service.count()
    registry.service.count()
    counted = acme("GET", f"{PACKAGE}/downloads").json
    assert (counted["total"], counted["last_30_days"]) == (2, 2)
    assert [(day["installs"], day["clients"]) for day in counted["days"]] == [(2, 1)]
    assert acme("GET", "/api/v1/search?q=digits").json["results"][0]["downloads"] == 2


def test_the_log_keeps_no_address_and_bears_a_cut_line(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    entry = draft().publish(acme).json
    file = f"/files/{entry['files'][0]['sha256']}"
    acme("GET", file, None, {"Shelf-Install": "one acme/digits@1.0.0"})
    service = registry.service
    ((_, path),) = service.downloads.days()
    assert b"127.0.0.1" not in path.read_bytes()
    with path.open("ab") as log:
        log.write(b'{"time": "2026\n')
    service.count()
    with service.database.reading() as connection:
        assert downloads.totals(connection, "acme", "digits").total == 1
