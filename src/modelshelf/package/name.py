"""Names: `publisher/name`, what is reserved, and which names must not stand beside each other."""

from __future__ import annotations

import re

from modelshelf.errors import Invalid

PART = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
longest_part_characters = 64

RESERVED = frozenset(
    """about accounts admin api app assets auth aux blobs blog changes compare con config config-json contact cran
    datasets docs download downloads explore families favicon feed files guides handles healthz help hf home hub
    index legal lfs livez login logout me metrics mlflow models new npm nul oci openapi packages pages
    policies privacy prn publisher publishers pypi readyz registry releases robots search security
    segments sessions settings shelf signup simple spaces static status study support terms tf
    tfhub tokens torch users v1 v2 www""".split()  # noqa: SIM905 (a list to read, not to index)
)
"""Publishers nobody can own: first path segments of the registry and of its foreign dialects."""

_LOOKALIKE = str.maketrans({"1": "l", "i": "l", "0": "o", "-": None, "_": None, ".": None})


def parse(text: str) -> tuple[str, str]:
    """`"acme/digits"` → `("acme", "digits")`.

    Raises Invalid with what is wrong and, where it is plain, the name that was meant.
    """
    wrong = problem(text)
    if wrong:
        raise Invalid(wrong, expected="publisher/name", got=text[:80], hint=_suggestion(text))
    publisher, name = text.split("/")
    return publisher, name


def problem(text: str) -> str | None:
    """What is wrong with the name of a package, or None."""
    parts = text.split("/")
    if len(parts) != 2:
        return f"`{text[:80]}` is not a package name: it has the form publisher/name"
    return part_problem(parts[0], reserved=RESERVED) or part_problem(parts[1])


def part_problem(part: str, *, reserved: frozenset[str] = frozenset()) -> str | None:
    """What is wrong with one half of a name, or None."""
    if len(part) > longest_part_characters:
        return f"`{part[:20]}…` is longer than {longest_part_characters} characters"
    if not PART.fullmatch(part):
        return f"`{part}` may hold a-z and 0-9, with single hyphens between them"
    if part in reserved:
        return f"`{part}` is reserved for the registry itself"
    return None


def _suggestion(text: str) -> str | None:
    halves = [re.sub(r"[^a-z0-9]+", "-", half.lower()).strip("-") for half in text.split("/")[:2]]
    meant = "/".join(halves)
    return f"did you mean `{meant}`?" if problem(meant) is None else None


def folded(text: str) -> str:
    """The form in which names that look alike are equal: l/1/i, o/0, separators.

    Publisher and name are folded apart, so the slash stays.
    """
    return text.translate(_LOOKALIKE)


def images(text: str) -> dict[str, str]:
    """What the package is called in each foreign ecosystem: two packages must not share one.

    The images join publisher and name, so `a-b/c` and `a/b-c` collide in pip.
    """
    publisher, name = text.split("/")
    return {
        "pip": f"{publisher}-{name}",
        "npm": f"@{publisher}/{name}",
        "r": f"{publisher}.{name}".replace("-", "."),
        "mlflow": f"{publisher}.{name}",
    }
