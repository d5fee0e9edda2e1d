"""What files say: static, by their headers, without a framework and without running any code.

    facts = read(Path("small.onnx"))
    facts.signatures["default"], facts.parameters, facts.code

To add a format: add one module here, named like the format, with a constant `FORMAT` (a
`facts.Format`: what the format is called, what it is good for, `claims`, `read`), or offer one from another distribution under
the entry-point group `modelshelf.formats`. A reader only looks at headers, bounds everything it
reads by a constant, and raises FormatError where the bytes do not follow the format.
"""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path

import msgspec

from modelshelf import plugins
from modelshelf.errors import FormatError, NotFound
from modelshelf.formats.facts import Facts, Format, Risk, TensorInfo
from modelshelf.package.vocabularies import vocabulary

__all__ = ["Facts", "Format", "Risk", "TensorInfo", "carrier", "detect", "find", "formats", "read"]

HEAD_BYTES = 512
"""How much of a file `Format.claims` sees."""


@cache
def formats() -> dict[str, Format]:
    """Every format, by name, in the order of their names."""
    modules = [_module(word) for word in vocabulary("formats")]
    offers = plugins.offered(__name__, "FORMAT", modules)
    found = {offer.name: offer for offer in offers if isinstance(offer, Format)}
    return dict(sorted(found.items()))


@cache
def find(name: str) -> Format | None:
    """The format called `name`, None where no reader knows it; imports no other one's module."""
    if name in vocabulary("formats"):
        offers = plugins.offered(__name__, "FORMAT", [_module(name)])
        first = next(offers, None)
        if isinstance(first, Format) and first.name == name:
            return first
    return formats().get(name)


def _module(name: str) -> str:
    """A format's module is named like the format."""
    return name.replace("-", "_")


def carrier(path: Path) -> Path:
    """The file that stands for `path`: itself, or the one that carries a folder's format.

    Raises:
        FormatError: it is a folder without such a file.

    """
    if not path.is_dir():
        return path
    names = [name for form in formats().values() for name in form.carriers]
    found = next((path / name for name in names if (path / name).is_file()), None)
    if found is None:
        raise FormatError(
            f"{path.name} is a folder in no format that is known here",
            where=path.name,
            expected=", ".join(names),
            hint="name the file to look into",
        )
    return found


def detect(path: Path) -> Format | None:
    """The first format that claims `path`, or None.

    Raises:
        NotFound: there is no such file.

    """
    head = _head(path)
    return next((form for form in formats().values() if _claimed(form, path, head)), None)


def read(path: Path, format: str | None = None) -> Facts:  # noqa: A002  the record's word
    """What the file at `path` says, as `format` or as the format that claims it.

    Costs a few milliseconds whatever the size of the file: tensor bytes are never read.

    Raises:
        FormatError: no format claims the file, or its bytes do not follow the format.
        NotFound: there is no such file.

    """
    chosen = _named(format) if format is not None else detect(path)
    if chosen is None:
        raise FormatError(
            f"{path.name} is in no format that is known here",
            where=path.name,
            expected=", ".join(formats()),
            hint="name the format in the artifact, or convert the file to one of these",
        )
    _head(path)
    try:
        facts = chosen.read(path)
        # Names that are no Unicode and absurd numbers must not get past here.
        msgspec.json.encode(facts)
    except FormatError as error:
        raise _placed(error, path, chosen) from error
    except Exception as error:  # hostile bytes must never be more than a refusal
        raise FormatError(
            f"{path.name} cannot be read as {chosen.name}",
            where=path.name,
            got=f"{type(error).__name__}: {str(error)[:200]}",
            hint="the file is damaged or made to mislead; export it again",
        ) from error
    return facts


def _named(name: str) -> Format:
    found = find(name)
    if found is not None:
        return found
    known = formats()
    near = difflib.get_close_matches(name, known, n=1)
    raise FormatError(
        f"there is no format {name!r}",
        expected=", ".join(known),
        got=name,
        hint=f"did you mean {near[0]!r}?" if near else "see the reference page on formats",
    )


def _claimed(form: Format, path: Path, head: bytes) -> bool:
    try:
        return form.claims(path, head)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, MemoryError) as error:
        raise FormatError(
            f"{path.name} cannot be looked into",
            where=path.name,
            got=f"{type(error).__name__}: {str(error)[:200]}",
        ) from error


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise NotFound(f"there is no file {path.name}", where=path.name)
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise FormatError(
            f"{path.name} cannot be opened", where=path.name, got=error.strerror
        ) from error


def _placed(error: FormatError, path: Path, chosen: Format) -> FormatError:
    return FormatError(
        error.message,
        where=error.where or path.name,
        expected=error.expected,
        got=error.got,
        hint=error.hint or f"the file is no valid {chosen.name} file; export it again",
        problems=error.problems,
    )
