"""Which license grants what another one does."""

from __future__ import annotations

import pytest
from packaging.licenses import canonicalize_license_expression

from modelshelf.package.license import grants
from modelshelf.package.vocabularies import vocabulary


@pytest.mark.parametrize(
    ("old", "new", "onwards", "back"),
    [
        ("MIT", "MIT", True, True),
        ("MIT", "Apache-2.0", True, True),
        ("MIT", "MPL-2.0", False, True),
        ("MPL-2.0", "EPL-2.0", False, False),
        ("LGPL-3.0-only", "GPL-3.0-only", False, True),
        ("GPL-3.0-only", "AGPL-3.0-only", False, True),
        ("GPL-2.0-only", "GPL-2.0-or-later", True, False),
        ("GPL-2.0-only", "GPL-3.0-only", False, False),
        ("GPL-3.0-only", "GPL-2.0-or-later", True, False),
        ("GPL-2.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", True, False),
        ("CC-BY-4.0", "CC-BY-NC-4.0", False, True),
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", False, True),
        ("CC-BY-NC-4.0", "CC-BY-ND-4.0", False, False),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", True, True),
        ("MIT", "LicenseRef-mine", False, True),
        ("LicenseRef-mine", "LicenseRef-yours", False, False),
        ("MIT", "MIT OR GPL-3.0-only", True, True),
        ("GPL-3.0-only", "MIT OR GPL-3.0-only", True, False),
        ("MIT", "MIT AND GPL-3.0-only", False, True),
        ("MIT AND ISC", "(MIT OR GPL-3.0-only) AND ISC", True, True),
        ("MPL-2.0 AND (MIT OR EPL-2.0)", "MPL-2.0", True, True),
        ("MIT", None, False, True),
        (None, None, True, True),
        ("MIT", "(MIT", False, True),
        ("MIT", " AND ".join(["(MIT OR ISC)"] * 30), False, True),
        ("MIT", "(" * 9000 + "MIT" + ")" * 9000, False, True),
    ],
)
def test_grants(old: str | None, new: str | None, onwards: bool, back: bool) -> None:
    assert (grants(new, old), grants(old, new)) == (onwards, back)


@pytest.mark.parametrize("name", vocabulary("licenses"))
def test_listed_licenses_are_those_of_spdx(name: str) -> None:
    assert canonicalize_license_expression(name) == name
    words = {"weak", "strong", "network", "non-commercial", "no-derivatives"}
    assert set(vocabulary("licenses")[name].split()) <= words
