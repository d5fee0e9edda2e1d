"""How a file is damaged: blindly, and in ways that keep its outer layers right so that inner ones are reached."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from tests.fuzz.words import NUMBERS, WORDS

Mutation = Callable[["Turn", bytes], bytes]
FILE_BYTES = 2_000_000
JSON_DEPTH = 3000


class Turn(NamedTuple):
    """One mutation's chance, its format, and other files to take pieces from."""

    chance: Random
    format: str
    others: list[bytes]


def mutated(turn: Turn, content: bytes) -> bytes:
    """One to four mutations, one after the other."""
    for _ in range(turn.chance.choice((1, 1, 1, 2, 3, 4))):
        content = _once(turn, content)[:FILE_BYTES]
    return content


def _once(turn: Turn, content: bytes) -> bytes:
    chance = turn.chance
    if chance.random() < 0.65:
        for layer in (_zip, _gzip, _safetensors, _json, _protobuf):
            found = layer(turn, content)
            if found is not None:
                return found
    return chance.choice(BLIND)(turn, content)


def _place(turn: Turn, content: bytes) -> tuple[int, int]:
    """A piece of the file; near its start more often, where headers stand."""
    size = max(len(content), 1)
    start = turn.chance.randrange(size if turn.chance.random() < 0.6 else min(size, 512))
    return start, min(size, start + turn.chance.choice((1, 2, 4, 8, 32, 200)))


def flip(turn: Turn, content: bytes) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(turn.chance.choice((1, 1, 2, 8))):
        changed[turn.chance.randrange(len(changed))] ^= 1 << turn.chance.randrange(8)
    return bytes(changed)


def overwrite(turn: Turn, content: bytes) -> bytes:
    start, end = _place(turn, content)
    return content[:start] + turn.chance.randbytes(end - start) + content[end:]


def cut(turn: Turn, content: bytes) -> bytes:
    return content[: turn.chance.randrange(len(content) + 1)]


def remove(turn: Turn, content: bytes) -> bytes:
    start, end = _place(turn, content)
    return content[:start] + content[end:]


def duplicate(turn: Turn, content: bytes) -> bytes:
    start, end = _place(turn, content)
    return content[:end] + content[start:end] * turn.chance.choice((1, 2, 20)) + content[end:]


def swap(turn: Turn, content: bytes) -> bytes:
    places = sorted(turn.chance.randrange(len(content) + 1) for _ in range(3))
    a, b, c = places
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def number(turn: Turn, content: bytes) -> bytes:
    """A number set to one that breaks sums and sizes."""
    width, code = turn.chance.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    start, _ = _place(turn, content)
    order = turn.chance.choice("<>")
    value = turn.chance.choice(NUMBERS) & ((1 << (8 * width)) - 1)
    return content[:start] + struct.pack(order + code, value) + content[start + width :]


def splice(turn: Turn, content: bytes) -> bytes:
    """A piece of another file, also of another format."""
    other = turn.chance.choice(turn.others)
    start, end = sorted(turn.chance.randrange(len(other) + 1) for _ in range(2))
    at = turn.chance.randrange(len(content) + 1)
    return content[:at] + other[start:end][:20_000] + content[at:]


def word(turn: Turn, content: bytes) -> bytes:
    """A word that the format knows, put in or over what stands there."""
    token = turn.chance.choice(WORDS.get(turn.format, WORDS["any"]) + WORDS["any"])
    at, _ = _place(turn, content)
    return content[:at] + token + content[at + turn.chance.choice((0, len(token))) :]


BLIND: list[Mutation] = [flip, overwrite, cut, remove, duplicate, swap, number, splice, word]


def _zip(turn: Turn, content: bytes) -> bytes | None:
    """Change an entry and write the archive anew with the right check sums."""
    if not content.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(info, archive.read(info)) for info in archive.infolist()[:200]]
    except Exception:  # noqa: BLE001  an archive that is broken already is mutated blindly
        return None
    if not entries:
        return None
    names = [info.filename for info, _ in entries]
    chosen = turn.chance.randrange(len(entries))
    deed = turn.chance.randrange(10)
    rebuilt = []
    for at, (info, inner) in enumerate(entries):
        name = info.filename
        if at == chosen:
            if deed == 0:
                continue
            if deed == 1:
                name = turn.chance.choice(
                    [*names, name + "x", "../up", "a/" * 50, "/root", name.upper()]
                )
            elif deed == 2:
                rebuilt.append((name, inner))
        changed = at == chosen and deed > 2
        rebuilt.append((name, _once(turn, inner) if changed else inner))
    kind = turn.chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    return _zipped(rebuilt, kind)


def _zipped(entries: list[tuple[str, bytes]], kind: int) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", kind) as archive:
        warnings.simplefilter("ignore")  # two members of one name are what is wanted
        for name, inner in entries:
            archive.writestr(zipfile.ZipInfo(name), inner, kind)
    return made.getvalue()


def _gzip(turn: Turn, content: bytes) -> bytes | None:
    if content[:1] != b"\x78":
        return None
    try:
        return zlib.compress(_once(turn, zlib.decompressobj().decompress(content, FILE_BYTES)))
    except zlib.error:
        return None


def _safetensors(turn: Turn, content: bytes) -> bytes | None:
    """The header changed, its length made right again."""
    if content[8:9] != b"{" or turn.format != "safetensors":
        return None
    end = 8 + int.from_bytes(content[:8], "little")
    header = _json(turn, content[8:end])
    return None if header is None else len(header).to_bytes(8, "little") + header + content[end:]


def _json(turn: Turn, content: bytes) -> bytes | None:
    if content.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    _change(turn, value)
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * JSON_DEPTH


def _change(turn: Turn, value: Any) -> None:
    """One place of the tree changed, wherever a walk from the root ends."""
    chance = turn.chance
    while isinstance(value, (dict, list)) and value:
        key = (
            chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        )
        inner = value[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.8:
            value = inner
            continue
        match chance.randrange(6):
            case 0:
                del value[key]
            case 1 if isinstance(value, dict):
                value[f"{key}x"] = inner
            case 2 if isinstance(value, list):
                value += value[:50] * 3
            case 3:
                token = chance.choice(WORDS.get(turn.format, WORDS["any"]) + WORDS["any"])
                value[key] = token.decode("utf-8", "replace")
            case _:
                value[key] = _odd(chance, inner)
        return


def _odd(chance: Random, inner: Any) -> Any:
    nested: Any = 0
    for _ in range(chance.choice((1, 30, 300))):
        nested = [nested]
    return chance.choice(
        [None, True, -1, 0, 1.5, 1e999, 2**31, 2**63, 2**64, -(2**63), "", "x" * 5000, [], {},
         [inner], {"a": inner}, nested, "\ud800", "\0", [0, -1], [2**40] * 9, list(range(300))]
    )  # fmt: skip


def _protobuf(turn: Turn, content: bytes) -> bytes | None:
    """A field changed somewhere in the tree of messages, the lengths above it made right again."""
    if turn.format not in ("onnx", "tf-savedmodel", "tf-frozen-graph", "tf-hub-module"):
        return None
    fields = _fields(content)
    if not fields:
        return None
    chance = turn.chance
    at = chance.randrange(len(fields))
    tag, value = fields[at]
    inside = value if isinstance(value, bytes) else None
    deed = chance.randrange(8)
    if deed == 0:
        del fields[at]
    elif deed == 1:
        fields[at:at] = [fields[at]] * chance.choice((1, 2, 50))
    elif deed == 2:
        fields[at] = ((chance.randrange(1, 40) << 3) | (tag & 7), value)
    elif inside is None:
        fields[at] = (tag, _varint(chance.choice(NUMBERS)) if tag & 7 == 0 else value)
    else:
        deeper = _protobuf(turn, inside) if chance.random() < 0.8 else None
        changed = deeper if deeper is not None else chance.choice(BLIND)(turn, inside)
        fields[at] = (tag, changed)
    return b"".join(map(_field, fields))


def _varint(value: int) -> Any:
    return ("varint", value & (2**64 - 1))


def _fields(content: bytes) -> list[tuple[int, Any]]:
    """The fields of a message: bytes, or ("varint" or "raw", value); empty where it is none."""
    found: list[tuple[int, Any]] = []
    at = 0
    while at < len(content):
        tag, at = _number(content, at)
        if at < 0 or not tag >> 3:
            return []
        value: Any
        match tag & 7:
            case 0:
                value, at = _number(content, at)
                value = ("varint", value)
            case 2:
                size, at = _number(content, at)
                value, at = content[at : at + size], at + size
            case 1 | 5:
                width = 8 if tag & 7 == 1 else 4
                value, at = ("raw", content[at : at + width]), at + width
            case _:
                return []
        if at < 0 or at > len(content):
            return []
        found.append((tag, value))
    return found


def _number(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while 0 <= at < len(content) and shift < 70:
        value |= (content[at] & 127) << shift
        at += 1
        if content[at - 1] < 128:
            return value, at
        shift += 7
    return 0, -1


def _encoded(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def _field(field: tuple[int, Any]) -> bytes:
    tag, value = field
    if isinstance(value, bytes):
        return _encoded(tag) + _encoded(len(value)) + value
    kind, inner = value
    return _encoded(tag) + (_encoded(inner) if kind == "varint" else inner)
