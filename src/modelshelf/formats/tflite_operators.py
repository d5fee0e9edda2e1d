"""TensorFlow Lite's operators: their names, and what a reviewer should know of those it lacks.

`tflite_operators.txt` names the builtin ones by their numbers, from 0 on.

Sources: `BuiltinOperator` of TensorFlow Lite's `schema.fbs`; `register.cc` of its kernels for the
custom operators that it brings; `delegates/flex` for what `Flex` operators hold. A Flex operator
is TensorFlow's: its options are a FlexBuffer with a name and a NodeDef, and it is that node which
runs, whatever the operator is called in the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.facts import Risk
from modelshelf.formats.flatbuffer import flex_texts
from modelshelf.formats.protobuf import Wire
from modelshelf.formats.tf_graph import graph_of
from modelshelf.formats.tf_objects import Objects
from modelshelf.formats.tf_operators import is_foreign, package_of, risk_of
from modelshelf.formats.tf_risks import graph_risks
from modelshelf.formats.tf_types import whole

CUSTOM = 32
SHIPPED = frozenset({"Mfcc", "AudioSpectrogram", "TFLite_Detection_PostProcess"})
"""Custom operators that TensorFlow Lite's own resolver knows."""
FLEX = "Flex"
"""What the names of TensorFlow's own operators begin with."""
NODE = 0x0A
"""The tag of a node in a GraphDef."""


class CustomUse(NamedTuple):
    """A custom operator of the graph: its name, and its options where they could be read."""

    name: str
    options: bytes | None


def operator_name(number: int) -> str:
    """What a builtin operator is called; `BUILTIN_300` where it is newer than this list."""
    return _builtin()[number] if is_builtin(number) else f"BUILTIN_{number}"


def is_builtin(number: int) -> bool:
    """Whether an operator has this number."""
    return 0 <= number < len(_builtin())


@cache
def _builtin() -> tuple[str, ...]:
    text = files(__package__).joinpath("tflite_operators.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def operator_risks(
    builtins: Iterable[int], customs: Iterable[CustomUse], file: str
) -> tuple[Risk, ...]:
    """What the operators of a model do beyond computing."""
    found: dict[Risk, None] = {}
    for number in sorted(builtins):
        if not is_builtin(number):
            detail = f"operator {number}, of a newer TensorFlow Lite"
            found.setdefault(Risk("unknown", detail, file))
        elif operator_name(number) == "STABLEHLO_CUSTOM_CALL":
            detail = "STABLEHLO_CUSTOM_CALL: calls a function of a library by its name"
            found.setdefault(Risk("custom-op", detail, file))
    nodes: list[bytes] = []
    for use in customs:
        if use.name.startswith(FLEX):
            texts = flex_texts(use.options, 2) if use.options else None
            found |= dict.fromkeys(_flex_risks(use, texts, file))
            nodes += texts[1:] if texts else ()
        elif use.name not in SHIPPED:
            reaching = risk_of(use.name, file)
            kind = reaching.kind if reaching else "custom-op"
            found.setdefault(Risk(kind, use.name, file))
    return (*found, *(risk for risk in _node_risks(nodes, file) if risk not in found))


def packages(names: Iterable[str]) -> set[str]:
    """Python packages that bring the custom operators of these names."""
    found = set()
    for name in names:
        bare = name.removeprefix(FLEX)
        if bare != name:
            found.add("tensorflow")
        if is_foreign(bare) and (package := package_of(bare)):
            found.add(package)
    return found


def _flex_risks(use: CustomUse, texts: tuple[bytes, ...] | None, file: str) -> Iterator[Risk]:
    """By the two names that a Flex operator has beside that of its node."""
    if texts is None or len(texts) != 2:
        yield Risk("unreadable", f"{use.name}: TensorFlow's node in it cannot be read", file)
        return
    for name in {use.name.removeprefix(FLEX), texts[0].decode("utf-8", "replace")[:200]}:
        if risk := risk_of(name, file):
            yield risk


def _node_risks(nodes: list[bytes], file: str) -> tuple[Risk, ...]:
    """By the nodes themselves, judged as one graph without a saver and without assets."""
    wire = Wire(b"".join(_tagged(node) for node in nodes))
    try:
        return graph_risks(wire, graph_of(wire, [whole(wire)]), Objects(), None, [], file)
    except FormatError as error:
        return (Risk("unreadable", f"a node of TensorFlow's: {error.message}", file),)


def _tagged(node: bytes) -> bytes:
    """A node as a field of a GraphDef."""
    length = len(node)
    tag = bytearray([NODE])
    while length > 0x7F:
        tag.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*tag, length]) + node
