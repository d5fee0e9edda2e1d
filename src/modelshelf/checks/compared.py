"""Two releases side by side: every change, the metrics, the sizes; what `shelf diff` shows."""

from __future__ import annotations

import msgspec

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Diff, diff, next_version
from modelshelf.checks.notes import MetricChange, SizeChange, metric_changes, size_changes


class Compared(msgspec.Struct, frozen=True):
    """`diff` is what changed and what it asks for, `next` the smallest version that would do.

    `metrics` and `sizes` are those of both releases, the unchanged ones too.
    """

    diff: Diff
    next: str
    metrics: tuple[MetricChange, ...]
    sizes: tuple[SizeChange, ...]


def compare(old: Contract, new: Contract) -> Compared:
    """Compare two releases; reads nothing but the two contracts."""
    found = diff(old, new)
    return Compared(
        found,
        next_version(found.old, found.level),
        metric_changes(old.record.variants, new.record.variants),
        size_changes(old, new),
    )
