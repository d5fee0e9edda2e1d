"""The whole road with a real model family: train, publish, choose, install, run, upgrade, remove.

    make demo

Everything it makes lies in one folder (`--folder`, default `demo`), which each run makes anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSWORD = "only for this demo"  # noqa: S105 (of an account that the demo makes and drops)
MARKER = ".modelshelf-demo"

PREDICT = """\
import numpy as np

import modelshelf

images = np.load("images.npy")            # float32[n, 1, 8, 8], never seen in training
digits = np.load("digits.npy")
model = modelshelf.load("digits/classifier", variant="cnn-small")
print(model)
guesses = model(image=images)["logits"].argmax(axis=1)
print(f"{model.version}: {np.mean(guesses == digits):.4f} of {len(digits)} digits are right")
np.save(f"guesses-{model.version}.npy", guesses)
"""

COMPARE = """\
import numpy as np

old, new, digits = (np.load(name) for name in ("guesses-1.0.0.npy", "guesses-1.1.0.npy", "digits.npy"))
changed = np.flatnonzero(old != new)
print(f"{len(changed)} of {len(digits)} answers changed")
for place in changed[:5]:
    print(f"  digit {digits[place]}: 1.0.0 said {old[place]}, 1.1.0 says {new[place]}")
"""


def main() -> int:
    """Run the demo; gives 0 where every command did what it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    folder = parser.parse_args().folder.absolute()
    _make_anew(folder)
    env = {
        **os.environ,
        "MODELSHELF_HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    env.pop("MODELSHELF_TOKEN", None)
    with _registry(folder, env) as url:
        env["MODELSHELF_REGISTRY"] = url
        _publish(folder, env)
        _use(folder, env)
    port = url.rpartition(":")[2]
    data = os.path.relpath(folder / "registry")
    _say("Done. To see the package's page, start the registry again and open its address:")
    print(f"    .venv/bin/shelf registry serve --data {data} --port {port}")
    print(f"    {url}/digits/classifier")
    return 0


def _publish(folder: Path, env: dict[str, str]) -> None:
    """As the publisher: two releases of a family of four."""
    work = folder / "publisher"
    work.mkdir()
    _say("A publisher trains four digit classifiers on half of the data and describes them once.")
    _run("shelf login digits --create --password-stdin", work, env, stdin=PASSWORD)
    _run(_train("1.0.0"), work, env)
    _run("shelf check release-1.0.0 --level complete", work, env)
    _run("shelf publish release-1.0.0 --level complete", work, env)


def _use(folder: Path, env: dict[str, str]) -> None:
    """As a consumer, in an empty directory."""
    from images import split_digits

    work = folder / "consumer"
    work.mkdir()
    test = split_digits().test
    _say("A user in an empty directory looks for a model, installs one and runs it.")
    _run("shelf search handwritten digits --task image-classification", work, env)
    _run("shelf info digits/classifier", work, env)
    _run(
        "shelf choose --task image-classification --where 'accuracy>=0.9, bytes<=100kB, format=onnx'",
        work,
        env,
    )
    _run("shelf install digits/classifier --variant cnn-small", work, env)
    _save_arrays(work, images=test.images, digits=test.digits)
    _write(work / "predict.py", PREDICT)
    _run("python predict.py", work, env)
    _run("shelf load-example digits/classifier | python -", work, env)

    _say("The publisher trains again, on all of the data, and publishes 1.1.0.")
    _run(_train("1.1.0"), folder / "publisher", env)
    _run("shelf publish release-1.1.0 --level complete", folder / "publisher", env)

    _say("The user sees that there is something newer, upgrades and compares.")
    _run("shelf outdated", work, env, code=1)
    _run("shelf upgrade --dry-run", work, env)
    _run("shelf upgrade", work, env)
    _run("python predict.py", work, env)
    _write(work / "compare.py", COMPARE)
    _run("python compare.py", work, env)
    _run("shelf list", work, env)

    _say("What was, can be had back at any time; at last the user removes it.")
    _run("shelf rollback", work, env)
    _run("shelf list", work, env)
    _run("shelf remove digits/classifier", work, env)
    _run("shelf list", work, env)


def _train(release: str) -> str:
    script = shlex.quote(os.path.relpath(HERE / "train.py"))
    return f"python {script} --release {release} --out release-{release}"


def _run(
    command: str, work: Path, env: dict[str, str], *, stdin: str | None = None, code: int = 0
) -> None:
    """Print a command, run it in a shell, and stop the demo where it ends with another code."""
    print(f"\n$ {command}", flush=True)
    shown = command.replace(os.path.relpath(HERE), str(HERE))
    done = subprocess.run(shown, shell=True, cwd=work, env=env, input=stdin, text=True, check=False)  # noqa: S602
    if done.returncode != code:
        print(f"the demo expected exit code {code}, not {done.returncode}", file=sys.stderr)
        sys.exit(1)


def _say(text: str) -> None:
    print(f"\n# {text}", flush=True)


def _write(path: Path, text: str) -> None:
    print(f"\n$ cat {path.name}\n{text.rstrip()}", flush=True)
    path.write_text(text, encoding="utf-8")


def _save_arrays(folder: Path, **arrays: object) -> None:
    import numpy as np

    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def _make_anew(folder: Path) -> None:
    """Empty `folder`, if it is one that a demo made."""
    if folder.exists() and not (folder / MARKER).exists():
        sys.exit(f"{folder} exists and is not from a demo: name another with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()


@contextmanager
def _registry(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """A registry of this machine for as long as the demo runs; gives its address."""
    print("$ shelf registry serve --data registry --port 0 &", flush=True)
    command = ["shelf", "registry", "serve", "--data", "registry", "--port", "0", "--json"]
    with (folder / "registry.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log)
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            if not line:
                sys.exit(f"the registry did not start: see {folder / 'registry.log'}")
            url = json.loads(line)["url"]
            print(f"The registry is at {url}")
            yield url
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    sys.exit(main())
