"""A draft read: its Markdown, what its code loads, whose repository that is."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.importers.articles.draft import Draft
from modelshelf.importers.page import markdown
from modelshelf.importers.page.architectures import without_owner
from modelshelf.importers.page.entrypoints import Examples, read
from modelshelf.importers.page.listed import folded
from modelshelf.importers.page.models import repository

_GITHUB = re.compile(r"(?:https?://)?(?:www\.)?github\.com/([\w.-]{1,100})/([\w.-]{1,100})")
_ACCOUNT_AND_NAME = re.compile(r"([\w.-]{1,100})/([\w.-]{1,100})")


class Reading(NamedTuple):
    """One page; `repository` is `account/name` as written, empty where the page names none."""

    draft: Draft
    page: markdown.Page
    examples: Examples
    repository: str

    @property
    def account(self) -> str:
        """Whose repository it is; without one, what the page's name begins with."""
        return (self.repository or self.draft.name.replace("_", "/")).partition("/")[0]

    @property
    def rest(self) -> str:
        """The page's name without the account that it begins with."""
        name = self.draft.name
        for separator in ("_", "-"):
            first, found, rest = name.partition(separator)
            if found and rest and folded(first) == folded(self.account):
                return rest
        return name

    def core(self, name: str) -> str:
        """The name of an entrypoint without the account that it begins with."""
        return without_owner(name, {self.account, self.draft.first("author")})


def reading(draft: Draft) -> Reading:
    """Read the Markdown and the code of a draft."""
    page = markdown.read(draft.body)
    examples = read(page)
    return Reading(draft, page, examples, repository(examples.calls) or _labelled(draft))


def source(reading: Reading) -> str | None:
    """The address of the repository that the page shows as its source, else of what it loads."""
    found = _GITHUB.match(reading.draft.first("github-link"))
    if found:
        return f"https://github.com/{found[1]}/{found[2].removesuffix('.git')}"
    return f"https://github.com/{reading.repository}" if reading.repository else None


def _labelled(draft: Draft) -> str:
    """The repository that the labels name."""
    link = _GITHUB.match(draft.first("github-link"))
    named = _ACCOUNT_AND_NAME.fullmatch(draft.first("github-id"))
    found = named or link
    return f"{found[1]}/{found[2].removesuffix('.git')}" if found else ""
