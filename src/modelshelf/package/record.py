"""The record: what a publisher writes in `shelf.toml`, typed. Pure data, both sides read it.

The shape is DESIGN's: `[package]`, `[dependencies]`, `[requires]`, `[training]`,
`[preprocessing]`, `[postprocessing]`, `[signatures.NAME]`, `[entrypoints.NAME]`, `[[golden]]`,
`[[variants]]` with `[[variants.artifacts]]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from modelshelf.package.signature import Signature

Kind = Literal["person", "organization"]
DependencyKind = Literal["runtime", "preprocess", "pipeline", "base"]
Feature = bool | int | float | str


class _Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all parts of the record share: frozen, no defaults in JSON."""


class Developer(_Value, frozen=True):
    """A person or organization that made the package."""

    name: str
    kind: Kind = "person"
    email: str | None = None
    url: str | None = None


class Package(_Value, frozen=True):
    """The `[package]` table: what the whole product line has in common."""

    name: str
    version: str
    summary: str | None = None
    license: str | None = None
    copyright: str | None = None
    task: str | None = None
    family: str | None = None
    """The family that the publisher puts it in; without it, task, algorithm, datasets and language do."""
    algorithm: str | None = None
    datasets: tuple[str, ...] = ()
    language: str | None = None
    keywords: tuple[str, ...] = ()
    developers: tuple[Developer, ...] = ()
    source: str | None = None
    issues: str | None = None
    contributing: str | None = None
    homepage: str | None = None
    papers: tuple[str, ...] = ()
    demo: str | None = None
    security: str | None = None
    readme: str | None = None
    usage: str | None = None
    notes: str | None = None
    include: tuple[str, ...] = ()
    backbone: bool = False
    """Whether others build on its parameters: then their names and shapes are part of the contract."""


class Dependency(_Value, frozen=True):
    """A requirement on another package of models, written by a publisher or by a consumer.

    Without `variants` the default variant is meant, without `format` the first one that the
    context (`python` where none is named) can run. `where` are conditions that the model must meet
    (see `condition`): without `variants`, the first variant that does is meant. A consumer's
    `isolated` package gets what it needs for itself, in versions that others need not share.

    What a `runtime` package needs must be there. A `base` is what the model was made from: it is
    installed only if something else wants it, and must then be in the range. What a `preprocess` package puts out goes into
    this one, what this one puts out goes into a `pipeline` package: `signature` is the one of
    theirs that is called (the first where none is named), `connect` says which output (the key)
    becomes which input; without it equal names meet, or the only output and the only input.
    """

    version: str
    kind: DependencyKind = "runtime"
    registry: str | None = None
    variants: tuple[str, ...] = ()
    format: str | None = None
    context: str | None = None
    signature: str | None = None
    connect: dict[str, str] = {}
    where: str | None = None
    isolated: bool = False


class Requires(_Value, frozen=True):
    """What the models need around them: Python packages (PEP 508), frameworks, hardware."""

    python: tuple[str, ...] = ()
    python_version: str | None = None
    frameworks: dict[str, str] = {}
    hardware: tuple[str, ...] = ()


class Training(_Value, frozen=True):
    """How the weights came about."""

    description: str | None = None
    script: str | None = None
    checkpoint: str | None = None
    hyperparameters: dict[str, Feature] = {}
    preprocessing: str | None = None


class Processing(_Value, frozen=True):
    """What must be done to data before or after the model, beyond what the signatures say.

    `steps` are words in their order (`resize 256 bilinear`, `center-crop 224`, `lowercase`);
    `tokenizer` is a file of the package.
    """

    steps: tuple[str, ...] = ()
    tokenizer: str | None = None


class Golden(_Value, frozen=True):
    """Inputs with the outputs that they give: what callers may rely on, shipped with the package.

    `inputs` and `outputs` are `.npz` files with an array for each name of `signature` (the first
    where none is named). An output agrees within `absolute + relative * |expected|`. It holds for
    the `variants` named, the default one where none is.
    """

    name: str
    inputs: str
    outputs: str
    signature: str | None = None
    variants: tuple[str, ...] = ()
    absolute: float = 1e-5
    relative: float = 1e-4


class Parameter(_Value, frozen=True):
    """One argument of an entrypoint; `default` is its source text, None where it is required."""

    name: str
    type: str | None = None
    default: str | None = None
    description: str | None = None


class Entrypoint(_Value, frozen=True):
    """A named Python callable that builds a variant (the paper's 6.2.2.2)."""

    file: str = "hubconf.py"
    parameters: tuple[Parameter, ...] = ()
    description: str | None = None


class Metric(_Value, frozen=True):
    """One measured quality of a variant.

    A later release keeps the promise while its value is no worse than `value` by more than
    `tolerance`; more is better unless `lower_is_better`.
    """

    name: str
    value: float
    dataset: str | None = None
    split: str | None = None
    tolerance: float = 0.0
    lower_is_better: bool = False


class Cost(_Value, frozen=True):
    """What one call takes: multiply-accumulates and the peak of memory in bytes.

    `tool` says with which version of what it was measured, `inputs` with which inputs
    (`float32[1, 3, 224, 224]` by name).
    """

    tool: str
    inputs: dict[str, str] = {}
    macs: int | None = None
    peak_memory: int | None = None


class Artifact(_Value, frozen=True):
    """A variant in one format for some usage contexts at one precision; `files` are its files.

    One that is only described has none.
    """

    format: str
    files: tuple[str, ...]
    contexts: tuple[str, ...] = ("python",)
    precision: str | None = None
    opset: int | None = None
    cost: Cost | None = None

    @property
    def first(self) -> str:
        """The file that carries the format; empty where there are no files."""
        return self.files[0] if self.files else ""


class Variant(_Value, frozen=True):
    """One model of the package."""

    name: str
    artifacts: tuple[Artifact, ...]
    summary: str | None = None
    default: bool = False
    features: dict[str, Feature] = {}
    entrypoint: str | None = None
    metrics: tuple[Metric, ...] = ()


class Record(_Value, frozen=True):
    """A release described: everything its publisher says of it."""

    package: Package
    variants: tuple[Variant, ...]
    dependencies: dict[str, Dependency] = {}
    requires: Requires = Requires()
    training: Training | None = None
    preprocessing: Processing | None = None
    postprocessing: Processing | None = None
    signatures: dict[str, Signature] = {}
    entrypoints: dict[str, Entrypoint] = {}
    golden: tuple[Golden, ...] = ()


def default_variant(variants: tuple[Variant, ...]) -> Variant:
    """The variant meant when none is named: the one marked `default`, else the first."""
    return next((variant for variant in variants if variant.default), variants[0])


def golden_of(record: Record, variant: Variant) -> tuple[Golden, ...]:
    """The golden cases that hold for `variant`."""
    default = default_variant(record.variants).name
    return tuple(case for case in record.golden if variant.name in (case.variants or (default,)))


def named_files(record: Record) -> dict[str, str]:
    """Every file that the record names → the dotted place that names it, in the record's order."""
    named: dict[str, str] = {}
    for path, place in _mentions(record):
        named.setdefault(path, place)
    return named


def _mentions(record: Record) -> Iterator[tuple[str, str]]:
    package = record.package
    for field in ("readme", "usage", "notes"):
        value = getattr(package, field)
        if value and not is_text(value):
            yield value, f"package.{field}"
    yield from ((path, "package.include") for path in package.include)
    if record.training and record.training.script:
        yield record.training.script, "training.script"
    yield from _behaviour_files(record)
    for name, signature in record.signatures.items():
        for tensor_name, tensor in (signature.inputs | signature.outputs).items():
            if tensor.labels:
                yield tensor.labels, f"signatures.{name}.{tensor_name}.labels"
    for name, entrypoint in record.entrypoints.items():
        yield entrypoint.file, f"entrypoints.{name}.file"
    for number, variant in enumerate(record.variants):
        for artifact in variant.artifacts:
            yield from ((path, f"variants[{number}].artifacts") for path in artifact.files)


def _behaviour_files(record: Record) -> Iterator[tuple[str, str]]:
    for field in ("preprocessing", "postprocessing"):
        processing: Processing | None = getattr(record, field)
        if processing and processing.tokenizer:
            yield processing.tokenizer, f"{field}.tokenizer"
    for number, golden in enumerate(record.golden):
        yield golden.inputs, f"golden[{number}].inputs"
        yield golden.outputs, f"golden[{number}].outputs"


def is_text(value: str) -> bool:
    """Whether `notes` or `usage` holds the text itself rather than the name of a file."""
    return "\n" in value or " " in value


canonical = msgspec.json.Encoder(order="sorted")
"""Encodes any value of this room to the same bytes everywhere: sorted keys, no white space."""
