"""The sentences about a verification, for its page and its terminal table."""

from __future__ import annotations

from collections.abc import Iterator

from cuesense.policies.rivals import ENOUGH_SEEDS, RIVALS, is_better
from cuesense.reports.text import DASH, bracketed, counted, listed, percent, points, printable, readable_name
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
# Names in a sentence before the rest is counted.
_NAMED = 3
# Networks this much less accurate than the analyzed model are called weaker: trainings of one recipe and other seeds
# differ by a few points, and a compact network from scratch by some ten. Chosen by hand; not tuned.
_WEAKER = 0.2
BETTER_NETWORKS = "train longer (--epochs), on more images, or from a checkpoint (--from)"


def policy_name(name: str) -> str:
    """Return what a policy is called in a sentence."""
    return MEANINGS["none"] if name == "none" else readable_name(name)


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
    if known is None or known.model_accuracy is None or known.model_accuracy - known.accuracy <= _WEAKER:
        return ""
    return (
        f"These networks are weaker than the analyzed model: without augmentation they recognize "
        f"{percent(known.accuracy)} of the test images, the model {percent(known.model_accuracy)} of its own. What "
        f"they gain or lose, the model may not: {BETTER_NETWORKS}."
    )


def headline(found: Verification) -> list[str]:
    """Return what the trainings showed: the recommended policy, the usual default, and the best worst class."""
    if not learned(found):
        return []
    arms = {arm.name: arm for arm in found.arms}
    named = [("The recommended policy", RECOMMENDED), ("The usual default", "usual")]
    sentences = [_outcome(title, arms[name], found) for title, name in named if name in arms]
    others = [arm for arm in trained(found) if arm.worst > 0]
    if len(others) > 1:
        best = max(others, key=lambda arm: arm.worst)
        sentences.append(
            f"The best worst class: {policy_name(best.name)}, {percent(best.worst)} ({printable(best.worst_class)})."
        )
    return sentences


def _outcome(title: str, arm: ArmResult, found: Verification) -> str:
    if arm.same_as is not None or arm.policy is None:
        return f"{title} ({printable(arm.doses)}) is the same as {policy_name(arm.same_as or 'none')}."
    change, limit = arm.mean_change, f"{100 * found.tolerance:g} points"
    mean = f"{points(change.value)} {bracketed(change.low, change.high, points)}".rstrip()
    over = [printable(name) for name in arm.over_tolerance]
    lost = f"more than {limit} lost by {listed(over, _NAMED)}" if over else f"no class lost more than {limit}"
    return (
        f"{title} ({printable(arm.doses)}) changed the mean recall by {mean} points and the lowest by "
        f"{points(arm.worst_change)}; {lost}."
    )


def rival_sentences(found: Verification) -> Iterator[str]:
    """Yield how every rival did against the recommended policy for all classes, and whether seeds are too few to judge.

    Args:
        found: The verification; of networks that guess nothing is said.
    """
    arms, seeds = {arm.name: arm for arm in found.arms}, len(found.seeds)
    recommended = arms.get(RECOMMENDED)
    if recommended is None or not learned(found):
        return
    rivals = [arms[name] for name in RIVALS if name in arms]
    known = [arm for arm in rivals if arm.same_as != RECOMMENDED and arm.lowest_gain is not None]
    for arm in known:
        yield _rival(arm, recommended, seeds)
    if known and seeds < ENOUGH_SEEDS:
        yield f"{counted(seeds, 'seed')} {'is' if seeds == 1 else 'are'} too few to judge: give --seeds {ENOUGH_SEEDS}."


def _rival(arm: ArmResult, recommended: ArmResult, seeds: int) -> str:
    error = "" if arm.lowest_gain_error is None else f" (standard error {points(arm.lowest_gain_error)})"
    better = is_better(arm, recommended, seeds)
    verdict = "; better than the recommended policy" if better else "; not shown to be better"
    gain, mean = 100 * (arm.lowest_gain or 0.0), 100 * (arm.mean - recommended.mean)
    return (
        f"{readable_name(arm.name)} ({arm.doses}) against the recommended policy: lowest recall {gain:+.1f} points"
        f"{error}, mean {mean:+.1f}{verdict if seeds >= ENOUGH_SEEDS else ''}."
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
