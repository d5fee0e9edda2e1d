"""Entrypoints as read from the syntax tree against those that `torch.hub` finds by importing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelshelf.formats.pytorch_hub import HubConf, read_entrypoints
from tests.formats.hubconfs import CASES, UNRESOLVED

pytest.importorskip("torch")

# Lists with PyTorch's own function. It is imported once; each case has a process forked from that,
# since importing a hubconf.py leaves modules behind.
LISTS = """
import inspect, json, os, sys, warnings
from pathlib import Path
import torch.hub as hub
warnings.simplefilter("ignore")
MARKS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}

def parameters(entry):
    try:
        found = inspect.signature(entry).parameters.values()
    except ValueError:
        return []
    return [
        [MARKS.get(p.kind, "") + p.name,
         None if p.default is p.empty else repr(p.default),
         None if p.annotation is p.empty else inspect.formatannotation(p.annotation)]
        for p in found
    ]

def listed(cache):
    hub.set_dir(cache)
    names = hub.list("acme/case:main", trust_repo=True, skip_validation=True, verbose=False)
    with hub._add_to_sys_path(cache + "/acme_case_main"):
        module = hub._import_module("hubconf", cache + "/acme_case_main/hubconf.py")
    for name in names:
        entry = hub._load_entry_from_hubconf(module, name)
        home = (getattr(entry, "__module__", None) or "").split(".")[0]
        tool = home in sys.stdlib_module_names or home == "torch"
        if type(entry).__name__ == "partial" or not tool:
            yield name, parameters(entry)

for cache in sys.argv[1:]:
    if not os.fork():
        Path(cache, "told.json").write_text(json.dumps(dict(listed(cache))))
        os._exit(0)
    os.wait()
"""


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def torch_says(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """By case: its hubconf.py, and what PyTorch lists."""
    caches = {name: tmp_path_factory.mktemp("cache") for name in EVERY}
    for name, cache in caches.items():
        written(cache / "acme_case_main", EVERY[name])
    command = [sys.executable, "-c", LISTS, *map(str, caches.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return {
        name: (
            cache / "acme_case_main" / "hubconf.py",
            json.loads((cache / "told.json").read_text()),
        )
        for name, cache in caches.items()
    }


def shown(conf: HubConf) -> dict[str, Any]:
    return {
        name: [[each.name, each.default, each.type] for each in entrypoint.parameters]
        for name, entrypoint in conf.entrypoints.items()
    }


def comparable(told: dict[str, Any]) -> dict[str, Any]:
    """Defaults and annotations without quotes, since one side shows source and the other values."""
    return {
        name: [
            # What `*rest` holds when nothing is given is our addition; `inspect` tells none.
            [part, None if part.startswith("*") or default is None else default.replace('"', "'"),
             annotation and annotation.strip("'")]
            for part, default, annotation in parts
        ]
        for name, parts in told.items()
    }  # fmt: skip


EVERY = CASES | {name: {"hubconf.py": text} for name, text in UNRESOLVED.items()}

Said = dict[str, tuple[Path, dict[str, Any]]]


@pytest.mark.parametrize("case", CASES)
def test_the_same_entrypoints(case: str, torch_says: Said) -> None:
    path, found = torch_says[case]
    conf = read_entrypoints(path)
    assert comparable(shown(conf)) == comparable(found)
    assert conf.unresolved == ()


@pytest.mark.parametrize("case", UNRESOLVED)
def test_what_only_running_tells_is_never_passed_over(case: str, torch_says: Said) -> None:
    path, found = torch_says[case]
    conf = read_entrypoints(path)
    assert conf.unresolved
    for name in found.keys() - conf.entrypoints.keys():
        starts = (f"{name} (", "* (", "globals()", "exec", f"global {name}")
        assert any(each.startswith(starts) for each in conf.unresolved), name
