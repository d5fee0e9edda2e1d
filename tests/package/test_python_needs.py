"""What models need of Python: what does not hold, what contradicts, in the words of the errors."""

from __future__ import annotations

import pytest

from modelshelf.package.python_needs import (
    Facts,
    Need,
    conflict,
    contradiction,
    distributions,
    mismatches,
    need_of,
    needed,
    needs,
)
from modelshelf.package.record import Requires

WINDOWS = {"sys_platform": "win32", "python_version": "3.12"}
LINUX = {"sys_platform": "linux", "python_version": "3.12"}
DEEP = "numpy; " + "(" * 240 + "os_name=='x'" + ")" * 240


def python(*texts: str) -> Requires:
    return Requires(python=texts)


def frameworks(**ranges: str) -> Requires:
    return Requires(frameworks=ranges)


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        (python("numpy>=2.0"), python("numpy<2"), "numpy>=2.0 against numpy<2"),
        (python("numpy>=1.26", "NumPy<3"), python("numpy>=3"), "NumPy>=1.26,<3 against numpy>=3"),
        (python("a-b==1"), python("A_B==2"), "a-b==1 against A_B==2"),
        (python("a[x]>=2"), python("a<1"), "a>=2 against a<1"),
        (Requires(python_version=">=3.12"), Requires(python_version="<3.12"),
         "Python >=3.12 against Python <3.12"),
        (frameworks(torch=">=2.4"), frameworks(pytorch="<2"), "torch>=2.4 against pytorch<2"),
        (frameworks(torch=">=2.4"), python("torch<2"), "torch>=2.4 against torch<2"),
        (python("a>=2; os_name=='nt'"), python("a<1; os_name=='nt'"), "a>=2 against a<1"),
        (python("numpy>=1.26"), python("numpy<2"), None),
        (python("numpy>=2"), python("scipy<1"), None),
        (python("numpy"), python("numpy<1"), None),
        (python("a>=2; os_name=='nt'"), python("a<1"), None),
        (python("a===1"), python("a===2"), None),
        (python("nonsense >< 1", DEEP, "a @ https://a.example/a.whl\n--pre"), python("nonsense<1"), None),
        (Requires(), python("numpy<2"), None),
        (frameworks(torch="*"), frameworks(torch="<2"), None),
    ],
)  # fmt: skip
def test_two_that_do_not_go_together(one: Requires, two: Requires, said: str | None) -> None:
    assert conflict(one, two) == said
    assert (conflict(two, one) is None) == (said is None)


@pytest.mark.parametrize(("environment", "clash"), [(WINDOWS, True), (LINUX, False)])
def test_markers_count_in_their_environment(environment: dict[str, str], clash: bool) -> None:
    marked = python("numpy>=2; sys_platform=='win32'")
    assert bool(conflict(marked, python("numpy<2"), environment)) is clash


@pytest.mark.parametrize(
    ("asked", "fewest"),
    [
        ([("a 1.0.0", "numpy>=2.0"), ("b 1.0.0", "numpy>1"), ("c 1.0.0", "numpy<2")],
         "a 1.0.0 needs numpy>=2.0, c 1.0.0 needs numpy<2: no version of numpy will do"),
        ([("a", "x>=1,<2"), ("b", "x!=1.0.*"), ("c", "x<1.1")],
         "a needs x>=1,<2, b needs x!=1.0.*, c needs x<1.1: no version of x will do"),
        ([("a", "python>=3.12"), ("b", "python<3.11")],
         "a needs python>=3.12, b needs python<3.11: no version of python will do"),
    ],
)  # fmt: skip
def test_a_contradiction_names_the_fewest(asked: list[tuple[str, str]], fewest: str) -> None:
    assert str(contradiction(asked)) == fewest


def test_what_goes_together_is_no_contradiction() -> None:
    assert contradiction([("a", "x>=1"), ("b", "x<2"), ("c", "y<1"), ("d", "x===1")]) is None


HERE = Facts(
    "3.11.2",
    {"numpy": "1.26.4", "scipy": None, "onnxruntime": None, "onnxruntime-gpu": "1.20.1",
     "onnxruntime-directml": None, "onnxruntime-openvino": None, "onnxruntime-qnn": None,
     "torch": None, "fastapi": "0.1", "rich": None, "typer": "0.2"},
    LINUX,
    {"fastapi": ("rich; extra == 'all'", "typer>=1; extra == 'all'", "x; extra == 'other'",
                 "fastapi[all]; extra == 'whole'", "numpy>=9")},
    {"cpu": True, "cuda": False},
)  # fmt: skip


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        (python("numpy>=2.0"), ["needs numpy>=2.0; numpy 1.26.4 is installed"]),
        (python("SciPy>=1"), ["needs SciPy>=1; SciPy is not installed"]),
        (python("scipy; sys_platform=='win32'"), []),
        (python("numpy @ https://a.example/numpy.whl"), []),
        (python("scipy; extra=='x'"), []),
        (python("numpy", "unknown>=1", "not readable!"), []),
        (Requires(python_version=">=3.12"), ["needs Python >=3.12; this is Python 3.11.2"]),
        (Requires(python_version=">=3.11"), []),
        (frameworks(onnxruntime=">=1.20"), []),
        (frameworks(onnxruntime=">=2"), ["needs onnxruntime>=2; onnxruntime-gpu 1.20.1 is installed"]),
        (frameworks(pytorch=">=2"), ["needs pytorch>=2; pytorch is not installed"]),
        (frameworks(tfjs=">=4"), []),
        (Requires(hardware=("cpu", "cuda", "abacus")), ["needs cuda; this machine has no cuda"]),
        (python("fastapi"), []),
        (python("fastapi[all]"), [
            "needs fastapi[all], which needs rich; rich is not installed",
            "needs fastapi[all], which needs typer>=1; typer 0.2 is installed"]),
        (python("fastapi[whole]"), [
            "needs fastapi[whole], which needs rich; rich is not installed",
            "needs fastapi[whole], which needs typer>=1; typer 0.2 is installed"]),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told_exactly(requires: Requires, said: list[str]) -> None:
    assert [str(each) for each in mismatches("acme/x 1.2.0", requires, HERE)] == [
        f"acme/x 1.2.0 {each}" for each in said
    ]


def test_of_what_is_not_known_nothing_is_said() -> None:
    everything = Requires(("numpy>=9",), ">=9", {"torch": ">=9"}, ("cuda",))
    assert mismatches("acme/x 1.2.0", everything, Facts()) == []


@pytest.mark.parametrize(
    ("formats", "python", "frameworks"),
    [
        ({"onnx": False}, False, {"onnxruntime", "of-my-own"}),
        ({"pytorch": True}, True, {"torch", "of-my-own"}),
        ({"onnx": False, "pytorch-hub": True}, True, {"torch", "onnxruntime", "of-my-own"}),
        ({"gguf": False}, False, {"of-my-own"}),
    ],
)
def test_only_what_the_artifacts_need_counts(
    formats: dict[str, bool], python: bool, frameworks: set[str]
) -> None:
    ranges = {"torch": ">=2", "onnxruntime": ">=1.20", "of-my-own": ">=1"}
    part = needed(Requires(("numpy>=1",), ">=3.11", ranges, ("cpu",)), formats)
    assert (bool(part.python), set(part.frameworks)) == (python, frameworks)
    assert (part.python_version, part.hardware) == (">=3.11", ("cpu",))


def test_needs_are_read_as_they_are_written() -> None:
    assert need_of("Foo_Bar[b,a]>=1,<2; os_name == 'nt'") == Need(
        ("foo-bar",), "<2,>=1", "Foo_Bar", 'os_name == "nt"', ("a", "b")
    )
    assert distributions(needs(Requires(("a", "b>1"), ">=3", {"sklearn": ">=1"}))) == {
        "a", "b", "scikit-learn",
    }  # fmt: skip
