"""The reader of Keras' files, against files that Keras wrote, and against made-up ones."""

from __future__ import annotations

import contextlib
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, hdf5, read
from modelshelf.formats.hdf5_groups import Links, Reader
from tests.formats.matrix import cases, expected, told

FILES = Path(__file__).parent / "keras"
WEIGHTS = zipfile.ZipFile(FILES / "small.keras").read("model.weights.h5")
LEGACY = (FILES / "small.h5").read_bytes()


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_keras_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_what_else_a_file_says() -> None:
    facts = read(FILES / "small.keras")
    assert (facts.format, facts.precision, facts.signature_known) == ("keras", "float32", False)
    assert "outputs" in facts.unsaid[0]
    assert read(FILES / "small.h5").notes[0] == "legacy HDF5 file"


@pytest.mark.parametrize("name", ["small.keras", "small.h5"])
def test_spans_are_where_the_values_lie(name: str) -> None:
    path = FILES / name
    content, (spans,) = path.read_bytes(), read(path).spans.values()
    inner = WEIGHTS if name.endswith("keras") else LEGACY
    start = content.index(inner[:512])
    found = [each for each in hdf5.inspect(inner).datasets if each.place]
    places = {(start + each.place[0], start + each.place[1], each.dtype, each.name) for each in found if each.place}  # fmt: skip
    assert places == set(spans)


def archive(folder: Path, config: object, *, weights: bytes = WEIGHTS, **more: bytes) -> Path:
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w") as file:
        text = config if isinstance(config, bytes) else json.dumps(config).encode()
        file.writestr("config.json", text)
        file.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        file.writestr("model.weights.h5", weights)
        for name, content in more.items():
            file.writestr(name, content)
    return path


def layer(module: str | None, name: str, config: object, registered: str | None = None) -> Any:
    found = {"module": module, "class_name": name, "config": config, "registered_name": registered}
    model = {"name": "m", "layers": [found]}
    return {"module": "keras", "class_name": "Sequential", "config": model}


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        (layer("keras.layers", "Dense", {"name": "d"}), []),
        (layer("keras.src.layers.core.dense", "Dense", {}), []),
        (layer("keras.layers", "Lambda", {"name": "twice"}), ["lambda"]),
        (layer("builtins", "__lambda__", {"code": "4wEAAAA="}), ["lambda"]),
        (layer("keras.layers", "TorchModuleWrapper", {"module": "gASV"}), ["pickle-global"]),
        (layer("keras.layers", "TFSMLayer", {"filepath": "/tmp"}), ["file-op"]),
        (layer("os", "function", "system"), ["foreign-import"]),
        (layer("os", "system", {}, "acme>system"), ["foreign-import"]),
        (layer("keras.utils", "function", "get_file"), ["foreign-import"]),
        (layer("keras.models", "function", "load_model"), ["foreign-import"]),
        (layer("keras.src.utils.file_utils", "get_file", {}), ["foreign-import"]),
        (layer("keras.layersx", "Dense", {}), ["foreign-import"]),
        (layer("keras.activations", "function", "relu"), []),
        (layer("builtins", "function", "relu"), []),
        (layer("builtins", "function", "eval"), ["foreign-import"]),
        (layer(None, "Warp", {}, "acme>Warp"), ["custom-class"]),
        (layer("acme.layers", "Warp", {}, "acme>Warp"), ["custom-class"]),
        (layer("acme.layers", "function", "warp", "acme>warp"), ["foreign-import"]),
        (layer("keras.src.ops.numpy", "Add", {}), []),
    ],
)
def test_what_is_not_kerass_own(tmp_path: Path, config: object, kinds: list[str]) -> None:
    assert [risk.kind for risk in read(archive(tmp_path, config)).risks] == kinds


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"{",
        b'{"a": 1, "a": 2}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"\xff",
        b"1e999999",
    ],
)
def test_a_configuration_that_is_none(tmp_path: Path, config: bytes) -> None:
    with pytest.raises(FormatError, match="configuration"):
        read(archive(tmp_path, config))


def test_an_entry_that_is_not_kerass(tmp_path: Path) -> None:
    facts = read(archive(tmp_path, layer("keras.layers", "Dense", {}), **{"more.pkl": b"x"}))
    assert [(risk.kind, risk.detail) for risk in facts.risks] == [("nested-archive", "more.pkl")]


@pytest.mark.parametrize(
    ("kind", "direct", "elsewhere"), [(0, [("w", 800)], []), (1, [], []), (64, [], ["w"])]
)
def test_links(kind: int, direct: list[tuple[str, int]], elsewhere: list[str]) -> None:
    message = b"\x01\x08" + bytes([kind]) + b"\x01w" + struct.pack("<Q", 800)
    links = Links()
    links.add(Reader(message), 0, len(message))
    assert (links.direct, links.elsewhere) == (direct, elsewhere)


@pytest.mark.parametrize("content", [WEIGHTS, LEGACY], ids=["new", "old"])
@pytest.mark.parametrize("length", [0, 8, 50, 96, 500, 2000, 10_000])
def test_cut_off(content: bytes, length: int) -> None:
    with pytest.raises(FormatError):
        hdf5.inspect(content[:length])


@pytest.mark.parametrize("content", [WEIGHTS, LEGACY], ids=["new", "old"])
def test_every_address_turned_back_on_its_group(content: bytes) -> None:
    """Loops come to an end, whatever points to what."""
    root = struct.pack("<Q", 96)
    for at in range(64, len(content) - 8, 8):
        changed = content[:at] + root + content[at + 8 :]
        with contextlib.suppress(FormatError):
            hdf5.inspect(changed)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_read(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([WEIGHTS, LEGACY])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FormatError):
        hdf5.inspect(bytes(content))


def test_claims(tmp_path: Path) -> None:
    found = detect(archive(tmp_path, layer("keras.layers", "Dense", {})))
    assert found
    assert found.name == "keras"
    legacy = detect(FILES / "small.h5")
    assert legacy
    assert legacy.name == "keras"
