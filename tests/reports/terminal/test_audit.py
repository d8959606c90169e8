import io

import numpy as np
import pytest
from rich.console import Console

from cuesense.reports import audit_text, text
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


def test_the_headline_names_who_pays(audit):
    teapot, bus = audit.classes[0], audit.classes[4]
    assert audit_text.headline(audit) == (
        f"random_resized_crop 0.08 has the best average, {text.percent(audit.mean_accuracy[3])}; "
        f"2 of 12 classes are harmed by it: teapot loses {loss(teapot)}, bus loses {loss(bus)}."
    )
    assert " ".join(audit_text.headline(audit).split()) in flat(audit)


def loss(entry) -> str:
    return f"{100 * entry.loss:.1f} points [{100 * entry.low:.1f}, {100 * entry.high:.1f}]"


@pytest.mark.parametrize(("planted", "said"), [({}, "none of 12 classes is"), ({0: 0.3}, "1 of 12 classes is harmed")])
def test_the_headline_counts(planted, said):
    assert said in audit_text.headline(audits.audit(audits.sweep(planted=planted)))


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
    for place, strength in enumerate(("1 ", "0.5", "0.2", "0.08")):
        row = line(said, strength)
        harmed = sum(audit.strengths[place] in entry.harmed_at for entry in audit.classes)
        for part in (audit.mean_accuracy[place], audit.worst_class_accuracy[place]):
            assert text.percent(part) in row
        assert row.split()[1] == "5"
        assert f" {audit.worst_class[place]} " in row
        assert f" {harmed}  {audit.safety[place]}" in row
    assert line(said, "0.08").rstrip().endswith("average")
    assert line(said, "0.2").rstrip().endswith("worst class")


def test_harmed_classes_show_loss_bounds_best_strength_and_rivals(audit):
    said = printed(audit, 120)
    entry = audit.classes[0]
    (row,) = [row for row in said.splitlines() if row.startswith("teapot")]
    parts = (f"[{audit_text.points(entry.low)}, {audit_text.points(entry.high)}]", audit_text.points(entry.loss))
    assert all(part in row for part in parts)
    assert f"cup {text.percent(entry.rivals[0].share)} (co-occurring)" in row
    assert said.index("\nteapot") < said.index("\nbus")


def test_without_pictures_there_is_no_column_of_rivals(audit):
    assert "Taken by" in printed(audit)
    assert "Taken by" not in printed(audits.audit(audits.sweep(planted=PLANTED)))


def test_gains_and_cues_are_lines(audit):
    said = flat(audit)
    first = audit_text.gaining(audit)[0]
    assert f"in points: {first.name} +{audit_text.points(first.gain)}, " in said
    shape = audit.cues[0]
    assert f"shape {audit_text.bounded(shape.loss, shape.low, shape.high)} (1 of 4 classes harmed)" in said
    assert audit_text.cue_answer(audit.cues) in said
    assert "by cue" not in flat(audits.audit())
    assert "Gain against" not in flat(audits.audit(audits.sweep(runs=1)))


def test_one_seed_tells_nothing_and_that_is_said():
    said = flat(audits.audit(audits.sweep(runs=1)))
    assert "which classes are harmed by it cannot be known from one run of each strength." in said
    assert "Harmed class" not in said
    assert "Two runs or more of each strength would say how many more are needed." in said
    assert "Warning: No strength has two runs" in said
    assert "None" not in said
    assert "nan" not in said


def test_a_safe_strength_is_recommended_with_its_price():
    known = audits.audit(audits.sweep(planted={0: 0.3}, images=20_000), tolerance=0.16)
    price = audit_text.points(known.mean_accuracy[3] - known.mean_accuracy[2])
    assert audit_text.advice(known) == (
        f"Safe: 0.2, where no class loses more than 16.0 points; it gives up {price} points of the best average."
    )
    assert audit_text.advice(known) in flat(known)
    best = audits.audit(audits.sweep(planted={}, images=4000), tolerance=0.08)
    assert audit_text.advice(best).endswith("; it has the best average.")


def test_without_a_safe_strength_it_says_why_and_what_would_tell(audit):
    unsafe = audit.model_copy(update={"safety": ["unsafe"] * 4})
    assert audit_text.advice(unsafe) == (
        "No strength is safe: at each, some class is shown to lose more than 5.0 points."
    )
    assert audit_text.safe_strength(unsafe) == "none"
    assert audit_text.safe_strength(audit) == "undetermined"
    left = [f"{value:g}" for value, said in zip(audit.strengths, audit.safety, strict=True) if said == "undetermined"]
    assert f"undetermined: {', '.join(left)}. More seeds alone would not" in audit_text.advice(audit)
    more = audit.model_copy(update={"seeds_needed": 12})
    assert "About 12 runs of each strength would show one to be safe" in audit_text.advice(more)


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
    assert said.startswith("recipe ultra has the best average")
    places = [said.index(f"\n{word} ") for word in ("none", "light", "heavy", "ultra")]
    assert places == sorted(places)


def test_numbers_are_said_in_one_way():
    assert audit_text.points(-0.0004) == "0.0"
    assert audit_text.points(-0.051) == "−5.1"
    assert audit_text.points(None) == audit_text.strength(None) == text.DASH
    assert audit_text.bounded(0.1, None, 0.2) == "10.0"
    assert audit_text.span([1.0, 0.5]) == "1, 0.5"
    assert audit_text.span([float(index) for index in range(12)]) == "12 from 0 to 11"
    assert audit_text.counted(1, "class") == "1 class"
    assert audit_text.counted(2000, "run") == "2,000 runs"


def test_other_choices_have_a_price(audit):
    lost = 100 * (max(audit.mean_accuracy) - audit.mean_accuracy[audit.strengths.index(audit.chosen_by_worst_class)])
    said = f"Other choices: worst class {audit.chosen_by_worst_class:g} ({lost:.1f} points of the average given up)"
    assert said in flat(audit)
    assert "safe none." in flat(audit)


def test_cues_are_told_at_the_strongest_too_where_another_is_best():
    accuracy = np.full((3, 4), 0.8)
    accuracy[2, :2] -= 0.3
    cues = {f"class {index}": cue for index, cue in enumerate((CueVerdict.SHAPE, CueVerdict.SHAPE, CueVerdict.COLOR))}
    found = build_audit(
        simulated(Truth(accuracy, images=300), 0), tolerance=0.05, confidence=0.95, source={}, cues=cues
    )
    shape = found.cues[0]
    assert shape.loss_at_strongest > 0.25
    assert f"At 2, the strongest: shape {100 * shape.loss_at_strongest:.1f} [" in flat(found)
