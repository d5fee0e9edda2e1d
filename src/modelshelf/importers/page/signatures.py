"""What a page says of its model's inputs and outputs, and under which names it can be called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from modelshelf.importers.page.inline import plain
from modelshelf.importers.page.markdown import Page, Paragraph
from modelshelf.importers.page.tensor_lists import Listed, Side, listed
from modelshelf.importers.page.tensor_words import (
    Size,
    meaning_of,
    numbers_named,
    range_of,
    rate_of,
    shape_of,
    size_of,
    vector_of,
)
from modelshelf.package.catalogue import Found, Source
from modelshelf.package.signature import Dimension, Interval, Signature, Tensor

TENSOR_COUNT = 60
"""Tensors of one side; what a page names behind is left out."""
DEFAULT = "default"

_USUAL = {"class-scores": "logits", "feature-vector": "features", "embedding": "embeddings"}
"""How outputs of a meaning are called where the page gives no name."""

_NAMED = re.compile(
    r"\bsignatures? names? `?[\"']?([\w-]{2,60})|`[\"']?([\w-]{2,60})[\"']?` signatures?\b"
    r"|\bsignatures? (?:called |named )?`[\"']?([\w-]{2,60})[\"']?`|\b(?:the|a) __?([\w]{2,60}?)__? signature\b"
)
_CODED = re.compile(
    r"\bsignature(?:_key|_name)?\s?=\s?[\"']([\w-]{2,60})[\"']|\.signatures\[[\"']([\w-]{2,60})[\"']\]"
)
_DEFAULT = re.compile(r"\bdefault signature\b|\bsignatures?\b.{0,30}\bdefault\b", re.IGNORECASE)
_COMMON = re.compile(
    r"\bimplements? the common signature\b|\bcommon signature for\b", re.IGNORECASE
)
_SIGNATURE = re.compile(r"\bsignatures?\b", re.IGNORECASE)
_LINK_ONLY = re.compile(r"\]\([^()\s]{1,300}\)")
_IMAGE_IN = re.compile(
    r"\binput (?:tensor|`?images?`?|size)|\binputs? (?:are|is)\b[^.]{0,60}\bimages?\b|\bimages? of (?:size|shape)\b"
    r"|\bsize of the input|\binput\b[^.]{0,40}\bimages?\b|\bexpect\w* (?:input )?images?\b|\bimages?\b[^.]{0,60}\bexpected\b",
    re.IGNORECASE,
)
_TEXT_IN = re.compile(
    r"\b(?:sentences?|strings?|text)\b[^.]{0,60}\b(?:as|is the|the) input|\binput (?:to the \w+ )?is\b[^.]{0,60}\btext\b"
    r"|\b1-?D tensor of strings\b",
    re.IGNORECASE,
)
_FLEXIBLE = re.compile(
    r"\bflexible\b|\bvariable[- ]size|\bvariable input size|\barbitrary (?:size|resolution)|\bother input sizes are possible\b",
    re.IGNORECASE,
)
_COLOR = re.compile(r"\bRGB\b|\bBGR\b")
_AT_LEAST = re.compile(r"\bat least `?(\d{2,4})")
_MEAN = re.compile(r"\bmean`?\s?=\s?`?\[([\d., ]{3,60})\]")
_STD = re.compile(r"\bstd`?\s?=\s?`?\[([\d., ]{3,60})\]")
_VECTOR_OUT = re.compile(
    r"\boutput\b[^.]{0,80}\bvectors?\b|\blogits\b|\bembeddings?\b|\bfeature vector", re.IGNORECASE
)


class Described(msgspec.Struct, frozen=True):
    """What a page says of how its model is called.

    `names` are the signatures that it names, `inputs` and `outputs` the tensors of the first one.
    `signatures` has those of which both sides are known: all names that share these tensors.
    """

    names: tuple[str, ...] = ()
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}
    signatures: dict[str, Signature] = {}
    found: Found | None = None


def describes(page: Page) -> bool:
    """Whether the page speaks of signatures: names one, or says of which kind its own is.

    That a page shows how to call a model, or that a link's address has the word, is not enough.
    """
    return bool(_names(page)) or any(
        _COMMON.search(text) or (_SIGNATURE.search(text) and not _link_text(text))
        for text in _texts(page)
    )


def read(page: Page, own: str = "") -> Described:
    """Signatures and tensors out of sentences, lists and code of the page about the package `own`."""
    texts = list(_texts(page))
    names = _names(page)
    every = list(listed(page, prepares="preprocess" in own))
    numbers = {name: size for text in texts for name, size in numbers_named(text).items()}
    inputs = _tensors(every, "inputs")
    outputs = _tensors(every, "outputs")
    symbols: dict[str, Interval] = {}
    _image(inputs, texts, symbols, channels_first=any("torch" in block.text for block in page.code))
    _text(inputs, texts)
    _vector(outputs, texts)
    outputs = {name: _with_sizes(tensor, numbers) for name, tensor in outputs.items()}
    if not (names or inputs or outputs):
        return Described()
    source: Source = "text" if names or not all(each.coded for each in every) else "code"
    signatures = {}
    if inputs and outputs:
        one = Signature(
            inputs, outputs, symbols={k: v for k, v in symbols.items() if _uses(inputs, k)}
        )
        signatures = dict.fromkeys(_alike(names, outputs), one)
    return Described(names, inputs, outputs, signatures, Found(source, unsure=True))


def _texts(page: Page) -> Iterator[str]:
    """The paragraphs, on one line each; a changelog's are none of how a model is called now."""
    for section in page.sections:
        if not re.match(r"change ?log|version \d|references?", section.title, re.IGNORECASE):
            for block in section.blocks:
                if isinstance(block, Paragraph):
                    yield " ".join(block.text.split())


def _names(page: Page) -> tuple[str, ...]:
    """The names of signatures, in the order of the page; `default` first where it is spoken of."""
    found: dict[str, None] = {}
    for text in _texts(page):
        if "ignature" in text:
            if _DEFAULT.search(text):
                found.setdefault(DEFAULT)
            for said in _NAMED.finditer(text):
                name = next(filter(None, said.groups()))
                if not name.isdigit() and name not in ("name", "the", "names", "is", "for"):
                    found.setdefault(name)
    for block in page.code:
        if "ignature" in block.text:
            for said in _CODED.finditer(block.text[:100_000]):
                found.setdefault(said[1] or said[2])
    names = list(found)[:TENSOR_COUNT]
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def _alike(names: tuple[str, ...], outputs: dict[str, Tensor]) -> list[str]:
    """The names that mean the tensors described: the default one, and those that name what comes out.

    Of other names the page does not say whose tensors are theirs.
    """
    words = {word[:5] for t in outputs.values() for word in (t.meaning or "").split("-")}
    out = [n for n in names if any(part[:5] in words for part in re.split(r"[_-]", n) if part[4:])]
    return [DEFAULT, *(name for name in out if name != DEFAULT)]


def _link_text(text: str) -> bool:
    """Whether the word stands only in addresses."""
    return not _SIGNATURE.search(_LINK_ONLY.sub("]", text))


def _tensors(every: Iterable[Listed], side: Side) -> dict[str, Tensor]:
    """Tensors by name, all that is said of each put together; the first to say something counts."""
    facts: dict[str, list[Listed]] = {}
    for each in every:
        if each.side == side and (len(facts) < TENSOR_COUNT or each.name in facts):
            facts.setdefault(each.name, []).append(each)
    return {name: _tensor(told) for name, told in facts.items() if _known(told)}


def _known(told: list[Listed]) -> bool:
    return any(each.dtype or each.shape is not None for each in told)


def _tensor(told: list[Listed]) -> Tensor:
    meaning = next((each.meaning for each in told if each.meaning), None)
    return Tensor(
        dtype=next(
            (each.dtype for each in told if each.dtype),
            "string" if meaning == "text" else "float32",
        ),
        shape=next((each.shape for each in told if each.shape is not None), None),
        meaning=meaning,
        description=next(
            (each.description for each in told if each.description and not each.coded), None
        ),
        range=next((each.range for each in told if each.range), None),
    )


def _image(
    inputs: dict[str, Tensor],
    texts: list[str],
    symbols: dict[str, Interval],
    *,
    channels_first: bool,
) -> None:
    """An image that goes in: its size, values, order of axes and colours.

    Where no shape is given, the colours come first in one framework and last in the other.
    """
    about = [text for text in texts if "mage" in text and _IMAGE_IN.search(text)]
    name = next(
        (n for n, t in inputs.items() if t.meaning == "image" or n in ("x", "inputs")), None
    )
    if not about:
        return
    said = " ".join(about)[:4000]
    size = next((found for text in about if (found := size_of(text))), None)
    shape = next((s for text in about if (s := shape_of(text)) and _of_image(s)), None)
    known = inputs.get(name or "")
    shape = _batched(
        (known.shape if known and known.shape else None)
        or shape
        or _default(size, channels_first=channels_first)
    )
    if shape is None:
        return
    tensor = known or Tensor("float32")
    flexible = bool(_FLEXIBLE.search(said))
    channels_first = shape[1] in (1, 3) and shape[-1] not in (1, 3)
    shape = shape if flexible or not size else _sized(shape, size, channels_first=channels_first)
    color = _COLOR.search(said)
    least = _AT_LEAST.search(said)
    if least:
        symbols |= {axis: Interval(int(least[1])) for axis in shape[1:] if isinstance(axis, str)}
    inputs[name or ("image" if channels_first else "images")] = msgspec.structs.replace(
        tensor, shape=shape, meaning="image", range=tensor.range or range_of(said),
        layout="NCHW" if channels_first else "NHWC", colors=color[0] if color else None,
        mean=_numbers(_MEAN.search(said)), std=_numbers(_STD.search(said)),
    )  # fmt: skip


def _of_image(shape: tuple[Dimension, ...]) -> bool:
    """Whether a shape has an axis for colours."""
    return len(shape) in (3, 4) and any(
        axis in (1, 3, 4) or (isinstance(axis, str) and "channel" in axis) for axis in shape
    )


def _default(size: Size | None, *, channels_first: bool) -> tuple[Dimension, ...] | None:
    if size is None:
        return None
    sizes = ("height", "width")
    return ("batch_size", 3, *sizes) if channels_first else ("batch_size", *sizes, 3)


def _batched(shape: tuple[Dimension, ...] | None) -> tuple[Dimension, ...] | None:
    if shape is None or len(shape) not in (3, 4):
        return None
    return ("batch_size", *shape) if len(shape) == 3 else shape


def _sized(
    shape: tuple[Dimension, ...], size: Size, *, channels_first: bool
) -> tuple[Dimension, ...]:
    """The shape with the size that a sentence gives, where it has only names."""
    at = 2 if channels_first else 1
    if any(isinstance(axis, int) for axis in shape[at : at + 2]):
        return shape
    return (*shape[:at], size.height, size.width, *shape[at + 2 :])


def _numbers(found: re.Match[str] | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in found[1].split(",")) if found else ()
    except ValueError:
        return ()


def _text(inputs: dict[str, Tensor], texts: list[str]) -> None:
    """Sentences that go in, where nothing else does; a sound's rate."""
    if not inputs and any(_TEXT_IN.search(plain(text)) for text in texts):
        inputs["sentences"] = Tensor("string", ("batch_size",), "text")
    for name, tensor in inputs.items():
        if tensor.meaning == "audio":
            rate = next((found for text in texts if (found := rate_of(text))), None)
            inputs[name] = msgspec.structs.replace(tensor, sample_rate=rate)


def _vector(outputs: dict[str, Tensor], texts: list[str]) -> None:
    """`The output is a 512 dimensional vector`, where no output is named."""
    for text in () if outputs else texts:
        if ("ector" in text or "mbedd" in text or "logits" in text) and _VECTOR_OUT.search(text):
            length = vector_of(text)
            sizes = [] if length else list(numbers_named(text).values())
            if length or len(sizes) == 1:
                meaning = "embedding" if length else meaning_of(text)
                name = _USUAL.get(meaning or "", "outputs")
                outputs[name] = Tensor("float32", ("batch_size", length or sizes[0]), meaning)
                return


def _with_sizes(tensor: Tensor, numbers: dict[str, int]) -> Tensor:
    """The shape with the numbers that the page gives its names: `num_classes` = 1001."""
    if tensor.shape is None:
        return tensor
    shape = tuple(
        numbers.get(axis, axis) if isinstance(axis, str) else axis for axis in tensor.shape
    )
    return msgspec.structs.replace(tensor, shape=shape)


def _uses(tensors: dict[str, Tensor], symbol: str) -> bool:
    return any(symbol in (tensor.shape or ()) for tensor in tensors.values())
