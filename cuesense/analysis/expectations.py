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
    certified = f". {_certifying(plan)} takes {needed:,}" if augmented else ""
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
    sentence = f"Of {first}, {points(right.sum() / tried.sum())} % are recognized."
    return [" ".join([sentence, *_narrowed(plan, accuracy * plan.images)]), *_rare(plan, accuracy, every=every)]


def _narrowed(plan: Plan, recognized: Floats) -> list[str]:
    """Return how well shares of the recognized images, (C,), are known, where ``_shares`` has not said as much."""
    images = plan.images[plan.images > 0].astype(float)
    usual, least = float(np.nanmedian(recognized)), int(np.nanargmin(recognized))
    fewest = float(recognized[least])
    said = []
    if _within(usual, plan) != _within(float(np.median(images)), plan):
        said.append(f"with {counted(round(usual))} of a class recognized it is {_within(usual, plan)}")
    if _within(fewest, plan) not in (_within(usual, plan), _within(float(images.min()), plan)):
        with_fewest = f"of {plan.class_names[least]}, with {counted(round(fewest))} recognized"
        said.append(f"{with_fewest}, it is {_within(fewest, plan)}")
    return [f"What a class keeps is a share of its recognized images: {'; '.join(said)}."] if said else []


def _shares(plan: Plan) -> str:
    images = np.where(plan.images > 0, plan.images, np.nan)
    usual, least = float(np.nanmedian(images)), int(np.nanargmin(images))
    fewest = float(images[least])
    said = (
        f"With {counted(round(usual))} a class, the share of a class that stays recognized without a cue is "
        f"{_within(usual, plan)} at best ({100 * plan.confidence:g} %)"
    )
    if round(fewest) != round(usual):
        said += f"; of {plan.class_names[least]}, which has the fewest, {round(fewest)}, {_within(fewest, plan)}"
    missing = [name for name, count in zip(plan.class_names, plan.images, strict=True) if not count]
    return f"{said}." + (f" No images: {listed(missing, _LISTED)}." if missing else "")


def _within(images: float, plan: Plan) -> str:
    """Return how well a share of so many images is known."""
    width = half_width(np.array(images), plan.confidence)
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
        instead = "only what it keeps and its lean, with wide intervals"
        return f"A class with fewer than {FEWEST_IMAGES} images gets no cue, {instead} (here: {too_few})."
    few = _names_below(plan, FEW_IMAGES)
    named = "A class gets a cue if its images show one clearly"
    return f"{named}; with fewer than {FEW_IMAGES} images many do not (here: {few})." if few else f"{named}."


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
    takes = f"{_certifying(plan)} takes {needed:,} images of it, none of them lost"
    if enough:
        who = "every class has" if enough == len(images) else f"{enough} of {len(images)} classes have"
        return [f"{takes}; {who} as many."]
    shown = smallest_tolerance(most, plan.confidence)
    if np.isnan(shown):
        return [f"{takes}; no class has as many."]
    # Rounded up, so that the images do show it.
    return [f"{takes}; {counted(most)} certify at most {np.ceil(1000 * shown) / 10:.1f} points."]


def _certifying(plan: Plan) -> str:
    return f"To certify that a class loses at most {100 * plan.tolerance:g} points"
