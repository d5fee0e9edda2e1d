"""tree, why and dependents: who needs whom, with what was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions

WIDTHS = {
    'name = "small"\n': 'name = "small"\nfeatures = { width = 1.0 }\n',
    'name = "large"\n': 'name = "large"\nfeatures = { width = 0.5 }\n',
}


@pytest.fixture
def chain(shelf: Shelf, release: Publish) -> list[str]:
    """top needs middle needs base, and was made from origin."""
    release("base", "1.0.0")
    release("origin", "1.0.0")
    release("middle", "1.0.0", needs={"base": "^1.0"})
    needs = {
        "middle": '{ version = "^1.0", variants = ["large"] }',
        "origin": '{ version = "^1.0", kind = "base" }',
    }
    top = release("top", "1.0.0", needs=needs)
    succeeded(shelf("install", top))
    return [top, *(release.whole(each) for each in ("middle", "base", "origin"))]


def test_the_whole_way_is_told(chain: list[str], shelf: Shelf) -> None:
    top, middle, base, origin = chain
    assert versions(shelf) == {"top": "1.0.0", "middle": "1.0.0", "base": "1.0.0"}
    drawn = succeeded(shelf("tree")).out
    assert [line.strip("│├└─ ").split()[0] for line in drawn.splitlines()] == [
        top,
        middle,
        base,
        origin,
    ]
    assert f"{origin} not installed" in drawn
    told = succeeded(shelf("why", base)).out
    assert told.index(top) < told.index(middle) < told.index(base)
    above = succeeded(shelf("tree", base, "--invert")).out
    assert [line.strip("│├└─ ").split()[0] for line in above.splitlines()] == [base, middle, top]
    shallow = succeeded(shelf("tree", "--depth", "1")).out
    assert base not in shallow
    here = json.loads(succeeded(shelf("dependents", base, "--json")).out)
    assert [each["name"] for each in here["here"]] == [middle]


@pytest.mark.parametrize("command", ["tree", "why"])
def test_what_is_not_there_is_told_with_the_nearest(
    chain: list[str], shelf: Shelf, command: str
) -> None:
    done = shelf(command, chain[2] + "s")
    assert done.code == 1
    assert chain[2] in done.err
    assert shelf(command, chain[3]).code == 1, "what a model was made from is not installed"


def test_what_was_made_from_another_keeps_it_in_range(
    chain: list[str], shelf: Shelf, release: Publish
) -> None:
    release("origin", "2.0.0")
    origin = chain[3]
    succeeded(shelf("install", f"{origin}@*"))
    assert versions(shelf)["origin"] == "1.0.0"
    done = shelf("install", f"{origin}@^2.0")
    assert done.code == 3
    assert chain[0] in done.err


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("@^1[format=onnx,width<=0.5]", "large.onnx"),
        ("[width<=0.5]", "large.onnx"),
        ("@^1[variant=small,format=safetensors]", "small.safetensors"),
        ("@*[format=safetensors]", "small.safetensors"),
    ],
)
def test_conditions_choose_the_variant_and_are_shown(
    typed: str, expected: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0", edit=WIDTHS)
    succeeded(shelf("install", name + typed))
    assert (project / ".shelf" / name / "1.0.0" / expected).is_file()
    pins = typed[typed.index("[") :]
    for command in (("tree",), ("why", name)):
        assert pins in succeeded(shelf(*command)).out
    succeeded(shelf("sync", "--locked"))
    succeeded(shelf("install", name))
    assert pins in shelf("tree").out


def test_other_conditions_take_the_place_of_the_first(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0", edit=WIDTHS)
    succeeded(shelf("install", f"{name}[width<=0.5]"))
    succeeded(shelf("install", f"{name}[width>0.5]"))
    folder = project / ".shelf" / name / "1.0.0"
    assert (folder / "small.onnx").is_file()
    assert not (folder / "large.onnx").exists()
    succeeded(shelf("install", f"{name}@^1[]"))
    assert "width" not in (project / "shelf.toml").read_text()


@pytest.mark.parametrize(
    "typed", ["[", "[]]", "@", "@^1[width<=", "@^1[width<=0.5", "[width]", "@[width<=2]x"]
)
def test_conditions_that_are_none(
    typed: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0", edit=WIDTHS)
    done = shelf("install", name + typed)
    assert done.code in (1, 2), done.out
    assert (project / "shelf.toml").read_text() == ""


def test_conditions_that_nothing_meets(shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("scale", "1.0.0", edit=WIDTHS)
    done = shelf("install", f"{name}[width<=0.1]")
    assert done.code in (1, 3)
    assert "width<=0.1" in done.err
    assert not (project / "shelf.lock").exists()


def test_an_older_release_is_taken_where_only_it_meets_the_conditions(
    shelf: Shelf, release: Publish
) -> None:
    name = release("scale", "1.0.0", edit=WIDTHS)
    release(
        "scale",
        "1.1.0",
        edit={'name = "small"\n': 'name = "small"\nfeatures = { width = 1.0 }\n'},
        override=True,
    )
    succeeded(shelf("install", f"{name}[width<=0.5]"))
    assert versions(shelf) == {"scale": "1.0.0"}
