"""Times as the registry writes them: RFC 3339 in UTC, so that text sorts like time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def now(*, plus_seconds: float = 0) -> str:
    """Return this moment, or one `plus_seconds` away, to the microsecond."""
    return (datetime.now(UTC) + timedelta(seconds=plus_seconds)).strftime(_FORM)


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()
