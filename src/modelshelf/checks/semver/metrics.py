"""Lints of metrics: what a publisher claimed of a variant, and whether a later release keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import Variants, variants
from modelshelf.package.record import Metric, Variant

ROUNDING = 1e-9
"""Decimal fractions are not exact: 0.98 - 0.97 is more than 0.01."""

Key = tuple[str, str | None, str | None, bool]


class Measured(NamedTuple):
    """The same metric of both releases; `gain` is positive where the new value is better."""

    variant: Variants
    old: Metric
    new: Metric
    gain: float

    def __str__(self) -> str:
        """```accuracy` on uci-digits (test) of variant `small`: 0.98 became 0.97``."""
        told = f"{told_metric(self.new)} of variant `{self.variant.new.name}`"
        return f"{told}: {self.old.value:g} became {self.new.value:g}"


def told_metric(metric: Metric) -> str:
    """```accuracy` on uci-digits (test)``."""
    on = f" on {metric.dataset}" if metric.dataset else ""
    split = f" ({metric.split})" if metric.split else ""
    return f"`{metric.name}`{on}{split}"


def by_key(variant: Variant) -> dict[Key, Metric]:
    """The metrics of a variant; one whose direction is another is another metric."""
    return {(m.name, m.dataset, m.split, m.lower_is_better): m for m in variant.metrics}


def measured(pair: Pair) -> Iterator[Measured]:
    """Every metric that both releases state of a variant."""
    for variant in variants(pair):
        after = by_key(variant.new)
        for key, old in by_key(variant.old).items():
            if key in after:
                gain = after[key].value - old.value
                yield Measured(variant, old, after[key], -gain if old.lower_is_better else gain)


def _place(found: Measured) -> str:
    return f"{found.variant.place}.metrics"


def _regressed(pair: Pair) -> Iterator[Found]:
    for each in measured(pair):
        if -each.gain > each.old.tolerance + ROUNDING * max(1.0, abs(each.old.value)):
            allowed = f"at most {each.old.tolerance:g} worse was promised"
            yield Found(f"{each}; {allowed}", _place(each))


def _slipped(pair: Pair) -> Iterator[Found]:
    for each in measured(pair):
        if 0 < -each.gain <= each.old.tolerance + ROUNDING * max(1.0, abs(each.old.value)):
            yield Found(f"{each}, within its tolerance of {each.old.tolerance:g}", _place(each))


def _improved(pair: Pair) -> Iterator[Found]:
    for each in measured(pair):
        if each.gain > 0:
            yield Found(str(each), _place(each))


def _tolerance(pair: Pair) -> Iterator[Found]:
    for each in measured(pair):
        if each.new.tolerance > each.old.tolerance:
            told = f"{told_metric(each.new)} of variant `{each.variant.new.name}`"
            became = f"a tolerance of {each.old.tolerance:g} became {each.new.tolerance:g}"
            yield Found(f"{told}: {became}", _place(each))


def _removed(pair: Pair) -> Iterator[Found]:
    for variant in variants(pair):
        for key, metric in by_key(variant.old).items():
            if key in by_key(variant.new):
                continue
            told = told_metric(metric)
            message = f"{told} of variant `{variant.new.name}` is not stated any more"
            yield Found(message, f"{variant.place}.metrics")


def _added(pair: Pair) -> Iterator[Found]:
    for variant in variants(pair):
        for key, metric in by_key(variant.new).items():
            if key not in by_key(variant.old):
                message = f"{told_metric(metric)} of variant `{variant.new.name}`: {metric.value:g}"
                yield Found(message, f"{variant.place}.metrics")


LINTS: tuple[Lint, ...] = (
    Lint(
        "metric-regressed", "major",
        "A stated metric is worse by more than the tolerance that the old release stated with it. "
        "Callers chose the variant by that number.",
        _regressed, None, "Measure on your own data before upgrading, or stay.",
    ),
    Lint(
        "metric-removed", "major",
        "A metric is not stated any more. Were this less than a regression, leaving the number out "
        "would be the way to hide one.",
        _removed, None, "Measure it yourself, or ask the publisher.",
    ),
    Lint(
        "metric-slipped", "patch",
        "A stated metric is worse, but within the tolerance that was stated with it.",
        _slipped,
    ),
    Lint("metric-improved", "patch", "A stated metric is better.", _improved),
    Lint(
        "metric-added", "patch",
        "A metric is stated that was not. It tells of the models and changes nothing in them.",
        _added,
    ),
    Lint(
        "metric-tolerance-widened", "minor",
        "Later releases may fall further below the stated metric. The number itself still holds.",
        _tolerance,
    ),
)  # fmt: skip
