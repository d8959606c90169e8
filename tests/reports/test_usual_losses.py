"""What the usual augmentation costs a class is the largest of its expected drops at the usual values."""

from __future__ import annotations

import pytest

from cuesense.policies.policy import DEFAULT_AUGMENTATIONS
from cuesense.reports.usual_losses import Safety, UsualLoss, safety, usual_losses, worst_first
from cuesense.schemas.profile import ClassModel, Profile, RivalModel
from cuesense.types import BudgetStatus
from tests.helpers.partly_seen import jitter_alone
from tests.helpers.profiles import profile
from tests.helpers.usual_drops import with_expected


def usual_loss(known: Profile, entry: ClassModel) -> UsualLoss | None:
    """Return the usual loss of one class, which may differ from the profile's."""
    classes = [entry if entry.index == other.index else other for other in known.classes]
    return usual_losses(known.model_copy(update={"classes": classes}))[entry.index]


def test_the_largest_drop_at_the_usual_values_is_found() -> None:
    known = with_expected(profile(12, empty=2))
    curves = {curve.perturbation: curve for curve in known.curves}
    for entry in known.classes[:10]:
        drops = {
            name: entry.budgets[name].expected[curves[name].values.index(value)]
            for name, value in DEFAULT_AUGMENTATIONS.items()
        }
        found = usual_loss(known, entry)
        assert found is not None
        assert found.drop == max(drop for drop in drops.values() if drop is not None) == drops[found.augmentation]
        assert found.value == DEFAULT_AUGMENTATIONS[found.augmentation]
    ranked = worst_first(known)
    assert [loss is None for _, loss in ranked] == [False] * 10 + [True] * 2
    drops = [loss.drop for _, loss in ranked if loss is not None]
    assert drops == sorted(drops, reverse=True)


@pytest.mark.parametrize(
    ("name", "values", "value"),
    [
        ("random_resized_crop", [0.7, 0.08, 0.01], 0.08),
        ("random_resized_crop", [0.7, 0.2], 0.2),
        ("random_resized_crop", [0.04, 0.01], 0.04),
        ("color_jitter", [0.1, 0.3, 0.8], 0.3),
        ("color_jitter", [0.8], 0.8),
    ],
)
def test_a_ladder_without_the_usual_value_is_read_at_the_strongest_milder_one_else_the_mildest(
    name: str, values: list[float], value: float
) -> None:
    known = with_expected(profile(3))
    (curve,) = [curve for curve in known.curves if curve.perturbation == name]
    changed = known.model_copy(update={"curves": [curve.model_copy(update={"values": values})]})
    found = usual_loss(changed, known.classes[0])
    assert found is not None
    assert (found.value, found.unit) == (value, curve.unit)


def test_the_rival_is_the_class_that_takes_most_under_it() -> None:
    known = with_expected(profile(3))
    one = usual_loss(known, known.classes[0])
    assert one is not None
    shares = ((one.augmentation, "b", 0.3), (one.augmentation, "a", 0.1), ("grayscale", "c", 0.9))
    rivals = [RivalModel.model_validate({"class": to, "perturbation": at, "share": share}) for at, to, share in shares]
    found = usual_loss(known, known.classes[0].model_copy(update={"rivals": rivals}))
    assert found is not None
    assert found.rival == "b"


def test_the_drop_has_its_interval() -> None:
    known = with_expected(profile(3))
    loss = usual_losses(known)[0]
    assert loss is not None
    budget = known.classes[0].budgets[loss.augmentation]
    assert (loss.low, loss.high) in list(zip(budget.expected_low, budget.expected_high, strict=True))


def test_older_profiles_know_counted_drops_without_an_interval() -> None:
    old = profile(5, empty=1)
    losses = usual_losses(old)
    curves = {curve.perturbation: curve for curve in old.curves}
    for at, loss in enumerate(losses[:4]):
        assert loss is not None
        curve = curves[loss.augmentation]
        severity = curve.values.index(loss.value)
        assert loss.drop == (curve.lost[severity][at] - curve.gained[severity][at]) / (curve.n[at] * curve.repeats)
        assert (loss.low, loss.high) == (None, None)
    assert losses[4] is None


def test_classes_of_which_nothing_is_known_come_last_the_least_accurate_first() -> None:
    bare = profile(5, empty=1)
    bare = bare.model_copy(update={"curves": []})
    ranked = worst_first(bare)
    assert all(loss is None for _, loss in ranked)
    known = [entry.clean_accuracy for entry, _ in ranked if entry.clean_accuracy is not None]
    assert known == sorted(known)
    assert ranked[-1][0].clean_accuracy is None


NONE, SAFE, OPEN = BudgetStatus.NONE, BudgetStatus.UNLIMITED, BudgetStatus.UNDETERMINED


@pytest.mark.parametrize(
    ("crop", "jitter", "flip", "found"),
    [
        (0.08, 0.4, 0.5, Safety.SAFE),
        (0.08, 0.8, 1.0, Safety.SAFE),
        (0.2, 0.4, 0.5, Safety.LIMITED),
        (0.08, 0.2, 0.5, Safety.LIMITED),
        (0.08, 0.4, 0.25, Safety.LIMITED),
        (SAFE, SAFE, SAFE, Safety.SAFE),
        (SAFE, NONE, SAFE, Safety.AT_RISK),
        (NONE, 0.2, OPEN, Safety.AT_RISK),
        (0.2, OPEN, SAFE, Safety.LIMITED),
        (SAFE, OPEN, SAFE, Safety.OPEN),
    ],
)
@pytest.mark.parametrize("knows_severity", [True, False])
def test_a_class_is_as_safe_as_its_budgets_for_the_usual_strengths(
    crop: float | BudgetStatus,
    jitter: float | BudgetStatus,
    flip: float | BudgetStatus,
    found: Safety,
    *,
    knows_severity: bool,
) -> None:
    known = profile(1)
    curves = {curve.perturbation: curve for curve in known.curves}
    budgets = dict(known.classes[0].budgets)
    for name, limit in zip(DEFAULT_AUGMENTATIONS, (crop, jitter, flip), strict=True):
        is_value = isinstance(limit, float)
        severity = curves[name].values.index(limit) + 1 if is_value else None
        changes = {
            "value": limit if is_value else None,
            "status": BudgetStatus.LIMITED if is_value else limit,
            "severity": severity if knows_severity else None,
        }
        budgets[name] = budgets[name].model_copy(update=changes)
    entry = known.classes[0].model_copy(update={"budgets": budgets})
    assert safety(known.model_copy(update={"classes": [entry]})) == [found]


def test_without_budgets_for_the_usual_augmentations_nothing_is_said_of_safety() -> None:
    known = profile(1)
    bare = known.classes[0].model_copy(
        update={"budgets": {"random_erasing": known.classes[0].budgets["random_erasing"]}}
    )
    assert safety(known.model_copy(update={"classes": [bare]})) == [None]


def test_a_class_that_is_never_recognized_has_nothing_to_lose() -> None:
    known = with_expected(profile(3))
    never = known.classes[1].model_copy(update={"clean_accuracy": 0.0})
    found = usual_losses(known.model_copy(update={"classes": [known.classes[0], never, known.classes[2]]}))
    assert [loss is None for loss in found] == [False, True, False]


def test_what_was_counted_on_a_part_of_the_images_is_a_share_of_the_part() -> None:
    """The usual jitter of 0.4 is the third severity: 16 of 2 x 40 are lost, and 8 of 2 x 20."""
    found = usual_losses(jitter_alone())
    assert [loss and (loss.value, loss.drop) for loss in found] == [(0.4, 0.2), (0.4, 0.2)]
