"""A registry that runs, with an imported hub and published packages, and a browser that reads it."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from modelshelf.importers import read
from modelshelf.registry import grouping, importing
from modelshelf.registry.app import open_service
from modelshelf.registry.settings import Settings
from tests.browser import birds
from tests.registry.conftest import Client, Draft, Running, run, tensors

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".venv" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
SHOTS = os.environ.get("MODELSHELF_SHOTS")
"""A folder for pictures of all pages, where somebody wants to look at them."""


@dataclass
class Seen:
    """A page of the browser, and what its console said; nothing but the registry is reached."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to an address of the registry."""
        self.page.goto(self.url + path)
        return self.page

    @property
    def here(self) -> str:
        """The address that is open, without the registry's."""
        address: str = self.page.url
        return address.removeprefix(self.url)

    def shoot(self, name: str) -> None:
        """Take a picture of the whole page, if somebody wants it."""
        if SHOTS:
            path = Path(SHOTS) / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.png"
            self.page.screenshot(path=path, full_page=True)


See = Callable[..., Seen]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no chromium on this machine: apt install chromium")
    library = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: `make test-browser` installs it"
    )
    with library.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=found, chromium_sandbox=False, args=list(ARGUMENTS)
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def registry(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serves an imported hub, two releases of a published package, and one that it needs."""
    del browser  # without one nothing need run
    folder = tmp_path_factory.mktemp("aviary")
    settings = Settings(data=folder / "data", fsync=False, password_memory_kib=64)
    opened = open_service(settings)
    importing.bring(opened, read(f"tfhub:{birds.write(folder / 'hub')}"))
    opened.database.close()
    running = run(settings)
    try:
        _publish(running)
        grouping.group(running.service)
        yield running
    finally:
        running.stop()


def _publish(running: Running) -> None:
    acme = running.client.account("acme")
    readme = (
        b"# Digits\n\nReads *digits*.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n"
    )
    said: dict[str, object] = {"algorithm": "TinyNet", "datasets": ["uci-digits"]}
    read_me = said | {"readme": "README.md"}
    drafts = (
        Draft(package=read_me, files=_files(0.5, readme)),
        Draft(
            version="1.1.0",
            package=read_me | {"notes": "Trained longer."},
            files=_files(0.7, readme),
        ),
        Draft("acme/reader", dependencies={"acme/digits": {"version": "^1.0"}}, package=said),
    )
    for draft in drafts:
        assert draft.publish(acme).status == 201
    _until(lambda: _total(running.client) == birds.PACKAGES + 2)


def _files(value: float, readme: bytes) -> dict[str, bytes]:
    return {"small.safetensors": tensors(value), "README.md": readme}


def _total(client: Client) -> int:
    return int(client("GET", "/api/v1/search").json["total"])


def _until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("the registry did not derive everything in half a minute")


@pytest.fixture
def see(browser: Browser, registry: Running) -> Iterator[See]:
    """Opens a window: `see(dark=True, narrow=True, scripts=False)`; at the end none complained."""
    opened: list[Seen] = []

    def make(*, dark: bool = False, narrow: bool = False, scripts: bool = True) -> Seen:
        context = browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": 390, "height": 844} if narrow else {"width": 1280, "height": 900},
            java_script_enabled=scripts,
        )
        context.set_default_timeout(10_000)
        seen = Seen(context.new_page(), registry.url)
        _listen(seen)
        opened.append(seen)
        return seen

    yield make
    for seen in opened:
        seen.page.context.close()
    assert [each for seen in opened for each in seen.said] == []


def _listen(seen: Seen) -> None:
    own = urlsplit(seen.url).netloc

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.said.append(f"{message.type}: {message.text}")

    def failed(request: Request) -> None:
        seen.said.append(f"not loaded: {request.url}")

    def route(route: Route) -> None:
        if urlsplit(route.request.url).netloc in (own, ""):
            route.continue_()
        else:
            route.abort()

    seen.page.on("console", console)
    seen.page.on("pageerror", lambda error: seen.said.append(f"error: {error}"))
    seen.page.on("requestfailed", failed)
    seen.page.route("**/*", route)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        pytest.skip("no axe-core: `make test-browser` installs it where there is npm")
    return AXE.read_text(encoding="utf-8")
