from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelshelf.errors import NotFound
from modelshelf.importers import read
from modelshelf.package.catalogue import Catalogue, Described, Found
from modelshelf.package.manifest import problems
from modelshelf.package.record import Developer, Entrypoint, Parameter
from tests.importers.page.hostile import TEXTS
from tests.importers.pytorchhub_pages import (
    HTML,
    META,
    SPEAKER,
    TEMPLATE,
    TRANSLATOR,
    WREN,
    speakers,
    written,
)


def catalogue(folder: Path, **pages: str) -> Catalogue:
    """The catalogue of pages, by their names without `.md`."""
    files = {f"{name}.md": text for name, text in pages.items()}
    return read(f"pytorchhub:{written(folder, files)}")


def only(folder: Path, text: str, name: str = "acme_nets_wren") -> Described:
    (release,) = catalogue(folder, **{name: text}).releases
    return release


def test_a_page_becomes_a_package(tmp_path: Path) -> None:
    release = only(tmp_path, WREN)
    package = release.record.package
    assert (package.name, package.version) == ("acme/nets-wren", "1.0.0")
    assert package.summary == "Small networks pre-trained on DigitSet"
    assert package.developers == (Developer("Acme Team", kind="organization"),)
    assert package.keywords == ("vision", "scriptable")
    assert (package.task, package.algorithm) == ("image-classification", "WrenNet")
    assert package.datasets == ("DigitSet",)
    assert package.source == "https://github.com/Acme/nets"
    assert package.demo == "https://demo.example/wren"
    assert package.papers == ("https://arxiv.org/abs/1234.56789",)
    assert package.license is None
    assert release.record.requires.hardware == ("cuda-optional",)
    assert release.record.requires.python == ("acme-tools",)
    assert problems(release.record, described=True) == []


def test_where_each_fact_was_found(tmp_path: Path) -> None:
    release = only(tmp_path, WREN)
    assert (release.handle, release.page) == ("acme_nets_wren", "acme_nets_wren.md")
    assert release.url == "https://pytorch.org/hub/acme_nets_wren/"
    assert release.text.startswith("```python\nimport torch")
    assert release.labels["accelerator"] == ("cuda-optional",)
    assert release.found["package.version"] == Found("default")
    assert release.found["package.summary"] == Found("label")
    assert release.found["package.task"] == Found("text", unsure=True)
    assert release.found["package.datasets"] == Found("text")
    assert release.found["package.issues"] == Found("hub")
    assert release.found["entrypoints"] == Found("code")


def test_variants_with_their_entrypoints_features_and_figures(tmp_path: Path) -> None:
    record = only(tmp_path, WREN).record
    first, second = record.variants
    assert (first.name, first.entrypoint) == ("wren18", "wren18")
    assert (second.name, second.features) == ("wren50-bn", {"depth": 50, "batch-norm": True})
    assert first.artifacts[0].format == "pytorch-hub"
    assert [(each.name, each.value) for each in second.metrics] == [
        ("top-1-error", 0.2425),
        ("top-5-error", 0.075),
    ]
    pretrained = Parameter("pretrained", "bool", None, "such as `True`")
    assert record.entrypoints["wren18"] == Entrypoint(parameters=(pretrained,))


PREPARED = """\
---
title: Net
---
```
net = torch.hub.load('acme/nets', 'net', "odd \\x00 \\ud800 text", big=0xFF)
```
```
prepare = transforms.Compose([
    transforms.Resize((64, 64), Image.BILINEAR),
    transforms.CenterCrop(size),
    T.ToTensor(), Normalize(mean=[-0.5, 0x%s], std=(0.25,), fast=True, name="a\\x00"),
    other,
])
```
""" % ("F" * 9000)


def test_what_is_done_to_data_before(tmp_path: Path) -> None:
    release = only(tmp_path, PREPARED)
    assert release.record.preprocessing
    assert release.record.preprocessing.steps == (
        "resize 64 64 bilinear",
        "center-crop",
        "to-tensor",
        "normalize mean -0.5 std 0.25 fast true",
    )
    assert release.found["preprocessing"] == Found("code")
    assert problems(release.record, described=True) == []


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_change_nothing(tmp_path: Path, end: str) -> None:
    plain = only(tmp_path / "a", WREN)
    assert only(tmp_path / "b", WREN.replace("\n", end)) == plain


def test_pages_that_work_together(tmp_path: Path) -> None:
    found = read(f"pytorchhub:{written(tmp_path, speakers())}").releases
    speaker, vocoder = (each.record for each in found)
    assert (speaker.package.task, vocoder.package.task) == ("text-to-mel", "audio-speech-synthesis")
    assert {name: each.kind for name, each in speaker.dependencies.items()} == {
        "acme/speech-vocoder": "pipeline"
    }
    assert {name: each.kind for name, each in vocoder.dependencies.items()} == {
        "acme/speech-speaker": "preprocess"
    }
    assert [variant.name for variant in speaker.variants] == ["acme-speaker"]
    assert list(speaker.entrypoints) == ["acme_speaker", "acme_tts_utils"]


def test_without_the_other_page_all_is_the_pages_own(tmp_path: Path) -> None:
    text = SPEAKER.format(title="Speaker", own="speaker", other="vocoder", summary="Speaks")
    record = only(tmp_path, text, "acme_speech_speaker").record
    assert [variant.name for variant in record.variants] == ["acme-speaker", "acme-vocoder"]
    assert record.dependencies == {}


def test_models_that_differ_say_in_what(tmp_path: Path) -> None:
    release = only(tmp_path, TRANSLATOR, "annbell_shift_translation")
    package = release.record.package
    assert (package.task, package.language) == ("text-translation", "de, en, fr")
    first, second = release.record.variants
    assert first.features["language"] == "en, fr"
    assert first.features["dataset"] == "WMX'14"
    assert (second.features["language"], second.features["source-language"]) == ("de, en", "de")
    assert release.found["entrypoints"].unsure


def test_who_made_them(tmp_path: Path) -> None:
    pages = {"annbell_shift": TRANSLATOR, "acme_nets_wren": WREN}
    found = catalogue(tmp_path, **pages)
    assert [(each.name, each.handle, each.display, each.kind) for each in found.publishers] == [
        ("acme", "Acme", "Acme Team", "organization"),
        ("annbell", "annbell", "Ann Bell", "person"),
    ]


def test_pages_of_html_are_read_where_the_markdown_is_missing(tmp_path: Path) -> None:
    pages = {"html/WrenNet/webpage.html": HTML, "meta_info.json": META}
    (release,) = read(f"pytorchhub:{written(tmp_path, pages)}").releases
    package = release.record.package
    assert (release.handle, package.name) == ("acme_nets_wren", "acme/nets-wren")
    assert package.summary == "Small networks pre-trained on DigitSet"
    assert package.developers == (Developer("Acme Team", kind="organization"),)
    assert package.keywords == ("vision", "scriptable")
    assert package.demo == "https://colab.example/wren.ipynb"
    assert [variant.name for variant in release.record.variants] == ["wren18", "wren34"]
    assert "| wren18 | 30.5 |\n| wren34 | 28.5 |" in release.text
    assert "* one `a|b`" in release.text


def test_markdown_goes_before_html(tmp_path: Path) -> None:
    pages = {
        "md/acme_nets_wren.md": WREN,
        "html/WrenNet/webpage.html": HTML,
        "html/Empty/webpage.html": "<p>nothing</p>",
        "meta_info.json": META,
    }
    found = read(f"pytorchhub:{written(tmp_path, pages)}")
    assert [release.page for release in found.releases] == ["md/acme_nets_wren.md"]
    assert {page.path: (page.outcome, page.reason) for page in found.pages} == {
        "md/acme_nets_wren.md": ("imported", ""),
        "html/WrenNet/webpage.html": ("merged", "the same page as md/acme_nets_wren.md"),
        "html/Empty/webpage.html": ("skipped", "it holds no article"),
        "meta_info.json": ("merged", "names and tags of the pages in HTML"),
    }


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("README.md", WREN, "documentation of the hub itself"),
        ("CONTRIBUTING.md", "How to", "documentation of the hub itself"),
        ("docs/page.md", WREN, "documentation of the hub itself"),
        ("page.md", TEMPLATE, "a template: its fields are not filled"),
        ("page.md", " \n", "empty"),
        ("page.md", "# Words\n", "neither a title nor a call of torch.hub.load"),
    ],
)
def test_what_is_no_page_is_accounted_for(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    found = read(f"pytorchhub:{written(tmp_path, {name: text, 'acme_nets_wren.md': WREN})}")
    assert len(found.releases) == 1
    assert {page.reason for page in found.pages} == {"", reason}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\nx = torch.hub.load('acme/nets', 'wren18')\n```", "no front matter"),
        ("---\ntitle: A\n\n# Text", "no --- at its end"),
        ("title: A\nauthor: B\n---\nText", "no --- at its beginning"),
    ],
)
def test_broken_front_matter_is_told(tmp_path: Path, text: str, expected: str) -> None:
    found = catalogue(tmp_path, acme_nets_wren=text)
    (page,) = found.pages
    assert (page.outcome, page.reason) == ("imported", expected)
    (release,) = found.releases
    assert release.record.package.name == "acme/nets-wren"
    assert release.record.variants
    assert problems(release.record, described=True) == []


def test_names_that_would_be_the_same(tmp_path: Path) -> None:
    call = "---\ntitle: A\n---\n```\ntorch.hub.load('acme/nets', 'wren18')\n```"
    found = catalogue(tmp_path, acme_wren=call, wren=call, Acme_Wren=call)
    names = [release.record.package.name for release in found.releases]
    assert len(set(names)) == 3
    assert all(name.startswith("acme/") for name in names)


def test_an_archive_is_read_as_its_folder_is(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "hub", {"md/acme_nets_wren.md": WREN, "md/docs/template.md": TEMPLATE}
    )
    with tarfile.open(tmp_path / "hub.tar.gz", "w:gz") as packed:
        packed.add(folder, "hub")
    of_archive = read(f"pytorchhub:{tmp_path / 'hub.tar.gz'}")
    assert of_archive.releases == read(f"pytorchhub:{folder}").releases
    told: list[tuple[int, int]] = []
    read(f"pytorchhub:{folder}", lambda done, of: told.append((done, of)))
    assert told == [(1, 1)]


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read(f"pytorchhub:{tmp_path / 'absent'}")


damages = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.sampled_from(["", "---\n", "```\n", "|", "(", "'",
              "torch.hub.load('a/b', 'c')", "[a](b)", "\u201d", "#", "<", "\t", "{" * 99])),
    max_size=4,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([WREN, TRANSLATOR, HTML, META, *speakers().values()]), damages)
def test_damaged_pages_are_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, text: str, damage: list[tuple[float, float, str]]
) -> None:
    for start, length, piece in damage:
        at = int(start * len(text))
        text = text[:at] + piece + text[at + int(length * len(text)) :]
    folder = tmp_path_factory.mktemp("damaged")
    names = ("acme_nets_wren.md", "html/WrenNet/webpage.html", "meta_info.json")
    found = read(f"pytorchhub:{written(folder, dict.fromkeys(names, text))}")
    assert sorted(page.path for page in found.pages) == sorted(names)
    for release in found.releases:
        assert problems(release.record, described=True) == []


@pytest.mark.no_cover
def test_pages_that_keep_a_reader_busy(tmp_path: Path) -> None:
    texts = {f"acme_{number}": f"---\ntitle: A\n---\n{text[:60_000]}"
             for number, text in enumerate(TEXTS.values())}  # fmt: skip
    assert len(catalogue(tmp_path, **texts).releases) == len(texts)
