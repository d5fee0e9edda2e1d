"""Run a command again and again, killed before each of its changes to the disk in turn.

`python every_moment.py START COMMAND...`: START holds `home` and `project`; every round begins
with a copy of it beside it, `round-K`. The auditing of Python tells of each change before it is
made, so no moment is left to chance. A fork shares what was imported, which makes a round cheap.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

CHANGES = {
    "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate",
    "os.utime", "shutil.rmtree",
}  # fmt: skip


def changes(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether an audited event is a change to the disk."""
    if event == "open":
        flags = arguments[2]
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in CHANGES


def killed_before(moment: int, folder: Path, command: list[str]) -> bool:
    """Run `command` in a fork, killed before its change number `moment`; False if it ended first."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if changes(event, arguments):
                seen += 1
                if seen > moment:
                    os.kill(os.getpid(), signal.SIGKILL)

        os.environ["MODELSHELF_HOME"] = str(folder / "home")
        os.chdir(folder / "project")
        sys.addaudithook(hook)
        os._exit(main(command))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def main(command: list[str]) -> int:
    """The command line of this process."""
    from modelshelf.cli import main as shelf

    return shelf([*command, "--quiet"])


def rounds(start: Path, command: list[str]) -> int:
    """One round a moment; gives how many moments there were."""
    for moment in range(1000):
        folder = start.with_name(f"round-{moment}")
        shutil.copytree(start, folder)
        if not killed_before(moment, folder, command):
            return moment
    raise AssertionError("it never ends")


if __name__ == "__main__":
    import modelshelf.cli.change
    import modelshelf.cli.dispatch  # noqa: F401 (what the forks need)

    sys.stdout.write(f"{rounds(Path(sys.argv[1]), sys.argv[2:])}\n")
