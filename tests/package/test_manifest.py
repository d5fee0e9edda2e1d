"""`shelf.toml`: every problem at once, each with its place, whatever the bytes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelshelf.errors import Invalid, Problem
from modelshelf.package.manifest import (
    largest_manifest_bytes,
    located,
    most_problems,
    parse,
    parse_project,
    problems,
)
from modelshelf.package.record import Record


def _problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert caught.value.problems
    assert caught.value.where == caught.value.problems[0].where()
    return caught.value.problems


def _line(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


# what stands in the good manifest, what stands there instead, element, message, hint
MISTAKES = (
    ('task = "image-class', 'task = "image-clas', "package.task",
     "unknown task `image-clasification`", "did you mean `image-classification`?"),
    ('"acme/digits"\n', '"Acme/digits"\n', "package.name", "`Acme` may hold a-z", None),
    ('"acme/digits"\n', '"api/digits"\n', "package.name", "`api` is reserved", None),
    ('"acme/digits"\n', '"digits"\n', "package.name", "publisher/name", None),
    ('version = "1.1.0"', 'version = "1.1"', "package.version",
     "`1.1` is not a semantic version", "did you mean `1.1.0`?"),
    ('version = "1.1.0"', "version = 1.1", "package.version", "expected a string, got 1.1", None),
    ('version = "1.1.0"', 'version = ""', "package.version", "not a semantic version", "1.4.0"),
    ('"Handwritten digit classifiers, four sizes"', '" "', "package.summary", "is empty", None),
    ('"Handwritten digit classifiers, four sizes"', '"\\u001b[31mred"', "package.summary",
     "control character U+001B", None),
    ('"Handwritten digit classifiers, four sizes"', f'"{"x" * 201}"', "package.summary",
     "at most 200 characters", "readme"),
    ('"Apache-2.0"', '"Apache 2.0"', "package.license", "not an SPDX", "did you mean `Apache-2.0`?"),
    ('"Apache-2.0"', '"apache-2.0"', "package.license", "SPDX spells it `Apache-2.0`", None),
    ('"Apache-2.0"', f'"{"(" * 450}"', "package.license", "not an SPDX", "MIT"),
    ('datasets = ["uci-digits"]', 'datasets = ["UCI"]', "package.datasets[0]", "`UCI` may hold", None),
    ('datasets = ["uci-digits"]', 'datasets = "uci-digits"', "package.datasets",
     'expected an array, got "uci-digits"', None),
    ('source = "https:', 'source = "ftp:', "package.source", "not an http(s) or mailto URL", None),
    ("homepage =", "homepge =", "package.homepge", "unknown key `homepge`", "did you mean `homepage`?"),
    ("keywords =", "qqq =", "package.qqq", "unknown key `qqq`", "known here: "),
    ('readme = "README.md"', 'readme = "../README.md"', "package.readme", "`..` segments", None),
    ('readme = "README.md"', 'readme = "/etc/passwd"', "package.readme", "must be relative", None),
    ('"extra/labels.txt"', '"a\\\\b"', "package.include[0]", "not every system", None),
    ('kind = "organization"', 'kind = "company"', "package.developers[0].kind",
     'expected "organization" or "person", got "company"', None),
    ('"acme/base" = "~1.2"', '"acme/base" = ">>1"', "dependencies.acme/base.version",
     "not a version range", "^1.2"),
    ('"acme/base" = "~1.2"', '"acme_base" = "1"', "dependencies.acme_base", "publisher/name", None),
    ('"acme/base" = "~1.2"', '"acme/digits" = "1"', "dependencies.acme/digits",
     "a package cannot need itself", None),
    ('"acme/base" = "~1.2"', '"acme/base" = 3', "dependencies.acme/base", "expected a table, got 3", None),
    ('kind = "preprocess"', 'kind = "before"', "dependencies.acme/digit-normalizer.kind",
     'got "before"', None),
    ('kind = "preprocess"', 'format = "onx"', "dependencies.acme/digit-normalizer.format",
     "unknown format `onx`", "did you mean `onnx`?"),
    ('"numpy>=1.26"', '"numpy >= "', "requires.python[0]", "not a PEP 508 requirement", "numpy>=1.26"),
    ('"numpy>=1.26"', f'"a; {"(" * 5000}"', "requires.python[0]", "longer than 500", None),
    ('python_version = ">=3.11"', 'python_version = "three"', "requires.python_version",
     "not a PEP 440 range", ">=3.11"),
    ('torch = ">=2.4"', 'torch = "2.4 or so"', "requires.frameworks.torch", "not a PEP 440", None),
    ("rate = 0.001", "rate = nan", "training.hyperparameters.rate", "must be finite, got nan", None),
    ("rate = 0.001", "rate = [1]", "training.hyperparameters.rate", "got [1]", None),
    ("epochs = 30", "epochs = 9223372036854775808", "training.hyperparameters.epochs", "64 bits", None),
    ('dtype = "float32"\nshape = ["batch", 1', 'dtype = "float_32"\nshape = ["batch", 1',
     "signatures.classify.inputs.image.dtype", "unknown dtype `float_32`", "did you mean `float32`?"),
    ('shape = ["batch", 10]', 'shape = ["batch", -1]', "signatures.classify.outputs.logits.shape[1]",
     "a size is 0 or more", None),
    ('shape = ["batch", 10]', 'shape = ["two words"]', "signatures.classify.outputs.logits.shape[0]",
     "must begin with a letter", None),
    ('shape = ["batch", 10]', "shape = [1.5]", "signatures.classify.outputs.logits.shape[0]",
     "expected a whole number or a string, got 1.5", None),
    ("range = [0.0, 1.0]", "range = [0.0, inf]", "signatures.classify.inputs.image.range[1]",
     "must be finite, got inf", None),
    ("range = [0.0, 1.0]", "range = [0.0]", "signatures.classify.inputs.image.range",
     "expected an array of 2 values, got [0.0]", None),
    ('labels = "labels.txt"', 'labels = "con"', "signatures.classify.outputs.logits.labels",
     "device", None),
    ("[entrypoints.small]", '[entrypoints."no name"]', "entrypoints.no name", "must begin", None),
    ('entrypoint = "small"', 'entrypoint = "smal"', "variants[0].entrypoint",
     "no entrypoint `smal` is described", "did you mean `small`?"),
    ('name = "large"', 'name = "Large"', "variants[1].name", "`Large` may hold", None),
    ('name = "large"', 'name = "small"', "variants[1].name", "variant `small` twice", None),
    ('name = "large"', 'default = 1\nname = "large"', "variants[1].default",
     "expected true or false, got 1", None),
    ("value = 0.98", 'value = "high"', "variants[0].metrics[0].value",
     'expected a number, got "high"', None),
    ("value = 0.98", "value = -inf", "variants[0].metrics[0].value", "must be finite", None),
    ("metrics = [", 'metrics = [{ name = "accuracy", dataset = "uci-digits", split = "test", value = 1 }, ',
     "variants[0].metrics[1].name", "`accuracy` twice", None),
    ("value = 0.98", f'value = 0x{"f" * 9000}', "variants[0].metrics[0].value", "64 bits", None),
    ('format = "onnx"', 'format = "onxx"', "variants[0].artifacts[0].format",
     "unknown format `onxx`", "did you mean `onnx`?"),
    ('["python", "javascript"]', '["pyton"]', "variants[0].artifacts[0].contexts[0]",
     "unknown context `pyton`", "did you mean `python`?"),
    ('["python", "javascript"]', "[]", "variants[0].artifacts[0].contexts", "must not be empty", None),
    ('precision = "float32"', 'precision = "half"', "variants[0].artifacts[0].precision",
     "unknown precision `half`", "known: "),
    ("opset = 17", 'opset = "17"', "variants[0].artifacts[0].opset", "expected a whole number", None),
    ("opset = 17", "opset = true", "variants[0].artifacts[0].opset", "expected a whole number", None),
    ("opset = 17", "opset = 1979-05-27", "variants[0].artifacts[0].opset", '"1979-05-27"', None),
    ('files = ["large.safetensors"]', "files = []", "variants[1].artifacts[0].files",
     "must not be empty", None),
    ('files = ["large.safetensors"]', 'files = ["../large"]', "variants[1].artifacts[0].files[0]",
     "`..` segments", None),
)  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "element", "message", "hint"), MISTAKES, ids=[m[1][:50] for m in MISTAKES]
)
def test_a_mistake_has_its_place_and_what_would_be_right(
    full: str, right: str, wrong: str, element: str, message: str, hint: str | None
) -> None:
    assert full.count(right) >= 1
    text = full.replace(right, wrong, 1)
    found = [each for each in _problems(text) if each.element == element]
    assert len(found) == 1, _problems(text)
    assert message in found[0].message
    assert found[0].line == _line(full, right)
    assert (found[0].file, found[0].rule) == ("shelf.toml", "manifest")
    if hint is not None:
        assert hint in (found[0].hint or "")


def test_the_good_manifest_has_no_problem(full: str, record: Record) -> None:
    assert parse(full) == parse(full.encode()) == record
    assert problems(record) == []
    assert record.package.notes == 'Trained again.\n[not.a.table]\ntask = "not a key"\n'


def test_all_problems_come_at_once_in_the_order_of_lines(full: str) -> None:
    text = full
    for right, wrong, *_ in (MISTAKES[0], MISTAKES[4], MISTAKES[-4], MISTAKES[-1]):
        text = text.replace(right, wrong, 1)
    found = _problems(text)
    assert [each.element for each in found] == [
        "package.version",
        "package.task",
        "variants[0].artifacts[0].opset",
        "variants[1].artifacts[0].files[0]",
    ]
    assert sorted(each.line or 0 for each in found) == [each.line for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["package", "variants"]),
        ("[package]\n[[variants]]\n", ["package.name", "package.version", "variants[0].name", "variants[0].artifacts"]),
        ('variants = []\n[package]\nname = "a/b"\nversion = "1.0.0"', ["variants"]),
        ("package = 1\nvariants = {}", ["package", "variants"]),
        ("[[package]]\n[variants]", ["package", "variants"]),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(text: str, expected: list[str]) -> None:
    assert {each.element for each in _problems(text)} == set(expected)


def test_two_defaults_and_files_in_each_other(full: str) -> None:
    two = full.replace('name = "large"', 'name = "large"\ndefault = true')
    assert "more than one variant" in _problems(two)[0].message
    clash = full.replace("large.safetensors", "README.md/x")
    assert "cannot lie in one folder" in _problems(clash)[0].message
    case = full.replace("large.safetensors", "SMALL.onnx")
    assert "cannot lie in one folder" in _problems(case)[0].message


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b'[package]\nsummary = "gr\xf6\xdfer"\n', 2, "not UTF-8: byte 0xf6"),
        (b"\xff\xfe[\x00p\x00", 1, "not UTF-8: byte 0xff"),
        (b'[package]\nname = "a/b"\nname = "a/c"\n', 3, "not valid TOML: Cannot overwrite"),
        (b"[package]\n[package]\n", 2, "not valid TOML: Cannot declare"),
        (b'a = 1\nb = "open\n', 2, "not valid TOML"),
        (b"a = 1\n\nb\n", 3, "not valid TOML"),
        (b"\n\n\x00", 3, "not valid TOML"),
        (b"a = " + b"[" * 100_000, None, "nested too deeply"),
        (b"a = " + b"{a=" * 100_000, None, "nested too deeply"),
        (b"\n" + b"a." * 100_000 + b"a = 1", 2, "more than 32 parts"),
        (b"x = {" + b'"\\"" . ' * 50_000 + b"a = 1}", 1, "more than 32 parts"),
        (b"[" + b"'a'." * 100_000 + b"a]", 1, "more than 32 parts"),
        (b"a = " + b"1" * 5000, None, "too many digits"),
    ],
    ids=[str(number) for number in range(13)],
)
def test_bytes_that_are_no_toml(raw: bytes, line: int | None, message: str) -> None:
    (problem,) = _problems(raw)
    assert message in problem.message
    assert problem.line == line


def test_latin_1_is_explained() -> None:
    assert "UTF-8" in (_problems(b'[package]\nsummary = "gr\xf6\xdfer"\n')[0].hint or "")


def test_ten_megabytes_are_refused_unread() -> None:
    (problem,) = _problems(b'a = "' + b"x" * (10 << 20) + b'"')
    assert "larger than 1 MiB" in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    "pattern",
    ["x{0} = 1\n", "[t{0}]\n", "[[variants]]\n", '[[variants]]\nname = "v{0}"\n[[variants.artifacts]]\n'],
    ids=["keys", "tables", "variants", "artifacts"],
)  # fmt: skip
def test_more_problems_than_anybody_reads(pattern: str) -> None:
    text = "[package]\n" + "".join(map(pattern.format, range(20_000)))
    assert len(_problems(text[: largest_manifest_bytes - 1000])) == most_problems


def test_marks_and_ends_of_lines_of_other_editors(full: str, record: Record) -> None:
    other = "\ufeff" + full.replace("\n", "\r\n")
    assert parse(other.encode()) == record
    wrong = other.replace("opset = 17", 'opset = "x"')
    assert _problems(wrong.encode())[0].line == _line(wrong, 'opset = "x"')


def test_multi_line_strings_and_comments_do_not_shift_lines(full: str) -> None:
    text = '# """ is no string here\n' + full.replace(
        "[package]\n", "[package]\nhomepage2 = '''\n[variants]\n\"\"\"\n'''\n", 1
    )
    text = text.replace("opset = 17", "opset = [\n  1,\n]")
    found = {each.element: each.line for each in _problems(text)}
    assert found == {
        "package.homepage2": _line(text, "homepage2"),
        "variants[0].artifacts[0].opset": _line(text, "opset"),
    }


def test_arrays_of_tables_are_counted() -> None:
    text = '[package]\nname = "a/b"\nversion = "1.0.0"\n' + "".join(
        f'[[variants]]\nname = "v{v}"\n'
        + "".join(f'[[variants.artifacts]]\nformat = "f{v}{a}"\nfiles = ["f"]\n' for a in range(3))
        for v in range(3)
    )
    assert {each.element: each.line for each in _problems(text)} == {
        f"variants[{v}].artifacts[{a}].format": _line(text, f'"f{v}{a}"')
        for v in range(3)
        for a in range(3)
    }


def test_values_inside_one_line_share_it(full: str) -> None:
    text = full.replace("[requires]", "[requires]\nextra = { a = 1 }").replace(
        'parameters = [{ name = "width"', 'parameters = [{ name = 3, odd = "width"'
    )
    lines = {each.element: each.line for each in _problems(text)}
    parameter = _line(text, "parameters =")
    assert lines["requires.extra"] == _line(text, "extra =")
    assert lines["entrypoints.small.parameters[0].name"] == parameter
    assert lines["entrypoints.small.parameters[0].odd"] == parameter


def test_a_project_is_read_from_a_consumers_and_a_publishers_file(full: str) -> None:
    project = parse_project('registry = "https://r.example"\n[dependencies]\n"a/b" = "^1"\n')
    assert project.registry == "https://r.example"
    assert project.dependencies["a/b"].version == "^1"
    assert set(parse_project(full).dependencies) == {"acme/digit-normalizer", "acme/base"}
    assert parse_project("").dependencies == {}


@pytest.mark.parametrize(
    ("text", "element", "line"),
    [
        ('[dependencies]\n"a/b" = "z"', "dependencies.a/b.version", 2),
        ("[dependencies]\nab = 1", "dependencies.ab", 2),
        ("\ndependencys = {}", "dependencys", 2),
        ("dependencies = []", "dependencies", 1),
    ],
)
def test_problems_of_a_project(text: str, element: str, line: int) -> None:
    with pytest.raises(Invalid) as caught:
        parse_project(text)
    assert (element, line) in {(each.element, each.line) for each in caught.value.problems}


VALUES = (
    "1", "-1", "0.5", "nan", "true", '""', '"x"', "[]", "[1]", "{}", "{a = 1}", "1979-05-27",
    '"\\u0000"', "[[[]]]", "'../..'", "99999999999999999999", '["", 1, {}]', '"\\U0010ffff"', "",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_manifest_with_other_values_is_read_or_refused(
    full: str, chance: random.Random, count: int
) -> None:
    lines = full.split("\n")
    for _ in range(count):
        at = chance.randrange(len(lines))
        key, sign, _value = lines[at].partition("=")
        lines[at] = f"{key}{sign} {chance.choice(VALUES)}" if sign else chance.choice(lines)
    _read_or_refused("\n".join(lines).encode())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=6)), max_size=4))
@example([(0.0, 9, b"\xef\xbb\xbf")])
def test_a_manifest_with_other_bytes_is_read_or_refused(
    full: str, changes: list[tuple[float, int, bytes]]
) -> None:
    raw = full.encode()
    for place, dropped, added in changes:
        at = int(place * len(raw))
        raw = raw[:at] + added + raw[at + dropped :]
    _read_or_refused(raw)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]{}.=\"'\\\n#a1é,-_ \t\r", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    _read_or_refused(text.encode())


def _read_or_refused(raw: bytes) -> None:
    for read in (parse, parse_project):
        found = _refused(read, raw)
        assert all(each.message and each.file and (each.line or 1) >= 1 for each in found)


def _refused(read: Callable[[bytes], object], raw: bytes) -> tuple[Problem, ...]:
    try:
        read(raw)
    except Invalid as error:
        return error.problems or (Problem(""),)
    return ()


def test_what_a_check_finds_gets_the_line_of_its_element() -> None:
    """The element's own line, else that of the nearest table around it, else none."""
    text = b'# ours\n[package]\nname = "acme/digits"\n\n[[variants]]\nname = "small"\n'
    found = [
        Problem("a", element="package.task"),
        Problem("b", element="package.name"),
        Problem("c", element="variants[0].artifacts[1].files"),
        Problem("d", element="signatures"),
        Problem("e", file="small.onnx", element="package.name"),
    ]
    lines = [each.line for each in located(text, found)]
    assert lines == [2, 3, 5, None, None]
