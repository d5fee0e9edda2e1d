"""A shelf while it is being changed: what is planned, made so, and told."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from modelshelf.cli.options import is_offline, rate_of
from modelshelf.cli.output import Output, size_of
from modelshelf.cli.project import shelf_of
from modelshelf.client import install
from modelshelf.client.install import Change, Plan, Stock
from modelshelf.client.settings import settings
from modelshelf.client.shelf import Shelf, is_project
from modelshelf.client.sources import Sources
from modelshelf.client.transfer import Moved, Wanted
from modelshelf.errors import Invalid, LockStale, NotFound
from modelshelf.package import lock as locks
from modelshelf.package.graph import pruned
from modelshelf.package.lock import Lock
from modelshelf.package.manifest import Project, require_resolution
from modelshelf.store.disk import DiskStore


def sources_of(arguments: argparse.Namespace, project: Project, lock: Lock) -> Sources:
    """The registries: `--registry`, then the usual one, then those that `shelf.toml` names.

    The usual one is MODELSHELF_REGISTRY, else that of `shelf.toml`, else the user's.
    """
    mine = settings(arguments.registry)
    urls = [arguments.registry, usual_registry(project), *project.registries]
    urls += [need.registry for need in project.dependencies.values()]
    named = [each.rstrip("/") for each in urls if each]
    return Sources(mine, named, lock, offline=is_offline(arguments), rate=rate_of(arguments))


def usual_registry(project: Project) -> str:
    """The registry that is asked where nothing else is said."""
    told = None if os.environ.get("MODELSHELF_REGISTRY") else project.registry
    return (told or settings().registry).rstrip("/")


def stock(store: DiskStore, sources: Sources) -> Stock:
    """What the store has, and what the files of the registries cost that it lacks."""

    def costs_of(registry: str, files: list[Wanted]) -> dict[str, int]:
        from modelshelf.client.cost import costs

        return costs(sources.http(registry), store, files)

    return Stock(store.has, costs_of)


class Bench:
    """A shelf while it is being changed: who is at it is alone.

    `before` is the lock in force, `text` that of the project's file.
    """

    def __init__(self, arguments: argparse.Namespace, shelf: Shelf, lock: Lock) -> None:
        self.arguments = arguments
        self.shelf = shelf
        self.settings = settings(arguments.registry)
        self.store = self.settings.files()
        self.before = lock
        self.text = shelf.text()
        self._sources: dict[tuple[str, ...], Sources] = {}

    def environment(self, project: Project) -> str:
        """What this machine is, of the environments of `project`."""
        return self.shelf.environment(tuple(project.places), self.arguments.environment)

    def sources(self, project: Project) -> Sources:
        """Where packages come from; each package is asked for once."""
        found = sources_of(self.arguments, project, self.before)
        return self._sources.setdefault(found.urls, found)

    def stock(self, project: Project) -> Stock:
        """What the store has, and what the registries' files cost."""
        return stock(self.store, self.sources(project))

    def planned(self, text: str, fresh: tuple[str, ...] = ()) -> Plan:
        """The lock in force where it answers `text` and nothing is `fresh`, else a new one."""
        project = self._narrowed(self.shelf.parse(text))
        environment = self.environment(project)
        if not fresh and install.stale(self.before, project) is None:
            return install.keep(
                self.before, environment, self.stock(project), text=self.shelf.lock_text()
            )
        if not fresh and (less := self._less(project)):
            return install.planned(self.before, less, environment, self.stock(project))
        return install.plan(
            project,
            self.sources(project).index,
            self.before,
            environment=environment,
            stock=self.stock(project),
            now=datetime.now(UTC),
            fresh=fresh,
            consent=self.arguments.allow_pickle,
        )

    def _less(self, project: Project) -> Lock | None:
        """The lock without what is not wanted any more, where that asks no registry anything."""
        found = pruned(self.before, project.dependencies)
        return found if found and install.stale(found, project) is None else None

    def _narrowed(self, project: Project) -> Project:
        """The project with `--exclude-newer` and `--min-release-age` over what `shelf.toml` says."""
        names = ("exclude_newer", "min_release_age")
        told = {name: value for name in names if (value := getattr(self.arguments, name, None))}
        if not told:
            return project
        resolution = msgspec.structs.replace(project.resolution, **told)
        require_resolution(resolution)
        return msgspec.structs.replace(project, resolution=resolution)

    def arriving(self, plan: Plan) -> str:
        """What was locked before and comes only now, a line each; ask before `apply`."""
        known = {each.name for each in plan.changes}
        packages = [each for each in plan.held.packages if each.name not in known]
        new = [each for each in packages if not self.shelf.release(each).is_dir()]
        return "\n".join(f"+ {each.name} {each.version}" for each in new)

    def apply(self, plan: Plan, text: str, output: Output, done: str) -> Moved:
        """Make it so, with a bar; gives what was moved."""
        sources = self.sources(self.shelf.parse(text))
        with output.progress(plan.bytes_coming, "fetching") as progress:
            return install.apply(
                plan, text, self.shelf, self.store, sources, self.settings,
                progress=progress, received=progress.moved, done=done,
            )  # fmt: skip


@contextmanager
def changing(
    arguments: argparse.Namespace, *, relock: bool = True, begin: bool = False
) -> Iterator[Bench]:
    """Be alone with the shelf that `arguments` name; with `begin` it may be a new one.

    With `relock` a lock that cannot be read for the marks of a merge counts as what both sides
    chose; else it raises LockStale.
    """
    shelf = shelf_of(arguments)
    if not (begin or arguments.user or is_project(shelf.root) or shelf.lock_text()):
        raise NotFound(  # a wrong folder must not look like success
            "there is no shelf.toml here, nor in a folder above",
            where=str(shelf.root),
            hint="go to your project, or begin one: shelf add NAME",
        )
    with shelf.writing(settings().files().lends):
        yield Bench(arguments, shelf, _lock(shelf, relock=relock))


def _lock(shelf: Shelf, *, relock: bool) -> Lock:
    try:
        return shelf.lock()
    except LockStale:
        if not relock:
            raise
        return locks.merged(shelf.lock_text())
    except Invalid as error:
        raise LockStale(error.message, where=error.where, hint=error.hint) from None


def note_mismatches(shelf: Shelf, planned: Plan, output: Output) -> list[str]:
    """Say what of Python, its packages and the machine is not as models need it."""
    from modelshelf.client.machine import lacking

    found = [str(each) for each in lacking(shelf, planned.held)]
    if found:
        shelf.forget_stamp()  # to be told again the next time
    for each in found:
        output.note(f"{output.paint('warning:', 'yellow')} {each}")
    return found


def tell(
    planned: Plan,
    moved: Moved | None,
    output: Output,
    *,
    nothing: str = "Everything is installed.",
    text: str = "",
    told: Collection[str] = (),
    **more: object,
) -> None:
    """Say what changed, or would where nothing was `moved`; `text` tells of the packages `told`, and maybe more."""
    fetched = planned.bytes_to_fetch if moved is None else moved.wire
    value = {
        "dry_run": moved is None,
        "changes": [each._asdict() for each in planned.changes],
        ("bytes_to_fetch" if moved is None else "bytes_fetched"): fetched,
        **more,
    }
    lines = [sentence(each, output) for each in planned.changes if each.name not in told]
    lines += [text] if text else []
    if whole := planned.bytes_coming if moved is None else moved.raw:
        verb = "To fetch" if moved is None else "Fetched"
        lines.append(f"{verb}: {size_of(fetched, whole)}.")
    output.result(value, "\n".join(lines) or nothing)


def sentence(change: Change, output: Output) -> str:
    """A change as one line: `~ acme/digits 1.0.0 -> 1.1.0 (minor)`."""
    if change.before is None:
        return f"{output.paint('+', 'green')} {change.name} {change.after}"
    if change.after is None:
        return f"{output.paint('-', 'red')} {change.name} {change.before}"
    if change.before == change.after:
        return f"{output.paint('~', 'yellow')} {change.name} {change.after} (other files)"
    step = f" ({change.level})" if change.level else ""
    return f"{output.paint('~', 'yellow')} {change.name} {change.before} -> {change.after}{step}"
