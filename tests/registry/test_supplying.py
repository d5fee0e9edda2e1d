"""Files for described releases: out of a folder, from the hub, through the checks."""

from __future__ import annotations

import http.server
import io
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelshelf.errors import Invalid, NetworkError, Refused, ShelfError
from modelshelf.package.entry import Entry
from modelshelf.registry import importing, operating, releases
from modelshelf.registry.importing import Bounds, Folder, Hub, Report
from modelshelf.registry.importing.fetching import fetch
from modelshelf.registry.importing.unpacking import unpack
from modelshelf.registry.service import Kept, open_kept
from modelshelf.registry.settings import Settings
from tests.registry.hub import catalogue, described

FORMATS = Path(__file__).parents[1] / "formats"
SAVED = FORMATS / "tf_savedmodel" / "words.tf"
TFLITE = FORMATS / "tflite" / "float.tflite"
HARMFUL = FORMATS / "tf_savedmodel" / "python.tf"
PLENTY = 1 << 30


@pytest.fixture
def kept(settings: Settings) -> Iterator[Kept]:
    settings.data.mkdir(exist_ok=True)
    opened = open_kept(settings)
    yield opened
    opened.database.close()


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder of assets, empty still."""
    folder = tmp_path / "assets"
    folder.mkdir()
    return folder


def saved_model(folder: Path, source: Path = SAVED) -> Path:
    return shutil.copytree(source, folder)


def members(source: Path = SAVED) -> list[tuple[str, bytes]]:
    return [
        (f"./{path.relative_to(source)}", path.read_bytes())
        for path in sorted(source.rglob("*"))
        if path.is_file()
    ]


def packed(archive: Path, *files: tuple[str, bytes]) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as opened:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return archive


def bring(kept: Kept, assets: Path, *wanted: object, **more: object) -> Report:
    return importing.bring(
        kept,
        catalogue(*wanted, **more),  # type: ignore[arg-type]
        sources=(Folder(assets, PLENTY),),
    )


def entry(kept: Kept, version: str = "1.0.0") -> Entry:
    with kept.database.reading() as connection:
        return releases.release(connection, "acme", "digits", version).entry


def test_a_folder_of_files_makes_a_release(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    report = bring(kept, assets, described(version=1), described(version=2))
    assert report.failed == ()
    (one,) = report.supplied
    assert (one.release, one.files) == ("acme/digits@1.0.0", len(members()))
    made = entry(kept)
    assert not made.described
    assert made.choosable
    assert made.upstream is not None
    assert made.upstream.handle == "acme/digits/1"
    files = {name.removeprefix("./") for name, _ in members()}
    assert {file.path for file in made.files} == {"README.md", *files}
    (artifact,) = made.variants[0].artifacts
    assert (artifact.first, {*artifact.files}) == ("saved_model.pb", files)
    assert made.scan is not None
    assert entry(kept, "2.0.0").described


def test_a_second_run_leaves_them(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    bring(kept, assets, described())
    before = entry(kept)
    report = bring(kept, assets, described(text="Another text."))
    assert (report.supplied, report.updated, report.kept) == ((), (), ("acme/digits@1.0.0",))
    assert entry(kept) == before


@pytest.mark.parametrize("suffix", [".tar.gz", ".tgz"])
def test_an_archive(kept: Kept, assets: Path, suffix: str) -> None:
    archive = assets / "acme" / "digits" / f"1{suffix}"
    packed(archive, *members(), ("./x/empty", b""))
    report = bring(kept, assets, described())
    assert [each.release for each in report.supplied] == ["acme/digits@1.0.0"]
    assert not [*kept.settings.data.glob("import-*")]


@pytest.mark.parametrize("linked", ["acme", "acme/digits", "acme/digits/1", "acme/digits/1.tar.gz"])
def test_links_do_not_lead_out_of_the_folder(
    kept: Kept, assets: Path, tmp_path: Path, linked: str
) -> None:
    outside = tmp_path / "outside"
    saved_model(outside / "acme" / "digits" / "1")
    packed(outside / "acme" / "digits" / "1.tar.gz", *members())
    (assets / linked).parent.mkdir(parents=True, exist_ok=True)
    (assets / linked).symlink_to(outside / linked)
    report = bring(kept, assets, described())
    assert (report.supplied, report.failed) == ((), ())
    assert entry(kept).described


def test_parts_of_a_release_lie_under_their_own_handles(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    part = assets / "acme" / "digits" / "1" / "small" / "1.tflite"
    part.parent.mkdir()
    part.write_bytes(TFLITE.read_bytes())
    report = bring(kept, assets, described(), merged={"acme/digits/1/small/1": "acme/digits/1"})
    assert report.failed == ()
    artifacts = entry(kept).variants[0].artifacts
    assert [(each.format, each.first) for each in artifacts] == [
        ("tf-savedmodel", "saved_model.pb"), ("tflite", "small-1/1.tflite"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ((("model.bin", b"\x00nothing known"),), "no format that is known here"),
        ((("../../evil", b"x"),), "a path that is refused"),
        ((("saved_model.pb", b"\x08\x01\x12\xff\xff broken"),), "protobuf"),
    ],
)
def test_what_cannot_be_published_is_told(
    kept: Kept, assets: Path, files: tuple[tuple[str, bytes], ...], reason: str
) -> None:
    packed(assets / "acme" / "digits" / "1.tar.gz", *files)
    saved_model(assets / "acme" / "fine" / "1")
    report = bring(kept, assets, described(), described("acme/fine"))
    assert [each.release for each in report.failed] == ["acme/digits@1.0.0"]
    assert reason in report.failed[0].reason
    assert [each.release for each in report.supplied] == ["acme/fine@1.0.0"]
    assert entry(kept).described


def test_what_the_level_asks_for_still_counts(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    report = bring(kept, assets, described(license=None))
    assert "License is missing" in report.failed[0].reason


def test_what_the_scanner_blocks_waits_for_the_operator(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1", HARMFUL)
    report = bring(kept, assets, described())
    assert "held back" in report.failed[0].reason
    (waiting,) = operating.waiting(kept)
    assert waiting.session is not None
    assert "waits for your decision" in bring(kept, assets, described()).failed[0].reason
    operating.allow(kept, waiting.session, "it is a test", "olga")
    made = entry(kept)
    assert (made.described, made.choosable) == (False, True)


def test_versions_of_a_hub_need_no_level(kept: Kept, assets: Path) -> None:
    for version in (1, 2, 3):
        saved_model(assets / "acme" / "digits" / str(version))
    report = bring(kept, assets, *(described(version=each) for each in (1, 2, 3)))
    assert len(report.supplied) == 3
    assert [each.number for each in (entry(kept), entry(kept, "3.0.0"))] == [1, 3]


def test_links_that_can_be_met_become_dependencies(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    saved_model(assets / "acme" / "zoom" / "1")
    needs = {"acme/zoom": "^1.0", "acme/none": "^1.0"}
    release = described(needs=needs, kind="runtime")
    report = bring(kept, assets, release, described("acme/zoom"), described("acme/none"))
    assert report.failed == ()
    left_out = {each.release: each.left_out for each in report.supplied}
    assert left_out == {"acme/zoom@1.0.0": (), "acme/digits@1.0.0": ("acme/none",)}
    assert [*entry(kept).dependencies] == ["acme/zoom"]


def test_links_that_do_not_fit_are_left_out(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    part = assets / "acme" / "zoom" / "1.tflite"
    part.parent.mkdir()
    part.write_bytes(TFLITE.read_bytes())
    zoom = described("acme/zoom", format="tflite")
    report = bring(kept, assets, described(needs={"acme/zoom": "^1.0"}), zoom)
    assert report.failed == ()
    assert not entry(kept).dependencies


def test_a_circle_of_links(kept: Kept, assets: Path) -> None:
    saved_model(assets / "acme" / "digits" / "1")
    saved_model(assets / "acme" / "zoom" / "1")
    zoom = described("acme/zoom", needs={"acme/digits": "^1.0"}, kind="runtime")
    release = described(needs={"acme/zoom": "^1.0"}, kind="runtime")
    assert len(bring(kept, assets, release, zoom).supplied) == 2


class _Hub(http.server.BaseHTTPRequestHandler):
    """Sends what is in `files`, and misbehaves at the addresses that say so."""

    files: dict[str, bytes]

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/saved.tar.gz")
            self.end_headers()
            return
        if self.path in ("/round", "/nowhere"):
            self.send_response(302)
            self.send_header("Location", "/round" if self.path == "/round" else "http://[")
            self.end_headers()
            return
        content = self.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"") + (self.path == "/cut") * 10))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_words: object) -> None:
        """Be quiet."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    """Closing it waits for every answer to be sent."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    archive = packed(tmp_path / "made.tar.gz", *members())
    _Hub.files = {
        "/saved.tar.gz": archive.read_bytes(),
        "/digits.tflite": TFLITE.read_bytes(),
        "/cut": b"half",
        "/large": b"x" * 1000,
    }
    with _Server(("127.0.0.1", 0), _Hub) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()
        thread.join()


Fetch = Callable[..., Report]


@pytest.fixture
def brought(kept: Kept, server: str) -> Fetch:
    def bring_from(path: str, *, private: bool = True, **said: object) -> Report:
        release = described(asset=f"{server}{path}", **said)  # type: ignore[arg-type]
        return importing.bring(
            kept, catalogue(release), sources=(Hub(Bounds(most_bytes=10_000_000, private=private)),)
        )

    return bring_from


@pytest.mark.parametrize("path", ["/saved.tar.gz", "/moved"])
def test_files_of_the_hub(kept: Kept, brought: Fetch, server: str, path: str) -> None:
    report = brought(path)
    assert (report.failed, len(report.supplied)) == ((), 1)
    assert not entry(kept).described
    with kept.database.reading() as connection:
        found = releases.release(connection, "acme", "digits", "1.0.0").imported
    assert found is not None
    (one,) = found.fetched
    assert (one.url, len(one.sha256)) == (f"{server}{path}", 64)


def test_a_single_file_of_the_hub(kept: Kept, brought: Fetch) -> None:
    assert brought("/digits.tflite", format="tflite").failed == ()
    assert entry(kept).variants[0].artifacts[0].files == ("digits.tflite",)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/none", "404"),
        ("/n\u00f6ne", "404"),
        ("/cut", "cut off"),
        ("/round", "from one address to the next"),
        ("/nowhere", "did not arrive"),
    ],
)
def test_a_hub_that_fails(kept: Kept, brought: Fetch, path: str, reason: str) -> None:
    report = brought(path)
    assert reason in report.failed[0].reason
    assert entry(kept).described


def test_private_addresses_are_not_asked(brought: Fetch) -> None:
    assert "not one of the public internet" in brought("/moved", private=False).failed[0].reason


def test_files_that_are_gone_are_not_asked_for(brought: Fetch) -> None:
    report = brought("/none", gone="deleted")
    assert (report.failed, report.supplied) == ((), ())


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", Invalid),
        ("http://", Invalid),
        ("ftp://hub.example/x", Invalid),
        ("http://127.0.0.1:1/x", NetworkError),
        ("http://[bad/x", ShelfError),
    ],
)
def test_addresses_that_are_none(tmp_path: Path, url: str, error: type[ShelfError]) -> None:
    with pytest.raises(error):
        fetch(url, tmp_path / "x", Bounds(private=True))


def test_bounds(tmp_path: Path, server: str) -> None:
    with pytest.raises(Invalid, match="too large"):
        fetch(f"{server}/large", tmp_path / "x", Bounds(most_bytes=999, private=True))
    with pytest.raises(Refused):
        fetch(f"{server}/large", tmp_path / "y", Bounds())
    archive = packed(tmp_path / "a.tar.gz", ("x", b"x" * 1000))
    with pytest.raises(Invalid, match="unpacks to too much"):
        unpack(archive, tmp_path / "z", most_bytes=999)
