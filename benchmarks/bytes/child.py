"""What needs the peers or torch, run in their environment: `python -m benchmarks.bytes.child VERB ...`."""

from __future__ import annotations

import copy
import functools
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 9


def xet(cas: str, *files: str) -> None:
    """Send files to a store on this disk as huggingface_hub sends them to its servers."""
    import hf_xet

    commit = hf_xet.XetSession().new_upload_commit(endpoint=f"local://{cas}")
    handles = [commit.start_upload_file(file, sha256=hf_xet.COMPUTE_SHA256) for file in files]
    commit.wait_to_finish()
    for file, handle in zip(files, handles, strict=True):
        assert handle.result().xet_info.file_size == Path(file).stat().st_size


def mlflow(store: str, *files: str) -> None:
    """Log files as artifacts of one run, in a store of files."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=Path(store).as_uri())
    found = client.get_experiment_by_name("pairs")
    experiment = found.experiment_id if found else client.create_experiment("pairs")
    run = client.create_run(experiment)
    for file in files:
        client.log_artifact(run.info.run_id, file)


def resave(source: str, target: str) -> None:
    """Write the tensors of a safetensors file as torch.save does."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(source), target)


def train(folder: str) -> None:
    """Train a net of 4.3 M parameters on digits, then go on in several ways; write all of them."""
    import torch

    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, 2048), torch.nn.ReLU(),
        torch.nn.Linear(2048, 2048), torch.nn.ReLU(),
        torch.nn.Linear(2048, 10),
    )  # fmt: skip
    _fit(net, torch.optim.AdamW(net.parameters(), lr=1e-3), epochs=5)
    _save(net, folder, "base")
    for name, optimizer in (
        ("adamw-1e-5", functools.partial(torch.optim.AdamW, lr=1e-5)),
        ("adamw-1e-4", functools.partial(torch.optim.AdamW, lr=1e-4)),
        ("sgd-1e-2", functools.partial(torch.optim.SGD, lr=1e-2)),
    ):
        tuned = copy.deepcopy(net)
        _fit(tuned, optimizer(tuned.parameters()), epochs=1)
        _save(tuned, folder, name)


def _save(net: Any, folder: str, name: str) -> None:
    import torch
    from safetensors.torch import save_file

    for dtype in (torch.bfloat16, torch.float32):
        path = Path(folder) / f"{name}-{dtype.itemsize * 8}.safetensors"
        save_file({name: each.to(dtype) for name, each in net.state_dict().items()}, path)


def _fit(net: Any, optimizer: Any, epochs: int) -> None:
    import torch
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.data / 16, dtype=torch.float32)
    labels = torch.tensor(digits.target)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
            optimizer.step()


def load(safetensors_file: str, pt_file: str, pieces: str) -> None:
    """Print the milliseconds until all tensors of a model are there, for three ways to keep it."""
    ways: dict[str, Callable[[], int]] = {
        "safetensors": lambda: _mapped(safetensors_file),
        "torch.load": lambda: _unpickled(pt_file),
        "re-assembled": lambda: _assembled(sorted(Path(pieces).iterdir())),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            assert way() > 0
            found[name].append((time.perf_counter() - started) * 1000)
    print(json.dumps({name: statistics.median(times) for name, times in found.items()}))


def _mapped(file: str) -> int:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as model:
        return sum(math.prod(model.get_tensor(name).shape) for name in model.keys())  # noqa: SIM118


def _unpickled(file: str) -> int:
    import torch

    model = torch.load(file, weights_only=True)
    return sum(math.prod(tensor.shape) for tensor in model.values())


def _assembled(pieces: list[Path]) -> int:
    """What a store that keeps only raw pieces has to do before anything can be mapped."""
    whole = bytearray(sum(piece.stat().st_size for piece in pieces))
    view, at = memoryview(whole), 0
    for piece in pieces:
        with piece.open("rb", buffering=0) as file:
            at += file.readinto(view[at:])
    return at


VERBS: dict[str, Callable[..., None]] = {
    "xet": xet,
    "mlflow": mlflow,
    "resave": resave,
    "train": train,
    "load": load,
}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
