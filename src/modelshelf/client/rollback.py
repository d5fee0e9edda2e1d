"""Going back: a former lock comes into force, and what it answers is wanted again."""

from __future__ import annotations

from modelshelf.client.generations import Generation
from modelshelf.client.install import Plan, Stock, changes, keep
from modelshelf.client.shelf import Shelf
from modelshelf.errors import Refused
from modelshelf.package import lock as locks
from modelshelf.package.edit import drop_dependency, set_dependency
from modelshelf.package.lock import Lock


def back(
    shelf: Shelf, before: Lock, to: Generation, stock: Stock, environment: str | None = None
) -> tuple[Plan, str]:
    """The plan that puts the lock of `to` in force, and the text of what is wanted that goes with it.

    Only dependencies are put back; `environment` is this machine, else what it was. Raises Refused where the environments are others now.
    """
    lock = locks.loads(to.lock)
    text = shelf.text()
    project = shelf.parse(text)
    if lock.environments != project.environments:
        raise Refused(
            f"generation {to.number} was made for other environments",
            where=shelf.file.name,
            expected=", ".join(lock.names),
            got=", ".join(project.places),
            hint="put the tables [environments.NAME] back first",
        )
    for name in project.dependencies:
        if name not in lock.requirements:
            text = drop_dependency(text, name, above=shelf.above)
    for name, wanted in lock.requirements.items():
        if project.dependencies.get(name) != wanted:
            text = set_dependency(text, name, wanted, above=shelf.above)
    here = shelf.environment(lock.names, environment or to.environment)
    plan = keep(lock, here, stock, text=to.lock)
    return plan._replace(changes=changes(before, plan)), text
