"""From an installed release to a model: the runner of its format opens it."""

from __future__ import annotations

from typing import cast

from modelshelf.errors import Refused, UsageError
from modelshelf.package.record import Artifact
from modelshelf.plugins import offered
from modelshelf.serve.protocol import Model, Runner, Source


def open_model(source: Source) -> Model:
    """Open one artifact.

    Raises UsageError where no runner knows its format, Refused where the runtime is not installed,
    with the command that installs it.
    """
    return Model(source, runner_of(source.artifact).open(source))


def runner_of(artifact: Artifact) -> Runner:
    """The runner that opens `artifact`; raises as `open_model` does."""
    runner = next((each for each in runners() if artifact.format in each.formats), None)
    if runner is None:
        raise UsageError(
            f"nothing here can run the format `{artifact.format}`",
            expected=", ".join(sorted({name for each in runners() for name in each.formats})),
            hint="its files are on the shelf: open them with the format's own runtime",
        )
    if not runner.available():
        raise Refused(
            f"`{artifact.format}` needs a runtime that is not installed",
            hint=f"pip install 'modelshelf[{runner.needs}]'",
        )
    return runner


def runners() -> list[Runner]:
    """Every runner of the folder and of other distributions."""
    return [cast(Runner, each) for each in offered("modelshelf.serve.runners", "RUNNER")]
