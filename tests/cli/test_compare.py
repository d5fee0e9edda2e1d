"""`shelf compare` against a real registry: models side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from modelshelf.package.elements import ELEMENTS
from tests.cli.catalogue import Model, Product, write_product
from tests.conftest import Shelf

ONE = Product(
    "one",
    "CNN",
    "MIT",
    (Model("small", 0.5, 0.70, 10), Model("large", 1, 0.80, 40)),
    task="image-others",
)
TWO = Product(
    "two",
    "Filter",
    "MIT",
    (Model("only", 1, 0.75, 20),),
    '[requires]\npython = ["numpy>=1.26", "onnxruntime"]\npython_version = ">=3.11"\n',
    task="image-others",
)


@pytest.fixture
def names(shelf: Shelf, publisher: str, tmp_path: Path) -> tuple[str, str]:
    """Two packages, the first one in two releases."""
    for number, (product, version) in enumerate([(ONE, "1.0.0"), (ONE, "1.1.0"), (TWO, "1.0.0")]):
        folder = write_product(tmp_path / str(number), publisher, product, version)
        done = shelf("publish", str(folder))
        assert done.code == 0, done.err
    return f"{publisher}/one", f"{publisher}/two"


def told(shelf: Shelf, *words: str) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """The sides, and the rows by section and name."""
    done = shelf("compare", *words, "--json")
    assert done.code == 0, done.err
    value = json.loads(done.out)
    sides = [f"{each['version']}:{each['variant']}" for each in value["sides"]]
    return sides, {f"{row['section']}/{row['name']}": row for row in value["rows"]}


def test_rows_are_aligned_and_the_best_is_marked(names: tuple[str, str], shelf: Shelf) -> None:
    sides, rows = told(shelf, names[0], f"{names[0]}@1.0.0:large", names[1])
    assert sides == ["1.1.0:small", "1.0.0:large", "1.0.0:only"]
    assert rows["Quality/accuracy (grain)"]["values"] == [0.70, 0.80, 0.75]
    assert rows["Quality/accuracy (grain)"]["best"] == [1]
    assert rows["Bytes/onnx"]["best"] == [0]
    assert rows["Features/width"]["values"] == [0.5, 1, 1]
    assert rows["Requirements/numpy"]["values"] == [None, None, ">=1.26"]
    assert rows["Requirements/onnxruntime"]["values"] == [None, None, "any"]
    assert rows["Requirements/Python"]["values"] == [None, None, ">=3.11"]
    assert rows["Contexts/edge"]["values"] == [["onnx"]] * 3
    expected = "(x: float32[batch, 2]) -> (y: float32[batch, 2])"
    assert rows["Signatures/clean"]["values"] == [expected] * 3


def test_all_elements_are_there_each_with_how_it_is_known(
    names: tuple[str, str], shelf: Shelf
) -> None:
    _, rows = told(shelf, *names)
    elements = [rows[f"{each.dimension}/{each.name}"] for each in ELEMENTS]
    assert rows["Technical Documentation/Algorithm"]["values"] == ["CNN", "Filter"]
    assert all(len(each["known"]) == 2 for each in elements)
    quality = rows["Technical Documentation/Package Quality Evaluation"]["values"]
    assert [each[0]["value"] for each in quality] == [0.70, 0.75], "only of the variant"


def test_a_package_alone_shows_its_variants(names: tuple[str, str], shelf: Shelf) -> None:
    assert told(shelf, names[0])[0] == ["1.1.0:small", "1.1.0:large"]
    assert told(shelf, f"{names[0]}:*", names[1])[0] == ["1.1.0:small", "1.1.0:large", "1.0.0:only"]


def test_rows_on_which_all_agree_can_be_left_out(names: tuple[str, str], shelf: Shelf) -> None:
    _, rows = told(shelf, *names, "--differences")
    assert "Legal Information/License" not in rows
    assert "Technical Documentation/Algorithm" in rows
    out = shelf("compare", *names, "--differences").out
    assert re.search(r"^On \d+ other rows they agree\.$", out, re.MULTILINE)
    assert "License" not in out


@pytest.mark.parametrize("width", [50, 70, 120])
def test_it_fits_the_terminal(
    width: int, names: tuple[str, str], shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = shelf("compare", *names)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= width
    assert re.search(r"^accuracy \(grain\) +0\.7 +0\.75 \*$", done.out, re.MULTILINE)
    assert "Demo" not in done.out
    assert "Demo" in shelf("compare", *names, "--all").out


@pytest.mark.parametrize(
    ("words", "code", "told_of"),
    [
        (("{one}:smal", "{two}"), 1, "did you mean `small`"),
        (("{one}@9.0.0", "{two}"), 1, "There is no such release"),
        (("{one}x", "{two}"), 1, "there is no package"),
        (("{two}",), 2, "this is one model"),
        (("{one}:", "{two}"), 2, "ends too early"),
        (("{one}@", "{two}"), 2, "ends too early"),
        (("{one}:*",) * 5, 2, "these are 10 models"),
        (("one", "{two}"), 1, "not a package name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_no_side_is_told(
    words: tuple[str, ...], code: int, told_of: str, names: tuple[str, str], shelf: Shelf
) -> None:
    done = shelf("compare", *(word.format(one=names[0], two=names[1]) for word in words))
    assert done.code == code
    assert told_of in done.err
