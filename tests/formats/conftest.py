"""PyTorch files written by hand, so that their reader is tested where PyTorch is not."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")


class TorchFiles:
    """Writes what `torch.save` would, opcode by opcode."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def text(self, value: str) -> bytes:
        raw = value.encode()
        return b"X" + struct.pack("<I", len(raw)) + raw

    def number(self, value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def sizes(self, values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(self.number, values)) + b"t"

    def tensor(
        self, key: str, shape: tuple[int, ...], count: int, kind: str = "FloatStorage"
    ) -> bytes:
        """A contiguous tensor at the start of a storage of `count` values."""
        steps = [1] * len(shape)
        for place in range(len(shape) - 2, -1, -1):
            steps[place] = steps[place + 1] * shape[place + 1]
        storage = b"(" + self.text("storage") + f"ctorch\n{kind}\n".encode() + self.text(key)
        storage += self.text("cpu") + self.number(count) + b"tQ"
        place_in_storage = self.number(0) + self.sizes(shape) + self.sizes(tuple(steps))
        hooks = b"\x89ccollections\nOrderedDict\n)R"
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + place_in_storage + hooks + b"tR"

    def state_dict(self, tensors: dict[str, bytes]) -> bytes:
        pairs = b"".join(self.text(name) + value for name, value in tensors.items())
        return b"\x80\x02ccollections\nOrderedDict\n)R(" + pairs + b"u."

    def archive(
        self,
        pickle: bytes,
        storages: dict[str, bytes] | None = None,
        *,
        compression: int = zipfile.ZIP_STORED,
        entries: dict[str, bytes] | None = None,
    ) -> Path:
        """A `.pt` in the zip layout: its pickle, its storages by key, other entries."""
        path = self.folder / "model.pt"
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("archive/data.pkl", pickle)
            for key, content in (storages or {}).items():
                archive.writestr(f"archive/data/{key}", content)
            for entry, content in (entries or {"version": b"3\n"}).items():
                archive.writestr(f"archive/{entry}", content)
        return path

    def legacy(self, model: bytes, storages: dict[str, bytes]) -> Path:
        """A `.pt` in the layout before PyTorch 1.6."""
        keys = b"\x80\x02](" + b"".join(map(self.text, storages)) + b"e."
        head = b"\x80\x02\x8a\x0a" + MAGIC + b".\x80\x02M\xe9\x03.\x80\x02}."
        tail = b"".join(struct.pack("<q", len(each) // 4) + each for each in storages.values())
        path = self.folder / "model.pth"
        path.write_bytes(head + model + keys + tail)
        return path


@pytest.fixture
def torch_files(tmp_path: Path) -> TorchFiles:
    return TorchFiles(tmp_path)
