"""Formats that run the publisher's code are installed and loaded only with consent."""

from __future__ import annotations

from collections.abc import Iterable

from modelshelf.errors import Refused
from modelshelf.formats import formats
from modelshelf.package.record import Artifact

CONSENT = "--allow-pickle"


def code_formats() -> frozenset[str]:
    """Names of the formats that can carry code."""
    return frozenset(name for name, each in formats().items() if each.carries_code)


def require_consent(artifacts: Iterable[Artifact], *, given: bool) -> None:
    """Raise Refused when an artifact can carry code and consent was not given.

    A format that no reader here knows counts as one that can.
    """
    known = formats()
    for artifact in artifacts:
        reader = known.get(artifact.format)
        if not given and (reader is None or reader.carries_code):
            raise Refused(
                f"the format `{artifact.format}` can run the publisher's code on this machine",
                where=artifact.files[0],
                hint=f"choose a safe format (safetensors, onnx), or consent with {CONSENT}",
            )
