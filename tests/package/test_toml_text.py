"""What is written as TOML is read as what it was."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from modelshelf.package.toml_text import pairs

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_any_table_is_read_back(table: dict[str, object]) -> None:
    assert tomllib.loads("\n".join(pairs(table))) == table


def test_one_table_of_a_list_a_line() -> None:
    table = {"files": [{"path": "a b", "size": 1}, {"path": "c", "size": 2}], "a.b": {"c": [1]}}
    assert list(pairs(table)) == [
        "files = [",
        '    { path = "a b", size = 1 },',
        '    { path = "c", size = 2 },',
        "]",
        '"a.b" = { c = [1] }',
    ]
