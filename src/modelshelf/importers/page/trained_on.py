"""The data that models were trained on, as sentences name it.

`trained on the X dataset` says it; where no sentence does, the data that a page speaks of (`error
rates on the X dataset`, `X's 1000 classes`) is the best guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from modelshelf.importers.page.listed import folded

most_sentences = 1000
longest_sentence_characters = 1500
most_datasets = 20
most_names = 200

_WORD = r"(?:[A-Z][\w+'\u2019-]{0,40}(?:\.\d{1,4})?|[a-z]{1,30}[A-Z0-9][\w+'\u2019-]{0,40}|\d{1,6}[A-Za-z][\w-]{0,20})"
_NAME = rf"{_WORD}(?: (?:{_WORD}|\d{{1,4}}(?![\w.%]))){{0,4}}"
_LOWER = r"(?:[a-z][a-z-]{0,20} )"
_WHAT = r"(?:data ?sets?|corpus|corpora|data|images?|volumes|benchmark|challenge)"
_TRAINED = r"(?:[Pp]re-?)?[Tt]rained|[Tt]raining|[Ff]ine-?[Tt]un(?:ed|ing)"
_THINGS = r"(?:images|photos|volumes|scans|videos|clips|recordings|sentences|texts|documents|hours)"
_AMOUNT = (
    rf"\d[\d.,]{{0,8}}(?: ?(?:million|billion|thousand|[KMB]))?(?: [a-z-]{{2,20}}){{0,2}} {_THINGS}"
)
_MACHINE = r"(?:[GCT]PUs?|architectures?|machines?|nodes|servers?|hardware|cores)\b"
_SOMEWHERE = r"[^.;]{0,70}? (?:on|with|for|over|using)"
_TOLD = re.compile(
    rf"\b(?:{_TRAINED})\b(?:"
    rf"{_SOMEWHERE} an? (?:data ?set|collection|corpus) of (?P<of>(?:[\w-]{{1,20}} ){{1,4}}?{_THINGS})"
    rf"|{_SOMEWHERE} {_LOWER}{{0,6}}?(?P<many>{_AMOUNT})"
    rf"| (?:on|with|for|over) {_LOWER}{{0,6}}?(?P<direct>{_NAME})(?!(?: [\w-]{{1,20}}){{0,3}} {_MACHINE})"
    rf"|{_SOMEWHERE} {_LOWER}{{0,6}}?(?P<far>{_NAME})(?= {_LOWER}{{0,3}}{_WHAT}\b)"
    rf"|[^.;\"\u201c]{{0,50}}? [\"\u201c](?P<quoted>[\w+ -]{{2,40}})[\"\u201d] {_WHAT}\b"
    r")"
)
_JUDGED = re.compile(r"\b(?:evaluat|validat|test|compar|benchmark)", re.IGNORECASE)
"""Words behind `trained models` that speak of other data."""
_SPOKEN = re.compile(
    rf"\b(?P<set>{_NAME}|[a-z][a-z0-9-]{{2,30}})(?:'s|\u2019s)? (?:(?:public|image|training|validation|test|challenge) ){{0,2}}(?:[Dd]ata ?set|[Cc]orpus)\b"
    rf"|\b(?P<classes>{_WORD})(?:'s|\u2019s)? \d{{2,6}} classes\b"
)
_NOT_DATA = frozenset(
    """gpu gpus cpu cpus cuda tensor cores fp16 fp32 pytorch torch hub sgd adam python the this that
    these those our we it its they all each both a an and or in as model models training test
    validation large small new same following first second public private full whole original
    given every any such some other different own custom entire scratch dataset image images
    pytorch-hub distinct multiple several""".split()  # noqa: SIM905 (a list to read)
)
"""Words with a capital, or before `dataset`, that name no data."""


class TrainedOn(NamedTuple):
    """Names of data as written, each once; `told` where a sentence says `trained on`."""

    datasets: tuple[str, ...]
    told: bool


def trained_on(sentences: Iterable[str]) -> TrainedOn:
    """What sentences (plain, without marks of Markdown) say that models were trained on."""
    told: list[str] = []
    spoken: list[str] = []
    for sentence in list(sentences)[:most_sentences]:
        text = " ".join(sentence[:longest_sentence_characters].split())
        told += [name for found in _TOLD.finditer(text) if (name := _told(found))]
        spoken += [name for found in _SPOKEN.finditer(text) if (name := _spoken(found))]
        if len(told) > most_names or len(spoken) > most_names:
            break
    spelled = _spellings([*told, *spoken])
    names = _once(told, spelled) or _once(spoken, spelled)[:1]
    return TrainedOn(names[:most_datasets], bool(told))


def in_title(title: str) -> str | None:
    """The data that a title names behind `on`: `SomeNet on FashionSet`."""
    before, on, behind = title.partition(" on ")
    name = re.match(_NAME, behind.strip())
    return name[0] if on and before.strip() and name and _is_data(name[0]) else None


def same(one: str, other: str) -> bool:
    """Whether two spellings name the same data."""
    return folded(one) == folded(other)


def _told(found: re.Match[str]) -> str | None:
    if found["of"] or found["many"]:
        return found["of"] or found["many"]
    name = found["direct"] or found["far"] or found["quoted"]
    before = found[0].rpartition(name)[0]
    return None if _JUDGED.search(before) else _cleaned(name)


def _spoken(found: re.Match[str]) -> str | None:
    name = found["set"] or found["classes"]
    return _cleaned(re.sub(r" (?:val|test)\d{0,4}$", "", name))


def _cleaned(name: str) -> str | None:
    bare = re.sub(r"['\u2019]s?$", "", name.strip(" -.,'\u2019"))
    return bare if _is_data(bare) else None


def _is_data(name: str) -> bool:
    words = name.lower().split()
    return bool(words) and words[0] not in _NOT_DATA and words[-1] not in _NOT_DATA


def _spellings(names: list[str]) -> dict[str, str]:
    """For each name without case and separators, the spelling with the most capitals."""
    best: dict[str, str] = {}
    for name in names:
        key = folded(name)
        if key not in best or _capitals(name) > _capitals(best[key]):
            best[key] = name
    return best


def _capitals(name: str) -> int:
    return sum(map(str.isupper, name))


def _once(names: list[str], spelled: dict[str, str]) -> tuple[str, ...]:
    """Each once, of a name and a longer one that begins so the longer; those without capitals never."""
    keys = list(dict.fromkeys(map(folded, names)))
    longer = [
        key for key in keys
        if not any(other != key and spelled[other].startswith(f"{spelled[key]} ") for other in keys)
    ]  # fmt: skip
    found = [spelled[key] for key in longer]
    return tuple(name for name in found if _capitals(name) or any(map(str.isdigit, name)))
