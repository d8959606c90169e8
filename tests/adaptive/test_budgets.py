from dataclasses import replace

import numpy as np
import pytest

from cuesense.adaptive import budgets
from cuesense.adaptive.budgets import DOUBT, answer_of, likely_budgets, severity_and_status
from cuesense.analysis.counts import count_predictions
from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP as CROP
from cuesense.policies.budgets import Levels, budget, severities_and_statuses
from cuesense.predictions.predictions import Predictions
from cuesense.types import BudgetStatus, Curve
from tests.helpers.full_runs import full_run

LEVELS = Levels(0.05, 0.95)
SEVERITIES = len(CROP.ladder)


def first(run: Predictions, number: int) -> np.ndarray:
    images = len(run.per_condition[0].labels) // len(run.class_names)
    return np.tile(np.arange(len(run.per_condition[0].labels)) % images < number, (SEVERITIES, 1))


def truth(run: Predictions) -> list[tuple[int, BudgetStatus]]:
    counts = count_predictions(run)
    found = budget(counts.raw[CROP.name], LEVELS, counts.takers[CROP.name])
    return [(entry.severity, entry.status) for entry in found]


@pytest.mark.parametrize("severity", [0, 4])
@pytest.mark.parametrize("status", list(BudgetStatus))
def test_a_number_stands_for_severity_and_status(severity: int, status: BudgetStatus) -> None:
    assert severity_and_status(answer_of(severity, status)) == (severity, status)


@pytest.mark.parametrize("repeats", [1, 2])
def test_with_all_images_seen_the_answer_is_that_of_the_full_run_and_certain(repeats: int) -> None:
    run = full_run(60, repeats=repeats)
    found = likely_budgets(run, CROP, first(run, 60), LEVELS, np.random.default_rng(0))
    assert [severity_and_status(answer) for answer in found.answers.answer.tolist()] == truth(run)
    assert set(found.answers.agreement.tolist()) == {1.0}
    assert not found.doubt.any()


@pytest.mark.parametrize("repeats", [1, 2])
def test_ruined_classes_are_known_from_few_images_and_the_others_from_more(repeats: int) -> None:
    run = full_run(200, repeats=repeats)
    few = likely_budgets(run, CROP, first(run, 20), LEVELS, np.random.default_rng(0))
    many = likely_budgets(run, CROP, first(run, 150), LEVELS, np.random.default_rng(0))
    ruined = np.arange(6) % 2 == 1
    assert few.answers.agreement[ruined].min() >= 0.95
    assert [severity_and_status(answer)[1] for answer in few.answers.answer[ruined]] == [BudgetStatus.NONE] * 3
    assert (few.doubt[:, ruined] <= DOUBT).all()
    assert many.answers.agreement.mean() > few.answers.agreement.mean()
    assert many.answers.agreement.min() > 0.5


def test_what_was_not_seen_does_not_matter() -> None:
    run = full_run(40)
    seen = first(run, 10)
    blank = [
        replace(given, predicted=np.where(seen[0] | (condition.perturbation is not CROP), given.predicted, -1))
        for given, condition in zip(run.per_condition, run.conditions, strict=True)
    ]
    hidden = replace(run, per_condition=tuple(blank))
    one, other = (likely_budgets(of, CROP, seen, LEVELS, np.random.default_rng(0)) for of in (run, hidden))
    assert one.answers.answer.tolist() == other.answers.answer.tolist()
    assert np.array_equal(one.doubt, other.doubt)


def test_agreement_is_right_about_as_often_as_it_says() -> None:
    """Where 25 of 60 images leave much open."""
    agreement, right = [], []
    for seed in range(4):
        run = full_run(60, seed=seed)
        found = likely_budgets(run, CROP, first(run, 25), LEVELS, np.random.default_rng(seed))
        agreement += found.answers.agreement.tolist()
        right += [severity_and_status(a) == t for a, t in zip(found.answers.answer.tolist(), truth(run), strict=True)]
    assert abs(np.mean(agreement) - np.mean(right)) < 0.12


def test_the_mildest_severity_is_in_doubt_where_runs_disagree_on_whether_anything_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No severity is safe in any run, and every fourth run calls that undetermined."""
    cells = 6 * budgets.SIMULATED_RUNS
    statuses = [BudgetStatus.NONE if cell // 6 % 4 else BudgetStatus.UNDETERMINED for cell in range(cells)]
    given = np.zeros(cells, dtype=np.int64), statuses, np.full((SEVERITIES, cells), 0.9)
    now = given[0][:6], [BudgetStatus.NONE] * 6, given[2][:, :6]
    monkeypatch.setattr(
        budgets, "severities_and_statuses", lambda _curve, _levels, copies: given if copies > 1 else now
    )
    run = full_run(20)
    found = likely_budgets(run, CROP, first(run, 10), LEVELS, np.random.default_rng(0))
    assert found.doubt[0].tolist() == [0.25] * 6
    assert not found.doubt[1:].any()
    assert found.answers.agreement.tolist() == [0.75] * 6
    assert found.now.tolist() == [answer_of(0, BudgetStatus.NONE)] * 6


def test_what_the_images_seen_lead_to_is_the_budget_of_these_images_alone() -> None:
    run = full_run(40, repeats=2)
    seen = first(run, 12)
    seen[2, ::3] = False
    found = likely_budgets(run, CROP, seen, LEVELS, np.random.default_rng(0))
    labels = run.per_condition[0].labels
    rows = np.array([run.rows[CROP.name, severity] for severity in CROP.severities])
    lost, gained, squared, images = np.zeros((4, SEVERITIES, 6), dtype=np.int64)
    for severity in range(SEVERITIES):
        for image in np.flatnonzero(seen[severity]):
            right = [run.right(row)[image] for row in rows[severity]]
            clean, of = run.right(0)[image], labels[image]
            lost[severity, of] += sum(clean and not one for one in right)
            gained[severity, of] += sum(one and not clean for one in right)
            squared[severity, of] += (2 * clean - sum(right)) ** 2
            images[severity, of] += 1
    n, clean_correct = np.bincount(labels), np.bincount(labels[run.right(0)])
    curve = Curve(CROP, n, clean_correct, lost, gained, 2, squared=squared, seen=images)
    severities, statuses, _ = severities_and_statuses(curve, LEVELS)
    assert found.now.tolist() == [answer_of(*one) for one in zip(severities.tolist(), statuses, strict=True)]


def test_a_severity_is_in_doubt_where_the_images_seen_lead_to_another_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """All simulated runs call every severity safe; so do the images seen, but for the third one of the second class."""
    cells = 6 * budgets.SIMULATED_RUNS
    every = np.full(cells, SEVERITIES), [BudgetStatus.UNLIMITED] * cells, np.zeros((SEVERITIES, cells))
    risk, severities = np.zeros((SEVERITIES, 6)), np.full(6, SEVERITIES)
    risk[2, 1], severities[1] = 0.9, 2
    statuses = [BudgetStatus.LIMITED if index == 1 else BudgetStatus.UNLIMITED for index in range(6)]
    now = severities, statuses, risk
    monkeypatch.setattr(
        budgets, "severities_and_statuses", lambda _curve, _levels, copies: every if copies > 1 else now
    )
    run = full_run(20)
    found = likely_budgets(run, CROP, first(run, 10), LEVELS, np.random.default_rng(0))
    assert found.answers.agreement.tolist() == [1.0] * 6
    expected = np.zeros((SEVERITIES, 6))
    expected[[0, 2], 1] = budgets.DOUBT
    assert found.doubt.tolist() == expected.tolist()
    assert found.now[1] != found.answers.answer[1]
