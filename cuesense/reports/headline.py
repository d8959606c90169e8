"""What a profile says in a few sentences: who loses by which augmentation, what is recommended, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import finalize

from cuesense.errors import CuesenseError
from cuesense.policies.advice import NONE, RECOMMENDED, USUAL, Advice, advise
from cuesense.policies.budgets import images_needed
from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, Outlook
from cuesense.reports.confusions import main_taker
from cuesense.reports.policy_text import describe
from cuesense.reports.profile_text import budget_text, seen_text, value_text
from cuesense.reports.text import counted, fixed, listed, percent, quoted, readable_name
from cuesense.reports.usual_losses import expected_loss, usual_severity
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, Profile, RivalModel
from cuesense.types import BudgetStatus, Role

# Augmentations with a sentence of their own, and classes that are named before the rest is counted: a headline is read
# at one glance. Chosen by hand.
_SENTENCES, _NAMED = 2, 3
# From this risk on a loss above the tolerance is more likely than none.
_LIKELY = 0.5

_PHRASES: dict[str, Callable[[float], str]] = {
    "random_resized_crop": lambda value: f"random crops down to {100 * value:g}\N{NO-BREAK SPACE}% of the area",
    "color_jitter": lambda value: f"color jitter of {value:g}",
    "horizontal_flip": lambda value: f"flips of {100 * value:g}\N{NO-BREAK SPACE}% of the views",
    "random_erasing": lambda value: f"erasing of {100 * value:g}\N{NO-BREAK SPACE}% of the area",
    "random_rotation": lambda value: f"rotations to {value:g}°",
}


_MEASURE = "cuesense analyze MODEL --dataset DATASET"


# Of the profiles in use, by their identity: they are frozen, and have no hash.
_ADVICE: dict[int, Advice] = {}


@dataclass(frozen=True)
class Headline:
    """A profile in a few sentences of plain text; names of classes are in quotes and printable.

    Attributes:
        findings: What the usual augmentations cost which class, the largest loss first, and what is safe.
        advice: What is recommended, with what is forecast for it.
        measured: What was measured and how sure it is.
        surer: What would make it surer.
        command: The command to run next.
    """

    findings: tuple[str, ...]
    advice: str
    measured: str
    surer: tuple[str, ...]
    command: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them in their order, but for the command."""
        return (*self.findings, *([self.advice] if self.advice else []), self.measured, *self.surer)


@dataclass(frozen=True)
class _Cost:
    """What one augmentation costs at its usual strength, else at its strongest value.

    Attributes:
        phrase: The augmentation and its strength in words.
        entry: The class that is expected to lose most; None where no class has a budget there.
        budget: That class's budget.
        severity: The strength's position on the ladder.
        over: Names of the classes for which it is over the accepted risk, the largest loss first.
        unsure: How many of these are rather safe, but not shown to be within the risk.
        open: How many classes have no answer.
        classes: How many classes have a budget and are recognized.
        taker: The class that takes most of its images there; None where none takes three of them.
    """

    phrase: str
    name: str
    entry: ClassModel
    budget: BudgetModel
    severity: int
    over: tuple[str, ...]
    unsure: int
    open: int
    classes: int
    taker: RivalModel | None


def headline(profile: Profile, advice: Advice | None = None, folder: str = "") -> Headline:
    """Return a profile in a few sentences.

    Losses are the expected accuracy drops of the trained model on augmented test images (``BudgetModel.expected``), in
    which classes with few images are estimated from all classes together, so that the largest of many is not large by
    chance alone.

    Args:
        profile: The profile.
        advice: What is recommended; None computes it.
        folder: The profile's folder or file as it stands in the next command; empty: ``DIR``, for what is read
            elsewhere.

    Returns:
        The sentences. Without augmentations the findings say so, and there is no advice.
    """
    costs = _costs(profile)
    try:
        found = advice if advice is not None or not costs else advice_on(profile)
        reason = ""
    except CuesenseError as error:
        # An augmentation of a plug-in that is not here has curves, but cannot be part of a policy.
        found, reason = None, f"No recommendation: {error}"
    return Headline(
        findings=tuple(_findings(profile, costs)),
        advice=_recommended(found) if found else reason,
        measured=_measured(profile),
        surer=tuple(_surer(profile)),
        command=_command(profile, found, folder or "DIR"),
    )


def findings(profile: Profile) -> tuple[str, ...]:
    """Return the findings of the headline alone, without the advice, which takes longer.

    Args:
        profile: The profile.
    """
    return tuple(_findings(profile, _costs(profile)))


def advice_on(profile: Profile) -> Advice:
    """Return what is recommended, the same as ``advise``; again at once, as the page and the terminal ask for it.

    Args:
        profile: The profile, of which nothing is changed any more.

    Raises:
        SettingsError: As in ``advise``.
    """
    key = id(profile)
    if key not in _ADVICE:
        _ADVICE[key] = advise(profile)
        # The number may be another object's once this one is gone.
        finalize(profile, _ADVICE.pop, key)
    return _ADVICE[key]


def _costs(profile: Profile) -> list[_Cost]:
    """Return the costs of every augmentation with budgets: the usual ones first, then the largest loss."""
    curves = [curve for curve in profile.curves if curve.role is Role.AUGMENTATION]
    found = [cost for curve in curves if (cost := _cost(profile, curve)) is not None]
    return sorted(
        found, key=lambda cost: (cost.name not in DEFAULT_AUGMENTATIONS, -expected_loss(cost.budget, cost.severity))
    )


def _cost(profile: Profile, curve: CurveModel) -> _Cost | None:
    name = curve.perturbation
    severity = usual_severity(curve)
    known = [(entry, entry.budgets[name]) for entry in _recognized(profile) if name in entry.budgets]
    if not known or not curve.values:
        return None
    known.sort(key=lambda pair: -expected_loss(pair[1], severity))
    over = [(entry.name, budget) for entry, budget in known if _is_over(budget, severity)]
    unsure = sum(_is_unsure(budget, severity) for _, budget in over)
    unknown = sum(budget.status is BudgetStatus.UNDETERMINED for _, budget in known)
    entry, budget = known[0]
    # Who takes images is counted at the strongest value alone.
    taker = main_taker(entry, curve) if severity == len(curve.values) else None
    names = tuple(lost for lost, _ in over)
    return _Cost(_phrase(curve, severity), name, entry, budget, severity, names, unsure, unknown, len(known), taker)


def _phrase(curve: CurveModel, severity: int) -> str:
    value, words = curve.values[severity - 1], _PHRASES.get(curve.perturbation)
    return words(value) if words else f"{readable_name(curve.perturbation)} to {value_text(value, curve.unit)}"


def _is_over(budget: BudgetModel, severity: int) -> bool:
    """Whether a severity is over the accepted risk; older files, which do not know it, say what is not unlimited."""
    if budget.status in (BudgetStatus.UNDETERMINED, BudgetStatus.UNLIMITED):
        return False
    return budget.severity is None or budget.severity < severity


def _is_unsure(budget: BudgetModel, severity: int) -> bool:
    """Whether a class over the accepted risk more likely loses no more than the tolerance: more images may show it."""
    risk = budget.risks[severity - 1] if len(budget.risks) >= severity else None
    return risk is not None and risk < _LIKELY


def _recognized(profile: Profile) -> list[ClassModel]:
    """Return the classes that can lose something: what is expected of the others is the other classes' loss."""
    return [entry for entry in profile.classes if entry.images and entry.clean_accuracy]


def _never_recognized(profile: Profile) -> list[str]:
    return [entry.name for entry in profile.classes if entry.images and not entry.clean_accuracy]


def _findings(profile: Profile, costs: Sequence[_Cost]) -> list[str]:
    if not costs:
        measured = any(curve.role is Role.AUGMENTATION for curve in profile.curves)
        why = "No image is recognized" if measured and not _recognized(profile) else "No augmentation was measured"
        return [f"{why}, so nothing is known of what an augmentation costs."]
    harmful = [cost for cost in costs if cost.over]
    named, rest = harmful[:_SENTENCES], harmful[_SENTENCES:]
    safe = [cost.phrase for cost in costs if not cost.over and not cost.open]
    every = "every class that is recognized" if _never_recognized(profile) else "every class"
    found = [f"{_capital(cost.phrase)}: {_largest_loss(cost)}; {_safe_for(cost)}." for cost in named]
    found += [f"{_capital(cost.phrase)}: {_safe_for(cost)}." for cost in rest]
    found += [f"Safe for {every}: {', '.join(safe)}."] if safe else []
    undecided = [cost for cost in costs if cost.open and not cost.over]
    return found + [f"{_capital(cost.phrase)}: undecided for {_of(cost.open, cost)}." for cost in undecided]


def _largest_loss(cost: _Cost) -> str:
    """Return what the class with the largest loss loses, to whom, and how far it may be augmented."""
    return f"{quoted(cost.entry.name)} (budget: {budget_text(cost.budget)}) loses {_points(cost)}{_taker(cost)}"


def _safe_for(cost: _Cost) -> str:
    safe = cost.classes - len(cost.over) - cost.open
    if len(cost.over) <= _NAMED and safe and not cost.open and not cost.unsure:
        return f"safe for all but {_named(cost.over)}"
    parts = [(len(cost.over) - cost.unsure, "likely harmful to"), (cost.unsure + cost.open, "undecided for")]
    said = [f"{words} {number:,}" for number, words in parts if number and (cost.unsure or cost.open)]
    return ", ".join([f"safe for {_of(safe, cost)}" if safe else "safe for no class", *said])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _points(cost: _Cost) -> str:
    at, budget = cost.severity - 1, cost.budget
    value = counted(round(100 * expected_loss(budget, cost.severity)), "point")
    if len(budget.expected_low) <= at:
        return value
    low, high = budget.expected_low[at], budget.expected_high[at]
    return value if low is None or high is None else f"{value} [{fixed(100 * low, 0)}, {fixed(100 * high, 0)}]"


def _taker(cost: _Cost) -> str:
    taker = cost.taker
    if taker is None:
        return ""
    # Images that were mistaken before count among those that it takes, and a class that gains some as well loses less.
    part = f"{100 * taker.share:.0f}" if taker.share <= expected_loss(cost.budget, cost.severity) else "many"
    return f", {part} of them to {quoted(taker.rival)}"


def _of(number: int, cost: _Cost) -> str:
    return f"{number:,} of {counted(cost.classes, 'class')}"


def _recommended(advice: Advice) -> str:
    policy = advice.policy
    if policy.names:
        spared = f", but not of {_named(advice.spared)}" if advice.spared else ""
        start = f"Recommended: {describe(policy)}, for {percent(policy.probability)} of the views{spared}"
    else:
        start = "Recommended: train without augmentation"
    if advice.proven:
        return f"{start}. {advice.trainings}"
    names = [RECOMMENDED, *([NONE] if policy.names else []), USUAL]
    known = [(name, advice.outlooks[name]) for name in names if name in advice.outlooks]
    forecasts = [f"{_WORDS.get(name, '')}{_forecast(found)}" for name, found in known if found.worst_class]
    forecasts += _at_risk(advice.outlooks.get(USUAL))
    return f"{start}. Forecast: {'; '.join(forecasts)}." if forecasts else f"{start}."


_WORDS = {NONE: "without augmentation ", USUAL: "with the usual crop, jitter and flips "}


def _at_risk(usual: Outlook | None) -> list[str]:
    """Return the classes that the usual default puts most at risk, in the order of ``recommend``."""
    losing = [entry for entry in usual.at_risk if entry.loss > 0] if usual is not None else []
    if not losing:
        return []
    named = [f"{quoted(entry.name)} ({counted(round(100 * entry.loss), 'point')})" for entry in losing[:_NAMED]]
    return [f"most at risk by these: {', '.join(named)}"]


def _forecast(found: Outlook) -> str:
    unknown = ", ".join(readable_name(name) for name in found.left_out)
    but = f", not counting {unknown}, of which nothing is known" if unknown else ""
    return f"{percent(found.mean)} on average, worst class {percent(found.worst)} ({quoted(found.worst_class)}){but}"


def _measured(profile: Profile) -> str:
    images = [entry.images for entry in profile.classes]
    classes = counted(len(images), "class")
    fewest, most = min(images, default=0), max(images, default=0)
    each = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    found = (
        f"Measured on {counted(sum(images), 'image')} of {classes} ({each} a class), of which "
        f"{percent(profile.summary.clean_accuracy)} are recognized."
    )
    never = _never_recognized(profile)
    if never:
        found += f" Never recognized, so that nothing can be said of what they lose: {_named(never)}."
    parts = [found, seen_text(profile), _losses(profile) if any(entry.budgets for entry in profile.classes) else ""]
    return " ".join(filter(None, parts))


def _losses(profile: Profile) -> str:
    policy = profile.policy
    level, risk, likely = (f"{100 * part:g}\N{NO-BREAK SPACE}%" for part in (policy.confidence, policy.risk, _LIKELY))
    return (
        f"Losses are what the trained model is expected to lose on augmented test images, with {level} intervals, "
        "estimated from all classes together; training with an augmentation can win a part back. Safe: the risk of "
        f"losing more than {100 * policy.tolerance:g} points is at most {risk}; likely harmful: it is {likely} or "
        "more; undecided: it is between the two, or not known."
    )


def _surer(profile: Profile) -> list[str]:
    found: list[str] = []
    recognized = _recognized(profile)
    if not recognized:
        return found
    needed = images_needed(profile.policy.tolerance, profile.policy.confidence)
    budgets = [(entry, budget) for entry in recognized for budget in entry.budgets.values()]
    decided = sum(entry.images < needed and budget.certified is None for entry, budget in budgets)
    if decided:
        found.append(
            f"To certify {counted(decided, 'more budget')} takes {needed:,} images of each class, none of them lost."
        )
    if any(budget.status is BudgetStatus.UNDETERMINED for _, budget in budgets):
        undecided = sum(budget.status is BudgetStatus.UNDETERMINED for _, budget in budgets)
        found.append(f"More images can decide {counted(undecided, 'budget')} that {_is(undecided)} undetermined.")
    return found + [entry.sentence for entry in profile.summary.graded.sharpen[:1]]


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _command(profile: Profile, advice: Advice | None, folder: str) -> str:
    if advice is None:
        return f"cuesense report {folder}" if any(entry.budgets for entry in profile.classes) else _MEASURE
    if profile.verified is None and profile.forecast is not None and advice.policy.names:
        return f"cuesense verify {folder} --train TRAIN --test TEST"
    if profile.forecast is None:
        return f"cuesense recommend {folder} --train TRAIN"
    return f"cuesense recommend {folder} --format torchvision --output transform.py"


def _named(names: Sequence[str]) -> str:
    return listed([quoted(name) for name in names], _NAMED)
