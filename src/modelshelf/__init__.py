"""Modelshelf: the package manager for pre-trained models.

`modelshelf.load("digits/classifier", variant="cnn-small")(image=images)["logits"]` opens a model
that `shelf install` put on the shelf of this folder, and calls it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost the warm command line a third of its time
if TYPE_CHECKING:
    from modelshelf.client.load import load as load
    from modelshelf.errors import ShelfError as ShelfError

__version__ = "0.1.0"
__all__ = ["ShelfError", "__version__", "load"]


def __getattr__(name: str) -> object:
    """Import the public names when they are first asked for: `import modelshelf` stays cheap."""
    if name == "load":
        from modelshelf.client.load import load

        return load
    if name == "ShelfError":
        from modelshelf.errors import ShelfError

        return ShelfError
    raise AttributeError(f"module 'modelshelf' has no attribute {name!r}")
