from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cuesense.adaptive import budgets, cues
from cuesense.adaptive.answers import Answers
from cuesense.adaptive.budgets import severity_and_status
from cuesense.adaptive.cues import VERDICTS, cue_conditions
from cuesense.adaptive.looks import places
from cuesense.adaptive.plan import FOLLOWED, Plan, _Look, first_plan, next_plan, seen_under, weights
from cuesense.analysis.build_profile import analyze_predictions
from cuesense.perturbations.catalog import RANDOM_RESIZED_CROP as CROP
from cuesense.policies.budgets import Levels
from cuesense.predictions.predictions import Predictions
from cuesense.types import BudgetStatus, Perturbation, Role
from tests.helpers.full_runs import full_run

LEVELS = Levels(0.05, 0.95)
RUN = full_run(80)
LABELS = RUN.per_condition[0].labels
IMAGES = np.full(6, 80)
PLACES = places(RUN.sample_ids, LABELS)


@pytest.fixture(autouse=True)
def _few_simulated_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (budgets, cues):
        monkeypatch.setattr(module, "SIMULATED_RUNS", 10)


def known(run: Predictions, plan: Plan) -> Predictions:
    """What an engine hands back: nothing but what the plan wants."""
    seen = seen_under(plan, LABELS, PLACES)
    return replace(
        run,
        per_condition=tuple(
            replace(given, predicted=np.where(part, given.predicted, -1), corrected=np.where(part, given.corrected, -1))
            for given, part in zip(run.per_condition, seen, strict=True)
        ),
    )


def carried_out(seed: int = 0) -> list[Plan]:
    plans = [first_plan(RUN.conditions, RUN.perturbations, IMAGES)]
    while not plans[-1].finished:
        plans.append(next_plan(plans[-1], [known(RUN, plans[-1])], PLACES, LEVELS, seed))
    return plans


PLANS: list[Plan] = []


@pytest.fixture
def plans() -> list[Plan]:
    if not PLANS:
        PLANS.extend(carried_out())
    return PLANS


def test_clear_cues_take_a_part_of_the_images(plans: list[Plan]) -> None:
    last, rows = plans[-1], cue_conditions(RUN)[1:]
    truth = analyze_predictions(RUN, levels=LEVELS, groups={})
    assert [VERDICTS[answer] for answer in last.cues.answer.tolist()] == [entry.cue for entry in truth.cues]
    assert last.wanted[rows].mean() <= 20
    assert last.cue_settled.all()


def test_ruined_classes_stop_early_and_all_budgets_are_those_of_the_full_run(plans: list[Plan]) -> None:
    last, rows = plans[-1], RUN.rows
    found = [severity_and_status(answer) for answer in last.budgets[CROP.name].answer.tolist()]
    truth = analyze_predictions(RUN, levels=LEVELS, groups={}).budgets[CROP.name]
    assert found == [(entry.severity, entry.status) for entry in truth]
    wanted = np.array([last.wanted[rows[CROP.name, severity][0]] for severity in CROP.severities])
    assert (wanted[:, 1::2] <= 20).all()
    assert found[1][1] is BudgetStatus.NONE
    assert wanted[:, 0::2].mean() > wanted[:, 1::2].mean()


def test_looks_only_grow_and_settled_classes_keep_their_answers(plans: list[Plan]) -> None:
    for before, after in pairwise(plans):
        assert (after.wanted >= before.wanted).all()
        assert after.look == before.look + 1
        stays = before.cue_settled
        assert after.cue_settled[stays].all()
        assert np.array_equal(after.cues.answer[stays], before.cues.answer[stays])
        stays = before.budget_settled[CROP.name]
        assert after.budget_settled[CROP.name][stays].all()
        assert np.array_equal(after.budgets[CROP.name].answer[stays], before.budgets[CROP.name].answer[stays])


def test_the_same_predictions_give_the_same_plans(plans: list[Plan]) -> None:
    first = plans[0]
    again = next_plan(first, [known(RUN, first)], PLACES, LEVELS)
    assert np.array_equal(again.wanted, plans[1].wanted)
    assert np.array_equal(again.cues.agreement, plans[1].cues.agreement)


def test_the_first_look_takes_ten_images_and_all_clean_ones() -> None:
    images = np.array([80, 7, 0, 10, 80, 80])
    plan = first_plan(RUN.conditions, RUN.perturbations, images)
    assert plan.wanted[0].tolist() == images.tolist()
    assert plan.wanted[1:].tolist() == [[10, 7, 0, 10, 10, 10]] * (len(RUN.conditions) - 1)
    assert plan.cue_settled.tolist() == [False, False, True, False, False, False]


def test_what_neither_a_cue_nor_a_budget_rests_on_is_measured_whole() -> None:
    other = Perturbation("mine", Role.SUPPRESSION, (), "", "amount", "", (1.0,), 0.0, (0, 1), lambda *given: given[0])
    condition = replace(RUN.conditions[-1], perturbation=other, severity=1)
    plan = first_plan((*RUN.conditions, condition), (*RUN.perturbations, other), IMAGES)
    assert plan.wanted[-1].tolist() == [80] * 6
    assert plan.wanted[-2].tolist() == [10] * 6


def test_seen_images_stand_for_all_of_their_class() -> None:
    labels, images = np.array([0, 0, 0, 0, 1, 1]), np.array([4, 2])
    rng, seen = np.random.default_rng(0), np.array([True, True, False, False, True, True])
    found = np.array([weights(labels, seen, images, rng) for _ in range(200)])
    assert found[:, :2].sum(axis=1) == pytest.approx(4)
    assert found.min() >= 1
    assert (found[:, 2:] == 1).all()
    # Evenly distributed from 1 to 3.
    assert found[:, 0].mean() == pytest.approx(2, abs=0.15)
    assert found[:, 0].std() == pytest.approx(2 / np.sqrt(12), rel=0.15)


def look(wanted: np.ndarray) -> _Look:
    plan = replace(first_plan(RUN.conditions, RUN.perturbations, IMAGES), wanted=wanted)
    return _Look(plan, [RUN], seen_under(plan, LABELS, PLACES), IMAGES, LEVELS)


def test_settled_classes_follow_at_a_distance() -> None:
    wanted = np.full((len(RUN.conditions), 6), 5)
    wanted[:, 0] = 40
    more = look(wanted).more_for_cues(np.array([True, False, False, False, False, False]))
    row = cue_conditions(RUN)[1]
    assert more[row].tolist() == [80] + [80 // FOLLOWED] * 5
    assert np.array_equal(look(wanted).more_for_cues(np.zeros(6, dtype=bool)), wanted)


def test_a_budget_goes_on_with_severities_in_doubt_or_else_with_the_most_doubtful() -> None:
    wanted = np.full((len(RUN.conditions), 6), 20)
    rows = [RUN.rows[CROP.name, severity][0] for severity in CROP.severities]
    wanted[rows[3], 2] = 80
    doubt = np.zeros((4, 6))
    doubt[:, 0], doubt[:, 1], doubt[:, 2] = [0.3, 0.02, 0.1, 0], [0.02, 0.01, 0, 0], [0, 0.01, 0, 0.5]
    doubt[:, 3] = 0.5
    going_on = np.array([True, True, True, False, True, True])
    more = look(wanted).more_for_budgets(CROP.name, doubt, going_on)[rows]
    assert more[:, 0].tolist() == [40, 20, 40, 20]
    assert more[:, 1].tolist() == [40, 20, 20, 20]
    assert more[:, 2].tolist() == [20, 40, 20, 80]
    assert (more[:, 3:] == 20).all()


def test_expected_mistakes_are_spent_in_equal_parts_over_the_looks() -> None:
    """Looks at 10, 20, 40 and 80 images: .02 of six classes is .12, of which each look but the last may spend .04."""
    agreement = np.array([1.0, 0.97, 0.97, 0.97, 0.97, 0.97])
    answers, nothing = Answers(np.zeros(6, dtype=np.int64), agreement), np.zeros(6, dtype=bool)
    every = ~nothing
    at_first = look(np.full((len(RUN.conditions), 6), 10))
    assert at_first._settled(answers, nothing, every, np.full(6, 10), 0.9).tolist() == [True, True] + [False] * 4
    third = replace(at_first, plan=replace(at_first.plan, look=2))
    assert third._settled(answers, nothing, every, np.full(6, 40), 0.9).sum() == 5
    before = np.array([False, True, True, False, False, False])
    assert third._settled(answers, before, every, np.full(6, 40), 0.9).sum() == 5
    assert third._settled(answers, nothing, every, np.full(6, 40), 0.98).sum() == 1
    assert third._settled(answers, nothing, every, IMAGES, 0.98).all()
    # What the images seen do not show yet is not settled, unless they are all.
    others = np.array([False, False, True, True, True, True])
    assert third._settled(answers, nothing, others, np.full(6, 40), 0.9).tolist() == others.tolist()
    assert third._settled(answers, nothing, others, IMAGES, 0.9).all()


def test_perturbations_that_budgets_rest_on_are_augmentations() -> None:
    plan = first_plan(RUN.conditions, RUN.perturbations, IMAGES)
    assert list(plan.budgets) == [entry.name for entry in RUN.perturbations if entry.role is Role.AUGMENTATION]
