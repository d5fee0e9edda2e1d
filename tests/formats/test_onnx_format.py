"""The reader of ONNX, against files that the onnx package writes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, overload

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from modelshelf.errors import FormatError
from modelshelf.formats import read
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.onnx import facts_of
from modelshelf.package.signature import Tensor
from tests.formats.matrix import cases, expected, told

FLOAT = TensorProto.FLOAT


def linear(**changes: Any) -> Any:
    """y = x · w + b, with w as an input that has a value."""
    parts: dict[str, Any] = {
        "nodes": [
            helper.make_node("MatMul", ["x", "w"], ["z"]),
            helper.make_node("Add", ["z", "b"], ["y"]),
        ],
        "inputs": [
            helper.make_tensor_value_info("x", FLOAT, ["batch", 4]),
            helper.make_tensor_value_info("w", FLOAT, [4, 2]),
        ],
        "outputs": [helper.make_tensor_value_info("y", FLOAT, ["batch", 2])],
        "initializers": [
            numpy_helper.from_array(np.ones((4, 2), np.float32), "w"),
            numpy_helper.from_array(np.ones(2, np.float32), "b"),
        ],
        "opsets": [helper.make_opsetid("", 18)],
    } | changes
    graph = helper.make_graph(
        parts["nodes"], "g", parts["inputs"], parts["outputs"], parts["initializers"]
    )
    return helper.make_model(
        graph, opset_imports=parts["opsets"], producer_name="tests", producer_version="1"
    )


def saved(folder: Path, model: Any) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


GOOD: bytes = linear().SerializeToString()


FILES = Path(__file__).parent / "onnx"


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_onnx_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_what_else_a_model_says() -> None:
    facts = read(FILES / "nested.onnx")
    assert "1 functions of its own" in facts.notes
    assert "3 values in constants of nodes, not among the parameters" in facts.notes
    assert "author: Ann" in facts.notes
    assert facts.unsaid == ()


def test_what_a_model_does_not_say(tmp_path: Path) -> None:
    model = linear(inputs=[helper.make_tensor_value_info("x", FLOAT, None)])
    model.ClearField("producer_name")
    model.ClearField("producer_version")
    assert read(saved(tmp_path, model)).unsaid == (
        "The shape of x is not in the file.",
        "What exported the model is not in the file.",
    )


def test_spans_are_where_raw_values_lie() -> None:
    facts = read(FILES / "linear.onnx")
    content = (FILES / "linear.onnx").read_bytes()
    ones = np.ones((4, 2), "<f4").tobytes()
    begin, end = content.index(ones), content.index(ones) + len(ones)
    assert (begin, end, "float32") in {each[:3] for each in facts.spans["linear.onnx"]}
    assert list(facts.spans) == ["linear.onnx"]


def test_spans_of_external_data() -> None:
    facts = read(FILES / "external.onnx")
    spans = facts.spans["external.data"]
    assert [each[:3] for each in spans] == [(0, 32, "float32"), (32, 40, "float32")]
    assert {each.name for each in spans} <= {each.name for each in facts.tensors}


@pytest.mark.parametrize(("offsets", "parameters"), [((0, 0), 2), ((0, 8), 4)])
def test_weights_at_one_place_count_once(
    tmp_path: Path, offsets: tuple[int, int], parameters: int
) -> None:
    model = linear(initializers=[])
    for place, offset in enumerate(offsets):
        tensor = model.graph.initializer.add(name=f"w{place}", data_type=FLOAT, dims=[2])
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="./m.data")
        tensor.external_data.add(key="offset", value=str(offset))
    (tmp_path / "m.data").write_bytes(bytes(16))
    facts = read(saved(tmp_path, model))
    assert facts.parameters == parameters
    assert facts.companions == ("m.data",)
    spans = ((0, 8, "float32", "w0"), (8, 16, "float32", "w1"))
    assert facts.spans == {"m.data": spans[: parameters // 2]}


def test_external_data_shorter_than_its_tensor(tmp_path: Path) -> None:
    model = linear(initializers=[])
    tensor = model.graph.initializer.add(name="w", data_type=FLOAT, dims=[1 << 40, 1 << 40])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="m.data")
    tensor.external_data.add(key="length", value="16")
    with pytest.raises(FormatError, match="less data outside"):
        read(saved(tmp_path, model))


def test_two_initializers_of_one_name(tmp_path: Path) -> None:
    model = linear()
    model.graph.initializer[1].name = "w"
    with pytest.raises(FormatError, match="two initializers"):
        read(saved(tmp_path, model))


def test_the_format_of_onnxruntime_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.ort"
    path.write_bytes(b"\x18\0\0\0ORTM" + bytes(64))
    with pytest.raises(FormatError, match="onnxruntime's own format"):
        read(path)


@pytest.mark.parametrize("place", ["tensor", "model", "graph"])
def test_paths_in_every_remark(tmp_path: Path, place: str) -> None:
    model = linear()
    if place == "tensor":
        model.graph.initializer[0].doc_string = "from /home/ann/w.npy"
    elif place == "model":
        helper.set_model_props(model, {"from": "/home/ann/w.npy"})
    else:
        model.graph.doc_string = "from /home/ann/w.npy"
    risks = read(saved(tmp_path, model)).risks
    assert [(risk.kind, risk.detail) for risk in risks] == [("author-path", "/home/ann/w.npy")]


def test_a_real_model(tmp_path: Path) -> None:
    facts = read(saved(tmp_path, linear()))
    signature = facts.signatures["default"]
    assert signature.inputs == {"x": Tensor("float32", ("batch", 4))}
    assert signature.outputs == {"y": Tensor("float32", ("batch", 2))}
    assert facts.tensors == (TensorInfo("w", "float32", (4, 2)), TensorInfo("b", "float32", (2,)))
    assert (facts.parameters, facts.opset, facts.precision) == (10, 18, "float32")
    assert facts.ops == {"Add": 1, "MatMul": 1}
    assert "producer: tests 1" in facts.notes
    assert facts.signature_known
    assert not facts.unsafe


@pytest.mark.parametrize("elem_type", [n for n in TensorProto.DataType.values() if n])
def test_every_dtype_has_a_name(tmp_path: Path, elem_type: int) -> None:
    model = linear(inputs=[helper.make_tensor_value_info("x", elem_type, [1])])
    signature = read(saved(tmp_path, model)).signatures["default"]
    assert signature.inputs["x"].dtype != "unknown"


@pytest.mark.parametrize(
    ("value", "tensor"),
    [
        (helper.make_tensor_value_info("x", FLOAT, None), Tensor("float32")),
        (helper.make_tensor_value_info("x", FLOAT, []), Tensor("float32", ())),
        (helper.make_tensor_value_info("x", FLOAT, [None, "n"]), Tensor("float32", (None, "n"))),
        (
            helper.make_tensor_sequence_value_info("x", FLOAT, [3]),
            Tensor("sequence(float32)"),
        ),
        (
            helper.make_value_info(
                "x", helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, [3]))
            ),
            Tensor("float32", (3,), optional=True),
        ),
        (
            helper.make_value_info(
                "x",
                helper.make_map_type_proto(
                    TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, [])
                ),
            ),
            Tensor("map(int64,float32)"),
        ),
    ],
)
def test_types(tmp_path: Path, value: Any, tensor: Tensor) -> None:
    signature = read(saved(tmp_path, linear(inputs=[value]))).signatures["default"]
    assert signature.inputs == {"x": tensor}


def test_operators_in_subgraphs_are_counted(tmp_path: Path) -> None:
    out = helper.make_tensor_value_info("o", FLOAT, [1])
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["o"])], "t", [], [out])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    assert read(saved(tmp_path, linear(nodes=[node]))).ops == {"If": 1, "Relu": 2}


def test_deeply_nested_subgraphs(tmp_path: Path) -> None:
    graph = b""
    for _ in range(3000):
        attribute = b"\x32" + varint(len(graph)) + graph
        node = b"\x22\x02If" + b"\x2a" + varint(len(attribute)) + attribute
        graph = b"\x0a" + varint(len(node)) + node
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x08\x3a" + varint(len(graph)) + graph)
    assert read(path).ops == {"If": 3000}


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def test_custom_operators_are_listed(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Warp", ["x"], ["y"], domain="acme.ops"),
        helper.make_node("FusedMatMul", ["x", "x"], ["z"], domain="com.microsoft"),
    ]
    facts = read(saved(tmp_path, linear(nodes=nodes)))
    assert facts.code == ("acme.ops.Warp",)
    assert [(risk.kind, risk.detail) for risk in facts.risks] == [("custom-op", "acme.ops.Warp")]
    assert "uses operators that only onnxruntime has" in facts.notes


def test_a_function_of_the_model_is_no_custom_operator(tmp_path: Path) -> None:
    model = linear(nodes=[helper.make_node("Twice", ["x"], ["y"], domain="local")])
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    opsets = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("local", "Twice", ["a"], ["b"], body, opsets))
    facts = read(saved(tmp_path, model))
    assert facts.code == ()
    assert facts.ops == {"Add": 1, "local.Twice": 1}


def test_paths_of_the_author_are_noted(tmp_path: Path) -> None:
    model = linear()
    model.graph.node[0].doc_string = 'File "/home/ann/net.py", line 7'
    risks = read(saved(tmp_path, model)).risks
    assert [(risk.kind, risk.detail) for risk in risks] == [("author-path", "/home/ann/net.py")]


def external(folder: Path) -> Path:
    path = folder / "m.onnx"
    onnx.save_model(linear(), path, save_as_external_data=True, location="m.data", size_threshold=0)
    return path


def test_external_data(tmp_path: Path) -> None:
    facts = read(external(tmp_path))
    assert facts.companions == ("m.data",)
    assert facts.risks == ()
    assert facts.parameters == 10


def test_external_data_that_is_missing(tmp_path: Path) -> None:
    path = external(tmp_path)
    (tmp_path / "m.data").unlink()
    assert [risk.kind for risk in read(path).risks] == ["external-data"]


def test_external_data_that_is_cut_off(tmp_path: Path) -> None:
    path = external(tmp_path)
    (tmp_path / "m.data").write_bytes(b"short")
    with pytest.raises(FormatError, match="cut off"):
        read(path)


def test_external_data_that_is_a_link_outside(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    path = external(tmp_path / "package")
    data = path.parent / "m.data"
    data.rename(tmp_path / "elsewhere")
    data.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError, match="link out"):
        read(path)


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "a/../../b", "C:\\x", "..\\x", "", "a\0b", "C:x"]
)
def test_external_data_outside_the_package(tmp_path: Path, location: str) -> None:
    model = linear()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    with pytest.raises(FormatError, match="outside"):
        read(saved(tmp_path, model))


def test_external_data_hidden_in_a_subgraph(tmp_path: Path) -> None:
    tensor = TensorProto(name="c", data_type=FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../secret")
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    inner = helper.make_graph([constant], "t", [], [])
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    with pytest.raises(FormatError, match="outside"):
        read(saved(tmp_path, linear(nodes=[node])))


def test_a_tensor_of_the_wrong_size(tmp_path: Path) -> None:
    model = linear()
    model.graph.initializer[0].dims[0] = 5
    with pytest.raises(FormatError, match="another size"):
        read(saved(tmp_path, model))


class Touched:
    """Bytes that remember how many of them were looked at."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[int]:
        raise TypeError

    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...
    def __getitem__(self, place: int | slice, /) -> int | bytes:
        found = self.data[place]
        self.count += 1 if isinstance(found, int) else len(found)
        return found


def test_the_values_of_tensors_are_not_read(tmp_path: Path) -> None:
    large = numpy_helper.from_array(np.zeros(1_000_000, np.float32), "w")
    data = Touched(linear(initializers=[large]).SerializeToString())
    assert facts_of(data, tmp_path / "m.onnx").parameters == 1_000_000
    assert data.count < 1000


@pytest.mark.parametrize("size", range(0, len(GOOD), 7))
def test_a_model_that_is_cut_off(tmp_path: Path, size: int) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(GOOD[:size])
    with contextlib.suppress(FormatError):
        assert read(path).format == "onnx"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.onnx"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path).format == "onnx"
