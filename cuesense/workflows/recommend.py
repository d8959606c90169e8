"""From a profile's file to a policy in the format of a training library, with a forecast first where one is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuesense.atomic_files import refuse_folder, refuse_same, write_file
from cuesense.exporters.common import left_out
from cuesense.policies.advice import Advice, advise
from cuesense.policies.policy import PolicyOptions
from cuesense.policies.recommend import check_options, export
from cuesense.reports.terminal.policy import lines
from cuesense.schemas.profile import Profile
from cuesense.types import Progress

# Giving another value than one of these asks for a forecast; without --train and --head it is refused. Where the model
# and the images lie does not: a script may always give that.
_NO_TRAINING: Mapping[str, Any] = {
    "head": False,
    "engine": "local",
    **dict.fromkeys(("train", "start", "epochs", "seeds", "image_size", "images_per_class")),
    **dict.fromkeys(("ray_address", "ray_workers", "gpus_per_worker")),
}


@dataclass(frozen=True)
class Export:
    """How a policy is written.

    Attributes:
        library: A registered exporter, such as ``"torchvision"``.
        image_size: Side of the network's input in pixels; None takes what the profile says.
        output: The file to write; None writes none.
    """

    library: str = "yaml"
    image_size: int | None = None
    output: Path | None = None


@dataclass(frozen=True)
class Recommendation:
    """A policy as a training library reads it, and what a person should know about it.

    Attributes:
        text: Code, flags, JSON or YAML, with a final newline.
        remarks: What the policy is forecast to give and against what, who is at risk, and what limits it, a line each.
        json: The policy as JSON, whatever the library, with the advice.
        advice: The policy and what it was compared with.
    """

    text: str
    remarks: list[str]
    json: str
    advice: Advice


def recommend_from_file(
    path: Path,
    options: PolicyOptions,
    target: Export,
    *,
    forecast: Mapping[str, Any],
    watch: Callable[[], AbstractContextManager[Progress]],
) -> Recommendation:
    """Recommend a policy, and write it to a file where one is named.

    Args:
        path: A profile.json or its folder; a forecast is kept in it.
        options: Which policy is wanted.
        target: How the policy is written.
        forecast: Arguments of ``workflows.forecast.forecast``; where they ask for no training, nothing is forecast.
        watch: Returns a context that takes the progress of a forecast.

    Returns:
        The policy and the remarks on it.

    Raises:
        CuesenseError: Something given is wrong. Options of the policy and its file are checked before networks are
            trained, which may take hours.
    """
    profile = Profile.read(path)
    _check_before_training(profile, options, target)
    if target.output is not None:
        refuse_same(target.output, path)
    if any(forecast[name] != usual for name, usual in _NO_TRAINING.items()):
        profile = _forecast(path, options, forecast, watch)
    advice = advise(profile, options)
    text = export(advice.policy, profile, target.library, target.image_size)
    if target.output is not None:
        write_file(target.output, text)
    forecast_warnings = profile.forecast.warnings if profile.forecast is not None else []
    warnings = dict.fromkeys([*profile.warnings_to_repeat, *forecast_warnings])
    remarks = [
        *lines(advice, profile.summary.clean_accuracy, target.library),
        *(f"Of the policy, {target.library} lacks a part. {sentence}" for sentence in left_out(text)),
        *(f"Warning: {warning}" for warning in warnings),
    ]
    listed = json.dumps(advice.policy.to_dict() | {"advice": advice.to_dict()}, indent=1) + "\n"
    return Recommendation(text, remarks, listed, advice)


def _check_before_training(profile: Profile, options: PolicyOptions, target: Export) -> None:
    check_options(profile, options, target.library, target.image_size)
    if target.output is not None:
        refuse_folder(target.output)


def _forecast(
    path: Path,
    options: PolicyOptions,
    training: Mapping[str, Any],
    watch: Callable[[], AbstractContextManager[Progress]],
) -> Profile:
    # Imported here, because it brings torch, which a policy without a new forecast does not need.
    from cuesense.workflows.forecast import forecast

    with watch() as progress:
        return forecast(
            path,
            augmentations=options.augmentations,
            probability=options.probability,
            progress=progress,
            **training,
        )
