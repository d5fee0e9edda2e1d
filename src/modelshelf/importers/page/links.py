"""Where a page leads: papers, source code, notebooks and demos, issue trackers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from modelshelf.importers.page.inline import Link
from modelshelf.importers.page.markdown import Page
from modelshelf.package.catalogue import Found

KEPT_COUNT = 50
"""Links of one kind that are kept."""

_CODE_HOSTS = (
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "gitee.com",
    "git.sr.ht",
)
_RAW_HOSTS = {"raw.githubusercontent.com": "github.com"}
_PAPER_HOSTS = (
    "arxiv.org", "doi.org", "openreview.net", "aclanthology.org", "aclweb.org", "proceedings.mlr.press",
    "papers.nips.cc", "papers.neurips.cc", "proceedings.neurips.cc", "jmlr.org", "openaccess.thecvf.com",
    "link.springer.com", "dl.acm.org", "ieeexplore.ieee.org", "semanticscholar.org", "biorxiv.org",
    "medrxiv.org", "isca-speech.org", "ojs.aaai.org", "hal.science", "hal.inria.fr", "ncbi.nlm.nih.gov",
    "nature.com", "sciencedirect.com", "pnas.org",
)  # fmt: skip
_PAPER_PATH = re.compile(r"/(?:pubs?|publications?|papers?)(?:/|\d|_)", re.IGNORECASE)
_ARXIV = re.compile(
    r"/(?:abs|pdf|html|ps|format)/((?:[a-z-]{2,12}(?:\.[A-Z]{2})?/\d{7})|\d{4}\.\d{4,5})(?:v\d+)?",
    re.IGNORECASE,
)
_ARXIV_SAID = re.compile(r"\barxiv[: ]\s?(?:abs/)?(\d{4}\.\d{4,5})(?:v\d{1,2})?\b", re.IGNORECASE)
_DOI_SAID = re.compile(r"\bdoi[: ]\s?(10\.\d{4,9}/[^\s,;)\]]{1,150})", re.IGNORECASE)
_REFERENCES = re.compile(
    r"references?|citations?|citing|bibliography|further reading|acknowledg", re.IGNORECASE
)
_DEMO = re.compile(
    r"\bdemos?\b|\bnotebooks?\b|\bcolab|\bplayground\b|\btry it\b|\blive\b|\binteractive\b",
    re.IGNORECASE,
)
_DEMO_HOSTS = re.compile(
    r"^colab\.|^mybinder\.org$|\.streamlit\.app$|\.gradio\.|^share\.streamlit\.io$"
)
_DEMO_PATH = re.compile(r"\.ipynb\b|^/spaces/|^/code/[\w.-]+/|^/kernels/", re.IGNORECASE)
_CODE = re.compile(r"\bcode\b|\bsources?\b|\bimplement|\brepo(?:sitory)?\b|\bgithub\b|\bscripts?\b|\bcheckpoints?\b"
                   r"|\bpre-?trained models\b|\bproject\b", re.IGNORECASE)  # fmt: skip
_ABOUT_THIS = re.compile(
    r"\bour\b|\bthis (?:model|module|package|work)\b|\bofficial\b|\btrained\b|\boriginal",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"migrat|guide|tutorial|label|vocab|example|dataset|benchmark|convert|\bapi\b|issue|preprocess|metrics?\b",
    re.IGNORECASE,
)
_SIDE_PATH = re.compile(
    r"/docs?/|/examples?/|\.(?:txt|csv|json|jpe?g|png|gif|svg|ipynb|zip|tgz|gz|pbtxt|proto)$",
    re.IGNORECASE,
)
_USED = re.compile(
    r"\brequir|\brelies on\b|\bconverted\b|\bfor use with\b|\binstall|\bdepend|\bimport|\blibrary\b|\bops\b|\bneeded\b|\bevaluat",
    re.IGNORECASE,
)
_TRACKER = re.compile(r"/issues(?:/new(?:/.*)?)?/?$")
_NOISE = re.compile(r"/(?:issues|pulls?|discussions|actions|wiki|merge_requests|stargazers)(?:/|$)")
_HOMEPAGE = re.compile(
    r"\b(?:project|home) ?-?page\b|\bwebsite\b|\bhomepage\b|\bproject site\b", re.IGNORECASE
)
_BARE = re.compile(r"https?://[^\s\"'<>`)\]]{1,2000}")


class Links(msgspec.Struct, frozen=True):
    """The addresses of a page by what they are, each once, the likeliest first.

    `sources` are repositories; `found` has how each field that is filled is known: `sources` is
    unsure where several could be the package's own.
    """

    papers: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    demos: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    homepages: tuple[str, ...] = ()
    found: dict[str, Found] = {}


class _Seen(NamedTuple):
    """A link where it stands: the text around it, and whether that is a list of references."""

    link: Link
    around: str
    cited: bool

    @property
    def words(self) -> str:
        return f"{self.link.text} {self.around}"


def read(page: Page, publisher: str = "") -> Links:
    """The page's links; a repository of an owner named as the `publisher` is taken for its own."""
    seen = list(_seen(page))
    sources, sure = _sources(seen, publisher)
    kinds = {
        "papers": _papers(seen, page),
        "sources": sources,
        "demos": _demos(seen),
        "issues": (each.link.url for each in seen if _is_tracker(each.link.url)),
        "homepages": (
            e.link.url
            for e in seen
            if e.link.text and _HOMEPAGE.search(e.link.text) and not e.link.image
        ),
    }
    kept = {kind: tuple(dict.fromkeys(urls))[:KEPT_COUNT] for kind, urls in kinds.items()}
    found = {
        kind: Found("text", kind == "sources" and not sure) for kind, urls in kept.items() if urls
    }
    return Links(**kept, found=found)


def _seen(page: Page) -> Iterator[_Seen]:
    sections = iter(page.sections)
    section = next(sections, None)
    following = next(sections, None)
    around = _around(page)
    for link in page.links:
        while following and link.line >= following.line:
            section, following = following, next(sections, None)
        cited = bool(section and _REFERENCES.match(section.title))
        yield _Seen(link, around.get(link.line, ""), cited)


def _around(page: Page) -> dict[int, str]:
    """The text of each paragraph, a little before and behind, by the lines that it covers."""
    lines: dict[int, str] = {}
    for block in page.paragraphs:
        if "://" in block.text or "](" in block.text or "]\n(" in block.text or "][" in block.text:
            written = block.text.split("\n")
            for number in range(len(written)):
                near = "\n".join(written[max(0, number - 2) : number + 2])[:1000]
                lines[block.line + number] = _BARE.sub("", near)
    return lines


def _host(url: str) -> tuple[str, str]:
    """The host without `www.` and the path of an address; empty for what is none."""
    if not url.startswith(("http://", "https://")):
        return "", ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.netloc.lower().removeprefix("www."), parts.path


def _on(host: str, hosts: Iterable[str]) -> bool:
    return any(host == each or host.endswith(f".{each}") for each in hosts)


def _papers(seen: Iterable[_Seen], page: Page) -> Iterator[str]:
    for each in seen:
        paper = None if each.link.image else _paper(each.link.url, cited=each.cited)
        if paper:
            yield paper
    for block in page.paragraphs:
        if "rxiv" in block.text.lower():
            yield from (f"https://arxiv.org/abs/{m[1]}" for m in _ARXIV_SAID.finditer(block.text))
        if "doi" in block.text.lower():
            yield from (
                f"https://doi.org/{m[1].rstrip('.')}" for m in _DOI_SAID.finditer(block.text)
            )


def _paper(url: str, *, cited: bool) -> str | None:
    """The address of a paper in its usual form; None where it is that of something else."""
    host, path = _host(url)
    if not host:
        return None
    if _on(host, ("arxiv.org",)):
        known = _ARXIV.match(path)
        return f"https://arxiv.org/abs/{known[1]}" if known else None
    if host == "dx.doi.org":
        return f"https://doi.org{path}"
    is_paper = _on(host, _PAPER_HOSTS) and len(path) > 3
    if is_paper or (_PAPER_PATH.search(path) and not _on(host, _CODE_HOSTS)):
        return url
    return url if cited and path.lower().endswith(".pdf") else None


def repository(url: str) -> str | None:
    """`https://github.com/acme/digits/blob/main/a.py` → `https://github.com/acme/digits`."""
    host, path = _host(url)
    host = _RAW_HOSTS.get(host, host)
    parts = [part for part in path.split("/") if part]
    if host not in _CODE_HOSTS or len(parts) < 2:
        return None
    owner, name = parts[0], parts[1].removesuffix(".git")
    return f"https://{host}/{owner}/{name}" if re.fullmatch(r"[\w.~-]{1,100}", name) else None


def _sources(seen: Iterable[_Seen], publisher: str) -> tuple[list[str], bool]:
    """Repositories, the likeliest first, and whether the first one stands out."""
    weights: dict[str, float] = {}
    for each in seen:
        url = repository(each.link.url)
        if url and not each.link.image and not _NOISE.search(_host(each.link.url)[1]):
            weights[url] = max(weights.get(url, -9.0), _weight(each, url, publisher))
    ranked = sorted(weights, key=lambda url: -weights[url])
    likely = [url for url in ranked if weights[url] >= 0]
    sure = len(likely) == 1 or (len(likely) > 1 and weights[likely[0]] - weights[likely[1]] >= 1)
    return likely, sure and weights[likely[0]] >= 1


def _weight(seen: _Seen, url: str, publisher: str) -> float:
    """How likely it is that a repository is where the package's own code lies."""
    host, path = _host(seen.link.url)
    owner = url.split("/")[3].lower()
    weight = 0.5 + bool(_CODE.search(seen.words)) + 0.5 * bool(_ABOUT_THIS.search(seen.around))
    weight += 0.5 * (bool(publisher) and owner == publisher.lower())
    named = f"{seen.link.text or path.rsplit('/', 1)[-1]} {url.rsplit('/', 1)[-1]}"
    weight -= bool(_ASIDE.search(named)) + bool(_USED.search(seen.around))
    weight -= 1.5 * bool(_SIDE_PATH.search(path)) + 2 * seen.cited + (host in _RAW_HOSTS)
    return weight


def _demos(seen: Iterable[_Seen]) -> list[str]:
    """Notebooks and demos; those that call themselves so first."""
    told: list[str] = []
    other: list[str] = []
    for each in seen:
        host, path = _host(each.link.url)
        if not host or each.link.image or _paper(each.link.url, cited=False):
            continue
        if (_DEMO_HOSTS.search(host) and len(path) > 1) or _DEMO_PATH.search(path):
            (told if _DEMO.search(each.link.text) else other).append(each.link.url)
        elif len(path) > 1 and _DEMO.search(each.link.text) and not _SIDE_PATH.search(path):
            other.append(each.link.url)
    return told + other


def _is_tracker(url: str) -> bool:
    host, path = _host(url)
    return bool(host) and bool(_TRACKER.search(path))
