"""Models whose Python needs contradict: an older release where one fits, else both are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions


def runtime(wanted: str) -> str:
    return f'[requires]\nframeworks = {{ onnxruntime = "{wanted}" }}\n'


def test_an_older_release_that_fits_is_taken(shelf: Shelf, release: Publish) -> None:
    one = release("one", "1.0.0", add=runtime(">=1.10"))
    release("one", "1.1.0", add=runtime(">=1.20"), override=True)
    two = release("two", "1.0.0", add=runtime("<1.15"))
    succeeded(shelf("install", two))
    succeeded(shelf("install", f"{one}@^1.0"))
    assert versions(shelf) == {"one": "1.0.0", "two": "1.0.0"}
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"one": "1.0.0", "two": "1.0.0"}


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ('python_version = ">=3.12"', 'python_version = "<3.12"'),
        ('frameworks = { onnxruntime = ">=1.20" }', 'frameworks = { onnxruntime = "<1.15" }'),
        ('python = ["numpy>=2"]', 'python = ["numpy<2"]'),
    ],
    ids=["python", "framework", "distribution"],
)
def test_what_no_release_can_solve_is_told(
    mine: str, theirs: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    one = release("one", "1.0.0", add=f"[requires]\n{mine}\n")
    two = release("two", "1.0.0", add=f"[requires]\n{theirs}\n")
    done = shelf("install", one, two)
    assert done.code == 3, done.out
    for word in (one, two, "against", ">=", "<"):
        assert word in done.err
    assert not (project / "shelf.lock").exists()
    succeeded(shelf("install", one))
    before = (project / "shelf.lock").read_bytes()
    assert shelf("install", two).code == 3
    assert (project / "shelf.lock").read_bytes() == before


def test_markers_that_exclude_each_other_do_not_contradict(shelf: Shelf, release: Publish) -> None:
    one = release(
        "one", "1.0.0", add="""[requires]\npython = ["numpy>=2; sys_platform == 'darwin'"]\n"""
    )
    two = release(
        "two", "1.0.0", add="""[requires]\npython = ["numpy<2; sys_platform == 'linux'"]\n"""
    )
    succeeded(shelf("install", one, two))
    assert versions(shelf) == {"one": "1.0.0", "two": "1.0.0"}


def test_needs_of_a_format_that_is_not_installed_do_not_count(
    shelf: Shelf, release: Publish
) -> None:
    one = release("one", "1.0.0", add='[requires]\nframeworks = { jax = ">=0.5" }\n')
    two = release("two", "1.0.0", add='[requires]\nframeworks = { jax = "<0.4" }\n')
    succeeded(shelf("install", one, two))
    done = shelf("install", one, two, "--format", "safetensors")
    assert done.code == 3
    assert "jax" in done.err


def test_one_release_that_contradicts_itself_and_its_need(shelf: Shelf, release: Publish) -> None:
    release("base", "1.0.0", add=runtime(">=1.20"))
    name = release("top", "1.0.0", add=runtime("<1.15"), needs={"base": "^1.0"})
    done = shelf("install", name)
    assert done.code == 3
    assert "onnxruntime" in done.err
    assert f"{name}" in done.err
