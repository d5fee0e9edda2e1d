"""The server as a whole: what it tells of itself, its tables, its start and its end."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from modelshelf.errors import ShelfError, UsageError
from modelshelf.registry import app, log, replies, tables
from modelshelf.registry.server import Server
from modelshelf.registry.settings import Settings

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_is_well(registry: Running, path: str) -> None:
    assert registry.client("GET", path).json == {"status": "ok"}


def test_the_configuration_tells_where_things_are(registry: Running) -> None:
    assert registry.client("GET", "/config.json").json == {
        "api": "/api/v1",
        "files": f"{registry.url}/files/{{sha256}}",
        "index": f"{registry.url}/index/{{name}}.jsonl",
        "recipes": f"{registry.url}/recipes/{{sha256}}",
        "segments": f"{registry.url}/segments/{{key}}",
        "bundles": True,
        "raw": False,
        "level": "minimal",
    }


def test_openapi_tells_every_route(registry: Running) -> None:
    document = registry.client("GET", "/openapi.json").json
    assert document["openapi"] == "3.1.0"
    told = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert told == {(e.method, e.path.replace(":path}", "}")) for e in app.endpoints()}
    identifiers = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert len(set(identifiers)) == len(identifiers)
    assert "Entry" in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/nothing/at/all", 404),
        ("DELETE", "/api/v1/accounts", 405),
        ("POST", "/index/a/b.jsonl", 405),
    ],
)
def test_machines_get_json_where_nothing_is(
    registry: Running, method: str, path: str, status: int
) -> None:
    answer = registry.client(method, path)
    assert answer.status == status
    assert answer.json["message"]


def test_each_answer_has_an_id(registry: Running) -> None:
    ids = {registry.client("GET", "/healthz").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_the_tables_are_what_the_migrations_make(registry: Running) -> None:
    with registry.service.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_everything_derived_is_made_again(
    serve: Callable[[], Running], settings: Settings, draft: type[Draft]
) -> None:
    first = serve()
    draft().publish(first.client.account("acme"))
    line = first.client("GET", "/index/acme/digits.jsonl").body
    first.stop()
    shutil.rmtree(settings.data / "index")
    shutil.rmtree(settings.data / "search")
    second = serve()
    second.service.jobs.run_due()
    with second.service.database.reading() as connection:
        waiting = connection.execute(text("SELECT count(*) FROM job")).scalar_one()
    if waiting:  # the worker has it in hand: stopping waits for it
        second.stop()
        second = serve()
    assert second.client("GET", "/index/acme/digits.jsonl").body == line
    assert second.client("GET", "/api/v1/search?q=digits").json["total"] == 1


def test_a_full_disk_is_507(
    registry: Running, acme: Client, draft: type[Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("modelshelf.store.disk.Appender.write", full)
        one = draft()
        opened = acme("POST", "/api/v1/sessions", one.session()).json
        address = f"/api/v1/sessions/{opened['id']}/files/{opened['missing'][0]}?offset=0"
        answer = acme("PUT", address, one.files["small.safetensors"])
    assert answer.status == 507
    assert "full" in answer.json["message"]
    assert draft().publish(acme).status == 201


def test_every_error_has_a_status() -> None:
    raised = {
        kind for kind in ShelfError.__subclasses__() if kind.__module__ == "modelshelf.errors"
    }
    never_by_a_server = {"Unsatisfiable", "LockStale", "NetworkError"}
    assert {kind.__name__ for kind in raised - replies.STATUS.keys()} == never_by_a_server


def test_what_nobody_expected_is_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "modelshelf.registry"):
        answer = replies.from_error(ZeroDivisionError("secret"), known=True)
    assert answer.status_code == 500
    assert b"secret" not in answer.body


def test_a_log_line_is_json() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "started", None, None)
    record.fields = {"path": Path("a")}
    line = json.loads(log.JsonFormatter().format(record))
    assert (line["event"], line["level"], line["path"]) == ("started", "info", "a")


def test_an_address_that_is_taken_is_told(settings: Settings) -> None:
    first = Server(settings, port=0)
    with pytest.raises(UsageError, match="cannot listen"):
        Server(settings, port=int(first.url.rpartition(":")[2]))
    first.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from modelshelf.registry.server import serve\n"
        "from modelshelf.registry.settings import Settings\n"
        "serve(Settings(data=Path(sys.argv[1])), port=0,"
        " on_ready=lambda url: print(url, flush=True))\n"
        "print('ended')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "ended\n")
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["started", "stopped"]
