"""`shelf choose` against a real registry with a small market of models."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from modelshelf.cli.choosing import command, why
from modelshelf.client.candidates import Candidate
from modelshelf.client.choose import Miss, Missed
from modelshelf.package.condition import Value, parse
from tests.cli.catalogue import MARKET, TASK, Model, Product, write_product
from tests.conftest import PASSWORD, Shelf, run_here, write_onnx


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory, registry_url: str) -> Iterator[str]:
    """The publisher of the market, which is closed afterwards: other tests see no candidates."""
    folder = tmp_path_factory.mktemp("market")
    env = {"MODELSHELF_HOME": str(folder / "home"), "MODELSHELF_REGISTRY": registry_url}

    def shelf(*words: str, stdin: str = "") -> None:
        done = run_here(*words, cwd=folder, env=env, stdin=stdin)
        assert done.code == 0, done.err

    shelf("login", "market", "--create", "--password-stdin", stdin=PASSWORD + "\n")
    for product in MARKET:
        shelf("publish", str(write_product(folder / product.name, "market", product)))
    gone = Product("gone", "CNN", "MIT", (Model("one", 1, 0.99, 1),))
    shelf("publish", str(write_product(folder / "gone", "market", gone)))
    shelf("yank", "market/gone@1.0.0", "--reason", "it was wrong")
    late = Product("late", "CNN", "MIT", (Model("one", 1, 0.99, 1),))
    shelf("publish", str(write_product(folder / "late", "market", late)))
    shelf("deprecate", "market/late", "--successor", "market/net")
    yield "market"
    for product in MARKET:
        shelf("yank", f"market/{product.name}@1.0.0", "--reason", "the market is closed")


def chosen(shelf: Shelf, *words: str) -> list[str]:
    done = shelf("choose", "--task", TASK, "--json", *words)
    told = json.loads(done.out)
    assert done.code == int(not told["best"]), done.err
    return [f"{each['package'].removeprefix('market/')} {each['variant']}" for each in told["best"]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ["wide one", "net large", "net small"]),
        (("--where", "license=permissive"), ["net large", "net small"]),
        (("--where", "accuracy>=0.75, bytes<=50kB"), ["net large"]),
        (("--where", "bytes<=50kB", "--where", "accuracy>=0.6"), ["net small", "net large"]),
        (("--where", "width<=0.5"), ["net small"]),
        (("--where", "algorithm=CNN", "--minimize", "width"), ["net small"]),
        (("--minimize", "bytes", "--maximize", "accuracy"), ["net small", "net large", "wide one"]),
        (("--minimize", "bytes"), ["quiet one"]),
        (("--where", "format=tflite"), []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_best_of_the_market(
    words: tuple[str, ...], expected: list[str], market: str, shelf: Shelf
) -> None:
    assert chosen(shelf, *words) == expected


def test_the_answer_says_what_to_install_and_why_the_others_fell_out(
    market: str, shelf: Shelf
) -> None:
    where = "accuracy>=0.60, bytes<=50kB, license=permissive, context=edge"
    done = shelf("choose", "--task", TASK, "--where", where)
    assert done.code == 0, done.err
    shown = re.sub(" +", " ", done.out)
    for line in (
        "2 of 5 candidates for image-denoising (6 packages) are best: more accuracy, less bytes",
        "# model version format accuracy ↑ bytes ↓",
        " 1 shelf install market/net --variant large --format onnx",
        "market/old one (onnx) dominated by market/net small (onnx): accuracy 0.7 against 0.65, ",
        "market/quiet one (onnx) says nothing of accuracy",
        "market/gone: no release of it may be chosen",
        "market/late: deprecated; use market/net",
    ):
        assert line in shown
    assert re.search(r"market/wide one \(onnx\) bytes 90\.\d+kB > 50kB; license AGPL-3", shown)


def test_the_command_that_is_printed_installs(market: str, shelf: Shelf) -> None:
    done = shelf("choose", "--task", TASK, "--where", "width<=0.5", "--json")
    command = json.loads(done.out)["best"][0]["install"]
    assert shelf(*shlex.split(command)[1:]).code == 0
    (listed,) = json.loads(shelf("list", "--json").out)["packages"]
    assert listed["name"] == "market/net"
    assert [each["variant"] for each in listed["artifacts"]] == ["small"]


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (Candidate("a/b", "1.2.0", "v", "onnx", {}), "a/b --variant v --format onnx"),
        (
            Candidate("a/b", "1.2.0", "v", "onnx", {}, precision="int8", ambiguous=True),
            "'a/b@^1.2.0[variant=v,format=onnx,precision=int8]'",
        ),
        (
            Candidate("a/b", "1.2.0", "v", "pytorch-hub", {}),
            "a/b --variant v --format pytorch-hub --allow-pickle",
        ),
    ],
)
def test_what_the_commands_say(candidate: Candidate, expected: str) -> None:
    assert command(candidate) == f"shelf install {expected}"


@pytest.mark.parametrize(
    ("condition", "found", "expected"),
    [
        ("bytes<=20MB", 34_100_000, "bytes 34.1MB > 20MB"),
        ("bytes<4MiB", 5 << 20, "bytes 5MiB >= 4MiB"),
        ("bytes<=1000", 34_100_000, "bytes 32.5 MiB > 1000"),
        ("top1>=70%", 0.655, "top1 65.5% < 70%"),
        ("top1>=0.70", (0.5, 0.8), "top1 0.5, 0.8 < 0.70"),
        ("top1>=0.70", None, "says nothing of top1"),
        ("macs<=1G", 2_500_000_000, "macs 2.5G > 1G"),
        ("format=onnx", "tflite", "format tflite, not onnx"),
        ("format!=onnx", "onnx", "format onnx"),
        ("quantized=true", False, "quantized no, not true"),
        ("context=edge", ("python", "remote"), "context python, remote, not edge"),
    ],
)
def test_why_a_condition_is_missed(condition: str, found: Value | None, expected: str) -> None:
    (parsed,) = parse(condition)
    candidate = Candidate("a/b", "1.0.0", "v", "onnx", {})
    miss = Miss(parsed.name, parsed.operator, parsed.text, found, 1.0)
    assert why(Missed(candidate, (miss,)), ()) == expected


AGAIN = """
[[variants.artifacts]]
format = "onnx"
files = ["again.onnx"]
precision = "float32"
"""


def test_a_format_that_comes_twice_is_told_apart_by_its_precision(
    shelf: Shelf, publisher: str, tmp_path: Path, project: Path
) -> None:
    product = Product("twice", "CNN", "MIT", (Model("one", 1, 0.5, 9),), task="image-augmentation")
    folder = write_product(tmp_path / "package", publisher, product)
    write_onnx(folder / "again.onnx", 3.0)
    with (folder / "shelf.toml").open("a", encoding="utf-8") as manifest:
        manifest.write(AGAIN)
    done = shelf("publish", str(folder))
    assert done.code == 0, done.err
    told = json.loads(shelf("choose", "--task", product.task, "--minimize", "bytes", "--json").out)
    (best,) = told["best"]
    assert best["precision"] == "float32"
    done = shelf(*shlex.split(best["install"])[1:])
    assert done.code == 0, done.err
    files = {path.name for path in (project / ".shelf").rglob("*.onnx")}
    assert files == {"again.onnx"}


def test_where_nothing_fits_the_condition_to_relax_is_named(market: str, shelf: Shelf) -> None:
    done = shelf("choose", "--task", TASK, "--where", "accuracy>=0.85, bytes<=50kB")
    assert done.code == 1
    assert done.out.startswith("None of 5 candidates")
    assert (
        "Without accuracy>=0.85, 4 candidates would fit; the nearest has accuracy 0.8." in done.out
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--task", "image-denoisin"), 2, "did you mean `image-denoising`"),
        (("--task", TASK, "--where", "acuracy>=0.5"), 1, "did you mean `accuracy`"),
        (("--task", TASK, "--maximize", "acuracy"), 1, "did you mean `accuracy`"),
        (("--task", TASK, "--where", "accuracy"), 1, "not a condition"),
        (("--task", TASK, "--where", "context=egde"), 2, "did you mean `edge`"),
        (("--task", "text-to-mel"), 1, "no package for text-to-mel"),
        ((), 2, "--task"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_nobody_knows_is_told(
    words: tuple[str, ...], code: int, told: str, market: str, shelf: Shelf
) -> None:
    done = shelf("choose", *words)
    assert done.code == code
    assert told in done.err


def test_the_trade_off_is_drawn(market: str, shelf: Shelf, project: Path) -> None:
    done = shelf("choose", "--task", TASK, "--plot", "--svg", "trade.svg")
    assert "numbers: rows above" in done.out
    assert "accuracy (more is better)" in done.out
    root = ET.fromstring((project / "trade.svg").read_text(encoding="utf-8"))
    assert root[0].text == "image-denoising: accuracy against bytes"
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == 4


def test_families_are_counted(market: str, shelf: Shelf) -> None:
    done = shelf("choose", "--task", TASK, "--families")
    shown = [re.sub(" +", " ", line) for line in done.out.splitlines()]
    assert "family trained on packages candidates fit best" in shown
    assert "CNN grain 2 3 3 2" in shown


def test_what_was_read_once_is_not_sent_again(market: str, shelf: Shelf, tmp_path: Path) -> None:
    chosen(shelf)
    kept = sorted((tmp_path / "home" / "index").rglob("*.jsonl"))
    before = [path.stat().st_mtime_ns for path in kept]
    chosen(shelf)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert len(kept) >= len(MARKET)
