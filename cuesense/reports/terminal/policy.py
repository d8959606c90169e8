"""The lines beside a recommended policy: what it is forecast to give, against what, who is at risk, what limits it."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.policies.advice import LEFT_OUT, NEXT, NONE, RECOMMENDED, USUAL, Advice
from cuesense.policies.policy import ClassAtRisk, Limit, Outlook, Policy, augmentation
from cuesense.reports.profile_text import value_text
from cuesense.reports.text import percent, printable, readable_name
from cuesense.schemas.profile import VerifiedModel

# The forecast's networks reach so much less clean accuracy than the analyzed model that they are another kind of
# network: their losses say little about it (10 points, chosen by hand, not tuned).
_UNDERFIT = 0.1

# Up to this share of augmented views a policy by class needs no warning. With half of the views clean it was above no
# augmentation on the planted world, with a fifth it lost to it (docs/budgets.md, "Half of the views clean").
_GUARDED_PROBABILITY = 0.5
# Classes that are named before the rest is counted. Chosen by hand.
_NAMED = 5

_BASIS = {
    "no training": "Forecast without training: from what the model loses at test time and what trainings on other "
    "images cost such classes (docs/budgets.md), so ranges are wide. Give --train DATASET to forecast from trainings "
    "of your own.",
    "head": "Forecast from refitted heads, without training: gains are not seen. Give --train DATASET for more.",
    "trained": "Forecast from trainings without augmentation and with the strongest value of each.",
    "trained and head": "Forecast from trainings and refitted heads.",
}
_LEAKING = (
    "warning: values differ by class, so a network can recognize a class by its augmentation; --probability 0.5 leaves "
    "half of the views clean, which prevents most of it (docs/budgets.md)."
)
_WEIGHTS = (
    "Class weights (after CLAM) let classes that are forecast to be harmed count more in the loss; the forecast does "
    "not know what they give. In our trainings they raised the worst class (docs/value.md)."
)
_TRAINED = {"none": "without augmentation", "global": "with the policy for all classes that was forecast to be best"}
_PROVEN = "These trainings count more than the forecasts of any policy, which --json still lists."
_VERIFY = "Several augmentations together are assumed to add up: `cuesense verify` trains with the policy and tells."


def lines(advice: Advice, analyzed: float | None, more: Sequence[str] = (), library: str = "") -> list[str]:
    """Return what a person should know about a policy.

    Args:
        advice: The recommendation and its alternatives.
        analyzed: Clean accuracy of the analyzed model, a fraction; None where it is not known.
        more: Further sentences, which come before the basis of the forecast.
        library: The format that the policy is written in, where it is one that cannot treat classes differently.

    Returns:
        Lines of text.
    """
    policy = advice.policy
    if advice.proven:
        return [_headline(advice), advice.trainings, _PROVEN, *more]
    found = [_headline(advice), *([advice.trainings] if advice.trainings else [])]
    found += _verified(advice.verified) if advice.verdict is None else []
    found += [*_left_out(advice, library), *_compared(advice)]
    found += [_limit(entry, advice) for entry in advice.limits]
    if policy.scope != "global" and policy.probability > _GUARDED_PROBABILITY and policy.names:
        found.append(_LEAKING)
    found += [*more, *([_WEIGHTS] if policy.class_weights else []), _BASIS[advice.basis]]
    if advice.basis != "no training":
        found += _underfit(advice.outlooks[NONE].mean, analyzed)
    return [*found, _VERIFY] if len(policy.names) > 1 and not advice.verified else found


def describe(policy: Policy) -> str:
    """Return a policy in words, such as "random resized crop to 0.4, color jitter to 0.1"."""
    kinds = [values for values in policy.values if values]
    if not kinds:
        return "no augmentation"
    if len(kinds) > 1:
        return f"{len(kinds)} sets of values, by class"
    return ", ".join(
        f"{readable_name(name)} to {value_text(value, augmentation(name).unit)}" for name, value in kinds[0].items()
    )


def _headline(advice: Advice) -> str:
    policy, other = advice.policy, advice.policies.get(NEXT)
    if policy.names:
        spared = f", but not of {_listed(advice.spared)}" if advice.spared else ""
        weights = ", and class weights in the loss" if policy.class_weights else ""
        share = percent(policy.probability)
        return f"Recommended: {describe(policy)}, for {share} of the views{spared}{weights}."
    if advice.proven:
        return "Recommended: train without augmentation."
    if other is None:
        return "Recommended: train without augmentation; nothing else was measured."
    plain, found = advice.outlooks[NONE], advice.outlooks[NEXT]
    better = plain.mean - found.mean, plain.worst - found.worst
    return f"Recommended: train without augmentation. {_against(describe(other), better, found, advice)}"


def _against(other: str, better: tuple[float, float], found: Outlook, advice: Advice) -> str:
    """Return why the best other policy is not recommended."""
    if sum(better) >= 0:
        mean, worst = (_points(value) for value in better)
        best = f"the next best ({other})"
        return f"It is forecast to be better than {best} by {mean} on average and {worst} in the worst class."
    mean, worst = (_points(-value) for value in better)
    count = len(found.at_risk)
    change = f"is forecast to change the average by {mean} and the worst class by {worst}"
    if not count:
        return f"The best other policy ({other}) {change}, too little to be worth it."
    return (
        f"The best other policy ({other}) {change}, but puts {count} {'class' if count == 1 else 'classes'} at more "
        f"than {percent(advice.risk)} risk of losing over {_points(advice.tolerance)}: "
        f"{_listed([entry.name for entry in found.at_risk])}."
    )


def _left_out(advice: Advice, library: str) -> list[str]:
    """Return what is forecast to be better where classes may be left out of the augmentation."""
    policy, found, plain = advice.policies.get(LEFT_OUT), advice.outlooks.get(LEFT_OUT), advice.outlooks[NONE]
    if policy is None or found is None:
        return []
    better, worse = (f"{percent(part.mean)} on average, worst class {percent(part.worst)}" for part in (found, plain))
    views = f"{percent(policy.probability)} of the views of all but {_listed(policy.left_out)}"
    return [
        f"{describe(policy).capitalize()}, for {views}, is forecast to be better ({better}; without augmentation "
        f"{worse}); {library or 'one policy for all classes'} cannot treat classes differently: `--format yaml` has it."
    ]


def _compared(advice: Advice) -> list[str]:
    order = (RECOMMENDED, NONE, USUAL, NEXT) if advice.policy.names else (NONE, USUAL, NEXT)
    return [_outlook(name, advice) for name in order if name in advice.outlooks]


def _outlook(name: str, advice: Advice) -> str:
    found, policy = advice.outlooks[name], advice.policies[name]
    what = f"{name} ({describe(policy)})" if name in (USUAL, NEXT) else name
    if not found.worst_class:
        return f"forecast for {what}: unknown, no class has images"
    left_out = f"; without {_listed([readable_name(entry) for entry in found.left_out])}, of which nothing is known"
    risky = (
        f"; at risk: {'; '.join(map(_class_at_risk, found.at_risk[:_NAMED]))}{_rest(found.at_risk)}"
        if found.at_risk
        else ""
    )
    return (
        f"forecast for {what}: {percent(found.mean)} on average, worst class {percent(found.worst)} "
        f"({printable(found.worst_class)}){left_out if found.left_out else ''}{risky}"
    )


def _class_at_risk(entry: ClassAtRisk) -> str:
    low, high = (100 * value for value in (entry.low, entry.high))
    return (
        f"{printable(entry.name)} loses {100 * entry.loss:.0f} points [{low:.0f}, {high:.0f}], "
        f"risk {percent(entry.risk)}"
    )


def _rest(at_risk: Sequence[ClassAtRisk]) -> str:
    return f"; and {len(at_risk) - _NAMED} more" if len(at_risk) > _NAMED else ""


def _limit(entry: Limit, advice: Advice) -> str:
    name = readable_name(entry.augmentation)
    if entry.value is None:
        limit = "left out"
    else:
        limit = f"to {value_text(entry.value, augmentation(entry.augmentation).unit)}"
    if entry.limiting is not None:
        loses = f"loses over {_points(advice.tolerance)} at a risk of {entry.limited_by}"
        return f"{name}: {limit}; one step further, {printable(entry.limiting)} {loses}"
    return f"{name}: {limit}, {entry.limited_by or 'more is forecast to give no more'}"


def _verified(seen: VerifiedModel | None) -> list[str]:
    """Return what trainings with the recommended policy and with others showed, in a line."""
    if seen is None:
        return []
    own, plain = seen.policies["policy"], seen.policies.get("none")
    others = (
        f"; {what} {percent(other.mean)} and {percent(other.worst)}"
        for name, what in _TRAINED.items()
        if (other := seen.policies.get(name)) is not None and other.policy != own.policy
    )
    warning = "warning: " if plain is not None and own.worst < plain.worst else ""
    seeds = f"{seen.seeds} seed{'' if seen.seeds == 1 else 's'}"
    return [
        f"{warning}verified by training ({seeds}): {percent(own.mean)} on average, worst class {percent(own.worst)}"
        + "".join(others)
    ]


def _underfit(plain: float, analyzed: float | None) -> list[str]:
    if analyzed is None or plain >= analyzed - _UNDERFIT:
        return []
    return [
        f"warning: trained without augmentation, the networks of the forecast reach {percent(plain)}, the analyzed "
        f"model {percent(analyzed)}: their losses may differ from what it would lose. Give more images or --epochs, "
        "or --from MODEL."
    ]


def _points(value: float) -> str:
    # Adding 0 makes a negative zero a plain one.
    number = f"{round(100 * value, 1) + 0.0:.1f}".removesuffix(".0")
    return f"{number} point{'' if number == '1' else 's'}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(printable, names[:_NAMED]))
    return shown + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
