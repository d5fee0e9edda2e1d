"""What a release's page says, worked out from record, entry and elements without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from modelshelf.package.elements import DIMENSIONS, ELEMENTS, Element
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record, default_variant
from modelshelf.package.signature import Signature
from modelshelf.package.version import Version
from modelshelf.registry.families import InFamily
from modelshelf.registry.pages.rendering import (
    count,
    day,
    hub_name,
    is_link,
    package_url,
    size,
    words,
)


class Row(NamedTuple):
    """One element as its section shows it; `lacks` is what stands there when it is absent.

    `source` is where another hub's page says it, `unsure` whether that can be read in another way.
    """

    name: str
    description: str
    value: object
    known: str
    lacks: str = ""
    source: str = ""
    unsure: bool = False


class Dimension(NamedTuple):
    """One of the seven sections; `present` counts its elements that are known."""

    name: str
    rows: tuple[Row, ...]
    present: int


class Alert(NamedTuple):
    """A notice above a release: `weight` is a class of the stylesheet."""

    weight: str
    title: str
    text: str
    url: str | None = None
    link: str | None = None


def dimensions(values: Mapping[str, Mapping[str, object]]) -> tuple[Dimension, ...]:
    """The seven sections in the table's order; `values` is id → {value, known}."""
    made = []
    for name in DIMENSIONS:
        rows = tuple(
            _row(element, values.get(element.id))
            for element in ELEMENTS
            if element.dimension == name
        )
        made.append(Dimension(name, rows, sum(row.known != "absent" for row in rows)))
    return tuple(made)


def _row(element: Element, found: Mapping[str, object] | None) -> Row:
    if found is None or found["known"] == "absent":
        lacks = "Not stated" if element.fields else "Nothing known"
        return Row(element.name, element.description, None, "absent", lacks)
    value = shown(element.id, found["value"])
    source, unsure = str(found.get("source") or ""), bool(found.get("unsure"))
    known = str(found["known"])
    return Row(element.name, element.description, value, known, source=source, unsure=unsure)


def shown(key: str, value: object) -> object:
    """The value in the form that reads best; what is not of the expected form stays as it is."""
    try:
        return _FORMS[key](value) if key in _FORMS else value
    except (TypeError, ValueError, KeyError, AttributeError):
        return value


def _sizes(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _sizes(inner) for key, inner in value.items()}
    return size(value) if isinstance(value, int) else value


def _qualities(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: "; ".join(map(_quality, metrics)) for name, metrics in value.items()}
    return [_quality(each) for each in value] if isinstance(value, list | tuple) else value


def _quality(metric: Mapping[str, object]) -> str:
    where = " ".join(str(metric[key]) for key in ("dataset", "split") if metric.get(key))
    return f"{metric['name']} {metric['value']}" + (f" on {where}" if where else "")


def _calls(value: object) -> object:
    """Signatures and entrypoints by name, each in one line."""
    if not isinstance(value, Mapping):
        return value
    lines = [f"{name} (signature)" for name in value.get("signatures", ())]
    lines += [f"{name} (entrypoint)" for name in value.get("entrypoints", ())]
    return lines or value


def _people(value: object) -> object:
    return [_person(each) for each in value] if isinstance(value, Sequence) else value


def _person(developer: Mapping[str, object]) -> str:
    kind = developer.get("kind", "person")
    return f"{developer['name']} ({kind})"


def _files(value: object) -> object:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    return [_file(each) for each in value]


def _file(file: object) -> object:
    if not isinstance(file, Mapping):
        return file
    length = file.get("size")
    rest = [str(inner) for key, inner in file.items() if key in ("format", "role", "kind")]
    counted = [
        f"{count(inner)} {words(key)}"
        for key, inner in file.items()
        if key in ("parameters", "macs") and isinstance(inner, int)
    ]
    told = ", ".join([*([size(length)] if isinstance(length, int) else []), *rest, *counted])
    return f"{file['path']} ({told})" if told else file["path"]


def _releases(value: object) -> object:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    return [_past(each) for each in value]


def _past(release: object) -> object:
    if not isinstance(release, Mapping):
        return release
    told = [day(release["published"])] if release["published"] else []
    told += ["yanked"] if release.get("yanked") is not None else []
    return f"{release['version']} ({', '.join(told)})" if told else release["version"]


def _environment(value: object) -> object:
    artifacts = value.get("artifacts") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not artifacts:
        return value
    if isinstance(artifacts, Mapping):
        offered: object = {key: _listed(map(_artifact, each)) for key, each in artifacts.items()}
    else:
        offered = [_artifact(each) for each in artifacts]
    rest = {key: inner for key, inner in value.items() if key != "artifacts"}
    return {"formats": offered, **rest}


def _artifact(artifact: Mapping[str, object]) -> str:
    contexts = artifact.get("contexts") or ("python",)
    assert isinstance(contexts, Sequence)
    return f"{artifact['format']} for {' and '.join(map(str, contexts))}"


_FORMS: dict[str, Callable[[object], object]] = {
    "size": _sizes,
    "quality": _qualities,
    "interfaces": _calls,
    "developers": _people,
    "components": _files,
    "running-environment": _environment,
    "release-history": _releases,
}


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def usage(entry: Entry, signatures: Mapping[str, Signature]) -> str:
    """A few lines of Python that load the default variant and call it."""
    variant = default_variant(entry.variants)
    chosen = f', variant="{variant.name}"' if len(entry.variants) > 1 else ""
    lines = ["import modelshelf", "", f'model = modelshelf.load("{entry.name}"{chosen})']
    if signatures:
        one = next(iter(signatures.values()))
        inputs = ", ".join(f"{name}={name}" for name in one.inputs)
        lines += [*(f"# {name}: {tensor}" for name, tensor in one.inputs.items())]
        lines.append(f"outputs = model({inputs})")
        lines += [f'outputs["{name}"]  # {tensor}' for name, tensor in one.outputs.items()]
    return "\n".join(lines)


def alerts(entry: Entry, newest: str, upstream: str | None = None) -> tuple[Alert, ...]:
    """What a reader must know before choosing this release; worst first.

    `newest` is the version that `install` takes, `upstream` the highest that is only described.
    """
    found = []
    if entry.status == "quarantined":
        found.append(Alert("bad", "Quarantined.", "The operators have put this package aside."))
    if entry.scan is not None and entry.scan.withholds:
        text = "The scanner found what no list allows; nobody can choose this release anew."
        found.append(Alert("bad", "Blocked.", text, "#scanner", "What it saw"))
    if entry.yanked is not None:
        found.append(Alert("bad", "Yanked.", entry.yanked or "The publisher withdrew it."))
    found += _described(entry)
    if entry.status == "deprecated":
        url = package_url(entry.successor) if entry.successor else None
        text = "Use its successor:" if url else "The publisher advises against new uses."
        found.append(Alert("warn", "Deprecated.", text, url, entry.successor))
    if entry.status == "archived":
        found.append(Alert("warn", "Archived.", "There will be no further releases."))
    url = package_url(entry.name)
    if entry.version not in (newest, upstream):
        found.append(Alert("warn", "Not the latest version.", "The latest is", url, newest))
    if upstream not in (None, newest, entry.version) and _is_newer(upstream, entry.version):
        text = "This registry describes a newer one without having its files:"
        found.append(Alert("warn", "Newer upstream.", text, f"{url}/{quote(upstream)}", upstream))
    return tuple(found)


def _is_newer(version: str, than: str) -> bool:
    return Version.parse(version) > Version.parse(than)


def _described(entry: Entry) -> list[Alert]:
    """That there are no files, and where there are some."""
    if not entry.described or entry.upstream is None:
        return []
    hub = hub_name(entry.upstream.hub)
    url = entry.upstream.url if is_link(entry.upstream.url) else None
    if entry.upstream.gone:
        return [Alert("bad", "Files gone.", f"{hub} has none any more: {entry.upstream.gone}")]
    at = f" {hub} has it at" if url else ""
    text = f"No files of it are here: it cannot be installed.{at}"
    return [Alert("warn", "Described only.", text, url, url)]


def newer_generations(families: Sequence[InFamily]) -> tuple[Alert, ...]:
    """That there are later designs of the algorithms, for the same task and the same data."""
    newer = {each.newer: each.newer_title or each.newer for each in families if each.newer}
    text = "The same task, learned from the same data:"
    return tuple(
        Alert("note", "A newer generation.", text, f"/families/{quote(key)}", title)
        for key, title in newer.items()
    )


def links(record: Record) -> tuple[tuple[str, str], ...]:
    """The record's web addresses with what each is; others than http and https are left out."""
    package = record.package
    labelled = [
        ("Home page", package.homepage),
        ("Source code", package.source),
        ("Issues", package.issues),
        ("Demo", package.demo),
        ("Contributing", package.contributing),
        ("Report a vulnerability", package.security),
        *((f"Paper {number}", url) for number, url in enumerate(package.papers[:10], 1)),
    ]
    return tuple((label, url) for label, url in labelled if url and is_link(url))


def chips(record: Record) -> tuple[tuple[str, str], ...]:
    """(facet, value) pairs that lead from a package to others of its kind."""
    package = record.package
    pairs = [("task", package.task), ("algorithm", package.algorithm), ("license", package.license)]
    pairs += [("dataset", dataset) for dataset in package.datasets[:12]]
    return tuple((facet, value) for facet, value in pairs if value)


def keywords(record: Record) -> list[str]:
    """Keywords that no chip says already."""
    said = {value.lower() for _facet, value in chips(record)}
    return [each for each in record.package.keywords if each.lower() not in said]


def needs(record: Record) -> tuple[str, ...]:
    """What must be there around the models: Python, packages, frameworks, hardware."""
    requires = record.requires
    python = (f"Python {requires.python_version}",) if requires.python_version else ()
    frameworks = tuple(f"{name} {wanted}" for name, wanted in requires.frameworks.items())
    return (*python, *frameworks, *requires.python, *requires.hardware)[:40]
