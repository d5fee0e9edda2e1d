"""One good manifest that uses every table of the record."""

from __future__ import annotations

import pytest

from modelshelf.package.manifest import parse
from modelshelf.package.record import Record

# Every place that a test changes stands on a line of its own.
FULL = """\
# digits, four sizes
[package]
name = "acme/digits"
version = "1.1.0"
summary = "Handwritten digit classifiers, four sizes"
license = "Apache-2.0"
copyright = "2026 Acme Vision"
task = "image-classification"
algorithm = "CNN"
datasets = ["uci-digits"]
language = "en"
keywords = ["digits", "ocr"]
source = "https://git.acme.example/digits"
issues = "https://git.acme.example/digits/issues"
contributing = "https://git.acme.example/digits/contributing"
homepage = "https://acme.example"
papers = ["https://acme.example/paper"]
demo = "https://acme.example/demo"
security = "mailto:security@acme.example"
readme = "README.md"
usage = "USAGE.md"
notes = \"\"\"
Trained again.
[not.a.table]
task = "not a key"
\"\"\"
include = ["extra/labels.txt"]

[[package.developers]]
name = "Acme Vision"
kind = "organization"
email = "ml@acme.example"

[dependencies]  # models that this one needs
"acme/digit-normalizer" = { version = "^2.0", kind = "preprocess" }
"acme/base" = "~1.2"

[requires]
python = ["numpy>=1.26"]
python_version = ">=3.11"
hardware = ["cpu"]
[requires.frameworks]
torch = ">=2.4"

[training]
description = "Adam, 30 epochs"
script = "train.py"
preprocessing = "scaled to 0..1"
[training.hyperparameters]
epochs = 30
rate = 0.001

[signatures.classify.inputs.image]
dtype = "float32"
shape = ["batch", 1, 8, 8]
meaning = "image"
range = [0.0, 1.0]
layout = "NCHW"
[signatures.classify.outputs.logits]
dtype = "float32"
shape = ["batch", 10]
meaning = "class-scores"
labels = "labels.txt"

[entrypoints.small]
file = "hubconf.py"
parameters = [{ name = "width", type = "int", default = "8" }]

[[variants]]
name = "small"
default = true
features = { width = 8 }
entrypoint = "small"
metrics = [{ name = "accuracy", dataset = "uci-digits", split = "test", value = 0.98 }]
[[variants.artifacts]]
format = "onnx"
files = ["small.onnx"]
contexts = ["python", "javascript"]
precision = "float32"
opset = 17

[[variants]]
name = "large"
[[variants.artifacts]]
format = "safetensors"
files = ["large.safetensors"]
"""


@pytest.fixture(scope="session")
def full() -> str:
    """The text of a manifest without a problem, at the level `complete`."""
    return FULL


@pytest.fixture(scope="session")
def record() -> Record:
    """What `full` says."""
    return parse(FULL)
