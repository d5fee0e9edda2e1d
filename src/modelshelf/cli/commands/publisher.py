"""Make a publisher, or say who may publish under its name."""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output
from modelshelf.errors import UsageError
from modelshelf.package.name import part_problem


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: what to do, the publisher, and the account that it concerns."""
    parser.add_argument("action", choices=("create", "show", "add", "remove"))
    parser.add_argument("publisher")
    parser.add_argument("account", nargs="?", help="for add and remove")
    parser.add_argument("--role", choices=("owner", "maintainer"), default="maintainer")
    parser.add_argument("--kind", choices=("person", "organization"), default="organization")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Ask the registry, then show the publisher as it is now."""
    for part in filter(None, (arguments.publisher, arguments.account)):
        if wrong := part_problem(part):
            raise UsageError(wrong)
    registry, _ = registry_of(arguments)
    path = f"/publishers/{arguments.publisher}"
    member = f"{path}/members/{arguments.account}"
    if arguments.action in ("add", "remove") and not arguments.account:
        raise UsageError(f"name the account to {arguments.action}")
    if arguments.action == "create":
        registry.ask("POST", "/publishers", {"name": arguments.publisher, "kind": arguments.kind})
    elif arguments.action == "add":
        registry.ask("PUT", member, {"role": arguments.role})
    elif arguments.action == "remove":
        registry.ask("DELETE", member)
    told = registry.ask("GET", path)
    members = told.get("members") or []
    assert isinstance(members, list)
    rows = [(str(each.get("account")), str(each.get("role"))) for each in members]
    output.result(told, f"{arguments.publisher}\n" + output.table(("account", "role"), rows))
