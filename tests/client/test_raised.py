"""`shelf upgrade --major`: which ranges are moved, and which stay as they were typed."""

from __future__ import annotations

import msgspec
import pytest

from modelshelf.client.outdated import raised
from modelshelf.client.sources import Offer
from modelshelf.package.entry import draft
from modelshelf.package.manifest import Project, parse
from modelshelf.package.record import Dependency
from tests.client.shelves import MANIFEST, REGISTRY

NAME = "acme/scale"
NEWEST = draft(
    parse(MANIFEST.format(name=NAME, version="2.1.0", license="MIT", requires="", dependencies=""))
)


@pytest.mark.parametrize(
    ("typed", "after"),
    [("^1.0", "^2.1.0"), ("=2.0.0", "^2.1.0"), ("2", "2"), (">=1.0", ">=1.0"), ("*", "*")],
)
def test_a_range_is_moved_where_the_newest_release_is_outside(typed: str, after: str) -> None:
    wanted = Dependency(typed, variants=("small",))
    moved = raised(
        Project({NAME: wanted}), {NAME}, lambda _name, _registry: Offer(REGISTRY, (NEWEST,))
    )
    assert moved.dependencies == {NAME: msgspec.structs.replace(wanted, version=after)}


def test_others_stay() -> None:
    project = Project({NAME: Dependency("^1.0")})
    assert raised(project, set(), lambda _name, _registry: Offer(REGISTRY, (NEWEST,))) == project
