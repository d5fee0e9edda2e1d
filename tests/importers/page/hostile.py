"""Texts that are written to keep a reader busy; `survives` reads them all in a process of its own.

python -m tests.importers.page.hostile modelshelf.importers.page.links find
"""

from __future__ import annotations

import importlib
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CPU_SECONDS = 60
"""For all texts and readers together, some ten seconds; each text is a megabyte, and a reader that goes
back needs minutes for one."""
SIZE = 1_000_000
MEMORY_BYTES = 2 << 30


def _long(piece: str, before: str = "", after: str = "") -> str:
    return before + piece * ((SIZE - len(before) - len(after)) // len(piece)) + after


TEXTS = {
    "empty": "",
    "nul": "\0",
    **{f"only {piece!r}": _long(piece) for piece in " |[]1#*_`<>(-.:=%\"'!~&@/\\\n"},
    "words": _long("accuracy of top-1 "),
    "numbers": _long("1.5 % "),
    "digits in a sentence": _long("1", "achieves an accuracy of ", " on"),
    "one word": _long("a"),
    "spaces in a sentence": _long(" ", "requires Foo", "2.0 or newer"),
    "links that do not end": _long("[a]("),
    "links within links": _long("[a](b ["),
    "addresses": _long("https://a.example/"),
    "an address": _long("a", "https://a.example/"),
    "references": _long("[a]: b\n"),
    "anchors": _long("<a href "),
    "an anchor": _long("x", "<a href="),
    "comments that do not end": _long("<!--\n"),
    "tables that do not end": _long("<table>\n"),
    "cells": _long("<td>a", "<table>\n", "\n</table>"),
    "rows": _long("x|y\n", "accuracy|b\n-|-\n"),
    "a wide table": _long("|1.5", after="|\n" + "|-" * 1000 + "|\n" + "|1\n" * 1000),
    "a wide header": "|accuracy" * 60 + "|\n" + "|-" * 60 + "|\n" + ("|1.5" * 60 + "|\n") * 4000,
    "headings": _long("# a\n"),
    "deep headings": _long("".join(f"{'#' * level} Version {level}\n" for level in range(1, 7))),
    "points": _long("- a\n"),
    "points in points": _long("- "),
    "lines": _long("a\n"),
    "fences": _long("```\n"),
    "brackets": _long("[1, "),
    "closed brackets": _long("[1] "),
    "nested": _long("(" * 1000) + _long(")" * 1000),
    "calls": _long("tf.keras.layers.Input(shape=(", "```python\n"),
    "a call": _long("a", "```python\nmodel = hub.load('"),
    "assignments": _long("x = f(x)\n", "```python\n"),
    "installs": _long("pip install ", "```\n"),
    "requirements": _long("a==1 ", "`pip install ", "`"),
    "shapes": _long("`[batch, 1, 1, 3]` "),
    "signatures": _long("signature `a` "),
    "handles": _long("https://hub.example/acme/a/1 "),
    "versions": _long("#### Version 1\ntext\n"),
    "rates": _long("learning rate of 0.1 and batch size "),
    "at signs": _long("a@b."),
    "dots": _long("a.b.c-", "mail "),
}


def survives(module: str, function: str) -> str:
    """What went wrong when `function` read every text as a page; empty where nothing did."""
    return survive(f"{module}:{function}")


def survive(*readers: str) -> str:
    """The same for several readers (`module:function`), one after the other on the same pages."""
    command = [sys.executable, "-m", "tests.importers.page.hostile", *readers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"{done.stderr[-2000:]}ended with {done.returncode}" if done.returncode else ""


def _read_all(names: list[str]) -> None:
    from modelshelf.importers.page.markdown import read

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    pairs = [name.split(":") for name in names]
    readers = [getattr(importlib.import_module(module), function) for module, function in pairs]
    for name, text in TEXTS.items():
        page = read(text)
        assert len(page.text) <= SIZE
        for number, reader in enumerate(readers):
            sys.stderr.write(f"{name}: {names[number]}\n")
            reader(page)


if __name__ == "__main__":
    _read_all(sys.argv[1:])
