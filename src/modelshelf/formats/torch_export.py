"""torch.export's `.pt2`: a graph of operators with its sizes and weights, as `torch.export.save` writes it.

Both layouts are read: the PT2 archive (since PyTorch 2.8) and the older zip with four entries at
its top (2.1 to 2.7). Source: `torch/export/pt2_archive/_package.py`, `torch/export/__init__.py`.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats import archive
from modelshelf.formats.archive import Archive
from modelshelf.formats.exported_program import (
    Program,
    SchemaVersion,
    operators,
    program_of,
    traces,
)
from modelshelf.formats.exported_signature import Described, described
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    author_paths,
    precision_of,
)
from modelshelf.formats.pt2_parts import Parts
from modelshelf.formats.pytorch import ZIP_MARK
from modelshelf.formats.spans import disjoint

PROGRAM = re.compile(r"models/([^/]{1,200})\.json")
TABLE = re.compile(r"data/(?:weights|constants)/[^/]{1,200}_config\.json")
OLDER_PROGRAM = "serialized_exported_program.json"

NAMESPACES = frozenset(
    {
        "aten", "prims", "prim", "higher_order", "quantized", "quantized_decomposed", "inductor",
        "inductor_prims", "_quantized", "mkldnn", "onednn", "mkldnn_prepacked", "prepacked",
        "sparse", "_c10d_functional", "_dtensor", "c10d", "c10d_functional", "profiler",
        "rngprims", "debugprims", "export", "streams", "symm_mem", "bw_prims",
    }
)  # fmt: skip
"""Operators that PyTorch itself brings."""
FILE_OPS = frozenset({"aten.from_file", "aten.save", "prim.Print"})
SYMBOLIC = re.compile(r"_operator\.(\w+)|math\.\w+|torch\._?sym_\w+")
_OPERATOR = re.compile(r"torch\.ops\.(\w+)\.(\w+)(?:\.\w+)?")
_HIGHER = re.compile(r"torch\.ops\.(higher_order)\.\w+")
_DUNDER = re.compile(r"\b__\w+__\b")
_PLAIN_DUNDERS = frozenset(
    f"__{word}__" for word in ("and", "or", "xor", "lshift", "rshift", "iand", "ior", "ixor",
                               "ilshift", "irshift", "contains", "getitem", "is", "isnot", "not")
)  # fmt: skip
_ARITHMETIC = frozenset(
    {
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg", "pos", "abs", "eq", "ne",
        "lt", "le", "gt", "ge", "and_", "or_", "not_", "xor", "invert", "lshift", "rshift", "index",
        "truth", "getitem",
    }
) & frozenset(dir(operator))  # fmt: skip


def read(path: Path) -> Facts:
    """What a `.pt2` says; tensors are only looked for, never read."""
    with archive.opened(path, top=True) as opened:
        parts = Parts(path.name)
        programs = _programs(opened)
        if OLDER_PROGRAM in opened.entries:
            _older_parts(opened, parts)
        elif "archive_format" in opened.entries:
            _parts(opened, parts)
        else:
            raise FormatError(
                "the archive holds no exported program",
                expected="archive_format, or serialized_exported_program.json",
                hint="save the program with torch.export.save",
            )
        return _facts(path, opened, programs, parts)


def claims(path: Path, head: bytes) -> bool:
    """An archive with a program or a mark of PT2 in it."""
    if not head.startswith(ZIP_MARK):
        return False
    names = archive.entry_names(path, top=True)
    is_named = path.suffix.lower() == ".pt2"
    return (
        OLDER_PROGRAM in names
        or "archive_format" in names
        or any(PROGRAM.fullmatch(name) for name in names)
        or (is_named and not names)
    )


def _programs(opened: Archive) -> dict[str, Program]:
    """Programs by name; the one that `torch.export.save` writes is the default."""
    entries = {
        match.group(1): name
        for name in sorted(opened.entries)
        if (match := PROGRAM.fullmatch(name))
    }
    if OLDER_PROGRAM in opened.entries:
        entries = {"model": OLDER_PROGRAM}
    programs = {name: program_of(opened.read(entry)) for name, entry in entries.items()}
    return {"default" if name == "model" else name: each for name, each in programs.items()}


def _parts(opened: Archive, parts: Parts) -> None:
    """Tables of tensors, then everything below `data/` that is neither a table nor in one."""
    entries = sorted(opened.entries, key=lambda name: (not name.startswith("data/weights"), name))
    raw: set[str] = set()
    for name in entries:
        if TABLE.fullmatch(name):
            raw |= parts.table(opened, name)
    for name in entries:
        rest = name.removeprefix("data/")
        if rest == name or name in raw or name.endswith(".json"):
            continue
        if rest.startswith(("weights/", "constants/", "sample_inputs/")):
            parts.pickle(opened, name, None if rest.startswith("sample_inputs/") else "")
    parts.native(entries)


def _older_parts(opened: Archive, parts: Parts) -> None:
    for name in sorted(opened.entries):
        if name.startswith("serialized_") and name != OLDER_PROGRAM:
            parts.pickle(opened, name, None if "example_inputs" in name else "")
    parts.native(sorted(opened.entries))


def _facts(path: Path, opened: Archive, programs: dict[str, Program], parts: Parts) -> Facts:
    seen = {name: described(program) for name, program in programs.items()}
    ops: Counter[str] = Counter()
    for program in programs.values():
        ops.update(operators(program))
    named = {target.removeprefix("torch.ops."): count for target, count in sorted(ops.items())}
    first = next(iter(programs.values()), None)
    tensors = tuple(parts.tensors)
    spans = disjoint(parts.spans)
    risks = (*parts.risks, *_risks(path, ops, seen), *_paths(path, programs))
    return Facts(
        format="torch-export",
        framework="pytorch",
        framework_version=_version(first),
        tensors=tensors,
        signatures={name: each.signature for name, each in seen.items() if each.signature},
        signature_known=any(each.signature is not None for each in seen.values()),
        parameters=parts.parameters,
        ops=named,
        opset=first.opset_version.get("aten") if first else None,
        code=_code(parts, risks),
        precision=precision_of(tensors),
        unsaid=_unsaid(programs, seen, parts),
        notes=(*_notes(opened, programs, seen), *parts.notes),
        risks=risks,
        spans={path.name: spans} if spans else {},
    )


def _version(program: Program | None) -> str | None:
    """The version of PyTorch; before 2.5 it was not written."""
    said = program.torch_version if program else None
    return None if said is None or said.startswith("<") else said


def _code(parts: Parts, risks: tuple[Risk, ...]) -> tuple[str, ...]:
    told = (risk.detail for risk in risks if risk.severity != "note")
    return tuple(dict.fromkeys((*map(str, parts.imports), *told)))


def _risks(path: Path, ops: Counter[str], seen: dict[str, Described]) -> list[Risk]:
    found = []
    for target in sorted(ops):
        kind = operator_risk(target)
        if kind is not None:
            found.append(Risk(kind, target.removeprefix("torch.ops.")[:200], path.name))
    for each in seen.values():
        found += [Risk("evaluated", text, path.name) for text in each.evaluated]
    return found


def operator_risk(target: str) -> str | None:
    """The kind of risk that calling `target` is; None for operators of PyTorch's own.

    The loader walks the dots from `torch`, `math` or `operator` and calls what it finds there.
    """
    if target.startswith("#"):
        return "custom-op"
    if any(word not in _PLAIN_DUNDERS for word in _DUNDER.findall(target)):
        return "evaluated"
    symbolic = SYMBOLIC.fullmatch(target)
    if symbolic:
        return None if symbolic.group(1) in {None, *_ARITHMETIC} else "evaluated"
    match = _OPERATOR.fullmatch(target) or _HIGHER.fullmatch(target)
    if match is None:
        return "evaluated" if target.startswith(("torch", "math", "_operator")) else "custom-op"
    if ".".join(target.split(".")[2:4]) in FILE_OPS:
        return "file-op"
    return None if match.group(1) in NAMESPACES else "custom-op"


def _paths(path: Path, programs: dict[str, Program]) -> tuple[Risk, ...]:
    return author_paths((text for each in programs.values() for text in traces(each)), path.name)


def _unsaid(
    programs: dict[str, Program], seen: dict[str, Described], parts: Parts
) -> tuple[str, ...]:
    found = []
    if not programs:
        found.append("Compiled code says nothing of inputs and outputs that can be read here.")
    elif not all(each.signature for each in seen.values()):
        found.append("The program follows a schema too old to name its inputs and outputs.")
    if programs and not any(_version(each) for each in programs.values()):
        found.append("The version of PyTorch that exported it is not in the file.")
    named = [name for each in seen.values() if each.signature for name in each.signature.outputs]
    if any(name == "output" or name.startswith("output_") for name in named):
        found.append("Outputs of forward have no names: they are called output, or numbered.")
    if not parts.tensors:
        found.append("The weights are not in the file, or compiled into it.")
    return tuple(found)


def _notes(
    opened: Archive, programs: dict[str, Program], seen: dict[str, Described]
) -> tuple[str, ...]:
    layout = opened.text("archive_version") or opened.text("version")
    notes = [f"archive version {layout}"] if layout else []
    for name, program in programs.items():
        notes.append(f"schema {_schema(program)}")
        notes += [f"opset {space} {n}" for space, n in sorted(program.opset_version.items())[:20]]
        lines = len(traces(program))
        if lines:
            notes.append(f"{lines} stack traces with lines of the author's source code")
        notes += seen[name].notes
    extra = [each for each in sorted(opened.entries) if each.startswith(("extra/", "extra_files/"))]
    notes += [f"extra file {name[:200]}" for name in extra[:50]]
    if any(name.startswith("data/executorch/") for name in opened.entries):
        notes.append("a program of ExecuTorch is in it, which is not looked into")
    return tuple(notes)


def _schema(program: Program) -> str:
    version = program.schema_version
    if isinstance(version, SchemaVersion):
        return f"{version.major}.{version.minor}"
    return str(version)


FORMAT = Format(
    name="torch-export",
    framework="pytorch",
    suffixes=(".pt2",),
    contexts=("python", "other-language"),
    advantages="Carries the algorithm as a graph with its signature, symbolic sizes included.",
    disadvantages="Bound to PyTorch: older releases may not read what newer ones wrote.",
    claims=claims,
    read=read,
    carries_code=True,
)
