"""What this machine has of what models need, from distributions that are really there."""

from __future__ import annotations

import logging
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

from modelshelf.client.machine import facts, hardware, require_met, unmet
from modelshelf.errors import Refused
from modelshelf.package.entry import Entry
from modelshelf.package.python_needs import needs
from modelshelf.package.record import Requires


def entry(requires: Requires) -> Entry:
    return Entry("acme/x", "1.2.0", "", 1, "", "", (), (), requires=requires)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Distributions that are installed: `half` with an extra, `broken` without metadata."""
    for name, text in {
        "half-1.5": "Name: half\nVersion: 1.5\nProvides-Extra: all\n"
        "Requires-Dist: nowhere-to-be-found>=2; extra == 'all'\n"
        "Requires-Dist: half[more]; extra == 'all'\nRequires-Dist: numpy<1; extra == 'more'\n",
    }.items():
        folder = tmp_path / f"{name}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\n{text}", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_only_what_is_asked_for_is_looked_up() -> None:
    found = facts(needs(Requires(("numpy>=1", "nowhere-to-be-found"))))
    assert found.installed == {"numpy": np.__version__, "nowhere-to-be-found": None}
    assert found.python == platform.python_version()
    assert found.markers["sys_platform"] == sys.platform


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("half>=1", []),
        ("half>=2", ["half>=2; half 1.5 is installed"]),
        ("half[all]", [
            "half[all], which needs nowhere-to-be-found>=2; nowhere-to-be-found is not installed",
            f"half[all], which needs numpy<1; numpy {np.__version__} is installed"]),
        ("nowhere-to-be-found; python_version<'3'", []),
    ],
)  # fmt: skip
def test_what_is_lacking_is_told(text: str, said: list[str], distribution: Path) -> None:
    one = entry(Requires((text,)))
    assert [str(each) for each in unmet(one, one.requires)] == [
        f"acme/x 1.2.0 needs {each}" for each in said
    ]


def test_code_does_not_run_without_what_it_needs() -> None:
    with pytest.raises(Refused, match=r"needs numpy>=99; numpy .* is installed"):
        require_met(entry(Requires(("numpy>=99",))), "pytorch-hub")


def test_without_code_what_is_lacking_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        require_met(entry(Requires(("numpy>=99",), None, {"onnxruntime": ">=99"})), "onnx")
    assert [each.name for each in caplog.records] == ["modelshelf"]
    assert "acme/x 1.2.0 needs onnxruntime>=99; onnxruntime" in caplog.text
    assert "numpy" not in caplog.text


def test_a_processor_is_always_there() -> None:
    assert hardware()["cpu"]
    assert unmet(entry(Requires(hardware=("cpu", "abacus"))), Requires(hardware=("cpu",))) == []
