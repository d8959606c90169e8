"""Profiles whose budgets hold the expected drop at every severity, as the analysis writes them."""

from __future__ import annotations

import numpy as np

from cuesense.schemas.profile import BudgetModel, ClassModel, Profile


def with_expected(known: Profile, seed: int = 0) -> Profile:
    """Return the profile with a rising expected drop for every class that has images, and its interval."""
    random = np.random.default_rng(seed)
    severities = {curve.perturbation: len(curve.values) for curve in known.curves}
    classes = [_class(entry, severities, random) if entry.images else entry for entry in known.classes]
    return known.model_copy(update={"classes": classes})


def _class(entry: ClassModel, severities: dict[str, int], random: np.random.Generator) -> ClassModel:
    found = {name: _budget(budget, severities[name], random) for name, budget in entry.budgets.items()}
    return entry.model_copy(update={"budgets": found})


def _budget(budget: BudgetModel, severities: int, random: np.random.Generator) -> BudgetModel:
    drops = np.sort(random.uniform(-0.05, 0.6, severities)).round(3)
    low, high = (drops - 0.05).tolist(), (drops + 0.05).tolist()
    return budget.model_copy(update={"expected": drops.tolist(), "expected_low": low, "expected_high": high})
