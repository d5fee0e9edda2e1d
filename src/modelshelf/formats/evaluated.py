"""Text that a loader would evaluate as Python, looked at as a tree: what is not plain arithmetic is told.

`torch.export.load` gives the sizes of a graph to sympy's `sympify`, which evaluates them, and
compiles the guards of a program (`torch/_export/serde/serialize.py`, `torch/export/_unlift.py`):
either would run whatever else stands there.
"""

from __future__ import annotations

import ast
import re

EXPRESSION_CHARACTERS = 4096
"""The longest expression looked at; real ones have some hundred characters."""

_OPERATORS = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Constant,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context, ast.keyword,
)  # fmt: skip

SYMPY_CALLS = frozenset(
    {
        "Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Mod", "Abs", "Max", "Min",
        "FloorDiv", "CleanDiv", "CeilDiv", "CeilToInt", "FloorToInt", "TruncToInt", "RoundToInt",
        "RoundDecimal", "TruncToFloat", "ToFloat", "IntTrueDiv", "FloatTrueDiv", "PythonMod",
        "ModularIndexing", "LShift", "RShift", "PowByNatural", "FloatPow", "Where", "Identity",
        "BitwiseFn_bitwise_and", "BitwiseFn_bitwise_or", "BitwiseFn_bitwise_xor", "OpaqueUnaryFn_sqrt", "OpaqueUnaryFn_log2", "Piecewise",
        "ExprCondPair", "Tuple", "floor", "ceiling", "Equality", "Eq", "Unequality", "Ne",
        "StrictLessThan", "Lt", "LessThan", "Le", "StrictGreaterThan", "Gt", "GreaterThan", "Ge",
        "And", "Or", "Not", "Xor", "BooleanTrue", "BooleanFalse",
    }
)  # fmt: skip
"""What the printer of symbolic sizes writes: sympy's and `torch/utils/_sympy/functions.py`."""

_GUARD_CALLS = frozenset({"max", "min", "abs", "int", "float", "bool", "len"})
_GUARD_METHODS = frozenset({"size", "stride", "storage_offset", "item", "numel", "dim"})
_GUARD_MODULE = re.compile(r"math\.[a-z]\w*|torch\._?sym_\w+")
# sympy evaluates strings too: a symbol's name, a number
_TEXT = re.compile(r"[A-Za-z_]\w{0,99}|[-+]?[\d.]{1,40}(?:e[-+]?\d{1,4})?")


def tree_of(text: str) -> ast.expr | None:
    """The expression that `text` is; None where it is none, or too long to be looked at."""
    if len(text) > EXPRESSION_CHARACTERS:
        return None
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_size(tree: ast.expr) -> bool:
    """Whether evaluating `tree` only computes with symbols, as the printer writes it."""
    return all(_in_size(node) for node in ast.walk(tree))


def is_guard(text: str) -> bool:
    """Whether a guard only compares sizes of the inputs, which it calls `L[...]`."""
    tree = tree_of(text)
    return tree is not None and all(_in_guard(node) for node in ast.walk(tree))


def _is_call_of(node: ast.AST, names: frozenset[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _in_size(node: ast.AST) -> bool:
    match node:
        case ast.Name():
            return not node.id.startswith("__")
        case ast.Constant(value=str() as text):
            return bool(_TEXT.fullmatch(text)) and not text.startswith("__")
        case _:
            return isinstance(node, _OPERATORS) or _is_call_of(node, SYMPY_CALLS)


def _in_guard(node: ast.AST) -> bool:
    match node:
        case ast.Name():
            return node.id in {"L", "math", "torch"} | _GUARD_CALLS
        case ast.Subscript():
            return isinstance(node.slice, ast.Constant | ast.UnaryOp)
        case ast.Attribute():
            return node.attr in _GUARD_METHODS or bool(_GUARD_MODULE.fullmatch(ast.unparse(node)))
        case ast.Call():
            return isinstance(node.func, ast.Attribute) or _is_call_of(node, _GUARD_CALLS)
        case _:
            return isinstance(node, _OPERATORS)
