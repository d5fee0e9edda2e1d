"""Writing down what a program loads, as it loads it: functions are wrapped when it imports them."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import threading
from typing import Any, Callable  # noqa: UP035 (Python 3.9 may read this)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    Arguments = dict[str, Any]
    Note = Callable[[Arguments, Any], None]
    Watch = Callable[[ModuleType, "Trace"], None]

MOST_EVENTS = 10_000
LONGEST_TEXT = 4_000


class Trace:
    """Appends events to the file `path`: at once and whole, whoever dies afterwards."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._quiet = threading.local()

    def loaded(self, through: str, **facts: object) -> None:
        """Write down that something was loaded, unless a wrapped function tells more of it."""
        if not self._depth():
            self._append({"through": through, **facts})

    def failed(self, through: str, error: BaseException) -> None:
        """Write down that the trace itself did not work here; the program goes on."""
        self._append({"through": through, "failed": f"{type(error).__name__}: {error}"})

    def wrap(
        self,
        owner: object,
        name: str,
        note: Note,
        *,
        before: Callable[[], None] | None = None,
        quiet: bool = False,
    ) -> None:
        """Call `note` with arguments by name and result whenever `owner.name` has returned.

        What is loaded while a `quiet` function runs is not told apart. Where there is no such
        function, nothing happens.
        """
        original = getattr(owner, name, None)
        if not callable(original):
            return
        signature = functools.cache(lambda: inspect.signature(original))

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if before is not None:
                before()
            self._quiet.depth = self._depth() + quiet
            try:
                result = original(*args, **kwargs)
            finally:
                self._quiet.depth -= quiet
            try:
                note(_named(signature(), args, kwargs), result)
            except Exception as error:  # noqa: BLE001 (the program must not notice)
                self.failed(name, error)
            return result

        setattr(owner, name, wrapped)

    def _depth(self) -> int:
        return getattr(self._quiet, "depth", 0)

    def _append(self, event: Mapping[str, object]) -> None:
        line = json.dumps({key: _bounded(value) for key, value in event.items()})
        if line in self._seen or len(self._seen) >= MOST_EVENTS:
            return
        self._seen.add(line)
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError:
            return  # the program may have gone where the file is not
        try:
            os.write(file, line.encode() + b"\n")
        finally:
            os.close(file)


class Watcher:
    """Stands first in `sys.meta_path` and lets others import; then functions are wrapped."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._watches: dict[str, list[Watch]] = {}

    def watch(self, name: str, watch: Watch) -> None:
        """Call `watch` once the module `name` is imported, or now where it is."""
        self._watches.setdefault(name, []).append(watch)
        if name in sys.modules:
            self._imported(sys.modules[name])

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What the other finders say, with a look at the module once it has run."""
        if name not in self._watches:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                self._follow(name, spec.loader)
                return spec
        return None

    def _follow(self, name: str, loader: Any) -> None:
        """Have `loader` call us after it ran `name`; the loader itself stays what it is."""
        run = getattr(loader, "exec_module", None)
        if run is None or isinstance(loader, type):
            return

        def exec_module(module: ModuleType) -> None:
            run(module)
            if module.__name__ == name:
                loader.__dict__.pop("exec_module", None)
                self._imported(module)

        loader.exec_module = exec_module

    def _imported(self, module: ModuleType) -> None:
        for watch in self._watches.get(module.__name__, []):
            try:
                watch(module, self._trace)
            except Exception as error:  # noqa: BLE001 (the program must not notice)
                self._trace.failed(module.__name__, error)


def _named(signature: inspect.Signature, args: Any, kwargs: Any) -> Arguments:
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _bounded(value: object) -> object:
    if value is None or isinstance(value, (bool, int)):
        return value
    return (
        os.fspath(value)[:LONGEST_TEXT]
        if isinstance(value, os.PathLike)
        else str(value)[:LONGEST_TEXT]
    )
