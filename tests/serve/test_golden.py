"""Golden cases run for real: what agrees, what differs and by how much, what is not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelshelf.package import manifest
from modelshelf.serve.golden import Outcome, judged, run
from tests.conftest import Shelf

Write = Callable[..., Path]
X = np.array([[1, 2], [3, 4]], np.float32)
Y = X * 2


@pytest.fixture
def folder(package: Write, tmp_path: Path) -> Write:
    """`folder({"y": Y}, 'absolute = 1')`: a package with one golden case."""

    def made(outputs: dict[str, Any], more: str = "", inputs: dict[str, Any] | None = None) -> Path:
        made = package(tmp_path / "package")
        np.savez(made / "in.npz", **(inputs or {"x": X}))
        np.savez(made / "out.npz", **outputs)
        text = (made / "shelf.toml").read_text()
        case = f'[[golden]]\nname = "two"\ninputs = "in.npz"\noutputs = "out.npz"\n{more}\n'
        (made / "shelf.toml").write_text(text.replace("[[variants]]", f"{case}[[variants]]", 1))
        return made

    return made


def outcome(folder: Path, *, artifact: int = 0) -> Outcome:
    record = manifest.parse((folder / "shelf.toml").read_bytes())
    variant = record.variants[0]
    (found,) = judged(record, folder, variant, variant.artifacts[artifact])
    return found


def test_a_case_that_holds(folder: Write) -> None:
    found = outcome(folder({"y": Y}))
    assert (found.case, found.variant, found.format) == ("two", "small", "onnx")
    assert (found.agrees, found.output, found.worst) == (True, "y", 0.0)
    assert (found.runtime or "").startswith("onnxruntime ")


@pytest.mark.parametrize(
    ("outputs", "more", "agrees", "worst"),
    [
        ({"y": Y + np.float32(0.5)}, "", False, 0.5),
        ({"y": Y + np.float32(0.5)}, "absolute = 0.6", True, 0.5),
        ({"y": Y * np.float32(1.125)}, "relative = 0.2", True, 1.0),
        ({"y": np.where(X > 3, Y + 1, Y).astype(np.float32)}, "absolute = 0.5", False, 1.0),
    ],
)
def test_the_worst_difference(
    folder: Write, outputs: dict[str, Any], more: str, agrees: bool, worst: float
) -> None:
    found = outcome(folder(outputs, more))
    assert (found.agrees, found.output) == (agrees, "y")
    assert found.worst == pytest.approx(worst)


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ({"z": Y}, "the model puts out no `z`"),
        ({"y": Y[:1]}, "`y` is float32[2, 2] instead of float32[1, 2]"),
        ({"y": Y.astype(np.float64)}, "`y` is float32[2, 2] instead of float64[2, 2]"),
        ({"y": Y * np.float32(np.nan)}, "no number"),
    ],
)
def test_what_is_no_difference_of_numbers(folder: Write, outputs: dict[str, Any], why: str) -> None:
    found = outcome(folder(outputs))
    assert found.agrees is False
    assert why in (found.why or "")


def test_weights_alone_are_not_run(folder: Write) -> None:
    found = outcome(folder({"y": Y}), artifact=1)
    assert found.agrees is None
    assert "weights, not a program" in (found.why or "")


def test_a_model_that_cannot_be_opened_differs(folder: Write) -> None:
    made = folder({"y": Y})
    (made / "small.onnx").write_bytes(b"no graph")
    record = manifest.parse((made / "shelf.toml").read_bytes())
    (found,) = run(made, record, record.variants[0], record.variants[0].artifacts[0])
    assert found.agrees is False
    assert "onnxruntime cannot run it" in (found.why or "")


def test_check_runs_them(folder: Write, shelf: Shelf) -> None:
    made = folder({"y": Y}, 'variants = ["small", "large"]')
    done = shelf("check", str(made), "--against", "none", "--json")
    assert done.code == 1
    told = json.loads(done.out)
    ran = [(each["variant"], each["format"], each.get("agrees")) for each in told["golden"]]
    assert ran == [
        ("small", "onnx", True),
        ("small", "safetensors", None),
        ("large", "onnx", False),
    ]
    (problem,) = [each for each in told["problems"] if not each["warning"]]
    assert problem["element"] == "golden[0]"
    assert problem["rule"] == "golden"
    assert problem["message"].startswith("golden case `two`: large (onnx) in onnxruntime ")
    assert problem["message"].endswith("`y` differs by 2, beyond 1e-05 + 0.0001 of the value")
    text = shelf("check", str(made), "--against", "none").out
    assert "differs (worst 2)" in text
    assert "Not run: two in small (safetensors): a safetensors file holds weights" in text


@pytest.mark.parametrize(("factor", "code"), [(2, 0), (3, 1)])
def test_publish_refuses_what_does_not_hold(
    folder: Write, shelf: Shelf, publisher: str, factor: int, code: int
) -> None:
    made = folder({"y": X * np.float32(factor)})
    text = (made / "shelf.toml").read_text().replace("acme/", f"{publisher}/")
    (made / "shelf.toml").write_text(text)
    done = shelf("publish", str(made))
    assert done.code == code, done.err
    assert ("`y` differs by 4" in done.err) == bool(code)
    assert ("agrees (worst 0)" in done.err) != bool(code)


def test_code_is_run_with_consent_alone(folder: Write, shelf: Shelf) -> None:
    made = folder({"y": Y})
    (made / "hubconf.py").write_text("def scale():\n    return None\n")
    text = (made / "shelf.toml").read_text()
    for old, new in (
        ('[[variants]]\nname = "small"', '[entrypoints.scale]\n[[variants]]\nname = "small"\nentrypoint = "scale"'),
        ('format = "safetensors"\nfiles = ["small.safetensors"]', 'format = "pytorch-hub"\nfiles = ["hubconf.py"]'),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new, 1)
    (made / "shelf.toml").write_text(text)
    told = json.loads(shelf("check", str(made), "--against", "none", "--json").out)
    assert told["ok"], told["problems"]
    reasons = {each["format"]: each.get("why") for each in told["golden"]}
    assert reasons == {"onnx": None, "pytorch-hub": "it runs code: needs --allow-pickle"}
