"""The shelf as a bill of materials in CycloneDX 1.6 JSON: models, their files, their model cards.

https://cyclonedx.org/docs/1.6/json/. The serial number is made from what the shelf holds and no
time is told, so that equal shelves give equal bytes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping

from modelshelf import __version__
from modelshelf.client.exports import Contents, Export, Held
from modelshelf.package.record import Metric
from modelshelf.package.signature import Tensor

ROOT = "shelf"
Json = dict[str, object]


def write(contents: Contents) -> str:
    """The text of `bom.cdx.json`."""
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, contents.digest)}",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [
                    {"type": "application", "name": "modelshelf", "version": __version__}
                ]
            },
            "component": {"type": "application", "bom-ref": ROOT, "name": "shelf"},
        },
        "components": [_component(each) for each in contents.held],
        "dependencies": list(_dependencies(contents)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _dependencies(contents: Contents) -> Iterator[Json]:
    refs = {each.key: each.purl for each in contents.held}
    yield {"ref": ROOT, "dependsOn": [refs[key] for key in contents.roots]}
    for each in contents.held:
        yield {"ref": each.purl, "dependsOn": [refs[key] for key in each.needs]}


def _component(held: Held) -> Json:
    """The release. Its hash is that of the document that covers its record and all its files."""
    entry, publisher = held.entry, held.entry.name.partition("/")[0]
    package = held.record.package if held.record else None
    told = {
        "type": "machine-learning-model",
        "bom-ref": held.purl,
        "publisher": publisher,
        "group": publisher,
        "name": entry.name.partition("/")[2],
        "version": entry.version,
        "description": package.summary if package else None,
        "hashes": [{"alg": "SHA-256", "content": entry.manifest}],
        "licenses": [{"expression": entry.license}] if entry.license else None,
        "copyright": package.copyright if package else None,
        "purl": held.purl,
        "externalReferences": list(_references(held)),
        "components": [_file(held, path, sha256) for path, _, sha256 in _files(held)],
        "modelCard": _card(held),
        "properties": list(_properties(held)),
    }
    return _present(told)


def _references(held: Held) -> Iterator[Json]:
    yield {"type": "distribution", "url": held.page}
    package = held.record.package if held.record else None
    for kind, url in (
        ("vcs", package and package.source),
        ("issue-tracker", package and package.issues),
        ("website", package and package.homepage),
        ("security-contact", package and package.security),
    ):
        if url:
            yield {"type": kind, "url": url}


def _files(held: Held) -> list[tuple[str, int, str]]:
    return [(file.path, file.size, file.sha256) for file in held.files]


def _file(held: Held, path: str, sha256: str) -> Json:
    owners = [each for each in held.artifacts if path in {file.path for file in each.files}]
    told = {
        "type": "file",
        "bom-ref": f"{held.purl}#{path}",
        "name": path,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "properties": [_property("artifact", f"{each.variant} ({each.format})") for each in owners],
    }
    return _present(told)


def _property(name: str, value: str) -> Json:
    return {"name": f"modelshelf:{name}", "value": value}


def _properties(held: Held) -> Iterator[Json]:
    """What CycloneDX has no place for: commit, publication, what the models need around them."""
    entry, requires = held.entry, held.entry.requires
    yield _property("commit", entry.commit)
    yield _property("published", entry.published)
    yield from (_property("made-from", key) for key in held.bases)
    if requires.python_version:
        yield _property("requires:python-version", requires.python_version)
    yield from (_property("requires:python", each) for each in requires.python)
    for name, wanted in sorted(requires.frameworks.items()):
        yield _property("requires:framework", f"{name} {wanted}")
    yield from (_property("requires:hardware", each) for each in requires.hardware)


def _card(held: Held) -> Json | None:
    """The model card, so far as publisher, files and measurements tell."""
    package = held.record.package if held.record else None
    signatures = held.entry.signatures or (held.record.signatures if held.record else {})
    parameters = _present(
        {
            "task": package.task if package else None,
            "modelArchitecture": package.algorithm if package else None,
            "datasets": [
                {"type": "dataset", "name": name} for name in (package.datasets if package else ())
            ],
            "inputs": [t for s in signatures.values() for t in _tensors(s.inputs)],
            "outputs": [t for s in signatures.values() for t in _tensors(s.outputs)],
        }
    )
    installed = {each.variant for each in held.artifacts}
    metrics = [
        _metric(variant.name, metric)
        for variant in held.entry.variants
        if variant.name in installed
        for metric in variant.metrics
    ]
    told = {
        "modelParameters": parameters,
        "quantitativeAnalysis": {"performanceMetrics": metrics} if metrics else None,
    }
    return _present(told) or None


def _tensors(tensors: dict[str, Tensor]) -> Iterator[Json]:
    for name, each in tensors.items():
        yield {"format": f"{name}: {each}"}


def _metric(variant: str, metric: Metric) -> Json:
    where = (f"variant {variant}", metric.dataset, metric.split)
    return {
        "type": metric.name,
        "value": repr(metric.value),
        "slice": ", ".join(each for each in where if each),
    }


def _present(told: Mapping[str, object]) -> Json:
    """Without what nobody told: the schema takes no null."""
    return {name: value for name, value in told.items() if value not in (None, [], {})}


EXPORT = Export(
    "cyclonedx", "a bill of materials as CycloneDX 1.6, with model cards", "bom.cdx.json", write
)
