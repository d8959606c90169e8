"""What a verification says of a recommendation, in words: measured figures first, and what would decide if they do not.

The sentences stand beside a recommendation, in its JSON and in the first lines of written files.
"""

from __future__ import annotations

from cuesense.policies.policy import Policy
from cuesense.policies.rivals import ENOUGH_SEEDS, WEAKER, Verdict, best_verified, is_level, rebuilt
from cuesense.schemas.profile import Profile, TrainedModel

_RIVALS = {
    "none": "no augmentation",
    "usual": "the usual default",
    "best_uniform": "the policy with the best average in a search by training",
    "weighted": "the policy with class weights",
    "relaxed": "the policy that is milder for the classes that take others' images",
}
_OTHERS = (
    "`cuesense verify` trained other policies than this one, with other options or before the forecast changed: they "
    "say nothing of it. Run it again to prove this one."
)
_FORECAST = (
    "No policy for all classes within the accepted risk is forecast to be clearly better than to train without "
    "augmentation."
)


def conclusion(verdict: Verdict) -> str:
    """Return what trainings showed of the policy that was forecast to be best, and what would decide where they do not.

    Args:
        verdict: What they showed.

    Returns:
        A line of text.
    """
    own, plain = verdict.results["global"], verdict.results.get("none")
    trained = f"`cuesense verify` trained {_counted(verdict.trained, 'policy', 'policies')} with " + _seeds(verdict)
    told = own.policy is None or verdict.best == "none"
    without = "" if plain is None or told else f"; no augmentation: {_short(plain)}"
    if verdict.replaces:
        best = f"{_RIVALS[verdict.best]} was best: {_figures(verdict.results[verdict.best])}"
        return f"{trained}; {best}; {_forecast_best(own)}: {_short(own)}{without}. {_barred(verdict)}".rstrip()
    return f"{trained}; {_forecast_best(own)}: {_figures(own)}{without}. {_undecided(verdict)}"


def said_of(profile: Profile, verdict: Verdict | None, *, verified: bool) -> str:
    """Return what a profile's verification says of a recommended policy; empty where there was none.

    Args:
        profile: The profile.
        verdict: What trainings showed of it, None where it is not what was forecast to be best for all classes.
        verified: Whether it was trained at all.
    """
    if verdict is not None:
        return conclusion(verdict) + _weaker(profile, verdict)
    return "" if profile.verified is None or verified else _OTHERS


def reason(profile: Profile, policy: Policy) -> str:
    """Return why a policy was recommended, for the first line of a file; empty where forecasts alone chose it.

    Args:
        profile: The profile that it was recommended from.
        policy: The policy.

    Returns:
        A line of text; of no augmentation, which nobody trained, that it was forecast to be best.

    Raises:
        SettingsError: A policy in the profile is none, or has values that do not exist.
    """
    known = profile.verified
    if known is not None and "global" in known.policies:
        own = rebuilt(known.policies["global"], policy.class_names)
        by_class, weights = policy.scope != "global", bool(policy.class_weights)
        verdict = best_verified(profile, own, by_class=by_class, weights=weights)
        if verdict is not None and verdict.policy.content == policy.content:
            return conclusion(verdict)
    return "" if policy.names else _FORECAST


def _weaker(profile: Profile, verdict: Verdict) -> str:
    """Return that the networks are far less accurate than the analyzed model; empty where they are not."""
    plain, model = verdict.results.get("none"), profile.summary.clean_accuracy
    if plain is None or model is None or model - plain.mean <= WEAKER:
        return ""
    return f" These networks are weaker than the analyzed model, which recognizes {100 * model:.1f} %."


def _undecided(verdict: Verdict) -> str:
    """Return whether another policy may be better than the one that was forecast to be best."""
    few = verdict.seeds < ENOUGH_SEEDS
    if verdict.barred is not None:
        return _barred(verdict)
    if verdict.ahead is None:
        doubt = f", but {_seeds(verdict)} may miss it: run it with --seeds {ENOUGH_SEEDS} or more" if few else ""
        return f"No rival had a better worst class{doubt}."
    own, ahead = verdict.results["global"], verdict.results[verdict.ahead]
    better = f"{_RIVALS[verdict.ahead].capitalize()} had a better worst class ({_figures(ahead)}), but"
    if few:
        return f"{better} {_seeds(verdict)} cannot tell that from luck: run it with --seeds {ENOUGH_SEEDS} or more."
    if not is_level(ahead, own):
        return f"{better} a lower average."
    return f"{better} by no more than luck may give: more seeds (--seeds {2 * verdict.seeds}) would decide."


def _barred(verdict: Verdict) -> str:
    """Return what was better yet and why it is not recommended; empty where nothing was."""
    if verdict.barred is None:
        return ""
    shown = f"{_RIVALS[verdict.barred].capitalize()} was better ({_figures(verdict.results[verdict.barred])}), but"
    policy = verdict.results[verdict.barred].policy or {}
    if policy.get("scope") != "global":
        return f"{shown} differs between classes, which this format cannot say: `--format yaml` has it."
    return f"{shown} class weights are not wanted here."


def _figures(found: TrainedModel) -> str:
    return f"{100 * found.mean:.1f} % on average and {100 * found.worst:.1f} % in the worst class"


def _short(found: TrainedModel) -> str:
    return f"{100 * found.mean:.1f} % and {100 * found.worst:.1f} %"


def _forecast_best(own: TrainedModel) -> str:
    return f"{'no augmentation, which' if own.policy is None else 'the policy that'} was forecast to be best"


def _seeds(verdict: Verdict) -> str:
    return _counted(verdict.seeds, "seed", "seeds")


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
