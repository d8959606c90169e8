"""A recommendation with its reasons: what is forecast for it, and against what it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cuesense.errors import SettingsError, expected
from cuesense.policies.expected_losses import Basis, ExpectedLosses, expected_losses
from cuesense.policies.losses_by_lean import LeanLosses, losses_by_lean
from cuesense.policies.outlook import outlook
from cuesense.policies.policy import (
    DEFAULT_AUGMENTATIONS,
    Limit,
    Outlook,
    Policy,
    PolicyOptions,
    Scope,
    severities_within,
    sparing,
    uniform,
)
from cuesense.policies.profile_budgets import levels_of, profile_of
from cuesense.policies.recommend import after_verification, decide, verdict_on, verified, with_classes_left_out
from cuesense.policies.rivals import Verdict
from cuesense.policies.verdicts import said_of
from cuesense.schemas.profile import Profile, VerifiedModel
from cuesense.types import LazyFunction

# The words for an advice lie in a room above this one: they are imported when they are asked for.
_SUMMARY = LazyFunction("cuesense.reports.policy_summaries:advice_summary")

NONE, USUAL, RECOMMENDED, NEXT = "no augmentation", "the usual default", "recommended", "next best"
# Beside policies by class stands what is recommended where one policy serves all classes.
FOR_ALL = "the policy for all classes"
# What is forecast to be better, where classes may not be left out.
LEFT_OUT = "with classes left out"
# What stops an augmentation at its value.
LAST, NO_MORE, OVER_RISK = "the end of its ladder", "more is forecast to give no more", "over the risk one step further"

_DEFAULT = PolicyOptions()


@dataclass(frozen=True, repr=False)
class Advice:
    """What is recommended, what it is forecast to give, and what the alternatives are.

    Attributes:
        policy: The policy; without augmentations where training without is forecast to be best.
        basis: Where the forecasts come from.
        tolerance: Recall that a class may lose, a fraction.
        risk: The largest accepted chance, for each class, of losing more.
        outlooks: By ``"recommended"``, ``"no augmentation"``, ``"the usual default"`` and, where there is one,
            ``"next best"``; beside a policy by class by ``"the policy for all classes"``, where that is another one.
        policies: The policies of these.
        limits: What stops each augmentation of a policy for all classes; empty for policies by class.
        spared: Names of the classes that the policy for all leaves out.
        verified: What trainings with the policy showed, as ``policies.recommend.verified``; None where there are none.
        scope: For whom one set of values was wanted. The policy for all classes that leaves some out is by class.
        leans: Which classes the profile's own data say lose by which augmentation.
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
    scope: Scope = "global"
    leans: tuple[LeanLosses, ...] = ()
    verdict: Verdict | None = None
    trainings: str = ""

    def __repr__(self) -> str:
        """Return the policy and what is forecast for it and for its alternatives, in a few lines."""
        return str(_SUMMARY(self))

    @property
    def has_forecast(self) -> bool:
        """Whether anything is forecast: a class needs two images for that."""
        return bool(self.outlooks[NONE].worst_class)

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
            "limits": [_limit(entry) for entry in self.limits],
            "leans": [_lean(entry) for entry in self.leans],
        }

    def _trained(self) -> dict[str, Any] | None:
        if self.verified is None and not self.trainings:
            return None
        of_classes = {"policies": {"__all__": {"gain", "gain_margin"}}}
        seen = {} if self.verified is None else self.verified.model_dump(exclude=of_classes)
        verdict = self.verdict
        best = {} if verdict is None else {"best": verdict.best, "trained": verdict.trained, "seeds": verdict.seeds}
        return seen | best | ({"conclusion": self.trainings} if self.trainings else {})


def advise(profile: Profile | Path | str, options: PolicyOptions = _DEFAULT) -> Advice:
    """Return a recommendation, the same as ``recommend``, with its alternatives.

    Args:
        profile: The profile of the model, its file or its folder.
        options: Which policy is wanted.

    Returns:
        The advice.

    Raises:
        SettingsError: As in ``recommend``.
    """
    if not isinstance(options, PolicyOptions):
        do = 'Pass, for instance, cuesense.PolicyOptions(scope="grouped")'
        raise SettingsError(expected("options", "PolicyOptions", type(options).__name__, do))
    known = profile_of(profile)
    names = tuple(entry.name for entry in known.classes)
    losses = expected_losses(known, options.augmentations)
    # Estimating losses without training takes most of the time: once, where no augmentations were chosen.
    every = losses if options.augmentations is None else expected_losses(known)
    levels = levels_of(known, tolerance=options.tolerance, risk=options.risk)
    tolerance, risk = levels.tolerance, levels.risk
    found = decide(known, options, losses)
    chosen = after_verification(known, found.policy, options, losses)
    other = found.runner_up if chosen.content == found.policy.content else found.policy
    compared = {
        RECOMMENDED: chosen,
        NONE: uniform({}, names, options.probability),
        USUAL: uniform(DEFAULT_AUGMENTATIONS, names, options.probability),
    }
    others = {
        NEXT: other,
        FOR_ALL: _for_all(known, options, losses),
        LEFT_OUT: with_classes_left_out(known, found.policy, options, losses),
    }
    compared |= {name: entry for name, entry in others.items() if entry is not None and entry.content != chosen.content}
    outlooks = {
        name: outlook(every if name == USUAL else losses, names, entry, tolerance=tolerance, risk=risk)
        for name, entry in compared.items()
    }
    clean = [name for index, name in enumerate(names) if not chosen.of_class(index)]
    spared = tuple(clean) if options.scope == "global" and chosen.names else ()
    limits = _limits(losses, chosen, spared, tolerance, risk) if options.scope == "global" else ()
    seen = verified(known, chosen)
    verdict = verdict_on(known, found.policy, options, losses)
    return Advice(
        chosen,
        losses.basis,
        tolerance,
        risk,
        outlooks,
        compared,
        limits=limits,
        spared=spared,
        verified=seen,
        scope=options.scope,
        leans=tuple(losses_by_lean(known)),
        verdict=verdict,
        trainings=said_of(known, verdict, verified=seen is not None),
    )


def _for_all(profile: Profile, options: PolicyOptions, losses: ExpectedLosses) -> Policy | None:
    """Return what would be recommended for all classes, beside a policy by class; None where that is what is wanted."""
    if options.scope == "global":
        return None
    wanted = replace(options, scope="global")
    return after_verification(profile, decide(profile, wanted, losses).policy, wanted, losses)


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
        severity = 0 if value is None else severities_within(name, ladder, value)
        if severity == len(ladder):
            found.append(Limit(name, value, is_last=True))
            continue
        stronger = sparing({**values, name: ladder[severity]}, policy.class_names, spared, policy.probability)
        at_risk = outlook(losses, policy.class_names, stronger, tolerance=tolerance, risk=risk).at_risk
        stops = (at_risk[0].name, at_risk[0].risk) if at_risk else (None, None)
        found.append(Limit(name, value, *stops))
    return tuple(found)


def reason(limit: Limit) -> str:
    """Return what stops an augmentation at its value: ``LAST``, ``NO_MORE`` or ``OVER_RISK``."""
    return LAST if limit.is_last else NO_MORE if limit.limiting is None else OVER_RISK


def _limit(entry: Limit) -> dict[str, Any]:
    return {
        "augmentation": entry.augmentation,
        "value": entry.value,
        "reason": reason(entry),
        "limiting_class": entry.limiting,
        "risk": None if entry.risk is None else _number(entry.risk),
    }


def _lean(entry: LeanLosses) -> dict[str, Any]:
    return {
        "augmentation": entry.augmentation,
        "cue": entry.cue.value,
        "classes": list(entry.classes),
        "sentence": entry.sentence,
    }


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
