"""GGUF: quantised weights of llama.cpp and its kin, with metadata before them.

Source: the GGUF specification of the ggml project; versions 1 to 3, little and big endian. Arrays
of the metadata (vocabularies) are stepped over, the values of tensors not touched.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    TensorInfo,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.gguf_header import MARK, Header, Skipped, Value, header_of
from modelshelf.formats.spans import Span, disjoint

# `general.file_type`: how most of the tensors are stored.
FILE_TYPES = {
    0: "all F32", 1: "mostly F16", 2: "mostly Q4_0", 3: "mostly Q4_1", 7: "mostly Q8_0",
    8: "mostly Q5_0", 9: "mostly Q5_1", 10: "mostly Q2_K", 11: "mostly Q3_K_S",
    12: "mostly Q3_K_M", 13: "mostly Q3_K_L", 14: "mostly Q4_K_S", 15: "mostly Q4_K_M",
    16: "mostly Q5_K_S", 17: "mostly Q5_K_M", 18: "mostly Q6_K", 19: "mostly IQ2_XXS",
    20: "mostly IQ2_XS", 21: "mostly Q2_K_S", 22: "mostly IQ3_XS", 23: "mostly IQ3_XXS",
    24: "mostly IQ1_S", 25: "mostly IQ4_NL", 26: "mostly IQ3_S", 27: "mostly IQ3_M",
    28: "mostly IQ2_S", 29: "mostly IQ2_M", 30: "mostly IQ4_XS", 31: "mostly IQ1_M",
    32: "mostly BF16", 36: "mostly TQ1_0", 37: "mostly TQ2_0", 38: "mostly MXFP4",
}  # fmt: skip
TOLD = (
    "general.architecture", "general.name", "general.version", "general.license",
    "general.author", "general.organization", "general.basename", "general.size_label",
    "general.finetune", "general.source.url", "general.quantization_version",
    "tokenizer.ggml.model", "tokenizer.ggml.pre",
)  # fmt: skip
"""Keys whose values are told as they are."""
SIZES = ("context_length", "embedding_length", "block_count", "attention.head_count", "vocab_size")
"""Keys below the architecture's name."""
TEMPLATE = re.compile(r"tokenizer\.chat_template(?:\.[\w-]{1,80})?")
PART_COUNT = 1000
"""Files of one model that are looked for at most."""
UNSAID = (
    "GGUF names no inputs and outputs: what a model takes follows from its architecture.",
    "The version of the program that wrote it is not in the file.",
)

_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf")
# Names by which a template would climb out of its sandbox.
_CLIMBING = re.compile(
    r"__(?:class|globals|builtins|subclasses|mro|bases?|import|init|getattribute|dict|code|self)__"
)


def read(path: Path) -> Facts:
    """What a `.gguf` says; the file is mapped, and only its header touched."""
    if path.stat().st_size < 24:
        raise FormatError("the file ends before its header", hint="download the file again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header = header_of(data)
    tensors = tuple(tensor for tensor, _, _ in header.placed)
    spans = disjoint(Span(begin, end, each.dtype, each.name) for each, begin, end in header.placed)
    parts, missing = _parts(path, header)
    return Facts(
        format="gguf",
        framework="ggml",
        tensors=tensors,
        parameters=parameter_count(tensors),
        precision=precision_of(tensors),
        companions=parts,
        unsaid=UNSAID,
        notes=_notes(header, tensors, parts),
        risks=(*_templates(header, path.name), *missing, *_paths(header, path.name)),
        spans={path.name: spans} if spans else {},
    )


def claims(path: Path, head: bytes) -> bool:
    """By the mark at its beginning, or its suffix."""
    return head.startswith(MARK) or path.suffix.lower() == ".gguf"


def _notes(
    header: Header, tensors: tuple[TensorInfo, ...], parts: tuple[str, ...]
) -> tuple[str, ...]:
    order = "little" if header.order == "<" else "big"
    notes = [f"GGUF version {header.version}, {order} endian, aligned to {header.alignment} bytes"]
    file_type = header.metadata.get("general.file_type")
    if isinstance(file_type, int):
        notes.append(f"quantization: {FILE_TYPES.get(file_type, f'file type {file_type}')}")
    counts: dict[str, int] = {}
    for tensor in tensors:
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + 1
    notes += [f"{count} tensors of {dtype}" for dtype, count in sorted(counts.items())]
    architecture = _text(header.metadata.get("general.architecture"))
    keys = (*TOLD, *(f"{architecture}.{size}" for size in SIZES))
    notes += [f"{key}: {_text(header.metadata[key])}" for key in keys if key in header.metadata]
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if isinstance(tokens, Skipped):
        notes.append(f"vocabulary of {tokens.length} tokens")
    notes += [
        f"{key}: a template of {len(str(value))} characters (Jinja), which programs run"
        for key, value in header.metadata.items()
        if TEMPLATE.fullmatch(key)
    ]
    if parts:
        notes.append(f"one of {len(parts) + 1} files")
    return tuple(notes)


def _text(value: Value) -> str:
    return str(value)[:200]


def _templates(header: Header, file: str) -> list[Risk]:
    """Chat templates run in a sandbox: one that reaches for Python's insides wants out of it."""
    return [
        Risk("evaluated", f"{key} uses {found.group()}", file)
        for key, value in header.metadata.items()
        if TEMPLATE.fullmatch(key) and (found := _CLIMBING.search(str(value)))
    ]


def _paths(header: Header, file: str) -> tuple[Risk, ...]:
    texts = (value for value in header.metadata.values() if isinstance(value, str))
    return author_paths(texts, file)


def _parts(path: Path, header: Header) -> tuple[tuple[str, ...], list[Risk]]:
    """The other files of a model that is split, and those of them that are not there."""
    match = _PART.fullmatch(path.name)
    count = header.metadata.get("split.count", 0)
    if not isinstance(count, int) or count < 2:
        return (), []
    if match is None or int(match.group(3)) != count or count > PART_COUNT:
        text = f"the other {count - 1} files, which its name does not tell"
        return (), [Risk("external-data", text, path.name)]
    names = [f"{match.group(1)}-{n:05}-of-{count:05}.gguf" for n in range(1, count + 1)]
    others = tuple(name for name in names if name != path.name)
    missing = [name for name in others if not (path.parent / name).is_file()]
    return others, [Risk("external-data", f"{name} is missing", path.name) for name in missing]


FORMAT = Format(
    name="gguf",
    framework="ggml",
    suffixes=(".gguf",),
    contexts=("edge", "other-language"),
    advantages="One file with weights, tokenizer and hyperparameters; loading runs no code.",
    disadvantages="Only architectures that the runtime knows; no signature.",
    claims=claims,
    read=read,
)
