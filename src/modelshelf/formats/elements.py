"""What the files say of each information element: facts → values by element id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from modelshelf.formats.facts import Facts
from modelshelf.package.record import Cost, Record, Variant, default_variant
from modelshelf.package.signature import Signature


def extracted(
    record: Record, facts: Mapping[str, Facts], sizes: Mapping[str, int]
) -> dict[str, object]:
    """Values for `package.elements.describe`, by element id; sizes are in bytes."""
    return {
        "size": _size(record, sizes),
        "components": _components(record, facts, sizes),
        "interfaces": _interfaces(facts),
        "user-instruction": _instruction(record, facts),
        "dependencies": _python_packages(facts),
        "vulnerability-report": _code(facts),
    }


def _size(record: Record, sizes: Mapping[str, int]) -> object:
    if not sizes:
        return None
    return {
        "total": sum(sizes.values()),
        "variants": {variant.name: _bytes(variant, sizes) for variant in record.variants},
    }


def _bytes(variant: Variant, sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of each artifact by its format; those of equal formats by format and precision."""
    formats = Counter(artifact.format for artifact in variant.artifacts)
    return {
        f"{artifact.format} {artifact.precision}"
        if formats[artifact.format] > 1 and artifact.precision
        else artifact.format: sum(sizes.get(path, 0) for path in set(artifact.files))
        for artifact in variant.artifacts
    }


def _components(
    record: Record, facts: Mapping[str, Facts], sizes: Mapping[str, int]
) -> list[dict[str, object]]:
    """One row a file: path, size, what a reader saw in it, and what one call of it takes."""
    costs = {
        artifact.files[0]: artifact.cost
        for variant in record.variants
        for artifact in variant.artifacts
        if artifact.cost
    }
    return [
        {"path": path, "size": size}
        | (_inside(facts[path]) if path in facts else {})
        | (_taken(costs[path]) if path in costs else {})
        for path, size in sizes.items()
    ]


def _taken(cost: Cost) -> dict[str, object]:
    """What was measured, with what, and with which inputs."""
    rows: dict[str, object] = {"measured_with": cost.tool, "measured_inputs": cost.inputs}
    if cost.macs is not None:
        rows["macs"] = cost.macs
    if cost.peak_memory is not None:
        rows["peak_memory"] = cost.peak_memory
    return rows


def _inside(facts: Facts) -> dict[str, object]:
    rows: dict[str, object] = {"format": facts.format, "tensors": len(facts.tensors)}
    if facts.parameters is not None:
        rows["parameters"] = facts.parameters
    if facts.precision is not None:
        rows["precision"] = facts.precision
    if facts.opset is not None:
        rows["opset"] = facts.opset
    return rows


def _interfaces(facts: Mapping[str, Facts]) -> object:
    found = {
        path: {
            "signatures": msgspec.to_builtins(each.signatures),
            "entrypoints": msgspec.to_builtins(each.entrypoints),
        }
        for path, each in facts.items()
        if each.signatures or each.entrypoints
    }
    return found or None


def _instruction(record: Record, facts: Mapping[str, Facts]) -> str | None:
    """Example code made from the first signature known."""
    known = [
        *record.signatures.values(),
        *(s for f in facts.values() for s in f.signatures.values()),
    ]
    return usage(record, known[0]) if known and record.variants else None


def usage(record: Record, signature: Signature) -> str:
    """Python that loads the default variant and calls it by `signature`."""
    inputs = ", ".join(f"{name}={name}" for name in signature.inputs)
    output = next(iter(signature.outputs))
    variant = default_variant(record.variants).name
    return (
        "import modelshelf\n\n"
        f'model = modelshelf.load("{record.package.name}", variant="{variant}")\n'
        + "".join(f"# {name}: {tensor}\n" for name, tensor in signature.inputs.items())
        + f'{output} = model({inputs})["{output}"]\n'
        f"# {output}: {signature.outputs[output]}\n"
    )


def _python_packages(facts: Mapping[str, Facts]) -> object:
    found = sorted({name for each in facts.values() for name in each.python_packages})
    return {"python": found} if found else None


def _code(facts: Mapping[str, Facts]) -> object:
    """What each file would run if it were loaded: the beginning of a security report."""
    found = {path: list(each.code) for path, each in facts.items() if each.code}
    return {"code": found} if found else None
