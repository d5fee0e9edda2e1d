"""Rules are general: none names a package, a publisher or an algorithm of the hubs."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from modelshelf.package.catalogue import Catalogue
from modelshelf.study.wording import parse
from tests.corpora import catalogue_of

SOURCE = Path(__file__).parents[2] / "src" / "modelshelf"
ROOMS = [SOURCE / "importers", SOURCE / "study"]
THE_PAPER_SAYS = SOURCE / "study" / "paper"
"""Figures of the paper, beside which ours are shown: they are facts, not rules."""
ADDRESS = re.compile(r"https?://\S+")
OTHERS = [SOURCE / room for room in ("checks", "formats", "package", "solver", "store")]
"""Rooms that know nothing of hubs: a word that they use is an ordinary one."""
ENGLISH = frozenset(
    "activity band mixer mosaic nets progressive speech stacked style transfer universal video voice".split()  # noqa: SIM905
)


def ordinary() -> set[str]:
    texts = (
        path.read_text(encoding="utf-8").lower() for room in OTHERS for path in room.rglob("*.py")
    )
    return {word for text in texts for word in re.findall(r"[a-z0-9]+", text)} | ENGLISH


def rules() -> dict[Path, str]:
    found = [path for room in ROOMS for path in sorted(room.rglob("*.*"))]
    kept = [
        path
        for path in found
        if path.suffix in (".py", ".json") and THE_PAPER_SAYS not in path.parents
    ]
    return {path: ADDRESS.sub("", path.read_text(encoding="utf-8")).lower() for path in kept}


def names_of(hub: Catalogue) -> set[str]:
    publishers = {each.handle.partition("/")[0] for each in hub.releases}
    publishers |= {each.record.package.name.partition("/")[0] for each in hub.releases}
    algorithms = {each.record.package.algorithm or "" for each in hub.releases}
    algorithms |= {
        str(variant.features["algorithm"])
        for each in hub.releases
        for variant in each.record.variants
        if "algorithm" in variant.features
    }
    words = {word for label in algorithms for word in parse(label).words}
    return {each.lower() for each in publishers | words}


def listed() -> set[str]:
    table = json.loads(files("modelshelf.study").joinpath("words.json").read_text(encoding="utf-8"))
    return {word for row in table.values() for word in row["words"].split()}


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "name",
    ["tfhub-2020-03-docs", "tfhub-2024-03", "pytorchhub-2020-03", "pytorchhub-2024-04"],
)
def test_no_rule_names_what_it_judges(name: str) -> None:
    wanted = {
        word for word in names_of(catalogue_of(name)) - listed() - ordinary() if len(word) > 3
    }
    assert len(wanted) > 20
    told = re.compile(
        r"(?<![a-z0-9])(?:" + "|".join(map(re.escape, sorted(wanted))) + r")(?![a-z0-9])"
    )
    found = {
        f"{path.relative_to(SOURCE)}: {match}"
        for path, text in rules().items()
        for match in told.findall(text)
    }
    assert found == set()
