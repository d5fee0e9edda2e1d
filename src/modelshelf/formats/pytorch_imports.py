"""The imports that pickles of PyTorch, scikit-learn and NumPy need: all others are somebody's code.

An allow-list of exact pairs of module and name: what is not on it is unsafe, known or not, because
lists of forbidden names always miss some. `ALLOWED` is the list of
`torch.load(weights_only=True)`; the files in `allowed/` add the classes of `torch.nn`,
`torch.optim` and scikit-learn (written by `tests/frameworks/allowed.py`) and what NumPy, SciPy and
Python's own values are rebuilt with.

Why the lists are closed: nothing on them runs text, imports by a name it is given, or reaches for
an attribute that the pickle names (no `getattr`, no `operator`, no `functools`, no dotted names).
Some call what they are given (`copyreg._reconstructor`), but all that a pickle can give them is on
the lists too. `scipy.stats` is left out: its distributions run a text of their state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from modelshelf.formats.placeholders import Global
from modelshelf.formats.stored import DTYPE_BYTES, STORAGES

_REBUILDERS = (
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor",
    "_rebuild_meta_tensor_no_storage", "_rebuild_nested_tensor",
)  # fmt: skip

_STORAGES = tuple(name for name in STORAGES if name != "UntypedStorage")

_TORCH = (
    "Size", "Tensor", "device", "quint8", "qint8", "qint32", "quint4x2", "quint2x4", "half",
    "float", "double", "int", "long", "short", "complex32", "per_tensor_affine",
    "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric",
    "per_channel_affine_float_qparams", "strided", "sparse_coo", "contiguous_format",
    "channels_last", *DTYPE_BYTES, *_STORAGES,
)  # fmt: skip

ALLOWED = frozenset(
    {
        Global("collections", "OrderedDict"),
        Global("collections", "Counter"),
        Global("torch.nn.parameter", "Parameter"),
        Global("torch._tensor", "_rebuild_from_type_v2"),
        Global("torch.serialization", "_get_layout"),
        Global("torch.storage", "UntypedStorage"),
        Global("torch.storage", "TypedStorage"),
        Global("_codecs", "encode"),
        # Python 2's pickles and protocol 2 call builtins by their old name.
        *(
            Global(module, name)
            for module in ("builtins", "__builtin__")
            for name in ("bytearray", "set", "frozenset", "complex", "dict", "list", "tuple")
        ),
        *(Global("torch._utils", name) for name in _REBUILDERS),
        *(Global("torch", name) for name in _TORCH),
        *(Global("torch.cuda", name) for name in _STORAGES),
    }
)
"""No name here runs code of the publisher's choice, whatever it is called with."""


def harmful(imports: Iterable[Global]) -> tuple[Global, ...]:
    """Those that are on no list."""
    return tuple(name for name in imports if name not in ALLOWED and name not in listed())


@cache
def listed() -> frozenset[Global]:
    """What the files in `allowed/` name, read when it is first asked for."""
    pairs: set[Global] = set()
    for path in sorted((Path(__file__).parent / "allowed").glob("*.json")):
        names: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
        pairs.update(Global(module, name) for module in names for name in names[module])
    return frozenset(pairs)
