"""Options that several commands share, and the objects that they stand for."""

from __future__ import annotations

import argparse
import os

import msgspec

from modelshelf.cli.output import Output
from modelshelf.client.settings import Settings, settings
from modelshelf.errors import NetworkError, NotFound, UsageError
from modelshelf.package import condition, handle
from modelshelf.package import name as names
from modelshelf.package.record import Dependency, Record
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version
from modelshelf.package.vocabularies import nearest, vocabulary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.checks.contract import Contract
    from modelshelf.client.compare import Around
    from modelshelf.client.rate import Bucket
    from modelshelf.client.remote import Registry


OFFLINE = "MODELSHELF_OFFLINE"


def add_registry(parser: argparse.ArgumentParser) -> None:
    """`--registry URL`."""
    parser.add_argument("--registry", metavar="URL", help="the registry to ask")


def add_limit_rate(parser: argparse.ArgumentParser) -> None:
    """`--limit-rate RATE`."""
    parser.add_argument(
        "--limit-rate",
        metavar="RATE",
        help="move no more bytes a second than this, such as 500K or 2M",
    )


def rate_of(arguments: argparse.Namespace) -> Bucket | None:
    """How fast bytes may pass, None where `--limit-rate` says nothing."""
    given = getattr(arguments, "limit_rate", None)
    if given is None:
        return None
    from modelshelf.client.rate import Bucket, parsed

    return Bucket(parsed(given))


def registry_of(arguments: argparse.Namespace) -> tuple[Registry, Settings]:
    """The registry that the arguments, the environment or the settings name."""
    from modelshelf.client.remote import Registry

    chosen = settings(arguments.registry)
    return Registry(chosen, offline=is_offline(arguments), rate=rate_of(arguments)), chosen


def is_offline(arguments: argparse.Namespace) -> bool:
    """Whether `--offline`, where the command has it, or MODELSHELF_OFFLINE says so."""
    told = os.environ.get(OFFLINE, "") not in ("", "0")
    return told or bool(getattr(arguments, "offline", False))


def surroundings(registry: Registry, output: Output, against: str | None = None) -> Around:
    """What a check asks of the world; that the registry cannot be reached is only a note.

    `against` names what to compare with, instead of the release before: see `shelf check`.
    """
    from modelshelf.client.compare import ALONE, Around, around, side

    if against == "none":
        return ALONE
    try:
        registry.http.send("GET", "/healthz")
    except NetworkError as error:
        if against is not None and "@" in against:
            raise
        output.note(f"Not compared with the release before: {error.message}")
        asked = ALONE
    else:
        asked = around(registry)

    def before(record: Record) -> Contract | None:
        if against is not None:
            return side(registry, against)
        try:
            return asked.before(record)
        except NotFound as error:
            output.note(f"Not compared with the release before: {error.message}")
            return None

    return Around(before, asked.find)


def add_consent(
    parser: argparse.ArgumentParser,
    meaning: str = "consent to formats that can run the publisher's code",
) -> None:
    """`--allow-pickle`."""
    parser.add_argument("--allow-pickle", action="store_true", help=meaning)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Options that narrow what is installed of a package."""
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME",
        help="a model of the package (again for more; '*' for all; default: the package's default)",
    )
    parser.add_argument("--format", metavar="NAME", help="such as onnx, safetensors, pytorch-hub")
    parser.add_argument("--context", metavar="NAME", help="such as python, edge, javascript")
    parser.add_argument(
        "--isolated",
        action="store_true",
        help="let the package have what it needs for itself, in versions that others do not share",
    )


def split(text: str) -> tuple[str, str | None]:
    """`acme/digits@^1.0[width<=0.5]` → the name and the range with its pins, None without any.

    Raises Invalid for what is no name.
    """
    name, at, wanted = text.partition("@")
    if "[" in name:
        name, bracket, rest = text.partition("[")
        at, wanted = "@", bracket + rest
    names.parse(name)
    if at and not wanted:
        raise UsageError(f"`{text}` ends in @", expected="NAME or NAME@RANGE")
    return name, wanted or None


def dependency(arguments: argparse.Namespace, wanted: str, known: Dependency | None) -> Dependency:
    """What goes into `shelf.toml`: the options given, over what was there.

    Pins in brackets (`^2[width<=0.5]`) take the place of all that was pinned before.
    """
    for option, words in (("format", "formats"), ("context", "contexts")):
        _require_word(option, words, getattr(arguments, option))
    ranged, pins = condition.split(wanted)
    Requirement.parse(ranged)
    base = known or Dependency(ranged)
    if "[" in wanted:
        base = msgspec.structs.replace(base, variants=(), format=None, context=None, where=None)
    variants = list(pins.get("variants", base.variants))
    variants += [name for name in arguments.variant if name not in variants]
    return msgspec.structs.replace(
        base,
        version=ranged,
        variants=tuple(variants),
        format=arguments.format or pins.get("format") or base.format,
        context=arguments.context or pins.get("context") or base.context,
        where=pins.get("where") or base.where,
        isolated=arguments.isolated or base.isolated,
    )


def _require_word(option: str, words: str, given: str | None) -> None:
    """Raise UsageError with the nearest word where an option names none of a vocabulary."""
    known = list(vocabulary(words))
    if given is not None and given not in known:
        hint = nearest(given, known) or f"known: {', '.join(sorted(known))}"
        raise UsageError(f"there is no {option} `{given[:60]}`", hint=hint)


def release_in(registry: Registry, text: str) -> tuple[str, str | None]:
    """The same, or the release that another hub calls so: `tfhub:HANDLE`, or an address there."""
    if meant := handle.spelled(text):
        found = registry.resolve(*meant)
        return found.package, found.version
    return release(text)


def release(text: str) -> tuple[str, str | None]:
    """`acme/digits@1.0.0` → the name and the exact version, None where there is none."""
    name, version = split(text)
    if version is not None:
        Version.parse(version)
    return name, version
