"""What the models of a page were trained on: all of them, and each where the page tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from modelshelf.importers.articles.reading import Reading
from modelshelf.importers.page.example_code import Example
from modelshelf.importers.page.inline import sentences
from modelshelf.importers.page.listed import folded
from modelshelf.importers.page.models import Model
from modelshelf.importers.page.trained_on import in_title, trained_on

most_comment_lines = 6
most_sentences = 1000
_shortest_data = 4

_TOKEN = re.compile(r"[^\s_./-]+")
_TUNED_ON = re.compile(r"fine-?tun(?:ed|e)[_.-]([A-Za-z][\w]{1,30})$", re.IGNORECASE)


class Data(NamedTuple):
    """Names of data for the package, and for the models that have others, by the model's name.

    `told` where sentences say that the models were trained on it.
    """

    package: tuple[str, ...]
    models: dict[str, tuple[str, ...]]
    told: bool


def data(reading: Reading, models: Sequence[Model]) -> Data:
    """What the models of a page were trained on."""
    texts = [_sentences(block.text) for block in reading.page.paragraphs]
    said = [each for text in texts for each in text]
    comments = [comment.text for block in reading.examples.blocks for comment in block.comments]
    title = in_title(reading.draft.first("title"))
    summary = reading.draft.first("summary")
    whole = trained_on([summary, *islice(said, most_sentences), *comments])
    known = [*([title] if title else []), *whole.datasets]
    own = {each.name: _own(each, reading, known) for each in models}
    own |= {each.name: _inherited(each.name, own) for each in models if not own[each.name]}
    own = {name: found for name, found in own.items() if found}
    general = trained_on([summary, *islice(said, most_sentences)])
    told = bool(title or whole.told or own)
    if models and len(own) == len(models):
        return _apart(own, told=told)
    special = {folded(name) for names in own.values() for name in names}
    left = [
        each for each in (title, *general.datasets, *known) if each and folded(each) not in special
    ]
    return Data(tuple(dict.fromkeys(left)) if left else (), own, told)


def _apart(own: dict[str, tuple[str, ...]], *, told: bool) -> Data:
    """Each model has its own: what all share is the package's."""
    every = tuple(dict.fromkeys(name for names in own.values() for name in names))
    alike = len(set(own.values())) == 1
    return Data(every, {} if alike else own, told)


def _own(model: Model, reading: Reading, known: Sequence[str]) -> tuple[str, ...]:
    """What the page says of one model: in its name, beside its call, where its name is explained."""
    if tuned := _TUNED_ON.search(model.written):
        return (_spelled(tuned[1], known, reading),)
    if named := _in_name(model, known):
        return (named,)
    above = trained_on(beside(model, reading.examples.blocks))
    if above.told:
        return above.datasets
    return trained_on(_explained(model, reading)).datasets


def _in_name(model: Model, known: Iterable[str]) -> str | None:
    """The part of a name that is known data, or a longer name of it."""
    for token in _TOKEN.findall(model.written):
        said = str(token)
        for each in known:
            wanted = folded(each)
            if folded(said) == wanted:
                return each
            if len(wanted) >= _shortest_data and folded(said).startswith(wanted):
                return said
    return None


def beside(model: Model, blocks: Sequence[Example]) -> list[str]:
    """The comments right above the call of a model."""
    kind, _, number = model.call.place.partition(" ")
    if kind != "code" or model.call.offered:
        return []
    comments = {each.line: each for each in blocks[int(number)].comments if each.alone}
    found: list[str] = []
    line = model.call.line - 1
    while (
        line in comments and "load(" not in comments[line].text and len(found) < most_comment_lines
    ):
        found.insert(0, comments[line].text)
        line -= 1
    return found


def _explained(model: Model, reading: Reading) -> list[str]:
    """The paragraph that says what the end of a name stands for, or that begins with the name."""
    last = _TOKEN.findall(model.written)[-1:]
    short = f"({last[0].lower()})" if last and last[0].isalpha() and len(last[0]) > 2 else None
    for block in reading.page.paragraphs:
        opened = block.item and re.match(
            r"[*_ ]{0,4}`" + re.escape(model.written) + "`", block.text
        )
        if opened or (short and short in block.text.lower()):
            return _sentences(block.text)
    return []


def _inherited(name: str, own: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What the model is trained on whose name this one's begins with."""
    bases = [each for each, found in own.items() if found and name.startswith(f"{each}-")]
    return own[max(bases, key=len)] if bases else ()


def _spelled(name: str, known: Iterable[str], reading: Reading) -> str:
    """Data as the page spells it, else as it is written."""
    same = (each for each in known if folded(each) == folded(name))
    form = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
    there = (
        found[0] for found in form.finditer(reading.draft.body) if found[0] != found[0].lower()
    )
    return next(same, None) or next(there, name)


def _sentences(text: str) -> list[str]:
    return sentences(text[:20_000])
