"""Files of PyTorch's three formats and what PyTorch says of them: `python -P torch.py FOLDER`."""

from __future__ import annotations

import json
import linecache
import sys
import warnings
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any, cast

MODULES = (
    "torch",
    "torch._export.serde.serialize",
    "torch.utils._pytree",
    "torch.utils._sympy.value_ranges",
)
torch, serializer, pytree, value_ranges = (cast("Any", import_module(name)) for name in MODULES)

AUTHOR = "/home/ann/train.py"
"""Where the author's source pretends to lie: exporters leave that path in their files."""
SOURCE = '''
import torch
from typing import Dict, List, Optional, Tuple


class Dense(torch.nn.Module):
    """As torch.nn.Linear, whose own file would stand in the stack traces."""

    def __init__(self, given, made):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.rand(made, given))
        self.bias = torch.nn.Parameter(torch.rand(made))

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight, self.bias)


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = Dense(4, 3)

    def forward(self, x):
        return self.layer(x).relu()


class Nested(Linear):
    """Keywords, a dictionary, a fixed argument, buffers kept and not kept, a constant."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(3))
        self.register_buffer("passing", torch.ones(3), persistent=False)
        self.shift = torch.tensor([1.0, 2.0, 3.0])

    def forward(self, x, *, mask, times=2, more=None):
        y = self.layer(x) * self.scale * self.passing + self.shift + mask
        return {"y": y * times, "parts": (y.reshape(-1), more["first"] * 2)}


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = Dense(4, 4), Dense(4, 4)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.two(self.one(x)), x.new_zeros(2, dtype=torch.int64)


class Branch(Linear):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda v: v.sin(), lambda v: v.cos(), (x,))


class Custom(Linear):
    def forward(self, x):
        return torch.ops.acme.warp(self.layer(x))


class Counter(torch.nn.Module):
    """Changes a buffer, takes a number, gives one."""

    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x, count: int):
        self.steps.add_(1)
        return x[:, :count].to(torch.float16), x.shape[0] + 1


class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = Dense(4, 3)
        self.names = ["a", "b"]

    def forward(self, x, mask: Optional[torch.Tensor] = None, count: int = 2,
                mode: str = "a, (b") -> Tuple[torch.Tensor, int]:
        y = self.layer(x)
        if mask is not None:
            y = y + mask
        return y, count

    @torch.jit.export
    def encode(self, words: Dict[str, List[torch.Tensor]]) -> int:
        return len(words)
'''


def main(folder: Path) -> None:
    """Write every case."""
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    linecache.cache[AUTHOR] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), AUTHOR)
    model: dict[str, Any] = {}
    # real stack traces, of a made-up path
    exec(compile(SOURCE, AUTHOR, "exec"), model)
    _exported(folder / "torch_export", model)
    _scripted(folder / "torchscript", model)
    _saved(folder / "pytorch", model)


def _exported(folder: Path, model: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    batch = torch.export.Dim("batch", min=1, max=64)
    pair = torch.export.Dim("pair", min=2, max=32)
    x = torch.ones(6, 4)
    keywords = {"mask": torch.ones(6, 3), "times": 2, "more": {"first": torch.ones(2)}}
    keyword_sizes = {"x": {0: batch}, "mask": {0: batch}, "times": None, "more": {"first": None}}
    torch.library.define("acme::warp", "(Tensor x) -> Tensor")
    torch.library.impl("acme::warp", "CompositeExplicitAutograd", lambda x: x.clone())
    torch.library.register_fake("acme::warp", torch.empty_like)
    _export(folder / "linear.pt2", model["Linear"](), (x,), {}, {"x": {0: batch}})
    _export(folder / "nested.pt2", model["Nested"](), (x,), keywords, keyword_sizes)
    _export(folder / "even.pt2", model["Linear"](), (x,), {}, {"x": {0: 2 * pair}})
    _export(folder / "tied.pt2", model["Tied"](), (x,), {}, None)
    _export(folder / "branch.pt2", model["Branch"](), (x,), {}, None)
    _export(folder / "custom.pt2", model["Custom"](), (x,), {}, None)
    auto = torch.export.Dim.AUTO
    _export(folder / "counter.pt2", model["Counter"](), (x, 3), {}, {"x": {0: auto}, "count": None})
    _export(folder / "older.pt2", model["Nested"](), (x,), keywords, keyword_sizes, older=True)


def _export(
    path: Path,
    module: Any,
    inputs: tuple[Any, ...],
    keywords: dict[str, Any],
    sizes: Any,
    *,
    older: bool = False,
) -> None:
    program = torch.export.export(module.eval(), inputs, keywords, dynamic_shapes=sizes)
    if path.stem == "counter":  # only then are changes of buffers outputs of the graph
        program = program.run_decompositions({})
    if older:
        _older(path, program)
    else:
        torch.export.save(program, path)
    said = _program(torch.export.load(path), inputs, keywords)
    _write(path, said)


def _older(path: Path, program: Any) -> None:
    """The layout of PyTorch 2.1 to 2.7, of the same parts."""
    artifact = serializer.serialize(program)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("serialized_exported_program.json", artifact.exported_program)
        archive.writestr("serialized_state_dict.pt", artifact.state_dict)
        archive.writestr("serialized_constants.pt", artifact.constants)
        archive.writestr("serialized_example_inputs.pt", artifact.example_inputs)
        archive.writestr("version", "8.20")


def _program(program: Any, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    asked = [name for name in program.graph_signature.user_inputs if isinstance(name, str)]
    given = _named(program.module()(*inputs, **keywords))
    answered = dict(zip(given, program.graph_signature.user_outputs, strict=True))
    tensors = {**program.state_dict, **program.constants}
    named = {each: values[each] for each in asked if _varies(values[each])}
    results = {name: values[each] for name, each in answered.items()}
    return {
        "tensors": {name: _described(tensor) for name, tensor in tensors.items()},
        "signatures": {
            "default": {
                "inputs": {name: _described(value) for name, value in named.items()},
                "outputs": {name: _described(value) for name, value in results.items()},
            }
        },
        "bounds": {
            "default": {name: _bounds(each, program) for name, each in (named | results).items()}
        },
        "ops": sorted({_target(node) for node in _calls(program.graph_module)}),
        "parameters": sum(
            each.numel() for each in {each.data_ptr(): each for each in tensors.values()}.values()
        ),
        "framework_version": torch.__version__,
    }


def _named(outputs: Any) -> list[str]:
    """Names of the outputs: keys of dictionaries and numbers, joined by `_`."""
    start = [] if isinstance(outputs, dict) else ["output"]
    return [
        "_".join([*start, *(str(getattr(key, "key", getattr(key, "idx", ""))) for key in path)])
        for path, _ in pytree.tree_flatten_with_path(outputs)[0]
    ]


def _varies(value: Any) -> bool:
    return isinstance(value, torch.Tensor | torch.SymInt)


def _bounds(value: Any, program: Any) -> list[Any]:
    """What PyTorch derives of each symbolic size: [lowest, highest], no highest where it is open."""
    found: list[Any] = []
    for size in getattr(value, "shape", ()):
        if isinstance(size, int):
            found.append(None)
        else:
            bounds = value_ranges.bound_sympy(size.node.expr, program.range_constraints)
            found.append(
                [int(each) if each.is_Integer else None for each in (bounds.lower, bounds.upper)]
            )
    return found


def _calls(module: Any) -> list[Any]:
    graphs = [each.graph for each in module.modules() if isinstance(each, torch.fx.GraphModule)]
    called = [node for graph in graphs for node in graph.nodes if node.op == "call_function"]
    return [node for node in called if node.target.__name__ != "getitem"]


def _target(node: Any) -> str:
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target)
    if isinstance(node.target, torch._ops.HigherOrderOperator):
        return f"higher_order.{node.target.name()}"
    return f"{node.target.__module__}.{node.target.__name__}"


def _scripted(folder: Path, model: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    script = torch.jit.script(model["Scripted"]().eval())
    script.save(folder / "scripted.pt", _extra_files={"labels.txt": "a b"})
    _write(folder / "scripted.pt", _script(script))
    script._save_for_lite_interpreter(str(folder / "mobile.ptl"))
    _write(folder / "mobile.ptl", _script(script))
    traced = torch.jit.trace(model["Linear"]().eval(), torch.ones(2, 4))
    traced.save(folder / "traced.pt")
    _write(folder / "traced.pt", _script(traced))


def _script(script: Any) -> dict[str, Any]:
    state = script.state_dict()
    return {
        "tensors": {name: _described(tensor) for name, tensor in state.items()},
        "parameters": sum(tensor.numel() for tensor in state.values()),
    }


def _saved(folder: Path, model: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = model["Nested"]().state_dict()
    whole = torch.arange(24.0).reshape(4, 6)
    views = {"whole": whole, "row": whole[2], "half": whole.to(torch.bfloat16)}
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    for name, value, described in (
        ("state", state, state), ("views", views, views), ("whole", network, network.state_dict()),
    ):  # fmt: skip
        for suffix, is_zip in ((".pt", True), (".pth", False)):
            if name == "whole" and not is_zip:
                continue  # it would hold PyTorch's own source, with where it lies
            path = folder / f"{name}{suffix}"
            torch.save(value, path, _use_new_zipfile_serialization=is_zip)
            tensors = {key: _described(tensor) for key, tensor in described.items()}
            _write(path, {"tensors": tensors})


def _described(value: Any) -> list[Any]:
    if isinstance(value, torch.SymInt | int):
        return ["int64", []]
    shape = [size if isinstance(size, int) else None for size in value.shape]
    return [str(value.dtype).removeprefix("torch."), shape]


def _write(path: Path, said: dict[str, Any]) -> None:
    text = json.dumps(said, indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


main(Path(sys.argv[1]))
