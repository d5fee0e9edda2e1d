"""What was chosen and why, as text: the best as a table, how to get them, why the others fell out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from modelshelf.cli.output import Output
from modelshelf.cli.plot import Axis, Mark, Plot, axis, told
from modelshelf.client.candidates import Candidate, Offer
from modelshelf.client.choose import (
    Decision,
    Dominated,
    Miss,
    Missed,
    Objective,
    Silent,
    families,
    reasons,
)
from modelshelf.package.condition import Condition, Value
from modelshelf.package.record import Feature

nearest_count = 10
_UNIT = re.compile(r"[\d.]\s*([kmgt]i?b?|b|%)$", re.IGNORECASE)
_UNITS = {
    "%": 0.01, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_OPPOSITE = {"<=": ">", "<": ">=", ">=": "<", ">": "<="}


def text_of(
    decision: Decision,
    offer: Offer,
    task: str,
    output: Output,
    *,
    everything: bool,
    by_family: bool,
    drawn: str,
) -> str:
    """The whole answer; `drawn` is the plot, empty where none is wanted."""
    parts = [
        _headline(decision, offer, task, output),
        _table(decision, output),
        _commands(decision, output),
        _families(decision, output) if by_family else "",
        drawn,
        "\n".join(output.paint("note: ", "yellow") + note for note in decision.notes),
        _relax(decision),
        "\n".join(_silent(decision.silent, everything=everything)),
        "\n".join(_fallen(decision, output, everything=everything)),
        "\n".join(_passed(offer, everything=everything)),
    ]
    return "\n\n".join(part for part in parts if part)


def command(candidate: Candidate) -> str:
    """What installs the candidate. Brackets are for what no option can say."""
    words = ["shelf", "install", candidate.package]
    if candidate.ambiguous and candidate.precision:
        pins = f"variant={candidate.variant},format={candidate.format}"
        words[-1] += f"@^{candidate.version}[{pins},precision={candidate.precision}]"
    else:
        words += ["--variant", candidate.variant, "--format", candidate.format]
    if carries_code(candidate.format):
        words.append("--allow-pickle")
    return shlex.join(words)


def carries_code(form: str) -> bool:
    """Whether installing the format asks for consent."""
    from modelshelf.checks.safety import consent

    return consent.carries_code(form)


def plot_of(decision: Decision, conditions: Sequence[Condition]) -> Plot | None:
    """The first two objectives as a plot, what is better small along the foot; None without two."""
    if len(decision.objectives) < 2:
        return None
    first, second = decision.objectives[:2]
    x, y = (
        (first, second)
        if (first.goal, second.goal) == ("minimize", "maximize")
        else (second, first)
    )
    marks = list(_marks(decision, x, y))
    if not marks:
        return None
    return Plot(
        _bounded(axis(x.name, x.goal, [mark.x for mark in marks]), conditions),
        _bounded(axis(y.name, y.goal, [mark.y for mark in marks]), conditions),
        tuple(marks),
    )


def _marks(decision: Decision, x: Objective, y: Objective) -> Iterator[Mark]:
    numbered = [
        (each.candidate, number, True) for number, each in enumerate(decision.best, start=1)
    ]
    others: list[tuple[Candidate, int | None, bool]] = [*numbered]
    others += [(each.candidate, None, True) for each in decision.dominated]
    others += [(each.candidate, None, False) for each in decision.missed]
    for candidate, number, fits in others:
        along, up = x.of(candidate), y.of(candidate)
        if along is not None and up is not None:
            yield Mark(along, up, str(candidate), number, fits)


def _bounded(along: Axis, conditions: Sequence[Condition]) -> Axis:
    """The axis with the first bound that was asked for."""
    for each in conditions:
        bounds = each.operator not in ("=", "!=") and isinstance(each.value, int | float)
        if each.name == along.name and bounds:
            return along._replace(bound=float(each.value), asked=each.text)
    return along


def _headline(decision: Decision, offer: Offer, task: str, output: Output) -> str:
    packages = f"{offer.packages} package{'s' * (offer.packages != 1)}"
    told_of = f"{len(offer.candidates)} candidates for {task} ({packages})"
    sought = ", ".join(
        f"{'less' if each.goal == 'minimize' else 'more'} {each.name}"
        for each in decision.objectives
    )
    if decision.best:
        count = len(decision.best)
        are = "is" if count == 1 else "are"
        return output.paint(f"{count} of {told_of} {are} best: {sought}", "bold")
    if decision.dominated or decision.silent:
        return output.paint(f"None of {told_of} tells enough to be weighed: {sought}", "bold")
    return output.paint(f"None of {told_of} meets all conditions", "bold")


def _table(decision: Decision, output: Output) -> str:
    """One row each of the best; license, algorithm and dataset only where they differ."""
    candidates = [each.candidate for each in decision.best]
    differing = [
        name
        for name in ("license", "algorithm", "dataset")
        if len({_told_of(each, name) for each in candidates}) > 1
    ]
    arrows = {"minimize": "\u2193", "maximize": "\u2191"}
    heads = [
        "#", "model", "version", "format",
        *(f"{each.name} {arrows[each.goal]}" for each in decision.objectives),
        *differing,
    ]  # fmt: skip
    rows = [
        [
            str(number),
            f"{each.candidate.package} {each.candidate.variant}",
            each.candidate.version,
            _format(each.candidate),
            *(told(o.name, v) for o, v in zip(decision.objectives, each.values, strict=True)),
            *(_told_of(each.candidate, name) for name in differing),
        ]
        for number, each in enumerate(decision.best, start=1)
    ]
    return output.table(heads, rows)


def _told_of(candidate: Candidate, name: str) -> str:
    value = candidate.known.get(name)
    if name == "license" and isinstance(value, tuple):
        value = value[0]  # the expression; what kind it is follows from it
    return _words(name, value)


def _format(candidate: Candidate) -> str:
    return " ".join(filter(None, (candidate.format, candidate.precision)))


def _commands(decision: Decision, output: Output) -> str:
    if not decision.best:
        return ""
    width = len(str(len(decision.best)))
    lines = [
        f"  {number:>{width}}  {command(each.candidate)}"
        for number, each in enumerate(decision.best, start=1)
    ]
    return "\n".join([output.paint("to install", "cyan"), *lines])


def _families(decision: Decision, output: Output) -> str:
    """One row a family: which of them are worth a look."""
    rows = [
        (
            each.algorithm or "-",
            ", ".join(each.datasets) or "-",
            *map(str, (each.packages, each.candidates, each.fitting, each.best)),
        )
        for each in families(decision)
    ]
    heads = ("family", "trained on", "packages", "candidates", "fit", "best")
    return output.table(heads, rows)


def _relax(decision: Decision) -> str:
    if decision.best or decision.dominated or decision.silent or not decision.missed:
        return ""
    relax = decision.relax
    if relax is None:
        return "No single condition stands in the way: every candidate misses two or more."
    count = f"{relax.candidates} candidate{'s' * (relax.candidates != 1)}"
    name = _name(relax.condition)
    tells = f"; the nearest has {name} {_near(name, relax.condition, relax.nearest)}"
    told_of = (
        tells
        if relax.nearest is not None
        else f", which say{'s' * (relax.candidates == 1)} nothing of it"
    )
    return f"Without {relax.condition}, {count} would fit{told_of}."


def _fallen(decision: Decision, output: Output, *, everything: bool) -> Iterator[str]:
    """Why the others are not among the best, the nearest first."""
    out: list[Dominated | Missed] = sorted(
        (*decision.dominated, *decision.missed), key=lambda each: each.gap
    )
    if not out:
        return
    yield output.paint(f"fell out ({len(out)})", "cyan")
    yield "  " + ", ".join(f"{reason}: {count}" for reason, count in reasons(decision).items())
    shown = out if everything else out[:nearest_count]
    width = max(len(str(each.candidate)) for each in shown)
    for each in shown:
        yield f"  {each.candidate!s:<{width}}  {why(each, decision.objectives)}"
    if len(out) > len(shown):
        yield f"  \u2026 and {len(out) - len(shown)} more; --all shows them"


def why(each: Dominated | Missed, objectives: Sequence[Objective]) -> str:
    """Why a candidate fell out, in words."""
    if isinstance(each, Missed):
        return "; ".join(map(_missed, each.misses))
    sides = zip(objectives, each.by_values, each.values, strict=True)
    better = [
        f"{o.name} {told(o.name, theirs)} against {told(o.name, own)}"
        for o, theirs, own in sides
        if theirs != own
    ]
    return f"dominated by {each.by}: {', '.join(better)}"


def _missed(miss: Miss) -> str:
    if miss.found is None:
        return f"says nothing of {miss.name}"
    wanted = miss.condition.removeprefix(miss.name).lstrip("<>=!").strip()
    found = _near(miss.name, miss.condition, miss.found)
    if miss.operator == "=":
        return f"{miss.name} {found}, not {wanted}"
    if miss.operator == "!=":
        return f"{miss.name} {found}"
    return f"{miss.name} {found} {_OPPOSITE[miss.operator]} {wanted}"


def _silent(silent: Sequence[Silent], *, everything: bool) -> Iterator[str]:
    if not silent:
        return
    yield f"Meet the conditions, but cannot be weighed ({len(silent)}):"
    shown = silent if everything else silent[:nearest_count]
    for each in shown:
        yield f"  {each.candidate} says nothing of {', '.join(each.lacks)}"
    if len(silent) > len(shown):
        yield f"  \u2026 and {len(silent) - len(shown)} more; --all shows them"


def _passed(offer: Offer, *, everything: bool) -> Iterator[str]:
    if offer.total > offer.packages:
        yield f"Only the {offer.packages} most installed of {offer.total} packages were looked at."
    if not offer.passed:
        return
    yield f"Passed over ({len(offer.passed)}):"
    shown = offer.passed if everything else offer.passed[:nearest_count]
    yield from (f"  {each.package}: {each.reason}" for each in shown)
    if len(offer.passed) > len(shown):
        yield f"  \u2026 and {len(offer.passed) - len(shown)} more; --all shows them"


def _name(condition: str) -> str:
    return re.split(r"[<>=!]", condition, maxsplit=1)[0]


def _near(name: str, condition: str, found: Value | None) -> str:
    """What was found, in the unit in which it was asked for: `34.1MB` where `20MB` was."""
    unit = _UNIT.search(condition)
    if unit and isinstance(found, int | float) and not isinstance(found, bool):
        return f"{found / _UNITS[unit[1].lower()]:.5g}{unit[1]}"
    return _words(name, found)


def _words(name: str, value: Value | None) -> str:
    if isinstance(value, tuple):
        return ", ".join(dict.fromkeys(_words(name, each) for each in value))
    return "" if value is None else _feature(name, value)


def _feature(name: str, value: Feature) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else told(name, value)
