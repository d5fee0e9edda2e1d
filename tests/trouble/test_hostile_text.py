"""Text of strangers on a terminal: it is shown, and never obeyed."""

from __future__ import annotations

import pytest

from modelshelf.cli.output import Output
from modelshelf.errors import Problem, ShelfError

SEQUENCES = [
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x9b31m",
    "\r",
    "\x08",
    "\u202e",
    "\u2066",
    "\x00",
    "\x7f",
]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_result_holds_no_control_sequence(
    sequence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Output().result({}, f"before{sequence}after\n\tnext")
    told = capsys.readouterr().out
    assert not set(sequence) & set("\x1b\x9b\r\x08\u202e\u2066\x00\x7f\x07") & set(told)
    assert told.startswith("before")
    assert told.endswith("after\n\tnext\n")


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_an_error_holds_no_control_sequence(
    sequence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = f"a{sequence}b"
    Output().error(
        ShelfError(bad, where=bad, expected=bad, got=bad, hint=bad, problems=(Problem(bad),))
    )
    Output().note(bad)
    assert not set("\x1b\x9b\r\x08\u202e\u2066\x00\x7f\x07") & set(capsys.readouterr().err)


def test_colours_of_our_own_stay(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    Output().result({}, "\033[31mred\033[0m")
    assert capsys.readouterr().out == "\033[31mred\033[0m\n"
