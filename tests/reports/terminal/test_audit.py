import io

import numpy as np
import pytest
from rich.console import Console

from cuesense.reports import audit_text, text
from cuesense.reports.audit_view import view
from cuesense.reports.terminal.audit import render
from cuesense.schemas.audit import Audit
from cuesense.sweeps.build_audit import build_audit
from cuesense.types import CueVerdict
from tests.helpers import audits
from tests.helpers.simulated_sweeps import Truth, simulated

PLANTED = {0: 0.3, 4: 0.12}


def printed(audit: Audit, width: int = 100, **options) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None, **options)
    console.print(render(audit))
    return console.file.getvalue()


def flat(audit: Audit, width: int = 100) -> str:
    return " ".join(printed(audit, width).split())


def line(said: str, start: str) -> str:
    (found,) = [row for row in said.splitlines() if row.startswith(start)]
    return found


@pytest.fixture(scope="module")
def audit() -> Audit:
    known = audits.with_pictures(audits.sweep(planted=PLANTED), accepted=True)
    return audits.audit(known, cues=audits.cues())


def test_the_headline_names_the_classes_that_lose_accuracy(audit):
    teapot, bus = audit.classes[0], audit.classes[4]
    assert audit_text.headline(view(audit)) == (
        f"random resized crop 0.08 has the best mean accuracy, {text.percent(audit.mean_accuracy[3])}; "
        f"2 of 12 classes are harmed by it: teapot loses {loss(teapot)}, bus loses {loss(bus)}."
    )
    assert " ".join(audit_text.headline(view(audit)).split()) in flat(audit)


def loss(entry) -> str:
    return f"{100 * entry.loss:.1f} points [{100 * entry.low:.1f}, {100 * entry.high:.1f}]"


@pytest.mark.parametrize(("planted", "said"), [({}, "none of 12 classes is"), ({0: 0.3}, "1 of 12 classes is harmed")])
def test_the_headline_counts(planted, said):
    assert said in audit_text.headline(view(audits.audit(audits.sweep(planted=planted))))


def test_a_long_list_of_harmed_classes_is_cut():
    known = audits.audit(audits.sweep(300, planted=dict.fromkeys(range(30), 0.3)))
    said = printed(known)
    assert "30 of 300 classes are harmed" in said
    assert "and 27 more." in " ".join(said.split())
    assert "and 18 more with smaller losses" in said
    shown = [row for row in said.splitlines() if row.rstrip().endswith("1") and "[" in row]
    losses = [float(row.split(" [")[0].split()[-1]) for row in shown]
    assert len(losses) == 12
    assert losses == sorted(losses, reverse=True)


def test_every_strength_has_a_row(audit):
    said = printed(audit)
    for at, strength in enumerate(("1 ", "0.5", "0.2", "0.08")):
        row = line(said, strength)
        harmed = sum(audit.strengths[at] in entry.harmed_at for entry in audit.classes)
        for part in (audit.mean_accuracy[at], audit.worst_class_accuracy[at]):
            assert text.percent(part) in row
        assert row.split()[1] == "5"
        assert f" {audit.worst_class[at]} " in row
        assert f" {harmed}  {audit.safety[at]}" in row
    assert line(said, "0.08").rstrip().endswith("mean")
    assert line(said, "0.2").rstrip().endswith("worst class")


def test_harmed_classes_show_loss_bounds_best_strength_and_rivals(audit):
    said = printed(audit, 120)
    entry = audit.classes[0]
    (row,) = [row for row in said.splitlines() if row.startswith("teapot")]
    parts = (f"[{text.points(entry.low)}, {text.points(entry.high)}]", text.points(entry.loss))
    assert all(part in row for part in parts)
    assert f"cup {text.percent(entry.rivals[0].share)} (co-occurring)" in row
    assert said.index("\nteapot") < said.index("\nbus")


def test_without_pictures_there_is_no_column_of_rivals(audit):
    assert "Confused with" in printed(audit)
    assert "Confused with" not in printed(audits.audit(audits.sweep(planted=PLANTED)))


def test_gains_and_cues_are_lines(audit):
    said = flat(audit)
    first = view(audit).gaining[0]
    assert f"in points: {first.name} +{text.points(first.gain)}, " in said
    shape = audit.cues[0]
    assert f"shape {audit_text.loss_text(shape.loss, shape.low, shape.high)} (1 of 4 classes harmed)" in said
    assert audit_text.cue_comparison(audit.cues) in said
    assert "by cue" not in flat(audits.audit())
    assert "Gain against" not in flat(audits.audit(audits.sweep(runs=1)))


def test_with_one_run_of_each_strength_harm_is_not_known():
    said = flat(audits.audit(audits.sweep(runs=1)))
    assert "which classes it harms cannot be known from one run of each strength." in said
    assert "Harmed class" not in said
    assert "can be estimated from two runs or more of each strength." in said
    assert "no harm: not known; safe: not known." in said
    assert "Warning: No strength has two runs" in said
    assert "None" not in said
    assert "nan" not in said


def test_a_safe_strength_is_recommended_with_its_cost():
    known = audits.audit(audits.sweep(planted={0: 0.3}, images=20_000), tolerance=0.16)
    cost = text.points(known.mean_accuracy[3] - known.mean_accuracy[2])
    assert audit_text.safety_advice(view(known)) == (
        f"Safe: 0.2, where no class loses more than 16.0 points; it costs {cost} points of mean accuracy."
    )
    assert audit_text.safety_advice(view(known)) in flat(known)
    best = audits.audit(audits.sweep(planted={}, images=4000), tolerance=0.08)
    assert audit_text.safety_advice(view(best)).endswith("; it also has the best mean accuracy.")


def test_without_a_safe_strength_there_is_a_reason_and_the_runs_needed(audit):
    unsafe = audit.model_copy(update={"safety": ["unsafe"] * 4})
    assert audit_text.safety_advice(view(unsafe)) == (
        "No strength is safe: at each, some class is shown to lose more than 5.0 points."
    )
    assert audit_text.safe_strength(unsafe) == "none"
    assert audit_text.safe_strength(audit) == "undetermined"
    left = [f"{value:g}" for value, said in zip(audit.strengths, audit.safety, strict=True) if said == "undetermined"]
    assert f"undetermined: {', '.join(left)}. More seeds alone would not" in audit_text.safety_advice(view(audit))
    more = audit.model_copy(update={"seeds_needed": 12})
    assert "About 12 runs of each strength would show one to be safe" in audit_text.safety_advice(view(more))


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_terminal(audit, width):
    assert max(len(row.rstrip()) for row in printed(audit, width).splitlines()) <= width


def test_markup_and_terminal_commands_in_names_stay_inert():
    names = ("[red]teapot[/red]", "[/]", "\x1b[31mred\nline", "x" * 90, "b\x9bc")
    known = audits.audit(
        audits.sweep(20, planted={0: 0.3, 2: 0.3, 4: 0.25}, names=names, strengths=("[b]", "[/b]", "\x1bc", "d"))
    )
    said = printed(known, 200)
    assert "\x1b" not in said
    assert "\x9b" not in said
    assert "[red]teapot[/red] loses" in said
    assert "\ufffd[31mred\ufffdline loses" in said
    assert line(said, "[/b]")
    assert printed(known, 200) == said


def test_words_as_strengths_stand_in_their_order():
    said = printed(audits.audit(audits.sweep(strengths=("none", "light", "heavy", "ultra"), regularizer="recipe")))
    assert said.startswith("recipe ultra has the best mean accuracy")
    positions = [said.index(f"\n{word} ") for word in ("none", "light", "heavy", "ultra")]
    assert positions == sorted(positions)


def test_other_choices_have_a_cost(audit):
    lost = 100 * (max(audit.mean_accuracy) - audit.mean_accuracy[audit.strengths.index(audit.chosen_by_worst_class)])
    said = f"Other choices: worst class: {audit.chosen_by_worst_class:g} ({lost:.1f} points lower mean accuracy)"
    assert said in flat(audit)
    assert "no harm: none; safe: none." in flat(audit)


def test_losses_by_cue_are_shown_at_the_strongest_too_where_another_is_best():
    accuracy = np.full((3, 4), 0.8)
    accuracy[2, :2] -= 0.3
    cues = {f"class {index}": cue for index, cue in enumerate((CueVerdict.SHAPE, CueVerdict.SHAPE, CueVerdict.COLOR))}
    found = build_audit(
        simulated(Truth(accuracy, images=300), 0), tolerance=0.05, confidence=0.95, source={}, cues=cues
    )
    shape = found.cues[0]
    assert shape.loss_at_strongest > 0.25
    assert f"At 2, the strongest: shape {100 * shape.loss_at_strongest:.1f} [" in flat(found)
