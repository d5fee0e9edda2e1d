"""Find everything that would stop a folder from being published.

Runs the same checks as publishing, here and on the registry, and compares the folder with the
release before it (--against chooses another one, or none). Golden cases are run in every runtime
that is installed. Exit code 1 where there are problems; warnings stop nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.cases import case_lines
from modelshelf.cli.options import add_consent, add_registry, registry_of, surroundings
from modelshelf.cli.output import Output, problem_lines
from modelshelf.package.elements import LEVELS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the folder, the level of documentation, what to compare with."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: here")
    parser.add_argument("--level", choices=LEVELS, default="minimal", help="default: minimal")
    parser.add_argument(
        "--against",
        metavar="RELEASE",
        help="compare with NAME@VERSION or a folder; `none` with nothing (default: the release "
        "before this one, where the registry can be reached)",
    )
    add_consent(parser, "also run golden cases in formats that carry code")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the problems and how complete the description is."""
    from modelshelf.client.publish import check

    registry, _ = registry_of(arguments)
    found = check(
        arguments.folder,
        arguments.level,
        surroundings(registry, output, arguments.against),
        consent=arguments.allow_pickle,
    )
    told = found.completeness
    value = {
        "ok": not found.errors,
        "problems": [problem._asdict() for problem in found.problems],
        "completeness": told._asdict() if told else None,
        "against": found.against,
        "golden": found.ran,
    }
    lines = [line for problem in found.problems for line in problem_lines(problem, output.paint)]
    lines += case_lines(found.ran, output)
    if told:
        lines.append(
            f"Described: {told.known} of {told.of} elements, level {told.level or 'none'}."
        )
        following = next((level for level in LEVELS if told.missing[level]), None)
        if following:
            lines.append(f"For level {following}, add: {', '.join(told.missing[following])}.")
    if found.against:
        lines.append(f"Compared with {found.against}.")
    lines.append(_counted(len(found.errors), len(found.problems) - len(found.errors), output))
    output.result(value, "\n".join(lines))
    return int(bool(found.errors))


def _counted(errors: int, warnings: int, output: Output) -> str:
    told = output.paint("Nothing is wrong.", "green")
    if errors:
        told = f"{errors} problem{'' if errors == 1 else 's'} found."
    return told + (f" {warnings} warning{'' if warnings == 1 else 's'}." if warnings else "")
