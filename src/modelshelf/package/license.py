"""Whether one license grants at least what another does, by a small table of SPDX licenses.

A ladder for comparing releases, not legal advice. `vocabularies/licenses.json` lists for each
license what it asks beyond attribution; a license that is not listed grants only what itself does.
Expressions follow SPDX annex B: with `OR` the caller chooses, with `AND` all hold.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from modelshelf.package.vocabularies import vocabulary

ALTERNATIVES = 64
"""An expression with more choices than this counts as one license that nobody knows."""

_COPYLEFT = ("weak", "strong", "network")
"""Each asks what those before it ask, and more."""

Choice = frozenset[str]
"""Licenses that all hold."""


def grants(new: str | None, old: str | None) -> bool:
    """Whether whoever complied with `old` may do the same under `new`. None grants nothing."""
    if old is None or old == new:
        return True
    if new is None:
        return False
    offered = _choices(new)
    return all(any(_covers(choice, before) for choice in offered) for before in _choices(old))


@lru_cache(1024)
def kinds(expression: str) -> tuple[str, ...]:
    """What the best choice of `expression` asks, as one word: `permissive`, `weak`, `strong`, ...

    `permissive` asks nothing beyond attribution; `weak`, `strong` and `network` are copyleft;
    other words are those of the table (`non-commercial`); nothing for a license that nobody knows.
    """
    asked = [
        frozenset().union(*(_conditions(name) for name in choice))
        for choice in _choices(expression)
    ]
    known = {word for listed in vocabulary("licenses").values() for word in listed.split()}
    best = min(asked, key=len)
    if not best:
        return ("permissive",)
    if not best <= known | set(_COPYLEFT):
        return ()
    copyleft = [word for word in _COPYLEFT if word in best][-1:]
    return (*copyleft, *sorted(best - set(_COPYLEFT)))


def _covers(new: Choice, old: Choice) -> bool:
    return all(any(_asks_no_more(one, other) for other in old) for one in new)


def _asks_no_more(new: str, old: str) -> bool:
    if new == old or _later(new, old):
        return True
    asked, known = _conditions(new), _conditions(old)
    # what one copyleft license demands another forbids, but for those of Creative Commons
    if _rank(asked) and _rank(asked) == _rank(known) and not new[:3] == old[:3] == "CC-":
        return False
    return asked <= known


def _conditions(name: str) -> frozenset[str]:
    """What a license asks; copyleft includes the weaker kinds."""
    base, _, exception = name.partition(" WITH ")
    listed = vocabulary("licenses")
    if base not in listed:
        return frozenset({name})
    asked = set(listed[base].split())
    if exception and "strong" in asked:  # exceptions let others link
        asked = (asked - {"strong"}) | {"weak"}
    ranks = [_COPYLEFT.index(each) for each in asked & set(_COPYLEFT)]
    return frozenset(asked | set(_COPYLEFT[: max(ranks, default=-1) + 1]))


def _rank(asked: frozenset[str]) -> int:
    return len(asked & set(_COPYLEFT))


def _later(new: str, old: str) -> bool:
    """Whether `new` is `X-1.0-or-later` where `old` is that version of X, or a later one."""
    mine, theirs = (re.fullmatch(r"(.+)-([\d.]+)-(only|or-later)", each) for each in (new, old))
    if mine is None or theirs is None or mine[1] != theirs[1] or mine[3] != "or-later":
        return False
    return _numbers(mine[2]) <= _numbers(theirs[2])


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part]


def _choices(expression: str) -> list[Choice]:
    """The ways to comply: each a set of licenses that hold together."""
    words = re.findall(r"[()]|[^\s()]+", expression)
    found, rest = _either(words)
    return [frozenset({expression})] if rest or not found else found


def _either(words: list[str]) -> tuple[list[Choice], list[str]]:
    found, words = _both(words)
    while words and words[0].upper() == "OR":
        more, words = _both(words[1:])
        found = [*found, *more] if more and len(found) + len(more) <= ALTERNATIVES else []
    return found, words


def _both(words: list[str]) -> tuple[list[Choice], list[str]]:
    found, words = _one(words)
    while words and words[0].upper() == "AND":
        more, words = _one(words[1:])
        many = len(found) * len(more) > ALTERNATIVES
        found = [] if many else [one | other for one, other in product(found, more)]
    return found, words


def _one(words: list[str]) -> tuple[list[Choice], list[str]]:
    if not words:
        return [], []
    first, *rest = words
    if first == "(":
        depth, end = 1, 0
        while end < len(rest) and depth:
            depth += {"(": 1, ")": -1}.get(rest[end], 0)
            end += 1
        if depth or words.count("(") > ALTERNATIVES:
            return [], rest
        found, left = _either(rest[: end - 1])
        return ([] if left else found), rest[end:]
    if len(rest) > 1 and rest[0].upper() == "WITH":
        return [frozenset({f"{first} WITH {rest[1]}"})], rest[2:]
    return [frozenset({first})], rest
