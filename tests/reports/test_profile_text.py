import pytest

from cuesense.reports import profile_text
from cuesense.reports.profile_text import seen_text
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import BudgetModel, GlobalBudget, GroupModel
from cuesense.types import BudgetStatus, CueVerdict
from tests.helpers import profiles
from tests.helpers.partly_seen import partly_seen

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "pixels", "shown"),
    [
        (0.036, profiles.SIDE, 8.064, "3.6 % (8.1 px)"),
        (0.0045, profiles.SIDE, None, "0.45 %"),
        (0.16, profiles.SIDE, 112.0, "16 % (112 px)"),
        (30.0, "degrees", None, "30°"),
        (0.4, "area fraction", None, "0.4"),
        (4.0, "tiles a side", None, "4"),
    ],
)
def test_a_value_has_its_unit_and_pixels(value, unit, pixels, shown):
    assert profile_text.value_text(value, unit, pixels).replace(NBSP, " ") == shown


@pytest.mark.parametrize(
    ("parameter", "unit", "shown"),
    [
        ("window", profiles.SIDE, "window, % of side"),
        ("grid", "tiles a side", "grid, tiles a side"),
        ("probability", "probability", "probability"),
        ("area", "area fraction", "area fraction"),
    ],
)
def test_an_axis_is_titled_by_parameter_and_unit(parameter, unit, shown):
    assert profile_text.axis_title(parameter, unit).replace(NBSP, " ") == shown


def test_values_of_a_curve_carry_pixels_where_they_are_known():
    curves = {curve.perturbation: curve for curve in profiles.profile(2).curves}
    assert profile_text.curve_values(curves["random_resized_crop"]) == ["0.7", "0.4", "0.2", "0.08"]
    assert profile_text.curve_values(curves["gaussian_blur"])[0].replace(NBSP, " ") == "0.45 % (1 px)"


def budget(status: BudgetStatus, value: float | None) -> BudgetModel:
    return BudgetModel(
        parameter="angle", unit="degrees", value=value, status=status, drop=0, low=0, high=0, limited_by=None
    )


@pytest.mark.parametrize(
    ("status", "value", "shown"),
    [
        (BudgetStatus.LIMITED, 30.0, "30°"),
        (BudgetStatus.UNLIMITED, 180.0, "any"),
        (BudgetStatus.NONE, None, "none"),
        (BudgetStatus.UNDETERMINED, None, "?"),
        (BudgetStatus.LIMITED, None, "–"),
    ],
)
def test_a_budget_is_a_value_or_a_word(status, value, shown):
    assert profile_text.budget_text(budget(status, value)) == shown


def test_every_status_has_its_word_in_the_key_of_a_table():
    assert set(profile_text.BUDGET_MEANINGS) == set(BudgetStatus)
    assert set(profile_text.BUDGET_WORDS) == set(BudgetStatus) - {BudgetStatus.LIMITED}
    assert profile_text.budget_key() == (
        "any = the strongest value that was measured, none = not even the mildest, "
        "? = undetermined: whether the class loses at all by the mildest is open"
    )


def test_a_shared_budget_shows_its_value_in_the_unit_of_its_curve():
    curve = next(curve for curve in profiles.profile(2).curves if curve.perturbation == "random_rotation")
    safe = GlobalBudget(value=30.0, status=BudgetStatus.LIMITED, limited_by_class="tench")
    unsafe = GlobalBudget(value=None, status=BudgetStatus.NONE, limited_by_class="tench")
    assert profile_text.global_budget_text(safe, curve) == "30°"
    assert profile_text.global_budget_text(safe, None) == "30"
    assert profile_text.global_budget_text(unsafe, curve) == "none"


def test_columns_are_the_usual_augmentations_first():
    profile = profiles.profile(3)
    assert profile_text.augmentation_columns(profile, 2) == ["random_resized_crop", "color_jitter"]
    assert len(profile_text.augmentation_columns(profile, 99)) == 6
    renamed = {"sharpness": budget(BudgetStatus.NONE, None), "color_jitter": budget(BudgetStatus.NONE, None)}
    entry = profile.classes[0].model_copy(update={"budgets": renamed})
    assert profile_text.augmentation_columns(profile.model_copy(update={"classes": [entry]}), 4) == [
        "color_jitter",
        "sharpness",
    ]


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.05, f"shape 60.0{NBSP}% [50, 70], color 5.0{NBSP}%"),
        (0.0499, f"shape 60.0{NBSP}% [50, 70]"),
        (None, f"shape 60.0{NBSP}% [50, 70]"),
    ],
)
def test_shares_of_a_group_are_shown_from_five_percent_on(share, shown):
    shares = {
        CueVerdict.COLOR: Estimate(value=share, low=None, high=None),
        CueVerdict.SHAPE: Estimate(value=0.6, low=0.496, high=0.7),
    }
    group = GroupModel(name="birds", classes=20, images=100, cue=CueVerdict.SHAPE, shares=shares, members={})
    assert profile_text.group_shares(group) == shown


def test_flags_are_words():
    assert profile_text.flag_texts({"confused_with": "wolf"}) == ["confused with: wolf"]


def test_short_names_fit_their_column():
    assert max(map(len, profile_text.SHORT_NAMES.values())) <= 7


def test_how_many_images_were_looked_at_is_said_where_it_was_a_part() -> None:
    known = partly_seen()
    assert seen_text(known) == "Each severity was measured on 30 to 160 of the 160 images (adaptive run)."
    assert seen_text(known, 1) == "Each severity was measured on 10 to 80 of the 80 images (adaptive run)."
    assert seen_text(profiles.profile(2)) == ""
    # One class may have been looked at whole where another was not.
    curves = [curve.model_copy(update={"seen": [[80, 20]] * len(curve.values)}) for curve in known.curves]
    fixed = known.model_copy(update={"curves": curves})
    assert seen_text(fixed, 0) == ""
    assert seen_text(fixed, 1) == "Each severity was measured on 20 of the 80 images (adaptive run)."
