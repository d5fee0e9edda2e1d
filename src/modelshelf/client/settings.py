"""Where the user's stores, tokens and default registry are; environment variables go first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from modelshelf.errors import Invalid, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.store.disk import DiskStore

DEFAULT_REGISTRY = "http://127.0.0.1:8750"
FILE = "settings.json"


class Settings(NamedTuple):
    """`home` holds the store and the tokens; `registry` is the URL asked when none is named.

    From MODELSHELF_HOME, MODELSHELF_REGISTRY, MODELSHELF_TOKEN and MODELSHELF_SHARED_STORE, else
    the user's data folder, `settings.json` in it, and the token that `shelf login` kept for that
    registry. `shared` are the stores that others fill: read, never written. `moved` is where the
    store was moved to, and `moved_from` where it lies as well while it moves.
    """

    home: Path
    registry: str
    token: str | None
    shared: tuple[Path, ...] = ()
    moved: Path | None = None
    moved_from: Path | None = None

    @property
    def store(self) -> Path:
        """Root of the content-addressed files."""
        return self.moved or self.home / "store"

    def files(self) -> DiskStore:
        """The user's store, and below it the shared ones.

        Raises NotFound where the place that it was moved to is gone: an empty store there would
        fetch everything again.
        """
        from modelshelf.store.disk import DiskStore

        if self.moved is not None and not (self.moved / "files").is_dir():
            raise NotFound(
                "the store is not where it was moved to",
                where=str(self.moved),
                hint=f"is its disk there? Else take `store` out of {self.home / FILE} to begin anew",
            )
        return DiskStore(self.store, shared=self.shared)


def settings(registry: str | None = None) -> Settings:
    """The settings in force; `registry` (a `--registry` option) goes before all others."""
    home = _home()
    kept = _kept(home)
    url = registry or os.environ.get("MODELSHELF_REGISTRY") or kept.get("registry")
    url = (str(url) if url else DEFAULT_REGISTRY).rstrip("/")
    tokens = kept.get("tokens")
    token = os.environ.get("MODELSHELF_TOKEN")
    if token is None and isinstance(tokens, dict):
        token = tokens.get(url)
    moved, moved_from = (_path(home, kept, key) for key in ("store", "store_before"))
    return Settings(home, url, token, _shared(home, kept), moved, moved_from)


def settings_for(url: str, own: Settings | None = None) -> Settings:
    """The settings for a registry that a project or a lock names, which a stranger may have written.

    MODELSHELF_TOKEN goes only to the registry of `own` (default: the user's); tokens of `shelf
    login` go where they are from.
    """
    mine = own or settings()
    if url == mine.registry:
        return mine
    tokens = _kept(mine.home).get("tokens")
    token = tokens.get(url) if isinstance(tokens, dict) else None
    return mine._replace(registry=url, token=token)


def alerting() -> bool:
    """Whether `load` may tell of newer releases: `"alerts": false` in `settings.json` says no."""
    return _kept(_home()).get("alerts", True) is not False


def keep_token(home: Path, registry: str, token: str | None) -> None:
    """Remember `token` for `registry` (None forgets it), in a file only its owner can read.

    The first registry logged in to becomes the default one.
    """
    with _changing(home) as kept:
        tokens = kept.get("tokens")
        known = dict(tokens) if isinstance(tokens, dict) else {}
        known.pop(registry, None)
        if token is not None:
            known[registry] = token
            kept.setdefault("registry", registry)
        kept["tokens"] = known


def keep_store(home: Path, store: Path, before: Path | None) -> None:
    """Remember that the store lies at `store`; `before` is where what is left of it is still to go."""
    with _changing(home) as kept:
        kept["store"] = str(store)
        kept.pop("store_before", None)
        if before is not None:
            kept["store_before"] = str(before)


@contextmanager
def _changing(home: Path) -> Iterator[dict[str, object]]:
    """The settings kept, to be changed by one process at a time; whole or not at all."""
    from filelock import FileLock

    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{FILE}.lock"):
        kept = _kept(home)
        yield kept
        partial = home / f"{FILE}.part"
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(home / FILE)
        finally:
            partial.unlink(missing_ok=True)


def _home() -> Path:
    given = os.environ.get("MODELSHELF_HOME")
    if given:
        return Path(given).absolute()
    from platformdirs import user_data_path

    return user_data_path("modelshelf", appauthor=False)


def _shared(home: Path, kept: dict[str, object]) -> tuple[Path, ...]:
    """The shared stores, each once: MODELSHELF_SHARED_STORE, else `shared` in the settings."""
    given = os.environ.get("MODELSHELF_SHARED_STORE")
    told = kept.get("shared", [])
    places = given.split(os.pathsep) if given is not None else told
    if isinstance(places, str):
        places = [places]
    if not isinstance(places, list) or not all(isinstance(each, str) for each in places):
        raise _wrong(home / FILE, "`shared` must be a list of folders")
    return tuple(dict.fromkeys(Path(each).expanduser().absolute() for each in places if each))


def _path(home: Path, kept: dict[str, object], key: str) -> Path | None:
    told = kept.get(key)
    if told is None:
        return None
    if not isinstance(told, str) or not Path(told).is_absolute():
        raise _wrong(home / FILE, f"`{key}` must be the whole path of a folder")
    return Path(told)


def _kept(home: Path) -> dict[str, object]:
    path = home / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise _wrong(path, str(error)) from None
    return kept if isinstance(kept, dict) else {}


def _wrong(path: Path, why: str) -> Invalid:
    return Invalid(
        f"the settings cannot be read: {why}",
        where=str(path),
        hint="mend or delete the file, then log in again",
    )
