"""What an exported program takes and gives: user inputs and outputs by name, with symbolic sizes.

Names of inputs are the arguments of `forward`; parts of an argument that is a list or a dictionary
are joined to it by `_`, as the exporter names its placeholders. Outputs have a name only where
`forward` returns a dictionary; others are `output`, or `output_0` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from modelshelf.errors import FormatError
from modelshelf.formats.evaluated import is_guard
from modelshelf.formats.exported_program import (
    DTYPES,
    Argument,
    CallSignature,
    Graph,
    Meta,
    Number,
    Program,
    expressions,
)
from modelshelf.formats.symbolic_sizes import Sizes
from modelshelf.package.signature import Dimension, Signature, Tensor

LEAF_COUNT = 100_000
TREE_DEPTH = 100
_DICTIONARIES = {"builtins.dict", "collections.OrderedDict", "collections.defaultdict"}
_SCALARS = {"as_sym_int": "int64", "as_sym_float": "float64", "as_sym_bool": "bool"}


class Described(NamedTuple):
    """The signature, None where the schema is too old to tell; `evaluated` is no arithmetic."""

    signature: Signature | None
    notes: tuple[str, ...]
    evaluated: tuple[str, ...]


class Tree(msgspec.Struct, frozen=True):
    """How nested arguments are laid flat; a leaf has no type."""

    type: str | None = None
    context: object = None
    children_spec: list[Tree] = []


def described(program: Program) -> Described:
    """The signature of `program`, and what is to be said of it."""
    ranges = {
        name: (bounds.min_val, bounds.max_val) for name, bounds in program.range_constraints.items()
    }
    sizes = Sizes(ranges)
    notes: list[str] = []
    inputs = _inputs(program, sizes, notes)
    outputs = _outputs(program, sizes, notes)
    for expression in expressions(program):
        sizes.checked(expression)
    notes += [
        f"a size is {expression}, which no named dimension tells" for expression in sizes.unnamed
    ]
    guards = [guard[:200] for guard in program.guards_code if not is_guard(guard)]
    signature = Signature(inputs, outputs, symbols=sizes.symbols) if inputs or outputs else None
    return Described(signature, tuple(notes), (*sizes.evaluated, *guards))


def shape_of(meta: Meta) -> tuple[int, ...]:
    """The shape of a stored tensor, which must be in numbers."""
    shape = [size.as_int for size in meta.sizes]
    fixed = tuple(size for size in shape if size is not None and 0 <= size < 1 << 62)
    if len(fixed) != len(shape) or len(shape) > 64:
        raise FormatError("a stored tensor has an impossible shape", got=str(shape)[:80])
    return fixed


def dtype_of(meta: Meta) -> tuple[str, int]:
    """The dtype's word and the bytes of one value."""
    if meta.dtype not in DTYPES:
        raise FormatError("a tensor has an unknown dtype", got=meta.dtype)
    return DTYPES[meta.dtype]


def _inputs(program: Program, sizes: Sizes, notes: list[str]) -> dict[str, Tensor]:
    module = program.graph_module
    given: list[tuple[str, Argument | None]] = []
    for spec in module.signature.input_specs:
        if spec.user_input is not None:
            given.append((_placeholder(spec.user_input.arg), spec.user_input.arg))
        elif spec.constant_input is not None:
            given.append((spec.constant_input.name, None))
            value = next(iter(spec.constant_input.value.values()), None)
            notes.append(f"argument {spec.constant_input.name} is fixed to {str(value)[:80]}")
    names = _argument_names(_call(program)) if given else []
    placeholders = [placeholder for placeholder, _ in given]
    if len(names) != len(given) or len(set(names)) != len(names):
        names = placeholders
    names = [name or placeholder for name, placeholder in zip(names, placeholders, strict=True)]
    return _tensors(
        ((name, each) for name, (_, each) in zip(names, given, strict=True) if each is not None),
        module.graph,
        sizes,
        notes,
    )


def _outputs(program: Program, sizes: Sizes, notes: list[str]) -> dict[str, Tensor]:
    module = program.graph_module
    given: list[Argument] = []
    for spec in module.signature.output_specs:
        if spec.user_output is not None:
            given.append(spec.user_output.arg)
        elif spec.loss_output is not None:
            given.append(Argument(as_tensor=spec.loss_output.arg))
        elif spec.buffer_mutation is not None:
            notes.append(f"a call changes buffer {spec.buffer_mutation.buffer_name}")
    names = _output_names(_call(program)) if given else []
    if len(names) != len(given) or len(set(names)) != len(names):
        names = [f"output_{place}" for place in range(len(given))]
    return _tensors(zip(names, given, strict=True), module.graph, sizes, notes)


def _tensors(
    given: Iterator[tuple[str, Argument]], graph: Graph, sizes: Sizes, notes: list[str]
) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, argument in given:
        tensor = _tensor(argument, graph, sizes)
        if tensor is None:
            notes.append(f"{name} is no tensor: {_value(argument)}")
        else:
            found[name] = tensor
    return found


def _tensor(argument: Argument, graph: Graph, sizes: Sizes) -> Tensor | None:
    """The argument as a tensor: scalars that may vary have no dimensions; None for constants."""
    if argument.as_tensor is not None:
        meta = graph.tensor_values.get(argument.as_tensor.name)
        if meta is None:
            raise FormatError(
                f"the program does not describe tensor {argument.as_tensor.name[:80]!r}",
                hint="export the model again",
            )
        shape = tuple(_size(size, sizes) for size in meta.sizes)
        return Tensor(dtype_of(meta)[0], shape)
    for field, dtype in _SCALARS.items():
        if getattr(argument, field) is not None:
            return Tensor(dtype, (), description="a Python number")
    return None


def _size(size: Number, sizes: Sizes) -> Dimension:
    if size.as_expr is not None:
        return sizes.dimension(size.as_expr.expr_str)
    return size.as_int if size.as_int is not None and 0 <= size.as_int < 1 << 62 else None


def _placeholder(argument: Argument) -> str:
    named = argument.as_tensor or argument.as_custom_obj
    symbols = (argument.as_sym_int, argument.as_sym_float, argument.as_sym_bool)
    symbol = next((each.as_name for each in symbols if each and each.as_name), None)
    return named.name if named else symbol or "input"


def _value(argument: Argument) -> str:
    """A constant among the outputs, or an object."""
    if argument.as_custom_obj is not None:
        return "an object of a custom class"
    values = (argument.as_int, argument.as_bool, argument.as_float, argument.as_string)
    return str(next((value for value in values if value is not None), None))[:80]


def _call(program: Program) -> CallSignature | None:
    calls = program.graph_module.module_call_graph
    return next((call.signature for call in calls if call.fqn == ""), None)


def _argument_names(call: CallSignature | None) -> list[str]:
    """A name for each leaf of `forward`'s arguments; empty where only a placeholder is known."""
    tree = _tree(call.in_spec) if call else None
    if tree is None or len(tree.children_spec) != 2:
        return []
    positional, keywords = tree.children_spec
    known = (call.forward_arg_names if call else None) or []
    names: list[str] = []
    for place, child in enumerate(positional.children_spec):
        top = known[place] if place < len(known) else ""
        names += ["_".join((top, *path)) if top else "" for path in _paths(child)]
    if len(names) > 1 and "" in names:
        return []
    return names + ["_".join(path) for path in _paths(keywords)]


def _output_names(call: CallSignature | None) -> list[str]:
    tree = _tree(call.out_spec) if call else None
    if tree is None:
        return []
    top = () if tree.type in _DICTIONARIES else ("output",)
    return ["_".join((*top, *path)) for path in _paths(tree)]


def _tree(text: str) -> Tree | None:
    """The tree that a specification holds: its protocol, then the tree."""
    try:
        _, tree = msgspec.json.decode(text, type=tuple[int, Tree])
    except (msgspec.DecodeError, RecursionError):
        return None
    return tree


def _paths(tree: Tree) -> list[tuple[str, ...]]:
    """The way to each leaf, in order."""
    found: list[tuple[str, ...]] = []
    pending: list[tuple[Tree, tuple[str, ...]]] = [(tree, ())]
    while pending and len(found) < LEAF_COUNT:
        node, path = pending.pop()
        if node.type is None or len(path) > TREE_DEPTH:
            found.append(path)
        else:
            keys = _keys(node)
            below = zip(node.children_spec, keys, strict=True)
            pending.extend(reversed([(child, (*path, key)) for child, key in below]))
    return found


def _keys(node: Tree) -> list[str]:
    """The keys of a dictionary, or numbers."""
    numbers = [str(place) for place in range(len(node.children_spec))]
    if node.type not in _DICTIONARIES or not isinstance(node.context, str):
        return numbers
    try:
        keys = msgspec.json.decode(node.context, type=list[str | int])
    except (msgspec.DecodeError, RecursionError):
        return numbers
    return [str(key)[:200] for key in keys] if len(keys) == len(numbers) else numbers
