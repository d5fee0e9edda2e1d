"""Files and index documents as any HTTP client reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.registry.conftest import Answer, Client, Draft, Running


@pytest.fixture
def content(acme: Client, draft: type[Draft]) -> bytes:
    one = draft()
    assert one.publish(acme).status == 201
    return one.files["small.safetensors"]


@pytest.fixture
def address(content: bytes, registry: Running) -> str:
    entry = registry.client("GET", "/api/v1/packages/acme/digits/1.0.0").json["entry"]
    return f"/files/{entry['files'][0]['sha256']}"


def get(registry: Running, address: str, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return registry.client(method, address, None, named)


def test_a_file_is_immutable_and_named_by_its_digest(
    registry: Running, address: str, content: bytes
) -> None:
    answer = get(registry, address, Origin="https://elsewhere.example")
    assert answer.body == content
    assert answer.headers["etag"] == f'"{address[7:]}"'
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_head_tells_the_length(registry: Running, address: str, content: bytes) -> None:
    answer = get(registry, address, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(content)


@pytest.mark.parametrize(
    ("headers", "status", "part"),
    [
        ({"Range": "bytes=0-9"}, 206, slice(0, 10)),
        ({"Range": "bytes=70-"}, 206, slice(70, None)),
        ({"Range": "bytes=-5"}, 206, slice(-5, None)),
        ({"Range": "bytes=5-6", "If_Range": '"other"'}, 200, slice(None)),
        ({"Range": "bytes=100000-"}, 416, slice(0, 0)),
    ],
)
def test_ranges(
    registry: Running,
    address: str,
    content: bytes,
    headers: dict[str, str],
    status: int,
    part: slice,
) -> None:
    answer = get(registry, address, **headers)
    assert (answer.status, answer.body) == (status, content[part])
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(content)}"


def test_a_range_of_the_same_file(registry: Running, address: str, content: bytes) -> None:
    answer = get(registry, address, Range="bytes=5-6", If_Range=f'"{address[7:]}"')
    assert (answer.status, answer.body) == (206, content[5:7])


def test_what_the_client_has_is_not_sent_again(registry: Running, address: str) -> None:
    assert get(registry, address, If_None_Match=f'"{address[7:]}"').status == 304
    assert get(registry, address, If_None_Match='"other"').status == 200


def test_a_browser_is_told_a_name(registry: Running, address: str) -> None:
    answer = get(registry, f"{address}?name=small.safetensors")
    assert "small.safetensors" in answer.headers["content-disposition"]
    hostile = get(registry, f"{address}?name=a%0d%0aSet-Cookie:x%22")
    assert "set-cookie" not in hostile.headers


@pytest.mark.parametrize("name", ["0" * 64, "xyz", "..%2f..%2fetc%2fpasswd", "A" * 64])
def test_what_no_release_holds_is_not_there(registry: Running, name: str) -> None:
    assert get(registry, f"/files/{name}").status == 404


def test_the_index_is_asked_again_and_seldom_sent_again(
    registry: Running, acme: Client, content: bytes
) -> None:
    first = get(registry, "/index/acme/digits.jsonl")
    assert (
        get(registry, "/index/acme/digits.jsonl", If_None_Match=first.headers["etag"]).status == 304
    )
    acme("PUT", "/api/v1/packages/acme/digits/1.0.0/yank", {"reason": "leaks"})
    later = get(registry, "/index/acme/digits.jsonl", If_None_Match=first.headers["etag"])
    assert (later.status, later.json["yanked"]) == (200, "leaks")


@pytest.mark.parametrize("path", ["a/b", "..%2f..%2fx/y", "acme/..%2f..%2fregistry"])
def test_no_index_of_what_is_not_there(registry: Running, path: str) -> None:
    answer = get(registry, f"/index/{path}.jsonl")
    assert (answer.status, answer.json["error"]) == (404, "NotFound")
