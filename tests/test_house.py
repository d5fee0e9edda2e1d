"""The house: floors, names, sizes, and everything that a folder offers is found."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from modelshelf import checks, cli
from modelshelf.formats import find, formats
from modelshelf.package.vocabularies import vocabulary
from modelshelf.plugins import module_names, offered
from modelshelf.serve.load import runners

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "modelshelf"
FILES = sorted(SOURCE.rglob("*.py"))
MIGRATIONS = SOURCE / "registry" / "migrations"
VAGUE = {"utils", "util", "core", "common", "helpers", "helper", "manager", "managers", "misc", "base",
         "shared", "stuff", "lib", "general", "tools"}  # fmt: skip
COMMANDS = module_names("modelshelf.cli.commands")
PAGE_PARTS = {"layout", "macros", "problem"}
"""Templates that other templates use, or that answer where no page does."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path: Path) -> Iterator[Function]:
    return (each for each in ast.walk(_tree(path)) if isinstance(each, Function))


def _public(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public functions, classes and methods with their dotted names."""
    for each in body:
        if isinstance(each, Function | ast.ClassDef) and not each.name.startswith("_"):
            yield prefix + each.name, each
            if isinstance(each, ast.ClassDef):
                yield from _public(each.body, f"{prefix}{each.name}.")


def test_floors_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None, no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_every_room_stands_on_a_floor() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = config["tool"]["importlinter"]["contracts"][0]
    named = set(re.findall(r"\w+", " ".join(contract["layers"])))
    assert contract["exhaustive"]
    assert set(module_names("modelshelf")) <= named


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_module_opens_with_one_sentence(path: Path) -> None:
    words = ast.get_docstring(_tree(path)) or ""
    opening = " ".join(words.split("\n\n")[0].split())
    assert opening, "it has no docstring"
    assert opening[-1] in ".:?"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_module_is_small_and_named_for_its_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert (
        not {part.lower().strip("_") for part in path.relative_to(SOURCE).with_suffix("").parts}
        & VAGUE
    )


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_annotations_are_strings(path: Path) -> None:
    imported = [
        alias.name
        for each in _tree(path).body
        if isinstance(each, ast.ImportFrom) and each.module == "__future__"
        for alias in each.names
    ]
    assert imported == ["annotations"] or len(_tree(path).body) == 1


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_what_is_public_is_documented(path: Path) -> None:
    missing = [name for name, each in _public(_tree(path).body) if not ast.get_docstring(each)]
    assert missing == []


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = (each for each in ast.walk(_tree(path)) if isinstance(each, ast.Call))
    prints = [each.lineno for each in calls if ast.unparse(each.func) in ("print", "pprint")]
    assert prints == [] or path.is_relative_to(SOURCE / "cli")


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_nothing_is_left_to_do(path: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))


def test_functions_are_short() -> None:
    every = [each for path in FILES for each in _functions(path)]
    long = [each.name for each in every if (each.end_lineno or 0) - each.lineno >= 50]
    assert len(long) <= 0.04 * len(every), long


@pytest.mark.parametrize("path", [p for p in FILES if not p.is_relative_to(MIGRATIONS)], ids=_name)
def test_exported_names_can_be_imported(path: Path) -> None:
    steps = path.relative_to(SOURCE.parent).with_suffix("").parts
    if steps[-1] == "__main__":
        return
    module = importlib.import_module(".".join(steps[:-1] if steps[-1] == "__init__" else steps))
    exported = getattr(module, "__all__", [])
    assert [name for name in exported if not hasattr(module, name)] == []
    assert len(set(exported)) == len(exported)


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_tests_use_real_things(path: Path) -> None:
    imported = {
        alias.name if isinstance(each, ast.Import) else str(each.module)
        for each in ast.walk(_tree(path))
        if isinstance(each, ast.Import | ast.ImportFrom)
        for alias in each.names
    }
    assert not imported & {"mock", "unittest.mock", "pytest_mock"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_found_and_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"modelshelf.cli.commands.{command}")
    module.configure(argparse.ArgumentParser())
    assert callable(module.run)
    typed = command.replace("_", "-")
    cli_answers("--help")
    assert re.search(rf"^  {typed} ", capsys.readouterr().out, re.MULTILINE)
    cli_answers(typed, "--help")
    shown = capsys.readouterr().out
    assert f"usage: shelf {typed}" in shown
    assert "--json" in shown


def cli_answers(*words: str) -> None:
    """Run the command line here; argparse leaves by SystemExit after `--help`."""
    try:
        code = cli.main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 0


def test_every_format_is_a_word_of_the_vocabulary() -> None:
    assert set(formats()) <= vocabulary("formats").keys()
    assert {context for each in formats().values() for context in each.contexts} <= set(
        vocabulary("contexts")
    )


def test_every_module_that_claims_files_offers_the_format_that_it_is_named_like() -> None:
    room = "modelshelf.formats"
    modules = {name: importlib.import_module(f"{room}.{name}") for name in module_names(room)}
    claiming = {name for name, module in modules.items() if hasattr(module, "claims")}
    assert claiming == {name.replace("-", "_") for name in formats()}
    assert all(find(name) is form for name, form in formats().items())


@pytest.mark.parametrize("kind", checks.KINDS)
def test_every_check_is_found(kind: str) -> None:
    room = f"{checks.__name__}.{kind}"
    found = {check.__module__ for check in checks.checks()}
    # consent is asked of the user at the door of installing and loading, not of a release; the
    # scanner tells through `verdict`, lints through `level`
    others = {"modelshelf.checks.safety.consent", "modelshelf.checks.safety.scan"}
    modules = [importlib.import_module(f"{room}.{name}") for name in module_names(room)]
    expected = {each.__name__ for each in modules if not hasattr(each, "LINTS")}
    assert expected - others <= found


def test_every_kind_of_check_is_asked() -> None:
    assert set(checks.KINDS) == {path.parent.name for path in SOURCE.glob("checks/*/__init__.py")}


def test_every_runner_is_found_and_opens_known_formats() -> None:
    assert len(runners()) == len(module_names("modelshelf.serve.runners"))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for runner in runners():
        assert set(runner.formats) <= set(formats())
        assert runner.needs is None or runner.needs in extras["optional-dependencies"]


def test_every_resource_of_the_api_is_found() -> None:
    room = "modelshelf.registry.api"
    assert len(list(offered(room, "API"))) == len(module_names(room))


def test_every_template_has_its_page() -> None:
    room = "modelshelf.registry.pages"
    folder = SOURCE / "registry" / "pages"
    for template in {path.stem for path in folder.glob("*.html")} - PAGE_PARTS:
        assert hasattr(importlib.import_module(f"{room}.{template}"), "PAGE")


def test_the_places_where_things_are_added_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| a")]
    assert len(rows) >= 10
    # "The last three rooms open with their first occupant."
    for what, where, _found_by, proved_by in rows[:-3]:
        named = re.findall(r"`((?:src|tests|docs|package)/[^`<*]*)", where + proved_by)
        assert named, what
        for path in named:
            assert (ROOT / path).exists() or (SOURCE / path).exists(), path
