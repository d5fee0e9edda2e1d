"""Files of GGUF and what ggml's own package says of them: `python -P gguf.py FOLDER`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

gguf, quants = (cast("Any", import_module(name)) for name in ("gguf", "gguf.quants"))
TYPES = gguf.GGMLQuantizationType
RECORD_WORDS = {"F32": "float32", "F16": "float16", "F64": "float64", "BF16": "bfloat16",
                "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64"}  # fmt: skip


def main(folder: Path) -> None:
    """Write every case."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "llama.gguf", gguf.GGUFEndian.LITTLE)
    _write(folder / "big.gguf", gguf.GGUFEndian.BIG)
    _every_type(folder / "types.gguf")


def _write(path: Path, endianness: Any) -> None:
    writer = gguf.GGUFWriter(path, "llama", endianess=endianness)
    writer.add_name("Tiny")
    writer.add_context_length(128)
    writer.add_embedding_length(64)
    writer.add_block_count(1)
    writer.add_head_count(2)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(2)
    writer.add_custom_alignment(64)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<s>", "</s>", "ä", "b"])
    writer.add_token_scores([0.0, 0.0, 1.0, 2.0])
    writer.add_array("tokenizer.ggml.token_type", [1, 2, 3, 4])
    writer.add_chat_template("{% for message in messages %}{{ message.content }}{% endfor %}")
    writer.add_string("quantize.imatrix.file", "/home/ann/imatrix.dat")
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_float64("general.weight", 0.5)
    values = np.arange(2 * 64, dtype=np.float32).reshape(2, 64)
    writer.add_tensor("token_embd.weight", values)
    if endianness == gguf.GGUFEndian.LITTLE:
        packed = quants.quantize(values, TYPES.Q8_0)
        writer.add_tensor("blk.0.attn_q.weight", packed, raw_dtype=TYPES.Q8_0)
    writer.add_tensor("blk.0.attn_norm.weight", np.ones(64, np.float16))
    writer.add_tensor("steps", np.arange(3, dtype=np.int32))
    _close(writer)
    _describe(path)


def _every_type(path: Path) -> None:
    """One tensor of each type, two rows of one block."""
    writer = gguf.GGUFWriter(path, "bert")
    for kind in TYPES:
        _, size = gguf.GGML_QUANT_SIZES[kind]
        data = np.zeros((2, size), np.uint8)
        writer.add_tensor_info(f"of.{kind.name}", (2, size), np.dtype(np.uint8), data.nbytes, kind)
        writer.tensors[-1][f"of.{kind.name}"].tensor = data
    _close(writer)
    _describe(path)


def _word(tensor: Any) -> str:
    kind: str = tensor.tensor_type.name
    return RECORD_WORDS.get(kind, kind.lower())


def _span(tensor: Any) -> tuple[int, int, str, str]:
    start, size = int(tensor.data_offset), int(tensor.n_bytes)
    return start, start + size, _word(tensor), tensor.name


def _close(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(path: Path) -> None:
    tensors = gguf.GGUFReader(path).tensors
    said = {
        "tensors": {
            each.name: [_word(each), [int(size) for size in reversed(each.shape)]]
            for each in tensors
        },
        "parameters": sum(int(each.n_elements) for each in tensors),
        "spans": {path.name: sorted(_span(each) for each in tensors)},
    }
    text = json.dumps(said, indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


main(Path(sys.argv[1]) / "gguf")
