"""Multiply-accumulates of the operators that a runtime says it ran."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def multiply_accumulates(nodes: Sequence[Mapping[str, Any]]) -> int:
    """Sum over onnxruntime's profile of the operators that multiply matrices.

    Each node has `op_name`, `input_type_shape` and `output_type_shape`, one dict of type → shape
    a tensor. A convolution does, for each value it puts out, one multiplication for each weight of
    one filter; a product of matrices, as many as the common dimension is long. Other operators
    count as nothing, as in the usual tools.
    """
    return sum(_node(node) for node in nodes)


def _node(node: Mapping[str, Any]) -> int:
    inputs, outputs = _shapes(node["input_type_shape"]), _shapes(node["output_type_shape"])
    produced = math.prod(outputs[0]) if outputs else 0
    if not produced:
        return 0
    match node["op_name"]:
        case "Conv" | "ConvInteger":
            return produced * math.prod(inputs[1][1:])
        case "QLinearConv":
            return produced * math.prod(inputs[3][1:])
        case "ConvTranspose":
            return math.prod(inputs[0]) * math.prod(inputs[1][1:])
        case "MatMul" | "MatMulInteger" | "QLinearMatMul":
            return produced * inputs[0][-1]
        case "Gemm":  # either matrix may be transposed: the first has rows x common values
            return produced * math.prod(inputs[0]) // outputs[0][0]
    return 0


def _shapes(tensors: Sequence[Mapping[str, list[int]]]) -> list[list[int]]:
    return [next(iter(tensor.values()), []) for tensor in tensors]
