"""Predictions of one network, kept in one file, and the evidence on its classes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.labels import LEARNED, SHORTCUT, measured_conditions, needed
from cuesense.analysis.evidence import Evidence, gather
from cuesense.analysis.hypotheses import verdict_of
from cuesense.perturbations.ablations import JOINT_ABLATIONS, SHAM, Ablation
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.stats.prior_correction import prior_corrected
from cuesense.types import Cue, CueVerdict

# What networks are asked under: all that the joint model reads, the second mechanism of color, and the controls.
CONDITIONS: tuple[Ablation, ...] = tuple(
    dict.fromkeys((*JOINT_ABLATIONS, Ablation("channel_permutation", 1.0), *SHAM.values()))
)
# Level of the intervals of the evidence. No share depends on it.
_LEVEL = 0.95
_KINDS = ("predicted", "corrected")


@dataclass(frozen=True)
class Draw:
    """Which images of a class are counted.

    Attributes:
        images: How many of each class, or None for all.
        seed: Chooses them.
    """

    images: int | None
    seed: int = 0


# All images (50, but for few), 20 and 10.
ALL, TWENTY, TEN = Draw(None), Draw(20, 1), Draw(10, 3)


@dataclass(frozen=True)
class Member:
    """What a class is recognized by.

    Attributes:
        truth: The right verdict, as planted.
        carriers: The cues that identify the class.
    """

    truth: CueVerdict
    carriers: tuple[Cue, ...]


@dataclass(frozen=True)
class Asked:
    """The answers of one network.

    Attributes:
        scores: Log-probabilities on clean images and under CONDITIONS, (1 + D, N, C).
        counterfactual: Recall where only some cues are as planted, (8, C): bits 0, 1 and 2 of the row keep color, shape
            and texture. Zeros where no cue can be redrawn.
    """

    scores: NDArray[np.float32]
    counterfactual: NDArray[np.float64]


@dataclass(frozen=True)
class Network:
    """The kept predictions of one network: ``<family>-<seed>-<side>-<network>-<classes>.npz``."""

    path: Path

    @cached_property
    def stored(self) -> dict[str, NDArray]:
        """The arrays of its file (keep)."""
        with np.load(self.path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    @cached_property
    def job(self) -> dict:
        """What was trained: family, seed, size and more (jobs.Job)."""
        return json.loads(str(self.stored["meta"]))

    @property
    def family(self) -> str:
        """``planted``, ``parts``, ``fields``, ``single`` (synthetic images with one cue) or ``photoset``."""
        return str(self.job["family"]).partition(":")[0]

    @property
    def single(self) -> bool:
        """Whether its images have one cue only."""
        return self.family in ("single", "photoset")

    @property
    def side(self) -> int:
        """Side of its images in pixels."""
        return int(self.job["size"])

    @property
    def odd(self) -> bool:
        """Whether it is for measuring: networks of even seeds are for choosing."""
        return int(self.job["seed"]) % 2 == 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of its classes."""
        return tuple(map(str, self.stored["class_names"]))

    @property
    def members(self) -> tuple[Member, ...]:
        """What each class is recognized by."""
        initial = {cue.value[0]: cue for cue in Cue}
        pairs = zip(self.stored["truth"], self.stored["carriers"], strict=True)
        return tuple(Member(CueVerdict(str(a)), tuple(initial[letter] for letter in str(b))) for a, b in pairs)

    @cached_property
    def learned(self) -> tuple[CueVerdict, ...]:
        """What the network really relies on: as planted, unless the counterfactual images show otherwise.

        Where images have one cue only, there is nothing else to rely on.
        """
        if self.single:
            return tuple(member.truth for member in self.members)
        recall = self.stored["counterfactual"] / np.maximum(self.stored["counterfactual"][7], 1e-9)
        found = (needed(member, recall[:, at], LEARNED, SHORTCUT) for at, member in enumerate(self.members))
        return tuple(verdict_of(hypothesis) for hypothesis in found)

    def places(self, draw: Draw) -> NDArray[np.int64]:
        """Return the places of the images that are counted, in order."""
        labels, random = self.stored["labels"], np.random.default_rng(draw.seed)
        if draw.images is None:
            return np.arange(len(labels))
        of_class = (np.flatnonzero(labels == index) for index in range(len(self.class_names)))
        return np.sort(np.concatenate([random.permutation(part)[: draw.images] for part in of_class]))

    def predictions(self, draw: Draw) -> Predictions:
        """Return the predictions for some images; the prior correction is that of all of them."""
        places = self.places(draw)
        labels = self.stored["labels"][places].astype(np.int64)
        pairs = [str(text).split() for text in self.stored["conditions"]]
        perturbations, conditions = measured_conditions([(name, float(value)) for name, value in pairs[1:]])
        answers = (
            ConditionPredictions(labels, *(self.stored[kind][row][places].astype(np.int64) for kind in _KINDS))
            for row in range(len(pairs))
        )
        return Predictions(
            class_names=self.class_names,
            output_names=self.class_names,
            outputs=tuple(range(len(self.class_names))),
            sample_ids=[str(place) for place in places],
            perturbations=perturbations,
            conditions=conditions,
            per_condition=tuple(answers),
            side=self.side,
        )


@cache
def evidence(network: Network, draw: Draw) -> Evidence:
    """Return the evidence of some images a class."""
    return gather(network.predictions(draw), _LEVEL)


def keep(path: Path, *, job: dict, members: Mapping[str, Member], labels: NDArray[np.int64], answers: Asked) -> None:
    """Write the predictions of one network, in the place of an unfinished file only when all is written.

    The arrays: ``conditions`` (1 + D,) such as ``"grayscale 1"``, the clean one first; for each of them and each image
    ``predicted``, ``corrected`` (for the known class prior) and ``p_true`` (the probability of the true class in
    1/255); ``labels`` (N,), ``class_names``, ``truth`` and ``carriers`` (first letters of cues) (C,),
    ``counterfactual`` (8, C), and ``meta``, what was trained, as JSON.

    Args:
        path: The file, .npz.
        job: What was trained.
        members: What each class is recognized by, by its name.
        labels: Class of each image, (N,), below 256.
        answers: Of the network.
    """
    classes = len(members)
    prior = np.bincount(labels, minlength=classes) / len(labels)
    every = np.tile(np.arange(classes), (len(labels), 1))
    probability = np.exp(answers.scores[:, np.arange(len(labels)), labels])
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            conditions=np.array(["clean 0", *(f"{name} {value:g}" for name, value in CONDITIONS)]),
            predicted=answers.scores.argmax(axis=2).astype(np.uint8),
            corrected=np.stack([prior_corrected(part, every, prior) for part in answers.scores]).astype(np.uint8),
            p_true=np.round(255 * probability).astype(np.uint8),
            labels=labels.astype(np.uint8),
            class_names=np.array(list(members)),
            truth=np.array([member.truth.value for member in members.values()]),
            carriers=np.array(["".join(sorted(cue.value[0] for cue in m.carriers)) for m in members.values()]),
            counterfactual=answers.counterfactual.astype(np.float32),
            meta=json.dumps(job),
        )
    unfinished.replace(path)


def networks(folder: Path) -> list[Network]:
    """Return all networks of a folder, by name."""
    return [Network(path) for path in sorted(folder.glob("*.npz"))]
