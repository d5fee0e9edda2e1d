"""Large files on their way to a registry: what it lacks, in few bytes, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import blake3
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.client import compare, publish
from modelshelf.client.digests import Digests
from modelshelf.client.http import Connection
from modelshelf.client.outbox import Outbox
from modelshelf.client.remote import Registry
from modelshelf.client.settings import Settings
from modelshelf.errors import IntegrityError, Invalid
from modelshelf.store.codec import Codec
from modelshelf.store.digest import hash_file
from modelshelf.store.recipe import Cut, Recipe, dumps, loads
from tests.client.weights import MIB, Values, tuned, values, write
from tests.conftest import Shelf
from tests.trouble.proxy import Proxy

KIB = 1 << 10
FILE = "small.safetensors"
Tensors = dict[str, Values]


class Sent(NamedTuple):
    """What a publish told."""

    bytes_sent: int
    bytes: int
    files: dict[str, str]


class Sender:
    """Publishes releases with weights that no other test has, through a wire that can be watched."""

    def __init__(self, shelf: Shelf, publisher: str, folder: Path) -> None:
        self.shelf = shelf
        self.publisher = publisher
        self.folder = folder
        self.seed = int(hashlib.sha256(publisher.encode()).hexdigest()[:8], 16)
        sizes = {"body.0": 2 * MIB, "body.1": 2 * MIB, "head": MIB}
        self.tensors = {
            name: values(self.seed + number, count)
            for number, (name, count) in enumerate(sizes.items())
        }

    @property
    def tuned(self) -> Tensors:
        """The same weights after some more training."""
        return {name: tuned(each) for name, each in self.tensors.items()}

    def write(
        self,
        tensors: Tensors | None = None,
        version: str = "1.0.0",
        name: str = "weights",
        **more: Any,
    ) -> Path:
        return write(
            self.folder / name / version,
            f"{self.publisher}/{name}",
            self.tensors if tensors is None else tensors,
            version=version,
            **more,
        )

    def __call__(self, *given: Any, options: tuple[str, ...] = (), **more: Any) -> Sent:
        done = self.shelf("publish", str(self.write(*given, **more)), "--json", *options)
        assert done.code == 0, done.out
        told = json.loads(done.out)
        files = {each["path"]: each["sha256"] for each in told["files"]}
        return Sent(told["bytes_sent"], told["bytes"], files)

    def install(self, name: str = "weights") -> None:
        done = self.shelf("install", f"{self.publisher}/{name}", "--format", "safetensors")
        assert done.code == 0, done.err


@pytest.fixture
def send(shelf: Shelf, publisher: str, tmp_path: Path) -> Sender:
    return Sender(shelf, publisher, tmp_path / "sent")


@pytest.fixture
def http(registry_url: str) -> Connection:
    return Connection(registry_url)


def assert_whole(http: Connection, sent: Sent, file: str = FILE) -> None:
    """The registry has the file as it was, whole and in its segments."""
    whole = http.get(f"/files/{sent.files[file]}").body
    assert hashlib.sha256(whole).hexdigest() == sent.files[file]
    recipe = loads(http.get(f"/recipes/{sent.files[file]}").body, len(whole))
    codec = Codec()
    for identifier, start, size in recipe.segments():
        raw = codec.decode(http.get(f"/segments/{identifier}").body, size)
        assert raw == whole[start : start + size]


def test_a_first_release_takes_fewer_bytes_than_it_has(send: Sender, http: Connection) -> None:
    first = send()
    assert first.bytes > 5 << 20
    assert first.bytes_sent < 0.86 * first.bytes
    assert_whole(http, first)


def test_what_was_sent_is_told(send: Sender) -> None:
    done = send.shelf("publish", str(send.write()))
    assert "; sent 4." in done.out
    assert " MiB of 5.0 MiB.\n" in done.out


def test_other_metadata_are_a_few_bytes(send: Sender, http: Connection) -> None:
    send()
    second = send(version="1.0.1", note="x" * 1000)
    assert second.bytes_sent < 4 * KIB
    assert_whole(http, second)


def test_with_a_new_head_the_body_is_not_sent(send: Sender, http: Connection) -> None:
    send()
    second = send({**send.tensors, "head": values(4, MIB)}, "1.1.0")
    assert second.bytes_sent < 1 << 20
    assert_whole(http, second)


def test_the_same_tensors_in_another_order_and_file(send: Sender) -> None:
    send()
    other = dict(zip(("z", "y", "x"), send.tensors.values(), strict=True))
    assert send(other, name="renamed", file="weights.safetensors").bytes_sent < 4 * KIB


def test_what_stands_twice_in_a_release_is_sent_once(send: Sender, http: Connection) -> None:
    note = base64.encodebytes(np.random.default_rng(send.seed).bytes(4 << 20))
    beside = {"one.txt": note, "two.txt": note[: 4 << 20] + note[: 4 << 20] + b"another end"}
    sent = send({}, beside=beside)
    assert sent.bytes_sent < len(note)
    for path in beside:
        assert_whole(http, sent, path)


def test_a_fine_tune_is_told_against_the_release_that_is_here(
    send: Sender, http: Connection, registry_data: Path
) -> None:
    first = send()
    send.install()
    second = send(send.tuned, "1.1.0")
    assert second.bytes_sent < 0.6 * first.bytes_sent
    assert_whole(http, second)


@pytest.mark.parametrize("gone", ["removed", "damaged"])
def test_without_the_release_before_it_is_told_alone(
    send: Sender, http: Connection, user_env: dict[str, str], gone: str
) -> None:
    first = send()
    send.install()
    sha256 = first.files[FILE]
    kept = Path(user_env["MODELSHELF_HOME"]) / "store" / "files" / sha256[:2] / sha256
    kept.chmod(0o644)
    if gone == "removed":
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes().replace(send.tensors["head"].tobytes()[:99], b"x" * 99))
        with kept.open("r+b") as file:
            file.seek(4096)
            file.write(b"damaged" * 100)
    second = send(send.tuned, "1.1.0")
    assert second.bytes_sent > 0.6 * first.bytes_sent
    assert_whole(http, second)


def test_a_base_that_is_here_helps_too(send: Sender, http: Connection) -> None:
    first = send(name="base")
    send.install("base")
    needs = f'[dependencies]\n"{send.publisher}/base" = {{ version = "^1", kind = "base" }}\n'
    second = send(send.tuned, needs=needs, file="tuned.safetensors")
    assert second.bytes_sent < 0.6 * first.bytes_sent
    assert_whole(http, second, "tuned.safetensors")


def test_of_a_tensor_that_grew_the_new_rows_are_sent(send: Sender, http: Connection) -> None:
    send()
    send.install()
    longer = np.concatenate([send.tensors["head"], values(6, 4 * KIB)])
    second = send({**send.tensors, "head": longer}, "1.1.0")
    assert second.bytes_sent < 32 * KIB
    assert_whole(http, second)


def test_a_text_is_told_after_the_one_before(send: Sender, http: Connection) -> None:
    text = base64.encodebytes(np.random.default_rng(send.seed).bytes(300 << 10))
    send({}, beside={"words.txt": text})
    send.install()
    changed = text[:99_999] + b"another word" + text[100_000:]
    second = send({}, "1.0.1", beside={"words.txt": changed})
    assert second.bytes_sent < 4 * KIB
    assert_whole(http, second, "words.txt")


def test_of_what_was_one_file_several_are_told(send: Sender, http: Connection) -> None:
    first = send()
    send.install()
    half = {name: each for name, each in send.tuned.items() if name != "body.0"}
    other = {"body.0": send.tuned["body.0"]}
    second = send(half, "1.1.0", second=other)
    assert second.bytes_sent < 0.6 * first.bytes_sent
    for file in (FILE, "second.safetensors"):
        assert_whole(http, second, file)


@pytest.fixture
def wired(send: Sender, registry_url: str, user_env: dict[str, str]) -> Iterator[Proxy]:
    """A wire that the commands of `send` use from here on."""
    proxy = Proxy(registry_url)
    tokens = json.loads((Path(user_env["MODELSHELF_HOME"]) / "settings.json").read_text())["tokens"]
    user_env |= {"MODELSHELF_REGISTRY": proxy.url, "MODELSHELF_TOKEN": tokens[registry_url]}
    yield proxy
    proxy.close()


def asked(wired: Proxy, method: str, what: str) -> list[str]:
    """The last parts of what was asked for of a session."""
    wired.settle()
    return [
        each.path.rpartition("/")[2]
        for each in wired.exchanges
        if each.method == method and f"/{what}" in each.path
    ]


def test_small_segments_go_together(send: Sender, wired: Proxy, http: Connection) -> None:
    rows = np.array_split(send.tensors["body.0"], 100)
    sent = send({f"lora.{number}": each for number, each in enumerate(rows)})
    assert len(asked(wired, "POST", "segments")) <= 4 + 2
    assert not asked(wired, "PUT", "segments")
    assert_whole(http, sent)


def test_a_base_that_is_refused_costs_nothing_but_bytes(
    send: Sender, wired: Proxy, http: Connection
) -> None:
    send()
    send.install()
    nobody_s = rb"-" + b"0" * 64
    wired.damage_up = lambda data: re.sub(rb"-[0-9a-f]{64}(?=\?stored)", nobody_s, data)
    second = send(send.tuned, "1.1.0")
    assert_whole(http, second)


def test_a_registry_without_recipes_gets_whole_files(
    send: Sender, wired: Proxy, http: Connection
) -> None:
    wired.damage_up = lambda data: data.replace(b"/recipes/", b"/nothing/")
    sent = send()
    assert 0.99 < sent.bytes_sent / sent.bytes < 1.01
    assert_whole(http, sent)


def test_no_faster_than_is_allowed(send: Sender) -> None:
    assert send(options=("--limit-rate", "900M")).bytes_sent
    assert send.shelf("publish", "--limit-rate", "fast").code == 2


@pytest.fixture
def prepared(
    send: Sender, registry_url: str, user_env: dict[str, str]
) -> tuple[publish.Upload, Registry, Settings]:
    """An upload that is about to be sent."""
    home = Path(user_env["MODELSHELF_HOME"])
    token = json.loads((home / "settings.json").read_text())["tokens"][registry_url]
    settings = Settings(home, registry_url, token)
    registry = Registry(settings)
    return publish.prepare(send.write(), world=compare.around(registry)), registry, settings


@pytest.mark.parametrize("file", [FILE, "shelf.toml"])
@pytest.mark.parametrize("how", ["other", "shorter", "gone"])
def test_a_file_that_changes_meanwhile_is_not_published(
    prepared: tuple[publish.Upload, Registry, Settings], file: str, how: str
) -> None:
    upload, registry, settings = prepared
    place = upload.folder / file
    content = place.read_bytes()
    if how == "gone":
        place.unlink()
    else:
        place.write_bytes(content[:-9] + (b"otherwise" if how == "other" else b""))
    with pytest.raises(IntegrityError):
        publish.publish(upload, registry, settings, lambda _count: None)
    assert registry.http.get("/healthz").status == 200
    place.write_bytes(content)
    entry, _ = publish.publish(upload, registry, settings, lambda _count: None)
    assert entry.number == 1


def test_progress_comes_to_all_bytes(prepared: tuple[publish.Upload, Registry, Settings]) -> None:
    upload, registry, settings = prepared
    shown: list[int] = []
    publish.publish(upload, registry, settings, shown.append)
    assert sum(shown) == upload.size


class Opened(NamedTuple):
    """A session that lacks one segment; its blob."""

    registry: Registry
    session: str
    key: str
    blob: bytes

    def put(self, content: bytes, stored: int) -> None:
        path = f"/api/v1/sessions/{self.session}/segments/{self.key}?offset=0&stored={stored}"
        self.registry.http.upload(path, [content], len(content))


@pytest.fixture
def opened(prepared: tuple[publish.Upload, Registry, Settings]) -> Opened:
    upload, registry, _ = prepared
    files = [
        {"path": path, "size": each.size, "sha256": each.sha256}
        for path, each in upload.files.items()
    ]
    record = msgspec.to_builtins(upload.record)
    session = str(registry.ask("POST", "/sessions", {"record": record, "files": files})["id"])
    outbox, segmented = Outbox(registry, session), upload.segmented[FILE]
    sizes = tuple(piece.size for piece in segmented.pieces)
    recipe = Recipe(sum(sizes), segmented.ids, sizes, sizes)
    lacking = outbox.recipe(upload.files[FILE].sha256, dumps(recipe))
    assert lacking is not None
    piece = max(segmented.pieces, key=lambda each: each.size)
    raw = (upload.folder / FILE).read_bytes()[piece.start :][: piece.size]
    key = blake3.blake3(raw).hexdigest()
    assert key in [each.id for each in lacking]
    return Opened(registry, session, key, Codec().solo(raw, 4, floating=True))


@pytest.mark.parametrize(
    ("begun", "stored"), [(1000, None), (1000, 1 << 20), (1 << 20, 1 << 21), (1 << 21, 3 << 20)]
)
def test_what_another_encoder_began_is_sent_anew(
    opened: Opened, begun: int, stored: int | None
) -> None:
    opened.put(bytes(begun), stored or len(opened.blob))
    outbox = Outbox(opened.registry, opened.session)
    outbox.blob(opened.key, opened.blob, begun)
    outbox.blob(opened.key, opened.blob)
    assert len(opened.blob) <= outbox.sent <= 3 * len(opened.blob)


def test_a_segment_goes_on_where_it_is(opened: Opened) -> None:
    opened.put(opened.blob[:1000], len(opened.blob))
    outbox = Outbox(opened.registry, opened.session)
    outbox.blob(opened.key, opened.blob, 1000)
    assert outbox.sent == len(opened.blob) - 1000


@pytest.mark.parametrize("wrong", [b"", b"xx", bytes(1000)])
def test_what_is_wrong_twice_is_an_error(opened: Opened, wrong: bytes) -> None:
    outbox = Outbox(opened.registry, opened.session)
    with pytest.raises((IntegrityError, Invalid)):
        outbox.blob(opened.key, wrong)


@given(st.binary(max_size=5000), st.lists(st.integers(0, 5000), max_size=8), st.booleans())
def test_ids_are_those_of_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, places: list[int], known: bool
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    (folder / "file").write_bytes(content)
    digests = Digests(folder, ["file"])
    if known:
        assert digests["file"] == hashlib.sha256(content).hexdigest()
    cuts = [Cut(start, stop) for start, stop in pairwise(places)]
    made = digests.segmented("file", cuts)
    parts = [content[each.start : each.start + each.size] for each in made.pieces]
    assert b"".join(parts) == content
    assert made.ids == b"".join(blake3.blake3(each).digest() for each in parts)
    assert digests.hashes("file") == hash_file(folder / "file")
