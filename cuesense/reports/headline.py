"""What a profile says in a few sentences: who loses by which augmentation, what is recommended, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cuesense.errors import CuesenseError
from cuesense.policies.advice import NONE, RECOMMENDED, USUAL, Advice
from cuesense.policies.budgets import images_needed
from cuesense.policies.policy import DEFAULT_AUGMENTATIONS, Outlook
from cuesense.reports.policy_text import describe
from cuesense.reports.profile_text import budget_text, value_text
from cuesense.reports.text import counted, fixed, listed, percent, quoted, readable_name
from cuesense.reports.usual_losses import expected_loss, usual_severity
from cuesense.schemas.profile import BudgetModel, ClassModel, CurveModel, Profile
from cuesense.types import BudgetStatus, Role

# Augmentations with a sentence of their own, and classes that are named before the rest is counted: a headline is read
# at one glance. Chosen by hand.
_SENTENCES, _NAMED = 2, 3

_PHRASES: dict[str, Callable[[float], str]] = {
    "random_resized_crop": lambda value: f"random crops down to {100 * value:g}\N{NO-BREAK SPACE}% of the area",
    "color_jitter": lambda value: f"color jitter of {value:g}",
    "horizontal_flip": lambda value: f"flips of {100 * value:g}\N{NO-BREAK SPACE}% of the views",
    "random_erasing": lambda value: f"erasing of {100 * value:g}\N{NO-BREAK SPACE}% of the area",
    "random_rotation": lambda value: f"rotations to {value:g}°",
}


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
        is_last: Whether it is the end of the ladder, where rivals are counted.
        over: Names of the classes for which it is over the accepted risk, the largest loss first.
        open: How many classes have no answer.
        classes: How many classes have a budget.
    """

    phrase: str
    name: str
    entry: ClassModel
    budget: BudgetModel
    severity: int
    is_last: bool
    over: tuple[str, ...]
    open: int
    classes: int


def headline(profile: Profile, advice: Advice | None = None, folder: str = "") -> Headline:
    """Return a profile in a few sentences.

    Losses are the expected accuracy drops of the trained model on augmented test images (``BudgetModel.expected``), in
    which classes with few images lean on the others, so that the largest of many is not large by chance alone.

    Args:
        profile: The profile.
        advice: What is recommended; None computes it.
        folder: The profile's folder or file as it stands in the next command; empty: ``cuesense-out``.

    Returns:
        The sentences. Without augmentations there are no findings and no advice.
    """
    costs = _costs(profile)
    try:
        found = advice if advice is not None or not costs else _advise(profile)
        reason = ""
    except CuesenseError as error:
        # An augmentation of a plug-in that is not here has curves, but cannot be part of a policy.
        found, reason = None, f"No recommendation: {error}"
    return Headline(
        findings=tuple(_findings(costs)),
        advice=_recommended(found) if found else reason,
        measured=_measured(profile),
        surer=tuple(_surer(profile)),
        command=_command(profile, found, folder or "cuesense-out"),
    )


def findings(profile: Profile) -> tuple[str, ...]:
    """Return the findings of the headline alone, at once: the advice takes seconds.

    Args:
        profile: The profile.
    """
    return tuple(_findings(_costs(profile)))


def _advise(profile: Profile) -> Advice:
    from cuesense.policies.advice import advise

    return advise(profile)


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
    known = [(entry, entry.budgets[name]) for entry in profile.classes if name in entry.budgets and entry.images]
    if not known or not curve.values:
        return None
    known.sort(key=lambda pair: -expected_loss(pair[1], severity))
    over = [entry.name for entry, budget in known if _is_over(budget, severity)]
    unknown = sum(budget.status is BudgetStatus.UNDETERMINED for _, budget in known)
    entry, budget = known[0]
    is_last = severity == len(curve.values)
    phrase = _phrase(curve, severity)
    return _Cost(phrase, name, entry, budget, severity, is_last, tuple(over), unknown, len(known))


def _phrase(curve: CurveModel, severity: int) -> str:
    value, words = curve.values[severity - 1], _PHRASES.get(curve.perturbation)
    return words(value) if words else f"{readable_name(curve.perturbation)} to {value_text(value, curve.unit)}"


def _is_over(budget: BudgetModel, severity: int) -> bool:
    """Whether a severity is over the accepted risk; older files, which do not know it, say what is not unlimited."""
    if budget.status in (BudgetStatus.UNDETERMINED, BudgetStatus.UNLIMITED):
        return False
    return budget.severity is None or budget.severity < severity


def _findings(costs: Sequence[_Cost]) -> list[str]:
    harmful = [cost for cost in costs if cost.over]
    named, rest = harmful[:_SENTENCES], harmful[_SENTENCES:]
    safe = [cost.phrase for cost in costs if not cost.over and not cost.open]
    found = [f"{_capital(cost.phrase)}: {_largest_loss(cost)}; {_safe_for(cost)}." for cost in named]
    found += [f"{_capital(cost.phrase)}: {_safe_for(cost)}." for cost in rest]
    found += [f"Safe for every class: {', '.join(safe)}."] if safe else []
    undecided = [cost for cost in costs if cost.open and not cost.over]
    return found + [f"{_capital(cost.phrase)}: undetermined for {_of(cost.open, cost)}." for cost in undecided]


def _largest_loss(cost: _Cost) -> str:
    """Return what the class with the largest loss loses, to whom, and how far it may be augmented."""
    return f"{quoted(cost.entry.name)} loses {_points(cost)}{_taker(cost)} (its budget: {budget_text(cost.budget)})"


def _safe_for(cost: _Cost) -> str:
    safe = cost.classes - len(cost.over) - cost.open
    undecided = f", undetermined for {cost.open:,}" if cost.open else ""
    if not safe:
        return f"safe for no class{undecided}"
    if len(cost.over) <= _NAMED and not cost.open:
        return f"safe for all but {_named(cost.over)}"
    return f"safe for {_of(safe, cost)}{undecided}"


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
    """Return the class for which the lost images are taken; a profile counts them at the strongest value alone."""
    taken = [rival for rival in cost.entry.rivals if rival.perturbation == cost.name]
    return f", mostly to {quoted(taken[0].rival)}" if taken and cost.is_last else ""


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
    return f"{start}. Forecast: {'; '.join(forecasts)}." if forecasts else f"{start}."


_WORDS = {NONE: "without augmentation ", USUAL: "with the usual crop, jitter and flips "}


def _forecast(found: Outlook) -> str:
    return f"{percent(found.mean)} on average, worst class {percent(found.worst)}"


def _measured(profile: Profile) -> str:
    images = [entry.images for entry in profile.classes]
    summary, classes = profile.summary, counted(len(images), "class")
    fewest, most = min(images, default=0), max(images, default=0)
    each = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    level = f"{100 * profile.policy.confidence:g}\N{NO-BREAK SPACE}%"
    return (
        f"Measured on {counted(sum(images), 'image')} of {classes} ({each} a class), of which "
        f"{percent(summary.clean_accuracy)} are recognized. Losses are of the trained model on augmented test images, "
        f"with {level} intervals; training with an augmentation can win a part back. Safe: the risk of losing more "
        f"than {100 * profile.policy.tolerance:g} points is at most {100 * profile.policy.risk:g}\N{NO-BREAK SPACE}%."
    )


def _surer(profile: Profile) -> list[str]:
    found = []
    needed = images_needed(profile.policy.tolerance, profile.policy.confidence)
    budgets = [(entry, budget) for entry in profile.classes for budget in entry.budgets.values() if entry.images]
    decided = sum(entry.images < needed and budget.certified is None for entry, budget in budgets)
    if decided:
        found.append(
            f"{needed:,} images a class, none of them lost, can certify {counted(decided, 'budget')} that this number "
            "of images cannot."
        )
    if any(budget.status is BudgetStatus.UNDETERMINED for _, budget in budgets):
        undecided = sum(budget.status is BudgetStatus.UNDETERMINED for _, budget in budgets)
        found.append(f"More images can decide {counted(undecided, 'budget')} that {_is(undecided)} undetermined.")
    return found + [entry.sentence for entry in profile.summary.graded.sharpen[:1]]


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _command(profile: Profile, advice: Advice | None, folder: str) -> str:
    if advice is None:
        return f"cuesense report {folder}"
    if profile.verified is None and profile.forecast is not None and advice.policy.names:
        return f"cuesense verify {folder} --train TRAIN --test TEST"
    if profile.forecast is None:
        return f"cuesense recommend {folder} --train TRAIN"
    return f"cuesense recommend {folder} --format torchvision --output transform.py"


def _named(names: Sequence[str]) -> str:
    return listed([quoted(name) for name in names], _NAMED)
