"""A registry as the client sees it: index lines, descriptions, search; one method a question."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from modelshelf.client.http import Answer, Connection
from modelshelf.client.rate import Bucket
from modelshelf.client.settings import Settings
from modelshelf.errors import IntegrityError, Invalid, NetworkError, NotFound, ShelfError
from modelshelf.package import name as names
from modelshelf.package.entry import Entry, commit_name
from modelshelf.package.handle import Resolved
from modelshelf.package.path import unsafe_path
from modelshelf.package.search import Found
from modelshelf.package.version import Version
from modelshelf.package.vocabularies import nearest
from modelshelf.store.digest import is_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.checks.contract import Contract

API = "/api/v1"
Model = TypeVar("Model")
_LINES = msgspec.json.Decoder(Entry)
"""Made before any thread is: two that make the first decoder of a type at once crash Python."""


class Registry:
    """Questions to the registry at `settings.registry`; index lines are kept with their ETag.

    When `offline`, nothing but what was kept is known. Bytes pass no faster than `rate` lets them.
    """

    def __init__(
        self, settings: Settings, *, offline: bool = False, rate: Bucket | None = None
    ) -> None:
        self.url = settings.registry
        self.http = Connection(settings.registry, token=settings.token, offline=offline, rate=rate)
        self._offline = offline
        self._kept = settings.home / "index" / hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def entries(self, name: str) -> tuple[Entry, ...]:
        """Every release of the package, in publication order.

        An index that the registry says has not changed is read from disk. Raises NotFound, and
        IntegrityError where releases are gone that were there before.
        """
        names.parse(name)
        path = self._kept / f"{name}.jsonl"
        kept = _read_kept(path)
        if self._offline:
            if kept is None:
                raise NetworkError(
                    f"nothing is known of {name} without the network",
                    where=self.url,
                    hint="run it once without --offline",
                )
            return _entries(kept[1], name, self.url)
        headers = {"If-None-Match": kept[0]} if kept and kept[0] else {}
        try:
            answer = self.http.get(f"/index/{name}.jsonl", headers)
        except NotFound:
            raise NotFound(
                f"there is no package {name}", where=self.url, hint=self._nearest(name)
            ) from None
        if answer.status == 304 and kept:
            return _entries(kept[1], name, self.url)
        entries = _entries(answer.body, name, self.url)
        if kept:
            _require_grown(_entries(kept[1], name, self.url), entries, path)
        _keep(path, answer)
        return entries

    def _nearest(self, name: str) -> str:
        """The package that may have been meant: the registry's search forgives slips."""
        word = name.split("/")[1]
        with suppress(ShelfError):
            found = self.search(word, {}, offset=0, limit=20).results
            if meant := nearest(name, [each.name for each in found]):
                return meant
        return f"look for it with: shelf search {word}"

    def kept(self, name: str) -> tuple[tuple[Entry, ...], float] | None:
        """The index as it was last seen, and when (seconds since 1970); the network is not asked."""
        path = self._kept / f"{name}.jsonl"
        kept = _read_kept(path)
        return (_entries(kept[1], name, self.url), path.stat().st_mtime) if kept else None

    def manifest(self, sha256: str) -> bytes:
        """The document that describes a release, by its digest. Raises IntegrityError, NotFound."""
        body = self.http.get(f"/files/{sha256}").body
        if (found := hashlib.sha256(body).hexdigest()) != sha256:
            raise IntegrityError(
                "the registry's description of a release is not the one promised",
                where=self.url,
                expected=sha256,
                got=found,
            )
        return body

    def describe(self, name: str, version: str | None = None) -> dict[str, object]:
        """Record, entry and all 33 elements of a release; the newest where no version is named."""
        chosen = version or str(newest(self.entries(name)).version)
        answer = self.http.get(f"{API}/packages/{name}/{quote(chosen, safe='')}")
        return self._decoded(answer, dict[str, object])

    def resolve(self, hub: str, handle: str) -> Resolved:
        """The release that another hub calls so; `hub` may be `any`. Raises NotFound."""
        answer = self.http.get(f"/handles/{quote(hub, safe='')}/{quote(handle)}")
        return self._decoded(answer, Resolved)

    def contract(self, name: str, version: str) -> Contract:
        """All that callers of a release rely on, to be compared with another one."""
        from modelshelf.checks.contract import Contract

        answer = self.http.get(f"{API}/packages/{name}/{quote(version, safe='')}/contract")
        return self._decoded(answer, Contract)

    def search(self, text: str, facets: dict[str, list[str]], *, offset: int, limit: int) -> Found:
        """One page of the packages that match."""
        query = [("q", text), ("offset", str(offset)), ("limit", str(limit))]
        query += [(facet, value) for facet, values in facets.items() for value in values]
        return self._decoded(self.http.get(f"{API}/search?{urlencode(query)}"), Found)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        patience_seconds: float | None = None,
        **headers: str,
    ) -> dict[str, object]:
        """One call of the API below `/api/v1`; `{}` where the answer has no body.

        A GET is repeated where the connection breaks.
        """
        http = self.http if patience_seconds is None else self.http.patient(patience_seconds)
        if method == "GET":
            answer = http.get(API + path, headers)
        else:
            answer = http.send(method, API + path, body, headers)
        return self._decoded(answer, dict[str, object]) if answer.body else {}

    def _decoded(self, answer: Answer, kind: type[Model]) -> Model:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise _not_a_registry(self.url, error) from None


def newest(entries: tuple[Entry, ...]) -> Entry:
    """The release that a newcomer gets: the newest that may be chosen and is no pre-release."""
    for acceptable in (
        [e for e in entries if e.choosable and not Version.parse(e.version).prerelease],
        [e for e in entries if e.choosable],
        list(entries),
    ):
        if acceptable:
            return max(acceptable, key=lambda entry: Version.parse(entry.version))
    raise NotFound("this package has no release")


def _require_grown(before: tuple[Entry, ...], now: tuple[Entry, ...], path: Path) -> None:
    """An index only grows: one that is older than the last may hide an upgrade that matters.

    A release that was only described may be described anew, or have files by now.
    """
    seen = {entry.version: entry.manifest for entry in now}
    for entry in before:
        if entry.described and entry.version in seen:
            continue
        if seen.get(entry.version) != entry.manifest:
            raise IntegrityError(
                f"the registry's index of {entry.name} is older than one seen before, or was forged",
                where=entry.version,
                expected=entry.manifest,
                got=seen.get(entry.version, "no such release"),
                hint=f"ask again later; if the registry itself was reset, delete {path}",
            )


def _entries(body: bytes, name: str, url: str) -> tuple[Entry, ...]:
    try:
        entries = tuple(_LINES.decode_lines(body))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _not_a_registry(url, error) from None
    for entry in entries:
        _require_honest(entry, name, url)
    return entries


def _require_honest(entry: Entry, name: str, url: str) -> None:
    """A registry is a stranger: its paths must stay below the shelf, its hashes belong together."""
    where = f"{url}/index/{name}.jsonl"
    wrong = _lie(entry, name)
    if wrong is not None:
        raise IntegrityError(
            "the registry's index is not to be trusted", where=where, got=wrong[:200]
        )
    if entry.commit != commit_name(entry.files):
        raise IntegrityError(
            f"the files of {name} {entry.version} are not those of its commit",
            where=where,
            expected=entry.commit,
            got=commit_name(entry.files),
        )


def _lie(entry: Entry, name: str) -> str | None:
    """The first value of `entry` that no honest registry would send, or None."""
    if entry.name != name:
        return entry.name
    try:
        Version.parse(entry.version)
    except Invalid:
        return entry.version
    digests = (entry.manifest, *(file.sha256 for file in entry.files))
    listed = {file.path for file in entry.files}
    named = {p for each in entry.variants for artifact in each.artifacts for p in artifact.files}
    wrong = [
        *(path for path in sorted(listed) if unsafe_path(path)),
        *sorted(named - listed),
        *(digest for digest in digests if not is_sha256(digest)),
    ]
    if not entry.variants:
        return f"{entry.version} without variants"
    return wrong[0] if wrong else None


def _not_a_registry(url: str, error: Exception) -> NetworkError:
    return NetworkError(
        f"the answer is not one of a Modelshelf registry: {error}",
        where=url,
        hint="is the address right, and is a proxy in between?",
    )


def _read_kept(path: Path) -> tuple[str, bytes] | None:
    """The ETag (first line) and the body of an index that was kept, or None."""
    try:
        etag, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return etag.decode("latin-1"), body


def _keep(path: Path, answer: Answer) -> None:
    """Keep an index for next time; that it cannot be kept (a full disk) harms nobody."""
    etag = answer.headers.get("etag", "")
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(etag.encode("latin-1") + b"\n" + answer.body)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
