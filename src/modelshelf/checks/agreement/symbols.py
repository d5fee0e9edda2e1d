"""Bounds are of named sizes that the signature has, and leave at least one size."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.package.signature import Signature
from modelshelf.package.vocabularies import nearest


def check(staged: Staged) -> Iterator[Problem]:
    """Yield bounds of names that no shape has, and bounds that nothing is within."""
    for name, signature in staged.record.signatures.items():
        named = _named(signature)
        for symbol, bounds in signature.symbols.items():
            place = f"signatures.{name}.symbols.{symbol}"
            if symbol not in named:
                yield Problem(
                    f"no shape of signature `{name}` has a size called `{symbol}`",
                    element=place,
                    hint=nearest(symbol, named) or f"its sizes: {', '.join(named) or 'no names'}",
                    rule="symbols",
                )
            if bounds.max is not None and bounds.max < bounds.min:
                yield Problem(
                    f"`{symbol}` is at least {bounds.min} and at most {bounds.max}: no size is both",
                    element=place,
                    hint="let min be smaller than max",
                    rule="symbols",
                )


def _named(signature: Signature) -> list[str]:
    tensors = (*signature.inputs.values(), *signature.outputs.values())
    sizes = (size for tensor in tensors for size in tensor.shape or ())
    return sorted({size for size in sizes if isinstance(size, str)})
