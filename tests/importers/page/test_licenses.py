"""Licenses as people write them, on labels and in sentences."""

from __future__ import annotations

import pytest

from modelshelf.importers.page.licenses import Stated, expression, stated
from modelshelf.importers.page.markdown import read
from modelshelf.package.rules import RULES
from tests.importers.page.hostile import survives


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The MIT License", "MIT"),
        ("mit", "MIT"),
        ("CC-BY-NC-4.0", "CC-BY-NC-4.0"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("custom", "LicenseRef-custom"),
        ("our own (see below)", "LicenseRef-our-own-see-below"),
        ("  ", None),
        ("\u4f60", None),
    ],
)
def test_a_license_as_written(written: str, expected: str | None) -> None:
    assert expression(written) == expected
    assert expected is None or RULES["package.license"](expected) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "## License\nThis model follows [*Apache 2.0*](https://x.example).",
            ("Apache-2.0", False),
        ),
        (
            "## License\nSee [here](https://www.apache.org/licenses/LICENSE-2.0).",
            ("Apache-2.0", False),
        ),
        (
            "## Terms of use\nhttps://creativecommons.org/licenses/by-nc-sa/4.0/legalcode",
            ("CC-BY-NC-SA-4.0", False),
        ),
        ("The weights are released under the MIT License.", ("MIT", True)),
        ("Licensed under the Apache License, Version 2.0 (the License)", ("Apache-2.0", True)),
        ("It was found under the Ruby bridge. It runs on Intel.", None),
        ("## License\nAsk Ruby at Intel.", None),
        ("", None),
    ],
)
def test_a_license_that_a_page_names(text: str, expected: tuple[str, bool] | None) -> None:
    assert stated(read(text)) == (Stated(*expected) if expected else None)


@pytest.mark.no_cover
def test_hostile_pages_end() -> None:
    assert survives("modelshelf.importers.page.licenses", "stated") == ""
