"""One class in the terminal: it fits, its numbers are the profile's, and its curves are as high as its accuracies."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cuesense.analysis.pipeline_costs import pipeline_costs
from cuesense.reports.graded_text import in_percent
from cuesense.reports.terminal.explain import BLOCKS, curve_blocks, render
from cuesense.reports.text import readable_name
from cuesense.schemas.profile import Profile, RivalModel, TrainedModel, VerifiedModel
from cuesense.types import BudgetStatus, Role
from tests.helpers.graded_profiles import graded
from tests.helpers.partly_seen import partly_seen
from tests.helpers.pipeline_predictions import pipeline, predictions, some_profile, step
from tests.helpers.profiles import profile
from tests.helpers.profiles_with_forecasts import CROP, CROPPED, forecast

SOURCE = graded(12, empty=1, seed=3)


def printed(source: Profile, at: int, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
    console.print(render(source, at))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def row(said: str, start: str) -> str:
    return next(line for line in said.splitlines() if line.startswith(start))


@pytest.mark.parametrize("width", [40, 56, 63, 64, 80, 100, 111, 112, 140, 200])
def test_it_fits_and_has_every_perturbation(width: int) -> None:
    for at in range(len(SOURCE.classes)):
        said = printed(SOURCE, at, width)
        assert max(len(line.rstrip()) for line in said.splitlines()) <= min(width, 140)
    said = printed(SOURCE, 0, width)
    for curve in SOURCE.curves:
        assert row(said, curve.perturbation.replace("_", " ")[:15])


@pytest.mark.parametrize("width", [40, 80, 140])
def test_curves_and_budgets_are_those_of_the_profile(width: int) -> None:
    entry = SOURCE.classes[1]
    said = printed(SOURCE, 1, width).partition("\nAugmentations")[2]
    for curve in SOURCE.curves:
        line = row(said, curve.perturbation.replace("_", " ")[:15])
        changes = [(gained[1] - lost[1]) / curve.repeats for gained, lost in zip(curve.gained, curve.lost, strict=True)]
        shares = [(curve.clean_correct[1] + change) / curve.n[1] for change in (0.0, *changes)]
        assert f" {curve_blocks(shares)} " in f"{line} "
        percents = [f"{100 * share:z.0f}" for share in shares]
        assert (" ".join(percents) if width > 40 else f"{percents[0]} to {percents[-1]}") in line
        if curve.role is Role.AUGMENTATION and entry.budgets[curve.perturbation].status is BudgetStatus.NONE:
            assert " none" in line
        if curve.role is Role.SUPPRESSION and width > 40:
            assert line.rstrip().endswith(", ".join(cue.value for cue in curve.suppresses))


def test_it_says_what_the_class_keeps_and_why_it_has_its_cue() -> None:
    entry = SOURCE.classes[2]
    said = printed(SOURCE, 2, 140)
    assert said.startswith(f"{entry.name} (index 2), {SOURCE.provenance.model.spec} on ")
    assert entry.why in " ".join(said.split())
    for cue in ("shape", "texture", "color"):
        line = row(said, cue)
        assert in_percent(entry.kept[f"without_{cue}"], bounds="full") in line
        assert in_percent(entry.kept[f"{cue}_alone"], bounds="full") in line


def test_rivals_stand_once_each_with_their_conditions() -> None:
    suppressions = [curve.perturbation for curve in SOURCE.curves if curve.role is Role.SUPPRESSION][:6]
    crop = next(curve.perturbation for curve in SOURCE.curves if curve.role is Role.AUGMENTATION)
    rivals = [
        *(RivalModel(rival="fox", perturbation=name, share=0.4) for name in suppressions),
        RivalModel(rival="owl", perturbation=suppressions[0], share=0.35),
        RivalModel(rival="owl", perturbation=crop, share=0.3),
        RivalModel(rival="fox", perturbation=crop, share=0.2),
    ]
    classes = [entry.model_copy(update={"rivals": rivals}) for entry in SOURCE.classes]
    said = printed(SOURCE.model_copy(update={"classes": classes}), 0).replace("\N{NO-BREAK SPACE}", " ")
    spoken = [readable_name(name) for name in (crop, *suppressions)]
    first = f"owl: 30.0 % under {spoken[0]}, 35.0 % under {spoken[1]} fox: 20.0 % under {spoken[0]}, 40.0 % under "
    assert first in " ".join(said.split())
    assert "and 3 more" in said


def test_a_class_without_images_has_one_line_about_it() -> None:
    said = printed(SOURCE, 11, 140).splitlines()
    assert said[1].rstrip() == "No images: nothing is known of this class."
    assert len(said) == 2


def test_an_older_profile_has_no_table_of_what_is_kept() -> None:
    assert "What it keeps" in printed(SOURCE, 0)
    older = printed(profile(4), 0)
    assert "What it keeps" not in older
    assert "Augmentations" in older


def test_a_forecast_and_a_verification_stand_where_there_are_any() -> None:
    source = forecast({CROP: CROPPED})
    trained = TrainedModel(policy=None, mean=0.91, worst=0.5, over_tolerance=1)
    source = source.model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=2, policies={"none": trained})})
    for width in (40, 80):
        said = printed(source, 1, width)
        assert "0 2 20 40" in row(said.partition("Training (forecast)")[2], "random resized")
    assert "Verified by 2 trainings of each policy" in said
    assert "1 class lost more than the tolerance" in " ".join(said.split())
    assert "Training" not in printed(SOURCE, 1)


def test_a_verification_says_what_each_policy_did_to_the_class() -> None:
    shared = {"mean": 0.9, "worst": 0.5, "over_tolerance": 1}
    usual = {**shared, "policy": {"scope": "global"}, "gain": [0.0, -0.124, 0.03, None]}
    policies = {
        "none": TrainedModel(policy=None, **shared),  # type: ignore[arg-type]
        "best_uniform": TrainedModel.model_validate({**usual, "gain_margin": [0.01, 0.031, None, None]}),
        "usual": TrainedModel.model_validate({**usual, "gain": []}),
    }
    source = profile(4).model_copy(update={"verified": VerifiedModel(tolerance=0.05, seeds=2, policies=policies)})
    told = [printed(source, at, 120).partition("its recall, then all classes")[2] for at in range(4)]
    gains = [next(line for line in text.splitlines() if line.startswith("best uniform: ")) for text in told]
    assert [line.partition(": ")[2].partition("90.0")[0] for line in gains] == [
        "+0 ±1 points; ",
        "\N{MINUS SIGN}12 ±3 points; ",
        "+3 points; ",
        "",
    ]
    assert all("none: 90.0" in text and "usual: 90.0" in text for text in told)


def test_the_steps_of_a_training_transform_have_their_costs() -> None:
    known, measured = some_profile(), pipeline(step("RandomErasing"), step("ColorJitter"))
    lost = {"RandomErasing": (0, 0, 0, 25), "pipeline": (0, 0, 0, 30)}
    costs = pipeline_costs(measured, predictions(measured, lost, known), known)
    said = printed(known.model_copy(update={"pipeline": costs}), 3)
    drop = costs.steps[0].alone.drop[3]
    assert drop is not None
    assert row(said, "RandomErasing").split()[1] == f"{100 * drop:.0f}"


def test_names_cannot_command_the_terminal() -> None:
    classes = [entry.model_copy(update={"name": "\x1b[31mred"}) for entry in SOURCE.classes]
    assert "\x1b" not in printed(SOURCE.model_copy(update={"classes": classes}), 0)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8))
def test_a_higher_accuracy_never_has_a_lower_block(values: list[float | None]) -> None:
    drawn = curve_blocks(values)
    assert len(drawn) == len(values)
    known = [(value, BLOCKS.index(block)) for value, block in zip(values, drawn, strict=True) if value is not None]
    assert all(left[1] <= right[1] for left, right in zip(sorted(known), sorted(known)[1:], strict=False))
    assert {block for value, block in zip(values, drawn, strict=True) if value is None} <= {" "}


def test_the_lowest_and_the_highest_block_are_no_and_all_images() -> None:
    assert curve_blocks([0.0, 1.0]) == "▁█"


def test_a_part_of_the_images_is_said_and_counted_as_a_part() -> None:
    said = printed(partly_seen(), 0)
    assert "75 72 70 55 35" in row(said, "color jitter")
    assert "Each severity was measured on 20 to 80 of the 80 images (adaptive run)." in said
    assert "adaptive" not in printed(profile(2), 0)
