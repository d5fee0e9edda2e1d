"""Consent: formats that can run code are never installed or loaded unseen."""

from __future__ import annotations

import pytest

from modelshelf.checks.safety.consent import CONSENT, carries_code, require_consent
from modelshelf.errors import Refused
from modelshelf.package.record import Artifact

SAFE = (Artifact("onnx", ("a.onnx",)), Artifact("safetensors", ("a.safetensors",)))


def test_formats_that_carry_code() -> None:
    assert all(map(carries_code, ["pytorch", "pytorch-hub", "torchscript", "unknown"]))
    assert not any(map(carries_code, ["onnx", "safetensors", "tf-savedmodel"]))


@pytest.mark.parametrize("given", [True, False])
def test_safe_formats_need_none(given: bool) -> None:
    require_consent(SAFE, given=given)
    require_consent((), given=given)


@pytest.mark.parametrize("name", ["pytorch", "pytorch-hub", "torchscript", "keras", "of-tomorrow"])
def test_formats_with_code_and_unknown_ones_are_refused(name: str) -> None:
    unsafe = Artifact(name, ("a.bin",))
    with pytest.raises(Refused) as caught:
        require_consent((*SAFE, unsafe), given=False)
    assert name in caught.value.message
    assert caught.value.where == "a.bin"
    assert CONSENT in (caught.value.hint or "")
    assert caught.value.exit_code == 8
    require_consent((*SAFE, unsafe), given=True)
