"""Who made a package, from an author as a page names them: persons or organizations."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.package.record import Developer, Kind

most_people = 20
longest_name_characters = 120

_BETWEEN = re.compile(r"\s*(?:,|;|&|\band\b)\s*")
_ORGANIZATION = frozenset(
    """ai academy association center centre college community company consortium corp corporation
    department dept engineering foundation gmbh group inc initiative institute lab laboratories
    laboratory labs limited llc ltd network org organization organisation project research school
    society studio team technologies technology university vision""".split()  # noqa: SIM905 (a list to read)
)
_WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
_PARTICLES = frozenset("al bin da de del der di du el ibn la le van von".split())  # noqa: SIM905


class Made(NamedTuple):
    """The developers in their order; `unsure` where a kind was guessed."""

    developers: tuple[Developer, ...]
    unsure: bool


def people(author: str, account: str = "") -> Made:
    """The developers that `author` names; `account` is the name that the sources lie under.

    `A Team` is one organization, `Ann Bell and Cy Dee` are two persons.
    """
    whole = " ".join(author.split())
    if not whole:
        return Made((), unsure=False)
    names = [whole] if _words(whole) & _ORGANIZATION else _BETWEEN.split(whole)
    kinds = [(name[:longest_name_characters], *kind(name, account)) for name in names if name]
    return Made(
        tuple(Developer(name, kind=which) for name, which, _ in kinds[:most_people]),
        any(unsure for _, _, unsure in kinds),
    )


def kind(name: str, account: str = "") -> tuple[Kind, bool]:
    """Whether a person or an organization has this name, and whether that is a guess."""
    words = _WORD.findall(name)
    if _words(name) & _ORGANIZATION:
        return "organization", False
    if any(len(word) > 2 and word.isupper() for word in words):
        return "organization", False
    if 2 <= len(words) <= 4 and all(map(_is_part_of_a_name, words)):
        return "person", False
    if len(words) == 1 and name == account:
        return "person", True
    return "organization", True


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def _is_part_of_a_name(word: str) -> bool:
    return word.lower() in _PARTICLES or (word[0].isupper() and not any(map(str.isdigit, word)))
