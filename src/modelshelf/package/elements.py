"""The 33 information elements: the one table of what can be known of a package.

Validation, completeness, the package page, `shelf info`, the docs page and the study's Table 2 all
read it. Names, dimensions and descriptions follow Table 2 of the paper (Xiu et al., "Empirical
Study on the Software Engineering Practices in Open Source ML Package Repositories", section 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from modelshelf.errors import Problem
from modelshelf.package.catalogue import Found
from modelshelf.package.record import Record

Known = Literal["declared", "extracted", "observed", "verified", "absent"]
Level = Literal["minimal", "documented", "complete"]
_EMPTY: tuple[object, ...] = (None, "", (), [], {})
LEVELS: tuple[Level, ...] = ("minimal", "documented", "complete")

INFORMATION = "Package Information"
TECHNICAL = "Technical Documentation"
SOFTWARE = "Software Development"
DELIVERY = "Delivery"
SECURITY = "Security"
REVIEW = "Package Submission & Review"
LEGAL = "Legal Information"
DIMENSIONS = (INFORMATION, TECHNICAL, SOFTWARE, DELIVERY, SECURITY, REVIEW, LEGAL)


class Element(NamedTuple):
    """One row: `fields` are the places in the record that declare it, `level` needs it.

    `source` is how it is known where the record does not declare it: `extracted` from the
    artifacts' bytes, `observed` by the registry, or `absent` when only a publisher can say it.
    """

    id: str
    name: str
    dimension: str
    description: str
    fields: tuple[str, ...] = ()
    source: Known = "absent"
    level: Level | None = None
    hint: str | None = None


class Value(NamedTuple):
    """What is known of one element, and how. An absent one has the value None.

    Of what another hub declared, `source` tells where on its page it stands (`label`, `table`,
    `text and code`), `unsure` whether the page can be read in another way too.
    """

    value: object
    known: Known
    source: str | None = None
    unsure: bool = False


class Completeness(NamedTuple):
    """How much is known: the level reached (None below minimal), a score, what each level lacks."""

    level: Level | None
    known: int
    of: int
    missing: dict[str, list[str]]


ELEMENTS: tuple[Element, ...] = (
    Element("description", "Description", INFORMATION,
            "What the package is for and does, and other basic information.",
            ("package.summary", "package.readme"), level="minimal",
            hint='summary = "Handwritten digit classifiers, four sizes"'),
    Element("developers", "Developer(s)", INFORMATION,
            "Owner, publisher or collaborators of the package.",
            ("package.developers",), level="documented",
            hint='developers = [{ name = "Acme Vision", kind = "organization" }]'),
    Element("extra-information", "Extra Information", INFORMATION,
            "Home page, academic references and other resources.",
            ("package.homepage", "package.papers"), level="complete",
            hint='papers = ["https://..."] or homepage = "https://..."'),
    Element("keywords", "Indexing Keywords", INFORMATION,
            "Words by which similar packages are searched and classified.",
            ("package.keywords",), level="complete", hint='keywords = ["digits", "ocr"]'),
    Element("name", "Package Name", INFORMATION,
            "The name of the package.", ("package.name",), level="minimal"),
    Element("downloads", "# Downloads", INFORMATION,
            "How often the package was installed.", source="observed"),
    Element("source-statistics", "GitHub Statistics", INFORMATION,
            "Stars, forks, issues and pull requests of the source repository.", source="observed"),
    Element("demo", "Demo", INFORMATION,
            "Where the package can be tried before it is installed.",
            ("package.demo",), level="complete", hint='demo = "https://..."'),
    Element("published-time", "Published Time", INFORMATION,
            "When this version was published.", source="observed"),
    Element("size", "Size", INFORMATION,
            "Bytes on disk, in all and for each variant.", source="extracted"),
    Element("version-alert", "Version Alert", INFORMATION,
            "Whether this version is not the latest, yanked, or not suitable for use.",
            source="observed"),
    Element("version", "Version Number", INFORMATION,
            "The semantic version of the release.", ("package.version",), level="minimal"),
    Element("user-instruction", "User Instruction", TECHNICAL,
            "How to use the package, with example code.",
            ("package.usage",), source="extracted", level="documented",
            hint='usage = "USAGE.md" or a [signatures.NAME] table, from which it is made'),
    Element("components", "Package Component Information", TECHNICAL,
            "The files of the package and what is in them.", source="extracted"),
    Element("algorithm", "Algorithm", TECHNICAL,
            "The algorithm or network architecture.",
            ("package.algorithm",), level="documented", hint='algorithm = "CNN"'),
    Element("data-description", "Data Description", TECHNICAL,
            "Datasets, shapes of input and output, preprocessing.",
            ("package.datasets", "package.language", "training.preprocessing"),
            level="documented", hint='datasets = ["uci-digits"]'),
    Element("quality", "Package Quality Evaluation", TECHNICAL,
            "How good the models are: metric, dataset, split, value.",
            ("variants.metrics",), level="documented",
            hint='metrics = [{ name = "accuracy", dataset = "uci-digits", value = 0.98 }]'),
    Element("training", "Training Information", TECHNICAL,
            "How the models were trained: hyper-parameters, checkpoint, script.",
            ("training",), level="complete",
            hint="a [training] table with description and hyperparameters"),
    Element("interfaces", "Pre-defined Interfaces", TECHNICAL,
            "Signatures and entrypoints by which the models are called; for a backbone, its parameters.",
            ("signatures", "entrypoints", "package.backbone"), source="extracted", level="documented",
            hint="a [signatures.NAME] table with inputs and outputs"),
    Element("domain", "Package Domain", TECHNICAL,
            "The task type, such as image classification.",
            ("package.task",), level="minimal", hint='task = "image-classification"'),
    Element("release-history", "Release History", TECHNICAL,
            "The versions that can still be had.", source="observed"),
    Element("release-notes", "Release Notes", TECHNICAL,
            "What changed in each release.", ("package.notes",), level="complete",
            hint='notes = "Trained on all of the data." or the name of a file'),
    Element("issue-tracking", "Issue Tracking", SOFTWARE,
            "Where to report problems.", ("package.issues",), level="complete",
            hint='issues = "https://..."'),
    Element("source-repository", "Source Code Repo", SOFTWARE,
            "Where the source code lies.", ("package.source",), level="complete",
            hint='source = "https://..."'),
    Element("dependencies", "Dependencies", DELIVERY,
            "The packages, of models and of Python, that this one needs.",
            ("dependencies", "requires.python"), source="extracted"),
    Element("running-environment", "Running Environment", DELIVERY,
            "Formats, usage contexts, frameworks, Python, hardware.",
            ("variants.artifacts", "requires.frameworks", "requires.python_version",
             "requires.hardware"), source="extracted", level="minimal"),
    Element("dependents", "Dependents", DELIVERY,
            "The packages that need this one.", source="observed"),
    Element("downloadable", "Downloadable", DELIVERY,
            "The addresses at which the files can be fetched without a package manager.",
            source="observed"),
    Element("vulnerability-report", "Vulnerability Report", SECURITY,
            "Known vulnerabilities, what the scanner saw, and where to report one.",
            ("package.security",), source="observed", level="complete",
            hint='security = "mailto:security@acme.example"'),
    Element("developer-contribution", "Developer Contribution", REVIEW,
            "How others can contribute.", ("package.contributing",), level="complete",
            hint='contributing = "https://..."'),
    Element("review-mechanism", "Review Mechanism", REVIEW,
            "Which checks and reviews the release went through.", source="observed"),
    Element("copyright", "Copyright", LEGAL,
            "Who owns the copyright.", ("package.copyright",), level="complete",
            hint='copyright = "2026 Acme Vision"'),
    Element("license", "License", LEGAL,
            "The terms of use, as an SPDX expression.", ("package.license",), level="minimal",
            hint='license = "Apache-2.0"'),
)  # fmt: skip


def describe(
    record: Record,
    *,
    extracted: Mapping[str, object] | None = None,
    observed: Mapping[str, object] | None = None,
    verified: Mapping[str, object] | None = None,
    found: Mapping[str, Found] | None = None,
) -> dict[str, Value]:
    """All 33 elements in the table's order, by id, each with how it is known.

    The mappings are by element id. A third party's word goes before the publisher's, the
    publisher's before what was read from the files or seen by the registry. `found` tells, by
    dotted place of the record, where another hub says it.
    """
    document = msgspec.to_builtins(record)
    others: list[tuple[Known, Mapping[str, object]]] = [
        ("extracted", extracted or {}),
        ("observed", observed or {}),
    ]
    values = {each.id: _value(each, document, verified or {}, others) for each in ELEMENTS}
    if found:
        values |= {
            each.id: _sourced(values[each.id], each, found)
            for each in ELEMENTS
            if values[each.id].known == "declared"
        }
    return values


def _sourced(value: Value, element: Element, found: Mapping[str, Found]) -> Value:
    """The value with where it was found; the parts of one element may stand in several places."""
    told = [each for place, each in found.items() if _is_of(place, element.fields)]
    sources = dict.fromkeys(each.source for each in told)
    return value._replace(
        source=" and ".join(sources) or None, unsure=any(each.unsure for each in told)
    )


def _is_of(place: str, fields: tuple[str, ...]) -> bool:
    """Whether a place (`variants.NAME.metrics`, `signatures.NAME`) is one of the fields, or in one."""
    steps = place.split(".")
    if steps[0] == "variants" and len(steps) > 2:
        del steps[1]
    place = ".".join(steps)
    return any(f"{place}.".startswith(f"{field}.") for field in fields)


_PLACES = tuple((place, place.split(".")) for element in ELEMENTS for place in element.fields)


def declared_places(record: Record) -> frozenset[str]:
    """The places of the table that the record fills: elements are declared by those of theirs."""
    document = msgspec.to_builtins(record)
    return frozenset(place for place, steps in _PLACES if _declared(document, steps) not in _EMPTY)


def _value(
    element: Element,
    document: object,
    verified: Mapping[str, object],
    others: list[tuple[Known, Mapping[str, object]]],
) -> Value:
    if element.id in verified:
        return Value(verified[element.id], "verified")
    declared = {
        place.rpartition(".")[2]: value
        for place in element.fields
        if (value := _declared(document, place.split("."))) not in _EMPTY
    }
    if declared:
        alone = len(element.fields) == 1
        return Value(next(iter(declared.values())) if alone else declared, "declared")
    for known, mapping in others:
        if mapping.get(element.id) is not None:
            return Value(mapping[element.id], known)
    return Value(None, "absent")


def _declared(document: object, steps: list[str]) -> object:
    """What stands at the place `steps`; below `variants`, by variant name."""
    for number, step in enumerate(steps):
        if isinstance(document, list | tuple):
            rest = steps[number:]
            found = {each["name"]: _declared(each, rest) for each in document}
            return {name: value for name, value in found.items() if value not in _EMPTY}
        document = document.get(step) if isinstance(document, dict) else None
    return document


def completeness(values: Mapping[str, Value]) -> Completeness:
    """How complete the description is, from what `describe` gave.

    Elements that only the registry can observe do not count: no publisher can add them.
    """
    missing: dict[str, list[str]] = {
        level: [e.id for e in ELEMENTS if e.level == level and values[e.id].known == "absent"]
        for level in LEVELS
    }
    reached: Level | None = None
    for level in LEVELS:
        if missing[level]:
            break
        reached = level
    counted = [e for e in ELEMENTS if e.level is not None]
    known = sum(values[e.id].known != "absent" for e in counted)
    return Completeness(reached, known, len(counted), missing)


def lacking(values: Mapping[str, Value], level: Level) -> list[Problem]:
    """What a package must still say to reach `level`, each with how to say it."""
    needed = LEVELS[: LEVELS.index(level) + 1]
    return [
        Problem(
            f"{element.name} is missing; the level `{level}` asks for it",
            element=element.fields[0] if element.fields else element.id,
            hint=f"add {element.hint}" if element.hint else None,
            rule="documentation",
        )
        for element in ELEMENTS
        if element.level in needed and values[element.id].known == "absent"
    ]
