"""What a person or a program sees: text or one JSON object on stdout, all else on stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from modelshelf.errors import Problem, ShelfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tqdm import tqdm

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}


# What strangers wrote must not steer the terminal (ECMA-48), nor turn the direction of writing.
# Of control sequences only our own colours stay.
_STEERING = re.compile(
    "(\x1b\\[(?:0|1|2|31|32|33|36)m)"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Output:
    """Prints for one command. Colours and bars appear on a terminal only."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet

    def result(self, value: object, text: str) -> None:
        """Print the outcome: `value` with `--json`, else `text`."""
        if self.json:
            import msgspec

            text = msgspec.json.encode(value).decode()
        sys.stdout.write(harmless(text).rstrip("\n") + "\n")
        sys.stdout.flush()

    def ahead(self, text: str) -> None:
        """Print a part of the outcome's text before the rest is there; nothing with `--json`."""
        if text and not self.json:
            self.result(None, text)

    def note(self, text: str) -> None:
        """Say something that is not the outcome."""
        if not self.quiet:
            sys.stderr.write(harmless(text) + "\n")

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour of `_COLOURS`, where stdout is a terminal that shows them."""
        return _paint(text, colour, sys.stdout.isatty())

    def error(self, error: ShelfError) -> None:
        """Tell what went wrong: on stderr, or as the JSON object."""
        if self.json:
            self.result(error.as_json(), "")
            return
        colourful = sys.stderr.isatty()
        lines = [_paint("error: ", "red", colourful) + error.message]
        lines += [f"  {p}" for problem in error.problems for p in problem_lines(problem)]
        if error.where and not error.problems:
            lines.append(f"  where: {error.where}")
        for name in ("expected", "got"):
            value = getattr(error, name)
            if value is not None:
                lines.append(f"  {name}: {value}")
        if error.hint:
            lines.append(_paint("  hint: ", "cyan", colourful) + error.hint)
        sys.stderr.write(harmless("\n".join(lines)) + "\n")

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Aligned columns; columns in which every row is a number stand to the right."""
        if not rows:
            return ""
        columns = list(zip(heads, *rows, strict=True))
        widths = [max(map(len, column)) for column in columns]
        right = [all(_is_number(cell) for cell in column[1:]) for column in columns]
        lines = [_row(heads, widths, right), *(_row(row, widths, right) for row in rows)]
        lines[0] = self.paint(lines[0], "bold")
        return "\n".join(lines)

    @contextmanager
    def progress(self, total: int, what: str, *, unit: str = "B") -> Iterator[Bar]:
        """A bar over `total` bytes, or whatever `unit` counts: it is told of each further piece."""
        if self.quiet or self.json or not total or not sys.stderr.isatty():
            yield Bar(None)
            return
        from tqdm import tqdm

        scaled = unit == "B"
        spelled = unit if scaled else f" {unit}"
        with tqdm(
            total=total, desc=what, unit=spelled, unit_scale=scaled, unit_divisor=1024
        ) as bar:
            yield Bar(bar)


class Bar:
    """A bar on the terminal, or nothing where there is none; several threads tell it."""

    def __init__(self, shown: tqdm | None) -> None:
        from threading import Lock

        self._shown = shown
        self._turn = Lock()
        self._moved = 0

    def __call__(self, count: int) -> None:
        """So many more bytes are there."""
        if self._shown is not None:
            with self._turn:
                self._shown.update(count)

    def moved(self, count: int) -> None:
        """So many bytes have passed for them: where that is fewer, the bar tells."""
        if self._shown is not None:
            with self._turn:
                self._moved += count
                if self._moved < 0.98 * self._shown.n:
                    self._shown.set_postfix_str(f"{size(self._moved)} moved", refresh=False)


def harmless(text: str) -> str:
    """`text` with every character that a terminal would obey shown as `\ufffd`."""
    return _STEERING.sub(lambda found: found[1] or "\ufffd", text)


def problem_lines(problem: Problem, paint: Callable[[str, str], str] | None = None) -> list[str]:
    """A problem as two or three lines: place, what is wrong, what to do. A warning says so."""
    mark = "warning: " if problem.warning else ""
    if mark and paint:
        mark = paint(mark, "yellow")
    lines = [f"{mark}{problem.where()}: {problem.message}"]
    if problem.hint:
        lines.append(f"    hint: {problem.hint}")
    return lines


def size(count: int) -> str:
    """Bytes for people: `1.5 MiB`."""
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace(",", "").isdigit()


def _paint(text: str, colour: str, colourful: bool) -> str:
    if not colourful or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"


def size_of(moved: int, whole: int) -> str:
    """How much is moved, and of how much where that is clearly less."""
    return size(moved) if moved > 0.98 * whole else f"{size(moved)} of {size(whole)}"
