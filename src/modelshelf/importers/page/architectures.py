"""By which algorithm the models of a page work: its title, or the names it uses, spelled as there.

A title names the algorithm where a model is called by it (`SomeNet` and `some_net50`, also by its
initials). Else the words of the page are searched for what a model's name begins with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.listed import folded, parts
from modelshelf.importers.page.markdown import Page

longest_title_characters = 120
most_characters = 200_000
smallest_size = 10
"""Smaller numbers at the end of a name are generations, others are sizes."""

_BEHIND = re.compile(r"\s(?:on|for|with|from|in|by)\s.*|:\s.*")
_ABBREVIATED = re.compile(r"\(([A-Za-z][\w-]{1,20})\)")
_WORD = re.compile(r"(?<![\w.-])[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+){0,4}(?![\w(])")
_LONGEST_WORD = 40
_SHORTEST_PART = 5
_NETWORK = re.compile(
    r"(?=.{5})(?=.*[A-Z])[A-Za-z]{1,30}?"
    r"(?:[Nn]et|[Nn]e[Xx]t|[Nn]e[Ss]t|NAS|[Ff]ormer|GAN|[CR]NN|MLP)(?:[Vv]?\d{1,2})?"
)
"""How names of networks are built."""
_GENERATION = re.compile(r"v?\d")
_WHOLES = {"models", "model", "network", "networks", "net", "nets", "package"}
"""Words around the name in a title."""


class Algorithms(NamedTuple):
    """The algorithm of the package, and of each model that has another, by the model's name.

    `told` where models are called by it; else it is only what the page is called.
    """

    package: str | None
    models: dict[str, str]
    told: bool


def algorithms(page: Page, title: str, models: Mapping[str, Sequence[str]]) -> Algorithms:
    """The algorithms of the models of a page, which has the names given for each, the closest first.

    Where a method is applied to several architectures, each is an algorithm of its own.
    """
    forms = titles(title)
    words = _words(page)
    called = [form for form in forms if any(_is_called(names, form) for names in models.values())]
    if called:
        inside = {key: _inside(names[0], called[0], words) for key, names in models.items()}
        apart = len(set(inside.values())) > 1
        others = {key: f"{called[0]} {word}" for key, word in inside.items() if word and apart}
        return Algorithms(called[0], others, told=True)
    found = {key: _in_words(names, words) for key, names in models.items()}
    distinct = {each for each in found.values() if each}
    if not distinct:
        return Algorithms(forms[0] if forms else None, {}, told=False)
    if len(distinct) == 1 and all(found.values()):
        return Algorithms(distinct.pop(), {}, told=True)
    return Algorithms(None, {key: name for key, name in found.items() if name}, told=True)


def titles(title: str) -> list[str]:
    """The forms of a title that may name an algorithm: without what stands behind, and in brackets."""
    text = plain(title[:longest_title_characters])
    short = _ABBREVIATED.findall(text)
    bare = _BEHIND.sub("", re.sub(r"\s*\([^()]*\)", "", text)).strip()
    words = bare.split()
    while len(words) > 1 and words[-1].lower() in _WHOLES - {"net"}:
        words.pop()
    forms = [" ".join(words), *short]
    return list(dict.fromkeys(form for form in forms if folded(form)))


def without_owner(name: str, owners: Iterable[str]) -> str:
    """The name of an entrypoint without the account that it begins with: `acme_net` → `net`."""
    found = re.match(r"([^\W_]+)[_.-](?=.)", name)
    owned = found is not None and folded(found[1]) in {folded(owner) for owner in owners}
    return name[found.end() :] if found and owned else name


def _is_called(names: Sequence[str], title: str) -> bool:
    """Whether one of the names begins with the title, shares its first word, or has its initials."""
    wanted = folded(title)
    initials = "".join(word[0] for word in re.findall(r"[A-Za-z]+", title)).lower()
    for name in names:
        whole = folded(name)
        first = _first(name)
        if _begins(whole, wanted) or (len(first) > 2 and wanted.startswith(first)):
            return True
        if len(initials) > 2 and first == initials:
            return True
        if _shared(parts(name), parts(title)):
            return True
    return False


def _begins(whole: str, wanted: str) -> bool:
    """Whether a name begins with another, and goes on with a number, a generation or not at all."""
    rest = whole[len(wanted) :]
    return (
        len(wanted) > 1
        and whole.startswith(wanted)
        and (not rest or len(wanted) > 2 or bool(_GENERATION.match(rest)))
    )


def _first(name: str) -> str:
    """The letters that a name begins with, in lower case."""
    found = re.match(r"[^\W\d_]+", name)
    return found[0].lower() if found else ""


def _shared(name: Sequence[str], title: Sequence[str]) -> bool:
    """Whether a title of few words and a name share one that is not common: `net50_abn_a`, `ABN-Net`."""
    words = {word for word in title if len(word) > 2 and word.isalpha()} - _WHOLES
    return len(title) <= 2 and bool(words.intersection(name))


def _words(page: Page) -> Counter[str]:
    """The words of the page that may be names, with how often each is used."""
    texts = [plain(block.text) for block in page.paragraphs]
    texts += [plain(section.title) for section in page.sections]
    texts += [plain(cell) for table in page.tables for row in table.rows for cell in row[:2]]
    found = _WORD.findall("\n".join(texts)[:most_characters])
    return Counter(word for word in found if len(word) <= _LONGEST_WORD and _is_name(word))


def _is_name(word: str) -> bool:
    """Words with a capital inside, or with a number behind their name, are names of methods."""
    return any(map(str.isupper, word[1:])) or bool(re.match(r"[A-Z][a-z]+-?\d", word))


def _inside(name: str, title: str, words: Counter[str]) -> str | None:
    """The network that a name holds beside the title, as the page writes it: `meth_wrennet50`."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for part in word.split("-"):
            bare = _without_size(part)
            if _NETWORK.fullmatch(bare) and folded(bare) not in folded(title):
                counts[bare] += count
    tokens = [folded(token) for token in re.split(r"[\W_]+", name) if token]
    for place in range(len(tokens)):
        fitting = [word for word in counts if _is_part(folded(word), tokens[place:])]
        if fitting:
            return max(fitting, key=lambda word: (len(folded(word)), counts[word], word))
    return None


def _is_part(word: str, tokens: Sequence[str]) -> bool:
    """Whether the tokens of a name begin with a word of the page, or shorten it a little."""
    rest = "".join(tokens)
    if rest.startswith(word):
        ends = set(accumulate(map(len, tokens)))
        return len(word) in ends or bool(re.match(r"v?\d", rest[len(word) :]))
    first = _first(tokens[0])
    return len(first) >= _SHORTEST_PART and word.startswith(first) and len(word) <= len(first) + 4


def _in_words(names: Sequence[str], words: Counter[str]) -> str | None:
    """The word of the page that one of the names begins with, the longest, then the most used."""
    best: tuple[int, int, str] | None = None
    for name in names:
        whole = folded(name)
        for word, count in words.items():
            bare = _without_size(word)
            wanted = folded(bare)
            if len(wanted) > 2 and whole.startswith(wanted) and _ends(whole[len(wanted) :], wanted):
                best = max(best or (0, 0, ""), (len(wanted), count, bare))
        if best:
            return best[2]
    return None


def _ends(rest: str, wanted: str) -> bool:
    """Whether a word ends where the name goes on with another part."""
    return not rest or rest[0].isdigit() or wanted[-1].isdigit() or len(wanted) > 3


def _without_size(word: str) -> str:
    """`SomeNet-50` → `SomeNet`, `SomeNet-2` stays."""
    while (found := re.search(r"[-_]?(\d+)[a-zA-Z]?$", word)) and int(
        found[1][:9]
    ) >= smallest_size:
        word = word[: found.start()]
    return word
