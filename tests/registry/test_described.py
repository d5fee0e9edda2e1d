"""Releases that are only described, as the registry shows them, and the files that come for them."""

from __future__ import annotations

import time

import pytest

from modelshelf.package.entry import Entry
from modelshelf.registry import importing, operating, releases
from modelshelf.registry.importing.names import ACCOUNT
from tests.registry.conftest import Answer, Client, Draft, Running
from tests.registry.hub import catalogue, described

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
PACKAGES = catalogue(
    described(version=1),
    described(
        version=2, text="## Overview\n\nReads **digits** of cheques.", needs={"acme/pre": "*"}
    ),
    described("acme/pre", gone="deleted in 2024"),
)


@pytest.fixture
def aboard(registry: Running) -> Running:
    """A registry with three described releases, everything derived."""
    importing.bring(registry.service, PACKAGES)
    registry.service.jobs.wake()
    until = time.monotonic() + 60
    while registry.service.search.query("", {}).total < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    return registry


def page(running: Running, path: str) -> str:
    answer = running.client("GET", path, headers=BROWSER)
    assert answer.status == 200
    return answer.body.decode()


def test_the_page_of_a_package_says_where_it_is(aboard: Running) -> None:
    text = page(aboard, "/acme/digits")
    assert "Described only." in text
    assert 'href="https://hub.example/acme/digits/2"' in text
    assert "shelf install acme/digits" not in text
    assert "Reads <strong>digits</strong> of cheques." in text
    assert '<span class="source">label</span>' in text
    assert "unsure</span>" in text
    assert "acme/pre" in text


def test_the_page_of_an_older_release_leads_to_the_newest(aboard: Running) -> None:
    assert "Not the latest version." in page(aboard, "/acme/digits/1.0.0")


def test_files_that_are_gone(aboard: Running) -> None:
    text = page(aboard, "/acme/pre")
    assert "Files gone." in text
    assert "deleted in 2024" in text
    assert "acme/digits" in text, "its dependent"


@pytest.mark.parametrize("path", ["/acme", "/acme/digits/history", "/search?q=digits", "/"])
def test_other_pages(aboard: Running, path: str) -> None:
    assert "described only" in page(aboard, path)


def resolved(running: Running, path: str, **headers: str) -> Answer:
    return running.client("GET", f"/handles/{path}", headers=headers)


@pytest.mark.parametrize(
    "handle",
    ["acme/digits/1", "https://hub.example/acme/digits/1", "https:/hub.example/acme/digits/1"],
)
def test_old_handles_for_programs(aboard: Running, handle: str) -> None:
    assert resolved(aboard, f"tfhub/{handle}").json == {
        "package": "acme/digits",
        "version": "1.0.0",
        "url": f"{aboard.url}/acme/digits/1.0.0",
        "hub": "tfhub",
        "handle": "acme/digits/1",
    }


@pytest.mark.parametrize(
    ("handle", "leads"),
    [("tfhub/acme/digits/1", "/acme/digits/1.0.0"), ("any/acme/digits", "/acme/digits")],
)
def test_old_handles_for_people(aboard: Running, handle: str, leads: str) -> None:
    answer = resolved(aboard, handle, Accept=BROWSER["Accept"])
    assert (answer.status, answer.headers["location"]) == (302, leads)


def test_handles_that_lead_nowhere(aboard: Running) -> None:
    assert resolved(aboard, "tfhub/acme/none").json["error"] == "NotFound"
    assert resolved(aboard, "pytorchhub/acme/digits/1").status == 404
    answer = resolved(aboard, "tfhub/acme/none", Accept=BROWSER["Accept"])
    assert answer.status == 404
    assert b"<html" in answer.body


def entry(running: Running, version: str) -> Entry:
    with running.service.database.reading() as connection:
        return releases.release(connection, "acme", "digits", version).entry


@pytest.fixture
def member(aboard: Running) -> Client:
    """Someone whom the operator made an owner of the publisher."""
    client = aboard.client.account("olga")
    operating.give(aboard.service, "acme", "olga")
    return client


def test_files_take_the_place_of_a_description(
    aboard: Running, member: Client, draft: type[Draft]
) -> None:
    before = entry(aboard, "2.0.0")
    assert draft(version="2.0.0").publish(member).status == 201
    after = entry(aboard, "2.0.0")
    assert not after.described
    assert (after.number, after.upstream) == (before.number, before.upstream)
    assert after.choosable
    again = member("POST", "/api/v1/sessions", draft(version="2.0.0").session())
    assert again.status == 409, "published once"
    text = page(aboard, "/acme/digits")
    assert "shelf install acme/digits" in text
    assert "Described only." not in text


def test_what_a_person_published_is_left_alone(
    aboard: Running, member: Client, draft: type[Draft]
) -> None:
    draft(version="2.0.0").publish(member)
    changed = catalogue(described(version=2, text="Another."), described(version=3))
    report = importing.bring(aboard.service, changed)
    assert (report.added, report.updated) == ((), ())
    assert "published by an account here" in report.passed[0].reason


def test_a_newer_one_upstream_is_told(aboard: Running, member: Client, draft: type[Draft]) -> None:
    assert draft(version="1.0.0").publish(member).status == 201
    text = page(aboard, "/acme/digits")
    assert "Newer upstream." in text
    elements = member("GET", "/api/v1/packages/acme/digits/1.0.0").json["elements"]
    assert elements["version-alert"]["value"] == "2.0.0 is newer, but only described"


def test_who_imports_is_no_member_to_be_shown(aboard: Running) -> None:
    text = page(aboard, "/acme")
    assert ACCOUNT not in text
    assert "its packages were imported" in text
