"""What a number of images can decide, said before a network is run, and again when a few clean images are classified.

Every number comes from the statistics that the analysis itself uses: Wilson's interval for shares, the one-sided bound
of budgets, and the rules below which no cue is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cuesense.analysis.cue_sentences import ablation_name, counted, points
from cuesense.analysis.cues import FEW_IMAGES, FEWEST_IMAGES, TOLD_APART
from cuesense.arrays import Floats
from cuesense.errors import listed
from cuesense.perturbations.ablations import CUES, PRIMARY_ABLATION, measured
from cuesense.policies.budgets import images_needed, smallest_tolerance
from cuesense.stats.intervals import wilson
from cuesense.types import Perturbation, Role

# Names that a sentence lists before it counts the rest.
_LISTED = 3


@dataclass(frozen=True)
class Plan:
    """What is known of an analysis before a network is run.

    Attributes:
        class_names: Readable names of the C classes.
        images: Images of each class, (C,); classes without any do not count in what is said.
        perturbations: What will be applied, each with its ladder.
        tolerance: The accepted accuracy drop, a fraction in (0, 1).
        confidence: Level of intervals and bounds, in (0.5, 1).
    """

    class_names: Sequence[str]
    images: NDArray[np.int64]
    perturbations: Sequence[Perturbation]
    tolerance: float
    confidence: float


def half_width(images: Floats, confidence: float) -> Floats:
    """Return how far a share of images may be from the truth: half of Wilson's interval around one half, its widest.

    Args:
        images: Images that the share is one of, any shape; real values are allowed.
        confidence: Two-sided level in (0, 1).

    Returns:
        Half widths in (0, 0.5), in the same shape; NaN below one image.
    """
    low, high = wilson(np.asarray(images) / 2, images, confidence)
    return np.asarray((high - low) / 2)


def expected_from_images(plan: Plan) -> list[str]:
    """Return what the numbers of images can decide, whatever the network.

    Args:
        plan: What is known before the network is run.

    Returns:
        One sentence on shares, one on cues, and one on budgets where an augmentation is applied; without images one
        that says so.
    """
    images = plan.images[plan.images > 0]
    if not len(images):
        return ["No class has images: nothing can be said about any."]
    return [_shares(plan), _cues(plan), *_budgets(plan, images)]


def decides_nothing(plan: Plan) -> str | None:
    """Return in one sentence that no class has the images for a cue, and none those for a budget; else None.

    A configuration that measures no cues or no augmentations is nobody's mistake, and does not count.

    Args:
        plan: What is known before the network is run.
    """
    most, needed = int(plan.images.max(initial=0)), images_needed(plan.tolerance, plan.confidence)
    if not most or most >= min(FEWEST_IMAGES, needed):
        return None
    augmented = any(entry.role is Role.AUGMENTATION for entry in plan.perturbations)
    certified = f", and no budget is certified within {_tolerance(plan)} below {needed:,}" if augmented else ""
    a_class = "a class" if int(plan.images[plan.images > 0].min()) == most else "a class at most"
    decide = "decides" if most == 1 else "decide"
    return f"{counted(most)} {a_class} {decide} little: no cue is named below {FEWEST_IMAGES}{certified}."


def expected_from_clean(plan: Plan, tried: NDArray[np.int64], right: NDArray[np.int64]) -> list[str]:
    """Return what the numbers of images can decide for a network that has classified clean images.

    Args:
        plan: What is known before the network is run.
        tried: Clean images of each class that were classified, (C,); all of them or some.
        right: How many of these are recognized, (C,).

    Returns:
        A sentence on shares, and one that names the classes which are recognized too rarely for a cue; nothing where no
        image was classified.
    """
    if not tried.any():
        return []
    accuracy = right / np.where(tried > 0, tried, np.nan)
    every = int(tried.sum()) == int(plan.images.sum())
    first = "the clean images" if every else f"the first {int(tried.max())} clean images of each class"
    recognized = accuracy * plan.images
    usual = counted(round(float(np.nanmedian(recognized))))
    sentence = (
        f"Of {first}, {points(right.sum() / tried.sum())} % are recognized. With {usual} of a class recognized, what "
        f"it keeps is {_known(plan, recognized)}."
    )
    return [sentence, *_rare(plan, accuracy, every=every)]


def _shares(plan: Plan) -> str:
    images = np.where(plan.images > 0, plan.images, np.nan)
    usual = counted(round(float(np.nanmedian(images))))
    missing = [name for name, count in zip(plan.class_names, plan.images, strict=True) if not count]
    without = f" No images: {listed(missing, _LISTED)}." if missing else ""
    return f"With {usual} a class, what a class keeps without a cue is at best {_known(plan, images)}.{without}"


def _known(plan: Plan, images: Floats) -> str:
    """Return how well shares of so many images of each class, (C,), are known: of a usual class and the fewest."""
    typical, least = float(np.nanmedian(images)), int(np.nanargmin(images))
    fewest = float(images[least])
    usual = f"{_within(typical, plan.confidence)} ({100 * plan.confidence:g} %"
    if round(fewest) == round(typical):
        return f"{usual})"
    return f"{usual}; fewest: {plan.class_names[least]}, {counted(round(fewest))}, {_within(fewest, plan.confidence)})"


def _within(images: float, confidence: float) -> str:
    width = half_width(np.array(images), confidence)
    return "not known" if np.isnan(width) else f"known within {points(width)} points"


def _rare(plan: Plan, accuracy: Floats, *, every: bool) -> list[str]:
    """Return a sentence on the classes that are recognized too rarely for a cue, where there are any."""
    rare = [at for at in np.argsort(accuracy, kind="stable").tolist() if accuracy[at] < TOLD_APART]
    if not rare:
        return []
    names = listed([f"{plan.class_names[at]} ({points(accuracy[at])} %)" for at in rare], _LISTED)
    unless = "" if every else ", unless all of their images show more"
    return [f"Recognized too rarely to name a cue, below {points(TOLD_APART)} %{unless}: {names}."]


def _cues(plan: Plan) -> str:
    found, needed = measured(plan.perturbations), [PRIMARY_ABLATION[cue] for cue in CUES]
    lacking = [ablation_name(ablation) for ablation in needed if ablation not in found]
    if lacking:
        return f"No cue is named without {' and '.join(lacking)}, which the configuration does not apply."
    too_few = _names_below(plan, FEWEST_IMAGES)
    if too_few:
        instead = "only what it keeps and its leans, with wide intervals"
        return f"Below {FEWEST_IMAGES} images a class gets no cue, {instead}: {too_few}."
    few = _names_below(plan, FEW_IMAGES)
    named = "A class gets a cue where its images show one clearly"
    if not few:
        return f"{named}."
    return f"{named}; with fewer than {FEW_IMAGES} images, many stay undetermined. Fewer than {FEW_IMAGES} has: {few}."


def _names_below(plan: Plan, images: int) -> str:
    """Return the classes that have images, but fewer than so many."""
    few = [name for name, count in zip(plan.class_names, plan.images, strict=True) if 0 < count < images]
    every = len(few) == int((plan.images > 0).sum())
    return "every class" if every and len(few) > 1 else listed(few, _LISTED) if few else ""


def _budgets(plan: Plan, images: NDArray[np.int64]) -> list[str]:
    if not any(entry.role is Role.AUGMENTATION for entry in plan.perturbations):
        return []
    needed, most = images_needed(plan.tolerance, plan.confidence), int(images.max())
    enough = int((images >= needed).sum())
    certified = f"Budgets are certified within {_tolerance(plan)} from {needed:,} images a class on, none of them lost"
    if enough:
        who = "every class has" if enough == len(images) else f"{enough} of {len(images)} classes have"
        return [f"{certified}; {who} them."]
    shown = smallest_tolerance(most, plan.confidence)
    if np.isnan(shown):
        return [f"{certified}; no class has them."]
    # Rounded up, so that the images do show it.
    return [f"{certified}; {counted(most)} show {np.ceil(1000 * shown) / 10:.1f} points at best."]


def _tolerance(plan: Plan) -> str:
    return f"{100 * plan.tolerance:g} points"
