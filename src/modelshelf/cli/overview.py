"""What `shelf --help` says: the commands, by name and by the first line of their docstrings.

Put together here, since argparse costs 25 ms and importing every command ten times as much.
"""

from __future__ import annotations

import importlib
import os

import modelshelf

ROOM = "modelshelf.cli.commands"
_WIDTH = 80
_TEXT = """\
usage: shelf [-h] [--version] COMMAND ...

The package manager for pre-trained models.

options:
  -h, --help    show this help message and exit
  --version     show the version of shelf and exit

commands:
{commands}

shelf COMMAND --help tells more about one.
"""


def answer(given: str | None) -> str | None:
    """The answer to `shelf` alone or with the one option `given`; None where it is no such."""
    if given in (None, "-h", "--help"):
        return _TEXT.format(commands="\n".join(map(_line, names())))
    return f"shelf {modelshelf.__version__}\n" if given == "--version" else None


def names() -> list[str]:
    """Every command, as it is typed."""
    files = (name for name in os.listdir(_folder()) if name.endswith(".py"))  # noqa: PTH208
    modules = sorted(name.removesuffix(".py") for name in files if not name.startswith("_"))
    return [module.replace("_", "-") for module in modules]


def module_name(command: str) -> str:
    """The module of a command, dotted."""
    return f"{ROOM}.{command.replace('-', '_')}"


def _line(command: str) -> str:
    """A command and what it is for, wrapped."""
    path = os.path.join(_folder(), f"{module_name(command).rpartition('.')[2]}.py")  # noqa: PTH118
    with open(path, encoding="utf-8") as source:  # noqa: PTH123 (pathlib costs 5 ms)
        words = source.readline().strip().strip('"').split()
    lines = [f"  {command:<13}"]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > _WIDTH:
            lines.append(" " * 15)
        lines[-1] += f" {word}"
    return "\n".join(lines)


def _folder() -> str:
    return str(importlib.import_module(ROOM).__path__[0])
