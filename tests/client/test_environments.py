"""One lock for several machines: each environment gets what fits it, wherever the lock is made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelshelf import load
from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions

EDGE = {'files = ["small.safetensors"]': 'files = ["small.safetensors"]\ncontexts = ["edge"]'}
PHONE = '[environments.phone]\ncontexts = ["edge"]\n'
SERVER = '[environments.server]\npython = "3.11"\nframeworks = { numpy = "1.26", torch = "2.4.0" }\nhardware = []\n'


def write(project: Path, name: str, tables: str, ranged: str = "*") -> None:
    text = f'[dependencies]\n"{name}" = "{ranged}"\n\n{tables}'
    (project / "shelf.toml").write_text(text, encoding="utf-8")


def held(project: Path) -> set[str]:
    return {path.name for path in project.glob(".shelf/*/*/*/*") if path.suffix != ".toml"} - {
        ".entry.json"
    }


def test_each_environment_gets_its_artifacts(
    shelf: Shelf,
    release: Publish,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    user_env: dict[str, str],
) -> None:
    name = release("scale", "1.0.0", edit=EDGE)
    write(project, name, PHONE + SERVER)
    succeeded(shelf("sync", "--environment", "phone"))
    assert {each for each in held(project) if each.startswith("small")} == {"small.safetensors"}
    succeeded(shelf("sync", "--environment", "server"))
    assert {each for each in held(project) if each.startswith("small")} == {"small.onnx"}
    monkeypatch.setenv("MODELSHELF_HOME", user_env["MODELSHELF_HOME"])
    monkeypatch.setenv("MODELSHELF_ALERTS", "0")
    model = load(name, shelf=project)
    assert model(x=np.ones((1, 2), np.float32))["y"].tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize(
    ("requires", "facts"),
    [
        ('python_version = ">=3.12"', 'python = "3.11"'),
        ('hardware = ["cuda"]', "hardware = []"),
        ('frameworks = { torch = ">=2.5" }', 'frameworks = { torch = "2.4.0" }'),
    ],
    ids=["python", "hardware", "framework"],
)
def test_what_does_not_fit_an_environment_is_not_chosen_there(
    requires: str, facts: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    release("scale", "1.0.0")
    name = release("scale", "1.1.0", add=f"[requires]\n{requires}\n", override=True)
    write(project, name, f"[environments.old]\n{facts}\n[environments.new]\n")
    succeeded(shelf("lock"))
    succeeded(shelf("sync", "--environment", "old"))
    assert versions(shelf) == {"scale": "1.0.0"}
    succeeded(shelf("sync", "--environment", "new"))
    assert versions(shelf) == {"scale": "1.1.0"}


def test_where_no_release_fits_it_is_told_why(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0", add='[requires]\npython_version = ">=3.12"\n')
    write(project, name, '[environments.old]\npython = "3.11"\n')
    done = shelf("lock")
    assert done.code == 3
    assert "python 3.11 is not >=3.12" in done.err
    assert not (project / "shelf.lock").exists()


def test_the_lock_does_not_depend_on_who_makes_it(
    shelf: Shelf, release: Publish, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    name = release("scale", "1.0.0", edit=EDGE)
    other = release("other", "1.0.0", needs={"scale": "^1.0"})
    tables = [PHONE, SERVER]
    texts = [
        f'[dependencies]\n"{name}" = "*"\n"{other}" = {{ version = "*", variants = ["small"], format = "onnx" }}\n\n'
        + "".join(tables),
        "".join(reversed(tables)).replace(
            'numpy = "1.26", torch = "2.4.0"', 'torch = "2.4.0", numpy = "1.26"'
        )
        + f'\n[dependencies]\n"{other}" = {{ format = "onnx", variants = ["small"], version = "*" }}\n"{name}" = "*"\n',
    ]
    texts = [text.replace('contexts = ["edge"]', 'contexts = ["edge", "python"]') for text in texts]
    locks = []
    for number, text in enumerate(texts):
        folder = tmp_path / f"clone{number}"
        folder.mkdir()
        (folder / "shelf.toml").write_text(text, encoding="utf-8")
        user_env["MODELSHELF_HOME"] = str(tmp_path / f"home{number}")
        succeeded(shelf("lock", cwd=folder))
        locks.append((folder / "shelf.lock").read_bytes())
    assert locks[0] == locks[1]


def test_files_are_reproduced_without_the_network(
    shelf: Shelf, release: Publish, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    import hashlib
    import shutil

    release("base", "1.0.0", factor=3.0)
    name = release("scale", "1.0.0", edit=EDGE, needs={"base": "^1.0"})
    succeeded(shelf("install", name))
    clone = tmp_path / "clone"
    clone.mkdir()
    for file in ("shelf.toml", "shelf.lock"):
        shutil.copy(project / file, clone)
    shutil.copytree(tmp_path / "home" / "store", tmp_path / "home2" / "store")
    user_env |= {
        "MODELSHELF_HOME": str(tmp_path / "home2"),
        "MODELSHELF_OFFLINE": "1",
        "MODELSHELF_REGISTRY": "http://127.0.0.1:9",
    }
    succeeded(shelf("sync", "--frozen", cwd=clone))

    def digests(root: Path) -> dict[str, str]:
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.glob(".shelf/*/*/*/*")
        }

    assert digests(clone) == digests(project) != {}
    listed = json.loads(shelf("list", "--json", cwd=clone).out)["packages"]
    assert len(listed) == 2


def test_what_is_too_new_everywhere_is_told(shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("scale", "1.0.0")
    write(project, name, '[resolution]\nexclude-newer = "2020-01-01"\n')
    done = shelf("lock")
    assert done.code == 3
    assert "1.0.0 is too new: it was published 20" in done.err
