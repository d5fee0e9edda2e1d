"""Formats that run the publisher's code are installed and loaded only with consent."""

from __future__ import annotations

from collections.abc import Iterable

from modelshelf import formats
from modelshelf.errors import Refused
from modelshelf.package.record import Artifact

CONSENT = "--allow-pickle"


def carries_code(format_name: str) -> bool:
    """Whether a file in this format can run code; one that no reader here knows counts as one."""
    reader = formats.find(format_name)
    return reader is None or reader.carries_code


def require_consent(artifacts: Iterable[Artifact], *, given: bool) -> None:
    """Raise Refused when an artifact can carry code and consent was not given."""
    for artifact in artifacts:
        if not given and carries_code(artifact.format):
            raise Refused(
                f"the format `{artifact.format}` can run the publisher's code on this machine",
                where=artifact.files[0],
                hint=f"choose a safe format (safetensors, onnx), or consent with {CONSENT}",
            )
