"""Conditions on models: `width<=0.5, format=tflite, top1>=0.70, bytes<=20MB, license=permissive`.

What a requirement may pin beside the version, and what `shelf choose` asks for: one language. A
name is a feature of the variant, one of its metrics, or one of the words in `facts`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypedDict, TypeGuard

from modelshelf.errors import Invalid
from modelshelf.package.entry import Entry
from modelshelf.package.license import kinds
from modelshelf.package.record import Artifact, Dependency, Feature, Variant

Value = Feature | tuple[Feature, ...]
longest_conditions_characters = 500

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"([A-Za-z][\w.@/-]*)\s*(<=|>=|==?|!=|<|>)\s*([^\s,<>=!\[\]][^,<>=!\[\]]*)")
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-z]*)", re.IGNORECASE)
_UNITS = {
    "": 1.0,
    "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
    "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40,
    "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12,
}  # fmt: skip


class Condition(NamedTuple):
    """One of them: `operator` is `=`, `!=`, `<`, `<=`, `>` or `>=`; `text` is what was written."""

    name: str
    operator: str
    value: Feature
    text: str

    def holds(self, found: Value | None) -> bool:
        """Whether `found` answers it; of several values one must be equal, all must be in bounds."""
        if found is None:
            return False
        several = found if isinstance(found, tuple) else (found,)
        if self.operator in ("=", "!="):
            return any(_equal(each, self.value) for each in several) is (self.operator == "=")
        compare = _OPERATORS[self.operator]
        numbers = [each for each in several if _is_number(each)]
        assert isinstance(self.value, int | float)
        value = self.value
        return bool(numbers) and all(compare(each, value) for each in numbers)


def parse(text: str) -> tuple[Condition, ...]:
    """The conditions of a list with commas. Sizes may have units (`20MB`, `4MiB`, `1.2G`).

    Raises Invalid where one is none.
    """
    if len(text) > longest_conditions_characters:
        raise Invalid(
            "these conditions are too long",
            expected=f"at most {longest_conditions_characters} characters",
            got=text[:40] + "…",
        )
    return tuple(_condition(each.strip()) for each in text.split(",") if each.strip())


class Pins(TypedDict, total=False):
    """What a requirement says beside its range, as fields of a `record.Dependency`."""

    variants: tuple[str, ...]
    format: str
    context: str
    where: str


def split(text: str) -> tuple[str, Pins]:
    """`^2[width<=0.5,format=tflite]` → the range and what the brackets pin. Raises Invalid.

    Without a range any version will do.
    """
    wanted, bracket, rest = text.partition("[")
    if not bracket:
        return text, {}
    if not rest.endswith("]"):
        raise Invalid(
            f"`{text[:60]}` has no closing bracket", expected="such as ^2[width<=0.5,format=tflite]"
        )
    pins: Pins = {}
    others = []
    for each in parse(rest[:-1]):
        if each.operator == "=" and each.name == "variant":
            pins["variants"] = (*pins.get("variants", ()), str(each.value))
        elif each.operator == "=" and each.name == "format" and "format" not in pins:
            pins["format"] = str(each.value)
        elif each.operator == "=" and each.name == "context" and "context" not in pins:
            pins["context"] = str(each.value)
        else:
            others.append(each.text)
    if others:
        pins["where"] = ", ".join(others)
    return wanted.strip() or "*", pins


def typed(need: Dependency) -> str:
    """A requirement as it is typed: `^2[format=tflite,width<=0.5]`."""
    pins = [*(f"variant={each}" for each in need.variants)]
    pins += [f"{name}={value}" for name in ("format", "context") if (value := getattr(need, name))]
    pins += [need.where.replace(", ", ",")] if need.where else []
    return need.version + (f"[{','.join(pins)}]" if pins else "")


def missed(conditions: Sequence[Condition], known: Mapping[str, Value]) -> tuple[Condition, ...]:
    """Those that do not hold, or of which nothing is known."""
    return tuple(each for each in conditions if not each.holds(known.get(each.name)))


def facts(entry: Entry, variant: Variant, artifact: Artifact) -> dict[str, Value]:
    """What conditions may be about, by name; the words of this table go before features and metrics.

    `bytes` are those of the artifact's files; `license` is the expression and what kind it is. A
    metric measured on several datasets has all values under its name, each under `name@dataset`.
    """
    sizes = {file.path: file.size for file in entry.files}
    license_words = (entry.license, *kinds(entry.license)) if entry.license else None
    words: dict[str, Value | None] = {
        "package": entry.name,
        "variant": variant.name,
        "format": artifact.format,
        "context": artifact.contexts,
        "precision": artifact.precision,
        "bytes": sum(sizes.get(path, 0) for path in artifact.files) if artifact.files else None,
        "license": license_words,
        "macs": artifact.cost.macs if artifact.cost else None,
        "peak_memory": artifact.cost.peak_memory if artifact.cost else None,
    }
    found: dict[str, Value] = dict(_metrics(variant))
    found |= variant.features
    return found | {name: value for name, value in words.items() if value is not None}


def _metrics(variant: Variant) -> dict[str, tuple[Feature, ...]]:
    found: dict[str, tuple[Feature, ...]] = {}
    for metric in variant.metrics:
        for name in (metric.name, f"{metric.name}@{metric.dataset}" if metric.dataset else None):
            if name:
                found[name] = (*found.get(name, ()), metric.value)
    return found


def _condition(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise _none(text)
    name, sign, written = match[1], match[2].replace("==", "="), match[3].strip()
    value = _value(written)
    if sign in _OPERATORS and not _is_number(value):
        raise _none(text)
    return Condition(name, sign, value, f"{name}{sign}{written}")


def _none(text: str) -> Invalid:
    return Invalid(
        f"`{text[:60]}` is not a condition",
        expected="NAME, one of = != < <= > >=, and a value, such as width<=0.5, bytes<=20MB or "
        "format=tflite",
        got=text[:60],
    )


def _value(written: str) -> Feature:
    if written in ("true", "false"):
        return written == "true"
    number = _NUMBER.fullmatch(written.removesuffix("%"))
    unit = number[2].lower() if number else ""
    if number is None or unit not in _UNITS or not math.isfinite(value := float(number[1])):
        return written.strip("\"'")
    value *= _UNITS[unit]
    if written.endswith("%"):
        value /= 100
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _equal(found: Feature, wanted: Feature) -> bool:
    if _is_number(found) and _is_number(wanted):
        return found == wanted
    return str(found).lower() == str(wanted).lower()


def _is_number(value: Feature) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
