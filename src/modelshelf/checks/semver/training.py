"""Lints of how the weights came about: algorithm, data, language, hyperparameters, scripts."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.package.record import Training


def _algorithm(pair: Pair) -> Iterator[Found]:
    old, new = pair.old.record.package.algorithm, pair.new.record.package.algorithm
    if old and old != new:
        yield Found(f"the algorithm was {old} and is {new or 'not told'}", "package.algorithm")


def _task(pair: Pair) -> Iterator[Found]:
    old, new = pair.old.record.package.task, pair.new.record.package.task
    if old and old != new:
        yield Found(f"the task was `{old}` and is {f'`{new}`' if new else 'not told'}", "package.task")  # fmt: skip


def _data(pair: Pair) -> Iterator[Found]:
    old, new = pair.old.record.package.datasets, pair.new.record.package.datasets
    if old and set(old) != set(new):
        became = ", ".join(new) or "not told"
        yield Found(f"trained on {', '.join(old)} before, now {became}", "package.datasets")


def _languages(text: str | None) -> list[str]:
    """`en, de` → en, de."""
    return [part.lower() for part in (text or "").replace(",", " ").split()]


def _language(pair: Pair) -> Iterator[Found]:
    old, new = (_languages(each.record.package.language) for each in pair)
    gone = [each for each in old if each not in new]
    if gone:
        message = f"the language was {', '.join(old)} and is {', '.join(new) or 'not told'}"
        yield Found(message, "package.language", f"a text in the language {gone[0]}")


def _language_added(pair: Pair) -> Iterator[Found]:
    old, new = (_languages(each.record.package.language) for each in pair)
    more = [each for each in new if each not in old]
    if old and more:
        yield Found(f"more languages: {', '.join(more)}", "package.language")


def _trainings(pair: Pair) -> tuple[Training, Training]:
    return pair.old.record.training or Training(), pair.new.record.training or Training()


def _hyperparameters(pair: Pair) -> Iterator[Found]:
    before, after = (each.hyperparameters for each in _trainings(pair))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            told = (
                f"{'not told' if old is None else old} became {'not told' if new is None else new}"
            )
            yield Found(f"{name}: {told}", f"training.hyperparameters.{name}")


def _script(pair: Pair) -> Iterator[Found]:
    before, after = (each.script for each in _trainings(pair))
    old, new = pair.old.files.get(before or ""), pair.new.files.get(after or "")
    if before and after and (old and old.sha256) != (new and new.sha256):
        yield Found(f"the training script `{after}` changed", "training.script")
    elif bool(before) != bool(after):
        message = "is there now" if after else "is gone"
        yield Found(f"the training script `{after or before}` {message}", "training.script")


LINTS: tuple[Lint, ...] = (
    Lint(
        "algorithm-changed", "minor",
        "Another algorithm, or another generation of it, behind the same contract: a release of the "
        "same package. Signatures, labels and metrics tell whether callers may break.",
        _algorithm, "algorithm",
    ),
    Lint(
        "task-changed", "major",
        "The package does something else now. Whoever chose it for its task cannot use it.",
        _task, "algorithm", "Look for another package for the old task.",
    ),
    Lint(
        "training-data-changed", "minor",
        "The models were trained on other data. Their contract holds, what they know differs.",
        _data, "data",
    ),
    Lint(
        "language-changed", "major",
        "A language is gone. Texts or sounds in it are still accepted, and answers are nonsense.",
        _language, "data", "Look for another package for the old language.",
    ),
    Lint(
        "language-added", "minor", "The models know a further language beside the old ones.",
        _language_added, "data",
    ),
    Lint(
        "hyperparameters-changed", "patch",
        "Training was tuned otherwise. Callers never see the settings; what they changed in the "
        "weights other lints tell.",
        _hyperparameters, "code",
    ),
    Lint(
        "training-code-changed", "patch",
        "The script that trains changed. Callers do not run it; other lints tell of new weights.",
        _script, "code",
    ),
)  # fmt: skip
