"""A file of labels has one line for each value of the axis that it names."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import FormatError, Problem
from modelshelf.formats.labels import read_labels
from modelshelf.package.signature import Tensor


def check(staged: Staged) -> Iterator[Problem]:
    """Yield files that are no lists of labels, or are longer or shorter than their axis."""
    for name, signature in staged.record.signatures.items():
        for side in ("inputs", "outputs"):
            for each, tensor in getattr(signature, side).items():
                if tensor.labels:
                    yield from _labels(staged, tensor, f"signatures.{name}.{side}.{each}")


def _labels(staged: Staged, tensor: Tensor, element: str) -> Iterator[Problem]:
    path = tensor.labels or ""
    if not (staged.folder / path).is_file():
        return  # the check of files tells what is missing
    try:
        lines = read_labels(staged.folder / path)
    except FormatError as error:
        yield _problem(error.message, path, element)
        return
    size = _labelled(tensor)
    if size is not None and size != len(lines):
        yield _problem(
            f"`{path}` has {len(lines)} labels, but `{element.rpartition('.')[2]}` is {tensor}: "
            f"{size} values",
            path,
            element,
        )


def _labelled(tensor: Tensor) -> int | None:
    """How long the labelled axis is: the channels of a layout, else the last axis of scores.

    None where that is open, or where the values are numbers of labels rather than scores.
    """
    shape = tensor.shape or ()
    if not shape or not (tensor.meaning == "class-scores" or "float" in tensor.dtype):
        return None
    layout = tensor.layout or ""
    axis = layout.index("C") if "C" in layout and len(layout) == len(shape) else -1
    size = shape[axis]
    return size if isinstance(size, int) else None


def _problem(message: str, path: str, element: str) -> Problem:
    return Problem(
        message,
        file=path,
        element=f"{element}.labels",
        hint="one label a line, in the order of the values",
        rule="labels",
    )
