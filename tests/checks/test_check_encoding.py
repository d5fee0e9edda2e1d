"""Encoding: precision, opset and companions are those of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.encoding import check

Build = Callable[..., Staged]
LARGE = 'files = ["large.onnx"]'


@pytest.mark.parametrize("said", ['precision = "float32"', 'precision = "mixed"', "opset = 17", ""])
def test_what_the_file_says_may_be_declared(staged: Build, said: str) -> None:
    assert list(check(staged(LARGE, f"{LARGE}\n{said}"))) == []


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ('precision = "float16"', "precision", "declared float16, but the file says float32"),
        ("opset = 18", "opset", "declared 18, but the file says 17"),
    ],
)
def test_what_differs_is_shown_both_ways(staged: Build, said: str, field: str, words: str) -> None:
    (problem,) = check(staged(LARGE, f"{LARGE}\n{said}"))
    assert words in problem.message
    assert (problem.file, problem.rule) == ("large.onnx", "encoding")
    assert problem.element == f"variants[1].artifacts[0].{field}"


@pytest.mark.parametrize(
    ("read", "said", "count"),
    [
        ("float8_e4m3fn", "float8", 0),
        ("float8_e5m2fnuz", "float8", 0),
        ("uint8", "int8", 0),
        ("uint4", "int4", 0),
        ("bfloat16", "bfloat16", 0),
        ("bfloat16", "float16", 1),
        ("int64", "int8", 1),
        (None, "int8", 0),
    ],
)
def test_words_for_precision_cover_the_dtypes_of_files(
    staged: Build, read: str | None, said: str, count: int
) -> None:
    release = staged(LARGE, f'{LARGE}\nprecision = "{said}"')
    facts = msgspec.structs.replace(release.facts["large.onnx"], precision=read)
    assert len(list(check(release._replace(facts={"large.onnx": facts})))) == count


@pytest.fixture
def external(folder: Path) -> Path:
    """The large graph in a folder of its own, its weights in a file beside it."""
    import onnx
    from onnx.external_data_helper import convert_model_to_external_data

    path = folder / "sub" / "large.onnx"
    path.parent.mkdir()
    model = onnx.load(str(folder / "large.onnx"))
    convert_model_to_external_data(model, location="large.bin", size_threshold=0)
    onnx.save(model, str(path))
    return path


def test_external_data_must_be_listed(staged: Build, external: Path) -> None:
    (problem,) = check(staged(LARGE, 'files = ["sub/large.onnx"]'))
    assert problem.message == "the file needs `sub/large.bin`, which the artifact does not list"
    assert problem.hint == 'add "sub/large.bin" to files'
    assert external.with_name("large.bin").is_file()


def test_external_data_that_is_listed(staged: Build, external: Path) -> None:
    assert external.is_file()
    assert list(check(staged(LARGE, 'files = ["sub/large.onnx", "sub/large.bin"]'))) == []
