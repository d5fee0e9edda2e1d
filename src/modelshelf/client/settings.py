"""Where the user's store, tokens and default registry are; environment variables go first."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from modelshelf.errors import Invalid

DEFAULT_REGISTRY = "http://127.0.0.1:8750"


class Settings(NamedTuple):
    """`home` holds the store and the tokens; `registry` is the URL asked when none is named.

    From MODELSHELF_HOME, MODELSHELF_REGISTRY and MODELSHELF_TOKEN, else the user's data folder,
    `settings.json` in it, and the token that `shelf login` kept for that registry.
    """

    home: Path
    registry: str
    token: str | None

    @property
    def store(self) -> Path:
        """Root of the content-addressed files."""
        return self.home / "store"


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
    return Settings(home, url, token)


def keep_token(home: Path, registry: str, token: str | None) -> None:
    """Remember `token` for `registry` (None forgets it), in a file only its owner can read.

    The first registry logged in to becomes the default one.
    """
    kept = _kept(home)
    tokens = kept.get("tokens")
    known = dict(tokens) if isinstance(tokens, dict) else {}
    known.pop(registry, None)
    if token is not None:
        known[registry] = token
        kept.setdefault("registry", registry)
    kept["tokens"] = known
    home.mkdir(parents=True, exist_ok=True)
    partial = home / "settings.json.part"
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=2)
    partial.replace(home / "settings.json")


def _home() -> Path:
    given = os.environ.get("MODELSHELF_HOME")
    if given:
        return Path(given).absolute()
    from platformdirs import user_data_path

    return user_data_path("modelshelf", appauthor=False)


def _kept(home: Path) -> dict[str, object]:
    path = home / "settings.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise Invalid(
            f"the settings cannot be read: {error}",
            where=str(path),
            hint="mend or delete the file, then log in again",
        ) from None
    return kept if isinstance(kept, dict) else {}
