"""The scanner: what does harm is blocked without exception, what real libraries write passes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.checks.safety.scan import Scanned, problems, scan
from modelshelf.formats.contents import Place, content_risks
from modelshelf.formats.facts import RISKS, Facts, Risk
from tests.checks.safety import benign, harmful

MARKER = Path("/tmp/modelshelf-marker-that-nothing-may-touch")
HARMFUL = {
    f"{kind}/{name}": content
    for kind, build in harmful.KINDS.items()
    for name, content in build(MARKER).items()
}


def looked_at(folder: Path, name: str, content: bytes) -> Scanned:
    (folder / name).write_bytes(content)
    return scan(folder, [name], {})


def test_the_harmful_set_is_large() -> None:
    assert len(HARMFUL) >= 200
    assert len({*harmful.CALLS, *harmful.NAMES}) == len(harmful.CALLS) + len(harmful.NAMES)


@pytest.mark.parametrize("name", HARMFUL)
def test_what_does_harm_is_blocked(name: str, tmp_path: Path) -> None:
    scanned = looked_at(tmp_path, name.rpartition("/")[2], HARMFUL[name])
    assert scanned.verdict == "blocked"
    assert {risk.kind for risk in scanned.findings} <= RISKS.keys()
    assert any(not problem.warning for problem in problems(scanned))
    assert not MARKER.exists()


def test_what_real_libraries_write_is_not_blocked(tmp_path: Path) -> None:
    files = benign.files()
    assert len(files) >= 60
    verdicts = {name: looked_at(tmp_path, name, content) for name, content in files.items()}
    blocked = {name: each.findings for name, each in verdicts.items() if each.verdict == "blocked"}
    assert blocked == {}
    run = {name for name, each in verdicts.items() if each.verdict == "code"}
    assert run == {
        "custom.pt2",
        "custom.onnx",
        "custom.skops",
        "scripted.pt",
        "traced.pt",
        "mobile.ptl",
    }


@pytest.mark.parametrize("folder", ["onnx", "openvino", "tf_checkpoint", "tf_hub_module"])
def test_values_that_another_file_describes_are_fine(folder: str) -> None:
    whole = benign.FORMATS / folder
    paths = [path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()]
    assert scan(whole, paths, {}).verdict in {"note", "code"}
    alone = [path for path in paths if "data-" in path or path.endswith((".data", ".bin"))]
    assert scan(whole, alone, {}).verdict == "blocked"


@pytest.mark.parametrize("name", ["weights.bin", "weights.pkl", "weights.data"])
@pytest.mark.parametrize(
    "kind",
    [
        "places/second-stream.pkl", "code/op.so", "archives/archive.tar", "arrays/joblib-array.pkl",
        "compressed/zlib.joblib", "compressed/gzip.joblib", "compressed/xz.joblib",
    ],
)  # fmt: skip
def test_what_does_harm_is_found_among_described_values(
    name: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(HARMFUL[kind])
    (tmp_path / "graph.txt").write_text("weights")
    vouching = Facts(format="onnx", framework="onnx", companions=(name,))
    assert scan(tmp_path, [name, "graph.txt"], {"graph.txt": vouching}).verdict == "blocked"


@pytest.mark.parametrize(
    "case", ["keras/lambda.keras", "skops/function.skops", "npz/functions.npz"]
)
def test_functions_that_real_libraries_store_are_blocked(case: str) -> None:
    whole = benign.FORMATS / case
    assert scan(whole.parent, [whole.name], {}).verdict == "blocked"


@pytest.mark.parametrize(
    ("member", "verdict"), [("labels.txt", "note"), ("../labels.txt", "blocked")]
)
def test_tensorflow_lite_keeps_labels_in_an_archive_at_the_end(
    member: str, verdict: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(99))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, "cat\ndog\n")
    facts = {form: Facts(format=form, framework="any") for form in ("tflite", "onnx")}
    assert scan(tmp_path, [path.name], {path.name: facts["tflite"]}).verdict == verdict
    assert scan(tmp_path, [path.name], {path.name: facts["onnx"]}).verdict == "blocked"


def test_a_model_cannot_pass_for_values(tmp_path: Path) -> None:
    (tmp_path / "weights.h5").write_bytes((benign.FORMATS / "keras" / "small.h5").read_bytes())
    vouching = Facts(format="onnx", framework="onnx", companions=("weights.h5",))
    assert scan(tmp_path, ["weights.h5"], {"graph": vouching}).verdict == "blocked"


def test_large_values_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "weights.data").open("wb") as file:
        file.truncate(20 << 30)
    vouching = Facts(format="onnx", framework="onnx", companions=("weights.data",))
    (tmp_path / "graph.txt").write_text("weights")
    assert scan(tmp_path, ["weights.data"], {"graph.txt": vouching}).findings == ()


def test_what_a_reader_said_counts(tmp_path: Path) -> None:
    (tmp_path / "hubconf.txt").write_text("def net(): ...")
    said = Risk("python-code", "hubconf.py", "hubconf.txt")
    facts = Facts(format="pytorch-hub", framework="pytorch", risks=(said,))
    scanned = scan(tmp_path, ["hubconf.txt"], {"hubconf.txt": facts})
    assert (scanned.verdict, scanned.findings) == ("code", (said,))
    assert [problem.warning for problem in problems(scanned)] == [True]


def test_links_and_missing_files_are_blocked(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(__file__)
    scanned = scan(tmp_path, ["link.txt", "gone.txt"], {})
    assert [(risk.kind, risk.file) for risk in scanned.findings] == [
        ("unreadable", "gone.txt"),
        ("unreadable", "link.txt"),
    ]


def test_every_kind_of_finding_has_words() -> None:
    scanned = Scanned("blocked", tuple(Risk(kind, "x", "a") for kind in RISKS))
    found = problems(scanned)
    assert all(problem.rule == "scan" and ": x" in problem.message for problem in found)
    assert all(problem.warning or problem.hint for problem in found)


SEEDS = sorted({**benign.pickles(), **benign.arrays(), **HARMFUL}.items())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 1 << 16), st.binary(max_size=6), st.integers(0, 9))
def test_damage_never_raises(seed: tuple[str, bytes], at: int, new: bytes, old: int) -> None:
    name, content = seed
    at %= len(content)
    damaged = content[:at] + new + content[at + old :]
    risks = content_risks(io.BytesIO(damaged), len(damaged), Place(name, name))
    assert {risk.kind for risk in risks} <= RISKS.keys()
    assert not MARKER.exists()


@pytest.mark.parametrize("text", ["cat\ndog\nbird\n", "Vase\ncat\ndog\nbird\n", "(cat\nobject\n"])
def test_labels_that_begin_like_a_pickle_are_fine(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    assert scan(tmp_path, ["labels.txt"], {}).verdict == "note"


def test_a_described_pickle_that_calls_and_breaks_off_is_blocked(tmp_path: Path) -> None:
    hidden = b"\x80\x04cbuiltins\nstr\nX\x02\0\0\0os\x85RX\x06\0\0\0system\x93X\x02\0\0\0id\x85R."
    (tmp_path / "model.bin").write_bytes(hidden)
    (tmp_path / "model.xml").write_text("<net/>", encoding="utf-8")
    facts = {"model.xml": Facts("openvino", "openvino", companions=("model.bin",))}
    assert scan(tmp_path, ["model.xml", "model.bin"], facts).verdict == "blocked"
