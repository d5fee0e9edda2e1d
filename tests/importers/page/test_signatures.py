from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page import markdown, signatures
from modelshelf.importers.page.tensor_words import (
    Size,
    axes,
    dtype_of,
    range_of,
    rate_of,
    shape_of,
    size_of,
)
from modelshelf.package.signature import Dimension, Interval, Tensor
from tests.corpora import corpus


def described(text: str, own: str = "") -> signatures.Described:
    return signatures.read(markdown.read(text), own)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("a tensor of shape `[N, 4]`", ("N", 4)),
        ("with shape [batch size, height, 3].", ("batch_size", "height", 3)),
        ("images of shape `(3 x H x W)`", (3, "H", "W")),
        ("shape \\[None, -1, ?\\]", (None, None, None)),
        ("shape=()", ()),
        ("[batch_size, 768].", ("batch_size", 768)),
        ("see [1] (index 1, if present)", None),
        ("['label_1', 'label_2']", None),
        ("shape [1, 2, 3, 4, 5, 6, 7, 8, 9]", None),
    ],
)
def test_shapes(text: str, shape: tuple[Dimension, ...] | None) -> None:
    assert shape_of(text) == shape


def test_words() -> None:
    assert [dtype_of(t) for t in ("a `tf.int32` tensor", "strings", "tf.int", "fp16", "inter")] == [
        "int32", "string", "int32", "float16", None,
    ]  # fmt: skip
    assert range_of("values in the range `[-1.0, +1.0]`") == (-1.0, 1.0)
    assert range_of("between 0 and 255") == (0.0, 255.0)
    assert range_of("in 2 or 1 parts") is None
    assert size_of("fixed to `height` x `width` = 224 x 192 pixels") == Size(224, 192)
    assert size_of("1.5 x 2.5") is None
    assert (rate_of("at 16 kHz"), rate_of("44100 Hz"), rate_of("loud")) == (16000, 44100, None)
    assert axes("") == ()


IMAGES = """\
This module implements the common signature for
[image classification](https://hub.example/common_signatures/images#classification).

```python
module = hub.Module("https://hub.example/acme/digits/1")
images = ...  # A batch of images with shape [batch_size, height, width, 3].
logits = module(images)  # Logits with shape [batch_size, num_classes].
```

...or using the signature name `image_classification`. The indices into logits
are the `num_classes` = 1001 classes.

The input `images` are expected to have color values in the range [0,1].
The size of the input images is fixed to `height` x `width` = 224 x 224 pixels.
"""


def test_images() -> None:
    found = described(IMAGES)
    assert found.names == ("image_classification",)
    assert found.inputs == {
        "images": Tensor(
            "float32", ("batch_size", 224, 224, 3), "image", range=(0.0, 1.0), layout="NHWC"
        )
    }
    assert found.outputs == {"logits": Tensor("float32", ("batch_size", 1001), "class-scores")}
    assert list(found.signatures) == ["default", "image_classification"]
    assert found.found is not None
    assert found.found.unsure


def test_images_of_any_size_keep_their_names() -> None:
    text = IMAGES.replace("is fixed to", "is flexible, best is")
    assert described(text).inputs["images"].shape == ("batch_size", "height", "width", 3)


def test_images_with_their_colours_first() -> None:
    found = described(
        "All models expect input images normalized in the same way, i.e. 3-channel RGB images of\n"
        "shape `(3 x H x W)`, where `H` and `W` are at least `224`, in a range of `[0, 1]`, using\n"
        "`mean = [0.4, 0.5, 0.6]` and `std = [0.2, 0.2, 0.2]`.\n\n"
        "```python\n# Tensor of shape 1000, with confidence scores\nprint(output[0])\n```"
    )
    (signature,) = found.signatures.values()
    assert signature.symbols == {"H": Interval(224), "W": Interval(224)}
    assert signature.inputs["image"] == Tensor(
        "float32", ("batch_size", 3, "H", "W"), "image", range=(0.0, 1.0), layout="NCHW",
        colors="RGB", mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2),
    )  # fmt: skip
    assert signature.outputs["output"].shape == ("batch_size", 1000)


ENCODER = """\
It expects a dict with three int32 Tensors as input: `input_word_ids`, `input_mask` and `types`.

```python
text_input = tf.keras.layers.Input(shape=(), dtype=tf.string)
encoder_inputs = preprocessor(text_input)
encoder = hub.KerasLayer("https://hub.example/acme/digits/4")
outputs = encoder(encoder_inputs)
pooled_output = outputs["pooled_output"]      # [batch_size, 768].
```

```python
encoder_inputs = dict(
    input_word_ids=tf.keras.layers.Input(shape=(seq_length,), dtype=tf.int32),
    input_mask=tf.keras.layers.Input(shape=(seq_length,), dtype=tf.int32),
)
```

```python
inputs = dict(positions=tf.keras.layers.Input(shape=(n,), dtype=tf.int32))
part = hub.KerasLayer(encoder.part, trainable=True)
```
"""


def test_encoders() -> None:
    found = described(ENCODER)
    assert {name: str(tensor) for name, tensor in found.inputs.items()} == {
        "input_word_ids": "int32[batch_size, seq_length]",
        "input_mask": "int32[batch_size, seq_length]",
        "types": "int32[...]",
    }
    assert {name: str(tensor) for name, tensor in found.outputs.items()} == {
        "pooled_output": "float32[batch_size, 768]"
    }
    assert "text_input" in described(ENCODER, "acme/digits_preprocess").inputs


def test_lists() -> None:
    found = described(
        "### Inputs\n\nAn image of variable size: a `tf.uint8` tensor with shape `[1, height, width, 3]` with"
        " values in `[0, 255]` is the input tensor.\n\n"
        "### Outputs\n\nThe output dictionary contains:\n\n"
        "*   `boxes`: a `tf.float32` tensor of shape `[N, 4]` with boxes.\n"
        "*   `outputs['scores']`: a tensor of shape `[N]`.\n*   `num`: how many.\n*   **Shape**: [N, 2]\n"
    )  # fmt: skip
    assert {name: str(tensor) for name, tensor in found.outputs.items()} == {
        "boxes": "float32[N, 4]",
        "scores": "float32[N]",
        "outputs": "float32[N, 2]",
    }
    assert found.outputs["boxes"].description == "a tf.float32 tensor of shape [N, 4] with boxes."
    assert str(found.inputs["images"]) == "float32[1, height, width, 3]"


def test_sentences_and_vectors() -> None:
    found = described(
        "The module takes **a batch of sentences in a 1-D tensor of strings** as input. The output is a\n"
        "512 dimensional vector."
    )
    assert (str(found.inputs["sentences"]), str(found.outputs["embeddings"])) == (
        "string[batch_size]",
        "float32[batch_size, 512]",
    )


@pytest.mark.parametrize(
    ("text", "names", "speaks"),
    [
        ("Use the __encoder__ signature to encode.", ("encoder",), True),
        ("The default signature is like the `a_b` signature.", ("default", "a_b"), True),
        ('```\nx = module(y, signature="tokens")\n```', ("tokens",), True),
        ("```\nx = module.signatures['serve'](y)\n```", ("serve",), True),
        ("It has several signatures.", (), True),
        ("[conventions](https://hub.example/common_signatures/images)", (), False),
        ("## Changelog\n\n#### Version 2\n\n* Adds the `b` signature.", (), False),
        ("It recognizes signs.", (), False),
    ],
)
def test_names(text: str, names: tuple[str, ...], speaks: bool) -> None:
    page = markdown.read(text)
    assert signatures.read(page).names == names
    assert signatures.describes(page) == speaks


def test_a_page_without_any() -> None:
    assert described("It is a model.") == signatures.Described()


@given(st.text(alphabet="`[N, 4]` input shape:=\n*#.()image 2x", max_size=200))
def test_no_text_is_too_much(text: str) -> None:
    found = described(text)
    assert all(name for name in (*found.inputs, *found.outputs))


def test_packages_that_describe_signatures() -> None:
    """The paper counted 173 by hand, its authors' own rule gives 223; which rule is not known.

    Ours: 111 on the page of the latest version, 214 on that of any version.
    """
    pages: dict[str, list[markdown.Page]] = {}
    for path in sorted(corpus("tfhub-2020-03-docs").rglob("*.md"), key=lambda p: p.stem.zfill(9)):
        page = markdown.read(path.read_text(encoding="utf-8"))
        pages.setdefault(str(path.parent), []).append(page)
    assert 105 <= sum(signatures.describes(every[-1]) for every in pages.values()) <= 120
    assert 205 <= sum(any(map(signatures.describes, every)) for every in pages.values()) <= 225
    full = sum(bool(signatures.read(every[-1]).signatures) for every in pages.values())
    assert full >= 270
