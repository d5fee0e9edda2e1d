"""Train four digit classifiers and write them as a package, ready for `shelf publish`.

    python train.py --release 1.1.0 --out digits-1.1.0

Release 1.0.0 learns from half of the training images, 1.1.0 from all; both are measured on the
same 450 images that neither has seen.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import tomlkit
from export import OPSET, verify_onnx, write_golden, write_onnx, write_safetensors
from fitting import Plan, Trained, fit
from images import Split, split_digits
from models import ARCHITECTURES, Architecture
from tomlkit.items import AoT, InlineTable, Table

HERE = Path(__file__).resolve().parent
# In the package that this writes, the script lies one folder below the files it writes around.
TEMPLATES = HERE / "package" if (HERE / "package").is_dir() else HERE.parent
SCRIPTS = ("train.py", "images.py", "models.py", "fitting.py", "export.py")
# The best in cross-validation on the training images, with half of them as with all.
DEFAULT = "cnn-large"
BESIDE = ("README.md", "labels.txt", "hubconf.py")
GOLDEN_IMAGES = 8
# Half a percent of 450 images is two: training again moves that much by chance.
ACCURACY_TOLERANCE = 0.005


class Release(NamedTuple):
    """What is special in a release: its share of the training images, and what it says of it."""

    share: float
    notes: str


RELEASES = {
    "1.0.0": Release(0.5, "First release: four sizes, trained on half of the training images."),
    "1.1.0": Release(
        1.0, "Retrained on all training images; same architectures, inputs and labels as 1.0.0."
    ),
}


class Measured(NamedTuple):
    """What became of one variant: `size` counts parameters, `golden` names its example's files."""

    name: str
    architecture: Architecture
    size: int
    accuracy: float
    golden: dict[str, str]


def main() -> None:
    """Read the command line, train, write, print one line a variant."""
    options = _arguments()
    plan = Plan()
    if options.epochs:
        plan = replace(plan, mlp_epochs=options.epochs, cnn_epochs=options.epochs)
    write_package(options.release, options.out, plan)


def write_package(version: str, folder: Path, plan: Plan) -> None:
    """Train every variant of a release and write the whole package into `folder`."""
    release = RELEASES[version]
    split = split_digits(release.share)
    (folder / "training").mkdir(parents=True, exist_ok=True)
    measured = [
        _train_variant(name, architecture, split, plan, folder)
        for name, architecture in ARCHITECTURES.items()
    ]
    for name in BESIDE:
        shutil.copyfile(TEMPLATES / name, folder / name)
    for name in SCRIPTS:
        shutil.copyfile(HERE / name, folder / "training" / name)
    document = tomlkit.parse((TEMPLATES / "shelf.toml").read_text(encoding="utf-8"))
    fill_record(document, version, measured, {**asdict(plan), "images": len(split.train.images)})
    (folder / "shelf.toml").write_text(tomlkit.dumps(document), encoding="utf-8")


def fill_record(
    document: tomlkit.TOMLDocument,
    version: str,
    measured: list[Measured],
    hyperparameters: dict[str, int | float],
) -> None:
    """Write into shelf.toml what only training knows: version, notes, numbers, variants."""
    package, training = document["package"], document["training"]
    assert isinstance(package, Table)
    assert isinstance(training, Table)
    package["version"] = version
    package["notes"] = RELEASES[version].notes
    training["hyperparameters"] = _inline({"optimizer": "adam", **hyperparameters})
    document.pop("variants", None)
    document.pop("golden", None)
    document["golden"] = _golden(measured)
    document["variants"] = _variants(measured)


def _train_variant(
    name: str, architecture: Architecture, split: Split, plan: Plan, folder: Path
) -> Measured:
    trained: Trained = fit(architecture, split.train, plan)
    onnx_path = folder / f"{name}.onnx"
    write_onnx(trained, name, onnx_path)
    verify_onnx(trained, onnx_path, split.test.images)
    write_safetensors(trained, folder / f"{name}.safetensors")
    accuracy = round(trained.accuracy(split.test), 4)
    kilobytes = onnx_path.stat().st_size / 1000
    print(
        f"{name}  {trained.size():>6,} parameters  accuracy {accuracy:.4f}  {kilobytes:>5.1f} kB",
        flush=True,
    )
    golden = write_golden(trained, folder, name, split.test.images[:GOLDEN_IMAGES])
    return Measured(name, architecture, trained.size(), accuracy, golden)


def _golden(measured: list[Measured]) -> AoT:
    cases = tomlkit.aot()
    for one in measured:
        table = tomlkit.table()
        table.update({"name": one.name, **one.golden, "variants": [one.name], "absolute": 1e-4})
        cases.append(table)
    return cases


def _variants(measured: list[Measured]) -> AoT:
    variants = tomlkit.aot()
    for one in measured:
        variants.append(_variant(one))
    return variants


def _variant(one: Measured) -> Table:
    kind, widths = one.architecture.kind, one.architecture.convolutions or one.architecture.hidden
    depth = len(one.architecture.convolutions) + len(one.architecture.hidden) + 1
    table = tomlkit.table()
    table["name"] = one.name
    table["summary"] = f"{kind.upper()} with {depth} layers and {one.size:,} parameters"
    if one.name == DEFAULT:
        table["default"] = True
    table["features"] = _inline({"architecture": kind, "width": widths[0], "depth": depth})
    table["entrypoint"] = one.name.replace("-", "_")
    table["metrics"] = tomlkit.array()
    table["metrics"].append(
        _inline(
            {
                "name": "accuracy",
                "value": one.accuracy,
                "dataset": "uci-digits",
                "split": "test",
                "tolerance": ACCURACY_TOLERANCE,
            }
        )
    )
    table["artifacts"] = _artifacts(one.name)
    return table


def _artifacts(name: str) -> AoT:
    weights = f"{name}.safetensors"
    everywhere = ["python", "javascript", "other-language", "other-framework"]
    artifacts = tomlkit.aot()
    for artifact in (
        {"format": "onnx", "files": [f"{name}.onnx"], "contexts": everywhere, "opset": OPSET},
        {"format": "safetensors", "files": [weights], "contexts": ["python"]},
        {"format": "pytorch-hub", "files": ["hubconf.py", weights], "contexts": ["python"]},
    ):
        table = tomlkit.table()
        table.update({**artifact, "precision": "float32"})
        artifacts.append(table)
    return artifacts


def _inline(values: dict[str, int | float | str]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the digit classifiers of one release.")
    parser.add_argument("--release", choices=RELEASES, required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=int, metavar="N", help="a smaller budget, to try it out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
