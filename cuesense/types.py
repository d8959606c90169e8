"""The vocabulary of cuesense: frozen values that all packages share. Nothing here imports torch at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cuesense.draws import Draws
from cuesense.errors import SettingsError, expected

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


class Cue(StrEnum):
    """A visual property that a model can recognize a class by."""

    SHAPE = "shape"
    TEXTURE = "texture"
    COLOR = "color"


class Role(StrEnum):
    """Why a perturbation is applied: to remove a cue, to augment as in training, or as a control that removes none."""

    SUPPRESSION = "suppression"
    AUGMENTATION = "augmentation"
    CONTROL = "control"


class CueVerdict(StrEnum):
    """The verdict on one class: which cue this model relies on to recognize it."""

    SHAPE = "shape"
    TEXTURE = "texture"
    COLOR = "color"
    MIXED = "mixed"
    REDUNDANT = "redundant"
    INSENSITIVE = "insensitive"
    FINE_DETAIL = "fine detail"
    UNDETERMINED = "undetermined"


class OutputKind(StrEnum):
    """What a network's outputs are."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    SIGMOIDS = "sigmoids"


CLEAN = "clean"
CHANNEL_ORDERS = ("rgb", "bgr")
RESIZERS = ("pillow", "torchvision")
# Pillow's filters, each at the place of its number.
INTERPOLATIONS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
# The largest risk of a budget, where none is given: of five classes that are augmented as far as they may be, one may
# lose more than the tolerance. Chosen by hand; not tuned.
RISK = 0.2


class BudgetStatus(StrEnum):
    """How far an augmentation may go for one class."""

    UNLIMITED = "unlimited"
    LIMITED = "limited"
    NONE = "none"
    UNDETERMINED = "undetermined"


Apply = Callable[["Tensor", float, Draws], "Tensor"]

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all) while something long runs."""


ProgressOption = Progress | Literal[False] | None
"""How a public function shows progress: None in a bar for people, False not at all, a function is called."""


def no_progress(done: int, total: int) -> None:
    """Take no notice of progress: what functions call where a caller wants no reports."""


Notify = Callable[[str], None]
"""Called with sentences that a user should read while something long still runs, one at a time."""


@dataclass(frozen=True)
class LazyFunction:
    """A function named by ``"module:attribute"`` that is imported when it is first called."""

    target: str

    def __call__(self, *args: Any) -> Any:
        """Import the function and call it."""
        return self.resolve()(*args)

    def resolve(self) -> Callable[..., Any]:
        """Return the function itself."""
        module, _, attribute = self.target.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), attribute)
        return function


@dataclass(frozen=True)
class Perturbation:
    """A controlled change of an image, of adjustable strength.

    Attributes:
        name: Unique name.
        role: Suppression of cues, augmentation as in training, or control.
        suppresses: The cues it removes; empty for augmentations and controls.
        damages: What else it harms, in words.
        parameter: Name of the physical quantity that sets the strength, for instance ``"sigma"``.
        unit: Its unit.
        ladder: Its values from mild to strong, for severities 1, 2, ...
        identity: The value that changes nothing (severity 0).
        limits: Smallest and largest value that make sense, both included.
        apply: (N, 3, H, W) float32 images in [0, 1], the value, the draws -> images of the same shape and range.
        relative: True where the value is a fraction of the image's shorter side (reports then show pixels too).
        whole: True where the value is a whole number.
    """

    name: str
    role: Role
    suppresses: tuple[Cue, ...]
    damages: str
    parameter: str
    unit: str
    ladder: tuple[float, ...]
    identity: float
    limits: tuple[float, float]
    apply: Apply
    relative: bool = False
    whole: bool = False

    @property
    def cue(self) -> Cue | None:
        """The one cue it suppresses, or None where it suppresses none or several."""
        return self.suppresses[0] if len(self.suppresses) == 1 else None

    @property
    def severities(self) -> range:
        """The severities of its ladder, mild to strong: 1 to S."""
        return range(1, len(self.ladder) + 1)

    def value(self, severity: int) -> float:
        """Return the value that a severity stands for; severity 0 is the identity, which changes nothing."""
        return self.ladder[severity - 1] if severity else self.identity

    def check(self, value: float) -> None:
        """Raise SettingsError unless a value lies within the limits and is whole where it must be."""
        low, high = self.limits
        if low <= value <= high and (not self.whole or float(value).is_integer()):
            return
        kind = "a whole number from" if self.whole else "from"
        to_be = f"{kind} {low:g} to {high:g} ({self.unit})"
        do = f"Choose a value such as {', '.join(f'{known:g}' for known in self.ladder)}"
        raise SettingsError(expected(f"{self.name}'s {self.parameter}", to_be, f"{value:g}", do))


@dataclass(frozen=True)
class Preprocessing:
    """How a network wants its images.

    Attributes:
        image_size: Height and width of the network's input in pixels (the center crop), or None to take images as
            they come (they must then all have one size).
        resize: Length in pixels of the shorter side before the center crop; None resizes straight to image_size.
        mean: Per-channel mean, RGB, in [0, 1] units.
        std: Per-channel standard deviation, RGB, in [0, 1] units.
        interpolation: Pillow's filter, mostly ``"bilinear"`` or ``"bicubic"``; all but ``"nearest"`` are antialiased.
        channels: The order in which the network takes the color channels, ``"rgb"`` or ``"bgr"``; images, mean and
            std are RGB all the same.
        crop: Where the center crop starts when an odd number of pixels is cut off: ``"rounded"``, to even, as
            torchvision does, or ``"down"``, as transformers does.
        resizer: What resizes images: ``"pillow"``, or ``"torchvision"`` where the network's library resizes tensors of
            8-bit values with it, which is a gray level apart at some pixels.
    """

    image_size: tuple[int, int] | None
    resize: int | None
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bilinear"
    channels: str = "rgb"
    crop: str = "rounded"
    resizer: str = "pillow"


@dataclass(frozen=True)
class ClassNames:
    """The names of a model's outputs, in the order of the outputs.

    Attributes:
        names: One readable name an output.
        synsets: One WordNet id an output, where known, else empty.
    """

    names: tuple[str, ...]
    synsets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Classifier:
    """A network that is ready to classify.

    Attributes:
        spec: What the user named, for instance ``"torchvision:resnet18"``.
        architecture: The architecture's name, or the file's kind where it carries its own code.
        network: Callable (an ``nn.Module`` in evaluation mode) from normalized (N, 3, H, W) to outputs (N, K).
        preprocessing: Input size, resizing and normalization.
        class_names: Names of the K outputs, or None where they are not known.
        sha256: Hash of the weights' file, or None where there is no file.
        warnings: What the user should know, for instance that a normalization was assumed.
        fixed_batch: The only batch size the network accepts (statically exported files), or None.
        guessed: Which settings were assumed, because neither the user nor the weights (or the library, for its
            architecture) say them: fields of ``Preprocessing`` and ``"class_names"``.
        output_kind: What the network gives: logits, or probabilities (softmax, or a sigmoid for each output) whose
            logarithm or logit is taken. Found out from a few images (inference.probe).
        assumptions: What was assumed about the network and how, in sentences.
        usual_size: Height and width that are usual for the architecture, where the weights do not say theirs.
        weights_key: Where in the file the weights lie, as a dotted path, if there was a choice; else empty.
        other_weights: Where other weights of the same network lie in the file.
    """

    spec: str
    architecture: str
    network: Callable[[Tensor], Tensor]
    preprocessing: Preprocessing
    class_names: ClassNames | None = None
    sha256: str | None = None
    warnings: tuple[str, ...] = ()
    fixed_batch: int | None = None
    guessed: frozenset[str] = frozenset()
    output_kind: OutputKind = OutputKind.LOGITS
    assumptions: tuple[str, ...] = ()
    usual_size: tuple[int, int] | None = None
    weights_key: str = ""
    other_weights: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One image of a dataset.

    Attributes:
        id: Stable name, unique in the dataset (for files: the path relative to the dataset's root, with ``/``).
        image: A PIL image of any mode, or an array of shape (H, W, 3) and dtype uint8.
        label: Index of its class in the dataset's class_names.
    """

    id: str
    image: Image | NDArray[np.uint8]
    label: int


@runtime_checkable
class Dataset(Protocol):
    """Labeled images. Ids and labels are known without decoding anything.

    ``dataset[i]`` returns the Sample i, or raises UnreadableImageError with the reason; it may be called from
    several threads.
    """

    @property
    def spec(self) -> str:
        """What the user named."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; labels index them."""

    @property
    def sample_ids(self) -> Sequence[str]:
        """The id of every sample."""

    @property
    def labels(self) -> Sequence[int]:
        """The label of every sample."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of ids, labels and what tells the images apart: whether a later run sees the same data."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def __getitem__(self, index: int) -> Sample:
        """Decode one sample."""


@dataclass(frozen=True)
class Condition:
    """One thing that is done to every image; the key of predictions from the configuration to the JSON.

    Attributes:
        perturbation: What is applied, with the ladder of the run, or None for the clean image.
        severity: The step of its ladder, 1 (mild) to S (strong); 0 for the clean image.
        repeat: Which of the repeats with random numbers of their own, from 0.
    """

    perturbation: Perturbation | None = None
    severity: int = 0
    repeat: int = 0

    @property
    def name(self) -> str:
        """The perturbation's name, or ``"clean"``."""
        return CLEAN if self.perturbation is None else self.perturbation.name

    @property
    def value(self) -> float:
        """The physical strength that the severity stands for, in the perturbation's unit; 0 for the clean image."""
        return 0.0 if self.perturbation is None else self.perturbation.value(self.severity)

    def __str__(self) -> str:
        """Return the condition in words, for instance ``"grayscale at severity 2 (blend 0.5)"``."""
        if self.perturbation is None:
            return CLEAN
        return f"{self.name} at severity {self.severity} ({self.perturbation.parameter} {self.value:g})"


@dataclass(frozen=True)
class Unpaired:
    """Counts of perturbed images that are not the clean ones.

    Attributes:
        n: Image-repeats per severity and class, shape (S, C).
        correct: Image-repeats that are right, shape (S, C).
    """

    n: NDArray[np.int64]
    correct: NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """Counts per class and severity of one perturbation; every rate is derived from them.

    Attributes:
        perturbation: What was applied, with the ladder that was measured.
        n: Images per class, shape (C,).
        clean_correct: Images right without perturbation, shape (C,).
        lost: Image-repeats right when clean and wrong when perturbed, shape (S, C).
        gained: Image-repeats wrong when clean and right when perturbed, shape (S, C).
        repeats: How many times each image was perturbed at each severity.
        unpaired: The perturbed images' own counts where they are other images than the clean ones, or None. Lost and
            gained are then the difference of the two rates, in whole clean image-repeats.
        squared: The net change of each image over its repeats (wrong ones minus right ones, counted against the clean
            image), squared and added up over the images, shape (S, C); None where it is not known. It says how much
            the repeats of one image differ.
        seen: Images that the last three count, shape (S, C), where a severity was not measured on all; None where it
            was.
    """

    perturbation: Perturbation
    n: NDArray[np.int64]
    clean_correct: NDArray[np.int64]
    lost: NDArray[np.int64]
    gained: NDArray[np.int64]
    repeats: int = 1
    unpaired: Unpaired | None = None
    squared: NDArray[np.int64] | None = None
    seen: NDArray[np.int64] | None = None

    @property
    def images(self) -> NDArray[np.int64]:
        """Images that lost and gained count, (S, C)."""
        return np.broadcast_to(self.n, self.lost.shape) if self.seen is None else self.seen

    @property
    def net_lost(self) -> NDArray[np.int64] | NDArray[np.float64]:
        """Lost less gained image-repeats, (S, C); of a part of the images, as many as all would have at its rate."""
        net = self.lost - self.gained
        return net if self.seen is None else net * (self.n / np.maximum(self.seen, 1))


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence bounds; NaN-free: each is None where it cannot be known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CueEvidence:
    """Evidence for one cue of one class; shares are of the class's explainable images (cuesense.analysis.evidence).

    Attributes:
        necessity: Share that is lost when the cue is suppressed and the others stay.
        sufficiency: Share that is kept when this cue alone is left.
        second: Share that is lost under an independent ablation of the cue.
        raw: Necessity without the prior correction (no bounds).
        agree: Whether both ablations lead to the same verdict; None where one was not measured.
        q: False discovery rate at which the ablation costs more images than a sham; None where not measured.
        necessary: Whether q is small enough.
        images: The explainable images that necessity is a share of; None where not measured.
        sufficiency_images: Those that sufficiency is a share of.
        shapley: Share of what the class keeps that this cue carries (hypotheses.shapley_shares), None where unknown.
    """

    necessity: Interval = Interval()
    sufficiency: Interval = Interval()
    second: Interval = Interval()
    raw: Interval = Interval()
    agree: bool | None = None
    q: float | None = None
    necessary: bool = False
    images: float | None = None
    sufficiency_images: float | None = None
    shapley: float | None = None


@dataclass(frozen=True)
class ClassCue:
    """What one class relies on.

    Attributes:
        cue: The verdict.
        probabilities: Probability of every verdict but undetermined.
        evidence: Evidence for each cue.
        flags: Warnings about this class, by name: sink, confused_with, by_elimination, weak_class, few_images.
        why: What the verdict rests on, to be read after the class's name; it can be checked against the curves.
    """

    cue: CueVerdict
    probabilities: dict[CueVerdict, float]
    evidence: dict[Cue, CueEvidence]
    flags: dict[str, str]
    why: str


@dataclass(frozen=True)
class Budget:
    """How far one augmentation may go for one class.

    Attributes:
        perturbation: The augmentation, with the ladder that was tested.
        status: Unlimited, limited, none or undetermined.
        severity: The strongest severity up to which the risk stays within its limit, 0 where there is none.
        drop: Expected accuracy drop at that severity, or at the mildest where there is none; a fraction with two-sided
            bounds.
        limited_by: What stopped the search: ``"own accuracy"``, ``"leak into X"``, ``"leak from X"``,
            ``"too few images"`` (more of them may show that a stronger severity is safe), or None.
        risk: Chance that the class loses more than the tolerance there; None where it is not known.
        certified: The strongest severity that is shown to be safe at the level of confidence, 0 where there is none.
        expected: The expected drop at every severity, like ``drop``.
        risks: The risk at every severity, like ``risk``.
    """

    perturbation: Perturbation
    status: BudgetStatus
    severity: int
    drop: Interval
    limited_by: str | None
    risk: float | None = None
    certified: int = 0
    expected: tuple[Interval, ...] = ()
    risks: tuple[float | None, ...] = ()

    @property
    def value(self) -> float | None:
        """The value of the severity, in the perturbation's unit; None where there is none."""
        return self.perturbation.value(self.severity) if self.severity else None

    @property
    def certified_value(self) -> float | None:
        """The value that is shown to be safe, in the perturbation's unit; None where there is none."""
        return self.perturbation.value(self.certified) if self.certified else None


@dataclass(frozen=True)
class Rival:
    """Where the images of a class go when it loses them.

    Attributes:
        rival: Name of the class that takes them.
        perturbation: Name of the perturbation, at its strongest measured severity.
        share: Share of the class's images that are lost to this rival, in [0, 1].
    """

    rival: str
    perturbation: str
    share: float
