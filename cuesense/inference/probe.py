"""Try a network on a few images before anything is measured: is it a function of one image, and what does it give?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cuesense.datasets.images import resize_and_crop
from cuesense.errors import ModelError, UnreadableImageError
from cuesense.inference.adapting import adapt
from cuesense.inference.forward import forward, placed
from cuesense.inference.one_image import Answer, Trial, ask
from cuesense.inference.options import RunOptions
from cuesense.inference.output_kind import add_up, ends_in_sigmoid, resembles_sigmoid, within_unit
from cuesense.models.adapted import unwrapped
from cuesense.types import Classifier, Dataset, OutputKind

# Images of the dataset that a network is tried on, in six batches: enough that batch statistics and dropout move
# outputs by far more than rounding, and less work than one image under all conditions. Chosen by hand; not tuned.
IMAGES = 8
# Places of the dataset that are looked at for as many readable images.
_PLACES = 4 * IMAGES

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probe:
    """What a few images showed of a network.

    Attributes:
        output_kind: What its outputs are.
        dependence: What else than one image its outputs depend on, in words with figures; None where on nothing.
        warnings: What the user should know, in sentences.
        assumptions: What was assumed and how, in sentences.
        adapted: The classifier with its network in adapters, and of the size that it takes; None where it needs none.
        output_count: How many outputs it has; None where no image could be tried.
    """

    output_kind: OutputKind = OutputKind.LOGITS
    dependence: str | None = None
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    adapted: Classifier | None = None
    output_count: int | None = field(default=None, compare=False)

    def applied(self, classifier: Classifier) -> Classifier:
        """Return a classifier that can be run and whose outputs are known, with the warnings and assumptions."""
        return replace(
            self.adapted or classifier,
            output_kind=self.output_kind,
            # A network that was tried before is said of once.
            warnings=tuple(dict.fromkeys(classifier.warnings + self.warnings)),
            assumptions=tuple(dict.fromkeys(classifier.assumptions + self.assumptions)),
        )


def probe(classifier: Classifier, dataset: Dataset, options: RunOptions) -> Probe:
    """Try a network on a few images of a dataset.

    What is found depends on the network and the dataset alone, not on the batch size. Random generators stay as they
    were, so that nothing else is drawn later than without a trial.

    Args:
        classifier: The network and how it wants its images.
        dataset: The images; up to 8 of them, spread over the ids, are taken.
        options: Device and precision; the batch size where the network takes no other; and whether a network is run
            that is no function of one image.

    Returns:
        What was found. Where no image can be read nothing is tried: that is an error later.

    Raises:
        ModelError: The network fails, or is no function of one image and may not be run.
    """
    images = _some_images(classifier, dataset)
    return Probe() if not images else _probe(classifier, torch.from_numpy(np.stack(images)), options, resizable=True)


def count_outputs(classifier: Classifier, dataset: Dataset, options: RunOptions) -> int | None:
    """Return how many outputs a network has, from one small batch; arguments as for ``probe``.

    Returns:
        The number; None where no image can be read, or the network fails, which ``probe`` says.
    """
    images = _some_images(classifier, dataset)
    if not images:
        return None
    pixels = torch.from_numpy(np.stack(images)).to(options.device).float().div_(255)
    try:
        return adapt(classifier, pixels, options).output_count
    except ModelError:
        return None


def probe_pixels(classifier: Classifier, pixels: Tensor, options: RunOptions) -> Probe:
    """Try a network on images that are decoded already, whose size stays; else as ``probe``.

    Args:
        classifier: The network and its normalization.
        pixels: Images, (N, 3, H, W), uint8, N at least 1; up to 8 of them, evenly spaced, are taken.
        options: As for ``probe``.
    """
    return _probe(classifier, pixels, options, resizable=False)


def _probe(classifier: Classifier, pixels: Tensor, options: RunOptions, *, resizable: bool) -> Probe:
    rows = torch.linspace(0, len(pixels) - 1, min(len(pixels), IMAGES)).long()
    pixels = pixels[rows].to(options.device).float().div_(255)
    adaptation = adapt(classifier, pixels, options, resizable=resizable)
    adapted = adaptation.classifier
    if adapted.preprocessing != classifier.preprocessing:
        pixels = interpolate(pixels, adapted.preprocessing.image_size)
    network = placed(adapted.network, options.device)
    trial, answer = _tried(adapted, network, pixels, options)
    batch, kind = _about_batch(answer, unwrapped(network), options), _kind(trial, answer.outputs[: len(pixels)])
    _LOG.info(
        "tried on %d images: %s; %s", len(pixels), kind.output_kind, answer.dependence or "a function of one image"
    )
    return Probe(
        output_kind=kind.output_kind,
        dependence=answer.dependence,
        warnings=adaptation.warnings + batch.warnings + kind.warnings,
        assumptions=adaptation.assumptions + batch.assumptions + kind.assumptions,
        adapted=None if adapted is classifier else adapted,
        output_count=answer.outputs.shape[1],
    )


def kind_settings(classifier: Classifier) -> dict[str, Any]:
    """Return what was found and decides outcomes, as JSON values; nothing for logits, so that earlier runs go on."""
    kind = {} if classifier.output_kind is OutputKind.LOGITS else {"output_kind": classifier.output_kind.value}
    return kind | weights_settings(classifier)


def weights_settings(classifier: Classifier) -> dict[str, str]:
    """Return which of several weights in its file a classifier has, as part of the settings of what is kept."""
    return {"weights_key": classifier.weights_key} if classifier.weights_key else {}


def _some_images(classifier: Classifier, dataset: Dataset) -> list[np.ndarray]:
    """Return up to 8 readable images of one size, spread over the sorted ids, so that they are of several classes."""
    order = sorted(range(len(dataset)), key=lambda index: dataset.sample_ids[index])
    places = dict.fromkeys(np.linspace(0, len(order) - 1, min(len(order), _PLACES)).round().astype(int).tolist())
    # Every fourth place first: the others stand in for images that cannot be read.
    tried = [place for start in range(4) for place in list(places)[start::4]]
    found: list[np.ndarray] = []
    for place in tried:
        try:
            image = resize_and_crop(dataset[order[place]].image, classifier.preprocessing)
        except UnreadableImageError:
            continue
        if not found or image.shape == found[0].shape:
            found.append(image)
        if len(found) == IMAGES:
            break
    return found


def _tried(
    classifier: Classifier, network: Callable[[Tensor], Tensor], pixels: Tensor, options: RunOptions
) -> tuple[Trial, Answer]:
    """Try a network in batches of 8, or of the only size that it takes."""

    def tried(rows: int, *, fixed: bool) -> tuple[Trial, Answer]:
        trial = _trial(classifier, network, pixels, rows, options, fixed=fixed)
        return trial, ask(trial)

    if classifier.fixed_batch is not None:
        return tried(classifier.fixed_batch, fixed=True)
    try:
        return tried(IMAGES, fixed=False)
    except ModelError:
        # Some traced networks take no other batch than the one that they were traced with, which --batch-size then
        # gives; and memory may be too small for 8.
        return tried(options.batch_size, fixed=True)


def _trial(
    classifier: Classifier,
    network: Callable[[Tensor], Tensor],
    pixels: Tensor,
    rows: int,
    options: RunOptions,
    *,
    fixed: bool,
) -> Trial:
    # Negatives and mirror images stand in where there are fewer images than rows.
    pool = torch.cat([pixels, 1 - pixels, pixels.flip(3), 1 - pixels.flip(3)])
    images = pool[torch.arange(rows) % len(pool)]
    preprocessing, shape = classifier.preprocessing, (1, 3, 1, 1)
    mean, std = (images.new_tensor(values).view(shape) for values in (preprocessing.mean, preprocessing.std))
    signs = torch.randint(0, 2, images.shape, generator=torch.Generator().manual_seed(0)).to(images.device) - 0.5
    return Trial(
        network=network,
        run=lambda batch: forward(network, batch, options).cpu(),
        images=((images - mean) / std).contiguous(memory_format=torch.channels_last),
        # Brighter and of less contrast, whatever the images are, so that the statistics of a batch differ.
        others=((1 - images / 2) - mean) / std,
        noise=signs / 255 / std,
        fixed=fixed,
        coarse=options.precision != "float32" or images.device.type != "cpu",
    )


def _about_batch(answer: Answer, network: object, options: RunOptions) -> Probe:
    if answer.slight is not None:
        what = "as a quantized network does that takes its scales from whole batches"
        return Probe(assumptions=(f"Outputs depend little on the batch, {what}: {answer.slight}. It was measured so.",))
    if answer.dependence is None:
        return Probe()
    said = f"The model is no function of one image: {answer.dependence}"
    if not options.allow_nondeterministic:
        do = "or give --allow-nondeterministic to measure it as it is"
        raise ModelError(f"{said}. {_remedy(network)}, {do}.")
    return Probe(
        warnings=(
            f"{said}. All numbers hold for this run and its batches only: repeat it to see how far they move, "
            f"or correct the model.",
        ),
        assumptions=(f"{said}. It was measured as it is (--allow-nondeterministic).",),
    )


def _remedy(network: object) -> str:
    if isinstance(network, torch.jit.ScriptModule):
        return "Trace or script it again after eval()"
    return "Put all of it into evaluation mode and take randomness and batch statistics out of its forward"


def _kind(trial: Trial, outputs: Tensor) -> Probe:
    """Return what outputs of real images are, and what the user should know about it."""
    finite = outputs[torch.isfinite(outputs).all(dim=1)]
    if not len(finite):
        return Probe()
    total = add_up(finite)
    if total is not None:
        shown = f"those of {_counted(finite)} are not negative and add up to {total:g}"
        what = f"The model's outputs are probabilities: {shown}"
        return _transformed(OutputKind.PROBABILITIES, what, "Their logarithm is")
    if not within_unit(finite):
        return Probe()
    with torch.inference_mode():
        sigmoid = ends_in_sigmoid(trial.run, trial.images)
    if sigmoid:
        what = "The model's outputs are probabilities of a sigmoid each, which do not add up to 1"
        return _transformed(OutputKind.SIGMOIDS, what, "Their logit, log(p / (1 - p)), is")
    if not resembles_sigmoid(finite):
        return Probe()
    low, high = float(finite.min()), float(finite.max())
    said = f"The model's outputs for {_counted(finite)} all lie in [0, 1], from {low:.3g} to {high:.3g}"
    return Probe(
        warnings=(f"{said}. They are taken as logits: if they are probabilities, return logits instead.",),
        assumptions=(f"{said}, but do not add up to 1: they were taken as logits.",),
    )


def _transformed(kind: OutputKind, what: str, taken: str) -> Probe:
    do = "Return logits from the model to be sure"
    return Probe(kind, None, (f"{what}. {taken} taken as logits. {do}.",), (f"{what}. {taken} taken as logits.",))


def _counted(outputs: Tensor) -> str:
    return "one image" if len(outputs) == 1 else f"{len(outputs)} images"


def dependence_remarks(dependences: Sequence[tuple[str, str | None]]) -> tuple[str, ...]:
    """Return what the user should know of the networks of a sweep that are no functions of one image.

    Args:
        dependences: Name of each network and what it depends on, None where on nothing.
    """
    found = [(name, words) for name, words in dependences if words is not None]
    if not found:
        return ()
    name, words = found[0]
    some = f"{len(found)} of {len(dependences)} models"
    return (f"{some} are no functions of one image (--allow-nondeterministic), such as '{name}': {words}.",)
