"""What one call of a model takes: multiply-accumulates and memory, measured in a process of its own.

The runtime counts the operators that it really ran; the peak of memory is what the process grew
by from before the runtime was loaded until after the call, as the system counts it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from modelshelf.errors import FormatError, ShelfError, UsageError
from modelshelf.formats.arrays import read_arrays
from modelshelf.package import manifest
from modelshelf.package.entry import draft
from modelshelf.package.record import Artifact, Cost, Record, Variant, golden_of
from modelshelf.package.signature import ANY_SIZE, Signature, Tensor
from modelshelf.serve.load import runner_of
from modelshelf.serve.protocol import Arrays, Source

TIMEOUT_SECONDS = 600


def measure(folder: Path, variant: str, artifact: str) -> Cost:
    """What one call of `variant` in format `artifact` takes; `folder` holds its `shelf.toml`.

    Runs the model, and for a format that carries code, that code: the caller has asked for it.

    Raises:
        FormatError: the model cannot be opened or called.

    """
    command = [sys.executable, "-m", __name__, str(folder), variant, artifact]
    try:
        done = subprocess.run(  # noqa: S603 (this interpreter, this module)
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise FormatError(
            "the model was not measured in time", expected=f"at most {TIMEOUT_SECONDS} s"
        ) from None
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        told = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise FormatError(f"{variant} ({artifact}) cannot be measured", got=told[:300])
    return msgspec.json.decode(lines[-1], type=Cost)


def measured(record: Record, folder: Path, variant: Variant, artifact: Artifact) -> Cost:
    """The same in this process: open, call once with an example, count."""
    runner = runner_of(artifact)
    runner.available()
    source = Source(folder, draft(record), variant, artifact)
    arrays = example(record, folder, variant)
    before = _peak_bytes()
    counted = runner.measure(source, arrays)
    return Cost(
        tool=counted.tool,
        inputs={name: _words(each) for name, each in arrays.items()},
        macs=counted.macs,
        peak_memory=_peak_bytes() - before,
    )


def example(record: Record, folder: Path, variant: Variant) -> Arrays:
    """Inputs for one call: the variant's golden case, else zeros of the smallest shape allowed.

    Raises UsageError where neither is known.
    """
    for case in golden_of(record, variant)[:1]:
        return read_arrays(folder / case.inputs)
    signature = next(iter(record.signatures.values()), None)
    if signature is None:
        raise UsageError(
            "nothing says what the model takes",
            hint="describe [signatures.NAME] or ship a [[golden]] case",
        )
    return {
        name: np.zeros(_shape(tensor, signature), dtype=tensor.dtype)
        for name, tensor in signature.inputs.items()
        if not tensor.optional
    }


def _shape(tensor: Tensor, signature: Signature) -> tuple[int, ...]:
    """The smallest one: a symbol stands for its least size, but at least for 1."""
    return tuple(
        size if isinstance(size, int) else max(1, signature.symbols.get(size or "", ANY_SIZE).min)
        for size in tensor.shape or ()
    )


def _words(array: NDArray[Any]) -> str:
    return f"{array.dtype.name}{list(array.shape)}"


def _peak_bytes() -> int:
    """The most memory that this process has held so far.

    Linux hands `ru_maxrss` on from the process that started this one, VmHWM (proc(5)) not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere (getrusage(2))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _main(folder: Path, variant_name: str, format_name: str) -> int:
    """The child process: the outcome as one line of JSON, what goes wrong as one line of text."""
    try:
        record = manifest.parse((folder / manifest.FILE).read_bytes())
        variant = next(each for each in record.variants if each.name == variant_name)
        artifact = next(each for each in variant.artifacts if each.format == format_name)
        cost = measured(record, folder, variant, artifact)
    except ShelfError as error:
        sys.stderr.write(error.message + (f": {error.got}" if error.got else "") + "\n")
        return 1
    sys.stdout.write(json.dumps(msgspec.to_builtins(cost)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
