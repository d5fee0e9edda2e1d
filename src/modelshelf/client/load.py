"""`modelshelf.load`: a package of the shelf, by name, as a model that can be called."""

from __future__ import annotations

from pathlib import Path

import msgspec

from modelshelf.checks.safety.consent import carries_code, require_consent
from modelshelf.client.alerts import alert
from modelshelf.client.machine import require_met
from modelshelf.client.released import release_of
from modelshelf.client.settings import settings
from modelshelf.client.shelf import Shelf, is_project
from modelshelf.errors import Invalid, LockStale, NotFound
from modelshelf.package.composition import KINDS, pipeline
from modelshelf.package.entry import Entry
from modelshelf.package.lock import LockedArtifact
from modelshelf.package.record import Artifact, Dependency, Variant, default_variant
from modelshelf.package.variant import named
from modelshelf.serve.load import open_model
from modelshelf.serve.pipeline import PipelineModel
from modelshelf.serve.protocol import Model, Source


def load(
    name: str,
    *,
    variant: str | None = None,
    format: str | None = None,  # noqa: A002 (the field's word)
    allow_pickle: bool = False,
    shelf: Path | str | None = None,
    alone: bool = False,
) -> Model:
    """Open a variant of an installed package; nothing is fetched.

    Without `variant` the default one is meant, or the only one installed. `allow_pickle` is the
    consent to formats that run the publisher's code. `shelf` is a folder with a `shelf.toml`
    (default: the working directory or the nearest above it; outside all projects the user's own
    shelf). A package with others before or
    after it (dependencies of kind `preprocess` and `pipeline`) opens as the whole chain, unless
    `alone`.

    What the model needs of Python and its packages is checked: for the publisher's code it must be
    there, else what is lacking is logged. Once a day the log tells of newer releases (see
    `alerts`).

    Raises NotFound (not on the shelf, no such variant), LockStale (files are missing), Refused
    (no consent, or what it needs is not installed), FormatError (the runtime refuses the file),
    Invalid (the chain does not fit together).
    """
    found = _shelf(shelf)
    source = _source(found, name, variant, format, consent=allow_pickle)
    require_met(source.entry, source.artifact.format)
    alert(found, name)
    model = open_model(source)
    chained = any(each.kind in KINDS for each in source.entry.dependencies.values())
    if alone or not chained:
        return model
    return _whole(found, source, model, consent=allow_pickle)


def _shelf(folder: Path | str | None) -> Shelf:
    """The shelf at `folder`, else the project's, else the user's own."""
    found = Shelf.find(Path(folder) if folder is not None else None)
    if folder is None and not is_project(found.root):
        own = Shelf.of_user(settings().home)
        return own if is_project(own.root) else found
    return found


def _source(
    shelf: Shelf,
    name: str,
    variant: str | None,
    wanted: str | None,
    *,
    consent: bool,
    isolated: str | None = None,
) -> Source:
    """What of the package is opened; its files are there and as long as the lock says."""
    package = shelf.locked(name, isolated)
    folder = shelf.release(package)
    entry = release_of(shelf, package)
    installed = [*package.installed]
    chosen = _variant(entry, installed, variant)
    artifact = _artifact(chosen, installed, name, wanted)
    require_consent([artifact], given=consent)
    held = {file.path: file.size for file in package.installed_files()}
    for path in artifact.files:
        if path not in held or not _has_size(folder / path, held[path]):
            raise LockStale(
                f"{path} is gone or was changed", where=str(folder), hint="run: shelf sync"
            )
    return Source(folder, entry, chosen, artifact)


def _whole(shelf: Shelf, source: Source, model: Model, *, consent: bool) -> Model:
    """The model with all that runs before and after it, each opened once."""
    models = {_key(source.entry.name, None): model}
    entries = {source.entry.name: _signed(source.entry, model)}

    isolated = source.entry.name if shelf.held().is_isolated(source.entry.name) else ""

    def find(name: str, wanted: Dependency) -> Entry:
        key = _key(name, wanted)
        if key not in models:
            variant = next((each for each in wanted.variants if each != "*"), None)
            found = _source(shelf, name, variant, wanted.format, consent=consent, isolated=isolated)
            models[key] = open_model(found)
            entries[name] = _signed(found.entry, models[key])
        return entries[name]

    made = pipeline(entries[source.entry.name], find)
    if not made.nodes:
        raise Invalid(
            f"{source.entry.name} does not fit together with what runs before and after it",
            where=str(source.folder),
            problems=made.problems,
            hint="modelshelf.load(name, alone=True) opens it without the others",
        )
    return PipelineModel(
        source, made.nodes, lambda stage: models[_key(stage.package, stage.wanted)]
    )


def _key(name: str, wanted: Dependency | None) -> tuple[object, ...]:
    return (name, *((wanted.variants, wanted.format) if wanted else ()))


def _signed(entry: Entry, model: Model) -> Entry:
    """The release with the signatures that its file tells, where the publisher told none."""
    return msgspec.structs.replace(entry, signatures=dict(model.signatures))


def _has_size(path: Path, size: int) -> bool:
    """Whether the file is there and as long as the lock says; the digest was checked on arrival."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _variant(entry: Entry, installed: list[LockedArtifact], wanted: str | None) -> Variant:
    """The variant asked for, else the default one, else the first that is installed."""
    if wanted is not None:
        return named(entry.variants, wanted)
    default = default_variant(entry.variants)
    names = [each.variant for each in installed]
    return default if default.name in names or not names else named(entry.variants, names[0])


def _artifact(
    variant: Variant, installed: list[LockedArtifact], package: str, wanted: str | None
) -> Artifact:
    """An installed artifact of the variant; formats that carry no code go first."""
    have = {each.format for each in installed if each.variant == variant.name}
    fitting = [a for a in variant.artifacts if a.format in have and wanted in (None, a.format)]
    if fitting:
        return min(fitting, key=lambda artifact: carries_code(artifact.format))
    command = f"shelf install {package} --variant {variant.name}"
    raise NotFound(
        f"variant `{variant.name}` of {package} is not installed"
        + (f" as {wanted}" if wanted else ""),
        expected=", ".join(sorted({f"{each.variant} ({each.format})" for each in installed})),
        hint=f"run: {command}" + (f" --format {wanted}" if wanted else ""),
    )
