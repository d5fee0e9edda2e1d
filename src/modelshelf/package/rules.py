"""What each value of a record must be: one entry a place, one function a kind of rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from modelshelf.errors import Invalid
from modelshelf.package import condition, name
from modelshelf.package.path import colliding, unsafe_path
from modelshelf.package.record import Record, Variant, named_files
from modelshelf.package.requirement import Requirement
from modelshelf.package.schema import Found, Rule, Wrong
from modelshelf.package.signature import DTYPES
from modelshelf.package.version import Version
from modelshelf.package.vocabularies import nearest, vocabulary

longest_text_characters = 100_000
longest_requirement_characters = 500


def _word(list_name: str) -> Rule:
    def check(value: object) -> Wrong | None:
        words = vocabulary(list_name)
        if value in words:
            return None
        return Wrong(
            f"unknown {list_name[:-1]} `{str(value)[:60]}`",
            nearest(str(value), list(words)) or f"known: {', '.join(sorted(words))}",
        )

    return check


def _raises(parse: Callable[[str], object]) -> Rule:
    def check(value: object) -> Wrong | None:
        try:
            parse(str(value))
        except Invalid as error:
            hint = error.hint or (f"expected {error.expected}" if error.expected else None)
            return Wrong(error.message, hint)
        return None

    return check


def _dtype(value: object) -> Wrong | None:
    if value in DTYPES:
        return None
    return Wrong(f"unknown dtype `{str(value)[:40]}`", nearest(str(value), list(DTYPES)))


def _license(value: object) -> Wrong | None:
    """SPDX license expression (https://spdx.github.io/spdx-spec, annex B)."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    text = str(value)
    try:
        canonical = canonicalize_license_expression(text[:500])
    except InvalidLicenseExpression:
        return Wrong(f"`{text[:60]}` is not an SPDX license expression", _nearest_license(text))
    return None if canonical == text else Wrong(f"`{text[:60]}`: SPDX spells it `{canonical}`")


def _nearest_license(text: str) -> str:
    from packaging.licenses._spdx import LICENSES

    known = {key: value["id"] for key, value in LICENSES.items()}
    meant = nearest(text.replace(" ", "-"), list(known))
    key = meant.split("`")[1] if meant else None
    found = f"did you mean `{known[key]}`?" if key else "such as Apache-2.0 or MIT"
    return f"{found} LicenseRef-NAME for one that SPDX does not list"


def _python(value: object) -> Wrong | None:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PythonRequirement

    if len(str(value)) > longest_requirement_characters:
        return Wrong(f"longer than {longest_requirement_characters} characters")
    try:
        PythonRequirement(str(value))
    except InvalidRequirement as error:
        return Wrong(f"not a PEP 508 requirement: {str(error).splitlines()[0]}", "numpy>=1.26")
    return None


def _specifier(value: object) -> Wrong | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if len(str(value)) > longest_requirement_characters:
        return Wrong(f"longer than {longest_requirement_characters} characters")
    try:
        SpecifierSet(str(value))
    except InvalidSpecifier:
        return Wrong(f"`{str(value)[:40]}` is not a PEP 440 range", "such as >=3.11")
    return None


def _python_version(value: object) -> Wrong | None:
    """An exact version of Python or of a framework (PEP 440)."""
    from packaging.version import InvalidVersion
    from packaging.version import Version as PythonVersion

    try:
        PythonVersion(str(value)[:longest_requirement_characters])
    except InvalidVersion:
        return Wrong(f"`{str(value)[:40]}` is not an exact version", "such as 3.11 or 2.4.0")
    return None


def _moment(value: object) -> Wrong | None:
    try:
        moment(str(value))
    except ValueError:
        return Wrong(f"`{str(value)[:40]}` is no day or moment", "such as 2026-11-01")
    return None


def _age(value: object) -> Wrong | None:
    if AGE.fullmatch(str(value)):
        return None
    return Wrong(f"`{str(value)[:40]}` is no length of time", "such as 7 days or 12 hours")


AGE = re.compile(r"(\d{1,6}) (day|hour)s?")


def moment(text: str) -> datetime:
    """A day or an RFC 3339 moment, in UTC where it names no other zone. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def _file(value: object) -> Wrong | None:
    wrong = unsafe_path(str(value))
    return Wrong(f"`{str(value)[:80]}`: {wrong}") if wrong else None


def _text_or_file(value: object) -> Wrong | None:
    text = str(value)
    return _text(value) if "\n" in text or " " in text else _file(value)


def _text(value: object) -> Wrong | None:
    if len(str(value)) <= longest_text_characters:
        return None
    return Wrong(f"longer than {longest_text_characters} characters", "put it into a file")


def _summary(value: object) -> Wrong | None:
    text = str(value)
    if len(text) > 200 or "\n" in text:
        return Wrong("the summary is one line of at most 200 characters", "the rest: readme")
    return None if text.strip() else Wrong("the summary is empty")


def _url(value: object) -> Wrong | None:
    if re.fullmatch(r"(https?|mailto):[^\s<>\"]{1,2000}", str(value)):
        return None
    return Wrong(f"`{str(value)[:60]}` is not an http(s) or mailto URL")


def _slug(value: object) -> Wrong | None:
    wrong = name.part_problem(str(value))
    return Wrong(wrong) if wrong else None


def _identifier(value: object) -> Wrong | None:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,199}", str(value)):
        return None
    return Wrong(
        f"`{str(value)[:60]}` must begin with a letter and hold letters, digits, _ . : / -"
    )


def _filled(value: object) -> Wrong | None:
    return None if value else Wrong("must not be empty")


def _not_negative(value: object) -> Wrong | None:
    assert isinstance(value, int | float)
    return None if value >= 0 else Wrong("must be 0 or more")


def _positive(value: object) -> Wrong | None:
    assert isinstance(value, int)
    return None if value > 0 else Wrong("must be 1 or more")


def _dimension(value: object) -> Wrong | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None if 0 <= value < 1 << 48 else Wrong("a size is 0 or more")
    return _identifier(value)


RULES: dict[str, Rule] = {
    "package.name": lambda value: Wrong(wrong) if (wrong := name.problem(str(value))) else None,
    "package.version": _raises(Version.parse),
    "package.summary": _summary,
    "package.license": _license,
    "package.task": _word("tasks"),
    "package.family": _slug,
    "package.readme": _file,
    "package.usage": _text_or_file,
    "package.notes": _text_or_file,
    "package.include.*": _file,
    "package.source": _url,
    "package.issues": _url,
    "package.contributing": _url,
    "package.homepage": _url,
    "package.demo": _url,
    "package.security": _url,
    "package.papers.*": _url,
    "package.developers.*.url": _url,
    "package.datasets.*": _slug,
    "dependencies.*.<key>": lambda value: (
        Wrong(wrong) if (wrong := name.problem(str(value))) else None
    ),
    "dependencies.*.version": _raises(Requirement.parse),
    "dependencies.*.format": _word("formats"),
    "dependencies.*.context": _word("contexts"),
    "dependencies.*.where": _raises(condition.parse),
    "environments.*.<key>": _slug,
    "environments.*.python": _python_version,
    "environments.*.frameworks.*": _python_version,
    "environments.*.contexts.*": _word("contexts"),
    "environments.*.formats.*": _word("formats"),
    "resolution.exclude-newer": _moment,
    "resolution.min-release-age": _age,
    "registry": _url,
    "registries.*": _url,
    "requires.python.*": _python,
    "requires.python_version": _specifier,
    "requires.frameworks.*": _specifier,
    "training.script": _file,
    "preprocessing.tokenizer": _file,
    "postprocessing.tokenizer": _file,
    "golden.*.name": _slug,
    "golden.*.inputs": _file,
    "golden.*.outputs": _file,
    "golden.*.absolute": _not_negative,
    "golden.*.relative": _not_negative,
    "signatures.*.symbols.*.<key>": _identifier,
    "signatures.*.symbols.*.min": _not_negative,
    "signatures.*.symbols.*.max": _not_negative,
    "signatures.*.symbols.*.step": _positive,
    "signatures.*.<key>": _identifier,
    "signatures.*.inputs.*.<key>": _identifier,
    "signatures.*.outputs.*.<key>": _identifier,
    "signatures.*.inputs": _filled,
    "signatures.*.outputs": _filled,
    "entrypoints.*.<key>": _identifier,
    "entrypoints.*.file": _file,
    "variants": _filled,
    "variants.*.name": _slug,
    "variants.*.artifacts": _filled,
    "variants.*.artifacts.*.format": _word("formats"),
    "variants.*.artifacts.*.files": _filled,
    "variants.*.artifacts.*.files.*": _file,
    "variants.*.artifacts.*.contexts": _filled,
    "variants.*.artifacts.*.contexts.*": _word("contexts"),
    "variants.*.artifacts.*.precision": _word("precisions"),
    "variants.*.metrics.*.name": _slug,
    "variants.*.metrics.*.tolerance": _not_negative,
    "variants.*.artifacts.*.cost.macs": _not_negative,
    "variants.*.artifacts.*.cost.peak_memory": _not_negative,
}
for _side in ("inputs", "outputs"):
    RULES[f"signatures.*.{_side}.*.dtype"] = _dtype
    RULES[f"signatures.*.{_side}.*.labels"] = _file
    RULES[f"signatures.*.{_side}.*.shape.*"] = _dimension

_OF_FILES = ("variants.*.artifacts", "variants.*.artifacts.*.files", "package.datasets.*")
DESCRIBED = {place: rule for place, rule in RULES.items() if place not in _OF_FILES}
"""The rules of a record that only describes: without files, with the names of another hub."""


def across(record: Record) -> Iterator[Found]:
    """What no single value shows: names used twice, references to nothing, files in each other."""
    names: set[str] = set()
    for number, variant in enumerate(record.variants):
        if variant.name in names:
            yield Found(("variants", number, "name"), Wrong(f"variant `{variant.name}` twice"))
        names.add(variant.name)
        yield from _entrypoint(record, number)
        yield from _metrics(variant, number)
    if sum(variant.default for variant in record.variants) > 1:
        yield Found(("variants",), Wrong("more than one variant is the default"))
    for first, second in colliding(list(named_files(record))):
        yield Found(
            ("variants",), Wrong(f"`{first}` and `{second}` cannot lie in one folder everywhere")
        )
    if record.package.name in record.dependencies:
        yield Found(("dependencies", record.package.name), Wrong("a package cannot need itself"))


def _metrics(variant: Variant, number: int) -> Iterator[Found]:
    """One number for one quality: of two, nobody knows which one is promised."""
    seen: set[tuple[str, str | None, str | None]] = set()
    for place, metric in enumerate(variant.metrics):
        what = metric.name, metric.dataset, metric.split
        if what in seen:
            message = f"variant `{variant.name}` has the metric `{metric.name}` twice"
            yield Found(("variants", number, "metrics", place, "name"), Wrong(message))
        seen.add(what)


def _entrypoint(record: Record, number: int) -> Iterator[Found]:
    wanted = record.variants[number].entrypoint
    if wanted is not None and wanted not in record.entrypoints:
        yield Found(
            ("variants", number, "entrypoint"),
            Wrong(
                f"no entrypoint `{wanted[:60]}` is described",
                nearest(wanted, list(record.entrypoints))
                or f"add a table [entrypoints.{wanted[:60]}]",
            ),
        )
