import pytest

from cuesense.reports import text
from cuesense.schemas.profile import BudgetModel, GlobalBudget
from cuesense.types import BudgetStatus, CueVerdict
from tests.helpers import profiles

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "–"), (0.0, "0.0 %"), (0.84, "84.0 %"), (1.0, "100.0 %"), (-0.0123, "−1.2 %"), (-1e-9, "0.0 %")],
)
def test_percent(share, said):
    assert text.percent(share) == said.replace(" ", NBSP)


@pytest.mark.parametrize(("drop", "said"), [(None, "–"), (0.05, "5.0 pp"), (-0.014, "−1.4 pp")])
def test_points(drop, said):
    assert text.points(drop) == said.replace(" ", NBSP)


def test_bounded_needs_both_bounds():
    assert text.bounded(0.82, 0.7, 0.9) == "0.82 [0.70, 0.90]"
    assert text.bounded(0.02, -0.05, 0.1) == "0.02 [−0.05, 0.10]"
    assert text.bounded(0.82, None, 0.9) == text.bounded(0.82, 0.7, None) == "0.82"
    assert text.bounded(None, None, None) == "–"


@pytest.mark.parametrize(
    ("value", "unit", "pixels", "said"),
    [
        (0.036, profiles.SIDE, 8.064, "3.6 % (8.1 px)"),
        (0.0045, profiles.SIDE, None, "0.45 %"),
        (0.16, profiles.SIDE, 112.0, "16 % (112 px)"),
        (30.0, "degrees", None, "30°"),
        (0.4, "area fraction", None, "0.4"),
        (4.0, "tiles a side", None, "4"),
    ],
)
def test_dose(value, unit, pixels, said):
    assert text.dose(value, unit, pixels).replace(NBSP, " ") == said


@pytest.mark.parametrize(
    ("parameter", "unit", "said"),
    [
        ("window", profiles.SIDE, "window, % of side"),
        ("grid", "tiles a side", "grid, tiles a side"),
        ("probability", "probability", "probability"),
        ("area", "area fraction", "area fraction"),
    ],
)
def test_axis(parameter, unit, said):
    assert text.axis(parameter, unit).replace(NBSP, " ") == said


def test_doses_of_a_curve_carry_pixels_where_they_are_known():
    curves = {curve.perturbation: curve for curve in profiles.profile(2).curves}
    assert text.doses(curves["random_resized_crop"]) == ["0.7", "0.4", "0.2", "0.08"]
    assert text.doses(curves["gaussian_blur"])[0].replace(NBSP, " ") == "0.45 % (1 px)"


def budget(status: BudgetStatus, value: float | None) -> BudgetModel:
    return BudgetModel(
        parameter="angle", unit="degrees", value=value, status=status, drop=0, low=0, high=0, limited_by=None
    )


@pytest.mark.parametrize(
    ("status", "value", "said"),
    [
        (BudgetStatus.LIMITED, 30.0, "30°"),
        (BudgetStatus.UNLIMITED, 180.0, "unlimited"),
        (BudgetStatus.NONE, None, "none"),
        (BudgetStatus.UNDETERMINED, None, "undetermined"),
    ],
)
def test_budget_is_a_dose_or_a_word(status, value, said):
    assert text.budget(budget(status, value)) == said


def test_shared_budget_shows_its_dose_in_the_unit_of_its_curve():
    curve = next(curve for curve in profiles.profile(2).curves if curve.perturbation == "random_rotation")
    safe = GlobalBudget(value=30.0, status=BudgetStatus.LIMITED, limited_by_class="tench")
    unsafe = GlobalBudget(value=None, status=BudgetStatus.NONE, limited_by_class="tench")
    assert text.shared_budget(safe, curve) == "30°"
    assert text.shared_budget(safe, None) == "30"
    assert text.shared_budget(unsafe, curve) == "none"


def test_main_augmentations_put_the_usual_ones_first():
    profile = profiles.profile(3)
    assert text.main_augmentations(profile, 2) == ["random_resized_crop", "color_jitter"]
    assert len(text.main_augmentations(profile, 99)) == 6
    renamed = {"sharpness": budget(BudgetStatus.NONE, None), "color_jitter": budget(BudgetStatus.NONE, None)}
    entry = profile.classes[0].model_copy(update={"budgets": renamed})
    assert text.main_augmentations(profile.model_copy(update={"classes": [entry]}), 4) == ["color_jitter", "sharpness"]


def test_glyphs_tell_every_label_apart():
    assert set(text.GLYPHS) == set(CueVerdict)
    assert len(set(text.GLYPHS.values())) == len(CueVerdict)


def test_plain_keeps_letters_and_drops_commands():
    assert text.plain("日本 🐟 é[red]") == "日本 🐟 é[red]"
    assert text.plain("a\x1b[31mb\nc\x9bd") == "a\ufffd[31mb\ufffdc\ufffdd"
