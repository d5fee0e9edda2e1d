"""A registry on a free port of this machine, and clients that speak HTTP to it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from modelshelf.registry.server import Server
from modelshelf.registry.service import Service
from modelshelf.registry.settings import Settings

PASSWORD = "correct horse"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks plain HTTP to a registry, with a token if it has one."""

    url: str
    token: str | None = None

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, sent | (headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def new_token(self, account: str, **wanted: object) -> Answer:
        basic = base64.b64encode(f"{account}:{PASSWORD}".encode()).decode()
        return self("POST", "/api/v1/tokens", wanted, {"Authorization": f"Basic {basic}"})

    def account(self, name: str, **wanted: object) -> Client:
        """A client with a token of a new account."""
        opened = self("POST", "/api/v1/accounts", {"name": name, "password": PASSWORD})
        assert opened.status == 201, opened.body
        scopes = {"scopes": ["read", "publish", "yank", "account"]} | wanted
        return Client(self.url, self.new_token(name, **scopes).json["token"])


def tensors(value: float = 0.0) -> bytes:
    """A safetensors file with one number in it."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    return struct.pack("<Q", len(header)) + header.encode() + struct.pack("<f", value)


@dataclass
class Draft:
    """A release to publish: files by path, and what its record says beyond the least."""

    name: str = "acme/digits"
    version: str = "1.0.0"
    files: dict[str, bytes] = field(default_factory=lambda: {"small.safetensors": tensors()})
    dependencies: dict[str, object] = field(default_factory=dict)
    package: dict[str, object] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        artifact = {"format": "safetensors", "files": [next(iter(self.files))]}
        tensor = {"dtype": "float32", "shape": ["batch", 1]}
        return {
            "package": {
                "name": self.name,
                "version": self.version,
                "summary": "Handwritten digits",
                "license": "Apache-2.0",
                "task": "image-classification",
                **self.package,
            },
            "variants": [{"name": "small", "artifacts": [artifact]}],
            "signatures": {"classify": {"inputs": {"image": tensor}, "outputs": {"y": tensor}}},
            "dependencies": self.dependencies,
        }

    def session(self) -> dict[str, Any]:
        listed = [
            {"path": path, "size": len(content), "sha256": digest(content)}
            for path, content in self.files.items()
        ]
        return {"record": self.record(), "files": listed}

    def send(self, client: Client) -> str:
        """Open a session and send everything; return its id."""
        opened = client("POST", "/api/v1/sessions", self.session())
        assert opened.status == 201, opened.body
        by_digest = {digest(content): content for content in self.files.values()}
        for sha256 in opened.json["missing"]:
            sent = client(
                "PUT",
                f"/api/v1/sessions/{opened.json['id']}/files/{sha256}?offset=0",
                by_digest[sha256],
            )
            assert sent.status == 200, sent.body
            assert sent.json["complete"]
        return str(opened.json["id"])

    def publish(self, client: Client) -> Answer:
        return client("POST", f"/api/v1/sessions/{self.send(client)}/publish")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Running:
    """A registry that is being served."""

    url: str
    service: Service
    stop: Callable[[], None]

    @property
    def client(self) -> Client:
        return Client(self.url)


def run(settings: Settings) -> Running:
    """Serve in a thread, on a free port."""
    server = Server(settings, port=0)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _url: ready.set(),), daemon=True)
    thread.start()
    assert ready.wait(60)

    def stop() -> None:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()

    return Running(server.url, server.service, stop)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", fsync=False, password_memory_kib=64)


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[[], Running]]:
    """Start a registry over the same data; as often as a test wants."""
    started: list[Running] = []

    def start() -> Running:
        started.append(run(settings))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def registry(serve: Callable[[], Running]) -> Running:
    return serve()


@pytest.fixture
def acme(registry: Running) -> Client:
    """A client of the account `acme`, with every scope."""
    return registry.client.account("acme")


@pytest.fixture
def draft() -> type[Draft]:
    return Draft
