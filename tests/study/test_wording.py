"""Names of architectures and models, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelshelf.study.wording import parse, plain_numbers, tokens

CASES = [
    ("Sparrow V2 50", "sparrow v2", {"number": 50}),
    ("Sparrow50-v2", "sparrow v2", {"number": 50}),
    ("sparrowv2-l", "sparrow v2", {"size": "l"}),
    ("sparrowv3s", "sparrow v3", {"size": "s"}),
    ("SparrowNet-B3", "sparrownet", {"b": 3}),
    ("Sparrow-A (large)", "sparrow a", {"size": "large"}),
    ("Sparrow (N=18, F=448)", "sparrow", {"n": 18, "f": 448}),
    ("Sparrow-deep", "sparrow", {"size": "deep"}),
    ("wide_sparrow101_2", "wide sparrow", {"number": 101}),
    ("sparrow50_32x4d", "sparrow", {"number": 50, "shape": "32x4d"}),
    ("sparrow101x3-v2", "sparrow v2", {"shape": "101x3"}),
    ("sparrow39ds", "sparrow", {"number": "39ds"}),
    ("sparrow1_1", "sparrow", {"width": 1.1}),
    ("sparrow_v2_x0_5", "sparrow v2", {"x": 0.5}),
    ("Sparrow-5 (large)", "sparrow 5", {"size": "large"}),
    ("sparrow2", "sparrow2", {}),
    ("S3P", "s3p", {}),
    ("Transformer-XL", "transformer xl", {}),
    ("sparrow_en_uncased_L-12_H-768_A-4", "sparrow",
     {"language": "en", "training": "uncased", "l": 12, "h": 768, "a": 4}),
    ("sparrow-de-dim50-with-normalization", "sparrow",
     {"language": "de", "dim": 50, "training": "normalization"}),
    ("small_sparrow", "small sparrow", {}),
    ("", "", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "features"), CASES)
def test_a_name_without_its_sizes(text: str, name: str, features: dict[str, object]) -> None:
    found = parse(text)
    assert (found.name, found.features) == (name, features)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("birds/sparrow_v1_025_128/classes", ["025", "128"]), ("sparrow50", ["50"]), ("v2", [])],
)
def test_numbers_that_stand_for_themselves(text: str, numbers: list[str]) -> None:
    assert plain_numbers(text) == numbers


@given(some.text(max_size=600))
def test_any_text_is_read(text: str) -> None:
    found = parse(text)
    # the first word is always name: nothing is made of features alone
    assert bool(found.words) == bool(tokens(text[:400]))
