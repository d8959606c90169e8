"""Sentences and numbers of an audit."""

from __future__ import annotations

import pytest

from cuesense.reports import audit_text, text
from cuesense.reports.audit_view import view
from cuesense.schemas.audit import Audit, CueHarm, RivalResult
from cuesense.types import CueVerdict
from tests.helpers import audits


@pytest.fixture(scope="module")
def audit() -> Audit:
    return audits.audit(audits.sweep(planted={0: 0.3, 4: 0.12}), cues=audits.cues())


@pytest.mark.parametrize(
    ("strength", "shown"), [(None, "–"), (0.08, "0.08"), (-2.0, "−2"), (1.0, "1"), ("light\x1b", "light\ufffd")]
)
def test_a_strength_is_a_number_or_a_word(strength: float | str | None, shown: str) -> None:
    assert audit_text.strength_text(strength) == shown


@pytest.mark.parametrize(("count", "shown"), [(8, "0, 1, 2, 3, 4, 5, 6, 7"), (9, "9 from 0 to 8")])
def test_more_than_eight_strengths_are_their_ends(count: int, shown: str) -> None:
    assert audit_text.strengths_text([float(index) for index in range(count)]) == shown


@pytest.mark.parametrize(
    ("low", "shown"),
    [(0.0, "[0.0, 16.0]"), (1e-9, "[<0.1, 16.0]"), (0.000499, "[<0.1, 16.0]"), (0.000501, "[0.1, 16.0]")],
)
def test_a_lower_bound_above_zero_is_not_shown_as_zero(low: float, shown: str) -> None:
    assert audit_text.loss_bounds(low, 0.16) == shown
    assert audit_text.loss_text(0.1, low, 0.16) == f"10.0 {shown}"
    assert audit_text.loss_in_points(0.1, low, 0.16) == f"10.0 points {shown}"


def test_unknown_bounds_are_left_out() -> None:
    assert audit_text.loss_bounds(None, 0.2) == audit_text.loss_bounds(0.1, None) == ""
    assert audit_text.loss_text(None, None, None) == text.DASH
    assert audit_text.loss_in_points(0.1, None, 0.2) == "10.0 points"


@pytest.mark.parametrize(("harmed", "more"), [(3, ""), (4, " and 1 more")])
def test_the_headline_names_three_classes(audit: Audit, harmed: int, more: str) -> None:
    update = {"harmed": True, "loss": 0.1, "low": None, "high": None}
    classes = [entry.model_copy(update=update | {"harmed": entry.index < harmed}) for entry in audit.classes]
    sentence = audit_text.headline(view(audit.model_copy(update={"classes": classes})))
    names = ", ".join(f"{name} loses 10.0 points" for name in audits.NAMES[:3])
    assert sentence.endswith(f"; {harmed} of 12 classes are harmed by it: {names}{more}.")


def test_unknown_harm_with_several_runs_is_not_put_down_to_single_runs() -> None:
    known = audits.audit(audits.sweep(runs=1))
    assert audit_text.headline(view(known)).endswith("it harms cannot be known from one run of each strength.")
    other = known.model_copy(update={"runs": [2, 1, 1, 1]})
    assert audit_text.headline(view(other)).endswith("it harms cannot be known.")


def test_the_same_strength_by_another_choice_has_no_cost(audit: Audit) -> None:
    same = audit.model_copy(update={"chosen_by_worst_class": audit.chosen_by_mean})
    assert audit_text.other_choices(view(same)).startswith("Other choices: worst class: the same; ")


def test_half_of_the_classes_have_a_smaller_detectable_loss(audit: Audit) -> None:
    losses = [0.05, 0.01, None, 0.03]
    classes = [e.model_copy(update={"detectable": loss}) for e, loss in zip(audit.classes, losses, strict=False)]
    assert audit_text.median_detectable_loss(audit.model_copy(update={"classes": classes})) == 0.03
    assert audit_text.median_detectable_loss(audit.model_copy(update={"classes": classes[2:3]})) is None


@pytest.mark.parametrize(
    ("safety", "shown"), [(["unsafe"] * 4, "none"), (["unsafe", "unsafe", "unsafe", "undetermined"], "undetermined")]
)
def test_no_strength_is_safe_only_where_all_are_unsafe(audit: Audit, safety: list[str], shown: str) -> None:
    assert audit_text.safe_strength(audit.model_copy(update={"safety": safety})) == shown
    assert audit_text.safe_strength(audit.model_copy(update={"safety": safety, "chosen_safe": 0.2})) == "0.2"


def test_a_rival_has_its_share_and_its_kind() -> None:
    known = RivalResult(rival="cup", share=0.06, kind="fine-grained", similarity=None, both=None)
    assert audit_text.rival_text(known) == "cup 6.0\N{NO-BREAK SPACE}% (fine-grained)"
    assert audit_text.rival_text(known.model_copy(update={"kind": None})) == "cup 6.0\N{NO-BREAK SPACE}%"


def test_one_cue_stands_out_only_where_intervals_are_apart(audit: Audit) -> None:
    shape, texture, color = (part.model_copy(update={"low": 0.0, "high": 0.05, "loss": 0.0}) for part in audit.cues)
    shape = shape.model_copy(update={"loss": 0.3, "low": 0.2, "high": 0.4})

    def compared(high: float | None) -> str:
        return audit_text.cue_comparison([shape, texture.model_copy(update={"high": high}), color])

    start = "Classes that rely on shape lose most, 30.0 points [20.0, 40.0] on average; their interval "
    assert compared(0.1999) == f"{start}lies above all others."
    assert compared(0.2) == compared(None) == f"{start}overlaps that of texture."


def test_undetermined_classes_are_not_compared(audit: Audit) -> None:
    color = audit.cues[2]
    unknown: CueHarm = color.model_copy(update={"cue": CueVerdict.UNDETERMINED, "loss": 0.9})
    assert audit_text.cue_comparison([color, unknown]) == (
        "Every class whose cue is known relies on the same cue: color."
    )
    assert audit_text.cue_comparison([unknown]) == ("The profile does not determine the cue of any of these classes.")
