"""Names of quality measures as pages write them → how we call them, and which way is better."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LABEL_CHARACTERS = 120


class Measure(NamedTuple):
    """A measure that some text names; a `share` (of 1) is written as a fraction or in percent."""

    name: str
    lower_is_better: bool = False
    share: bool = True
    dataset: str | None = None
    split: str | None = None
    unsure: bool = False


class Hit(NamedTuple):
    """A measure named between two places of a text."""

    measure: Measure
    start: int
    end: int


# (words one of which is in the text, how it is written, name, lower is better, share of 1);
# of those that begin at one place the first wins
_KNOWN = (
    ("@", r"(?:precision|\bp) ?@ ?(\d{1,4})\b", "precision-at-", False, True),
    ("@", r"(?:recall|\br) ?@ ?(\d{1,4})\b", "recall-at-", False, True),
    ("@", r"hits? ?@ ?(\d{1,4})\b", "hits-at-", False, True),
    ("@", r"n?dcg ?@ ?(\d{1,4})\b", "ndcg-at-", False, True),
    ("@", r"mrr ?@ ?(\d{1,4})\b", "mrr-at-", False, True),
    ("@", r"acc(?:uracy|\.)? ?@ ?(\d{1,3})\b", "top-#-accuracy", False, True),
    ("top", r"top[-_ ]?(\d{1,3})(?:[-_ ](?:\w{1,12}[-_ ])?)?(?:classification )?err(?:ors?|\b)(?: rates?)?", "top-#-error", True, True),
    ("top", r"top[-_ ]?(\d{1,3})[-_ ]?(?:\w{1,12}[-_ ])?acc(?:uracy|uracies|\b)\.?", "top-#-accuracy", False, True),
    ("top", r"top[-_ ]?([135]|10|20|100)(?![\w.]|[-_ ]\d)", "top-#-accuracy", False, True),
    ("rank", r"rank[-_ ]?(\d{1,2})\b(?: accuracy)?", "rank-#-accuracy", False, True),
    ("iou union jaccard", r"\bm(?:ean)?[-_ ]?(?:iou\b|intersection[- ]over[- ]union|jaccard)", "mean-iou", False, True),
    ("iou union jaccard", r"\biou\b|intersection[- ]over[- ]union|\bjaccard\b", "iou", False, True),
    ("cmap", r"(?-i:\bcmAP|\bcMAP)(\d{0,3})\b", "class-map-", False, True),
    ("map", r"(?-i:\bmAP|\bMAP)[ @_]{0,2}(?:0?\.)?(\d{1,2}(?:[-:](?:0?\.)?\d{1,2})?)(?![\d.%])", "map-", False, True),
    ("map precision", r"(?-i:\bmAP\b|\bMAP\b)|mean aver\w{2,4} precision", "map", False, True),
    ("ap", r"(?-i:\bAP)[ @_]{0,2}(\d{2})(?![\d.%])", "ap-", False, True),
    ("ap precision", r"(?-i:\bAP\b)|\baverage precision", "ap", False, True),
    ("bleu", r"(?:sacre)?bleu(?:-\d)?(?: scores?)?\b", "bleu", False, False),
    ("rouge", r"rouge[- ]?(\d|l(?:sum)?)\b", "rouge-", False, True),
    ("meteor", r"\b(?-i:METEOR)\b", "meteor", False, True),
    ("chrf", r"\bchrf(?:\+\+)?", "chrf", False, False),
    ("cider", r"\bcider\b", "cider", False, False),
    ("f1 f-1 score measure", r"(?:(?:macro|micro|weighted)[- ])?\bf-?1\b(?:[- ]?(?:score|measure))?|\bf-?(?:score|measure)\b", "f1", False, True),
    ("match em", r"exact[- ]match|(?-i:\bEM\b)", "exact-match", False, True),
    ("psnr", r"\bpsnr\b", "psnr", False, False),
    ("ms-ssim", r"\bms-ssim\b", "ms-ssim", False, True),
    ("ssim", r"\bssim\b", "ssim", False, True),
    ("lpips", r"\blpips\b", "lpips", True, False),
    ("fid chet", r"(?-i:\bFID\b)|fr[eé]chet \w{1,12} distance", "fid", True, False),
    ("kid", r"(?-i:\bKID\b)", "kid", True, False),
    ("perplexity ppl", r"\bperplexity\b|\bppl\b", "perplexity", True, False),
    ("bits", r"bits[- ]per[- ](dim|char|byte)(?:ension|acter)?", "bits-per-", True, False),
    ("likelihood nll", r"negative log[- ]likelihood|(?-i:\bNLL\b)", "negative-log-likelihood", True, False),
    ("error wer", r"word error rate|(?-i:\bWER\b)", "word-error-rate", True, True),
    ("error cer", r"char(?:acter)? error rate|(?-i:\bCER\b)", "character-error-rate", True, True),
    ("error eer", r"equal error rate|(?-i:\bEER\b)", "equal-error-rate", True, True),
    ("auc auroc", r"\broc[-_ ]?auc\b|\bauc[-_ ]?roc\b|\bauroc\b", "roc-auc", False, True),
    ("auc area", r"\bauc\b|area under the(?: \w{1,9})? curve", "auc", False, True),
    ("pearson", r"\bpearson\w{0,3}(?:'s)?(?: corr?\w{2,8}(?: coefficient)?)?", "pearson-correlation", False, True),
    ("spearman", r"\bspearman\w{0,3}(?:'s)?(?: rank)?(?: corr?\w{2,8}(?: coefficient)?)?", "spearman-correlation", False, True),
    ("matthew mcc", r"\bmatthews?'?s?(?:'s)? corr?\w{0,8}(?: coefficient)?|(?-i:\bMCC\b)", "matthews-correlation", False, True),
    ("absolute mae", r"mean absolute (?:error|difference)|(?-i:\bMAE\b)", "mean-absolute-error", True, False),
    ("squared rmse", r"root mean squared? error|(?-i:\bRMSE\b)", "root-mean-squared-error", True, False),
    ("squared mse", r"mean squared? error|(?-i:\bMSE\b)", "mean-squared-error", True, False),
    ("loss error distance", r"\bl([12]) (?:loss|error|distance)", "l#-error", True, False),
    ("opinion mos", r"mean opinion score|(?-i:\bMOS\b)", "mean-opinion-score", False, False),
    ("dice", r"\bdice\b(?: (?:score|coefficient))?", "dice", False, True),
    ("kappa", r"\bcohen'?s kappa\b", "kappa", False, True),
    ("pesq", r"(?-i:\bPESQ\b)", "pesq", False, False),
    ("stoi", r"(?-i:\bSTOI\b)", "stoi", False, True),
    ("sdr", r"(?-i:\bSI-SDRi?\b|\bSDR\b)", "sdr", False, False),
    ("mrr reciprocal", r"(?-i:\bMRR\b)|mean reciprocal rank", "mrr", False, True),
    ("dcg", r"(?-i:\bn?DCG\b|\bNDCG\b)", "ndcg", False, True),
    ("acc", r"\baccura(?:cy|cies|y)\b|\bacc\b\.?", "accuracy", False, True),
    ("err", r"\berror(?: rate)?s?\b|\berr\b", "error", True, True),
    ("recall", r"\brecall\b", "recall", False, True),
    ("precision", r"(?<!mixed )(?<!half )(?<!full )(?<!float )(?<!single )(?<!double )(?<!bit )(?<!\d )\bprecision\b", "precision", False, True),
)  # fmt: skip
_PATTERNS = tuple(
    (words.split(), re.compile(pattern, re.IGNORECASE)) for words, pattern, *_ in _KNOWN
)
_WORDS = tuple(dict.fromkeys(word for words, _ in _PATTERNS for word in words))
COST = re.compile(
    r"param|flop|\bmacs?\b|\bops\b|latency|speed|\bfps\b|\bms\b|milli|\btime\b|\bsize\b|memory|\b[kmgt]i?b\b"
    r"|throughput|images/s|epoch|batch|learning|\blr\b|\bsteps?\b|layers?\b|\bheads?\b|depth|width"
    r"|resolution|dimension|\bcrop\b|thresholds?|dropout|temperature|hours?\b|#|number of|\bcount\b|download"
    r"|\byear|\bdate\b|version|vocab|\bweight|\bdecay|momentum|ratio\b|species|length|multiplier|\binput\b"
    r"|\blink\b|\boutput|\bseed\b|\bids?\b",
    re.IGNORECASE,
)
"""Words of what is no quality: costs, sizes, settings of the training, counts."""
_NOT_OURS = re.compile(r"\b(?:orig(?:inal)?|paper|reference|baseline|reported)\b", re.IGNORECASE)
_ASIDE = re.compile(r"\(([^()]{0,80})\)")
_BITS = re.compile(r"fp\d|int\d|float|bit|quant", re.IGNORECASE)
_FACTOR = re.compile(r"\s[*x\u00d7]\s?100$|\*$")
_ON = re.compile(r"\s+(?:on|for|over)\s+(?:the\s+)?(.+)$")
_SPLIT = re.compile(
    r"\b(val(?:idation)?|test(?:ing)?|dev(?:elopment)?|train(?:ing)?|eval(?:uation)?|held-out)\b"
    r"(?:[ -](?:set|split|data(?:set)?))?",
    re.IGNORECASE,
)
_SPLITS = {"v": "validation", "t": "test", "d": "dev", "e": "eval", "h": "held-out"}
_TAIL = re.compile(r"\s+(?:data ?sets?|benchmarks?|corpus|tasks?|set)$", re.IGNORECASE)
_ORDINARY = {"average", "avg", "mean", "overall", "final", "best", "eval", "evaluation", "classification",
             "score", "scores", "rate", "value", "the", "our", "its", "acc", "(%)", "model", "global"}  # fmt: skip


def hinted(text: str) -> bool:
    """Whether `text` could name a measure: a quick look before the long one."""
    lower = text.lower()
    for word in _WORDS:  # noqa: SIM110 - twice as fast as any()
        if word in lower:
            return True
    return False


def hits(text: str) -> list[Hit]:
    """Every measure that a sentence names, in order; none within another."""
    lower = text.lower()
    every = [
        (found.start(), number, found)
        for number, (words, pattern) in enumerate(_PATTERNS)
        if any(word in lower for word in words)
        for found in pattern.finditer(text)
    ]
    kept: list[Hit] = []
    for start, number, found in sorted(every, key=lambda each: each[:2]):
        if not kept or start >= kept[-1].end:
            kept.append(Hit(_measure(number, found), start, found.end()))
    return kept


def _measure(number: int, found: re.Match[str]) -> Measure:
    _, _, name, lower, share = _KNOWN[number]
    detail = found[1] or "" if found.re.groups else ""
    if name in ("map-", "ap-") and len(detail) == 1:
        detail += "0"  # `mAP@.5` is `mAP50`
    if "#" in name:
        name = name.replace("#", detail)
    elif name.endswith("-"):
        name = (name + slug(detail)).rstrip("-")
    return Measure(name, lower, share)


@lru_cache(maxsize=4096)
def measures(label: str) -> tuple[Measure, ...]:
    """The measures that a label (the head of a column, what stands before a colon) names.

    `F1 / Accuracy` and `XDIG (Accuracy)` name theirs; `Pixel accuracy on BIRDS (test)` its data too.
    Empty where the label names none, or one that is not the package's own.
    """
    label = label.replace("_", " ").strip()
    if len(label) > LABEL_CHARACTERS or not hinted(label) or _NOT_OURS.search(label):
        return ()
    outside = _ASIDE.sub(" ", label).strip()
    asides = _ASIDE.findall(label)
    inside = next((aside for aside in asides if _whole(aside)), None)
    if inside is not None and not hits(outside):
        dataset, split = data_named(outside)
        return tuple(m._replace(dataset=dataset, split=split) for m in measures(inside))
    parts = outside.split("/")
    if 1 < len(parts) <= 4:
        each = [measures(part) for part in parts]
        return tuple(found[0] for found in each) if all(each) else ()
    found = _named(_FACTOR.sub(" ", outside).replace("%", " "))
    if found and found.name == "precision" and any(map(_BITS.search, asides)):
        return ()
    return (found,) if found else ()


def _whole(text: str) -> bool:
    """Whether `text` is nothing but names of measures: `F1/EM`."""
    return all(
        any(h.end - h.start == len(part.strip()) for h in hits(part.strip()))
        for part in text.split("/")
    )


def _named(label: str) -> Measure | None:
    label = " ".join(label.split())
    named = hits(label)
    hit = named[0] if named else None
    if hit is None or (COST.search(label) and not _fits(hit, label)):
        return None
    dataset = split = None
    if on := _ON.search(label, hit.end):
        dataset, split = data_named(on[1])
        label = label[: on.start()]
    if said := _SPLIT.search(label):
        split = split or split_named(said[0])
        label = " ".join((label[: said.start()] + label[said.end() :]).split())
        hit = (hits(label) or [hit])[0]
    before = label[: hit.start].split()
    after = [word for word in label[hit.end :].split() if word.lower() not in _ORDINARY]
    own = [word for word in before if word.lower() not in _ORDINARY]
    if not own and not after:
        return hit.measure._replace(dataset=dataset, split=split)
    if not after and len(own) == 1 and _proper(own[0]):
        return hit.measure._replace(dataset=dataset or own[0], split=split, unsure=True)
    if hit.measure.name.startswith("top-"):
        return hit.measure._replace(dataset=dataset, split=split, unsure=True)
    name = f"{' '.join(before)} {hit.measure.name} {label[hit.end :]}"
    return hit.measure._replace(name=slug(name), dataset=dataset, split=split)


def _fits(hit: Hit, label: str) -> bool:
    return hit.end - hit.start >= len(label) - 2


def _proper(word: str) -> bool:
    """Whether a word is written as names of data are: `BIRDS`, `BirdNet`, `SNG2007`."""
    return sum(each.isupper() or each.isdigit() for each in word) > 1


def data_named(text: str) -> tuple[str | None, str | None]:
    """The data and the split of it that words name: `BIRDS 2017 test set` → `BIRDS 2017`, `test`."""
    text = " ".join(text.split()).strip(" .,;:")
    said = _SPLIT.search(text)
    if said:
        text = (text[: said.start()] + " " + text[said.end() :]).strip()
    name = _TAIL.sub("", " ".join(text.split())).strip(" .,;:-")
    return name[:60] or None, split_named(said[0]) if said else None


def split_named(word: str) -> str | None:
    """The split that a word stands for: `val` → `validation`; None where it is no such word."""
    said = _SPLIT.match(word.strip())
    if not said:
        return None
    lower = said[1].lower()
    return "train" if lower.startswith("tr") else _SPLITS.get(lower[0])


def slug(text: str) -> str:
    """`Raw Pitch Accuracy` → `raw-pitch-accuracy`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].rstrip("-")
