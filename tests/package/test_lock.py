"""`shelf.lock`: the same bytes for the same values, and nothing believed that does not fit."""

from __future__ import annotations

import random
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import Invalid, LockStale
from modelshelf.package.entry import Entry, File
from modelshelf.package.lock import Lock, LockedFile, dumps, loads, locked
from modelshelf.package.record import Artifact, Dependency, Variant

SHA = "0123456789abcdef" * 4


def _file(path: str, size: int = 1) -> File:
    return File(path, size, SHA, SHA[:40], SHA[:32])


def _entry(name: str = "acme/digits") -> Entry:
    return Entry(
        name=name,
        version="1.0.0",
        commit=SHA[:40],
        number=1,
        manifest=SHA,
        published="2026-01-01T00:00:00Z",
        files=tuple(map(_file, ("small.onnx", "shelf.toml", "small.bin", "large.onnx", "a.txt"))),
        variants=(
            Variant("small", (Artifact("onnx", ("small.onnx", "small.bin")),)),
            Variant("large", (Artifact("onnx", ("large.onnx",), ("edge",)),)),
        ),
        license="MIT",
        dependencies={"acme/base": Dependency("^1", kind="base")},
    )


def _lock() -> Lock:
    return Lock(
        {"acme/digits": Dependency("^1", variants=("small",)), "acme/base": Dependency("*")},
        {},
        tuple(
            locked(_entry(name), "https://r.example", {("small", "onnx", None): ("default",)})
            for name in ("acme/digits", "acme/base")
        ),
    )


def test_a_locked_release_holds_every_artifact_and_what_they_share() -> None:
    release = _lock().packages[0]
    assert [file.path for file in release.shared] == ["a.txt", "shelf.toml"]
    assert [(a.variant, a.installed) for a in release.artifacts] == [
        ("small", True),
        ("large", False),
    ]
    assert [file.path for file in release.installed_files()] == [
        "a.txt",
        "shelf.toml",
        "small.bin",
        "small.onnx",
    ]
    assert release.artifacts[1].files == (LockedFile("large.onnx", 1, SHA),)


def test_find() -> None:
    assert _lock().find("acme/base") == _lock().packages[1]
    assert _lock().find("acme/none") is None


def test_the_same_lock_has_the_same_bytes_in_any_order() -> None:
    lock = _lock()
    other = Lock(dict(reversed(lock.requirements.items())), {}, lock.packages[::-1])
    assert dumps(lock) == dumps(other) == dumps(loads(dumps(lock)))
    assert dumps(lock).startswith("# Written by shelf")


@pytest.mark.parametrize("lock", [Lock(), _lock()], ids=["empty", "full"])
def test_a_lock_is_read_back(lock: Lock) -> None:
    packages = tuple(sorted(lock.packages, key=lambda each: each.name))
    assert loads(dumps(lock)) == msgspec.structs.replace(lock, packages=packages)


def test_one_key_a_line_so_that_changes_merge() -> None:
    text = dumps(_lock())
    assert 'name = "acme/base"\n' in text
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('version = "2.0"', 'version = "1.0"'),
        ('version = "2.0"', ""),
        (f'manifest = "{SHA}"', 'manifest = "../x"'),
        ('version = "^1"', 'version = "one"'),
        ('environments = ["default"]', 'environments = ["phone"]'),
        ("number = 1", 'number = "1"'),
        ("number = 1", "number = " + "1" * 5000),
        ("size = 1", "size = -1"),
        ("size = 1", "size = 1.5"),
        (f'sha256 = "{SHA}"', 'sha256 = "00"'),
        (f'sha256 = "{SHA}"', f'sha256 = "../{SHA[3:]}"'),
        ('path = "a.txt"', 'path = "../../a.txt"'),
        ('path = "small.onnx"', 'path = "/etc/passwd"'),
        ('path = "large.onnx"', 'path = "a\\\\b"'),
        ('name = "acme/base"', 'name = "../base"'),
        ('name = "acme/base"', ""),
        ('version = "1.0.0"', 'version = "../../x"'),
        ('environments = ["default"]', 'environments = "yes"'),
        ('"acme/base" = {', '"acme/base" = [{'),
        ('"acme/base" = {', "x = " + "[" * 50_000),
    ],
)  # fmt: skip
def test_a_lock_edited_into_something_else_is_refused(right: str, wrong: str) -> None:
    text = dumps(_lock())
    assert right in text
    with pytest.raises(Invalid) as caught:
        loads(text.replace(right, wrong, 1))
    assert caught.value.where == "shelf.lock"
    assert caught.value.hint


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_damaged_lock_is_read_or_refused(chance: random.Random) -> None:
    text = dumps(_lock())
    start = chance.randrange(len(text))
    damaged = (
        text[:start]
        + chance.choice(["", "\x00", '"', "[", "\n", "9"])
        + text[start + chance.randrange(9) :]
    )
    with suppress(Invalid, LockStale):
        assert isinstance(loads(damaged), Lock)
