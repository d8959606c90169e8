"""Everything that a profile knows of one class, found by its name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuesense.errors import SettingsError, expected, listed
from cuesense.policies.profile_budgets import profile_of
from cuesense.reports.charts.curve_accuracies import class_accuracies
from cuesense.reports.text import quoted
from cuesense.schemas.by_name import nearest_names
from cuesense.schemas.profile import ClassModel, ForecastModel, PipelineModel, Profile, VerifiedModel

# Names that a sentence proposes. Chosen by hand.
_PROPOSED = 3


@dataclass(frozen=True)
class Explanation:
    """One class of a profile.

    Attributes:
        profile: The whole profile.
        at: Position of the class in ``profile.classes`` and in all counts.
    """

    profile: Profile
    at: int

    @property
    def entry(self) -> ClassModel:
        """The class."""
        return self.profile.classes[self.at]

    def to_json(self) -> str:
        """Return what the profile has of the class as JSON text with a final newline.

        Returns:
            An object with ``class`` (as in profile.json), ``curves`` (accuracies, the clean one first, and of an
            adaptive run ``seen``, the images at each severity), and
            ``forecast``, ``verified`` and ``pipeline``, null where the profile has none; of a list with an entry for
            every class each has the entry of this one.
        """
        profile = self.profile
        part = {
            "class": self.entry.model_dump(mode="json", by_alias=True),
            "curves": [
                curve.model_dump(mode="json", include={"perturbation", "role", "suppresses", "parameter", "unit"})
                | {"values": curve.values, "accuracy": class_accuracies(curve, self.at)}
                | ({} if curve.seen is None else {"seen": [row[self.at] for row in curve.seen]})
                for curve in profile.curves
            ],
            "forecast": None if profile.forecast is None else self._forecast(profile.forecast),
            "verified": None if profile.verified is None else self._verified(profile.verified),
            "pipeline": None if profile.pipeline is None else self._pipeline(profile.pipeline),
        }
        return json.dumps(part, indent=1, allow_nan=False) + "\n"

    def _forecast(self, forecast: ForecastModel) -> dict[str, Any]:
        budgets = forecast.budgets.get(self.entry.name, {})
        return {
            name: loss.model_dump(mode="json", include={"parameter", "unit", "values"})
            | {key: [row[self.at] for row in getattr(loss, key)] for key in ("loss", "low", "high", "risk", "flags")}
            | {"budget": budgets[name].model_dump(mode="json") if name in budgets else None}
            for name, loss in forecast.augmentations.items()
        }

    def _verified(self, verified: VerifiedModel) -> dict[str, Any]:
        found = verified.model_dump(mode="json")
        for policy in found["policies"].values():
            for key in ("gain", "gain_margin"):
                policy[key] = policy[key][self.at] if policy[key] else None
        return found

    def _pipeline(self, pipeline: PipelineModel) -> list[dict[str, Any]]:
        return [
            {"step": step.name, "probability": step.probability}
            | {key: getattr(step.alone, key)[self.at] for key in ("drop", "low", "high")}
            for step in pipeline.steps
        ]


def explain(profile: Profile | Path | str, name: str) -> Explanation:
    """Find a class of a profile.

    Args:
        profile: The profile, its file or its folder.
        name: The class's name or its unique beginning, in capitals or not, or its index.

    Raises:
        SettingsError: There is no such profile or class, or several classes fit.
    """
    known = profile_of(profile)
    return Explanation(known, find_class(known.classes, name))


def find_class(classes: Sequence[ClassModel], name: str) -> int:
    """Return the position of the class that a name means.

    A whole name counts before another spelling of it, that before an index, and an index before a beginning: a class
    may be called "3".

    Args:
        classes: All classes.
        name: The class's name or its unique beginning, in capitals or not, or its index.

    Raises:
        SettingsError: No class fits, or several do; the sentence has the nearest names.
    """
    wanted = name.strip().casefold()
    ways = (
        [at for at, entry in enumerate(classes) if entry.name == name],
        [at for at, entry in enumerate(classes) if entry.name.casefold() == wanted],
        [at for at, entry in enumerate(classes) if str(entry.index) == wanted],
        [at for at, entry in enumerate(classes) if wanted and entry.name.casefold().startswith(wanted)],
    )
    found = next((positions for positions in ways if positions), [])
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(_several(name, [classes[at] for at in found]))
    raise SettingsError(_none(name, classes))


def _several(name: str, fitting: Sequence[ClassModel]) -> str:
    names = listed([f"{quoted(entry.name)} (index {entry.index})" for entry in fitting], _PROPOSED)
    got = f"{quoted(name)}, which fits {len(fitting)}: {names}"
    return expected("CLASS", "the name of one class", got, "Give its whole name, or its index")


def _none(name: str, classes: Sequence[ClassModel]) -> str:
    proposed = nearest_names(name, [entry.name for entry in classes])
    if proposed:
        return f"Unknown class {quoted(name)}. Did you mean {' or '.join(map(quoted, proposed))}?"
    known = listed([quoted(entry.name) for entry in classes], _PROPOSED)
    return f"Unknown class {quoted(name)}. The {len(classes):,} classes are {known}; classes.csv lists all."
