"""Watches `huggingface_hub`: files and snapshots of repositories, with the commit that they are of.

The commit is in the path of the cache (`snapshots/COMMIT/`) or, with `local_dir`, in the first line of
the metadata file beside the download (`.cache/huggingface/download/NAME.metadata`).
"""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from modelshelf.client.traced._recorder import Trace

THROUGH = "huggingface_hub"
MOST_FILES = 1_000
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SNAPSHOT = re.compile(r"[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]|$)")


def _watch(module: ModuleType, trace: Trace) -> None:
    def note(given: dict[str, Any], path: Any) -> None:
        if not isinstance(path, (str, os.PathLike)):
            return  # a dry run, or not in the cache
        names = [given.get("subfolder"), given.get("filename")]
        trace.loaded(
            THROUGH,
            repository=given["repo_id"],
            kind=given.get("repo_type") or "model",
            file="/".join(str(name) for name in names if name) or None,
            revision=given.get("revision"),
            commit=_commit_of(os.fspath(path), given.get("local_dir")),
        )

    for name in ("hf_hub_download", "snapshot_download", "try_to_load_from_cache"):
        trace.wrap(module, name, note, quiet=True)


WATCH = {"huggingface_hub.file_download": _watch, "huggingface_hub._snapshot_download": _watch}


def told(events: list[dict[str, Any]], _fetched: object) -> list[dict[str, str | None]]:
    """A row for each commit of each repository."""
    found: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for event in events:
        key = (event["repository"], event["kind"], event["commit"])
        found.setdefault(key, []).append(event)
    return [_row(*key, same) for key, same in found.items()]


def _row(
    repository: str, kind: str, commit: str | None, events: list[dict[str, Any]]
) -> dict[str, str | None]:
    # a snapshot asks for its files by their commit: what it was asked for itself counts
    revisions = dict.fromkeys(event["revision"] for event in events)
    asked = [each for each in revisions if not (each and _COMMIT.fullmatch(each))]
    files = sorted({event["file"] for event in events if event["file"]})
    what = repository if kind == "model" else f"{repository} ({kind})"
    if len(files) == 1:
        what += f" {files[0]}"
    elif files:
        what += f" ({len(files)} files)"
    if not commit:
        return {"what": what, "pin": None, "hint": 'pin to a commit: revision="COMMIT"'}
    hint = f"asked for: {', '.join(each or 'the default branch' for each in asked)}"
    return {"what": what, "pin": f'revision="{commit}"', "hint": hint if asked else "is pinned"}


def _commit_of(path: str, local: Any) -> str | None:
    found = _SNAPSHOT.search(path)
    if found or not local:
        return found[1] if found else None
    root = Path(local).resolve()
    kept = root / ".cache" / "huggingface" / "download"
    if Path(path).resolve() != root:
        return _first_line(kept / f"{os.path.relpath(path, root)}.metadata")
    # the files of a snapshot are all of one commit: any of them tells
    files = islice(kept.rglob("*.metadata"), MOST_FILES)
    return next((commit for commit in map(_first_line, files) if commit), None)


def _first_line(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            text = file.read(40).decode("latin-1")
    except OSError:
        return None
    return text if _COMMIT.fullmatch(text) else None
