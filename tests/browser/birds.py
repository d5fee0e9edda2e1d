"""A hub's pages of an algorithm that does not exist: three generations of it, in several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Bird(NamedTuple):
    """One classifier: its generation, its width, the side of its images, how good it is."""

    generation: int
    width: int
    resolution: int
    accuracy: float

    @property
    def handle(self) -> str:
        return f"aviary/garden/sparrownet_v{self.generation}_{self.width:03}_{self.resolution}/classification"


BIRDS = (
    Bird(1, 50, 128, 0.592), Bird(1, 50, 224, 0.633), Bird(1, 100, 128, 0.651), Bird(1, 100, 224, 0.709),
    Bird(2, 50, 128, 0.610), Bird(2, 50, 224, 0.654), Bird(2, 75, 128, 0.639), Bird(2, 75, 224, 0.688),
    Bird(2, 100, 128, 0.668), Bird(2, 100, 224, 0.718), Bird(2, 140, 224, 0.750),
    Bird(3, 75, 224, 0.733), Bird(3, 100, 224, 0.752),
)  # fmt: skip
LANGUAGES, SIZES = ("en", "de"), (50, 128)
PACKAGES = len(BIRDS) + len(LANGUAGES) * len(SIZES)
FAMILY = "image-classification-sparrownet-v2-garden-birds"

_CLASSIFIER = """\
# Module {handle}/2
Garden birds, classified by SparrowNet V{generation} (width multiplier {times:.2f}).

<!-- dataset: Garden Birds (GB-2012) -->
<!-- task: image-classification -->
<!-- network-architecture: SparrowNet V{generation} -->
<!-- format: saved_model_2 -->
<!-- fine-tunable: true -->
<!-- license: Apache-2.0 -->

## Overview

SparrowNet V{generation} tells birds of the garden apart. Its images are {resolution}x{resolution} pixels.

| Model | Width | Top-1 accuracy |
|---|---|---|
| this one | {times:.2f} | {accuracy:.1%} |

## Changelog

### Version 1

*   The first one.

### Version 2

*   Trained for longer.
"""

_EMBEDDING = """\
# Module aviary/song2vec_{language}_dim{size}/1
Birdsong in words, embedded by Song2Vec, {size} numbers a sentence.

<!-- dataset: Dawn Chorus -->
<!-- task: text-embedding -->
<!-- network-architecture: Song2Vec -->
<!-- format: hub -->
<!-- language: {language} -->

## Overview

Sentences about birds become vectors.
"""

_PUBLISHER = """\
# Publisher aviary
The Aviary

<!-- icon-url: https://aviary.example/icon.png -->

## The Aviary

People who look at birds.
"""


def write(folder: Path) -> Path:
    """All pages below `folder`, as the hub lays them out; gives it back."""
    for path, text in _pages():
        target = folder / "docs" / "aviary" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def _pages() -> Iterator[tuple[str, str]]:
    yield "aviary.md", _PUBLISHER
    for bird in BIRDS:
        text = _CLASSIFIER.format(handle=bird.handle, times=bird.width / 100, **bird._asdict())
        name = bird.handle.replace("/", "_")
        yield f"models/{name}/2.md", text
        yield f"models/{name}/1.md", text.replace(f"{bird.handle}/2", f"{bird.handle}/1")
    for language in LANGUAGES:
        for size in SIZES:
            text = _EMBEDDING.format(language=language, size=size)
            yield f"models/song2vec_{language}_{size}/1.md", text
