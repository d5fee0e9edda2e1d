"""Choosing among candidates: objectives, the best, why the others fell out."""

from __future__ import annotations

import msgspec
import pytest

from modelshelf.client.candidates import Candidate, of_release
from modelshelf.client.choose import Decision, Objective, decide, families, objectives, reasons
from modelshelf.errors import NotFound, ShelfError, UsageError
from modelshelf.package.condition import parse
from modelshelf.package.entry import Entry, File
from modelshelf.package.record import Artifact, Feature, Metric, Variant
from modelshelf.package.search import Hit


def candidate(name: str, **known: Feature) -> Candidate:
    metrics = {each: each in ("wer", "latency") for each in known if each not in ("bytes", "width")}
    return Candidate("acme/" + name, "1.0.0", "v", "onnx", {"format": "onnx", **known}, metrics)


CANDIDATES = (
    candidate("small", top1=0.6, bytes=10, wer=0.3),
    candidate("medium", top1=0.7, bytes=20, wer=0.2),
    candidate("worse", top1=0.65, bytes=25, wer=0.3),
    candidate("large", top1=0.8, bytes=90, wer=0.1, width=2),
    candidate("twin", top1=0.7, bytes=20, wer=0.2),
    candidate("silent", bytes=1),
)


def names(decision: Decision) -> list[str]:
    return [each.candidate.package.removeprefix("acme/") for each in decision.best]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ["large", "medium", "twin", "small"]),
        ("top1>=0.65", ["large", "medium", "twin"]),
        ("top1>=0.65, bytes<=50", ["medium", "twin"]),
        ("bytes<=15", ["small"]),
        ("width=2", ["large"]),
        ("top1>=0.9", []),
    ],
)
def test_the_best_come_in_order_and_equals_together(where: str, expected: list[str]) -> None:
    assert names(decide(CANDIDATES, parse(where))) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("top1>=0.65", "top1 maximize, bytes minimize"),
        ("bytes<=50, top1>=0.65", "bytes minimize, top1 maximize"),
        ("wer<=0.3", "wer minimize, bytes minimize"),
        ("wer>=0.1", "wer minimize, bytes minimize"),
        ("macs<=5", "top1 maximize, macs minimize"),
        ("width<=3", "top1 maximize, bytes minimize"),
        ("format=onnx", "top1 maximize, bytes minimize"),
    ],
)
def test_objectives_follow_from_the_conditions(where: str, expected: str) -> None:
    found = objectives(parse(where), CANDIDATES)
    assert ", ".join(f"{each.name} {each.goal}" for each in found) == expected


def test_objectives_that_are_named_count_alone() -> None:
    found = decide(CANDIDATES, (), [Objective("width", "maximize")])
    assert names(found) == ["large"]
    assert {each.lacks for each in found.silent} == {("width",)}


def test_why_each_fell_out() -> None:
    found = decide(CANDIDATES, parse("top1>=0.65, bytes<=50"))
    (worse,) = found.dominated
    assert (worse.candidate.package, worse.by.package) == ("acme/worse", "acme/medium")
    assert (worse.values, worse.by_values) == ((0.65, 25), (0.7, 20))
    told = [
        (each.candidate.package, [(miss.condition, miss.found) for miss in each.misses])
        for each in found.missed
    ]
    assert told == [
        ("acme/small", [("top1>=0.65", 0.6)]),
        ("acme/large", [("bytes<=50", 90)]),
        ("acme/silent", [("top1>=0.65", None)]),
    ]
    expected = {"top1>=0.65": 1, "bytes<=50": 1, "nothing said of top1": 1, "dominated": 1}
    assert reasons(found) == expected


def test_families_share_algorithm_and_data() -> None:
    nets = [msgspec.structs.replace(each, algorithm="CNN") for each in CANDIDATES[:4]]
    found = families(decide([*nets, *CANDIDATES[4:]], parse("top1>=0.65")))
    told = [(each.algorithm, each.packages, each.fitting, each.best) for each in found]
    assert told == [("CNN", 4, 3, 2), (None, 2, 1, 1)]


def test_where_nothing_fits_the_condition_to_relax_is_told() -> None:
    relax = decide(CANDIDATES, parse("top1>=0.75, bytes<=20")).relax
    assert relax is not None
    assert (relax.condition, relax.candidates, relax.nearest) == ("top1>=0.75", 4, 0.7)
    assert decide(CANDIDATES, parse("top1>=0.9, bytes<=5, width=7")).relax is None


@pytest.mark.parametrize(
    ("where", "named", "error", "word"),
    [
        ("topp1>=0.5", [], NotFound, "top1"),
        ("", ["byte"], NotFound, "bytes"),
        ("format=onxx", [], UsageError, "onnx"),
        ("context=egde", [], UsageError, "edge"),
        ("", ["bytes", "bytes"], UsageError, "twice"),
        ("", ["a", "b", "c", "d", "e", "f", "g"], UsageError, "at most"),
    ],
)
def test_unknown_words_are_told_with_the_nearest(
    where: str, named: list[str], error: type[ShelfError], word: str
) -> None:
    with pytest.raises(error) as caught:
        decide(CANDIDATES, parse(where), [Objective(name, "minimize") for name in named])
    assert word in f"{caught.value.message} {caught.value.hint}"


def test_a_metric_on_several_datasets_is_as_good_as_the_worst() -> None:
    metrics = (
        Metric("top1", 0.7, dataset="imagenet"),
        Metric("top1", 0.5, dataset="imagenet-v2"),
        Metric("top1", float("nan"), dataset="broken"),
    )
    artifact = Artifact("onnx", ("a",))
    both = (artifact, Artifact("onnx", ("a",), precision="int8"))
    variant = Variant("v", both, features={"huge": 10**400}, metrics=metrics)
    entry = Entry("a/b", "1.0.0", "", 1, "", "", (File("a", 4, "", "", ""),), (variant,))
    one, other = of_release(entry, Hit("a/b", "1.0.0", algorithm="CNN", datasets=("imagenet",)))
    assert Objective("top1", "maximize").of(one) == 0.5
    assert Objective("top1@imagenet", "maximize").of(one) == 0.7
    assert Objective("top1@broken", "maximize").of(one) is None
    assert (one.known["algorithm"], one.known["bytes"], str(other)) == (
        "CNN",
        4,
        "a/b v (onnx int8)",
    )
    assert "huge" not in one.known
    (note,) = decide([one, other], ()).notes
    assert "top1 was measured on broken, imagenet, imagenet-v2" in note
