"""Run a registry on this machine, or decide what its scanner holds back.

  serve                       run it; it listens on this machine only unless --host says otherwise
  held                        list what waits for a decision, with what was found
  allow WHICH --reason WHY    publish a held session, or let a blocked NAME@VERSION through
  refuse WHICH --reason WHY   end a held session; its publisher is told why
  rescan [NAME@VERSION]       scan one release again, or all
  quarantine NAME --reason WHY   put a package aside (--undo lifts that)
  fsck                        read all that is kept, and tell what is lost or damaged (--repair)
  gc                          take away stored segments that nobody needs (--dry-run)
  import SPEC                 take in the packages of another hub, from its catalogue (--dry-run)
  give PUBLISHER --to ACCOUNT    let an account publish under a name, such as an imported one

It keeps everything in one folder. All but serve work on that folder whether it runs or not. fsck has
exit code 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from modelshelf.cli import importing
from modelshelf.cli.output import Output, size
from modelshelf.errors import Refused, UsageError
from modelshelf.package.elements import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from modelshelf.registry.fsck import Report
    from modelshelf.registry.garbage import Garbage
    from modelshelf.registry.service import Kept

    Action = Callable[[argparse.Namespace, Output, Kept], int | None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: what to do, with what, where the data lies, where to listen."""
    parser.add_argument("action", choices=("serve", *_ACTIONS), metavar="ACTION")
    parser.add_argument(
        "which",
        nargs="?",
        help="a session, a package, NAME@VERSION, a publisher or a catalogue (tfhub:DIR)",
    )
    parser.add_argument("--data", type=Path, help="default: a folder of your user data")
    deciding = parser.add_argument_group("deciding")
    deciding.add_argument("--reason", help="why; shown to everyone")
    deciding.add_argument("--by", help="who decides (default: your name on this machine)")
    deciding.add_argument("--undo", action="store_true", help="lift a quarantine")
    deciding.add_argument("--to", metavar="ACCOUNT", help="who may publish under the name")
    serving = parser.add_argument_group("serving")
    serving.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    serving.add_argument("--port", type=int, default=8750, help="default: 8750; 0 for any free one")
    serving.add_argument("--url", help="the address that users see, behind a proxy")
    serving.add_argument(
        "--level", choices=LEVELS, default="minimal", help="documentation asked for"
    )
    serving.add_argument(
        "--segments-url",
        metavar="URL",
        help="where clients fetch segments, with {prefix} and {key}: nginx or a content network",
    )
    serving.add_argument(
        "--fast-links",
        action="store_true",
        help="let clients on fast links take raw bytes: more traffic, less work for them",
    )
    caring = parser.add_argument_group("looking after what is kept")
    caring.add_argument("--repair", action="store_true", help="mend what can be mended")
    caring.add_argument("--dry-run", action="store_true", help="show what would go")
    keeping = parser.add_argument_group("keeping")
    keeping.add_argument(
        "--blobs",
        metavar="s3://BUCKET/PREFIX",
        help="keep segments in a bucket (keys from AWS_ACCESS_KEY_ID and its like)",
    )
    keeping.add_argument(
        "--raw-cache",
        type=float,
        default=64,
        metavar="GIB",
        help="keep so much whole beside the segments, for readers of whole files (default: 64)",
    )
    serving.add_argument("--closed", action="store_true", help="nobody can make an account")
    importing.add_options(parser)


def run(arguments: argparse.Namespace, output: Output) -> int | None:
    """Serve until it is stopped, or decide, or look after what is kept."""
    try:
        from modelshelf.registry import operating, place, server
        from modelshelf.registry.settings import Settings
        from modelshelf.store.bucket import Bucket
    except ModuleNotFoundError as error:
        raise Refused(
            f"the registry needs {error.name}, which is not installed",
            hint="pip install 'modelshelf[registry]'",
        ) from None
    data = arguments.data or _default_data()
    bucket = arguments.blobs or place.known(data)
    settings = Settings(
        data=data,
        public_url=arguments.url,
        level=arguments.level,
        signup=not arguments.closed,
        blobs=Bucket.parse(bucket, os.environ) if bucket else None,
        segments_url=arguments.segments_url,
        fast_links=arguments.fast_links,
        raw_cache_bytes=int(arguments.raw_cache * (1 << 30)),
    )
    if arguments.action != "serve":
        makes = arguments.action == "import" and not arguments.dry_run
        kept = operating.open_data(settings, make=makes)
        try:
            return _ACTIONS[arguments.action](arguments, output, kept)
        finally:
            kept.database.close()

    def ready(url: str) -> None:
        output.result(
            {"url": url, "data": str(settings.data)},
            f"The registry is at {url}, its data in {settings.data}. Stop it with Ctrl-C.",
        )

    server.serve(settings, host=arguments.host, port=arguments.port, on_ready=ready)
    return None


def _held(_arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import operating

    found = operating.waiting(kept)
    lines = []
    for each in found:
        title = each.session or f"{each.name}@{each.version}"
        lines.append(
            f"{output.paint(title, 'bold')}  {each.name} {each.version}, by {each.account}"
        )
        lines += [
            f"  {risk.file}: {risk.kind}: {risk.detail}"
            for risk in each.findings
            if risk.severity == "blocked"
        ]
    output.result({"held": found}, "\n".join(lines) or "Nothing waits for a decision.")


def _allow(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import operating

    which, reason = _which(arguments), _reason(arguments)
    release = operating.allow(kept, which, reason, _who(arguments))
    output.result({"release": release, "decision": reason}, f"{release} is let through.")


def _refuse(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import operating

    which, reason = _which(arguments), _reason(arguments)
    release = operating.refuse(kept, which, reason, _who(arguments))
    output.result({"release": release, "refused": reason}, f"{release} is refused.")


def _rescan(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import operating

    told = operating.rescan(kept, arguments.which)
    changed = [each for each in told if each.before != each.after]
    lines = [f"{each.name} {each.version}: {each.before} -> {each.after}" for each in changed]
    lines.append(f"{len(told)} scanned, {len(changed)} with another verdict.")
    output.result({"rescanned": told}, "\n".join(lines))


def _quarantine(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import operating

    package = _which(arguments)
    reason = None if arguments.undo else _reason(arguments)
    operating.quarantine(kept, package, reason)
    state = "in quarantine" if reason else "out of quarantine"
    output.result({"name": package, "reason": reason}, f"{package} is {state}.")


def _give(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import operating

    publisher, account = _which(arguments), arguments.to
    if not account:
        raise UsageError("tell to whom", expected="shelf registry give PUBLISHER --to ACCOUNT")
    operating.give(kept, publisher, account)
    told = {"publisher": publisher, "account": account, "role": "owner"}
    output.result(told, f"{account} is an owner of {publisher}.")


def _fsck(arguments: argparse.Namespace, output: Output, kept: Kept) -> int:
    from modelshelf.registry import fsck

    with output.progress(fsck.planned_bytes(kept), "checking") as progress:
        report = fsck.run(kept, repair=arguments.repair, progress=progress)
    output.result(report, "\n".join(_told(report, output)))
    return 1 if report.wrong() else 0


def _told(report: Report, output: Output) -> list[str]:
    from modelshelf.registry.fsck import KINDS, NOTES

    lines = []
    for each in report.findings:
        word = "note" if each.kind in NOTES else "mended" if each.mended else "wrong"
        colour = {"note": "dim", "mended": "green", "wrong": "red"}[word]
        lines.append(f"{output.paint(word, colour)}: {KINDS[each.kind]}")
        lines.append(f"  where: {' '.join(dict.fromkeys((each.where, each.what)))}")
    count = len(report.wrong())
    verdict = f"{count} thing{' is' if count == 1 else 's are'} wrong" if count else "all is well"
    lines.append(
        f"{report.files} files, {report.segments} segments, {size(report.bytes)} read: {verdict}."
    )
    return lines


def _gc(arguments: argparse.Namespace, output: Output, kept: Kept) -> None:
    from modelshelf.registry import garbage

    found = garbage.collect(kept, dry_run=arguments.dry_run)
    output.result(found, _freed(found, dry_run=arguments.dry_run))


def _freed(found: Garbage, *, dry_run: bool) -> str:
    if not (found.blobs or found.segments or found.differences or found.litter):
        return "Nothing to free: everything is needed, or too young to tell."
    verb = "Would free" if dry_run else "Freed"
    noun = "segment" if found.blobs == 1 else "segments"
    lines = [f"{verb} {size(found.freed_bytes)}: {found.blobs} {noun} that nobody needs."]
    if found.litter:
        lines.append(f"Took away what killed processes left half written ({found.litter}).")
    return "\n".join(lines)


_ACTIONS: dict[str, Action] = {
    "held": _held,
    "allow": _allow,
    "refuse": _refuse,
    "rescan": _rescan,
    "quarantine": _quarantine,
    "fsck": _fsck,
    "gc": _gc,
    "import": importing.run,
    "give": _give,
}


def _which(arguments: argparse.Namespace) -> str:
    if not arguments.which:
        raise UsageError(
            "tell which one", expected=f'shelf registry {arguments.action} WHICH --reason "..."'
        )
    return str(arguments.which)


def _reason(arguments: argparse.Namespace) -> str:
    if not arguments.reason:
        raise UsageError("a decision needs a reason", expected='--reason "..."')
    return str(arguments.reason)


def _who(arguments: argparse.Namespace) -> str:
    from getpass import getuser

    try:
        return str(arguments.by or getuser())
    except (KeyError, OSError):  # an account without a name, as containers have
        return "operator"


def _default_data() -> Path:
    from platformdirs import user_data_path

    return user_data_path("modelshelf", appauthor=False) / "registry"
