"""Figures 2 and 3: what is drawn is what the tables say."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from modelshelf.study import answer, render
from tests.study.catalogues import release
from tests.study.surveys import birds, of_hub, survey

SVG = "{http://www.w3.org/2000/svg}"


def words(svg: str) -> list[str]:
    return [str(each.text) for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_feature_diagram_names_what_varies() -> None:
    with survey() as made:
        found = answer("figure2", made)
    (drawing,) = found.drawings
    told = words(drawing.svg)
    assert "ML model" in told
    assert "algorithm (4)" in told
    assert "image-classification (3 models)" in told
    assert "depth (1 families)" in told
    assert "task type: 2 values" in drawing.description
    assert found.tables[1].rows == (("depth", 1),)


def test_many_values_are_counted_not_drawn() -> None:
    many = [release(f"acme/a{n}", algorithm=f"A{n}", task="other") for n in range(20)]
    with survey(of_hub("hub", "x", *many)) as made:
        (drawing,) = answer("figure2", made).drawings
    assert "… and 14 more" in words(drawing.svg)


def test_sizes_lie_on_a_logarithmic_scale() -> None:
    with survey(birds("a"), birds("b")) as made:
        found = answer("figure3", made)
    (drawing,) = found.drawings
    assert render.document(found)["tables"][0]["rows"][0] == {  # type: ignore[index]
        "catalogue": "a", "domain": "Computer Vision", "families": 1, "least": 3, "quarter": 3.0,
        "median": 3.0, "three_quarters": 3.0, "most": 3, "ln_median": round(math.log(3), 2),
    }  # fmt: skip
    ticks = {
        str(each.text): float(str(each.get("x")))
        for each in ET.fromstring(drawing.svg).iter(f"{SVG}text")
        if str(each.text).isdigit()
    }
    assert list(ticks) == ["2", "3"]
    assert "b, Computer Vision: 1 family, median 3" in drawing.description


def test_foreign_names_stay_text() -> None:
    hostile = release(task="</text><script>", algorithm="<b>&", datasets=("\x00\x1b",))
    with survey(of_hub("hub", "<label>", hostile)) as made:
        for part in ("figure2", "figure3"):
            for drawing in answer(part, made).drawings:
                root = ET.fromstring(drawing.svg)
                assert all("script" not in each.tag for each in root.iter())
