"""The reader of frozen graphs, against TensorFlow's own and against made-up harm."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.facts import Facts
from modelshelf.package.signature import Tensor
from tests.formats.matrix import cases, expected, told
from tests.formats.tf_made import (
    FLOAT,
    constant,
    graph,
    message,
    node,
    number,
    saved_model,
    shape,
    text,
    varint,
)

FILES = Path(__file__).parent
FOLDER = FILES / "tf_frozen_graph"
GOOD = (FOLDER / "score.pb").read_bytes()


def facts(folder: Path, content: bytes) -> Facts:
    path = folder / "frozen.pb"
    path.write_bytes(content)
    return read(path, "tf-frozen-graph")


def weights(*sizes: int, values: bytes) -> bytes:
    tensor = number(1, FLOAT) + message(2, shape(*sizes)) + values
    return node("w", "Const", dtype=number(6, FLOAT), value=message(8, tensor))


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_says_what_tensorflow_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_what_a_frozen_graph_cannot_say() -> None:
    found = read(FOLDER / "score.pb")
    assert not found.signature_known
    assert found.signatures["default"].outputs == {}
    assert any("outputs is not in" in sentence for sentence in found.unsaid)
    assert found.notes[0].startswith("GraphDef version ")


@pytest.mark.parametrize(
    ("version", "sizes", "shape_read"),
    [(22, (), None), (24, (), ()), (22, (3,), (3,)), (1882, (-1, 3), (None, 3))],
)
def test_placeholders(
    tmp_path: Path, version: int, sizes: tuple[int, ...], shape_read: tuple[int | None, ...] | None
) -> None:
    nodes = [
        node("x", "Placeholder", dtype=number(6, FLOAT), shape=message(7, shape(*sizes))),
        node("keep", "PlaceholderWithDefault", "one", dtype=number(6, FLOAT)),
    ]
    found = facts(tmp_path, graph(*nodes) + message(4, number(1, version)))
    assert found.signatures["default"].inputs == {"x": Tensor("float32", shape_read)}
    assert "keep has a value unless a caller gives one" in found.notes


def test_a_value_that_stands_for_many(tmp_path: Path) -> None:
    found = facts(tmp_path, graph(weights(1 << 20, 4, values=number(5, 0))))
    assert found.parameters == 1 << 22
    assert found.spans == {}


def test_where_weights_lie(tmp_path: Path) -> None:
    content = graph(node("x", "Placeholder"), weights(2, values=message(4, b"ABCDEFGH")))
    start = content.index(b"ABCDEFGH")
    (tensor,) = facts(tmp_path, content).tensors
    span = (start, start + 8, "float32", tensor.name)
    assert facts(tmp_path, content).spans == {"frozen.pb": (span,)}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (message(2, b""), "no graph"),
        (graph(weights(3, values=message(4, b"ABCDEFGH"))), "another size"),
        (graph(weights(-1, values=b"")), "open shape"),
        (graph(weights(1 << 62, 1 << 62, values=b"")), "impossible shape"),
        (graph(weights(*[1] * 255, values=b"")), "too many dimensions"),
        (graph(node("n", "")), "no operator"),
        (b"\x0a" + varint(1 << 62), "longer than what holds it"),
    ],
)
def test_harm_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        facts(tmp_path, content)


@pytest.mark.parametrize(
    ("nodes", "kind"),
    [
        ([node("r", "ReadFile", "x")], "file-op"),
        ([node("r", "RestoreV2", "x", "n", "s")], "file-op"),
        ([constant("p", "v.txt"), node("i", "InitializeTableFromTextFileV2", "t", "p")], "file-op"),
        ([node("p", "PrintV2", "x", output_stream=text("file://x"))], "file-op"),
        ([node("a", "AcmeWarp", "x")], "custom-op"),
    ],
)
def test_operators_that_reach_further(tmp_path: Path, nodes: list[bytes], kind: str) -> None:
    assert [risk.kind for risk in facts(tmp_path, graph(*nodes)).risks] == [kind]


@pytest.mark.parametrize(
    ("name", "content", "format_name"),
    [
        ("frozen.pb", GOOD, "tf-frozen-graph"),
        ("any.pb", saved_model(graph(node("n", "NoOp"))), "tf-savedmodel"),
        ("saved_model.pb", b"\0", "tf-savedmodel"),
        ("model.pb", (FILES / "onnx" / "linear.onnx").read_bytes(), None),
        ("keras_metadata.pb", (FILES / "tf_savedmodel/lambda.tf/keras_metadata.pb").read_bytes(), None),
        ("fingerprint.pb", (FILES / "tf_savedmodel/words.tf/fingerprint.pb").read_bytes(), None),
        ("caffe2.pb", message(1, "net") + message(2, message(1, "x")), None),
        ("frozen.bin", GOOD, None),
        ("empty.pb", b"", None),
    ],
)  # fmt: skip
def test_which_files_are_frozen_graphs(
    tmp_path: Path, name: str, content: bytes, format_name: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = detect(path)
    assert (found.name if found else None) == format_name


@pytest.mark.parametrize("size", range(0, len(GOOD), 11))
def test_a_graph_that_is_cut_off(tmp_path: Path, size: int) -> None:
    with contextlib.suppress(FormatError):
        assert facts(tmp_path, GOOD[:size]).format == "tf-frozen-graph"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    with contextlib.suppress(FormatError):
        assert facts(tmp_path_factory.getbasetemp(), GOOD[:at] + new + GOOD[at + old :])
