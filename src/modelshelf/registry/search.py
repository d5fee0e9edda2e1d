"""Finding packages by text and by facets: a derived index that is rebuilt from the database.

Any class with the four methods of `Search` can stand in; `open_search` gives the tantivy one,
whose files lie under `data/search/` and may be deleted at any time.
"""

from __future__ import annotations

import re
import shutil
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import tantivy
from filelock import FileLock

from modelshelf.package.entry import Entry
from modelshelf.package.handle import bare
from modelshelf.package.record import Record
from modelshelf.package.search import FACETS, Availability, Hit

_LAYOUT = "v2"
"""Name of the index's folder: changed with `_schema`, so that old files are never misread."""
_TEXT_BOOSTS = {
    "name": 8.0, "summary": 3.0, "keywords": 4.0, "about": 3.0, "called": 2.0, "readme": 1.0,
}  # fmt: skip
_WHOLE_NAME_BOOST = 40.0
_PREFIX_BOOST = 3.0
_FUZZY_BOOST = 1.0
_FUZZY_FROM_LETTERS = 5
_MAX_WORDS = 12
_MAX_VALUES_PER_FACET = 64
_MAX_HANDLES = 1000
_MAX_VALUE_BYTES = 200
_MAX_README_CHARACTERS = 100_000
_MAX_OFFSET = 10_000
_MAX_LIMIT = 100
_MAX_BUCKETS = 65_000
_WRITER_HEAP_BYTES = 15_000_000
_WORD = re.compile(r"[^\W_]+")


class SearchDocument(msgspec.Struct, frozen=True):
    """All that the index knows of one package; `handles` are what other hubs call it."""

    hit: Hit
    contexts: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    readme: str = ""
    handles: tuple[str, ...] = ()


class Results(msgspec.Struct, frozen=True):
    """One page of hits, best first, and per facet its (value, number of packages), most first."""

    total: int
    hits: tuple[Hit, ...]
    facets: dict[str, tuple[tuple[str, int], ...]]


class Search(Protocol):
    """What the registry asks of an index; every method leaves it consistent on disk."""

    def add(self, documents: Iterable[SearchDocument]) -> None:
        """Put packages in, in place of what was known under the same names."""

    def remove(self, names: Iterable[str]) -> None:
        """Take packages out; unknown names are no error."""

    def query(
        self,
        text: str,
        facets: Mapping[str, Sequence[str]],
        offset: int = 0,
        limit: int = 20,
        *,
        within: Sequence[str] | None = None,
    ) -> Results:
        """Packages that match all words of `text` and, per facet, one of the values asked for.

        `within` are the names of packages to choose from, where not all will do. The counts are exact; those of a facet ignore what is chosen in that same facet, so they
        tell what choosing another value would find. Empty text lists the most downloaded first.
        """

    def rebuild(self, documents: Iterable[SearchDocument]) -> None:
        """Replace the whole index in one step; readers see the old one until it is done."""


def document(
    record: Record,
    entry: Entry,
    *,
    readme: str = "",
    downloads: int = 0,
    handles: Sequence[str] = (),
) -> SearchDocument:
    """What to index of a package whose newest release is `entry`, described by `record`."""
    package = record.package
    artifacts = [artifact for variant in entry.variants for artifact in variant.artifacts]
    return SearchDocument(
        hit=Hit(
            name=entry.name,
            version=entry.version,
            summary=package.summary,
            task=package.task,
            algorithm=package.algorithm,
            license=package.license,
            datasets=package.datasets,
            formats=_distinct(artifact.format for artifact in artifacts),
            downloads=downloads,
            published=entry.published,
            hub=entry.upstream.hub if entry.upstream else None,
            availability=_availability(entry),
        ),
        contexts=_distinct(context for artifact in artifacts for context in artifact.contexts),
        frameworks=_distinct(record.requires.frameworks),
        keywords=package.keywords,
        readme=readme[:_MAX_README_CHARACTERS],
        handles=tuple(handles[:_MAX_HANDLES]),
    )


def _availability(entry: Entry) -> Availability:
    if not entry.described:
        return "installable"
    return "files-gone" if entry.upstream and entry.upstream.gone else "described-only"


def open_search(folder: Path) -> TantivySearch:
    """The index under `folder`, made anew where it is missing or cannot be read."""
    return TantivySearch(folder)


def words(text: str) -> tuple[str, ...]:
    """The words of a query as the index spells them, at most twelve; punctuation means nothing."""
    folded = unicodedata.normalize("NFKC", text[:1000]).lower()
    return tuple(word[:40] for word in _WORD.findall(folded))[:_MAX_WORDS]


class TantivySearch:
    """`Search` on tantivy; readers never wait, writers take turns, also between processes.

    `fresh` tells that the index had to be made anew, so that only a rebuild will fill it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _LAYOUT
        folder.mkdir(parents=True, exist_ok=True)
        self._turn = threading.Lock()
        self._file_turn = FileLock(folder / "write.lock")
        self._schema = _schema()
        with self._file_turn:
            self._index, self.fresh = _open(self._schema, self._folder)

    def add(self, documents: Iterable[SearchDocument]) -> None:
        """See `Search.add`."""
        self._write(documents, remove=(), anew=False)

    def remove(self, names: Iterable[str]) -> None:
        """See `Search.remove`."""
        self._write((), remove=names, anew=False)

    def rebuild(self, documents: Iterable[SearchDocument]) -> None:
        """See `Search.rebuild`."""
        self._write(documents, remove=(), anew=True)

    def query(
        self,
        text: str,
        facets: Mapping[str, Sequence[str]],
        offset: int = 0,
        limit: int = 20,
        *,
        within: Sequence[str] | None = None,
    ) -> Results:
        """See `Search.query`."""
        searcher = self._index.searcher()
        wanted = {facet: tuple(facets[facet]) for facet in FACETS if facets.get(facet)}
        spoken = words(text)
        called = bare(text)
        matching = _matching(
            self._schema, spoken, called, nothing=bool(text.strip()) and not spoken
        )
        if within is not None:
            matching = matching.and_must_match(_any_of(self._schema, "key", within))
        narrowed = _narrowed(self._schema, matching, wanted)
        found = searcher.search(
            narrowed,
            limit=min(max(limit, 1), _MAX_LIMIT),
            offset=min(max(offset, 0), _MAX_OFFSET),
            order_by_field=None if spoken else "downloads",
            weight_by_field="downloads" if spoken else None,
        )
        return Results(
            total=int(found.count),  # type: ignore[attr-defined]  # missing in tantivy's stub
            hits=tuple(_hit(searcher.doc(address)) for _, address in found.hits),
            facets=self._counts(searcher, matching, wanted),
        )

    def _counts(
        self,
        searcher: tantivy.Searcher,
        matching: tantivy.Query,
        wanted: dict[str, tuple[str, ...]],
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        """Facet counts: one pass for all facets nothing is chosen in, one for each other."""
        free = [facet for facet in FACETS if facet not in wanted]
        counts = _aggregate(searcher, _narrowed(self._schema, matching, wanted), free)
        for facet in wanted:
            others = {name: values for name, values in wanted.items() if name != facet}
            query = _narrowed(self._schema, matching, others)
            counts |= _aggregate(searcher, query, [facet])
        return {facet: counts[facet] for facet in FACETS}

    def _write(
        self, documents: Iterable[SearchDocument], *, remove: Iterable[str], anew: bool
    ) -> None:
        with self._turn, self._file_turn:
            writer = self._index.writer(_WRITER_HEAP_BYTES, 1)
            try:
                if anew:
                    writer.delete_all_documents()
                for name in remove:
                    writer.delete_documents_by_term("key", name)
                for one in documents:
                    writer.delete_documents_by_term("key", one.hit.name)
                    writer.add_document(_indexed(one))
                writer.commit()
            except BaseException:
                writer.rollback()
                raise
            finally:
                writer.wait_merging_threads()
            self._index.reload()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for field in ("key", "handle"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    for field in _TEXT_BOOSTS:
        builder.add_text_field(field, tokenizer_name="default", index_option="freq")
    for facet in FACETS:
        builder.add_text_field(_field(facet), tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_unsigned_field("downloads", fast=True)
    builder.add_bytes_field("hit", stored=True)
    return builder.build()


def _field(facet: str) -> str:
    return f"facet_{facet}"


def _open(schema: tantivy.Schema, folder: Path) -> tuple[tantivy.Index, bool]:
    """The index in `folder`, and whether it was made anew."""
    try:
        fresh = not folder.exists() or not tantivy.Index.exists(str(folder))
        folder.mkdir(exist_ok=True)
        return tantivy.Index(schema, path=str(folder)), fresh
    except (ValueError, OSError):
        # Nothing is lost: the index is derived, and the next rebuild fills it again.
        shutil.rmtree(folder)
        folder.mkdir()
        return tantivy.Index(schema, path=str(folder)), True


def _facet_values(one: SearchDocument) -> dict[str, tuple[str | None, ...]]:
    hit = one.hit
    return {
        "task": (hit.task,),
        "algorithm": (hit.algorithm,),
        "dataset": hit.datasets,
        "license": (hit.license,),
        "format": hit.formats,
        "context": one.contexts,
        "framework": one.frameworks,
        "hub": (hit.hub,),
        "availability": (hit.availability,),
    }


def _indexed(one: SearchDocument) -> tantivy.Document:
    made = tantivy.Document()
    made.add_text("key", one.hit.name)
    made.add_text("name", one.hit.name)
    made.add_text("summary", one.hit.summary or "")
    made.add_text("keywords", " ".join(one.keywords))
    made.add_text("readme", one.readme)
    for handle in one.handles:
        made.add_text("handle", handle)
        made.add_text("called", handle)
    for facet, values in _facet_values(one).items():
        for value in _distinct(filter(None, values))[:_MAX_VALUES_PER_FACET]:
            made.add_text(_field(facet), _clipped(value))
            made.add_text("about", value)
    made.add_unsigned("downloads", max(one.hit.downloads, 0))
    made.add_bytes("hit", msgspec.json.encode(one.hit))
    return made


def _hit(stored: tantivy.Document) -> Hit:
    payload: bytes | list[int] = stored["hit"][0]
    return msgspec.json.decode(bytes(payload), type=Hit)


def _matching(
    schema: tantivy.Schema, spoken: tuple[str, ...], called: str, *, nothing: bool
) -> tantivy.Query:
    """Packages with all words; first those that are named so, here or, as `called`, elsewhere."""
    if nothing:
        return tantivy.Query.empty_query()
    if not spoken:
        return tantivy.Query.all_query()
    every = [(tantivy.Occur.Must, _one_word(schema, word)) for word in spoken]
    whole = tantivy.Query.term_query(schema, "key", "/".join(spoken[:2]))
    boosted = tantivy.Query.boost_query(whole, _WHOLE_NAME_BOOST)
    found = tantivy.Query.boolean_query([*every, (tantivy.Occur.Should, boosted)])
    if "/" not in called:
        return found
    elsewhere = tantivy.Query.term_query(schema, "handle", called)
    return tantivy.Query.boolean_query(
        [
            (tantivy.Occur.Should, found),
            (tantivy.Occur.Should, tantivy.Query.boost_query(elsewhere, _WHOLE_NAME_BOOST)),
        ]
    )


def _one_word(schema: tantivy.Schema, word: str) -> tantivy.Query:
    """`word` in any text, as the start of a word of the name, or one typing slip away from it."""
    ways = [
        tantivy.Query.boost_query(tantivy.Query.term_query(schema, field, word), boost)
        for field, boost in _TEXT_BOOSTS.items()
    ]
    for field in ("name", "about"):
        near = tantivy.Query.fuzzy_term_query(schema, field, word, distance=0, prefix=True)
        ways.append(tantivy.Query.boost_query(near, _PREFIX_BOOST))
    if len(word) >= _FUZZY_FROM_LETTERS:
        slip = tantivy.Query.fuzzy_term_query(schema, "name", word, distance=1, prefix=False)
        ways.append(tantivy.Query.boost_query(slip, _FUZZY_BOOST))
    return tantivy.Query.disjunction_max_query(ways, 0.1)


def _narrowed(
    schema: tantivy.Schema, matching: tantivy.Query, wanted: Mapping[str, tuple[str, ...]]
) -> tantivy.Query:
    filters = [_any_of(schema, _field(facet), values) for facet, values in wanted.items()]
    return matching.and_must_match(*filters) if filters else matching


def _any_of(schema: tantivy.Schema, field: str, values: Iterable[str]) -> tantivy.Query:
    """One of these values, which says nothing of how well a package matches."""
    wanted = tantivy.Query.term_set_query(schema, field, [_clipped(value) for value in values])
    return tantivy.Query.const_score_query(wanted, 0.0)


def _aggregate(
    searcher: tantivy.Searcher, query: tantivy.Query, facets: Sequence[str]
) -> dict[str, tuple[tuple[str, int], ...]]:
    if not facets:
        return {}
    asked = {
        facet: {
            "terms": {
                "field": _field(facet),
                # More buckets than values: counts summed over segments are then exact.
                "size": _MAX_BUCKETS,
                "segment_size": _MAX_BUCKETS,
            }
        }
        for facet in facets
    }
    answer = searcher.aggregate(query, asked)
    return {facet: _ranked(answer[facet]["buckets"]) for facet in facets}


def _ranked(buckets: Iterable[Mapping[str, object]]) -> tuple[tuple[str, int], ...]:
    pairs = [(str(bucket["key"]), int(str(bucket["doc_count"]))) for bucket in buckets]
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _clipped(value: str) -> str:
    return value.encode(errors="replace")[:_MAX_VALUE_BYTES].decode(errors="ignore")
