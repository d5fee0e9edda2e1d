"""The scanner: every file of a release is looked into, and what no list allows is told.

    scanned = scan(folder, paths, facts)
    scanned.verdict, scanned.findings

The verdict is the weight of the heaviest finding: `note` (nothing in the files runs), `code` (the
publisher's code runs when an artifact is loaded), `blocked` (nobody knows, or it does harm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from modelshelf import formats
from modelshelf.errors import FormatError, NotFound, Problem
from modelshelf.formats import Facts, Risk
from modelshelf.formats.contents import Place, content_risks, raw_risks
from modelshelf.formats.facts import RISKS
from modelshelf.formats.zip_members import LOCAL_MARK
from modelshelf.package.entry import SEVERITIES, Severity

RULES_VERSION = 1
"""Goes up with every change of what is found: releases scanned by older rules are scanned anew."""

RULE = "scan"
"""The rule that the scanner's problems name."""

HINTS = {
    "pickle-global": "save the weights alone (safetensors, a state dict); code belongs into hubconf.py",
    "unknown": "publish it in a known format, or leave it out of the package",
    "unreadable": "write the file again; archives without passwords, comments or other additions",
    "nested-archive": "publish the files themselves",
    "native-code": "publish libraries as Python packages and name them in `requires.python`",
    "byte-code": "publish the source",
    "lambda": "replace the function by a layer that the framework itself has",
}
DEFAULT_HINT = "leave it out; the registry's operator can let it through, with a reason"


class Scanned(NamedTuple):
    """What the scanner says of a release, by the rules of `RULES_VERSION`."""

    verdict: Severity
    findings: tuple[Risk, ...]


def scan(folder: Path, paths: Iterable[str], facts: Mapping[str, Facts]) -> Scanned:
    """Look into every file of `paths` below `folder`; `facts` are what readers said, by path.

    Files that no reader was asked about are read here as what they claim to be. Never raises for
    what a file holds; reads headers, pickles and archives, not the values of tensors.
    """
    wanted = sorted(paths)
    read = {path: facts.get(path) or _read(folder / path) for path in wanted}
    known = {path: each for path, each in read.items() if isinstance(each, Facts)}
    vouched = _companions({**facts, **known}) - facts.keys()
    found: dict[Risk, None] = {}
    for path in wanted:
        said = None if path in vouched else read[path]
        for risk in (*_said(said), *_held(folder, path, said, is_vouched=path in vouched)):
            found.setdefault(Risk(risk.kind, risk.detail, path))
    severities = {risk.severity for risk in found}
    verdict: Severity = next((each for each in reversed(SEVERITIES) if each in severities), "note")
    return Scanned(verdict, tuple(found))


def problems(scanned: Scanned) -> list[Problem]:
    """The findings as problems: an error for what is blocked, a warning for the rest.

    That a package ships scripts is for its page: there is nothing to mend.
    """
    return [
        Problem(
            f"{RISKS[risk.kind][1] if risk.kind in RISKS else risk.kind}: {risk.detail}",
            file=risk.file,
            hint=HINTS.get(risk.kind, DEFAULT_HINT) if risk.severity == "blocked" else None,
            rule=RULE,
            warning=risk.severity != "blocked",
        )
        for risk in scanned.findings
        if risk.kind != "script"
    ]


def _companions(facts: Mapping[str, Facts]) -> frozenset[str]:
    """The files that a reader vouches for: raw values that a graph beside them describes."""
    return frozenset(
        (PurePosixPath(path).parent / companion).as_posix()
        for path, each in facts.items()
        for companion in each.companions
    )


def _read(whole: Path) -> Facts | FormatError | None:
    """What a file says that nobody asked a reader about; None where no reader claims it."""
    try:
        return formats.read(whole) if formats.detect(whole) else None
    except FormatError as error:
        return error
    except NotFound:
        return None
    except Exception as error:  # noqa: BLE001  hostile bytes must never be more than a finding
        return FormatError(f"cannot be read: {type(error).__name__}: {str(error)[:200]}")


def _said(said: Facts | FormatError | None) -> tuple[Risk, ...]:
    """The reader's own risks, or that it could not read the file."""
    if isinstance(said, FormatError):
        return (Risk("unreadable", said.message, ""),)
    return said.risks if said else ()


def _held(
    folder: Path, path: str, said: Facts | FormatError | None, *, is_vouched: bool
) -> tuple[Risk, ...]:
    """What the bytes say. A file that a reader understood to its end need not be known here too."""
    whole = folder / path
    steps = [whole, *whole.parents][: len(PurePosixPath(path).parts)]
    if any(step.is_symlink() for step in steps) or not whole.is_file():
        return (Risk("unreadable", "no plain file", path),)
    format_name = said.format if isinstance(said, Facts) else None
    place = Place(path, path, format_name)
    try:
        with whole.open("rb") as file:
            size = whole.stat().st_size
            is_archive = file.read(4) == LOCAL_MARK
            if is_archive or (format_name is None and not is_vouched):
                return content_risks(file, size, place)
            return raw_risks(file, size, place)
    except OSError as error:
        return (Risk("unreadable", error.strerror or "cannot be opened", path),)
