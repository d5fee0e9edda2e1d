"""The data: scikit-learn's bundled handwritten digits, split the same way every time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SPLIT_SEED = 20
TEST_SHARE = 0.25


class Labelled(NamedTuple):
    """Images, float32 [n, 1, 8, 8] in [0, 1], and the digit that each shows, int64 [n]."""

    images: NDArray[np.float32]
    digits: NDArray[np.int64]


class Split(NamedTuple):
    """What models may learn from, and what they are measured on and never see."""

    train: Labelled
    test: Labelled


def split_digits(share: float = 1.0) -> Split:
    """Split 1,797 digits in 1,347 to learn from and 450 to test on, each digit equally often.

    `share` (0 < share <= 1) is how much of the training part is used; the test part and the
    choice of the smaller share are the same in every run.
    """
    pixels, digits = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    train, test = _divide(Labelled(images, digits.astype(np.int64)), 1 - TEST_SHARE)
    return Split(train if share == 1 else _divide(train, share)[0], test)


def _divide(labelled: Labelled, share: float) -> tuple[Labelled, Labelled]:
    first, second, first_digits, second_digits = train_test_split(
        *labelled, train_size=share, random_state=SPLIT_SEED, stratify=labelled.digits
    )
    return Labelled(first, first_digits), Labelled(second, second_digits)
