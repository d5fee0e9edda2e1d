"""What the text of a page adds to the record that its labels made."""

from __future__ import annotations

import pytest

from modelshelf.package.catalogue import Described, Found
from modelshelf.package.record import Metric, Requires
from tests.importers.sheets import Write, only, sheet_text

USAGE = "## Usage\n```python\nhub.load()\n```"


@pytest.mark.parametrize(
    ("label", "text", "license_", "found"),
    [
        ("format: hub", "## License\nThe MIT License.", "MIT", Found("text")),
        ("format: hub", "Released under the MIT License.", "MIT", Found("text", unsure=True)),
        ("license: custom", "## License\n[AGPL-3.0](https://x.example)", "AGPL-3.0-only", Found("text")),
        ("license: custom", "Ask us.", "LicenseRef-custom", Found("label")),
        ("license: mit", "## License\nApache 2.0", "MIT", Found("label")),
    ],
)  # fmt: skip
def test_a_license_in_the_text(
    write: Write, label: str, text: str, license_: str, found: Found
) -> None:
    release = only(write(page=sheet_text("acme/digits/1", label, text=text)))
    assert release.record.package.license == license_
    assert release.found["package.license"] == found


def test_a_demo_is_where_a_label_leads(write: Write) -> None:
    colab, demo = "https://example.org/n.ipynb", "https://example.org/demo"
    both = sheet_text("acme/digits/1", f"colab: {colab}", f"demo: {demo}")
    assert only(write(page=both)).record.package.demo == demo
    bad = sheet_text("acme/digits/1", "demo: not an address", f"colab: {colab}")
    assert only(write(page=bad)).record.package.demo == colab


def test_use_and_training(write: Write) -> None:
    text = f"{USAGE}\n## Training\nFor 30 epochs."
    release = only(write(page=sheet_text("acme/digits/1", text=text)))
    assert release.record.package.usage == f"{USAGE}\n"
    assert release.record.training is not None
    assert release.record.training.hyperparameters == {"epochs": 30}
    assert release.found["package.usage"] == release.found["training"] == Found("text")


def test_a_deployment_shows_the_use_where_the_page_does_not(write: Write) -> None:
    release: Described = only(
        write(
            page=sheet_text("acme/pose/1", kind="Placeholder"),
            lite=sheet_text("acme/pose/1", "parent-model: acme/pose/1", kind="Lite", text=USAGE),
        )
    )
    assert release.record.package.usage == f"{USAGE}\n"


def test_figures_of_the_package_and_not_of_others(write: Write) -> None:
    text = """\
| model | accuracy |
|---|---|
| [small](https://tfhub.dev/acme/digits/1) | 97.5 % |
| [large](https://tfhub.dev/acme/letters/1) | 99 % |
"""
    release = only(write(page=sheet_text("acme/digits/1", text=text)))
    assert release.record.variants[0].metrics == (Metric("accuracy", 0.975),)
    assert release.found["variants.default.metrics"] == Found("table")


def test_what_must_be_installed(write: Write) -> None:
    text = "Using it requires TensorFlow 2 (or 1.15).\n\n```\npip install digit-tools>=1\n```"
    release = only(write(page=sheet_text("acme/digits/1", text=text)))
    assert release.record.requires == Requires(
        python=("digit-tools>=1",), frameworks={"tensorflow": ">=1.15,<3"}
    )
    assert release.found["requires.python"] == Found("code")
    assert release.found["requires.frameworks"] == Found("text")
