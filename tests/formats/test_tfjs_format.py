"""The reader of TensorFlow.js' models, beside what TensorFlow.js says and against made-up harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.formats import carrier, read
from tests.formats.matrix import cases, expected, told

FOLDER = Path(__file__).parent / "tfjs"


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_says_what_tensorflow_js_says(case: Path) -> None:
    said = expected(case)
    assert told(read(carrier(case)), said) == said
