"""Sentences on a verification: measured figures first, and what would decide where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cuesense.policies.policy import Policy, sparing, uniform
from cuesense.policies.rivals import Verdict
from cuesense.policies.verdicts import conclusion, reason, said_of
from cuesense.schemas.profile import Profile, TrainedModel, VerifiedModel
from tests.helpers.profiles import NAMES, profile
from tests.helpers.profiles_with_forecasts import CROP

OWN = uniform({CROP: 0.4}, NAMES[:3])
OTHER = uniform({CROP: 0.7}, NAMES[:3])
WEIGHTED = replace(OWN, class_weights=(0.5, 1.0, 1.5))
SPARED = sparing({CROP: 0.4}, NAMES[:3], [NAMES[0]], 0.5)


def trained(policy: Policy | None, worst: float, mean: float = 0.8) -> TrainedModel:
    listed = None if policy is None else policy.to_dict()
    return TrainedModel(
        policy=listed, mean=mean, worst=worst, over_tolerance=0, lowest_gain=worst - 0.5, lowest_gain_error=0.05
    )


def results(**more: TrainedModel) -> dict[str, TrainedModel]:
    return {"none": trained(None, 0.4), "global": trained(OWN, 0.5), **more}


def verdict(known: Mapping[str, TrainedModel], best: str = "global", seeds: int = 5, **more: str) -> Verdict:
    return Verdict(best, OWN, len(known), seeds, known, **more)


def test_a_winner_stands_with_its_figures_before_those_of_what_it_won_against() -> None:
    known = results(best_uniform=trained(OTHER, 0.7, 0.85))
    assert conclusion(verdict(known, "best_uniform")) == (
        "`cuesense verify` trained 3 policies with 5 seeds; the policy with the best average in a search by training "
        "was best: 85.0 % on average and 70.0 % in the worst class; the policy that was forecast to be best: 80.0 % "
        "and 50.0 %; no augmentation: 80.0 % and 40.0 %."
    )
    assert conclusion(verdict({"none": trained(None, 0.7), "global": trained(OWN, 0.5)}, "none")) == (
        "`cuesense verify` trained 2 policies with 5 seeds; no augmentation was best: 80.0 % on average and 70.0 % in "
        "the worst class; the policy that was forecast to be best: 80.0 % and 50.0 %."
    )


@pytest.mark.parametrize(
    ("seeds", "ahead", "end"),
    [
        (5, None, "No rival had a better worst class."),
        (4, None, "No rival had a better worst class, but 4 seeds may miss it: run it with --seeds 5 or more."),
        (1, trained(OTHER, 0.9), "but 1 seed cannot tell that from luck: run it with --seeds 5 or more."),
        (5, trained(OTHER, 0.52), "but by no more than luck may give: more seeds (--seeds 10) would decide."),
        (5, trained(OTHER, 0.9, 0.7951), "but by no more than luck may give: more seeds (--seeds 10) would decide."),
        (5, trained(OTHER, 0.9, 0.7949), "but a lower average."),
    ],
)
def test_what_would_decide_is_said_where_trainings_do_not(seeds: int, ahead: TrainedModel | None, end: str) -> None:
    more = {} if ahead is None else {"usual": ahead}
    said = conclusion(verdict(results(**more), seeds=seeds, **dict.fromkeys(["ahead"] if more else [], "usual")))
    start = "the policy that was forecast to be best: 80.0 % on average and 50.0 % in the worst class; no augmentation"
    assert f"; {start}: 80.0 % and 40.0 %. " in said
    assert said.endswith(end)
    assert ("The usual default had a better worst class (" in said) is bool(more)


@pytest.mark.parametrize(("policy", "why"), [(SPARED, "`--format yaml` has it."), (WEIGHTED, "not wanted here.")])
def test_what_was_better_and_may_not_be_recommended_is_named(policy: Policy, why: str) -> None:
    name = "weighted" if policy.class_weights else "relaxed"
    said = conclusion(verdict(results(**{name: trained(policy, 0.7)}), barred=name))
    assert "was better (80.0 % on average and 70.0 % in the worst class), but" in said
    assert said.endswith(why)
    assert "No rival" not in said


def verified(**policies: TrainedModel) -> Profile:
    block = VerifiedModel(tolerance=0.05, seeds=5, policies=policies)
    return profile(3, images=20).model_copy(update={"verified": block})


def test_files_begin_with_what_trainings_showed_of_just_their_policy() -> None:
    known = verified(**results(weighted=trained(WEIGHTED, 0.7), relaxed=trained(SPARED, 0.6)))
    assert "the policy with class weights was best" in reason(known, WEIGHTED)
    assert "that was forecast to be best: 80.0 % on average" in reason(known, OWN)
    assert reason(known, OTHER) == ""
    assert reason(profile(3, images=20), OWN) == ""
    nothing = uniform({}, NAMES[:3])
    assert "is forecast to be clearly better than to train without" in reason(profile(3, images=20), nothing)
    chosen = reason(verified(**{"none": trained(None, 0.7), "global": trained(OWN, 0.5)}), nothing)
    assert "no augmentation was best: 80.0 % on average and 70.0 %" in chosen
    assert "forecast to be better" not in chosen


@pytest.mark.parametrize(("mean", "weak"), [(0.61, True), (0.63, False)])
def test_networks_far_below_the_model_are_called_weaker(mean: float, weak: bool) -> None:
    """The analyzed model recognizes 82.3 %."""
    found = verdict(results(none=trained(None, 0.3, mean=mean)))
    summary = profile(3, images=20).summary.model_copy(update={"clean_accuracy": 0.823})
    said = said_of(profile(3, images=20).model_copy(update={"summary": summary}), found, verified=True)
    more = " These networks are weaker than the analyzed model, which recognizes 82.3 %."
    assert said == conclusion(found) + (more if weak else "")


def test_trainings_with_other_policies_are_said_to_be_that() -> None:
    known = verified(**results())
    assert said_of(known, None, verified=False).startswith("`cuesense verify` trained other policies than this one")
    assert said_of(known, None, verified=True) == ""
    assert said_of(profile(3, images=20), None, verified=False) == ""
    found = verdict(results())
    assert said_of(known, found, verified=True) == conclusion(found)
