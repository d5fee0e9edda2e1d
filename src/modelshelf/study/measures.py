"""Figures that bear on the paper's implications: each a title and one statement of SQL.

A statement gives a row for each catalogue: its label and the figure; a catalogue without a row has
none of it. `$risky` are the formats that can run code when they are loaded.
"""

from __future__ import annotations

from typing import NamedTuple

from modelshelf.study.answer import Kind


class Measure(NamedTuple):
    """One figure. `said` is the id of the paper's own in `paper/text.json`, where it has one."""

    title: str
    sql: str
    kind: Kind = "count"
    said: str | None = None
    risky: bool = False
    """Whether the statement asks for `$risky`."""


def _packages(condition: str) -> str:
    return f"SELECT catalogue, count(*) FROM packages WHERE {condition} GROUP BY 1"  # noqa: S608


def _element(element: str) -> str:
    return (
        "SELECT catalogue, count(*) FROM elements"  # noqa: S608
        f" WHERE latest AND known AND element = '{element}' GROUP BY 1"
    )


_NAMED = "regexp_extract(requirement, '^[A-Za-z0-9._-]{1,100}')"
_PINNED = "regexp_matches(requirement, '[<>=~!]')"

MEASURES: dict[str, Measure] = {
    "model-dependencies": Measure(
        "packages that name models they need or feed",
        "SELECT catalogue, count(DISTINCT package) FROM dependencies WHERE latest GROUP BY 1",
    ),
    "dependents": Measure(
        "packages that others need, never told on their pages",
        """
        SELECT d.catalogue, count(DISTINCT on_package) FROM dependencies d
        JOIN packages p ON p.catalogue = d.catalogue AND p.package = d.on_package
        WHERE d.latest GROUP BY 1
        """,
    ),
    "unsure-dependencies": Measure(
        "of the dependencies, read with doubt",
        "SELECT catalogue, count(*) FROM dependencies WHERE latest AND unsure GROUP BY 1",
    ),
    "python-dependencies": Measure(
        "packages that name Python packages they need",
        "SELECT catalogue, count(DISTINCT package) FROM python_needs WHERE latest GROUP BY 1",
    ),
    "python-packages": Measure(
        "different Python packages named",
        f"SELECT catalogue, count(DISTINCT lower({_NAMED})) FROM python_needs WHERE latest GROUP BY 1",  # noqa: S608
    ),
    "unpinned": Measure(
        "Python requirements without any version",
        f"""
        SELECT catalogue, count(*) FROM (SELECT DISTINCT catalogue, package, requirement
        FROM python_needs WHERE latest) WHERE NOT {_PINNED} GROUP BY 1
        """,  # noqa: S608
    ),
    "versions": Measure("versions", "SELECT catalogue, versions FROM catalogues", said="versions"),
    "versions-per-package": Measure(
        "versions of a package, mean",
        "SELECT catalogue, round(avg(versions), 2) FROM packages GROUP BY 1",
        "number",
    ),
    "most-versions": Measure(
        "versions of the package that has most",
        "SELECT catalogue, max(versions) FROM packages GROUP BY 1",
    ),
    "several-versions": Measure("packages with several versions", _packages("versions > 1")),
    "noted": Measure(
        "later versions with release notes, in percent",
        """
        SELECT catalogue, round(100 * avg(CASE WHEN has_notes THEN 1 ELSE 0 END), 1)
        FROM releases WHERE number > 1 GROUP BY 1
        """,
        "share",
    ),
    "downloads": Measure("packages with a number of downloads", _element("downloads")),
    "stars": Measure("packages with statistics of their repository", _element("source-statistics")),
    "quality": Measure(
        "packages with figures of quality",
        "SELECT catalogue, count(DISTINCT package) FROM metrics WHERE latest GROUP BY 1",
        said="quality",
    ),
    "metrics": Measure(
        "different metrics",
        "SELECT catalogue, count(DISTINCT metric) FROM metrics WHERE latest GROUP BY 1",
    ),
    "vulnerabilities": Measure(
        "packages with a way to report vulnerabilities", _element("vulnerability-report")
    ),
    "reviewed": Measure("packages that tell how they were reviewed", _element("review-mechanism")),
    "runs-code": Measure(
        "packages in a format that can run code when loaded",
        _packages("len(list_intersect(formats, $risky)) > 0"),
        risky=True,
    ),
    "mean-elements": Measure(
        "elements of the 33 that a package has, mean",
        "SELECT catalogue, round(avg(len(known)), 2) FROM descriptions WHERE latest GROUP BY 1",
        "number",
    ),
    "formal": Measure(
        "facts that stand in labels or beside the page, in percent",
        """
        SELECT catalogue, round(100 * avg(CASE WHEN source IN ('label', 'hub') THEN 1 ELSE 0 END), 1)
        FROM elements WHERE latest AND known GROUP BY 1
        """,
        "share",
    ),
    "in-text": Measure(
        "facts that must be read out of text, tables and code, in percent",
        """
        SELECT catalogue, round(100 * avg(CASE WHEN source IN ('text', 'table', 'code') THEN 1 ELSE 0 END), 1)
        FROM elements WHERE latest AND known GROUP BY 1
        """,
        "share",
    ),
    "unsure": Measure(
        "facts read with doubt, in percent",
        """
        SELECT catalogue, round(100 * avg(CASE WHEN unsure THEN 1 ELSE 0 END), 1)
        FROM elements WHERE latest AND known GROUP BY 1
        """,
        "share",
    ),
    "training": Measure("packages that tell how they were trained", _element("training")),
    "families": Measure(
        "families of two models or more",
        """
        SELECT catalogue, count(*) FROM (SELECT catalogue, family FROM models
        WHERE latest AND family IS NOT NULL GROUP BY ALL HAVING count(*) > 1) GROUP BY 1
        """,
        said="families",
    ),
    "in-families": Measure(
        "models in such families",
        """
        SELECT catalogue, sum(n) FROM (SELECT catalogue, family, count(*) AS n FROM models
        WHERE latest AND family IS NOT NULL GROUP BY ALL HAVING n > 1) GROUP BY 1
        """,
    ),
    "spread-families": Measure(
        "families whose members are spread over packages",
        """
        SELECT catalogue, count(*) FROM (SELECT catalogue, family FROM models
        WHERE latest AND family IS NOT NULL GROUP BY ALL HAVING count(DISTINCT package) > 1)
        GROUP BY 1
        """,
    ),
    "several-models": Measure("packages of several models", _packages("models > 1")),
    "several-families": Measure(
        "packages whose models are of several families",
        """
        SELECT catalogue, count(*) FROM (SELECT catalogue, package FROM models
        WHERE latest GROUP BY ALL HAVING count(DISTINCT family) > 1) GROUP BY 1
        """,
    ),
    "several-formats": Measure("packages in several formats", _packages("len(formats) > 1")),
    "several-contexts": Measure(
        "packages for several usage contexts", _packages("len(contexts) > 1")
    ),
    "edge": Measure("packages for edge devices", _packages("list_contains(contexts, 'edge')")),
    "javascript": Measure(
        "packages for JavaScript", _packages("list_contains(contexts, 'javascript')")
    ),
    "signatures": Measure(
        "packages that describe signatures",
        _packages("signatures > 0"),
        said="signatures-described",
    ),
    "entrypoints": Measure("packages with entrypoints", _packages("entrypoints > 0")),
    "several-entrypoints": Measure(
        "packages whose entrypoints build several models",
        _packages("entrypoints > 0 AND models > 1"),
        said="several-entrypoints",
    ),
    "entrypoint-lists": Measure(
        "packages that list their entrypoints",
        _packages("entrypoints_listed"),
        said="entrypoint-lists",
    ),
    "downloadable": Measure(
        "packages that can be had without the hub's client", _element("downloadable")
    ),
    "gone": Measure("packages whose files are gone", _packages("gone IS NOT NULL")),
    "instructions": Measure("packages with instructions for use", _element("user-instruction")),
    "demos": Measure("packages with a demo", _element("demo")),
    "sources": Measure("packages that say where their code lies", _element("source-repository")),
}
