"""OpenAPI 3.1 of all endpoints, made from what each states where it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from modelshelf.registry.routing import PASSWORD, Endpoint

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


class Failure(msgspec.Struct, frozen=True):
    """What every error answer holds."""

    error: str
    message: str
    where: str | None = None
    expected: object = None
    got: object = None
    hint: str | None = None
    problems: list[dict[str, object]] = []


def document(endpoints: Iterable[Endpoint], version: str) -> dict[str, object]:
    """The whole description, as the JSON object at `/openapi.json`."""
    listed = [endpoint for endpoint in endpoints if endpoint.documented]
    types: list[type] = [Failure]
    for endpoint in listed:
        types += [each for each in (endpoint.body, endpoint.returns) if each is not None]
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_anything, ref_template="#/components/schemas/{name}"
    )
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for endpoint in listed:
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Modelshelf registry", "version": version},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security()},
    }


def _operation(endpoint: Endpoint, schemas: dict[type, dict[str, object]]) -> dict[str, object]:
    answer: dict[str, object] = {"description": "Done"}
    if endpoint.returns is not None:
        answer["content"] = {"application/json": {"schema": schemas[endpoint.returns]}}
    failure = {"application/json": {"schema": schemas[Failure]}}
    operation: dict[str, object] = {
        "summary": endpoint.summary,
        "operationId": f"{endpoint.tag}.{endpoint.function.__name__}",
        "tags": [endpoint.tag],
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status): answer,
            "default": {"description": "What is wrong, and what to do", "content": failure},
        },
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": schemas[endpoint.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.scope is not None:
        scheme = "password" if endpoint.scope == PASSWORD else "token"
        operation["security"] = [{scheme: []}]
        operation["x-scope"] = endpoint.scope
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, object]]:
    text = {"type": "string"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    return in_path + [{"name": name, "in": "query", "schema": text} for name in endpoint.query]


def _anything(kind: type) -> dict[str, object]:
    """The schema of `object`, which is any JSON at all."""
    if kind is object:
        return {"description": "any JSON"}
    raise NotImplementedError


def _security() -> dict[str, object]:
    return {
        "token": {"type": "http", "scheme": "bearer", "description": "A token: shelf_..."},
        "password": {"type": "http", "scheme": "basic", "description": "Account and password"},
    }
