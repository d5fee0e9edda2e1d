"""Locks of two branches: what git merges by itself, what it leaves with marks, and what is kept."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import msgspec
import pytest

from modelshelf.errors import LockStale
from modelshelf.package.answer import unanswered
from modelshelf.package.entry import Entry, File
from modelshelf.package.lock import Lock, Locked, dumps, loads, locked, merged
from modelshelf.package.record import Artifact, Dependency, Variant

NAMES = [f"acme/{each}" for each in ("a", "b", "c", "d", "e", "f", "g", "h")]
SEEDS = 60


def digest(*words: object) -> str:
    import hashlib

    return hashlib.sha256(repr(words).encode()).hexdigest()


def package(name: str, minor: int) -> Locked:
    """A release as a lock holds it; most lines differ between releases, some never do."""
    version = f"1.{minor}.0"
    paths = ["shelf.toml", "README.md", "small.onnx", "large.onnx"]
    files = tuple(
        File(
            path,
            100 + minor,
            digest(name, path, 0 if path == "README.md" else minor),
            "0" * 40,
            "0" * 32,
        )
        for path in paths
    )
    variants = tuple(
        Variant(each, (Artifact("onnx", (f"{each}.onnx",)),)) for each in ("small", "large")
    )
    entry = Entry(
        name=name, version=version, commit=digest(name, minor)[:40], number=minor + 1,
        manifest=digest(name, minor, "manifest"), published=f"2026-01-{minor + 1:02}T00:00:00Z",
        files=files, variants=variants, license="MIT",
    )  # fmt: skip
    return locked(entry, "https://models.example", {("small", "onnx", None): ("default",)})


State = dict[str, int]


def text(state: State) -> str:
    wanted = {name: Dependency("^1.0") for name in state}
    return dumps(Lock(wanted, packages=tuple(package(*each) for each in state.items())))


def changed(state: State, rng: random.Random) -> State:
    """The state after a few additions, removals and upgrades."""
    found = dict(state)
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(NAMES)
        if name in found and rng.random() < 0.3:
            del found[name]
        else:
            found[name] = rng.randint(0, 5)
    return found


def _versions(state: State) -> dict[str, str]:
    return {name: f"1.{minor}.0" for name, minor in state.items()}


def _both(base: State, ours: State, theirs: State) -> dict[str, str]:
    """What both sides meant together: whoever changed something is followed."""
    return _versions(
        {
            name: minor
            for name in NAMES
            if (minor := (theirs if ours.get(name) == base.get(name) else ours).get(name))
            is not None
        }
    )


def merge(folder: Path, base: str, ours: str, theirs: str, *options: str) -> tuple[str, bool]:
    """What git makes of three versions of a file, and whether it is without conflict."""
    for name, content in (("ours", ours), ("base", base), ("theirs", theirs)):
        (folder / name).write_text(content, encoding="utf-8")
    done = subprocess.run(
        ["git", "merge-file", "-p", *options, "ours", "base", "theirs"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout, done.returncode == 0


@pytest.mark.parametrize(
    "style", [(), ("--diff3",), ("--zdiff3",)], ids=["merge", "diff3", "zdiff3"]
)
def test_both_sides_are_kept(style: tuple[str, ...], tmp_path: Path) -> None:
    rng = random.Random(11)
    conflicts = 0
    for _ in range(SEEDS):
        base = {name: rng.randint(0, 3) for name in rng.sample(NAMES, rng.randint(0, 5))}
        ours, theirs = changed(base, rng), changed(base, rng)
        found, clean = merge(tmp_path, text(base), text(ours), text(theirs), *style)
        conflicts += not clean
        if clean:  # git knows nothing of blocks: it may keep a package in two versions
            result = loads(found)
            whole = {each.name: each.version for each in result.packages}
            assert unanswered(result) or whole in (
                _versions(ours),
                _versions(theirs),
                _both(base, ours, theirs),
            ), (base, ours, theirs)
            continue
        with pytest.raises(LockStale, match="merge"):
            loads(found)
        kept = {each.name: each.version for each in merged(found).packages}
        for name in NAMES:
            sides = [f"1.{side[name]}.0" for side in (ours, theirs) if name in side]
            if name in ours and name in theirs:
                assert kept[name] in sides, (base, ours, theirs)
            elif name not in base and sides:
                assert kept[name] == sides[0], (base, ours, theirs)
            if name in base and ours.get(name) == theirs.get(name) is not None:
                assert kept[name] == sides[0]
    assert conflicts > SEEDS / 4


def test_ours_goes_before_theirs(tmp_path: Path) -> None:
    found, clean = merge(tmp_path, text({"acme/a": 0}), text({"acme/a": 1}), text({"acme/a": 2}))
    assert not clean
    assert [each.version for each in merged(found).packages] == ["1.1.0"]


@pytest.mark.parametrize(
    "broken",
    [
        "<<<<<<< ours\n",
        "<<<<<<< a\n=======\n>>>>>>> b\n",
        "=======\n" * 3,
        ">>>>>>> x\n<<<<<<< y\n",
        "<<<<<<<\nversion = 1\n|||||||\n=======\n[[[\n>>>>>>>\n",
    ],
)
def test_marks_that_are_none_of_a_merge(broken: str) -> None:
    for whole in (broken, text({"acme/a": 0}) + broken, broken + text({"acme/a": 0})):
        with pytest.raises(LockStale):
            loads(whole)
        assert isinstance(merged(whole), Lock)


def test_windows_line_ends(tmp_path: Path) -> None:
    found, _ = merge(tmp_path, text({"acme/a": 0}), text({"acme/a": 1}), text({"acme/a": 2}))
    ended = found.replace("\n", "\r\n")
    with pytest.raises(LockStale):
        loads(ended)
    assert [each.version for each in merged(ended).packages] == ["1.1.0"]
    assert msgspec.to_builtins(
        loads(text({"acme/a": 1}).replace("\n", "\r\n"))
    ) == msgspec.to_builtins(loads(text({"acme/a": 1})))
