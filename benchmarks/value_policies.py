"""The policies that ``value.py`` compares in each world, and how each is chosen; none sees a test image.

All of them are chosen with the seeds 1000 and 1001 on the analyzed images and reported with other seeds on others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from value_profiles import profile, with_forecast
from value_training import CHOICE_SEEDS, MILDER, STRONGEST, USUAL, Trainings
from value_worlds import ANALYZED

from cuesense import recommend
from cuesense.arrays import Ints
from cuesense.policies.baselines import joined
from cuesense.policies.policy import Policy, PolicyOptions
from cuesense.policies.recommend import decide
from cuesense.policies.rivals import class_weights, relaxed
from cuesense.stats.over_seeds import recall
from cuesense.stats.training_loss import leaks

NONE, USUAL_DEFAULT, BEST_UNIFORM = "none", "usual default", "best uniform"
UNTRAINED, FORECAST, UNWEIGHTED = "ours, no training", "ours, forecast", "ours, no weights"
WEIGHTED, RELAXED = "class weights", "relaxed intruders"
# What the forecast turned down: trained to see whether that was right.
TURNED_DOWN = "turned down"
# The advice without training to a profile of fewer or more images of every class than ANALYZED.
SIZES = (10, 20, 200)
OF_SIZE = {images: f"ours, {images} images" for images in SIZES}
POLICIES = (NONE, USUAL_DEFAULT, BEST_UNIFORM, UNTRAINED, FORECAST, UNWEIGHTED, WEIGHTED, RELAXED, TURNED_DOWN)
EVERY = (*POLICIES, *OF_SIZE.values())
_FIRST = CHOICE_SEEDS[:1]


def best_uniform(own: Trainings) -> Policy:
    """Return what people do: every augmentation that raised the mean on its own, if together they are best of all.

    Each value that ``value_training.py`` trains is tried with one seed on the analyzed images.
    """
    tried = [own.policy(values) for values in ({}, *STRONGEST, *MILDER)]
    means = [_mean(own, policy) for policy in tried]
    together = joined(tried, means)
    own.run([together], _FIRST)
    return max([*tried, together], key=lambda policy: _mean(own, policy))


def _mean(own: Trainings, policy: Policy) -> float:
    return float(own.recall(policy, _FIRST, test=False).mean())


def untrained(own: Trainings, images: int = ANALYZED) -> Policy:
    """Return what ``cuesense recommend`` says to the profile alone, of so many images of every class."""
    return recommend(profile(own, images))


def forecast(own: Trainings) -> Policy:
    """Return what ``cuesense recommend --train`` says: two trainings without and two with each augmentation."""
    return recommend(with_forecast(profile(own), own, ANALYZED))


def unweighted(own: Trainings) -> Policy:
    """Return the same without class weights."""
    return replace(forecast(own), class_weights=())


def turned_down(own: Trainings) -> Policy:
    """Return the best policy that the forecast turned down: where it recommends one, no augmentation."""
    found = decide(with_forecast(profile(own), own, ANALYZED), PolicyOptions())
    return own.policy({}) if found.policy.names or found.runner_up is None else found.runner_up


def weighted(own: Trainings) -> Policy:
    """Return the best uniform policy with class weights after the harm that it does (after CLAM)."""
    base, before, after = _before_and_after(own)
    labels = own.images[1].labels.numpy()
    recalls = (recall(predicted[None], labels, len(own.names))[0] for predicted in (before, after))
    return replace(base, class_weights=class_weights(*recalls))


def relaxed_intruders(own: Trainings) -> Policy:
    """Return the best uniform policy, milder for the classes that take others' images (Kirichenko et al. 2023)."""
    base, before, after = _before_and_after(own)
    return relaxed(base, leaks(before[None], after[None], own.images[1].labels.numpy(), len(own.names)))


def _before_and_after(own: Trainings) -> tuple[Policy, Ints, Ints]:
    """Return what the rivals repair, and what networks without and with it predict for the analyzed images.

    That is the best uniform policy, as in ``cuesense verify``; the usual default where no augmentation is best.
    """
    best = choose(own, (BEST_UNIFORM,))[BEST_UNIFORM]
    base = best if best.names else own.policy(USUAL)
    own.run([base], _FIRST)
    before, after = (own.predicted(policy, _FIRST[0])[0] for policy in ({}, base))
    return base, before, after


CHOICES: Mapping[str, Callable[[Trainings], Policy]] = {
    NONE: lambda own: own.policy({}),
    USUAL_DEFAULT: lambda own: own.policy(USUAL),
    BEST_UNIFORM: best_uniform,
    UNTRAINED: untrained,
    FORECAST: forecast,
    WEIGHTED: weighted,
    RELAXED: relaxed_intruders,
    UNWEIGHTED: unweighted,
    TURNED_DOWN: turned_down,
} | {name: partial(untrained, images=images) for images, name in OF_SIZE.items()}


def choose(own: Trainings, wanted: tuple[str, ...], *, again: bool = False) -> dict[str, Policy]:
    """Return the wanted policies of a world; each is chosen once and kept in policies.json, unless asked for again."""
    path = _file(own)
    kept = json.loads(path.read_text()) if path.exists() else {}
    for name in wanted:
        if again or name not in kept:
            kept[name] = CHOICES[name](own).to_dict()
            path.write_text(json.dumps(kept, indent=1))
    return {name: Policy.from_dict(kept[name], own.names) for name in wanted}


def chosen(own: Trainings) -> dict[str, Policy]:
    """Return the policies that were chosen in a world."""
    return choose(own, tuple(json.loads(_file(own).read_text()))) if _file(own).exists() else {}


def _file(own: Trainings) -> Path:
    return own.place / "policies.json"
