"""The Python needs of all models, resolved, as `pylock.toml` (PEP 751).

https://packaging.python.org/en/latest/specifications/pylock-toml/. A package there must say where
its files are and what their hashes are, so what is installed cannot be written down as it stands.
pip, with the indexes that the user has set for it, says both without installing: `--dry-run
--report`. Only wheels are taken: nothing is built, no package's code runs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from modelshelf.client.exports import Contents, Export
from modelshelf.client.exports.requirements import Line, lines
from modelshelf.errors import Invalid, NetworkError, NotFound, ShelfError, Unsatisfiable
from modelshelf.package.python_needs import PYTHON

LOCK_VERSION = "1.0"
_MARKERS = ("implementation_name", "platform_machine", "python_version", "sys_platform")
"""What decides which wheel fits, so far as markers can say it."""
_UNREACHABLE = re.compile(
    r"Retrying|connection broken|Could not fetch URL|timed out", re.IGNORECASE
)


class _Archive(msgspec.Struct, frozen=True):
    hashes: dict[str, str] = {}


class _Download(msgspec.Struct, frozen=True):
    url: str
    archive_info: _Archive | None = None


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    version: str
    requires_python: str | None = None


class _Install(msgspec.Struct, frozen=True):
    download_info: _Download
    metadata: _Metadata
    is_direct: bool = False


class _Report(msgspec.Struct, frozen=True):
    """https://pip.pypa.io/en/stable/reference/installation-report/, as far as it is used."""

    install: tuple[_Install, ...]
    environment: dict[str, str]


def write(contents: Contents) -> str:
    """The text of `pylock.toml`, for this interpreter on this kind of machine.

    Raises Unsatisfiable (no versions, or no wheels of them, fit together), NetworkError, NotFound
    (there is no pip), Invalid (a need names sources instead of a wheel).
    """
    import tomlkit

    wanted = [each for each in lines(contents) if each.name != PYTHON]
    for line in wanted:
        _require_wheel(line)
    report = _resolved([each.requirement for each in wanted], offline=contents.offline)
    markers = [f"{name} == '{report.environment[name]}'" for name in _MARKERS]
    document = {
        "lock-version": LOCK_VERSION,
        "environments": [" and ".join(markers)],
        "requires-python": f"=={report.environment['python_version']}.*",
        "created-by": "modelshelf",
        "packages": sorted(
            (_package(each) for each in report.install), key=lambda p: str(p["name"])
        ),
    }
    return tomlkit.dumps(document)


def _require_wheel(line: Line) -> None:
    if line.url and not line.url.partition("#")[0].endswith(".whl"):
        raise Invalid(
            f"{line.name} comes from sources, which would have to be built to be locked",
            where=", ".join(line.asking),
            got=line.url,
            hint="use: shelf export requirements",
        )


def _package(install: _Install) -> dict[str, object]:
    from packaging.utils import canonicalize_name

    told, source = install.metadata, install.download_info
    if source.archive_info is None or not source.archive_info.hashes:
        raise Invalid(f"pip tells no hash of {told.name} {told.version}", got=source.url)
    file = {"url": source.url, "hashes": dict(sorted(source.archive_info.hashes.items()))}
    package: dict[str, object] = {"name": canonicalize_name(told.name), "version": told.version}
    if told.requires_python:
        package["requires-python"] = told.requires_python
    if install.is_direct:
        return {**package, "archive": file}
    return {**package, "wheels": [{"name": source.url.rpartition("/")[2], **file}]}


def _resolved(requirements: list[str], *, offline: bool) -> _Report:
    """What pip would install, if nothing were installed."""
    command = [
        sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
        "--dry-run", "--ignore-installed", "--only-binary", ":all:",
        *(["--no-index"] if offline else []),
    ]  # fmt: skip
    if not requirements:
        from packaging.markers import default_environment

        return _Report((), {name: str(each) for name, each in default_environment().items()})
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(  # noqa: S603 (our own interpreter; requirements begin with a name)
            [*command, "--report", str(report), "--", *requirements],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            raise _failed(done.stderr)
        try:
            return msgspec.convert(json.loads(report.read_bytes()), _Report)
        except (OSError, ValueError, msgspec.ValidationError) as error:
            raise ShelfError(
                f"pip wrote no report: {error}", hint="pip 22.2 and newer do: upgrade pip"
            ) from None


def _failed(told: str) -> ShelfError:
    if "No module named pip" in told:
        return NotFound(
            "this Python has no pip to ask for versions",
            where=sys.executable,
            hint="python -m ensurepip, or: shelf export requirements and uv pip compile",
        )
    errors = re.findall(r"^ERROR: (.*)$", told, re.MULTILINE) or told.strip().splitlines()[-1:]
    kind = NetworkError if _UNREACHABLE.search(told) else Unsatisfiable
    return kind(
        "pip finds no wheels that go together",
        got="; ".join(errors)[:1000],
        hint="pip's own settings say where it looks; shelf export requirements needs no index",
    )


EXPORT = Export(
    "pylock", "the same with versions and hashes of wheels (PEP 751)", "pylock.toml", write
)
