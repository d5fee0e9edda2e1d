from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page import markdown, quality
from modelshelf.importers.page.metric_names import measures
from modelshelf.importers.page.quality import Figure
from tests.corpora import corpus

Row = tuple[str, float, str | None, str | None, str]


def rows(text: str) -> list[Row]:
    return [
        (f.metric.name, f.metric.value, f.metric.dataset, f.metric.split, f.label.text)
        for f in quality.read(markdown.read(text))
    ]


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("Top-1 error", ["top-1-error"]),
        ("top1_acc(%)", ["top-1-accuracy"]),
        ("acc@5", ["top-5-accuracy"]),
        ("Mean IOU", ["mean-iou"]),
        ("Lane IoU (%)", ["lane-iou"]),
        ("Raw Pitch Accuracy", ["raw-pitch-accuracy"]),
        ("Recall @ Street Level (1km)", ["recall-street-level"]),
        ("mAP50(%)", ["map-50"]),
        ("mAP@.5", ["map-50"]),
        ("F1/EM", ["f1", "exact-match"]),
        ("Top-1/Top-5", ["top-1-accuracy", "top-5-accuracy"]),
        ("Mean Averge Precision", ["map"]),
        ("Spearman correlation * 100", ["spearman-correlation"]),
        ("Word error rate (WER)", ["word-error-rate"]),
        ("original top-1 accuracy", []),
        ("Precision (fp16)", []),
        ("map", []),
        ("Params (M)", []),
        ("Error threshold", []),
        ("Dropout", []),
        ("Batch size", []),
    ],
)
def test_measures_are_named_in_many_ways(label: str, names: list[str]) -> None:
    assert [measure.name for measure in measures(label)] == names


TABLES = {
    "a row a model": (
        """\
The error rates on the Digits10 dataset:

| Model | Top-1 error | Top-5 error | # parameters |
|-------|-------------|-------------|--------------|
| small | 30.24       | 0.92        | 11.7M        |
| large | 26.70       | -           | 21.8M        |
""",
        [
            ("top-1-error", 0.3024, "Digits10", None, "small"),
            ("top-5-error", 0.0092, "Digits10", None, "small"),
            ("top-1-error", 0.267, "Digits10", None, "large"),
        ],
    ),
    "fractions stay": (
        "Model | Accuracy\n--|--\nsmall | 0.98\n",
        [("accuracy", 0.98, None, None, "small")],
    ),
    "the corner is the data": (
        "DIGITS1K | Top1 Acc. | FLOPs\n--|--|--\nsmall | 78.7% | 0.72B\n",
        [("top-1-accuracy", 0.787, "DIGITS1K", None, "small")],
    ),
    "a row a measure": (
        "Digits Retrieval | dev | test\n--|--|--\nPrecision@1 | 53.2 | 43.3\n",
        [
            ("precision-at-1", 0.532, "Digits Retrieval", "dev", ""),
            ("precision-at-1", 0.433, "Digits Retrieval", "test", ""),
        ],
    ),
    "a column names the measures": (
        "Metric | Value | Outputs\n--|--|--\nmAP on DIGITS 2017 test set | 39.0/34.6 | Boxes/Keypoints\n",
        [
            ("map", 0.39, "DIGITS 2017", "test", ""),
            ("map-keypoints", 0.346, "DIGITS 2017", "test", ""),
        ],
    ),
    "tasks with measures, a column a model": (
        "Task | Metric | Tiny | Base\n--|--|--|--\nA | F1 / Accuracy | 88.4/83.7 | 90.1/85\n",
        [
            ("f1", 0.884, "A", None, "Tiny"),
            ("accuracy", 0.837, "A", None, "Tiny"),
            ("f1", 0.901, "A", None, "Base"),
            ("accuracy", 0.85, "A", None, "Base"),
        ],
    ),
    "the corner names data and measure": (
        "XDIG (F1) | de | Average\n--|--|--\nbase | 68.6 | 58.0\n",
        [("f1", 0.686, "XDIG de", None, "base"), ("f1", 0.58, "XDIG", None, "base")],
    ),
    "cells name it": (
        "DIG21K | Finetuned\n--|--\nsmall | top1=84.9%\n",
        [("top-1-accuracy", 0.849, None, None, "small")],
    ),
    "only the heading says that it judges": (
        "## Evaluation\n\nTransfer tasks | AA | BB\n--|--|--\n[base](https://hub.example/acme/base/1) | 85.8 | 92.1\n",
        [("score", 0.858, "AA", None, "base"), ("score", 0.921, "BB", None, "base")],
    ),
    "in HTML": (
        "<table>\n<tr><th>Model</th><th>PSNR</th></tr>\n<tr><td>x2</td><td>33.1</td></tr>\n</table>",
        [("psnr", 33.1, None, None, "x2")],
    ),
    "no quality": (
        "## Overview\n\nModel | Batch size | Dropout | Latency (ms) | Year\n--|--|--|--|--\nsmall | 32 | 0.1 | 5.1 | 2019\n",
        [],
    ),
    "settings in a section on evaluation": (
        "## Evaluation\n\nTask | Batch Size | Learning Rate | Epochs\n--|--|--|--\nA | 32 | 2e-5 | 10\n",
        [],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str) -> None:
    text, expected = TABLES[name]
    assert rows(text) == expected


SENTENCES: dict[str, list[Row]] = {
    "It achieves 76.2% top-1 accuracy on DigitNet.": [
        ("top-1-accuracy", 0.762, "DigitNet", None, "")
    ],
    "The mAP for DIGITS 2017 validation dataset is `33.97%`.": [
        ("map", 0.3397, "DIGITS 2017", "validation", "")
    ],
    "Finetuning on SQuDA v1.1 yields an F-1 score of 94.1%, as opposed to 92.5% by the other.": [
        ("f1", 0.941, "SQuDA v1.1", None, "")
    ],
    "We report 21.2% top-1 and 5.6% top-5 error.": [
        ("top-1-error", 0.212, None, None, ""),
        ("top-5-error", 0.056, None, None, ""),
    ],
    "Trained on faces (FID: 32.05).": [("fid", 32.05, None, None, "")],
    "The mean absolute difference as evaluated on the test set is **3.859**.": [
        ("mean-absolute-error", 3.859, None, "test", "")
    ],
    "It gave us `6% WER` on the DIGIT-speech dataset.": [
        ("word-error-rate", 0.06, "DIGIT-speech", None, "")
    ],
    "A classifier with ~99% eval accuracy.": [("accuracy", 0.99, None, None, "")],
    "* BLEU: 27.3\n* Digit Score: 4.5\n* Epochs: 10": [
        ("bleu", 27.3, None, None, ""),
        ("digit-score", 4.5, None, None, ""),
    ],
    "On FOO2 Test Set, it is as follows:\n\n*   **`Recall @ Level (1km)`**: 0.1097": [
        ("recall-level", 0.1097, "FOO2", "test", "")
    ],
}


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences(text: str) -> None:
    assert rows(text) == SENTENCES[text]


@pytest.mark.parametrize(
    "text",
    [
        "Trained with a learning rate of 0.1, dropout 0.5 and a batch size of 32.",
        "The model has FP16 precision and 25.6M parameters.",
        "A confidence threshold of 0.3 gives good precision.",
        "It is 10.8 percentage points more accurate than the runner up.",
        "It improves top-1 accuracy by 2.5% and runs at 5.1 ms.",
        "## References\n\n[1] Boosting nets to 80.5% top-1 accuracy.",
        "It is the first model to reach 80%+ top-1 accuracy.",
        "Released in 2019, version 1.5, with 3 outputs and 4.5 GB.",
        "AP over IoU thresholds ranging from 0.50 to 0.95.",
        "#### Version 1.1\n\n* fewer errors: 2.0",
        "```\naccuracy = 0.95\n```",
    ],
)
def test_what_is_no_quality(text: str) -> None:
    assert rows(text) == []


def test_how_a_figure_is_known() -> None:
    table, said = quality.read(
        markdown.read("Model|Accuracy\n-|-\na|0.9\n\nThe authors report an F1 of 0.91.\n")
    )
    assert (table.found.source, table.found.unsure, table.line) == ("table", False, 3)
    assert (said.found.source, said.found.unsure, said.line) == ("text", True, 5)


def test_two_values_of_one_metric_are_unsure() -> None:
    (figure,) = quality.read(markdown.read("An accuracy of 0.9. The accuracy is 0.8."))
    assert (figure.metric.value, figure.found.unsure) == (0.9, True)


def figures(text: str) -> tuple[Figure, ...]:
    return quality.read(markdown.read(text))


SIBLINGS = """\
Model | Size | Accuracy
--|--|--
EffDigit-B0 | 0.75 | 71.0
[EffDigit-B1](https://hub.example/acme/effdigit_b1/2) | 1.0 | 72.0
**EffDigit-S** | 1.0 | 73.0
Other | 1.0 | 99.0
"""


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (["acme/efficientdigit_b0"], [0.71]),
        (["acme/effdigit_b1"], [0.72]),
        (["acme/effdigit_s"], [0.73]),
        (["acme/unrelated"], [0.73]),
    ],
)
def test_a_package_has_its_own_figures_only(names: list[str], values: list[float]) -> None:
    assert [each.metric.value for each in quality.own(figures(SIBLINGS), names)] == values


def test_what_names_no_model_is_about_the_package() -> None:
    (figure,) = quality.own(figures("It has an accuracy of 0.9."), ["acme/digits"])
    assert figure.metric.value == 0.9


def test_other_models_only() -> None:
    found = figures("Model|Accuracy\n-|-\nfoo|0.9\nbar|0.8\n")
    assert quality.own(found, ["acme/digits"]) == ()


def test_beside_a_label_stands_what_tells_models_apart() -> None:
    found = figures("Size | Multiplier | Accuracy\n-|-|-\nLarge|1.0|75.2\nLarge|0.75|73.3\n")
    (figure,) = quality.own(found, ["acme/dig_v3_large_075_224"])
    assert figure.metric.value == 0.733


def test_variants_share_a_table() -> None:
    found = figures(
        "Name | Kind | Top-1 acc\n-|-|-\nDigNet-18 | semi-supervised | 72.8\n"
        "DigNet-18 | semi-weakly supervised | 73.4\nDigNet-50 | semi-supervised | 79.3\nFoo|x|80.1\n"
    )
    names = ["dignet18_ssl", "dignet18_swsl", "dignet50_ssl"]
    given = quality.shared(found, {name: [name] for name in names})
    assert {name: [f.metric.value for f in own] for name, own in given.items()} == {
        "dignet18_ssl": [0.728],
        "dignet18_swsl": [0.734],
        "dignet50_ssl": [0.793],
    }


@given(st.text(alphabet="accuracy mAPF1%0.9|-\n:*()/ top@", max_size=200))
def test_no_text_is_too_much(text: str) -> None:
    for each in quality.read(markdown.read(text)):
        assert each.metric.name


def _judged(name: str) -> set[str]:
    """The folders of `name` (a package each) with a figure on the page of their latest version."""
    latest = {
        path.parent: path
        for path in sorted(corpus(name).rglob("*.md"), key=lambda path: path.stem.zfill(9))
    }
    return {
        str(folder)
        for folder, path in latest.items()
        if quality.read(markdown.read(path.read_text(encoding="utf-8")))
    }


def test_as_many_packages_as_the_paper_counted_give_figures() -> None:
    assert abs(len(_judged("tfhub-2020-03-docs")) - 35) <= 3
    pages = sorted((corpus("pytorchhub-2020-03") / "md").glob("*.md"))
    found = [quality.read(markdown.read(path.read_text(encoding="utf-8"))) for path in pages]
    assert sum(map(bool, found)) == 17
