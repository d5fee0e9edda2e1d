"""The reader of `.pt2`, against files that torch.export wrote, and against made-up harm."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.evaluated import is_guard
from modelshelf.formats.facts import Facts
from modelshelf.formats.symbolic_sizes import Sizes
from modelshelf.formats.torch_export import operator_risk
from modelshelf.package.signature import Interval
from tests.formats.matrix import cases, expected, told

FILES = Path(__file__).parent / "torch_export"
LINEAR = FILES / "linear.pt2"
GOOD = LINEAR.read_bytes()
PROGRAM = "linear/models/model.json"
WEIGHTS = "linear/data/weights/model_weights_config.json"


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_pytorch_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    for name in ("linear.pt2", "older.pt2"):
        path = tmp_path / name.replace(".pt2", ".zip")
        path.write_bytes((FILES / name).read_bytes())
        found = detect(path)
        assert found is not None
        assert found.name == "torch-export"


def test_what_else_a_program_says() -> None:
    facts = read(FILES / "nested.pt2")
    assert "argument times is fixed to 2" in facts.notes
    assert "schema 8.20" in facts.notes
    assert facts.opset == 10
    assert facts.ops["aten.mul.Tensor"] == 4
    assert [(risk.kind, risk.detail) for risk in facts.risks] == [
        ("author-path", "/home/ann/train.py")
    ]
    assert not facts.unsafe
    assert facts.signatures["default"].symbols == {
        "s31": Interval(1, 64),
        "s31.times3": Interval(3, 192, 3),
    }


def test_what_a_call_changes_and_gives() -> None:
    facts = read(FILES / "counter.pt2")
    assert "a call changes buffer steps" in facts.notes
    assert "argument count is fixed to 3" in facts.notes
    assert facts.signatures["default"].outputs["output_1"].shape == ()
    assert facts.unsaid == (
        "Outputs of forward have no names: they are called output, or numbered.",
    )


def test_an_operator_of_the_author() -> None:
    facts = read(FILES / "custom.pt2")
    assert ("custom-op", "acme.warp.default") in {(r.kind, r.detail) for r in facts.risks}
    assert facts.severity == "code"


@pytest.mark.parametrize("name", ["linear.pt2", "nested.pt2", "older.pt2"])
def test_spans_are_where_tensors_lie(name: str) -> None:
    content, facts = (FILES / name).read_bytes(), read(FILES / name)
    spans = facts.spans[name]
    assert {each.name for each in facts.tensors} <= {each.name for each in spans}
    shift = b"\0\0\x80?\0\0\0@\0\0@@"  # 1, 2, 3 as float32
    found = {content[each.start : each.stop]: each.dtype for each in spans}
    assert found.get(shift) == (None if name == "linear.pt2" else "float32")


def changed(folder: Path, changes: dict[str, Any], *, source: Path = LINEAR) -> Path:
    """The archive with entries replaced or added: bytes, or a function of the parsed JSON."""
    path = folder / source.name
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in dict.fromkeys((*old.namelist(), *changes)):
            change = changes.get(name)
            if isinstance(change, bytes):
                new.writestr(name, change)
            elif change is None:
                new.writestr(name, old.read(name))
            else:
                whole = json.loads(old.read(name))
                change(whole)
                new.writestr(name, json.dumps(whole))
    return path


def program(folder: Path, change: Callable[[Any], object]) -> Facts:
    return read(changed(folder, {PROGRAM: change}))


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('touch /tmp/x')",
        "Symbol('s0').__class__",
        "[c for c in ()]",
        "(lambda: 1)()",
        "open('x')",
        "s0 +",
        "-" * 5000 + "1",
        "Add('open(1)', 2)",
        "Symbol('x)')[0].y",
    ],
)
@pytest.mark.parametrize("place", ["size", "stride", "scalar", "guard"])
def test_text_that_loading_would_run(tmp_path: Path, expression: str, place: str) -> None:
    def change(whole: Any) -> None:
        graph = whole["graph_module"]["graph"]
        number = {"as_expr": {"expr_str": expression, "hint": {"as_int": 3}}}
        if place == "size":
            graph["tensor_values"]["x"]["sizes"][0] = number
        elif place == "stride":
            graph["tensor_values"]["relu"]["strides"][0] = number
        elif place == "scalar":
            graph["sym_int_values"]["n"] = number
        else:
            whole["guards_code"] = [expression]

    facts = program(tmp_path, change)
    assert "evaluated" in {risk.kind for risk in facts.risks}
    assert facts.severity == "blocked"


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("torch.ops.aten.relu.default", None),
        ("torch.ops.aten.__and__.Tensor", None),
        ("torch.ops.higher_order.cond", None),
        ("_operator.floordiv", None),
        ("math.ceil", None),
        ("torch.sym_max", None),
        ("torch.ops.acme.warp.default", "custom-op"),
        ("#acme:warp", "custom-op"),
        ("acme.warp", "custom-op"),
        ("torch.ops.aten.from_file.default", "file-op"),
        ("torch.ops.load_library", "evaluated"),
        ("torch.hub.load", "evaluated"),
        ("torch.os.system", "evaluated"),
        ("_operator.attrgetter", "evaluated"),
        ("_operator.methodcaller", "evaluated"),
        ("torch.ops.aten.__class__.__base__", "evaluated"),
        ("torch.ops.aten.a.b.c", "evaluated"),
    ],
)
def test_targets(target: str, kind: str | None) -> None:
    assert operator_risk(target) == kind


@pytest.mark.parametrize(
    ("guard", "plain"),
    [
        ("L['x'].size()[0] == L['mask'].size()[0]", True),
        ("2 <= L['args'][0][0].size()[1] and L['n'] % 2 == 0", True),
        ("math.floor(L['x'].size()[0] / 2) >= 1", True),
        ("torch._sym_sqrt(L['x'].size()[0]) != -1", True),
        ("torch.load(L['x'])", False),
        ("L['x'].__class__", False),
        ("print(1)", False),
        ("math.__loader__", False),
    ],
)
def test_guards(guard: str, plain: bool) -> None:
    assert is_guard(guard) == plain


@pytest.mark.parametrize(
    ("expression", "name", "bounds"),
    [
        ("Symbol('s0', positive=True, integer=True)", "s0", Interval(2, 8)),
        ("s0", "s0", Interval(2, 8)),
        ("2*s0", "s0.times2", Interval(4, 16, 2)),
        ("Mul(Integer(2), Symbol('s0'))", "s0.times2", Interval(4, 16, 2)),
        ("Add(Mul(Integer(2), Symbol('s0')), Integer(1))", "s0.times2.plus1", Interval(5, 17, 2)),
        ("s0 - 1", "s0.minus1", Interval(1, 7)),
        ("s0 + s0", "s0.times2", Interval(4, 16, 2)),
        ("s1 + 3", "s1.plus3", Interval(3)),
        ("s1", "s1", None),
        ("Integer(7)", 7, None),
        ("s0*s1", None, None),
        ("s0 + s1", None, None),
        ("FloorDiv(Symbol('s0'), Integer(2))", None, None),
        ("8 - s0", None, None),
        ("s0 - 3", None, None),
        ("s0*" + "9" * 30, None, None),
    ],
)
def test_sizes(expression: str, name: object, bounds: Interval | None) -> None:
    sizes = Sizes({"s0": (2, 8), "s1": (0, (1 << 63) - 1)})
    assert sizes.dimension(expression) == name
    assert sizes.symbols.get(str(name)) == bounds
    assert not sizes.evaluated
    assert bool(sizes.unnamed) == (name is None)


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize(
    "entry",
    [
        "data/sample_inputs/model.pt",
        "data/weights/model.pt",
        "data/constants/custom_obj_0",
        "data/constants/opaque_obj_0",
    ],
)
def test_pickles_inside_are_looked_at(tmp_path: Path, entry: str) -> None:
    facts = read(changed(tmp_path, {f"linear/{entry}": pickle.dumps(Harm())}))
    assert ("pickle-global", f"posix.system in {entry}") in {
        (r.kind, r.detail) for r in facts.risks
    }
    assert facts.severity == "blocked"


@pytest.mark.parametrize(
    ("entry", "kinds"),
    [
        ("custom_obj_0", {"custom-class"}),
        ("opaque_obj_0", {"custom-class", "pickle-global"}),
    ],
)
def test_objects_of_a_library(tmp_path: Path, entry: str, kinds: set[str]) -> None:
    content = b"\x80\x02ctorch.jit._pickle\nbuild_intlist\n0c__torch__.torch.classes.a\nB\n)\x81."
    facts = read(changed(tmp_path, {f"linear/data/constants/{entry}": content}))
    assert {risk.kind for risk in facts.risks} - {"author-path"} == kinds


def test_a_weight_that_is_a_pickle(tmp_path: Path) -> None:
    def change(whole: Any) -> None:
        whole["config"]["layer.bias"]["use_pickle"] = True

    path = changed(
        tmp_path, {WEIGHTS: change, "linear/data/weights/weight_1": pickle.dumps(Harm())}
    )
    assert read(path).severity == "blocked"


@pytest.mark.parametrize("name", ["model.so", "kernel.cubin", "model.wrapper.cpp", "sub/x.SO"])
def test_compiled_code(tmp_path: Path, name: str) -> None:
    entry = f"data/aotinductor/model/{name}"
    facts = read(changed(tmp_path, {f"linear/{entry}": b"\x7fELF"}))
    assert [(r.kind, r.detail) for r in facts.risks if r.severity == "blocked"] == [
        ("native-code", entry)
    ]


def test_a_package_of_compiled_code_only(tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/archive_format", b"pt2")
        archive.writestr("m/data/aotinductor/model/a.so", b"\x7fELF")
    facts = read(path)
    assert not facts.signature_known
    assert facts.severity == "blocked"
    assert "Compiled code says nothing of inputs and outputs that can be read here." in facts.unsaid


def _sizes(value: Any) -> Callable[[Any], None]:
    def change(whole: Any) -> None:
        whole["config"]["layer.weight"]["tensor_meta"]["sizes"] = value

    return change


@pytest.mark.parametrize(
    "sizes",
    [
        [{"as_int": 1 << 60}, {"as_int": 4}],
        [{"as_int": -3}, {"as_int": 4}],
        [{"as_int": 30}, {"as_int": 4}],
        [{"as_int": 3}],
        [{"as_expr": {"expr_str": "s0"}}, {"as_int": 4}],
        [{"as_int": 1}] * 65,
        "3, 4",
        [[[[[]]]]],
    ],
)
def test_weights_of_impossible_shape(tmp_path: Path, sizes: Any) -> None:
    with pytest.raises(FormatError):
        read(changed(tmp_path, {WEIGHTS: _sizes(sizes)}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"graph_module": {"graph": {"nodes": 1}}}',
        b'{"graph_module":' * 5000,
        b"\xff\xfe",
        b'{"graph_module": {"graph": {"tensor_values": {"x": {"dtype": 1e400}}}}}',
    ],
)
def test_programs_that_are_none(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        read(changed(tmp_path, {PROGRAM: content}))
    assert caught.value.where
    assert caught.value.hint


def test_graphs_within_graphs_end(tmp_path: Path) -> None:
    def change(whole: Any) -> None:
        graph: Any = {"nodes": []}
        for _ in range(130):
            arg = {"as_graph": {"name": "g", "graph": graph}}
            graph = {"nodes": [{"target": "t", "inputs": [{"name": "a", "arg": arg}]}]}
        whole["graph_module"]["graph"] |= graph

    with pytest.raises(FormatError):
        program(tmp_path, change)


def test_names_that_the_program_hides(tmp_path: Path) -> None:
    def change(whole: Any) -> None:
        whole["graph_module"]["module_call_graph"] = []

    signature = program(tmp_path, change).signatures["default"]
    assert list(signature.inputs) == ["x"]
    assert list(signature.outputs) == ["output_0"]


def test_a_weight_that_is_missing(tmp_path: Path) -> None:
    def change(whole: Any) -> None:
        whole["config"]["layer.bias"]["path_name"] = "../../../etc/passwd"

    with pytest.raises(FormatError, match="reaches beyond its entry"):
        read(changed(tmp_path, {WEIGHTS: change}))


def test_a_program_without_its_weights(tmp_path: Path) -> None:
    facts = read(changed(tmp_path, {"linear/data/weights/weight_0": b""}))
    assert "1 tensors without their values, layer.weight first" in facts.notes


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.pt2"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "torch-export").format == "torch-export"
