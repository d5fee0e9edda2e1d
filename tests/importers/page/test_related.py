from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page import markdown, related
from modelshelf.package.catalogue import Found
from tests.corpora import corpus

KNOWN = {
    "acme/digits", "acme/digits_preprocess", "acme/digits_large", "acme/digits_base", "acme/speech",
    "acme/mel", "acme/voice/wave", "acme_mel", "acme/tools/acme_wave",
}  # fmt: skip


def found(text: str, own: str = "acme/digits") -> list[tuple[str, str]]:
    return [(each.handle, each.part) for each in read(text, own)]


def read(text: str, own: str = "acme/digits") -> tuple[related.Related, ...]:
    return related.read(markdown.read(text), (own,), KNOWN.__contains__)


SENTENCES = [
    ("The separate **preprocessor** SavedModel at\n[hub](https://hub.example/acme/digits_preprocess/3) transforms text.", "acme/digits_preprocess", "preprocess"),
    ("It uses [this](https://hub.example/acme/speech/1) for preprocessing.", "acme/speech", "preprocess"),
    ("It was initialized from https://hub.example/acme/digits_base/1 and fine-tuned.", "acme/digits_base", "base"),
    ("It is based on [`acme/digits_base/1`](https://hub.example/acme/digits_base/1).", "acme/digits_base", "base"),
    ("Its output is passed to [x](https://hub.example/acme/voice/wave/2).", "acme/voice/wave", "pipeline"),
    ("This model is a text preprocessing model for [x](https://hub.example/acme/speech/1).", "acme/speech", "dependent"),
    ("If you want more, use [`acme/digits_large/2`](https://hub.example/acme/digits_large/2) instead.", "acme/digits_large", "alternative"),
    ("Digits are based on ink. See also `acme/digits_large/2`.", "acme/digits_large", "alternative"),
    ("It has no preprocessing. See https://hub.example/acme/speech/1?format=x#y.", "acme/speech", "alternative"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "handle", "part"), SENTENCES)
def test_words_around_a_mention_tell_its_part(text: str, handle: str, part: str) -> None:
    assert found(text) == [(handle, part)]


def test_own_versions_and_unknown_addresses_are_no_relation() -> None:
    text = "See https://hub.example/acme/digits/1, `acme/digits/2`, [x](https://hub.example/foo/bar/1)."
    assert found(text) == []


def test_a_relation_knows_its_version_kind_source_and_line() -> None:
    (one,) = read("# a\n\nIt was fine-tuned from [x](https://hub.example/acme/digits_base/3).")
    assert (one.version, one.kind, one.found, one.line) == ("3", "base", Found("text"), 3)
    (other,) = read("See [x](https://hub.example/acme/digits_large).")
    assert (other.version, other.kind) == (None, None)


ENCODER = """\
```python
text = tf.keras.layers.Input(shape=(), dtype=tf.string)
preprocessor = hub.KerasLayer(
    "https://hub.example/acme/digits_preprocess/3")
inputs = preprocessor(text)
encoder = hub.KerasLayer("https://hub.example/acme/digits/4", trainable=True)
outputs = encoder(inputs)["pooled"]
```
"""
PACKED = """\
```python
preprocessor = hub.load("https://hub.example/acme/digits_preprocess/1")
tokenize = hub.KerasLayer(preprocessor.tokenize)
pack = hub.KerasLayer(preprocessor.pack_inputs, arguments=dict(n=3))
```

Then:

```python
!pip install numpy
encoder = hub.load("https://hub.example/acme/digits/1").signatures["default"]
with tf.device("cpu"):
    result = encoder(**dict(x=pack([tokenize(text)])))
```
"""
SPEECH = """\
```python
mel_model = torch.hub.load('acme/tools:hub', 'acme_mel')
mel_model = mel_model.to('cuda')
wave = torch.hub.load('acme/tools:hub', 'acme_wave')
wave = wave.remove_norm(wave)
sequence = np.array(mel_model.text_to_sequence(text, ['english']))[None, :]
with torch.no_grad():
    _, mel, _, _ = mel_model.infer(sequence)
    audio = wave.infer(mel)
```
"""


@pytest.mark.parametrize(
    ("code", "own", "expected"),
    [
        (ENCODER, "acme/digits", [("acme/digits_preprocess", "preprocess")]),
        (ENCODER, "acme/digits_preprocess", [("acme/digits", "dependent")]),
        (PACKED, "acme/digits", [("acme/digits_preprocess", "preprocess")]),
        (SPEECH, "acme_mel", [("acme/tools/acme_wave", "pipeline")]),
        (SPEECH, "acme/tools/acme_wave", [("acme_mel", "preprocess")]),
        (
            "```\na = hub.load('acme/digits')\nb = hub.load('acme/speech')\nc = b(a(x) + 1)\n```",
            "acme/digits",
            [("acme/speech", "pipeline")],
        ),
        (
            "```\na = hub.load('acme/digits')\nb = hub.load('acme/speech')\nc = b(x)\nd = a(x)\n```",
            "acme/digits",
            [("acme/speech", "alternative")],
        ),
        ("```\nx = f('acme/speech') # no python (\n```", "acme/digits", [("acme/speech", "alternative")]),
        ("```\ndef f(:\n```", "acme/digits", []),
    ],
)  # fmt: skip
def test_code_tells_where_the_data_goes(
    code: str, own: str, expected: list[tuple[str, str]]
) -> None:
    assert found(code, own) == expected


def test_what_an_example_does_with_an_output_is_unsure() -> None:
    (after,) = read(SPEECH, "acme_mel")
    (before,) = read(SPEECH, "acme/tools/acme_wave")
    assert (after.found, before.found) == (Found("code", unsure=True), Found("code"))


def test_the_part_that_counts_most_is_kept() -> None:
    text = "Or use [x](https://hub.example/acme/digits_preprocess/3).\n\n" + ENCODER
    (one,) = read(text)
    assert (one.part, one.version) == ("preprocess", "3")


@given(st.text(alphabet="acme/digits_preprocess'\"`()=.\n fh1", max_size=200))
def test_no_text_is_too_much(text: str) -> None:
    for page in (text, f"```\n{text}\n```", f"```\na = hub.load('acme/speech')\n{text}\n```"):
        assert all(handle in KNOWN for handle, _ in found(page))


@pytest.mark.no_cover
def test_pages_of_a_hub() -> None:
    pages = {}
    for path in sorted(corpus("tfhub-2024-03").rglob("*.md")):
        page = markdown.read(path.read_text(encoding="utf-8").replace("&zwnj;", ""))
        pages[page.sections[0].title.split()[-1].rsplit("/", 1)[0]] = page
    parts = [
        each.part
        for handle, page in pages.items()
        for each in related.read(page, (handle,), pages.__contains__)
    ]
    assert parts.count("preprocess") >= 75
    assert parts.count("base") >= 30
    assert 10 <= parts.count("pipeline") <= 40
