"""What is mutated: every fixture of the readers' tests, and files that writers of the tests make."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from modelshelf import formats
from modelshelf.errors import ShelfError
from tests.formats.conftest import TorchFiles
from tests.formats.hubconfs import CASES, UNRESOLVED

FIXTURES = Path(__file__).parents[1] / "formats"
SEED_BYTES = 300_000
"""Larger fixtures are left out: their mutations take long and reach nothing that others do not."""


class Seed(NamedTuple):
    """The files of one model by name, and the name of the one that carries its format."""

    format: str
    carrier: str
    files: dict[str, bytes]


def seeds() -> dict[str, list[Seed]]:
    """By format, in a fixed order."""
    found: dict[str, list[Seed]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in [*_fixtures(), *_written(Path(folder))]:
            seed = _seed(path)
            if seed is not None and sum(map(len, seed.files.values())) <= SEED_BYTES:
                found.setdefault(seed.format, []).append(seed)
    return dict(sorted(found.items()))


def _fixtures() -> list[Path]:
    told = sorted(FIXTURES.glob("*/*.*.json"))
    return [path.with_suffix("") for path in told if path.with_suffix("").exists()]


def _seed(path: Path) -> Seed | None:
    """A fixture that no reader takes, or that one is refusing on purpose, is no seed."""
    try:
        carrier = formats.carrier(path)
        facts = formats.read(carrier)
    except ShelfError:
        return None
    folder = path if path.is_dir() else path.parent
    needed = {folder / name for name in facts.companions}
    if path.is_dir() or path.name == "hubconf.py":
        needed = {each for each in folder.rglob("*") if each.is_file()}
    files = {
        each.relative_to(folder).as_posix(): each.read_bytes()
        for each in sorted({carrier, *needed})
        if each.is_file()
    }
    return Seed(facts.format, carrier.relative_to(folder).as_posix(), files)


def _written(folder: Path) -> list[Path]:
    """Files that the repository can write without a framework."""
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
        }
    ).encode()
    (folder / "two.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(32))
    return [folder / "two.safetensors", *_torch(folder), *_hubs(folder)]


def _torch(folder: Path) -> list[Path]:
    for name in ("zip", "legacy"):
        (folder / name).mkdir()
    made = TorchFiles(folder / "zip")
    state = made.state_dict({"w": made.tensor("0", (2, 3), 6), "b": made.tensor("1", (3,), 3)})
    old = TorchFiles(folder / "legacy")
    return [
        made.archive(state, {"0": bytes(24), "1": bytes(12)}),
        old.legacy(state, {"0": bytes(24), "1": bytes(12)}),
    ]


def _hubs(folder: Path) -> list[Path]:
    found = []
    for number, files in enumerate(
        [*CASES.values(), *({"hubconf.py": text} for text in UNRESOLVED.values())]
    ):
        for name, text in files.items():
            path = folder / f"hub{number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found.append(folder / f"hub{number}" / "hubconf.py")
    return found
