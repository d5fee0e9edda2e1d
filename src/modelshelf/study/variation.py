"""What tells the members of a family apart: the numbers in their names, with what they mean.

Numbers at the same place in all names mean the same. What it is follows from how numbers are
written in the field: `050` among `100` is a width of 0.5, `224` in a model of images its
resolution, the number of the architecture's label its depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from modelshelf.package.record import Feature
from modelshelf.study.wording import parse, plain_numbers

_SEEN = ("image", "video")
_SPOKEN = ("text", "audio")
_LETTERS = {"l": "layers", "h": "hidden", "a": "heads"}
_SMALLEST_RESOLUTION = 64
_LARGEST_RESOLUTION = 4096


class Named(NamedTuple):
    """A member's name, and the features that its architecture's label tells."""

    name: str
    label: Mapping[str, Feature]
    own: Mapping[str, Feature] = {}
    """What its publisher says; a number that is told there needs no other meaning."""


def features(members: Sequence[Named], task: str | None) -> list[dict[str, Feature]]:
    """For each member, in order, its features by name; its publisher's go before all others."""
    numbers = [plain_numbers(member.name) for member in members]
    meanings = _meanings(members, numbers, task or "")
    found = [_of(*each, meanings) for each in zip(members, numbers, strict=True)]
    if not (task or "").startswith(_SPOKEN):
        for each in found:
            each.pop("language", None)  # a short word of the name that is also a language's
    return found


def _of(member: Named, numbers: Sequence[str], meanings: Mapping[int, str]) -> dict[str, Feature]:
    told = {**parse(member.name).features, **member.label}
    told.pop("number", None)
    found = {_LETTERS.get(key, key): value for key, value in told.items()}
    if not {"layers", "hidden"} <= found.keys():  # the three letters mean this only together
        found = told
    for place, text in enumerate(numbers):
        meaning = meanings.get(place)
        if meaning == "width":
            found["width"] = int(text) / 100
        elif meaning and (number := float(text) if "." in text else int(text)) not in told.values():
            found.setdefault(meaning, number)
    if "number" in member.label:
        found["depth"] = member.label["number"]
    # True is 1: a width of 1.0 is not what `fine-tunable = true` says
    said = {value for value in member.own.values() if not isinstance(value, bool)}
    return {**{key: value for key, value in found.items() if value not in said}, **member.own}


def _meanings(
    members: Sequence[Named], numbers: Sequence[Sequence[str]], task: str
) -> dict[int, str]:
    """Which place among the numbers of a name means what; places that do not differ say nothing."""
    found: dict[int, str] = {}
    for place in range(max(map(len, numbers), default=0)):
        column = [each[place] for each in numbers if len(each) > place]
        depths = {str(member.label.get("number")) for member in members}
        if set(column) <= depths:
            continue  # the label says it
        meaning = _meaning(column, task)
        if meaning not in found.values():
            found[place] = meaning
    return found


def _meaning(column: Sequence[str], task: str) -> str:
    if any(text.startswith("0") and len(text) == 3 for text in column):
        return "width"
    whole = [int(text) for text in column if text.isdigit()]
    sizes = [number for number in whole if _SMALLEST_RESOLUTION <= number <= _LARGEST_RESOLUTION]
    even = [number for number in sizes if number % 8 == 0]
    if task.startswith(_SEEN) and len(sizes) == len(column) <= 2 * len(even):
        return "resolution"
    return "number"
