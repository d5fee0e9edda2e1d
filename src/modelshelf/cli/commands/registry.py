"""Run a registry on this machine.

It keeps everything in one folder and listens on this machine only, unless --host says otherwise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.output import Output
from modelshelf.errors import Refused
from modelshelf.package.elements import LEVELS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: what to do, where the data lies, where to listen."""
    parser.add_argument("action", choices=("serve",))
    parser.add_argument("--data", type=Path, help="default: a folder of your user data")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8750, help="default: 8750; 0 for any free one")
    parser.add_argument("--url", help="the address that users see, behind a proxy")
    parser.add_argument(
        "--level", choices=LEVELS, default="minimal", help="documentation asked for"
    )
    parser.add_argument("--closed", action="store_true", help="nobody can make an account")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Serve until it is stopped."""
    try:
        from modelshelf.registry import server
        from modelshelf.registry.settings import Settings
    except ModuleNotFoundError as error:
        raise Refused(
            f"the registry needs {error.name}, which is not installed",
            hint="pip install 'modelshelf[registry]'",
        ) from None
    settings = Settings(
        data=arguments.data or _default_data(),
        public_url=arguments.url,
        level=arguments.level,
        signup=not arguments.closed,
    )

    def ready(url: str) -> None:
        output.result(
            {"url": url, "data": str(settings.data)},
            f"The registry is at {url}, its data in {settings.data}. Stop it with Ctrl-C.",
        )

    server.serve(settings, host=arguments.host, port=arguments.port, on_ready=ready)


def _default_data() -> Path:
    from platformdirs import user_data_path

    return user_data_path("modelshelf", appauthor=False) / "registry"
