"""Budgets recomputed from a profile: by its curves or its forecast, and the sentences where that cannot be done."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.policies.budgets import Levels, budget
from cuesense.policies.profile_budgets import budgets_of, check_numbers, limits, measured_augmentations
from cuesense.schemas.profile import LeakModel, Profile
from cuesense.types import Budget, BudgetStatus, Role
from tests.helpers.profiles import NAMES, SPECS, profile
from tests.helpers.profiles_with_forecasts import CLEAN, CROP, CROPPED, JITTER, LOST, forecast, planted

AUGMENTATIONS = [name for name, role, *_ in SPECS if role is Role.AUGMENTATION]
COUNTS = st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=4, max_size=4)


def summary(budgets: list[Budget]) -> list[tuple[int, BudgetStatus, str | None]]:
    return [(entry.severity, entry.status, entry.limited_by) for entry in budgets]


def refusal(function, *given_values, **options) -> str:
    """Return the sentence with which something is refused, as the command line prints it."""
    with pytest.raises(SettingsError) as error:
        function(*given_values, **options)
    return error.value.for_command_line


def test_every_measured_augmentation_has_budgets_in_the_order_of_the_profile() -> None:
    found = planted(LOST)
    assert list(budgets_of(found)) == list(measured_augmentations(found)) == AUGMENTATIONS
    assert list(budgets_of(found, augmentations=[JITTER, CROP])) == [CROP, JITTER]
    assert all(len(of_class) == 3 for of_class in budgets_of(found).values())


def test_budgets_by_the_curves_are_those_of_their_counts() -> None:
    found = planted(LOST)
    for name, of_class in budgets_of(found, tolerance=0.1, confidence=0.8, risk=0.3).items():
        curve = measured_augmentations(found)[name]
        assert of_class == budget(curve, Levels(0.1, 0.8, 0.3), [[None] * 3] * len(curve.lost))
    # 200 images: 60 lost are .3, 150 are .75 and 90 are .45.
    assert summary(budgets_of(found, augmentations=[CROP])[CROP]) == [
        (4, BudgetStatus.UNLIMITED, None),
        (2, BudgetStatus.LIMITED, "own accuracy"),
        (3, BudgetStatus.LIMITED, "own accuracy"),
    ]
    assert summary(budgets_of(found, augmentations=[JITTER])[JITTER])[2] == (0, BudgetStatus.NONE, "own accuracy")


def test_the_profile_s_own_levels_are_the_default() -> None:
    base = planted({CROP: [[0] * 3, [3] * 3, [7] * 3, [20] * 3]})
    for levels in (Levels(0.05, 0.95, 0.2), Levels(0.05, 0.6, 0.01), Levels(0.12, 0.95, 0.5)):
        found = base.model_copy(update={"policy": base.policy.model_copy(update=vars(levels))})
        assert budgets_of(found) == budgets_of(base, **vars(levels))
    certified = [
        budgets_of(base, tolerance=tolerance, confidence=confidence)[CROP][0].certified
        for tolerance, confidence in ((0.05, 0.95), (0.05, 0.6), (0.15, 0.95))
    ]
    assert certified == [2, 3, 4]


@settings(max_examples=5, deadline=None)
@given(COUNTS, st.lists(st.floats(0.03, 0.5), min_size=2, max_size=2, unique=True))
def test_more_tolerance_never_lowers_a_budget(lost: list[list[int]], pair: list[float]) -> None:
    found = planted({CROP: lost})
    strict, lax = (budgets_of(found, tolerance=part, augmentations=[CROP])[CROP] for part in sorted(pair))
    assert all(more.severity >= less.severity for less, more in zip(strict, lax, strict=True))


@settings(max_examples=5, deadline=None)
@given(COUNTS, st.lists(st.floats(0.51, 0.99), min_size=2, max_size=2, unique=True))
def test_more_confidence_never_raises_a_certificate(lost: list[list[int]], pair: list[float]) -> None:
    found = planted({CROP: lost})
    less, more = (budgets_of(found, confidence=part, augmentations=[CROP])[CROP] for part in sorted(pair))
    assert all(sure.certified <= unsure.certified for unsure, sure in zip(less, more, strict=True))


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(st.floats(-0.3, 0.6), min_size=3, max_size=3), min_size=4, max_size=4), st.floats(0.02, 0.3))
def test_budgets_by_a_forecast_are_those_of_a_plain_loop(losses: list[list[float]], tolerance: float) -> None:
    """A severity is certified while the loss plus 1.645 deviations stays within the tolerance; .842 leave a fifth."""
    found = budgets_of(forecast({CROP: losses}, spread=0.02), tolerance=tolerance)[CROP]
    for index, entry in enumerate(found):
        for severity, deviations in ((entry.severity, 0.8416212), (entry.certified, 1.6448536)):
            within = 0
            while within < 4 and losses[within][index] + deviations * 0.02 <= tolerance:
                within += 1
            assert severity == within
        assert entry.value == (None if not entry.severity else (0.7, 0.4, 0.2, 0.08)[entry.severity - 1])


def test_a_forecast_counts_instead_of_the_curves() -> None:
    """At test time the curves lose nothing; only what was forecast has budgets."""
    found = budgets_of(forecast({JITTER: [[0.3] * 3] * 4}))
    assert list(found) == [JITTER]
    assert summary(found[JITTER]) == [(0, BudgetStatus.NONE, "own accuracy")] * 3


def test_a_class_of_unknown_recall_has_nothing_that_could_be_seen_to_be_lost() -> None:
    base = forecast({CROP: CLEAN})
    assert base.forecast is not None
    known = base.forecast.model_copy(update={"accuracy": [0.9, None, 0.05]})
    found = budgets_of(base.model_copy(update={"forecast": known}))[CROP]
    unknown = (0, BudgetStatus.UNDETERMINED, "class is not recognized clean")
    assert summary(found) == [(4, BudgetStatus.UNLIMITED, None), unknown, unknown]


def test_leaks_are_read_with_the_right_classes_and_shares() -> None:
    """The second class loses .4 at the strongest value: a class that takes over .2 of its images is bound, too."""

    def found(share: float, taker: int = 2) -> list[tuple[int, BudgetStatus, str | None]]:
        leak = LeakModel.model_validate({"of": NAMES[1], "class": NAMES[taker], "share": share})
        return summary(budgets_of(forecast({CROP: CROPPED}, leaks=[leak]))[CROP])

    bound, free = (2, BudgetStatus.LIMITED, f"leak from {NAMES[1]}"), (4, BudgetStatus.UNLIMITED, None)
    assert found(0.21) == [free, (2, BudgetStatus.LIMITED, f"leak into {NAMES[2]}"), bound]
    assert found(0.21, taker=0) == [bound, (2, BudgetStatus.LIMITED, f"leak into {NAMES[0]}"), free]
    assert found(0.2) == [free, (2, BudgetStatus.LIMITED, "own accuracy"), free]


def test_an_augmentation_that_was_not_measured_is_refused_with_those_that_were() -> None:
    found = planted({})
    assert refusal(measured_augmentations, found, [CROP, "hue"]) == (
        "Expected each name in --augmentations to be one that the profile measured, but got 'hue'. "
        f"Choose from {', '.join(AUGMENTATIONS)}, or analyze with a configuration that measures it."
    )


def test_an_augmentation_that_was_not_forecast_is_refused_with_the_command_that_forecasts_it() -> None:
    assert refusal(budgets_of, forecast({CROP: CROPPED, JITTER: CLEAN}), augmentations=["horizontal_flip"]) == (
        "Expected each name in --augmentations to be one that was forecast, but got 'horizontal_flip'. "
        "Choose from random_resized_crop, color_jitter, or forecast it too with "
        "`cuesense recommend PROFILE --train DATASET --augmentations horizontal_flip`."
    )


def test_a_profile_of_suppressions_alone_is_refused() -> None:
    base = planted({})
    bare = base.model_copy(update={"curves": [curve for curve in base.curves if curve.role is not Role.AUGMENTATION]})
    assert refusal(budgets_of, bare) == (
        "Expected the profile to be one that measured augmentations, but got none. Analyze with --config standard."
    )


@pytest.mark.parametrize("images", [0, 1, 2, 10, 69])
def test_nothing_is_refused_for_few_images(images: int) -> None:
    found = [entry for of_class in budgets_of(planted({}, images=images)).values() for entry in of_class]
    assert all(entry.certified == 0 for entry in found)
    assert all((entry.risk is None) == (images == 0) for entry in found)


NOT_INSIDE = [0.0, 1.0, -0.2, 1.5, float("nan"), float("inf"), True]


@pytest.mark.parametrize("value", NOT_INSIDE)
def test_a_tolerance_out_of_range_is_refused(value: float) -> None:
    sentence = f"Expected --tolerance to be between 0 and 1, but got {value!r}. Choose a number inside."
    assert refusal(check_numbers, planted({}), value, None) == sentence
    assert refusal(budgets_of, planted({}), tolerance=value) == sentence


@pytest.mark.parametrize("value", [0.5, 0.2, *NOT_INSIDE])
def test_a_confidence_out_of_range_is_refused(value: float) -> None:
    sentence = f"Expected --confidence to be between 0.5 and 1, but got {value!r}. Choose a number inside."
    assert refusal(check_numbers, planted({}), None, value) == sentence
    assert refusal(budgets_of, planted({}), confidence=value) == sentence


@pytest.mark.parametrize("value", [0.0, 0.51, -0.2, float("nan"), float("inf"), True])
def test_a_risk_out_of_range_is_refused(value: float) -> None:
    sentence = f"Expected --risk to be above 0 and at most 0.5, but got {value!r}. Choose a number such as 0.2."
    assert refusal(check_numbers, planted({}), None, None, risk=value) == sentence
    assert refusal(budgets_of, planted({}), risk=value) == sentence
    check_numbers(planted({}), None, None, risk=0.5)


@pytest.mark.parametrize("value", [1.0, 1.2, -0.01, float("nan")])
def test_a_share_of_the_classes_out_of_range_is_refused(value: float) -> None:
    assert refusal(check_numbers, planted({}), None, None, value) == (
        f"Expected --all-but to be a share in [0, 1), but got {value}. Change it, for instance to 0.1."
    )


@pytest.mark.parametrize("numbers", [(1e-9, 0.500001, 0.0), (0.999999, 0.999999, 0.999999), (None, None, 0.0)])
def test_numbers_inside_are_accepted(numbers: tuple[float | None, float | None, float]) -> None:
    check_numbers(planted({}), *numbers)


def test_numbers_of_the_profile_are_checked_as_well() -> None:
    base = planted({})
    wrong = base.model_copy(update={"policy": base.policy.model_copy(update={"tolerance": 1.5})})
    assert refusal(check_numbers, wrong, None, None).startswith("Expected --tolerance to be between 0 and 1")
    check_numbers(wrong, 0.05, None)


def many(seed: int, classes: int = 10) -> Profile:
    """Return a profile of ten classes of 200 images that lose at random, the last of which has no images."""
    rng = np.random.default_rng(seed)
    base = profile(classes, images=200, empty=1)
    images = [200] * (classes - 1) + [0]
    curves = []
    for curve in base.curves:
        chances = np.sort(rng.choice([0.0, 0.005, 0.1, 0.4], (len(curve.values), classes)), axis=0)
        counts = {"clean_correct": images, "lost": rng.binomial(images, chances).tolist(), "repeats": 1}
        curves.append(curve.model_copy(update=counts | {"gained": [[0] * classes for _ in curve.values]}))
    return base.model_copy(update={"curves": curves})


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("all_but", "spared"), [(0.0, 0), (0.09, 0), (0.1, 1), (0.3, 3), (0.99, 9)])
def test_limits_are_those_of_the_weakest_class_that_is_not_spared(seed: int, all_but: float, spared: int) -> None:
    found = many(seed)
    budgets = budgets_of(found)
    seen = limits(found, all_but=all_but)
    assert [limit.augmentation for limit in seen] == list(budgets)
    for limit in seen:
        of_class = budgets[limit.augmentation]
        # Shown harm is milder than doubt; the class without images has no say.
        ranks = [
            (entry.severity, entry.status is not BudgetStatus.NONE, index) for index, entry in enumerate(of_class[:-1])
        ]
        severity, _, index = sorted(ranks)[min(spared, 8)]
        assert limit.value == of_class[index].value
        if severity == 4:
            assert (limit.limiting, limit.limited_by) == (None, None)
        else:
            assert (limit.limiting, limit.limited_by) == (NAMES[index], of_class[index].limited_by)
        harmed = [NAMES[other] for other, entry in enumerate(of_class[:-1]) if entry.severity < severity]
        assert limit.given_up == (tuple(harmed) if spared else ())
