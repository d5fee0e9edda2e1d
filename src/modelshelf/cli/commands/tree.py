"""Show what is installed as a tree: what the project wants, and what that needs.

With --invert the other way round: each package, and below it who needs it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from modelshelf.cli.output import Output
from modelshelf.cli.project import add_place, held_of
from modelshelf.package import graph
from modelshelf.package.condition import typed
from modelshelf.package.graph import Link
from modelshelf.package.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.package.record import Dependency

Below = Callable[[Link], list[Link]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: from which package, and which way."""
    parser.add_argument("package", nargs="?", metavar="NAME", help="only this package")
    parser.add_argument("--invert", action="store_true", help="who needs it, not what it needs")
    parser.add_argument("--depth", type=int, default=100, metavar="N", help="so many steps down")
    add_place(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print one line a package; what was shown above is not drawn again, but marked (*)."""
    shelf, lock = held_of(arguments)
    only = [each for each in lock.packages if each.name == arguments.package]
    if arguments.package and not only:
        shelf.locked(arguments.package)  # tells why it is not there
    if arguments.invert:
        tops = only or lock.packages
        starts = [Link(None, each.name, _none(), each) for each in tops]
        below = _above(lock)
    else:
        starts = [Link(None, each.name, _none(), each) for each in only] or graph.wanted(lock)
        below = lambda link: graph.needs(lock, link.on) if link.on else []  # noqa: E731
    value = [_value(each, below, arguments.depth, frozenset()) for each in starts]
    seen: set[tuple[str, str]] = set()
    lines = [line for each in starts for line in _draw(each, below, arguments.depth, seen, output)]
    output.result({"tree": value}, "\n".join(lines) or "Nothing is installed here.")


def _none() -> Dependency:
    from modelshelf.package.record import Dependency

    return Dependency("")


def _above(lock: Lock) -> Below:
    def below(link: Link) -> list[Link]:
        """The needs of `link.on`, each shown as the package that has it."""
        if link.on is None:
            return []
        return [
            Link(link.on, each.by.name, each.need, each.by)
            for each in graph.needed_by(lock, link.on)
            if each.by is not None
        ]

    return below


def _draw(
    link: Link,
    below: Below,
    depth: int,
    seen: set[tuple[str, str]],
    output: Output,
    indent: str = "",
) -> Iterator[str]:
    key = (link.on.name, link.on.isolated) if link.on else (link.name, "")
    again = key in seen and bool(below(link))
    seen.add(key)
    yield f"{_words(link, output)}{output.paint(' (*)', 'dim') if again else ''}"
    inner = [] if again or depth <= 0 else below(link)
    for number, each in enumerate(inner):
        last = number == len(inner) - 1
        mark, rest = ("└── ", "    ") if last else ("├── ", "│   ")
        lines = _draw(each, below, depth - 1, seen, output, indent + rest)
        yield indent + mark + next(lines)
        yield from lines


def _words(link: Link, output: Output) -> str:
    """`acme/digits 1.1.0  ^1.0`, with the kind of need where it is not the usual one."""
    version = link.on.version if link.on else "not installed"
    kind = f" {link.need.kind}" if link.need.kind != "runtime" else ""
    apart = " isolated" if link.need.isolated else ""
    need = f"  {typed(link.need)}{kind}{apart}" if link.need.version else ""
    return f"{link.name} {version}{output.paint(need, 'dim')}"


def _value(link: Link, below: Below, depth: int, above: frozenset[str]) -> dict[str, object]:
    inner = [] if depth <= 0 or link.name in above else below(link)
    return {
        "name": link.name,
        "version": link.on.version if link.on else None,
        "need": typed(link.need) or None,
        "kind": link.need.kind,
        "below": [_value(each, below, depth - 1, above | {link.name}) for each in inner],
    }
