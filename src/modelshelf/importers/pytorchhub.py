"""PyTorch Hub: one page a package, front matter and an article whose code loads the models.

Pages are Markdown files of the hub's repository; a crawl of the hub's site has them as HTML, which
is read where the Markdown is missing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from modelshelf.importers import Importer, Progress, silent
from modelshelf.importers.articles.draft import Draft, notes, of_html, of_markdown
from modelshelf.importers.articles.owners import owners
from modelshelf.importers.articles.reading import Reading, reading
from modelshelf.importers.articles.release import Setting, described
from modelshelf.importers.page import naming
from modelshelf.importers.page.people import kind
from modelshelf.importers.snapshot import Text, texts
from modelshelf.package.catalogue import Catalogue, Described, HubPublisher, Page
from modelshelf.package.record import Developer

KIND = "Model"
META = "meta_info.json"
PROVIDES = ("issue-tracking", "demo", "developer-contribution", "review-mechanism")
"""What the hub shows beside every page, or asks of everyone (paper, Table 2)."""


def read(place: str, progress: Progress = silent) -> Catalogue:
    """The catalogue of a folder, a checkout or a `.tar.gz` of the hub's pages."""
    files = texts(place, (".md", ".html", META))
    drafts, pages = _drafts(files)
    readings = [reading(draft) for draft in drafts]
    names = _names(readings)
    foreign = owners(readings)
    releases: list[Described] = []
    for number, each in enumerate(readings, 1):
        others = {entry: names[page] for entry, page in foreign[each.draft.name].items()}
        releases.append(described(each, Setting(names[each.draft.name], others)))
        progress(number, len(readings))
    return Catalogue(
        hub="pytorchhub",
        specification=f"pytorchhub:{place}",
        releases=tuple(sorted(releases, key=lambda each: each.record.package.name)),
        pages=tuple(sorted(pages, key=lambda page: page.path)),
        publishers=tuple(_publishers(readings, releases)),
        provides=PROVIDES,
    )


def _drafts(files: Iterable[Text]) -> tuple[list[Draft], list[Page]]:
    """The pages among the files, and the accounting of all files; Markdown goes before HTML."""
    found: dict[str, Draft] = {}
    pages: list[Page] = []
    everything = list(files)
    noted = notes(file for file in everything if file.path.endswith(META))
    for file in sorted(
        everything, key=lambda file: (not file.path.lower().endswith(".md"), file.path)
    ):
        if file.path.endswith(META):
            pages.append(Page(file.path, "merged", reason="names and tags of the pages in HTML"))
            continue
        draft = file.wrong or _draft(file, noted)
        if isinstance(draft, str):
            pages.append(Page(file.path, "skipped", reason=draft))
            continue
        first = found.setdefault(draft.name, draft)
        pages.append(_page(draft, first))
    return list(found.values()), pages


def _draft(file: Text, noted: Mapping[str, tuple[str, tuple[str, ...]]]) -> Draft | str:
    if file.path.lower().endswith(".md"):
        return of_markdown(file)
    return of_html(file, noted)


def _page(draft: Draft, first: Draft) -> Page:
    if draft is first:
        return Page(draft.path, "imported", KIND, draft.name, reason=draft.broken)
    reason = f"the same page as {first.path}"
    return Page(draft.path, "merged", KIND, draft.name, first.name, reason)


def _names(readings: Iterable[Reading]) -> dict[str, str]:
    """The package of each page by the page's name: its account, and the rest of its name."""
    handles = {each.draft.name: f"{each.account}/{each.rest}" for each in readings}
    count = Counter(handles.values())
    handles = {
        name: handle if count[handle] == 1 else f"{handle.partition('/')[0]}/{name}"
        for name, handle in handles.items()
    }
    given = naming.names(handles.values())
    return {name: given[handle] for name, handle in handles.items()}


def _publishers(
    readings: Iterable[Reading], releases: Iterable[Described]
) -> Iterable[HubPublisher]:
    """Every account, as what most authors of its pages are."""
    accounts: dict[str, str] = {}
    makers: dict[str, list[Developer]] = defaultdict(list)
    for each, release in zip(readings, releases, strict=True):
        name = release.record.package.name.partition("/")[0]
        accounts.setdefault(name, each.account)
        makers[name] += release.record.package.developers
    for name in sorted(accounts):
        counts = Counter((each.name, each.kind) for each in makers[name])
        kinds = Counter(each.kind for each in makers[name])
        most, _ = kinds.most_common(1)[0] if kinds else kind(accounts[name], accounts[name])
        display = next((who for (who, which), _ in counts.most_common() if which == most), "")
        yield HubPublisher(
            name, accounts[name], display or accounts[name], most, unsure=len(kinds) != 1
        )


IMPORTER = Importer("pytorchhub", "DIR", "a folder or .tar.gz of PyTorch Hub's pages", read)
