"""Choose among all models for a task: the best, and why the others fell out.

  shelf choose --task image-classification --where 'top1>=0.70, bytes<=20MB, context=edge'

Candidates are the variants, in each format, of the newest release of every package for the task.
The best are those that no other one betters in every objective (the Pareto set). Objectives are
those named, else they follow from the conditions: metrics with bounds, sizes and costs. A metric
that was measured on several datasets is as good as the worst of them; NAME@DATASET means one.
Exit code 1 where nothing fits.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelshelf.cli.plot import Plot
    from modelshelf.client.candidates import Candidate, Offer
    from modelshelf.client.choose import Decision
    from modelshelf.client.remote import Registry
    from modelshelf.package.condition import Condition


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the task, conditions, objectives, how to show it."""
    parser.add_argument("--task", required=True, help="such as image-classification")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITIONS",
        help="such as 'top1>=0.70, bytes<=20MB, license=permissive, context=edge'",
    )
    for goal in ("minimize", "maximize"):
        parser.add_argument(
            f"--{goal}",
            dest="objectives",
            action="append",
            default=[],
            type=partial(_objective, goal),
            metavar="NAME",
            help=f"an objective to {goal}; the first one sorts",
        )
    parser.add_argument("--all", action="store_true", help="every candidate that fell out")
    parser.add_argument(
        "--families", action="store_true", help="count by family: same algorithm, same data"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the trade-off into a file")
    parser.add_argument("--plot", action="store_true", help="draw it as text, also into a pipe")
    add_registry(parser)


def _objective(goal: str, name: str) -> tuple[str, str]:
    return name, goal


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Gather, decide, draw, show."""
    from modelshelf.cli.choosing import plot_of, text_of
    from modelshelf.client.choose import Objective, decide
    from modelshelf.package.condition import parse

    conditions = parse(", ".join(arguments.where))
    named = [Objective(name, goal) for name, goal in arguments.objectives]
    registry, _ = registry_of(arguments)
    offer = _gathered(registry, arguments.task, output)
    decision = decide(offer.candidates, conditions, named)
    plot = plot_of(decision, conditions)
    if arguments.svg:
        _draw(plot, arguments.svg, arguments.task, decision, output)
    text = text_of(
        decision,
        offer,
        arguments.task,
        output,
        everything=arguments.all,
        by_family=arguments.families,
        drawn=_drawn(plot, asked=arguments.plot),
    )
    output.result(_told(decision, offer, conditions, arguments.task), text)
    return int(not decision.best)


def _gathered(registry: Registry, task: str, output: Output) -> Offer:
    """All candidates; on a terminal a bar counts the packages."""
    from modelshelf.client.candidates import gather

    if output.quiet or output.json or not sys.stderr.isatty():
        return gather(registry, task, lambda _read, _of: None)
    from tqdm import tqdm

    with tqdm(desc="Reading", unit=" packages", leave=False) as bar:

        def told(read: int, of: int) -> None:
            bar.total = of
            bar.update(read - bar.n)

        return gather(registry, task, told)


def _drawn(plot: Plot | None, *, asked: bool) -> str:
    """The plot as text: where it was asked for, and on a terminal where there is a trade-off."""
    from modelshelf.cli.plot import drawing

    if plot is None or not (asked or (sys.stdout.isatty() and len(plot.marks) > 1)):
        return ""
    columns = shutil.get_terminal_size((80, 24)).columns
    return drawing(plot, width=max(24, min(columns, 96) - 16))


def _draw(plot: Plot | None, path: Path, task: str, decision: Decision, output: Output) -> None:
    """The plot as a file; without two objectives that candidates tell of there is nothing to draw."""
    from modelshelf.cli.svg import svg

    if plot is None:
        output.note("Nothing is drawn: no candidate tells of two objectives")
        return
    best = "; ".join(
        f"{mark.label}: {plot.x.told(mark.x)}, {plot.y.told(mark.y)}"
        for mark in plot.marks
        if mark.number is not None
    )
    words = (
        f"{len(plot.marks)} candidates as points, {plot.x.name} from left to right, "
        f"{plot.y.name} upwards. {len(decision.best)} are best: {best or 'none'}."
    )
    title = f"{task}: {plot.y.name} against {plot.x.name}"
    path.write_text(svg(plot, title, words), encoding="utf-8")
    output.note(f"Drawn into {path}")


def _told(
    decision: Decision, offer: Offer, conditions: Sequence[Condition], task: str
) -> dict[str, object]:
    """The one JSON object."""
    from modelshelf.cli.choosing import command
    from modelshelf.client.choose import families, reasons

    return {
        "task": task,
        "conditions": [each.text for each in conditions],
        "objectives": decision.objectives,
        "packages": offer.packages,
        "candidates": len(offer.candidates),
        "best": [
            _candidate(each.candidate)
            | {"values": _values(decision, each.values), "install": command(each.candidate)}
            for each in decision.best
        ],
        "dominated": [
            _candidate(each.candidate)
            | {"values": _values(decision, each.values), "by": _names(each.by)}
            for each in decision.dominated
        ],
        "silent": [_candidate(each.candidate) | {"lacks": each.lacks} for each in decision.silent],
        "missed": [
            _candidate(each.candidate) | {"misses": each.misses} for each in decision.missed
        ],
        "families": families(decision),
        "passed_over": offer.passed,
        "reasons": reasons(decision),
        "relax": decision.relax,
        "notes": decision.notes,
    }


def _names(candidate: Candidate) -> dict[str, object]:
    return {
        "package": candidate.package,
        "version": candidate.version,
        "variant": candidate.variant,
        "format": candidate.format,
        "precision": candidate.precision,
    }


def _candidate(candidate: Candidate) -> dict[str, object]:
    return {**_names(candidate), "known": candidate.known}


def _values(decision: Decision, values: Sequence[float]) -> dict[str, float]:
    names = (objective.name for objective in decision.objectives)
    return dict(zip(names, values, strict=True))
