"""The reader of PyTorch's files against PyTorch itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import read
from modelshelf.formats.facts import Facts
from modelshelf.formats.pytorch_imports import ALLOWED

torch: Any = pytest.importorskip("torch")


def network() -> Any:
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(4, 2)
    )


def described(state: dict[str, Any]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """What PyTorch itself says of a state dict."""
    return {
        name: (str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in state.items()
    }


def found(facts: Facts) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {tensor.name: (tensor.dtype, tensor.shape) for tensor in facts.tensors}


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def layout(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def saved(value: Any, folder: Path, *, as_zip: bool = True) -> Path:
    path = folder / "model.pt"
    torch.save(value, path, _use_new_zipfile_serialization=as_zip)
    return path


def test_a_state_dict(tmp_path: Path, layout: bool) -> None:
    state = network().state_dict()
    facts = read(saved(state, tmp_path, as_zip=layout))
    assert found(facts) == described(state)
    assert facts.parameters == sum(tensor.numel() for tensor in state.values())
    assert facts.precision == "float32"
    assert not facts.unsafe


def test_a_whole_model(tmp_path: Path, layout: bool) -> None:
    model = network()
    facts = read(saved(model, tmp_path, as_zip=layout))
    assert found(facts) == described(model.state_dict())
    assert not facts.unsafe
    assert "torch.nn.modules.container.Sequential" in facts.code


class Own(torch.nn.Linear):  # type: ignore[misc]
    """A class that only this file knows."""


def test_a_whole_model_of_the_publishers_class(tmp_path: Path, layout: bool) -> None:
    facts = read(saved(Own(2, 3), tmp_path, as_zip=layout))
    assert facts.severity == "blocked"
    assert [risk.detail.rpartition(".")[2] for risk in facts.risks if risk.kind == "pickle-global"] == ["Own"]  # fmt: skip


@pytest.mark.parametrize(
    "dtype",
    [
        "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
        "bool", "complex64", "complex128", "uint16", "uint32", "uint64", "float8_e4m3fn",
        "float8_e5m2",
    ],
)  # fmt: skip
def test_every_dtype(tmp_path: Path, layout: bool, dtype: str) -> None:
    state = {"x": torch.zeros(3, 5).to(getattr(torch, dtype))}
    facts = read(saved(state, tmp_path, as_zip=layout))
    assert found(facts) == {"x": (dtype, (3, 5))}
    assert facts.parameters == 15
    assert not facts.unsafe


def test_shared_storages(tmp_path: Path, layout: bool) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    state = {"whole": whole, "row": whole[2], "turned": whole.T, "again": whole}
    facts = read(saved(state, tmp_path, as_zip=layout))
    assert found(facts) == described(state)
    assert facts.parameters == 24 + 6 + 24


def test_tied_weights_count_once(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    model[1].weight = model[0].weight
    facts = read(saved(model.state_dict(), tmp_path))
    assert facts.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_a_checkpoint_with_an_optimizer(tmp_path: Path, layout: bool) -> None:
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(2, 1, 3, 3)).sum().backward()
    optimizer.step()
    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    facts = read(saved(checkpoint, tmp_path, as_zip=layout))
    names = {tensor.name for tensor in facts.tensors}
    assert {f"model.{name}" for name in model.state_dict()} <= names
    assert "optimizer.state.0.exp_avg" in names
    assert not facts.unsafe


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(0, 4),
        lambda: torch.tensor(1.0),
        lambda: torch.nn.Parameter(torch.zeros(2)),
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8),
        lambda: torch.zeros(3, device="meta"),
    ],
    ids=["empty", "scalar", "parameter", "sparse", "quantized", "meta"],
)
def test_unusual_tensors_are_safe(tmp_path: Path, make: Any) -> None:
    facts = read(saved({"x": make()}, tmp_path))
    assert facts.tensors
    assert not facts.unsafe


def test_what_the_list_allows_pytorch_loads_too(tmp_path: Path) -> None:
    path = saved(network().state_dict(), tmp_path)
    assert not read(path).unsafe
    assert torch.load(path, weights_only=True)


def test_the_list_adds_no_callable_to_pytorchs() -> None:
    from torch._weights_only_unpickler import _get_allowed_globals

    theirs = set(_get_allowed_globals())
    containers = {"dict", "list", "tuple", "frozenset", "set", "complex", "bytearray"}
    ours = {name for name in ALLOWED if str(name) not in theirs}
    extra = {name for name in ours if name.name not in containers}
    assert {name.module for name in extra} <= {"torch", "torch.cuda", "torch._utils"}
    assert not [n for n in extra if n.module == "torch" and callable(getattr(torch, n.name, None))]


def test_torchscript(tmp_path: Path) -> None:
    model = network().eval()
    path = tmp_path / "script.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(model), path)
    facts = read(path)
    assert facts.format == "torchscript"
    assert found(facts).items() >= described(model.state_dict()).items()
    assert facts.unsafe


def test_a_file_cut_off(tmp_path: Path, layout: bool) -> None:
    path = saved(network().state_dict(), tmp_path, as_zip=layout)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError):
        read(path)


def test_spans_hold_the_same_bytes_as_those_of_safetensors(tmp_path: Path, layout: bool) -> None:
    from safetensors.torch import save_file

    state = network().bfloat16().state_dict() | {"flags": torch.tensor([True, False])}
    save_file(state, tmp_path / "model.safetensors")
    paths = (saved(state, tmp_path, as_zip=layout), tmp_path / "model.safetensors")
    first, second = (spans(path) for path in paths)
    assert first == second
    assert {name: dtype for name, (dtype, _) in first.items()} == {
        name: dtype for name, (dtype, _) in described(state).items()
    }


def test_spans_of_tensors_that_lie_in_one_storage(tmp_path: Path, layout: bool) -> None:
    whole = torch.arange(24.0)
    state = {"first": whole[:8], "row": whole[10:16].reshape(2, 3), "other": whole[11:13]}
    content = whole.numpy().tobytes()
    assert spans(saved(state, tmp_path, as_zip=layout)) == {
        "first": ("float32", content[:32]),
        "row": ("float32", content[40:64]),
        "": ("float32", content[64:]),
    }


def spans(path: Path) -> dict[str, tuple[str, bytes]]:
    """The dtype and the bytes of each span, by its name."""
    content = path.read_bytes()
    return {
        each.name: (each.dtype, content[each.start : each.stop])
        for each in read(path).spans[path.name]
    }
