"""`resolve` and exhaustive search agree on thousands of random projects, and locks hold what they say."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import msgspec
import pytest

from modelshelf.client.resolve import resolve
from modelshelf.errors import NotFound, Refused, ShelfError, Unsatisfiable
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock
from modelshelf.package.manifest import Project
from modelshelf.package.record import Artifact, Dependency, Requires, Variant
from tests.client.exhaustive import Exhaustive, Question, free, questions
from tests.client.projects import FILES, NOW, Instance, random_instance
from tests.solver.releases import VERSIONS, means

pytestmark = pytest.mark.no_cover  # counting lines triples the time of a search

SEEDS, EACH = 5, 800
KINDS = (
    "answers", "kept", "several", "apart", "environments", "python", "contradictions", "yanked", "pre-releases",
    "NotFound", "Refused", "Unsatisfiable",
)  # fmt: skip


def error_of(question: Question) -> type[ShelfError] | None:
    """What must be raised before anything is searched: about the first want that has no answer."""
    for name, need in sorted(question.wanted.items()):
        offered = question.instance.shelf.get(name)
        if offered is None:
            return NotFound
        usable = question.usable(name)
        blocked = [e for e in offered if e.scan and e.scan.verdict == "blocked"]
        if not usable and any(not e.scan.decision for e in blocked if e.scan):
            return Refused
        if not any(means(need.version, e.version) for e in usable):
            if any(free(e) and means(need.version, e.version) for e in offered):
                return Unsatisfiable
        elif not question.able(name, need):
            return NotFound
    return None


def check(instance: Instance, seen: Counter[str]) -> None:
    """Everything that is promised about the answer to one instance."""
    raised: type[ShelfError] | None = None
    found: dict[tuple[str, str], dict[str, Entry]] = {}
    try:
        found = resolve(
            instance.project, instance.offer, instance.lock, now=NOW, fresh=instance.fresh
        )
    except (NotFound, Refused, Unsatisfiable) as error:
        raised = type(error)
    before: dict[tuple[str, str], dict[str, str]] = {}
    for key, question in questions(instance, before):
        oracle = Exhaustive(question)
        expected = error_of(question)
        answers = [] if expected else oracle.answers()
        if not answers:
            assert raised is (expected or Unsatisfiable)
            seen[raised.__name__] += 1
            return
        if raised is not None:
            # what was chosen before tells what is preferred here, not whether there is an answer
            before[key] = {}
            continue
        assert found[key] in answers
        seen["contradictions"] += oracle.excluded > 0
        before[key] = {name: entry.version for name, entry in found[key].items()}
        check_kept(oracle, before[key], answers, seen)
        check_best(question, before[key], answers)
        count(found[key], seen, key)
    assert raised is None
    assert [*found] == [*before]


def check_kept(
    oracle: Exhaustive, chosen: dict[str, str], answers: list[dict[str, Entry]], seen: Counter[str]
) -> None:
    firm = oracle.firm()
    if firm and any(firm.items() <= versions(answer).items() for answer in answers):
        assert firm.items() <= chosen.items()
        seen["kept"] += 1


def versions(answer: Mapping[str, Entry]) -> dict[str, str]:
    return {name: entry.version for name, entry in answer.items()}


def check_best(question: Question, chosen: dict[str, str], answers: list[dict[str, Entry]]) -> None:
    """No other answer differs for the better in one package and keeps all others."""

    def rank(name: str, version: str) -> tuple[bool, int]:
        return version == question.preferred.get(name), VERSIONS.index(version)

    for answer in map(versions, answers):
        changed = [name for name in chosen if answer.get(name) != chosen[name]]
        if len(changed) == 1 and changed[0] in answer:
            (name,) = changed
            assert rank(name, chosen[name]) > rank(name, answer[name])


def count(chosen: dict[str, Entry], seen: Counter[str], key: tuple[str, str]) -> None:
    seen["answers"] += 1
    seen["several"] += len(chosen) > 2
    seen["apart"] += bool(key[1])
    seen["environments"] += key[0] != "default"
    seen["python"] += sum(bool(each.requires.python) for each in chosen.values()) > 1
    seen["yanked"] += any(each.yanked for each in chosen.values())
    seen["pre-releases"] += any("-" in each.version for each in chosen.values())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_agrees_with_exhaustive_search(seed: int) -> None:
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(EACH):
        check(random_instance(chance), seen)
    assert all(seen[kind] for kind in KINDS), seen


def test_what_another_choice_asks_for_excludes_nothing() -> None:
    """Only the newest `asks` wants the format that needs a framework which contradicts."""

    def made(name: str, version: str, **said: object) -> Entry:
        artifacts = tuple(Artifact(each, (f"small.{each}",)) for each in ("onnx", "pytorch"))
        given = (name, version, "c" * 40, 1, "d" * 64, "", FILES, (Variant("small", artifacts),))
        return msgspec.structs.replace(Entry(*given), **said)

    model = made("acme/model", "1.0.0", requires=Requires(frameworks={"torch": "<2"}))
    other = made("acme/other", "1.0.0", requires=Requires(("torch>=2",)))
    asks = [
        made("acme/asks", version, dependencies={"acme/model": Dependency("*", format=needed)})
        for version, needed in (("1.0.0", "onnx"), ("2.0.0", "pytorch"))
    ]
    shelf = {"acme/model": (model,), "acme/other": (other,), "acme/asks": tuple(asks)}
    project = Project({"acme/asks": Dependency("*"), "acme/other": Dependency("*")})
    found = resolve(project, Instance(project, shelf, Lock(), ()).offer, Lock(), now=NOW)
    assert versions(found["default", ""]) == {
        "acme/asks": "1.0.0",
        "acme/model": "1.0.0",
        "acme/other": "1.0.0",
    }
