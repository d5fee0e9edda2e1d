"""Golden cases are what their signature says: names, dtypes and sizes of every array."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from modelshelf import formats
from modelshelf.checks import Staged
from modelshelf.errors import FormatError, NotFound, Problem
from modelshelf.formats.arrays import difference, read_arrays, refuse_large
from modelshelf.package.fitting import Kind, Side, Size, misfits
from modelshelf.package.record import Golden, Record
from modelshelf.package.signature import Signature
from modelshelf.package.vocabularies import nearest

most_problems = 20
"""How many are told of one file."""
SIDES: tuple[Side, ...] = ("inputs", "outputs")


def check(staged: Staged) -> Iterator[Problem]:
    """Yield names used twice, references to nothing, and arrays that do not fit."""
    names: set[str] = set()
    for number, case in enumerate(staged.record.golden):
        place = f"golden[{number}]"
        if case.name in names:
            yield _problem(f"golden case `{case.name}` twice", f"{place}.name")
        names.add(case.name)
        yield from _references(staged.record, case, place)
        yield from _arrays(staged, case, place)
        yield from _loose(staged, case, place)


def _loose(staged: Staged, case: Golden, place: str) -> Iterator[Problem]:
    """A case under whose tolerance nothing but zeros would pass promises nothing."""
    try:
        arrays = read_arrays(staged.folder / case.outputs)
    except (FormatError, NotFound):
        return  # the arrays themselves are told of
    for name, array in arrays.items():
        if array.dtype.kind not in "fciu" or not array.any():
            continue
        found = difference(
            array, np.zeros_like(array), absolute=case.absolute, relative=case.relative
        )
        if not found.beyond:
            message = f"golden case `{case.name}`: under its tolerance `{name}` may be all zeros"
            hint = "lower `absolute` and `relative` to what a runtime really differs by"
            yield _problem(message, place, case.outputs, hint)


def _references(record: Record, case: Golden, place: str) -> Iterator[Problem]:
    variants = [variant.name for variant in record.variants]
    for name in case.variants:
        if name not in variants:
            yield _unknown(case, "variant", name, variants, f"{place}.variants")
    if case.signature is not None and record.signatures and case.signature not in record.signatures:
        signatures = list(record.signatures)
        yield _unknown(case, "signature", case.signature, signatures, f"{place}.signature")


def _arrays(staged: Staged, case: Golden, place: str) -> Iterator[Problem]:
    signature = _signature(staged, case)
    sizes: dict[str, Size] = {}
    for side in SIDES:
        path = getattr(case, side)
        try:
            kinds = _kinds(staged, path)
        except FormatError as error:
            message = f"golden case `{case.name}`: {error.message}"
            yield _problem(message, f"{place}.{side}", path, error.hint)
            continue
        except NotFound:
            continue  # the check of files tells what is missing
        if signature is not None:
            for found in islice(misfits(signature, side, kinds, sizes), most_problems):
                expected = f": expected {found.expected}" if found.expected else ""
                got = f", got {found.got}" if found.got else ""
                message = f"golden case `{case.name}`: {found.message}{expected}{got}"
                yield _problem(message, f"{place}.{side}", path, _HINT)


def _kinds(staged: Staged, path: str) -> dict[str, Kind]:
    """The arrays of an `.npz` file, by their headers alone."""
    facts = formats.read(staged.folder / path, "npz")
    refuse_large(staged.folder / path)
    return {
        tensor.name: Kind("string" if tensor.dtype == "bytes" else tensor.dtype, tensor.shape)
        for tensor in facts.tensors
    }


def _signature(staged: Staged, case: Golden) -> Signature | None:
    """The signature that the case calls: the declared one, else the one in the variant's file."""
    declared: Mapping[str, Signature] = staged.record.signatures
    if not declared:
        declared = next((each.signatures for each in staged.facts.values() if each.signatures), {})
    if case.signature is not None:
        return declared.get(case.signature)
    return next(iter(declared.values()), None)


def _unknown(case: Golden, kind: str, name: str, known: list[str], element: str) -> Problem:
    hint = nearest(name, known) or f"there is {', '.join(known)}"
    return _problem(f"golden case `{case.name}`: there is no {kind} `{name}`", element, hint=hint)


_HINT = "the arrays of inputs and outputs have the names and types of the signature"


def _problem(
    message: str, element: str, file: str = "shelf.toml", hint: str | None = None
) -> Problem:
    return Problem(message, file=file, element=element, hint=hint, rule="golden")
