"""The reader of hub.Modules, against what TensorFlow Hub loads and against made-up harm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import carrier, detect, read
from tests.formats.matrix import cases, expected, told
from tests.formats.tf_made import message, number

FOLDER = Path(__file__).parent / "tf_hub_module"
MODULE = FOLDER / "module.tf"


@pytest.mark.parametrize("case", cases(FOLDER), ids=lambda case: case.name)
def test_it_says_what_tensorflow_hub_says(case: Path) -> None:
    said = expected(case)
    assert told(read(carrier(case)), said) == said


def test_what_else_a_module_says() -> None:
    found = read(carrier(MODULE))
    assert found.format == "tf-hub-module"
    assert found.companions == (
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    )
    assert {"tags: train", "tags: none"} <= set(found.notes)
    assert found.spans.keys() <= set(found.companions)
    assert not found.unsafe


def test_its_folder_is_known_by_its_mark() -> None:
    assert carrier(MODULE).name == "tfhub_module.pb"
    found = detect(carrier(MODULE))
    assert found is not None
    assert found.name == "tf-hub-module"


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        (b"", "no mark"),
        (number(1, 2), "no mark"),
        (message(1, "x"), "no mark"),
        (number(1, 3) + message(2, b"\xff"), "not UTF-8"),
        (number(1, 3) + b"\x12\xff\xff", "cut off"),
    ],
)
def test_harm_is_refused(tmp_path: Path, mark: bytes, problem: str) -> None:
    shutil.copytree(MODULE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tfhub_module.pb").write_bytes(mark)
    with pytest.raises(FormatError, match=problem):
        read(tmp_path / "tfhub_module.pb", "tf-hub-module")


def test_what_a_reader_must_understand(tmp_path: Path) -> None:
    shutil.copytree(MODULE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tfhub_module.pb").write_bytes(number(1, 3) + message(2, "sparse"))
    assert "required feature: sparse" in read(tmp_path / "tfhub_module.pb").notes


def test_a_mark_without_a_model(tmp_path: Path) -> None:
    shutil.copy(MODULE / "tfhub_module.pb", tmp_path)
    with pytest.raises(FormatError, match="no SavedModel beside"):
        read(tmp_path / "tfhub_module.pb")
