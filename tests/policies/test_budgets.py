from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP
from cuesense.policies.budgets import (
    Levels,
    SharedBudget,
    as_certified,
    budget,
    certified_severities,
    forecast_budget,
    images_needed,
    severities_and_statuses,
    shared_budget,
    smallest_tolerance,
)
from cuesense.stats.drop_risk import expected_drops
from cuesense.stats.intervals import tango
from cuesense.stats.training_loss import Forecast
from cuesense.types import RISK, Budget, BudgetStatus, Curve, Interval, Perturbation, Role

LADDER = (0.9, 0.6, 0.3)
CROP = Perturbation(
    "crop", Role.AUGMENTATION, (), "", "scale", "area", LADDER, 1.0, (0.1, 1.0), lambda *given: given[0]
)
NOBODY = [[None] * 100] * 3
seeds = st.integers(0, 2**32 - 1)


def curve_of(n, clean, lost, gained=None, repeats=1):
    lost = np.array(lost).reshape(3, -1)
    gained = np.zeros_like(lost) if gained is None else np.array(gained).reshape(3, -1)
    return Curve(CROP, np.atleast_1d(n), np.atleast_1d(clean), lost, gained, repeats)


def judged(n, clean, lost, gained=None, leak_to=NOBODY, tolerance=0.05, risk=RISK):
    (answer,) = budget(curve_of(n, clean, lost, gained), Levels(tolerance, 0.95, risk), leak_to)
    return answer


def random_curve(seed, classes=12):
    rng = np.random.default_rng(seed)
    n = rng.choice([0, 1, 2, 10, 80, 300, 1000], classes)
    clean = rng.binomial(n, rng.choice([0, 0.03, 0.5, 0.9, 1], classes))
    chances = np.sort(rng.choice([0, 0.01, 0.05, 0.2, 0.9], (3, classes)), axis=0)
    return Curve(CROP, n, clean, rng.binomial(clean, chances), rng.binomial(n - clean, 0.05, (3, classes)))


def certified_loop(curve, index, tolerance):
    """The rule of certificates, one severity after the other."""
    n, clean = int(curve.n[index]), int(curve.clean_correct[index])
    if n <= 1 or clean <= tolerance * n:
        return 0
    for step in range(3):
        if tango(curve.lost[step, index], curve.gained[step, index], n, 0.95)[1] > tolerance:
            return step
    return 3


def budget_loop(curve, index, levels, leak_to, chances):
    """The rule of budgets, one severity after the other."""
    risks, loss = chances[0][:, index].round(4), chances[1][0, index].round(4)
    if curve.n[index] <= 1:
        return "undetermined", 0, "too few images"
    if curve.clean_correct[index] <= levels.tolerance * curve.n[index]:
        return "undetermined", 0, "class is not recognized clean"
    for step, risk in enumerate(risks):
        if risk <= levels.risk:
            continue
        taker = leak_to[step][index]
        reason = "too few images" if risk <= 0.5 else f"leak into {taker}" if taker else "own accuracy"
        if step:
            return "limited", step, reason
        return ("none", 0, reason) if loss >= 1 - levels.risk else ("undetermined", 0, "too few images")
    return "unlimited", 3, None


@settings(max_examples=8)
@given(seed=seeds, tolerance=st.sampled_from([0.02, 0.05, 0.1, 0.3]), risk=st.sampled_from([0.05, 0.2, 0.5]))
def test_budgets_agree_with_the_loop(seed, tolerance, risk):
    curve, levels = random_curve(seed), Levels(tolerance, 0.95, risk)
    names = np.random.default_rng(seed).choice(["coho", None], (3, 12)).tolist()
    drops = expected_drops(curve)
    chances, bounds = (drops.risk(tolerance), drops.risk(0)), drops.bounds(0.95)
    for index, answer in enumerate(budget(curve, levels, names)):
        assert (answer.status, answer.severity, answer.limited_by) == budget_loop(curve, index, levels, names, chances)
        assert answer.certified == certified_loop(curve, index, tolerance)
        at = max(answer.severity - 1, 0)
        assert (answer.drop, answer.risk) == (answer.expected[at], answer.risks[at])
        if curve.n[index] == 0:
            assert (answer.drop, answer.risks) == (Interval(), (None,) * 3)
            continue
        assert answer.risks == pytest.approx(chances[0][:, index], abs=1e-4)
        numbers = [(part.value, part.low, part.high) for part in answer.expected]
        both = zip(drops.drop[:, index], *(bound[:, index] for bound in bounds), strict=True)
        assert np.array(numbers) == pytest.approx(np.array(list(both)), abs=1e-4)


@settings(max_examples=8)
@given(seed=seeds, tolerance=st.sampled_from([0.02, 0.05, 0.3]), risk=st.sampled_from([0.05, 0.2, 0.5]))
def test_severities_and_statuses_are_those_of_the_budgets(seed, tolerance, risk):
    curve, levels = random_curve(seed), Levels(tolerance, 0.95, risk)
    severities, statuses, risks = severities_and_statuses(curve, levels)
    answers = budget(curve, levels, [[None] * 12] * 3)
    assert severities.tolist() == [answer.severity for answer in answers]
    assert statuses == [answer.status for answer in answers]
    for index, answer in enumerate(answers):
        assert [None if np.isnan(part) else part for part in risks[:, index].tolist()] == list(answer.risks)


def together(lost, images=50, classes=20):
    """Return the budget of the first of many classes: it loses other numbers of images than all others, none."""
    others = np.zeros((3, classes - 1), dtype=np.int64)
    counts = np.column_stack([lost, others])
    curve = Curve(CROP, np.full(classes, images), np.full(classes, images), counts, np.zeros_like(counts))
    return budget(curve, Levels(0.05, 0.95), NOBODY)[0]


def test_fifty_images_are_an_answer_where_they_certify_nothing():
    answer = together([0, 0, 0])
    assert (answer.status, answer.value, answer.certified_value) == (BudgetStatus.UNLIMITED, 0.3, None)
    assert answer.risk <= RISK


def test_nothing_lost_is_certified_with_enough_images():
    answer = judged(70, 63, [0, 0, 0])
    assert (answer.status, answer.value, answer.limited_by) == (BudgetStatus.UNLIMITED, 0.3, None)
    assert (answer.certified, answer.certified_value) == (3, 0.3)
    assert judged(69, 62, [0, 0, 0]).certified == 0


def test_harm_stops_the_search_for_good():
    answer = judged(1000, 950, [5, 300, 300])
    assert (answer.status, answer.value, answer.limited_by) == (BudgetStatus.LIMITED, 0.9, "own accuracy")
    assert answer.drop.value == pytest.approx(0.005, abs=0.003)
    assert answer.drop.low < 0.005 < answer.drop.high <= 0.05
    assert answer.certified == 1


def test_the_stopping_severity_names_the_leak_where_harm_is_likely():
    names = [["mild"], ["coho"], ["strong"]]
    assert judged(1000, 950, [5, 300, 600], leak_to=names).limited_by == "leak into coho"
    assert judged(1000, 950, [5, 47, 600], leak_to=names).limited_by == "too few images"


def test_likely_harm_at_the_mildest_value_is_none():
    answer = judged(50, 45, [20, 30, 40])
    assert (answer.status, answer.value, answer.limited_by) == (BudgetStatus.NONE, None, "own accuracy")
    assert 0.05 < answer.drop.low < 0.4 < answer.drop.high
    assert answer.risk > 0.99


def test_only_an_open_sign_is_undetermined():
    """As many images are lost as gained, of few: the class may well lose, and as well gain."""
    answer = judged(40, 30, [6, 6, 6], [6, 6, 6])
    assert (answer.status, answer.value, answer.limited_by) == (BudgetStatus.UNDETERMINED, None, "too few images")
    assert judged(40, 40, [6, 6, 6]).status is BudgetStatus.NONE


@pytest.mark.parametrize("n", [0, 1])
def test_a_class_with_hardly_an_image_is_undetermined(n):
    answer = judged(n, n, [n, n, n])
    assert (answer.status, answer.limited_by) == (BudgetStatus.UNDETERMINED, "too few images")
    assert (answer.drop == Interval(None, None, None)) == (n == 0)


def test_a_class_that_is_not_recognized_has_nothing_to_lose():
    answer = judged(1000, 50, [0, 0, 0])
    assert (answer.status, answer.value, answer.certified) == (BudgetStatus.UNDETERMINED, None, 0)
    assert answer.limited_by == "class is not recognized clean"
    assert judged(1000, 51, [0, 0, 0]).status is BudgetStatus.UNLIMITED


def test_a_class_that_gains_is_not_harmed():
    answer = judged(200, 100, [2, 2, 2], [30, 40, 50])
    assert answer.status is BudgetStatus.UNLIMITED
    assert answer.drop.high < 0


@settings(max_examples=6)
@given(seed=seeds, pair=st.lists(st.floats(0.01, 0.4), min_size=2, max_size=2))
def test_more_tolerance_or_risk_never_lowers_a_budget(seed, pair):
    curve = random_curve(seed)
    recognized = curve.clean_correct > max(pair) * curve.n
    by_tolerance = [budget(curve, Levels(tolerance, 0.95), NOBODY) for tolerance in sorted(pair)]
    by_risk = [budget(curve, Levels(0.05, 0.95, risk), NOBODY) for risk in sorted(pair)]
    for strict, lax in (by_tolerance, by_risk):
        for first, second, seen in zip(strict, lax, recognized, strict=True):
            assert not seen or second.severity >= first.severity
            assert not seen or second.certified >= first.certified


def test_a_certificate_is_a_budget_of_its_own():
    (answer,) = budget(curve_of(1000, 950, [5, 47, 300]), Levels(0.05, 0.95, 0.5), NOBODY)
    certified = as_certified(answer)
    assert (answer.severity, answer.certified, certified.severity) == (2, 1, 1)
    assert (certified.status, certified.limited_by) == (BudgetStatus.LIMITED, "too few images")
    assert as_certified(judged(70, 63, [0, 0, 0])).status is BudgetStatus.UNLIMITED
    assert as_certified(together([0, 0, 0])).status is BudgetStatus.UNDETERMINED


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("tolerance", [0.05, 0.1])
@pytest.mark.parametrize("gain", [0.0, 0.01, 0.1])
def test_unsafe_values_are_rarely_certified(n, tolerance, gain):
    """10,000 classes whose second and third value lose a little more than the tolerance, and whose first loses none."""
    rng = np.random.default_rng(7)
    losses = [0.0 if gain == 0 else gain, *[tolerance + gain + 1e-6] * 2]
    outcome = np.stack([rng.multinomial(n, [loss, gain, 1 - loss - gain], 10_000) for loss in losses])
    lost, gained = outcome[..., 0], outcome[..., 1]
    clean = np.maximum(lost.max(axis=0), n // 2)
    curve = Curve(CROP, np.full(10_000, n), clean, lost, gained)
    wrong = np.mean(certified_severities(curve, tolerance, 0.95) > 1)
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 10_000)


def of(status, severity=0):
    return Budget(CROP, BudgetStatus(status), severity, Interval(), None)


UNLIMITED, MILD, MIDDLE = of("unlimited", 3), of("limited", 1), of("limited", 2)
NONE, UNKNOWN = of("none"), of("undetermined")


@pytest.mark.parametrize(
    ("found", "images", "policy"),
    [
        ([UNLIMITED, UNLIMITED], [9, 9], (3, "unlimited", None)),
        ([UNLIMITED, MIDDLE, MILD, MILD], [9, 9, 9, 9], (1, "limited", 2)),
        ([UNLIMITED, MIDDLE, MILD], [9, 9, 0], (2, "limited", 1)),
        ([MILD, UNKNOWN, UNKNOWN], [9, 9, 9], (0, "undetermined", 1)),
        ([UNKNOWN, MILD, NONE, NONE], [9, 9, 9, 9], (0, "none", 2)),
        ([UNKNOWN, UNKNOWN], [0, 0], (0, "undetermined", None)),
    ],
)
def test_the_global_policy_follows_the_weakest_class(found, images, policy):
    severity, status, limiting = policy
    value = CROP.value(severity) if severity else None
    assert shared_budget(found, np.array(images)) == SharedBudget(severity, value, BudgetStatus(status), limiting)


@settings(max_examples=40)
@given(seed=seeds)
def test_the_global_value_is_safe_for_every_class(seed):
    curve = random_curve(seed)
    found = budget(curve, Levels(0.1, 0.95), NOBODY)
    shared = shared_budget(found, curve.n)
    assert all(budget.severity >= shared.severity for budget, n in zip(found, curve.n, strict=True) if n > 0)
    assert (shared.severity == 0) == (shared.status in (BudgetStatus.NONE, BudgetStatus.UNDETERMINED))
    if shared.limiting is not None:
        assert (found[shared.limiting].status, found[shared.limiting].severity) == (shared.status, shared.severity)


# A forecast is safe here at the chance at which it is also certified.
STRICT = Levels(0.05, 0.95, risk=0.05)
CLASSES = ("lemon", "orange", "bus")
HIGH = np.full(3, 0.9)
NO_LEAK = np.zeros((3, 3))


def forecast_of(losses: list[list[float]], spread: float = 0.01) -> Forecast:
    return Forecast(np.array(losses), np.full((len(losses), 3), spread))


def by_forecast(
    forecast: Forecast, taken: np.ndarray = NO_LEAK, accuracy: np.ndarray = HIGH
) -> list[tuple[float | None, str, str | None]]:
    ladder = replace(RANDOM_RESIZED_CROP, ladder=RANDOM_RESIZED_CROP.ladder[: len(forecast.loss)])
    found = forecast_budget(forecast, ladder, CLASSES, taken, accuracy, levels=STRICT)
    return [(entry.value, entry.status.value, entry.limited_by) for entry in found]


def random_forecast(seed: int) -> tuple[Forecast, np.ndarray, np.ndarray]:
    """Return a forecast of four severities and three classes, which class takes whose images, and clean accuracies."""
    random = np.random.default_rng(seed)
    loss = np.sort(random.choice([-0.1, 0.0, 0.03, 0.05, 0.08, 0.3], (4, 3)), axis=0)
    taken = np.where(np.eye(3) == 1, 0, random.choice([0.0, 0.04, 0.1, 0.25], (3, 3)))
    spread = np.where(random.random(3) < 0.1, np.inf, random.choice([0.005, 0.03, 0.1], 3))
    return (
        Forecast(loss, np.tile(spread, (4, 1))),
        taken,
        random.choice([0.02, 0.5, 0.9, np.nan], 3, p=[0.1, 0.4, 0.4, 0.1]),
    )


def forecast_loop(
    forecast: Forecast, taken: np.ndarray, accuracy: np.ndarray, tolerance: float, risk: float
) -> list[int]:
    """The rule of budgets by forecast, one class and one severity after the other."""

    def chance(step: int, index: int) -> float:
        return round(ndtr((forecast.loss[step, index] - tolerance) / forecast.spread[step, index]), 4)

    known = [accuracy[index] > tolerance and np.isfinite(forecast.spread[0, index]) for index in range(3)]
    found = []
    for index in range(3):
        safe = 0
        while known[index] and safe < 4 and chance(safe, index) <= risk:
            safe += 1
        found.append(safe)
    bound = list(found)
    for index, safe in enumerate(found):
        taker = int(taken[index].argmax())
        takes_most = taken[index, taker] > max(tolerance, forecast.loss[-1, index] / 2)
        if takes_most and safe < 4 and np.isfinite(forecast.spread[0, index]) and chance(safe, index) > 0.5:
            bound[taker] = min(bound[taker], safe)
    return bound


@settings(max_examples=40)
@given(seed=seeds, tolerance=st.sampled_from([0.02, 0.05, 0.1]), risk=st.sampled_from([0.05, 0.2, 0.5]))
def test_budgets_by_forecast_agree_with_the_loop(seed: int, tolerance: float, risk: float) -> None:
    forecast, taken, accuracy = random_forecast(seed)
    levels = Levels(tolerance, 0.9, risk)
    budgets = forecast_budget(forecast, RANDOM_RESIZED_CROP, CLASSES, taken, accuracy, levels=levels)
    assert [entry.severity for entry in budgets] == forecast_loop(forecast, taken, accuracy, tolerance, risk)
    certified = forecast_loop(forecast, taken, accuracy, tolerance, 1 - levels.confidence)
    assert [entry.certified for entry in budgets] == certified


@settings(max_examples=40)
@given(seed=seeds, pair=st.lists(st.floats(0.01, 0.4), min_size=2, max_size=2))
def test_more_accepted_risk_never_lowers_a_budget_by_forecast(seed: int, pair: list[float]) -> None:
    forecast, _, accuracy = random_forecast(seed)
    severities = [
        [
            entry.severity
            for entry in forecast_budget(
                forecast, RANDOM_RESIZED_CROP, CLASSES, NO_LEAK, accuracy, levels=Levels(0.05, 0.95, risk)
            )
        ]
        for risk in sorted(pair)
    ]
    assert all(less <= more for less, more in zip(*severities, strict=True))


def test_a_forecast_value_is_safe_while_the_risk_is_small() -> None:
    losses = [[0.0, 0.2, -0.1], [0.0, 0.3, 0.02], [0.03, 0.3, 0.1], [0.2, 0.3, 0.1]]
    assert by_forecast(forecast_of(losses)) == [
        (0.2, "limited", "own accuracy"),
        (None, "none", "own accuracy"),
        (0.4, "limited", "own accuracy"),
    ]


def test_a_safe_value_beyond_an_unsafe_one_does_not_count() -> None:
    assert by_forecast(forecast_of([[0.2, 0.0, 0.0], [0.0, 0.0, 0.0]]))[0] == (None, "none", "own accuracy")


def test_doubt_is_told_from_harm() -> None:
    assert by_forecast(forecast_of([[0.0, 0.04, 0.07]], spread=0.04)) == [
        (None, "undetermined", "too few images"),
        (None, "undetermined", "too few images"),
        (None, "none", "own accuracy"),
    ]
    unknown = Forecast(np.zeros((1, 3)), np.full((1, 3), np.inf))
    assert by_forecast(unknown)[0] == (None, "undetermined", "class is not recognized clean")


def test_a_class_that_has_less_than_the_tolerance_has_nothing_to_lose() -> None:
    accuracy = np.array([0.9, 0.05, np.nan])
    assert [reason for _, _, reason in by_forecast(forecast_of([[0.0] * 3]), NO_LEAK, accuracy)] == [
        None,
        "class is not recognized clean",
        "class is not recognized clean",
    ]


def test_the_class_that_takes_most_of_the_lost_images_gets_no_stronger_value() -> None:
    losses = [[0.0, 0.0, 0.0], [0.2, 0.0, 0.0]]
    taken = np.array([[0, 0.15, 0.05], [0, 0, 0], [0, 0, 0]])
    assert by_forecast(forecast_of(losses), taken) == [
        (0.7, "limited", "leak into orange"),
        (0.7, "limited", "leak from lemon"),
        (0.4, "unlimited", None),
    ]
    spread = np.array([[0, 0.08, 0.12], [0, 0, 0], [0, 0, 0]])
    assert by_forecast(forecast_of(losses), spread)[2] == (0.7, "limited", "leak from lemon")
    little = np.array([[0, 0.04, 0.0], [0, 0, 0], [0, 0, 0]])
    assert by_forecast(forecast_of(losses), little)[0] == (0.7, "limited", "own accuracy")


def test_a_forecast_budget_says_what_its_value_is_forecast_to_cost() -> None:
    ladder = replace(RANDOM_RESIZED_CROP, ladder=(0.7, 0.4))
    (first, second, _) = forecast_budget(
        forecast_of([[0.01, 0.2, 0.0], [0.2, 0.2, 0.0]]),
        ladder,
        CLASSES,
        NO_LEAK,
        HIGH,
        levels=STRICT,
    )
    assert (first.drop.value, second.drop.value) == (0.01, 0.2)
    assert first.drop.high == pytest.approx(0.01 + 1.96 * 0.01, abs=1e-4)
    assert second.drop.low == pytest.approx(0.2 - 1.96 * 0.01, abs=1e-4)


def test_some_classes_may_be_spared() -> None:
    found = forecast_budget(
        forecast_of([[0.0, 0.0, 0.2], [0.0, 0.2, 0.2]]),
        replace(RANDOM_RESIZED_CROP, ladder=(0.7, 0.4)),
        CLASSES,
        NO_LEAK,
        HIGH,
        levels=STRICT,
    )
    images = np.full(3, 9)
    assert [shared_budget(found, images, spared=spared).value for spared in range(4)] == [None, 0.7, 0.4, 0.4]
    assert shared_budget(found, images, spared=1).limiting == 1


@pytest.mark.parametrize("images", [2, 10, 50, 69, 70])
def test_the_smallest_tolerance_is_the_one_that_certifies_no_loss(images):
    smallest = smallest_tolerance(images, 0.95)
    none = np.zeros((1, 1))
    curve = Curve(replace(CROP, ladder=(0.9,)), np.array([images]), np.array([images]), none, none)
    found = [
        budget(curve, Levels(tolerance, 0.95), [[None]])[0].certified
        for tolerance in (smallest - 1e-6, smallest + 1e-6)
    ]
    assert found == [0, 1]
    assert (smallest <= 0.05) == (images >= images_needed(0.05, 0.95))


def test_one_image_shows_no_loss_to_be_within_anything():
    assert np.isnan(smallest_tolerance(1, 0.95))
