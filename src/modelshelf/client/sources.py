"""Where packages come from: one registry, or several in order; which has which package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from modelshelf.client.http import Connection
from modelshelf.client.rate import Bucket
from modelshelf.client.remote import Registry
from modelshelf.client.settings import Settings, settings_for
from modelshelf.errors import IntegrityError, NotFound, Refused
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock


class Offer(NamedTuple):
    """Every release of one package in publication order, and the registry that has it."""

    registry: str
    entries: tuple[Entry, ...]


Index = Callable[[str, str | None], Offer]
"""A package by its name, from the registry named if one is; raises NotFound."""


class Sources:
    """The registries of a project, the first one asked first; each package is asked for once."""

    def __init__(
        self,
        own: Settings,
        urls: Iterable[str],
        lock: Lock,
        *,
        offline: bool = False,
        rate: Bucket | None = None,
    ) -> None:
        """`own` are the user's settings; `lock` tells where packages came from before and stay.

        Bytes pass no faster than `rate` lets them.
        """
        self._rate = rate
        self.urls = tuple(dict.fromkeys(urls))
        self._own = own
        self._offline = offline
        self._registries: dict[str, Registry] = {}
        self._known: dict[str, Offer] = {}
        self._before = {each.name: each.registry for each in lock.packages}
        self._manifests = {(each.name, each.version): each.manifest for each in lock.packages}

    @property
    def first(self) -> Registry:
        """The registry that is asked what no package decides."""
        return self.registry(self.urls[0])

    def registry(self, url: str) -> Registry:
        """The registry at `url`. Raises Refused for one that nobody configured."""
        if url not in self.urls:
            raise Refused(
                "a package asks for a registry that this shelf does not use",
                got=url,
                expected=", ".join(self.urls),
                hint=f'add it to shelf.toml: registries = ["{url}"], or name it: --registry {url}',
            )
        if url not in self._registries:
            self._registries[url] = Registry(
                settings_for(url, self._own), offline=self._offline, rate=self._rate
            )
        return self._registries[url]

    def http(self, url: str) -> Connection:
        """The connection to the registry at `url`."""
        return self.registry(url).http

    def index(self, name: str, registry: str | None = None) -> Offer:
        """The releases of a package; where no registry is named, of the first that has it.

        A locked package comes from where it came from before, so that nobody can put another of
        the same name before it. Raises NotFound, Refused, IntegrityError where a registry tells
        another thing of a locked release than before.
        """
        wanted = registry.rstrip("/") if registry else None
        if name not in self._known:
            self._known[name] = self._asked(name, wanted or self._before.get(name))
        found = self._known[name]
        if wanted not in (None, found.registry):
            raise Refused(
                f"{name} is asked for from two registries",
                expected=found.registry,
                got=wanted,
                hint="name one of them in shelf.toml, or remove the package first",
            )
        return found

    def _asked(self, name: str, wanted: str | None) -> Offer:
        last = NotFound(f"there is no package {name}")
        for url in [wanted] if wanted else self.urls:
            try:
                entries = self.registry(url).entries(name)
            except NotFound as error:
                last = error
                continue
            self._require_as_locked(entries, url)
            return Offer(url, entries)
        raise last

    def _require_as_locked(self, entries: tuple[Entry, ...], url: str) -> None:
        for each in entries:
            known = self._manifests.get((each.name, each.version), each.manifest)
            if known != each.manifest and self._before.get(each.name) == url:
                raise IntegrityError(
                    f"{each.name} {each.version} is another release than the one locked",
                    where=url,
                    expected=known,
                    got=each.manifest,
                    hint="a release never changes: do not trust it; ask its publisher",
                )
