"""The recommended policy as a page shows it: values, limits, forecasts, the risk of each class, and code to copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cuesense.errors import CuesenseError
from cuesense.policies.advice import FOR_ALL, LEFT_OUT, NEXT, NONE, RECOMMENDED, USUAL, Advice, reason
from cuesense.policies.policy import ClassAtRisk, Limit, Policy, augmentation
from cuesense.policies.recommend import export, recommend
from cuesense.policies.rivals import rebuilt
from cuesense.reports.policy_text import describe
from cuesense.reports.profile_text import value_text
from cuesense.reports.text import counted, percent, points_with_unit, quoted, readable_name
from cuesense.reports.verification_text import NAMES
from cuesense.schemas.profile import Profile, TrainedModel

# The libraries of which the page has code, by the name of their exporter.
LIBRARIES = {
    "torchvision": "torchvision",
    "kornia": "kornia",
    "albumentations": "albumentations",
    "timm": "timm",
    "ultralytics": "Ultralytics",
}
_ORDER = {
    RECOMMENDED: "Recommended",
    NONE: "No augmentation",
    FOR_ALL: "Policy for all classes",
    LEFT_OUT: "With classes left out",
    USUAL: "Usual default",
    NEXT: "Next best",
}
_TRAINED = NAMES | {"global": "the policy for all classes", "recommended": "the recommended policy"}
# What policies by class are held against; nobody trains with them.
_CONTROLS = ("permuted", "matched")


@dataclass(frozen=True)
class ComparedPolicy:
    """One policy and what it is forecast to give.

    Attributes:
        title: What it is, for instance "Recommended".
        words: What it does, in words.
        mean: Forecast of the mean of the classes' recalls; None where it is not known.
        worst: Forecast of the lowest of them.
        worst_class: The class that has it; empty where it is not known.
        over: How many classes are over the accepted risk; None where it is not known.
        is_recommended: Whether this is the recommended policy.
    """

    title: str
    words: str
    mean: float | None
    worst: float | None
    worst_class: str
    over: int | None
    is_recommended: bool


@dataclass(frozen=True)
class Code:
    """A policy for one training library.

    Attributes:
        library: The library's name.
        text: The code, flags or settings; empty where the library cannot do what the policy does.
        problem: Why, in that case.
    """

    library: str
    text: str
    problem: str = ""


@dataclass(frozen=True)
class VerifiedGains:
    """What trainings with one policy showed of the C classes.

    Attributes:
        title: What the policy is, for instance "the usual default".
        gain: Change of the recall of each class against no augmentation, a share, length C; None where not known.
        margin: Half the width of its interval, likewise.
        forecast: Which of the two forecasts of ``PolicyView.risks`` is of this very policy; None: neither.
    """

    title: str
    gain: Sequence[float | None]
    margin: Sequence[float | None]
    forecast: int | None


@dataclass(frozen=True)
class PolicyView:
    """The policy section of a page.

    Attributes:
        advice: What is recommended.
        values: Value as text and what limits it, for each augmentation; empty where nothing is forecast.
        compared: The policies, the recommended one first.
        risks: For each class by its name: forecast with the recommended policy and with the usual default, either of
            which may be unknown.
        code: The policy for each library.
        code_of: Which policy the code is of, in words, where it is not the recommended one; empty elsewhere.
        trained: What trainings showed of policies: name, and the result.
        gains: What they showed of each class, once for each different policy that changes the training; no controls.
    """

    advice: Advice
    values: tuple[tuple[str, str, str], ...]
    compared: tuple[ComparedPolicy, ...]
    risks: Mapping[str, tuple[ClassAtRisk | None, ClassAtRisk | None]]
    code: tuple[Code, ...]
    code_of: str
    trained: tuple[tuple[str, TrainedModel], ...]
    gains: tuple[VerifiedGains, ...] = ()


def policy_view(profile: Profile, advice: Advice) -> PolicyView:
    """Return what the page shows of a recommendation.

    Args:
        profile: The profile.
        advice: What ``cuesense.advise`` says of it.
    """
    code_policy, code_of = _for_libraries(profile, advice)
    trained = profile.verified.policies if profile.verified is not None else {}
    limits = advice.limits if advice.has_forecast else ()
    return PolicyView(
        advice=advice,
        values=tuple((limit.augmentation, *_value_and_limit(limit, advice)) for limit in limits),
        compared=tuple(_compared(advice)),
        risks=_risks(advice),
        code=tuple(_code(profile, code_policy, name) for name in LIBRARIES),
        code_of=code_of,
        trained=tuple((_TRAINED.get(name, name.replace("_", " ")), found) for name, found in trained.items()),
        gains=tuple(_gains(trained, advice)),
    )


def _gains(trained: Mapping[str, TrainedModel], advice: Advice) -> list[VerifiedGains]:
    forecast = [advice.policies[name].content if name in advice.policies else None for name in (RECOMMENDED, USUAL)]
    found, seen = [], list[object]([None])
    for name, known in trained.items():
        content = rebuilt(known, advice.policy.class_names).content
        if known.gain and name not in _CONTROLS and content not in seen:
            seen.append(content)
            place = forecast.index(content) if content in forecast else None
            margin = known.gain_margin or [None] * len(known.gain)
            found.append(VerifiedGains(_TRAINED.get(name, readable_name(name)), known.gain, margin, place))
    return found


def _compared(advice: Advice) -> list[ComparedPolicy]:
    found = []
    for name, title in _ORDER.items():
        # Where no augmentation is recommended, it is one row; where nothing is forecast, no policy is the next best.
        needless = (name == NONE and not advice.policy.names) or (name == NEXT and not advice.has_forecast)
        if name not in advice.outlooks or needless:
            continue
        known, policy = advice.outlooks[name], advice.policies[name]
        mean, worst, over = (known.mean, known.worst, len(known.at_risk)) if known.worst_class else (None, None, None)
        found.append(ComparedPolicy(title, _words(policy), mean, worst, known.worst_class, over, name == RECOMMENDED))
    return found


def _words(policy: Policy) -> str:
    if not policy.names:
        return "train without augmentation"
    left_out = f", but not of {', '.join(map(quoted, policy.left_out))}" if policy.left_out else ""
    return f"{describe(policy)}, for {percent(policy.probability)} of the views{left_out}"


def _value_and_limit(limit: Limit, advice: Advice) -> tuple[str, str]:
    value = "left out" if limit.value is None else value_text(limit.value, augmentation(limit.augmentation).unit)
    if limit.limiting is None:
        return value, reason(limit)
    over = f"{percent(limit.risk)} risk of losing more than {points_with_unit(advice.tolerance)}"
    return value, f"one step further, {quoted(limit.limiting)} has a {over}"


def _risks(advice: Advice) -> dict[str, tuple[ClassAtRisk | None, ClassAtRisk | None]]:
    own, usual = (
        {entry.name: entry for entry in advice.outlooks[name].classes} if name in advice.outlooks else {}
        for name in (RECOMMENDED, USUAL)
    )
    return {name: (own.get(name), usual.get(name)) for name in advice.policy.class_names}


def _for_libraries(profile: Profile, advice: Advice) -> tuple[Policy, str]:
    """Return the policy that libraries are given, which know no classes, and what it is where it is another one."""
    policy, other = advice.policy, advice.policies.get(NEXT)
    if policy.scope != "global":
        policy = recommend(profile, spares=False)
        if policy.names:
            return policy, f"These libraries do not know the class of an image, so this is {_words(policy)}."
    if policy.names:
        return policy, ""
    if other is not None and advice.has_forecast and other.scope == "global" and other.names:
        start = "Recommended is no augmentation. If you augment all the same, this is the next best"
        return other, f"{start}: {_words(other)}{_over_risk(advice)}."
    return policy, ""


def _over_risk(advice: Advice) -> str:
    """Return for how many classes the next best policy is over the accepted risk; nothing where for none."""
    over = len(advice.outlooks[NEXT].at_risk)
    return f"; it is over the accepted risk for {counted(over, 'class')}" if over else ""


def _code(profile: Profile, policy: Policy, library: str) -> Code:
    try:
        return Code(LIBRARIES[library], export(policy, profile, library).strip("\n"))
    except CuesenseError as error:
        return Code(LIBRARIES[library], "", str(error))
