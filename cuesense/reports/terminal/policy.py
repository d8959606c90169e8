"""The lines beside a recommended policy: what limits each augmentation, and the accuracy that policies are forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cuesense.policies.policy import Limit, Outlook, Policy, augmentation
from cuesense.reports.profile_text import value_text
from cuesense.reports.text import percent, printable, readable_name
from cuesense.schemas.profile import TrainedModel

# The forecast's networks reach so much less clean accuracy than the analyzed model that they are another kind of
# network: their losses say little about it (10 points, chosen by hand, not tuned).
_UNDERFIT = 0.1

# Up to this share of augmented views a policy by class needs no warning. With half of the views clean it was above no
# augmentation on the planted world, with a fifth it lost to it (docs/budgets.md, "Half of the views clean").
_GUARDED_PROBABILITY = 0.5

_NO_FORECAST = (
    "No forecast: limits are the strongest values under which the model, without retraining, still recognizes its "
    "images, which is overcautious. Give --train DATASET (or --head) to forecast what training with them costs."
)
_NONE_SAFE = "No augmentation is shown to be safe for every class: the policy for all classes is empty."
_LEAKING = (
    "warning: values differ by class, so a network can recognize a class by its augmentation; --probability 0.5 leaves "
    "half of the views clean, which prevents most of it (docs/budgets.md)."
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
        limits: What limits each augmentation.
        outlooks: The forecast accuracy of each policy that is compared; empty where there is no forecast.
        analyzed: Clean accuracy of the analyzed model, a fraction; None where it is not known.
        verified: What trainings with the policy and without augmentation showed; empty where there were none.
        policy: The policy.

    Returns:
        Lines of text.
    """
    found = [_limit(entry) for entry in limits]
    if not any(entry.value is not None for entry in limits):
        found.append(_NONE_SAFE)
    found += _verified(verified)
    if policy.scope != "global" and policy.probability > _GUARDED_PROBABILITY and policy.names:
        found.append(_LEAKING)
    if not outlooks:
        return [*found, _NO_FORECAST]
    return [*found, *_underfit(outlooks["none"].mean, analyzed), *map(_forecast, outlooks, outlooks.values())]


def _limit(entry: Limit) -> str:
    name = readable_name(entry.augmentation)
    unsafe = f"; not shown to be safe for {', '.join(map(printable, entry.given_up))}" if entry.given_up else ""
    if entry.value is None:
        limit = "left out"
    else:
        limit = f"to {value_text(entry.value, augmentation(entry.augmentation).unit)}"
    if entry.limiting is not None:
        return f"{name}: {limit}, because of {printable(entry.limiting)} ({entry.limited_by}){unsafe}"
    return f"{name}: {limit}{'' if entry.value is None else ', the end of its ladder'}{unsafe}"


def _verified(trained: Mapping[str, TrainedModel]) -> list[str]:
    if "policy" not in trained or "none" not in trained:
        return []
    own, plain = trained["policy"], trained["none"]
    warning = "warning: " if own.worst < plain.worst else ""
    return [
        f"{warning}verified by training: {percent(own.mean)} on average, worst class {percent(own.worst)}; "
        f"without augmentation {percent(plain.mean)} and {percent(plain.worst)}"
    ]


def _underfit(plain: float, analyzed: float | None) -> list[str]:
    if analyzed is None or plain >= analyzed - _UNDERFIT:
        return []
    return [
        f"warning: trained without augmentation, the networks of the forecast reach {percent(plain)}, the analyzed "
        f"model {percent(analyzed)}: their losses may differ from what it would lose. Give more images or --epochs, "
        "or --from MODEL."
    ]


def _forecast(name: str, entry: Outlook) -> str:
    worst = f"worst class {percent(entry.worst)} ({printable(entry.worst_class)})"
    return f"forecast for {readable_name(name)}: {percent(entry.mean)} on average, not counting gains, {worst}"
