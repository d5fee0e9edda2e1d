"""TFHub: one Markdown page a version, its first line `# Kind handle`, its labels in comments."""

from __future__ import annotations

from typing import NamedTuple

from modelshelf.importers import Importer, Progress, silent
from modelshelf.importers.page import naming
from modelshelf.importers.page.labels import Sheet, sheet
from modelshelf.importers.sheets.release import described, parted
from modelshelf.importers.sheets.tags import Tags, tags
from modelshelf.importers.snapshot import Text, texts
from modelshelf.package.catalogue import Catalogue, Described, Outcome, Page
from modelshelf.package.version import Version

RELEASES = ("Module", "Placeholder")
KINDS = (*RELEASES, "Lite", "Tfjs", "Coral", "Collection", "Publisher")


class Leaf(NamedTuple):
    """A sheet and the file that it stands in."""

    path: str
    sheet: Sheet


def read(place: str, progress: Progress = silent) -> Catalogue:
    """The catalogue of a folder, a checkout or a `.tar.gz` of the hub's pages."""
    files = texts(place, (".md", ".yaml"))
    leaves, skipped = _leaves([file for file in files if file.path.lower().endswith(".md")])
    lists = tags(file for file in files if file.path.lower().endswith(".yaml"))
    modules = [leaf for leaf in leaves if leaf.sheet.kind in RELEASES]
    releases = _releases(modules, lists, progress)
    pages = [*skipped, *(_page(leaf, "imported") for leaf in modules)]
    rest = [leaf for leaf in leaves if leaf.sheet.kind not in RELEASES]
    pages += [_page(leaf, "skipped", "not read yet") for leaf in rest]
    return Catalogue(
        hub="tfhub",
        specification=f"tfhub:{place}",
        releases=tuple(sorted(releases, key=_order)),
        pages=tuple(sorted(pages, key=lambda page: page.path)),
    )


def _releases(leaves: list[Leaf], lists: Tags, progress: Progress) -> list[Described]:
    names = naming.names(parted(leaf.sheet.handle).name for leaf in leaves)
    found = []
    for number, leaf in enumerate(leaves):
        name = names[parted(leaf.sheet.handle).name]
        found.append(described(leaf.sheet, leaf.path, name, lists))
        progress(number + 1, len(leaves))
    return found


def _leaves(files: list[Text]) -> tuple[list[Leaf], list[Page]]:
    """The sheets among the files; what is none of them, or says what another does, is skipped."""
    leaves: dict[tuple[str, str], Leaf] = {}
    skipped = []
    for file in files:
        read_ = None if file.wrong else sheet(file.text)
        reason = file.wrong or _unusable(read_, file.text)
        if read_ and not reason:
            kind = "release" if read_.kind in RELEASES else read_.kind
            first = leaves.setdefault((kind, read_.handle), Leaf(file.path, read_))
            if first.path == file.path:
                continue
            reason = f"the same handle as {first.path}"
        kind, handle = (read_.kind, read_.handle) if read_ else ("", "")
        skipped.append(Page(file.path, "skipped", kind, handle, reason=reason))
    return list(leaves.values()), skipped


def _unusable(read_: Sheet | None, text: str) -> str:
    """Why a page is no sheet of the hub; nothing where it is one."""
    if read_ is None:
        return "its first line is not `# Kind handle`" if text.strip() else "empty"
    if read_.kind not in KINDS:
        return f"of a kind that the hub does not have: {read_.kind}"
    if read_.kind in RELEASES and parted(read_.handle).version is None:
        return "its handle has no version"
    return ""


def _page(leaf: Leaf, outcome: Outcome, reason: str = "") -> Page:
    return Page(leaf.path, outcome, leaf.sheet.kind, leaf.sheet.handle, reason=reason)


def _order(release: Described) -> tuple[str, Version, str]:
    package = release.record.package
    return package.name, Version.parse(package.version), release.page


IMPORTER = Importer("tfhub", "DIR", "a folder or .tar.gz of TFHub's pages", read)
