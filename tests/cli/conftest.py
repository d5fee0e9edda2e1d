"""The command line inside this process: a start of Python for each command would take too long."""

from __future__ import annotations

from tests.publishing import release

__all__ = ["release"]
