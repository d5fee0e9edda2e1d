"""Lints of labels: what the classes of an output are called, and at which index each one stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import same_signatures
from modelshelf.package.signature import Tensor

Words = tuple[str, ...]


class Labelled(NamedTuple):
    """A tensor with labels before and after; `told` names it, `files` are the two lists' own names."""

    told: str
    place: str
    old: Words
    new: Words
    grew: bool
    """Whether the old list was declared to grow."""
    files: tuple[str, str]


def _labelled(pair: Pair) -> Iterator[Labelled]:
    """Every tensor whose labels both releases tell."""
    for told, place, old, new in _tensors(pair):
        files = old.labels or "", new.labels or ""
        before, after = pair.old.labels.get(files[0], ()), pair.new.labels.get(files[1], ())
        if before and after:
            yield Labelled(told, f"{place}.labels", before, after, old.labels_grow, files)


def _tensors(pair: Pair) -> Iterator[tuple[str, str, Tensor, Tensor]]:
    for name, place, old, new in same_signatures(pair):
        for side in ("inputs", "outputs"):
            before: dict[str, Tensor] = getattr(old, side)
            after: dict[str, Tensor] = getattr(new, side)
            for each in [name for name in before if name in after]:
                told = f"`{each}` of signature `{name}`"
                yield told, f"{place}.{side}.{each}", before[each], after[each]


def _renamed_at(old: Words, new: Words) -> list[int]:
    """Where an old word gave way to one that is new."""
    had, has = set(old), set(new)
    return [
        index
        for index, (before, after) in enumerate(zip(old, new, strict=False))
        if before not in has and after not in had
    ]


def _gone(old: Words, new: Words) -> list[int]:
    """Where an old word stands that is not there as often as it was."""
    left, renamed = Counter(new), set(_renamed_at(old, new))
    gone = []
    for index, word in enumerate(old):
        if index not in renamed and not left[word]:
            gone.append(index)
        left[word] -= left[word] > 0
    return gone


def _moved(old: Words, new: Words) -> list[int]:
    """Where another word stands that is no new name, although no old word is gone."""
    if _gone(old, new):
        return []
    renamed = set(_renamed_at(old, new))
    pairs = enumerate(zip(old, new, strict=False))
    return [i for i, (before, after) in pairs if before != after and i not in renamed]


def _became(old: Words, new: Words, index: int) -> str:
    after = f'became "{new[index]}"' if index < len(new) else "is gone"
    return f'index {index}: "{old[index]}" {after}'


def _at(places: Callable[[Words, Words], list[int]], each: Labelled, pair: Pair) -> list[int]:
    """The `places` of two lists, which many tensors may share."""
    return pair.once((places, each.files), lambda: places(each.old, each.new))


def _where(what: str, places: Callable[[Words, Words], list[int]], pair: Pair) -> Iterator[Found]:
    for each in _labelled(pair):
        found = _at(places, each, pair)
        if found:
            count = f"{len(found)} labels" if len(found) > 1 else "a label"
            message = f"{count} of {each.told} {'are' if len(found) > 1 else 'is'} {what}"
            yield Found(message, each.place, _became(each.old, each.new, found[0]))


def _removed(pair: Pair) -> Iterator[Found]:
    yield from _where("gone", _gone, pair)
    for told, place, old, new in _tensors(pair):
        if old.labels and not pair.new.labels.get(new.labels or "") and _known(pair, old):
            words = pair.old.labels[old.labels]
            yield Found(
                f"the labels of {told} are not told any more", f"{place}.labels",
                f'index 0: "{words[0]}" is not told',
            )  # fmt: skip


def _known(pair: Pair, tensor: Tensor) -> bool:
    return bool(pair.old.labels.get(tensor.labels or ""))


def _permuted(pair: Pair) -> Iterator[Found]:
    yield from _where("at another index", _moved, pair)
    for told, place, old, new in _tensors(pair):
        before, after = pair.old.files.get(old.labels or ""), pair.new.files.get(new.labels or "")
        unread = not pair.old.labels.get(old.labels or "")
        if unread and before and after and before.sha256 != after.sha256:
            message = f"the labels of {told} changed and are too many to be compared"
            yield Found(message, f"{place}.labels")


def _renamed(pair: Pair) -> Iterator[Found]:
    yield from _where("called otherwise", _renamed_at, pair)


def _appended(grew: bool, pair: Pair) -> Iterator[Found]:
    for each in _labelled(pair):
        more = len(each.new) - len(each.old)
        kept = more > 0 and not _at(_gone, each, pair) and not _at(_moved, each, pair)
        if kept and each.grew is grew:
            last = len(each.old)
            message = f"{each.told} has {more} more label{'s' * (more > 1)} at the end"
            yield Found(message, each.place, f'index {last}: "{each.new[last]}" was no class')


def _grow(now: bool, pair: Pair) -> Iterator[Found]:
    for told, place, old, new in _tensors(pair):
        if (
            _known(pair, old)
            and new.labels
            and (old.labels_grow, new.labels_grow) == (not now, now)
        ):
            message = f"the labels of {told} {'may grow now' if now else 'grow no more'}"
            yield Found(message, f"{place}.labels_grow")


def _stated(pair: Pair) -> Iterator[Found]:
    for told, place, old, new in _tensors(pair):
        if new.labels and not old.labels:
            yield Found(f"the labels of {told} are told now", f"{place}.labels")


LINTS: tuple[Lint, ...] = (
    Lint(
        "label-removed", "major",
        "A class is gone, or the whole list is not told any more. Code that waits for that class "
        "waits in vain, and the classes after it have other indices.",
        _removed, "tensors", "Map the new labels to those that your code knows.",
    ),
    Lint(
        "label-permuted", "major",
        "Classes stand at other indices. Nothing fails: an index that meant one thing means another.",
        _permuted, "tensors", "Look classes up by their labels, not by their index.",
    ),
    Lint(
        "label-renamed", "major",
        "A class has another name at the same index. A closed list of names is part of the contract: "
        "nobody can tell a better spelling from another class.",
        _renamed, "tensors", "Map the new name to the one that your code knows.",
    ),
    Lint(
        "label-appended", "minor",
        "There are more classes at the end of a list that was declared to grow.",
        lambda pair: _appended(True, pair), "tensors",
    ),
    Lint(
        "label-appended-closed", "major",
        "There are more classes at the end of a closed list. The shape may allow it, but callers that "
        "handle every class do not know these.",
        lambda pair: _appended(False, pair), "tensors", "Handle the new classes.",
    ),
    Lint(
        "labels-opened", "major",
        "A closed list is declared to grow. From now on classes may be added in minor releases, which "
        "callers of a closed list were promised not to see.",
        lambda pair: _grow(True, pair), "tensors", "Handle labels that you do not know.",
    ),
    Lint(
        "labels-closed", "minor",
        "A list that could grow is closed: callers are promised more. The next class will be major.",
        lambda pair: _grow(False, pair), "tensors",
    ),
    Lint(
        "labels-stated", "minor",
        "The names of classes are told that were not told. Callers gain a promise and lose none.",
        _stated, "tensors",
    ),
)  # fmt: skip
