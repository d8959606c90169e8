"""How many images of each class are to be predicted under each condition, look by look, until all answers are settled.

Cues and budgets have targets of their own. A class goes on with all conditions that its cue rests on, or with none of
them; with an augmentation, only at severities that may still decide its budget. A class that stops keeps its part in
the prior correction: its images stand for those that were not seen (``weights``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cuesense.adaptive.answers import Answers, settled
from cuesense.adaptive.budgets import DOUBT, LikelyBudgets, likely_budgets
from cuesense.adaptive.cues import cue_conditions, cues_now, likely_cues
from cuesense.adaptive.looks import next_number, number_of_looks
from cuesense.arrays import Bools, Floats, Ints
from cuesense.perturbations.ablations import measured
from cuesense.policies.budgets import Levels
from cuesense.predictions.predictions import Predictions
from cuesense.types import Condition, Perturbation, Role

# Largest expected share of the classes with another cue than the full run gives them, and of the budgets of an
# augmentation; a part of it may be spent by each look, all parts alike.
WRONG = 0.02
# Classes that are settled are seen in at least this part of the images of those that are not: without, a class of 200
# images was corrected by 10 images of every other one, and its cue was another for that alone.
FOLLOWED = 8
# How often the biases of the prior correction are drawn at each look. They rest on the images of all classes: with one
# estimate for all simulated runs, on 50 photographs a class, answers that all of them agreed on were wrong.
VERSIONS = 8
# Smallest share of the simulated runs that settles a cue, and a budget. The agreement on cues is as good as its word;
# that on budgets is too sure between .8 and 1 (docs/method.md, "Fewer forwards"), so that all must agree.
LEAST_FOR_CUES, LEAST_FOR_BUDGETS = 0.9, 1.0


@dataclass(frozen=True)
class Plan:
    """What to predict up to the next look, and what is settled.

    Attributes:
        look: How many looks were taken, from 0.
        wanted: How many images of each class, first in the order of looks.places, are to be predicted under each
            condition, (M, C).
        cues: The likely cue of each class (cues.VERDICTS), as it was when it was settled, else as it is now.
        cue_settled: Which classes' cues are settled, (C,).
        budgets: The likely budgets by augmentation (budgets.severity_and_status), likewise.
        budget_settled: Which of these are settled, (C,) each.
        finished: Whether nothing that is not predicted is wanted.
    """

    look: int
    wanted: Ints
    cues: Answers
    cue_settled: Bools
    budgets: Mapping[str, Answers]
    budget_settled: Mapping[str, Bools]
    finished: bool = False


def first_plan(conditions: Sequence[Condition], perturbations: Sequence[Perturbation], images: Ints) -> Plan:
    """Return what to predict before the first look.

    The clean condition, and perturbations that are no augmentation and that no cue rests on, are predicted for all
    images: neither target says when they may stop.

    Args:
        conditions: All M conditions, the clean one first.
        perturbations: What is applied, each with its ladder.
        images: Images of each class, (C,).
    """
    read = {ablation.perturbation for ablation in measured(perturbations)}
    partly = np.array([_stops(condition, read) for condition in conditions])
    nothing = Answers(np.zeros_like(images), np.zeros(len(images)))
    augmentations = [entry.name for entry in perturbations if entry.role is Role.AUGMENTATION]
    return Plan(
        look=0,
        wanted=np.where(partly[:, None], next_number(np.zeros_like(images), images), images),
        cues=nothing,
        cue_settled=images == 0,
        budgets=dict.fromkeys(augmentations, nothing),
        budget_settled=dict.fromkeys(augmentations, images == 0),
    )


def _stops(condition: Condition, read: set[str]) -> bool:
    perturbation = condition.perturbation
    return perturbation is not None and (perturbation.role is Role.AUGMENTATION or perturbation.name in read)


def seen_under(plan: Plan, labels: Ints, places: Ints) -> Bools:
    """Return which images the plan wants under each condition, (M, N).

    Args:
        plan: The plan.
        labels: Class of each image, (N,).
        places: From looks.places, (N,).
    """
    return np.asarray(places < plan.wanted[:, labels])


def weights(labels: Ints, seen: Bools, images: Ints, rng: np.random.Generator | None) -> Floats:
    """Return how many images of its class each image seen under a condition may stand for, for stats.prior_correction.

    Each stands for itself, and in all for as many others as its class has unseen images, in random parts (Bayesian
    bootstrap): corrections by several draws differ as much as what is not seen leaves open. With all images of a class
    seen they are 1.

    Args:
        labels: Class of each image, (N,).
        seen: Which of them were seen, (N,).
        images: Images of each class, (C,).
        rng: Draws; None makes the parts equal.

    Returns:
        Shape (n,) for the n images seen.
    """
    of = labels[seen]
    parts = np.ones(len(of)) if rng is None else rng.exponential(size=len(of))
    unseen = images - np.bincount(of, minlength=len(images))
    return np.asarray(1 + unseen[of] * parts / np.bincount(of, weights=parts, minlength=len(images))[of])


def next_plan(plan: Plan, versions: Sequence[Predictions], places: Ints, levels: Levels, seed: int = 0) -> Plan:
    """Take a look at what was predicted, and return what to predict up to the next one.

    With all images of all classes seen the answers are those of the full run.

    Args:
        plan: The plan that was carried out.
        versions: VERSIONS of the predictions of all N images, alike but for the prior correction, which the first has
            with equal weights for the images of a class, and each other by its own draw of ``weights``; paired, the
            clean condition first. Under the others, what stands at images that the plan did not want does not matter.
        places: From looks.places, (N,).
        levels: What a budget may risk, and the level of intervals.
        seed: Seed of the simulated runs.
    """
    predictions = versions[0]
    labels = predictions.per_condition[0].labels
    images = np.bincount(labels, minlength=len(predictions.class_names))
    look = _Look(plan, versions, seen_under(plan, labels, places), images, levels)
    rng = generator(seed, plan.look)
    cues, cue_settled = look.cues(rng)
    wanted = look.more_for_cues(~cue_settled)
    budgets, budget_settled = dict(plan.budgets), dict(plan.budget_settled)
    for perturbation in predictions.perturbations:
        name = perturbation.name
        if perturbation.role is Role.AUGMENTATION and not budget_settled[name].all():
            found, now_settled = look.budgets(perturbation, rng)
            budgets[name], budget_settled[name] = found.answers, now_settled
            wanted = np.maximum(wanted, look.more_for_budgets(name, found.doubt, ~now_settled))
    finished = bool((wanted == plan.wanted).all())
    return Plan(plan.look + 1, wanted, cues, cue_settled, budgets, budget_settled, finished)


def generator(seed: int, look: int) -> np.random.Generator:
    """Return what draws at one look; any whole number is a seed."""
    return np.random.default_rng([seed % 2**64, look])


@dataclass(frozen=True)
class _Look:
    """One look: the plan that was carried out, and what it showed (arguments of ``next_plan``)."""

    plan: Plan
    versions: Sequence[Predictions]
    seen: Bools
    images: Ints
    levels: Levels

    @property
    def predictions(self) -> Predictions:
        """One version: they differ in the prior correction alone."""
        return self.versions[0]

    def cues(self, rng: np.random.Generator) -> tuple[Answers, Bools]:
        """Return the likely cues, those of settled classes as they were, and which are settled now."""
        plan, rows = self.plan, cue_conditions(self.predictions)
        classes = np.flatnonzero(~plan.cue_settled)
        if not len(classes):
            return plan.cues, plan.cue_settled
        seen, confidence = np.asarray(self.seen[rows].all(axis=0)), self.levels.confidence
        found = likely_cues(self.versions, seen, classes.tolist(), confidence, rng)
        answers = Answers(plan.cues.answer.copy(), plan.cues.agreement.copy())
        answers.answer[classes], answers.agreement[classes] = found.answer, found.agreement
        # What the images seen lead to is what is reported.
        reported = answers.answer.copy()
        reported[classes] = cues_now(self.predictions, seen, classes.tolist(), confidence)
        agrees, number = reported == answers.answer, plan.wanted[rows].min(axis=0)
        return answers, self._settled(answers, plan.cue_settled, agrees, number, LEAST_FOR_CUES)

    def budgets(self, perturbation: Perturbation, rng: np.random.Generator) -> tuple[LikelyBudgets, Bools]:
        """Return the likely budgets, those of settled classes as they were, and which are settled now."""
        rows = [self.predictions.rows[perturbation.name, severity] for severity in perturbation.severities]
        seen = np.array([self.seen[of_severity].all(axis=0) for of_severity in rows])
        found = likely_budgets(self.predictions, perturbation, seen, self.levels, rng)
        before, old = self.plan.budget_settled[perturbation.name], self.plan.budgets[perturbation.name]
        answers = Answers(
            np.where(before, old.answer, found.answers.answer), np.where(before, old.agreement, found.answers.agreement)
        )
        number = self.plan.wanted[[row for of_severity in rows for row in of_severity]].min(axis=0)
        agrees = found.now == answers.answer
        return replace(found, answers=answers), self._settled(answers, before, agrees, number, LEAST_FOR_BUDGETS)

    def _settled(self, answers: Answers, before: Bools, agrees: Bools, number: Ints, least: float) -> Bools:
        """Return which classes are settled, (C,): before, now, or as all their images are seen.

        None is now where the images seen lead to another answer than most simulated runs give.
        """
        looks = max(number_of_looks(self.images) - 1, 1)
        allowed = WRONG * (self.images > 0).sum() * min((self.plan.look + 1) / looks, 1)
        whole = number >= self.images
        spent = (1 - answers.agreement)[before & ~whole].sum()
        return np.asarray(
            before | whole | settled(answers.agreement, ~before & ~whole & agrees, allowed - spent, least)
        )

    def more_for_cues(self, going_on: Bools) -> Ints:
        """Return how many images are wanted, (M, C), where some classes go on with the conditions of cues."""
        wanted, rows = self.plan.wanted.copy(), cue_conditions(self.predictions)[1:]
        if not (rows and going_on.any()):
            return wanted
        number = np.where(going_on, next_number(wanted[rows[0]], self.images), wanted[rows[0]])
        # The others follow, so that the prior correction of those that go on is known as well.
        wanted[rows] = np.minimum(np.maximum(number, -(-number.max() // FOLLOWED)), self.images)
        return wanted

    def more_for_budgets(self, name: str, doubt: Floats, going_on: Bools) -> Ints:
        """Return the same where some classes go on with the severities of an augmentation that are in doubt."""
        wanted = self.plan.wanted.copy()
        rows = [self.predictions.rows[name, severity] for severity in range(1, len(doubt) + 1)]
        number = np.array([wanted[of_severity[0]] for of_severity in rows])
        doubt = np.where(going_on & (number < self.images), doubt, 0)
        more = (doubt > 0) & (doubt >= np.minimum(DOUBT, doubt.max(axis=0)))
        for of_severity, increased in zip(rows, np.where(more, next_number(number, self.images), number), strict=True):
            wanted[of_severity] = increased
        return wanted
