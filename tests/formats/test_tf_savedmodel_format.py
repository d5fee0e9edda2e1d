"""The reader of SavedModels, against TensorFlow's own and against made-up harm."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import overload

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import carrier, read
from modelshelf.formats.facts import Facts
from modelshelf.formats.tf_savedmodel import facts_of
from modelshelf.package.signature import Tensor
from tests.formats.matrix import cases, expected, told
from tests.formats.tf_made import (
    FLOAT,
    STRING,
    asset,
    body,
    constant,
    entry,
    function,
    graph,
    message,
    node,
    number,
    objects,
    saved_model,
    saver,
    signature,
    tensor_info,
    text,
    varint,
)

FOLDER = Path(__file__).parent / "tf_savedmodel"
GOOD = (FOLDER / "words.tf" / "saved_model.pb").read_bytes()


def facts(folder: Path, content: bytes) -> Facts:
    path = folder / "saved_model.pb"
    path.write_bytes(content)
    return read(path, "tf-savedmodel")


def risks(folder: Path, content: bytes) -> list[tuple[str, str]]:
    return [(risk.kind, risk.detail) for risk in facts(folder, content).risks]


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_says_what_tensorflow_says(case: Path) -> None:
    said = expected(case)
    assert told(read(carrier(case)), said) == said


def test_what_else_a_model_says() -> None:
    found = read(FOLDER / "words.tf" / "saved_model.pb")
    assert found.format == "tf-savedmodel"
    assert found.signature_known
    assert found.companions == (
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "assets/vocabulary.txt",
        "fingerprint.pb",
    )
    assert found.notes == ("tags: serve",)
    assert found.ops["LookupTableFindV2"] == 1
    assert not found.unsafe


@pytest.mark.parametrize(
    ("case", "detail"),
    [
        ("python.tf", "EagerPyFunc: runs Python"),
        ("file.tf", "ReadFile: reads files"),
        ("print.tf", "PrintV2: opens a file by its attribute in __inference___call___"),
        ("lambda.tf", "a Python function stored as byte code"),
    ],
)
def test_models_that_do_more_than_compute(case: str, detail: str) -> None:
    found = read(FOLDER / case / "saved_model.pb")
    assert found.severity == "blocked"
    assert any(risk.detail.startswith(detail) for risk in found.risks)


CALL = "PartitionedCall"
FILL = "InitializeTableFromTextFileV2"


def filling(source: str) -> bytes:
    return node("fill", FILL, "table", source)


@pytest.mark.parametrize(
    "nodes",
    [
        [constant("path", "v.txt"), filling("path")],
        [node("path", "Placeholder"), filling("path:0")],
        [node("path", "Placeholder"), node("i", "Identity", "path"), filling("i")],
        [
            node("path", "Placeholder"),
            node("v", "VarHandleOp"),
            node("a", "AssignVariableOp", "v", "path"),
            node("r", "ReadVariableOp", "v", "^a"),
            filling("r"),
        ],
    ],
)
def test_tables_from_assets_are_harmless(tmp_path: Path, nodes: list[bytes]) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "v.txt").write_text("one")
    model = saved_model(graph(*nodes, node("table", "HashTableV2")), asset("path:0", "v.txt"))
    assert [kind for kind, _ in risks(tmp_path, model) if kind != "external-data"] == []


@pytest.mark.parametrize(
    "nodes",
    [
        [constant("other", "/etc/passwd"), filling("other")],
        [filling("nowhere")],
        [node("fill", FILL, "table")],
        [node("x", "Placeholder"), filling("x")],
        [node("x", "StringJoin", "path", "path"), filling("x")],
        [node("x", "Identity", "y"), node("y", "Identity", "x"), constant("z", "z"),
         node("x2", "Identity", "z"), filling("x2")],
        [
            node("v", "VarHandleOp"),
            node("a", "AssignVariableOp", "v", "path"),
            node("r", "ReadVariableOp", "v"),
            node("call", CALL, "v", f=function("changes")),
            filling("r"),
        ],
        [
            node("v", "VarHandleOp"),
            node("a", "AssignVariableOp", "v", "path"),
            constant("other", "/etc/passwd"),
            node("b", "AssignVariableOp", "v", "other"),
            node("r", "ReadVariableOp", "v"),
            filling("r"),
        ],
    ],
)  # fmt: skip
def test_tables_from_other_files_are_blocked(tmp_path: Path, nodes: list[bytes]) -> None:
    held = graph(constant("path", "v.txt"), *nodes)
    model = saved_model(held, asset("path:0", "v.txt"))
    assert ("file-op", f"{FILL}: a file that is not of the model's assets") in risks(
        tmp_path, model
    )


INITIALIZER = body("initialize", ["table", "path"], filling("path"))
ASSET, CONSTANT, OTHER = message(5, number(1, 0)), message(9, message(1, "other")), message(4, b"")


@pytest.mark.parametrize(
    ("nodes", "bound", "blocked"),
    [
        ([node("c", CALL, "t", "path", f=function("initialize"))], None, False),
        ([node("c", "initialize", "t", "path")], None, False),
        ([node("c", CALL, "t", "path", f=function("initialize"))], [0, 1], False),
        ([], [2, 1], False),
        ([], None, True),
        ([node("c", CALL, "t", "other", f=function("initialize"))], None, True),
        ([node("c", CALL, "path", f=function("initialize"))], None, True),
        ([node("c", "If", "t", "t", "path", then_branch=function("initialize"))], None, True),
        ([node("c", CALL, "t", "path", f=function("initialize"))], [0, 3], True),
        ([node("c", CALL, "t", "path", f=function("initialize"))], [1, 2], True),
        ([node("c", CALL, "t", "path", f=function("initialize"))], [], True),
        ([node("c", CALL, "t", "path", f=function("initialize"))], [0, 99], True),
    ],
)
def test_functions_that_fill_tables(
    tmp_path: Path, nodes: list[bytes], bound: list[int] | None, blocked: bool
) -> None:
    """The path is an argument: of every call, and of what the object captured."""
    held = graph(
        constant("path", "v.txt"), constant("other", "/etc/passwd"), *nodes,
        functions=(INITIALIZER,),
    )  # fmt: skip
    captured = objects(
        OTHER, ASSET, OTHER, CONSTANT, bound=None if bound is None else {"initialize": bound}
    )
    found = risks(tmp_path, saved_model(held, asset("path:0", "v.txt"), captured))
    assert ("file-op" in {kind for kind, _ in found}) is blocked


def test_functions_that_call_each_other_in_a_circle(tmp_path: Path) -> None:
    one = body("one", ["t", "p"], filling("p"), node("c", CALL, "t", "p", f=function("two")))
    two = body("two", ["t", "p"], node("c", CALL, "t", "p", f=function("one")))
    held = graph(node("c", CALL, "t", "path", f=function("one")), constant("path", "v"),
                 functions=(one, two))  # fmt: skip
    found = risks(tmp_path, saved_model(held, asset("path:0", "v.txt")))
    assert [kind for kind, _ in found] == ["external-data"]


def saving(prefix: str) -> bytes:
    return node("save", "SaveV2", prefix, "names", "slices", "w")


@pytest.mark.parametrize(
    ("nodes", "blocked"),
    [
        ([node("p", "Placeholder"), saving("p")], False),
        ([constant("p", "model"), saving("p")], False),
        ([constant("q", "model"), node("p", "PlaceholderWithDefault", "q"), saving("p")], False),
        ([node("p", "Placeholder"), constant("t", "_temp/part"), constant("s", ".part"),
          node("c", "Select", "x", "t", "s"), node("j", "StringJoin", "p", "c"),
          node("f", "ShardedFilename", "j", "n", "n"), saving("f")], False),
        ([node("p", "Placeholder"), node("r", "RestoreV2", "p", "names", "slices")], False),
        ([node("p", "Placeholder"), node("l", "Pack", "p"),
          node("m", "MergeV2Checkpoints", "l", "p")], False),
        ([constant("p", "/etc/passwd"), saving("p")], True),
        ([constant("q", "/etc/x"), saving("q")], True),
        ([node("p", "Placeholder"), constant("t", "/../../x"),
          node("j", "StringJoin", "p", "t"), saving("j")], True),
        ([node("p", "Placeholder"), node("t", "Placeholder"),
          node("j", "StringJoin", "p", "t"), saving("j")], True),
        ([node("p", "Placeholder"), constant("o", "/"), node("l", "Pack", "o"),
          node("m", "MergeV2Checkpoints", "l", "p")], True),
        ([node("p", "Placeholder"), node("r", "RestoreV2", "x", "names", "slices"),
          node("x", "Placeholder")], True),
    ],
)  # fmt: skip
def test_savers(tmp_path: Path, nodes: list[bytes], blocked: bool) -> None:
    found = risks(tmp_path, saved_model(graph(*nodes), saver("p:0")))
    assert ("file-op" in {kind for kind, _ in found}) is blocked


@pytest.mark.parametrize(
    ("operator", "attributes", "kind"),
    [
        ("WriteFile", {}, "file-op"),
        ("ImmutableConst", {}, "file-op"),
        ("PyFuncStateless", {}, "file-op"),
        ("DebugIdentityV2", {}, "file-op"),
        ("TFRecordDatasetV2", {}, "file-op"),
        ("RpcCall", {}, "file-op"),
        ("KafkaDatasetV9", {}, "file-op"),
        ("DatasetFromGraph", {}, "unreadable"),
        ("XlaCustomCallV2", {}, "native-code"),
        ("TRTEngineOp", {}, "native-code"),
        ("XlaCallModule", {}, "custom-op"),
        ("Addons>Resample", {}, "custom-op"),
        ("PrintV2", {"output_stream": text("file:///etc/x")}, "file-op"),
        ("PrintV2", {"output_stream": text("stderr")}, None),
        ("PrintV2", {}, None),
        ("DecodeProtoV2", {"descriptor_source": text("/etc/x")}, "file-op"),
        ("DecodeProtoV2", {"descriptor_source": text("local://")}, None),
        ("FixedUnigramCandidateSampler", {"vocab_file": text("/etc/x")}, "file-op"),
        ("Conv2D", {}, None),
        ("LookupTableImportV2", {}, None),
        ("MapDataset", {}, None),
        ("local_function", {}, None),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_operators(
    tmp_path: Path, operator: str, attributes: dict[str, bytes], kind: str | None, nested: bool
) -> None:
    made = node("n", operator, **attributes)
    local = body("local_function", [])
    held = (
        graph(functions=(local, body("f", [], made))) if nested else graph(made, functions=(local,))
    )
    assert [found for found, _ in risks(tmp_path, saved_model(held))] == ([kind] if kind else [])


def test_what_brings_foreign_operators(tmp_path: Path) -> None:
    nodes = (node("a", "Addons>Resample"), node("b", "SentencepieceOp"), node("c", "AcmeWarp"))
    found = facts(tmp_path, saved_model(graph(*nodes)))
    assert found.code == ("AcmeWarp", "Addons>Resample", "SentencepieceOp")
    assert found.python_packages == ("tensorflow-addons", "tensorflow-text")


def test_a_function_cannot_hide_an_operator(tmp_path: Path) -> None:
    held = graph(node("n", "WriteFile"), functions=(body("WriteFile", []),))
    assert [kind for kind, _ in risks(tmp_path, saved_model(held))] == ["file-op"]


LAMBDA = {"class_name": "Lambda", "config": {"name": "twice", "function": ["4wEA", None, None]}}


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        (json.dumps({"config": {"layers": [{"layer": LAMBDA}]}}), "lambda"),
        (json.dumps(LAMBDA).replace("Lambda", "L\\u0061mbda"), "lambda"),
        (json.dumps({"config": {"function_type": "lambda"}}), "lambda"),
        (json.dumps({"class_name": "__lambda__", "config": {"value": "4wEA"}}), "lambda"),
        ("{" * 10, "unreadable"),
        ("[" * 200_000, "unreadable"),
        (json.dumps({"class_name": "Dense", "config": {"name": "Lambda"}}), None),
        ("", None),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("beside", [False, True])
def test_python_functions_in_what_keras_wrote(
    tmp_path: Path, metadata: str, kind: str | None, beside: bool
) -> None:
    model = saved_model(graph(node("n", "NoOp")))
    if beside:
        (tmp_path / "keras_metadata.pb").write_bytes(message(1, message(5, metadata)))
    else:
        layer = message(4, message(1, "_tf_keras_layer"), message(3, metadata))
        model = saved_model(graph(node("n", "NoOp")), objects(layer))
    assert [found for found, _ in risks(tmp_path, model)] == ([kind] if kind else [])


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../b", "C:\\x", "..\\x", "", "a\0b", "C:x"]
)
def test_assets_outside_the_model(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match="outside"):
        facts(tmp_path, saved_model(graph(node("n", "NoOp")), asset("n:0", name)))


def test_an_asset_that_is_a_link_outside(tmp_path: Path) -> None:
    (tmp_path / "model" / "assets").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "model" / "assets" / "v.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(FormatError, match="a link out"):
        facts(tmp_path / "model", saved_model(graph(node("n", "NoOp")), asset("n:0", "v.txt")))


def test_assets_of_tensorflow_1(tmp_path: Path) -> None:
    """They stand in a collection, as messages of any type."""
    held = message(1, message(1, "path:0")) + message(2, "v.txt")
    collection = entry(4, "saved_model_assets", message(5, message(1, message(2, held))))
    model = saved_model(graph(constant("path", "v"), filling("path")), collection)
    assert risks(tmp_path, model) == [("external-data", "assets/v.txt is missing")]


def test_files_that_are_missing(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "words.tf", tmp_path, dirs_exist_ok=True)
    (tmp_path / "assets" / "vocabulary.txt").unlink()
    (tmp_path / "variables" / "variables.data-00000-of-00001").unlink()
    assert risks(tmp_path, GOOD) == [
        ("external-data", "assets/vocabulary.txt is missing"),
        ("external-data", "variables/variables.data-00000-of-00001 is missing"),
    ]
    (tmp_path / "variables" / "variables.index").unlink()
    found = facts(tmp_path, GOOD)
    assert ("external-data", "variables/variables.index is missing") in [
        (risk.kind, risk.detail) for risk in found.risks
    ]
    assert [(each.name, each.shape) for each in found.tensors] == [("vectors", (4, 2))]


def test_variables_that_are_a_link_outside(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "variables").symlink_to(FOLDER / "words.tf" / "variables")
    with pytest.raises(FormatError, match="link out"):
        facts(tmp_path / "model", GOOD)


@pytest.mark.parametrize("name", ["saved_model.cpb", "saved_model.pbtxt"])
def test_a_second_description_of_the_model(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    found = risks(tmp_path, saved_model(graph(node("n", "NoOp"))))
    assert found == [("unreadable", f"{name}: the model once more, which is not looked into")]


def test_a_model_without_signatures(tmp_path: Path) -> None:
    found = facts(tmp_path, saved_model(graph(node("n", "NoOp"))))
    assert not found.signature_known
    assert found.unsaid


def test_signatures(tmp_path: Path) -> None:
    ragged = message(5, message(2, number(2, FLOAT)), message(2, number(2, 9)))
    sparse = message(4, message(1, "v:0")) + number(2, FLOAT) + message(3, number(3, 1))
    named = signature(
        "call", {"b": tensor_info(STRING, -1), "a": ragged}, {"y": sparse, "z": tensor_info(FLOAT)}
    )
    internal = signature("__saved_model_init_op", {}, {"__saved_model_init_op": b""})
    held = graph(node("n", "NoOp"))
    found = facts(tmp_path, saved_model(held, named, internal, signature("none", {}, {})))
    assert list(found.signatures) == ["call"]
    assert found.signatures["call"].inputs == {
        "a": Tensor("composite(float32,int64)"),
        "b": Tensor("string", (None,)),
    }
    assert found.signatures["call"].outputs == {
        "y": Tensor("sparse(float32)"),
        "z": Tensor("float32", ()),
    }


def test_signatures_of_several_graphs(tmp_path: Path) -> None:
    def tagged(size: int, *tags: str) -> bytes:
        made = signature("call", {"x": tensor_info(FLOAT, size)}, {"y": tensor_info(FLOAT)})
        return saved_model(graph(node("n", "NoOp")), made, tags=tags)

    content = tagged(1, "serve", "tpu") + tagged(2, "serve") + tagged(2, "train")
    found = facts(tmp_path, content).signatures
    assert {name: each.inputs["x"].shape for name, each in found.items()} == {
        "call": (2,),
        "call:serve-tpu": (1,),
    }


@pytest.mark.parametrize(
    ("table", "path"),
    [("hash_table_/home/ann/v.txt_-2_-1", "/home/ann/v.txt_-2_-1"), ("hash_table_12", None)],
)
def test_paths_of_the_author(tmp_path: Path, table: str, path: str | None) -> None:
    model = saved_model(graph(node("t", "HashTableV2", shared_name=text(table))))
    assert risks(tmp_path, model) == ([("author-path", path)] if path else [])


def test_paths_in_the_debugging_information(tmp_path: Path) -> None:
    (tmp_path / "debug").mkdir()
    (tmp_path / "debug" / "saved_model_debug_info.pb").write_bytes(message(1, "/home/ann/net.py"))
    found = facts(tmp_path, saved_model(graph(node("n", "NoOp"))))
    assert [(risk.kind, risk.detail) for risk in found.risks] == [
        ("author-path", "/home/ann/net.py")
    ]
    assert found.companions == ("debug/saved_model_debug_info.pb",)


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


def test_the_values_of_a_large_constant_are_not_read(tmp_path: Path) -> None:
    size = 100_000_000
    tensor = (
        number(1, FLOAT) + message(2, message(2, number(1, size // 4))) + message(4, bytes(size))
    )
    held = graph(node("w", "Const", value=message(8, tensor)))
    data = Touched(saved_model(held))
    found = facts_of(data, tmp_path / "saved_model.pb")
    assert data.count < 1000
    (span,) = found.spans["saved_model.pb"]
    assert (span.stop - span.start, span.dtype, span.name) == (size, "float32", "w")
    assert "25000000 values are constants of the graph" in found.notes


def test_a_function_that_is_named_deep_inside(tmp_path: Path) -> None:
    inner = message(1, "f")
    for _ in range(3000):
        inner = message(1, "g") + entry(2, "k", message(10, inner))
    held = graph(node("n", CALL, f=message(10, inner)))
    assert facts(tmp_path, saved_model(held)).ops == {CALL: 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (number(1, 2) + message(2, b""), "no SavedModel"),
        (number(1, 1), "no SavedModel"),
        (saved_model(graph(node("n", "NoOp"))) * 65, "more than 64 graphs"),
        (saved_model(graph(node("n", ""))), "no operator"),
        (saved_model(graph(functions=(body("", []),))), "no name"),
        (saved_model(b"\x0a\xff\xff\xff\xff\x0f"), "longer than what holds it"),
        (number(1, 1) + b"\x12" + varint(1 << 60), "longer than what holds it"),
    ],
)
def test_harm_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        facts(tmp_path, content)


@pytest.mark.parametrize("size", range(0, len(GOOD), 601))
def test_a_model_that_is_cut_off(tmp_path: Path, size: int) -> None:
    with contextlib.suppress(FormatError):
        assert facts(tmp_path, GOOD[:size]).format == "tf-savedmodel"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    with contextlib.suppress(FormatError):
        assert facts(tmp_path_factory.getbasetemp(), GOOD[:at] + new + GOOD[at + old :])
