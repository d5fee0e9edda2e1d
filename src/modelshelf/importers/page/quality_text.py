"""Figures of quality out of sentences and points: `achieves 76.2% top-1 accuracy`, `F1: 0.91`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from modelshelf.importers.page.figure import Figure, Label, metric_of, number_in
from modelshelf.importers.page.inline import plain, sentences
from modelshelf.importers.page.markdown import Block, Paragraph
from modelshelf.importers.page.metric_names import (
    COST,
    Hit,
    Measure,
    data_named,
    hinted,
    hits,
    measures,
    slug,
    split_named,
)
from modelshelf.package.catalogue import Found

SENTENCE_CHARACTERS = 1000
"""What stands behind, in one sentence, is not read."""
PARAGRAPH_COUNT = 5
"""So far before a list it is looked for what its figures were measured on."""

_VALUE = r"(?:about |around |approximately |roughly |over |nearly |up to |~ ?|≈ ?)?([-\u2212]?\d{1,3}(?:\.\d{1,20})?)(?![\d.]*\d| ?[x\u00d7]) ?(%|percent\b)?"
_AFTER = re.compile(
    r"(?: ?\([^()]{0,40}\))?(?: (?:scores?|rates?|values?))?"
    r"(?: (?:on|for|in|over|at|under|between)\b[^.;:,]{1,70}?)??"
    r"(?: (?:as evaluated|evaluated|measured|reported)\b[^.;:,]{1,40}?)??"
    r" ?(?:\bof\b|\bis\b|\bwas\b|\bto be\b|:|=|\breach(?:es|ed)\b|\bequals\b|\bat\b) ?" + _VALUE
)
_BEFORE = re.compile(
    r"(?<![\w.,/-])([-\u2212]?\d{1,3}(?:\.\d{1,20})?) ?(%|percent\b)? "
    r"(?:(?!more|less|high|low|abs|rel|bett|worse|impr|points?)[\w-]{1,14} ){0,2}$"
)
_POINT = re.compile(r"([^:=]{1,80}?) ?[:=] ?" + _VALUE + r"(?: ?\([^()]{0,60}\))?[.,;]?")
_CUT = re.compile(
    r"\b(?:as opposed to|compared (?:to|with)|comparing (?:to|with)|in comparison|versus|vs\b|whereas"
    r"|than (?:the|that)|instead of|(?:low|high|bett)er than|up from|outperform\w*|(?:more|less) accurate"
    r"|improv\w{1,5} (?:[\w-]{1,20} ){0,5}by|(?:gain|increase|drop|loss|difference)s? of)",
    re.IGNORECASE,
)
_DOUBTFUL = re.compile(
    r"\b(?:ensembles?|paper|original|authors?|state[- ]of[- ]the[- ]art|reported|winn\w+|challenge|up to"
    r"|we report|teacher|baseline|previous|predecessor|single|if)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"\bauthors?\b.{0,60}\bfirst\b|thresholds?\b", re.IGNORECASE)
_WORD = r"[A-Z0-9][\w+-]{0,40}+(?:\.\w{1,20}){0,3}+"
_ON = re.compile(
    rf"\b(?:[Oo]n|[Ff]or|[Oo]ver|[Ff]rom)(?: the| our| its)? (?:({_WORD}(?:[ -](?:{_WORD}|v\d[\d.]{{0,4}})){{0,5}}+)"
    r"(?! (?:models?|modules?|networks?|architectures?|encoders?)\b)"
    r"|([a-z][\w.-]{1,40}))"
    r"(?P<is> (?:[Dd]ata ?[Ss]ets?|[Cc]orpus|[Bb]enchmarks?)\b)?(?: ([Vv]al(?:idation)?|[Tt]est|[Dd]ev|[Ee]val(?:uation)?|[Tt]rain(?:ing)?)\b)?"
    r"(?P<has> (?:[Dd]ata ?[Ss]ets?|[Cc]orpus|[Bb]enchmarks?|[Ss]ets?|[Ss]plits?)\b)?"
)
_DIGIT = re.compile(r"\d")
_QUOTED = re.compile(r"[\"“][^\"“”]{0,200}[\"”]")
_SPLIT = re.compile(
    r"\b(val(?:idation)?|test|dev(?:elopment)?|train(?:ing)?|eval(?:uation)?) (?:data ?)?(?:set|split)\b"
)
_ORDINARY = re.compile(
    r"the|an?|our|this|that|following|these|its|each|same|all|both|several|different|other|various|large|new|held-out"
    r"|public|standard|popular|two|three|four|five|many|some|any|individual|single|their|val\w*|test|train\w*"
)
_DEVICE = re.compile(
    r"\b(?:[CGT]PUs?|GitHub|Colab\w*|Kaggle|PyPI|SoC|Edge|Mac\w*|Android|iOS|V100|A100|K80)\b"
)


def said_in(blocks: Sequence[Block]) -> Iterator[Figure]:
    """The figures in the paragraphs of one section."""
    points: list[Paragraph] = []
    before: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph) and block.item:
            points.append(block)
        elif isinstance(block, Paragraph):
            yield from _points(points, before)
            points = []
            before.append(block.text)
            yield from _sentences(block)
    yield from _points(points, before)


def _last_data(texts: Sequence[str]) -> tuple[str | None, str | None]:
    """The data that the last of some paragraphs speaks of that speaks of any."""
    for text in texts[: -PARAGRAPH_COUNT - 1 : -1]:
        said = data_of(plain(text)[-SENTENCE_CHARACTERS:])
        if said[0]:
            return said
    return None, None


def data_of(text: str) -> tuple[str | None, str | None]:
    """The data that plain text speaks of (`on the BIRDS 2017 validation set`), and its split."""
    text = _QUOTED.sub(" ", text)
    for found in _ON.finditer(text):
        data = bool(found["is"] or found["has"])
        name, split = data_named(found[1] or (found[2] if data else None) or "")
        name = name or (found[2] if found[2] and _is_name(found[2]) else None)
        if name and (_is_name(name) or (data and found[1])) and not _DEVICE.search(name):
            return name, split or split_named(found[4] or "")
        if name and data and found[2] and not _ORDINARY.fullmatch(name):
            return name, split or split_named(found[4] or "")
    said = _SPLIT.search(text)
    return None, split_named(said[1]) if said else None


def _is_name(text: str) -> bool:
    """Whether a word of it is written as only names are: `BirdNet`, `SNG2007`."""
    return any(
        sum(letter.isupper() or letter.isdigit() for letter in word) > 1 for word in text.split()
    )


def _points(points: Sequence[Paragraph], before: Sequence[str]) -> Iterator[Figure]:
    """Points of a list, `name: value`; beside one that names a measure, other names are measures too."""
    named = [_point(point) for point in points]
    judged = any(found and found[0] for found in named)
    dataset, split = _last_data(before) if judged else (None, None)
    for point, found in zip(points, named, strict=True):
        if found is None:
            yield from _sentences(point)
            continue
        known, label, value, percent = found
        if not known and judged and not COST.search(label) and len(label.split()) <= 4:
            known = Measure(slug(label), share=False, unsure=True)
        if known:
            measure = known._replace(dataset=known.dataset or dataset, split=known.split or split)
            metric = metric_of(measure, value, percent=percent or (known.share and abs(value) > 1))
            if metric and metric.name:
                yield Figure(metric, Label(), Found("text", known.unsure), point.line)


def _point(point: Paragraph) -> tuple[Measure | None, str, float, bool] | None:
    """The measure, name and value of a point `name: value`; None where it is no such point."""
    if len(point.text) > 300 or not _DIGIT.search(point.text):
        return None
    said = _POINT.fullmatch(plain(point.text))
    if not said:
        return None
    number = number_in(f"{said[2]}{'%' if said[3] else ''}")
    known = measures(said[1])
    return (known[0] if known else None, said[1], *number) if number else None


def _sentences(block: Paragraph) -> Iterator[Figure]:
    if not (_DIGIT.search(block.text) and hinted(block.text)):
        return
    for sentence in sentences(block.text):
        if _DIGIT.search(sentence) and hinted(sentence):
            yield from _sentence(sentence[:SENTENCE_CHARACTERS], block.line)


def _sentence(whole: str, line: int) -> Iterator[Figure]:
    cut = _CUT.search(whole)
    text = whole[: cut.start()] if cut else whole
    if _OTHERS.search(text):
        return
    found = hits(text)
    dataset, split = data_of(text) if found else (None, None)
    doubtful = bool(_DOUBTFUL.search(whole))
    for number, hit in enumerate(found):
        valued = _value(text, hit, found[number + 1 : number + 2])
        if valued is None:
            continue
        measure, value, percent = valued
        measure = measure._replace(dataset=dataset, split=split)
        metric = metric_of(measure, value, percent=percent or (measure.share and abs(value) > 1))
        if metric:
            yield Figure(metric, Label(), Found("text", doubtful), line)


def _value(text: str, hit: Hit, following: Sequence[Hit]) -> tuple[Measure, float, bool] | None:
    """The value that stands behind or before a measure, if it is written as a value is."""
    said = _BEFORE.search(text[max(0, hit.start - 60) : hit.start])
    behind = None if said else _AFTER.match(text[hit.end : hit.end + 200])
    found = said or behind
    if not found:
        return None
    digits, percent = found[1].replace("\u2212", "-"), found[2]
    bare = hit.measure.name in ("precision", "error", "recall", "accuracy", "iou", "ap")
    if not (percent or "." in digits) and (said or bare or len(digits) < 2):
        return None
    measure = hit.measure
    if measure.name.startswith("top-") and following and following[0].start - hit.end < 25:
        # `21.2% top-1 and 5.6% top-5 error`: what the second one is of, the first is of too
        after = following[0].measure
        if after.name.startswith("top-") and not _says_kind(text[hit.start : hit.end]):
            name = "-".join([*measure.name.split("-")[:2], *after.name.split("-")[2:]])
            measure = after._replace(name=name)
    return measure, float(digits), bool(percent)


def _says_kind(written: str) -> bool:
    return "acc" in written.lower() or "err" in written.lower()
