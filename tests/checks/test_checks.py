"""The front door: every check is found, a good package passes, looking never raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.checks import Staged, checks, examine, sizes, stage
from modelshelf.package.elements import ELEMENTS

Build = Callable[..., Staged]


def test_every_check_is_found_once() -> None:
    rooms = [check.__module__.removeprefix("modelshelf.checks.") for check in checks()]
    assert set(rooms) >= {
        "agreement.encoding",
        "agreement.entrypoints",
        "agreement.files",
        "agreement.manifest",
        "agreement.readable",
        "agreement.signatures",
        "documentation.level",
    }
    assert len(set(rooms)) == len(rooms)


def test_a_good_package_has_no_problem(staged: Build) -> None:
    assert examine(staged()) == []


def test_what_is_staged(staged: Build, folder: Path) -> None:
    release = staged()
    assert set(release.facts) == {"small.onnx", "small.safetensors", "large.onnx"}
    assert release.unreadable == {}
    assert list(release.values) == [element.id for element in ELEMENTS]
    assert release.values["interfaces"].known == "declared"
    assert release.values["size"].known == "extracted"
    assert sizes(folder, release.record)["small.onnx"] == (folder / "small.onnx").stat().st_size


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\x80\x02cos\nsystem\n.", b"PK\x03\x04" * 99, b"\xff" * 5000]
)
@pytest.mark.parametrize(
    "format_", ["onnx", "safetensors", "pytorch", "torchscript", "pytorch-hub"]
)
def test_no_content_makes_looking_raise(
    staged: Build, folder: Path, content: bytes, format_: str
) -> None:
    (folder / "large.onnx").write_bytes(content)
    release = staged(
        'format = "onnx"\nfiles = ["large.onnx"]', f'format = "{format_}"\nfiles = ["large.onnx"]'
    )
    assert ("large.onnx" in release.facts) != ("large.onnx" in release.unreadable)
    assert all(problem.message for problem in examine(release))


def test_an_empty_folder_lacks_its_files(staged: Build, tmp_path: Path) -> None:
    record = staged().record
    found = examine(stage(tmp_path / "nothing", record))
    assert {problem.rule for problem in found} == {"files"}
    assert len(found) == 3


def test_a_format_without_a_reader_is_named(staged: Build) -> None:
    found = examine(staged('format = "safetensors"', 'format = "coreml"'))
    assert [problem.rule for problem in found] == ["readable"]
    assert "coreml" in found[0].message


def test_files_beside_the_first_are_read_as_what_they_claim(staged: Build, folder: Path) -> None:
    (folder / "notes.txt").write_text("plain")
    old = 'files = ["large.onnx"]'
    release = staged(old, 'files = ["large.onnx", "notes.txt", "small.safetensors"]')
    assert set(release.facts) == {"small.onnx", "small.safetensors", "large.onnx"}
    assert examine(release) == []
