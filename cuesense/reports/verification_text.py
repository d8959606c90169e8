"""The sentences about a verification, for its page and its terminal table."""

from __future__ import annotations

from collections.abc import Iterator

from cuesense.policies.rivals import ENOUGH_SEEDS, RIVALS, WEAKER, is_better
from cuesense.reports.text import DASH, bracketed, counted, listed, percent, points, printable, readable_name, signed
from cuesense.schemas.verification import ArmResult, ClassResult, Verification

RECOMMENDED = "global"
# What the page calls the policies; ``verify`` explains them at more length.
MEANINGS = {
    "none": "no augmentation",
    "usual": "the usual default: crops to 0.08, flips, jitter 0.4",
    "best_uniform": "the uniform policy with the best average, found on the test images",
    "global": "the recommended policy for all classes",
    "grouped": "the recommended policy for each group of confused classes",
    "per_class": "the recommended policy for each class",
    "permuted": "control: the policies of the classes, exchanged between classes",
    "matched": "control: a uniform policy of the mean strength of the policies by class",
    "weighted": "remedy: class weights in the loss",
    "relaxed": "remedy: milder values for the classes that take others' images",
}
# The same in a sentence.
NAMES = {
    "none": "no augmentation",
    "usual": "the usual default",
    "best_uniform": "the best uniform policy",
    "global": "the recommended policy",
    "grouped": "the policy for each group",
    "per_class": "the policy for each class",
    "permuted": "the policies exchanged between classes",
    "matched": "the uniform policy of the same strength",
    "weighted": "the policy with class weights",
    "relaxed": "the policy milder for classes that take images",
}
# Names in a sentence before the rest is counted.
_NAMED = 3
BETTER_NETWORKS = "train longer (--epochs), on more images, or from a checkpoint (--from)"


def policy_name(name: str) -> str:
    """Return what a policy is called in a sentence."""
    return NAMES.get(name, readable_name(name))


def trained(found: Verification) -> list[ArmResult]:
    """Return the policies that were trained: without those that do the same as an earlier one."""
    return [arm for arm in found.arms if arm.same_as is None]


def learned(found: Verification) -> bool:
    """Return whether the networks recognize more than guessing does: else nothing can be said about any policy."""
    return found.baseline is None or found.baseline.better_than_guessing


def nothing_learned(found: Verification) -> str:
    """Return the warning about networks that are no better than guessing; empty where they are better."""
    known = found.baseline
    if known is None or known.better_than_guessing:
        return ""
    return (
        f"The networks trained without augmentation recognize {percent(known.accuracy)} of the test images, which is "
        f"not clearly more than guessing gets ({percent(known.by_chance)}): nothing can be said about any policy, and "
        f"a profile keeps nothing of these trainings. To find out, {BETTER_NETWORKS}."
    )


def weaker(found: Verification) -> str:
    """Return that the networks are far less accurate than the analyzed model; empty where they are not."""
    known = found.baseline
    if known is None or known.model_accuracy is None or known.model_accuracy - known.accuracy <= WEAKER:
        return ""
    return (
        f"These networks are weaker than the analyzed model: without augmentation they recognize "
        f"{percent(known.accuracy)} of the test images, the model {percent(known.model_accuracy)} of its own. What "
        f"they gain or lose, the model may not: {BETTER_NETWORKS}."
    )


def headline(found: Verification) -> list[str]:
    """Return what the trainings showed, in sentences; nothing of networks that guess.

    The first says who gained and who lost by what is best, and what to do next; then follow the usual default, and
    which policy has the best worst class.
    """
    arms = {arm.name: arm for arm in found.arms}
    recommended, usual = arms.get(RECOMMENDED), arms.get("usual")
    if recommended is None or not learned(found):
        return []
    best = _winner(found, recommended)
    sentences = [f"{_first(found, best, usual)} {_next(found, best)}"]
    if usual is not None and _augments(best):
        sentences.append(f"The usual default ({printable(usual.doses)}) {_changes(usual, found)}.")
    others = [arm for arm in trained(found) if arm.worst > 0]
    if len(others) > 1:
        highest = max(others, key=lambda arm: arm.worst)
        where = f"{percent(highest.worst)} ({printable(highest.worst_class)})"
        sentences.append(f"The worst class fares best with {policy_name(highest.name)}: {where}.")
    return sentences


def _augments(arm: ArmResult) -> bool:
    return arm.policy is not None and arm.same_as != "none"


def _winner(found: Verification, recommended: ArmResult) -> ArmResult:
    """Return the policy that was shown to be better than the recommended one, or that one."""
    rivals = [arm for arm in found.arms if arm.name in RIVALS and is_better(arm, recommended, len(found.seeds))]
    return max(rivals, key=lambda arm: arm.worst, default=recommended)


def _first(found: Verification, best: ArmResult, usual: ArmResult | None) -> str:
    if not _augments(best):
        why = "is recommended" if best.name == RECOMMENDED else "was better than the recommended policy"
        said = f"Training without augmentation {why}"
        return f"{said}." if usual is None else f"{said}: the usual default {_changes(usual, found)}."
    name = policy_name(best.name)
    was = "" if best.name == RECOMMENDED else " was better than the recommended policy. It"
    return f"{name[0].upper()}{name[1:]} ({printable(best.doses)}){was} {_changes(best, found)}."


def _changes(arm: ArmResult, found: Verification) -> str:
    """Return a clause: by how much a policy changed the mean recall, and which classes gained and lost."""
    mean = f"{points(arm.mean_change.value)} {bracketed(arm.mean_change.low, arm.mean_change.high, points)}".rstrip()
    known = [entry for entry in arm.classes if effect(entry, found.tolerance) == "gains"]
    order = sorted(known, key=lambda entry: -(entry.recall_change.value or 0.0))
    gained = listed([printable(entry.name) for entry in order], _NAMED) or "no class"
    lost = listed([printable(name) for name in arm.over_tolerance], _NAMED) or "none"
    limit = f"{100 * found.tolerance:g} points"
    return f"changed the mean recall by {mean} points; {gained} gained for certain, {lost} lost more than {limit}"


def _next(found: Verification, best: ArmResult) -> str:
    """Return what to do after the verification."""
    if len(found.seeds) < ENOUGH_SEEDS:
        seeds = counted(len(found.seeds), "seed")
        return f"Next: run it again with --seeds {ENOUGH_SEEDS}, since {seeds} cannot tell a better policy from luck."
    if best.name != RECOMMENDED:
        return "Next: train your model so; `cuesense recommend PROFILE` now gives this."
    if not _augments(best):
        return "Next: train your model without augmentation."
    if best.mean_change.high is not None and best.mean_change.high < 0:
        return "Next: train your model without augmentation, since this costs more than it gives."
    return "Next: train your model so; `cuesense recommend PROFILE` gives the code."


def rival_sentences(found: Verification) -> Iterator[str]:
    """Yield how every rival did against the recommended policy for all classes, and whether seeds are too few to judge.

    Args:
        found: The verification; of networks that guess nothing is said.
    """
    arms, seeds = {arm.name: arm for arm in found.arms}, len(found.seeds)
    recommended = arms.get(RECOMMENDED)
    if recommended is None or not learned(found):
        return
    own = recommended.same_as or RECOMMENDED
    rivals = [arms[name] for name in RIVALS if name in arms]
    known = [arm for arm in rivals if (arm.same_as or arm.name) != own and arm.lowest_gain is not None]
    for arm in known:
        yield _rival(arm, recommended, seeds)
    if known and seeds < ENOUGH_SEEDS:
        yield f"{counted(seeds, 'seed')} cannot tell any of these from luck: give --seeds {ENOUGH_SEEDS}."


def _rival(arm: ArmResult, recommended: ArmResult, seeds: int) -> str:
    error = "" if arm.lowest_gain_error is None else f" (standard error {points(arm.lowest_gain_error)})"
    shown = ": better" if is_better(arm, recommended, seeds) else ": not shown to be better"
    mean, name = arm.mean - recommended.mean, policy_name(arm.name)
    doses = "" if arm.policy is None else f" ({arm.doses})"
    return (
        f"{name[0].upper()}{name[1:]}{doses} against the recommended policy: lowest recall "
        f"{signed(arm.lowest_gain or 0.0)} points{error}, mean {signed(mean)}{shown if seeds >= ENOUGH_SEEDS else ''}"
    )


def agreement_sentence(found: Verification) -> str:
    """Return how well the forecast ranked and sized the real losses; empty where they cannot be compared."""
    agreement = found.agreement
    if agreement.spearman is None or agreement.slope is None:
        return ""
    auroc = DASH if agreement.auroc is None else f"{agreement.auroc:.2f}"
    return (
        f"Forecast against outcome over {agreement.pairs} pairs of class and policy: rank correlation "
        f"{agreement.spearman:.2f}, slope {agreement.slope:.2f}, mean error {points(agreement.error or 0.0)} points, "
        f"AUROC {auroc}"
    )


def held(found: Verification) -> str:
    """Return how many outcomes lay within the range that was forecast; empty where no range is known."""
    outcomes = [within(entry) for arm in trained(found) for entry in arm.classes]
    known = [outcome for outcome in outcomes if outcome is not None]
    if not known:
        return ""
    total = counted(len(known), "outcome")
    return f"{sum(known):,} of {total} lie within the forecast range, which is to hold 80\N{NO-BREAK SPACE}% of them."


def within(entry: ClassResult) -> bool | None:
    """Return whether a class lost as much as was forecast; None where there is no range or no outcome."""
    if entry.forecast_low is None or entry.forecast_high is None or entry.recall_change.value is None:
        return None
    return entry.forecast_low <= -entry.recall_change.value <= entry.forecast_high


def effect(entry: ClassResult, tolerance: float) -> str:
    """Return what a policy did to a class: "loses" beyond the tolerance, "gains" or "changes" for certain, or nothing.

    Args:
        entry: The class under the policy.
        tolerance: Recall that a class may lose.
    """
    change = entry.recall_change
    if change.value is not None and change.value < -tolerance:
        return "loses"
    if change.low is not None and change.low > 0:
        return "gains"
    return ""
