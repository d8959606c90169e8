"""The networks that the joint model is fitted to and measured on."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

# Kinds of classes of one world of many: planted worlds have these, but for "exclusive", by themselves.
_MANY = {"color": 3, "shape": 3, "texture": 3, "redundant": 3, "mixed": 4, "exclusive": 2, "context": 1}
_NONE = {"color": 0, "shape": 0, "texture": 0, "redundant": 0, "mixed": 0, "context": 0}
# Every kind of class in company of its own kind, alone among others, and both; the last world has ten classes.
_FEW: tuple[dict[str, int], ...] = (
    {"color": 1, "shape": 1},
    {"color": 1, "texture": 1},
    {"shape": 1, "texture": 1},
    {"color": 2},
    {"shape": 2},
    {"texture": 2},
    {"exclusive": 2},
    {"color": 1, "shape": 1, "texture": 1},
    {"color": 3},
    {"shape": 2, "texture": 1},
    {"color": 2, "shape": 2},
    {"mixed": 4},
    {"texture": 2, "shape": 2},
    {"color": 1, "shape": 2, "texture": 2},
    {"color": 2, "redundant": 1, "shape": 1, "texture": 1},
    {"color": 3, "shape": 3, "texture": 3, "redundant": 1},
)
_HUNDRED = {"color": 10, "shape": 30, "texture": 30, "redundant": 4, "mixed": 20, "exclusive": 4, "context": 2}
_WORLDS = ("planted", "parts", "fields")
_SYNTHETIC = ("silhouettes", "lines", "textures", "collages", "flat", "pixels")
_OF_PHOTOGRAPHS = ("lines", "edges", "silhouettes", "collage", "quilt", "phase", "flat", "palette", "pixels")
# Trained from scratch, and a pretrained one of which a head is fitted and the last block tuned: two networks.
PRETRAINED = "mobilenet"


@dataclass(frozen=True)
class Job:
    """One network to train, or a pretrained one to adapt.

    Attributes:
        family: ``planted``, ``parts``, ``fields``, ``single:KIND`` (benchmarks.families.single_cues) or
            ``photoset:SET:GROUPING`` (benchmarks.outside.single; a class is a folder, or each is one photograph).
        seed: Of the images and the network. Networks of even seeds are for choosing, of odd ones for measuring.
        size: Side of the images in pixels.
        network: One of benchmarks.networks.KINDS, or PRETRAINED.
        counts: Classes of each kind; of single-cue worlds their number as ``classes``, of photographs none.
        train: Training images a class.
        test: Test images a class.
        counterfactual: Images a class with each subset of the cues redrawn.
        epochs: How long a network is trained from scratch; None for the usual.
        tag: Ends the name of its file.
        priority: Jobs of low numbers come first, so that whatever the time allows is a fair sample.
    """

    family: str
    seed: int
    size: int
    network: str
    counts: Mapping[str, int] = field(default_factory=dict)
    train: int = 160
    test: int = 50
    counterfactual: int = 12
    epochs: int | None = None
    tag: str = ""
    priority: float = 0.0

    @property
    def kind(self) -> str:
        """The family without its kind of images."""
        return self.family.partition(":")[0]

    @property
    def has_counterfactual(self) -> bool:
        """Whether cues can be redrawn; images with one cue have no other that a network could rely on."""
        return self.kind in _WORLDS

    def name(self, network: str, classes: int) -> str:
        """Return the name of a network's file, without ending."""
        return f"{self.family.replace(':', '_')}-{self.seed}-{self.size}-{network}-{classes}{self.tag}"


def jobs() -> list[Job]:
    """Return all networks, the most important ones first."""
    every = [*_many(), *_few(), *_single(), *_photographs(), *_hundred()]
    return sorted(every, key=lambda job: (job.priority, hashlib.md5(json.dumps(asdict(job)).encode()).hexdigest()))


def _many() -> Iterator[Job]:
    """Yield worlds of 19 classes: of all sizes, and weak networks."""
    for family in _WORLDS:
        counts = {"null": 0} if family == "planted" else _MANY
        for turn in range(12):
            repeat, seed = turn // 2, 400 + turn
            medium = (("residual", 0, 64), (("strided", "vit")[repeat % 2], 100, 64))
            larger = (("residual", "strided", "vit")[repeat % 3], 200, 128)
            for network, more, size in (*medium, larger):
                yield Job(family, seed + more, size, network, counts, priority=repeat)
            if repeat < 4:
                small = ("residual", "strided")[repeat % 2]
                yield Job(family, seed + 300, 32, small, counts, priority=repeat + 0.5)
            if repeat < 3:
                few = {"train": 100, "counterfactual": 10, "priority": 1.5 * repeat}
                yield Job(family, seed + 400, 224, PRETRAINED, counts, **few)
            if repeat < 2:
                weak = {"train": 40, "epochs": 8, "tag": "weak", "priority": repeat + 1.0}
                yield Job(family, seed + 500, 64, "residual", counts, **weak)


def _few() -> Iterator[Job]:
    """Yield worlds of 2 to 5 classes, and of 10."""
    for place, few in enumerate(_FEW):
        for family in _WORLDS:
            if family == "planted" and "exclusive" in few:
                continue
            counts = {**_NONE, ("null" if family == "planted" else "exclusive"): 0, **few}
            for seed in (1000 + 2 * place, 1001 + 2 * place):
                more = {"train": 300, "test": 60, "epochs": 12, "priority": 0.3 + 0.2 * place}
                yield Job(family, seed, 64, "residual", counts, **more)


def _single() -> Iterator[Job]:
    """Yield synthetic sets with one cue, of all sizes."""
    for kind in _SYNTHETIC:
        for turn in range(4):
            for size, network in ((64, "residual"), (128, "strided"), (224, PRETRAINED), (32, "residual")):
                more = {"train": 150, "priority": 0.4 + 2 * (turn // 2)}
                yield Job(f"single:{kind}", 2000 + turn, size, network, {"classes": 10}, **more)


def _photographs() -> Iterator[Job]:
    """Yield sets with one cue that are made of photographs."""
    for place, use in enumerate(_OF_PHOTOGRAPHS):
        for odd in (0, 1):
            for grouping, size, network in (
                ("folders", 224, PRETRAINED),
                ("views", 224, PRETRAINED),
                ("views", 64, "residual"),
            ):
                priority = 0.45 + odd + 0.1 * place
                yield Job(f"photoset:{use}:{grouping}", 4000 + 2 * place + odd, size, network, priority=priority)


def _hundred() -> Iterator[Job]:
    """Yield worlds of 100 classes."""
    for seed in (3000, 3001):
        more = {"train": 100, "test": 25, "counterfactual": 5, "epochs": 20, "priority": 1.2}
        yield Job("parts", seed, 64, "residual", _HUNDRED, **more)
