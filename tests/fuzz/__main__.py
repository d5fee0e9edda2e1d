"""Feed readers with mutated files and show what came of it: python -m tests.fuzz --count 20000.

Exit code 1 where anything crashed, hung, took more than a second or 200 MB, or ran code. The files
that did are kept; `--at NUMBER` reads one again, here and without a net.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from modelshelf import formats
from tests.fuzz.campaign import COLUMNS, Told, campaign, kept, place
from tests.fuzz.seeds import seeds

KEPT = Path(tempfile.gettempdir()) / "modelshelf-fuzz"


def main() -> int:
    """Run the campaigns and print one row a reader."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="mutated files for each reader")
    parser.add_argument(
        "--format", action="append", default=[], help="again for more; default: all"
    )
    parser.add_argument("--seed", default="1", help="the same seed makes the same files")
    parser.add_argument("--at", type=int, metavar="NUMBER", help="read only this one again")
    parser.add_argument("--keep", type=Path, default=KEPT, help=f"default: {KEPT}")
    parser.add_argument("--jobs", type=int, default=1, help="readers at a time")
    given = parser.parse_args()
    every = seeds()
    names = given.format or list(every)
    for name in formats.formats().keys() - every.keys():
        _say(f"{name}: no seeds")
    if given.at is not None:
        path = kept(names[0], given.seed, given.at, every, given.keep)
        _say(f"{path}\n{formats.read(path, names[0])}")
        return 0
    _say(f"{'reader':<16}" + "".join(f"{each:>9}" for each in COLUMNS) + f"{'peak MB':>9}")
    bad = 0
    with ThreadPoolExecutor(given.jobs) as pool:
        for name, told in zip(
            names,
            pool.map(lambda each: campaign(each, given.seed, given.count), names),
            strict=True,
        ):
            _show(name, told)
            for number, what, why in told.bad[:10]:
                path = kept(name, given.seed, number, every, given.keep)
                _say(f"  {what}: {why}\n    {path}\n    python -m tests.fuzz --format {name}"
                      f" --seed {given.seed} --at {number}")  # fmt: skip
            bad += len(told.bad)
    return int(bool(bad))


def _show(name: str, told: Told) -> None:
    row = "".join(f"{told.totals[each]:>9,}" for each in COLUMNS)
    _say(f"{name:<16}{row}{told.peak_bytes / 2**20:>9.1f}")
    for where, count in told.caught.most_common(12):
        number, why = next((n, why) for n, _, why in told.events if place(why) == where)
        _say(f"  caught {count:>5,}: {why} (first: --at {number})")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
