"""Folders with a hubconf.py: those whose entrypoints can be told, and those that only running tells."""

from __future__ import annotations

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
