"""The reader of TensorFlow.js' models, beside what TensorFlow.js says and against made-up harm."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import carrier, detect, read
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.tfjs import JSON_BYTES
from modelshelf.formats.tfjs_layers import MODEL_DEPTH
from modelshelf.formats.tfjs_weights import TEXT_COUNT
from modelshelf.package.signature import Signature, Tensor
from tests.formats.matrix import cases, expected, told

FOLDER = Path(__file__).parent / "tfjs"
GOOD = (FOLDER / "branches.tfjs" / "model.json").read_bytes()

Table = dict[str, Any]
NODE = {"name": "x", "op": "Placeholder"}
DENSE = {"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 3]}}


def weight(name: str = "w", dtype: str = "float32", shape: object = (2,), **more: object) -> Table:
    return {"name": name, "dtype": dtype, "shape": shape} | more


def group(*weights: Table, paths: object = ("w.bin",)) -> Table:
    return {"paths": paths, "weights": weights}


def graph(*nodes: Table, **more: object) -> Table:
    return {"modelTopology": {"node": nodes}, "weightsManifest": []} | more


def layers(*children: object, **config: object) -> Table:
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": children} | config}
    return {"modelTopology": model, "weightsManifest": []}


def written(folder: Path, model: Table | bytes, **files: bytes) -> Path:
    for name, content in files.items():
        (folder / f"{name}.bin").write_bytes(content)
    path = folder / "model.json"
    path.write_bytes(model if isinstance(model, bytes) else json.dumps(model).encode())
    return path


def risks(path: Path) -> list[tuple[str, str]]:
    return [(risk.kind, risk.detail) for risk in read(path).risks]


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_says_what_tensorflow_js_says(case: Path) -> None:
    said = expected(case)
    assert told(read(carrier(case)), said) == said


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_is_known_by_its_content(case: Path, tmp_path: Path) -> None:
    found = detect(Path(shutil.copy(case / "model.json", tmp_path / "any.json")))
    assert found is not None
    assert found.name == "tfjs"


def test_another_json_is_not_claimed(tmp_path: Path) -> None:
    assert detect(written(tmp_path, {"learner": {"gradient_booster": {}}})) is None


def test_tensors_are_cut_across_files() -> None:
    facts = read(FOLDER / "dense.tfjs" / "model.json")
    names = [each.name for each in facts.tensors]
    assert {
        file: [(span.start, span.stop, names.index(span.name)) for span in spans]
        for file, spans in facts.spans.items()
    } == {
        "group1-shard1of3.bin": [(0, 100, 0)],
        "group1-shard2of3.bin": [(0, 92, 0), (92, 100, 1)],
        "group1-shard3of3.bin": [(0, 24, 1), (24, 88, 2), (88, 96, 3)],
    }
    assert facts.companions == tuple(facts.spans)


@pytest.mark.parametrize(("case", "dtype"), [("loop", "uint8"), ("converted", "uint16")])
def test_quantized_tensors_are_told_as_they_are_stored(case: str, dtype: str) -> None:
    facts = read(FOLDER / f"{case}.tfjs" / "model.json")
    assert facts.precision == dtype
    assert any(f"quantized to {dtype}" in note for note in facts.notes)


def test_tables_are_not_asked_of_callers() -> None:
    facts = read(FOLDER / "table.tfjs" / "model.json")
    assert "1 tables that TensorFlow.js hands over by itself" in facts.notes
    assert "has a graph that fills its tables before the first call" in facts.notes
    assert len(facts.spans["group1-shard1of1.bin"]) > 2


def test_the_optimizer_is_no_parameter() -> None:
    assert "state of the optimizer: 1 tensors" in read(FOLDER / "branches.tfjs/model.json").notes


def test_weights_without_a_topology(tmp_path: Path) -> None:
    facts = read(written(tmp_path, {"weightsManifest": [group(weight())]}, w=bytes(8)))
    assert facts.tensors == (TensorInfo("w", "float32", (2,)),)
    assert facts.unsaid


def test_an_older_signature_stands_in_the_metadata(tmp_path: Path) -> None:
    entry = {"name": "x:0", "dtype": "DT_INT64", "tensorShape": {"dim": [{"size": "-1"}, {}]}}
    metadata = {"signature": {"inputs": {"ids": entry, "gone": entry | {"name": "y"}}}}
    facts = read(written(tmp_path, graph(NODE, userDefinedMetadata=metadata, signature={})))
    assert facts.signatures["default"] == Signature({"ids": Tensor("int32", (None, None))}, {})
    assert "1 entries of its signature are not in its graph" in facts.notes


@pytest.mark.parametrize(
    ("model", "signature"),
    [
        (layers(DENSE), "(d_input: float32[?, 3]) -> (d: float32[...])"),
        (layers(layers(DENSE)["modelTopology"]), "(d_input: float32[?, 3]) -> (m: float32[...])"),
        (
            layers(DENSE, input_layers=["d", 0, 0], output_layers=[["d", 0, 0], ["d", 1, 0]]),
            "(d: float32[?, 3]) -> (d: float32[...], d:1: float32[...])",
        ),
        (layers(), "() -> ()"),
    ],
)
def test_inputs_of_layers(tmp_path: Path, model: Table, signature: str) -> None:
    assert str(read(written(tmp_path, model)).signatures["default"]) == signature


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (layers({"class_name": "Lambda", "config": {"name": "f"}}), ("lambda", "Lambda f")),
        (layers(DENSE, custom={"class_name": "__lambda__"}), ("lambda", "__lambda__")),
        (layers({"class_name": "Mine", "config": {}}), ("custom-class", "Mine")),
        (
            layers(DENSE | {"config": {"kernel_initializer": {"class_name": "Own"}}}),
            ("custom-class", "Own"),
        ),
        (graph(NODE, {"name": "y", "op": "Own"}), ("custom-op", "Own")),
        (
            graph(NODE, modelInitializer={"node": [{"name": "y", "op": "Own"}]}),
            ("custom-op", "Own"),
        ),
        (
            graph(NODE, userDefinedMetadata={"made": {"in": ["/home/ann/x.py"]}}),
            ("author-path", "/home/ann/x.py"),
        ),
        (
            graph(NODE, weightsManifest=[group(weight(), paths=["gone.bin"])]),
            ("external-data", "gone.bin is missing"),
        ),
    ],
)
def test_risks(tmp_path: Path, model: Table, found: tuple[str, str]) -> None:
    assert risks(written(tmp_path, model)) == [found]


@pytest.mark.parametrize(
    "content",
    [
        b'{"modelTopology": {"node": []}, "modelTopology": {"node": []}}',
        b'{"modelTopology": {"node": [], "versions": {"a": 1, "a": 2}}}',
        b'{"modelTopology": ' + b"[" * 200_000,
        b'{"modelTopology": ' + b'{"a":' * 200_000,
        b'{"modelTopology": {"node": [], "a": NaN}}',
        b'{"modelTopology": {"node": [], "a": ' + b"9" * 5000 + b"}}",
        b'{"modelTopology": {"node": []}} []',
        b'["modelTopology"]',
        b'{"modelTopology": "\xff"}',
        b'{"modelTopology": null}',
    ],
    ids=range(10),
)
def test_json_that_is_not_what_it_should_be(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FormatError):
        read(written(tmp_path, content), "tfjs")


@pytest.mark.parametrize(
    "model",
    [
        {"modelTopology": []},
        {"modelTopology": {}},
        {"modelTopology": {"node": [], "class_name": "Model"}},
        graph(NODE, format="layers-model"),
        layers(DENSE) | {"format": "graph-model"},
        {"modelTopology": {"node": {}}},
        {"modelTopology": {"class_name": 5}},
        {"modelTopology": {"model_config": "Model"}},
        graph({"name": "x"}),
        graph({"name": "x", "op": 5}),
        {"modelTopology": {"node": [], "library": {"function": [{}]}}},
        graph(NODE, signature={"inputs": {"x": {}}}),
        graph(NODE, signature={"inputs": {"x": {"name": [], "dtype": []}}}),
        graph(NODE | {"attr": {"shape": {"shape": {"dim": [{}] * 255}}}}),
        {"weightsManifest": {}},
        {"weightsManifest": [5]},
        {"weightsManifest": [{"paths": "w.bin", "weights": []}]},
        {"weightsManifest": [group(paths=[5])]},
    ],
    ids=range(18),
)
def test_a_model_that_is_not_what_it_should_be(tmp_path: Path, model: Table) -> None:
    with pytest.raises(FormatError):
        read(written(tmp_path, model), "tfjs")


@pytest.mark.parametrize(
    "path",
    ["", "/w.bin", "../w.bin", "a/../../w.bin", "..\\w.bin", "C:w.bin", "http://a/w.bin",
     "%2e%2e/w.bin", "w.bin?x", "w.bin#x", "a\0b", "\ud800", "w" * 256],
)  # fmt: skip
def test_weights_outside_of_the_package(tmp_path: Path, path: str) -> None:
    with pytest.raises(FormatError, match="outside"):
        read(written(tmp_path, graph(weightsManifest=[group(paths=[path])])))


def test_a_link_out_of_the_package(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(8))
    (inside / "w.bin").symlink_to(tmp_path / "w.bin")
    with pytest.raises(FormatError, match="link"):
        read(written(inside, graph(weightsManifest=[group(weight())])))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([weight(), weight()], "name"),
        ([weight(name=5)], "name"),  # type: ignore[arg-type]
        ([weight(dtype="object")], "dtype"),
        ([weight(dtype=["float32"])], "dtype"),  # type: ignore[arg-type]
        ([weight(shape=[-1])], "shape"),
        ([weight(shape=[True])], "shape"),
        ([weight(shape=[2.0])], "shape"),
        ([weight(shape=[10**30])], "shape"),
        ([weight(shape=[1] * 65)], "shape"),
        ([weight(shape=None)], "shape"),
        ([weight(quantization={"dtype": "int2"})], "quantized"),
        ([weight(quantization=None)], "quantized"),
        ([weight(shape=[3])], "cut off"),
        ([weight(shape=[2**60])], "cut off"),
        ([weight(), weight("v", shape=[1])], "cut off"),
        ([weight(dtype="string", shape=[1])], "cut off"),
        ([weight(dtype="string", shape=[3])], "cut off"),
    ],
)
def test_weights_that_cannot_be(tmp_path: Path, weights: list[Table], message: str) -> None:
    model = graph(weightsManifest=[group(*weights)])
    with pytest.raises(FormatError, match=message):
        read(written(tmp_path, model, w=struct.pack("<II", 5, 99)))


def test_texts_are_stepped_over_across_files(tmp_path: Path) -> None:
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"one", b"", b"three"))
    weights = [weight("t", "string", [3]), weight("w", shape=[1])]
    model = graph(weightsManifest=[group(*weights, paths=["a.bin", "b.bin"])])
    content = texts + bytes(4)
    facts = read(written(tmp_path, model, a=content[:9], b=content[9:]))
    assert facts.spans == {
        "a.bin": ((0, 9, "string", "t"),),
        "b.bin": ((0, 11, "string", "t"), (11, 15, "float32", "w")),
    }


def test_more_texts_than_are_looked_up(tmp_path: Path) -> None:
    weights = [weight("t", "string", [TEXT_COUNT + 1]), weight()]
    facts = read(written(tmp_path, graph(weightsManifest=[group(*weights)]), w=bytes(8)))
    assert facts.spans == {}
    assert len(facts.tensors) == 2


def test_bytes_behind_the_last_tensor(tmp_path: Path) -> None:
    facts = read(written(tmp_path, graph(weightsManifest=[group(weight())]), w=bytes(11)))
    assert "3 bytes of w.bin belong to no tensor" in facts.notes


def test_models_in_models(tmp_path: Path) -> None:
    model = layers(DENSE)["modelTopology"]
    for _ in range(MODEL_DEPTH):
        model = layers(model)["modelTopology"]
    with pytest.raises(FormatError, match="deeply"):
        read(written(tmp_path, {"modelTopology": model}))


def test_many_outputs_of_one_name(tmp_path: Path) -> None:
    model = layers(DENSE, output_layers=[["d", 0, 0]] * 50_000)
    assert len(read(written(tmp_path, model)).signatures["default"].outputs) == 50_000


def test_a_file_too_long_to_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, graph(NODE))
    with path.open("ab") as file:
        file.truncate(JSON_BYTES + 2)
    with pytest.raises(FormatError, match="larger"):
        read(path)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=9), st.integers(0, 30))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = written(tmp_path_factory.getbasetemp(), GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "tfjs").format == "tfjs"
