"""Profiles whose pages are opened in a browser: with everything a page can show, and with hostile names."""

from __future__ import annotations

from cuesense.reports.html.profile import render
from cuesense.schemas.profile import Profile, RivalModel
from tests.helpers.graded_profiles import graded
from tests.helpers.page_pictures import noise_pictures
from tests.helpers.profiles import NAMES

CROP, JITTER = "random_resized_crop", "color_jitter"
# Who takes whose images, by position: both ends of a link, and a taker that is no class of the dataset.
RIVALS = ((0, 3, CROP, 0.42), (0, 3, JITTER, 0.2), (3, 0, CROP, 0.31), (5, 0, JITTER, 0.12))


def full_profile(classes: int = 12, *, names: tuple[str, ...] = NAMES) -> Profile:
    """Return a profile with graded answers, rivals under augmentations, and expected drops of every budget."""
    source = graded(classes, seed=3, half=0.05, names=names, empty=1)
    called = [entry.name for entry in source.classes]
    entries = []
    for at, entry in enumerate(source.classes):
        rivals = [
            RivalModel(rival=called[taker], perturbation=name, share=share)
            for loser, taker, name, share in RIVALS
            if loser == at
        ]
        if at == 1:
            rivals.append(RivalModel(rival="beyond the classes", perturbation=JITTER, share=0.08))
        entries.append(entry.model_copy(update={"rivals": [*rivals, *entry.rivals]}))
    return source.model_copy(update={"classes": entries})


def full_page(source: Profile) -> str:
    """Return a profile's page with pictures of every class."""
    return render(source, noise_pictures(source))
