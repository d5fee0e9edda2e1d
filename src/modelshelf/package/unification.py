"""Named sizes of several signatures made equal where an output becomes an input.

Two-way unification (Robinson 1965) of sizes: numbers, names with bounds, and sizes of which nothing
is known, which fit everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from modelshelf.package.signature import ANY_SIZE, Dimension, Interval, Signature, Tensor

Symbol = tuple[int, str]
"""A named size: which signature, which name."""


class Sizes:
    """The named sizes of `signatures`, equal or not, and what each may be."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self._signatures = signatures
        self._same: dict[Symbol, Symbol] = {}
        self._bounds: dict[Symbol, Interval] = {}
        self._decided: dict[Symbol, Symbol] = {}
        self._names: dict[Symbol, str] = {}
        self._taken: set[str] = set()
        self._chosen = [
            {s for each in one.inputs.values() for s in each.shape or () if isinstance(s, str)}
            for one in signatures
        ]  # named sizes that a caller chooses

    def unify(self, giver: int, given: Dimension, taker: int, taken: Dimension) -> str | None:
        """Make a size of an output of signature `giver` the size of an input of `taker`.

        Gives why that cannot be, None where it can.
        """
        if given is None or taken is None:
            return None
        one, other = self._root(giver, given), self._root(taker, taken)
        met = self._interval(one, given).meet(self._interval(other, taken))
        if met is None:
            return f"a size is {self._words(one, given)} and must be {self._words(other, taken)}"
        for root in (one, other):
            if root is not None:
                self._bounds[root] = met
        if one is None or other is None or one == other:
            return None
        if (clash := self._clash(one, other)) is not None:
            return clash
        if other[0] < len(self._signatures) - 1:  # the names of what comes first stay
            one, other = other, one
        self._same[other] = one
        return None

    def tensor(self, side: int, tensor: Tensor) -> Tensor:
        """A tensor of signature `side` with the sizes that it has now."""
        if tensor.shape is None:
            return tensor
        return msgspec.structs.replace(
            tensor, shape=tuple(self._size(side, size) for size in tensor.shape)
        )

    def symbols(self) -> dict[str, Interval]:
        """The bounds of the sizes that `tensor` has named, where they have any."""
        found = {name: self._bounds.get(root, ANY_SIZE) for root, name in self._names.items()}
        return {name: interval for name, interval in found.items() if interval != ANY_SIZE}

    def _root(self, side: int, size: int | str) -> Symbol | None:
        """The symbol that stands for all that are equal to this one; None for a number."""
        if isinstance(size, int):
            return None
        own = symbol = (side, size)
        while symbol in self._same:
            symbol = self._same[symbol]
        self._bounds.setdefault(symbol, self._signatures[symbol[0]].symbols.get(size, ANY_SIZE))
        if side < len(self._signatures) - 1 and size not in self._chosen[side]:
            self._decided.setdefault(symbol, own)
        return symbol

    def _interval(self, root: Symbol | None, size: int | str) -> Interval:
        return Interval(int(size), int(size)) if root is None else self._bounds[root]

    def _clash(self, one: Symbol, other: Symbol) -> str | None:
        """Why two sizes cannot be kept equal: models decide both, and nothing ties them."""
        first, second = self._decided.get(one), self._decided.get(other)
        if first is not None and second is not None and first != second:
            return f"`{first[1]}` and `{second[1]}` can differ and must be equal"
        decided = first or second
        if decided is not None:
            self._decided[one] = decided
        return None

    def _words(self, root: Symbol | None, size: int | str) -> str:
        if root is None:
            return str(size)
        only = self._bounds[root].only
        return f"{only} (`{size}`)" if only is not None else f"`{size}` in {self._bounds[root]}"

    def _size(self, side: int, size: Dimension) -> Dimension:
        root = None if size is None else self._root(side, size)
        if root is None:
            return size
        only = self._bounds[root].only
        return self._name(root) if only is None else only

    def _name(self, root: Symbol) -> str:
        """The symbol's own name, with a number where another symbol has it."""
        if root not in self._names:
            number, name = 1, root[1]
            while name in self._taken:
                number += 1
                name = f"{root[1]}_{number}"
            self._names[root] = name
            self._taken.add(name)
        return self._names[root]
