"""The pickle that is looked at and never unpickled."""

from __future__ import annotations

import collections
import contextlib
import io
import os
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats.pickled import Budget, inspect
from modelshelf.formats.placeholders import DICT, Global, Node


class Touch:
    """Unpickling an instance would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def looked_at(content: bytes) -> Any:
    return inspect(io.BytesIO(content)).root


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [None, True, 7, -1, 1 << 99, 1.5, "é", (1, 2), (), [1, [2]], (1, 2, 3, 4)]
)
def test_plain_values(value: object, protocol: int) -> None:
    assert looked_at(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
def test_dictionaries_keep_their_pairs(protocol: int) -> None:
    root = looked_at(pickle.dumps({"a": 1, "b": [2]}, protocol))
    assert (root.origin, root.pairs) == (DICT, [("a", 1), ("b", [2])])


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [{1, 2}, frozenset("ab"), datetime.now(UTC), collections.Counter("aab"), Path("x")]
)
def test_objects_become_placeholders(value: object, protocol: int) -> None:
    assert isinstance(looked_at(pickle.dumps(value, protocol)), Node)


@pytest.mark.parametrize("protocol", range(6))
def test_a_call_of_the_system_does_not_run(tmp_path: Path, protocol: int) -> None:
    sentinel = tmp_path / "ran"
    content = pickle.dumps(Touch(sentinel), protocol)
    found = inspect(io.BytesIO(content))
    assert found.imports == (Global("posix", "system"),)
    assert not sentinel.exists()
    pickle.loads(content)
    assert sentinel.exists()  # the same bytes do run in the real unpickler


def test_it_ends_at_stop_and_goes_on_after_it() -> None:
    source = io.BytesIO(pickle.dumps(1) + pickle.dumps(2))
    assert [inspect(source).root, inspect(source).root] == [1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"N",
        b".",
        b"0.",
        b"R.",
        b"t.",
        b"Q.",
        b"h\x00.",
        b"Na.",
        b"N\x94NNb.",
        b"(Nd.",
        b"ccollections\nOrderedDict\n}b.",
        b"NNR.",
        b"(o.",
        b"]]\x93.",
        b"\x97.",
        b"\x8a\xff.",
        b"I" + b"9" * 9999 + b"\n.",
        b"\x8e" + b"\xff" * 8,
        b"\xfe.",
        b"B\xff\xff\xff\xffx.",
    ],
)
def test_what_no_pickle_does(content: bytes) -> None:
    with pytest.raises(FormatError):
        looked_at(content)


def test_computed_imports_are_refused() -> None:
    with pytest.raises(FormatError, match="hides what it imports"):
        looked_at(b"\x80\x04\x8c\x02os(cbuiltins\nstr\n)R1\x93.".replace(b"1", b"N"))


def test_names_of_imports_have_no_escapes() -> None:
    found = inspect(io.BytesIO(b"ct\\x6frch\nSize\n.")).imports
    assert found == (Global("t\\x6frch", "Size"),)


def test_extensions_count_as_imports() -> None:
    assert inspect(io.BytesIO(b"\x80\x02\x82\x07.")).imports == (Global("copyreg", "extension 7"),)


@pytest.mark.parametrize(
    "content",
    [
        b"(" * 200_000 + b"N.",
        b"]" * 200_000 + b"a" * 199_999 + b".",
        b")" + b"2\x86" * 200_000 + b".",
        b"}" + b"\x94N" * 100_000 + b"0" * 100_000 + b".",
    ],
    ids=["marks", "nested lists", "doubled tuples", "memo"],
)
def test_bombs_stay_small(content: bytes) -> None:
    inspect(io.BytesIO(content))


def test_the_number_of_instructions_is_bounded() -> None:
    with pytest.raises(FormatError, match="more instructions"):
        inspect(io.BytesIO(b"N0" * 100 + b"N."), Budget(50))


GOOD = pickle.dumps({"a": [1, 2.0, "x"], "b": (None, {3})}, 2)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(at: int, new: bytes, old: int) -> None:
    with contextlib.suppress(FormatError):
        assert isinstance(inspect(io.BytesIO(GOOD[:at] + new + GOOD[at + old :])).imports, tuple)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(b"()].}aetsu0123RQbo\x81\x85\x86\x87\x8f\x90\x94N")))
def test_any_run_of_opcodes(codes: list[int]) -> None:
    with contextlib.suppress(FormatError):
        assert isinstance(inspect(io.BytesIO(bytes(codes) + b".")).imports, tuple)
