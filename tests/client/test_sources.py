"""Several registries: which one has a package, and that nobody puts another before it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.package import lock as locks
from tests.conftest import PASSWORD, Shelf, serving
from tests.publishing import Publish, succeeded, versions


@pytest.fixture(scope="module")
def second_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another registry on this machine."""
    with serving(tmp_path_factory.mktemp("second")) as url:
        yield url


@pytest.fixture
def second(second_url: str, shelf: Shelf, publisher: str) -> str:
    """Its URL; this test's publisher has an account there too."""
    given = ("--create", "--password-stdin", "--registry", second_url)
    succeeded(shelf("login", publisher, *given, stdin=PASSWORD + "\n"))
    return second_url


def write(project: Path, wanted: str, *registries: str) -> None:
    text = f"registries = {json.dumps(registries)}\n\n[dependencies]\n{wanted}\n"
    (project / "shelf.toml").write_text(text, encoding="utf-8")


def came_from(project: Path) -> dict[str, str]:
    lock = locks.loads((project / "shelf.lock").read_text())
    return {each.name.split("/")[1]: each.registry for each in lock.packages}


def test_the_second_registry_has_what_the_first_lacks(
    second: str, registry_url: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    here = release("here", "1.0.0")
    there = release("there", "1.0.0", registry=second)
    write(project, f'"{here}" = "*"\n"{there}" = "*"', second)
    succeeded(shelf("sync"))
    assert versions(shelf) == {"here": "1.0.0", "there": "1.0.0"}
    assert came_from(project) == {"here": registry_url, "there": second}
    assert shelf("outdated").code == 0
    release("there", "1.1.0", registry=second, factor=3.0)
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"here": "1.0.0", "there": "1.1.0"}


def test_the_first_that_has_it_is_meant_unless_one_is_named(
    second: str, registry_url: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0")
    release("scale", "9.0.0", registry=second, factor=3.0)
    write(project, f'"{name}" = "*"', second)
    succeeded(shelf("sync"))
    assert versions(shelf) == {"scale": "1.0.0"}
    write(project, f'"{name}" = {{ version = "*", registry = "{second}/" }}', second)
    done = shelf("sync")
    assert done.code in (0, 8), done.err
    (project / "shelf.lock").unlink()
    succeeded(shelf("sync"))
    assert came_from(project) == {"scale": second}
    succeeded(shelf("sync", "--locked"))


def test_nobody_takes_a_name_over(
    second: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    """A package of the same name, newer, appears on the registry that is asked first."""
    name = release("scale", "1.0.0", registry=second)
    write(project, f'"{name}" = "*"', second)
    succeeded(shelf("sync"))
    release("scale", "9.0.0", factor=3.0)
    for command in (("sync",), ("upgrade",), ("lock", "--upgrade"), ("upgrade", "--major")):
        succeeded(shelf(*command))
        assert versions(shelf) == {"scale": "1.0.0"}
        assert came_from(project) == {"scale": second}
    other = release("other", "1.0.0", needs={"scale": "*"})
    succeeded(shelf("install", other))
    assert versions(shelf) == {"scale": "1.0.0", "other": "1.0.0"}


def test_a_registry_that_is_away_is_not_passed_over(
    second: str, shelf: Shelf, release: Publish, project: Path, user_env: dict[str, str]
) -> None:
    """Else who can keep the first one from answering decides what is installed."""
    name = release("scale", "1.0.0", registry=second)
    user_env["MODELSHELF_REGISTRY"] = "http://127.0.0.1:9"
    write(project, f'"{name}" = "*"', second)
    assert shelf("sync").code == 6
    assert not (project / "shelf.lock").exists()


@pytest.mark.parametrize("wanted_here_too", [False, True])
def test_a_dependency_cannot_name_a_registry_of_its_own(
    wanted_here_too: bool, shelf: Shelf, release: Publish, project: Path
) -> None:
    base = release("base", "1.0.0")
    needs = {"base": '{ version = "*", registry = "https://evil.example" }'}
    name = release("scale", "1.0.0", needs=needs)
    before = f'"{base}" = "*"\n' if wanted_here_too else ""
    write(project, f'{before}"{name}" = "*"')
    done = shelf("sync")
    assert done.code == 8, done.out
    assert "https://evil.example" in done.err
    assert not (project / "shelf.lock").exists()


def test_two_registries_for_one_name_are_refused(
    second: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    base = release("base", "1.0.0")
    release("base", "1.0.0", registry=second, factor=3.0)
    name = release("scale", "1.0.0", needs={"base": f'{{ version = "*", registry = "{second}" }}'})
    write(project, f'"{base}" = "*"\n"{name}" = "*"', second)
    done = shelf("sync")
    assert done.code == 8, done.out
    assert base in done.err


def test_the_token_of_one_registry_is_not_sent_to_another(
    shelf: Shelf, release: Publish, project: Path, user_env: dict[str, str]
) -> None:
    kept = json.loads((Path(user_env["MODELSHELF_HOME"]) / "settings.json").read_text())
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def listen() -> None:
            while True:
                try:
                    taken, _ = server.accept()
                except OSError:
                    return
                with taken:
                    heard.append(taken.recv(65536).decode())
                    taken.sendall(
                        b"HTTP/1.1 404 Not Found\r\nContent-Length: 47\r\nConnection: close\r\n\r\n"
                        b'{"error": "NotFound", "message": "there is no"}'
                    )

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        user_env["MODELSHELF_TOKEN"] = kept["tokens"][user_env["MODELSHELF_REGISTRY"]]
        write(project, f'"{release.whole("missing")}" = "*"', url)
        assert shelf("sync").code == 1
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert heard
    assert not any("authorization" in each.lower() for each in heard)
