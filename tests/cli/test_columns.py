"""Tables with one column a side fit any terminal."""

from __future__ import annotations

import pytest

from modelshelf.cli.columns import Line, Section, columns
from modelshelf.cli.output import Output


def table(sides: int, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    head = Line("", tuple(f"acme/model-{n}" for n in range(sides)))
    words = tuple(f"side {n} says something of some length about it" for n in range(sides))
    body = (Line("a fact", words, (1,)), Line("b", ("-",) * sides, quiet=True))
    return columns([Section("", (head,)), Section("Facts", body)], Output()).splitlines()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
@pytest.mark.parametrize("sides", [2, 5, 8])
def test_no_line_is_wider_and_every_side_is_there(
    sides: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = table(sides, width, monkeypatch)
    assert max(map(len, lines)) <= width
    joined = "".join("".join(lines).split())
    assert all(f"{n}" in joined for n in range(sides))


def test_short_columns_leave_their_room_to_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    lines = (Line("name", ("ab", "a text of thirty-one characters")),)
    assert columns([Section("", lines)], Output()) == "name  ab  a text of thirty-one characters"


def test_cells_that_are_too_long_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    shown = columns([Section("", (Line("name", ("word " * 60, "x")),))], Output()).splitlines()
    assert len(shown) == 3
    assert shown[-1].endswith("…")


def test_the_rest_comes_in_tables_below(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = table(5, 40, monkeypatch)
    assert lines.count("Facts") == 3
