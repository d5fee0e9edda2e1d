"""Random projects: packages, environments and a lock, on the shelves of releases of the solver's tests."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from modelshelf.client.sources import Offer
from modelshelf.errors import NotFound
from modelshelf.package.entry import Entry, File, Scan, Status
from modelshelf.package.environment import Environment
from modelshelf.package.lock import Lock, locked
from modelshelf.package.manifest import Project, Resolution
from modelshelf.package.record import Artifact, Dependency, DependencyKind, Requires, Variant
from modelshelf.package.signature import Signature, Tensor
from tests.solver.releases import MISSING, Case, Need, Release, random_case

REGISTRY = "https://models.example"
NOW = datetime(2026, 1, 31, tzinfo=UTC)
FORMATS = ("onnx", "pytorch", "safetensors")
CONTEXTS = ("python", "edge")
WHERE = ("width<=0.5", "width>=1", "format=onnx", "bytes<=10", "width<=0.5, bytes<=10")
FILES = tuple(
    File(f"{variant}.{name}", size, f"{number:064x}", "", "")
    for number, (variant, name, size) in enumerate(
        (variant, name, size) for variant, size in (("small", 5), ("large", 50)) for name in FORMATS
    )
)
SAME = Tensor("float32", (1,))
PASSED_ON = {"run": Signature({"x": SAME}, {"x": SAME})}


class Instance(NamedTuple):
    """What one call of `resolve` is given."""

    project: Project
    shelf: Mapping[str, tuple[Entry, ...]]
    lock: Lock
    fresh: tuple[str, ...]

    def offer(self, name: str, _registry: str | None = None) -> Offer:
        """The releases of a package, as a registry tells them."""
        if name not in self.shelf:
            raise NotFound(f"there is no package {name}")
        return Offer(REGISTRY, self.shelf[name])


def random_instance(chance: random.Random) -> Instance:
    case = softened(chance, random_case(chance))
    plain = chance.random() < 0.5  # without facts and most pins, so that many come together
    shelf = {
        name: tuple(entry(chance, name, n, each, plain=plain) for n, each in enumerate(releases))
        for name, releases in case.main.shelf.items()
    }
    wants = {name: want(chance, need, plain=plain) for name, need in case.main.wanted.items()}
    for name, need in case.isolated.items():
        found = want(chance, need, plain=plain)
        wants[name] = msgspec.structs.replace(found, isolated=True)
    if chance.random() < 0.03:
        wants[MISSING] = Dependency("*")
    names = chance.choice(((), (), ("phone",), ("phone", "server")))
    environments = {name: Environment() if plain else place(chance) for name in names}
    project = Project(
        wants, environments=environments, resolution=Resolution() if plain else resolution(chance)
    )
    fresh = tuple(name for name in shelf if chance.random() < 0.1)
    return Instance(project, shelf, lock(chance, project, shelf), fresh)


def softened(chance: random.Random, case: Case) -> Case:
    """The same with some ranges wide open, so that more of them have an answer."""
    rate = chance.choice((0.2, 0.7, 0.9))

    def soft(needs: Mapping[str, Need]) -> dict[str, Need]:
        return {
            name: need._replace(text=">=0.1.0") if chance.random() < rate else need
            for name, need in needs.items()
            if name != MISSING or chance.random() > rate
        }

    shelf = {
        name: [each._replace(needs=soft(each.needs)) for each in releases]
        for name, releases in case.main.shelf.items()
    }
    main = case.main._replace(shelf=shelf, wanted=soft(case.main.wanted))
    return Case(main, soft(case.isolated))


def entry(chance: random.Random, name: str, number: int, release: Release, *, plain: bool) -> Entry:
    """The release with everything else that may keep it from being chosen."""
    rare = 0.0 if plain else 0.05
    status: Status = chance.choice(("quarantined", "deprecated", "archived"))
    scan = chance.choice((Scan("blocked", 1), Scan("blocked", 1, "looked at"), Scan("note", 1)))
    return Entry(
        name=name,
        version=release.version,
        commit="c" * 40,
        number=number,
        manifest=hashlib.sha256(f"{name} {release.version}".encode()).hexdigest(),
        published=published(chance),
        files=FILES,
        variants=variants(chance, plain=plain),
        dependencies={
            on: asked(chance, need, plain=plain) for on, need in sorted(release.needs.items())
        },
        requires=requires(chance, 0.5 if plain else 0.15, plain=plain),
        signatures=PASSED_ON,
        yanked="wrong labels" if release.yanked else None,
        status=status if chance.random() < rare * 2 else "active",
        scan=scan if chance.random() < rare * 2 else None,
    )


def published(chance: random.Random) -> str:
    """Some time in January."""
    found = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=12 * chance.randrange(60))
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def resolution(chance: random.Random) -> Resolution:
    day = f"2026-01-{chance.randint(15, 31):02d}"
    age = chance.choice(("3 days", "1 day", "12 hours", "240 hours"))
    return Resolution(
        chance.choice(
            (None, None, None, None, day, f"{day}T12:00:00+00:00", f"{day}T12:00:00+12:00")
        ),
        chance.choice((None, None, None, None, age)),
    )


def variants(chance: random.Random, *, plain: bool) -> tuple[Variant, ...]:
    names = ["small", "large"][: chance.randint(1, 2)]
    default = chance.choice((None, names[-1]))
    return tuple(
        Variant(
            name,
            tuple(
                Artifact(format_name, (f"{name}.{format_name}",), contexts(chance, plain=plain))
                for format_name in chance.sample(FORMATS, chance.randint(1, 3))
            ),
            default=name == default,
            features={"width": {"small": 0.5, "large": 1.0}[name]},
        )
        for name in chance.sample(names, len(names))
    )


def contexts(chance: random.Random, *, plain: bool) -> tuple[str, ...]:
    return (
        CONTEXTS if plain else chance.choice((CONTEXTS, CONTEXTS, CONTEXTS, ("python",), ("edge",)))
    )


def requires(chance: random.Random, rate: float, *, plain: bool) -> Requires:
    """Needs that contradict pairwise more often than not."""

    def some(*words: str) -> str | None:
        return chance.choice(words) if chance.random() < rate else None

    numpy = some("numpy<2", "numpy>=2", "numpy>=3", "numpy<3")
    frameworks = {
        "torch": some("<2", ">=2", ">=3"),
        "onnxruntime": some("<2", ">=2", ">=3"),
        "jax": some("<2", ">=2"),
    }
    return Requires(
        (numpy,) if numpy else (),
        some("<3.10", ">=3.10"),
        {name: wanted for name, wanted in frameworks.items() if wanted},
        ("cuda",) if not plain and chance.random() < 0.1 else (),
    )


def pins(chance: random.Random) -> dict[str, object]:
    """What may be asked for beside a range."""
    return {
        "variants": chance.choice(((), (), (), ("small",), ("large",), ("small", "large"), ("*",))),
        "format": chance.choice((None, None, *FORMATS)),
        "context": chance.choice((None, None, None, *CONTEXTS)),
        "where": chance.choice((None, None, None, *WHERE)),
    }


def want(chance: random.Random, need: Need, *, plain: bool) -> Dependency:
    own = pins(chance) if not plain and chance.random() < 0.3 else {}
    return Dependency(need.text, **own)  # type: ignore[arg-type]


def asked(chance: random.Random, need: Need, *, plain: bool) -> Dependency:
    """What one release asks of another package."""
    kind: DependencyKind = "base" if need.optional else chance.choice(("runtime", "preprocess"))
    own = pins(chance) if not plain and chance.random() < 0.25 else {}
    if plain and chance.random() < 0.5:
        own = {"format": chance.choice(FORMATS)}
    return Dependency(need.text, kind, **own)  # type: ignore[arg-type]


def place(chance: random.Random) -> Environment:
    """Facts of a machine, most of them left out."""
    torch = chance.choice((None, None, "1.13.0", "2.4"))
    return Environment(
        chance.choice((None, None, "3.9", "3.11")),
        {"torch": torch} if torch else {},
        chance.choice((None, None, (), ("cuda",))),
        chance.choice(((), (), ("python",), ("edge", "python"))),
        chance.choice(((), (), ("safetensors", "onnx", "pytorch"), ("onnx", "pytorch"))),
    )


def lock(chance: random.Random, project: Project, shelf: Mapping[str, tuple[Entry, ...]]) -> Lock:
    """Some releases, in some environments, shared or apart; also of packages that nobody wants."""
    if chance.random() < 0.3:
        return Lock()
    environments = project.environments if chance.random() < 0.9 else {"server": Environment()}
    requirements = project.dependencies if chance.random() < 0.9 else {}
    apart = ["", *(name for name, need in project.dependencies.items() if need.isolated)]
    names = tuple(environments or ("default",))
    packages = []
    for isolated in apart:
        for entries in shelf.values():
            for environment in names:
                if chance.random() < 0.5:
                    each = chance.choice(entries)
                    first = each.variants[0]
                    key = first.name, first.artifacts[0].format, None
                    packages.append(locked(each, REGISTRY, {key: (environment,)}, isolated))
    return Lock(requirements, environments, tuple(packages))
