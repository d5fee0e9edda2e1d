"""How the models of a page were trained, and what was done to their data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from modelshelf.importers.page.chapters import chapters
from modelshelf.importers.page.inline import sentences
from modelshelf.importers.page.markdown import Page, Paragraph
from modelshelf.package.record import Feature, Training

most_sentences = 4

_TRAINING = re.compile(r"\b(?:pre-?)?training\b|\bhow .{0,20}\btrained\b", re.IGNORECASE)
_NOT_TRAINING = re.compile(
    r"fine-?tun|trainable|post-training|quanti|changelog|version|usage|limitation", re.IGNORECASE
)
_TRAINED = re.compile(
    r"\b(?:was|were|been|is|are)\s(?:[\w-]{1,20}\s){0,2}(?:pre-?)?(?:trained|fine-?tuned)\b(?! model)"
    r"|\bby (?:pre-?)?training (?:on|it)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"change ?log|\bversion \d|references?$|citation|acknowledg|fine-?tun", re.IGNORECASE
)
_PREPARING = re.compile(r"\bpre-?process|\btokeni[sz]ation\b|\bnormali[sz]ation\b", re.IGNORECASE)
_PREPARED = re.compile(
    r"\b(?:pre-?process|tokeni[sz]ed|lower-?cased?|resampled|sampled at|sample rate"
    r"|(?:re)?scaled to|resized? to|normali[sz]ed|(?:colou?r|pixel) values|cropped)",
    re.IGNORECASE,
)
_CHECKPOINT = re.compile(r"\bcheckpoints?\b[^.`\n]{0,80}`([^`\n]{1,200})`", re.IGNORECASE)
_NUMBER = r"(\d{1,9}(?:,\d{3}){0,4}(?:\.\d{1,9})?(?:e-?\d{1,3})?)"
_IS = r"(?: rate| size)?(?: of| was| is| set to|:| =|=){0,2} ?"
_NUMBERS = {
    "learning-rate": re.compile(rf"\blearning rate{_IS}{_NUMBER}(?![\w.]\d)", re.IGNORECASE),
    "batch-size": re.compile(rf"\bbatch size{_IS}{_NUMBER}", re.IGNORECASE),
    "weight-decay": re.compile(rf"\bweight decay{_IS}{_NUMBER}", re.IGNORECASE),
    "dropout": re.compile(rf"\bdropout{_IS}{_NUMBER}", re.IGNORECASE),
    "momentum": re.compile(rf"\bmomentum{_IS}{_NUMBER}", re.IGNORECASE),
    "epochs": re.compile(rf"\b{_NUMBER} epochs\b", re.IGNORECASE),
    "steps": re.compile(rf"\b{_NUMBER} (?:training )?(?:steps|iterations)\b", re.IGNORECASE),
}
_OPTIMIZER = re.compile(
    r"\b(AdamW?|Adamax|NAdam|SGD|RMS-?[Pp]rop|Adagrad|Adadelta|Adafactor|LAMB|LARS|L-?BFGS)\b"
)


class Trained(NamedTuple):
    """What is said of training; `told` where a section tells it, not only a sentence elsewhere."""

    training: Training
    told: bool


def training(page: Page) -> Trained | None:
    """How the page says that the models were trained; None where it does not.

    What was done to the data is told only beside that: alone it is no training.
    """
    section = chapters(page, _TRAINING, but=_NOT_TRAINING)
    description = section or " ".join(_said(page, _TRAINED, "train", "tuned", "Train"))
    if not description:
        return None
    preparing = chapters(page, _PREPARING) or " ".join(_said(page, _PREPARED))
    checkpoint = _CHECKPOINT.search(description)
    found = Training(
        description=f"{description}\n",
        checkpoint=checkpoint[1] if checkpoint else None,
        hyperparameters=hyperparameters(description),
        preprocessing=f"{preparing}\n" if preparing else None,
    )
    return Trained(found, bool(section))


def hyperparameters(text: str) -> dict[str, Feature]:
    """The settings of a training that sentences name with their numbers."""
    line = " ".join(text.split())
    found: dict[str, Feature] = {}
    for name, pattern in _NUMBERS.items():
        if match := pattern.search(line):
            found[name] = _number(match[1])
    if optimizer := _OPTIMIZER.search(line):
        found["optimizer"] = optimizer[1]
    return found


def _number(text: str) -> int | float:
    plain = text.replace(",", "")
    return int(plain) if plain.isdigit() else float(plain)


def _said(page: Page, what: re.Pattern[str], *hints: str) -> list[str]:
    """The first sentences of the page that say it; they hold one of `hints`, where there are any."""
    found: list[str] = []
    for block in _here(page):
        hinted = not hints or any(hint in block.text for hint in hints)
        if hinted and what.search(block.text):
            found += (each for each in sentences(block.text) if what.search(each))
        if len(found) >= most_sentences:
            break
    return [each[:1000] for each in found[:most_sentences]]


def _here(page: Page) -> Iterator[Paragraph]:
    """Paragraphs of sections that speak of the models as they are."""
    for section in page.sections:
        if not any(map(_ELSEWHERE.search, (*section.path, section.title))):
            yield from (each for each in section.blocks if isinstance(each, Paragraph))
