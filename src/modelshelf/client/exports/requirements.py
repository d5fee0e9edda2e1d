"""The Python needs of all models as a requirements file, each line with the models that ask.

https://pip.pypa.io/en/stable/reference/requirements-file-format/. uv reads the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from modelshelf.client.exports import Contents, Export
from modelshelf.errors import Unsatisfiable
from modelshelf.package.python_needs import PYTHON, Need, contradiction, needed, needs

_HEAD = "# What the models of this shelf need of Python. Written by: shelf export requirements\n"


class Line(NamedTuple):
    """What all models together need of one distribution under one marker, and which models."""

    name: str
    extras: tuple[str, ...]
    range: str
    url: str
    marker: str
    asking: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """The line as PEP 508: `numpy>=1.26,<3; os_name == "nt"`."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        place = f" @ {self.url} " if self.url else ""
        marker = f"; {self.marker}" if self.marker else ""
        return f"{self.name}{extras}{self.range}{place}{marker}"


def lines(contents: Contents) -> list[Line]:
    """What is needed of each distribution, by name; `python` is the interpreter.

    A framework is the distribution that usually brings it. Raises Unsatisfiable where two needs
    leave no version.
    """
    asked = [
        (held.title, need)
        for held in contents.held
        for need in needs(needed(held.entry.requires, {a.format: True for a in held.artifacts}))
    ]
    _require_consistent(asked)
    alike: dict[tuple[str, str], list[tuple[str, Need]]] = {}
    for who, need in asked:
        alike.setdefault((need.distributions[0], need.marker), []).append((who, need))
    return [_line(*key, each) for key, each in sorted(alike.items())]


def _line(name: str, marker: str, asked: list[tuple[str, Need]]) -> Line:
    clauses = dict.fromkeys(each for _, need in asked for each in need.range.split(",") if each)
    return Line(
        name,
        tuple(sorted({extra for _, need in asked for extra in need.extras})),
        ",".join(clauses),
        next((need.url for _, need in asked if need.url), ""),
        marker,
        tuple(dict.fromkeys(who for who, _ in asked)),
    )


def _require_consistent(asked: list[tuple[str, Need]]) -> None:
    """What has no marker must hold together with what has one."""
    for marker in sorted({"", *(need.marker for _, need in asked)}):
        found = [(who, need) for who, need in asked if need.marker in ("", marker)]
        wrong = contradiction([(who, f"{n.distributions[0]}{n.range}") for who, n in found])
        if told := str(wrong) if wrong else _two_addresses(found):
            raise Unsatisfiable(
                told + (f" where {marker}" if marker else ""),
                hint="upgrade one of these packages to a release that goes with the others, or "
                "remove one",
            )


def _two_addresses(asked: Iterable[tuple[str, Need]]) -> str | None:
    found: dict[str, tuple[str, Need]] = {}
    for who, need in asked:
        if need.url:
            first, other = found.setdefault(need.distributions[0], (who, need))
            if other.url != need.url:
                return f"{first} needs {other}, {who} needs {need}: only one of them can be there"
    return None


def write(contents: Contents) -> str:
    """The text of `requirements.txt`."""
    text = _HEAD
    for line in lines(contents):
        asking = f"  # {', '.join(line.asking)}"
        text += "# " if line.name == PYTHON else ""  # pip cannot install its own interpreter
        text += f"{line.requirement}{asking}\n"
    return text


EXPORT = Export(
    "requirements", "what the models need of Python, for pip and uv", "requirements.txt", write
)
