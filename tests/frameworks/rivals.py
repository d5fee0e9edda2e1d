"""What other scanners say of files: run where they are, with a folder; prints JSON.

A file counts as refused where a scanner finds something, or cannot read it and says so.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from zipfile import is_zipfile

from fickling import scan_file, scan_zip_archive
from modelscan.modelscan import ModelScan
from picklescan.scanner import scan_file_path


def picklescan(path: Path) -> bool:
    """Whether picklescan refuses a file."""
    found = scan_file_path(str(path))
    return bool(found.issues_count or found.scan_err)


def fickling(path: Path) -> bool:
    """Whether fickling refuses a file, or a pickle in an archive."""
    if is_zipfile(path):
        return not all(scan_zip_archive(str(path), graceful=True).values())
    return not scan_file(str(path), graceful=True)


def modelscan(path: Path) -> bool:
    """Whether modelscan refuses a file; what it skips is not refused."""
    found = ModelScan().scan(path)
    return bool(found["summary"]["total_issues"] or found["errors"])


def main(folder: Path) -> None:
    """Ask each scanner about each file; one that fails altogether counts as refusing."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    rivals: list[Callable[[Path], bool]] = [picklescan, fickling, modelscan]
    told: dict[str, dict[str, bool]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        answers = told.setdefault(path.relative_to(folder).as_posix(), {})
        for rival in rivals:
            name = f"{rival.__name__} {version(rival.__name__)}"
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                try:
                    answers[name] = rival(path)
                except Exception:  # noqa: BLE001  whatever it is, the user sees no green light
                    answers[name] = True
    sys.stdout.write(json.dumps(told))


main(Path(sys.argv[1]))
