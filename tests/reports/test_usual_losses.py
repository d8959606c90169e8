"""What the usual augmentation costs a class is the largest of its expected drops at the usual values."""

from __future__ import annotations

import pytest

from cuesense.policies.policy import DEFAULT_AUGMENTATIONS
from cuesense.reports.usual_losses import UsualLoss, usual_losses, worst_first
from cuesense.schemas.profile import ClassModel, Profile, RivalModel
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
