"""A traced program runs as it does alone, and what it loads is written down however it ends."""

from __future__ import annotations

import ast
import gzip
import hashlib
import http.server
import json
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.client.trace import HOOK, Foreign, Program, Told, trace
from modelshelf.client.traced.http_client import ENDINGS
from modelshelf.errors import NotFound
from modelshelf.formats import formats

WEIGHTS = bytes(range(256)) * 40
LARGE = b"\1" * 1_200_000
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
NO_MODELS = {".json", ".xml", ".py"}
"""Endings that models have and many other files."""


PAGES: dict[str, tuple[bytes, dict[str, str]]] = {
    "/model.onnx": (WEIGHTS, {}),
    "/model.pt?download=1": (WEIGHTS, {}),
    "/get/7": (WEIGHTS, {"Content-Disposition": 'attachment; filename="model.tflite"'}),
    "/large": (LARGE, {"Content-Type": "application/octet-stream"}),
    "/large.html": (LARGE, {"Content-Type": "text/html; charset=utf-8"}),
    "/page": (WEIGHTS, {}),
    "/pressed.bin": (gzip.compress(WEIGHTS), {"Content-Encoding": "gzip"}),
}


class Site(http.server.BaseHTTPRequestHandler):
    """`/PATH` answers by the case of `PAGES`; `/to/PATH` leads there."""

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[3:])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, headers = PAGES.get(self.path, (b"", {}))
        self.send_response(200 if body else 404)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(30)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "*")


def traced(text: str, *arguments: str, name: str = "program.py") -> Told:
    Path(name).write_text(text, encoding="utf-8")
    return trace(Program(name, arguments), stdout=2)


WAYS = {
    "urlopen": "from urllib.request import urlopen\nassert urlopen(sys.argv[1]).read()",
    "in pieces": "from urllib.request import urlopen\nwith urlopen(sys.argv[1]) as answer:\n"
    "    while answer.read(1000): pass",
    "urlretrieve": "from urllib.request import urlretrieve\nurlretrieve(sys.argv[1], 'here')",
    "readinto": "from urllib.request import urlopen\nimport io\n"
    "io.BufferedReader(urlopen(sys.argv[1])).read()",
    "lines": "from urllib.request import urlopen\nlist(urlopen(sys.argv[1]))",
    "in a thread": "import threading, urllib.request as r\n"
    "t = threading.Thread(target=lambda: r.urlopen(sys.argv[1]).read()); t.start(); t.join()",
    "in a fork": "import multiprocessing, urllib.request as r\n"
    "p = multiprocessing.get_context('fork').Process(\n"
    "    target=lambda: r.urlopen(sys.argv[1]).read()); p.start(); p.join()",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_url_is_told_with_the_sha256_of_what_arrived(way: str, site: str) -> None:
    told = traced(f"import sys\n{WAYS[way]}\n", f"{site}/model.onnx")
    assert told.exit_code == 0
    hint = f"{len(WEIGHTS):,} bytes"
    assert told.foreign == (Foreign("URL", f"{site}/model.onnx", f"sha256:{SHA256}", hint),)


@pytest.mark.parametrize(
    ("path", "pin"),
    [
        ("/model.pt?download=1", SHA256),
        ("/to/model.onnx", SHA256),
        ("/to/to/model.onnx", SHA256),
        ("/get/7", SHA256),
        ("/large", hashlib.sha256(LARGE).hexdigest()),
        ("/pressed.bin", None),
    ],
)
def test_what_counts_as_a_model(path: str, pin: str | None, site: str) -> None:
    told = traced(f"import sys\n{WAYS['urlopen']}\n", site + path)
    assert [(each.what, each.pin) for each in told.foreign] == [
        (site + path, pin and f"sha256:{pin}")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "urlopen(site + '/page').read()",
        "urlopen(site + '/large.html').read()",
        "urlopen(site + '/model.onnx', data=b'x').read()",
        "urlopen(Request(site + '/model.onnx', method='HEAD'))",
        "urlopen(site + '/gone.onnx')",
    ],
)
def test_what_counts_as_none(line: str, site: str) -> None:
    begin = "import sys; from urllib.request import Request, urlopen; site = sys.argv[1]\n"
    assert traced(f"{begin}try:\n    {line}\nexcept OSError: pass\n", site).foreign == ()


def test_what_did_not_arrive_whole_has_no_pin(site: str) -> None:
    told = traced(
        "import sys, urllib.request as r\nr.urlopen(sys.argv[1]).read(100)\n", f"{site}/model.onnx"
    )
    assert [(each.pin, each.hint) for each in told.foreign] == [
        (None, f"{len(WEIGHTS):,} bytes, the file's sha256 was not seen")
    ]


ENDS = {
    "raise ValueError('no')": 1,
    "sys.exit(7)": 7,
    "sys.exit('words')": 1,
    "import os; os._exit(9)": 9,
    "import os; os.kill(os.getpid(), 9)": 128 + signal.SIGKILL,
    "raise KeyboardInterrupt": 128 + signal.SIGINT,
    "import os; os.abort()": 128 + signal.SIGABRT,
}


@pytest.mark.parametrize("end", ENDS)
def test_however_it_ends(end: str, site: str) -> None:
    told = traced(f"import sys\n{WAYS['urlopen']}\n{end}\n", f"{site}/model.onnx")
    assert told.exit_code == ENDS[end]
    assert [each.pin for each in told.foreign] == [f"sha256:{SHA256}"]


# everything that a program can see of how it was started
SEEN = """
import json, sys, inspect
def grow(): return sys._getframe(1)
frame, depth = grow(), 0
while (frame := frame.f_back): depth += 1
names = sorted(name for name in globals() if name not in ('frame', 'depth'))
print(json.dumps([sys.argv, sys.path, __file__, __name__, __spec__ and [__spec__.name, __spec__.origin, __spec__.parent], __package__, __doc__,
    type(__loader__).__name__, names, sys.modules['__main__'].__file__, __cached__,
    sys.stdin.read(), sorted(m for m in sys.modules if m.split('.')[0] in
    ('torch', 'tensorflow_hub', 'huggingface_hub', 'modelshelf') or m == 'http.client'),
    sys.modules['__main__'].__dict__ is globals()]))
"""
STARTS = {
    "a script": ["program.py", "a", "--json"],
    "below": ["folder/program.py"],
    "above": ["../{here}/program.py"],
    "a link": ["link.py", "--", "x"],
    "a folder": ["folder", "b"],
    "a zip": ["program.zip"],
    "a module": ["-m", "program", "-m"],
    "a package": ["-m", "folder"],
}


def outcome(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(
        command, input="words", capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def hooked(words: list[str]) -> list[str]:
    Path("events").touch()
    kind = "module" if words[0] == "-m" else "script"
    return [sys.executable, str(HOOK), "events", kind, *words[kind == "module" :]]


@pytest.mark.parametrize("start", STARTS)
def test_a_program_sees_what_it_sees_alone(start: str) -> None:
    Path("program.py").write_text(SEEN)
    Path("folder").mkdir()
    Path("folder/__main__.py").write_text(SEEN)
    Path("folder/program.py").write_text(SEEN)
    Path("link.py").symlink_to("folder/program.py")
    with zipfile.ZipFile("program.zip", "w") as file:
        file.writestr("__main__.py", SEEN)
    words = [each.replace("{here}", Path.cwd().name) for each in STARTS[start]]
    alone = outcome([sys.executable, *words])
    assert alone[0] == 0, alone[2]
    assert outcome(hooked(words)) == alone


FAILING = {
    "an error": "def f():\n    return 1 / 0\nf()\n",
    "a cause": "try:\n    {}['x']\nexcept KeyError as error:\n    raise ValueError('no') from error\n",
    "no program": "def f(:\n",
    "its own hook": "import sys\nsys.excepthook = lambda k, v, t: print(k, t.tb_lineno)\n1 / 0\n",
    "at the end": "import atexit\natexit.register(lambda: print(__name__, sys))\nimport sys\n1 / 0\n",
    "in a thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='t')\n"
    "t.start()\nt.join()\n",
    "a group": "raise ExceptionGroup('two', [ValueError(1), OSError(2)])\n",
    "an unknown module": "import there_is_none\n",
    "a warning": "import warnings\nwarnings.warn('careful')\n",
}


@pytest.mark.parametrize("case", FAILING)
def test_what_goes_wrong_is_told_as_by_python(case: str) -> None:
    Path("program.py").write_text(FAILING[case])
    alone = outcome([sys.executable, "program.py"])
    assert outcome(hooked(["program.py"])) == alone


def test_processes_that_begin_anew_find_the_program() -> None:
    told = traced(
        "import multiprocessing, pickle\nclass Own: pass\ndef work(x): return x * 2\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        assert pool.map(work, [1, 2]) == [2, 4]\n"
        "    assert isinstance(pickle.loads(pickle.dumps(Own())), Own)\n"
    )
    assert told.exit_code == 0


def test_functions_keep_their_faces() -> None:
    told = traced(
        "import inspect, http.client as c, importlib.util\n"
        "assert list(inspect.signature(c.HTTPConnection.putrequest).parameters)[:3] == "
        "['self', 'method', 'url']\n"
        "assert c.HTTPConnection.getresponse.__name__ == 'getresponse'\n"
        "assert 'class HTTPConnection' in inspect.getsource(c)\n"
        "assert type(c.__spec__.loader).__name__ == 'SourceFileLoader'\n"
        "assert 'exec_module' not in vars(c.__spec__.loader)\n"
    )
    assert told.exit_code == 0


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (Program("there_is_none.py"), "no program there_is_none.py"),
        (Program("program.py", python="there-is-none"), "no Python `there-is-none`"),
    ],
)
def test_what_cannot_be_run(program: Program, words: str) -> None:
    Path("program.py").touch()
    with pytest.raises(NotFound, match=words):
        trace(program)


def test_events_that_are_none() -> None:
    """A program may write what it likes into the file, or die while a line is written."""
    lines = [b"{", b"[1]", b'{"through": 1}', b"\xff", b'{"through": "URL", "url', b"9" * 300_000]
    told = traced(
        "import sys, gc\n"
        "trace = next(o for o in gc.get_objects() if type(o).__name__ == 'Trace')\n"
        f"open(trace._path, 'wb').write(b'\\n'.join({lines}))\n"
    )
    assert told == Told(0, (), (), ())


def test_every_ending_of_a_model_counts() -> None:
    known = {suffix for each in formats().values() for suffix in each.suffixes}
    assert known - NO_MODELS <= set(ENDINGS)


def _imported(tree: ast.Module) -> set[str]:
    found = {a.name for e in ast.walk(tree) if isinstance(e, ast.Import) for a in e.names}
    return found | {str(e.module) for e in ast.walk(tree) if isinstance(e, ast.ImportFrom)}


@pytest.mark.parametrize("path", sorted(HOOK.parent.glob("*.py")), ids=lambda path: path.name)
def test_the_hook_needs_the_standard_library_of_python_3_9_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    tree.body = [each for each in tree.body if not isinstance(each, ast.If)]  # TYPE_CHECKING
    assert {each.split(".")[0] for each in _imported(tree)} <= {*sys.stdlib_module_names}


def test_a_python_without_modelshelf_can_run_it(site: str) -> None:
    """`-S` and `-I` leave out all that is installed."""
    Path("program.py").write_text(f"import sys\n{WAYS['urlopen']}\n")
    Path("events").touch()
    command = [sys.executable, "-I", "-S", str(HOOK), "events", "script", "program.py"]
    assert outcome([*command, f"{site}/model.onnx"])[0] == 0
    last = json.loads(Path("events").read_text().splitlines()[-1])
    assert last == {
        "through": "URL", "url": f"{site}/model.onnx", "size": len(WEIGHTS), "sha256": SHA256
    }  # fmt: skip


def test_a_program_may_go_where_the_events_are_not(site: str) -> None:
    told = traced(
        "import sys, os, gc\n"
        "os.remove(next(o for o in gc.get_objects() if type(o).__name__ == 'Trace')._path)\n"
        f"{WAYS['urlopen']}\nopen(os.devnull)\n",
        f"{site}/model.onnx",
    )
    assert (told.exit_code, told.foreign) == (0, ())
