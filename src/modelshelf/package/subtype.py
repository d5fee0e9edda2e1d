"""Whether one signature can stand in for another: tensor types as sets of arrays.

A tensor type is the set of arrays that an input accepts or an output produces. `new` can stand in
for `old` when its inputs accept at least what the old ones accepted (contravariant) and its outputs
promise at least what the old ones promised (covariant). Named sizes are instantiated: each symbol
of the new inputs must stand for one size, or one symbol, of the old ones. Nothing is cast, and
what a value means (layout, colours, range, normalisation, rate, meaning) is invariant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from modelshelf.package.signature import ANY_SIZE, Dimension, Interval, Signature, Tensor


class Break(NamedTuple):
    """One place where `new` does not do what `old` did, or (as an addition) does more.

    `rule` names the lint, `place` is such as `inputs.image`; `old` and `new` are the two sides in
    words. `witness` is a call that the old signature accepted and the new one rejects, or an
    output that callers were promised not to get.
    """

    rule: str
    place: str
    message: str
    old: str
    new: str
    witness: str | None = None


class Fresh(NamedTuple):
    """A size of which nothing is known: equal to itself alone."""

    place: str
    axis: int


Term = int | str | Fresh
"""What a size is: a number, a symbol of the old signature, or unknown."""
Sizes = Mapping[Term, int]

INVARIANTS = {
    "layout": ("layout",),
    "colors": ("colors",),
    "range": ("range",),
    "normalisation": ("mean", "std"),
    "sample-rate": ("sample_rate",),
    "meaning": ("meaning",),
}
"""What must stay as it was once it was said: the rule's first word → the fields."""


def breaks(old: Signature, new: Signature) -> list[Break]:
    """Why `new` cannot stand in for `old`; empty where it can."""
    match = _Match(old, new)
    return [*match.input_breaks(), *match.output_breaks()]


def additions(old: Signature, new: Signature) -> list[Break]:
    """What `new` accepts or promises beyond `old`; none of it breaks a caller."""
    match = _Match(old, new)
    list(match.input_breaks())
    return [*match.input_additions(), *match.output_additions()]


def interval_of(signature: Signature, size: Dimension | Fresh) -> Interval:
    """The sizes that `size` may be in `signature`."""
    if isinstance(size, int):
        return Interval(size, size)
    return signature.symbols.get(size, ANY_SIZE) if isinstance(size, str) else ANY_SIZE


witness_count = 50
witness_inputs = 100
"""How many calls are shown, and of how many inputs: each tells the whole signature."""


class _Match:
    """The new signature's sizes in terms of the old one's."""

    def __init__(self, old: Signature, new: Signature) -> None:
        self.old, self.new = old, new
        self.witnesses = 0
        self.bound: dict[str, Term] = {}  # new symbols, as the inputs bind them
        self.failed: set[str] = set()  # new symbols that the inputs could not bind
        self.taken = {
            size
            for tensor in old.inputs.values()
            for axis, size in enumerate(tensor.shape or ())
            if isinstance(_term(old, size, "", axis), str)
        }  # old symbols that the caller chooses

    def input_breaks(self) -> Iterator[Break]:
        """Compare the inputs; binds the new symbols on the way."""
        for name, before in self.old.inputs.items():
            after = self.new.inputs.get(name)
            place = f"inputs.{name}"
            if after is None:
                message, witness = f"the input `{name}` is gone", self._witness({})
                yield Break("input-removed", place, message, str(before), "absent", witness)
                continue
            if before.optional and not after.optional:
                yield self._required(name, f"{before}, optional", after)
            unlike = before.dtype != after.dtype
            yield from _same("input", name, before, after, self._witness({}) if unlike else None)
            if (found := self._narrowed(name, before, after)) is not None:
                yield found
        for name, after in self.new.inputs.items():
            if name not in self.old.inputs and not after.optional:
                yield self._required(name, "absent", after)

    def output_breaks(self) -> Iterator[Break]:
        """Compare the outputs, after the inputs."""
        promised: dict[str, Term] = {}
        for name, before in self.old.outputs.items():
            after = self.new.outputs.get(name)
            place = f"outputs.{name}"
            if after is None or (after.optional and not before.optional):
                gone = "is gone" if after is None else "may be absent now"
                told = "absent" if after is None else f"{after}, optional"
                message = f"the output `{name}` {gone}"
                yield Break("output-removed", place, message, str(before), told)
                continue
            yield from _same("output", name, before, after, None)
            why = self._unkept(place, before, after, promised)
            if why is not None:
                message = f"the output `{name}` promises less: {before} became {after}; {why}"
                yield Break("output-shape-changed", place, message, str(before), str(after))

    def input_additions(self) -> Iterator[Break]:
        """Inputs that are new, no longer needed, or accept more."""
        terms: dict[Term, str] = {}
        for name, after in self.new.inputs.items():
            before = self.old.inputs.get(name)
            place = f"inputs.{name}"
            if before is None:
                if after.optional:
                    message = f"the input `{name}` can be given"
                    yield Break("input-optional-added", place, message, "absent", str(after))
                continue
            if after.optional and not before.optional:
                message = f"the input `{name}` need not be given any more"
                yield Break("input-widened", place, message, str(before), f"{after}, optional")
            if self._widened(name, before, after, terms):
                message = f"the input `{name}` accepts more: {before} became {after}"
                yield Break("input-widened", place, message, str(before), str(after))
            yield from _stated("input", name, before, after)

    def output_additions(self) -> Iterator[Break]:
        """Outputs that are new, and what is now said of those that were there."""
        for name, after in self.new.outputs.items():
            before = self.old.outputs.get(name)
            if before is None:
                message = f"there is another output, `{name}`"
                yield Break("output-added", f"outputs.{name}", message, "absent", str(after))
            else:
                yield from _stated("output", name, before, after)

    def _required(self, name: str, told: str, after: Tensor) -> Break:
        message = f"the input `{name}` must be given now"
        witness = self._witness({}, without=name)
        return Break("input-required-added", f"inputs.{name}", message, told, str(after), witness)

    def _witness(self, sizes: Sizes, *, without: str | None = None) -> str | None:
        self.witnesses += 1
        if self.witnesses > witness_count or len(self.old.inputs) > witness_inputs:
            return None
        return call(self.old, sizes, without=without)

    def _narrowed(self, name: str, before: Tensor, after: Tensor) -> Break | None:
        if after.shape is None:
            return None
        found: tuple[str, Sizes] | None = None
        if before.shape is None or len(before.shape) != len(after.shape):
            self.failed |= {size for size in after.shape if isinstance(size, str)}
            found = "the number of axes differs", {}
        else:
            for axis, (was, size) in enumerate(zip(before.shape, after.shape, strict=True)):
                unfit = self._unfit(_term(self.old, was, name, axis), size)
                found = found or unfit
        if found is None:
            return None
        why, sizes = found
        return Break(
            "input-shape-narrowed",
            f"inputs.{name}",
            f"the input `{name}` accepts less: {before} became {after}; {why}",
            str(before),
            str(after),
            self._witness(sizes),
        )

    def _unfit(self, term: Term, size: Dimension) -> tuple[str, Sizes] | None:
        """Why the new `size` does not accept all that `term` stands for, and sizes that show it."""
        if size is None:
            return None
        allowed = interval_of(self.new, size)
        refused = interval_of(self.old, term).outside(allowed)
        if refused is not None:
            self.failed |= {size} if isinstance(size, str) else set()
            must = f"{size}" if isinstance(size, int) else f"in {allowed}"
            return f"a size that could be {refused} must be {must}", {term: refused}
        if isinstance(size, int) or self.bound.setdefault(size, term) == term:
            return None
        self.failed.add(size)
        return f"sizes that could differ must both be `{size}`", self._apart(term, self.bound[size])

    def _apart(self, one: Term, other: Term) -> Sizes:
        """Different sizes for two terms that are not the same; at least one is no number."""
        if isinstance(one, int):
            one, other = other, one
        second = _usual(interval_of(self.old, other), 2)
        sizes = interval_of(self.old, one)
        return {other: second, one: sizes.outside(Interval(second, second)) or 0}

    def _unkept(
        self, place: str, before: Tensor, after: Tensor, promised: dict[str, Term]
    ) -> str | None:
        """Why the new output is not within the old promise; `promised` binds the old free symbols."""
        if before.shape is None:
            return None
        if after.shape is None or len(before.shape) != len(after.shape):
            return "the number of axes differs"
        for axis, (was, size) in enumerate(zip(before.shape, after.shape, strict=True)):
            why = self._unkept_size(Fresh(place, axis), was, size, promised)
            if why is not None:
                return why
        return None

    def _unkept_size(
        self, fresh: Fresh, was: Dimension, size: Dimension, promised: dict[str, Term]
    ) -> str | None:
        if was is None or size in self.failed:
            return None
        expected, term = _term(self.old, was, *fresh), self._result(size, fresh)
        if not isinstance(expected, str) or expected in self.taken:
            return None if term == expected else f"a size was {was} and is {size or 'unknown'} now"
        sizes = interval_of(self.old, was)
        side, part = (self.new, size) if isinstance(term, tuple) else (self.old, term)
        bounds = interval_of(side, part)
        if bounds.outside(sizes) is not None:
            return f"a size in {sizes} can be {bounds.outside(sizes)} now"
        if promised.setdefault(expected, term) != term:
            return f"sizes that were both `{was}` can differ now"
        return None

    def _result(self, size: Dimension, fresh: Fresh) -> Term:
        """A size of a new output in old terms; one that no input binds is known by its name."""
        if isinstance(size, str) and size in self.bound:
            return self.bound[size]
        term = _term(self.new, size, *fresh)
        return Fresh(term, -1) if isinstance(term, str) else term

    def _widened(self, name: str, before: Tensor, after: Tensor, terms: dict[Term, str]) -> bool:
        """Whether the input accepts more; `terms` tells which new symbol each old one became."""
        if before.shape is None or after.shape is None:
            return before.shape is not None
        if len(before.shape) != len(after.shape):
            return False
        wider = False
        for axis, (was, size) in enumerate(zip(before.shape, after.shape, strict=True)):
            term = _term(self.old, was, name, axis)
            if size is None:
                wider |= was is not None
            elif isinstance(size, str):
                had, has = interval_of(self.old, term), interval_of(self.new, size)
                untied = isinstance(term, str) and terms.setdefault(term, size) != size
                wider |= untied or has.outside(had) is not None
        return wider


def _term(signature: Signature, size: Dimension, place: str, axis: int) -> Term:
    """A size of `signature`; a symbol that can be one size only is that number."""
    if size is None:
        return Fresh(place, axis)
    only = interval_of(signature, size).only
    return size if only is None else only


def _same(
    side: str, name: str, before: Tensor, after: Tensor, witness: str | None
) -> Iterator[Break]:
    """What may not change on either side."""
    place = f"{side}s.{name}"
    if before.dtype != after.dtype:
        message = f"the {side} `{name}` was {before.dtype} and is {after.dtype}"
        rule = f"{side}-dtype-changed"
        yield Break(rule, place, message, before.dtype, after.dtype, witness)
    for word, fields in INVARIANTS.items():
        had = [getattr(before, field) for field in fields]
        has = [getattr(after, field) for field in fields]
        if had != has and any(had):
            old, new = _said(had), _said(has)
            message = f"the {side} `{name}` had the {word} {old} and has {new}"
            yield Break(f"{word}-changed", place, message, old, new)


def _stated(side: str, name: str, before: Tensor, after: Tensor) -> Iterator[Break]:
    """What was not said of a tensor and now is."""
    for word, fields in INVARIANTS.items():
        had = [getattr(before, field) for field in fields]
        has = [getattr(after, field) for field in fields]
        if any(has) and not any(had):
            message = f"the {side} `{name}` is now said to have the {word} {_said(has)}"
            yield Break("meaning-stated", f"{side}s.{name}", message, "not said", _said(has))


def _said(values: list[object]) -> str:
    return ", ".join(str(value) for value in values if value) or "none"


def call(signature: Signature, sizes: Sizes, *, without: str | None = None) -> str:
    """A call that `signature` accepts, in words: `image: float32[2, 1, 8, 8]`.

    Symbols have the `sizes` given, the others sizes of their own. Optional inputs are given only
    where they have a size that matters.
    """
    chosen = dict(sizes)
    shown = []
    for name, tensor in signature.inputs.items():
        terms = [_term(signature, s, name, axis) for axis, s in enumerate(tensor.shape or ())]
        if name == without or (tensor.optional and not set(terms) & set(sizes)):
            continue
        for term in terms:
            if not isinstance(term, int):
                chosen.setdefault(term, _usual(interval_of(signature, term), 2 + len(chosen)))
        numbers = ", ".join(str(each if isinstance(each, int) else chosen[each]) for each in terms)
        shown.append(f"{name}: {tensor.dtype}[{numbers}]")
    return ", ".join(shown)


def _usual(interval: Interval, size: int) -> int:
    """A size in `interval`, `size` or the next one that it allows."""
    found = interval.at_least(size)
    return found if found in interval else interval.min
