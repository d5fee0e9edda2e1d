"""A publisher's Markdown as HTML that is safe to put into a page, whatever the publisher wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MAX_CHARACTERS = 65_536
"""What is rendered of a text; the parser takes below a second for the worst text this long."""

_HEADING_SHIFT = 2
_ANCHOR_PREFIX = "readme-"
_TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption code dd del details div dl dt em h3 h4 h5 h6 hr i img ins "
        "kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th "
        "thead tr ul var ",
    )
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "code": {"class"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
} | {f"h{level}": {"id"} for level in range(3, 7)}
_LANGUAGE = re.compile(r"language-[a-z0-9+-]{1,30}")
_ABSOLUTE = re.compile(r"(?:https?|mailto):", re.IGNORECASE)


def rendered(text: str, files: Mapping[str, str] = MappingProxyType({})) -> str:
    """`text` as sanitised HTML: no scripts, styles, frames, forms or foreign images.

    `files` maps paths of the release to URLs: links and images that name such a path lead there,
    other relative ones lose their target. Headings start at h3 and their anchors at `readme-`.
    What follows the first `MAX_CHARACTERS` characters is left out.
    """
    return _rendered(text[:MAX_CHARACTERS], tuple(sorted(files.items())))


@lru_cache(maxsize=256)
def _rendered(text: str, files: tuple[tuple[str, str], ...]) -> str:
    links = dict(files)

    def kept(tag: str, attribute: str, value: str) -> str | None:
        return _attribute(links, tag, attribute, value)

    return nh3.clean(
        _parser().render(text),
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "title", "textarea", "svg", "math"},
        attributes=_ATTRIBUTES,
        attribute_filter=kept,
        # a table may be wider than the screen: then a keyboard must get into it to scroll
        set_tag_attribute_values={"table": {"tabindex": "0"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
    )


def _attribute(files: Mapping[str, str], tag: str, attribute: str, value: str) -> str | None:
    """The value that `attribute` may keep, or None to drop it."""
    if attribute == "href":
        return _target(files, value)
    if attribute == "src":
        # Foreign images would tell their server who reads the page.
        return files.get(value.removeprefix("./"))
    if tag == "code" and attribute == "class":
        return value if _LANGUAGE.fullmatch(value) else None
    if attribute == "id":
        return value if value.startswith(_ANCHOR_PREFIX) else None
    return value


def _target(files: Mapping[str, str], value: str) -> str | None:
    if value.startswith("#"):
        return f"#{_ANCHOR_PREFIX}{value[1:]}"
    if _ABSOLUTE.match(value):
        return value
    return files.get(value.removeprefix("./"))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.add_render_rule("heading_open", _heading_open)
    parser.add_render_rule("heading_close", _heading_close)
    parser.add_render_rule("image", _image)
    return parser


def _heading_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, options, env
    title = tokens[index + 1].content
    slug = re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:80]
    return f'<{_shifted(tokens[index].tag)} id="{_ANCHOR_PREFIX}{slug}">'


def _heading_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    del renderer, options, env
    return f"</{_shifted(tokens[index].tag)}>\n"


def _shifted(tag: str) -> str:
    return f"h{min(int(tag[1:]) + _HEADING_SHIFT, 6)}"


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Write an image of the release as one, a foreign one as a link to it."""
    token = tokens[index]
    source = str(token.attrGet("src") or "")
    if not _ABSOLUTE.match(source):
        return renderer.image(tokens, index, options, env)
    text = renderer.renderInlineAsText(token.children or [], options, env) or "image"
    return f'<a href="{_escaped(source)}">{_escaped(text)}</a>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
