"""What had come of a segment when its process was killed is there for the next one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from modelshelf.store.inbox import LONGEST_BLOB_BYTES, Inbox
from tests.store.recipes import segment

KEY = "ab" * 32 + "-" + "cd" * 32
BLOB = segment(1, 200_000)


def receive(inbox: Inbox, content: bytes) -> None:
    while content:
        room = inbox.room(min(64 << 10, len(content)))
        room[:] = content[: len(room)]
        inbox.arrived(len(room))
        content = content[len(room) :]


@pytest.mark.parametrize("count", [0, 1, 100_000, 199_999, 200_000])
def test_the_next_one_goes_on(tmp_path: Path, count: int) -> None:
    first = Inbox(tmp_path / "inbox")
    first.begin(KEY, len(BLOB))
    receive(first, BLOB[:count])  # and is never closed, as if killed
    second = Inbox(tmp_path / "inbox")
    assert (second.key, second.stored, second.received) == (KEY, len(BLOB), count)
    receive(second, BLOB[count:])
    assert second.complete
    assert second.content == BLOB
    assert len(second.room(10)) == 0
    first.close()
    second.close()


def test_a_new_segment_takes_the_place_of_the_last(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox")
    inbox.begin(KEY, len(BLOB))
    receive(inbox, BLOB)
    inbox.begin("other", 10)
    assert not inbox.complete
    inbox.close()
    again = Inbox(tmp_path / "inbox")
    assert (again.key, again.received, bytes(again.content)) == ("other", 0, b"")
    again.close()


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"segment1",
        b"x" * 300,
        b"segment1" + (LONGEST_BLOB_BYTES + 1).to_bytes(8, "little") + bytes(192) + b"\xff" * 8,
        b"segment1" + (500).to_bytes(8, "little") + bytes(192) + (400).to_bytes(8, "little") + b"x",
    ],
)
def test_what_is_no_segment_is_passed_over(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "inbox").write_bytes(left)
    inbox = Inbox(tmp_path / "inbox")
    assert (inbox.key, inbox.stored, inbox.received) == ("", 0, 0)
    inbox.close()


def test_a_full_disk_costs_only_the_chance_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    inbox = Inbox(tmp_path / "inbox")
    monkeypatch.setattr(os, "pwrite", full)
    inbox.begin(KEY, len(BLOB))
    receive(inbox, BLOB)
    assert inbox.complete
    assert inbox.content == BLOB
    assert Inbox(tmp_path / "no folder" / "inbox").key == ""
