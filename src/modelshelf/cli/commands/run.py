"""Run an installed model once: inputs from files or as JSON, outputs shown or saved.

shelf run acme/digits --input image=digits.npy --output logits=logits.npy
shelf run acme/scale --input 'x=[[1, 2]]'

Without --signature the first one is called. A package with others before or after it runs as the
whole chain; --alone leaves them out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelshelf.cli.output import Output

if TYPE_CHECKING:
    from modelshelf.client.run import Told


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package, what of it, what goes in, where outputs go."""
    parser.add_argument("package", help="NAME of an installed package")
    parser.add_argument("--variant", metavar="NAME", help="default: the package's default")
    parser.add_argument("--format", metavar="NAME", help="such as onnx")
    parser.add_argument("--signature", metavar="NAME", help="default: the first one")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="FILE.npy, FILE.npz or JSON (again for more); FILE.npz alone gives all by name",
    )
    parser.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="save one output as .npy (again for more)",
    )
    parser.add_argument("--outputs", type=Path, metavar="FILE", help="save all outputs as .npz")
    parser.add_argument("--alone", action="store_true", help="without what runs before and after")
    parser.add_argument(
        "--allow-pickle",
        action="store_true",
        help="consent to formats that run the publisher's code",
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Load, call, save, show."""
    from modelshelf.client import run as running
    from modelshelf.client.load import load

    model = load(
        arguments.package,
        variant=arguments.variant,
        format=arguments.format,
        allow_pickle=arguments.allow_pickle,
        alone=arguments.alone,
    )
    name = running.chosen(model, arguments.signature)
    signature = model.signatures[name] if name else None
    single = running.targets(arguments.output, signature)
    results = model.run(running.inputs(arguments.input, signature), name)
    running.save(results, single, arguments.outputs)
    told = running.told(model, name, results)
    value = {
        "name": model.name,
        "version": model.version,
        "variant": model.variant,
        "format": model.format,
        "signature": name,
        "outputs": {each: shown._asdict() for each, shown in told.items()},
    }
    rows = [_row(each, shown) for each, shown in told.items()]
    heads = ("output", "dtype", "shape", "values", "label")
    columns = len(heads) if any(row[-1] for row in rows) else len(heads) - 1
    output.result(value, output.table(heads[:columns], [row[:columns] for row in rows]))


def _row(name: str, shown: Told) -> tuple[str, ...]:
    shape = "x".join(map(str, shown.shape)) or "scalar"
    labels = _few(list(shown.labels)) if shown.labels else ""
    return name, shown.dtype, shape, _few(shown.values), labels


def _few(values: object) -> str:
    """Some values on one line: `[[2, 4], [6, 8]]`, or its beginning."""
    if values is None:
        return "many"
    text = _words(values)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _words(value: object) -> str:
    if isinstance(value, list):
        parts = [_words(each) for each in value[:20]]
        return f"[{', '.join(parts)}]"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
