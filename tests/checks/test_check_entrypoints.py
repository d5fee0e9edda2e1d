"""Entrypoints: those declared are those of `hubconf.py`, which is never run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.entrypoints import check

Build = Callable[..., Staged]
HUBCONF = """\
import os
os.environ["HUBCONF_WAS_RUN"] = "yes"
dependencies = ["torch"]

def small(width=8, *, pretrained=True):
    '''A small one.'''

def _helper():
    pass
"""
ARTIFACT = 'format = "pytorch-hub"\nfiles = ["hubconf.py"]'
SMALL = '\n[entrypoints.small]\n\n[[variants]]\nname = "small"\n'


@pytest.fixture
def hub(staged: Build, folder: Path) -> Build:
    """The package with a hubconf.py in place of its large variant, and given tables."""

    def build(tables: str, hubconf: str = HUBCONF) -> Staged:
        (folder / "hubconf.py").write_text(hubconf, encoding="utf-8")
        return staged(
            'format = "onnx"\nfiles = ["large.onnx"]', ARTIFACT, '\n[[variants]]\nname = "small"\n', tables
        )  # fmt: skip

    return build


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        'parameters = [{ name = "width", default = "8" }, { name = "pretrained", default = "True" }]',
        'parameters = [{ name = "width", type = "int", default = "8", description = "of a layer" }, { name = "pretrained", default = "True" }]',
    ],
)  # fmt: skip
def test_entrypoints_that_agree(
    hub: Build, parameters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUBCONF_WAS_RUN", raising=False)
    tables = SMALL.replace("small]\n", f"small]\n{parameters}\n", 1)
    assert list(check(hub(tables))) == []
    import os

    assert "HUBCONF_WAS_RUN" not in os.environ


def test_an_entrypoint_that_is_not_declared(hub: Build) -> None:
    (problem,) = check(hub('\n[[variants]]\nname = "small"\n'))
    assert problem.message == "hubconf.py defines the entrypoint `small`, which is not declared"
    assert problem.hint == "add a table [entrypoints.small]"
    assert (problem.file, problem.element) == ("hubconf.py", "entrypoints.small")


def test_an_entrypoint_that_is_not_defined(hub: Build) -> None:
    found = list(check(hub("\n[entrypoints.smal]" + SMALL)))
    assert [each.element for each in found] == ["entrypoints.smal"]
    assert found[0].hint == "did you mean `small`?"


@pytest.mark.parametrize(
    "parameters",
    [
        '{ name = "width", default = "16" }, { name = "pretrained", default = "True" }',
        '{ name = "width" }, { name = "pretrained", default = "True" }',
        '{ name = "width", default = "8" }',
        '{ name = "pretrained", default = "True" }, { name = "width", default = "8" }',
    ],
)
def test_parameters_that_differ_are_both_shown(hub: Build, parameters: str) -> None:
    tables = SMALL.replace("small]\n", f"small]\nparameters = [{parameters}]\n", 1)
    (problem,) = check(hub(tables))
    assert "but the file says (width=8, pretrained=True)" in problem.message


def test_entrypoints_of_another_file_are_not_this_ones(hub: Build) -> None:
    tables = SMALL.replace("small]\n", 'small]\n[entrypoints.other]\nfile = "other.py"\n', 1)
    assert list(check(hub(tables))) == []


def test_a_package_without_hubconf_has_none(staged: Build) -> None:
    assert list(check(staged())) == []


@pytest.mark.parametrize(
    "line",
    ["from elsewhere import *", "globals()[name] = small", "from elsewhere import medium",
     "large = make_large()\ndef make_large(): ..."],
)  # fmt: skip
def test_what_only_running_tells_is_a_warning(hub: Build, line: str) -> None:
    tables = SMALL + ("" if "make" not in line else "\n[entrypoints.make_large]\n")
    found = list(check(hub(tables, f"{HUBCONF}\n{line}\n")))
    assert found
    assert all(
        each.warning and "only running the file would tell" in each.message for each in found
    )
