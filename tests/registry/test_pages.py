from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
import pytest
from sqlalchemy import insert
from starlette.types import ASGIApp, Message

from modelshelf.package.elements import ELEMENTS
from modelshelf.package.entry import Entry, File
from modelshelf.package.record import (
    Artifact,
    Dependency,
    Developer,
    Entrypoint,
    Metric,
    Package,
    Parameter,
    Record,
    Training,
    Variant,
)
from modelshelf.package.signature import Signature, Tensor
from modelshelf.registry import tables
from modelshelf.registry.app import create_app, open_service
from modelshelf.registry.markdown import MAX_CHARACTERS, rendered
from modelshelf.registry.pages import presenting, rendering
from modelshelf.registry.settings import Settings

SINCE = "2026-01-02T03:04:05Z"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
SIGNATURE = Signature(
    {"image": Tensor("float32", ("batch", 1, 8, 8), "image", range=(0.0, 1.0), layout="NCHW")},
    {"logits": Tensor("float32", ("batch", 10), "class-scores", labels="labels.txt")},
)


class Shelf:
    """A registry's parts on a real folder, with packages put straight into its tables."""

    def __init__(self, data: Path) -> None:
        settings = Settings(data=data, fsync=False, password_memory_kib=8)
        self.service = open_service(settings)
        self.store = self.service.store
        self.insert(tables.accounts, name="ann", password="", created=SINCE)

    def insert(self, table: object, **row: object) -> None:
        with self.service.database.writing() as connection:
            connection.execute(insert(table).values(**row))  # type: ignore[arg-type]

    def publisher(self, name: str) -> None:
        self.insert(tables.publishers, name=name, kind="organization", created=SINCE)
        self.insert(tables.members, publisher=name, account="ann", role="owner")

    def package(self, name: str, status: str = "active", successor: str | None = None) -> None:
        publisher, _, rest = name.partition("/")
        self.insert(
            tables.packages, publisher=publisher, name=rest, status=status, successor=successor,
            created=SINCE,
        )  # fmt: skip

    def release(
        self, record: Record, number: int, contents: dict[str, bytes], yanked: str | None = None
    ) -> None:
        publisher, _, name = record.package.name.partition("/")
        version = record.package.version
        entry = Entry(
            record.package.name, version, "c" * 40, number, "d" * 64, SINCE,
            tuple(self._file(path, content) for path, content in contents.items()),
            record.variants, record.package.license, record.dependencies,
            signatures=record.signatures,
        )  # fmt: skip
        self.insert(
            tables.releases, publisher=publisher, name=name, version=version, number=number,
            commit="c" * 40, manifest="d" * 64, record=msgspec.json.encode(record),
            entry=msgspec.json.encode(entry), published=SINCE, account="ann", yanked=yanked,
        )  # fmt: skip
        for other, dependency in record.dependencies.items():
            on_publisher, _, on_name = other.partition("/")
            self.insert(
                tables.dependencies, publisher=publisher, name=name, version=version,
                on_publisher=on_publisher, on_name=on_name, requirement=dependency.version,
                kind=dependency.kind,
            )  # fmt: skip
        self.service.refresh(publisher, name)

    def _file(self, path: str, content: bytes) -> File:
        staged = self.store.stage()
        staged.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        self.store.commit(staged, sha256)
        return File(path, len(content), sha256, "e" * 40, "f" * 32)


def digits(version: str, **package: object) -> Record:
    variants = tuple(
        Variant(
            name, (Artifact("onnx", (f"{name}.onnx",), ("python", "javascript"), "float32"),),
            features={"width": width}, metrics=(Metric("accuracy", 0.98, "uci-digits", "test"),),
        )
        for name, width in (("small", 8), ("large", 32))
    )  # fmt: skip
    facts: dict[str, object] = {
        "name": "acme/digits", "summary": "Handwritten digits", "license": "Apache-2.0", "task": "image-classification",
        "algorithm": "CNN", "datasets": ("uci-digits",), "readme": "README.md",
        "developers": (Developer("Acme Vision", "organization"),),
        "source": "https://git.acme.example/digits",
    }  # fmt: skip
    made = Package(version=version, **(facts | package))  # type: ignore[arg-type]
    return Record(
        made, variants, {}, training=Training("Adam"), signatures={"classify": SIGNATURE},
        entrypoints={"digits": Entrypoint(parameters=(Parameter("width", "int", "8"),))},
    )  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("registry"))
    for publisher in ("acme", "lab", "evil"):
        shelf.publisher(publisher)
    shelf.package("acme/digits")
    files = {"README.md": b"# Digits\n\n[weights](small.onnx)", "small.onnx": b"x" * 2500}
    shelf.release(digits("1.0.0"), 1, files, yanked="labels were wrong")
    shelf.release(digits("1.1.0", notes="Trained on *more* data."), 2, files)
    shelf.package("lab/reader", status="deprecated", successor="acme/digits")
    needs = {"acme/digits": Dependency("^1.0")}
    reader = msgspec.structs.replace(digits("0.1.0", name="lab/reader"), dependencies=needs)
    shelf.release(reader, 1, files)
    shelf.package("evil/eye")
    shelf.release(hostile(), 1, {"README.md": HOSTILE.encode() * 20_000, HOSTILE: b"y"})
    shelf.package("evil/empty")
    yield shelf
    shelf.service.database.close()


def hostile() -> Record:
    bad = "javascript:alert(1)"
    tensor = Tensor("float32", (HOSTILE, 1), HOSTILE, HOSTILE, labels=HOSTILE)
    package = Package(
        "evil/eye", "1.0.0", summary=HOSTILE, license=HOSTILE, copyright=HOSTILE, task=HOSTILE,
        algorithm=HOSTILE, datasets=(HOSTILE, "\ud7ff'\""), keywords=(HOSTILE,), source=bad,
        homepage=bad, demo=bad, issues=bad, security=bad, papers=(bad,), readme="README.md",
        developers=(Developer(HOSTILE, url=bad),), usage=HOSTILE + " text", notes=HOSTILE + " x",
    )  # fmt: skip
    metric = Metric(HOSTILE, 1e300, HOSTILE, HOSTILE)
    artifacts = (Artifact(HOSTILE, (HOSTILE,), (HOSTILE,), HOSTILE),)
    return Record(
        package, (Variant(HOSTILE, artifacts, features={HOSTILE: HOSTILE}, metrics=(metric,)),),
        signatures={HOSTILE: Signature({HOSTILE: tensor}, {HOSTILE: tensor}, HOSTILE)},
        entrypoints={HOSTILE: Entrypoint(HOSTILE, (Parameter(HOSTILE, HOSTILE, HOSTILE),))},
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(shelf: Shelf) -> Client:
    app = create_app(shelf.service.settings)
    app.state.service = shelf.service
    return Client(app)


class Answer(NamedTuple):
    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


class Client:
    """Asks the application itself, without a network between."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def get(self, url: str, headers: dict[str, str] | None = None) -> Answer:
        path, _, query = url.partition("?")
        scope: dict[str, object] = {
            "type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(),
            "query_string": query.encode(), "scheme": "http", "server": ("shelf.example", 80),
            "client": ("127.0.0.1", 1), "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
        }  # fmt: skip
        return asyncio.run(self._ask(scope))

    async def _ask(self, scope: dict[str, object]) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]))


class Outline(HTMLParser):
    """What a page holds: tags, attributes, and whether every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        void = ("meta", "link", "input", "br", "img", "hr", "path", "rect")
        if tag not in void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "rect"):
            assert self.open.pop() == tag, self.getpos()


PATHS = (
    "/", "/search", "/search?q=digits&task=image-classification&format=onnx&offset=0",
    "/search?q=zzz", "/acme", "/acme/digits", "/acme/digits/1.0.0", "/lab/reader", "/evil",
    "/evil/eye", "/evil/eye/1.0.0", "/nobody", "/acme/nothing", "/acme/digits/9.9.9",
    "/evil/empty", "/a/b/c/d", "/search?q=%3Cscript%3E&task=%22%3E%3Cscript%3E&offset=x",
    "/%3Cscript%3E/x",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_whole_and_harmless(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 404)
    outline = Outline()
    outline.feed(answer.text)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert not outline.tags & {"script", "iframe", "object", "embed", "style", "base"}
    assert not [name for name in outline.attributes if name.startswith("on") or name == "style"]
    assert not [link for link in outline.links if link.lower().startswith(("javascript", "//"))]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert {"main", "header", "footer", "nav", "h1"} <= outline.tags


@pytest.mark.parametrize("path", ["/nobody", "/acme/nothing", "/acme/digits/9.9.9", "/a/b/c/d"])
def test_missing_things_are_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_package_page_shows_all_elements_with_their_marks(client: Client) -> None:
    text = client.get("/acme/digits").text
    for element in ELEMENTS:
        assert f"<dt>{element.name}</dt>" in text
    marks = re.findall(r'<dd class="known (\w+)">\1</dd>', text)
    assert len(marks) == len(ELEMENTS)
    assert {"declared", "observed", "absent"} <= set(marks)


@pytest.mark.parametrize(
    "said",
    [
        "shelf install acme/digits", "modelshelf.load(", "float32[batch, 1, 8, 8]",
        "digits(width: int = 8)", "0.98", "2.5 kB", 'id="readme-digits"', 'href="/lab/reader"',
        'href="/files/', 'href="/search?task=image-classification"', "Acme Vision",
        "accuracy 0.98 on uci-digits test", "onnx for python and javascript",
    ],
)  # fmt: skip
def test_package_page_says(client: Client, said: str) -> None:
    assert said in client.get("/acme/digits").text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/acme/digits/1.0.0", "labels were wrong"),
        ("/acme/digits/1.0.0", "Not the latest version."),
        ("/acme/digits/1.0.0", "sha256:" + "d" * 64),
        ("/acme/digits/1.1.0", "Trained on <em>more</em> data."),
        ("/lab/reader", 'href="/acme/digits">acme/digits</a>'),
        ("/lab/reader", "Deprecated."),
        ("/acme", "ann"),
        ("/", "Most downloaded"),
        ("/search?q=digit", "2 packages"),
        ("/search?q=digits&dataset=uci-digits", 'name="dataset" value="uci-digits"'),
        ("/evil/eye", "&lt;script&gt;"),
    ],
)
def test_pages_say(client: Client, path: str, said: str) -> None:
    assert said in client.get(path).text


def test_an_unchanged_page_is_304(client: Client) -> None:
    tag = client.get("/acme/digits").headers["etag"]
    again = client.get("/acme/digits", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_stylesheet_is_kept_for_ever(client: Client) -> None:
    url, content = rendering.stylesheet()
    answer = client.get(url)
    assert answer.content == content
    assert "immutable" in answer.headers["cache-control"]
    assert f'href="{url}"' in client.get("/").text
    assert client.get("/static/shelf.000000000000.css").status_code == 404


def test_a_failure_is_a_page_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    tables.metadata.drop_all(shelf.service.database.engine)
    app = create_app(shelf.service.settings)
    app.state.service = shelf.service
    answer = Client(app).get("/")
    shelf.service.database.close()
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "failed to answer" in answer.text


def test_search_answers_as_json(client: Client) -> None:
    answer = client.get("/api/v1/search?q=digits&format=onnx&limit=1")
    found = msgspec.json.decode(answer.content)
    assert found["total"] == 2
    assert set(found["results"][0]) == {
        "name", "version", "summary", "task", "algorithm", "license", "datasets", "formats",
        "downloads", "published", "hub", "availability",
    }  # fmt: skip
    assert found["facets"]["dataset"] == [{"value": "uci-digits", "count": 2}]


@pytest.mark.parametrize("query", ["offset=x", "limit=-1", "limit=99999999999"])
def test_search_refuses_numbers_that_are_none(client: Client, query: str) -> None:
    assert client.get(f"/api/v1/search?{query}").status_code == 400


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a <script>alert(1)</script>b", "<p>a b</p>\n"),
        ("<style>*{}</style>", ""),
        ("[x](JaVaScript:alert(1))", "<p>[x](JaVaScript:alert(1))</p>\n"),
        ("<a href='java&#10;script:x'>x</a>", '<p><a rel="R">x</a></p>\n'),
        ("<a href='data:text/html,x'>x</a>", '<p><a rel="R">x</a></p>\n'),
        ("[x](//evil.example)", '<p><a rel="R">x</a></p>\n'),
        ("![x](https://evil.example/i.png)", '<p><a href="https://evil.example/i.png" rel="R">x</a></p>\n'),
        ("<img src=https://evil.example/i.png>", "<img>"),
        ("<img src=i.png onerror=alert(1)>", '<img src="/files/1">'),
        ("![x](i.png)", '<p><img src="/files/1" alt="x"></p>\n'),
        ("[x](./i.png)", '<p><a href="/files/1" rel="R">x</a></p>\n'),
        ("<p style='x' class='y' id='main'>x</p>", "<p>x</p>"),
        ("<form action=/x><input><button>x</button></form>", "x"),
        ("# A *b*", '<h3 id="readme-a-b">A <em>b</em></h3>\n'),
        ("[x](#a-b)", '<p><a href="#readme-a-b" rel="R">x</a></p>\n'),
    ],
)  # fmt: skip
def test_markdown(text: str, html: str) -> None:
    relation = "nofollow noopener noreferrer ugc"
    assert rendered(text, {"i.png": "/files/1"}).replace(relation, "R") == html


@pytest.mark.parametrize("text", ["[", "> ", "*a **a ", "<a ", "![[]()", "|a|b|\n|-|-|\n", "\0"])
def test_markdown_survives_absurd_text(text: str) -> None:
    assert "<script" not in rendered(text * (2 * MAX_CHARACTERS // len(text)))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_999, "1 MB"), (123_456_789, "123 MB"),
     (5 * 10**18, "5000 PB")],
)  # fmt: skip
def test_size(number: int, text: str) -> None:
    assert rendering.size(number) == text


def test_a_keyword_that_a_chip_says_is_not_said_twice() -> None:
    package = Package(
        "acme/digits",
        "1.0.0",
        task="image-classification",
        keywords=("Image-Classification", "ocr"),
    )
    record = Record(package, (Variant("small", ()),))
    assert presenting.keywords(record) == ["ocr"]
