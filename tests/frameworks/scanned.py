"""Write what PyTorch itself saves, for the scanner's tests: `python tests/frameworks/scanned.py`.

The files lie in `tests/checks/safety/files/`, so that they are scanned where PyTorch is not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

FOLDER = Path(__file__).parents[1] / "checks" / "safety" / "files"


def main(folder: Path) -> None:
    """Write a checkpoint, whole modules and whole optimizers."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv1d(2, 3, 1), torch.nn.BatchNorm1d(3), torch.nn.ReLU(), torch.nn.Flatten()
    )
    optimizer = torch.optim.AdamW(network.parameters(), fused=False)
    network(torch.ones(2, 2, 4)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    checkpoint = {
        "epoch": 3,
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "arguments": argparse.Namespace(width=8, out=Path("runs/1")),
        "random": torch.get_rng_state(),
    }
    torch.save(checkpoint, folder / "checkpoint.ckpt")
    torch.save(network, folder / "sequential.pt")
    torch.save(torch.nn.TransformerEncoderLayer(4, 2, 4), folder / "transformer.pt")
    torch.save(torch.nn.LSTM(2, 3), folder / "lstm.pt")
    torch.save({"opt": torch.optim.SGD(network.parameters(), 0.1)}, folder / "optimizer.pt")
    torch.save([torch.ones(3), torch.nn.Parameter(torch.ones(2))], folder / "tensors.bin")


if __name__ == "__main__":
    main(FOLDER)
