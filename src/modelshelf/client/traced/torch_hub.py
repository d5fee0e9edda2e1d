"""Watches `torch.hub`: repositories with a `hubconf.py`, and weights from a URL.

Names and defaults are those of `torch/hub.py`. What it caches of a repository does not say which
commit it is, but the archive that it comes in does: GitHub writes it into the zip's comment.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from modelshelf.client.traced._recorder import Trace

THROUGH = "torch.hub"
OUTER = "load_state_dict_from_url"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"-([a-f0-9]*)\.")  # torch.hub.HASH_REGEX
_END_OF_ZIP = b"PK\5\6"


def _watch(module: ModuleType, trace: Trace) -> None:
    folders: dict[str, Path] = {}
    commits: dict[str, str] = {}
    archive = threading.local()

    def begun() -> None:
        archive.commit = None

    def cached(given: dict[str, Any], result: Any) -> None:
        repository = given["github"]
        folders[repository] = Path(result).absolute()
        if archive.commit:
            commits[repository] = archive.commit

    def downloaded(given: dict[str, Any], _result: None) -> None:
        file = Path(given["dst"]).expanduser().absolute()
        archive.commit = _commented(file)
        trace.loaded(
            THROUGH, url=given["url"], file=file, function="download_url_to_file",
            checked=bool(given.get("hash_prefix")),
        )  # fmt: skip

    def load(given: dict[str, Any], _result: object) -> None:
        repository = str(given.get("repo_or_dir") or given.get("github"))
        local = given.get("source", "github").lower() == "local"
        folder = Path(repository).absolute() if local else folders.get(repository)
        trace.loaded(
            THROUGH, repository=repository, model=given["model"], local=local, folder=folder,
            commit=commits.get(repository),
        )  # fmt: skip

    def weights(given: dict[str, Any], _result: object) -> None:
        folder = given.get("model_dir") or Path(module.get_dir(), "checkpoints")
        name = given.get("file_name") or Path(given["url"].split("?")[0]).name
        trace.loaded(
            THROUGH, url=given["url"], file=Path(folder, name).absolute(),
            function=OUTER, checked=bool(given.get("check_hash")),
        )  # fmt: skip

    trace.wrap(module, "_get_cache_or_reload", cached, before=begun, quiet=True)
    trace.wrap(module, "download_url_to_file", downloaded)
    trace.wrap(module, "load", load)
    trace.wrap(module, "load_state_dict_from_url", weights)


WATCH = {"torch.hub": _watch}


def told(events: list[dict[str, Any]], fetched: dict[str, Any]) -> list[dict[str, str | None]]:
    """A row for each repository and model, and for each address of weights."""
    rows = [_repository(event) for event in events if "repository" in event]
    urls: dict[str, dict[str, Any]] = {}
    for event in events:  # loading the weights calls the function that downloads them
        if "url" in event and (event["url"] not in urls or event["function"] == OUTER):
            urls[event["url"]] = event
    return rows + [
        _weights(event, *fetched.get(event["url"], (None, None))) for event in urls.values()
    ]


def _repository(event: dict[str, Any]) -> dict[str, str | None]:
    repository, model = event["repository"], event["model"]
    name, _, ref = repository.partition(":")
    what = f"{repository} {model}"
    commit = event["commit"] or _checked_out(event["folder"])
    if event["local"]:
        hint = f"a folder of this machine: shelf init {event['folder']} makes a package of it"
        return {"what": what, "pin": commit and f"commit {commit}", "hint": hint}
    if _COMMIT.fullmatch(ref):
        return {"what": what, "pin": _call(name, ref, model), "hint": "is pinned"}
    if commit:
        hint = "skip_validation=True where the commit is no longer the tip of a branch or tag"
        return {"what": what, "pin": _call(name, commit, model), "hint": hint}
    asked = ref or "HEAD"
    hint = f'pin to a commit: "{name}:COMMIT"; git ls-remote https://github.com/{name} {asked} tells it'
    return {"what": what, "pin": None, "hint": hint}


def _call(name: str, commit: str, model: str) -> str:
    return f'torch.hub.load("{name}:{commit}", "{model}")'


def _weights(event: dict[str, Any], size: int | None, sha256: str | None) -> dict[str, str | None]:
    name = Path(event["file"]).name
    row: dict[str, str | None] = {"what": event["url"], "pin": None, "hint": None}
    if sha256 is None:
        return {**row, "hint": "its file is gone: the sha256 is not known"}
    if event["function"] == "download_url_to_file":
        hint = "is pinned" if event["checked"] else f"{size:,} bytes"
        return {**row, "pin": f'hash_prefix="{sha256}"', "hint": hint}
    promised = _HASH.search(name)
    if promised and len(promised[1]) >= 8:
        return {
            **row,
            "pin": "check_hash=True",
            "hint": _kept(promised[1], sha256, event["checked"]),
        }
    stem, ending = Path(name).stem, Path(name).suffix
    pin = f'file_name="{stem}-{sha256[:8]}{ending}", check_hash=True'
    return {**row, "pin": pin, "hint": f"sha256 {sha256}, {size:,} bytes"}


def _kept(promised: str, sha256: str, checked: bool) -> str:
    if not sha256.startswith(promised):
        return f"the name promises sha256 {promised}..., the file has {sha256}"
    return (
        "is pinned" if checked else f"the file has the sha256 that its name promises, {promised}..."
    )


def _commented(path: Path) -> str | None:
    """The comment of a zip where it is a commit: the last 40 bytes, after the record of 22."""
    try:
        with path.open("rb") as file:
            file.seek(-62, os.SEEK_END)
            tail = file.read(62)
    except OSError:
        return None
    text = tail[22:].decode("latin-1")
    return text if tail.startswith(_END_OF_ZIP) and _COMMIT.fullmatch(text) else None


def _checked_out(folder: str | None) -> str | None:
    """The commit of a git checkout: `.git/HEAD`, or the branch that it names (gitrepository-layout)."""
    head = _line(folder, ".git", "HEAD")
    if head.startswith("ref: ") and ".." not in head:
        head = _line(folder, ".git", *head[5:].split("/"))
    return head if _COMMIT.fullmatch(head) else None


def _line(folder: str | None, *steps: str) -> str:
    if folder is None:
        return ""
    try:
        with Path(folder, *steps).open("rb") as file:
            return file.read(200).decode("latin-1").split("\n")[0].strip()
    except OSError:
        return ""
