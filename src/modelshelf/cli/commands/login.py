"""Log in to a registry: the token is kept for later commands.

The password is asked for on a terminal, or read from standard input with --password-stdin.
"""

from __future__ import annotations

import argparse
import getpass
import sys

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output
from modelshelf.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: who, and how the secret is given."""
    parser.add_argument("account", nargs="?", help="name of the account")
    parser.add_argument("--create", action="store_true", help="make the account first")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password-stdin", action="store_true", help="read the password")
    secret.add_argument("--token-stdin", action="store_true", help="read a token instead")
    parser.add_argument("--expires", type=int, default=90, metavar="DAYS", help="default: 90")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Get a token (or take the one given), see whom it belongs to, keep it."""
    from modelshelf.client import login

    registry, settings = registry_of(arguments)
    if arguments.token_stdin:
        account = login.with_token(settings, sys.stdin.readline().strip())
    else:
        if not arguments.account:
            raise UsageError("name the account", expected="shelf login ACCOUNT")
        password = (
            sys.stdin.readline().rstrip("\r\n")
            if arguments.password_stdin
            else getpass.getpass(f"Password of {arguments.account}: ")
        )
        if arguments.create:
            login.create(registry, arguments.account, password)
        account = login.with_password(
            settings, registry, arguments.account, password, arguments.expires
        )
    output.result(
        {"account": account, "registry": registry.url},
        f"Logged in to {registry.url} as {account}.",
    )
