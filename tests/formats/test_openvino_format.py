"""The reader of OpenVINO's XML, against files that OpenVINO wrote, and against made-up XML."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.facts import Facts
from modelshelf.package.signature import Interval, Tensor
from tests.formats.matrix import cases, expected, told

FILES = Path(__file__).parent / "openvino"
GOOD = (FILES / "linear.xml").read_bytes()


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_openvino_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_what_else_the_file_says() -> None:
    facts = read(FILES / "linear.xml")
    signature = facts.signatures["default"]
    assert signature.inputs["image"] == Tensor("float32", ("image.0", 4))
    assert signature.inputs["many"] == Tensor("int64", ("many.0", "many.1"))
    assert signature.symbols == {"image.0": Interval(1, 8), "many.1": Interval(2)}
    assert facts.companions == ("linear.bin",)
    assert [each[:3] for each in facts.spans["linear.bin"]] == [
        (0, 8, "int64"), (8, 56, "float32"), (56, 62, "float16"),
    ]  # fmt: skip
    assert (facts.parameters, facts.precision, facts.opset) == (16, "float32", 1)
    assert [(r.kind, r.detail) for r in facts.risks] == [("author-path", "/home/ann/model.onnx")]
    assert not facts.unsafe


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    found = detect(FILES / "linear.xml")
    assert found is not None
    assert found.name == "openvino"
    other = tmp_path / "page.xml"
    other.write_text("<html/>")
    assert detect(other) is None


def changed(folder: Path, old: str, new: str) -> Facts:
    """Read the good file with a text replaced, its `.bin` beside it."""
    content = GOOD.decode()
    assert old in content
    path = folder / "linear.xml"
    path.write_text(content.replace(old, new, 1))
    shutil.copy(FILES / "linear.bin", folder)
    return read(path)


def test_an_operator_of_an_extension(tmp_path: Path) -> None:
    facts = changed(tmp_path, 'type="MatMul" version="opset1"', 'type="Warp" version="extension"')
    assert facts.code == ("extension.Warp",)
    assert ("custom-op", "extension.Warp") in {(r.kind, r.detail) for r in facts.risks}
    assert "extension.Warp" in facts.ops


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version="11"', 'version="7"', "version that is not read"),
        ('version="11"', 'version="x"', "version that is not read"),
        ('offset="8"', f'offset="{1 << 50}"', "cut off"),
        ('offset="8"', 'offset="-8"', "impossible number"),
        ('offset="8"', 'offset="15"', "cut off"),
        ('size="48"', 'size="47"', "another size"),
        ('shape="4, 3"', f'shape="{1 << 59}, {1 << 59}"', "another size"),
        ('shape="4, 3"', 'shape="4, ٣"', "impossible number"),
        ('shape="1..8,4"', 'shape="1..8,x"', "impossible number"),
        ('shape="1..8,4"', f'shape="{"1," * 100}1"', "too many dimensions"),
        ('element_type="f32"', 'element_type="f33"', "unknown type"),
        ('precision="FP32"', 'precision="FP32" precision="FP16"', "no XML"),
        ('layer id="1"', 'layer id="0"', "two layers"),
        ("<dim>4</dim>", "<dim>4</dim>" * 100, "too many dimensions"),
        ("</layers>", "", "no XML"),
        ("<net ", "<not ", "no format that is known"),
        ('<?xml version="1.0"?>', '<!DOCTYPE net SYSTEM "file:///etc/passwd">', "document type"),
    ],
)
def test_what_breaks_the_format(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        changed(tmp_path, old, new)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(12))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"<!DOCTYPE net [{LAUGHS}]><net version='11'>&l11;</net>", "document type"),
        ('<!DOCTYPE net [<!ENTITY x SYSTEM "/etc/passwd">]><net>&x;</net>', "document type"),
        ("<net version='11'>&unknown;</net>", "no XML"),
        ("<not version='11'/>", "no OpenVINO model"),
        ("<net version='11'>" + "<a>" * 300, "levels"),
        ("<net version='11'>" + "<a/>" * 500_001, "more elements"),
        ("<net/>", "no OpenVINO|not read"),
        ("<net version='11'", "no XML"),
        ("<net version='11'>" + "\0", "no XML"),
        ('<?xml version="1.0" encoding="utf-99"?><net version="11"/>', "no XML"),
    ],
)
def test_hostile_xml(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "m.xml"
    path.write_text(content)
    with pytest.raises(FormatError, match=message):
        read(path, "openvino")


def test_values_that_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "linear.xml"
    path.write_bytes(GOOD)
    assert ("external-data", "linear.bin is missing") in {
        (r.kind, r.detail) for r in read(path).risks
    }


def test_values_that_are_a_link_outside(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "linear.xml").write_bytes(GOOD)
    (package / "linear.bin").symlink_to(FILES / "linear.bin")
    with pytest.raises(FormatError, match="link out"):
        read(package / "linear.xml")


OLDER = """<?xml version="1.0" ?><net name="old" version="10"><layers>
<layer id="0" name="data" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/>
<output><port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port></output></layer>
<layer id="1" name="prob" type="SoftMax" version="opset1"><data axis="1"/>
<output><port id="1" precision="FP32" names="a\\,b"><dim>1</dim><dim>3</dim></port></output></layer>
<layer id="2" name="prob/sink" type="Result" version="opset1">
<input><port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port></input></layer></layers>
<edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/></edges>
<meta_data><MO_version value="2021.4"/></meta_data>
<rt_info><MO_version value="2022.3"/></rt_info></net>"""


@pytest.mark.parametrize(("names", "name"), [("", "prob"), (' names="a\\,b"', "a,b")])
def test_version_10_names_outputs_by_their_layers(tmp_path: Path, names: str, name: str) -> None:
    path = tmp_path / "old.xml"
    path.write_text(OLDER.replace(' names="a\\,b"', names))
    facts = read(path)
    assert facts.signatures["default"].inputs == {"data": Tensor("float32", (1, 3))}
    assert facts.signatures["default"].outputs == {name: Tensor("float32", (1, 3))}
    assert (facts.framework_version, facts.companions, facts.parameters) == ("2022.3", (), 0)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.xml"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "openvino").format == "openvino"
