"""The documentation is true: its examples run, its links lead somewhere, its tables are current."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from modelshelf.cli import dispatch
from modelshelf.registry.server import Server
from modelshelf.registry.settings import Settings
from tests.cli.catalogue import MARKET, write_product
from tests.conftest import write_onnx, write_package

ROOT = Path(__file__).parents[1]
PASSWORD = "correct horse battery"
WRITTEN = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
RUNNING = [
    path
    for path in WRITTEN
    if "examples" not in path.parts
    and re.search(r"^```(console|python)$", path.read_text(encoding="utf-8"), re.MULTILINE)
]
_PART = re.compile(
    r"^<!-- (?P<word>setup|file|run): (?P<what>.*?) -->$"
    r"|^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


class Part(NamedTuple):
    """A fenced block (`kind` is its language) or a comment that prepares one."""

    kind: str
    text: str


def parts_of(text: str) -> list[Part]:
    return [
        Part(found["word"] or found["language"], found["what"] or found["text"] or "")
        for found in _PART.finditer(text)
    ]


def steps_of(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output shown for it."""
    for step in re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        yield command.strip(), shown


def compare(command: str, shown: str, got: str) -> None:
    """`...` stands for any text, alone on its line for any lines; blanks count as one."""
    want = re.sub(r"[ \t]+", " ", shown).strip()
    have = "\n".join(re.sub(r"[ \t]+", " ", line).rstrip() for line in got.strip().splitlines())
    pattern = ""
    for line in want.splitlines():
        words = ".*?".join(map(re.escape, line.rstrip().split("...")))
        pattern += "(?:.*\n)*?" if line.strip() == "..." else words + "\n"
    assert re.fullmatch(pattern, have + "\n" if have else ""), f"$ {command}\n{got}"


@contextmanager
def registry(data: Path) -> Iterator[str]:
    """A registry of the page's own: pages may all publish `acme/scale`."""
    server = Server(Settings(data=data, fsync=False, password_memory_kib=8192), port=0)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _url: ready.set(),), daemon=True)
    thread.start()
    try:
        assert ready.wait(30)
        yield server.url
    finally:
        server.stop()
        thread.join(30)


class Page:
    """A page being read by a user who types what it says, in an empty folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.here = folder / "work"
        self.here.mkdir()
        self.folder = folder
        self.servers: list[subprocess.Popen[str]] = []
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MODELSHELF_")}
        kept["COLUMNS"] = "160"  # wherever the tests run
        self.env = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
            "MODELSHELF_HOME": str(folder / "home"),
            "MODELSHELF_REGISTRY": url,
            "NO_COLOR": "1",
        }

    def read(self, text: str) -> None:
        parts = [Part("", ""), *parts_of(text)]
        printed = ""
        for before, part in itertools.pairwise(parts):
            if before == Part("run", "no"):
                assert re.fullmatch(r"(\$ (make|pip) .*\n)+", part.text), "only make and pip"
            elif before.kind == "file":
                self.path(before.text).write_text(part.text, encoding="utf-8")
            elif part.kind == "setup":
                self.prepare(*part.text.split())
            elif part.kind == "console":
                for command, shown in steps_of(part.text):
                    self.type(command, shown)
            elif part.kind == "python":
                printed = self.program(part.text)
            elif part.kind == "text" and before.kind == "python":
                compare("python", part.text, printed)

    def prepare(self, what: str, *words: str) -> None:
        if what == "package":
            name, version, *more = words
            folder = self.folder / "packages" / name / version
            models = dict(each.split("@") for each in more if "/" in each)
            needs = [each for each in more if "/" not in each]
            write_package(folder, name=name, version=version, dependencies=models)
            if needs:
                manifest = folder / "shelf.toml"
                text = manifest.read_text(encoding="utf-8")
                needing = f"[requires]\npython = {json.dumps(needs)}\n[signatures"
                manifest.write_text(text.replace("[signatures", needing, 1), encoding="utf-8")
            publisher = {"MODELSHELF_HOME": str(self.folder / "publisher")}
            with suppress(AssertionError):  # the account may be there from the last package
                self.done(login(name.split("/")[0]), **publisher)
            self.done(f"shelf publish {shlex.quote(str(folder))}", **publisher)
        elif what == "market":
            publisher = {"MODELSHELF_HOME": str(self.folder / "publisher")}
            self.done(login(words[0]), **publisher)
            for product in MARKET:
                folder = self.folder / "packages" / product.name
                write_product(folder, words[0], product)
                self.done(f"shelf publish {shlex.quote(str(folder))}", **publisher)
        elif what == "account":
            self.done(login(words[0]))
        elif what == "onnx":
            write_onnx(self.path(words[0]), 2.0)
        else:
            assert what == "install", what
            self.done(f"shelf install {shlex.join(words)}")

    def path(self, name: str) -> Path:
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def done(self, command: str, **env: str) -> str:
        """Run something that the page takes for granted."""
        code, got = self.run(command, **env)
        assert code == 0, f"$ {command}\n{got}"
        return got

    def run(self, command: str, **env: str) -> tuple[int, str]:
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.here,
            env=self.env | env,
            input=PASSWORD + "\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def type(self, command: str, shown: str) -> None:
        if command.startswith("cd "):
            self.here = (self.here / command[3:]).resolve()
        elif command.startswith("shelf registry serve"):
            self.serve(command, shown)
        elif command.startswith("shelf login") and "-stdin" not in command:
            typed = re.sub(r"^Password of .*\n", "", shown)  # what a terminal shows
            compare(command, typed, self.run(f"{command} --password-stdin")[1])
        else:
            compare(command, shown, self.run(command)[1])

    def serve(self, command: str, shown: str) -> None:
        """Serve at a free port, for the commands that follow."""
        server = subprocess.Popen(
            [*shlex.split(command), "--port", "0"],
            cwd=self.here, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.servers.append(server)
        assert server.stdout is not None
        said = server.stdout.readline()
        compare(command, shown, said)
        self.env["MODELSHELF_REGISTRY"] = re.findall(r"http://[\w.:]+", said)[0]

    def program(self, text: str) -> str:
        (self.folder / "program.py").write_text(text, encoding="utf-8")
        return self.done(f"python -W error {self.folder / 'program.py'}")

    def close(self) -> None:
        for server in self.servers:
            server.terminate()
            server.communicate(timeout=30)


def login(account: str) -> str:
    return f"shelf login {account} --create --password-stdin"


@pytest.mark.parametrize("path", RUNNING, ids=named)
def test_what_a_page_shows_is_what_happens(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with registry(tmp_path / "registry") as url:
        page = Page(tmp_path, url)
        try:
            page.read(text)
        finally:
            page.close()


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    text = _without_blocks(path)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in _anchors(there), target


def _without_blocks(path: Path) -> str:
    return re.sub(
        r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


def _anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", _without_blocks(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current(generate: ModuleType, tmp_path: Path) -> None:
    generate.write(tmp_path)
    fresh = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    kept = {
        path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/reference").iterdir()
    }
    stale = [name for name in fresh.keys() | kept.keys() if fresh.get(name) != kept.get(name)]
    assert not stale, "run: make docs"


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_commands_exist_with_their_options(path: Path) -> None:
    for words in mentioned(path.read_text(encoding="utf-8")):
        parser = _parser(words[0])
        options = {option for action in parser._actions for option in action.option_strings}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options, words


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_typed_commands_parse(path: Path) -> None:
    blocks = [p.text for p in parts_of(path.read_text(encoding="utf-8")) if p.kind == "console"]
    for command, _ in (step for block in blocks for step in steps_of(block)):
        for piece in re.split(r"\s+(?:\||&&|>)\s*|\s*;\s*", command):
            if piece.startswith("shelf "):
                words = shlex.split(piece, comments=True)[1:]
                if words[0] not in ("--help", "--version"):
                    dispatch.parser_for(words[0]).parse_args(words)


def test_hints_name_commands_that_exist() -> None:
    said = {
        command
        for path in (ROOT / "src").rglob("*.py")
        for command in re.findall(
            r"(?:`|run: |with: |begin with: )shelf ([a-z][a-z-]+)", path.read_text(encoding="utf-8")
        )
    }
    assert said
    assert said <= set(dispatch.names())


def mentioned(text: str) -> Iterator[list[str]]:
    """Words of every `shelf ...` in backticks and after a prompt, the word `shelf` left out."""
    inline = re.findall(r"`shelf ([a-z][^`\n]*)`", text)
    typed = re.findall(r"^\$ shelf ([a-z].*)$", text, flags=re.MULTILINE)
    for each in (*inline, *typed):
        yield re.split(r"\s+", each.partition(" |")[0].strip())


def _parser(command: str) -> argparse.ArgumentParser:
    assert command in dispatch.names(), command
    for action in dispatch.parser_for(command)._actions:
        if isinstance(action, argparse._SubParsersAction):
            parser = action.choices[command]
            assert isinstance(parser, argparse.ArgumentParser)
            return parser
    raise AssertionError(command)
