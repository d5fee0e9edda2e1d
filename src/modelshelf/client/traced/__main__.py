"""Runs a program as Python itself would, and writes down what it loads: see the folder."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import io
import runpy
import sys
from pathlib import Path
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType

# what `python -m` itself calls, and what `python FOLDER` does
_run_as_main = runpy._run_module_as_main  # type: ignore[attr-defined]  # noqa: SLF001
FOLDER = Path(__file__).absolute().parent


def main() -> None:
    """`EVENTS script|module PROGRAM [ARGUMENTS...]` → the program, as `__main__`."""
    events, kind, program, *arguments = sys.argv[1:]
    _watch(events)
    _become_main()
    sys.argv = [program, *arguments]
    try:
        if kind == "module":
            _put_first(Path.cwd())
            _run_as_main(program, True)
        elif _is_package(Path(program)):
            _put_first(Path(program).absolute())
            _run_as_main("__main__", False)
        else:
            _put_first(Path(program).resolve().parent)
            _run_script(str(Path(program).absolute()))
    except SystemExit:
        raise
    except BaseException as error:
        _hide_frames(error)
        raise


def _watch(events: str) -> None:
    recorder = _sibling("_recorder.py")
    trace = recorder.Trace(str(Path(events).absolute()))
    watcher = recorder.Watcher(trace)
    sys.meta_path.insert(0, watcher)
    for file in sorted(FOLDER.glob("[!_]*.py")):
        for name, watch in _sibling(file.name).WATCH.items():
            watcher.watch(name, watch)


def _sibling(file: str) -> ModuleType:
    """A module of this folder, by its file: Modelshelf need not be installed in this Python."""
    path = str(FOLDER / file)
    spec = importlib.util.spec_from_file_location(f"modelshelf_traced_{file[:-3]}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _become_main() -> None:
    """Make room: the program is `__main__`, in a module of its own that stays to the end."""
    module = ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = module


def _put_first(folder: Path) -> None:
    """The first place where modules are looked for, unless Python was told to have none such."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = str(folder)


def _is_package(path: Path) -> bool:
    """Whether Python looks for a `__main__.py` inside: a folder or a zip."""
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4"


def _run_script(path: str) -> None:
    loader: importlib.machinery.SourceFileLoader | importlib.machinery.SourcelessFileLoader
    names = sys.modules["__main__"].__dict__
    if path.endswith(".pyc"):
        loader = importlib.machinery.SourcelessFileLoader("__main__", path)
        code = loader.get_code("__main__")
    else:
        loader = importlib.machinery.SourceFileLoader("__main__", path)
        code = _compiled(path)
    names.update(__file__=path, __loader__=loader, __cached__=None)
    if code is not None:
        exec(code, names)  # noqa: S102 (the user asked for this program)


def _compiled(path: str) -> CodeType:
    with io.open_code(path) as file:
        code: CodeType = compile(file.read(), path, "exec", dont_inherit=True)
    return code


def _hide_frames(error: BaseException) -> None:
    """Have the traceback begin where the program does; all else at the end stays Python's."""
    chosen = sys.excepthook

    def show(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        trace = _own(trace)
        chosen(kind, value.with_traceback(trace), trace)

    error.__traceback__ = _own(error.__traceback__)
    sys.excepthook = show


def _own(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


if __name__ == "__main__":
    main()
