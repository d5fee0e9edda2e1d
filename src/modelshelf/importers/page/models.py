"""The models that a page names: what its entrypoints return, one for each text that chooses one.

An entrypoint that returns tools for models (a tokenizer, a configuration, transforms) is an
entrypoint without a model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from modelshelf.importers.page.entrypoints import Argument, Call, Examples, Use, is_path
from modelshelf.importers.page.inline import links, plain
from modelshelf.importers.page.listed import parts
from modelshelf.importers.page.markdown import Page
from modelshelf.importers.page.naming import slug

most_models = 200

_TOOLS = frozenset(
    """utils util tokenizer tokeniser config configuration processing preprocessing postprocessing
    processor preprocessor transforms transform helpers helper""".split()  # noqa: SIM905 (a list to read)
)
"""The last word of what returns tools, in its own name or in that of the variable that takes it."""
_NAMING = frozenset({"model", "name", "type", "arch", "architecture", "variant", "checkpoint"})
"""The last word in the names of arguments that choose a model."""
_PLACES = frozenset({"device", "location", "path", "dir", "root", "url", "file", "folder", "cache"})
"""Words in the names of arguments that say where to put or find it."""
_MODEL_METHODS = frozenset({"eval", "to", "cuda", "cpu", "half", "train"})
_ELSEWHERE = re.compile(
    r"\b(?:models|entry ?points|checkpoints|configurations|variants|versions|list)\b", re.IGNORECASE
)
_SEE = re.compile(
    r"\b(?:listed|found|available|see|visit|refer|up-to-date|obtained|browse)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\[*_])")


class Model(NamedTuple):
    """One model; `name` is by our rules, `chosen` the argument that chooses it among others.

    `written` is what the page calls it: the entrypoint, or the text that is given to it.
    """

    name: str
    written: str
    entrypoint: str
    chosen: Argument | None
    call: Call


class Models(NamedTuple):
    """What a page offers.

    `entrypoints` are all of its own with the first call of each, `tools` those that return no
    model, `foreign` the calls of what belongs to other pages. `place` is what names all
    entrypoints of models together (`code 0`, `table 57`, `text 40`), empty where nothing does or
    where the page says that there are more elsewhere.
    """

    entrypoints: dict[str, Call]
    tools: frozenset[str]
    models: tuple[Model, ...]
    foreign: tuple[Call, ...]
    place: str


def models(examples: Examples, page: Page, foreign: Iterable[str] = ()) -> Models:
    """What `page` offers; `foreign` are entrypoints that it calls but that others own."""
    others = frozenset(foreign)
    calls = [call for call in examples.calls if call.entrypoint not in others]
    entrypoints: dict[str, Call] = {}
    for call in sorted(calls, key=lambda each: each.offered):
        entrypoints.setdefault(call.entrypoint, call)
    tools = frozenset(_tools(calls, examples.uses))
    found = _named(call for call in calls if call.entrypoint not in tools)
    together = _together(calls, entrypoints.keys() - tools)
    return Models(
        entrypoints,
        tools,
        tuple(found)[:most_models],
        tuple(call for call in examples.calls if call.entrypoint in others),
        "" if lists_elsewhere(page) else together,
    )


def repository(calls: Iterable[Call]) -> str:
    """The repository that most calls load from, the first of equals; empty without calls."""
    counts = Counter(call.repository for call in calls)
    return max(counts, key=lambda name: counts[name], default="")


def lists_elsewhere(page: Page) -> bool:
    """Whether a sentence says that more models are listed behind a link."""
    for block in page.paragraphs:
        for sentence in _SENTENCE.split(block.text):
            if next(iter(links(sentence, 1, page.references)), None):
                text = plain(sentence)
                if _ELSEWHERE.search(text) and _SEE.search(text):
                    return True
    return any("hub.list(" in block.text for block in page.code)


def _tools(calls: Iterable[Call], uses: Iterable[Use]) -> Iterator[str]:
    """Entrypoints that return no model."""
    makers = {
        use.variable for use in uses if use.of_text and not use.method and _is_model(use, uses)
    }
    for call in calls:
        last = parts(call.entrypoint)[-1:]
        targets = [parts(target)[-1:] for target in call.targets]
        taken = targets and all(_TOOLS.intersection(target) for target in targets)
        if taken or _TOOLS.intersection(last) or makers.intersection(call.targets):
            yield call.entrypoint


def _is_model(use: Use, uses: Iterable[Use]) -> bool:
    """Whether what a call gives back is used like a model."""
    return any(other.variable in use.result and other.method in _MODEL_METHODS for other in uses)


def _named(calls: Iterable[Call]) -> Iterator[Model]:
    """One model for each text that chooses one, else one an entrypoint; called ones first."""
    by_entrypoint: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda each: each.offered):
        by_entrypoint.setdefault(call.entrypoint, []).append(call)
    taken: dict[str, str] = {}
    chosen = any((key := _choosing(group)) and not key[1] for group in by_entrypoint.values())
    for entrypoint, group in by_entrypoint.items():
        if chosen and group[0].offered:
            continue  # it builds what the others do, for which it is not told here
        for model in _of_entrypoint(entrypoint, group):
            if model.written in taken.values() and model.chosen and not model.chosen.name:
                continue
            name = _unused(model.name, taken, model.written)
            if name not in taken:
                taken[name] = model.written
                yield model._replace(name=name)


def _unused(name: str, taken: dict[str, str], written: str) -> str:
    """The name, with a number where another model that is written differently has it."""
    number, free = 1, name
    while free in taken and taken[free] != written:
        number += 1
        free = f"{name}-{number}"
    return free


def _of_entrypoint(entrypoint: str, calls: list[Call]) -> Iterator[Model]:
    key = _choosing(calls)
    if key is None:
        yield Model(slug(entrypoint), entrypoint, entrypoint, None, calls[0])
        return
    place, name = key
    names = not name or _names_models(name)
    for call in calls:
        argument = _argument(call, place, name)
        if argument is None or not isinstance(argument.value, str) or is_path(argument.value):
            continue
        for value in (argument.value, *argument.others):
            written = value if names else f"{entrypoint} {value}"
            chosen = Argument(name, value)
            yield Model(slug(written), written, entrypoint, chosen, call)


def _choosing(calls: list[Call]) -> tuple[int, str] | None:
    """The argument that chooses a model: one with several texts, else one that names it.

    By its place among those without a name, or by its name.
    """
    texts: dict[tuple[int, str], set[str]] = {}
    for call in calls:
        place = 0
        for argument in call.arguments:
            key = (0, argument.name) if argument.name else (place, "")
            place += not argument.name
            value = argument.value
            if isinstance(value, str) and not is_path(value) and _can_choose(argument.name):
                texts.setdefault(key, set()).update((value, *argument.others))
    several = [key for key, values in texts.items() if len(values) > 1]
    naming = [key for key in texts if not key[1] or _names_models(key[1])]
    return next(iter([key for key in naming if key in several] or several or naming), None)


def _can_choose(name: str) -> bool:
    return _PLACES.isdisjoint(parts(name))


def _names_models(name: str) -> bool:
    return not _NAMING.isdisjoint(parts(name)[-1:])


def _argument(call: Call, place: int, name: str) -> Argument | None:
    if name:
        return next((each for each in call.arguments if each.name == name), None)
    placed = [each for each in call.arguments if not each.name]
    return placed[place] if place < len(placed) else None


def _together(calls: Iterable[Call], wanted: Iterable[str]) -> str:
    """What names all of `wanted`; code goes before tables, tables before text."""
    places: dict[str, set[str]] = {}
    for call in calls:
        places.setdefault(call.place, set()).add(call.entrypoint)
    whole = [place for place, names in places.items() if names.issuperset(wanted)]
    return min(whole, key=lambda place: place.split()[0], default="")
