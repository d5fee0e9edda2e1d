"""Golden cases run for real: a model is called with a case's inputs and its outputs are compared.

A model may hang or bring its process down: each is run in a process of its own.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from modelshelf.errors import FormatError, Refused, ShelfError, UsageError
from modelshelf.formats.arrays import Array, difference, read_arrays
from modelshelf.package import manifest
from modelshelf.package.entry import draft
from modelshelf.package.record import Artifact, Golden, Record, Variant, golden_of
from modelshelf.serve.load import open_model, runner_of
from modelshelf.serve.protocol import Model, Source

TIMEOUT_SECONDS = 600


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a case in one format: `agrees` is None where it was not run, `why` tells.

    `worst` is the largest difference beyond the tolerance, else the largest one, in `output`.
    """

    case: str
    variant: str
    format: str
    runtime: str | None = None
    agrees: bool | None = None
    output: str | None = None
    worst: float | None = None
    why: str | None = None


def run(folder: Path, record: Record, variant: Variant, artifact: Artifact) -> list[Outcome]:
    """Run every case that holds for `variant`; `folder` holds its `shelf.toml`.

    Runs the model, and for a format that carries code, that code: the caller has asked for it.
    Never raises for what the model does.
    """
    cases = golden_of(record, variant)
    try:
        runner_of(artifact)
    except (UsageError, Refused) as error:
        return [_told(case, variant, artifact, why=error.message) for case in cases]
    number = variant.artifacts.index(artifact)
    command = [sys.executable, "-m", __name__, str(folder), variant.name, str(number)]
    try:
        done = subprocess.run(  # noqa: S603 (this interpreter, this module)
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Outcome])
    except subprocess.TimeoutExpired:
        why = f"it took more than {TIMEOUT_SECONDS} s"
    except (IndexError, msgspec.MsgspecError):
        lines = done.stderr.strip().splitlines()
        why = (
            f"the process ended with {done.returncode}: {(lines or ['it said nothing'])[-1][:300]}"
        )
    return [_told(case, variant, artifact, agrees=False, why=why) for case in cases]


def judged(record: Record, folder: Path, variant: Variant, artifact: Artifact) -> list[Outcome]:
    """The same in this process: open the model once, judge every case."""
    cases = golden_of(record, variant)
    runtime = _runtime(artifact)
    try:
        model = open_model(Source(folder, draft(record), variant, artifact))
    except Exception as error:  # noqa: BLE001 (whatever a runtime makes of a model)
        why = _words(error)
        return [
            _told(case, variant, artifact, runtime=runtime, agrees=False, why=why) for case in cases
        ]
    return [msgspec.structs.replace(judge(model, case, folder), runtime=runtime) for case in cases]


def judge(model: Model, case: Golden, folder: Path) -> Outcome:
    """Call `model` with the inputs of `case`, whose files lie below `folder`, and compare."""
    outcome = Outcome(case.name, model.variant, model.format)
    try:
        expected = read_arrays(folder / case.outputs)
        given = model.run(read_arrays(folder / case.inputs), case.signature)
    except UsageError as error:
        return msgspec.structs.replace(outcome, why=error.message)
    except Exception as error:  # noqa: BLE001 (whatever a runtime makes of a model)
        return msgspec.structs.replace(outcome, agrees=False, why=_words(error))
    return _compared(outcome, case, expected, given)


def _compared(
    outcome: Outcome, case: Golden, expected: Mapping[str, Array], given: Mapping[str, Array]
) -> Outcome:
    """The outcome of the output that is farthest off."""
    worst = (-1.0, 0.0, "")
    for name, array in expected.items():
        wrong = _unlike(name, array, given.get(name))
        if wrong is not None:
            return msgspec.structs.replace(outcome, agrees=False, output=name, why=wrong)
        apart = difference(array, given[name], absolute=case.absolute, relative=case.relative)
        worst = max(worst, (apart.beyond, apart.worst, name))
    beyond, most, name = worst
    found = msgspec.structs.replace(outcome, agrees=beyond <= 0, output=name or None)
    if math.isinf(beyond):
        why = f"`{name}` is another text, or is no number where one is expected"
        return msgspec.structs.replace(found, why=why)
    return msgspec.structs.replace(found, worst=beyond if beyond > 0 else most)


def _unlike(name: str, expected: Array, given: Array | None) -> str | None:
    """Why there is nothing to compare value by value."""
    if given is None:
        return f"the model puts out no `{name}`"
    one, two = (f"{each.dtype.name}{list(each.shape)}" for each in (expected, given))
    text = expected.dtype.kind in "OSU" and given.dtype.kind in "OSU"
    same = expected.shape == given.shape and (text or expected.dtype == given.dtype)
    return None if same else f"`{name}` is {two} instead of {one}"


def _told(
    case: Golden,
    variant: Variant,
    artifact: Artifact,
    *,
    why: str,
    runtime: str | None = None,
    agrees: bool | None = None,
) -> Outcome:
    return Outcome(case.name, variant.name, artifact.format, runtime, agrees, why=why)


def _runtime(artifact: Artifact) -> str:
    """`onnxruntime 1.27.0`."""
    name = runner_of(artifact).runtime
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:  # onnxruntime-gpu and the like have names of their own
        return name


def _words(error: Exception) -> str:
    message = error.message if isinstance(error, ShelfError) else f"{type(error).__name__}: {error}"
    return message[:300]


def _main(folder: Path, variant_name: str, number: int) -> int:
    """The child process: the outcomes as one line of JSON, the last one it writes."""
    record = manifest.parse((folder / manifest.FILE).read_bytes())
    variant = next(each for each in record.variants if each.name == variant_name)
    try:
        found = judged(record, folder, variant, variant.artifacts[number])
    except FormatError as error:
        sys.stderr.write(error.message + "\n")
        return 1
    sys.stdout.write("\n" + msgspec.json.encode(found).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
