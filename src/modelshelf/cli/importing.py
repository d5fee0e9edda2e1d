"""`shelf registry import`: a catalogue comes aboard, and what became of it is told."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from modelshelf.cli.output import Bar, Output, size
from modelshelf.errors import NotFound, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.package.catalogue import Catalogue
    from modelshelf.registry.importing import Report, Source
    from modelshelf.registry.service import Kept

SHOWN = 8
"""So many of a kind are listed for people; `--json` has all."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of `import` alone."""
    group = parser.add_argument_group("importing")
    group.add_argument(
        "--assets",
        type=Path,
        metavar="DIR",
        help="publish releases with files: DIR/HANDLE/..., DIR/HANDLE.tar.gz or DIR/HANDLE.tflite",
    )
    group.add_argument(
        "--fetch", action="store_true", help="publish releases with the files that the hub has"
    )
    group.add_argument(
        "--private-addresses",
        action="store_true",
        help="fetch also from addresses that are not of the public internet",
    )


def run(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    """Read the catalogue and bring it aboard, with bars."""
    from modelshelf.registry import importing

    if not arguments.which:
        raise UsageError("tell which catalogue", expected="shelf registry import tfhub:DIR")
    catalogue = _read(arguments.which, output)
    total = len(catalogue.releases)
    sources = _sources(arguments)
    with (
        output.progress(total, "importing", unit="releases") as bar,
        output.progress(total if sources else 0, "files", unit="releases") as files,
    ):
        report = importing.bring(
            kept,
            catalogue,
            dry_run=arguments.dry_run,
            progress=bar,
            sources=sources,
            supplying=files,
        )
    output.result(report, "\n".join(told(report, output)))


def _sources(arguments: argparse.Namespace) -> tuple[Source, ...]:
    """Where files come from: the folder first, then the hub."""
    from modelshelf.registry.importing import Bounds, Folder, Hub

    bounds = Bounds(private=arguments.private_addresses)
    found: list[Source] = []
    if arguments.assets is not None:
        if not arguments.assets.is_dir():
            raise NotFound("there is no folder of assets", where=str(arguments.assets))
        found.append(Folder(arguments.assets, bounds.most_bytes))
    if arguments.fetch:
        found.append(Hub(bounds))
    return tuple(found)


def _read(specification: str, output: Output) -> Catalogue:
    from modelshelf import importers

    with counting(output, "reading", "pages") as counted:
        return importers.read(specification, counted)


@contextmanager
def counting(output: Output, what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how many are done, and of how many."""
    bars: list[Bar] = []
    seen = 0
    with ExitStack() as stack:

        def counted(done: int, of: int) -> None:
            nonlocal seen
            if not bars:
                bars.append(stack.enter_context(output.progress(of, what, unit=unit)))
            bars[0](done - seen)
            seen = done

        yield counted


def told(report: Report, output: Output) -> Iterator[str]:
    """The report for people."""
    would = " (nothing is written)" if report.dry_run else ""
    of = _counted(report.packages, "package")
    yield f"{report.catalogue}: {_counted(report.releases, 'release')} of {of}{would}"
    new = f" ({_counted(report.new_packages, 'new package')})" if report.new_packages else ""
    yield from _pages(report, output)
    yield from _listed(
        "added", report.added, output, f"{_counted(len(report.added), 'release')}{new}"
    )
    yield from _listed("updated", report.updated, output, f"{len(report.updated)} descriptions")
    if report.unchanged:
        yield _line("unchanged", str(report.unchanged), output)
    yield from _listed("kept", report.kept, output, f"{len(report.kept)} with files here")
    renamed = [f"{each.wanted} is {each.name}: {each.reason}" for each in report.renamed]
    yield from _listed("renamed", renamed, output, f"{len(renamed)} packages")
    passed = [f"{each.what}: {each.reason}" for each in report.passed]
    yield from _listed("not taken", passed, output, str(len(passed)))
    supplied = [
        f"{each.release}: {each.files} files, {size(each.size)}"
        + (f", without {', '.join(each.left_out)}" if each.left_out else "")
        for each in report.supplied
    ]
    yield from _listed("with files", supplied, output, _counted(len(supplied), "release"))
    failed = [f"{each.release}: {each.reason}" for each in report.failed]
    yield from _listed(
        "without", failed, output, f"{_counted(len(failed), 'release')} still described"
    )
    if report.added or report.updated or report.supplied:
        yield "Search and pages show them once the registry runs."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _pages(report: Report, output: Output) -> Iterator[str]:
    """Every page is accounted for."""
    for outcome in ("imported", "merged"):
        kinds = [each for each in report.pages if each.outcome == outcome]
        if kinds:
            total = sum(each.pages for each in kinds)
            named = ", ".join(f"{each.pages} {each.kind or 'other'}" for each in kinds)
            yield _line("pages", f"{total} {outcome} ({named})", output)
    skipped = [f"{each.what}: {each.reason}" for each in report.skipped]
    yield from _listed("skipped", skipped, output, f"{len(skipped)} pages")


def _listed(word: str, lines: Sequence[str], output: Output, count: str) -> Iterator[str]:
    if not lines:
        return
    yield _line(word, count, output)
    yield from (f"    {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"    and {len(lines) - SHOWN} more"


def _line(word: str, count: str, output: Output) -> str:
    return f"  {output.paint(f'{word:<11}', 'bold')}{count}"
