"""The whole study as one document: HTML that stands alone, or Markdown.

No scripts, no files of others, readable in light and dark and with a screen reader: every table has
a caption and headings with a scope, every figure a title and a description, no colour says alone
what is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from modelshelf.study.answer import EITHER, Answer, Cell, Column, Difference, Drawing, Table, slug
from modelshelf.study.differences import agree
from modelshelf.study.markup import Markup, joined, tag
from modelshelf.study.render import grouped, headline, shown, summary, told
from modelshelf.study.render import markdown as in_markdown
from modelshelf.study.survey import Measured, Survey

TITLE = "The study of ML package repositories, computed again"
_PAPER = (
    "After Xiu, Eghan, Jiang, Adams: Empirical Study on the Software Engineering Practices in Open "
    "Source ML Package Repositories. The paper's figures stand beside those measured here; what "
    "differs is explained or marked as open below each table."
)
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--grey:#55606c;--line:#d5dbe1;--pale:#f3f6f9;--blue:#0b5cb8;
--paper:#fff;--red:#a11d1d}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaef;--grey:#a9b3be;--line:#39424d;--pale:#1a222c;
--blue:#7db7ff;--paper:#11161d;--red:#ff9d94}}
*{box-sizing:border-box}body{margin:0 auto;padding:1.5rem;max-width:84rem;color:var(--ink);
background:var(--paper);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif}
a{color:var(--blue)}h1{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid var(--line)}
p,li{max-width:50rem}.scroll{overflow-x:auto;margin:1rem 0}.scroll:focus-visible{outline:2px solid var(--blue)}
table{border-collapse:collapse;font-size:.875rem}caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{background:var(--pale)}tbody th{font-weight:500}.n{text-align:right;font-variant-numeric:tabular-nums;
white-space:nowrap}.p{color:var(--grey)}.d{color:var(--red);font-weight:600}svg{max-width:100%;height:auto}
figure{margin:1.5rem 0;overflow-x:auto}figcaption{color:var(--grey)}summary{cursor:pointer}nav ol{columns:2}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
"""
Link = Callable[[Drawing], str | None]
"""Where a drawing lies beside the document, None where it does not."""


def html(answers: Sequence[Answer], survey: Survey) -> str:
    """The document as HTML."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", TITLE),
        tag("style", Markup(_STYLE)),
    )
    body = tag(
        "body",
        tag("a", "To the tables", class_="skip", href="#main"),
        tag("header", _opening(answers, survey)),
        tag("nav", _contents(answers), aria_label="Contents"),
        tag("main", (_section(each) for each in answers), id="main"),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"


def _opening(answers: Sequence[Answer], survey: Survey) -> Iterator[Markup]:
    yield tag("h1", TITLE)
    yield tag("p", _PAPER)
    yield tag("ul", (tag("li", line) for line in _catalogues(survey.measured)))
    yield tag("p", _sum(answers))


def _catalogues(measured: Sequence[Measured]) -> Iterator[str]:
    for each in measured:
        snapshot = ""
        if each.known:
            snapshot = (
                ", the paper's snapshot" if each.same else ", another snapshot than the paper's"
            )
        yield (
            f"{each.label}: {each.name}, {each.packages:,} packages in {each.versions:,} versions"
            f"{snapshot}"
        )


def _sum(answers: Sequence[Answer]) -> str:
    return summary([found for each in answers for found in each.differences]) + "."


def _contents(answers: Sequence[Answer]) -> Markup:
    return tag(
        "ol", (tag("li", tag("a", each.title, href=f"#{slug(each.name)}")) for each in answers)
    )


def _section(answer: Answer) -> Markup:
    return tag(
        "section",
        tag("h2", headline(answer), id=slug(answer.name)),
        (_figure(each) for each in answer.drawings),
        (part for table in answer.tables for part in _table(answer, table)),
        (tag("p", note) for note in answer.notes),
        _differences(answer.differences),
        aria_labelledby=slug(answer.name),
    )


def _figure(drawing: Drawing) -> Markup:
    return tag("figure", Markup(drawing.svg), tag("figcaption", drawing.title))


def _table(answer: Answer, table: Table) -> Iterator[Markup]:
    if table.rows:
        whole = tag(
            "table",
            tag("caption", table.title),
            tag("thead", _heads(table.columns)),
            tag("tbody", (tag("tr", _cells(table, row)) for row in table.shown)),
        )
        name = f"{answer.title}: {table.title}"
        yield tag("div", whole, class_="scroll", role="region", tabindex="0", aria_label=name)
    else:
        yield tag("p", f"{table.title}: nothing.")
    yield from (tag("p", note) for note in table.remarks)


def _heads(columns: Sequence[Column]) -> Iterator[Markup]:
    if any(column.group for column in columns):
        yield tag(
            "tr",
            (
                tag("th", group, colspan=len(tuple(each)), scope="colgroup") if group
                else tag("td", colspan=len(tuple(each)))
                for group, each in groupby(columns, key=lambda column: column.group)
            ),
        )  # fmt: skip
    yield tag("tr", (tag("th", each.title, scope="col", class_=_class(each)) for each in columns))


def _class(column: Column) -> str | None:
    words = ["n"] if column.kind not in ("text", "mark") else []
    words += ["p"] if column.beside else []
    return " ".join(words) or None


def _cells(table: Table, row: Sequence[Cell]) -> Iterator[Markup]:
    """Leading words name the row; a figure of the paper that ours differs from has a sign."""
    by_id = dict(zip((column.id for column in table.columns), row, strict=True))
    naming = True
    for column, cell in zip(table.columns, row, strict=True):
        naming = naming and column.names_rows
        words = shown(column.kind, cell)
        if naming:
            yield tag("th", words, scope="row")
        elif column.beside and cell != EITHER and not agree(column, by_id[column.beside], cell):
            yield tag("td", f"≠ {words}", class_=f"{_class(column)} d")
        else:
            yield tag("td", words, class_=_class(column))


def _differences(found: Sequence[Difference]) -> Markup:
    if not found:
        return Markup()
    return joined(
        [
            tag("p", tag("strong", summary(found))),
            (
                tag(
                    "details",
                    tag("summary", f"{why or 'Open'} ({len(each)})"),
                    tag("ul", (tag("li", told(one)) for one in each)),
                    open=None if why else "",
                )
                for why, each in grouped(found)
            ),
        ]
    )


def markdown(answers: Sequence[Answer], survey: Survey, link: Link = lambda _drawing: None) -> str:
    """The document as Markdown (GFM); `link` tells where the drawings lie."""
    opening = [
        f"# {TITLE}",
        _PAPER,
        "\n".join(f"* {each}" for each in _catalogues(survey.measured)),
    ]
    parts = [*opening, _sum(answers)]
    for each in answers:
        parts.append(in_markdown(each, level=2))
        parts += [
            f"![{drawing.title}]({place})"
            for drawing in each.drawings
            if (place := link(drawing)) is not None
        ]
    return "\n\n".join(parts) + "\n"
