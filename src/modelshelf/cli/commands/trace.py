"""Run a Python program and write the packages that it loads into shelf.toml.

shelf trace train.py --epochs 3
shelf trace -m acme.serve

The program runs as it does without shelf: trace runs its code because you ask for it, and asks no
consent; for packages the rules of modelshelf.load stay. What it loads through modelshelf and is not
yet under [dependencies] is added there. What it loads through torch.hub, tensorflow_hub,
huggingface_hub or from a URL is listed, with the pin that would fix it.

The program's own exit code is told, and is the command's where the program fails. With --json the
program's output goes to standard error. Not followed: processes that the program starts, other than
by fork.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from modelshelf.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelshelf.client.shelf import Shelf
    from modelshelf.client.trace import Package, Told
    from modelshelf.package.record import Dependency

STDERR = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the program, with all that follows it; what runs it."""
    parser.add_argument("-m", dest="module", action="store_true", help="PROGRAM is a module's name")
    parser.add_argument(
        "--python", metavar="EXECUTABLE", default=sys.executable, help="default: the one running"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("program", metavar="PROGRAM", help="a script, a folder, a zip or a module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's own")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run it, write what is missing, tell both."""
    from modelshelf.client.settings import settings
    from modelshelf.client.shelf import Shelf
    from modelshelf.client.trace import Program, missing, trace, write

    # `--json` and `--quiet` after the program are the program's
    output.json, output.quiet = arguments.json, arguments.quiet
    shelf = Shelf.find()
    shelf.project()
    program = Program(
        arguments.program, tuple(arguments.arguments), arguments.module, arguments.python
    )
    told = trace(program, stdout=STDERR if output.json else None)
    wanted = missing(told, shelf)
    if wanted and not arguments.dry_run:
        with shelf.writing(settings().files().lends):
            wanted = missing(told, shelf)
            write(shelf, wanted)
    _tell(told, shelf, wanted, output, dry_run=arguments.dry_run)
    return told.exit_code


def _tell(
    told: Told, shelf: Shelf, wanted: Mapping[str, Dependency], output: Output, *, dry_run: bool
) -> None:
    from modelshelf.client.trace import as_json

    for each in told.failed:
        output.note(f"not seen: {each}")
    if told.exit_code:
        output.note(f"{_PROGRAM} ended with exit code {told.exit_code}")
    value = {
        "exit_code": told.exit_code,
        "packages": [_package(each, shelf) for each in told.packages],
        "foreign": [each._asdict() for each in told.foreign],
        "written": [] if dry_run else as_json(wanted),
    }
    rows = [_row(each, shelf, wanted, dry_run=dry_run) for each in told.packages]
    rows += [(each.through, each.what, each.pin or "", each.hint or "") for each in told.foreign]
    text = output.table(("loaded through", "what", "pin", "note"), rows)
    output.result(value, text or f"{_PROGRAM} loaded no models that are seen here.")
    if wanted and not dry_run:
        output.note(f"Written into {shelf.file}: {', '.join(wanted)}. To install: shelf sync")


_PROGRAM = "The program"


def _package(package: Package, shelf: Shelf) -> dict[str, object]:
    models = [{"variant": variant, "format": form} for variant, form in package.models]
    return {
        "name": package.name,
        "version": package.version,
        "models": models,
        "shelf": str(package.shelf),
        "here": _is_here(package, shelf),
    }


def _row(
    package: Package, shelf: Shelf, wanted: Mapping[str, Dependency], *, dry_run: bool
) -> tuple[str, str, str, str]:
    models = ", ".join(f"{variant} ({form})" for variant, form in package.models)
    missing = "would be written" if dry_run else "written"
    notes = [missing if package.name in wanted else f"is in {shelf.file.name}"]
    if not _is_here(package, shelf):
        notes.append(f"from another shelf: {package.shelf}")
    what = f"{package.name} {package.version} {models}"
    return "modelshelf", what, f"^{package.version}", "; ".join(notes)


def _is_here(package: Package, shelf: Shelf) -> bool:
    return package.shelf.resolve() == shelf.root.resolve()
