"""Learning: scikit-learn fits the MLPs, forty lines of numpy (back-propagation, Adam) the CNNs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from images import Labelled
from models import (
    CLASSES,
    Architecture,
    Array,
    Parameters,
    logits,
    probabilities,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Plan:
    """The hyperparameters, the same for all variants of a kind.

    The learning rate was chosen by 3-fold cross-validation on the training images alone.
    """

    mlp_epochs: int = 60
    cnn_epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 0.005
    weight_decay: float = 0.0001
    seed: int = 7


@dataclass(frozen=True)
class Trained:
    """A fitted network: its weights, and what it was fitted with as the judge of every export."""

    architecture: Architecture
    parameters: Parameters
    probabilities: Callable[[Array], Array]

    def accuracy(self, test: Labelled) -> float:
        """Share of the test images whose likeliest class is the right one."""
        return float((self.probabilities(test.images).argmax(axis=1) == test.digits).mean())

    def size(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.size for parameter in self.parameters.values())


def fit(architecture: Architecture, train: Labelled, plan: Plan) -> Trained:
    """Train one network; the same plan and data give the same weights on the same machine."""
    # Matrices this small gain nothing from threads, which wait by spinning on a busy machine.
    with threadpool_limits(1):
        return (_fit_cnn if architecture.kind == "cnn" else _fit_mlp)(architecture, train, plan)


def _fit_mlp(architecture: Architecture, train: Labelled, plan: Plan) -> Trained:
    classifier = MLPClassifier(
        architecture.hidden,
        max_iter=plan.mlp_epochs,
        batch_size=plan.batch_size,
        learning_rate_init=plan.learning_rate,
        alpha=plan.weight_decay,
        random_state=plan.seed,
    )
    with warnings.catch_warnings():
        # The budget is a number of epochs: not having converged by then is no news.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(train.images.reshape(len(train.images), -1), train.digits)
    # scikit-learn keeps [inputs, units], everyone else [units, inputs].
    arrays = [
        array
        for weight, bias in zip(classifier.coefs_, classifier.intercepts_, strict=True)
        for array in (weight.T, bias)
    ]
    parameters = {
        name: np.ascontiguousarray(array, dtype=np.float32)
        for name, array in zip(architecture.shapes(), arrays, strict=True)
    }
    return Trained(
        architecture,
        parameters,
        lambda images: classifier.predict_proba(images.reshape(len(images), -1)),
    )


def _fit_cnn(architecture: Architecture, train: Labelled, plan: Plan) -> Trained:
    random = np.random.default_rng(plan.seed)
    parameters = _initial(architecture, random)
    adam = Adam(plan.learning_rate, plan.weight_decay)
    for _ in range(plan.cnn_epochs):
        for batch in _batches(train, plan.batch_size, random):
            adam.step(parameters, _slopes(architecture, parameters, batch))
    return Trained(
        architecture,
        parameters,
        lambda images: probabilities(logits(architecture, parameters, images)),
    )


def _initial(architecture: Architecture, random: np.random.Generator) -> Parameters:
    """He et al. 2015: variance 2 / inputs keeps the signal's size through ReLU layers."""
    return {
        name: (
            np.zeros(shape)
            if len(shape) == 1
            else random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        ).astype(np.float32)
        for name, shape in architecture.shapes().items()
    }


def _batches(train: Labelled, size: int, random: np.random.Generator) -> Iterator[Labelled]:
    order = random.permutation(len(train.images))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield Labelled(train.images[chosen], train.digits[chosen])


def _slopes(architecture: Architecture, parameters: Parameters, batch: Labelled) -> Parameters:
    """Give the slope of the mean cross-entropy by every parameter (back-propagation)."""
    x, ways_back = batch.images, []
    for layer in architecture.layers():
        x, backward = layer.forward(x, parameters)
        ways_back.append(backward)
    right = np.eye(CLASSES, dtype=np.float32)[batch.digits]
    slope: Array = (probabilities(x) - right) / np.float32(len(x))
    slopes: Parameters = {}
    for backward in reversed(ways_back):
        slope = backward(slope, slopes)
    return slopes


class Adam:
    """Kingma and Ba 2015, algorithm 1, with decay of the weights (not of the biases)."""

    def __init__(self, rate: float, decay: float) -> None:
        self._rate, self._decay, self._steps = rate, decay, 0
        self._mean: Parameters = {}
        self._square: Parameters = {}

    def step(self, parameters: Parameters, slopes: Parameters) -> None:
        """Move every parameter, in place."""
        self._steps += 1
        shrink = np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        for name, slope in slopes.items():
            mean = 0.9 * self._mean.get(name, np.zeros_like(slope)) + 0.1 * slope
            square = 0.999 * self._square.get(name, np.zeros_like(slope)) + 0.001 * slope**2
            self._mean[name], self._square[name] = mean, square
            change = shrink * mean / (np.sqrt(square) + 1e-8)
            if slope.ndim > 1:
                change = change + self._decay * parameters[name]
            parameters[name] -= (self._rate * change).astype(np.float32)
