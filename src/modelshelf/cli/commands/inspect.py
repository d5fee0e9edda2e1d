"""Look into a file of a model: tensors, signatures, operators, code, without running any of it.

Needs no framework and no network. Exit code 1 where a finding is blocked or a file cannot be read.
With --json one FILE gives one object, several give {"files": [...]}.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelshelf.cli.output import Output, size
from modelshelf.errors import ShelfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.formats import Facts, Risk

TENSOR_COUNT = 20
OP_COUNT = 10
LINE_COUNT = 10
_COLOURS = {"note": "dim", "code": "yellow", "blocked": "red"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the files, how to read them, how much to show."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a file, or the folder of a model"
    )
    parser.add_argument("--format", metavar="NAME", help="read as this format; default: by content")
    parser.add_argument("--all", action="store_true", help="every tensor, operator and import")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print what the files say."""
    alone = len(arguments.files) == 1
    values: list[dict[str, object]] = []
    texts: list[str] = []
    for path in arguments.files:
        try:
            facts, carrier = _read(path, arguments.format)
        except ShelfError as error:
            if alone:
                raise
            values.append({"file": str(path)} | error.as_json())
            texts.append(f"{output.paint(str(path), 'bold')}\n  cannot be read: {error.message}")
            continue
        values.append(told(path, carrier, facts))
        texts.append("\n".join(_lines(path, carrier, facts, output, everything=arguments.all)))
    output.result(values[0] if alone else {"files": values}, "\n\n".join(texts))
    return int(any("error" in each or each["severity"] == "blocked" for each in values))


def told(path: Path, carrier: Path, facts: Facts) -> dict[str, object]:
    """The object that `--json` shows: every key is always there."""
    import msgspec

    value = {
        "format": facts.format,
        "framework": facts.framework,
        "tensors": facts.tensors,
        "signatures": facts.signatures,
        "entrypoints": facts.entrypoints,
        "parameters": facts.parameters,
        "code": facts.code,
        "findings": [_finding(risk) for risk in facts.risks],
        "severity": facts.severity,
        "file": str(path),
        "size": _size(carrier, facts),
        "framework_version": facts.framework_version,
        "ops": facts.ops,
        "opset": facts.opset,
        "precision": facts.precision,
        "companions": facts.companions,
        "python_packages": facts.python_packages,
        "urls": facts.urls,
        "unsaid": facts.unsaid,
        "notes": facts.notes,
    }
    built: dict[str, object] = msgspec.to_builtins(value)
    return built


def _read(path: Path, name: str | None) -> tuple[Facts, Path]:
    from modelshelf import formats

    carrier = formats.carrier(path)
    return formats.read(carrier, name), carrier


def _finding(risk: Risk) -> dict[str, str]:
    from modelshelf.formats.facts import RISKS

    return {
        "kind": risk.kind,
        "severity": risk.severity,
        "detail": risk.detail,
        "file": risk.file,
        "meaning": RISKS[risk.kind][1] if risk.kind in RISKS else "of an unknown kind",
    }


def _size(carrier: Path, facts: Facts) -> int:
    """Bytes of the file and of the others that it needs, as far as they lie beside it."""
    folder = carrier.parent.resolve()
    others = {(folder / name).resolve() for name in facts.companions}
    inside = [each for each in others if each.is_relative_to(folder) and each.is_file()]
    return sum(each.stat().st_size for each in {carrier.resolve(), *inside})


def _lines(
    path: Path, carrier: Path, facts: Facts, output: Output, *, everything: bool
) -> Iterator[str]:
    version = f" {facts.framework_version}" if facts.framework_version else ""
    yield output.paint(str(path), "bold")
    yield from _pairs(
        [
            ("format", facts.format),
            ("framework", f"{facts.framework}{version}"),
            ("size", size(_size(carrier, facts))),
            ("parameters", "" if facts.parameters is None else f"{facts.parameters:,}"),
            ("precision", facts.precision or ""),
            ("opset", "" if facts.opset is None else str(facts.opset)),
        ]
    )
    shown = None if everything else LINE_COUNT
    yield from _section("signatures", _signatures(facts), output, shown)
    yield from _section("entrypoints", _entrypoints(facts), output, shown)
    yield from _tensors(facts, output, None if everything else TENSOR_COUNT)
    yield from _operators(facts, output, None if everything else OP_COUNT)
    for title, words in (
        ("code", facts.code),
        ("needs", (*facts.companions, *(f"Python: {name}" for name in facts.python_packages))),
        ("fetches", facts.urls),
        ("notes", facts.notes),
        ("not said", facts.unsaid),
    ):
        yield from _section(title, words, output, shown)
    yield from _section("findings", [_shown(risk, output) for risk in facts.risks], output, None)


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    return (f"  {name:<12}{text}" for name, text in pairs if text)


def _section(title: str, lines: Sequence[str], output: Output, shown: int | None) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield output.paint(f"{title} ({len(lines)})", "cyan")
    yield from (f"  {line}" for line in lines[:shown])
    if shown is not None and len(lines) > shown:
        yield f"  … and {len(lines) - shown} more; --all shows them"


def _signatures(facts: Facts) -> list[str]:
    return [
        f"{name}{signature}"
        + "".join(f"; {symbol} in {sizes}" for symbol, sizes in signature.symbols.items())
        for name, signature in facts.signatures.items()
    ]


def _entrypoints(facts: Facts) -> list[str]:
    return [
        f"{name}({', '.join(_parameter(p.name, p.default) for p in each.parameters)})"
        + (f": {each.description}" if each.description else "")
        for name, each in facts.entrypoints.items()
    ]


def _parameter(name: str, default: str | None) -> str:
    return name if default is None or name.startswith("*") else f"{name}={default}"


def _tensors(facts: Facts, output: Output, shown: int | None) -> Iterator[str]:
    rows = [
        (each.name, each.dtype, f"[{', '.join(map(str, each.shape))}]")
        for each in facts.tensors[:shown]
    ]
    if not rows:
        return
    yield ""
    yield output.paint(f"tensors ({len(facts.tensors)})", "cyan")
    for line in output.table(("name", "dtype", "shape"), rows).splitlines():
        yield f"  {line}"
    if len(facts.tensors) > len(rows):
        yield f"  … and {len(facts.tensors) - len(rows)} more; --all shows them"


def _operators(facts: Facts, output: Output, shown: int | None) -> Iterator[str]:
    """The operators that the graph has most of."""
    often = sorted(facts.ops.items(), key=lambda pair: (-pair[1], pair[0]))
    return _section("operators", [f"{count:>6,}  {name}" for name, count in often], output, shown)


def _shown(risk: Risk, output: Output) -> str:
    word = output.paint(f"{risk.severity:<8}", _COLOURS.get(risk.severity, "red"))
    return f"{word}{risk.kind}: {risk.detail} ({_finding(risk)['meaning']}, in {risk.file})"
