"""`shelf study`: parts of the study of catalogues that are read here."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from modelshelf.cli import main
from tests.importers.sheets import sheet_text

Capture = pytest.CaptureFixture[str]
LABELS = ("format: saved_model_2", "module-type: image-classification", "dataset: ImageNet")


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two snapshots in the shape of TFHub: in the second a model more, and a version."""
    folder = tmp_path_factory.mktemp("hubs")
    for snapshot, handles in {
        "2020": ["sparrow_18/1", "sparrow_50/1"],
        "2024": ["sparrow_18/1", "sparrow_50/1", "sparrow_50/2", "sparrow_101/1"],
    }.items():
        (folder / snapshot / "docs").mkdir(parents=True)
        for handle in handles:
            depth = handle.partition("/")[0].removeprefix("sparrow_")
            text = sheet_text(f"acme/{handle}", *LABELS, f"network-architecture: Sparrow {depth}")
            path = folder / snapshot / "docs" / f"{handle.replace('/', '_')}.md"
            path.write_text(text, encoding="utf-8")
    return folder


def catalogues(snapshots: Path, *labels: str) -> list[str]:
    return [word for label in labels for word in ("--catalogue", f"tfhub:{snapshots / label}")]


def shown(capsys: Capture, *words: str, code: int = 0) -> str:
    assert main(["study", *words]) == code
    return capsys.readouterr().out


def document(capsys: Capture, *words: str) -> Any:
    return json.loads(shown(capsys, *words, "--json"))


def test_a_table_is_labelled_by_the_folder(snapshots: Path, capsys: Capture) -> None:
    text = shown(capsys, "table3", *catalogues(snapshots, "2020", "2024"))
    assert text.startswith("Table 3: task types (paper, 5.2.1)\n")
    heads = text.splitlines()[4].split()
    assert [word for word in heads if word.isdigit()] == ["2020", "2024"]


def test_labels_can_be_given(snapshots: Path, capsys: Capture) -> None:
    given = f"first.one=tfhub:{snapshots / '2020'}"
    found = document(capsys, "table1", "--catalogue", given)
    assert found["tables"][0]["rows"][0]["repository"] == "first.one"


def test_families_are_a_plain_list(snapshots: Path, capsys: Capture) -> None:
    found = document(capsys, "families", *catalogues(snapshots, "2024"))
    assert isinstance(found, list)
    (family,) = found
    assert {"family", "task", "algorithm", "dataset", "language", "members"} == set(family)
    assert [member["package"] for member in family["members"]] == [
        "acme/sparrow-101", "acme/sparrow-18", "acme/sparrow-50",
    ]  # fmt: skip
    assert all(member["variant"] == "default" for member in family["members"])


def test_csv_is_one_table(snapshots: Path, capsys: Capture) -> None:
    words = ("table1", *catalogues(snapshots, "2020"), "--csv", "--table", "printed")
    text = shown(capsys, *words)
    assert text.count("\r\n") == 24
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][:2] == ["of", "repository"]


def test_of_several_tables_the_first_and_a_note(snapshots: Path, capsys: Capture) -> None:
    assert main(["study", "table1", *catalogues(snapshots, "2020"), "--csv"]) == 0
    assert "--table shows another: pages, printed" in capsys.readouterr().err


def test_svg_is_a_figure(snapshots: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "figure.svg"
    shown(capsys, "figure3", *catalogues(snapshots, "2024"), "--svg", "-o", str(file))
    assert ET.fromstring(file.read_text(encoding="utf-8")).tag.endswith("svg")


def test_one_table_of_an_answer(snapshots: Path, capsys: Capture) -> None:
    text = shown(capsys, "table4", *catalogues(snapshots, "2024"), "--table", "whole", "--markdown")
    assert "members of the largest" in text
    assert "Segmentation" not in text


def test_over_time_takes_snapshots_in_their_order(snapshots: Path, capsys: Capture) -> None:
    found = document(capsys, "over-time", *catalogues(snapshots, "2020", "2024"))
    (packages,) = [each for each in found["tables"] if each["id"] == "packages"]
    assert [(row["how"], row["package"]) for row in packages["rows"]] == [
        ("changed", "acme/sparrow-50"),
        ("came", "acme/sparrow-101"),
    ]


def test_a_report_as_html_markdown_and_json(
    snapshots: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = catalogues(snapshots, "2020", "2024")
    shown(capsys, "report", *given, "-o", str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    shown(capsys, "report", *given, "-o", str(tmp_path / "report.md"))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "](report-figure3.svg)" in text
    assert (tmp_path / "report-figure3.svg").is_file()
    assert len(document(capsys, "report", *given)["parts"]) >= 13


def test_parquet_is_written_once_and_studied(
    snapshots: Path, tmp_path: Path, capsys: Capture
) -> None:
    place, given = str(tmp_path / "stored"), catalogues(snapshots, "2020", "2024")
    found = document(capsys, "parquet", *given, "-o", place)
    assert found["rows"] > 20
    assert main(["study", "parquet", *given, "-o", place]) == 1
    capsys.readouterr()
    stored = document(capsys, "table4", "--catalogue", f"parquet:{place}")
    assert stored["tables"] == document(capsys, "table4", *given)["tables"]
    one = document(capsys, "table1", "--catalogue", f"parquet:{place}#2024")
    assert one["tables"][0]["rows"][0]["repository"] == "2024"


def test_a_large_stored_catalogue_is_studied_where_it_lies(
    snapshots: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "stored")
    document(capsys, "parquet", *catalogues(snapshots, "2024"), "-o", place)
    monkeypatch.setattr("modelshelf.cli.commands.study.WHOLE_RELEASES", 1)
    found = document(capsys, "table4", "--catalogue", f"parquet:{place}")
    assert found["tables"][1]["rows"][0]["2024:value"] == 1
    shown(capsys, "table4", "--catalogue", f"other=parquet:{place}", code=2)
    shown(capsys, "families", "--catalogue", f"parquet:{place}", code=2)
    shown(capsys, "report", "--catalogue", f"parquet:{place}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["table9", "--catalogue", "tfhub:x"], "invalid choice"),
        (["table1"], "--catalogue"),
        (["table1", "--catalogue", "nothing"], "names no catalogue"),
        (["table1", "--catalogue", "tfhup:x"], "did you mean `tfhub`?"),
        (["table1", "--catalogue", "tfhub:HERE", "--table", "printd"], "did you mean `printed`?"),
        (["table1", "--catalogue", "tfhub:HERE", "--svg"], "no figure"),
        (["over-time", "--catalogue", "tfhub:HERE"], "several snapshots of one hub"),
        (["report", "--catalogue", "tfhub:HERE", "--csv"], "HTML, Markdown or JSON"),
        (["parquet", "--catalogue", "tfhub:HERE"], "say it with -o"),
        (["table1", "--catalogue", "tfhub:HERE", "--catalogue", "tfhub:HERE"], "twice"),
    ],
)  # fmt: skip
def test_mistakes(words: list[str], said: str, snapshots: Path, capsys: Capture) -> None:
    here = [word.replace("HERE", str(snapshots / "2020")) for word in words]
    assert main(["study", *here]) == 2
    assert said in capsys.readouterr().err


def test_foreign_words_do_not_steer_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    label = "network-architecture: \x1b[2J\u202eevil"
    (tmp_path / "a.md").write_text(sheet_text("acme/a/1", *LABELS, label), encoding="utf-8")
    given = ("--catalogue", f"x=tfhub:{tmp_path}")
    for words in (("figure2", *given), ("figure2", *given, "--csv")):
        assert not {"\x1b", "\u202e"} & set(shown(capsys, *words))
