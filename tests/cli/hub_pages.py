"""A dozen pages in the shape of TFHub's, of publishers that nobody else's tests use."""

from __future__ import annotations

from pathlib import Path


def page(handle: str, *labels: str, kind: str = "Module", text: str = "") -> str:
    """One page."""
    lines = "\n".join(f"<!-- {label} -->" for label in labels)
    return f"# {kind} {handle}\nReads what {handle} reads.\n\n{lines}\n\n## Overview\n{text}\n"


def write_hub(folder: Path, publisher: str) -> Path:
    """The folder of a snapshot: a family of three, a preprocessor, a deployment, one whose files are gone."""
    denoise = ("task: image-denoising", "dataset: grain", "network-architecture: cnn")
    link = f"Its input comes from [the preprocessor](https://tfhub.dev/{publisher}/pre/1)."
    pages = {
        f"{publisher}/{publisher}": f"# Publisher {publisher}\nAcme Vision\n\n[![Icon](x.svg)]\n",
        f"{publisher}/models/clean_A/1": page(
            f"{publisher}/clean_A/1", "format: saved_model_2", *denoise
        ),
        f"{publisher}/models/clean_A/2": page(
            f"{publisher}/clean_A/2", "format: saved_model_2", "license: mit", *denoise, text=link
        ),
        f"{publisher}/models/clean_B/1": page(
            f"{publisher}/clean_B/1", "format: hub", "network-architecture: other", *denoise[:2]
        ),
        f"{publisher}/models/pre/1": page(
            f"{publisher}/pre/1", "format: saved_model_2", "task: text-preprocessing"
        ),
        f"{publisher}/models/pre/2": page(
            f"{publisher}/pre/2", "format: saved_model_2", "task: text-preprocessing"
        ),
        f"{publisher}/models/small/1": page(
            f"{publisher}/small/1", f"parent-model: {publisher}/clean_A/2", kind="Lite"
        ),
        f"{publisher}/models/gone/1": page(f"{publisher}/gone/1", "format: hub", *denoise),
        f"{publisher}/models/zwnj&zwnj;/1": page(f"{publisher}/zwnj&zwnj;/1", "format: hub"),
        f"{publisher}/collections/all/1": page(
            f"{publisher}/all/1", kind="Collection", text=f"* {publisher}/clean_A"
        ),
        f"{publisher}/models/garbage/1": "\x00\x01 <!-- task: --> # # \n" * 3,
        f"{publisher}/models/empty/1": "",
    }
    for name, text in pages.items():
        path = folder / "docs" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "UPSTREAM-README.md").write_text(
        "As of March 2024, these model assets were deleted and retrieval is no longer possible:\n\n"
        f"-   [{publisher}/gone](https://hub.example/{publisher}/gone)\n",
        encoding="utf-8",
    )
    return folder
