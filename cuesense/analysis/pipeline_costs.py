"""From the predictions under a training transform to what each of its steps costs every class, and whether it pays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from cuesense.analysis.pipeline_sentences import MeasuredStep, headline, milder_setting, step_sentence
from cuesense.arrays import Floats
from cuesense.policies.budgets import Levels
from cuesense.policies.expected_losses import expected_losses, kept_without
from cuesense.policies.policy import PROBABILITY, augmentation
from cuesense.predictions.predictions import Predictions
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import (
    CostModel,
    PipelineModel,
    Profile,
    StepModel,
    TakenModel,
    TrainingModel,
)
from cuesense.schemas.profile_pipeline import Verdict
from cuesense.stats.confusions import rivals
from cuesense.stats.curves import count
from cuesense.stats.drop_risk import ExpectedDrops, expected_drops
from cuesense.stats.training_loss import Forecast
from cuesense.stats.training_prior import TRAINED_WITH, forecast_from_drops
from cuesense.types import Curve, Perturbation

# Probabilities that are tried as the largest safe one.
_PROBABILITIES = np.arange(20, 0, -1) / 20
# Half an image that changed is added to those of a class, so that a class without any change has an error, too.
_CHANGED = 0.5
# A step costs a class something from half a point on: less is shown as 0.
_SHOWN = 0.005
_DIGITS = 6
_CHANCE = "probability"


@dataclass(frozen=True)
class MeasuredPipeline:
    """A training transform whose effect was measured.

    Attributes:
        spec: What the user named.
        whole: All of it, by the share of images.
        steps: The steps that augment, in order.
        preparation: Names of the steps that do not.
        remarks: What was assumed or left out, in sentences.
    """

    spec: str
    whole: Perturbation
    steps: tuple[MeasuredStep, ...]
    preparation: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def pipeline_costs(measured: MeasuredPipeline, predictions: Predictions, profile: Profile) -> PipelineModel:
    """Return what a training transform costs every class, and whether its steps pay.

    Args:
        measured: The transform and its steps.
        predictions: What every image was taken for: clean, under the whole, under each step, and without each.
        profile: The profile of the same model on the same images; its policy's tolerance, confidence and risk count,
            and its forecast where it has one.

    Returns:
        The costs.
    """
    costs = _Costs(predictions, profile)
    whole = costs.seen(measured.whole)
    steps = [_step(costs, measured, step) for step in measured.steps]
    shares = [costs.of_severity(whole, severity) for severity in measured.whole.severities]
    return PipelineModel(
        spec=measured.spec,
        headline=headline(steps, shares[-1], costs.levels.tolerance),
        repeats=whole.curve.repeats,
        shares=list(measured.whole.ladder),
        whole=shares,
        steps=steps,
        preparation=list(measured.preparation),
        remarks=list(measured.remarks),
    )


@dataclass(frozen=True)
class _Seen:
    """What was seen of one perturbation.

    Attributes:
        perturbation: What was applied.
        right: Whether each image is right, per repeat and severity, (R, S, N).
        curve: The counts.
        drops: What they tell of every class.
    """

    perturbation: Perturbation
    right: np.ndarray
    curve: Curve

    @cached_property
    def drops(self) -> ExpectedDrops:
        return expected_drops(self.curve)


class _Costs:
    """Costs of perturbations on the images of one run."""

    def __init__(self, predictions: Predictions, profile: Profile) -> None:
        self.predictions, self.profile = predictions, profile
        self.names = [entry.name for entry in profile.classes]
        policy = profile.policy
        self.levels = Levels(policy.tolerance, policy.confidence, policy.risk)
        self.labels, self.clean = predictions.per_condition[0].labels, predictions.right(0)
        self.images = np.bincount(self.labels, minlength=len(self.names))

    def seen(self, perturbation: Perturbation) -> _Seen:
        rows = [self.predictions.rows[perturbation.name, severity] for severity in perturbation.severities]
        right = np.array([[self.predictions.right(row) for row in repeats] for repeats in zip(*rows, strict=True)])
        return _Seen(perturbation, right, count(perturbation, self.clean, right, self.labels, len(self.names)))

    def of_severity(self, seen: _Seen, severity: int, share: float = 1.0) -> CostModel:
        """Return the cost at a severity where only a share of the images is changed: a share of the whole cost."""
        drops, at = seen.drops, severity - 1
        low, high = drops.bounds(self.levels.confidence)
        return CostModel(
            mean=self._mean(self.clean - seen.right[:, at].mean(axis=0), share),
            drop=_listed(share * drops.drop[at]),
            low=_listed(share * low[at]),
            high=_listed(share * high[at]),
        )

    def difference(self, more: _Seen, less: _Seen) -> CostModel:
        """Return what one perturbation costs more than another at their strongest, on the same images."""
        change = less.right[:, -1].mean(axis=0) - more.right[:, -1].mean(axis=0)
        mean, error = self._by_class(change)
        half = ndtri((1 + self.levels.confidence) / 2) * error
        low, high = np.clip(mean - half, -1, 1), np.clip(mean + half, -1, 1)
        return CostModel(mean=self._mean(change), drop=_listed(mean), low=_listed(low), high=_listed(high))

    def taken(self, seen: _Seen, share: float) -> list[TakenModel | None]:
        """Return where the images go that each class loses at the strongest severity."""
        rows = self.predictions.rows[seen.perturbation.name, len(seen.perturbation.ladder)]
        predicted = np.concatenate([self.predictions.per_condition[row].predicted for row in rows])
        lost = np.concatenate([self.clean & ~self.predictions.right(row) for row in rows])
        labels = np.tile(self.labels, len(rows))
        # Any share counts: the profile says how large it is.
        found = rivals(predicted, lost, labels, len(self.names), self.predictions.output_names, "", 1e-12)
        return [None if one is None else TakenModel(rival=one.rival, share=share * one.share) for one in found]

    def safe_probability(self, drops: ExpectedDrops) -> float:
        """Return the largest probability at which no class is at more than the risk of losing the tolerance.

        An image is changed or not, so that the drop at a probability is that share of the drop of all images.
        """
        for probability in _PROBABILITIES.tolist():
            # No class can lose more than all of it.
            limit = min(self.levels.tolerance / probability, 1.0)
            if not (drops.risk(limit)[-1] > self.levels.risk).any():
                return float(probability)
        return 0.0

    def _mean(self, change: Floats, share: float = 1.0) -> Estimate:
        """Return the mean over the classes of what images lose, with a normal interval of its standard error."""
        mean, error = self._by_class(change)
        known = np.isfinite(mean)
        if not known.any():
            return Estimate(value=None, low=None, high=None)
        value, spread = mean[known].mean(), np.sqrt((error[known] ** 2).sum()) / known.sum()
        half = ndtri((1 + self.levels.confidence) / 2) * spread
        bounds = np.clip([share * (value - half), share * (value + half)], -1, 1).round(_DIGITS)
        return Estimate(value=round(float(share * value), _DIGITS), low=float(bounds[0]), high=float(bounds[1]))

    def _by_class(self, change: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard error of what the images of each class lose, (C,); NaN without images."""
        size = np.where(self.images > 0, self.images, np.nan)
        total, squared = (
            np.bincount(self.labels, weights=part, minlength=len(self.names)) for part in (change, change**2)
        )
        mean = total / size
        return mean, np.sqrt(np.maximum((squared + _CHANGED) / size - mean**2, 0) / size)


def _step(costs: _Costs, measured: MeasuredPipeline, step: MeasuredStep) -> StepModel:
    seen, tolerance = costs.seen(step.alone), costs.levels.tolerance
    alone = costs.of_severity(seen, 1, step.probability)
    drops = np.array([np.nan if value is None else value for value in alone.drop])
    training = _training(costs, step, seen.drops.drop[-1])
    known = None if step.augmentation is None else augmentation(step.augmentation)
    safe = costs.safe_probability(seen.drops)
    worst = int(np.nanargmax(drops)) if (drops > _SHOWN).any() else None
    found = StepModel(
        name=step.name,
        settings=step.settings,
        augmentation=step.augmentation,
        parameter=None if known is None else known.parameter,
        value=step.value,
        note=step.note,
        probability=step.probability,
        lost=seen.curve.lost[-1].tolist(),
        gained=seen.curve.gained[-1].tolist(),
        alone=alone,
        left_out=_left_out(costs, measured, step),
        worst_class=None if worst is None else costs.names[worst],
        taken=costs.taken(seen, step.probability),
        beyond=[costs.names[index] for index in np.flatnonzero(drops > tolerance)],
        safe_probability=safe,
        training=training,
        verdict=_verdict(training),
        milder=milder_setting(step, safe, costs.profile),
        sentence="",
    )
    said = step_sentence(found, costs.names)
    return found.model_copy(update={"sentence": said})


def _left_out(costs: _Costs, measured: MeasuredPipeline, step: MeasuredStep) -> CostModel | None:
    return None if step.without is None else costs.difference(costs.seen(measured.whole), costs.seen(step.without))


def _training(costs: _Costs, step: MeasuredStep, drop: Floats) -> TrainingModel | None:
    """Return what training with a step is forecast to cost; None where nothing is known of its kind.

    Args:
        costs: The run.
        step: The step.
        drop: Accuracy drop of each class where every image is changed, (C,).
    """
    name, value = step.augmentation, step.value
    if name is None or value is None:
        return None
    # The value of a flip is how often it is done; of others it is how strong, on the share of views that get it.
    is_chance = augmentation(name).parameter == _CHANCE
    views = 1.0 if is_chance else step.probability
    if costs.profile.forecast is not None and name in costs.profile.forecast.augmentations:
        losses = expected_losses(costs.profile)
        loss, spread = losses.of_values(name, np.full(len(costs.names), value))
        return _training_model(costs, Forecast(loss[None], spread[None]), views / losses.probability, losses.basis)
    if name not in TRAINED_WITH:
        return None
    known = [None if entry.images < 2 else entry.clean_accuracy for entry in costs.profile.classes]
    accuracy = np.array([np.nan if share is None else share for share in known])
    rows = (drop * step.probability if is_chance else drop)[None]
    forecast = forecast_from_drops(name, rows, [value], accuracy, kept_without(costs.profile))
    return _training_model(costs, forecast, views / PROBABILITY, "no training")


def _training_model(costs: _Costs, forecast: Forecast, share: float, basis: str) -> TrainingModel | None:
    """Return a forecast for another share of the views than it was made for, in proportion."""
    scaled = Forecast(share * forecast.loss, share * forecast.spread)
    known = np.isfinite(scaled.spread[0])
    if not known.any():
        return None
    loss = np.where(known, np.clip(scaled.loss[0], -1, 1), np.nan)
    risky = known & (np.where(known, scaled.risk(costs.levels.tolerance)[0], 0) > costs.levels.risk)
    return TrainingModel.model_validate(
        {
            "basis": basis,
            "mean": round(float(np.nanmean(loss)), _DIGITS),
            "loss": _listed(loss),
            "at_risk": [costs.names[index] for index in np.flatnonzero(risky)],
        }
    )


def _verdict(training: TrainingModel | None) -> Verdict:
    if training is None:
        return "unknown"
    if training.mean >= 0:
        return "does not pay"
    return "pays, but not for all" if training.at_risk else "pays"


def _listed(values: Floats) -> list[float | None]:
    """Return numbers for JSON, which has no NaN."""
    return [None if np.isnan(value) else round(value, _DIGITS) for value in np.asarray(values).tolist()]
