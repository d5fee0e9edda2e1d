"""The reader of `.pt` and `.pth`, against files written opcode by opcode."""

from __future__ import annotations

import contextlib
import os
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.archive import Archive
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.window import Window
from tests.formats.matrix import cases, expected, told

if TYPE_CHECKING:
    TorchFiles = Any


def two(files: TorchFiles) -> bytes:
    pickled: bytes = files.state_dict(
        {
            "net.weight": files.tensor("0", (2, 3), 6),
            "net.steps": files.tensor("1", (), 1, "LongStorage"),
        }
    )
    return pickled


STORAGES = {"0": bytes(24), "1": bytes(8)}


FILES = Path(__file__).parent / "pytorch"


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_pytorch_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


@pytest.mark.parametrize("layout", ["archive", "legacy"])
def test_spans_are_where_tensors_lie(torch_files: TorchFiles, layout: str) -> None:
    pieces = {"0": b"first storage, of 24 byt", "1": b"another of 8"[:8]}
    path = getattr(torch_files, layout)(
        torch_files.state_dict(
            {"a": torch_files.tensor("0", (2, 2), 6), "b": torch_files.tensor("1", (2,), 2)}
        ),
        pieces,
    )
    content, spans = path.read_bytes(), read(path).spans[path.name]
    assert [(content[each.start : each.stop], each.name) for each in spans] == [
        (b"first storage, o", "a"),
        (b"f 24 byt", ""),
        (b"another ", "b"),
    ]
    assert {each.dtype for each in spans} == {"float32"}


@pytest.mark.parametrize("name", ["views.pt", "views.pth"])
def test_spans_of_tensors_that_share_a_storage(name: str) -> None:
    facts = read(FILES / name)
    spans = facts.spans[name]
    assert len(spans) < len(facts.tensors)
    assert {each.name for each in spans} <= {each.name for each in facts.tensors} | {""}


def test_a_packed_storage_lies_nowhere(torch_files: TorchFiles) -> None:
    path = torch_files.archive(two(torch_files), STORAGES, compression=zipfile.ZIP_DEFLATED)
    assert read(path).spans == {}


def test_the_older_layout_with_another_count(torch_files: TorchFiles) -> None:
    model = torch_files.state_dict({"w": torch_files.tensor("0", (2, 3), 6)})
    path = torch_files.legacy(model, {"0": bytes(24)})
    path.write_bytes(path.read_bytes()[:-32] + (7).to_bytes(8, "little") + bytes(24))
    with pytest.raises(FormatError, match="another size"):
        read(path)


def test_a_state_dict(torch_files: TorchFiles) -> None:
    facts = read(torch_files.archive(two(torch_files), STORAGES))
    assert facts.format == "pytorch"
    assert facts.tensors == (
        TensorInfo("net.weight", "float32", (2, 3)),
        TensorInfo("net.steps", "int64", ()),
    )
    assert (facts.parameters, facts.precision, facts.unsafe) == (7, "float32", False)
    assert "torch._utils._rebuild_tensor_v2" in facts.code
    assert facts.risks == ()
    assert "archive version 3" in facts.notes


def test_the_older_layout(torch_files: TorchFiles) -> None:
    model = torch_files.state_dict({"w": torch_files.tensor("0", (2, 3), 6)})
    facts = read(torch_files.legacy(model, {"0": bytes(24)}))
    assert facts.tensors == (TensorInfo("w", "float32", (2, 3)),)
    assert not facts.unsafe


def test_the_older_layout_cut_off(torch_files: TorchFiles) -> None:
    model = torch_files.state_dict({"w": torch_files.tensor("0", (2, 3), 6)})
    with pytest.raises(FormatError, match="cut off"):
        read(torch_files.legacy(model, {"0": bytes(20)}))


def test_tied_tensors_count_once(torch_files: TorchFiles) -> None:
    tensor = torch_files.tensor("0", (2, 3), 6)
    facts = read(torch_files.archive(torch_files.state_dict({"a": tensor, "b": tensor}), STORAGES))
    assert [tensor.name for tensor in facts.tensors] == ["a", "b"]
    assert facts.parameters == 6


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("layout", ["archive", "legacy", "bare"])
def test_a_call_of_the_system_does_not_run(
    torch_files: TorchFiles, tmp_path: Path, layout: str
) -> None:
    sentinel = tmp_path / "ran"
    content = pickle.dumps({"w": Touch(sentinel)}, 2)
    path = tmp_path / "model.pt"
    if layout == "bare":
        path.write_bytes(content)
    else:
        path = (
            torch_files.archive(content) if layout == "archive" else torch_files.legacy(content, {})
        )
    facts = read(path)
    assert facts.unsafe
    assert "posix.system" in facts.code
    assert [(risk.kind, risk.detail) for risk in facts.risks] == [("pickle-global", "posix.system")]
    assert not sentinel.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch.hub", "load"), ("", "")],
)
def test_what_is_not_on_the_list_is_unsafe(torch_files: TorchFiles, module: str, name: str) -> None:
    facts = read(torch_files.archive(f"c{module}\n{name}\n.".encode()))
    assert facts.unsafe
    assert [risk.detail for risk in facts.risks] == [f"{module}.{name}"]


def test_bytes_after_the_pickle(torch_files: TorchFiles) -> None:
    facts = read(torch_files.archive(two(torch_files) + b"cos\nsystem\n.", STORAGES))
    assert facts.unsafe
    assert [risk.kind for risk in facts.risks] == ["pickle-trailing"]


@pytest.mark.parametrize(
    "storages", [{}, {"0": bytes(24)}, {"0": bytes(23), "1": bytes(8)}, {"0": b"", "1": bytes(8)}]
)
def test_storages_that_are_missing_or_short(
    torch_files: TorchFiles, storages: dict[str, bytes]
) -> None:
    with pytest.raises(FormatError, match="storage"):
        read(torch_files.archive(two(torch_files), storages))


def test_a_tensor_beyond_its_storage(torch_files: TorchFiles) -> None:
    model = torch_files.state_dict({"w": torch_files.tensor("0", (1 << 30, 4), 6)})
    with pytest.raises(FormatError, match="beyond its storage"):
        read(torch_files.archive(model, STORAGES))


def test_a_zip_bomb_is_not_unpacked(torch_files: TorchFiles) -> None:
    path = torch_files.archive(b"N" * 50_000_000, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    with pytest.raises(FormatError, match="unpacks to more"):
        read(path)


def test_a_pickle_that_is_too_large(torch_files: TorchFiles) -> None:
    with pytest.raises(FormatError, match="unpacks to more"):
        read(torch_files.archive(b"N" * (64 * 1024 * 1024 + 1)))


def test_a_bomb_that_lies_about_its_size(torch_files: TorchFiles) -> None:
    path = torch_files.archive(b"N0" * 500_000 + b"N.", compression=zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    path.write_bytes(content.replace((1_000_002).to_bytes(4, "little"), b"\x10\0\0\0"))
    with pytest.raises(FormatError):
        read(path)


def test_a_compressed_archive(torch_files: TorchFiles) -> None:
    path = torch_files.archive(two(torch_files), STORAGES, compression=zipfile.ZIP_DEFLATED)
    assert read(path).parameters == 7


def test_two_entries_of_one_name(torch_files: TorchFiles) -> None:
    entries = {"DATA.pkl": b"cos\nsystem\n."}
    with pytest.raises(FormatError, match="two entries"):
        read(torch_files.archive(two(torch_files), STORAGES, entries=entries))


def test_an_entry_without_a_name(torch_files: TorchFiles) -> None:
    path = torch_files.archive(two(torch_files), STORAGES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x", b"")
    content = bytearray(path.read_bytes())
    lengths = content.rindex(b"PK\x01\x02") + 28
    content[lengths : lengths + 4] = b"\0\0\1\0"  # the name becomes an extra field
    path.write_bytes(content)
    with pytest.raises(FormatError, match="without a name"):
        read(path, "pytorch")


def test_something_before_the_archive(torch_files: TorchFiles) -> None:
    path = torch_files.archive(two(torch_files), STORAGES)
    path.write_bytes(b"PK\x03\x04" + b"cos\nsystem\n." + path.read_bytes())
    with pytest.raises(FormatError, match="before the archive"):
        read(path, "pytorch")


def test_a_deep_model_is_refused(torch_files: TorchFiles) -> None:
    with pytest.raises(FormatError, match="nested deeper"):
        read(torch_files.archive(b"]" * 300_000 + b"a" * 299_999 + b"."))


def test_doubling_tuples_end(torch_files: TorchFiles) -> None:
    facts = read(torch_files.archive(b")" + b"2\x86" * 90 + b"."))
    assert facts.tensors == ()


def test_tensor_bytes_are_not_read(torch_files: TorchFiles) -> None:
    size = 64 * 1024 * 1024
    model = torch_files.state_dict({"w": torch_files.tensor("0", (size // 4,), size // 4)})
    path = torch_files.archive(model, {"0": bytes(size)})
    with path.open("rb") as file:
        window = Window(file, allowance=1_000_000)
        assert Archive(window).read("data.pkl") == model
        assert window.spent < 5000
    assert read(path).parameters == size // 4


def test_torchscript_is_recognised(torch_files: TorchFiles) -> None:
    model = b"\x80\x02c__torch__.net\nNet\n)\x81}X\x01\0\0\0w" + torch_files.tensor("0", (2, 3), 6)
    entries = {"constants.pkl": b"\x80\x02).", "code/__torch__/net.py": b"class Net(Module): ..."}
    path = torch_files.archive(model + b"sb.", STORAGES, entries=entries)
    found = detect(path)
    assert found is not None
    assert found.name == "torchscript"
    facts = read(path)
    assert facts.tensors == (TensorInfo("w", "float32", (2, 3)),)
    assert facts.code == ("code/__torch__/net.py",)
    assert [risk.kind for risk in facts.risks] == ["torchscript-code"]
    assert facts.unsafe


def test_another_archive_is_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "words.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("words/list.txt", "a")
    assert detect(path) is None


@pytest.mark.parametrize("size", [4, 30, 60, 200, 400])
def test_an_archive_that_is_cut_off(torch_files: TorchFiles, size: int) -> None:
    path = torch_files.archive(two(torch_files), STORAGES)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FormatError, match="cut off"):
        read(path)


FIXTURES = [HealthCheck.function_scoped_fixture]


@settings(max_examples=300, deadline=None, suppress_health_check=FIXTURES)
@given(
    st.sampled_from(["archive", "legacy"]),
    st.integers(0, 900),
    st.binary(max_size=4),
    st.integers(0, 4),
)
def test_damage_is_refused_or_harmless(
    torch_files: TorchFiles, layout: str, at: int, new: bytes, old: int
) -> None:
    model = two(torch_files)
    write = torch_files.archive if layout == "archive" else torch_files.legacy
    path = write(model, STORAGES)
    content = path.read_bytes()
    path.write_bytes(content[:at] + new + content[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path, "pytorch").format == "pytorch"
