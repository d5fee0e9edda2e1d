"""A publisher who sends other things than the record names, and tokens that reach too far."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from modelshelf.package import manifest
from tests.conftest import PASSWORD

NAMED = ("shelf.toml", "small.onnx", "large.onnx", "small.safetensors")
Ask = Callable[..., tuple[int, dict[str, str], dict[str, object]]]


@pytest.fixture
def ask(registry_url: str) -> Ask:
    """`ask("GET", path, body, authorization)` → status, headers, document."""
    host = urlsplit(registry_url).netloc

    def request(
        method: str, path: str, body: object = None, authorization: str = ""
    ) -> tuple[int, dict[str, str], dict[str, object]]:
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = {"Authorization": authorization} if authorization else {}
        sent = None if body is None else json.dumps(body)
        connection.request(method, "/api/v1" + path, sent, headers)
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, json.loads(told) if told else {}

    return request


def basic(account: str) -> str:
    return "Basic " + base64.b64encode(f"{account}:{PASSWORD}".encode()).decode()


@pytest.fixture
def token(ask: Ask, publisher: str) -> Callable[..., str]:
    """`token(publisher=...)` → the value of an Authorization header."""

    def made(**fields: object) -> str:
        scopes = ["read", "publish", "yank", "account"]
        status, _, told = ask("POST", "/tokens", {"scopes": scopes, **fields}, basic(publisher))
        assert status == 201, told
        return f"Bearer {told['token']}"

    return made


@pytest.mark.parametrize(
    "path",
    ["evil.pkl", ".release.json", ".RELEASE.json", "x\u202egnp.py", "a\x85b", ".git/hooks/x"],
)
def test_files_that_the_record_does_not_name_are_refused(
    path: str,
    ask: Ask,
    token: Callable[..., str],
    publisher: str,
    package: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """Nothing checks them, and everyone who installs the package would get them."""
    folder = package(tmp_path / "source", name=f"{publisher}/scale")
    record = msgspec.to_builtins(manifest.parse((folder / "shelf.toml").read_bytes()))
    files = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name in NAMED
        if (data := (folder / name).read_bytes())
    ]
    extra = {"path": path, "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    body = {"record": record, "files": [*files, extra]}
    status, _, told = ask("POST", "/sessions", body, token())
    assert status == 422, told
    problems = told["problems"]
    assert isinstance(problems, list)
    assert {each["file"] for each in problems} == {path}
    status, _, told = ask("POST", "/sessions", {"record": record, "files": files}, token())
    assert status == 201, told


def test_a_token_for_one_publisher_does_not_rule_the_accounts_tokens(
    ask: Ask, token: Callable[..., str], publisher: str
) -> None:
    limited, whole = token(publisher=publisher), token()
    tokens = ask("GET", "/tokens", None, whole)[2]["tokens"]
    assert isinstance(tokens, list)
    assert ask("GET", "/tokens", None, limited)[0] == 403
    assert ask("DELETE", f"/tokens/{tokens[0]['id']}", None, limited)[0] == 403
    assert ask("GET", "/tokens", None, whole)[0] == 200


def test_no_cache_keeps_what_was_told_to_one_account(
    ask: Ask, token: Callable[..., str], publisher: str
) -> None:
    for method, path, body, authorization in (
        ("GET", "/me", None, token()),
        ("GET", "/tokens", None, token()),
        ("POST", "/tokens", {}, basic(publisher)),
        ("GET", "/sessions/nosuch", None, token()),
        ("GET", "/me", None, "Bearer wrong"),
    ):
        assert ask(method, path, body, authorization)[1].get("cache-control") == "no-store"


@pytest.mark.parametrize("reason", ["\x1b[2J", "a\x9bb", "turned \u202e round"])
def test_a_reason_is_plain_text(
    reason: str, ask: Ask, token: Callable[..., str], publisher: str
) -> None:
    path = f"/packages/{publisher}/nosuch/1.0.0/yank"
    status, _, told = ask("PUT", path, {"reason": reason}, token())
    assert (status, told["error"]) == (422, "Invalid")


def test_an_address_of_mail_has_an_end(ask: Ask) -> None:
    body = {"name": "longmail", "password": PASSWORD, "email": "x" * 5000}
    assert ask("POST", "/accounts", body)[0] == 422
