"""skops: a scikit-learn model as a tree of objects in JSON, with its arrays beside it in a zip.

Source: `skops/io/_persist.py` and the modules that `skops_nodes` names. Nothing is constructed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelshelf.errors import FormatError
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    TensorInfo,
    parameter_count,
    precision_of,
)
from modelshelf.formats.numpy_header import Header, check_size, header_of
from modelshelf.formats.skops_nodes import NODE_COUNT, Node, judged, nodes, type_of
from modelshelf.formats.spans import Span, disjoint
from modelshelf.formats.unpacked import Allowance
from modelshelf.formats.zip_members import LOCAL_MARK, Members

SCHEMA = "schema.json"
SCHEMA_BYTES = 64 * 1024 * 1024
PROTOCOL = 2
"""The newest protocol that is known here."""
RISK_COUNT = 100
UNSAID = ("Dtypes and shapes of inputs and outputs are not in the file.",)

_PACKAGES = {"sklearn": "scikit-learn"}
_OF_PYTHON = {"builtins", "collections", "datetime", "zoneinfo", "operator", "functools"}


def read(path: Path) -> Facts:
    """The estimator, its arrays and its types; `code` names those that skops does not trust."""
    with path.open("rb") as file:
        members = Members(file, path.stat().st_size)
        schema = _schema(members)
        found = list(nodes(schema))
        headers = dict(_arrays(members, found))
        spans = [span for name in headers if (span := _span(members, name, *headers[name]))]
    tensors = tuple(
        TensorInfo(name, header.dtype, header.shape) for name, (_, header) in headers.items()
    )
    risks = tuple(dict.fromkeys(_risks(found, path.name)))
    return Facts(
        format="skops",
        framework="scikit-learn",
        framework_version=_version(schema),
        tensors=tensors,
        parameters=parameter_count(tensors),
        code=tuple(dict.fromkeys(risk.detail for risk in risks)),
        precision=precision_of(tensors),
        python_packages=tuple(_packages(found)),
        unsaid=UNSAID,
        notes=(str(type_of(schema))[:500], *_notes(schema, found)),
        risks=risks[:RISK_COUNT],
        spans={path.name: disjoint(spans)} if spans else {},
    )


def claims(path: Path, head: bytes) -> bool:
    """By its suffix: any zip may hold a schema.json."""
    return path.suffix.lower() == ".skops" and head.startswith(LOCAL_MARK)


def _schema(members: Members) -> dict[str, Any]:
    if SCHEMA not in members.infos:
        raise FormatError(
            "the archive holds no skops model",
            expected=SCHEMA,
            hint="save the model with skops.io.dump",
        )
    with members.opened(SCHEMA, Allowance(SCHEMA_BYTES)) as content:
        if content.wrong or content.size > SCHEMA_BYTES:
            raise FormatError(f"{SCHEMA} cannot be read", got=content.wrong or "too large")
        raw = content.file.read(content.size)
    if sum(map(raw.count, (b"[", b"{", b","))) > NODE_COUNT:  # before they become objects
        raise FormatError(f"{SCHEMA} has more than {NODE_COUNT} parts")
    try:
        schema = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{SCHEMA} is not JSON", got=str(error)[:200]) from error
    protocol = schema.get("protocol") if isinstance(schema, dict) else None
    if type(protocol) is not int or not 0 <= protocol <= PROTOCOL:
        raise FormatError(
            "the file is of an unknown protocol",
            expected=f"0 to {PROTOCOL}",
            got=str(protocol)[:40],
        )
    assert isinstance(schema, dict)
    return schema


def _arrays(
    members: Members, found: list[tuple[str, Node]]
) -> Iterator[tuple[str, tuple[str, Header]]]:
    """Arrays that lie in files of their own, once each, by the name of their first place."""
    seen: set[str] = set()
    for name, node in found:
        file = node.get("file")
        if node.get("__loader__") != "NdArrayNode" or file is None or file in seen:
            continue
        if file not in members.infos:
            raise FormatError(
                f"array {name[:80]!r} is missing from the archive", got=str(file)[:80]
            )
        seen.add(file)
        with members.beginning(file) as content:
            header = header_of(content)
        check_size(header, members.infos[file].file_size)
        if header.value_bytes is None:
            raise FormatError(f"array {name[:80]!r} is a pickle, which skops never writes")
        yield name or "array", (file, header)


def _span(members: Members, name: str, file: str, header: Header) -> Span | None:
    place = members.span(file)
    if not (place and header.data_bytes):
        return None
    return Span(place[0] + header.start, place[1], header.dtype, name)


def _risks(found: list[tuple[str, Node]], file: str) -> Iterator[Risk]:
    for _, node in found:
        if wrong := judged(node):
            yield Risk(*wrong, file)


def _attribute(schema: Node, name: str) -> Any:
    """A plain value among the attributes of the object at the top; None where there is none."""
    try:
        return json.loads(schema["content"]["content"][name]["content"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _version(schema: Node) -> str | None:
    """The version of scikit-learn that an estimator's state names."""
    version = _attribute(schema, "_sklearn_version")
    return version[:40] if isinstance(version, str) else None


def _packages(found: list[tuple[str, Node]]) -> list[str]:
    tops = {type_of(node).module.split(".")[0] for _, node in found}
    return sorted(_PACKAGES.get(top, top)[:80] for top in tops - _OF_PYTHON - {"__main__", ""})


def _notes(schema: Node, found: list[tuple[str, Node]]) -> Iterator[str]:
    version = schema.get("_skops_version")
    if isinstance(version, str):
        yield f"written by skops {version[:40]}, protocol {schema['protocol']}"
    count = _attribute(schema, "n_features_in_")
    if type(count) is int:
        yield f"takes {count} features"
    sparse = [name for name, node in found if node.get("__loader__") == "SparseMatrixNode"]
    yield from (f"{name[:200]} is a sparse matrix" for name in sparse[:20])


FORMAT = Format(
    name="skops",
    framework="scikit-learn",
    suffixes=(".skops",),
    contexts=("python",),
    advantages="A scikit-learn model without pickle: types are checked before anything is loaded.",
    disadvantages="Only Python with scikit-learn reads it; it carries no signature.",
    claims=claims,
    read=read,
)
