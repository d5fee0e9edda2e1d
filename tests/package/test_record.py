"""The record: frozen values, the same bytes everywhere, every file that it names."""

from __future__ import annotations

import msgspec
import pytest

from modelshelf.package.record import (
    Artifact,
    Package,
    Record,
    Variant,
    canonical,
    default_variant,
    is_text,
    named_files,
)


def test_values_are_frozen(record: Record) -> None:
    for value in (record, record.package, record.variants[0], record.signatures["classify"]):
        field = type(value).__struct_fields__[0]
        with pytest.raises(AttributeError):
            setattr(value, field, None)


def test_a_record_is_the_same_after_json(record: Record) -> None:
    raw = canonical.encode(record)
    again = msgspec.json.decode(raw, type=Record)
    assert again == record
    assert canonical.encode(again) == raw


def test_canonical_json_has_sorted_keys_and_no_blanks() -> None:
    variant = Variant("v", (Artifact("onnx", ("b", "a")),), features={"b": 1, "a": 0.5})
    assert canonical.encode(variant) == (
        b'{"artifacts":[{"files":["b","a"],"format":"onnx"}],"features":{"a":0.5,"b":1},"name":"v"}'
    )


def test_every_file_that_is_named(record: Record) -> None:
    assert named_files(record) == {
        "README.md": "package.readme",
        "USAGE.md": "package.usage",
        "extra/labels.txt": "package.include",
        "train.py": "training.script",
        "labels.txt": "signatures.classify.logits.labels",
        "hubconf.py": "entrypoints.small.file",
        "small.onnx": "variants[0].artifacts",
        "large.safetensors": "variants[1].artifacts",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [("NOTES.md", False), ("docs/NOTES.md", False), ("Trained again.", True), ("a\nb", True)],
)
def test_notes_are_a_text_or_a_file(value: str, text: bool) -> None:
    assert is_text(value) == text
    record = Record(
        Package("a/b", "1.0.0", notes=value), (Variant("v", (Artifact("onnx", ("a",)),)),)
    )
    assert (value in named_files(record)) != text


def test_the_default_variant() -> None:
    first, second = Variant("first", ()), Variant("second", (), default=True)
    assert default_variant((first, second)) is second
    assert default_variant((first, Variant("third", ()))) is first
