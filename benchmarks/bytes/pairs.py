"""The pairs: what a reader has, what comes next, and the share of the file that may travel.

The shares are those of DESIGN section 6: bytes that its prototype moved over bytes of its file. Of
the really trained pairs it tells two digits, and not for how long they were trained, which decides
how much they differ: those goals come from another training than ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bytes import model
from benchmarks.bytes.files import METADATA, write
from benchmarks.bytes.model import Size, Tensor
from benchmarks.bytes.peers import in_their_environment

SOURCE = "DESIGN section 6"
"""Where the goals come from."""

Maker = Callable[[Path, Sequence[Tensor]], Path]
"""Writes one file of the base model's tensors into a folder."""


@dataclass(frozen=True)
class Pair:
    """`title` is for people; `goal` the greatest share of the second file that may travel.

    `parent` is None where the reader has nothing. Where the goal is `fixed`, most of what travels
    does not shrink with the model, so that small ones have no goal.
    """

    name: str
    title: str
    goal: float | None
    parent: Maker | None
    child: Maker
    format: str = "safetensors"
    fixed: bool = False

    def make(self, folder: Path, size: Size) -> tuple[Path | None, Path]:
        """Write both files, each into a folder of its own."""
        tensors = model.base(size)
        return (
            None if self.parent is None else self.parent(_folder(folder, "parent"), tensors),
            self.child(_folder(folder, "child"), tensors),
        )

    def goal_at(self, size: Size) -> float | None:
        """The goal for a model of this size."""
        return None if self.fixed and size != model.FULL else self.goal


def _folder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir(parents=True, exist_ok=True)
    return made


def _safetensors(
    change: Callable[[Sequence[Tensor]], Sequence[Tensor]] = list,
    dtype: str = "BF16",
    **metadata: str,
) -> Maker:
    def maker(folder: Path, tensors: Sequence[Tensor]) -> Path:
        path = folder / "model.safetensors"
        return write(path, change(tensors), dtype, {**METADATA, **metadata})

    return maker


def _saved_by_torch(folder: Path, tensors: Sequence[Tensor]) -> Path:
    source = write(folder / "source.safetensors", tensors)
    target = folder / "model.pt"
    in_their_environment("resave", source, target)
    source.unlink()
    return target


def _trained(how: str, bits: int) -> Maker:
    """One file of the digits net: `how` is `base`, or what the last steps were made with."""

    def maker(folder: Path, tensors: Sequence[Tensor]) -> Path:
        del tensors
        trained = folder.parents[1] / "trained"
        if not trained.is_dir():
            trained.mkdir()
            in_their_environment("train", trained)
        target = folder / "model.safetensors"
        target.hardlink_to(trained / f"{how}-{bits}.safetensors")
        return target

    return maker


_relative = functools.partial(model.tuned_relative, strength=1e-3)
_absolute = functools.partial(model.tuned_absolute, strength=1e-2)
_prefixed = functools.partial(model.renamed, prefix="model.")
_BF16, _F16, _F32 = (_safetensors(dtype=dtype) for dtype in ("BF16", "F16", "F32"))


def _reordered(tensors: Sequence[Tensor]) -> list[Tensor]:
    """By the length of their names: far from the order before."""
    return sorted(tensors, key=lambda each: (each.name[::-1], each.name))


PAIRS = [
    Pair("metadata", "same weights, other metadata", 11_079 / 220_737_864, _BF16,
         _safetensors(step="2000"), fixed=True),
    Pair("renamed", "renamed tensors (prefix)", 11_155 / 220_738_720, _BF16,
         _safetensors(_prefixed), fixed=True),
    Pair("reordered", "reordered tensors", 11_296 / 220_737_776, _BF16,
         _safetensors(_reordered), fixed=True),
    Pair("pt", "re-saved as .pt zip", 87_589 / 220_757_955, _BF16,
         _saved_by_torch, "pytorch", fixed=True),
    Pair("head", "frozen backbone + new head", 1_028_363 / 220_737_840, _BF16,
         _safetensors(model.with_new_head), fixed=True),
    Pair("words", "+ 64 vocabulary rows", 76_612 / 220_836_144, _BF16,
         _safetensors(model.with_new_words), fixed=True),
    Pair("lora", "LoRA r=8 merged into q, v", 10_141_978 / 220_737_840, _BF16,
         _safetensors(model.with_lora_merged)),
    Pair("relative-bf16", "full fine-tune, relative 1e-3, bf16", 10_981_157 / 220_737_840, _BF16,
         _safetensors(_relative)),
    Pair("absolute-bf16", "full fine-tune, absolute .01 sigma, bf16", 64_818_487 / 220_737_840,
         _BF16, _safetensors(_absolute)),
    Pair("relative-fp16", "full fine-tune, relative 1e-3, fp16", 37_929_616 / 220_737_688, _F16,
         _safetensors(_relative, "F16")),
    Pair("relative-fp32", "full fine-tune, relative 1e-3, fp32", 217_733_348 / 441_462_976, _F32,
         _safetensors(_relative, "F32")),
    Pair("absolute-fp32", "full fine-tune, absolute .01 sigma, fp32", 286_084_366 / 441_462_976,
         _F32, _safetensors(_absolute, "F32")),
    Pair("cast", "fp32 → bf16 copy (reader has fp32)", 10_331 / 220_737_840, _F32, _BF16,
         fixed=True),
    Pair("cold-bf16", "cold bf16", 0.664, None, _BF16),
    Pair("cold-fp32", "cold fp32", 0.832, None, _F32),
    Pair("adamw-1e-5", "really trained, AdamW 1e-5, bf16", 0.13,
         _trained("base", 16), _trained("adamw-1e-5", 16)),
    Pair("adamw-1e-4", "really trained, AdamW 1e-4, bf16", 0.25,
         _trained("base", 16), _trained("adamw-1e-4", 16)),
    Pair("sgd-1e-2", "really trained, SGD 1e-2, bf16", 0.06,
         _trained("base", 16), _trained("sgd-1e-2", 16)),
    Pair("adamw-1e-4-fp32", "really trained, AdamW 1e-4, fp32", 0.54,
         _trained("base", 32), _trained("adamw-1e-4", 32)),
]  # fmt: skip


FAMILIES: dict[str, tuple[str, bool]] = {
    "family-apart": ("four sizes, trained apart", False),
    "family-shared": ("four depths of one model", True),
}
"""Titles, and whether the smaller models are the first layers of the largest."""


def family(folder: Path, size: Size, *, shared: bool) -> list[Path]:
    """Models of all, three, two and one quarter of the layers, each with weights of its own or not."""
    paths = []
    for quarters in (4, 3, 2, 1):
        tensors = model.base(size, seed=1 if shared else 10 + quarters)
        path = folder / f"quarters-{quarters}.safetensors"
        paths.append(write(path, model.shallower(tensors, size.layers * quarters // 4)))
    return paths
