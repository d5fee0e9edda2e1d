"""Releases for tests of a package manager: one line each, published for real."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Finished, Shelf, write_package


class Publish(NamedTuple):
    """Publishes releases of one publisher; gives their whole names."""

    shelf: Shelf
    publisher: str
    folder: Path

    def __call__(
        self,
        name: str,
        version: str,
        *,
        edit: Mapping[str, str] | None = None,
        add: str = "",
        needs: Mapping[str, str] | None = None,
        factor: float = 2.0,
        registry: str | None = None,
        override: bool = False,
    ) -> str:
        """`edit` replaces text of the manifest, `add` are tables more of it.

        `needs` are ranges or whole inline tables by the names of this publisher's packages.
        """
        whole = self.whole(name)
        folder = write_package(
            self.folder / name / version, name=whole, version=version, factor=factor
        )
        wanted = [f'"{self.whole(on)}" = {_quoted(each)}' for on, each in (needs or {}).items()]
        tables = "\n".join([*(["[dependencies]", *wanted] if wanted else []), add, ""])
        manifest = folder / "shelf.toml"
        text = manifest.read_text(encoding="utf-8").replace(
            "[signatures.scale.inputs.x]", f"{tables}[signatures.scale.inputs.x]"
        )
        for before, after in (edit or {}).items():
            assert before in text
            text = text.replace(before, after)
        manifest.write_text(text, encoding="utf-8")
        more = ["--registry", registry] if registry else []
        more += ["--override-level", "as the test wants it"] if override else []
        succeeded(self.shelf("publish", str(folder), *more))
        return whole

    def whole(self, name: str) -> str:
        """The name with this publisher."""
        return f"{self.publisher}/{name}"


def _quoted(wanted: str) -> str:
    return wanted if wanted.startswith("{") else json.dumps(wanted)


@pytest.fixture
def release(shelf: Shelf, publisher: str, tmp_path: Path) -> Publish:
    """`release("scale", "1.0.0", needs={"base": "^1.0"})`, as this test's publisher."""
    return Publish(shelf, publisher, tmp_path / "releases")


def succeeded(done: Finished) -> Finished:
    """`done`, which must have worked."""
    assert done.code == 0, done.err + done.out
    return done


def versions(
    shelf: Callable[..., Finished], *options: str, cwd: Path | None = None
) -> dict[str, str]:
    """What is installed: version by the package's name without its publisher."""
    listed = json.loads(succeeded(shelf("list", "--json", *options, cwd=cwd)).out)["packages"]
    return {each["name"].split("/")[1]: each["version"] for each in listed}
