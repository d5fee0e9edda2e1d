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


def run(folder: Path, command: list[str]) -> int:
    """The command line in this process, with the home and the project in `folder`."""
    from modelshelf.cli import main

    os.environ["MODELSHELF_HOME"] = str(folder / "home")
    os.chdir(folder / "project")
    return main([*command, "--quiet"])


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

        sys.addaudithook(hook)
        os._exit(run(folder, command))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def rounds(start: Path, command: list[str]) -> int:
    """One round a moment; gives how many moments there were.

    What the command imports is imported here, by running it once, undisturbed.
    """
    assert run(shutil.copytree(start, start.with_name("undisturbed")), command) == 0
    for moment in range(1000):
        folder = start.with_name(f"round-{moment}")
        shutil.copytree(start, folder)
        if not killed_before(moment, folder, command):
            return moment
    raise AssertionError("it never ends")


if __name__ == "__main__":
    sys.stdout.write(f"{rounds(Path(sys.argv[1]), sys.argv[2:])}\n")
