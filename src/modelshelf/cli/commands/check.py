"""Find everything that would stop a folder from being published.

Runs the same checks as publishing, here and on the registry. Exit code 1 where there are problems.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.output import Output, problem_lines
from modelshelf.package.elements import LEVELS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the folder, and the level of documentation."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: here")
    parser.add_argument("--level", choices=LEVELS, default="minimal", help="default: minimal")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the problems and how complete the description is."""
    from modelshelf.client.publish import Checked, check

    found: Checked = check(arguments.folder, arguments.level)
    told = found.completeness
    value = {
        "ok": not found.problems,
        "problems": [problem._asdict() for problem in found.problems],
        "completeness": told._asdict() if told else None,
    }
    lines = [line for problem in found.problems for line in problem_lines(problem)]
    if told:
        lines.append(
            f"Described: {told.known} of {told.of} elements, level {told.level or 'none'}."
        )
        following = next((level for level in LEVELS if told.missing[level]), None)
        if following:
            lines.append(f"For level {following}, add: {', '.join(told.missing[following])}.")
    count = len(found.problems)
    plural = "problem" if count == 1 else "problems"
    lines.append(
        f"{count} {plural} found." if count else output.paint("Nothing is wrong.", "green")
    )
    output.result(value, "\n".join(lines))
    return int(bool(count))
