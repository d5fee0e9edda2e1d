"""The pages in a real browser: people find a model, on any screen, with and without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.birds import FAMILY
from tests.browser.conftest import See, Seen

CLASSIFIER = "/aviary/garden-sparrownet-v2-100-224-classification"
PAGES = {
    "home": "/",
    "search": "/search?q=sparrownet&task=image-classification",
    "package": "/acme/digits",
    "described": CLASSIFIER,
    "release": "/acme/digits/1.1.0",
    "history": "/acme/digits/history",
    "diff": "/acme/digits/diff/1.0.0...1.1.0",
    "publisher": "/aviary",
    "families": "/families",
    "family": f"/families/{FAMILY}",
    "compare": f"/compare?with={CLASSIFIER[1:]}&with=acme/digits&with=acme/reader",
    "problem": "/nobody/nothing",
}
ACCURACY = "top-1-accuracy"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_model_is_found_sorted_opened_and_compared(see: See, scripts: bool) -> None:
    seen = see(scripts=scripts)
    page = seen.open("/")
    page.get_by_role("searchbox").fill("sparrownet")
    page.get_by_role("button", name="Search").click()
    assert seen.here == "/search?q=sparrownet"
    page.get_by_role("link", name=re.compile("^image-classification")).first.click()
    assert "13 packages" in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="SparrowNet V2, image-classification").click()
    assert seen.here == f"/families/{FAMILY}"
    _sort(seen)
    page.get_by_role("table").first.get_by_role("link").filter(has_text="v2-140-224").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("garden-sparrownet-v2-140")
    page.go_back()
    boxes = page.get_by_role("checkbox")
    for number in range(3):
        boxes.nth(number).check()
    page.get_by_role("button", name="Compare").click()
    table = page.get_by_role("table")
    assert table.locator("thead th").count() == 3
    assert table.locator("td.best").inner_text().startswith("0.75")
    page.get_by_role("link", name="Show only differences").click()
    assert table.locator("tr.agreed").count() == 0


def _sort(seen: Seen) -> None:
    """By the head of a column, the best first, then the other way round."""
    page = seen.page
    head = page.locator("th", has=page.get_by_role("link", name=ACCURACY))
    for order in ("descending", "ascending", "descending"):
        head.get_by_role("link").click()
        assert head.get_attribute("aria-sort") == order
        column = head.evaluate("cell => cell.cellIndex") if order else 0
        values = page.locator(f"table.members tbody td:nth-child({column + 1})").all_inner_texts()
        numbers = [float(each) for each in values]
        assert numbers == sorted(numbers, reverse=order == "descending")


def test_a_value_narrows_the_members(see: See) -> None:
    page = see().open(f"/families/{FAMILY}")
    page.get_by_role("table").nth(1).get_by_role("link", name=re.compile(r"^0\.5")).click()
    assert page.locator("table.members tbody tr").count() == 2
    page.get_by_role("link", name="Remove width: 0.5").click()
    assert page.locator("table.members tbody tr").count() == 7


def test_an_older_generation_leads_to_the_newest(see: See) -> None:
    seen = see()
    page = seen.open("/aviary/garden-sparrownet-v1-100-224-classification")
    page.get_by_role("note").get_by_role("link", name="SparrowNet V3").click()
    assert page.get_by_role("heading", level=1).inner_text() == "SparrowNet V3"
    assert page.locator(".generations li[aria-current]").inner_text().startswith("SparrowNet V3")


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_pages_fit_a_narrow_screen(see: See, path: str) -> None:
    page = see(narrow=True).open(path) if path != PAGES["problem"] else _problem(see(narrow=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_keyboard_is_enough(see: See) -> None:
    seen = see()
    page = seen.open(f"/families/{FAMILY}")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to content"
    page.keyboard.press("Enter")
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox").first.is_checked()
    outline = page.locator(":focus").evaluate("each => getComputedStyle(each).outlineStyle")
    assert outline != "none"


@pytest.mark.parametrize("screen", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_keeps_anybody_out(see: See, axe: str, name: str, screen: str) -> None:
    seen = see(dark=screen == "dark", narrow=screen == "narrow")
    page = _problem(seen) if name == "problem" else seen.open(PAGES[name])
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    seen.shoot(f"{name} {screen}")
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [_told(each) for each in found["violations"] if _is_grave(each)] == []


def _problem(seen: Seen) -> Any:
    """A page that is not there; the browser notes that it was 404."""
    page = seen.open(PAGES["problem"])
    seen.said[:] = [each for each in seen.said if "404" not in each]
    return page


def _is_grave(violation: dict[str, Any]) -> bool:
    return violation["impact"] in ("serious", "critical")


def _told(violation: dict[str, Any]) -> str:
    where = [node["html"][:120] for node in violation["nodes"][:3]]
    return f"{violation['id']}: {violation['help']} {where}"
