"""Who may do what: accounts, tokens, publishers, members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from modelshelf.registry import accounts, tables
from modelshelf.registry.accounts import Throttle
from modelshelf.registry.replies import Answer

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running

    Drafts = type[Draft]


def test_an_account_owns_the_publisher_of_its_name(acme: Client) -> None:
    me = acme("GET", "/api/v1/me").json
    assert me["account"] == "acme"
    assert me["publishers"] == [{"name": "acme", "role": "owner"}]
    publisher = acme("GET", "/api/v1/publishers/acme").json
    assert (publisher["kind"], publisher["members"]) == (
        "person",
        [{"account": "acme", "role": "owner"}],
    )


@pytest.mark.parametrize(
    ("name", "password", "status"),
    [
        ("acme", "long enough", 409),
        ("acrne", "long enough", 201),
        ("a-cme", "long enough", 409),
        ("api", "long enough", 422),
        ("Bob", "long enough", 422),
        ("../x", "long enough", 422),
        ("bob", "short", 422),
        ("bob", "x" * 2000, 422),
    ],
)
def test_names_and_passwords_of_accounts(
    registry: Running, acme: Client, name: str, password: str, status: int
) -> None:
    body = {"name": name, "password": password}
    assert registry.client("POST", "/api/v1/accounts", body).status == status


def test_passwords_and_tokens_are_not_kept(registry: Running, acme: Client) -> None:
    registry.service.database.close()
    kept = b"".join(
        path.read_bytes() for path in registry.service.settings.data.glob("registry.sqlite*")
    )
    assert b"correct horse" not in kept
    assert acme.token is not None
    assert acme.token.encode() not in kept


@pytest.mark.parametrize("token", ["shelf_wrong", "", "x" * 5000])
def test_a_wrong_token_is_401(registry: Running, token: str) -> None:
    answer = registry.client("GET", "/api/v1/me", None, {"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.json["error"]) == (401, "NotAllowed")
    assert "www-authenticate" in answer.headers


def test_an_expired_token_is_401(registry: Running, acme: Client) -> None:
    with registry.service.database.writing() as connection:
        connection.execute(update(tables.tokens).values(expires="2020-01-01T00:00:00.000000Z"))
    answer = acme("GET", "/api/v1/me")
    assert answer.status == 401
    assert "expired" in answer.json["message"]


def test_tokens_are_listed_and_revoked(acme: Client) -> None:
    listed = acme("GET", "/api/v1/tokens").json["tokens"]
    assert acme.token is not None
    assert acme.token not in str(listed)
    assert acme("DELETE", f"/api/v1/tokens/{listed[0]['id']}").status == 204
    assert acme("GET", "/api/v1/me").status == 401


def test_a_token_of_another_publisher_may_not_publish(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    bob = registry.client.account("bob")
    answer = bob("POST", "/api/v1/sessions", draft().session())
    assert (answer.status, answer.json["error"]) == (403, "NotAllowed")
    assert registry.client("POST", "/api/v1/sessions", draft().session()).status == 401


def test_a_token_is_bound_to_its_publisher(acme: Client, draft: Drafts) -> None:
    opened = acme("POST", "/api/v1/publishers", {"name": "vision", "kind": "organization"})
    assert opened.status == 201
    acme.token = acme.new_token("acme", publisher="vision").json["token"]
    assert acme("POST", "/api/v1/sessions", draft().session()).status == 403
    assert draft(name="vision/digits").publish(acme).status == 201
    assert acme.new_token("acme", publisher="strange").status == 403


def test_a_token_does_only_what_its_scopes_say(acme: Client, draft: Drafts) -> None:
    draft().publish(acme)
    acme.token = acme.new_token("acme", scopes=["read"]).json["token"]
    assert acme("GET", "/api/v1/me").json["scopes"] == ["read"]
    assert acme("POST", "/api/v1/sessions", draft(version="2.0.0").session()).status == 403
    yank = acme("PUT", "/api/v1/packages/acme/digits/1.0.0/yank", {"reason": "x"})
    assert yank.status == 403
    assert acme.new_token("acme", scopes=["everything"]).status == 422


def test_maintainers_publish_but_do_not_change_members(
    registry: Running, acme: Client, draft: Drafts
) -> None:
    bob = registry.client.account("bob")
    members = "/api/v1/publishers/acme/members"
    assert bob("PUT", f"{members}/bob", {"role": "owner"}).status == 403
    assert acme("PUT", f"{members}/bob", {"role": "maintainer"}).status == 200
    assert draft().publish(bob).status == 201
    assert bob("PUT", f"{members}/bob", {"role": "owner"}).status == 403
    assert acme("DELETE", f"{members}/acme").status == 409
    assert acme("PUT", f"{members}/acme", {"role": "maintainer"}).status == 409
    assert acme("DELETE", f"{members}/bob").status == 200
    assert acme("PUT", f"{members}/nobody", {"role": "owner"}).status == 404
    assert acme("PUT", "/api/v1/publishers/none/members/bob", {"role": "owner"}).status == 404
    assert bob("POST", "/api/v1/sessions", draft(version="2.0.0").session()).status == 403


def test_guessing_passwords_is_slowed_down(registry: Running, acme: Client) -> None:
    wrong = {"Authorization": "Basic YWNtZTp3cm9uZw=="}
    answers = [registry.client("POST", "/api/v1/tokens", {}, wrong) for _ in range(11)]
    assert [answer.status for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    unknown = {"Authorization": "Basic bm9ib2R5Ondyb25n"}
    assert registry.client("POST", "/api/v1/tokens", {}, unknown).status == 401
    broken = {"Authorization": "Basic !!"}
    assert registry.client("POST", "/api/v1/tokens", {}, broken).status == 400


def test_the_throttle_forgets() -> None:
    throttle = Throttle(limit=1, window_seconds=0)
    throttle.failed("key")
    assert throttle.wait_seconds("key") == 0


def test_a_flood_of_logins_is_turned_away_and_takes_no_thread() -> None:
    """All places are taken: the next one is answered at once, later ones again as usual."""
    passwords = accounts.Passwords(memory_kib=64)
    hashed = passwords.hash("correct horse")
    places = [passwords._places.acquire() for _ in range(accounts.most_waiting_logins)]
    with pytest.raises(Answer) as refused:
        passwords.matches(hashed, "correct horse")
    assert refused.value.status == 503
    for _ in places:
        passwords._places.release()
    assert passwords.matches(hashed, "correct horse")
