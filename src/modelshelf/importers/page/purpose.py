"""What models are for: a task of the vocabulary, by the words that a page uses of them.

Words in the title and summary weigh most, then those of the source's folders and of headings, then
sentences and what the example code says of the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Page

most_paragraphs = 150
longest_text_characters = 2500
most_per_kind = 4
"""How often a task counts in one kind of text: a word that comes again says no more."""
several_heads = 3
"""So many tasks for one model of text are the heads that are put on what embeds it."""

_RULES: tuple[tuple[str, str], ...] = (
    ("text-to-mel", r"mel[- ]?spectrograms?\b.{0,60}\bfrom\b.{0,20}\btext|\btext[- ]to[- ]mel"),
    ("audio-speech-synthesis",
     r"\b(?:speech|audio|sounds?|waveforms?)\b.{0,30}\bfrom\b.{0,20}\bmel[- ]?spectrograms?|\bvocoder"),
    ("text-to-speech", r"\btext[- ]to[- ]speech|\btts\b"),
    ("audio-speech-to-text", r"\bspeech[- ]to[- ]text|\bspeech recognition|\bstt\b|\basr\b"),
    ("audio-voice-activity", r"\bvoice activity"),
    ("audio-source-separation", r"\bsource separation|\bseparates? .{0,20}(?:music|audio|stems)"),
    ("audio-classification", r"\bclassifi(?:er|cation)\b|\bclassif\w+ (?:of )?(?:audio|sounds?)|\bspoken\b.{0,20}\bdetect"),
    ("image-depth-estimation", r"\bdepth (?:estimation|prediction)|\b(?:relative|inverse|monocular) depth"),
    ("image-pose-detection", r"\bpose (?:estimation|detection)|\bkey ?points? detection"),
    ("video-classification", r"\bvideo (?:classification|recognition)|\baction recognition"),
    ("image-super-resolution", r"\bsuper[- ]?resolution"),
    ("image-style-transfer", r"\bstyle transfer"),
    ("image-denoising", r"\bdenois(?:ing|es)\b.{0,30}\bimages?|\bimage denoising"),
    ("image-object-detection", r"\bobject[- ]?detect|\bdetect\w* (?:of )?objects|\bdetection\b"),
    ("image-segmentation", r"\bsegmentation|\bsemantic masks?"),
    ("image-generator", r"\bgenerative\b|\bgans?\b|\bimage (?:generation|synthesis)|\bgenerat\w+ (?:new )?images"),
    ("image-classification",
     r"\bclassif(?:y|ies|ication|iers?)\b|\btop-?[15]\b|\b1-crop\b|\b\d+ classes\b"),
    ("text-translation", r"\btranslat(?:ion|es?|ing)\b"),
    ("text-question-answering", r"\bquestion[- ]answering"),
    ("text-summarization", r"\bsummari[sz]ation"),
    ("text-classification", r"\bclassif(?:y|ies|ication|iers?)\b|\bsentiment\b"),
    ("text-language-model", r"\blanguage[- ]model(?:s|ing)?\b|\bmasked lm\b|\bcausal lm\b|\blm head\b"),
    ("text-embedding",
     r"\bembeddings?\b|\brepresentations?\b|\bencoders?\b|\bfeatures? extract|\bextract features|\bhidden[- ]states"),
)  # fmt: skip
"""Task → the words that speak of it; the narrower before the wider."""
_FORMS = {task: re.compile(form, re.IGNORECASE) for task, form in _RULES}
_KINDS = {
    "vision": ("image-", "video-"),
    "image": ("image-",),
    "video": ("video-",),
    "audio": ("audio-", "text-to-"),
    "speech": ("audio-", "text-to-"),
    "nlp": ("text-",),
    "text": ("text-",),
}
"""What a keyword of a page leaves of the tasks."""
_WHOLE_WORDS = {"text-to-mel", "text-to-speech"}
"""Tasks of sound, though their words begin as those of text."""


class Purpose(NamedTuple):
    """A task of the vocabulary; `told` where title or summary say it, else it is a guess."""

    task: str
    told: bool


class _Said(NamedTuple):
    """Texts of one kind, and how much a word in them weighs."""

    weight: int
    texts: tuple[str, ...]


def purpose(
    page: Page, head: str, folders: str = "", keywords: Iterable[str] = ()
) -> Purpose | None:
    """What the models of a page are for; None where nothing tells.

    `head` are title and summary, `folders` the path of the sources, which names fields too.
    """
    possible = _possible(keywords)
    words = re.sub(r"[/_.-]+", " ", folders)
    scores = _scores(_said(page, head, words), possible)
    if not scores:
        return None
    inside = _scores([_Said(1, (head,))], possible)
    if not inside and len([task for task in scores if task.startswith("text-")]) >= several_heads:
        return Purpose("text-embedding", told=False)
    best = max(scores, key=lambda task: (scores[task], -_place(task, head)))
    return Purpose(best, told=best in inside)


def named_purpose(name: str, keywords: Iterable[str] = ()) -> str | None:
    """The task that a name in code or a heading tells: `modelForQuestionAnswering`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.-]+", " ", name)
    return next((task for task in _possible(keywords) if _FORMS[task].search(words)), None)


def _possible(keywords: Iterable[str]) -> list[str]:
    """The tasks that the keywords leave, all where none says anything."""
    kinds = [_KINDS[word.lower()] for word in keywords if word.lower() in _KINDS]
    left = [task for task in _FORMS if any(_is_of(task, kind) for kind in kinds)]
    return left or list(_FORMS)


def _is_of(task: str, kind: tuple[str, ...]) -> bool:
    return task.startswith(kind) and not (kind == ("text-",) and task in _WHOLE_WORDS)


def _said(page: Page, head: str, folders: str) -> list[_Said]:
    paragraphs = [
        plain(b.text)[:longest_text_characters] for b in page.paragraphs[:most_paragraphs]
    ]
    headings = [plain(section.title) for section in page.sections[:most_paragraphs]]
    tables = [plain(" ".join(table.header)) for table in page.tables[:most_paragraphs]]
    code = [block.text[:longest_text_characters] for block in page.code[:most_paragraphs]]
    return [
        _Said(10, (head,)),
        _Said(8, (folders,)),
        _Said(3, tuple(headings)),
        _Said(2, (*paragraphs, *tables)),
        _Said(2, tuple(code)),
    ]


def _scores(said: Iterable[_Said], possible: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for task in possible:
        for weight, texts in said:
            hits = sum(bool(_FORMS[task].search(text)) for text in texts)
            if hits:
                found[task] = found.get(task, 0) + weight * min(hits, most_per_kind)
    return found


def _place(task: str, head: str) -> int:
    """Where the title and summary first speak of a task."""
    found = _FORMS[task].search(head)
    return found.start() if found else len(head)
