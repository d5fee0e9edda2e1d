"""Publishers, collections, and the page that lists what was deleted."""

from __future__ import annotations

import pytest

from modelshelf.importers.page.labels import Sheet
from modelshelf.importers.sheets.gone import gone
from modelshelf.importers.sheets.handle import linked
from modelshelf.importers.sheets.publisher import publisher, unnamed
from modelshelf.package.catalogue import Collection, HubPublisher
from modelshelf.package.record import Developer
from tests.importers.sheets import Write, only, sheet_text

PERSON = """\
[![Icon URL]](https://avatars2.githubusercontent.com/u/1?s=460)

## Details
Ada Example ([@ada](https://twitter.com/ada)).
Machine Learning Engineer at Acme.

**GitHub:** [ada](https://github.com/ada)
"""
ORGANIZATION = """\
## [Acme](https://acme.example)
Our mission is to make models that our customers can trust.
"""


@pytest.mark.parametrize(
    ("display", "text", "kind", "unsure"),
    [
        ("Ada Example.", PERSON, "person", False),
        ("Acme Vision", ORGANIZATION, "organization", False),
        ("Ada Example", "## Ada Example\nCompetitor. https://example.org/ada", "person", False),
        ("Society of Examples", "Observations of examples.", "organization", False),
        ("The Example", "An example.", "person", True),
        ("acme", "", "organization", True),
        ("Acme", "https://www.linkedin.com/company/acme", "organization", False),
    ],
)
def test_a_publisher_is_a_person_or_an_organization(
    display: str, text: str, kind: str, *, unsure: bool
) -> None:
    found = publisher(Sheet("Publisher", "acme--", display, {}, text))
    assert (found.name, found.kind, found.unsure) == ("acme", kind, unsure)
    assert found.display == display.rstrip(".")


def test_a_publisher_without_a_page() -> None:
    assert unnamed("acme") == HubPublisher("acme", "acme", "acme", unsure=True)
    hosted = ["https://github.com/acme/files/releases/download/1/model.tar.gz"]
    assert unnamed("acme", hosted).kind == "person"
    assert unnamed("acme-vision", hosted).kind == "organization"


def test_releases_know_their_publisher(write: Write) -> None:
    catalogue = write(
        who=f"# Publisher acme\nAcme Vision\n\n{ORGANIZATION}",
        page=sheet_text("acme/digits/1"),
        other=sheet_text("zoo/animals/1"),
    )
    assert [each.display for each in catalogue.publishers] == ["Acme Vision", "zoo"]
    first, second = (each.record.package.developers for each in catalogue.releases)
    assert first == (Developer("Acme Vision", "organization"),)
    assert second == (Developer("zoo", "organization"),)
    sources = [each.found["package.developers"].source for each in catalogue.releases]
    assert sources == ["hub", "name"]


def test_a_collection_names_packages_by_their_addresses(write: Write) -> None:
    text = """\
[one](https://tfhub.dev/acme/digits/1), [two](https://tfhub.dev/acme/letters), again
https://tfhub.dev/acme/digits/2 and [unknown](https://tfhub.dev/acme/lost/1).
<!-- (https://tfhub.dev/acme/lite-model/faces/1/metadata/1) -->
"""
    catalogue = write(
        all=sheet_text("acme/everything/1", kind="Collection", text=text),
        digits=sheet_text("acme/digits/1"),
        letters=sheet_text("acme/letters/4"),
        faces=sheet_text("acme/faces/1"),
    )
    (found,) = catalogue.collections
    assert found.handle == "acme/everything"
    assert found.title == "What it is."
    assert found.members == ("acme/digits", "acme/letters", "acme/faces")
    assert isinstance(found, Collection)
    assert all(page.outcome == "imported" for page in catalogue.pages)


def test_addresses_are_handles() -> None:
    text = "https://tfhub.dev/a/b/1. (https://tfhub.dev/a/tfjs-model/c/1/default/1) tfhub.dev/s?q=x"
    assert linked(text) == ["a/b/1", "a/c/1/default/1"]


def test_models_whose_files_were_deleted(write: Write) -> None:
    text = """\
# The hub has moved

See what follows. On Monday, files that nobody took along (see below) were deleted. It was these:

-   [acme/digits](https://example.org/acme/digits)
-   `acme/letters`

Thank you:

-   [acme/faces](https://example.org/acme/faces)
"""
    said = "On Monday, files that nobody took along (see below) were deleted."
    assert gone(text) == {"acme/digits": said, "acme/letters": said}
    catalogue = write(readme=text, page=sheet_text("acme/digits/1"))
    assert only(catalogue).gone == said
    assert catalogue.pages[0].outcome == "merged"
