"""The comparison of scanners that the docs show, made anew where the other scanners are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks import scanners

PYTHON = scanners.ROOT / ".venv" / "environments" / "scanners" / "bin" / "python"


def test_nothing_harmful_passes_and_nothing_harmless_is_refused(tmp_path: Path) -> None:
    if not PYTHON.exists():
        pytest.skip("no environment for scanners: make test-frameworks sets it up")
    scanners.written(tmp_path)
    told = scanners.answers(tmp_path, str(PYTHON))
    refused = {name for name, each in told.items() if each[scanners.OURS]}
    assert refused == {name for name in told if name.startswith("harmful/")}
    assert not (tmp_path / "marker").exists()
    rows = scanners.table(told).splitlines()
    assert len({row.count("|") for row in rows}) == 1
    for rival in next(iter(told.values())).keys() - {scanners.OURS}:
        assert any(name in refused and not each[rival] for name, each in told.items()), rival
