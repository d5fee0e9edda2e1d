"""Choosing: which variants and artifacts answer what was asked."""

from __future__ import annotations

import pytest

from modelshelf.errors import NotFound
from modelshelf.package.record import Artifact, Dependency, Variant
from modelshelf.package.variant import chosen, named, negotiated

ONNX = Artifact("onnx", ("a.onnx",), ("python", "javascript"))
PICKLE = Artifact("pytorch", ("a.pt",))
TENSORS = Artifact("safetensors", ("a.safetensors",))
EDGE = Artifact("tflite", ("a.tflite",), ("edge",))
UNSAFE = {"pytorch"}.__contains__
SMALL, LARGE = Variant("small", (ONNX,)), Variant("large", (ONNX,), default=True)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [((), ["large"]), (("small",), ["small"]), (("*",), ["small", "large"]), (("large", "small"), ["large", "small"])],
)  # fmt: skip
def test_variants_that_are_meant(wanted: tuple[str, ...], names: list[str]) -> None:
    found = chosen((SMALL, LARGE), Dependency("*", variants=wanted))
    assert [each.name for each in found] == names


def test_the_first_is_meant_where_none_is_marked() -> None:
    assert chosen((SMALL, Variant("other", (ONNX,))), Dependency("*")) == (SMALL,)


def test_an_unknown_variant_names_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        named((SMALL, LARGE), "smal")
    assert caught.value.hint == "did you mean `small`?"
    assert caught.value.expected == "small, large"
    with pytest.raises(NotFound) as caught:
        chosen((SMALL, LARGE), Dependency("*", variants=("small", "zzz")))
    assert "--variant" in (caught.value.hint or "")


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
    with pytest.raises(NotFound) as caught:
        negotiated(variant, Dependency("*", format=format_, context=context), UNSAFE)
    assert caught.value.expected == "onnx for python, javascript; tflite for edge"
