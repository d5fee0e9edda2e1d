"""Models one after another: what one puts out goes into the next, and both types must fit.

`joined` makes one signature of several, `pipeline` follows the dependencies of kind `preprocess`
(their outputs go into this package) and `pipeline` (this one's outputs go into them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from modelshelf.errors import Problem
from modelshelf.package.entry import Entry, draft
from modelshelf.package.record import Dependency, Record
from modelshelf.package.signature import Signature, Tensor
from modelshelf.package.subtype import INVARIANTS
from modelshelf.package.unification import Sizes
from modelshelf.package.vocabularies import nearest

stage_count = 64
"""How many models one pipeline may have."""

most_problems = 20
"""How many wrong names of one `connect` are told."""

Find = Callable[[str, Dependency], Entry | None]
"""The release that answers a dependency, by its name; None where it is not known."""


class Feed(NamedTuple):
    """One side that gives: its name in messages, its signature, and `connect` as declared."""

    label: str
    signature: Signature
    connect: Mapping[str, str]


class Joint(NamedTuple):
    """Several signatures as one.

    `wired` is for each feed: input of the taker → output of the feed. `given` is for each feed,
    and last for the taker: input of the whole → their own input. `problems` are by the number of
    the feed; with any of them nothing runs.
    """

    signature: Signature
    wired: tuple[dict[str, str], ...]
    given: tuple[dict[str, str], ...]
    problems: tuple[tuple[int, str], ...] = ()


class Stage(NamedTuple):
    """One model of a pipeline: the signature of the package that is called.

    `wanted` is the dependency that asks for it, None for the package itself.
    """

    package: str
    called: str
    signature: Signature
    wanted: Dependency | None = None


class Chain(NamedTuple):
    """Nodes whose outputs go into the node `last`, as `joint` tells."""

    feeds: tuple[Node, ...]
    last: Node
    joint: Joint

    @property
    def signature(self) -> Signature:
        """The signature of the whole."""
        return self.joint.signature


Node = Stage | Chain


class Pipeline(NamedTuple):
    """What a call of each signature of a package runs; one that does not fit is not there."""

    nodes: dict[str, Node]
    problems: tuple[Problem, ...]


def stages(node: Node) -> Iterator[Stage]:
    """Every model of a pipeline, in the order in which they run."""
    if isinstance(node, Stage):
        yield node
        return
    for each in (*node.feeds, node.last):
        yield from stages(each)


def connected(
    upstream: Signature,
    downstream: Signature,
    wiring: Mapping[str, str],
    *,
    names: tuple[str, str],
) -> Joint:
    """What `upstream` puts out goes into `downstream`, as `wiring` (output → input) says.

    Without it equal names meet, or the only output and the only input. `names` are those of both
    in messages.
    """
    return joined([Feed(names[0], upstream, wiring)], Feed(names[1], downstream, {}))


def joined(feeds: Sequence[Feed], taker: Feed) -> Joint:
    """One signature: inputs of the feeds and those of the taker that stay open; its outputs.

    Symbols of different signatures are different sizes, whatever their names, until they meet.
    """
    sizes = Sizes([*(each.signature for each in feeds), taker.signature])
    problems: list[tuple[int, str]] = []
    wired: list[dict[str, str]] = []
    for number, feed in enumerate(feeds):
        pairs, wrong = _wiring(feed, taker, {name for each in wired for name in each})
        wired.append({name: output for output, name in pairs})
        sides = (number, len(feeds))
        wrong += [w for pair in pairs if (w := _misfit(sizes, sides, feed, taker, pair))]
        problems += [(number, why) for why in wrong]
    given, inputs = _opened(feeds, taker, {name for each in wired for name in each}, sizes)
    outputs = {n: sizes.tensor(len(feeds), t) for n, t in taker.signature.outputs.items()}
    whole = Signature(inputs, outputs, taker.signature.description, sizes.symbols())
    return Joint(whole, tuple(wired), given, tuple(problems))


def _wiring(feed: Feed, taker: Feed, taken: set[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of output and input, and what is wrong."""
    outputs, inputs = feed.signature.outputs, taker.signature.inputs
    pairs: dict[str, str] = {}  # input → output
    wrong: list[str] = []
    for output, name in (feed.connect or _meeting(outputs, inputs, taken)).items():
        if len(wrong) == most_problems:
            break
        if output not in outputs:
            wrong.append(f"{feed.label} has no output `{output}`: {_known(output, outputs)}")
        elif name not in inputs:
            wrong.append(f"{taker.label} has no input `{name}`: {_known(name, inputs)}")
        elif name in taken or name in pairs:
            wrong.append(f"{taker.label}.{name} is given twice, once by {feed.label}.{output}")
        else:
            pairs[name] = output
    if not pairs and not wrong:
        wrong.append(
            f"nothing that {feed.label} puts out ({_listed(outputs)}) is what "
            f"{taker.label} takes ({_listed(inputs)})"
        )
    return [(output, name) for name, output in pairs.items()], wrong


def _meeting(
    outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], taken: set[str]
) -> dict[str, str]:
    """Equal names, or the only output and the only input (that must be given)."""
    equal = {name: name for name in outputs if name in inputs}
    if equal:
        return equal
    needed = [name for name, each in inputs.items() if not each.optional and name not in taken]
    free = needed or list(inputs)
    return {next(iter(outputs)): free[0]} if len(outputs) == len(free) == 1 else {}


def _misfit(
    sizes: Sizes, sides: tuple[int, int], feed: Feed, taker: Feed, pair: tuple[str, str]
) -> str | None:
    """Why the output cannot be the input, with both sides; makes their sizes equal."""
    output, name = pair
    given, taken = feed.signature.outputs[output], taker.signature.inputs[name]
    why = _unlike(given, taken)
    if why is None and given.shape is not None and taken.shape is not None:
        if len(given.shape) != len(taken.shape):
            why = "the number of axes differs"
        else:
            pairs = zip(given.shape, taken.shape, strict=True)
            reasons = (sizes.unify(sides[0], mine, sides[1], theirs) for mine, theirs in pairs)
            why = next((reason for reason in reasons if reason), None)
    if why is None:
        return None
    return f"{feed.label}.{output} is {given}, but {taker.label}.{name} takes {taken}: {why}"


def _unlike(given: Tensor, taken: Tensor) -> str | None:
    """What both sides say of the values and do not agree on; nothing is cast."""
    if given.dtype != taken.dtype:
        return f"{given.dtype} is not cast to {taken.dtype}"
    if given.optional and not taken.optional:
        return "the output may be absent"
    for word, fields in {**INVARIANTS, "space": ("space",)}.items():
        had = [getattr(given, field) for field in fields]
        has = [getattr(taken, field) for field in fields]
        if any(had) and any(has) and had != has:
            return f"the {word} differs: {_said(had)} and {_said(has)}"
    return None


def _opened(
    feeds: Sequence[Feed], taker: Feed, wired: set[str], sizes: Sizes
) -> tuple[tuple[dict[str, str], ...], dict[str, Tensor]]:
    """The inputs of the whole, and which input of which side each one is."""
    given: list[dict[str, str]] = []
    inputs: dict[str, Tensor] = {}
    for side, each in enumerate((*feeds, taker)):
        own: dict[str, str] = {}
        for name, tensor in each.signature.inputs.items():
            if each is taker and name in wired:
                continue
            outer = _outer(name, each.label, inputs)
            inputs[outer], own[outer] = sizes.tensor(side, tensor), name
        given.append(own)
    return tuple(given), inputs


def _outer(name: str, label: str, taken: Mapping[str, Tensor]) -> str:
    """The name of an input of the whole: its own, or with its package's name before it."""
    if name not in taken:
        return name
    package = label.partition(".")[0].rpartition("/")[2].replace("-", "_")
    outer, number = f"{package}_{name}", 1
    while outer in taken:
        number += 1
        outer = f"{package}_{name}_{number}"
    return outer


def pipeline(root: Entry, find: Find) -> Pipeline:
    """What calling each signature of `root` runs, with the packages before and after it."""
    walk = _Walk(find)
    links = walk.links(root, (root.name,))
    broken = bool(walk.problems)
    if not root.signatures:
        walk.tell((root.name,), f"{root.name} {_UNTOLD}", warning=True)
    nodes: dict[str, Node] = {}
    unfit: list[tuple[str, str]] = []
    for name, signature in root.signatures.items():
        node, wrong = links.around(Stage(root.name, name, signature))
        unfit += wrong
        if not wrong:
            nodes[name] = node
    for name, message in dict.fromkeys(unfit):
        walk.tell((root.name, name), message, warning=bool(nodes))
    return Pipeline({} if broken else nodes, tuple(walk.problems))


def problems(release: Record | Entry, find: Find) -> list[Problem]:
    """Everything that keeps the pipeline of `release` from running, each naming both sides.

    What cannot be told, because a release is not known or has no signature, is a warning.
    """
    root = draft(release) if isinstance(release, Record) else release
    if not any(each.kind in KINDS for each in root.dependencies.values()):
        return []
    return list(pipeline(root, find).problems)


KINDS = ("preprocess", "pipeline")
_UNKNOWN = "is not known here: whether it fits cannot be told"
_UNTOLD = "has no signature: whether it fits cannot be told"
_HINT = "connect = { output = input } in the dependency says what becomes what"


class _Link(NamedTuple):
    """One dependency: its name, what it runs, and `connect` as declared."""

    name: str
    node: Node
    connect: Mapping[str, str]


class _Links(NamedTuple):
    """The dependencies that run before a package, and those that run after it."""

    before: list[_Link]
    after: list[_Link]

    def around(self, stage: Stage) -> tuple[Node, list[tuple[str, str]]]:
        """The stage with all that belongs to it; what does not fit, by dependency."""
        node, wrong = _chain(self.before, stage)
        for link in self.after:
            node, more = _chain([link._replace(node=node)], link.node)
            wrong += more
        return node, wrong


class _Walk:
    """Follows dependencies; `problems` holds what it could not follow."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._count = 0
        self.problems: list[Problem] = []

    def links(self, entry: Entry, path: tuple[str, ...]) -> _Links:
        """The nodes that `entry` depends on, each made once."""
        links = _Links([], [])
        for name, wanted in entry.dependencies.items():
            if wanted.kind in KINDS:
                node = self._node(name, wanted, (*path, name))
                if node is not None:
                    side = links.before if wanted.kind == "preprocess" else links.after
                    side.append(_Link(name, node, wanted.connect))
        if len(links.after) > 1:
            names = " and ".join(link.name for link in links.after)
            self.tell(path, f"what {path[-1]} puts out goes into one package, not into {names}")
        return links

    def _node(self, name: str, wanted: Dependency, path: tuple[str, ...]) -> Node | None:
        """The dependency with all that belongs to it; None where that cannot be told."""
        self._count += 1
        if name in path[:-1]:
            self.tell(path, f"the pipeline runs in a circle: {' -> '.join(path)}")
            return None
        if self._count > stage_count:
            if self._count == stage_count + 1:
                self.tell(path, f"the pipeline has more than {stage_count} models")
            return None
        entry = self._find(name, wanted)
        if entry is None or not entry.signatures:
            self.tell(path, f"{name} {_UNKNOWN if entry is None else _UNTOLD}", warning=True)
            return None
        called = wanted.signature or next(iter(entry.signatures))
        if called not in entry.signatures:
            known = _known(called, entry.signatures)
            self.tell(path, f"{name} has no signature `{called}`: {known}")
            return None
        node, wrong = self.links(entry, path).around(
            Stage(name, called, entry.signatures[called], wanted)
        )
        for _, message in wrong:
            self.tell(path, message)
        return None if wrong else node

    def tell(self, path: tuple[str, ...], message: str, *, warning: bool = False) -> None:
        """Note what is wrong with the dependency of the root that `path` goes through."""
        element = f"dependencies.{path[1]}" if len(path) > 1 else "dependencies"
        self.problems.append(
            Problem(message, element=element, hint=_HINT, rule="composition", warning=warning)
        )


def _chain(before: list[_Link], last: Node) -> tuple[Node, list[tuple[str, str]]]:
    if not before:
        return last, []
    feeds = [Feed(_label(link.node), link.node.signature, link.connect) for link in before]
    joint = joined(feeds, Feed(_label(last, first=True), last.signature, {}))
    node = Chain(tuple(link.node for link in before), last, joint)
    return node, [(before[number].name, message) for number, message in joint.problems]


def _label(node: Node, *, first: bool = False) -> str:
    """`acme/digits.classify`: whose outputs a node's are, or whose inputs it takes `first`."""
    found = list(stages(node))
    stage = found[0] if first else found[-1]
    return f"{stage.package}.{stage.called}"


def _known(name: str, names: Mapping[str, object]) -> str:
    return nearest(name, list(names)) or f"there is {', '.join(names) or 'none'}"


def _listed(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name}: {tensor}" for name, tensor in tensors.items())


def _said(values: list[object]) -> str:
    return ", ".join(str(value) for value in values if value) or "none"
