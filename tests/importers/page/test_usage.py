"""Sections on use and on training, and the sentences that stand in for them."""

from __future__ import annotations

import pytest

from modelshelf.importers.page.markdown import read
from modelshelf.importers.page.training import hyperparameters, training
from modelshelf.importers.page.usage import usage
from modelshelf.package.record import Feature
from tests.importers.page.hostile import survives

PAGE = """\
## Overview
Digits. The network was trained on many digits.

## Training
The checkpoint used was `digits.ckpt`.
### Data
Digits, batch size of 1,024, for 30 epochs with Adam at a learning rate of 0.001.
### Fine-tuning
Nothing.

## Usage
Call it.
```python
hub.load("digits")
```
### Unsuitable use cases
Letters.

## Preprocessing
Make them small.
"""


def test_sections_on_use_are_kept_as_they_are() -> None:
    found = usage(read(PAGE))
    assert found is not None
    assert found.text == '## Usage\nCall it.\n```python\nhub.load("digits")\n```\n'
    assert found.source == "text"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Words.\n```python\nload()\n```", "code"),
        ("## Example use\nload()", "text"),
        ("Nothing.", None),
        ("## Intended use\nDigits.", None),
    ],
)
def test_without_a_section_code_shows_the_use(text: str, source: str | None) -> None:
    found = usage(read(text))
    assert (found.source if found else None) == source


def test_a_section_on_training() -> None:
    found = training(read(PAGE))
    assert found is not None
    assert found.told
    assert found.training.description is not None
    assert found.training.description.startswith("## Training\nThe checkpoint")
    assert "Fine-tuning" not in found.training.description
    assert found.training.checkpoint == "digits.ckpt"
    assert found.training.preprocessing == "## Preprocessing\nMake them small.\n"
    assert found.training.hyperparameters == {
        "learning-rate": 0.001,
        "batch-size": 1024,
        "epochs": 30,
        "optimizer": "Adam",
    }


def test_sentences_stand_in_for_a_section() -> None:
    text = "It was pre-trained on letters. It is fast.\n\nImages are resized to 64 pixels."
    found = training(read(text))
    assert found is not None
    assert not found.told
    assert found.training.description == "It was pre-trained on letters.\n"
    assert found.training.preprocessing == "Images are resized to 64 pixels.\n"


@pytest.mark.parametrize(
    "text",
    [
        "It is fast.",
        "Images are resized to 64 pixels.",
        "Use it in a model that gets trained on digits.",
        "## Changelog\n* It was trained on more digits.",
        "## Fine-tuning\nIt can be fine-tuned.",
    ],
)
def test_what_is_no_training(text: str) -> None:
    assert training(read(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batch size: 32", {"batch-size": 32}),
        ("weight decay of 1e-4 and momentum 0.9", {"weight-decay": 1e-4, "momentum": 0.9}),
        ("1,000,000 training steps, SGD", {"steps": 1_000_000, "optimizer": "SGD"}),
        ("a high learning rate", {}),
    ],
)
def test_settings_with_their_numbers(text: str, expected: dict[str, Feature]) -> None:
    assert hyperparameters(text) == expected


@pytest.mark.no_cover
@pytest.mark.parametrize("reader", ["usage", "training"])
def test_hostile_pages_end(reader: str) -> None:
    assert survives(f"modelshelf.importers.page.{reader}", reader) == ""
