"""Measure bytes and print the tables: `python -m benchmarks.bytes [--small] [PAIR ...]`."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.bytes import costs, model, pairs, peers, picture, report, shelf
from benchmarks.bytes.files import folder_bytes
from benchmarks.bytes.model import Size
from benchmarks.bytes.pairs import Pair
from benchmarks.bytes.report import Kept, Row
from benchmarks.measure import Result, disk, table

COSTS = "costs"
Found = TypeVar("Found")


def main(words: Sequence[str]) -> int:
    """Run what is asked for, or all of it. A missed goal is told, and is no failure."""
    parser = _parser()
    asked = parser.parse_args(words)
    names = [*(pair.name for pair in pairs.PAIRS), *pairs.FAMILIES, COSTS]
    for name in set(asked.what) - set(names):
        parser.error(f"there is no {name}; there are: {', '.join(names)}")
    size = model.SMALL if asked.small else model.FULL
    with tempfile.TemporaryDirectory(prefix="modelshelf-", dir=disk()) as folder:
        rows, kept, spent = _measured(Path(folder), size, asked.what or names, asked.large)
    for text in _tables(rows, kept, spent):
        print(f"{text}\n")
    if asked.json:
        about = {**_versions(), "model": "small" if asked.small else "full"}
        found = report.as_json(rows, kept, spent, about)
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if asked.svg:
        asked.svg.write_text(picture.svg(rows), encoding="utf-8")
    return 1 if any(row.verdict == report.FAILED for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bytes", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="PAIR", help="default: all pairs, and the costs")
    parser.add_argument("--small", action="store_true", help="a sixteenth of the model")
    parser.add_argument("--large", action="store_true", help="also 5 GB, which needs 20 GB of disk")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the shares")
    return parser


def _measured(
    folder: Path, size: Size, names: Sequence[str], large: bool
) -> tuple[list[Row], list[Kept], list[Result]]:
    rows = [_pair(folder, pair, size) for pair in pairs.PAIRS if pair.name in names]
    kept = [_family(folder, name, size) for name in pairs.FAMILIES if name in names]
    found: list[Result] = []
    if COSTS in names:
        found = [*_costs(folder, size)]
    if large:
        _tell("5 GB")
        fresh = _fresh(folder / "costs")
        found += _tried(lambda: costs.large_install(fresh)) or []
    return rows, kept, found


def _pair(folder: Path, pair: Pair, size: Size) -> Row:
    """One pair through all tools; its files are gone afterwards."""
    _tell(pair.name)
    files = folder / pair.name
    parent, child = pair.make(files, size)
    moved = _tried(lambda: shelf.upgrade(folder / "shop", parent, child))
    published, got = moved or (None, None)
    others = {
        name: peers.added(peer, folder / "peer", [parent] if parent else [], [child])
        for name, peer in peers.PEERS.items()
    }
    file_bytes = child.stat().st_size
    shutil.rmtree(files)
    return Row(pair.name, pair.title, file_bytes, pair.goal_at(size), published, got, others)


def _family(folder: Path, name: str, size: Size) -> Kept:
    """Four models as variants of one release: what each tool keeps of them."""
    _tell(name)
    title, shared = pairs.FAMILIES[name]
    made = _fresh(folder / name)
    files = pairs.family(made, size, shared=shared)
    ours = _tried(lambda: shelf.stored(folder / "shop", files))
    stored = {} if ours is None else {report.OURS: ours}
    for peer, run in peers.PEERS.items():
        stored[peer] = peers.added(run, folder / "peer", [], files)
    kept = Kept(name, title, folder_bytes(made), stored)
    shutil.rmtree(made)
    return kept


def _costs(folder: Path, size: Size) -> list[Result]:
    found: list[Result] = []
    for measure in (costs.cold_installs, costs.loading):
        _tell(measure.__name__.replace("_", " "))
        fresh = _fresh(folder / "costs")
        found += _tried(lambda measure=measure, fresh=fresh: measure(fresh, size)) or []
    return found


def _tried(step: Callable[[], Found]) -> Found | None:
    """What `step` gives; None where Modelshelf failed, which is told: the others go on."""
    try:
        return step()
    except (RuntimeError, AssertionError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"Modelshelf failed: {error}\n")
        return None


def _tables(rows: Sequence[Row], kept: Sequence[Kept], spent: Sequence[Result]) -> list[str]:
    found = [report.wire(rows)] if rows else []
    found += [report.storage(rows, kept)] if rows or kept else []
    return found + ([table(spent)] if spent else [])


def _versions() -> dict[str, str]:
    """Of the machine and of the peers."""
    pip = [str(peers.ENVIRONMENT / "bin" / "python"), "-m", "pip", "list", "--format", "json"]
    listed = json.loads(subprocess.run(pip, capture_output=True, check=True).stdout)
    wanted = {"hf_xet", "hf-xet", "huggingface_hub", "dvc", "mlflow-skinny", "safetensors", "torch"}
    versions = {each["name"]: each["version"] for each in listed if each["name"] in wanted}
    return {"machine": platform.platform(), "python": platform.python_version(), **versions}


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _tell(what: str) -> None:
    sys.stderr.write(f"measuring {what} ...\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
