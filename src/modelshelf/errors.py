"""Every error Modelshelf raises on purpose: what is wrong, where, what was expected, what to do.

    ShelfError
    ├── UsageError          2  the command or call was written wrongly
    ├── Invalid             1  a manifest, file or release breaks a rule (carries all problems)
    ├── FormatError         1  bytes that do not follow the format they claim to follow
    ├── NotFound            1  no such package, release, variant, file, account
    ├── Conflict            1  the name or version is taken, or someone else was first
    ├── Unsatisfiable       3  no set of releases satisfies all requirements
    ├── LockStale           4  shelf.lock does not answer shelf.toml
    ├── IntegrityError      5  bytes do not have the digest that was promised
    ├── NetworkError        6  the registry cannot be reached, or does not speak as expected
    ├── NotAllowed          7  no token, or not one that may do this
    └── Refused             8  policy: unsafe formats without consent, level of documentation

The number is the exit code of the command line; it is a contract (docs/reference/exit-codes.md).
"""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong, as `shelf check --json` shows it.

    `file` is relative to the package's folder; `line` counts from 1 and is None where a file has
    no lines; `element` is the dotted place in the record (`package.task`); `rule` is the id of the
    check that found it. A `warning` stops nothing.
    """

    message: str
    file: str = "shelf.toml"
    line: int | None = None
    element: str | None = None
    hint: str | None = None
    rule: str = "manifest"
    warning: bool = False

    def where(self) -> str:
        """The place as editors understand it: `shelf.toml:12`."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


class ShelfError(Exception):
    """Something a user can understand and mend. The message says what is wrong."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        expected: object = None,
        got: object = None,
        hint: str | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.expected = expected
        self.got = got
        self.hint = hint
        self.problems = problems

    def as_json(self) -> dict[str, object]:
        """The error as the one object that `--json` and the registry's API show."""
        fields: dict[str, object] = {"error": type(self).__name__, "message": self.message}
        for name in ("where", "expected", "got", "hint"):
            if getattr(self, name) is not None:
                fields[name] = getattr(self, name)
        if self.problems:
            fields["problems"] = [problem._asdict() for problem in self.problems]
        return fields


class UsageError(ShelfError):
    """The command or call was written wrongly."""

    exit_code = 2


class Invalid(ShelfError):
    """A manifest, file or release breaks a rule; `problems` lists every one of them."""


class FormatError(ShelfError):
    """Bytes do not follow the format they claim to follow."""


class NotFound(ShelfError):
    """There is no such package, release, variant, file or account."""


class Conflict(ShelfError):
    """The name or version is taken, or someone else was first."""


class Unsatisfiable(ShelfError):
    """No set of releases satisfies all requirements."""

    exit_code = 3


class LockStale(ShelfError):
    """`shelf.lock` does not answer `shelf.toml`."""

    exit_code = 4


class IntegrityError(ShelfError):
    """Bytes do not have the digest that was promised."""

    exit_code = 5


class NetworkError(ShelfError):
    """The registry cannot be reached, or does not speak as expected."""

    exit_code = 6


class NotAllowed(ShelfError):
    """There is no token, or not one that may do this."""

    exit_code = 7


class Refused(ShelfError):
    """A policy refuses this: an unsafe format without consent, too little documentation."""

    exit_code = 8
