"""Conditions: what they mean, and what is none."""

from __future__ import annotations

import pytest

from modelshelf.errors import Invalid
from modelshelf.package.condition import Value, facts, missed, parse
from modelshelf.package.entry import Entry, File
from modelshelf.package.license import kinds
from modelshelf.package.record import Artifact, Cost, Metric, Variant

ARTIFACT = Artifact(
    "tflite", ("a.tflite", "labels.txt"), ("edge", "python"), "int8", cost=Cost("t", macs=300)
)
VARIANT = Variant(
    "small",
    (ARTIFACT,),
    features={"width": 0.5, "depth": 18, "quantized": True},
    metrics=(
        Metric("top1", 0.7, dataset="imagenet"),
        Metric("top1", 0.6, dataset="imagenet-v2"),
        Metric("latency", 12.0),
    ),
)
FILES = (File("a.tflite", 4_000_000, "", "", ""), File("labels.txt", 1000, "", "", ""))
ENTRY = Entry("a/b", "1.0.0", "", 1, "", "", FILES, (VARIANT,), license="Apache-2.0")
KNOWN: dict[str, Value] = facts(ENTRY, VARIANT, ARTIFACT)


@pytest.mark.parametrize(
    "text",
    [
        "width<=0.5", "width=0.5", "width = 0.5",
        "depth>=18", "depth<19", "depth!=50", "quantized=true", "format=tflite", "format!=onnx",
        "context=edge", "context=python", "precision=INT8", "license=permissive",
        "license=apache-2.0", "bytes<=4.1MB", "bytes<4MiB", "bytes>3.8MiB", "macs<=0.3k",
        "top1>=60%", "top1@imagenet>=0.70", "top1=0.7", "latency<20", "variant=small", "package=a/b",
    ],
)  # fmt: skip
def test_holds(text: str) -> None:
    assert missed(parse(text), KNOWN) == ()


@pytest.mark.parametrize(
    "text",
    [
        "width<0.5", "depth=50", "quantized=false", "format=onnx", "context=javascript",
        "license=strong", "license!=permissive", "bytes<=4MB", "top1>=0.70", "speed>1", "speed!=1",
        "peak_memory<=1GB", "format<5",
    ],
)  # fmt: skip
def test_does_not_hold(text: str) -> None:
    assert [each.text for each in missed(parse(text), KNOWN)] == [text]


def test_a_list_tells_which_are_missed() -> None:
    wanted = parse("width<=0.5, format=onnx,, top1>=0.9 ")
    assert [each.text for each in missed(wanted, KNOWN)] == ["format=onnx", "top1>=0.9"]


@pytest.mark.parametrize(
    "text",
    ["width", "<=5", "width<=big", "width=<5", "width<=", "a=b=c", "a=[b]", "a=1;b=2", "x" * 501],
)
def test_is_none(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert caught.value.expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("MIT", ("permissive",)),
        ("GPL-3.0-only", ("strong",)),
        ("MIT OR GPL-3.0-only", ("permissive",)),
        ("Apache-2.0 AND LGPL-2.1-only", ("weak",)),
        ("CC-BY-NC-4.0", ("non-commercial",)),
        ("LicenseRef-own", ()),
    ],
)
def test_kinds_of_licenses(expression: str, words: tuple[str, ...]) -> None:
    assert kinds(expression) == words
