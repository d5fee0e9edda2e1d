"""Entrypoints as read from the syntax tree against those that `torch.hub` finds by importing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelshelf.formats.hubconf import HubConf, read_entrypoints

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

CNN = '''
import functools
import torch
from torch import nn

URLS = {"small": "https://weights.example/small.pth", "large": "https://weights.example/large.bin"}

def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

def registered(name):
    def decorator(function):
        return function
    return decorator

class Net(nn.Module):
    """A net."""
    def __init__(self, depth=18, *, width: int = 64):
        super().__init__()

class Wide(Net):
    pass

class Plain(nn.Module):
    pass

@logged
def small(pretrained: bool = False, classes=10):
    """A small one."""
    return URLS["small"]

@registered("large")
def large(pretrained: bool = True, *layers, **options):
    return torch.hub.load_state_dict_from_url(URLS["large"])

def _hidden(): ...
'''

CASES: dict[str, dict[str, str]] = {
    "functions": {
        "hubconf.py": "def f(a, b=1, /, c: int = 2, *rest: str, d, e=(1, 2), **options): ...\n"
        "async def g(x): ...\ndef _h(): ...\n"
    },
    "lambda": {"hubconf.py": "f = lambda a, b='x': a\ng = f\n_h = f"},
    "imports": {
        "hubconf.py": "from models.cnn import small, large as big, _hidden\nfrom models import cnn\n"
        "import models.cnn as m\nwide = m.Wide\nnet = cnn.Net\nplain = m.Plain\n",
        "models/__init__.py": "",
        "models/cnn.py": CNN,
    },
    "no package": {"hubconf.py": "from models.cnn import *\n", "models/cnn.py": CNN},
    "package that re-exports": {
        "hubconf.py": "from models import *\n",
        "models/__init__.py": "from .cnn import *\nfrom .cnn import large as huge\n",
        "models/cnn.py": CNN,
    },
    "all": {
        "hubconf.py": "from models import *\n",
        "models/__init__.py": "from . import cnn\nfrom .cnn import *\n__all__ = ['small']\n"
        "__all__ += ['Wide', '_hidden']\n_hidden = cnn._hidden\n",
        "models/cnn.py": CNN,
    },
    "shadowed and deleted": {
        "hubconf.py": "from cnn import *\ndef small(other): ...\ndel large, Net\nWide = None\nimport cnn as Plain\n",
        "cnn.py": CNN,
    },
    "partial": {
        "hubconf.py": "import functools\nfrom functools import partial as p\n"
        "def f(a, b=1, *c, d=2, e, **o): ...\n"
        "one = p(f, 7)\ntwo = functools.partial(f, b=8)\nthree = p(f, a=0, e=4)\nfour = p(two, 1)\n"
        "five = p(f, 1, z=3)\nsix = p(f, d=5)\nclass C:\n    def __init__(self, x, y=1): ...\nseven = p(C, y=2)\n"
    },
    "decorators": {
        "hubconf.py": "import functools, torch\nfrom cnn import logged, registered\n"
        "@functools.lru_cache(maxsize=None)\ndef f(a, b=2): ...\n@functools.cache\ndef g(a): ...\n"
        "@torch.no_grad()\ndef h(a=1): ...\n@logged\n@registered('x')\ndef k(a, *, b=3): ...\n",
        "cnn.py": CNN,
    },
    "classes": {
        "hubconf.py": "from dataclasses import dataclass, field\nfrom torch import nn\n"
        "class A:\n    pass\nclass B:\n    def __new__(cls, size=1): ...\nclass C(B): ...\n"
        "@dataclass\nclass D:\n    size: int\n    rate: float = 0.5\n    names: str = field(default='x')\n"
        "    hidden: int = field(default=1, init=False)\nclass E(nn.Module): ...\n"
    },
    "conditions": {
        "hubconf.py": "import sys\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from nowhere import ghost\nelse:\n    def ghost(a): ...\n"
        "if sys.version_info > (3,):\n    def f(new): ...\n"
        "try:\n    from cnn import small\nexcept ImportError:\n    small = None\n"
        "try:\n    import nowhere_at_all\nexcept ImportError:\n    def fallback(x=1): ...\n"
        "for size in (1, 2):\n    def looped(n=3): ...\nwith open(__file__) as file:\n    def g(): ...\n"
        "if __name__ == '__main__':\n    def script(): ...\n",
        "cnn.py": CNN,
    },
    "what is no callable": {
        "hubconf.py": "import os, re, logging, torch\nfrom pathlib import Path\n"
        "from collections import OrderedDict\ndependencies = ['torch']\nSIZES = {'a': 1}\n"
        "log = logging.getLogger('x')\nroot = Path(__file__).parent / 'x'\nflag = os.environ.get('A')\n"
        "device = torch.device('cpu')\nname, other = 'a', 2\npattern = re.compile('x').pattern\n"
        "SIZE = SIZES['a']\nkeys = [k for k in SIZES]\ntext = f'{SIZE}'\ncount: int = len(keys)\n"
    },
    "tables": {
        "hubconf.py": "import cnn\nTABLE = {'s': cnn.small}\nsmall = TABLE['s']\n"
        "a, b = cnn.small, cnn.large\n(c := lambda x: x)\nglobals()['d'] = cnn.large\n",
        "cnn.py": CNN,
    },
    "encodings": {"hubconf.py": "def größe(breite: 'Größe' = 'ä'): ...\ndef f(a='é',\n  b={'k': 1}): ...\n"},
    "strings of annotations": {
        "hubconf.py": "from __future__ import annotations\ndef f(a: dict[str, int] | None = None): ...\n"
    },
}  # fmt: skip


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


UNRESOLVED = {
    "star": "from packaging.version import *\n",
    "call": "def make(n):\n    return lambda x: x\nf = make(1)\n",
    "decorator as a function": "import functools\ndef f(a): ...\ndef deco(g): return g\nh = deco(f)\n",
    "loop": "def make(n):\n    return lambda x: x\nfor n in ('a', 'b'):\n    globals()[n] = make(n)\n",
    "update": "globals().update({'f': lambda: None})\n",
    "exec": "exec('def f(): ...')\n",
    "attribute": "class A:\n    @classmethod\n    def build(cls): ...\nf = A.build\n",
    "outside": "from setuptools import setup\n",
    "item": "TABLE = dict(a=lambda: None)\nf = TABLE.get('a')\ng = {k: print for k in 'a'}['a']\n",
    "condition": "import sys\nf = (lambda a: a) if sys.argv else (lambda b: b)\n",
    "unpacked": "def make():\n    return (lambda: 1), (lambda: 2)\na, b = make()\n",
    "module": "import torch\nf = torch.nn.Linear(1, 1)\n",
    "instance": "class A:\n    def __call__(self, x): ...\nf = A()\n",
    "global": "def define():\n    global f\n    f = lambda: None\ndefine()\n",
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
