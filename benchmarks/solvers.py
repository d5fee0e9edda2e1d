# ruff: noqa: ARG002 - the peers say what their providers are asked
"""One shelf, asked of each solver in the form that suits it best; made ready before the clock runs."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.shelves import Needs, Shelf

Answer = dict[int, int] | None
Ready = Callable[[], Answer]
"""Solve it: package to number of the release (from 1, the newest), or None where nothing fits."""


def modelshelf(shelf: Shelf) -> Ready:
    """Ours; where nothing fits, the time to explain it counts as well."""
    from modelshelf.solver.explain import explain
    from modelshelf.solver.solve import NoSolution, solve

    class Provider:
        def count(self, package: int) -> int:
            return len(shelf.packages[package])

        def dependencies(self, package: int, index: int) -> Mapping[int, int]:
            return packages[package][index - 1]

        def preferred(self, package: int) -> int:
            return 1 << shelf.locked[package] if package in shelf.locked else 0

    def masks(needs: Needs) -> dict[int, int]:
        return {on: (2 << high) - (1 << low) for on, (low, high) in needs.items()}

    packages = [[masks(needs) for needs in releases] for releases in shelf.packages]
    wanted = masks(shelf.wanted)

    def ready() -> Answer:
        try:
            return solve(Provider(), wanted)
        except NoSolution as failure:
            explain(failure, lambda package, mask: f"{package} {mask:b}")
            return None

    return ready


def nab(shelf: Shelf) -> Ready:  # noqa: C901 - all that one peer is told, in one place
    """nab-resolver: releases are integers, the newest the greatest."""
    from nab_resolver.errors import ResolutionError, ResolutionTerminatedError
    from nab_resolver.ranges import Range
    from nab_resolver.resolver import BaseProvider, Resolver

    class Provider(BaseProvider[int, int]):
        def choose_version(self, package: int, version_range: Any) -> int | None:
            locked = -shelf.locked.get(package, 0)
            if locked and locked in version_range:
                return locked
            releases = range(-1, -len(shelf.packages[package]) - 1, -1)
            return next((release for release in releases if release in version_range), None)

        def has_satisfying_version(self, package: int, version_range: Any) -> bool:
            return self.choose_version(package, version_range) is not None

        def get_dependencies(self, package: int, version: int) -> Mapping[int, Any]:
            return packages[package][-version - 1]

        def prioritize(
            self, package: int, version_range: Any, conflict_counts: Any, culprit_counts: Any = None
        ) -> tuple[bool, int]:
            return package not in shelf.locked, -conflict_counts.get(package, 0)

        def widen_decision(self, package: int, version: int) -> Any:
            """The releases around `version` that need the same."""
            releases = packages[package]
            first = last = -version - 1
            while first and releases[first - 1] == releases[last]:
                first -= 1
            while last + 1 < len(releases) and releases[last + 1] == releases[first]:
                last += 1
            return Range.between(-last - 1, -first)

    def ranges(needs: Needs) -> dict[int, Any]:
        return {on: Range.between(-high, -low + 1) for on, (low, high) in needs.items()}

    packages = [[ranges(needs) for needs in releases] for releases in shelf.packages]
    wanted = ranges(shelf.wanted)

    def ready() -> Answer:
        try:
            found = Resolver(Provider(), max_iterations=10**9).resolve(wanted)
        except ResolutionTerminatedError:
            raise
        except ResolutionError:
            return None
        return {package: -version for package, version in found.items()}

    return ready


def resolvelib(shelf: Shelf) -> Ready:
    """resolvelib, which pip uses: a requirement is a package and a window, a candidate a pair too."""
    from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, Resolver

    class Provider(AbstractProvider):  # type: ignore[misc, type-arg]
        def identify(self, requirement_or_candidate: Any) -> int:
            return int(requirement_or_candidate[0])

        def get_preference(
            self,
            identifier: int,
            resolutions: Any,
            candidates: Any,
            information: Any,
            backtrack_causes: Any,
        ) -> tuple[bool, bool, int]:
            causes = {cause.requirement[0] for cause in backtrack_causes}
            number = sum(1 for _ in candidates[identifier])
            return identifier not in causes, identifier not in shelf.locked, number

        def find_matches(self, identifier: int, requirements: Any, incompatibilities: Any) -> Any:
            whole = (1, len(shelf.packages[identifier]))
            windows = [whole, *(window for _, window in requirements[identifier])]
            low, high = max(w[0] for w in windows), min(w[1] for w in windows)
            bad = {index for _, index in incompatibilities[identifier]}
            found = [(identifier, index) for index in range(low, high + 1) if index not in bad]
            locked = shelf.locked.get(identifier)
            return sorted(found, key=lambda each: each[1] != locked) if locked else found

        def is_satisfied_by(self, requirement: Any, candidate: Any) -> bool:
            low, high = requirement[1]
            return bool(low <= candidate[1] <= high)

        def get_dependencies(self, candidate: Any) -> Iterable[Any]:
            return packages[candidate[0]][candidate[1] - 1]

    packages = [[list(needs.items()) for needs in releases] for releases in shelf.packages]
    wanted = list(shelf.wanted.items())

    def ready() -> Answer:
        try:
            found = Resolver(Provider(), BaseReporter()).resolve(wanted, max_rounds=10**9)
        except ResolutionImpossible:
            return None
        return {package: index for package, (_, index) in found.mapping.items()}

    return ready


def rattler(shelf: Shelf) -> Ready:
    """py-rattler (resolvo, in Rust): it reads the records that it needs out of a conda channel's file."""
    from rattler import Channel, SparseRepoData, solve_with_sparse_repodata
    from rattler.exceptions import SolverError

    def specs(needs: Needs) -> list[str]:
        return [f"p{on} >=1.{999 - high},<1.{1000 - low}" for on, (low, high) in needs.items()]

    def record(package: int, index: int) -> dict[str, Any]:
        return {
            "name": f"p{package}", "version": f"1.{999 - index}", "build": "0", "build_number": 0,
            "depends": specs(shelf.packages[package][index - 1]), "subdir": "noarch",
        }  # fmt: skip

    folder = tempfile.mkdtemp(prefix="modelshelf-")
    file = Path(folder) / "repodata.json"
    records = {
        f"p{package}-1.{999 - index}-0.conda": record(package, index)
        for package, releases in enumerate(shelf.packages)
        for index in range(1, len(releases) + 1)
    }
    file.write_text(
        json.dumps({"info": {"subdir": "noarch"}, "packages": {}, "packages.conda": records})
    )
    data = SparseRepoData(Channel("modelshelf"), "noarch", file)
    wanted = specs(shelf.wanted)
    locked = [
        each
        for package, index in shelf.locked.items()
        for each in data.load_records(f"p{package}")
        if str(each.version) == f"1.{999 - index}"
    ]

    def ready() -> Answer:
        try:
            found = asyncio.run(solve_with_sparse_repodata(wanted, [data], locked_packages=locked))
        except SolverError:
            return None
        return {int(each.name.normalized[1:]): 999 - int(str(each.version)[2:]) for each in found}

    return ready


SOLVERS: dict[str, Callable[[Shelf], Ready]] = {
    "modelshelf": modelshelf,
    "resolvelib": resolvelib,
    "nab-resolver": nab,
    "py-rattler": rattler,
}
