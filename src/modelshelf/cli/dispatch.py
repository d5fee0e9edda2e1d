"""From the words typed to the command that they name, and from its outcome to an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from types import ModuleType

import modelshelf
from modelshelf.cli.output import Output
from modelshelf.errors import ShelfError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

ROOM = "modelshelf.cli.commands"


def dispatch(given: list[str]) -> int:
    """Run the command that `given` names. Errors become text (or JSON) and their exit code."""
    output = Output(json="--json" in given, quiet="--quiet" in given)
    try:
        parser = parser_for(given[0] if given else None)
        arguments = parser.parse_args(given)
        if not hasattr(arguments, "run"):
            parser.print_help()
            return UsageError.exit_code
        return arguments.run(arguments, output) or 0
    except ShelfError as error:
        output.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.note("stopped; run the same command again to go on")
        return 130
    except BrokenPipeError:
        # the reader went away (`shelf search | head`): nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def names() -> list[str]:
    """Every command, as it is typed."""
    files = (name for name in os.listdir(_folder()) if name.endswith(".py"))  # noqa: PTH208
    modules = sorted(name.removesuffix(".py") for name in files if not name.startswith("_"))
    return [module.replace("_", "-") for module in modules]


class _Parser(argparse.ArgumentParser):
    """Mistakes are errors like any other: text or JSON, with a hint."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see: {self.prog} --help")


def parser_for(wanted: str | None) -> argparse.ArgumentParser:
    """The parser: whole for the command `wanted`, one line each for the others."""
    parser = _Parser(
        prog="shelf",
        description="The package manager for pre-trained models.",
        epilog="shelf COMMAND --help tells more about one.",
    )
    parser.add_argument("--version", action="version", version=f"shelf {modelshelf.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    known = names()
    if wanted and wanted not in known and not wanted.startswith("-"):
        from modelshelf.package.vocabularies import nearest

        hint = nearest(wanted, known) or "shelf --help lists the commands"
        raise UsageError(f"there is no command `{wanted}`", hint=hint)
    if wanted not in known:
        for name in known:
            commands.add_parser(name, help=_summary(name))
        return parser
    module = _module(str(wanted))
    whole = (module.__doc__ or "").strip()
    each = commands.add_parser(
        str(wanted),
        help=whole.splitlines()[0],
        description=whole,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(each)
    module.configure(each)
    each.set_defaults(run=module.run)
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress, no notes")


def _summary(name: str) -> str:
    """The first line of a command's docstring: read, since importing all of them costs 250 ms."""
    path = os.path.join(_folder(), f"{_module_name(name)}.py")  # noqa: PTH118
    with open(path, encoding="utf-8") as source:  # noqa: PTH123
        return source.readline().strip().strip('"')


def _folder() -> str:
    """Where the commands lie. No pathlib and no pkgutil here: `--help` would take twice as long."""
    return str(importlib.import_module(ROOM).__path__[0])


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{ROOM}.{_module_name(name)}")


def _module_name(name: str) -> str:
    return name.replace("-", "_")
