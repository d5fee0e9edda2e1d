"""The reader of TensorFlow Lite, against its converter's models, and against made-up FlatBuffers."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.contents import Place, raw_risks
from modelshelf.formats.facts import Facts, TensorInfo
from modelshelf.package.signature import Signature, Tensor
from tests.formats.flatbuffer_made import Fields, flex, made
from tests.formats.matrix import cases, expected, told

FILES = Path(__file__).parent / "tflite"
GOOD = (FILES / "int8.tflite").read_bytes()
CUSTOM, CUSTOM_CALL = 32, 173
HUGE = 1 << 31


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_the_interpreter_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "model.lite"
    path.write_bytes(GOOD)
    found = detect(path)
    assert found is not None
    assert found.name == "tflite"


def test_what_else_a_quantized_model_says() -> None:
    facts = read(FILES / "int8.tflite")
    assert facts.precision == "int8"
    assert facts.notes[0] == "7 tensors are quantized, 3 of them by channel"
    assert any(n.startswith("serving_default: input image has scale 0.00") for n in facts.notes)
    assert "converted by TensorFlow 2.21.0" in facts.notes
    assert {each.name for each in facts.spans["int8.tflite"]} <= {t.name for t in facts.tensors}
    assert not facts.unsafe


def test_operators_of_tensorflow() -> None:
    facts = read(FILES / "flex.tflite")
    assert (facts.code, facts.python_packages) == (("FlexRoll",), ("tensorflow",))
    assert "needs TensorFlow's own operators (select TF ops): Roll" in facts.notes
    assert [risk.detail for risk in read(FILES / "file.tflite").risks] == ["ReadFile: reads files"]
    assert [risk.detail for risk in read(FILES / "custom.tflite").risks] == ["Betainc"]


def value(name: str, shape: list[int], buffer: int = 0, type: int = 0, **more: Any) -> Fields:  # noqa: A002
    """A tensor; fields of its own by number, as `f18`."""
    own = {int(key[1:]): each for key, each in more.items()}
    stored = {0: ("i", shape), 1: ("b", type), 2: ("I", buffer), 3: name}
    return {key: each for key, each in (stored | own).items() if each is not None}


def model(*values: Fields, **more: Any) -> Fields:
    """A graph from its first tensor to its last; fields of the model by number, as `f4`."""
    graph = {0: list(values), 1: ("i", [0]), 2: ("i", [len(values) - 1])}
    own = {int(key[1:]): each for key, each in more.items()}
    return {0: ("I", 3), 2: [graph], 4: [{}], **own}


X, Y = value("x", [2]), value("y", [2])
W = value("w", [3], 1, type=3)
BYTES = [{}, {0: b"abc"}]


def facts_of(folder: Path, root: Fields, behind: bytes = b"") -> Facts:
    path = folder / "m.tflite"
    path.write_bytes(made(root) + behind)
    return read(path)


def test_a_model_without_signatures(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, model(X, value("", [1, 4], f7=("i", [-1, 4]))))
    assert facts.signatures == {
        "default": Signature(
            {"x": Tensor("float32", (2,))}, {"tensor 1": Tensor("float32", (None, 4))}
        )
    }
    assert any("names no signature" in each for each in facts.unsaid)
    assert any("runtime that it needs" in each for each in facts.unsaid)


@pytest.mark.parametrize(("has_rank", "shape"), [(None, None), (("B", 0), None), (("B", 1), ())])
def test_a_tensor_without_sizes(tmp_path: Path, has_rank: object, shape: object) -> None:
    facts = facts_of(tmp_path, model(value("x", [], f8=has_rank)))
    assert facts.signatures["default"].inputs["x"].shape == shape
    assert any("how many axes" in each for each in facts.unsaid) == (shape is None)


def signature(key: str, inputs: dict[str, int], graph: int = 0) -> Fields:
    sides = [{0: name, 1: ("I", index)} for name, index in inputs.items()]
    return {0: sides, 1: [{0: "out", 1: ("I", 1)}], 2: key, 4: ("I", graph)}


def test_names_for_callers(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, model(X, Y, f7=[signature("a", {"in": 0}), signature("b", {})]))
    assert {name: str(each) for name, each in facts.signatures.items()} == {
        "a": "(in: float32[2]) -> (out: float32[2])",
        "b": "() -> (out: float32[2])",
    }


def test_tensors_that_share_bytes_and_names(tmp_path: Path) -> None:
    values = [
        X,
        W,
        value("again", [3], 1, type=9),
        value("w", [2], 2, type=3),
        value("", [2], 2, type=3),
    ]
    facts = facts_of(tmp_path, model(*values, f4=[*BYTES, {0: b"de"}]))
    assert facts.tensors == (
        TensorInfo("w", "uint8", (3,)),
        TensorInfo("again", "int8", (3,)),
        TensorInfo("w#0.3", "uint8", (2,)),
        TensorInfo("#0.4", "uint8", (2,)),
    )
    assert facts.parameters == 5


@pytest.mark.parametrize(
    ("type", "shape", "count"),
    [(17, [3], 2), (19, [5], 2), (20, [2, 2], 2), (10, [1], 8), (11, [1], 16), (5, [9], 3)],
)
def test_sizes_of_types(tmp_path: Path, type: int, shape: list[int], count: int) -> None:  # noqa: A002
    root = model(X, value("w", shape, 1, type=type), f4=[{}, {0: bytes(count)}])
    assert facts_of(tmp_path, root).tensors[0].shape == tuple(shape)


def operator(number: int, name: str = "", options: bytes = b"") -> dict[str, Any]:
    """Fields of a model with one operator."""
    code = {0: ("b", min(number, 127)), 1: name, 3: ("i", number)}
    graph = {0: [X], 1: ("i", [0]), 2: ("i", [0]), 3: [{0: ("I", 0), 5: options}]}
    return {"f1": [code], "f2": [graph]}


def node(op: str) -> bytes:
    return b"\x12" + bytes([len(op)]) + op.encode()


@pytest.mark.parametrize(
    ("fields", "risks"),
    [
        (operator(0), []),
        (operator(209), []),
        (operator(210), ["unknown"]),
        (operator(CUSTOM_CALL), ["custom-op"]),
        (operator(CUSTOM, "TFLite_Detection_PostProcess"), []),
        (operator(CUSTOM, "Mine"), ["custom-op"]),
        (operator(CUSTOM, "MyReadFile"), ["file-op"]),
        (operator(CUSTOM, "FlexRoll", flex(b"Roll", node("Roll"))), []),
        (operator(CUSTOM, "FlexRoll", flex(b"Roll", node("ReadFile"))), ["file-op"]),
        (operator(CUSTOM, "FlexRoll", flex(b"ReadFile", node("Roll"))), ["file-op"]),
        (operator(CUSTOM, "FlexReadFile", flex(b"Roll", node("Roll"))), ["file-op"]),
        (operator(CUSTOM, "FlexRestoreV2", flex(b"RestoreV2", node("RestoreV2"))), ["file-op"]),
        (operator(CUSTOM, "FlexMine", flex(b"Mine", node("Mine"))), ["custom-op"]),
        (operator(CUSTOM, "FlexRoll", flex(b"Roll")), ["unreadable"]),
        (operator(CUSTOM, "FlexRoll", flex(b"Roll", b"\x12\xff")), ["unreadable"]),
        (operator(CUSTOM, "FlexRoll", flex(b"Roll", b"")), ["unreadable"]),
        (operator(CUSTOM, "FlexRoll"), ["unreadable"]),
        (operator(CUSTOM, "FlexRoll", b"\xff" * 50), ["unreadable"]),
    ],
)
def test_what_operators_do(tmp_path: Path, fields: dict[str, Any], risks: list[str]) -> None:
    assert [risk.kind for risk in facts_of(tmp_path, model(X, **fields)).risks] == risks


def test_values_behind_the_tables(tmp_path: Path) -> None:
    """As converters write models of more than 2 GB."""
    path = tmp_path / "m.tflite"
    at, size = 1 << 32, 1 << 30
    large = value("large", [1 << 30], 1, type=9)
    path.write_bytes(made(model(X, large, f4=[{}, {1: ("Q", at), 2: ("Q", size)}])))
    with pytest.raises(FormatError, match="cut off"):
        read(path)
    with path.open("r+b") as file:
        file.truncate(at + size)
    facts = read(path)
    assert facts.parameters == 1 << 30
    assert facts.spans == {"m.tflite": ((at, at + size, "int8", "large"),)}


def outside(file: str, length: int = 12) -> Fields:
    """A model with a tensor of three values in a file beside it."""
    where = {0: ("I", HUGE), 1: ("I", 0), 2: ("Q", 4), 3: ("Q", length), 4: "unpacked"}
    weight = value("w", [3], f10=("I", HUGE))
    return model(X, weight, f8=[{0: file}], f9=[where])


def test_values_beside_the_model(tmp_path: Path) -> None:
    assert [risk.kind for risk in facts_of(tmp_path, outside("w.bin")).risks] == ["external-data"]
    (tmp_path / "w.bin").write_bytes(bytes(16))
    facts = facts_of(tmp_path, outside("./w.bin"))
    assert facts.companions == ("w.bin",)
    assert facts.spans == {"w.bin": ((4, 16, "float32", "w"),)}
    assert (facts.risks, facts.parameters) == ((), 3)


@pytest.mark.parametrize(
    ("file", "length", "message"),
    [
        ("w.bin", 13, "cut off"),
        ("../w.bin", 12, "out of the package"),
        ("/etc/passwd", 12, "out of the package"),
        ("", 12, "out of the package"),
    ],
)
def test_values_beside_the_model_that_are_wrong(
    tmp_path: Path, file: str, length: int, message: str
) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    with pytest.raises(FormatError, match=message):
        facts_of(tmp_path, outside(file, length))


def test_what_its_publisher_wrote(tmp_path: Path) -> None:
    side = {0: "image", 1: "a picture from /home/ann/pictures"}
    raw = made({0: "Digits", 4: "Ann", 3: [{2: [side]}]}, b"M001")
    entries = [{0: "TFLITE_METADATA", 1: ("I", 1)}, {0: "min_runtime_version", 1: ("I", 2)}]
    facts = facts_of(tmp_path, model(X, f4=[{}, {0: raw}, {0: b"1.14.0\0\0"}], f6=entries))
    assert {"name: Digits", "author: Ann", "input 0 name: image"} <= set(facts.notes)
    assert [risk.detail for risk in facts.risks] == ["/home/ann/pictures"]
    assert facts.framework_version == "1.14.0"
    assert "needs a runtime of version 1.14.0 or newer" in facts.notes


@pytest.mark.parametrize(
    ("raw", "note"), [(b"x" * 20, "unknown kind"), (b"\xff\0\0\0M001", "cannot be read"), (b"", "")]
)
def test_metadata_that_are_none(tmp_path: Path, raw: bytes, note: str) -> None:
    entries = [{0: "TFLITE_METADATA", 1: ("I", 1)}, {0: "min_runtime_version", 1: ("I", HUGE)}]
    facts = facts_of(tmp_path, model(X, f4=[{}, {0: raw}], f6=entries))
    assert note in " ".join(facts.notes)


@pytest.mark.parametrize(
    ("content", "kinds"), [(b"zero\none\n", []), (b"\x7fELF" + bytes(9), ["native-code"])]
)
def test_files_behind_the_model(tmp_path: Path, content: bytes, kinds: list[str]) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", content)
    assert "file behind the model: labels.txt" in read(path).notes
    with path.open("rb") as file:
        risks = raw_risks(file, path.stat().st_size, Place("m.tflite", "m.tflite", "tflite"))
    assert [risk.kind for risk in risks] == kinds


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ({0: ("I", 2)}, "another schema"),
        ({0: ("I", 3)}, "no graph"),
        (model(X, value("w", [4], 1, type=3), f4=BYTES), "another size"),
        (model(X, value("w", [HUGE - 1] * 3, 1), f4=BYTES), "impossible shape"),
        (model(X, value("w", [-3], 1), f4=BYTES), "impossible shape"),
        (model(value("x", [2], f7=("i", [-2]))), "impossible shape"),
        (model(value("x", [1] * 65)), "more numbers than any real"),
        (model(value("x", [2], 7)), "in a buffer that is not there"),
        (model(value("x", [2], HUGE)), "in a buffer that is not there"),
        (model(value("x", [2], f10=("I", 5))), "are nowhere"),
        (model(X, f4=[{}, {1: ("Q", 2), 2: ("Q", 1 << 63)}]), "cut off"),
        (model(X, f4=[{}, {1: ("Q", (1 << 64) - 1), 2: ("Q", 1)}]), "cut off"),
        (model(X, f2=[{0: [X], 1: ("i", [1])}]), "no tensor of it"),
        (model(X, f2=[{0: [X], 2: ("i", [-1])}]), "no tensor of it"),
        (model(X, f2=[{0: [X], 3: [{0: ("I", 0)}]}]), "does not list"),
        (model(X, **operator(CUSTOM)), "has no name"),
        (model(X, f7=[signature("a", {"in": 0})]), "names no tensor"),
        (model(X, Y, f7=[signature("a", {"in": HUGE})]), "names no tensor"),
        (model(X, Y, f7=[signature("a", {}, graph=1)]), "graph that is not there"),
        (model(X, Y, f7=[signature("a", {}), signature("a", {})]), "two signatures"),
        (model(X, f9=[{1: ("I", 1)}]), "not named"),
    ],
)
def test_what_breaks_the_format(tmp_path: Path, root: Fields, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        facts_of(tmp_path, root)


def test_another_flatbuffer(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(made(model(X), b"ORTM"))
    with pytest.raises(FormatError, match="no TensorFlow Lite model"):
        read(path, "tflite")


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_a_model_that_is_cut_off(tmp_path: Path, case: Path) -> None:
    content = case.read_bytes()
    path = tmp_path / "m.tflite"
    for end in range(0, len(content) // 2, 97):
        path.write_bytes(content[:end])
        with pytest.raises(FormatError):
            read(path, "tflite")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.tflite"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "tflite").format == "tflite"
