"""Where the code of an entrypoint fetches weights: addresses in what it reaches, put together as text.

Nothing is fetched. Source of the functions that load: `torch/hub.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from modelshelf.formats.python_folder import Callable, Folder, Outside, Partial, Value
from modelshelf.formats.python_names import Names

URL_COUNT = 1000
URL_CHARACTERS = 2000
NODE_COUNT = 200_000
"""Nodes looked at from all entrypoints of a file."""
TEXT_DEPTH = 40

_LOADING = ("load_state_dict_from_url", "load_url", "download_url_to_file", "urlretrieve", "cached_download",
            "urlopen", "cached_file", "load_file_from_url", "gdown")  # fmt: skip
_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_WEIGHTS = re.compile(
    r"\.(pth?|pth\.tar|bin|ckpt|tar|tgz|tar\.gz|gz|zip|onnx|safetensors|th|t7|pkl|pickle|h5|hdf5|npz|npy"
    r"|msgpack|model|mdl|caffemodel|torchscript|pt2|gguf|tflite|pb)([?#].*)?$",
    re.IGNORECASE,
)


class Weights:
    """Collects the addresses that entrypoints reach; each node is looked at once."""

    def __init__(self, folder: Folder) -> None:
        self.urls: dict[str, None] = {}
        self._folder = folder
        self._seen: set[int] = set()
        self._left = NODE_COUNT

    def reached_from(self, found: Callable | Partial) -> None:
        """Add the addresses in `found`, in the constants it uses and in the functions it calls."""
        while isinstance(found, Partial):
            self._walk([(found.call, found.module)])
            found = found.target
        self._walk([(found.node, found.module)])

    def _walk(self, waiting: list[tuple[ast.AST, Names]]) -> None:
        while waiting and self._left > 0:
            node, module = waiting.pop()
            if id(node) in self._seen:
                continue
            self._seen.add(id(node))
            self._left -= 1
            if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
                self._text(node, module, loaded=False)
            if isinstance(node, ast.Call):
                self._loaded(node, module)
            if isinstance(node, (ast.Name, ast.Attribute)):
                waiting += self._used(node, module)
            parts = _parts(node) if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node)
            waiting += reversed([(each, module) for each in parts])

    def _used(self, node: ast.expr, module: Names) -> Iterator[tuple[ast.AST, Names]]:
        match self._folder.valued(node, module):
            case Callable(node=used, module=where) | Value(node=used, module=where):
                yield used, where
            case Partial(call=call, module=where):
                yield call, where

    def _loaded(self, call: ast.Call, module: Names) -> None:
        """An address that a function which loads is given counts whatever its ending is."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else None
        if isinstance(call.func, ast.Name):
            found = self._folder.valued(call.func, module)
            name = found.dotted.split(".")[-1] if isinstance(found, Outside) else call.func.id
        if name not in _LOADING:
            return
        for argument in [*call.args[:1], *(e.value for e in call.keywords if e.arg == "url")]:
            found = self._folder.valued(argument, module)
            if isinstance(found, Value):
                self._text(found.node, found.module, loaded=True)

    def _text(self, node: ast.expr, module: Names, *, loaded: bool) -> None:
        text = "".join(self._words(node, module, TEXT_DEPTH))[:URL_CHARACTERS]
        for match in _URL.finditer(text):
            address = match.group().rstrip(".,;)]`")
            whole = loaded and match.start() == 0
            if (whole or _WEIGHTS.search(address)) and len(self.urls) < URL_COUNT:
                self.urls.setdefault(address)

    def _words(self, node: ast.expr, module: Names, depth: int) -> Iterable[str]:
        """The text that an expression makes; what is not known stands in braces, by its name."""
        if not depth:
            return ["{}"]
        match node:
            case ast.Constant(value=str(text)):
                return [text[:URL_CHARACTERS]]
            case ast.JoinedStr(values=parts):
                self._seen.update(map(id, parts))
                return [w for each in parts[:100] for w in self._words(each, module, depth - 1)]
            case ast.FormattedValue(value=value):
                return self._words(value, module, depth - 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                self._seen.update((id(left), id(right)))
                return [
                    *self._words(left, module, depth - 1), *self._words(right, module, depth - 1)
                ]  # fmt: skip
            case ast.Name() | ast.Attribute():
                found = self._folder.valued(node, module)
                if isinstance(found, Value) and found.node is not node:
                    return self._words(found.node, found.module, depth // 2)
        return [f"{{{getattr(node, 'id', getattr(node, 'attr', ''))}}}"]


def _parts(node: ast.JoinedStr) -> list[ast.expr]:
    return [each.value for each in node.values if isinstance(each, ast.FormattedValue)]
