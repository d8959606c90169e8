"""A recommendation with its reasons: what is forecast for it, and against what it was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cuesense.policies.expected_losses import Basis, ExpectedLosses, expected_losses
from cuesense.policies.outlook import outlook
from cuesense.policies.policy import (
    DEFAULT_AUGMENTATIONS,
    Limit,
    Outlook,
    Policy,
    PolicyOptions,
    augmentation,
    sparing,
    uniform,
)
from cuesense.policies.profile_budgets import levels_of
from cuesense.policies.recommend import after_verification, decide, verdict_on, verified, with_classes_left_out
from cuesense.policies.rivals import Verdict
from cuesense.policies.verdicts import said_of
from cuesense.schemas.profile import Profile, VerifiedModel

NONE, USUAL, RECOMMENDED, NEXT = "no augmentation", "the usual default", "recommended", "next best"
# What is forecast to be better, where classes may not be left out.
LEFT_OUT = "with classes left out"
# What stops an augmentation at its strongest value.
LAST = "the end of its ladder"


@dataclass(frozen=True)
class Advice:
    """What is recommended, what it is forecast to give, and what the alternatives are.

    Attributes:
        policy: The policy; without augmentations where training without is forecast to be best.
        basis: Where the forecasts come from.
        tolerance: Recall that a class may lose, a fraction.
        risk: The largest accepted chance, for each class, of losing more.
        outlooks: By ``"recommended"``, ``"no augmentation"``, ``"the usual default"`` and ``"next best"`` (where there
            is one).
        policies: The policies of these.
        limits: What stops each augmentation of a policy for all classes; empty for policies by class.
        spared: Names of the classes that the policy for all leaves out.
        verified: What trainings with the policy showed, as ``policies.recommend.verified``; None where there are none.
        verdict: What trainings showed of what was forecast to be best and of its rivals; None where it was not trained.
        trainings: The same in words, or that the trainings were with other policies; empty where there were none.
    """

    policy: Policy
    basis: Basis
    tolerance: float
    risk: float
    outlooks: Mapping[str, Outlook]
    policies: Mapping[str, Policy]
    limits: tuple[Limit, ...] = ()
    spared: tuple[str, ...] = ()
    verified: VerifiedModel | None = None
    verdict: Verdict | None = None
    trainings: str = ""

    @property
    def proven(self) -> bool:
        """Whether trainings, not forecasts, chose the policy."""
        return self.verdict is not None and self.verdict.replaces

    def to_dict(self) -> dict[str, Any]:
        """Return the advice as JSON values."""
        return {
            "basis": self.basis,
            "tolerance": self.tolerance,
            "risk": self.risk,
            "spared": list(self.spared),
            "compared": [
                {"name": name, "policy": self.policies[name].to_dict(), **_listed(found)}
                for name, found in self.outlooks.items()
            ],
            "verified": self._trained(),
        }

    def _trained(self) -> dict[str, Any] | None:
        if self.verified is None and not self.trainings:
            return None
        seen = {} if self.verified is None else self.verified.model_dump()
        verdict = self.verdict
        best = {} if verdict is None else {"best": verdict.best, "trained": verdict.trained, "seeds": verdict.seeds}
        return seen | best | ({"conclusion": self.trainings} if self.trainings else {})


def advise(profile: Profile, options: PolicyOptions) -> Advice:
    """Return a recommendation, the same as ``recommend``, with its alternatives.

    Args:
        profile: The profile of the model.
        options: Which policy is wanted.

    Returns:
        The advice.

    Raises:
        SettingsError: As in ``recommend``.
    """
    names = tuple(entry.name for entry in profile.classes)
    losses = expected_losses(profile, options.augmentations)
    # Estimating losses without training takes most of the time: once, where no augmentations were chosen.
    every = losses if options.augmentations is None else expected_losses(profile)
    levels = levels_of(profile, tolerance=options.tolerance, risk=options.risk)
    tolerance, risk = levels.tolerance, levels.risk
    found = decide(profile, options, losses)
    chosen = after_verification(profile, found.policy, options, losses)
    other = found.runner_up if chosen.content == found.policy.content else found.policy
    compared = {
        RECOMMENDED: chosen,
        NONE: uniform({}, names, options.probability),
        USUAL: uniform(DEFAULT_AUGMENTATIONS, names, options.probability),
    } | ({} if other is None or other.content == chosen.content else {NEXT: other})
    left_out = with_classes_left_out(profile, found.policy, options, losses)
    compared |= {} if left_out is None else {LEFT_OUT: left_out}
    outlooks = {
        name: outlook(every if name == USUAL else losses, names, entry, tolerance=tolerance, risk=risk)
        for name, entry in compared.items()
    }
    clean = [name for index, name in enumerate(names) if not chosen.of_class(index)]
    spared = tuple(clean) if options.scope == "global" and chosen.names else ()
    limits = _limits(losses, chosen, spared, tolerance, risk) if options.scope == "global" else ()
    seen = verified(profile, chosen)
    verdict = verdict_on(profile, found.policy, options, losses)
    said = said_of(profile, verdict, verified=seen is not None)
    return Advice(chosen, losses.basis, tolerance, risk, outlooks, compared, limits, spared, seen, verdict, said)


def _limits(
    losses: ExpectedLosses, policy: Policy, spared: tuple[str, ...], tolerance: float, risk: float
) -> tuple[Limit, ...]:
    """Return, for each augmentation, which class its next severity puts at more risk than is accepted."""
    kinds = [values for values in policy.values if values]
    if len(kinds) > 1:
        # What a verification showed to be better may differ by class: then no single value is limited.
        return ()
    values = kinds[0] if kinds else {}
    found = []
    for name, ladder in losses.ladders.items():
        value = values.get(name)
        severity = _reached(name, ladder, value)
        if severity == len(ladder):
            found.append(Limit(name, value, None, LAST))
            continue
        stronger = sparing({**values, name: ladder[severity]}, policy.class_names, spared, policy.probability)
        at_risk = outlook(losses, policy.class_names, stronger, tolerance=tolerance, risk=risk).at_risk
        stops = (at_risk[0].name, f"{at_risk[0].risk:.0%}") if at_risk else (None, None)
        found.append(Limit(name, value, *stops))
    return tuple(found)


def _reached(name: str, ladder: Sequence[float], value: float | None) -> int:
    """Return how many severities are no stronger than a value, which need not be one of theirs; 0 for None."""
    if value is None:
        return 0
    identity = augmentation(name).identity
    return sum(abs(step - identity) <= abs(value - identity) for step in ladder)


def _listed(found: Outlook) -> dict[str, Any]:
    return {
        "mean": _number(found.mean),
        "worst": _number(found.worst),
        "worst_class": found.worst_class or None,
        "at_risk": [
            {"class": entry.name} | {key: _number(value) for key, value in vars(entry).items() if key != "name"}
            for entry in found.at_risk
        ],
        "not_counted": list(found.left_out),
    }


def _number(value: float) -> float | None:
    return round(value, 6) if value == value else None
