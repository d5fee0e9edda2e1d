"""Files: there, plain, not empty, not reached through a link."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.files import check

LARGE = "large.onnx"
Build = Callable[..., Staged]


def _missing(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def _link_outside(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_missing, "does not exist"),
        (_empty, "is empty"),
        (_folder, "is not a plain file"),
        (_pipe, "is not a plain file"),
        (_link, "symbolic link"),
        (_link_outside, "symbolic link"),
        (_loop, "symbolic link"),
        (_dangling, "symbolic link"),
    ],
)
def test_a_file_that_cannot_be_published(
    staged: Build, folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(folder / LARGE)
    (problem,) = check(staged())
    assert words in problem.message
    assert f"`{LARGE}`" in problem.message
    assert problem.element == "variants[1].artifacts"
    assert problem.rule == "files"


def test_a_folder_that_is_a_link(staged: Build, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / LARGE).rename(tmp_path / "elsewhere" / LARGE)
    (folder / "sub").symlink_to(tmp_path / "elsewhere")
    (problem,) = check(staged(LARGE, f"sub/{LARGE}"))
    assert "symbolic link" in problem.message


def test_the_folder_itself_may_be_a_link(staged: Build, folder: Path) -> None:
    real = folder.rename(folder.with_name("real"))
    folder.symlink_to(real)
    assert list(check(staged())) == []


def test_every_file_that_the_record_names_counts(staged: Build) -> None:
    found = check(staged('task = "other"', 'task = "other"\nreadme = "README.md"'))
    assert [(each.element, each.message) for each in found] == [
        ("package.readme", "`README.md` does not exist")
    ]


def test_a_good_package_has_no_problem(staged: Build) -> None:
    assert list(check(staged())) == []
