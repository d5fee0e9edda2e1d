"""Choosing: which variants and artifacts answer what was asked."""

from __future__ import annotations

import pytest

from modelshelf.errors import NotFound
from modelshelf.package.entry import Entry, File
from modelshelf.package.environment import Environment
from modelshelf.package.record import Artifact, Dependency, Metric, Variant
from modelshelf.package.variant import fits, named, negotiated, selected

ONNX = Artifact("onnx", ("a.onnx",), ("python", "javascript"))
PICKLE = Artifact("pytorch", ("a.pt",))
TENSORS = Artifact("safetensors", ("a.safetensors",))
EDGE = Artifact("tflite", ("a.tflite",), ("edge",))
UNSAFE = {"pytorch"}.__contains__
SMALL, LARGE = Variant("small", (ONNX,)), Variant("large", (ONNX,), default=True)


NOWHERE_SPECIAL = Environment()


def entry(*variants: Variant) -> Entry:
    paths = sorted({p for v in variants for a in v.artifacts for p in a.files})
    files = tuple(File(path, 1000, "", "", "") for path in paths)
    return Entry("acme/x", "1.0.0", "", 1, "", "", files, variants)


def names(
    wanted: Dependency, *variants: Variant, where: Environment = NOWHERE_SPECIAL
) -> list[str]:
    found = selected(entry(*variants), wanted, where, UNSAFE)
    assert fits(entry(*variants), wanted, where)
    return [f"{variant} {format_}" for variant, format_, _ in found]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [((), ["large"]), (("small",), ["small"]), (("*",), ["small", "large"]), (("large", "small"), ["large", "small"])],
)  # fmt: skip
def test_variants_that_are_meant(wanted: tuple[str, ...], expected: list[str]) -> None:
    found = names(Dependency("*", variants=wanted), SMALL, LARGE)
    assert found == [f"{each} onnx" for each in expected]


def test_the_first_is_meant_where_none_is_marked() -> None:
    assert names(Dependency("*"), SMALL, Variant("other", (ONNX,))) == ["small onnx"]


def test_an_unknown_variant_names_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        named((SMALL, LARGE), "smal")
    assert caught.value.hint == "did you mean `small`?"
    assert caught.value.expected == "small, large"
    wanted = Dependency("*", variants=("small", "zzz"))
    assert not fits(entry(SMALL, LARGE), wanted, NOWHERE_SPECIAL)
    with pytest.raises(NotFound) as caught:
        selected(entry(SMALL, LARGE), wanted, NOWHERE_SPECIAL, UNSAFE)
    assert "--variant" in (caught.value.hint or "")


HALF = Variant("half", (ONNX, EDGE), features={"width": 0.5}, metrics=(Metric("top1", 0.6),))
WHOLE = Variant(
    "whole", (ONNX,), default=True, features={"width": 1.0}, metrics=(Metric("top1", 0.7),)
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("width<=0.5", ["half onnx"]),
        ("width<=1", ["whole onnx"]),
        ("top1>=0.65", ["whole onnx"]),
        ("top1<0.65, bytes<=1kB", ["half onnx"]),
    ],
)
def test_conditions_choose_the_variant_and_the_default_goes_first(
    where: str, expected: list[str]
) -> None:
    assert names(Dependency("*", where=where), HALF, WHOLE) == expected


@pytest.mark.parametrize("where", ["width>2", "bytes<10", "unheard=of"])
def test_conditions_that_nothing_meets(where: str) -> None:
    wanted = Dependency("*", where=where)
    assert not fits(entry(HALF, WHOLE), wanted, NOWHERE_SPECIAL)
    with pytest.raises(NotFound, match=where):
        selected(entry(HALF, WHOLE), wanted, NOWHERE_SPECIAL, UNSAFE)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Environment(contexts=("edge",)), ["half tflite"]),
        (Environment(formats=("tflite", "onnx"), contexts=("python", "edge")), ["half tflite"]),
        (Environment(formats=("onnx", "tflite")), ["half onnx"]),
    ],
)
def test_an_environment_says_what_it_can_use(where: Environment, expected: list[str]) -> None:
    assert names(Dependency("*"), HALF, where=where) == expected


def test_all_variants_are_all_that_the_environment_can_use() -> None:
    wanted = Dependency("*", variants=("*",))
    assert names(wanted, HALF, WHOLE, where=Environment(contexts=("edge",))) == ["half tflite"]


@pytest.mark.parametrize(
    ("format_", "context", "expected"),
    [
        (None, None, TENSORS),
        ("onnx", None, ONNX),
        ("pytorch", None, PICKLE),
        ("tflite", None, EDGE),
        (None, "javascript", ONNX),
        (None, "edge", EDGE),
        ("onnx", "javascript", ONNX),
    ],
)
def test_the_artifact_for_a_format_and_context(
    format_: str | None, context: str | None, expected: Artifact
) -> None:
    variant = Variant("v", (PICKLE, TENSORS, ONNX, EDGE))
    wanted = Dependency("*", format=format_, context=context)
    assert negotiated(variant, wanted, UNSAFE) == expected


def test_a_format_with_code_is_taken_where_there_is_no_other() -> None:
    assert negotiated(Variant("v", (PICKLE,)), Dependency("*"), UNSAFE) == PICKLE


@pytest.mark.parametrize(
    ("format_", "context"),
    [("gguf", None), (None, "remote"), ("onnx", "edge"), ("tflite", "python")],
)
def test_what_is_not_offered_names_what_is(format_: str | None, context: str | None) -> None:
    variant = Variant("v", (ONNX, EDGE))
    wanted = Dependency("*", format=format_, context=context)
    assert negotiated(variant, wanted, UNSAFE) is None
    with pytest.raises(NotFound) as caught:
        selected(entry(variant), wanted, NOWHERE_SPECIAL, UNSAFE)
    assert caught.value.expected == "onnx for python, javascript; tflite for edge"
