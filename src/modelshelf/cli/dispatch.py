"""From the words typed to the command that they name, and from its outcome to an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from modelshelf.cli.output import Output
from modelshelf.cli.overview import module_name, names
from modelshelf.errors import ShelfError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["dispatch", "names", "parser_for"]


def dispatch(given: list[str]) -> int:
    """Run the command that `given[0]` names. Errors become text (or JSON) and their exit code."""
    output = Output(json="--json" in given, quiet="--quiet" in given)
    try:
        arguments = parser_for(given[0]).parse_args(given)
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
    except OSError as error:
        told = _told(error)
        output.error(told)
        return told.exit_code


def _told(error: OSError) -> ShelfError:
    """What the system refused, in words: a file that may not be written, a disk without space."""
    from modelshelf.store.disk import is_full

    where = error.filename2 or error.filename
    missing = isinstance(error, FileNotFoundError)
    unwritten = "is there such a folder?" if missing else "may you write there?"
    return ShelfError(
        "No space is left on the disk" if is_full(error) else error.strerror or str(error),
        where=None if where is None else os.fsdecode(where),
        hint="free some space and try again" if is_full(error) else unwritten,
    )


class _Parser(argparse.ArgumentParser):
    """Mistakes are errors like any other: text or JSON, with a hint."""

    told = ""
    """How the command is typed, where the whole line is at fault."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see: {self.told or self.prog} --help")


def parser_for(command: str) -> argparse.ArgumentParser:
    """The parser of `shelf`, with this one command. Raises UsageError where there is no such."""
    if command not in (known := names()):
        from modelshelf.package.vocabularies import nearest

        hint = nearest(command, known) or "shelf --help lists the commands"
        raise UsageError(f"there is no command `{command}`", hint=hint)
    module = importlib.import_module(module_name(command))
    whole = (module.__doc__ or "").strip()
    parser = _Parser(prog="shelf")
    parser.told = f"shelf {command}"
    each = parser.add_subparsers(metavar="COMMAND").add_parser(
        command, description=whole, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common(each)
    module.configure(each)
    each.set_defaults(run=module.run)
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress, no notes")
