"""What the text of a sheet tells beyond its labels, put into the record where that holds nothing yet."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import msgspec

from modelshelf.importers.page import markdown, python_needs, quality
from modelshelf.importers.page.licenses import stated
from modelshelf.importers.page.markdown import Page
from modelshelf.importers.page.training import training
from modelshelf.importers.page.usage import usage
from modelshelf.importers.sheets.handle import parted
from modelshelf.package.catalogue import Described, Found

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


def told(release: Described, deployments: Iterable[str] = ()) -> Described:
    """`release` with what its text tells; `deployments` are the texts of sheets that deploy it."""
    page = markdown.read(release.text)
    draft = _Draft(release)
    _license(draft, page)
    _demo(draft)
    _usage(draft, chain([page], map(markdown.read, deployments)))
    _training(draft, page)
    _quality(draft, page)
    _needs(draft, page)
    return draft.done()


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


def _is_address(text: str) -> bool:
    return text.startswith(("https://", "http://")) and not set(text) & set(' <>"\t')
