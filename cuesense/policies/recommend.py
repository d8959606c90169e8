"""From a profile to policies: for all classes, for each cluster of confused classes, or for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cuesense import registry
from cuesense.errors import SettingsError, expected, unknown
from cuesense.policies.budgets import shared_budget
from cuesense.policies.expected_losses import ExpectedLosses, expected_losses
from cuesense.policies.policy import PROBABILITY, SCOPES, Policy, PolicyOptions, Scope, uniform
from cuesense.policies.profile_budgets import (
    budgets_of,
    check_numbers,
    levels_of,
    measured_augmentations,
    profile_of,
)
from cuesense.policies.rivals import Verdict, best_verified, class_weights, rebuilt
from cuesense.policies.search import Found, Limits, search
from cuesense.policies.verdicts import reason
from cuesense.schemas.profile import Profile, VerifiedModel
from cuesense.types import Budget, Curve, Role

# Share of a class's images that go to another class under an augmentation, from which on the two belong to one cluster.
# Chosen by hand, as the usual tolerance; not tuned.
CONFUSED = 0.05
# The share from which on classes share their values in a policy by class, too: where they differ, training learns which
# class is augmented (the leaks of 11 to 23 points in docs/budgets.md). Chosen by hand; not tuned.
LEAK = 0.2

# The formats of which lines that begin with # are comments.
_WITH_COMMENTS = ("yaml", "torchvision", "kornia", "timm", "ultralytics")
# With fewer seeds a worst class may be lower by luck: from seed to seed a class changes by 5 to 8 points (standard
# deviations, docs/budgets.md). Chosen by hand; not tuned.
_SEEDS = 3


def recommend(
    profile: Profile | Path | str,
    scope: Scope = "global",
    *,
    tolerance: float | None = None,
    risk: float | None = None,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    guards: bool = True,
    all_but: float = 0.0,
    spares: bool = True,
    weights: bool = True,
) -> Policy:
    """Return the policy that is forecast to be best among those whose risk is accepted: at least, to augment nothing.

    With scope global, what training with each augmentation is expected to cost every class decides: by the profile's
    forecast where it has one (``cuesense.forecast``), else by what trainings elsewhere cost classes that lose as much
    at test time (``stats/training_prior``). Of all policies under which each class has at most the accepted risk of
    losing more than the tolerance, the one with the largest sum of expected mean and lowest recall is recommended.
    Where none is better than no augmentation, fewer augmented views are tried, then leaving out the few classes at
    risk; a policy without augmentations means that training without is forecast to be best. ``cuesense.advise`` also
    says against what it was chosen, with figures.

    With scope grouped or per_class, every cluster or class gets the strongest values whose risk is accepted: by the
    forecast, else by the profile's test-time budgets. Each augmentation is then considered by itself.

    Args:
        profile: The profile of the model, its file or its folder.
        scope: ``"global"``: one set of values for all classes; ``"grouped"``: one for each cluster of classes that are
            linked, directly or through others, by a loss of at least 5 % of a class's images to another under an
            augmentation; ``"per_class"``: one for each class.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        risk: The largest chance, for each class, of losing more than that, in (0, 0.5]; None takes the profile's own.
        augmentations: Names to choose from; None takes all that the profile measured, or forecast.
        probability: Chance that a view is augmented, in (0, 1]; the others stay clean, in every class. With scope
            global fewer views are augmented where that is forecast to be better.
        guards: With scope per_class, classes of which one loses at least 20 % of its images to another share their
            values: where their augmentations differ, training could tell the classes apart by the augmentation.
        all_but: With scope global, the share of the classes, in [0, 1), that may be harmed.
        spares: With scope global, whether at most a tenth of the classes may be left out of the augmentation where
            nothing else is better than none, and whether a verified winner may differ between classes. False for code
            and flags of libraries, which do not know the class of an image.
        weights: With scope global and a forecast by trainings, whether classes that the policy is forecast to harm
            count more in the loss (``Policy.class_weights``, after CLAM), and whether a verified winner may have class
            weights; the forecast itself knows nothing of them.

    Returns:
        The policy. Where ``cuesense verify`` trained it, and class weights or milder augmentation of intruding classes
        were better, the winner of these.

    Raises:
        SettingsError: The profile did not measure an augmentation, a number is out of range, or trainings with a policy
            by class showed a lower worst-class accuracy than with a uniform one.
    """
    options = PolicyOptions(scope, tolerance, risk, augmentations, probability, guards, all_but, spares, weights)
    known = profile_of(profile)
    return after_verification(known, decide(known, options).policy, options)


def propose(profile: Profile, options: PolicyOptions) -> Policy:
    """Return the policy that forecasts and budgets recommend, whatever a verification showed.

    Args:
        profile: The profile of the model.
        options: Which policy is wanted.

    Returns:
        The policy.

    Raises:
        SettingsError: As in ``recommend``, but for what verification showed.
    """
    return decide(profile, options).policy


def decide(profile: Profile, options: PolicyOptions, losses: ExpectedLosses | None = None) -> Found:
    """Return the policy that forecasts and budgets recommend, with the classes left out and the best other policy.

    Args:
        profile: The profile of the model.
        options: Which policy is wanted.
        losses: ``expected_losses`` of the profile and the options' augmentations, where they are known already: without
            training their estimate takes most of the time.

    Returns:
        The policy; policies by class have no runner-up.

    Raises:
        SettingsError: As in ``recommend``, but for what verification showed.
    """
    if options.scope not in SCOPES:
        raise SettingsError(unknown(f"scope '{options.scope}'", str(options.scope), SCOPES))
    check_numbers(profile, options.tolerance, None, options.all_but, risk=options.risk)
    if options.scope == "global":
        return _for_all(profile, options, losses)
    budgets = budgets_of(profile, tolerance=options.tolerance, risk=options.risk, augmentations=options.augmentations)
    curves = measured_augmentations(profile, list(budgets))
    groups = _groups(profile, options.scope, guards=options.guards)
    values = tuple(
        _values(budgets, curves, np.flatnonzero(groups == group).tolist()) for group in range(groups.max() + 1)
    )
    names = tuple(entry.name for entry in profile.classes)
    return Found(Policy(options.scope, options.probability, names, tuple(groups.tolist()), values), (), None)


def _for_all(profile: Profile, options: PolicyOptions, losses: ExpectedLosses | None) -> Found:
    names = tuple(entry.name for entry in profile.classes)
    # Refuses a probability out of range before anything is searched.
    uniform({}, names, options.probability)
    losses = losses or expected_losses(profile, options.augmentations)
    levels = levels_of(profile, tolerance=options.tolerance, risk=options.risk)
    limits = Limits(levels.tolerance, levels.risk, int(options.all_but * len(names)))
    found = search(losses, names, options.probability, limits, spares=options.spares)
    return replace(found, policy=_weighted(found.policy, losses)) if options.weights else found


def after_verification(
    profile: Profile, policy: Policy, options: PolicyOptions, losses: ExpectedLosses | None = None
) -> Policy:
    """Return the policy for all that trainings showed to be best, where ``verify`` trained this one; else the policy.

    ``verify`` trains it without class weights, and with them beside it.

    Args:
        profile: The profile of the model.
        policy: What forecasts and budgets recommend.
        options: Which policy is wanted.
        losses: As in ``decide``.

    Returns:
        The policy; one by class is never replaced.

    Raises:
        SettingsError: Trainings with the policy by class showed a lower worst-class accuracy than with a uniform one.
    """
    if options.scope != "global":
        _refuse_beaten(profile, policy)
        return policy
    verdict = verdict_on(profile, policy, options, losses)
    return policy if verdict is None else verdict.policy


def verdict_on(
    profile: Profile, policy: Policy, options: PolicyOptions, losses: ExpectedLosses | None = None
) -> Verdict | None:
    """Return what trainings showed of the policy for all classes, and which one is recommended after them.

    Where no class may be left out, they may have been made with the policy that leaves some out: what was better than
    that is recommended, too.

    Args:
        profile: The profile of the model.
        policy: What forecasts and budgets recommend.
        options: Which policy is wanted.
        losses: As in ``decide``.

    Returns:
        The verdict; None where ``verify`` trained neither of these, where the winner is not what the options want, and
        for policies by class.
    """
    if options.scope != "global" or profile.verified is None:
        return None
    choice = {"by_class": options.spares, "weights": options.weights}
    found = best_verified(profile, replace(policy, class_weights=()), **choice)
    other = with_classes_left_out(profile, policy, options, losses) if found is None else None
    if other is not None:
        found = best_verified(profile, replace(other, class_weights=()), **choice)
        found = found if found is None or found.replaces else replace(found, policy=policy)
    return found if found is None or _is_wanted(found.policy, options) else None


def _is_wanted(policy: Policy, options: PolicyOptions) -> bool:
    """Return whether a policy has no other augmentations and no more augmented views than the options name."""
    chosen = options.augmentations
    known = chosen is None or set(policy.names) <= set(chosen)
    return known and (not policy.names or policy.probability <= options.probability)


def with_classes_left_out(
    profile: Profile, policy: Policy, options: PolicyOptions, losses: ExpectedLosses | None = None
) -> Policy | None:
    """Return the policy that leaves classes out and is forecast to be better than none, where none may be left out.

    Args:
        profile: The profile of the model.
        policy: What is recommended instead.
        options: Which policy is wanted.
        losses: As in ``decide``.

    Returns:
        The policy; None where the recommended one has augmentations, or classes may be left out anyway.
    """
    if options.scope != "global" or options.spares or policy.names:
        return None
    found = decide(profile, replace(options, spares=True), losses).policy
    return found if found.names else None


def _weighted(policy: Policy, losses: ExpectedLosses) -> Policy:
    """Return a policy with class weights after the harm that trainings forecast for it.

    Harm that nothing was trained for is too uncertain to weigh classes by.
    """
    cost = losses.of_policy(policy)
    if not policy.names or cost is None or losses.basis not in ("trained", "trained and head"):
        return policy
    return replace(policy, class_weights=class_weights(losses.accuracy, losses.accuracy - cost.loss[0]))


def export(policy: Policy, profile: Profile | Path | str, library: str, image_size: int | None = None) -> str:
    """Return a policy as a training library reads it.

    Args:
        policy: The policy.
        profile: The profile, its file or its folder; it knows the network's input size.
        library: A registered exporter, such as ``"torchvision"``.
        image_size: Side of the network's input in pixels, where the profile does not know it.

    Returns:
        Code, flags, JSON or YAML, with a final newline. What cuesense writes itself begins, where there may be
        comments, with what trainings showed of the policy, and why there is no augmentation.

    Raises:
        SettingsError: The library is unknown or cannot express the policy, or the size is needed and not known.
    """
    if not isinstance(policy, Policy):
        do = "Pass what cuesense.recommend returns"
        raise SettingsError(expected("policy", "a Policy", type(policy).__name__, do))
    known = profile_of(profile).provenance.model.preprocessing.get("image_size")
    if image_size is None and known:
        text: str = registry.get("exporters", library)(policy, tuple(known))
    else:
        text = policy.export(library, image_size)
    why = reason(profile_of(profile), policy) if library in _WITH_COMMENTS else ""
    return f"# {why}\n{text}" if why else text


def check_options(profile: Profile, options: PolicyOptions, library: str, image_size: int | None) -> None:
    """Raise SettingsError where a policy could not be recommended or exported, whatever its values.

    Args:
        profile: The profile of the model.
        options: Which policy is wanted.
        library: A registered exporter.
        image_size: Side of the network's input in pixels, where the profile does not know it.
    """
    check_numbers(profile, options.tolerance, None, options.all_but, risk=options.risk)
    names = tuple(entry.name for entry in profile.classes)
    groups = (0,) * len(names) if options.scope == "global" else tuple(range(len(names)))
    empty = Policy(options.scope, options.probability, names, groups, ({},) * (max(groups) + 1))
    export(empty, profile, library, image_size)


def choose_scope(*, grouped: bool, per_class: bool) -> Scope:
    """Return the scope that two flags name; neither is global, and both are a SettingsError."""
    if grouped and per_class:
        to_be = "one of --grouped and --per-class"
        raise SettingsError(expected("the scope of the policy", to_be, "both", "Leave one out"))
    return "grouped" if grouped else "per_class" if per_class else "global"


def clusters(profile: Profile, share: float) -> np.ndarray:
    """Return which classes are confused with each other, directly or through others.

    Args:
        profile: The profile, with the rivals of every class.
        share: Smallest share of a class's images that a rival has to take under an augmentation, in (0, 1].

    Returns:
        The cluster of each class, (C,), numbered from 0.
    """
    index_of = {entry.name: entry.index for entry in profile.classes}
    measured = {curve.perturbation for curve in profile.curves if curve.role is Role.AUGMENTATION}
    pairs = [
        (entry.index, index_of[rival.rival])
        for entry in profile.classes
        for rival in entry.rivals
        if rival.perturbation in measured and rival.share >= share and rival.rival in index_of
    ]
    size = len(index_of)
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(size, size))
    found: np.ndarray = connected_components(graph, directed=False)[1]
    return found


def verified(profile: Profile, policy: Policy) -> VerifiedModel | None:
    """Return what trainings with just this policy showed, and with what it is compared with.

    Args:
        profile: The profile.
        policy: The policy; with class weights it is another one than without.

    Returns:
        Results by ``"policy"``, and, where they are known, ``"none"``, ``"global"`` (what was forecast to be best for
        all classes) and, beside a policy by class, ``"matched"`` (the uniform policy of its mean strength); None where
        the policy was not verified.

    Raises:
        SettingsError: A policy in the profile is none, or has values that do not exist.
    """
    names = [entry.name for entry in profile.classes]
    known = profile.verified
    if known is None:
        return None
    same = [name for name, found in known.policies.items() if rebuilt(found, names).content == policy.content]
    if not same:
        return None
    by_class = ["matched"] if policy.scope != "global" and policy.scope in same else []
    others = {name: known.policies[name] for name in ("none", "global", *by_class) if name in known.policies}
    return known.model_copy(update={"policies": {"policy": known.policies[same[0]]} | others})


def _refuse_beaten(profile: Profile, policy: Policy) -> None:
    """Refuse a policy by class whose trainings showed a lower worst-class accuracy than those with a uniform policy."""
    seen = verified(profile, policy)
    if seen is None or seen.seeds < _SEEDS or "matched" not in seen.policies:
        return
    own, matched = (seen.policies[name].worst for name in ("policy", "matched"))
    if own >= matched:
        return
    got = f"a worst class of {own:.1%} instead of {matched:.1%}, as `cuesense verify` found"
    to_be = "at least as good as the uniform policy of its mean strength"
    raise SettingsError(expected("the policy by class", to_be, got, "Take the policy for all classes"))


def _groups(profile: Profile, scope: Scope, *, guards: bool) -> np.ndarray:
    if scope == "grouped":
        return clusters(profile, CONFUSED)
    return clusters(profile, LEAK) if guards else np.arange(len(profile.classes))


def _values(
    budgets: Mapping[str, Sequence[Budget]], curves: Mapping[str, Curve], members: Sequence[int]
) -> dict[str, float]:
    found = {name: shared_budget(of_class, curves[name].n, members).value for name, of_class in budgets.items()}
    return {name: value for name, value in found.items() if value is not None}
