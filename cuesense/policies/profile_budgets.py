"""Budgets recomputed from a profile, at any tolerance, confidence and risk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cuesense.errors import SettingsError, expected
from cuesense.policies.budgets import Levels, budget, forecast_budget
from cuesense.policies.policy import augmentation
from cuesense.schemas.profile import ForecastModel, LossModel, Profile
from cuesense.types import Budget, Curve, Role
from cuesense.validation import check_fraction, check_risk, is_number


def profile_of(profile: Profile | Path | str) -> Profile:
    """Return a profile, read from its file or folder where it is named by it.

    Raises:
        SettingsError: It is neither, or the file is none of this schema version.
    """
    if isinstance(profile, Profile):
        return profile
    if not isinstance(profile, (str, Path)):
        got = type(profile).__name__
        raise SettingsError(expected("profile", "a Profile, a profile.json or its folder", got, "Pass one of these"))
    return Profile.read(profile)


def budgets_of(
    profile: Profile,
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    risk: float | None = None,
    augmentations: Sequence[str] | None = None,
) -> dict[str, list[Budget]]:
    """Return the budget of every class for every augmentation: by the forecast where there is one, else by the curves.

    Args:
        profile: The profile.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        confidence: Level of intervals and certificates, in (0.5, 1); None takes the profile's own.
        risk: The largest chance that a class loses more than the tolerance, in (0, 0.5]; None takes the profile's own.
        augmentations: Names to choose from; None takes all.

    Returns:
        Budgets of the C classes by augmentation.

    Raises:
        SettingsError: As in ``recommend``.
    """
    levels = levels_of(profile, tolerance=tolerance, confidence=confidence, risk=risk)
    curves = measured_augmentations(profile, augmentations)
    if profile.forecast is None:
        return {name: _budgets(curve, levels) for name, curve in curves.items()}
    refuse_unforecast(augmentations or (), profile.forecast.augmentations)
    return {
        name: _forecast_budgets(profile, profile.forecast, name, levels)
        for name in curves
        if name in profile.forecast.augmentations
    }


def levels_of(
    profile: Profile, *, tolerance: float | None = None, confidence: float | None = None, risk: float | None = None
) -> Levels:
    """Return the levels at which budgets are given, or raise SettingsError; None takes the profile's own."""
    check_numbers(profile, tolerance, confidence, risk=risk)
    return Levels(
        profile.policy.tolerance if tolerance is None else tolerance,
        profile.policy.confidence if confidence is None else confidence,
        profile.policy.risk if risk is None else risk,
    )


def check_numbers(
    profile: Profile,
    tolerance: float | None,
    confidence: float | None,
    all_but: float = 0.0,
    *,
    risk: float | None = None,
) -> None:
    """Raise SettingsError unless the numbers of ``recommend`` are in their ranges; None takes the profile's own."""
    check_fraction(profile.policy.tolerance if tolerance is None else tolerance, "--tolerance")
    check_fraction(profile.policy.confidence if confidence is None else confidence, "--confidence", low=0.5)
    check_risk(profile.policy.risk if risk is None else risk)
    if not is_number(all_but) or not 0 <= all_but < 1:
        raise SettingsError(expected("--all-but", "a share in [0, 1)", repr(all_but), "Change it, for instance to 0.1"))


def measured_augmentations(profile: Profile, augmentations: Sequence[str] | None = None) -> dict[str, Curve]:
    """Return the counts under every augmentation.

    Args:
        profile: The profile.
        augmentations: Names to choose from; None takes all that the profile measured.

    Returns:
        The curves by name.

    Raises:
        SettingsError: The profile measured no augmentation, or not one of these.
    """
    known = {curve.perturbation: curve for curve in profile.curves if curve.role is Role.AUGMENTATION}
    if not known:
        do = "Analyze with --config standard"
        raise SettingsError(expected("the profile", "one that measured augmentations", "none", do))
    if isinstance(augmentations, str):
        do = f'Pass ["{augmentations}"]'
        raise SettingsError(expected("augmentations", "a list of names", f"the text '{augmentations}'", do))
    if not isinstance(augmentations, Iterable | None):
        raise SettingsError(expected("augmentations", "a list of names", repr(augmentations), "Pass a list, or None"))
    for name in augmentations or ():
        if name not in known:
            do = f"Choose from {', '.join(known)}, or analyze with a configuration that measures it"
            raise SettingsError(
                expected("each name in --augmentations", "one that the profile measured", f"'{name}'", do)
            )
    return {name: curve.to_curve() for name, curve in known.items() if augmentations is None or name in augmentations}


def refuse_unforecast(augmentations: Sequence[str], found: Mapping[str, LossModel]) -> None:
    """Raise SettingsError where one of the named augmentations was not forecast."""
    for name in augmentations:
        if name not in found:
            command = f"`cuesense recommend PROFILE --train DATASET --augmentations {name}`"
            do = f"Choose from {', '.join(found)}, or forecast it too with {command}"
            raise SettingsError(expected("each name in --augmentations", "one that was forecast", f"'{name}'", do))


def _taken(found: LossModel, names: Sequence[str]) -> np.ndarray:
    """Return the share of each class's images (row) that training lets another class (column) take, (C, C)."""
    index_of, taken = {name: index for index, name in enumerate(names)}, np.zeros((len(names), len(names)))
    for leak in found.leaks:
        taken[index_of[leak.of], index_of[leak.rival]] = leak.share
    return taken


def _budgets(curve: Curve, levels: Levels) -> list[Budget]:
    return budget(curve, levels, [[None] * len(curve.n)] * len(curve.perturbation.ladder))


def _forecast_budgets(profile: Profile, forecast: ForecastModel, name: str, levels: Levels) -> list[Budget]:
    found, names = forecast.augmentations[name], [entry.name for entry in profile.classes]
    return forecast_budget(
        found.to_forecast(),
        replace(augmentation(name), ladder=tuple(found.values)),
        names,
        _taken(found, names),
        np.array([np.nan if value is None else value for value in forecast.accuracy]),
        levels=levels,
    )
