"""What models need of Python, its packages and the machine: what does not hold, what contradicts.

Frameworks have words of their own in `[requires]` (`torch = ">=2.4"`); this module knows which
Python distributions bring them and which formats they run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from modelshelf.package.python_range import admits, compatible, empty
from modelshelf.package.record import Requires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.requirements import Requirement

PYTHON = "python"
"""The interpreter, where distributions are named."""
longest_requirement_characters = 500
most_extras = 100
"""How many requirements of extras are followed: extras may ask for each other without end."""

_FRAMEWORKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "torch": (("torch",), ("pytorch", "pytorch-hub", "torchscript", "torch-export", "safetensors")),
    "tensorflow": (
        ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-intel", "tensorflow-macos",
         "tensorflow-gpu"),
        ("tf-savedmodel", "tf-checkpoint", "tf-frozen-graph", "tf-hub-module", "tflite", "keras",
         "safetensors"),
    ),
    "tensorflow-hub": (("tensorflow-hub",), ("tf-savedmodel", "tf-hub-module")),
    "tflite": (("ai-edge-litert", "tflite-runtime"), ("tflite",)),
    "tfjs": ((), ("tfjs",)),
    "keras": (("keras",), ("keras",)),
    "jax": (("jax",), ("safetensors", "npz", "keras")),
    "onnxruntime": (
        ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino",
         "onnxruntime-qnn"),
        ("onnx",),
    ),
    "onnx": (("onnx",), ("onnx",)),
    "openvino": (("openvino",), ("openvino",)),
    "scikit-learn": (("scikit-learn",), ("skops",)),
    "skops": (("skops",), ("skops",)),
    "safetensors": (("safetensors",), ("safetensors",)),
    "transformers": (("transformers",), ("safetensors", "pytorch")),
    "numpy": (("numpy",), ("npz",)),
    "llama.cpp": (("llama-cpp-python",), ("gguf",)),
    "coreml": (("coremltools",), ("coreml",)),
}  # fmt: skip
"""Framework → the distributions that bring it, the usual one first (none: not Python's), and the
formats that it runs."""

_OTHER_WORDS = {
    "pytorch": "torch", "sklearn": "scikit-learn", "tensorflow.js": "tfjs", "tensorflowjs": "tfjs",
    "tf": "tensorflow", "tensorflow-lite": "tflite", "litert": "tflite", "llama-cpp": "llama.cpp",
    "onnx-runtime": "onnxruntime", "core-ml": "coreml",
}  # fmt: skip


def _framework(word: str) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Distributions and formats; a framework that nobody knows here may be of every format."""
    known = word.lower().replace("_", "-")
    known = _OTHER_WORDS.get(known, known)
    return _FRAMEWORKS.get(known, ((_normal(known),), None))


def framework(word: str) -> str | None:
    """The usual word for a framework: `PyTorch` → `torch`; None where it is none known here."""
    known = "-".join(word.lower().replace("_", "-").split())
    known = _OTHER_WORDS.get(known, known)
    return known if known in _FRAMEWORKS else None


def needed(requires: Requires, formats: Mapping[str, bool]) -> Requires:
    """The part of `requires` that artifacts in these formats need; format → whether it carries code.

    The publisher's Python packages are for the publisher's code: where no format carries any, none
    is needed. A framework is needed for the formats that it runs.
    """
    if not (requires.python or requires.frameworks):
        return requires
    frameworks = {
        word: wanted
        for word, wanted in requires.frameworks.items()
        if (runs := _framework(word)[1]) is None or not formats.keys().isdisjoint(runs)
    }
    python = requires.python if any(formats.values()) else ()
    return Requires(python, requires.python_version, frameworks, requires.hardware)


class Need(NamedTuple):
    """A range of versions of one distribution (or of `python`), under a marker.

    Any of `distributions` will do; `shown` is how people know it. With `url` no other will.
    """

    distributions: tuple[str, ...]
    range: str
    shown: str
    marker: str = ""
    extras: tuple[str, ...] = ()
    url: str = ""

    def __str__(self) -> str:
        """As it is written, without its marker: `numpy>=1.26`."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        space = " " if self.shown == "Python" and self.range else ""
        return f"{self.shown}{extras}{space}{self.range}" + (f" @ {self.url}" if self.url else "")


def needs(requires: Requires) -> tuple[Need, ...]:
    """All that is needed of Python, in the order written; what cannot be read is left out."""
    return _needs(*_key(requires))


def _key(requires: Requires) -> tuple[tuple[str, ...], str | None, tuple[tuple[str, str], ...]]:
    return requires.python, requires.python_version, tuple(requires.frameworks.items())


@lru_cache(4096)
def _needs(
    python: tuple[str, ...], version: str | None, frameworks: tuple[tuple[str, str], ...]
) -> tuple[Need, ...]:
    found = [Need((PYTHON,), version, "Python")] if version else []
    for word, wanted in frameworks:
        if distributions := _framework(word)[0]:
            found.append(Need(distributions, "" if wanted == "*" else wanted, word))
    found += [need for text in python if (need := need_of(text))]
    return tuple(found)


@lru_cache(4096)
def need_of(text: str) -> Need | None:
    """What a PEP 508 requirement asks for, None where it is not one."""
    if (asked := requirement(text)) is None:
        return None
    marker = str(asked.marker) if asked.marker else ""
    extras = tuple(sorted(asked.extras))
    name, url = asked.name, asked.url or ""
    return Need((_normal(name),), str(asked.specifier), name, marker, extras, url)


def requirement(text: str) -> Requirement | None:
    """The text as packaging reads it, None where it is not PEP 508 or beyond all reason."""
    from packaging.requirements import InvalidRequirement, Requirement

    # an address may hold line breaks, and with them options of pip
    if len(text) > longest_requirement_characters or not text.isprintable():
        return None
    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None


def _normal(name: str) -> str:
    """The one spelling of a distribution's name (PEP 503)."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def conflict(
    one: Requires, two: Requires, environment: Mapping[str, str] | None = None
) -> str | None:
    """Why one Python cannot hold what both need: `numpy>=2.0 against numpy<2`; None where it can.

    Markers are those of `environment` (PEP 508's names); without it only needs under the same
    marker are held against each other. Cheap where one of them needs nothing.
    """
    if one is two or not needs_anything(one) or not needs_anything(two):
        return None
    mine, theirs = (
        _everywhere(*_key(each)) if environment is None else _ranges(needs(each), environment)
        for each in (one, two)
    )
    for key in theirs:
        if key in mine and not compatible(mine[key][0], theirs[key][0]):
            return f"{mine[key][1]} against {theirs[key][1]}"
    return None


def needs_anything(requires: Requires) -> bool:
    """Whether Python, its packages or frameworks are needed at all; most releases need none."""
    return bool(requires.python or requires.python_version or requires.frameworks)


_Ranges = dict[tuple[str, str], tuple[str, str]]
"""(distribution, marker) → its whole range, and the same for people."""


@lru_cache(4096)
def _everywhere(
    python: tuple[str, ...], version: str | None, frameworks: tuple[tuple[str, str], ...]
) -> _Ranges:
    return _ranges(_needs(python, version, frameworks), None)


def _ranges(asked: Iterable[Need], environment: Mapping[str, str] | None) -> _Ranges:
    found: _Ranges = {}
    for need in asked:
        if environment is not None and not applies(need.marker, environment):
            continue
        key = need.distributions[0], need.marker if environment is None else ""
        both = (found[key][0], need.range) if key in found else (need.range,)
        whole = ",".join(each for each in dict.fromkeys(both) if each)
        found[key] = whole, str(need._replace(range=whole, extras=()))
    return found


@lru_cache(4096)
def _marker(text: str) -> object:
    from packaging.markers import InvalidMarker, Marker

    try:
        return Marker(text)
    except (InvalidMarker, RecursionError):
        return None


def applies(marker: str, environment: Mapping[str, str], extra: str = "") -> bool:
    """Whether a marker holds (it does where there is none); one that cannot be read does not."""
    if not marker:
        return True
    from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName

    found = _marker(marker)
    try:
        return isinstance(found, Marker) and found.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName, RecursionError, ValueError):
        return False


class Contradiction(NamedTuple):
    """Ranges of one distribution (or `python`) that leave no version: who needs what."""

    distribution: str
    needs: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """`acme/x 1.2.0 needs numpy>=2.0, acme/y 1.0.0 needs numpy<2: no version of numpy will do`."""
        told = ", ".join(f"{who} needs {text}" for who, text in self.needs)
        return f"{told}: no version of {self.distribution} will do"


def contradiction(needs: Sequence[tuple[str, str]]) -> Contradiction | None:
    """The fewest of these (who, PEP 508 text) that leave no version; of `===` nothing is said.

    Markers are not looked at: give what applies together. `python>=3.11` is about the interpreter.
    """
    alike: dict[str, list[tuple[str, str, str]]] = {}
    for who, text in needs:
        if (need := need_of(text)) and need.range:
            alike.setdefault(need.distributions[0], []).append((who, text, need.range))
    for distribution, asked in sorted(alike.items()):
        ranges = [each for each in asked if empty(each[2]) is not None]
        if empty(*(each[2] for each in ranges)):
            fewest = tuple((who, text) for who, text, _ in _fewest(ranges))
            return Contradiction(distribution, fewest)
    return None


def _fewest(asked: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Those without any one of which there would be no contradiction."""
    kept = list(asked)
    for each in asked:
        others = [other for other in kept if other is not each]
        if empty(*(other[2] for other in others)):
            kept = others
    return kept


class Facts(msgspec.Struct, frozen=True):
    """What is there; of what is missing here nothing is known.

    `python` is a full version. `installed`: distribution → its version, None where it is not there.
    `markers`: PEP 508's environment; names that it lacks are those of this interpreter.
    `requirements`: what the distributions whose extras are asked for ask for (their Requires-Dist).
    `hardware`: word → whether it is there.
    """

    python: str | None = None
    installed: Mapping[str, str | None] = {}
    markers: Mapping[str, str] = {}
    requirements: Mapping[str, tuple[str, ...]] = {}
    hardware: Mapping[str, bool] = {}


class Mismatch(NamedTuple):
    """Something that `who` (`acme/x 1.2.0`) needs and that is not there.

    `there` tells what is there instead, `found` the version of that where there is one.
    """

    who: str
    need: str
    there: str
    found: str | None = None

    def __str__(self) -> str:
        """`acme/x 1.2.0 needs numpy>=2.0; numpy 1.26.4 is installed`."""
        return f"{self.who} needs {self.need}; {self.there}"


def mismatches(who: str, requires: Requires, facts: Facts) -> list[Mismatch]:
    """What of `requires` does not hold; `needed` says before which part of it counts."""
    lacking = (each for each in requires.hardware if not facts.hardware.get(each.lower(), True))
    found = [Mismatch(who, each, f"this machine has no {each}") for each in lacking]
    for need in needs(requires) if needs_anything(requires) else ():
        if applies(need.marker, facts.markers):
            found += _unmet(who, need, facts)
            for asked in extras_of(need, facts):
                found += _unmet(who, asked, facts, f"{need}, which needs ")
    return found


def _unmet(who: str, need: Need, facts: Facts, through: str = "") -> Iterator[Mismatch]:
    if need.distributions == (PYTHON,):
        if facts.python and admits(need.range, facts.python) is False:
            yield Mismatch(who, str(need), f"this is Python {facts.python}", facts.python)
        return
    known = [each for each in need.distributions if each in facts.installed]
    there = [(each, version) for each in known if (version := facts.installed[each]) is not None]
    if not there and len(known) == len(need.distributions):
        yield Mismatch(who, f"{through}{need}", f"{need.shown} is not installed")
    elif there and all(admits(need.range, version) is False for _, version in there):
        name, version = there[0]
        yield Mismatch(who, f"{through}{need}", f"{name} {version} is installed", version)


def extras_of(need: Need, facts: Facts) -> list[Need]:
    """What is needed for the extras of `need`, by what the installed distributions say."""
    waiting, seen = [(need.distributions[0], each) for each in need.extras], set[tuple[str, str]]()
    found: list[Need] = []
    while waiting and len(found) < most_extras:
        name, extra = pair = waiting.pop()
        if pair in seen:
            continue
        seen.add(pair)
        for text in facts.requirements.get(name, ()):
            asked = need_of(text)
            if asked is None or not _of_extra(asked.marker, facts.markers, extra):
                continue
            found.append(asked)
            waiting += [(asked.distributions[0], each) for each in asked.extras]
    return found


def _of_extra(marker: str, environment: Mapping[str, str], extra: str) -> bool:
    return applies(marker, environment, extra) and not applies(marker, environment)


def distributions(asked: Iterable[Need]) -> set[str]:
    """Every distribution whose version decides whether these needs are met."""
    return {name for need in asked for name in need.distributions} - {PYTHON}
