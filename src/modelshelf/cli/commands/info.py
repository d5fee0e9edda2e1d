"""Show what is known of a package: all information elements, and how each is known."""

from __future__ import annotations

import argparse
import json

from modelshelf.cli.options import add_registry, registry_of, release_in
from modelshelf.cli.output import Output
from modelshelf.package.elements import DIMENSIONS, ELEMENTS

_MOST_FAMILIES = 5
_WIDEST = 64


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package."""
    parser.add_argument(
        "package",
        help="NAME, NAME@VERSION, or what another hub calls it (tfhub:HANDLE, an address)",
    )
    parser.add_argument("--all", action="store_true", help="also the elements that are absent")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print the seven dimensions with their elements."""
    registry, _ = registry_of(arguments)
    name, version = release_in(registry, arguments.package)
    told = registry.describe(name, version)
    entry, elements = told["entry"], told["elements"]
    assert isinstance(entry, dict)
    assert isinstance(elements, dict)
    change, scan = entry.get("change"), entry.get("scan")
    families = told.get("families", [])
    assert isinstance(families, list)
    value = {
        "name": name,
        "version": entry["version"],
        "change": change,
        "scan": scan,
        "elements": elements,
        "families": families,
        "described": bool(entry.get("described")),
        "upstream": entry.get("upstream"),
    }
    lines = [output.paint(f"{name} {entry['version']}", "bold")]
    lines += [*_upstream(entry), *_step(change, described=bool(entry.get("described")))]
    lines += [*_verdict(scan), *_families(families)]
    for dimension in DIMENSIONS:
        rows = [
            (each.name, elements[each.id])
            for each in ELEMENTS
            if each.dimension == dimension
            and (arguments.all or elements[each.id]["known"] != "absent")
        ]
        if rows:
            lines += ["", output.paint(dimension, "cyan")]
        lines += [_line(title, each["value"], _known(each)) for title, each in rows]
    output.result(value, "\n".join(lines))


def _upstream(entry: dict[str, object]) -> list[str]:
    """Where an imported release comes from, and that it cannot be installed, if that is so."""
    upstream = entry.get("upstream")
    if not isinstance(upstream, dict):
        return []
    lines = [f"Imported from {upstream['hub']}: {upstream['url']}"]
    if entry.get("described"):
        gone = upstream.get("gone")
        lines.append(
            f"Files gone: {str(gone).rstrip('.')}." if gone
            else "Described only: the registry has no files of it, so it cannot be installed."
        )  # fmt: skip
    return lines


def _known(element: dict[str, object]) -> str:
    """How an element is known; of what another hub declared, where: `declared (table, unsure)`."""
    where = [str(element["source"])] if element.get("source") else []
    where += ["unsure"] if element.get("unsure") else []
    return f"{element['known']} ({', '.join(where)})" if where else str(element["known"])


def _step(change: dict[str, object] | None, *, described: bool) -> list[str]:
    """What the release is to the one before it."""
    if change is None:
        return []
    axes = change.get("axes")
    moved = f", moved: {_words(axes)}" if axes else ""
    lines = [f"A {change['level']} step from {change['previous']}{moved}."]
    if change.get("unverified"):
        seen = " or nobody saw them," if described else ""
        lines.append(f"Unverified: weights moved,{seen} and no golden set tells how they behave.")
    if change.get("override"):
        lines.append(f"Its version is lower than the changes ask for: {change['override']}")
    return lines


def _verdict(scan: dict[str, object] | None) -> list[str]:
    """What the scanner said, where that is worth a line."""
    if scan is None or scan["verdict"] == "note":
        return []
    if scan["verdict"] == "code":
        return ["Loading it can run the publisher's code."]
    let = scan.get("decision")
    return [f"Blocked by the scanner; let through: {let}" if let else "Blocked by the scanner."]


def _families(families: list[dict[str, object]]) -> list[str]:
    """Of which families its models are, and which of them have a newer generation."""
    return [
        f"Family: {each['id']} ({each['models']} model{'' if each['models'] == 1 else 's'})"
        + (f"; newer: {each['newer']}" if each.get("newer") else "")
        for each in families[:_MOST_FAMILIES]
    ]


def _line(title: str, value: object, known: str) -> str:
    """`  License          Apache-2.0                 declared`, long values cut."""
    text = "-" if value is None else _words(value)
    text = " ".join(text.split())
    shown = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1].rstrip()}…"
    return f"  {title:<31}{shown:<66}{known}"


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        known = {key: each for key, each in value.items() if each not in (None, "", [], {})}
        return "; ".join(f"{key}: {_words(each)}" for key, each in known.items())
    if isinstance(value, list):
        return ", ".join(_words(each) for each in value)
    return json.dumps(value)
