"""From a profile to policies: what every class, every cluster of confused classes or each class alone may get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cuesense import registry
from cuesense.budgets import TOO_FEW, budget, global_policy, images_needed
from cuesense.config import LARGEST_SIDE, check_fraction
from cuesense.errors import SettingsError, expected, unknown
from cuesense.policy import PROBABILITY, SCOPES, Policy, Scope
from cuesense.profile import Profile
from cuesense.types import Budget, Curve, Role

CONFUSED = 0.05
LEAK = 0.2


def recommend(
    profile: Profile,
    scope: Scope = "global",
    *,
    tolerance: float | None = None,
    augmentations: Sequence[str] | None = None,
    probability: float = PROBABILITY,
    guards: bool = True,
) -> Policy:
    """Return the strongest policy whose doses are shown to be safe for the classes that get them.

    Doses come from the profile's test-time curves: an image of the class is still recognized under them by the model
    as it is. That overstates what training with them would cost, so that classes may bear more than is recommended.
    Each augmentation is shown to be safe by itself; what several cost together is not measured.

    Args:
        profile: The profile of the model.
        scope: ``"global"``: one dose for all classes; ``"grouped"``: one for each cluster of classes that are linked,
            directly or through others, by a loss of at least 5 % of a class's images to another under an
            augmentation; ``"per_class"``: one for each class.
        tolerance: Accuracy drop that a class may suffer, a fraction in (0, 1); None takes the profile's own.
        augmentations: Names to choose from; None takes all that the profile measured.
        probability: Chance that a view is augmented, in (0, 1]; the others stay clean, in every class.
        guards: With scope per_class, classes of which one loses at least 20 % of its images to another share their
            doses: where their augmentations differ, being augmented would tell which of them an image is of.

    Returns:
        The policy; augmentations that are safe at no dose are left out of it.

    Raises:
        SettingsError: The profile did not measure an augmentation, has too few images to certify any dose, or a
            number is out of range.
    """
    tolerance = profile.policy.tolerance if tolerance is None else tolerance
    check_fraction(tolerance, "--tolerance")
    if scope not in SCOPES:
        raise SettingsError(unknown(f"scope '{scope}'", str(scope), SCOPES))
    curves = _curves(profile, augmentations)
    budgets = {name: _budgets(curve, tolerance, profile.policy.confidence) for name, curve in curves.items()}
    _refuse_too_few(profile, budgets, tolerance)
    groups = _groups(profile, scope, guards=guards)
    doses = tuple(
        _doses(budgets, curves, np.flatnonzero(groups == group).tolist()) for group in range(groups.max() + 1)
    )
    names = tuple(entry.name for entry in profile.classes)
    return Policy(scope, probability, names, tuple(groups.tolist()), doses)


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


def _curves(profile: Profile, augmentations: Sequence[str] | None) -> dict[str, Curve]:
    measured = {curve.perturbation: curve for curve in profile.curves if curve.role is Role.AUGMENTATION}
    if not measured:
        do = "Analyze with --config standard"
        raise SettingsError(expected("the profile", "one that measured augmentations", "none", do))
    for name in augmentations or ():
        if name not in measured:
            do = f"Choose from {', '.join(measured)}, or analyze with a configuration that measures it"
            raise SettingsError(expected("every augmentation", "one that the profile measured", f"'{name}'", do))
    return {
        name: curve.to_curve() for name, curve in measured.items() if augmentations is None or name in augmentations
    }


def _budgets(curve: Curve, tolerance: float, confidence: float) -> list[Budget]:
    nowhere = [[None] * len(curve.n)] * len(curve.perturbation.ladder)
    return budget(curve, tolerance=tolerance, confidence=confidence, leak_to=nowhere)


def _refuse_too_few(profile: Profile, budgets: Mapping[str, Sequence[Budget]], tolerance: float) -> None:
    every = [entry for of_class in budgets.values() for entry in of_class]
    if any(entry.value is not None for entry in every) or not any(entry.limited_by == TOO_FEW for entry in every):
        return
    most = max(entry.images for entry in profile.classes)
    needed = images_needed(tolerance, profile.policy.confidence)
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
    budgets: Mapping[str, Sequence[Budget]], curves: Mapping[str, Curve], members: Sequence[int]
) -> dict[str, float]:
    found = {name: global_policy(of_class, curves[name], members)[0] for name, of_class in budgets.items()}
    return {name: value for name, value in found.items() if value is not None}
