"""What is lost or damaged is found, and mended from whatever still holds it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from sqlalchemy import update

from modelshelf.registry import app, fsck, recipes, tables
from modelshelf.registry.fsck import Report
from modelshelf.registry.service import Service
from modelshelf.registry.settings import Settings
from modelshelf.store.blobs import DiskBlobs
from modelshelf.store.recipe import ID_BYTES, Recipe, dumps
from tests.registry.conftest import digest, run
from tests.registry.test_segments import Sending, tensors
from tests.registry.weights import Published, bf16, model

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running


class World(NamedTuple):
    """A model in float32 and bfloat16, then in bfloat16 tuned on; another with a tensor of the first."""

    service: Service
    wide: bytes
    narrow: bytes
    tuned: bytes

    def recipe(self, content: bytes) -> Recipe:
        with self.service.database.reading() as connection:
            found = recipes.find(connection, digest(content))
        assert found is not None
        return found

    def segment(self, content: bytes, number: int = -1) -> str:
        """Of the last tensor, if not of another one."""
        return [*self.recipe(content).segments()][number][0]

    def differences(self) -> list[str]:
        return sorted(each.key for each in self.service.blobs.held() if "-" in each.key)

    def damage(self, key: str) -> None:
        """Turn a bit in the middle of a blob."""
        assert isinstance(self.service.blobs, DiskBlobs)
        path = self.service.blobs.path(key)
        blob = bytearray(path.read_bytes())
        blob[len(blob) // 2] ^= 4
        path.write_bytes(blob)

    def write(self, content: bytes, recipe: Recipe | None) -> None:
        """Another recipe instead of the right one, or what is none."""
        of = tables.recipes
        body = dumps(recipe) if recipe else b"no recipe"
        with self.service.database.writing() as connection:
            change = update(of).where(of.c.sha256 == digest(content)).values(body=body)
            connection.execute(change)

    def write_whole(self, content: bytes, instead: bytes) -> Path:
        path = self.service.store.path(digest(content))
        path.chmod(0o644)
        path.write_bytes(instead)
        return path

    def give_up(self, *contents: bytes) -> None:
        for content in contents:
            self.service.store.delete(digest(content))


class Made(NamedTuple):
    """The data of a registry that has stopped, and the files that it holds."""

    data: Path
    contents: list[bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    settings = Settings(data=tmp_path_factory.mktemp("made"), fsync=False, password_memory_kib=64)
    registry = run(settings)
    registry.service.jobs.stop(30)
    registry.service.jobs._stopping.clear()
    publish = Published(registry, registry.client.account("acme"))
    contents = publish("1.0.0", model(), bf16(model()))
    contents += publish("1.1.0", bf16(model(moved=0.001)))
    publish("1.0.0", {"w": model()["layers.0.w"]}, name="acme/other")
    registry.stop()
    return Made(settings.data, contents)


@pytest.fixture
def world(made: Made, tmp_path: Path) -> Iterator[World]:
    data = tmp_path / "data"
    shutil.copytree(made.data, data)
    service = app.open_service(Settings(data=data, fsync=False, password_memory_kib=64))
    yield World(service, *made.contents)
    service.database.close()


def kinds(report: Report, *, mended: bool) -> list[str]:
    """Of faults; a segment of several files is one."""
    faults = {(each.kind, each.what) for each in report.findings if each.mended is mended}
    return sorted(kind for kind, _ in faults if kind not in fsck.NOTES)


def test_all_is_well(world: World) -> None:
    report = fsck.run(world.service)
    assert report.findings == ()
    assert report.files == 7
    assert report.bytes == fsck.planned_bytes(world.service)
    world.give_up(world.wide, world.narrow, world.tuned)
    assert fsck.run(world.service, repair=True).findings == ()
    assert len(world.differences()) == 3


def lost(world: World) -> None:
    world.service.blobs.delete(world.segment(world.wide))


def damaged(world: World) -> None:
    world.damage(world.segment(world.wide))


def several_lost(world: World) -> None:
    for identifier in world.recipe(world.tuned).distinct():
        world.service.blobs.delete(identifier)


def only_the_difference_is_there(world: World) -> None:
    world.service.blobs.delete(world.segment(world.tuned))
    world.give_up(world.tuned, world.narrow)


def only_a_wider_copy_is_there(world: World) -> None:
    world.damage(world.segment(world.narrow))
    world.give_up(world.tuned, world.narrow, world.wide)


def the_base_of_the_difference_is_lost_too(world: World) -> None:
    world.service.blobs.delete(world.segment(world.tuned))
    world.service.blobs.delete(world.segment(world.narrow))
    world.give_up(world.tuned, world.narrow)


def another_file_has_it(world: World) -> None:
    world.service.blobs.delete(world.segment(world.wide, 2))
    world.give_up(world.wide)


def the_whole_file_is_damaged_elsewhere(world: World) -> None:
    world.service.blobs.delete(world.segment(world.wide))
    world.write_whole(world.wide, b"damage!!" + world.wide[8:])


def a_whole_file_is_cut_off(world: World) -> None:
    world.write_whole(world.wide, world.wide[:1000])


def a_difference_is_lost(world: World) -> None:
    world.service.blobs.delete(world.differences()[0])


def a_difference_is_damaged(world: World) -> None:
    world.damage(world.differences()[1])


def a_difference_may_not_be_read(world: World) -> None:
    with world.service.database.writing() as connection:
        recipes.forget_segments(connection, world.differences()[:1])


def a_cast_is_wrong(world: World) -> None:
    recipe = world.recipe(world.narrow)
    (cast,) = recipe.parents
    run = cast.runs[0]
    shifted = msgspec.structs.replace(cast, runs=(run._replace(source=run.source - 2),))
    world.write(world.narrow, msgspec.structs.replace(recipe, parents=(shifted,)))


def a_recipe_is_out_of_order(world: World) -> None:
    recipe = world.recipe(world.wide)
    ids, sizes, stored = recipe.ids, recipe.sizes, recipe.stored
    turned = b"".join(ids[at : at + ID_BYTES] for at in range(len(ids) - ID_BYTES, -1, -ID_BYTES))
    world.write(world.wide, Recipe(recipe.size, turned, sizes[::-1], stored[::-1]))


def a_recipe_is_none(world: World) -> None:
    world.write(world.tuned, None)


def sizes_are_wrong(world: World) -> None:
    of = tables.segments
    with world.service.database.writing() as connection:
        row = update(of).where(of.c.id == world.segment(world.wide))
        connection.execute(row.values(stored=7))


def a_row_is_lost(world: World) -> None:
    with world.service.database.writing() as connection:
        recipes.forget_segments(connection, [world.segment(world.wide)])


def a_recipe_has_wrong_sizes(world: World) -> None:
    recipe = world.recipe(world.wide)
    stored = (*recipe.stored[:-1], recipe.stored[-1] + 1)
    world.write(world.wide, msgspec.structs.replace(recipe, stored=stored))


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lost, ["segment"]),
        (damaged, ["segment"]),
        (several_lost, ["segment"] * 4),
        (only_the_difference_is_there, ["segment"]),
        (only_a_wider_copy_is_there, ["segment"]),
        (the_base_of_the_difference_is_lost_too, ["segment", "segment"]),
        (another_file_has_it, ["segment"]),
        (the_whole_file_is_damaged_elsewhere, ["file", "segment"]),
        (a_whole_file_is_cut_off, ["file"]),
        (a_difference_is_lost, ["difference"]),
        (a_difference_is_damaged, ["difference"]),
        (a_difference_may_not_be_read, ["difference"]),
        (a_cast_is_wrong, ["difference"]),
        (a_recipe_is_out_of_order, ["recipe"]),
        (a_recipe_is_none, ["recipe"]),
        (sizes_are_wrong, ["size"]),
        (a_row_is_lost, ["size"]),
        (a_recipe_has_wrong_sizes, ["size"]),
    ],
)
def test_harm_is_found_and_mended(
    world: World, harm: Callable[[World], None], expected: list[str]
) -> None:
    harm(world)
    found = fsck.run(world.service)
    assert kinds(found, mended=False) == expected
    assert fsck.run(world.service) == found, "looking changes nothing"
    mended = fsck.run(world.service, repair=True)
    assert (kinds(mended, mended=True), mended.wrong()) == (expected, [])
    assert fsck.run(world.service).wrong() == []
    world.service.jobs.run_due()
    assert fsck.run(world.service).findings == ()
    assert len(world.differences()) == 3
    world.give_up(world.wide, world.narrow, world.tuned)
    for content in (world.wide, world.narrow, world.tuned):
        assert world.service.raw.path(digest(content)).read_bytes() == content


def test_what_nothing_holds_is_told_each_time(world: World) -> None:
    world.service.blobs.delete(world.segment(world.wide))
    world.give_up(world.wide)
    report = fsck.run(world.service, repair=True)
    (wrong,) = report.wrong()
    assert wrong == fsck.Finding(
        "segment", "acme/digits@1.0.0 0.safetensors", world.segment(world.wide)
    )
    assert fsck.run(world.service).wrong() == [wrong]


def test_a_whole_file_stays_where_its_segments_are_lost(world: World) -> None:
    world.service.blobs.delete(world.segment(world.wide))
    path = world.write_whole(world.wide, world.wide[:-5] + b"wrong")
    report = fsck.run(world.service, repair=True)
    assert sorted(each.kind for each in report.wrong()) == ["file", "segment"]
    assert path.exists()


def test_a_recipe_that_is_wrong_stays_where_the_file_is_not_there(world: World) -> None:
    a_recipe_is_none(world)
    world.give_up(world.tuned)
    report = fsck.run(world.service, repair=True)
    assert [each.kind for each in report.wrong()] == ["recipe"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_without_a_recipe_is_whole_or_lost(world: World, is_there: bool) -> None:
    with world.service.database.writing() as connection:
        recipes.forget(connection, digest(world.tuned))
    if not is_there:
        world.give_up(world.tuned)
    report = fsck.run(world.service, repair=True)
    assert [each.kind for each in report.wrong()] == ([] if is_there else ["file"])
    assert ("lacking" in {each.kind for each in report.findings}) is is_there


def test_what_a_session_sent_and_is_lost_is_sent_again(
    registry: Running, acme: Client, draft: type[Draft]
) -> None:
    sending = Sending(acme, draft(files={"a.safetensors": tensors(1, "a")}))
    sent = sending.send()
    assert fsck.run(registry.service).findings == ()
    registry.service.blobs.delete(sent[1])
    assert kinds(fsck.run(registry.service), mended=False) == ["session"]
    assert fsck.run(registry.service, repair=True).wrong() == []
    assert sending.send() == [sent[1]]
    assert sending.publish().status == 201


def test_what_nobody_needs_is_no_fault(world: World) -> None:
    world.service.blobs.put("0" * 64, b"blob")
    report = fsck.run(world.service, repair=True)
    assert [(each.kind, each.what) for each in report.findings] == [("garbage", "1 of 4 bytes")]
    assert report.wrong() == []


def harmed(world: World, seed: int) -> None:
    """Lose and damage blobs and whole files at random."""
    random = Random(seed)
    keys = sorted(each.key for each in world.service.blobs.held())
    for key in random.sample(keys, random.randrange(1, len(keys))):
        random.choice([world.damage, world.service.blobs.delete])(key)
    for content in (world.wide, world.narrow, world.tuned):
        fate = random.randrange(4)
        if fate == 0:
            world.give_up(content)
        elif fate == 1:
            at = random.randrange(len(content))
            world.write_whole(content, content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(8))
def test_after_random_harm_a_file_is_right_or_told(world: World, seed: int) -> None:
    contents = {digest(each): each for each in (world.wide, world.narrow, world.tuned)}
    harmed(world, seed)
    whole = {each for each in contents if is_right(world, contents[each])}
    told = fsck.run(world.service, repair=True).wrong()
    assert fsck.run(world.service, repair=True).wrong() == told
    world.service.jobs.run_due()
    assert fsck.run(world.service).wrong() == told
    for number, (sha256, content) in enumerate(contents.items()):
        path = f"{number % 2}.safetensors"
        version = "1.1.0" if content == world.tuned else "1.0.0"
        is_told = any(each.where == f"acme/digits@{version} {path}" for each in told)
        assert not (is_told and sha256 in whole)
        if not is_told:
            found = world.service.raw.decoding(sha256).whole(0, len(content))
            assert found == world.service.raw.path(sha256).read_bytes() == content


def is_right(world: World, content: bytes) -> bool:
    path = world.service.store.path(digest(content))
    return path.exists() and path.read_bytes() == content
