"""Precision, opset and companions that the record declares are those of the file."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.formats import Facts
from modelshelf.package.record import Artifact


def check(staged: Staged) -> Iterator[Problem]:
    """Yield artifacts whose file says otherwise, and files that the artifact forgot to name."""
    for number, variant in enumerate(staged.record.variants):
        for place, artifact in enumerate(variant.artifacts):
            facts = staged.facts.get(artifact.files[0])
            if facts:
                yield from _artifact(artifact, facts, f"variants[{number}].artifacts[{place}]")


def _artifact(artifact: Artifact, facts: Facts, element: str) -> Iterator[Problem]:
    path = artifact.files[0]
    for field in ("precision", "opset"):
        said, read = getattr(artifact, field), getattr(facts, field)
        if isinstance(read, str):
            read = _precision(read)
        if said is not None and read is not None and said not in (read, "mixed"):
            yield Problem(
                f"{field}: declared {said}, but the file says {read}",
                file=path,
                element=f"{element}.{field}",
                rule="encoding",
            )
    yield from _companions(artifact, facts, element)


def _precision(dtype: str) -> str:
    """The word of the vocabulary for values of `dtype`: `float8_e4m3fn` is float8, `uint8` int8."""
    return dtype.partition("_")[0].removeprefix("u")


def _companions(artifact: Artifact, facts: Facts, element: str) -> Iterator[Problem]:
    path = artifact.files[0]
    folder = path.rpartition("/")[0]
    for companion in facts.companions:
        needed = f"{folder}/{companion}" if folder else companion
        if needed not in artifact.files:
            yield Problem(
                f"the file needs `{needed}`, which the artifact does not list",
                file=path,
                element=f"{element}.files",
                hint=f'add "{needed}" to files',
                rule="encoding",
            )
