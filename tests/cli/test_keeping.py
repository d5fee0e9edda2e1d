"""What an operator types to look after what a registry keeps, while it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD, Finished, run_here, serving, write_package

Operator = Callable[..., Finished]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data of a registry that runs, with a package."""
    folder = tmp_path_factory.mktemp("keeping")
    with serving(folder / "data") as url:
        env = {"MODELSHELF_HOME": str(folder / "home"), "MODELSHELF_REGISTRY": url}
        package = write_package(folder / "package", name="keeper/scale")
        login = ("login", "keeper", "--create", "--password-stdin")
        assert run_here(*login, cwd=folder, env=env, stdin=f"{PASSWORD}\n").code == 0
        assert run_here("publish", str(package), cwd=folder, env=env).code == 0
        yield folder / "data"


@pytest.fixture
def operator(data: Path, tmp_path: Path) -> Operator:
    def do(*words: str) -> Finished:
        return run_here("registry", *words, "--data", str(data), cwd=tmp_path, env={})

    return do


def told(done: Finished, code: int = 0) -> Any:
    assert done.code == code, done.out + done.err
    return json.loads(done.out)


def test_all_is_well(operator: Operator) -> None:
    done = operator("fsck")
    assert done.code == 0
    assert done.out.endswith("read: all is well.\n")
    report = told(operator("fsck", "--json"))
    assert report["findings"] == []
    assert report["files"] > 3


def test_what_is_lost_is_told_and_mended(operator: Operator, data: Path) -> None:
    blob = next((data / "segments").glob("??/*"))
    blob.unlink()
    done = operator("fsck")
    assert done.code == 1
    assert "wrong: a segment is lost or damaged\n  where: keeper/scale@1.0.0" in done.out
    assert done.out.endswith(" wrong.\n")
    found = told(operator("fsck", "--json"), 1)["findings"]
    assert {(each["kind"], each["what"], each["mended"]) for each in found} == {
        ("segment", blob.name, False)
    }
    assert "mended: a segment is lost" in operator("fsck", "--repair").out
    assert told(operator("fsck", "--json"))["findings"] == []


def test_nothing_is_garbage(operator: Operator, data: Path) -> None:
    assert operator("gc").out == "Nothing to free: everything is needed, or too young to tell.\n"
    blob = data / "segments" / "00" / ("0" * 64)
    blob.parent.mkdir(exist_ok=True)
    blob.write_bytes(b"blob")
    assert told(operator("gc", "--json"))["blobs"] == 0
    os.utime(blob, (0, 0))
    assert operator("gc", "--dry-run").out.startswith("Would free 4 B: 1 segment that")
    assert "note: stored segments that nobody needs" in operator("fsck").out
    assert told(operator("gc", "--json"))["freed_bytes"] == 4
    assert not blob.exists()


def test_another_place_is_refused(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    done = operator("fsck", "--repair", "--blobs", "s3://models?endpoint=http://127.0.0.1:9")
    assert done.code == 1
    assert "lie elsewhere" in done.err
