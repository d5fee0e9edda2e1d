"""nab-resolver, an independent PubGrub, asked the same as ours; "not there" is a version of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nab_resolver.errors import ResolutionError, ResolutionTerminatedError
from nab_resolver.ranges import Range
from nab_resolver.resolver import BaseProvider, Resolver

from tests.solver.releases import VERSIONS, Allowed, Exhaustive

ABSENT = -1


class _Provider(BaseProvider[str, int]):
    """Versions are their places in the written order, newest last."""

    def __init__(self, oracle: Exhaustive) -> None:
        self.oracle = oracle

    def choose_version(self, package: str, version_range: Any) -> int | None:
        locked = self.oracle.problem.locked.get(package)
        offered = sorted(map(VERSIONS.index, self.oracle.offered[package]), reverse=True)
        offered.sort(key=lambda place: VERSIONS[place] != locked)
        return next((place for place in (ABSENT, *offered) if place in version_range), None)

    def has_satisfying_version(self, package: str, version_range: Any) -> bool:
        return self.choose_version(package, version_range) is not None

    def get_dependencies(self, package: str, version: int) -> Mapping[str, Range[int]]:
        return {} if version == ABSENT else _ranges(self.oracle.needs[package, VERSIONS[version]])

    def prioritize(
        self, package: str, version_range: Any, conflict_counts: Any, culprit_counts: Any = None
    ) -> int:
        return -int(conflict_counts.get(package, 0))

    def widen_decision(self, package: str, version: int) -> None:
        return None


def _ranges(needs: Allowed) -> dict[str, Range[int]]:
    return {
        name: Range.from_versions([*map(VERSIONS.index, allowed), *([ABSENT] if optional else [])])
        for name, allowed, optional in needs
    }


def possible(oracle: Exhaustive) -> bool:
    """Whether the peer finds an answer; a peer that gives up is no answer, and an error."""
    try:
        Resolver(_Provider(oracle)).resolve(_ranges(oracle.wanted))
    except ResolutionTerminatedError:
        raise
    except ResolutionError:
        return False
    return True
