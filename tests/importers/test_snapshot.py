"""A snapshot: the same pages from a folder and its archive, nothing from outside, nothing unbounded."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from modelshelf.errors import FormatError, NotFound
from modelshelf.importers import snapshot
from modelshelf.importers.snapshot import Text, decoded, texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "hub"
    for path, content in {
        "docs/b/2.md": b"two",
        "docs/b/10.md": b"ten",
        "docs/a/1.MD": b"one",
        "docs/.hidden/1.md": b"hidden",
        "docs/a/logo.png": b"\x89PNG",
        "README.md": b"read me",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def packed(folder: Path, *, name: str = "hub.tar.gz") -> Path:
    archive = folder.parent / name
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(folder, "hub-1.0")
    return archive


def test_pages_come_in_the_order_of_their_paths(folder: Path) -> None:
    found = texts(str(folder))
    assert [each.path for each in found] == [
        "README.md",
        "docs/a/1.MD",
        "docs/b/10.md",
        "docs/b/2.md",
    ]
    assert found[2].text == "ten"


def test_an_archive_and_folders_above_name_pages_alike(folder: Path) -> None:
    (folder / "README.md").unlink()
    expected = [Text("a/1.MD", "one"), Text("b/10.md", "ten"), Text("b/2.md", "two")]
    assert texts(str(folder)) == texts(str(folder.parent)) == texts(str(packed(folder))) == expected


def test_a_folder_with_nothing_but_an_archive_stands_for_it(folder: Path, tmp_path: Path) -> None:
    handed_on = tmp_path / "handed-on"
    handed_on.mkdir()
    packed(folder).rename(handed_on / "hub.tar.gz")
    (handed_on / "README.md").write_text("what this is")
    assert texts(str(handed_on)) == texts(str(folder))


def test_links_are_not_followed(folder: Path) -> None:
    outside = folder.parent / "secret.md"
    outside.write_text("secret", encoding="utf-8")
    (folder / "docs/link.md").symlink_to(outside)
    (folder / "docs/up").symlink_to(folder.parent)
    assert "secret" not in {each.text for each in texts(str(folder))}
    assert "secret" not in {each.text for each in texts(str(packed(folder)))}


def test_a_long_page_is_told_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "longest_page_bytes", 5)
    for place in (folder, packed(folder)):
        assert [each for each in texts(str(place)) if each.wrong] == [
            Text("README.md", "", "longer than 0 MiB")
        ]


@pytest.mark.parametrize("limit", ["most_files", "most_bytes"])
def test_an_archive_without_end_is_refused(
    folder: Path, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, limit, 2)
    with pytest.raises(FormatError, match="holds more than"):
        texts(str(packed(folder)))


def test_more_text_than_can_be_held_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "most_characters", 30)
    for place in (folder, packed(folder)):
        with pytest.raises(FormatError, match="more than 30 characters"):
            texts(str(place))


def test_headers_of_an_archive_are_bounded(tmp_path: Path) -> None:
    archive = tmp_path / "hub.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.addfile(tarfile.TarInfo("a/" * 100_000 + "1.md"))
    with pytest.raises(FormatError, match="no archive"):
        texts(str(archive))


def test_a_folder_without_end_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "most_files", 2)
    with pytest.raises(FormatError, match="more than 2 files"):
        texts(str(folder))


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00" + bytes(40)])
def test_a_broken_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hub.tar.gz"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no archive"):
        texts(str(path))


def test_an_archive_cut_short_is_refused(folder: Path) -> None:
    whole = packed(folder)
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(FormatError, match="no archive"):
        texts(str(whole))


def test_names_in_an_archive_that_leave_it_stay_names(tmp_path: Path) -> None:
    archive = tmp_path / "hub.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        for name in ("/etc/1.md", "../../1.md", "./docs/1.md"):
            member = tarfile.TarInfo(name)
            member.size = 1
            opened.addfile(member, io.BytesIO(b"x"))
    assert texts(str(archive)) == [Text("1.md", "x")]


def test_of_a_path_that_comes_twice_the_last_counts(tmp_path: Path) -> None:
    archive = tmp_path / "hub.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        for content in (b"x", b"y"):
            member = tarfile.TarInfo("docs/1.md")
            member.size = 1
            opened.addfile(member, io.BytesIO(content))
    assert texts(str(archive)) == [Text("1.md", "y")]


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no catalogue at"):
        texts(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbf# Module", "# Module"),
        (b"caf\xe9", "caf\ufffd"),
        (b"a\0b\x1bc\td", "a\ufffdb\ufffdc\td"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_bytes_become_text_that_can_be_stored(content: bytes, text: str) -> None:
    assert decoded(content) == text
