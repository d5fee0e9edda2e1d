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
from modelshelf.plugins import module_names

ROOM = "modelshelf.cli.commands"


def dispatch(given: list[str]) -> int:
    """Run the command that `given` names. Errors become text (or JSON) and their exit code."""
    output = Output(json="--json" in given, quiet="--quiet" in given)
    try:
        parser = _parser(given[0] if given else None)
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
    return [module.replace("_", "-") for module in module_names(ROOM)]


def _parser(wanted: str | None) -> argparse.ArgumentParser:
    """The parser: whole for the command `wanted`, one line each for the others."""
    parser = argparse.ArgumentParser(
        prog="shelf",
        description="The package manager for pre-trained models.",
        epilog="shelf COMMAND --help tells more about one.",
    )
    parser.add_argument("--version", action="version", version=f"shelf {modelshelf.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    known = names()
    for name in [wanted] if wanted in known else known:
        module = _module(name)
        whole = (module.__doc__ or "").strip()
        each = commands.add_parser(
            name,
            help=whole.splitlines()[0],
            description=whole,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == wanted:
            add_common(each)
            module.configure(each)
            each.set_defaults(run=module.run)
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress, no notes")


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{ROOM}.{name.replace('-', '_')}")
