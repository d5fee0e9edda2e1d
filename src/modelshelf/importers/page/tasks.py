"""Tasks as hubs label them → words of our vocabulary."""

from __future__ import annotations

from modelshelf.package.vocabularies import vocabulary

_SAME = {
    "image-classifier": "image-classification",
    "image-classification-logits": "image-classification",
    "image-logits": "image-classification",
    "video-generator": "video-generation",
    "audio-stt": "audio-speech-to-text",
}
"""Labels that mean what another word means."""


def task(label: str) -> tuple[str, bool]:
    """The word for a label (`Image classification`), and whether that is only the nearest one.

    A label that is in no list becomes the `others` of its kind of data, else `other`.
    """
    word = "-".join(label.lower().replace("_", " ").split())
    word = _SAME.get(word, word)
    if word in vocabulary("tasks"):
        return word, False
    others = f"{word.partition('-')[0]}-others"
    return (others if others in vocabulary("tasks") else "other"), True
