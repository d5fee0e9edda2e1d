"""What a shelf holds, for other tools: the rules of each format, and that equal shelves are equal."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from modelshelf.client.exports import contents, exports, find
from modelshelf.errors import (
    IntegrityError,
    Invalid,
    LockStale,
    NetworkError,
    ShelfError,
    Unsatisfiable,
    UsageError,
)
from modelshelf.plugins import module_names
from tests.client.shelves import Release, write_shelf

X = Release("acme/x", 'python = ["numpy>=1.26", "alpha[b]>=1"]', needs=("acme/y",))
Y = Release("acme/y", 'python = ["NumPy<3", "alpha[a]>=1"]\nframeworks = { torch = ">=2" }',
            bases=("acme/z",), formats=("onnx", "pytorch"), license="LicenseRef-Own OR MIT")  # fmt: skip
Z = Release("acme/z", 'python_version = ">=3.8"\npython = ["tzdata; sys_platform == \'win32\'"]',
            version="0.1.0-rc.1+5", published="2025-01-01T00:00:00+01:00")  # fmt: skip


def written(root: Path, name: str, *releases: Release, roots: tuple[str, ...] = ("acme/x",)) -> str:
    return find(name).write(contents(*write_shelf(root, *releases, roots=roots)))


def read(root: Path, name: str, *releases: Release) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(written(root, name, *releases))
    return document


def test_every_export_is_found_by_its_file_name() -> None:
    assert list(exports()) == module_names("modelshelf.client.exports")
    with pytest.raises(UsageError) as caught:
        find("cyclone-dx")
    assert caught.value.hint == "did you mean `cyclonedx`?"


@pytest.mark.parametrize("name", ["requirements", "cyclonedx", "spdx"])
def test_equal_shelves_give_equal_bytes(name: str, tmp_path: Path) -> None:
    one = written(tmp_path / "one", name, X, Y, Z)
    assert one == written(tmp_path / "two", name, X, Y, Z)
    assert str(tmp_path) not in one
    assert one != written(tmp_path / "three", name, X._replace(version="1.2.1"), Y, Z)


def test_requirements_say_who_asks(tmp_path: Path) -> None:
    assert written(tmp_path, "requirements", X, Y, Z).splitlines()[1:] == [
        "alpha[a,b]>=1  # acme/x 1.2.0, acme/y 1.2.0",
        "numpy>=1.26,<3  # acme/x 1.2.0, acme/y 1.2.0",
        "# python>=3.8  # acme/z 0.1.0-rc.1+5",
        "torch>=2  # acme/y 1.2.0",
        'tzdata; sys_platform == "win32"  # acme/z 0.1.0-rc.1+5',
    ]


def test_frameworks_are_those_of_what_is_installed(tmp_path: Path) -> None:
    wanted = Release("acme/x", 'frameworks = { torch = ">=2", onnxruntime = ">=1.20" }')
    assert "torch" not in written(tmp_path, "requirements", wanted)


@pytest.mark.parametrize("name", ["requirements", "pylock"])
@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ('python = ["numpy>=2"]', 'python = ["numpy<2"]',
         "acme/x 1.2.0 needs numpy>=2, acme/y 1.2.0 needs numpy<2: no version of numpy will do"),
        ('python_version = ">=3.12"', 'python_version = "<3.12"', "no version of python will do"),
        ('python = ["numpy>=2; os_name == \'nt\'"]', 'python = ["numpy<2"]', 'where os_name == "nt"'),
        ('python = ["a @ https://a.example/a.whl"]', 'python = ["a @ https://b.example/a.whl"]',
         "only one of them can be there"),
    ],
)  # fmt: skip
def test_what_contradicts_is_explained(
    name: str, one: str, two: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(Unsatisfiable, match=re.escape(said)):
        written(tmp_path, name, Release("acme/x", one), Release("acme/y", two))


def test_models_in_cyclonedx(tmp_path: Path) -> None:
    told = read(tmp_path, "cyclonedx", X, Y, Z)
    x, y, z = told["components"]
    assert (x["type"], x["group"], x["name"], x["version"]) == (
        "machine-learning-model", "acme", "x", "1.2.0",
    )  # fmt: skip
    assert z["purl"] == "pkg:generic/acme/z@0.1.0-rc.1%2B5?repository_url=https://models.example"
    assert [each["name"] for each in y["components"]] == ["shelf.toml", "small.onnx", "small.pt"]
    content = x["components"][1]["hashes"][0]["content"]
    assert content == hashlib.sha256(b"acme/x").hexdigest()
    card = x["modelCard"]
    assert card["modelParameters"] == {
        "task": "image-classification", "modelArchitecture": "CNN",
        "datasets": [{"type": "dataset", "name": "uci-digits"}],
        "inputs": [{"format": "x: float32[batch, 2]"}], "outputs": [{"format": "y: float32[...]"}],
    }  # fmt: skip
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "accuracy", "value": "0.98", "slice": "variant small, uci-digits, test"}
    ]
    assert told["dependencies"] == [
        {"ref": "shelf", "dependsOn": [x["purl"]]},
        {"ref": x["purl"], "dependsOn": [y["purl"]]},
        {"ref": y["purl"], "dependsOn": []},
        {"ref": z["purl"], "dependsOn": []},
    ]


def test_packages_in_spdx(tmp_path: Path) -> None:
    told = read(tmp_path, "spdx", X, Y, Z)
    assert told["creationInfo"]["created"] == "2026-11-01T10:00:00Z"
    ids = [each["SPDXID"] for each in (*told["packages"], *told["files"])]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in ids)
    onnx = next(each for each in told["files"] if each["fileName"] == "./small.onnx")
    assert onnx["checksums"][0]["checksumValue"] == hashlib.sha1(b"acme/x").hexdigest()
    related = {
        (r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"])
        for r in told["relationships"]
        if r["relationshipType"] != "CONTAINS"
    }
    x, y, z = (f"SPDXRef-package-acme.{n}" for n in ("x-1.2.0", "y-1.2.0", "z-0.1.0-rc.1..5"))
    assert related == {
        ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-shelf"), ("SPDXRef-shelf", "DEPENDS_ON", x),
        (x, "DEPENDS_ON", y), (y, "DESCENDANT_OF", z),
    }  # fmt: skip
    assert [each["licenseId"] for each in told["hasExtractedLicensingInfos"]] == ["LicenseRef-Own"]


def test_what_is_there_twice_for_others_counts_once(tmp_path: Path) -> None:
    twice = (Z, Z._replace(isolated="acme/x", formats=("pytorch",)))
    (component,) = read(tmp_path, "cyclonedx", *twice)["components"]
    assert [each["name"] for each in component["components"]] == [
        "shelf.toml", "small.onnx", "small.pt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("harm", "error"),
    [(Path.unlink, LockStale), (lambda path: path.write_bytes(b"other"), IntegrityError)],
    ids=["gone", "changed"],
)
def test_files_are_what_the_lock_says(harm: Any, error: type[ShelfError], tmp_path: Path) -> None:
    shelf, lock = write_shelf(tmp_path, X, Y)
    harm(shelf.release(lock.packages[0]) / "small.onnx")
    with pytest.raises(error):
        find("spdx").write(contents(shelf, lock))


@pytest.mark.parametrize("name", ["requirements", "pylock", "cyclonedx", "spdx"])
def test_an_empty_shelf_can_be_written_down(name: str, tmp_path: Path) -> None:
    assert written(tmp_path, name)


def write_wheel(folder: Path, name: str, version: str, *requires: str) -> Path:
    """A wheel that pip takes."""
    folder.mkdir(exist_ok=True)
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.8\n"
    wheel = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        more = "".join(f"Requires-Dist: {each}\n" for each in requires)
        archive.writestr(f"{info}/METADATA", metadata + more)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks: a folder of wheels."""
    folder = tmp_path / "index"
    write_wheel(folder, "alpha", "1.0")
    write_wheel(folder, "alpha", "2.0", "beta>=1")
    write_wheel(folder, "beta", "1.5")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pylock_is_what_pip_resolves(index: Path, tmp_path: Path) -> None:
    pylock = pytest.importorskip("packaging.pylock")
    release = Release("acme/x", 'python = ["alpha>=1", "gone; python_version<\'3\'"]')
    text = written(tmp_path, "pylock", release)
    assert text == written(tmp_path, "pylock", release)
    told = tomllib.loads(text)
    pylock.Pylock.from_dict(told).validate()
    assert told["requires-python"] == f"=={sys.version_info[0]}.{sys.version_info[1]}.*"
    wheel = index / "alpha-2.0-py3-none-any.whl"
    assert [(each["name"], each["version"]) for each in told["packages"]] == [
        ("alpha", "2.0"), ("beta", "1.5"),
    ]  # fmt: skip
    assert told["packages"][0]["wheels"] == [
        {"name": wheel.name, "url": wheel.as_uri(),
         "hashes": {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}}
    ]  # fmt: skip


def test_a_wheel_that_is_named_by_its_address_is_an_archive(index: Path, tmp_path: Path) -> None:
    wheel = index / "beta-1.5-py3-none-any.whl"
    text = written(tmp_path, "pylock", Release("acme/x", f'python = ["beta @ {wheel.as_uri()}"]'))
    pytest.importorskip("packaging.pylock").Pylock.from_dict(tomllib.loads(text)).validate()
    assert tomllib.loads(text)["packages"][0]["archive"]["url"] == wheel.as_uri()


@pytest.mark.parametrize(
    ("need", "error", "said"),
    [
        ("alpha>=3", Unsatisfiable, "alpha"),
        ("nowhere-to-be-found", Unsatisfiable, "nowhere-to-be-found"),
        ("a @ https://a.example/a.tar.gz", Invalid, "sources"),
        ("a @ git+https://a.example/a", Invalid, "sources"),
    ],
)
@pytest.mark.usefixtures("index")
def test_what_pip_cannot_resolve_is_told(
    need: str, error: type[ShelfError], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        written(tmp_path, "pylock", Release("acme/x", f'python = ["{need}"]'))
    assert said in f"{caught.value.message} {caught.value.got}"
    assert caught.value.hint


def test_an_index_that_cannot_be_reached_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CONFIG_FILE", "/dev/null"), ("INDEX_URL", "http://127.0.0.1:9/simple"),
                        ("RETRIES", "1"), ("TIMEOUT", "1"), ("FIND_LINKS", "")):  # fmt: skip
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    shelf = contents(*write_shelf(tmp_path, Release("acme/x", 'python = ["alpha"]')))
    with pytest.raises(NetworkError):
        find("pylock").write(shelf)
    with pytest.raises(Unsatisfiable):
        find("pylock").write(shelf._replace(offline=True))
