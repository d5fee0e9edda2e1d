"""Segments told in few bytes: every byte comes back, and a forged blob does no harm."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelshelf.errors import IntegrityError
from modelshelf.store.codec import (
    AFTER,
    CASTS,
    DELTA,
    FLOAT_DELTA,
    FLOATS,
    FRAME,
    OCTAVES,
    PLANES,
    RAW,
    Codec,
    needs_base,
)
from modelshelf.store.codec.cursor import number
from modelshelf.store.codec.streams import DIGITS, HOLES, SAME

SEGMENT = 4 << 20
WIDTHS = (0, 1, 2, 3, 4, 8, 34, 210, 256)
ALWAYS = 1 << 40
CODEC = Codec()

Floats = NDArray[np.float32]


def bfloat16(values: Floats) -> bytes:
    return bytes(Codec().cast(values.astype("<f4").tobytes(), "float32>bfloat16"))


WRITERS: dict[str, tuple[Callable[[Floats], bytes], int]] = {
    "bf16": (bfloat16, 2),
    "fp16": (lambda values: values.astype("<f2").tobytes(), 2),
    "fp32": (lambda values: values.astype("<f4").tobytes(), 4),
    "fp64": (lambda values: values.astype("<f8").tobytes(), 8),
    "int8": (
        lambda values: np.round(values / np.abs(values).max() * 127).astype("i1").tobytes(),
        1,
    ),
}


def weights(count: int, seed: int = 0, sigma: float = 0.02) -> Floats:
    return np.random.default_rng(seed).normal(0, sigma, count).astype(np.float32)


def tuned(values: Floats, relative: float = 0.0, absolute: float = 0.0) -> Floats:
    """As after training: every value a little elsewhere."""
    generator = np.random.default_rng(1)
    factors = generator.normal(1, relative, values.size)
    changed = values * factors + generator.normal(0, absolute, values.size)
    return changed.astype(np.float32)


PATTERNS: dict[str, Callable[[int], bytes]] = {
    "zeros": bytes,
    "ones": lambda size: b"\xff" * size,
    "noise": np.random.default_rng(3).bytes,
    "text": lambda size: "".join(f'"layer.{at}": {at**3 % 977},\n' for at in range(size // 12 + 1)).encode()[:size],
    "counts": lambda size: np.arange(size // 8 + 1, dtype="<i8").tobytes()[:size],
    "sparse": lambda size: bytes(200 if at % 97 == 0 else 0 for at in range(size)),
    "bf16": lambda size: bfloat16(weights(size // 2 + 1))[:size],
    "fp32": lambda size: weights(size // 4 + 1).tobytes()[:size],
    "fp64": lambda size: weights(size // 8 + 1).astype("<f8").tobytes()[:size],
    "outliers": lambda size: bfloat16(weights(size // 2 + 1) * (1 + 1e9 * (weights(size // 2 + 1) > 0.05)))[:size],
    "nan": lambda size: np.resize(np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], "<f4"), size // 4 + 1).tobytes()[:size],
}  # fmt: skip


def back(blob: bytes, size: int, base: bytes | None = None) -> bytes:
    return bytes(CODEC.decode(blob, size, base))


@pytest.mark.parametrize("size", [0, 1, 7, 3001])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_told_alone_comes_back(pattern: str, size: int) -> None:
    raw = PATTERNS[pattern](size)
    for width, floating in product(WIDTHS, (False, True)):
        blob = CODEC.solo(raw, width, floating=floating)
        assert not needs_base(blob)
        assert len(blob) <= size + 2
        assert back(blob, size) == raw


@pytest.mark.parametrize("size", [1, 7, 3001])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_told_against_a_base_comes_back(pattern: str, size: int) -> None:
    raw = bytearray(base := PATTERNS[pattern](size))
    raw[::50] = b"x" * len(raw[::50])
    for width, floating, known in product(WIDTHS, (False, True), (size, size // 3)):
        blob = CODEC.delta(raw, base[:known], width, floating=floating, below=ALWAYS)
        assert blob is not None
        assert needs_base(blob)
        assert back(blob, size, base[:known]) == raw


@given(
    st.binary(max_size=3000),
    st.binary(max_size=3000),
    st.integers(0, 300),
    st.booleans(),
    st.integers(1, 40),
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_come_back(
    raw: bytes, base: bytes, width: int, floating: bool, times: int
) -> None:
    raw, base = raw * times, base * times
    assert back(CODEC.solo(raw, width, floating=floating), len(raw)) == raw
    blob = CODEC.delta(raw, base, width, floating=floating, below=ALWAYS)
    assert blob is not None
    assert back(blob, len(raw), base) == raw


@pytest.mark.parametrize("more", [-1, 0, 1, 3])
@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("change", [(0.0, 2e-4), (1e-3, 0.0), (1e-5, 0.0)], ids=str)
def test_pieces_for_the_cache_leave_no_seams(
    kind: str, more: int, change: tuple[float, float]
) -> None:
    write, width = WRITERS[kind]
    values = weights((256 << 10) + more)
    raw, base = write(tuned(values, *change)) + b"x" * (more + 1), write(values)
    solo = CODEC.solo(raw, width, floating=kind != "int8")
    assert back(solo, len(raw)) == raw
    blob = CODEC.delta(raw, base, width, floating=kind != "int8", below=ALWAYS)
    assert blob is not None
    assert len(blob) < len(solo)
    assert back(blob, len(raw), base) == raw


def test_each_way_is_taken() -> None:
    values, size = weights(SEGMENT // 8), SEGMENT // 4
    raw = {name: make(size) for name, make in PATTERNS.items()}
    fp16, bf16 = WRITERS["fp16"][0](values), bfloat16(values)
    blobs = {
        RAW: CODEC.solo(raw["noise"], 2),
        FRAME: CODEC.solo(raw["text"]),
        PLANES: CODEC.solo(WRITERS["int8"][0](values), 1),
        FLOATS: CODEC.solo(fp16, 2, floating=True),
        OCTAVES: CODEC.solo(bf16, 2, floating=True),
        DELTA: CODEC.delta(raw["counts"], raw["counts"], 8, below=ALWAYS),
        FLOAT_DELTA: CODEC.delta(fp16, fp16, 2, floating=True, below=ALWAYS),
        AFTER: CODEC.delta(raw["text"], raw["text"], 0, below=ALWAYS),
    }
    assert {way: blob and blob[0] for way, blob in blobs.items()} == {way: way for way in blobs}


@pytest.mark.parametrize("pattern", ["bf16", "fp32", "text", "noise", "zeros"])
def test_what_is_not_known_is_found_out(pattern: str) -> None:
    raw = PATTERNS[pattern](SEGMENT // 4)
    expected = {"bf16": 0.67, "fp32": 0.84, "text": 0.2, "noise": 1.001, "zeros": 0.001}[pattern]
    assert len(CODEC.solo(raw)) <= expected * len(raw)


def test_a_tensor_that_grew_costs_what_is_new() -> None:
    raw = bfloat16(weights(SEGMENT // 2))
    known = raw[: -64 << 10]
    blob = CODEC.delta(raw, known, 2, floating=True, below=len(raw))
    assert blob is not None
    assert len(blob) < 0.7 * (len(raw) - len(known))
    assert back(blob, len(raw), known) == raw


@pytest.mark.parametrize("size", [300, 20_000, SEGMENT])
@pytest.mark.parametrize("pattern", ["text", "noise"])
def test_what_is_no_tensor_is_told_after_its_parent(pattern: str, size: int) -> None:
    base = PATTERNS[pattern](size)
    raw = base[: size // 3] + b"something new" + base[size // 3 : -13]
    blob = CODEC.delta(raw, base, 0, below=len(CODEC.solo(raw)))
    assert blob is not None
    assert len(blob) < 200 + size // 30
    assert back(blob, len(raw), base) == raw


def test_what_has_nothing_of_its_parent_is_not_told_after_it() -> None:
    raw, base = (np.random.default_rng(seed).bytes(SEGMENT) for seed in (1, 2))
    assert CODEC.delta(raw, base, 0, below=len(raw)) is None


def test_a_base_that_helps_little_is_not_used() -> None:
    raw, base = bfloat16(weights(100_000)), bfloat16(weights(100_000, seed=9))
    assert CODEC.delta(raw, base, 2, floating=True, below=len(CODEC.solo(raw, 2))) is None
    size = len(CODEC.delta(raw, raw, 2, floating=True, below=ALWAYS) or b"")
    assert CODEC.delta(raw, raw, 2, floating=True, below=int(size / 0.8)) is None
    assert CODEC.delta(raw, raw, 2, floating=True, below=int(size / 0.8) + 2) is not None


@pytest.mark.parametrize(
    ("kind", "share"),
    [("bf16", 0.6623), ("fp16", 0.85), ("fp32", 0.8312), ("int8", 0.84)],
)
@pytest.mark.parametrize("sigma", [0.02, 0.03])
def test_weights_are_told_in_few_bytes(kind: str, share: float, sigma: float) -> None:
    write, width = WRITERS[kind]
    raw = write(weights(SEGMENT // width, sigma=sigma))
    blob = CODEC.solo(raw, width, floating=kind != "int8")
    assert len(blob) <= share * len(raw)
    assert back(blob, len(raw)) == raw


@pytest.mark.parametrize(
    ("kind", "relative", "absolute", "share"),
    [
        ("bf16", 1e-3, 0, 0.0497),
        ("bf16", 1e-4, 0, 0.0100),
        ("bf16", 0, 0.01, 0.2936),
        ("bf16", 0, 0.02, 0.0459 / 0.128),
        ("fp16", 1e-3, 0, 0.1718),
        ("fp32", 1e-3, 0, 0.4932),
        ("fp32", 0, 0.01, 0.6480),
    ],
)
def test_training_is_told_in_few_bytes(
    kind: str, relative: float, absolute: float, share: float
) -> None:
    write, width = WRITERS[kind]
    values = weights(SEGMENT // width)
    base, raw = write(values), write(tuned(values, relative, absolute * 0.02))
    blob = CODEC.delta(raw, base, width, floating=True, below=len(raw))
    assert blob is not None
    assert len(blob) <= share * len(raw)
    assert back(blob, len(raw), base) == raw


def test_quantised_blocks_are_told_by_column() -> None:
    values = weights(SEGMENT // 4).reshape(-1, 32)
    scales = np.abs(values).max(1, keepdims=True) / 127
    blocks = np.hstack([scales.astype("<f2").view("i1"), np.round(values / scales).astype("i1")])
    raw, changed = blocks.tobytes(), blocks.copy()
    changed[::9, 5] += 1
    blob = CODEC.solo(raw, 34)
    assert blob[:2] == bytes((PLANES, 34))
    assert len(blob) < 0.95 * len(raw)
    assert back(blob, len(raw)) == raw
    delta = CODEC.delta(changed.tobytes(), raw, 34, below=len(blob))
    assert delta is not None
    assert len(delta) < 0.02 * len(raw)
    assert back(delta, len(raw), raw) == changed.tobytes()


def _examples() -> list[tuple[bytes, int, bytes | None]]:
    values = weights(5000)
    base = bfloat16(values)
    grouped = bfloat16(weights(200_000))
    blocks = PATTERNS["counts"](3400)
    told: list[tuple[bytes, bytes | None, bytes | None]] = [
        (raw := PATTERNS["text"](5000), CODEC.solo(raw), None),
        (raw, CODEC.solo(raw, 1), None),
        (base, CODEC.solo(base, 2, floating=True), None),
        (values.tobytes(), CODEC.solo(values.tobytes(), 4, floating=True), None),
        (blocks, CODEC.solo(blocks, 34), None),
        (raw, CODEC.delta(raw, raw[7:-900], 0, below=ALWAYS), raw[7:-900]),
    ]
    for absolute, before in ((2e-6, base), (2e-4, base[:-999]), (2e-4, grouped)):
        now = bfloat16(tuned(values if before is not grouped else weights(200_000), 0, absolute))
        told.append((now, CODEC.delta(now, before, 2, floating=True, below=ALWAYS), before))
    return [(blob, len(raw), base) for raw, blob, base in told if blob is not None]


EXAMPLES = _examples()


def harmless(blob: bytes, size: int, base: bytes | None) -> None:
    """Decode a forged blob: either an error of ours, or as many bytes as were asked for."""
    with suppress(IntegrityError):
        assert len(CODEC.decode(blob, size, base)) == size


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_blob_does_no_harm(
    example: tuple[bytes, int, bytes | None], data: st.DataObject
) -> None:
    blob, size, base = example
    forged = bytearray(blob)
    places = st.integers(0, 40) | st.integers(0, len(blob) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        forged[place % len(forged)] ^= data.draw(st.integers(1, 255))
    harmless(bytes(forged), size, base)
    harmless(bytes(forged), data.draw(st.integers(0, 20_000)), base)


@given(st.integers(0, 8), st.integers(0, 255), st.binary(max_size=60), st.integers(0, 5000))
@settings(max_examples=400, deadline=None)
def test_a_forged_blob_does_no_harm(way: int, width: int, rest: bytes, size: int) -> None:
    harmless(bytes((way, width)) + rest, size, bytes(size))
    harmless(rest, size, None)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_cut_or_extended_blob_is_refused(example: tuple[bytes, int, bytes | None]) -> None:
    blob, size, base = example
    for cut in {*range(min(40, len(blob))), *range(0, len(blob), len(blob) // 40), len(blob) - 1}:
        with pytest.raises(IntegrityError):
            CODEC.decode(blob[:cut], size, base)
    if blob[0] not in {FRAME, AFTER}:
        with pytest.raises(IntegrityError):
            CODEC.decode(blob + b"x", size, base)


@pytest.mark.parametrize("example", EXAMPLES)
def test_another_size_is_refused(example: tuple[bytes, int, bytes | None]) -> None:
    blob, size, base = example
    for other in (0, size - 1, size + 1, 2 * size):
        with pytest.raises(IntegrityError):
            CODEC.decode(blob, other, base)


@pytest.mark.parametrize("blob", [each for each, _, base in EXAMPLES if base and each[0] != AFTER])
def test_a_missing_base_is_refused(blob: bytes) -> None:
    with pytest.raises(IntegrityError):
        CODEC.decode(blob, 10_000)
    with pytest.raises(IntegrityError):
        CODEC.decode(blob, 10_000, b"")


def test_groups_of_another_base_are_refused() -> None:
    blob, size, base = EXAMPLES[-1]
    assert base is not None
    with pytest.raises(IntegrityError):
        CODEC.decode(blob, size, bytes(len(base)))


def _stream(way: int, body: bytes) -> bytes:
    return number(len(body) * 8 + way) + body


ZEROS = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 28))
NO_SIZE = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 20))
WIDE = zstandard.ZstdCompressor(
    compression_params=zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
).compress(bytes(1 << 20))
FULL = _stream(HOLES, _stream(SAME, b"\xff") + _stream(SAME, b"\x01"))
NESTED = _stream(SAME, b"\xff")
for _ in range(50):
    NESTED = _stream(HOLES, NESTED + _stream(SAME, b"\x01"))

BOMBS = {
    "a quarter of a gibibyte": bytes((FRAME, 0)) + ZEROS,
    "no size": bytes((FRAME, 0)) + NO_SIZE,
    "a wide window": bytes((FRAME, 0)) + WIDE,
    "in a plane": bytes((PLANES, 1)) + _stream(2, ZEROS),
    "holes in holes": bytes((PLANES, 1)) + NESTED,
    "more values than places": bytes((PLANES, 8)) + 8 * FULL,
    "digits of no kind": bytes((PLANES, 1)) + _stream(DIGITS, b"\xff"),
    "a long number": bytes((PLANES, 1)) + b"\xff" * 90,
    "a length": bytes((PLANES, 1)) + number(1 << 34),
    "no width": bytes((PLANES, 0)) + _stream(SAME, b"x"),
    "octaves of a byte": bytes((OCTAVES, 1)) + b"\0" + _stream(SAME, b"x") * 4,
    "groups": bytes((FLOAT_DELTA, 2)) + number(9) + number(1 << 30) + bytes(8),
    "groups of integers": bytes((DELTA, 2)) + b"\x0a\x02\x40" + number(5) + _stream(SAME, b"x") * 4,
    "a base in a base": bytes((DELTA, 1, 3, 1)) + _stream(SAME, b"x") + bytes((DELTA, 1, 0)),
    "unknown": bytes((99, 1)),
    "one byte": b"\x02",
    "nothing": b"",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_memory(name: str) -> None:
    blob = BOMBS[name]
    codec = Codec()
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            codec.decode(blob, 100_000, bytes(99_990))
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["bf16", "fp32"])
def test_decoding_needs_little_memory(kind: str) -> None:
    write, width = WRITERS[kind]
    values = weights(SEGMENT // width)
    base, raw = write(values), write(tuned(values, absolute=2e-4))
    blobs = (
        CODEC.solo(raw, width, floating=True),
        CODEC.delta(raw, base, width, floating=True, below=ALWAYS),
    )
    codec = Codec()
    tracemalloc.start()
    try:
        for blob in blobs:
            assert blob is not None
            assert codec.decode(blob, len(raw), base) == raw
        assert tracemalloc.get_traced_memory()[1] < 3.8 * SEGMENT
    finally:
        tracemalloc.stop()


def test_threads_do_not_meet() -> None:
    def work(seed: int) -> bool:
        codec, values = Codec(), weights(50_000, seed)
        base, raw = bfloat16(values), bfloat16(tuned(values, 1e-3))
        told = codec.solo(raw, 2, floating=True)
        delta = codec.delta(raw, base, 2, floating=True, below=ALWAYS)
        assert delta is not None
        return all(
            codec.decode(told, len(raw)) == raw and codec.decode(delta, len(raw), base) == raw
            for _ in range(30)
        )

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, range(4)))


def test_raw_bytes_need_no_library() -> None:
    code = (
        "import sys; from modelshelf.store.codec import RAW, Codec;"
        "assert Codec().decode(bytes((RAW, 2)) + b'abc', 3) == b'abc';"
        "sys.exit(bool({'numpy', 'zstandard'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


EDGES = np.array(
    [0x00000000, 0x80000000, 0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x7F7FFFFF, 0xFF7FFFFF,
     0x7F800000, 0xFF800000, 0x00000001, 0x807FFFFF, 0x477FE000, 0x477FF000, 0x33000000, 0x33000001],
    "<u4",
)  # fmt: skip


@pytest.mark.parametrize("kind", CASTS)
def test_a_cast_rounds_as_the_frameworks_do(kind: str) -> None:
    types = pytest.importorskip("ml_dtypes")
    into = {"float32>bfloat16": types.bfloat16, "float32>float16": np.float16}[kind]
    bits = np.random.default_rng(5).integers(0, 1 << 32, 300_000, dtype=np.uint32)
    values = np.concatenate([EDGES, bits, weights(100_000).view("<u4")]).view("<f4")
    with np.errstate(all="ignore"):
        expected = values.astype(into)
    found = np.frombuffer(CODEC.cast(values.tobytes(), kind), into)
    same = found.view("<u2") == expected.view("<u2")
    assert (same | np.isnan(values)).all()
    assert np.isnan(found[np.isnan(values)].astype("f4")).all()


@pytest.mark.parametrize("kind", ["float32>int8", "", "bfloat16>float32"])
def test_an_unknown_cast_is_refused(kind: str) -> None:
    with pytest.raises(IntegrityError):
        CODEC.cast(bytes(8), kind)


def test_half_a_value_is_not_cast() -> None:
    with pytest.raises(IntegrityError):
        CODEC.cast(bytes(7), CASTS[0])


def test_a_cast_may_be_a_base() -> None:
    values = weights(100_000)
    raw = bfloat16(tuned(values, 1e-3))
    base = CODEC.cast(values.tobytes(), "float32>bfloat16")
    blob = CODEC.delta(raw, base, 2, floating=True, below=len(raw))
    assert blob is not None
    assert CODEC.decode(blob, len(raw), base) == raw
