"""The reader of TensorFlow's checkpoints, against TensorFlow's own and against made-up harm."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.facts import Facts
from modelshelf.formats.sstable import crc32c
from modelshelf.formats.tf_bundle import OBJECT_GRAPH
from tests.formats.matrix import cases, expected, told
from tests.formats.tf_made import (
    FLOAT,
    HEADER,
    STRING,
    Rows,
    block,
    checkpoint,
    message,
    number,
    sealed,
    shape,
    stored,
    table,
    varint,
)

FOLDER = Path(__file__).parent / "tf_checkpoint"
GOOD = (FOLDER / "objects.index").read_bytes()
ROWS: Rows = [(b"layer/bias", stored(FLOAT, (2,), 0, 8)), (b"layer/weight", stored(FLOAT, (3, 2), 8, 24))]  # fmt: skip


def facts(folder: Path, index: bytes, data: bytes | None = b"\0" * 32) -> Facts:
    path = folder / "model.index"
    path.write_bytes(index)
    if data is not None:
        (folder / "model.data-00000-of-00001").write_bytes(data)
    return read(path, "tf-checkpoint")


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_says_what_tensorflow_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_where_tensors_lie() -> None:
    found = read(FOLDER / "names.index")
    assert found.companions == ("names.data-00000-of-00001",)
    (spans,) = found.spans.values()
    assert found.spans.keys() == set(found.companions)
    assert (spans[0].start, spans[-1].stop) == (0, (FOLDER / found.companions[0]).stat().st_size)
    # a tensor that was cut up has no place of its own, its slices have no name
    assert {each.name for each in spans} ^ {each.name for each in found.tensors} == {"", "parts"}
    assert found.unsaid
    assert not found.signature_known


def test_keys_that_share_their_beginning(tmp_path: Path) -> None:
    found = facts(tmp_path, checkpoint(ROWS))
    assert [(each.name, each.shape) for each in found.tensors] == [
        ("layer/bias", (2,)),
        ("layer/weight", (3, 2)),
    ]
    assert found.spans == {
        "model.data-00000-of-00001": (
            (0, 8, "float32", "layer/bias"), (8, 32, "float32", "layer/weight"),
        )
    }  # fmt: skip
    assert found.notes == ("variables by name, as TensorFlow 1 saves",)
    assert found.risks == ()


def test_a_checkpoint_of_a_gigabyte(tmp_path: Path) -> None:
    size = 1 << 30
    index = checkpoint([(b"w", stored(FLOAT, (size // 4,), 0, size))])
    with (tmp_path / "model.data-00000-of-00001").open("wb") as file:
        file.truncate(size)
    assert facts(tmp_path, index, None).parameters == size // 4


@pytest.mark.parametrize(
    ("content", "value"), [(b"123456789", 0xE3069283), (b"", 0), (b"\0" * 32, 0x8A9136AA)]
)
def test_the_checksum(content: bytes, value: int) -> None:
    """Vectors of RFC 3720, B.4, and of the catalogue of parametrised CRC algorithms."""
    assert crc32c(content) == value


@pytest.mark.parametrize("at", range(0, 300, 23))
def test_a_changed_byte_breaks_the_checksum(tmp_path: Path, at: int) -> None:
    changed = GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]
    with pytest.raises(FormatError, match="checksum"):
        facts(tmp_path, changed)


@pytest.mark.parametrize("size", range(0, len(GOOD), 29))
def test_an_index_that_is_cut_off(tmp_path: Path, size: int) -> None:
    with pytest.raises(FormatError) as caught:
        facts(tmp_path, GOOD[:size])
    assert caught.value.hint


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        (table(block([HEADER], compression=1)), "compressed"),
        (table(block([HEADER]), handles=[(0, 1 << 40)]), "outside itself"),
        (table(block([HEADER]), handles=[(0, 2)]), "outside itself"),
        (
            table(block([HEADER]), handles=[(0, len(block([HEADER])) - 5)] * 2),
            "one behind the other",
        ),
        (
            table(b"\x80\x04N.", block([HEADER]), handles=[(4, len(block([HEADER])) - 5)]),
            "one behind the other",
        ),
        (table(block([HEADER], restarts=0xFFFF_FFFF)), "damaged"),
        (table(block([])), "no header"),
        (table(block(ROWS)), "does not begin with its header"),
        (checkpoint(ROWS[::-1]), "not in order"),
        (checkpoint([ROWS[0], ROWS[0]]), "not in order"),
        (checkpoint([(b"\xff", ROWS[0][1])]), "not UTF-8"),
        (table(block([(b"", number(1, 1 << 31))])), "impossible number of data files"),
        (table(block([(b"", number(1, 0))])), "impossible number of data files"),
        (checkpoint([(b"w", stored(FLOAT, (2,), 0, 8, shard=1))]), "impossible place"),
        (checkpoint([(b"w", stored(FLOAT, (2,), -8, 8))]), "impossible place"),
        (checkpoint([(b"w", stored(FLOAT, (3,), 0, 8))]), "another size"),
        (checkpoint([(b"w", stored(FLOAT, (-1,), 0, 8))]), "open shape"),
        (checkpoint([(b"w", stored(FLOAT, (1 << 62, 1 << 62), 0, 8))]), "impossible shape"),
        (checkpoint([(b"w", stored(FLOAT, (1,) * 255, 0, 4))]), "too many dimensions"),
        (checkpoint([(b"w", stored(FLOAT, (10,), 0, 40))]), "cut off"),
        (checkpoint([(b"w", stored(STRING, (), 1 << 62, 1 << 62))]), "cut off"),
        (checkpoint([(b"w", b"\xff" * 20)]), "more than ten bytes"),
    ],
)
def test_harm_is_refused(tmp_path: Path, index: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        facts(tmp_path, index)
    assert caught.value.where


def test_an_index_that_points_to_itself(tmp_path: Path) -> None:
    good = table(block([HEADER]))
    place = len(good) - 48 - len(block([(b"k0", b"\0\0")]))
    with pytest.raises(FormatError):
        facts(tmp_path, table(block([HEADER]), handles=[(place, 20), (place, 20)]))


def test_keys_that_grow_from_nothing(tmp_path: Path) -> None:
    """Each entry of five bytes repeats a key of 60,000: 120 MB of keys from 70 kB."""
    key = b"a" * 60_000
    content = varint(0) + varint(len(key)) + varint(0) + key
    content += b"".join(varint(60_000 + n) + b"\1\0a" for n in range(2_000))
    with pytest.raises(FormatError, match="keys take more"):
        facts(tmp_path, table(block([HEADER]), sealed(content)))


def test_slices_of_a_tensor_that_was_cut_up(tmp_path: Path) -> None:
    whole = number(1, FLOAT) + message(2, shape(4)) + message(7, b"")
    rows = [(b"\0\1p", stored(FLOAT, (2,), 0, 8)), (b"\0\1q", stored(FLOAT, (2,), 8, 8))]
    found = facts(tmp_path, checkpoint([*rows, (b"w", whole)]))
    assert [(each.name, each.shape) for each in found.tensors] == [("w", (4,))]
    assert found.spans == {
        "model.data-00000-of-00001": ((0, 8, "float32", ""), (8, 16, "float32", ""))
    }
    assert "2 slices of tensors that were cut up" in found.notes


def test_a_data_file_that_is_missing(tmp_path: Path) -> None:
    risks = facts(tmp_path, checkpoint(ROWS), None).risks
    assert [(risk.kind, risk.detail) for risk in risks] == [
        ("external-data", "model.data-00000-of-00001 is missing")
    ]


def test_a_data_file_that_is_a_link_outside(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"\0" * 32)
    (tmp_path / "package" / "model.data-00000-of-00001").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError, match="link out"):
        facts(tmp_path / "package", checkpoint(ROWS), None)


def object_graph(*attributes: tuple[str, str]) -> bytes:
    """One object for each pair of checkpoint key and full name."""
    return b"".join(
        message(1, message(2, message(1, "VARIABLE_VALUE"), message(2, name), message(3, key)))
        for key, name in attributes
    )


def with_objects(folder: Path, graph: bytes, keys: list[str]) -> Facts:
    text = varint(len(graph)) + b"\0\0\0\0" + graph
    rows = [(OBJECT_GRAPH.encode(), stored(STRING, (), 4, len(text)))]
    rows += [(key.encode(), stored(FLOAT, (), 0, 4)) for key in sorted(keys)]
    return facts(folder, checkpoint(rows), b"\0" * 4 + text)


VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ([("a" + VALUE, "first/kernel"), ("b" + VALUE, "bias")], ["first/kernel", "bias"]),
        ([("a" + VALUE, "kernel"), ("b" + VALUE, "kernel")], ["a", "b"]),
        ([("a" + VALUE, "")], ["a"]),
        ([("_all_variables/0" + VALUE, "k"), ("b" + VALUE, "k")], ["k"]),
        ([("a" + VALUE, "b"), ("b", "x")], ["a" + VALUE, "x"]),
        ([("a" + VALUE, ""), ("b" + VALUE, "a")], ["a" + VALUE, "b" + VALUE]),
    ],
)
def test_names_that_the_objects_tell(
    tmp_path: Path, attributes: list[tuple[str, str]], names: list[str]
) -> None:
    found = with_objects(tmp_path, object_graph(*attributes), [key for key, _ in attributes])
    assert [each.name for each in found.tensors] == names


def test_objects_of_another_length(tmp_path: Path) -> None:
    rows = [(OBJECT_GRAPH.encode(), stored(STRING, (), 0, 20))]
    with pytest.raises(FormatError, match="object graph is damaged"):
        facts(tmp_path, checkpoint(rows), b"\xff\x01" + b"\0" * 30)


def test_objects_of_an_absurd_size(tmp_path: Path) -> None:
    size = 1 << 27
    rows = [(OBJECT_GRAPH.encode(), stored(STRING, (), 0, size))]
    with (tmp_path / "model.data-00000-of-00001").open("wb") as file:
        file.truncate(size)
    with pytest.raises(FormatError, match="larger than any real one"):
        facts(tmp_path, checkpoint(rows), None)


def test_other_files_of_that_suffix_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pages.index"
    path.write_bytes(b"an index of pages")
    assert detect(path) is None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.index"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "tf-checkpoint").format == "tf-checkpoint"
