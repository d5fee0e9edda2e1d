"""An entry: one line of the index, and the commit that its files make."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from modelshelf.package.entry import Entry, File, commit_name
from modelshelf.package.record import Artifact, Record, Variant, canonical

A = File("a.bin", 1, "0" * 64, "1" * 40, "2" * 32)
B = File("b/c.bin", 2, "3" * 64, "4" * 40, "5" * 32)


@pytest.fixture
def entry(record: Record) -> Entry:
    return Entry(
        name=record.package.name,
        version=record.package.version,
        commit=commit_name((A, B)),
        number=1,
        manifest="6" * 64,
        published="2026-01-01T00:00:00Z",
        files=(A, B),
        variants=record.variants,
        dependencies=record.dependencies,
        signatures=record.signatures,
    )


def test_the_commit_is_sha1_over_sorted_paths_and_digests() -> None:
    lines = f"a.bin\0{'0' * 64}\nb/c.bin\0{'3' * 64}\n".encode()
    expected = hashlib.sha1(lines, usedforsecurity=False).hexdigest()
    assert commit_name((A, B)) == commit_name((B, A)) == expected


@pytest.mark.parametrize("field", ["path", "sha256"])
def test_the_commit_changes_with_a_path_or_its_bytes(field: str) -> None:
    other = msgspec.structs.replace(A, **{field: "f" * 64})
    assert commit_name((other, B)) != commit_name((A, B))


@pytest.mark.parametrize("field", ["git", "md5"])
def test_the_commit_does_not_depend_on_foreign_hashes(field: str) -> None:
    assert commit_name((msgspec.structs.replace(A, **{field: "f"}),)) == commit_name((A,))


def test_an_entry_is_one_line_and_is_read_back(entry: Entry) -> None:
    line = canonical.encode(entry)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=Entry) == entry
    assert entry.status == "active"
    assert entry.yanked is None


def test_an_entry_of_a_later_registry_is_read(entry: Entry) -> None:
    raw = msgspec.to_builtins(entry) | {"provenance": {"x": 1}}
    assert msgspec.convert(raw, Entry) == entry


@pytest.mark.parametrize("broken", [b"", b"{}", b"[]", b'{"name":1}', b'{"name":"a/b"'])
def test_a_broken_line_is_refused(broken: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(broken, type=Entry)


def test_what_is_not_said_takes_no_room() -> None:
    small = Entry(
        "a/b", "1.0.0", "0", 1, "0", "t", (A,), (Variant("v", (Artifact("onnx", ("a",)),)),)
    )
    assert b"license" not in canonical.encode(small)
    assert b"yanked" not in canonical.encode(small)
