"""Files as real libraries write them, made here or lying beside the tests: none may be blocked."""

from __future__ import annotations

import bz2
import collections
import csv
import datetime as dt
import gzip
import io
import json
import pickle
import struct
import wave
import zlib
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder
from sklearn.svm import SVC

FORMATS = Path(__file__).parents[2] / "formats"
FILES = Path(__file__).parent / "files"
STORED = sorted(
    [
        *FILES.iterdir(),
        *FORMATS.glob("pytorch/*.pt*"),
        *FORMATS.glob("torchscript/*.pt*"),
        *FORMATS.glob("torch_export/*.pt2"),
        *FORMATS.glob("onnx/[!e]*.onnx"),
        *FORMATS.glob("keras/s*.*"),
        *FORMATS.glob("skops/[!f]*.skops"),
    ]
)

Files = dict[str, bytes]


def estimators() -> dict[str, Any]:
    """Fitted models of scikit-learn."""
    images, labels = load_iris(return_X_y=True)
    words = labels.astype(str).astype(object)
    random = np.random.RandomState(0)
    pipeline = make_pipeline(
        MinMaxScaler(), FunctionTransformer(np.log1p), KNeighborsClassifier(algorithm="kd_tree")
    )
    return {
        "forest": RandomForestClassifier(2, random_state=random).fit(images, words),
        "boosting": GradientBoostingClassifier(n_estimators=2).fit(images, labels),
        "logistic": LogisticRegression(max_iter=1000).fit(images, labels),
        "sgd": SGDClassifier().fit(images, labels),
        "svm": SVC().fit(images, labels),
        "pipeline": pipeline.fit(images, labels),
        "words": TfidfVectorizer().fit(["one two", "two three"]),
        "categories": OneHotEncoder().fit(words.reshape(-1, 1)),
    }


def pickles() -> Files:
    """Estimators by pickle in every protocol, and by joblib in every way of packing them."""
    found: Files = {}
    for number, (name, model) in enumerate(estimators().items()):
        protocol = (5, 4, 2, 0, 1, 3)[number % 6]
        found[f"{name}-{protocol}.pkl"] = pickle.dumps(model, protocol)
        for packing in (0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 1), ("lzma", 1)):
            target = io.BytesIO()
            joblib.dump(model, target, compress=packing)
            label = packing[0] if isinstance(packing, tuple) else "plain"
            found[f"{name}-{label}.joblib"] = target.getvalue()
    values = {
        "when": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "counts": collections.Counter("abba"),
        "rows": np.zeros(2, [("a", "f4"), ("b", "U3")]),
        "large": np.zeros(1 << 18),
        "state": np.random.default_rng(0),
        "scalar": np.float64(1.5),
    }
    found["values.pkl"] = pickle.dumps(values)
    found["two.pkl"] = pickle.dumps([1]) + pickle.dumps({2: "b"})
    return found


def arrays() -> Files:
    """NumPy's own files."""
    found: Files = {}
    for name, save in {"plain.npz": np.savez, "packed.npz": np.savez_compressed}.items():
        target = io.BytesIO()
        save(target, w=np.ones((4, 5), np.float32), b=np.zeros(3), s=np.array(["a", "bc"]))
        found[name] = target.getvalue()
    target = io.BytesIO()
    np.save(target, np.arange(6).reshape(2, 3))
    found["array.npy"] = target.getvalue()
    target = io.BytesIO()
    np.save(target, np.array(["zero", None, 2], dtype=object), allow_pickle=True)
    found["words.npy"] = target.getvalue()
    return found


def media() -> Files:
    """Pictures, sounds, tables and texts that lie beside models."""
    sound, table = io.BytesIO(), io.StringIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    csv.writer(table).writerows([["id", "word"], [1, "grüße"]])
    labels = "cat\ndog\nelk\n"
    return {
        "picture.png": b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(b"\0\0")) + _chunk(b"IEND", b""),
        "sound.wav": sound.getvalue(),
        "labels.txt": labels.encode(),
        "wide.txt": labels.encode("utf-16"),
        "empty.txt": b"",
        "table.csv": table.getvalue().encode(),
        "labels.csv.gz": gzip.compress(labels.encode()),
        "labels.bz2": bz2.compress(labels.encode()),
        "config.json": json.dumps({"layers": [1, 2]}).encode(),
        "config.yaml": b"model: !!str net\nrate: 1.0e-3\nwow: 100%\n",
        "config.toml": b'[net]\nname = "x"\n',
        "README.md": b"# A model\n\nLoad it with `yaml.safe_load`, never with `!!python/object`.\n",
        "xylophone.txt": b"x^2 + y^2\n",
        "model.py": b"class Net:\n    pass\n",
        "run.sh": b"#!/bin/sh\necho run\n",
        "tokenizer.model": _vocabulary(["<unk>", "<s>", "\u2581the", "\u2581cat"]),
    }  # fmt: skip


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def _vocabulary(pieces: list[str]) -> bytes:
    """SentencePiece's ModelProto: pieces with their scores, then the trainer's settings."""
    found = b""
    for piece in pieces:
        raw = piece.encode()
        inner = b"\x0a" + bytes([len(raw)]) + raw + b"\x15" + struct.pack("<f", -1.5)
        found += b"\x0a" + bytes([len(inner)]) + inner
    return found + b"\x12\x02\x18\x01"


def files() -> Files:
    """Everything, by file name."""
    stored = {path.name: path.read_bytes() for path in STORED if path.suffix != ".json"}
    return {**pickles(), **arrays(), **media(), **stored}
