from __future__ import annotations

import pytest

import modelshelf
from modelshelf.cli import main
from modelshelf.cli.overview import names


@pytest.mark.parametrize(("given", "code"), [([], 2), (["--help"], 0), (["-h"], 0)])
def test_every_command_is_listed(
    capsys: pytest.CaptureFixture[str], given: list[str], code: int
) -> None:
    assert main(given) == code
    lines = capsys.readouterr().out.splitlines()
    listed = [
        line.split()[0] for line in lines[lines.index("commands:") + 1 :] if line[2:3].strip()
    ]
    assert [name for name in listed if name != "shelf"] == names()
    assert max(map(len, lines)) <= 80


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"shelf {modelshelf.__version__}\n"


@pytest.mark.parametrize("given", [["--nothing"], ["instal"], ["--quiet", "install"]])
def test_what_is_no_command(capsys: pytest.CaptureFixture[str], given: list[str]) -> None:
    assert main(given) == 2
    assert "there is no command" in capsys.readouterr().err
