"""The registry's own catalogue: what came from another hub is told as that hub told it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from modelshelf import importers
from modelshelf.package.catalogue import Asset, Described, Found, HubPublisher
from modelshelf.registry import importing
from modelshelf.registry.service import open_kept
from modelshelf.registry.settings import Settings
from tests.registry.conftest import Client, Draft, Running
from tests.registry.hub import catalogue, described

ACME = HubPublisher("acme", "acme", "Acme Vision", "organization")


def test_what_was_imported_comes_out_as_it_came_in(
    settings: Settings, serve: Callable[[], Running]
) -> None:
    told = (
        msgspec.structs.replace(
            described(version=1, text="# Digits\n\nThe *first* one."),
            found={"package.task": Found("label"), "package.license": Found("text", unsure=True)},
            labels={"dataset": ("uci", "mnist")},
            assets=(Asset("default", "saved-model", "https://hub.example/1.tar.gz"),),
        ),
        msgspec.structs.replace(described(version=2), gone="deleted in March"),
    )
    settings.data.mkdir(exist_ok=True)
    kept = open_kept(settings)
    importing.bring(kept, catalogue(*told, publishers=(ACME,)))
    kept.database.close()
    found = importers.read(f"registry:{serve().url}")
    assert tuple(map(_placed, found.releases)) == tuple(map(_placed, told))
    assert [each.page for each in found.releases] == ["acme/digits/1.0.0", "acme/digits/2.0.0"]
    assert [(each.name, each.display) for each in found.publishers] == [("acme", "Acme Vision")]


def _placed(release: Described) -> Described:
    return msgspec.structs.replace(release, page="")


def test_what_was_published_here_is_told_with_its_text(
    registry: Running, acme: Client, draft: type[Draft]
) -> None:
    files = {**draft().files, "README.md": b"# Digits"}
    published = draft(files=files, package={"readme": "README.md"})
    assert published.publish(acme).status in (200, 201)
    (release,) = importers.read(f"registry:{registry.url}").releases
    assert release.text == "# Digits"
    assert release.record.package.readme == "README.md"
    assert release.found["package.readme"] == Found("label")
    assert release.found["published-time"] == Found("hub")
    assert release.gone is None
