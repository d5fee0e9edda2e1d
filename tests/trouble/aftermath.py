"""What must hold of a registry whatever happened: what is visible is whole, what came is kept."""

from __future__ import annotations

import hashlib
import json
import re

from modelshelf.store.recipe import SMALL_BYTES, loads
from tests.registry.conftest import Client
from tests.trouble.proxy import Exchange


def visible_wrong(
    direct: Client, name: str, expected: dict[str, dict[str, str]], *, all_there: bool = False
) -> str | None:
    """A release that is visible and not whole, or None: its files, its recipes, its segments."""
    index = direct("GET", f"/index/{name}.jsonl")
    entries = [json.loads(line) for line in index.body.splitlines()] if index.status == 200 else []
    by_version = {entry["version"]: entry for entry in entries}
    if all_there and not expected.keys() <= by_version.keys():
        return f"published, but not visible: {list(by_version)}"
    for version in expected.keys() & by_version.keys():
        entry = by_version[version]
        listed = {file["path"]: file["sha256"] for file in entry["files"]}
        if listed != expected[version]:
            return f"{version} has other files: {listed}"
        for file in entry["files"]:
            if not _whole(direct, file["sha256"], file["size"]):
                return f"{version} is visible without all of {file['path']}"
    return None


def _whole(direct: Client, sha256: str, size: int) -> bool:
    if hashlib.sha256(direct("GET", f"/files/{sha256}").body).hexdigest() != sha256:
        return False
    answer = direct("GET", f"/recipes/{sha256}")
    if answer.status != 200:
        return size < SMALL_BYTES
    recipe = loads(answer.body, size)
    return all(direct("HEAD", f"/segments/{key}").status == 200 for key in recipe.distinct())


def sent_again(exchanges: list[Exchange]) -> str | None:
    """A segment or file that was sent once more after its end was acknowledged, or None."""
    complete: set[str] = set()
    for each in exchanges:
        match = re.search(r"/sessions/[^/]+/(segments|files)/([0-9a-f]{64})", each.path)
        if each.method == "PUT" and match:
            if match[2] in complete:
                return f"{each.path} was sent again"
            if each.whole and each.status == 200 and '"complete":true' in each.told:
                complete.add(match[2])
        elif each.method == "PUT" and each.whole and each.status == 200:
            asked = {wanted["id"] for wanted in json.loads(each.told or "{}").get("missing", ())}
            if again := asked & complete:
                return f"{again} were asked for again"
    return None
