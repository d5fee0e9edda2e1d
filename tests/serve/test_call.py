"""A call is checked against its signature before a runtime sees it."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf.errors import UsageError
from modelshelf.package.signature import Interval, Signature, Tensor
from modelshelf.serve.call import checked_inputs

BATCH = Signature(
    {"a": Tensor("float32", ("batch", 3)), "b": Tensor("int64", ("batch",), optional=True)}, {}
)
TEXT = Signature({"text": Tensor("string", ("batch",))}, {})
ANY = Signature({"a": Tensor("float32", None)}, {})
KNOWN = {"batch": BATCH, "text": TEXT, "any": ANY}
A = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        (None, {"a": A}),
        ("batch", {"a": A, "b": np.zeros(2, np.int64)}),
        ("batch", {"a": np.zeros((0, 3), np.float32)}),
        ("text", {"text": np.array(["one", "two"])}),
        ("text", {"text": np.array(["one", "two"], dtype=object)}),
        ("text", {"text": ["one"]}),
        ("any", {"a": np.float32(1)}),
        ("any", {"a": np.zeros((1, 2, 3), np.float32)}),
    ],
)
def test_what_fits_is_passed_on(name: str | None, inputs: dict[str, object]) -> None:
    arrays = checked_inputs(KNOWN, name, inputs, "acme/scale")
    assert arrays.keys() == inputs.keys()
    for each, value in inputs.items():
        np.testing.assert_array_equal(arrays[each], value)


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        (None, {"a": A, "b": np.zeros(3, np.int64)}, "`batch` is 2 in `a` but 3 in `b`"),
        (None, {"a": A, "b": np.zeros(2, np.int32)}, "`b` has the wrong dtype"),
        (None, {"b": np.zeros(2, np.int64)}, "`a` is missing"),
        (None, {"a": np.zeros((2, 4), np.float32)}, "`a` has the wrong shape"),
        (None, {"a": [[1, 2, 3]]}, "`a` has the wrong dtype"),
        ("text", {"text": np.zeros(2)}, "`text` has the wrong dtype"),
        ("text", {"text": "one"}, "`text` has 0 axes instead of 1"),
        ("nothing", {"a": A}, "no signature `nothing`"),
    ],
)
def test_what_does_not_fit_is_told(
    name: str | None, inputs: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        checked_inputs(KNOWN, name, inputs, "acme/scale")


def test_ragged_lists_are_a_mistake_like_any_other() -> None:
    with pytest.raises(UsageError):
        checked_inputs(KNOWN, None, {"a": [[1.0], [1.0, 2.0]]}, "acme/scale")


def test_without_signatures_all_is_passed_on() -> None:
    assert checked_inputs({}, None, {"anything": [1]}, "acme/scale")["anything"].shape == (1,)


@pytest.mark.parametrize(
    ("size", "fits"), [(2, True), (6, True), (4, True), (3, False), (8, False)]
)
def test_named_sizes_have_bounds(size: int, fits: bool) -> None:
    bounded = Signature({"a": Tensor("float32", ("n",))}, {}, symbols={"n": Interval(2, 6, 2)})
    inputs = {"a": np.zeros(size, np.float32)}
    if fits:
        assert checked_inputs({"one": bounded}, None, inputs, "acme/scale").keys() == {"a"}
        return
    with pytest.raises(UsageError, match=f"`n` is {size} in `a` but must be in 2..6 by 2"):
        checked_inputs({"one": bounded}, None, inputs, "acme/scale")
