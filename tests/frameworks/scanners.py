"""Compare scanners: `python tests/frameworks/scanners.py [PYTHON]` prints the table of the docs.

PYTHON is the one of an environment with `environments/scanners.txt`; without it, the one that
`make test-frameworks` sets up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from modelshelf import __version__  # noqa: E402
from modelshelf.checks.safety.scan import RULES_VERSION, scan  # noqa: E402
from tests.checks.safety import benign, harmful  # noqa: E402

OURS = f"Modelshelf {__version__}, rules {RULES_VERSION}"
WORDS = {
    "instructions": "every instruction that imports or calls",
    "places": "odd suffixes, second pickles, damage after the payload",
    "calls": "functions that run something",
    "names": "look-alikes, dotted names, the publisher's own",
    "archives": "zip archives and what can be wrong with them, tar, 7z",
    "compressed": "compressed as joblib does",
    "arrays": "arrays of objects, joblib's arrays",
    "code": "machine code, byte code, YAML, Keras's Lambda",
    "pickles": "harmless: scikit-learn by pickle and joblib",
    "arrays-of-numpy": "harmless: NumPy's files",
    "media": "harmless: pictures, tables, texts, scripts",
    "stored": "harmless: PyTorch, TorchScript, torch.export, ONNX, skops",
}


def written(folder: Path) -> None:
    """Write the harmful files and those of real libraries, a folder for each kind."""
    harmful.write(folder / "harmful", folder / "marker")
    kinds = {
        "pickles": benign.pickles(),
        "arrays-of-numpy": benign.arrays(),
        "media": benign.media(),
        "stored": {
            path.name: path.read_bytes() for path in benign.STORED if path.suffix != ".json"
        },
    }
    for kind, files in kinds.items():
        for name, content in files.items():
            path = folder / "benign" / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def answers(folder: Path, python: str) -> dict[str, dict[str, bool]]:
    """Which scanner refuses which file."""
    done = subprocess.run(
        [python, "-P", str(Path(__file__).parent / "rivals.py"), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, dict[str, bool]] = json.loads(done.stdout)
    for name, each in told.items():
        path = folder / name
        each[OURS] = scan(path.parent, [path.name], {}).verdict == "blocked"
    return told


def table(told: dict[str, dict[str, bool]]) -> str:
    """Refused files of each kind by each scanner, and the totals."""
    scanners = [OURS, *(name for name in next(iter(told.values())) if name != OURS)]
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, each in told.items():
        group, kind, _ = name.split("/")
        for row in (kind, group):
            counts[row]["files"] += 1
            for scanner in scanners:
                counts[row][scanner] += each[scanner]
    rows = [
        f"| refused | files | {' | '.join(scanners)} |",
        f"|---|---|{'---|' * len(scanners)}",
    ]
    for kind, words in {
        **WORDS,
        "harmful": "**all harmful**",
        "benign": "**all harmless**",
    }.items():
        found = counts[kind]
        cells = " | ".join(str(found[each]) for each in scanners)
        rows.append(f"| {words} | {found['files']} | {cells} |")
    return "\n".join(rows)


def main(python: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder)
        told = answers(folder, python)
        assert not (folder / "marker").exists(), "a scanner ran a payload"
    sys.stdout.write(table(told) + "\n")


if __name__ == "__main__":
    usual = ROOT / ".venv" / "environments" / "scanners" / "bin" / "python"
    main(sys.argv[1] if len(sys.argv) > 1 else str(usual))
