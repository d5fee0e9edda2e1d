"""A database for analyses, of DuckDB, that stays within bounds; its errors as people understand them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modelshelf.errors import FormatError, Refused, ShelfError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MIB = 1024


def connect(folder: Path, memory_mib: int = MEMORY_MIB) -> DuckDBPyConnection:
    """A database in memory, of so much; what needs more overflows into `folder`.

    It fetches no extensions from anywhere. Raises Refused where DuckDB is not installed.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise Refused(
            "the study needs DuckDB, which is not installed", hint="pip install 'modelshelf[study]'"
        ) from None
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mib}MiB",
        "temp_directory": str(folder / "overflow"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    return duckdb.connect(config=config)


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def parquet(parts: Iterable[str]) -> str:
    """What SELECT calls the rows of some files of Parquet, given by their addresses."""
    return f"read_parquet([{', '.join(map(quoted, parts))}])"


@contextmanager
def telling(
    failure: Callable[[], ShelfError | None] | None = None, *, free: bool = False
) -> Iterator[None]:
    """Turn what DuckDB raises of memory and of files into errors that people understand.

    `failure` tells what last hindered the reading of files, of which there are none without it.
    Columns that are not there are missing in the files, or in a `free` statement its own fault.
    """
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise Refused(
            "The study needs more memory than it may use",
            got=_first_line(error),
            hint="let it use more, or study fewer catalogues at once",
        ) from error
    except duckdb.Error as error:
        if failure and (known := failure()):
            raise known from error
        faults = (duckdb.ParserException, duckdb.CatalogException)
        if failure and not isinstance(error, (*faults, duckdb.BinderException) if free else faults):
            raise FormatError("Stored tables cannot be read", got=_first_line(error)) from error
        raise


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
