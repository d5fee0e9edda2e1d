"""Models that run one after another, as one model: the composed signature, called once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from modelshelf.errors import FormatError, UsageError
from modelshelf.package.composition import Chain, Node, Stage, stages
from modelshelf.serve.call import checked_inputs
from modelshelf.serve.protocol import Arrays, Model, Opened, Source

Find = Callable[[Stage], Model]
"""The opened model of a stage."""


class PipelineModel(Model):
    """A package with those before and after it; `native` is by the names of the packages."""

    def __init__(self, source: Source, nodes: Mapping[str, Node], find: Find) -> None:
        whole = {name: node.signature for name, node in nodes.items()}
        entry = msgspec.structs.replace(source.entry, signatures=whole)
        models = {each.package: find(each) for node in nodes.values() for each in stages(node)}
        native = {name: model.native for name, model in models.items()}
        super().__init__(source._replace(entry=entry), Opened(_no_call, native, {}))
        self.stages = tuple(models.values())
        self._nodes, self._find = nodes, find

    def run(self, inputs: Mapping[str, object], signature: str | None = None) -> Arrays:
        """Run every stage; raises UsageError that names the stage, where sizes do not meet."""
        arrays = checked_inputs(self.signatures, signature, inputs, self.name)
        return _run(self._nodes[signature or next(iter(self._nodes))], arrays, self._find)

    def labels(self, output: str) -> tuple[str, ...]:
        """The labels of the package that puts the output out: the last one."""
        last = [list(stages(node))[-1] for node in self._nodes.values()]
        return next((found for each in last if (found := self._find(each).labels(output))), ())


def _no_call(_arrays: Arrays) -> Arrays:
    raise AssertionError("a pipeline is run stage by stage")


def _run(node: Node, arrays: Arrays, find: Find) -> Arrays:
    if isinstance(node, Stage):
        return _stage(node, arrays, find)
    taken = _given(arrays, node.joint.given[-1])
    sides = zip(node.feeds, node.joint.wired, node.joint.given, strict=False)
    for feed, wired, given in sides:
        put_out = _run(feed, _given(arrays, given), find)
        taken |= _wired(node, put_out, wired)
    return _run(node.last, taken, find)


def _given(arrays: Arrays, names: Mapping[str, str]) -> Arrays:
    """The inputs of one side, by its own names."""
    return {own: arrays[outer] for outer, own in names.items() if outer in arrays}


def _wired(node: Chain, put_out: Arrays, wired: Mapping[str, str]) -> Arrays:
    inputs = node.last.signature.inputs
    for name, output in wired.items():
        if output not in put_out and not inputs[name].optional:
            raise FormatError(
                f"a model of the pipeline did not put out `{output}`",
                expected=f"{output} for the input `{name}`",
                got=", ".join(put_out),
                hint="its signature names outputs that it does not have",
            )
    return {name: put_out[output] for name, output in wired.items() if output in put_out}


def _stage(stage: Stage, arrays: Arrays, find: Find) -> Arrays:
    try:
        return find(stage).run(arrays, stage.called)
    except UsageError as error:
        raise UsageError(
            f"{stage.package}: {error.message}",
            where=error.where,
            expected=error.expected,
            got=error.got,
            hint=error.hint,
        ) from error
