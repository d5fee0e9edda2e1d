"""TFHub: one Markdown page a version, its first line `# Kind handle`, its labels in comments.

Pages of kind Module and Placeholder are releases; Lite, Tfjs and Coral are such a release in
another format; Collection and Publisher speak of several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from modelshelf.importers import Importer, Progress, silent
from modelshelf.importers.page import naming
from modelshelf.importers.page.labels import Sheet, sheet
from modelshelf.importers.sheets import deployment
from modelshelf.importers.sheets.collection import collection
from modelshelf.importers.sheets.deployment import Deployed, deployed, in_order
from modelshelf.importers.sheets.gone import gone
from modelshelf.importers.sheets.handle import Handle, parted
from modelshelf.importers.sheets.publisher import publisher, unnamed
from modelshelf.importers.sheets.release import Setting, described
from modelshelf.importers.sheets.tags import Tags, tags
from modelshelf.importers.sheets.told import Told, noted, told
from modelshelf.importers.snapshot import Text, texts
from modelshelf.package.catalogue import (
    Catalogue,
    Collection,
    Described,
    HubPublisher,
    Outcome,
    Page,
)
from modelshelf.package.version import Version

RELEASES = ("Module", "Placeholder")
DEPLOYMENTS = tuple(deployment.FORMATS)
KINDS = (*RELEASES, *DEPLOYMENTS, "Collection", "Publisher")
_HOME = "/assets/docs/"
"""Where the pages lie in a checkout of the hub's repository."""
PROVIDES = (
    "published-time",
    "size",
    "version-alert",
    "release-history",
    "downloadable",
    "issue-tracking",
)
"""What the hub showed beside every page (paper, Table 2)."""


class Leaf(NamedTuple):
    """A sheet and the file that it stands in."""

    path: str
    sheet: Sheet


class Known(NamedTuple):
    """What holds for all releases of the catalogue."""

    names: Mapping[str, str]
    publishers: Mapping[str, HubPublisher]
    tags: Tags
    gone: Mapping[str, str]


class Draft(NamedTuple):
    """A release before it is described: its own leaf and its deployments."""

    leaf: Leaf
    deployments: list[Deployed]


def read(place: str, progress: Progress = silent) -> Catalogue:
    """The catalogue of a folder, a checkout or a `.tar.gz` of the hub's pages."""
    files = texts(place, (".md", ".yaml"))
    lists = tags(file for file in files if file.path.lower().endswith(".yaml"))
    files = [file for file in files if file.path.lower().endswith(".md")]
    leaves, pages, lost = _leaves(files)
    drafts, more = _drafts(leaves)
    publishers = _publishers(leaves, drafts)
    by_handle = {each.handle: each for each in publishers}
    known = Known(naming.names(each.name for each in drafts), by_handle, lists, lost)
    pages += [*more, *(_page(each) for each in leaves if each.sheet.kind in KINDS[-2:])]
    return Catalogue(
        hub="tfhub",
        specification=f"tfhub:{place}",
        releases=tuple(sorted(noted(list(_releases(drafts, known, progress))), key=_order)),
        pages=tuple(sorted(pages, key=lambda page: page.path)),
        publishers=tuple(publishers),
        collections=tuple(_collections(leaves, drafts)),
        provides=PROVIDES,
    )


def _leaves(files: list[Text]) -> tuple[list[Leaf], list[Page], dict[str, str]]:
    """The sheets among the files, the accounting of the other files, what those say is gone.

    Of two sheets with one kind and handle the first counts; a handle is one release only.
    """
    leaves: dict[tuple[str, str], Leaf] = {}
    pages, lost = [], {}
    checkout = any(_HOME in f"/{file.path}" for file in files)
    for file in files:
        read_ = None if file.wrong else sheet(file.text)
        reason = file.wrong or _unusable(read_, file.text)
        if checkout and not reason and _HOME not in f"/{file.path}":
            reason = "an example: the pages of a checkout lie in assets/docs"
        if read_ and not reason:
            kind = RELEASES[0] if read_.kind in RELEASES else read_.kind
            first = leaves.setdefault((kind, read_.handle), Leaf(file.path, read_))
            if first.path == file.path:
                continue
            reason = f"the same handle as {first.path}"
        if read_ is None and (deleted := gone(file.text)):
            lost.update(deleted)
            pages.append(Page(file.path, "merged", reason="names models whose files are gone"))
        else:
            kind, handle = (read_.kind, read_.handle) if read_ else ("", "")
            pages.append(Page(file.path, "skipped", kind, handle, reason=reason))
    return list(leaves.values()), pages, lost


def _unusable(read_: Sheet | None, text: str) -> str:
    """Why a page is no sheet of the hub; nothing where it is one."""
    if read_ is None:
        return "its first line is not `# Kind handle`" if text.strip() else "empty"
    if read_.kind not in KINDS:
        return f"of a kind that the hub does not have: {read_.kind}"
    if read_.kind in RELEASES and parted(read_.handle).version is None:
        return "its handle has no version"
    return ""


def _drafts(leaves: list[Leaf]) -> tuple[dict[Handle, Draft], list[Page]]:
    """Every release with its deployments, and the accounting of both.

    A deployment without a parent is a release of its own.
    """
    drafts = {
        parted(each.sheet.handle): Draft(each, []) for each in leaves if each.sheet.kind in RELEASES
    }
    known, pages = deployment.versions(drafts), []
    for leaf in leaves:
        if leaf.sheet.kind not in DEPLOYMENTS:
            continue
        own = parted(leaf.sheet.handle)
        parent = deployment.parent(leaf.sheet, known)
        if parent is None and own.version is None:
            pages.append(_page(leaf, "skipped", "neither a version nor a page that it belongs to"))
            continue
        draft = drafts.setdefault(parent.handle if parent else own, Draft(leaf, []))
        draft.deployments.append(deployed(leaf.sheet, unsure=bool(parent and parent.unsure)))
        if draft.leaf is not leaf:
            pages.append(_page(leaf, "merged", into=draft.leaf))
    empty = _empty(drafts)
    reason = "a placeholder of which nothing was deployed"
    pages += [_page(draft.leaf, "skipped", reason) for draft in empty.values()]
    drafts = {handle: draft for handle, draft in drafts.items() if handle not in empty}
    return drafts, [*pages, *(_page(draft.leaf) for draft in drafts.values())]


def _empty(drafts: Mapping[Handle, Draft]) -> dict[Handle, Draft]:
    """Placeholders of packages that have nothing else: of no release is known what it is made of."""
    siblings = _siblings(drafts)
    made = {handle.name for handle, draft in drafts.items() if draft.leaf.sheet.kind == RELEASES[0]}
    return {
        handle: draft
        for handle, draft in drafts.items()
        if not siblings[handle.name] and handle.name not in made
    }


def _releases(drafts: Mapping[Handle, Draft], known: Known, progress: Progress) -> Iterable[Told]:
    siblings = _siblings(drafts)
    for number, (handle, draft) in enumerate(drafts.items(), 1):
        setting = Setting(
            known.names[handle.name],
            known.publishers[handle.name.partition("/")[0]],
            known.tags,
            in_order(draft.deployments),
            siblings[handle.name],
            known.gone.get(handle.name),
        )
        release = described(draft.leaf.sheet, draft.leaf.path, setting)
        texts_ = (each.sheet.text for each in setting.deployments)
        yield told(release, known.names, texts_)
        progress(number, len(drafts))


def _siblings(drafts: Mapping[Handle, Draft]) -> dict[str, list[Deployed]]:
    """Every deployment of each package, of whatever release."""
    found: dict[str, list[Deployed]] = defaultdict(list)
    for handle, draft in drafts.items():
        found[handle.name] += draft.deployments
    return found


def _publishers(leaves: list[Leaf], drafts: Mapping[Handle, Draft]) -> list[HubPublisher]:
    """Everybody who has a page or a release, by our name for them."""
    found = {
        each.sheet.handle: publisher(each.sheet)
        for each in leaves
        if each.sheet.kind == "Publisher"
    }
    addresses: dict[str, list[str]] = defaultdict(list)
    for handle, draft in drafts.items():
        owner = handle.name.partition("/")[0]
        addresses[owner] += draft.leaf.sheet.labels.get("asset-path", ())
    found |= {each: unnamed(each, addresses[each]) for each in addresses if each not in found}
    return sorted(found.values(), key=lambda each: (each.name, each.handle))


def _collections(leaves: list[Leaf], drafts: Mapping[Handle, Draft]) -> Iterable[Collection]:
    packages = {
        parted(each.sheet.handle).name: handle.name
        for handle, draft in drafts.items()
        for each in draft.deployments
    } | {handle.name: handle.name for handle in drafts}
    return (collection(each.sheet, packages) for each in leaves if each.sheet.kind == "Collection")


def _page(
    leaf: Leaf, outcome: Outcome = "imported", reason: str = "", into: Leaf | None = None
) -> Page:
    owner = into.sheet.handle if into else ""
    return Page(leaf.path, outcome, leaf.sheet.kind, leaf.sheet.handle, owner, reason)


def _order(release: Described) -> tuple[str, Version, str]:
    package = release.record.package
    return package.name, Version.parse(package.version), release.page


IMPORTER = Importer("tfhub", "DIR", "a folder or .tar.gz of TFHub's pages", read)
