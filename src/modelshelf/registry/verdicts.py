"""What the scanner said of releases and of sessions held back, and what the operator decided."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from modelshelf.checks.safety.scan import RULES_VERSION, Scanned, problems
from modelshelf.errors import Refused
from modelshelf.formats.facts import Risk
from modelshelf.package.entry import Scan, Severity
from modelshelf.registry import clock, tables
from modelshelf.registry.contracts import Key, by_key
from modelshelf.registry.settings import DAY_SECONDS

FINDING_COUNT = 500
"""Findings of a release that are kept; what is more repeats itself."""
ELEMENT_COUNT = 50
"""Findings that the information element lists."""
NEVER = "9999-12-31T00:00:00.000000Z"
"""When a session expires whose decision is awaited."""

ANSWER_SECONDS = 30 * DAY_SECONDS
"""How long the publisher of a session that was held can ask what was decided."""


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands behind a verdict: what was found by which rules and when; who let it through."""

    verdict: Severity
    rules: int
    findings: tuple[Risk, ...] = ()
    scanned: str | None = None
    decision: str | None = None
    decided: str | None = None
    decided_by: str | None = None


def scan_of(scanned: Scanned, decision: str | None = None) -> Scan:
    """The verdict as the index tells it; a decision counts only where something was blocked."""
    return Scan(scanned.verdict, RULES_VERSION, decision if scanned.verdict == "blocked" else None)


def keep(
    connection: Connection, key: Key, scanned: Scanned, decision: str | None, by: str | None
) -> None:
    """Keep the verdict of a release, instead of an older one."""
    scan = scan_of(scanned, decision)
    values = {"verdict": scan.verdict, "rules": scan.rules, "decision": scan.decision}
    connection.execute(update(tables.releases).filter_by(**by_key(key)).values(values))
    row = {
        **by_key(key),
        "findings": msgspec.json.encode(kept(scanned)),
        "scanned": clock.now(),
        "decided": clock.now() if scan.decision else None,
        "decided_by": by if scan.decision else None,
    }
    connection.execute(delete(tables.verdicts).filter_by(**by_key(key)))
    connection.execute(insert(tables.verdicts), row)


def kept(scanned: Scanned) -> tuple[Risk, ...]:
    """The findings that are kept, the heaviest first."""
    ranked = sorted(scanned.findings, key=lambda risk: risk.severity != "blocked")
    return tuple(ranked[:FINDING_COUNT])


def report(connection: Connection, key: Key) -> Report | None:
    """The verdict of a release with all that stands behind it; None before its first scan."""
    columns = tables.releases.c
    scan = select(columns.verdict, columns.rules, columns.decision).filter_by(**by_key(key))
    row = connection.execute(scan).first()
    behind = connection.execute(select(tables.verdicts).filter_by(**by_key(key))).first()
    if row is None or row.verdict is None or behind is None:
        return None
    return Report(
        row.verdict,
        row.rules,
        msgspec.json.decode(behind.findings, type=tuple[Risk, ...]),
        behind.scanned,
        row.decision,
        behind.decided,
        behind.decided_by,
    )


def reviewed(report: Report | None) -> dict[str, object]:
    """The element `review-mechanism`: which checks a release went through, and who decided."""
    found: dict[str, object] = {"checks": "the registry's automatic checks, at publication"}
    if report is not None:
        found["scanner"] = f"{report.verdict}, by version {report.rules} of its rules"
    if report is not None and report.decision:
        found["let_through"] = report.decision
        found["let_through_by"] = report.decided_by
    return found


def told(report: Report, said: object) -> dict[str, object]:
    """The element `vulnerability-report`: what the scanner saw, beside what was `said` before.

    That is where the publisher wants to be told of vulnerabilities, or what the files would run.
    """
    found: dict[str, object] = {"contact": said} if isinstance(said, str) else {}
    if isinstance(said, dict):
        found |= said
    found["verdict"] = report.verdict
    found["rules"] = report.rules
    found["findings"] = [
        {"file": risk.file, "kind": risk.kind, "detail": risk.detail, "severity": risk.severity}
        for risk in report.findings[:ELEMENT_COUNT]
    ]
    if len(report.findings) > ELEMENT_COUNT:
        found["more"] = len(report.findings) - ELEMENT_COUNT
    return found


def decide(connection: Connection, key: Key, reason: str, by: str) -> None:
    """Let a published release through that later turned out to be blocked."""
    connection.execute(update(tables.releases).filter_by(**by_key(key)).values(decision=reason))
    decided = {"decided": clock.now(), "decided_by": by}
    connection.execute(update(tables.verdicts).filter_by(**by_key(key)).values(decided))


def outlives(old: Report | None, scanned: Scanned) -> bool:
    """Whether a decision on `old` findings still holds: nothing else is blocked by now."""
    if old is None or old.decision is None:
        return False
    return blocked(scanned.findings) <= blocked(old.findings)


def blocked(findings: Iterable[Risk]) -> set[Risk]:
    """The findings that hold a release back."""
    return {risk for risk in findings if risk.severity == "blocked"}


def hold(connection: Connection, session: str, scanned: Scanned) -> Report:
    """Set a session aside until the operator decides; it does not expire."""
    held = Report(scanned.verdict, RULES_VERSION, kept(scanned))
    values = {"state": "held", "scan": msgspec.json.encode(held), "expires": NEVER}
    connection.execute(update(tables.sessions).filter_by(id=session).values(values))
    return held


def close(connection: Connection, session: str, state: str, decision: str, by: str) -> None:
    """End a session that was held; its publisher can ask for a while what became of it."""
    values = {
        "state": state,
        "decision": decision,
        "decided_by": by,
        "expires": clock.now(plus_seconds=ANSWER_SECONDS),
    }
    connection.execute(update(tables.sessions).filter_by(id=session).values(values))


def refusal(session: str, held: Report) -> Refused:
    """What the publisher of a session is told that is held."""
    return Refused(
        "The release is held back: the scanner found what no list allows, and this registry's "
        "operator decides",
        where=f"session {session}",
        problems=tuple(
            each for each in problems(Scanned(held.verdict, held.findings)) if not each.warning
        ),
        hint="publish again to ask what was decided; or leave out what was found",
    )


def refused(session: str, reason: str) -> Refused:
    """What the publisher of a session is told that the operator refused."""
    return Refused(
        f"This registry's operator refused the release: {reason}", where=f"session {session}"
    )
