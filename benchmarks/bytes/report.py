"""The tables: one line for each pair, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.bytes.pairs import SOURCE
from benchmarks.bytes.shelf import Moved
from benchmarks.measure import Result

OURS = "Modelshelf"
OK, MISSED, FAILED = "ok", "missed", "FAILED"


@dataclass(frozen=True)
class Row:
    """What was measured of one pair: bytes; `got` is None where Modelshelf failed."""

    name: str
    title: str
    file_bytes: int
    goal: float | None
    published: Moved | None
    got: Moved | None
    peers: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """All bytes to the client, as a share of the file."""
        return None if self.got is None else self.got.down / self.file_bytes

    @property
    def verdict(self) -> str:
        """Whether all bytes to the client are within the goal, and not more than hf_xet's.

        Ours are those of HTTP with its heads, index and description of the release; hf_xet's are
        xorbs and shards only, since its `local://` mode speaks no HTTP.
        """
        if self.got is None or self.share is None:
            return FAILED
        reached = self.goal is None or self.share <= self.goal
        behind = self.got.down > self.peers.get("hf_xet", self.got.down)
        return OK if reached and not behind else MISSED


@dataclass(frozen=True)
class Kept:
    """What a family of files takes in storage, by tool."""

    name: str
    title: str
    file_bytes: int
    stored: Mapping[str, int]


def wire(rows: Sequence[Row]) -> str:
    """Bytes on the wire to a reader who has the first file."""
    peers = _peers(rows)
    lines = [("bytes on the wire", "file", OURS, "of the file", "its content",
              "of the file", f"goal ({SOURCE})", "", *(x for peer in peers for x in (peer, "of the file")))]  # fmt: skip
    for row in rows:
        got = row.got
        lines.append((
            row.title, _number(row.file_bytes), *_of(got and got.down, row.file_bytes),
            *_of(got and got.content, row.file_bytes), _share(row.goal), row.verdict,
            *(x for peer in peers for x in _of(row.peers.get(peer), row.file_bytes)),
        ))  # fmt: skip
    return _aligned(lines)


def storage(rows: Sequence[Row], kept: Sequence[Kept]) -> str:
    """Bytes that the second file adds to what is kept (with what the registry makes of it in its
    own time), and bytes sent to publish it.
    """
    peers = _peers(rows) or [name for name in kept[0].stored if name != OURS]
    lines = [("bytes stored", "file", OURS, "of the file", "sent to publish",
              *(x for peer in peers for x in (peer, "of the file")))]  # fmt: skip
    for row in rows:
        done = row.published
        lines.append((
            row.title, _number(row.file_bytes), *_of(done and done.stored, row.file_bytes),
            _number(done and done.up),
            *(x for peer in peers for x in _of(row.peers.get(peer), row.file_bytes)),
        ))  # fmt: skip
    lines += [
        (each.title, _number(each.file_bytes),
         *_of(each.stored.get(OURS), each.file_bytes), "",
         *(x for peer in peers for x in _of(each.stored.get(peer), each.file_bytes)))
        for each in kept
    ]  # fmt: skip
    return _aligned(lines)


def as_json(
    rows: Sequence[Row], kept: Sequence[Kept], costs: Sequence[Result], about: Mapping[str, str]
) -> dict[str, object]:
    """All that was measured."""
    return {
        "about": about,
        "source_of_goals": SOURCE,
        "pairs": [{**asdict(row), "share": row.share, "verdict": row.verdict} for row in rows],
        "families": [asdict(each) for each in kept],
        "costs": [{**each._asdict(), "verdict": each.verdict} for each in costs],
    }


def _peers(rows: Sequence[Row]) -> list[str]:
    return [*dict.fromkeys(peer for row in rows for peer in row.peers)]


def _of(value: int | None, file_bytes: int) -> tuple[str, str]:
    return _number(value), _share(None if value is None else value / file_bytes)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )
