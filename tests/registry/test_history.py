"""The pages of what changed: history, comparison, release, and what the scanner saw."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelshelf.registry import operating
from tests.registry.conftest import Client, Draft, Running, tensors
from tests.registry.test_held import bad, held
from tests.registry.test_pages import Outline

REASON = "rounding <b>only</b>"
METRICS = {"1.0.0": 0.97, "1.1.0": 0.98}


class Scored(Draft):
    """A draft whose model has a metric and a measured cost."""

    def record(self) -> dict[str, Any]:
        record = super().record()
        (variant,) = record["variants"]
        value = METRICS.get(self.version, 0.98)
        variant["metrics"] = [{"name": "accuracy", "dataset": "uci-digits", "value": value}]
        cost = {"tool": "counter 1.2", "inputs": {"image": "float32[1, 1]"}}
        variant["artifacts"][0]["cost"] = cost | {"macs": 1234567, "peak_memory": 8_000_000}
        return record


def publish(client: Client, draft: Draft, override: str | None = None) -> None:
    opened = client("POST", "/api/v1/sessions", draft.session() | {"override": override}).json
    address = f"/api/v1/sessions/{opened['id']}"
    for sha256 in opened["missing"]:
        content = next(iter(draft.files.values()))
        client("PUT", f"{address}/files/{sha256}?offset=0", content)
    answer = client("POST", f"{address}/publish")
    assert answer.status == 201, answer.body


@pytest.fixture
def digits(registry: Running, acme: Client) -> Client:
    """`acme/digits` with four releases: the last but one has an override, the last is yanked."""
    publish(acme, Scored())
    publish(acme, Scored(version="1.1.0", files={"small.safetensors": tensors(1.0)}))
    other = Scored(version="1.1.1", files={"small.safetensors": tensors(2.0)})
    publish(acme, other, REASON)
    files = {"small.safetensors": tensors(3.0)}
    publish(acme, Scored(version="2.0.0", files=files, package={"license": "GPL-3.0-only"}))
    acme("PUT", "/api/v1/packages/acme/digits/2.0.0/yank", {"reason": "wrong license"})
    return registry.client


PAGES = [
    "/acme/digits", "/acme/digits/1.1.0", "/acme/digits/history", "/acme/digits/diff/1.0.0...2.0.0",
    "/acme/digits/diff/1.1.0...1.0.0", "/acme/digits/diff/1.0.0...1.0.0",
]  # fmt: skip


def test_pages_are_whole_and_need_nothing_from_elsewhere(digits: Client) -> None:
    for path in PAGES:
        answer = digits("GET", path)
        assert answer.status == 200, path
        outline = Outline()
        outline.feed(answer.body.decode())
        assert outline.open == [], path
        assert len(outline.ids) == len(set(outline.ids)), path
        assert not outline.tags & {"script", "style", "b"}
        assert "style" not in outline.attributes


SAID: list[tuple[str, list[str]]] = [
    (
        "/acme/digits/history",
        [
            "4 releases", '<li class="major">', '<li class="minor">', '<li class="first">',
            "wrong license", "rounding &lt;b&gt;only", "version overridden", "unverified",
            "accuracy on uci-digits (small): 0.97 → 0.98, better", ">tensors</span>",
            'href="/acme/digits/diff/1.1.1...2.0.0"', "<caption>", 'datetime="20',
        ],
    ),
    (
        "/acme/digits/diff/1.0.0...2.0.0",
        ["license-narrowed", "weights-changed", "level-major", "Callers may break", "0.97", "Sizes"],
    ),
    ("/acme/digits/diff/1.0.0...1.0.0", ["Nothing changed that callers can rely on."]),
    (
        "/acme/digits/1.1.0",
        [
            'href="/acme/digits/diff/1.0.0...1.1.0"', "Since 1.0.0", "What the scanner saw",
            'href="/acme/digits/history"', "1 234 567", "counter 1.2 on image float32[1, 1]",
            "8 MB", "1 parameters",
        ],
    ),
    ("/acme/digits/1.1.1", ["rounding &lt;b&gt;only"]),
    ("/acme/digits", ["What the scanner saw", "Nothing in the files runs", "/acme/digits/history"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "said"), SAID, ids=[path for path, _ in SAID])
def test_pages_say(digits: Client, path: str, said: list[str]) -> None:
    text = digits("GET", path).body.decode().replace("\u202f", " ")
    assert [each for each in said if each not in text] == []


@pytest.mark.parametrize(
    "path",
    [
        "/acme/nothing/history", "/acme/digits/diff/1.0.0...9.9.9", "/acme/digits/diff/1.0.0",
        "/acme/digits/diff/...", "/acme/digits/diff/x...y",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_too(digits: Client, path: str) -> None:
    assert digits("GET", path).status == 404


def test_elements_tell_costs_and_sizes(digits: Client) -> None:
    elements = digits("GET", "/api/v1/packages/acme/digits/1.1.0").json["elements"]
    (file,) = elements["components"]["value"]
    assert (file["parameters"], file["macs"], file["peak_memory"]) == (1, 1234567, 8_000_000)
    assert (file["measured_with"], file["measured_inputs"]) == (
        "counter 1.2",
        {"image": "float32[1, 1]"},
    )
    assert elements["size"]["value"]["variants"] == {"small": {"safetensors": file["size"]}}


def test_a_blocked_release_warns(registry: Running, acme: Client) -> None:
    session, _ = held(acme, bad())
    operating.allow(registry.service, session, "known to us", "olga")
    registry.service.refresh("acme", "digits")
    text = registry.client("GET", "/acme/digits").body.decode()
    assert "Let through by this registry" in text
    assert "known to us" in text
    assert "pickle global" in text
    line = json.loads(registry.client("GET", "/index/acme/digits.jsonl").body)
    assert line["scan"]["decision"] == "known to us"
