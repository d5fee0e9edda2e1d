"""`shelf.toml`: text → record or every problem with its line; and back, comments kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from modelshelf.errors import Invalid, Problem, UsageError
from modelshelf.package import condition, rules, schema
from modelshelf.package.environment import ANYWHERE, Environment
from modelshelf.package.record import Dependency, Record
from modelshelf.package.toml_text import DEEP_KEY

FILE = "shelf.toml"
PYPROJECT = "pyproject.toml"
TABLE = ("tool", "modelshelf")
"""Where a `pyproject.toml` holds what a consumer's `shelf.toml` would."""
largest_manifest_bytes = 1 << 20
most_problems = 1000  # nobody reads more, and finding the nearest word for each costs time

Model = TypeVar("Model", bound=msgspec.Struct)


class Resolution(msgspec.Struct, frozen=True, rename="kebab"):
    """`[resolution]`: which releases are too new to be chosen; those of the lock stay.

    `exclude-newer` is a day or a moment (`2026-11-01`, RFC 3339), `min-release-age` how long a release
    must have been out (`7 days`, `12 hours`).
    """

    exclude_newer: str | None = None
    min_release_age: str | None = None


def require_resolution(resolution: Resolution) -> None:
    """Raise UsageError where a moment or an age is none."""
    told = {key: each for key, each in msgspec.to_builtins(resolution).items() if each is not None}
    raw = {"resolution": told}
    found = next(schema.walk(raw, Project, rules.RULES), None)
    if found:
        raise UsageError(found.wrong.message, expected=found.wrong.hint)


class Project(msgspec.Struct, frozen=True):
    """What a consumer's `shelf.toml` says: the packages wanted, for what, and from where.

    A package comes from the first of `registry` and `registries` that has it, unless its
    requirement names one.
    """

    dependencies: dict[str, Dependency] = {}
    registry: str | None = None
    registries: tuple[str, ...] = ()
    environments: dict[str, Environment] = {}
    resolution: Resolution = Resolution()

    @property
    def places(self) -> dict[str, Environment]:
        """The environments to make a lock for, by name."""
        return self.environments or dict(ANYWHERE)


def parse(text: str | bytes) -> Record:
    """A publisher's `shelf.toml` → Record. Raises Invalid with all problems, each with its line."""
    raw, lines = _load(text)
    own = _CONSUMERS - {"dependencies"}
    return _build({key: raw[key] for key in raw if key not in own}, lines, Record)


def parse_project(text: str | bytes, file: str = FILE) -> Project:
    """A consumer's `shelf.toml` → Project; a publisher's own file is read the same way.

    With `file` `pyproject.toml` its table `[tool.modelshelf]` is read. Raises Invalid with all
    problems in the tables that a consumer writes.
    """
    try:
        raw, lines = _load(text)
    except Invalid as error:
        problems = tuple(each._replace(file=file) for each in error.problems)
        raise Invalid(error.message, where=problems[0].where(), problems=problems) from None
    if file == PYPROJECT:
        for step in TABLE:
            below = raw.get(step, {})
            raw = below if isinstance(below, dict) else {}
        lines = {place[2:]: line for place, line in lines.items() if place[:2] == TABLE}
    elif "package" in raw:
        raw = {key: raw[key] for key in raw if key in _CONSUMERS}
    return _build(raw, lines, Project, file)


def is_consumer(pyproject: bytes) -> bool:
    """Whether a `pyproject.toml` has a table `[tool.modelshelf]`; one that is no TOML may have."""
    try:
        text = pyproject.decode()
        found: object = {} if DEEP_KEY.search(text) else tomllib.loads(text)
    except (ValueError, RecursionError):
        return b"[tool.modelshelf" in pyproject
    for step in TABLE:
        found = found.get(step) if isinstance(found, dict) else None
    return found is not None


def located(text: bytes, found: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems with the line of the element that each is about, where `text` has one."""
    lines = {schema.dotted(place): line for place, line in _key_lines(_decode(text)).items()}

    def line_of(problem: Problem) -> int | None:
        element = problem.element or ""
        while element and element not in lines:
            element = element[: max(element.rfind("."), element.rfind("["), 0)]
        return lines.get(element)

    return tuple(
        each._replace(line=line_of(each)) if each.file == FILE and each.line is None else each
        for each in found
    )


def problems(record: Record, *, described: bool = False) -> list[Problem]:
    """What is wrong with a record that did not come from a file (the registry's gate).

    One that only describes models has no files, and names datasets as they are shown to people.
    """
    of = rules.DESCRIBED if described else rules.RULES
    return _problems(msgspec.to_builtins(record), {}, Record, of)


_CONSUMERS = frozenset(Project.__struct_fields__)


def _build(
    raw: dict[str, object], lines: Mapping[schema.Place, int], model: type[Model], file: str = FILE
) -> Model:
    raw = _long_forms(raw)
    found = [each._replace(file=file) for each in _problems(raw, lines, model)]
    if found:
        count = "a problem" if len(found) == 1 else f"{len(found)} problems"
        raise Invalid(f"{file} has {count}", where=found[0].where(), problems=tuple(found))
    return msgspec.convert(raw, model)


def _problems(
    raw: object,
    lines: Mapping[schema.Place, int],
    model: type,
    of: Mapping[str, schema.Rule] = rules.RULES,
) -> list[Problem]:
    found = list(islice(schema.walk(raw, model, of), most_problems))
    if not found and model is Record:
        found = list(rules.across(msgspec.convert(raw, Record)))
    return sorted(
        (
            Problem(
                wrong.message,
                line=_line(place, lines),
                element=schema.dotted(place),
                hint=wrong.hint,
            )
            for place, wrong in found
        ),
        key=lambda problem: problem.line or 0,
    )


def _load(text: str | bytes) -> tuple[dict[str, object], Mapping[schema.Place, int]]:
    if len(text) > largest_manifest_bytes:
        raise _one_problem(
            f"the manifest is larger than {largest_manifest_bytes >> 20} MiB",
            hint="long texts belong in files that the manifest names (readme, notes)",
        )
    if isinstance(text, bytes):
        text = _decode(text)
    # tomllib takes \r\n; a byte-order mark is what some editors leave
    text = text.removeprefix("\ufeff")
    if deep := DEEP_KEY.search(text):
        raise _one_problem(
            "not valid TOML here: a key of more than 32 parts",
            line=text.count("\n", 0, deep.start()) + 1,
        )
    try:
        return tomllib.loads(text), _key_lines(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        raise _one_problem(
            f"not valid TOML: {re.sub(r' [(]at .*', '', str(error))}",
            line=int(at[1]) if at else None,
        ) from None
    except ValueError:  # tomllib hands on what int() says of thousands of digits
        raise _one_problem("not valid TOML: a number has too many digits") from None
    except RecursionError:
        raise _one_problem("not valid TOML: nested too deeply") from None


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise _one_problem(
            f"the manifest is not UTF-8: byte 0x{text[error.start]:02x}",
            line=text.count(b"\n", 0, error.start) + 1,
            hint="save the file as UTF-8 (it looks like Latin-1)",
        ) from None


def _one_problem(message: str, *, line: int | None = None, hint: str | None = None) -> Invalid:
    problem = Problem(message, line=line, hint=hint)
    return Invalid(message, where=problem.where(), hint=hint, problems=(problem,))


def _long_forms(raw: dict[str, object]) -> dict[str, object]:
    """`"acme/digits" = "^1.0"` is short for `{ version = "^1.0" }`, `"^1.0[width<=0.5]"` for more."""
    wanted = raw.get("dependencies")
    if not isinstance(wanted, dict):
        return raw
    return {**raw, "dependencies": {name: _long_form(value) for name, value in wanted.items()}}


def _long_form(value: object) -> object:
    table = {"version": value} if isinstance(value, str) else value
    if not isinstance(table, dict) or not isinstance(version := table.get("version"), str):
        return table
    try:
        wanted, pins = condition.split(version)
    except Invalid:  # the rules say what is wrong with the version
        return table
    return {**table, "version": wanted, **{key: pin for key, pin in pins.items() if pin}}


_HEADER = re.compile(r"\s*(\[\[?)([^\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def _key_lines(text: str) -> dict[schema.Place, int]:
    """Each key and table header → its line, from 1. Values inside one line share that line."""
    lines: dict[schema.Place, int] = {}
    table: schema.Place = ()
    counts: dict[schema.Place, int] = {}
    quote: str | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if quote is None:
            if line.lstrip().startswith("#"):
                continue
            if header := _HEADER.match(line):
                table = _table(header, counts)
                lines.setdefault(table, number)
            elif key := _KEY.match(line):
                lines.setdefault((*table, *_parts(key[1])), number)
        quote = _open_quote(line, quote)
    return lines


def _table(header: re.Match[str], counts: dict[schema.Place, int]) -> schema.Place:
    """The place that a header opens; arrays of tables count, and sub-tables belong to the last."""
    place: schema.Place = ()
    parts = _parts(header[2])
    for number, part in enumerate(parts):
        place = (*place, part)
        if number == len(parts) - 1 and header[1] == "[[":
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _parts(dotted: str) -> list[str]:
    return [match[1] or match[2] or match[3] or "" for match in _PART.finditer(dotted)]


def _open_quote(line: str, quote: str | None) -> str | None:
    """The kind of multi-line string that is still open after `line`, or None."""
    for match in re.finditer(r'"""|' + "'''", line):
        quote = match[0] if quote is None else None if quote == match[0] else quote
    return quote


def _line(place: schema.Place, lines: Mapping[schema.Place, int]) -> int | None:
    """The line of the nearest enclosing thing that has one."""
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return 1 if lines else None
