"""The lines beside a recommended policy: what it is forecast to give, against what, who is at risk, what limits it."""

from __future__ import annotations

from collections.abc import Sequence

from cuesense.policies.advice import FOR_ALL, LEFT_OUT, NEXT, NONE, RECOMMENDED, USUAL, Advice, reason
from cuesense.policies.losses_by_lean import LeanLosses
from cuesense.policies.policy import PROBABILITY, ClassAtRisk, Limit, Policy, augmentation
from cuesense.reports.policy_text import describe
from cuesense.reports.profile_text import BUDGET_WORDS, value_text
from cuesense.reports.text import counted, fixed, listed, percent, quoted, readable_name
from cuesense.schemas.profile import VerifiedModel
from cuesense.types import BudgetStatus

# The forecast's networks reach so much less clean accuracy than the analyzed model that they are another kind of
# network: their losses say little about it (10 points, chosen by hand, not tuned).
_UNDERFIT = 0.1

# Up to this share of augmented views a policy by class needs no warning. With half of the views clean it was above no
# augmentation on the planted world, with a fifth it lost to it (docs/budgets.md, "Half of the views clean").
_GUARDED_PROBABILITY = 0.5
# Classes that are named before the rest is counted; all are in the JSON. Chosen by hand.
_NAMED = 3
# Changes below this show as 0 points: they are no difference.
_SHOWN = 0.0005

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
_BUDGETS = (
    "Budgets, as in the report, are about accuracy drops on augmented test images; this advice is about what training "
    f'with an augmentation costs on clean ones: one with the budget "{BUDGET_WORDS[BudgetStatus.UNLIMITED]}" may be '
    "left out."
)
_WEIGHTS = (
    "Class weights (after CLAM) let classes that are forecast to be harmed count more in the loss; the forecast does "
    "not know what they give. In our trainings they raised the worst class (docs/value.md)."
)
_TRAINED = {"none": "without augmentation", "global": "with the policy for all classes that was forecast to be best"}
_PROVEN = "These trainings count more than the forecasts of any policy, which --json still lists."
_VERIFY = "Several augmentations together are assumed to add up: `cuesense verify` trains with the policy and tells."


def lines(advice: Advice, analyzed: float | None, library: str = "") -> list[str]:
    """Return what a person should know about a policy.

    Args:
        advice: The recommendation and its alternatives.
        analyzed: Clean accuracy of the analyzed model, a fraction; None where it is not known.
        library: The format that the policy is written in, where it is one that cannot treat classes differently.

    Returns:
        Lines of text, long ones unbroken; lines that begin with blanks belong to the one before.
    """
    policy = advice.policy
    if advice.proven:
        return [*_headline(advice), advice.trainings, _PROVEN, *(_lean(entry) for entry in advice.leans)]
    found = [*(_headline(advice) if advice.scope == "global" else _by_class(advice))]
    found += [advice.trainings] if advice.trainings else []
    found += _verified(advice.verified) if advice.verdict is None else []
    limits = _limits(advice) if advice.has_forecast else []
    found += [*_left_out(advice, library), *_compared(advice), *limits]
    if policy.scope != "global" and policy.probability > _GUARDED_PROBABILITY and policy.names:
        found.append(_LEAKING)
    found += [_lean(entry) for entry in advice.leans]
    found += [*([_WEIGHTS] if policy.class_weights else []), *([_BUDGETS] if limits else [])]
    found.append(_BASIS[advice.basis])
    if advice.basis != "no training":
        found += _underfit(advice.outlooks[NONE].mean, analyzed)
    return [*found, _VERIFY] if len(policy.names) > 1 and not advice.verified else found


def _in_full(policy: Policy) -> str:
    """Return an alternative in words, with its share of augmented views where that is not the usual one."""
    views = f", for {percent(policy.probability)} of the views" if policy.names else ""
    spared = f", but not of {_named(policy.left_out)}" if policy.left_out else ""
    return f"{describe(policy)}{views if policy.probability != PROBABILITY else ''}{spared}"


def _headline(advice: Advice) -> list[str]:
    policy, other = advice.policy, advice.policies.get(NEXT)
    if policy.names:
        spared = f", but not of {_named(advice.spared)}" if advice.spared else ""
        weights = ", and class weights in the loss" if policy.class_weights else ""
        return [f"Recommended: {_with_share(policy)}{spared}{weights}."]
    if advice.proven:
        return ["Recommended: train without augmentation."]
    if not advice.has_forecast:
        return ["Recommended: train without augmentation; nothing is forecast, since no class has two images."]
    if other is None:
        return ["Recommended: train without augmentation; nothing else was measured."]
    start = "Recommended: train without augmentation"
    if advice.verified is None:
        start += ": no policy within the accepted risk is forecast to be clearly better"
    return [f"{start}. {_turned_down(_in_full(other), advice)}"]


def _turned_down(other: str, advice: Advice) -> str:
    """Return what the best other policy is forecast to give beside no augmentation, and why it is not recommended."""
    at_risk, change = advice.outlooks[NEXT].at_risk, _change(advice, NEXT, NONE)
    gives = f"The next best ({other}) is forecast to give {_in_words(change)}"
    if at_risk:
        classes = f"{counted(len(at_risk), 'class')}: {_named([entry.name for entry in at_risk])}"
        return f"{gives}, and is {_over(advice)} for {classes}."
    return f"{gives}, too little to be worth it." if sum(change) > _SHOWN else f"{gives}."


def _by_class(advice: Advice) -> list[str]:
    """Return what is recommended for each class or cluster; first, whether it is forecast to be worse."""
    policy = advice.policy
    if not policy.names and not advice.has_forecast:
        return _headline(advice)
    flag, who = ("--grouped", "cluster of classes") if advice.scope == "grouped" else ("--per-class", "class")
    better = [_better(advice, name) for name in (NONE, FOR_ALL) if _is_better(advice, name)]
    instead = f" than {', and than '.join(better)}: leave out {flag}" if better else ""
    alone = "Each augmentation is considered by itself"
    alone += ", by its budgets at test time." if advice.basis == "no training" else ", by its forecast."
    if not policy.names:
        start = f"Recommended: train without augmentation: none is within the risk for any {who}"
        return [f"{start}; but that is forecast to be worse{instead}." if better else f"{start}.", alone]
    start = f"With {flag}: {_with_share(policy)}" if better else f"Recommended: {_with_share(policy)}"
    at_risk = advice.outlooks[RECOMMENDED].at_risk
    together = f" Together they are {_over(advice)} for {counted(len(at_risk), 'class')}." if at_risk else ""
    return [f"{start}; forecast to be worse{instead}." if better else f"{start}.", alone + together]


def _is_better(advice: Advice, name: str) -> bool:
    return name in advice.outlooks and sum(_change(advice, name, RECOMMENDED)) > _SHOWN


def _better(advice: Advice, name: str) -> str:
    """Return an alternative in words with what it gives more than what is recommended."""
    what = f" ({_in_full(advice.policies[name])})" if name == FOR_ALL else ""
    return f"{name}{what}, which gives {_in_words(_change(advice, name, RECOMMENDED))}"


def _change(advice: Advice, name: str, base: str) -> tuple[float, float]:
    """Return what one policy is forecast to give more than another, on average and in the worst class."""
    found, other = advice.outlooks[name], advice.outlooks[base]
    return found.mean - other.mean, found.worst - other.worst


def _in_words(change: tuple[float, float]) -> str:
    if all(abs(part) < _SHOWN for part in change):
        return "about the same"
    mean, worst = (
        "about the same" if abs(part) < _SHOWN else f"{_points(abs(part))} {'more' if part > 0 else 'less'}"
        for part in change
    )
    return f"{mean} on average and {worst} in the worst class"


def _over(advice: Advice) -> str:
    return f"over the accepted risk ({percent(advice.risk)} of losing over {_points(advice.tolerance)})"


def _left_out(advice: Advice, library: str) -> list[str]:
    """Return what is forecast to be better where classes may be left out of the augmentation."""
    policy, found, plain = advice.policies.get(LEFT_OUT), advice.outlooks.get(LEFT_OUT), advice.outlooks[NONE]
    if policy is None or found is None:
        return []
    better, worse = (f"{percent(part.mean)} on average, worst class {percent(part.worst)}" for part in (found, plain))
    views = f"{percent(policy.probability)} of the views of all but {_named(policy.left_out)}"
    return [
        f"{describe(policy).capitalize()}, for {views}, is forecast to be better ({better}; without augmentation "
        f"{worse}); {library or 'one policy for all classes'} cannot treat classes differently: `--format yaml` has it."
    ]


def _compared(advice: Advice) -> list[str]:
    own = [RECOMMENDED] if advice.policy.names else []
    order = [*own, NONE, FOR_ALL, USUAL, *([NEXT] if advice.has_forecast else [])]
    return [line for name in order if name in advice.outlooks for line in _outlook(name, advice)]


def _outlook(name: str, advice: Advice) -> list[str]:
    found, policy = advice.outlooks[name], advice.policies[name]
    title = f"the {name} policy" if name in (RECOMMENDED, NEXT) else name
    what = f"{title} ({_in_full(policy)})" if name in (USUAL, NEXT, FOR_ALL) else title
    if not found.worst_class:
        return [f"forecast for {what}: unknown, no class has two images"]
    unknown = ", ".join(readable_name(entry) for entry in found.left_out)
    left_out = f"; without {unknown}, of which nothing is known" if unknown else ""
    line = (
        f"forecast for {what}: {percent(found.mean)} on average, worst class {percent(found.worst)} "
        f"({quoted(found.worst_class)}){left_out}"
    )
    if not found.at_risk:
        return [line]
    but = "better than recommended, but " if name == NEXT and _is_better(advice, NEXT) else ""
    rest = f"; and {len(found.at_risk) - _NAMED} more" if len(found.at_risk) > _NAMED else ""
    return [line, f"  {but}over the risk for: {'; '.join(map(_class_at_risk, found.at_risk[:_NAMED]))}{rest}"]


def _class_at_risk(entry: ClassAtRisk) -> str:
    low, high = (fixed(100 * value, 0) for value in (entry.low, entry.high))
    name, loss, risk = quoted(entry.name), round(100 * entry.loss), f"(risk {percent(entry.risk)})"
    if loss < 0:
        return f"{name} gains {counted(-loss, 'point')}, but may lose {high} {risk}"
    return f"{name} loses {counted(loss, 'point')} [{low}, {high}] {risk}"


def _limits(advice: Advice) -> list[str]:
    """Return what stops each augmentation; those that stop alike share a line."""
    found: dict[str, list[str]] = {}
    for entry in advice.limits:
        # A value is its own augmentation's; classes and risks differ between the others, too.
        found.setdefault(_limit(entry, advice), []).append(readable_name(entry.augmentation))
    return [f"{', '.join(names)}: {limit}" for limit, names in found.items()]


def _limit(entry: Limit, advice: Advice) -> str:
    if entry.value is None:
        limit = "left out"
    else:
        limit = f"to {value_text(entry.value, augmentation(entry.augmentation).unit)}"
    if entry.limiting is not None:
        loses = f"the risk that {quoted(entry.limiting)} loses over {_points(advice.tolerance)}"
        return f"{limit}; one step further, {loses} is {percent(entry.risk)}"
    return f"{limit}, {reason(entry)}"


def _lean(entry: LeanLosses) -> str:
    return f"{entry.start}: {_named(entry.classes)}."


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


def _with_share(policy: Policy) -> str:
    return f"{describe(policy)}, for {percent(policy.probability)} of the views"


def _points(value: float) -> str:
    number = fixed(100 * value, 1).removesuffix(".0")
    return f"{number} point{'' if number == '1' else 's'}"


def _named(names: Sequence[str]) -> str:
    return listed([quoted(name) for name in names], _NAMED)
