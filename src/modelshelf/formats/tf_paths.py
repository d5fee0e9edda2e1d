"""Where the paths come from that a graph's savers and tables open: followed back to their source.

A SavedModel's own saver takes the path that TensorFlow hands it, and its tables are filled from
its own assets; any other path was chosen by the publisher, or by whoever calls the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from modelshelf.formats.protobuf import Field, Wire
from modelshelf.formats.tf_graph import (
    CONSTANTS,
    MAIN,
    PLACEHOLDERS,
    Graph,
    Node,
    Use,
    attribute,
    constant_text,
    function_arguments,
    function_nodes,
    node_of,
)
from modelshelf.formats.tf_objects import Objects

STEP_COUNT = 20_000
"""Steps taken back from all paths together; what is further away is not followed."""

DEFAULT_PREFIX = "model"
"""The path that TensorFlow 1's saver has as long as it is given none."""
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_VARIABLE_USES = {"ReadVariableOp", "AssignVariableOp", "VarIsInitializedOp"}
# which inputs of an operator a path passes through, in a saver
_PASSED = {"ShardedFilename": slice(0, 1), "Pack": slice(None), "Select": slice(1, 3),
           "SelectV2": slice(1, 3), "PlaceholderWithDefault": slice(0, 1)}  # fmt: skip

Place = tuple[str, str]
"""A scope, and an output of a node or an argument there."""


@dataclass
class Paths:
    """Follows paths through one graph. `savers` and `assets` are nodes whose value TensorFlow sets."""

    wire: Wire
    graph: Graph
    objects: Objects
    savers: frozenset[str]
    assets: frozenset[str]
    _left: int = STEP_COUNT
    _scopes: dict[str, dict[str, Field]] = field(default_factory=dict)
    _argument_names: dict[str, list[str]] = field(default_factory=dict)
    _handles: dict[str, list[Node]] | None = None

    def from_saver(self, use: Use, number: int) -> bool:
        """Whether input `number` of a saver's node is the path that TensorFlow hands to it."""
        return self._all(use, number, self._saver_step)

    def from_assets(self, use: Use, number: int) -> bool:
        """Whether input `number` of a table's node is a file of the model's assets."""
        return self._all(use, number, self._asset_step)

    def _all(
        self, use: Use, number: int, step: Callable[[Place, Node], list[Place] | None]
    ) -> bool:
        """Follow every way back; all must end well."""
        inputs = _data(use.node)
        if number >= len(inputs):
            return False
        pending: list[Place] = [(use.scope, inputs[number])]
        seen = set(pending)
        while pending:
            self._left -= 1
            before = self._before(pending.pop(), step)
            if before is None or self._left < 0:
                return False
            fresh = [place for place in before if place not in seen]
            seen.update(fresh)
            pending += fresh
        return True

    def _before(
        self, place: Place, step: Callable[[Place, Node], list[Place] | None]
    ) -> list[Place] | None:
        """Where the value at `place` comes from: nothing before a good end, None at a bad one."""
        scope, output = place
        name = output.partition(":")[0]
        if scope != MAIN and name in (arguments := self._arguments(scope)):
            bound = step == self._asset_step
            return self._callers(scope, arguments.index(name), len(arguments), bound=bound)
        node = self._node(scope, name)
        if node is None:
            return None
        if node.op == "Identity":
            return [(scope, _data(node)[0])] if _data(node) else None
        return step(place, node)

    def _saver_step(self, place: Place, node: Node) -> list[Place] | None:
        scope = place[0]
        inputs = _data(node)
        if scope == MAIN and node.name in self.savers:
            return [] if self._is_open(node) else None
        if node.op == "StringJoin" and inputs:
            return [(scope, inputs[0])] if self._are_plain(scope, inputs[1:]) else None
        if node.op in _PASSED and inputs:
            return [(scope, each) for each in inputs[_PASSED[node.op]]]
        return None

    def _asset_step(self, place: Place, node: Node) -> list[Place] | None:
        scope = place[0]
        if scope == MAIN and node.name in self.assets:
            return [] if node.op in CONSTANTS | PLACEHOLDERS else None
        if scope == MAIN and node.op == "ReadVariableOp" and _data(node):
            return self._assigned(_data(node)[0].partition(":")[0])
        return None

    def _assigned(self, variable: str) -> list[Place] | None:
        """What is stored in a variable of the graph; None if anything else can get at it."""
        readers = self._users(variable)
        if any(node.op not in _VARIABLE_USES for node in readers):
            return None
        assigning = [_data(node) for node in readers if node.op == "AssignVariableOp"]
        if not assigning or any(len(inputs) != 2 for inputs in assigning):
            return None
        return [(MAIN, inputs[1]) for inputs in assigning]

    def _is_open(self, node: Node) -> bool:
        """A saver's path that has no value of its own, or TensorFlow's."""
        if node.op in {"Placeholder", "PlaceholderV2"}:
            return True
        if node.op == "PlaceholderWithDefault" and _data(node):
            inner = self._node(MAIN, _data(node)[0].partition(":")[0])
            return inner is not None and self._is_open(inner)
        return node.op in CONSTANTS and constant_text(self.wire, node) == DEFAULT_PREFIX

    def _are_plain(self, scope: str, outputs: tuple[str, ...]) -> bool:
        """Whether the outputs are constant texts that lead to no folder above."""
        pending = list(outputs)
        while pending:
            self._left -= 1
            node = self._node(scope, pending.pop().partition(":")[0])
            if node is None or self._left < 0:
                return False
            if node.op in {"Identity", "Select", "SelectV2"}:
                pending += _data(node)[0 if node.op == "Identity" else 1 :]
            elif node.op not in CONSTANTS or ".." in (constant_text(self.wire, node) or ".."):
                return False
        return True

    def _callers(
        self, function: str, number: int, count: int, *, bound: bool
    ) -> list[Place] | None:
        """What every caller hands over as argument `number` of `count`."""
        found: list[Place] = []
        for scope, node in self.graph.calls.get(function, []):
            inputs = _data(node)
            if (node.op not in _CALLS and node.op != function) or len(inputs) != count:
                return None
            if node.op in _CALLS and not self._is_callee(node, function):
                return None
            found.append((scope, inputs[number]))
        if function in self.objects.bound:
            captured = self._captured(function, number - count)
            if not bound or captured is None:
                return None
            found += captured
            return found
        return found or None

    def _is_callee(self, node: Node, function: str) -> bool:
        """Whether the node calls the function itself, and does not name it in passing."""
        for part in attribute(self.wire, node, "f"):
            names = [each for each in self.wire.inside(part) if each.number == 1]
            if part.number == 10 and names and self.wire.text(names[-1]) == function:
                return True
        return False

    def _captured(self, function: str, number: int) -> list[Place] | None:
        """What stands at `number`, counted from the end, of the objects that a function captured."""
        captured = self.objects.bound[function]
        if -number > len(captured):
            return None
        place = captured[number]
        kind = self.objects.kinds[place] if 0 <= place < len(self.objects.kinds) else ""
        if kind == "asset":
            return []
        return [(MAIN, kind.removeprefix("constant "))] if kind.startswith("constant ") else None

    def _arguments(self, function: str) -> list[str]:
        if function not in self._argument_names:
            messages = self.graph.functions.get(function, [])
            self._argument_names[function] = function_arguments(self.wire, messages)
        return self._argument_names[function]

    def _node(self, scope: str, name: str) -> Node | None:
        """The node of that name in the scope."""
        message = self._messages(scope).get(name)
        return None if message is None else node_of(self.wire, message)

    def _messages(self, scope: str) -> dict[str, Field]:
        """Where the nodes of the scope lie, by name."""
        if scope == MAIN:
            return self.graph.nodes
        if scope not in self._scopes:
            self._scopes[scope] = function_nodes(self.wire, self.graph.functions.get(scope, []))
        return self._scopes[scope]

    def _users(self, variable: str) -> list[Node]:
        """The nodes of the graph that take the handle of a variable."""
        if self._handles is None:
            nodes = [node_of(self.wire, message) for message in self.graph.nodes.values()]
            self._handles = {node.name: [] for node in nodes if node.op == "VarHandleOp"}
            for node in nodes:
                for name in {each.partition(":")[0] for each in _data(node)}:
                    if name in self._handles:
                        self._handles[name].append(node._replace(attributes=()))
        return self._handles.get(variable, [])


def _data(node: Node) -> tuple[str, ...]:
    """The node's inputs without those that only order it."""
    return tuple(each for each in node.inputs if not each.startswith("^"))
