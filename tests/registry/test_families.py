"""Families of the registry: made by a job, listed, shown, filtered, compared."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import func, select, update

from modelshelf.package.catalogue import Described
from modelshelf.package.record import Metric
from modelshelf.registry import families, grouping, importing, jobs, tables
from modelshelf.registry.app import create_app, open_service
from modelshelf.registry.families import Family, FamilyMember
from modelshelf.registry.pages import members
from modelshelf.registry.pages.feature_diagram import Node, tree
from modelshelf.registry.pages.scatter import charts, ticks
from modelshelf.registry.service import Service
from modelshelf.registry.settings import Settings
from tests.registry import test_pages
from tests.registry.conftest import Client, Draft, Running
from tests.registry.hub import catalogue, described

SPARROW = "image-classification-sparrownet-v2-seeds"
HOSTILE = "<script>alert(1)</script>"


def sparrow(generation: int, width: str, resolution: int, accuracy: float) -> Described:
    """A page of a classifier that comes in widths and resolutions."""
    release = described(
        f"acme/sparrownet-v{generation}-{width}-{resolution}",
        algorithm=f"SparrowNet V{generation}",
        datasets=("Seeds (2012)",),
        summary=f"Birds by SparrowNet V{generation}",
        language=None,
    )
    metrics = (Metric("top-1-accuracy", accuracy, "seeds"),)
    (variant,) = release.record.variants
    told = msgspec.structs.replace(variant, metrics=metrics)
    record = msgspec.structs.replace(release.record, variants=(told,))
    return msgspec.structs.replace(release, record=record)


SPARROWS = catalogue(
    sparrow(1, "050", 128, 0.61),
    sparrow(1, "100", 128, 0.68),
    *(
        sparrow(2, width, resolution, accuracy)
        for width, resolution, accuracy in (
            ("050", 128, 0.63), ("050", 224, 0.66), ("100", 128, 0.70), ("100", 224, 0.74),
        )
    ),
    sparrow(3, "100", 224, 0.78),
    described("acme/lonely", task="text-embedding", algorithm="Wagtail", datasets=("crumbs",)),
)  # fmt: skip
ELSEWHERE = catalogue(
    described("lab/sparrow", algorithm="SparrowNet V2", datasets=("seeds",), language=None),
    hub="pytorchhub",
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A registry with two imported catalogues, its families made."""
    settings = Settings(
        data=tmp_path_factory.mktemp("families"), fsync=False, password_memory_kib=8
    )
    opened = open_service(settings)
    for each in (SPARROWS, ELSEWHERE):
        importing.bring(opened, each)
    grouping.group(opened)
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def reader(service: Service) -> test_pages.Client:
    app = create_app(service.settings)
    app.state.service = service
    return test_pages.Client(app)


@pytest.fixture(scope="module")
def family(service: Service) -> Family:
    with service.database.reading() as connection:
        return families.find(connection, SPARROW)


def everything(service: Service) -> list[tuple[object, ...]]:
    with service.database.reading() as connection:
        found = [
            tuple(row)
            for table in (tables.families, tables.family_members)
            for row in connection.execute(select(table))
        ]
    return sorted(found, key=str)


def test_a_family_is_told_whole(family: Family) -> None:
    assert (family.title, family.models, family.packages) == ("SparrowNet V2", 5, 5)
    assert (family.task, family.algorithm, family.dataset, family.language) == (
        "image-classification", "sparrownet v2", "seeds", None,
    )  # fmt: skip
    assert family.hubs == {"tfhub": 4, "pytorchhub": 1}
    told = {each.feature: {one.value: one.models for one in each.values} for each in family.varying}
    assert told["width"] == {0.5: 2, 1.0: 2, None: 1}
    assert told["resolution"] == {128: 2, 224: 2, None: 1}
    assert [each.why for each in family.members[:1]] == [
        "its architecture is labelled SparrowNet V2"
    ]


def test_generations_suggest_a_step(family: Family) -> None:
    assert [(each.number, each.models) for each in family.generations] == [(1, 2), (2, 5), (3, 1)]
    best = [each.best.value for each in family.generations if each.best]
    assert best == [0.68, 0.74, 0.78]
    assert family.newer == "image-classification-sparrownet-v3-seeds"


def test_what_other_catalogues_have_of_it(family: Family) -> None:
    assert {each.hub: each.models for each in family.similar} == {"tfhub": 4, "pytorchhub": 1}


def test_made_twice_they_are_the_same(service: Service) -> None:
    before = everything(service)
    grouping.group(service)
    assert everything(service) == before


@pytest.mark.parametrize(
    ("wanted", "least", "models"),
    [
        ({}, 1, [5, 2, 1, 1]),
        ({}, 2, [5, 2]),
        ({"task": "image-classification"}, 2, [5, 2]),
        ({"task": "text-embedding"}, 1, [1]),
        ({"task": "audio-embedding"}, 1, []),
        ({"algorithm": "sparrownet v1"}, 1, [2]),
        ({"dataset": "seeds"}, 1, [5, 2, 1]),
        ({"dataset": "seed"}, 1, []),
        ({"dataset": "%"}, 1, []),
        ({"language": "en"}, 1, [1]),
        ({"language": "e"}, 1, []),
        ({"package": "acme/lonely"}, 1, [1]),
        ({"package": "acme"}, 1, []),
    ],
)
def test_lists(service: Service, wanted: dict[str, str], least: int, models: list[int]) -> None:
    with service.database.reading() as connection:
        found = families.listed(connection, wanted, least=least)
        assert [each.models for each in found.families] == models
        assert found.total == len(models)


def test_the_api(reader: test_pages.Client) -> None:
    listed = msgspec.json.decode(reader.get("/api/v1/families?least=2&limit=1&offset=1").content)
    assert (listed["total"], [each["models"] for each in listed["families"]]) == (2, [2])
    told = msgspec.json.decode(reader.get(f"/api/v1/families/{SPARROW}").content)
    assert len(told["members"]) == told["models"] == 5
    package = msgspec.json.decode(reader.get("/api/v1/packages/acme/sparrownet-v2-050-128").content)
    assert package["families"] == [
        {"id": SPARROW, "title": "SparrowNet V2", "models": 5, "own": 1,
         "newer": "image-classification-sparrownet-v3-seeds", "newer_title": "SparrowNet V3"}
    ]  # fmt: skip
    assert reader.get("/api/v1/families/nothing").status_code == 404
    assert reader.get("/api/v1/families?limit=many").status_code == 400


def test_search_within_a_family(service: Service, reader: test_pages.Client) -> None:
    service.search.rebuild(())
    while service.jobs.run_due():
        pass
    found = msgspec.json.decode(reader.get(f"/api/v1/search?family={SPARROW}").content)
    assert found["total"] == 5
    both = reader.get(f"/api/v1/search?q=050&family={SPARROW}&family=none").content
    assert msgspec.json.decode(both)["total"] == 2
    text = reader.get("/search?q=sparrownet").text
    assert "Families among these" in text
    assert f'href="/families/{SPARROW}"' in text


PATHS = (
    "/families", "/families?task=image-classification", "/families?task=none&offset=9&alone=yes",
    "/families?offset=x", f"/families/{SPARROW}", "/families/none",
    f"/families/{SPARROW}?sort=feature.width&order=falling&is=width:0.5&is=nothing&offset=0",
    f"/families/{SPARROW}?sort=%3Cscript%3E&is=%3Cscript%3E:x&offset=99",
    "/families/image-classification-wagtail-crumbs-en",
    "/acme/sparrownet-v2-050-128", "/compare", "/compare?with=acme/lonely",
    "/compare?with=acme/sparrownet-v1-050-128&with=lab/sparrow@1.0.0:default&only=differences",
    "/compare?with=acme/sparrownet-v1-050-128&with=lab/sparrow&with=acme/none&with=x&with=y/z:w",
    "/compare?with=a&with=b&with=c&with=d&with=e&with=f&with=%3Cscript%3E", "/search?family=none",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_whole_and_harmless(reader: test_pages.Client, path: str) -> None:
    test_pages.test_every_page_is_whole_and_harmless(reader, path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/families", "SparrowNet V2"),
        (f"/families/{SPARROW}", "There is a newer generation."),
        (f"/families/{SPARROW}", 'name="with" value="acme/sparrownet-v2-050-128"'),
        (f"/families/{SPARROW}", "top-1-accuracy (seeds) against resolution"),
        (f"/families/{SPARROW}", "The same in other catalogues"),
        (f"/families/{SPARROW}", "PyTorch Hub"),
        (f"/families/{SPARROW}?sort=metric.0", 'aria-sort="ascending"'),
        (f"/families/{SPARROW}?is=width:0.5", "2 models of 5"),
        ("/acme/sparrownet-v2-050-128", "A newer generation."),
        ("/acme/sparrownet-v2-050-128", "4 more models like it"),
        ("/compare?with=acme/sparrownet-v2-100-224&with=acme/sparrownet-v1-050-128", "0.74"),
        ("/compare?with=acme/none&with=acme/lonely", "There is no such package"),
        ("/compare?with=acme/lonely", "Choose one more model"),
    ],
)
def test_pages_say(reader: test_pages.Client, path: str, said: str) -> None:
    assert said in reader.get(path).text


@pytest.mark.parametrize(
    ("sort", "falling", "first"),
    [
        ("", False, "acme/sparrownet-v2-050-128"),
        ("model", True, "lab/sparrow"),
        ("metric.0", False, "acme/sparrownet-v2-050-128"),
        ("metric.0", True, "acme/sparrownet-v2-100-224"),
        ("feature.resolution", True, "acme/sparrownet-v2-050-224"),
        ("hub", False, "lab/sparrow"),
        ("nothing", False, "acme/sparrownet-v2-050-128"),
    ],
)
def test_members_in_order(family: Family, sort: str, falling: bool, first: str) -> None:
    shown = members.table(family, members.Asked(sort, falling))
    assert shown.rows[0].member.package == first
    if sort.startswith(("metric", "feature")):
        assert shown.rows[-1].member.package == "lab/sparrow"  # nothing is known of it


def test_a_table_in_parts(family: Family) -> None:
    many = tuple(
        msgspec.structs.replace(family.members[0], package=f"acme/p{number:03}")
        for number in range(120)
    )
    large = msgspec.structs.replace(family, members=many)
    shown = members.table(large, members.asked(None, None, (), "50"))
    assert (len(shown.rows), shown.rows[0].member.package) == (50, "acme/p050")
    assert shown.previous == f"/families/{SPARROW}#members"
    assert shown.next == f"/families/{SPARROW}?offset=100#members"


def test_quality_is_drawn_against_what_is_known(family: Family) -> None:
    drawn = charts(family)
    assert [(each.x, each.series) for each in drawn] == [
        ("resolution", "width"), ("width", "resolution"),
    ]  # fmt: skip
    assert [(point.x, point.y) for point, _ in drawn[0].rows] == [
        (128, 0.63), (128, 0.70), (224, 0.66), (224, 0.74),
    ]  # fmt: skip
    sized = [
        msgspec.structs.replace(each, size=10 ** (number + 3), macs=number + 1)
        for number, each in enumerate(family.members)
    ]
    more = charts(msgspec.structs.replace(family, members=tuple(sized)))
    assert [each.x for each in more] == ["Multiply-accumulates of one call", "Size", "resolution"]


def test_what_cannot_be_drawn_is_left_out(family: Family) -> None:
    assert charts(msgspec.structs.replace(family, members=())) == ()


def test_the_diagram_tells_what_must_be_and_what_may(family: Family) -> None:
    parts = {each.name: each for each in tree(family).parts}
    assert [*parts] == ["Task", "Algorithm", "Dataset", "Package format", "Configuration"]
    assert parts["Task"].parts == (Node("image-classification"),)
    assert [each.name for each in parts["Configuration"].parts] == ["resolution", "width"]
    assert not parts["Configuration"].mandatory


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.61, 0.79, [0.65, 0.7, 0.75]), (3, 3, [3])],
)
def test_ticks(low: float, high: float, expected: list[float]) -> None:
    assert [round(each, 6) for each in ticks(low, high)] == expected


def test_hostile_words_stay_words() -> None:
    one = FamilyMember(
        "a/b", "1.0.0", HOSTILE, {HOSTILE: HOSTILE, "x:y": "\ud7ff'\""}, HOSTILE, HOSTILE,
        metrics=(Metric(HOSTILE, 1e300, HOSTILE), Metric("m", float(2), None)),
    )  # fmt: skip
    other = msgspec.structs.replace(one, variant="b", features={HOSTILE: 1}, metrics=one.metrics)
    found = Family(
        "x", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, True, 2, 1,
        hubs={HOSTILE: 2}, varying=families.varying((one, other)), members=(one, other),
    )  # fmt: skip
    from modelshelf.registry.pages.feature_diagram import diagram

    assert "<script" not in diagram(found)
    assert members.table(found, members.asked(HOSTILE, HOSTILE, [HOSTILE], HOSTILE)).total == 2


def test_withdrawn_ones_are_no_members(settings: Settings) -> None:
    opened = open_service(settings)
    importing.bring(opened, SPARROWS)
    of, package = tables.releases.c, tables.packages.c
    with opened.database.writing() as connection:
        name = "sparrownet-v2-050-128"
        connection.execute(update(tables.releases).where(of.name == name).values(yanked="no"))
        name = "sparrownet-v2-050-224"
        put_aside = update(tables.packages).where(package.name == name)
        connection.execute(put_aside.values(status="quarantined"))
    grouping.group(opened)
    with opened.database.reading() as connection:
        assert families.find(connection, SPARROW).models == 2
    opened.database.close()


def waiting(registry: Running) -> int:
    columns = tables.jobs.c
    with registry.service.database.reading() as connection:
        query = select(func.count()).where(columns.kind == families.JOB)
        return int(connection.execute(query).scalar_one())


def test_many_publishes_ask_once(
    registry: Running, acme: Client, draft: type[Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "DELAY_SECONDS", 3600.0)
    for number in range(3):
        assert draft(version=f"1.{number}.0").publish(acme).status == 201
    assert waiting(registry) == 1


def test_a_declared_family_wins(registry: Running, acme: Client, draft: type[Draft]) -> None:
    for name, algorithm in (("acme/digits", "Finch"), ("acme/letters", "Wren")):
        said: dict[str, object] = {"family": "songbirds", "algorithm": algorithm}
        assert draft(name=name, package=said).publish(acme).status == 201
    grouping.group(registry.service)
    (family,) = acme("GET", "/api/v1/families").json["families"]
    assert (family["title"], family["declared"], family["models"]) == ("songbirds", True, 2)
    assert (family["task"], family["algorithm"]) == ("image-classification", None)
    told = acme("GET", f"/api/v1/families/{family['id']}").json
    assert told["members"][0]["size"] > 0


def test_families_by_older_rules_are_made_anew(settings: Settings) -> None:
    opened = open_service(settings)
    importing.bring(opened, SPARROWS)
    grouping.group(opened)
    with opened.database.writing() as connection:
        grouping.ask_where_lacking(connection)
        assert connection.execute(select(tables.jobs).filter_by(kind=families.JOB)).first() is None
        connection.execute(update(tables.families).values(rules=0))
        grouping.ask_where_lacking(connection)
        job = connection.execute(select(tables.jobs).filter_by(kind=families.JOB)).one()
        jobs.finish(connection, job.id)
    opened.database.close()
