"""A hub comes aboard while the registry runs, and users meet what it brought."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hub_pages import page, write_hub
from tests.conftest import Finished, Shelf
from tests.publishing import Publish

Import = Callable[..., Any]
SAVED = Path(__file__).parents[1] / "formats" / "tf_savedmodel" / "words.tf"


@pytest.fixture
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A publisher of the hub that no other test uses."""
    import hashlib

    return "h" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:10]


@pytest.fixture
def bring(shelf: Shelf, registry_data: Path, tmp_path: Path, hub: str) -> Import:
    """Imports the snapshot of the test, and waits until the registry shows it."""
    folder = write_hub(tmp_path / "snapshot", hub)

    def brought(*options: str) -> Any:
        done = shelf(
            "registry", "import", f"tfhub:{folder}", "--data", str(registry_data), "--json",
            *options,
        )  # fmt: skip
        assert done.code == 0, done.out + done.err
        until = time.monotonic() + 60
        while "--dry-run" not in options and not found(shelf, f"{hub}/clean-a@2.0.0"):
            assert time.monotonic() < until
            time.sleep(0.2)
        return json.loads(done.out)

    return brought


def found(shelf: Shelf, release: str) -> bool:
    """Whether search and index know it by now."""
    name, _, version = release.partition("@")
    return shelf("info", release).code == 0 and version in shelf("search", name).out


def told(done: Finished, code: int = 0) -> Any:
    assert done.code == code, done.out + done.err
    return json.loads(done.out)


def test_a_hub_comes_aboard(bring: Import, shelf: Shelf, hub: str) -> None:
    first = bring("--dry-run")
    assert f"{hub}/clean-a@2.0.0" in first["added"]
    report = bring()
    assert report["added"] == first["added"]
    again = bring()
    assert (again["added"], again["updated"]) == ([], [])
    assert again["unchanged"] == len(report["added"])

    information = shelf("info", f"tfhub:{hub}/clean_A/2").out
    assert f"Imported from tfhub: https://tfhub.dev/{hub}/clean_A/2" in information
    assert "Described only" in information
    assert "declared (label)" in information
    assert shelf("info", f"https://tfhub.dev/{hub}/clean_A").out == information
    older = told(shelf("info", f"tfhub:{hub}/clean_A/1", "--json"))
    assert older["described"]
    assert "2.0.0 is newer" in older["elements"]["version-alert"]["value"]
    gone = shelf("info", f"{hub}/gone").out
    assert "Files gone: As of March 2024" in gone


def test_imported_packages_are_found(bring: Import, shelf: Shelf, hub: str) -> None:
    bring()
    for words in (f"{hub}/clean_A/2", f"https://tfhub.dev/{hub}/clean_A", f"tfhub {hub} clean_A"):
        results = told(shelf("search", words, "--json"))["results"]
        assert results[0]["name"] == f"{hub}/clean-a"
        assert (results[0]["hub"], results[0]["availability"]) == ("tfhub", "described-only")
    narrowed = told(shelf("search", hub, "--task", "image-denoising", "--json"))["results"]
    assert {each["name"].split("/")[1] for each in narrowed} == {"clean-a", "clean-b", "gone"}
    gone = told(shelf("search", hub, "--availability", "files-gone", "--json"))["results"]
    assert [each["name"] for each in gone] == [f"{hub}/gone"]


def test_nobody_can_install_them(bring: Import, shelf: Shelf, hub: str) -> None:
    bring()
    error = told(shelf("install", f"{hub}/clean-a", "--json"), 1)
    assert error["error"] == "NotFound"
    assert f"described only: its files are at https://tfhub.dev/{hub}/clean_A/2" in error["message"]
    assert "--assets" in error["hint"]
    assert "files are gone upstream" in shelf("add", f"{hub}/gone").err
    choice = told(shelf("choose", "--task", "image-denoising", "--json"), 1)
    reasons = {each["package"]: each["reason"] for each in choice["passed_over"]}
    assert reasons[f"{hub}/clean-b"].startswith("described only")
    assert reasons[f"{hub}/gone"].startswith("files gone")


def test_they_can_be_compared(bring: Import, shelf: Shelf, hub: str) -> None:
    bring()
    assert "tf-savedmodel" in shelf("compare", f"{hub}/clean-a", f"{hub}/clean-b").out
    assert shelf("diff", f"{hub}/clean-a@1.0.0", f"{hub}/clean-a@2.0.0").code == 0


def test_a_newer_snapshot_adds(bring: Import, tmp_path: Path, hub: str) -> None:
    before = bring()
    path = tmp_path / "snapshot" / "docs" / hub / "models" / "clean_A" / "3.md"
    path.write_text(page(f"{hub}/clean_A/3", "format: saved_model_2"), encoding="utf-8")
    report = bring()
    assert (report["added"], report["updated"]) == ([f"{hub}/clean-a@3.0.0"], [])
    assert report["unchanged"] == len(before["added"])


def test_files_make_it_installable(bring: Import, shelf: Shelf, tmp_path: Path, hub: str) -> None:
    bring()
    assert shelf("install", f"{hub}/clean-a").code == 1
    shutil.copytree(SAVED, tmp_path / "assets" / hub / "clean_A" / "2")
    report = bring("--assets", str(tmp_path / "assets"))
    assert (report["added"], report["updated"], report["failed"]) == ([], [], [])
    (one,) = report["supplied"]
    assert (one["release"], one["left_out"]) == (f"{hub}/clean-a@2.0.0", [f"{hub}/pre"])
    until = time.monotonic() + 60
    while (done := shelf("install", f"{hub}/clean-a")).code:
        assert time.monotonic() < until, done.err
        time.sleep(0.2)
    information = shelf("info", f"tfhub:{hub}/clean_A/2").out
    assert "Imported from tfhub" in information
    assert "Described only" not in information


def test_who_needs_a_described_package_is_told(
    bring: Import, shelf: Shelf, release: Publish, hub: str
) -> None:
    bring()
    assert f"{hub}/clean-a" in shelf("dependents", f"{hub}/pre").out
    need = f'[dependencies]\n"{hub}/clean-b" = "^1.0"\n'
    name = release("scale", "1.0.0", add=need)
    error = shelf("install", name)
    assert error.code == 3
    assert f"{hub}/clean-b ^1.0, which is only described" in error.err


def test_a_folder_of_assets_that_is_none(shelf: Shelf, tmp_path: Path, hub: str) -> None:
    folder = write_hub(tmp_path / "pages", hub)
    more = ("--data", str(tmp_path / "new"), "--assets", str(tmp_path / "none"))
    assert shelf("registry", "import", f"tfhub:{folder}", *more).code == 1


def test_text_for_people(shelf: Shelf, tmp_path: Path, hub: str) -> None:
    data = tmp_path / "new"
    done = shelf(
        "registry", "import", f"tfhub:{write_hub(tmp_path / 'pages', hub)}", "--data", str(data)
    )
    assert done.code == 0, done.err
    assert "new packages)" in done.out
    assert f"{hub}/clean-a@1.0.0" in done.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("nohub:x",), 2),
        (("tfhub:/does/not/exist",), 1),
    ],
)
def test_mistakes(
    shelf: Shelf, registry_url: str, registry_data: Path, words: tuple[str, ...], code: int
) -> None:
    assert registry_url
    assert shelf("registry", "import", *words, "--data", str(registry_data)).code == code


def test_old_names_that_lead_nowhere(shelf: Shelf) -> None:
    done = shelf("info", "tfhub:nobody/nothing/1")
    assert (done.code, "No package here has this handle" in done.err) == (1, True)
