"""Names of data sets, compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelshelf.study.datasets import Datasets, normal


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("BirdNet (SN-2012-CLS)", "birdnet"),
        ("birdnet", "birdnet"),
        ("birdnet-2017", "birdnet"),
        ("BirdNet-21k", "birdnet 21k"),
        ("birdnet-sn-2012-cls", "birdnet sn"),
        ("the Bird Song corpus", "bird song"),
        ("Songs-400", "songs 400"),
        ("2017", "2017"),
    ],
)
def test_spellings_are_equal(text: str, name: str) -> None:
    assert normal(text) == name


KNOWN = Datasets(["BirdNet", "Songs"])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["Birds and Songs"], ("birds", "songs")),
        (["Songs", "birds"], ("birds", "songs")),
        (["Birds, Songs, Calls"], ("birds", "calls", "songs")),
        (["birdnet-sn-2012-cls"], ("birdnet",)),
        (["birdnet-21k"], ("birdnet 21k",)),
        (["Multiple"], ()),
        (["Other"], ()),
        ([], ()),
    ],
)
def test_labels(labels: list[str], names: tuple[str, ...]) -> None:
    assert KNOWN.of(labels) == names


@pytest.mark.parametrize(
    ("summary", "names"),
    [
        ("Feature vectors pre-trained on the BirdSat remote sensing dataset with 13 channels.",
         ("birdsat remote sensing",)),
        ("A model trained on Birds dataset provided by the Society.", ("birds",)),
        ("Sparrow fine-tuned on BirdNet-1k.", ("birdnet 1k",)),
        ("Text encoder trained on a variety of data.", ()),
        ("Trained on narrated videos.", ()),
        ("Nothing of the kind.", ()),
    ],
)  # fmt: skip
def test_where_no_label_names_data_the_summary_may(summary: str, names: tuple[str, ...]) -> None:
    assert KNOWN.of(["Multiple"], summary) == names
    assert KNOWN.of(["BirdNet"], summary) == ("birdnet",)


@given(some.lists(some.text(max_size=80), max_size=4), some.text(max_size=300))
def test_any_text_is_read(labels: list[str], summary: str) -> None:
    found = Datasets(labels).of(labels, summary)
    assert list(found) == sorted(set(found))
