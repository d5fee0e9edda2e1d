"""What newer releases mean is told before anything is fetched, and is what then happens."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions

FIELDS = [
    "name", "current", "wanted", "latest", "level", "axes", "metrics", "license_change",
    "bytes_to_fetch", "advisory",
]  # fmt: skip


def measured(value: float) -> dict[str, str]:
    row = f'metrics = [{{ name = "accuracy", value = {value}, dataset = "d", split = "test" }}]'
    return {'name = "small"\n': f'name = "small"\n{row}\n'}


def counted(registry_data: Path, publisher: str) -> int:
    """The bytes that the server's log has for packages of this publisher."""
    events = [
        json.loads(line)
        for path in (registry_data / "downloads").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    return sum(each["bytes"] for each in events if each["publisher"] == publisher)


def settled(registry_data: Path, publisher: str) -> int:
    """The same, when the last answer was logged."""
    before, now = -1, counted(registry_data, publisher)
    while before != now:
        time.sleep(0.2)
        before, now = now, counted(registry_data, publisher)
    return now


def rows(shelf: Shelf) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(shelf("outdated", "--json").out)
    return found


def test_a_step_is_told_in_full(shelf: Shelf, release: Publish, registry_data: Path) -> None:
    name = release("scale", "1.0.0", edit=measured(0.98))
    succeeded(shelf("install", name))
    assert rows(shelf) == []
    license_too = {**measured(0.99), '"Apache-2.0"': '"GPL-3.0-only"'}
    release("scale", "1.1.0", edit=license_too, factor=3.0, override=True)
    done = shelf("outdated", "--json")
    assert done.code == 1
    (row,) = json.loads(done.out)
    assert list(row) == FIELDS
    assert (row["name"], row["current"], row["wanted"], row["latest"]) == (
        name,
        "1.0.0",
        "1.1.0",
        "1.1.0",
    )
    assert row["level"] in ("minor", "major")
    assert "weights" in row["axes"] or row["axes"], row["axes"]
    assert row["license_change"] == {
        "before": "Apache-2.0",
        "after": "GPL-3.0-only",
        "narrowed": True,
    }
    (metric,) = row["metrics"]
    assert (metric["name"], metric["old"], metric["new"]) == ("accuracy", 0.98, 0.99)
    text = shelf("outdated").out
    for word in ("accuracy 0.98 -> 0.99 (better)", "Apache-2.0 -> GPL-3.0-only"):
        assert word in text


@pytest.mark.parametrize("variants", [(), ("--variant", "*")], ids=["default", "all"])
def test_bytes_to_fetch_is_what_the_server_counts(
    variants: tuple[str, ...], shelf: Shelf, release: Publish, publisher: str, registry_data: Path
) -> None:
    release("base", "1.0.0", factor=5.0)
    release("other", "1.0.0", factor=7.0)
    name = release("scale", "1.0.0", needs={"base": "^1.0"})
    succeeded(shelf("install", name, *variants))
    release("base", "1.1.0", factor=6.0)
    release("scale", "1.1.0", factor=3.0, needs={"base": "^1.0", "other": "^1.0"}, override=True)
    told = rows(shelf)
    before = settled(registry_data, publisher)
    planned = json.loads(shelf("upgrade", "--dry-run", "--json").out)["bytes_to_fetch"]
    succeeded(shelf("upgrade"))
    fetched = settled(registry_data, publisher) - before
    assert versions(shelf) == {"base": "1.1.0", "scale": "1.1.0", "other": "1.0.0"}
    assert planned == fetched
    assert sum(int(str(each["bytes_to_fetch"])) for each in told) == fetched
    assert rows(shelf) == []


def test_files_that_several_packages_share_are_counted_once(
    shelf: Shelf, release: Publish, publisher: str, registry_data: Path
) -> None:
    names = [release(each, "1.0.0") for each in ("one", "two")]
    succeeded(shelf("install", *names))
    for each in ("one", "two"):
        release(each, "1.1.0", factor=9.0)
    told = rows(shelf)
    before = settled(registry_data, publisher)
    succeeded(shelf("upgrade"))
    fetched = settled(registry_data, publisher) - before
    assert sum(int(str(each["bytes_to_fetch"])) for each in told) == fetched


def test_what_ranges_keep_back_is_told(shelf: Shelf, release: Publish) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", f"{name}@~1.0.0"))
    release("scale", "2.0.0", factor=3.0)
    (row,) = rows(shelf)
    assert (row["wanted"], row["latest"], row["level"]) == ("1.0.0", "2.0.0", "major")
    assert int(str(row["bytes_to_fetch"])) > 0
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"scale": "1.0.0"}
    succeeded(shelf("upgrade", "--major"))
    assert versions(shelf) == {"scale": "2.0.0"}


def test_major_never_goes_back(shelf: Shelf, release: Publish, project: Path) -> None:
    release("scale", "1.0.0")
    name = release("scale", "2.0.0-rc.1", factor=3.0)
    succeeded(shelf("install", f"{name}@2.0.0-rc.1"))
    before = (project / "shelf.toml").read_text()
    succeeded(shelf("upgrade", "--major"))
    assert versions(shelf) == {"scale": "2.0.0-rc.1"}
    assert (project / "shelf.toml").read_text() == before


def test_major_leaves_ranges_that_allow_the_newest(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", f"{name}@>=1.0, <3"))
    release("scale", "2.0.0", factor=3.0)
    before = (project / "shelf.toml").read_text()
    succeeded(shelf("upgrade", "--major"))
    assert versions(shelf) == {"scale": "2.0.0"}
    assert (project / "shelf.toml").read_text() == before


def test_a_successor_is_moved_to_on_request(shelf: Shelf, release: Publish, project: Path) -> None:
    old, new = release("scale", "1.0.0"), release("better", "3.0.0", factor=4.0)
    succeeded(shelf("install", f"{old}[variant=large]"))
    succeeded(shelf("deprecate", old, "--successor", new, "--reason", "old"))
    (row,) = rows(shelf)
    assert new in str(row["advisory"])
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"scale": "1.0.0"}
    planned = json.loads(succeeded(shelf("upgrade", "--successor", "--dry-run", "--json")).out)
    assert [(e["before"], e["package"], e["level"]) for e in planned["steps"]] == [
        ("1.0.0", new, "major")
    ]
    succeeded(shelf("upgrade", "--successor"))
    assert versions(shelf) == {"better": "3.0.0"}
    assert (project / ".shelf" / new / "3.0.0" / "large.onnx").is_file()
    assert rows(shelf) == []


def test_a_successor_that_is_wanted_already_stays_as_it_is_wanted(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    old, new = release("scale", "1.0.0"), release("better", "1.0.0", factor=4.0)
    release("better", "3.0.0", factor=5.0)
    succeeded(shelf("install", old, f"{new}@^1[variant=large]"))
    succeeded(shelf("deprecate", old, "--successor", new, "--reason", "old"))
    succeeded(shelf("upgrade", "--successor"))
    assert versions(shelf) == {"better": "1.0.0"}
    assert (project / ".shelf" / new / "1.0.0" / "large.onnx").is_file()


def test_successors_of_successors(shelf: Shelf, release: Publish) -> None:
    names = [release(each, "1.0.0", factor=n + 2.0) for n, each in enumerate(("old", "mid", "new"))]
    succeeded(shelf("install", names[0]))
    for one, other in pairwise(names):
        succeeded(shelf("deprecate", one, "--successor", other, "--reason", "old"))
    succeeded(shelf("upgrade", "--successor"))
    assert versions(shelf) == {"new": "1.0.0"}


def test_release_times_keep_new_ones_away(shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("scale", "1.0.0")
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    release("scale", "1.1.0", factor=3.0)
    head = f'[resolution]\nexclude-newer = "{moment}"\n'
    (project / "shelf.toml").write_text(head, encoding="utf-8")
    succeeded(shelf("install", f"{name}@^1"))
    assert versions(shelf) == {"scale": "1.0.0"}
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"scale": "1.0.0"}
    text = (project / "shelf.toml").read_text()
    (project / "shelf.toml").write_text(text.replace(head, ""), encoding="utf-8")
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"scale": "1.1.0"}
    aged = '[resolution]\nmin-release-age = "2 days"\n'
    (project / "shelf.toml").write_text(aged + text.replace(head, ""), encoding="utf-8")
    succeeded(shelf("sync"))
    assert versions(shelf) == {"scale": "1.1.0"}, "what is locked stays"
    assert shelf("upgrade").code == 3
