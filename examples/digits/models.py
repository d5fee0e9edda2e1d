"""The networks: four architectures and the layers they are made of, in plain numpy.

Parameters have the names and shapes that PyTorch gives them (`conv1.weight` is
[filters, channels, 3, 3], `output.weight` is [units, inputs]), so one file of weights serves all
runtimes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
IMAGE_SIDE = 8

Array = NDArray[np.float32]
Parameters = dict[str, Array]
Backward = Callable[[Array, Parameters], Array]
"""Takes the loss's slope by the output, notes the slopes by the parameters, gives that by the input."""


class Layer(Protocol):
    """One step of a network."""

    def forward(self, x: Array, parameters: Parameters) -> tuple[Array, Backward]:
        """Give the output for a batch, and how a slope runs back through it."""


@dataclass(frozen=True)
class Conv:
    """Convolution 3x3, one pixel of zeros around: [n, c, h, w] to [n, filters, h, w]."""

    name: str

    def forward(self, x: Array, parameters: Parameters) -> tuple[Array, Backward]:
        """Multiply every 3x3 patch, laid out as one row (im2col), with all filters at once."""
        weight, bias = parameters[f"{self.name}.weight"], parameters[f"{self.name}.bias"]
        batch, _, height, width = x.shape
        filters = weight.reshape(len(weight), -1)
        rows = _patches(x)
        y = (rows @ filters.T + bias).reshape(batch, height, width, -1).transpose(0, 3, 1, 2)

        def backward(slope: Array, slopes: Parameters) -> Array:
            by_row = slope.transpose(0, 2, 3, 1).reshape(-1, len(weight))
            slopes[f"{self.name}.weight"] = (by_row.T @ rows).reshape(weight.shape)
            slopes[f"{self.name}.bias"] = by_row.sum(axis=0)
            return _overlay(by_row @ filters, x.shape)

        return y, backward


@dataclass(frozen=True)
class Pool:
    """The largest value of each 2x2 square: [n, c, h, w] to [n, c, h/2, w/2]."""

    def forward(self, x: Array, parameters: Parameters) -> tuple[Array, Backward]:  # noqa: ARG002
        """Keep the maxima; a slope runs back to where each maximum stood."""
        batch, channels, height, width = x.shape
        squares = x.reshape(batch, channels, height // 2, 2, width // 2, 2)
        y = squares.max(axis=(3, 5))

        def backward(slope: Array, _: Parameters) -> Array:
            here = squares == y[:, :, :, None, :, None]
            spread: Array = (here * slope[:, :, :, None, :, None]).reshape(x.shape)
            return spread

        return y, backward


@dataclass(frozen=True)
class Relu:
    """Negative values become zero."""

    def forward(self, x: Array, parameters: Parameters) -> tuple[Array, Backward]:  # noqa: ARG002
        """Clip at zero; a slope runs back where the value was positive."""
        return np.maximum(x, 0), lambda slope, _: slope * (x > 0)


@dataclass(frozen=True)
class Flatten:
    """[n, c, h, w] to [n, c * h * w]."""

    def forward(self, x: Array, parameters: Parameters) -> tuple[Array, Backward]:  # noqa: ARG002
        """Lay each image out as one row."""
        return x.reshape(len(x), -1), lambda slope, _: slope.reshape(x.shape)


@dataclass(frozen=True)
class Dense:
    """A weighted sum of all inputs for each unit: [n, inputs] to [n, units]."""

    name: str

    def forward(self, x: Array, parameters: Parameters) -> tuple[Array, Backward]:
        """Multiply with the weights, add the bias."""
        weight, bias = parameters[f"{self.name}.weight"], parameters[f"{self.name}.bias"]

        def backward(slope: Array, slopes: Parameters) -> Array:
            slopes[f"{self.name}.weight"] = slope.T @ x
            slopes[f"{self.name}.bias"] = slope.sum(axis=0)
            return slope @ weight

        return x @ weight.T + bias, backward


@dataclass(frozen=True)
class Architecture:
    """How wide the layers are: filters of each convolution, then units of each hidden layer."""

    convolutions: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """`cnn` where there are convolutions, else `mlp`."""
        return "cnn" if self.convolutions else "mlp"

    def layers(self) -> tuple[Layer, ...]:
        """All steps from the image [n, 1, 8, 8] to the logits [n, 10]."""
        steps: list[Layer] = []
        for number in range(1, len(self.convolutions) + 1):
            steps += [Conv(f"conv{number}"), Relu(), Pool()]
        steps.append(Flatten())
        for number in range(1, len(self.hidden) + 1):
            steps += [Dense(f"hidden{number}"), Relu()]
        return (*steps, Dense("output"))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every parameter's name and shape, in the order of the layers."""
        weights: dict[str, tuple[int, ...]] = {}
        channels, side = 1, IMAGE_SIDE
        for number, filters in enumerate(self.convolutions, 1):
            weights[f"conv{number}"] = (filters, channels, 3, 3)
            channels, side = filters, side // 2
        inputs = channels * side * side
        for number, units in enumerate(self.hidden, 1):
            weights[f"hidden{number}"] = (units, inputs)
            inputs = units
        weights["output"] = (CLASSES, inputs)
        return {
            f"{layer}.{part}": size
            for layer, shape in weights.items()
            for part, size in (("weight", shape), ("bias", shape[:1]))
        }


ARCHITECTURES = {
    "mlp-small": Architecture(hidden=(32,)),
    "mlp-large": Architecture(hidden=(256, 128)),
    "cnn-small": Architecture(convolutions=(8,)),
    "cnn-large": Architecture(convolutions=(16, 32), hidden=(64,)),
}


def logits(architecture: Architecture, parameters: Parameters, images: Array) -> Array:
    """Class scores, float32 [n, 10], for images [n, 1, 8, 8]."""
    x = images
    for layer in architecture.layers():
        x, _ = layer.forward(x, parameters)
    return x


def probabilities(scores: Array) -> Array:
    """Softmax over the classes, [n, 10] to [n, 10]."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _patches(x: Array) -> Array:
    """Every pixel's 3x3 surroundings as a row: [n, c, h, w] to [n * h * w, c * 9]."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * 9)


def _overlay(rows: Array, shape: tuple[int, ...]) -> Array:
    """Add the rows of `_patches` back up where they came from: [n * h * w, c * 9] to `shape`."""
    batch, channels, height, width = shape
    patches = rows.reshape(batch, height, width, channels, 3, 3)
    padded = np.zeros((batch, channels, height + 2, width + 2), dtype=rows.dtype)
    for down in range(3):
        for right in range(3):
            padded[:, :, down : down + height, right : right + width] += patches[
                ..., down, right
            ].transpose(0, 3, 1, 2)
    return padded[:, :, 1:-1, 1:-1]
