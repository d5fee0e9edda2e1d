"""Handles of other hubs, however they are written."""

from __future__ import annotations

import pytest

from modelshelf.package.handle import bare, spelled, versionless


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("acme/some_Model/3", "acme/some_Model/3"),
        ("https://hub.example/acme/some_model/3", "acme/some_model/3"),
        ("https://hub.example/acme/m/3?format=compressed", "acme/m/3"),
        ("http:/hub.example/acme/m/3/#usage", "acme/m/3"),  # proxies make one slash of two
        ("https://hub.example/hub/acme_vision_net/", "hub/acme_vision_net"),
        (" /acme/m/\u200c3/ ", "acme/m/3"),
        ("https://hub.example", ""),
        ("x" * 600, ""),
    ],
)
def test_bare(text: str, handle: str) -> None:
    assert bare(text) == handle


@pytest.mark.parametrize(
    ("handle", "package"),
    [("acme/m/3", "acme/m"), ("acme/m", "acme/m"), ("3", "3"), ("acme/m3", "acme/m3")],
)
def test_versionless(handle: str, package: str) -> None:
    assert versionless(handle) == package


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("tfhub:acme/m/3", ("tfhub", "acme/m/3")),
        ("tfhub:https://hub.example/acme/m/3", ("tfhub", "acme/m/3")),
        ("https://hub.example/acme/m/3", ("any", "acme/m/3")),
        ("acme/digits", None),
        ("acme/digits@1.0.0", None),
        ("acme/digits:small", None),
    ],
)
def test_spelled(text: str, meant: tuple[str, str] | None) -> None:
    assert spelled(text) == meant
