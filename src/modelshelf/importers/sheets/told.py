"""What the text of a sheet tells beyond its labels, put into the record where that holds nothing yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from modelshelf.importers.page import (
    links,
    markdown,
    notes,
    python_needs,
    quality,
    related,
    signatures,
)
from modelshelf.importers.page.licenses import stated
from modelshelf.importers.page.markdown import Page
from modelshelf.importers.page.notes import Notes
from modelshelf.importers.page.training import training
from modelshelf.importers.page.usage import usage
from modelshelf.importers.sheets.handle import parted
from modelshelf.package.catalogue import Described, Found
from modelshelf.package.record import Dependency
from modelshelf.package.rules import RULES

CUSTOM = "LicenseRef-"


class _Draft:
    """A release that is being filled: values by their field, and where each was found."""

    def __init__(self, release: Described) -> None:
        self.release = release
        self.package: dict[str, object] = {}
        self.record: dict[str, object] = {}
        self.found = dict(release.found)

    def tell(self, field: str, value: object, found: Found) -> None:
        """Put `value` at `package.FIELD` unless it says nothing."""
        if value:
            self.package[field] = value
            self.found[f"package.{field}"] = found

    def done(self) -> Described:
        """The release with all that was told."""
        replace = msgspec.structs.replace
        record = self.release.record
        package = replace(record.package, **self.package)
        return replace(
            self.release,
            record=replace(record, package=package, **self.record),
            found=self.found,
        )


class Told(NamedTuple):
    """A release with what its text tells, and what the text says of every version."""

    release: Described
    notes: Notes


def told(release: Described, names: Mapping[str, str], deployments: Iterable[str] = ()) -> Told:
    """`release` with what its text tells.

    `names` are the packages that there are, by their handles; `deployments` the texts of sheets
    that deploy the release.
    """
    page = markdown.read(release.text)
    draft = _Draft(release)
    _license(draft, page)
    _links(draft, page)
    _demo(draft)
    _usage(draft, chain([page], map(markdown.read, deployments)))
    _training(draft, page)
    _quality(draft, page)
    _needs(draft, page)
    _dependencies(draft, page, names)
    _signatures(draft, page)
    changes = notes.read(page)
    _notes(draft, changes)
    return Told(draft.done(), changes)


def noted(several: Sequence[Told]) -> list[Described]:
    """The releases; one whose page is silent has its notes from the page of a later version."""
    later: dict[str, list[Notes]] = {}
    found: list[Described] = []
    for release, changes in sorted(several, key=lambda each: -_version(each.release)):
        package = release.record.package
        others = later.setdefault(package.name, [])
        draft = _Draft(release)
        if package.notes is None:
            said = next((note for each in others if (note := each.of(package.version))), None)
            draft.tell("notes", said and f"{said}\n", Found("text"))
        found.append(draft.done())
        others.append(changes)
    return found


def _version(release: Described) -> int:
    return parted(release.handle).version or 0


def _license(draft: _Draft, page: Page) -> None:
    """A sentence goes before what the hub takes for granted, and says what a custom one is."""
    known = draft.release.record.package.license or CUSTOM
    default = draft.found.get("package.license", Found("default")).source == "default"
    if (default or known.startswith(CUSTOM)) and (said := stated(page)):
        draft.tell("license", said.expression, Found("text", said.unsure))


def _demo(draft: _Draft) -> None:
    labels = draft.release.labels
    for key in ("demo", "colab"):
        address = next((each for each in labels.get(key, ()) if _is_address(each)), None)
        if address:
            draft.tell("demo", address, Found("label"))
            return


def _links(draft: _Draft, page: Page) -> None:
    """Papers, the source code, a demo, where to report problems, a home page."""
    found = links.read(page, draft.release.handle.partition("/")[0])
    papers = tuple(filter(_is_address, found.papers))
    draft.tell("papers", papers, found.found.get("papers", Found("text")))
    singles = {"sources": "source", "demos": "demo", "issues": "issues", "homepages": "homepage"}
    for kind, field in singles.items():
        address = next(filter(_is_address, getattr(found, kind)), None)
        draft.tell(field, address, found.found.get(kind, Found("text")))


def _usage(draft: _Draft, pages: Iterable[Page]) -> None:
    """Of its own sheet, else of the first deployment that shows it."""
    said = next((found for page in pages if (found := usage(page))), None)
    if said:
        draft.tell("usage", said.text, Found(said.source))


def _training(draft: _Draft, page: Page) -> None:
    said = training(page)
    if said:
        draft.record["training"] = said.training
        draft.found["training"] = Found("text", unsure=not said.told)


def _quality(draft: _Draft, page: Page) -> None:
    """The figures of this package; others of the page are of what it is compared with."""
    figures = quality.own(quality.read(page), (parted(draft.release.handle).name,))
    if figures:
        (variant,) = draft.release.record.variants
        metrics = tuple(each.metric for each in figures)
        draft.record["variants"] = (msgspec.structs.replace(variant, metrics=metrics),)
        unsure = all(each.found.unsure for each in figures)
        place = f"variants.{variant.name}.metrics"
        draft.found[place] = Found(figures[0].found.source, unsure)


def _needs(draft: _Draft, page: Page) -> None:
    needs = python_needs.read(page)
    if needs.found:
        draft.record["requires"] = needs.requires
        draft.found |= {f"requires.{field}": found for field, found in needs.found.items()}


def _dependencies(draft: _Draft, page: Page, names: Mapping[str, str]) -> None:
    """Packages whose output goes in, that this one was made from, or that its own output goes into."""
    own = parted(draft.release.handle).name
    needed: dict[str, Dependency] = {}
    for each in related.read(page, (own,), names.__contains__):
        if each.kind and names[each.handle] not in {names.get(own), *needed}:
            version = f"^{each.version}.0.0" if each.version else "*"
            needed[names[each.handle]] = Dependency(version, each.kind)
            draft.found[f"dependencies.{names[each.handle]}"] = each.found
    if needed:
        draft.record["dependencies"] = needed


def _signatures(draft: _Draft, page: Page) -> None:
    """How the package is called; a page that only names its signatures still describes them."""
    said = signatures.read(page, parted(draft.release.handle).name)
    if said.signatures:
        draft.record["signatures"] = said.signatures
        draft.found["signatures"] = said.found or Found("text")
    elif signatures.describes(page):
        draft.found["interfaces"] = Found("text")


def _notes(draft: _Draft, changes: Notes) -> None:
    """What changed in this version; a changelog without versions may be about another one."""
    said = changes.of(draft.release.record.package.version)
    if said:
        draft.tell("notes", f"{said}\n", Found("text"))
    elif changes.text and not changes.versions:
        draft.tell("notes", f"{changes.text}\n", Found("text", unsure=True))


def _is_address(text: str) -> bool:
    return RULES["package.source"](text) is None
