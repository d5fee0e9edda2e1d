"""The hubs' pages that lie beside the checkout, unpacked once for all tests of a session.

They are data of others and stay outside the repository; where they are absent, the tests that
need them say so and are skipped.
"""

from __future__ import annotations

import atexit
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

from modelshelf import importers
from modelshelf.package.catalogue import Catalogue

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"


def archive(name: str) -> Path:
    """The archive of one corpus. Skips the test where it is absent."""
    found = sorted((CORPORA / name).glob("*.tar.gz"))
    if not found:
        pytest.skip(f"the corpus {name} does not lie beside the checkout (../shared/corpora)")
    return found[0]


@cache
def corpus(name: str) -> Path:
    """The folder of one corpus (`docs/…`, `md/…` in it). Skips the test where it is absent."""
    packed = archive(name)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with tarfile.open(packed) as opened:
        opened.extractall(folder, filter="data")
    inside = [each for each in folder.iterdir() if each.is_dir()]
    return inside[0] if len(inside) == 1 else folder


@cache
def catalogue_of(name: str) -> Catalogue:
    """All releases of one corpus, read once. Skips the test where it is absent."""
    return importers.read(f"{name.partition('-')[0]}:{corpus(name)}")
