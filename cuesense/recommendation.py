"""From a profile to policies: what every class, every cluster of confused classes or each class alone may get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cuesense import registry
from cuesense.budgets import TOO_FEW, budget, forecast_budget, global_policy, images_needed
from cuesense.config import LARGEST_SIDE, check_fraction
from cuesense.errors import SettingsError, expected, unknown
from cuesense.policy import PROBABILITY, SCOPES, USUAL, Limit, Outlook, Policy, Scope, augmentation, uniform
from cuesense.profile import LossModel, Profile, TrainedModel
from cuesense.types import Budget, Curve, Role

CONFUSED = 0.05
LEAK = 0.2

_SEEDS = 3


def recommend(
    profile: Profile,
    scope: Scope = "global",
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    guards: bool = True,
    all_but: float = 0.0,
) -> Policy:
    """Return the strongest policy whose doses are shown to be safe for the classes that get them.

    Where the profile holds a forecast, a dose is safe if training with it costs no more than the tolerance, at the
    profile's confidence. Else doses come from the profile's test-time curves: an image of the class is still
    recognized under them by the model as it is. That overstates what training with them would cost, so that classes
    may bear more than is recommended. Each augmentation is judged by itself, not what several cost together.

    Args:
        profile: The profile of the model.
        scope: ``"global"``: one dose for all classes; ``"grouped"``: one for each cluster of classes that are linked,
            directly or through others, by a loss of at least 5 % of a class's images to another under an
            augmentation; ``"per_class"``: one for each class.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        confidence: How sure it must be that a dose is safe, in (0.5, 1); None takes the profile's own.
        augmentations: Names to choose from; None takes all that the profile measured, or forecast.
        probability: Chance that a view is augmented, in (0, 1]; the others stay clean, in every class.
        guards: With scope per_class, classes of which one loses at least 20 % of its images to another share their
            doses: where their augmentations differ, being augmented would tell which of them an image is of.
        all_but: With scope global, the share of the classes, in [0, 1), that may be harmed: those with the mildest
            budgets.

    Returns:
        The policy; augmentations that are safe at no dose are left out of it.

    Raises:
        SettingsError: The profile did not measure an augmentation, has too few images to certify any dose, a number
            is out of range, or the policy was verified and its worst class fared worse than under a uniform one.
    """
    policy = propose(
        profile,
        scope,
        tolerance=tolerance,
        confidence=confidence,
        augmentations=augmentations,
        probability=probability,
        guards=guards,
        all_but=all_but,
    )
    _refuse_beaten(profile, policy)
    return policy


def propose(
    profile: Profile,
    scope: Scope = "global",
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    guards: bool = True,
    all_but: float = 0.0,
) -> Policy:
    """Return the policy that ``recommend`` would, whatever verifying it showed; the arguments are the same."""
    if scope not in SCOPES:
        raise SettingsError(unknown(f"scope '{scope}'", str(scope), SCOPES))
    _check(profile, tolerance, confidence, all_but)
    budgets = budgets_of(profile, tolerance=tolerance, confidence=confidence, augmentations=augmentations)
    curves = measured(profile, list(budgets))
    groups = _groups(profile, scope, guards=guards)
    spared = int(all_but * len(profile.classes)) if scope == "global" else 0
    doses = tuple(
        _doses(budgets, curves, np.flatnonzero(groups == group).tolist(), spared) for group in range(groups.max() + 1)
    )
    names = tuple(entry.name for entry in profile.classes)
    return Policy(scope, probability, names, tuple(groups.tolist()), doses)


def budgets_of(
    profile: Profile,
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
) -> dict[str, list[Budget]]:
    """Return the budget of every class for every augmentation: by the forecast where there is one, else by the curves.

    Args:
        profile: The profile.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        confidence: How sure it must be that a dose is safe, in (0.5, 1); None takes the profile's own.
        augmentations: Names to choose from; None takes all.

    Returns:
        Budgets of the C classes by augmentation.

    Raises:
        SettingsError: As in ``recommend``.
    """
    _check(profile, tolerance, confidence)
    tolerance = profile.policy.tolerance if tolerance is None else tolerance
    confidence = profile.policy.confidence if confidence is None else confidence
    curves = measured(profile, augmentations)
    if profile.forecast is None:
        budgets = {name: _budgets(curve, tolerance, confidence) for name, curve in curves.items()}
        _refuse_too_few(profile, budgets, tolerance, confidence)
        return budgets
    names = [entry.name for entry in profile.classes]
    found = profile.forecast.augmentations
    accuracy = np.array([np.nan if value is None else value for value in profile.forecast.accuracy])
    _refuse_unforecast(augmentations or (), found)
    return {
        name: forecast_budget(
            found[name].to_forecast(),
            replace(augmentation(name), ladder=tuple(found[name].values)),
            names,
            _taken(found[name], names),
            accuracy,
            tolerance=tolerance,
            confidence=confidence,
        )
        for name in curves
        if name in found
    }


def limits(
    profile: Profile,
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
    all_but: float = 0.0,
) -> list[Limit]:
    """Return which class stops each augmentation of the global policy; the arguments are those of ``recommend``."""
    budgets = budgets_of(profile, tolerance=tolerance, confidence=confidence, augmentations=augmentations)
    curves = measured(profile, list(budgets))
    spared = int(all_but * len(profile.classes))
    found = []
    for name, of_class in budgets.items():
        value, _, limiting = global_policy(of_class, curves[name], spared=spared)
        reason = None if limiting is None else of_class[limiting].limited_by
        limited = None if limiting is None else profile.classes[limiting].name
        given_up = _given_up(profile, of_class, curves[name], value) if spared else ()
        found.append(Limit(name, value, limited, reason, given_up))
    return found


def _given_up(profile: Profile, budgets: Sequence[Budget], curve: Curve, value: float | None) -> tuple[str, ...]:
    """Return the classes that get a stronger dose than theirs."""
    if value is None:
        return ()
    ladder = curve.perturbation.ladder
    rungs = [-1 if budget.value is None else ladder.index(budget.value) for budget in budgets]
    return tuple(profile.classes[index].name for index, rung in enumerate(rungs) if rung < ladder.index(value))


def outlook(profile: Profile, policy: Policy) -> Outlook | None:
    """Return the accuracy that a policy is forecast to give: losses of its augmentations add up, gains do not count.

    Args:
        profile: A profile with a forecast.
        policy: The policy.

    Returns:
        The outlook; None where the profile has no forecast, or not for one of the policy's augmentations.
    """
    losses = policy_losses(profile, policy)
    if profile.forecast is None or losses is None:
        return None
    before = np.array([np.nan if value is None else value for value in profile.forecast.accuracy])
    recall = np.maximum(before - np.maximum(losses, 0).sum(axis=0), 0)
    worst = int(np.nanargmin(recall))
    return Outlook(float(np.nanmean(recall)), float(recall[worst]), profile.classes[worst].name)


def outlooks(
    profile: Profile,
    *,
    tolerance: float | None = None,
    confidence: float | None = None,
    augmentations: Sequence[str] | None = None,
    all_but: float = 0.0,
) -> dict[str, Outlook]:
    """Return what no augmentation, the usual default and each kind of policy are forecast to give.

    The arguments are those of ``recommend``; policies that hold an augmentation without a forecast are left out.
    """
    if profile.forecast is None:
        return {}
    names = [entry.name for entry in profile.classes]
    compared = {"none": uniform({}, names), "usual": uniform(USUAL, names)}
    for scope in SCOPES:
        spared = all_but if scope == "global" else 0.0
        compared[scope] = propose(
            profile, scope, tolerance=tolerance, confidence=confidence, augmentations=augmentations, all_but=spared
        )
    found = {name: outlook(profile, policy) for name, policy in compared.items()}
    return {name: entry for name, entry in found.items() if entry is not None}


def policy_losses(profile: Profile, policy: Policy) -> np.ndarray | None:
    """Return the recall that each class is forecast to lose by each augmentation of a policy, negative where it gains.

    Args:
        profile: A profile with a forecast.
        policy: The policy; a dose that was not forecast counts as the next stronger one.

    Returns:
        (A, C) for its A augmentations; None where the profile has no forecast, or not for one of them.
    """
    forecast = profile.forecast
    if forecast is None or not set(policy.names) <= set(forecast.augmentations):
        return None
    losses = [_losses(forecast.augmentations[name], name, policy) for name in policy.names]
    return np.array(losses).reshape(len(losses), len(profile.classes))


def export(policy: Policy, profile: Profile, library: str, image_size: int | None = None) -> str:
    """Return a policy in the words of a library.

    Args:
        policy: The policy.
        profile: The profile, which knows the network's input size.
        library: A registered exporter, such as ``"torchvision"``.
        image_size: Side of the network's input in pixels, where the profile does not know it.

    Returns:
        Code, flags, JSON or YAML, with a final newline.

    Raises:
        SettingsError: The library is unknown or cannot say the policy, or the size is needed and not known.
    """
    if image_size is not None and not 1 <= image_size <= LARGEST_SIDE:
        to_be = f"a whole number from 1 to {LARGEST_SIDE}"
        raise SettingsError(expected("--image-size", to_be, image_size, "Change it"))
    known = profile.provenance.model.preprocessing.get("image_size") if image_size is None else [image_size] * 2
    text: str = registry.get("exporters", library)(policy, known and tuple(known))
    return text


def check(
    profile: Profile,
    scope: Scope,
    library: str,
    image_size: int | None,
    tolerance: float | None,
    confidence: float | None,
    all_but: float,
    probability: float,
) -> None:
    """Raise SettingsError where a policy could not be recommended or exported, whatever its doses.

    The arguments are those of ``recommend`` and ``export``.
    """
    _check(profile, tolerance, confidence, all_but)
    names = tuple(entry.name for entry in profile.classes)
    groups = (0,) * len(names) if scope == "global" else tuple(range(len(names)))
    export(Policy(scope, probability, names, groups, ({},) * (max(groups) + 1)), profile, library, image_size)


def _check(profile: Profile, tolerance: float | None, confidence: float | None, all_but: float = 0.0) -> None:
    check_fraction(profile.policy.tolerance if tolerance is None else tolerance, "--tolerance")
    check_fraction(profile.policy.confidence if confidence is None else confidence, "--confidence", low=0.5)
    if not 0 <= all_but < 1:
        raise SettingsError(expected("--all-but", "a share in [0, 1)", all_but, "Change it, for instance to 0.1"))


def choose_scope(*, grouped: bool, per_class: bool) -> Scope:
    """Return the scope that two flags name; neither is global, and both are a SettingsError."""
    if grouped and per_class:
        to_be = "one of --grouped and --per-class"
        raise SettingsError(expected("the scope of the policy", to_be, "both", "Leave one out"))
    return "grouped" if grouped else "per_class" if per_class else "global"


def measured(profile: Profile, augmentations: Sequence[str] | None = None) -> dict[str, Curve]:
    """Return the counts under every augmentation.

    Args:
        profile: The profile.
        augmentations: Names to choose from; None takes all that the profile measured.

    Returns:
        The curves by name.

    Raises:
        SettingsError: The profile measured no augmentation, or not one of these.
    """
    known = {curve.perturbation: curve for curve in profile.curves if curve.role is Role.AUGMENTATION}
    if not known:
        do = "Analyze with --config standard"
        raise SettingsError(expected("the profile", "one that measured augmentations", "none", do))
    for name in augmentations or ():
        if name not in known:
            do = f"Choose from {', '.join(known)}, or analyze with a configuration that measures it"
            raise SettingsError(expected("every augmentation", "one that the profile measured", f"'{name}'", do))
    return {name: curve.to_curve() for name, curve in known.items() if augmentations is None or name in augmentations}


def clusters(profile: Profile, share: float) -> np.ndarray:
    """Return which classes are confused with each other, directly or through others.

    Args:
        profile: The profile, with the rivals of every class.
        share: Smallest share of a class's images that a rival has to take under an augmentation, in (0, 1].

    Returns:
        The cluster of each class, (C,), numbered from 0.
    """
    places = {entry.name: entry.index for entry in profile.classes}
    measured = {curve.perturbation for curve in profile.curves if curve.role is Role.AUGMENTATION}
    pairs = [
        (entry.index, places[rival.rival])
        for entry in profile.classes
        for rival in entry.rivals
        if rival.perturbation in measured and rival.share >= share and rival.rival in places
    ]
    size = len(places)
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(size, size))
    found: np.ndarray = connected_components(graph, directed=False)[1]
    return found


def verified(profile: Profile, policy: Policy) -> dict[str, TrainedModel]:
    """Return what trainings with just this policy, with its uniform rival and without augmentation showed.

    Args:
        profile: The profile.
        policy: The policy.

    Returns:
        Results by ``"policy"``, ``"matched"`` and ``"none"``; empty where the policy was not verified.
    """
    known = {} if profile.verified is None else profile.verified.policies
    own = known.get(policy.scope)
    if own is None or not policy.names or _by_class(own.policy, policy) != _by_class(policy.to_dict(), policy):
        return {}
    return {"policy": own} | {name: known[name] for name in ("matched", "none") if name in known}


def _by_class(listed: Mapping[str, Any] | None, policy: Policy) -> list[Any]:
    """Return what a policy, as JSON values, does to each class."""
    if listed is None:
        return []
    groups = listed.get("groups", [{"classes": policy.class_names, "augmentations": listed.get("augmentations")}])
    done = {name: group["augmentations"] for group in groups for name in group["classes"]}
    return [done.get(name) for name in policy.class_names]


def _refuse_beaten(profile: Profile, policy: Policy) -> None:
    """Refuse a policy by class that was verified to serve the worst class less than one that is the same for all."""
    seen = verified(profile, policy)
    few = profile.verified is None or profile.verified.seeds < _SEEDS
    if few or policy.scope == "global" or "matched" not in seen or seen["policy"].worst >= seen["matched"].worst:
        return
    worst = f"a worst class of {seen['policy'].worst:.1%} instead of {seen['matched'].worst:.1%}"
    got = f"{worst}, as `cuesense verify` found"
    to_be = "at least as good as the uniform policy of its mean strength"
    raise SettingsError(expected("the policy by class", to_be, got, "Take the policy for all classes"))


def _refuse_unforecast(augmentations: Sequence[str], found: Mapping[str, LossModel]) -> None:
    for name in augmentations:
        if name not in found:
            do = f"Choose from {', '.join(found)}, or forecast it too: --train DATASET --augmentations {name}"
            raise SettingsError(expected("every augmentation", "one that was forecast", f"'{name}'", do))


def _taken(found: LossModel, names: Sequence[str]) -> np.ndarray:
    """Return the share of each class's images (row) that training lets another class (column) take, (C, C)."""
    places, taken = {name: index for index, name in enumerate(names)}, np.zeros((len(names), len(names)))
    for leak in found.leaks:
        taken[places[leak.of], places[leak.rival]] = leak.share
    return taken


def _losses(found: LossModel, name: str, policy: Policy) -> np.ndarray:
    """Return what each class loses at its dose, (C,): that of the next stronger dose where it was not forecast."""
    identity, loss = augmentation(name).identity, np.array(found.loss)
    strengths = np.abs(np.array(found.values) - identity)
    dose = [policy.of_class(index).get(name, identity) for index in range(loss.shape[1])]
    rungs = np.searchsorted(strengths, np.abs(np.array(dose) - identity) - 1e-9)
    padded = np.vstack([loss, loss[-1:]])
    lost: np.ndarray = np.where(np.array(dose) == identity, 0, padded[rungs, np.arange(loss.shape[1])])
    return lost


def _budgets(curve: Curve, tolerance: float, confidence: float) -> list[Budget]:
    nowhere = [[None] * len(curve.n)] * len(curve.perturbation.ladder)
    return budget(curve, tolerance=tolerance, confidence=confidence, leak_to=nowhere)


def _refuse_too_few(
    profile: Profile, budgets: Mapping[str, Sequence[Budget]], tolerance: float, confidence: float
) -> None:
    every = [entry for of_class in budgets.values() for entry in of_class]
    if any(entry.value is not None for entry in every) or not any(entry.limited_by == TOO_FEW for entry in every):
        return
    most = max(entry.images for entry in profile.classes)
    needed = images_needed(tolerance, confidence)
    if most >= needed:
        return
    to_be = f"at least {needed} of each class, to certify a loss of at most {tolerance:g}"
    do = "Analyze more images, or accept a larger --tolerance"
    raise SettingsError(expected("the profile's images", to_be, f"{most} at most, which certify no dose", do))


def _groups(profile: Profile, scope: Scope, *, guards: bool) -> np.ndarray:
    classes = len(profile.classes)
    if scope == "global":
        return np.zeros(classes, dtype=np.int64)
    if scope == "grouped":
        return clusters(profile, CONFUSED)
    return clusters(profile, LEAK) if guards else np.arange(classes)


def _doses(
    budgets: Mapping[str, Sequence[Budget]], curves: Mapping[str, Curve], members: Sequence[int], spared: int
) -> dict[str, float]:
    found = {name: global_policy(of_class, curves[name], members, spared)[0] for name, of_class in budgets.items()}
    return {name: value for name, value in found.items() if value is not None}
