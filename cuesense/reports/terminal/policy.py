"""What is said beside a recommended policy: what stops each augmentation, and what policies are forecast to give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cuesense.policies.policy import Limit, Outlook, Policy, augmentation
from cuesense.reports import text
from cuesense.schemas.profile import TrainedModel

_NO_FORECAST = (
    "No forecast: doses are those under which the model as it is still recognizes its images, which is overcautious. "
    "Give --train DATASET (or --head) to forecast what training with them costs."
)
_UNDERFIT = 0.1
_GUARDED = 0.5
_LEAKING = (
    "warning: where doses differ by class, being augmented tells the class; --probability 0.5 leaves half of the views "
    "clean, which guards better (docs/budgets.md)."
)


def lines(
    limits: Sequence[Limit],
    outlooks: Mapping[str, Outlook],
    analyzed: float | None,
    verified: Mapping[str, TrainedModel],
    policy: Policy,
) -> list[str]:
    """Return what a person should know about a policy.

    Args:
        limits: What stops each augmentation.
        outlooks: The forecast accuracy of each policy that is compared; empty where there is no forecast.
        analyzed: Clean accuracy of the analyzed model, None where it is not known.
        verified: What trainings with the policy and without augmentation showed; empty where there were none.
        policy: The policy.

    Returns:
        Lines of text.
    """
    said = [_limit(entry) for entry in limits]
    if not any(entry.value is not None for entry in limits):
        said.append("No augmentation is shown to be safe for every class: the policy for all classes is empty.")
    said += _verified(verified)
    if policy.scope != "global" and policy.probability > _GUARDED and policy.names:
        said.append(_LEAKING)
    if not outlooks:
        return [*said, _NO_FORECAST]
    plain = outlooks["none"].mean
    if analyzed is not None and plain < analyzed - _UNDERFIT:
        said.append(
            f"warning: trained without augmentation, the networks of the forecast reach {text.percent(plain)}, the "
            f"analyzed model {text.percent(analyzed)}: what they lose may not be what it would. Give more images or "
            "--epochs, or --from MODEL."
        )
    return said + [_forecast(name, entry) for name, entry in outlooks.items()]


def _limit(entry: Limit) -> str:
    unit = augmentation(entry.augmentation).unit
    dose = "left out" if entry.value is None else f"to {text.dose(entry.value, unit)}"
    name = text.words(entry.augmentation)
    given_up = f"; not shown to be safe for {', '.join(map(text.plain, entry.given_up))}" if entry.given_up else ""
    if entry.limiting is None:
        return f"{name}: {dose}" + ("" if entry.value is None else ", the end of its ladder") + given_up
    return f"{name}: {dose}, because of {text.plain(entry.limiting)} ({entry.limited_by}){given_up}"


def _verified(seen: Mapping[str, TrainedModel]) -> list[str]:
    if "policy" not in seen or "none" not in seen:
        return []
    own, plain = seen["policy"], seen["none"]
    worse = own.worst < plain.worst
    return [
        f"{'warning: ' if worse else ''}verified by training: {text.percent(own.mean)} on average, worst class "
        f"{text.percent(own.worst)}; without augmentation {text.percent(plain.mean)} and {text.percent(plain.worst)}"
    ]


def _forecast(name: str, entry: Outlook) -> str:
    worst = f"worst class {text.percent(entry.worst)} ({text.plain(entry.worst_class)})"
    return f"forecast for {text.words(name)}: {text.percent(entry.mean)} on average without gains, {worst}"
