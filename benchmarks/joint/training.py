"""Make the images of one job, train its networks, and ask them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.families.single_cues import SingleCueWorld
from benchmarks.families.world import FamilyWorld
from benchmarks.joint.jobs import PRETRAINED, Job
from benchmarks.joint.kept import CONDITIONS, Asked, Member, keep
from benchmarks.labels import CUES
from benchmarks.outside.networks import Answering, adapted, ask, small
from benchmarks.outside.photographs import View, make, of_folders, of_photographs
from benchmarks.outside.single import SETS
from cuesense.planted.world import PlantedWorld
from cuesense.types import Cue

Pixels = NDArray[np.uint8]
World = PlantedWorld | FamilyWorld | SingleCueWorld

# Photographs that are a class each, and images of a class: there are few photographs, so that views repeat them.
_CLASSES = 12
_OF_FOLDERS, _OF_VIEWS = (60, 40), (100, 40)
# Of a pretrained network's head, and of tuning its last block.
_EPOCHS = (25, 5)


@dataclass(frozen=True)
class Images:
    """The images of one split: pixels (N, H, W, 3), labels (N,), ids, and what its classes are recognized by."""

    pixels: Pixels
    labels: NDArray[np.int64]
    ids: tuple[str, ...]
    members: Mapping[str, Member]


@dataclass(frozen=True)
class Sources:
    """What jobs need beside their own numbers.

    Attributes:
        photos: Folder of photographs, or None.
        weights: State dict of torchvision's mobilenet_v2, or None.
        device: Where networks and perturbations run.
    """

    photos: Path | None
    weights: Path | None
    device: str

    def suffice(self, job: Job) -> bool:
        """Return whether all that a job needs is there."""
        photos = job.kind != "photoset" or self.photos is not None
        return photos and (job.network != PRETRAINED or self.weights is not None)


def run(job: Job, sources: Sources, folder: Path) -> list[str]:
    """Train the networks of one job, ask them, and keep their predictions.

    Args:
        job: What to train.
        sources: Photographs, weights and device.
        folder: Where to write one file a network.

    Returns:
        The name of each network with its clean accuracy.
    """
    test = images(job, "test", sources.photos)
    answering = _answering(job, images(job, "train", sources.photos), sources)
    scores = ask([answering], test.pixels, test.ids, CONDITIONS, 0, sources.device)
    recall = _counterfactual(job, answering, len(test.members), sources.device)
    said = []
    for network, found in scores.items():
        name = job.name(network, len(test.members))
        answers = Asked(found, recall[network])
        keep(folder / f"{name}.npz", job=asdict(job), members=test.members, labels=test.labels, answers=answers)
        said.append(f"{name}: clean accuracy {(found[0].argmax(axis=1) == test.labels).mean():.3f}")
    return said


def images(job: Job, split: str, photos: Path | None) -> Images:
    """Return the images of one split of a job, ``train`` or ``test``."""
    if job.kind == "photoset" and photos is not None:
        return _photographs(job, split, photos)
    return _drawn(world(job, split, job.train if split == "train" else job.test))


def world(job: Job, split: str, number: int, redrawn: tuple[Cue, ...] = ()) -> World:
    """Return the synthetic images of a job, of which some cues may be redrawn."""
    common = {"seed": job.seed, "size": job.size, "split": split, "images_per_class": number}
    if job.kind == "single":
        return SingleCueWorld(job.family.partition(":")[2], number=job.counts["classes"], **common)
    if job.kind == "planted":
        return PlantedWorld(counts=job.counts, redrawn=redrawn, **common)
    return FamilyWorld(job.family, counts=job.counts, redrawn=redrawn, **common)


def _drawn(of: World) -> Images:
    members = {member.name: Member(member.truth, tuple(member.carriers)) for member in of.classes}
    pixels = np.stack([np.asarray(of[index].image) for index in range(len(of))])
    return Images(pixels, np.array(of.labels, dtype=np.int64), tuple(of.sample_ids), members)


def _photographs(job: Job, split: str, photos: Path) -> Images:
    _, use, grouping = job.family.split(":")
    if grouping == "folders":
        found = of_folders(photos, *_OF_FOLDERS)
    else:
        found = of_photographs(photos, _CLASSES, *_OF_VIEWS, job.seed)
    views: tuple[View, ...] = found.train if split == "train" else found.test
    cue = SETS[use].cue
    members = dict.fromkeys(found.names, Member(cue, (Cue(cue.value),)))
    labels = np.array([view.label for view in views], dtype=np.int64)
    return Images(make(views, use, job.size, job.seed, None), labels, tuple(view.id for view in views), members)


def _answering(job: Job, train: Images, sources: Sources) -> Answering:
    classes = len(train.members)
    if job.network == PRETRAINED and sources.weights is not None:
        epochs = _EPOCHS if job.epochs is None else (job.epochs, job.epochs)
        return adapted(sources.weights, train.pixels, train.labels, classes, epochs, sources.device)
    return small(job.network, train.pixels, train.labels, classes, job.seed, sources.device, job.epochs)


def _counterfactual(job: Job, answering: Answering, classes: int, device: str) -> dict[str, NDArray[np.float64]]:
    """Return the recall of each network where only some cues are as planted, (8, C) (kept.Asked)."""
    recall = {network: np.zeros((8, classes)) for network in answering.heads}
    for bits in range(8) if job.has_counterfactual else ():
        redrawn = tuple(cue for place, cue in enumerate(CUES) if not bits >> place & 1)
        shown = _drawn(world(job, "test", job.counterfactual, redrawn))
        for network, scores in ask([answering], shown.pixels, shown.ids, (), 0, device).items():
            right = shown.labels[scores[0].argmax(axis=1) == shown.labels]
            recall[network][bits] = np.bincount(right, minlength=classes) / job.counterfactual
    return recall
