"""What a tracker of training runs gets of a profile: numbers under steady names, and the classes as a table."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pandas as pd

from cuesense.errors import SettingsError, expected
from cuesense.reports.text import css_class
from cuesense.reports.usual_losses import expected_loss, usual_severity
from cuesense.schemas.profile import Profile
from cuesense.types import Role

# Names in a tracker stay the same from version to version: dashboards are made of them.
PREFIX = "cuesense"


def scalars(profile: Profile) -> dict[str, float]:
    """Return a profile's numbers by the names under which a tracker keeps them.

    Args:
        profile: The profile.

    Returns:
        ``cuesense/clean_accuracy`` and ``cuesense/worst_class_accuracy`` (fractions), ``cuesense/classes_by_cue/CUE``
        (how many classes have each verdict), and ``cuesense/worst_loss/AUGMENTATION`` (the largest expected accuracy
        drop of a class at the usual strength, else at the strongest; a fraction). Unknown numbers are left out.
    """
    accuracies = {
        "clean_accuracy": profile.summary.clean_accuracy,
        "worst_class_accuracy": profile.summary.worst_class_accuracy,
    }
    counts = {f"classes_by_cue/{css_class(cue)}": float(count) for cue, count in profile.summary.labels.items()}
    found = {**accuracies, **counts, **_worst_losses(profile)}
    return {f"{PREFIX}/{name}": value for name, value in found.items() if value is not None}


def _worst_losses(profile: Profile) -> dict[str, float]:
    found = {}
    for curve in profile.curves:
        if curve.role is Role.AUGMENTATION and curve.values:
            name, severity = curve.perturbation, usual_severity(curve)
            known = [entry.budgets[name] for entry in profile.classes if name in entry.budgets and entry.images]
            losses = [expected_loss(budget, severity) for budget in known]
            if losses:
                found[f"worst_loss/{name}"] = max(losses)
    return found


def class_table(profile: Profile) -> pd.DataFrame:
    """Return the classes as rows of ``Profile.to_frame``, the strongest lean first, with plain values."""
    frame = profile.model_copy(update={"classes": profile.classes_by_lean}).to_frame().reset_index()
    # Trackers take numbers and texts; a missing value in a column of either is an object to them.
    return frame.astype(object).where(frame.notna(), None)


def check_profile(profile: object) -> None:
    """Raise SettingsError unless something is a profile."""
    if not isinstance(profile, Profile):
        got, do = f"an object of type {type(profile).__name__}", "Read it first: cuesense.Profile.read(path)"
        raise SettingsError(expected("the profile", "a cuesense.Profile", got, do))


def check_logger(logger: object, what: str, to_be: str, functions: tuple[str, ...], do: str) -> None:
    """Raise SettingsError unless an object has the functions that are called.

    Args:
        logger: The object.
        what: Its argument's name.
        to_be: What it should be, for the error.
        functions: Their names.
        do: What the user can do.
    """
    if not all(callable(getattr(logger, name, None)) for name in functions):
        raise SettingsError(expected(what, to_be, f"an object of type {type(logger).__name__}", do))


def library(module: str, name: str, extra: str) -> Any:
    """Import a tracker's library.

    Args:
        module: What is imported, for instance ``"torch.utils.tensorboard"``.
        name: What the library is called.
        extra: The extra of cuesense that installs it.

    Raises:
        SettingsError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        do = f"Install it: pip install 'cuesense[{extra}]'"
        raise SettingsError(expected(name, "installed", "no such package", do)) from None
