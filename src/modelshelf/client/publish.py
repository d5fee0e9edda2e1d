"""A folder with a `shelf.toml` → a release on a registry: checked here, sent, checked there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from modelshelf import checks
from modelshelf.checks.layout import cuts
from modelshelf.checks.layout import layout as layout_of
from modelshelf.checks.safety.scan import RULE
from modelshelf.client import golden, sending
from modelshelf.client.bases import Bases
from modelshelf.client.compare import ALONE, Around
from modelshelf.client.digests import Digests, Segmented
from modelshelf.client.http import timeout_seconds
from modelshelf.client.outbox import Outbox, again
from modelshelf.client.remote import Registry
from modelshelf.client.sending import Source
from modelshelf.client.settings import Settings
from modelshelf.client.transfer import Progress
from modelshelf.errors import (
    Conflict,
    Invalid,
    NetworkError,
    NotFound,
    Problem,
    Refused,
    ShelfError,
)
from modelshelf.formats.spans import Span
from modelshelf.package import composition, manifest
from modelshelf.package.elements import Completeness, Level, Value, completeness
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record, canonical, named_files
from modelshelf.serve.golden import Outcome
from modelshelf.store.digest import Hashes
from modelshelf.store.recipe import SMALL_BYTES

judged_bytes_per_second = 10 << 20
"""At least so much a registry puts together and judges before it publishes."""


class Checked(NamedTuple):
    """What `shelf check` found: no record where the manifest itself cannot be read.

    `against` is the version of the release that this one was compared with. `ran` tells what
    became of each golden case in each format, also where it was not run. `layout` is where
    tensors lie, by file, and `digests` knows those of the files.
    """

    record: Record | None
    problems: tuple[Problem, ...]
    completeness: Completeness | None
    values: dict[str, Value]
    against: str | None = None
    ran: tuple[Outcome, ...] = ()
    layout: Mapping[str, tuple[Span, ...]] = {}
    digests: Digests | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop a release; the others are warnings."""
        return tuple(each for each in self.problems if not each.warning)


class Upload(NamedTuple):
    """What is about to be sent: paths below `folder` → sizes and digests.

    `override` is the reason for a version that is lower than the changes ask for. `told` is what
    stops nothing here: warnings, and what the registry's scanner will hold back. `ran` is what
    became of the golden cases. `segmented` has the large files, `layout` where tensors lie.
    """

    folder: Path
    record: Record
    files: dict[str, Hashes]
    override: str | None = None
    told: tuple[Problem, ...] = ()
    ran: tuple[Outcome, ...] = ()
    segmented: Mapping[str, Segmented] = {}
    layout: Mapping[str, tuple[Span, ...]] = {}

    @property
    def size(self) -> int:
        """Bytes of all distinct files."""
        return sum({each.sha256: each.size for each in self.files.values()}.values())


class Published(NamedTuple):
    """A release that is out, and how many bytes of files had to be sent for it by this run."""

    entry: Entry
    bytes_sent: int


def check(
    folder: Path,
    level: Level = "minimal",
    world: Around = ALONE,
    *,
    override: str | None = None,
    consent: bool = False,
) -> Checked:
    """Everything that would stop `folder` from being published at this level of documentation.

    Where nothing else is wrong the golden cases are run: safe formats always, those that carry
    code with `consent`.
    """
    path = folder / manifest.FILE
    try:
        text = _manifest(path)
        record = manifest.parse(text)
    except Invalid as error:
        problems = error.problems or (Problem(error.message, hint=error.hint),)
        return Checked(None, problems, None, {})
    previous = world.before(record)
    digests = Digests(folder, (manifest.FILE, *named_files(record)))
    known = digests if previous else None
    staged = checks.stage(folder, record, level, previous=previous, override=override, known=known)
    found = [*checks.examine(staged), *composition.problems(record, world.find)]
    problems = manifest.located(text, found)
    against = previous.record.package.version if previous else None
    checked = Checked(
        record,
        problems,
        completeness(staged.values),
        staged.values,
        against,
        layout=layout_of(staged.facts),
        digests=digests,
    )
    ran = golden.outcomes(folder, record, consent=consent, unless=bool(checked.errors))
    more = manifest.located(text, golden.problems(record, ran))
    return checked._replace(problems=(*problems, *more), ran=ran)


def prepare(
    folder: Path,
    level: Level = "minimal",
    world: Around = ALONE,
    *,
    override: str | None = None,
    consent: bool = False,
) -> Upload:
    """Check `folder` and hash its files. Raises Invalid with every problem.

    What the scanner blocks does not stop it: the registry holds it for its operator to decide.
    """
    checked = check(folder, level, world, override=override, consent=consent)
    stopping = tuple(each for each in checked.errors if each.rule != RULE)
    if stopping or checked.record is None or checked.digests is None:
        count = len(stopping)
        raise Invalid(
            f"not fit to be published: {count} problem{'s' if count > 1 else ''}",
            where=str(folder),
            problems=stopping,
            hint="shelf check shows the same without publishing",
        )
    layout, digests = checked.layout, checked.digests
    segmented = {
        path: digests.segmented(path, cuts(layout.get(path, ())))
        for path in digests
        if (folder / path).stat().st_size >= SMALL_BYTES
    }
    files = {path: digests.hashes(path) for path in digests}
    return Upload(
        folder, checked.record, files, override, checked.problems, checked.ran, segmented, layout
    )


def publish(
    upload: Upload, registry: Registry, settings: Settings, progress: Progress
) -> Published:
    """Send what the registry lacks and commit the release. A session cut short is gone on with.

    Raises Conflict where the version exists, NotAllowed without a fitting token, Invalid with the
    registry's problems, IntegrityError where a file changed while it was sent, Refused where the
    registry holds the release for its operator to decide: another run asks what was decided.
    """
    body: dict[str, object] = {
        "record": msgspec.to_builtins(upload.record),
        "files": [
            {"path": path, "size": each.size, "sha256": each.sha256}
            for path, each in upload.files.items()
        ],
    }
    if upload.override is not None:
        body["override"] = upload.override
    note = _Session(settings, body)
    session = note.recall(registry) or note.begin(registry, body)
    outbox, bases = Outbox(registry, session), Bases(registry, settings, upload.record)
    missing = registry.ask("GET", f"/sessions/{session}")["missing"]
    assert isinstance(missing, list)
    progress(upload.size - sum(each["size"] - each["offset"] for each in missing))
    begun = {each["sha256"]: each["offset"] for each in missing}
    sending.send(_sources(upload, begun), outbox, bases, progress)
    return Published(_commit(upload, registry, session, note), outbox.sent)


def _commit(upload: Upload, registry: Registry, session: str, note: _Session) -> Entry:
    """Ask for what was sent to be published; a session that came to nothing is forgotten."""
    path = f"/sessions/{session}/publish"
    patience = timeout_seconds + upload.size / judged_bytes_per_second
    try:
        told = again(lambda: registry.ask("POST", path, patience_seconds=patience))
    except NetworkError:
        raise  # it may be published all the same: the next run asks for it
    except ShelfError as error:
        held = isinstance(error, Refused) and note.state(registry) == "held"
        # as where the registry's disk is full, or another request is still at it
        passing = type(error) is ShelfError or isinstance(error, Conflict)
        if not (held or passing):
            note.forget()
        raise
    note.forget()
    return msgspec.convert(told, Entry)


def _sources(upload: Upload, begun: Mapping[str, int]) -> list[Source]:
    """The files that are to be sent, each digest once."""
    paths = {each.sha256: path for path, each in upload.files.items()}
    return [
        Source(
            path=(path := paths[sha256]),
            place=upload.folder / path,
            sha256=sha256,
            size=upload.files[path].size,
            begun=offset,
            segmented=upload.segmented.get(path),
            spans=upload.layout.get(path, ()),
        )
        for sha256, offset in begun.items()
    ]


class _Session:
    """The id of an unfinished session, kept so that another run goes on with it."""

    def __init__(self, settings: Settings, body: object) -> None:
        key = hashlib.sha256(settings.registry.encode() + canonical.encode(body)).hexdigest()
        self._path = settings.home / "sessions" / f"{key[:32]}.json"

    def begin(self, registry: Registry, body: object) -> str:
        session = str(again(lambda: registry.ask("POST", "/sessions", body))["id"])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps({"id": session}), encoding="utf-8")
        return session

    def recall(self, registry: Registry) -> str | None:
        known = self.state(registry) in ("open", "held", "refused", "published")
        return self._read() if known else None

    def state(self, registry: Registry) -> str | None:
        """How far the session is that was kept; None where there is none."""
        session = self._read()
        try:
            return str(registry.ask("GET", f"/sessions/{session}")["state"]) if session else None
        except (KeyError, NotFound, Conflict):
            return None

    def _read(self) -> str | None:
        try:
            return str(json.loads(self._path.read_text(encoding="utf-8"))["id"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def _manifest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(manifest.largest_manifest_bytes + 1)
    except FileNotFoundError:
        raise Invalid(
            f"there is no {manifest.FILE}", where=str(path.parent), hint="begin with: shelf init"
        ) from None
    except OSError as error:
        raise Invalid(f"the manifest cannot be read: {error.strerror}", where=str(path)) from None
