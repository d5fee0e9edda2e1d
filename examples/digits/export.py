"""Writing a trained network down: ONNX for every runtime, safetensors for every library, examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from fitting import Trained
from models import (
    CLASSES,
    IMAGE_SIDE,
    Array,
    Conv,
    Dense,
    Flatten,
    Layer,
    Pool,
    logits,
    probabilities,
)
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

OPSET = 17
IR_VERSION = 8
TOLERANCE = 1e-5


def write_safetensors(trained: Trained, path: Path) -> None:
    """Write the weights alone, under PyTorch's names."""
    path.write_bytes(save(trained.parameters, metadata={"format": "pt"}))


def write_golden(trained: Trained, folder: Path, name: str, images: Array) -> dict[str, str]:
    """Write images and the scores they get: what a later release is compared with; gives the files."""
    scores = logits(trained.architecture, trained.parameters, images)
    files = {"inputs": f"golden/{name}-inputs.npz", "outputs": f"golden/{name}-outputs.npz"}
    (folder / "golden").mkdir(exist_ok=True)
    np.savez(folder / files["inputs"], image=images)
    np.savez(folder / files["outputs"], logits=scores)
    return files


def write_onnx(trained: Trained, name: str, path: Path) -> None:
    """Write the network: "image" float32 [batch, 1, 8, 8] to "logits" float32 [batch, 10]."""
    model = onnx_model(trained, name)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def onnx_model(trained: Trained, name: str) -> onnx.ModelProto:
    """Give the network as an ONNX graph, one node a layer."""
    layers = trained.architecture.layers()
    values = ["image", *(f"value{number}" for number in range(1, len(layers))), "logits"]
    graph = helper.make_graph(
        [_node(layer, *ends) for layer, *ends in zip(layers, values, values[1:], strict=False)],
        name,
        [_tensor("image", "batch", 1, IMAGE_SIDE, IMAGE_SIDE)],
        [_tensor("logits", "batch", CLASSES)],
        [numpy_helper.from_array(array, key) for key, array in trained.parameters.items()],
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="digits-classifier",
    )


def verify_onnx(trained: Trained, path: Path, images: Array) -> None:
    """Run the written file on `images` and compare with what was trained.

    Raises ValueError where a probability differs by more than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (scores,) = session.run(["logits"], {"image": images})
    difference = np.abs(probabilities(scores) - trained.probabilities(images)).max()
    if not difference <= TOLERANCE:
        raise ValueError(f"{path.name} is off by {difference:.2g}, {TOLERANCE:.2g} is allowed")


def _node(layer: Layer, source: str, target: str) -> onnx.NodeProto:
    match layer:
        case Conv(name):
            return helper.make_node(
                "Conv",
                [source, f"{name}.weight", f"{name}.bias"],
                [target],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
            )
        case Dense(name):
            inputs = [source, f"{name}.weight", f"{name}.bias"]
            return helper.make_node("Gemm", inputs, [target], transB=1)
        case Pool():
            return helper.make_node(
                "MaxPool", [source], [target], kernel_shape=[2, 2], strides=[2, 2]
            )
        case Flatten():
            return helper.make_node("Flatten", [source], [target])
    return helper.make_node("Relu", [source], [target])


def _tensor(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
