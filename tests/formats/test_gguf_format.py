"""The reader of GGUF, against files of ggml's own package, and against made-up headers."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.gguf_header import header_of
from tests.formats.matrix import cases, expected, told

FILES = Path(__file__).parent / "gguf"
GOOD = (FILES / "llama.gguf").read_bytes()
HUGE = 1 << 60


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_ggml_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(GOOD)
    found = detect(path)
    assert found is not None
    assert found.name == "gguf"


def test_what_the_metadata_says() -> None:
    facts = read(FILES / "llama.gguf")
    assert {
        "GGUF version 3, little endian, aligned to 64 bytes",
        "quantization: mostly Q8_0",
        "general.architecture: llama",
        "general.name: Tiny",
        "llama.context_length: 128",
        "tokenizer.ggml.model: gpt2",
        "vocabulary of 4 tokens",
        "1 tensors of q8_0",
    } <= set(facts.notes)
    assert any("tokenizer.chat_template: a template" in note for note in facts.notes)
    assert [(r.kind, r.detail) for r in facts.risks] == [("author-path", "/home/ann/imatrix.dat")]
    assert not facts.unsafe
    assert not facts.signature_known
    assert "GGUF version 3, big endian, aligned to 64 bytes" in read(FILES / "big.gguf").notes


class Made:
    """A GGUF file put together by hand, of any version and order of bytes."""

    def __init__(self, version: int = 3, order: str = "<") -> None:
        self.version, self.order = version, order
        self.keys: list[bytes] = []
        self.tensors: list[bytes] = []

    def number(self, value: int, kind: str = "Q") -> bytes:
        return struct.pack(f"{self.order}{kind}", value)

    def length(self, value: int) -> bytes:
        return self.number(value, "I" if self.version == 1 else "Q")

    def text(self, value: str) -> bytes:
        return self.length(len(value.encode())) + value.encode()

    def key(self, name: str, kind: int, value: bytes) -> Made:
        self.keys.append(self.text(name) + self.number(kind, "I") + value)
        return self

    def tensor(self, name: str, sizes: tuple[int, ...], *, kind: int = 0, offset: int = 0) -> Made:
        shape = b"".join(map(self.length, sizes))
        head = self.text(name) + self.number(len(sizes), "I") + shape
        self.tensors.append(head + self.number(kind, "I") + self.number(offset))
        return self

    def content(self, data: bytes = b"", *, tensors: int | None = None) -> bytes:
        count = len(self.tensors) if tensors is None else tensors
        head = b"GGUF" + self.number(self.version, "I") + self.length(count)
        head += self.length(len(self.keys)) + b"".join((*self.keys, *self.tensors))
        return head + bytes(-len(head) % 32) + data


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_version(version: int, order: str) -> None:
    made = Made(version, order).key("a", 8, Made(version, order).text("b"))
    made.key("words", 9, made.number(8, "I") + made.length(2) + made.text("x") + made.text("yz"))
    header = header_of(made.tensor("w", (3, 2)).content(bytes(24)))
    assert (header.version, header.order, header.metadata["a"]) == (version, order, "b")
    assert str(header.metadata["words"]) == "array of 2"
    assert [tensor for tensor, _, _ in header.placed] == [TensorInfo("w", "float32", (2, 3))]


def array(kind: int, count: int, rest: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + rest


@pytest.mark.parametrize("version", [1, 3])
@pytest.mark.parametrize("length", [0, 5, 39, 40, 300])
@pytest.mark.parametrize("count", [63, 64, 65, 500])
def test_long_vocabularies(version: int, length: int, count: int) -> None:
    made = Made(version)
    texts = b"".join(made.text("x" * (length + place % 2)) for place in range(count))
    words = made.number(8, "I") + made.length(count) + texts
    header = header_of(made.key("words", 9, words).key("last", 0, b"\x07").content())
    assert header.metadata["last"] == 7
    with pytest.raises(FormatError, match="cut off"):
        header_of(made.content()[: 24 + len(texts) // 2])


def test_arrays_within_arrays() -> None:
    inner = array(4, 2, bytes(8))
    made = Made().key("a", 9, array(9, 2, inner + inner)).key("b", 4, bytes(4))
    assert header_of(made.content()).metadata.keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GGUX" + GOOD[4:], "does not begin"),
        (GOOD[:4] + struct.pack("<I", 4) + GOOD[8:], "unknown version"),
        (GOOD[:8] + struct.pack("<Q", HUGE) + GOOD[16:], "more tensors or keys"),
        (GOOD[:16] + struct.pack("<Q", HUGE) + GOOD[24:], "more tensors or keys"),
        (Made().content(tensors=9), "cut off"),
        (GOOD[:-60], "does not lie in the file"),
        (GOOD[:300], "cut off"),
        (Made().key("a", 8, struct.pack("<Q", HUGE)).content(), "cut off"),
        (Made().key("a", 9, array(4, HUGE)).content(), "cut off"),
        (Made().key("a", 9, array(8, HUGE)).content(), "cut off"),
        (Made().key("a", 9, array(9, HUGE)).content(), "cut off|unknown type"),
        (Made().key("a", 9, array(8, 2, struct.pack("<QQ", 0, HUGE))).content(), "cut off"),
        (Made().key("a", 9, array(9, 1) * 99).content(), "nested deeper"),
        (Made().key("a", 9, array(13, 1)).content(), "unknown type"),
        (Made().key("a", 99, b"").content(), "unknown type"),
        (Made().key("a", 0, b"1").key("a", 0, b"2").content(), "twice"),
        (Made().key("general.alignment", 4, bytes(4)).content(), "alignment"),
        (Made().key("general.alignment", 4, b"\x03\0\0\0").content(), "alignment"),
        (Made().tensor("w", (1 << 40, 1 << 40)).content(), "impossible shape"),
        (Made().tensor("w", (33,), kind=2).content(), "impossible shape"),
        (Made().tensor("w", (1,) * 5).content(), "too many dimensions"),
        (Made().tensor("w", (1,), kind=77).content(), "unknown type"),
        (Made().tensor("w", (8,), offset=32).content(bytes(32)), "does not lie"),
        (Made().tensor("w", (8,), offset=HUGE).content(bytes(32)), "does not lie"),
        (Made().tensor("w", (1,), offset=4).content(bytes(32)), "does not lie"),
        (Made().tensor("w", (8,)).tensor("v", (8,)).content(bytes(64)), "overlaps"),
        (Made().tensor("w", (8,)).tensor("w", (8,), offset=32).content(bytes(64)), "one name"),
    ],
)
def test_what_breaks_the_format(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read(path)


@pytest.mark.parametrize(
    ("template", "kinds"),
    [
        ("{{ messages[0].content }}", []),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", ["evaluated"]),
    ],
)
def test_templates_that_climb(tmp_path: Path, template: str, kinds: list[str]) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(Made().key("tokenizer.chat_template", 8, Made().text(template)).content())
    assert [risk.kind for risk in read(path).risks] == kinds


def test_a_model_in_parts(tmp_path: Path) -> None:
    content = Made().key("split.count", 2, struct.pack("<H", 3)).content()
    path = tmp_path / "m-00002-of-00003.gguf"
    path.write_bytes(content)
    (tmp_path / "m-00001-of-00003.gguf").write_bytes(content)
    facts = read(path)
    assert facts.companions == ("m-00001-of-00003.gguf", "m-00003-of-00003.gguf")
    assert [risk.detail for risk in facts.risks] == ["m-00003-of-00003.gguf is missing"]
    assert "one of 3 files" in facts.notes


@pytest.mark.parametrize("count", [3, 60_000])
def test_a_model_in_parts_without_their_names(tmp_path: Path, count: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(Made().key("split.count", 2, struct.pack("<H", count)).content())
    assert [risk.kind for risk in read(path).risks] == ["external-data"]


def test_the_values_of_tensors_are_not_read(tmp_path: Path) -> None:
    size = 1 << 30
    path = tmp_path / "large.gguf"
    path.write_bytes(Made().tensor("w", (size // 4,)).content())
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    assert read(path).parameters == size // 4


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.gguf"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "gguf").format == "gguf"
