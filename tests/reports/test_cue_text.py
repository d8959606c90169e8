"""What a class relies on in words: one rule, and the words that the reports print are the rule's."""

from __future__ import annotations

import pytest

from cuesense.reports.cue_text import (
    cue_count,
    cue_percent,
    relies_on,
    relies_on_caption,
    relies_on_remark,
    relies_on_with_percent,
)
from cuesense.reports.html.notebook import profile_html
from cuesense.reports.html.profile_data import page_data
from cuesense.reports.markdown.profile import render as markdown
from cuesense.reports.summaries import class_summary
from cuesense.schemas.profile import ClassModel, LeanModel
from cuesense.types import Cue, CueVerdict
from tests.helpers import profiles
from tests.helpers.graded_profiles import graded

SOURCE = graded(12, empty=1, seed=3)


def a_class(cue: CueVerdict, low: float | None = None, **changes: object) -> ClassModel:
    """A class with this verdict of probability 0.974, and a lean to color with this lower bound."""
    lean = {} if low is None else {Cue.COLOR: LeanModel(value=0.2, low=low, high=0.5)}
    known = {"cue": cue, "probabilities": {CueVerdict.SHAPE: 0.974}, "lean": lean, "images": 80}
    return SOURCE.classes[0].model_copy(update=known | changes)


@pytest.mark.parametrize(
    ("entry", "said", "percent", "remark"),
    [
        (a_class(CueVerdict.SHAPE, 0.1), "shape", "97\u00a0%", "probability 97\u00a0%"),
        (a_class(CueVerdict.FINE_DETAIL, 0.1), "fine detail", "", ""),
        (a_class(CueVerdict.UNDETERMINED, 0.0), "undetermined", "", ""),
        (a_class(CueVerdict.UNDETERMINED), "undetermined", "", ""),
        (a_class(CueVerdict.SHAPE, images=0), "no images", "", ""),
        (a_class(CueVerdict.UNDETERMINED, 0.1, images=0), "no images", "", ""),
        (
            a_class(CueVerdict.UNDETERMINED, 0.01),
            "leans color",
            "",
            "its cue is undetermined, but it certainly relies on color more than the average class",
        ),
    ],
)
def test_a_cue_comes_before_a_lean_and_a_lean_before_undetermined(
    entry: ClassModel, said: str, percent: str, remark: str
) -> None:
    assert (relies_on(entry), cue_percent(entry), relies_on_remark(entry)) == (said, percent, remark)
    assert relies_on_with_percent(entry) == (f"{said} ({percent})" if percent else said)


def test_no_probability_is_called_certain() -> None:
    assert cue_percent(a_class(CueVerdict.SHAPE, probabilities={CueVerdict.SHAPE: 1.0})) == "99\u00a0%"


def test_undetermined_classes_are_counted_with_their_leans() -> None:
    classes = [a_class(CueVerdict.UNDETERMINED, low) for low in (0.1, 0.1, -0.1)] + [a_class(CueVerdict.SHAPE, 0.1)]
    labels = {CueVerdict.UNDETERMINED: 3, CueVerdict.SHAPE: 1}
    summary = SOURCE.summary.model_copy(update={"labels": labels})
    profile = SOURCE.model_copy(update={"classes": classes, "summary": summary})
    assert cue_count(profile, CueVerdict.UNDETERMINED) == "3 (leans color 2)"
    assert cue_count(profile, CueVerdict.SHAPE) == "1"
    assert cue_count(profile, CueVerdict.TEXTURE) == "0"
    assert "leans shape" in relies_on_caption(classes)
    assert "leans" not in relies_on_caption(classes[-1:])


def test_profiles_of_earlier_versions_have_no_leans() -> None:
    source = profiles.profile(12, empty=1, seed=3)
    assert {entry.leans_to for entry in source.classes} == {None}
    assert "undetermined" in {relies_on(entry) for entry in source.classes}


def test_every_report_says_the_same_of_a_class() -> None:
    leans = {"leans shape", "leans texture", "leans color"} & {relies_on(entry) for entry in SOURCE.classes}
    assert leans
    notebook, table = profile_html(SOURCE), markdown(SOURCE)
    for entry, data in zip(SOURCE.classes, page_data(SOURCE)["classes"], strict=True):
        said = relies_on_with_percent(entry)
        assert said in class_summary(entry)
        assert data["relies"] == [relies_on(entry), relies_on_remark(entry)]
        if entry.images:
            assert f"{said}</td>" in notebook or f">{entry.name}<" not in notebook
            assert f"| {said} |" in table or f"| {entry.name} |" not in table
