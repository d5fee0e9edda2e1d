"""What the words of a page tell of its models: task, data, algorithm, makers, features."""

from __future__ import annotations

import pytest

from modelshelf.importers.page.architectures import algorithms, titles, without_owner
from modelshelf.importers.page.markdown import read
from modelshelf.importers.page.name_features import features, languages
from modelshelf.importers.page.people import people
from modelshelf.importers.page.purpose import named_purpose, purpose
from modelshelf.importers.page.trained_on import in_title, trained_on


@pytest.mark.parametrize(
    ("head", "keywords", "text", "task", "told"),
    [
        ("Net. Finds objects: object detection", ["vision"], "", "image-object-detection", True),
        ("Net. Efficient networks", ["vision"], "Model | Top-1 error\n--- | ---\na | 1",
         "image-classification", False),
        ("Net for generating mel spectrograms from text", ["audio"], "", "text-to-mel", True),
        ("Net for generating speech from mel spectrograms", ["audio"], "", "audio-speech-synthesis", True),
        ("Net", ["nlp"], "## Translation\n## Question answering\nA language model. An encoder.",
         "text-embedding", False),
        ("Net", ["nlp"], "It classifies sentences.", "text-classification", False),
        ("Net: detection and segmentation", ["vision", "scriptable"], "", "image-object-detection", True),
        ("Net", [], "", None, False),
    ],
)  # fmt: skip
def test_purpose(head: str, keywords: list[str], text: str, task: str | None, told: bool) -> None:
    found = purpose(read(text), head, "", keywords)
    assert (found.task if found else None) == task
    assert found is None or found.told is told


def test_the_folders_of_the_source_tell_the_task() -> None:
    found = purpose(read("Has 21 classes."), "Net", "acme/nets/segmentation/net.py", ["vision"])
    assert found
    assert found.task == "image-segmentation"


def test_purpose_by_the_name_of_an_entrypoint() -> None:
    assert named_purpose("modelForQuestionAnswering", ["nlp"]) == "text-question-answering"
    assert named_purpose("model", ["nlp"]) is None


@pytest.mark.parametrize(
    ("text", "datasets", "told"),
    [
        ("Pre-trained on Digits400.", ["Digits400"], True),
        ("Load the model pretrained on UCI Digits dataset.", ["UCI Digits"], True),
        ("It was trained on a subset of SIGNS train2017, on what is also in the ROAD dataset.",
         ["SIGNS train2017"], True),
        ("Trained in a way on 940 million public images, then fine-tuned with the DigitNet training dataset.",
         ["940 million public images", "DigitNet"], True),
        ("Pre-trained for a task on a dataset of brain MRI volumes.", ["brain MRI volumes"], True),
        ('trained on faces, "celebX" dataset', ["celebX"], True),
        ("Finetuned for MNLX.", ["MNLX"], True),
        ("Error rates on the digitnet dataset. DigitNet's 1000 classes.", ["DigitNet"], False),
        ("Models trained with SGD. Trained models evaluated on the ROAD dataset.", ["ROAD"], False),
        ("Trained with mixed precision on the ACME Titan GPU.", [], False),
        ("Trained on Kin dataset. Trained on the Kin 400 dataset.", ["Kin 400"], True),
        ("The training dataset is large.", [], False),
    ],
)  # fmt: skip
def test_trained_on(text: str, datasets: list[str], told: bool) -> None:
    found = trained_on(text.split(". "))
    assert list(found.datasets) == datasets
    assert found.told is told


def test_data_in_a_title() -> None:
    assert in_title("SomeNet on FashionSet") == "FashionSet"
    assert in_title("SomeNet for faces") is None
    assert in_title("On Mondays") is None


@pytest.mark.parametrize(
    ("title", "names", "algorithm"),
    [
        ("SomeNet", ["some_net50"], "SomeNet"),
        ("Some-Net for digits (SND)", ["somenet"], "Some-Net"),
        ("Growing of Nets (GON)", ["faces-64", "GON"], "GON"),
        ("All-of-Them", ["aot_w10"], "All-of-Them"),
        ("ABN-Net", ["wren50_abn_a"], "ABN-Net"),
        ("Models of all kinds", ["wren18_x"], "WreN"),
        ("Models of all kinds", ["gull2"], "Gull-2"),
        ("Models of all kinds", ["other"], "Models of all kinds"),
    ],
)
def test_algorithm(title: str, names: list[str], algorithm: str) -> None:
    page = read("WreN-18 and Gull-2 are good.\n\n| Net |\n| --- |\n| WreN-50 |")
    assert algorithms(page, title, {"x": names}).package == algorithm


def test_models_of_one_page_may_work_differently() -> None:
    found = algorithms(read("WreN-18 and GulL-18."), "Models", {"a": ["wren18"], "b": ["gull18"]})
    assert (found.package, found.models) == (None, {"a": "WreN", "b": "GulL"})


def test_titles_and_owners() -> None:
    assert titles("Some Net models (SN)") == ["Some Net", "SN"]
    assert titles("") == []
    assert without_owner("Acme_net50", ["acme"]) == "net50"
    assert without_owner("acmenet_50", ["acme"]) == "acmenet_50"
    assert without_owner("acme_", ["acme"]) == "acme_"


@pytest.mark.parametrize(
    ("author", "kinds", "unsure"),
    [
        ("Acme Vision Team", {"Acme Vision Team": "organization"}, False),
        ("ACME", {"ACME": "organization"}, False),
        ("Ann Bell and Cy van Dee", {"Ann Bell": "person", "Cy van Dee": "person"}, False),
        ("Research & Development Lab", {"Research & Development Lab": "organization"}, False),
        ("annbell", {"annbell": "person"}, True),
        ("Acme", {"Acme": "organization"}, True),
        ("", {}, False),
    ],
)
def test_people(author: str, kinds: dict[str, str], unsure: bool) -> None:
    made = people(author, "annbell")
    assert {each.name: each.kind for each in made.developers} == kinds
    assert made.unsure is unsure


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wren50_32x4d", {"depth": 50, "groups": 32, "width": 4}),
        ("wide_wren50_2", {"depth": 50}),
        ("wren11_bn", {"depth": 11, "batch-norm": True}),
        ("gull-base-uncased", {"size": "base", "case": "uncased"}),
        ("net fp16", {"precision": "float16"}),
        ("faces-512", {"resolution": 512}),
        ("net_v2_x1_0", {"width": 1.0}),
        ("net.dat19.en-de", {"source-language": "en", "target-language": "de"}),
        ("net_mobile14_075", {}),
    ],
)
def test_features_of_a_name(name: str, expected: dict[str, object]) -> None:
    assert features(name) == expected


def test_languages_of_a_name() -> None:
    assert languages("net.en-de") == languages("net.de-en") == ("de", "en")
