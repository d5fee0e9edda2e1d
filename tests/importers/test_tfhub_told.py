"""What the text of a page adds to the record that its labels made."""

from __future__ import annotations

import pytest

from modelshelf.package.catalogue import Described, Found
from modelshelf.package.record import Dependency, Metric, Requires
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


def test_where_the_page_leads(write: Write) -> None:
    text = """\
It was published as [Digits](https://arxiv.org/abs/1234.56789v2). The code of this model is at
[acme/digits](https://github.com/acme/digits/tree/main/train).
[Try it in a notebook](https://colab.research.google.com/github/acme/digits/blob/main/a.ipynb).
"""
    package = only(write(page=sheet_text("acme/digits/1", text=text))).record.package
    assert package.papers == ("https://arxiv.org/abs/1234.56789",)
    assert package.source == "https://github.com/acme/digits"
    assert package.demo is not None
    assert package.demo.endswith("/a.ipynb")


def test_what_goes_in_is_a_dependency(write: Write) -> None:
    text = """\
The separate preprocessor at https://tfhub.dev/acme/Text_Preprocess/3 makes its inputs. Others are
[large](https://tfhub.dev/acme/large/1) and https://tfhub.dev/acme/unknown_preprocess/1.
"""
    catalogue = write(
        page=sheet_text("acme/encoder/1", text=text),
        preprocess=sheet_text("acme/Text_Preprocess/3"),
        other=sheet_text("acme/large/1"),
    )
    release = next(each for each in catalogue.releases if each.handle == "acme/encoder/1")
    assert release.record.dependencies == {
        "acme/text-preprocess": Dependency("^3.0.0", kind="preprocess")
    }
    assert release.found["dependencies.acme/text-preprocess"].source == "text"


def test_each_version_has_its_notes_from_the_newest_page(write: Write) -> None:
    log = "## Changelog\n\n#### Version 1\n\n* First.\n\n#### Version 2\n\n* Faster.\n"
    catalogue = write(
        one=sheet_text("acme/digits/1"),
        two=sheet_text("acme/digits/2", text=log),
        three=sheet_text("acme/digits/3"),
        other=sheet_text("acme/letters/1"),
    )
    notes = [each.record.package.notes for each in catalogue.releases]
    assert notes == ["* First.\n", "* Faster.\n", None, None]
    assert catalogue.releases[0].found["package.notes"] == Found("text")


def test_a_changelog_without_versions_may_be_about_this_one(write: Write) -> None:
    release = only(write(page=sheet_text("acme/digits/1", text="## Changelog\n\n* Faster.")))
    assert release.record.package.notes is not None
    assert release.found["package.notes"] == Found("text", unsure=True)


def test_how_it_is_called(write: Write) -> None:
    text = """\
## Inputs
*   `images`: a float32 tensor of shape `[batch_size, 28, 28, 1]`.

## Outputs
*   `logits`: a float32 tensor of shape `[batch_size, 10]`.
"""
    release = only(write(page=sheet_text("acme/digits/1", text=text)))
    (signature,) = release.record.signatures.values()
    assert signature.inputs["images"].shape is not None
    assert signature.inputs["images"].shape[1:] == (28, 28, 1)
    assert release.found["signatures"].source in ("text", "code")


def test_a_page_may_only_name_its_signatures(write: Write) -> None:
    text = "It has the signatures `default` and `digits`, see elsewhere."
    release = only(write(page=sheet_text("acme/digits/1", text=text)))
    assert release.record.signatures == {}
    assert release.found["interfaces"] == Found("text")
