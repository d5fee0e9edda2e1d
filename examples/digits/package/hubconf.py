"""The digit classifiers as PyTorch modules: `torch.hub.load(folder, "cnn_small", source="local")`."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

dependencies = ["torch", "numpy"]


def mlp_small(pretrained: bool = True) -> torch.nn.Module:
    """Build the MLP with one hidden layer of 32 units.

    pretrained: load the released weights; False leaves them random.
    """
    return _build("mlp-small", (), (32,), pretrained)


def mlp_large(pretrained: bool = True) -> torch.nn.Module:
    """Build the MLP with two hidden layers, of 256 and 128 units.

    pretrained: load the released weights; False leaves them random.
    """
    return _build("mlp-large", (), (256, 128), pretrained)


def cnn_small(pretrained: bool = True) -> torch.nn.Module:
    """Build the CNN with one convolution of 8 filters.

    pretrained: load the released weights; False leaves them random.
    """
    return _build("cnn-small", (8,), (), pretrained)


def cnn_large(pretrained: bool = True) -> torch.nn.Module:
    """Build the CNN with convolutions of 16 and 32 filters and a hidden layer of 64 units.

    pretrained: load the released weights; False leaves them random.
    """
    return _build("cnn-large", (16, 32), (64,), pretrained)


def _build(
    name: str, convolutions: tuple[int, ...], hidden: tuple[int, ...], pretrained: bool
) -> torch.nn.Module:
    network = _network(convolutions, hidden)
    if pretrained:
        network.load_state_dict(_weights(Path(__file__).parent / f"{name}.safetensors"))
    return network.eval()


def _network(convolutions: tuple[int, ...], hidden: tuple[int, ...]) -> torch.nn.Module:
    """From images [n, 1, 8, 8] in [0, 1] to logits [n, 10]."""
    from torch import nn

    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, side = 1, 8
    for number, filters in enumerate(convolutions, 1):
        layers[f"conv{number}"] = nn.Conv2d(channels, filters, 3, padding=1)
        layers[f"conv{number}_relu"] = nn.ReLU()
        layers[f"conv{number}_pool"] = nn.MaxPool2d(2)
        channels, side = filters, side // 2
    layers["flatten"] = nn.Flatten()
    inputs = channels * side * side
    for number, units in enumerate(hidden, 1):
        layers[f"hidden{number}"] = nn.Linear(inputs, units)
        layers[f"hidden{number}_relu"] = nn.ReLU()
        inputs = units
    layers["output"] = nn.Linear(inputs, 10)
    return nn.Sequential(layers)


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file of float32: header length, header in JSON, then the numbers."""
    import numpy as np
    import torch

    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    weights = {}
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        first, end = tensor["data_offsets"]
        numbers = np.frombuffer(content[start + first : start + end], dtype="<f4")
        # A copy, because torch wants memory that it may write to.
        weights[name] = torch.from_numpy(numbers.reshape(tensor["shape"]).copy())
    return weights
