"""What a release needs, held against the facts of an environment; which artifact fits one."""

from __future__ import annotations

import pytest

from modelshelf.package.entry import Entry
from modelshelf.package.environment import Environment, unmet
from modelshelf.package.record import Artifact, Dependency, Requires, Variant
from modelshelf.package.variant import selected


@pytest.mark.parametrize(
    ("python", "wanted", "fits"),
    [
        ("3.11", ">=3.11", True),
        ("3.11", ">=3.11.4", True),
        ("3.11", "<3.11.5", True),
        ("3.11", ">=3.11.2, <3.11.5", True),
        ("3.11", "==3.11.4", True),
        ("3.11", ">3.11", True),
        ("3.11", "<3.11", False),
        ("3.11", ">=3.12", False),
        ("3.11", "==3.10.*", False),
        ("3.11", "!=3.11.*", False),
        ("3.11.2", ">=3.11.4", False),
        ("3.11.4", "==3.11.4", True),
        ("3", ">=3.11", True),
        ("3.13.0rc1", ">=3.12", True),
        ("3.11", "banana", False),
        (None, ">=3.99", True),
    ],
)
def test_python(python: str | None, wanted: str, fits: bool) -> None:
    told = list(unmet(Requires(python_version=wanted), Environment(python=python)))
    assert (told == []) is fits
    if told:
        assert python is not None
        assert python in told[0]
        assert wanted in told[0]


@pytest.mark.parametrize(
    ("there", "needed", "lacking"),
    [
        (None, ("cuda",), []),
        ((), ("cuda", "avx2"), ["avx2", "cuda"]),
        (("cuda",), ("cuda",), []),
        (("CUDA",), ("cuda",), []),
        (("cuda",), ("Cuda", "rocm"), ["rocm"]),
        ((), (), []),
    ],
)
def test_hardware(
    there: tuple[str, ...] | None, needed: tuple[str, ...], lacking: list[str]
) -> None:
    told = list(unmet(Requires(hardware=needed), Environment(hardware=there)))
    assert told == [f"there is no {each}" for each in lacking]


@pytest.mark.parametrize(
    ("frameworks", "needed", "told"),
    [
        ({"torch": "2.4.0"}, {"torch": ">=2.5"}, ["torch 2.4.0 is not >=2.5"]),
        ({"torch": "2.5.1"}, {"torch": ">=2.5"}, []),
        ({"torch": "2.5"}, {"torch": ">=2.5.1"}, []),
        ({}, {"torch": ">=2.5"}, []),
        ({"jax": "0.4.1"}, {"torch": ">=2.5"}, []),
        ({"torch": "2.4.0+cu121"}, {"torch": "==2.4.0"}, []),
        ({"torch": "2.4.0"}, {"torch": "*"}, []),
    ],
)
def test_frameworks(frameworks: dict[str, str], needed: dict[str, str], told: list[str]) -> None:
    requires, environment = Requires(frameworks=needed), Environment(frameworks=frameworks)
    assert list(unmet(requires, environment)) == told


ARTIFACTS = (
    Artifact("onnx", ("a.onnx",), ("python", "javascript")),
    Artifact("tflite", ("a.tflite",), ("edge",)),
    Artifact("pytorch", ("a.pt",), ("python",)),
)


@pytest.mark.parametrize(
    ("environment", "wanted", "format_name"),
    [
        (Environment(), Dependency("*"), "onnx"),
        (Environment(contexts=("edge",)), Dependency("*"), "tflite"),
        (Environment(contexts=("edge", "python")), Dependency("*"), "tflite"),
        (Environment(contexts=("python", "edge")), Dependency("*"), "onnx"),
        (Environment(formats=("pytorch", "onnx")), Dependency("*"), "pytorch"),
        (Environment(formats=("onnx", "pytorch")), Dependency("*"), "onnx"),
        (Environment(contexts=("edge", "python"), formats=("onnx", "tflite")), Dependency("*"), "onnx"),
        (Environment(contexts=("edge",)), Dependency("*", context="javascript"), "onnx"),
        (Environment(), Dependency("*", format="tflite"), "tflite"),
    ],
)  # fmt: skip
def test_what_an_environment_prefers(
    environment: Environment, wanted: Dependency, format_name: str
) -> None:
    entry = Entry(
        name="acme/x", version="1.0.0", commit="0" * 40, number=1, manifest="0" * 64,
        published="2026-01-01T00:00:00Z", files=(), variants=(Variant("small", ARTIFACTS),),
    )  # fmt: skip
    found = selected(entry, wanted, environment, lambda name: name == "pytorch")
    assert [each.format for each in found.values()] == [format_name]
