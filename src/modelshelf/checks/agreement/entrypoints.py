"""The entrypoints declared are exactly those that `hubconf.py` defines, with the same parameters.

What only running the file would tell is a warning: a star import from elsewhere may bring more.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.formats import Facts
from modelshelf.package.record import Entrypoint
from modelshelf.package.vocabularies import nearest

_HINT = "define it with `def`, or import it by its name from a file of the package"


def check(staged: Staged) -> Iterator[Problem]:
    """Yield entrypoints that one side lacks, and parameters that differ."""
    declared = staged.record.entrypoints
    for path, facts in staged.facts.items():
        if facts.format != "pytorch-hub":
            continue
        mine = {name: each for name, each in declared.items() if each.file == path}
        for name in sorted(mine.keys() - facts.entrypoints.keys()):
            yield _problem(
                f"entrypoint `{name}` is declared, but {path} does not define it",
                path,
                name,
                nearest(name, list(facts.entrypoints)),
            )
        for name in sorted(facts.entrypoints.keys() - mine.keys()):
            yield _problem(
                f"{path} defines the entrypoint `{name}`, which is not declared",
                path,
                name,
                f"add a table [entrypoints.{name}]",
            )
        for name in sorted(facts.entrypoints.keys() & mine.keys()):
            yield from _parameters(path, name, mine[name], facts.entrypoints[name])
        yield from _untold(path, facts)


def _untold(path: str, facts: Facts) -> Iterator[Problem]:
    """Warn of what only running the file would tell: the list may be longer than what is read."""
    for sentence in facts.unsaid:
        yield _problem(f"{path}: {sentence}", path, None, _HINT)._replace(warning=True)


def _parameters(path: str, name: str, said: Entrypoint, read: Entrypoint) -> Iterator[Problem]:
    """Declared parameters may be left out altogether: then those of the file count."""
    if not said.parameters:
        return
    mine, theirs = (_shown(each) for each in (said, read))
    if mine != theirs:
        yield _problem(
            f"entrypoint `{name}`: declared ({mine}), but the file says ({theirs})",
            path,
            name,
            None,
        )


def _shown(entrypoint: Entrypoint) -> str:
    return ", ".join(
        each.name if each.default is None else f"{each.name}={each.default}"
        for each in entrypoint.parameters
    )


def _problem(message: str, path: str, name: str | None, hint: str | None) -> Problem:
    element = "entrypoints" if name is None else f"entrypoints.{name}"
    return Problem(message, file=path, element=element, hint=hint, rule="entrypoints")
