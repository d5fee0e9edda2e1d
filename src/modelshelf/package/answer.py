"""Whether a lock answers what it says was asked for: it may have been merged, or changed by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modelshelf.package.lock import Lock, Locked
from modelshelf.package.record import Dependency
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version


def unanswered(lock: Lock) -> str | None:
    """Why `lock` does not answer its own requirements, or None where it does."""
    return next(filter(None, (_unanswered(lock, lock.of(each)) for each in lock.names)), None)


def _unanswered(lock: Lock, seen: Lock) -> str | None:
    """The same in one environment, which sees `seen` of the lock."""
    counts = Counter((each.name, each.isolated) for each in seen.packages)
    if twice := next((name for (name, _), count in counts.items() if count > 1), None):
        return f"{twice} is locked twice"
    needs: dict[tuple[str, str], list[Dependency]] = {}
    wants = [(n, need, n if need.isolated else "") for n, need in lock.requirements.items()]
    while wants:
        on, need, own = wants.pop()
        found = seen.find(on, own)
        if found is None:
            return f"{on} is missing"
        if not Requirement.parse(need.version).matches(Version.parse(found.version)):
            return f"{on} {found.version} is not {need.version}"
        if (on, own) not in needs:
            wants += [(n, each, own) for n, each in found.needed()]
        needs.setdefault((on, own), []).append(need)
    for package in seen.packages:
        if (package.name, package.isolated) not in needs:
            return f"nothing needs {package.name}"
        if not _asked_for(package, needs[package.name, package.isolated]):
            return f"not the models that are asked for are there of {package.name}"
    return None


def _asked_for(package: Locked, needs: Sequence[Dependency]) -> bool:
    """Whether what is installed of `package` may be what `needs` ask for; conditions are not looked at.

    What a need means beyond its pins, the release's description tells, not the lock.
    """
    for need in needs:
        found = {
            each.variant
            for each in package.installed
            if need.format in (None, each.format)
            and (need.context is None or need.context in each.contexts)
        }
        if not found or not found.issuperset({*need.variants} - {"*"}):
            return False
    every = any("*" in need.variants for need in needs)
    most = sum(len(need.variants) or 1 for need in needs)
    return every or len(package.installed) <= most
