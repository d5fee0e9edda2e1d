"""One figure of quality as a page states it, and which figures of a page are a package's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from modelshelf.importers.page.inline import links, plain
from modelshelf.importers.page.metric_names import Measure
from modelshelf.importers.page.resemblance import resemblance
from modelshelf.package.catalogue import Found
from modelshelf.package.record import Metric

DIGITS = 8
"""Decimal places kept of a share: 0.1 + 0.2 of a page's percent must not show."""

_NUMBER = re.compile(
    r"[~≈]?\s?([-+\u2212]?\d{1,7}(?:\.\d{1,20})?)(?!,\d)\s?(%)?"
    r"(?!\w|\.\d|\s?(?:[kKMGTB]\b|[kMG]i?B\b|[munµ]?s\b|fps\b|px\b|x\b|\u00d7|Hz\b|hours?\b|[mb]illion\b|params?\b|images?\b))"
)


class Label(msgspec.Struct, frozen=True):
    """What names the model of a row or column: the words, the address behind them, the row's other words.

    `marked` where the page prints it in bold; pages mark their own model among others so.
    """

    text: str = ""
    url: str = ""
    marked: bool = False
    beside: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True):
    """A figure, the model that it is about (an empty label: the page's own), how it is known, its line."""

    metric: Metric
    label: Label
    found: Found
    line: int


def label_of(cell: str, beside: Iterable[str] = ()) -> Label:
    """The label that a cell is."""
    target = next((link.url for link in links(cell) if not link.image), "")
    return Label(plain(cell)[:120], target, "**" in cell, tuple(beside))


def number_in(text: str) -> tuple[float, bool] | None:
    """The number that plain text begins with, and whether it is in percent; None for other text."""
    found = _NUMBER.match(text)
    if not found:
        return None
    return float(found[1].replace("\u2212", "-")), found[2] is not None


def metric_of(measure: Measure, value: float, *, percent: bool) -> Metric | None:
    """The metric with its value, a share as a fraction of 1; None where no such share can be."""
    if measure.share:
        if percent:
            value = round(value / 100, DIGITS)
        if not -1 <= value <= 1:
            return None
    return Metric(
        name=measure.name,
        value=value,
        dataset=measure.dataset,
        split=measure.split,
        lower_is_better=measure.lower_is_better,
    )


def own(figures: Sequence[Figure], names: Sequence[str]) -> tuple[Figure, ...]:
    """The figures that are about the model with these `names` (handle without version, title).

    Those that the page says of itself, and of the labelled ones those whose label fits best: its
    address is a name, the page marks it, or its words are a name's. Where none fits, all labelled
    ones are about other models, unless the page has one label only. Each metric is given once.
    """
    labels = {each.label for each in figures if each.label.text}
    best = max((_fit(label, names) for label in labels), default=0.0)
    chosen = {label for label in labels if best and _fit(label, names) >= best - 0.01}
    guessed = best < 1
    if not chosen and len({label.text for label in labels}) == 1:
        chosen = labels
    kept = [_unsure(each) if guessed else each for each in figures if each.label in chosen]
    unlabelled = [each for each in figures if not each.label.text]
    return once([*map(_without_label, kept), *unlabelled])


def shared(
    figures: Sequence[Figure], models: dict[str, Sequence[str]]
) -> dict[str, tuple[Figure, ...]]:
    """Each model's figures, by its key in `models`, which holds the names of each.

    A label goes to the one model that it fits best, to none where two fit equally. What has no label
    goes to a model that is alone, and to none of several.
    """
    given: dict[str, list[tuple[float, Figure]]] = {key: [] for key in models}
    for each in figures:
        fits = {key: _fit(each.label, names, bold=False) for key, names in models.items()}
        if not each.label.text:
            fits = dict.fromkeys(models, 1.0) if len(models) == 1 else {}
        most = max(fits.values(), default=0.0)
        best = [key for key, fit in fits.items() if fit >= max(most - 0.001, 1)]
        if len(best) == 1:
            given[best[0]].append((most, each))
    return {key: _best(kept) for key, kept in given.items()}


def _best(given: list[tuple[float, Figure]]) -> tuple[Figure, ...]:
    """Of figures of the same metric those whose label fits best."""
    given.sort(key=lambda pair: -pair[0])
    return once(_without_label(figure) for _, figure in given)


def _fit(label: Label, names: Sequence[str], *, bold: bool = True) -> float:
    address = label.url.lower().rstrip("/")
    if any("/" in name and f"/{name.lower().strip('/')}/" in f"{address}/" for name in names):
        return 2.0
    fit = max((resemblance(label.text, label.beside, name) for name in names), default=0.0)
    return fit + 0.3 if bold and label.marked else fit


def _unsure(figure: Figure) -> Figure:
    return msgspec.structs.replace(figure, found=Found(figure.found.source, unsure=True))


def _without_label(figure: Figure) -> Figure:
    return msgspec.structs.replace(figure, label=Label())


def once(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """Each metric of each label once: the first that is sure, or the first.

    It is unsure where the page gives several values. What is said without its data is left out where
    it is also said with.
    """
    every: dict[tuple[str, str | None, str | None, Label], list[Figure]] = {}
    for each in figures:
        metric = each.metric
        every.setdefault((metric.name, metric.dataset, metric.split, each.label), []).append(each)
    kept = [_one(same) for same in every.values()]
    told = {(f.metric.name, f.metric.value, f.label) for f in kept if f.metric.dataset}
    return tuple(
        f for f in kept if f.metric.dataset or (f.metric.name, f.metric.value, f.label) not in told
    )


def _one(same: list[Figure]) -> Figure:
    first = next((each for each in same if not each.found.unsure), same[0])
    return first if len({each.metric.value for each in same}) == 1 else _unsure(first)
