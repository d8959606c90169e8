"""Find out, by trying it, how a network wants its images and where in what it returns its logits are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from traceback import clear_frames
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from cuesense.inference.forward import call, model_failed, placed
from cuesense.inference.one_image import undisturbed
from cuesense.inference.options import RunOptions
from cuesense.inference.output_kind import ends_in_sigmoid
from cuesense.models.adapted import ChannelsLast, Gray, MoreChannels, PickedOutput, TwoClasses, pick
from cuesense.models.common import ForeignNetwork
from cuesense.types import Classifier, Preprocessing

# Sides that image classifiers are trained with, in pixels: MNIST's, CIFAR's, Tiny ImageNet's, and those of
# torchvision's and timm's weights (timm's table of results).
_SIDES = (
    *(28, 32, 48, 64, 72, 84, 96, 112, 128, 144, 160, 192, 200, 224, 227, 240, 256, 260, 288, 299, 300, 320, 331),
    *(336, 378, 380, 384, 416, 448, 480, 512, 518),
)
# Images that a network is tried on: with one, a squeezed batch would be taken for a row of outputs.
_TRIED = 2
_CHANNELS = re.compile(r"to have (\d+) channels")
_LAST = "The network takes images of shape (N, H, W, C): it was given them so."

Network = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Adaptation:
    """A classifier whose network takes RGB images and returns one row for each, and what that took.

    Attributes:
        classifier: The classifier, its network in adapters where it needs them.
        warnings: What the user should know, in sentences.
        assumptions: What was assumed and how, in sentences.
        output_count: How many outputs the network has; None where it returns something else than rows of them.
    """

    classifier: Classifier
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    output_count: int | None = None


@dataclass(frozen=True)
class _Answer:
    """What a network, maybe in adapters, returned for a batch.

    Attributes:
        network: The network in its adapters.
        outputs: What it returned.
        rows: How many images the batch had.
        said: A sentence about each adapter, and whether it may change accuracies.
    """

    network: Network
    outputs: object
    rows: int
    said: tuple[tuple[str, bool], ...] = ()

    def adapted(self, network: Network, outputs: object, sentence: str, *, matters: bool) -> _Answer:
        """Return the answer of the same network in another adapter."""
        return _Answer(network, outputs, self.rows, (*self.said, (sentence, matters)))


def adapt(classifier: Classifier, pixels: Tensor, options: RunOptions, *, resizable: bool = True) -> Adaptation:
    """Return the same classifier, its network in adapters where it does not map RGB images to rows of outputs.

    As it is, the network is tried first; where it fails, as one of one channel, of four or more, and of images with
    their channels last; where it fails then too, at the sizes that are usual. Random generators and the network's
    buffers stay as they were.

    Args:
        classifier: The network and its normalization; the number of its names says how many outputs are wanted.
        pixels: Images in [0, 1] on the device, (N, 3, H, W), N at least 1.
        options: Device and precision; the batch size where the network takes no other.
        resizable: Whether another size may be taken where the classifier's was assumed.

    Returns:
        The classifier; the same object where its network needs nothing.

    Raises:
        ModelError: The network fails in every way; the sentence has its own reason for the images as they are, and the
            size that it takes, where one was found.
    """
    network = placed(classifier.network, options.device)
    tried = _Trial(classifier, pixels, options)
    with torch.inference_mode(), undisturbed(network, pixels.device), _kept_modes(network):
        sized, answer = _answered(tried, network, resizable=resizable)
        answer = _two_classes(replace(tried, classifier=sized), _with_logits(answer, tried.classes))
    count = _output_count(answer)
    if answer.network is network and sized is classifier:
        return Adaptation(classifier, output_count=count)
    adapted = replace(sized, network=placed(answer.network, options.device))
    size = () if sized is classifier else (_size_said(sized),)
    warnings = tuple(sentence for sentence, matters in answer.said if matters)
    return Adaptation(adapted, (*size, *warnings), (*size, *(sentence for sentence, _ in answer.said)), count)


def _output_count(answer: _Answer) -> int | None:
    if isinstance(answer.network, TwoClasses):
        return 2
    outputs = answer.outputs
    return outputs.shape[1] if isinstance(outputs, Tensor) and outputs.ndim == 2 else None


@contextmanager
def _kept_modes(network: object) -> Iterator[None]:
    """Give modules their mode back, so that whether a network's forward changes it is seen after this."""
    modules = network.modules() if isinstance(network, nn.Module) else ()
    # Frozen TorchScript has no mode.
    before = [(module, module.training) for module in modules if hasattr(module, "training")]
    try:
        yield
    finally:
        for module, training in before:
            if module.training != training:
                module.training = training


@dataclass(frozen=True)
class _Trial:
    """A classifier, and images in [0, 1] that its network is tried on."""

    classifier: Classifier
    pixels: Tensor
    options: RunOptions

    @property
    def classes(self) -> int | None:
        names = self.classifier.class_names
        return None if names is None else len(names.names)

    def batch(self, rows: int) -> Tensor:
        """Return so many normalized images."""
        preprocessing, shape = self.classifier.preprocessing, (1, 3, 1, 1)
        images = self.pixels[torch.arange(rows) % len(self.pixels)]
        mean, std = (images.new_tensor(values).view(shape) for values in (preprocessing.mean, preprocessing.std))
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)

    def largest(self) -> Tensor:
        """Return a batch of the size that the analysis takes."""
        return self.batch(self.classifier.fixed_batch or self.options.batch_size)

    def ask(self, network: Network) -> _Answer | Exception:
        """Return what a network gives, or why it fails, in the batch sizes that it may take."""
        fixed = self.classifier.fixed_batch
        failures: list[Exception] = []
        for rows in dict.fromkeys((fixed,) if fixed else (_TRIED, self.options.batch_size)):
            try:
                return _Answer(network, call(network, self.batch(rows), self.options), rows)
            except Exception as error:  # a user's network may raise anything
                # The traceback would keep the batch, and what the layers made of it, for all sizes that are tried.
                clear_frames(error.__traceback__)
                failures.append(error)
        return failures[-1]

    def ask_adapted(self, network: Network, failure: Exception) -> _Answer | None:
        """Return what a network gives in the first adapter of its input in which its outputs can be used."""
        for adapted, said in self._adapters(network, _channels(network, failure)):
            answer = self.ask(placed(adapted, self.options.device))
            if isinstance(answer, _Answer) and pick(answer.outputs, answer.rows, self.classes) is not None:
                return replace(answer, said=said)
        return None

    def _adapters(
        self, network: Network, channels: int | None
    ) -> Iterator[tuple[Network, tuple[tuple[str, bool], ...]]]:
        """Yield the network in every adapter of its input that its number of channels does not exclude."""
        preprocessing = self.classifier.preprocessing
        for inner, said in ((network, ()), (ChannelsLast(network), ((_LAST, False),))):
            if said and channels in (None, 3):
                yield inner, said
            if channels in (None, 1):
                yield Gray(inner, preprocessing.std), (*said, (_gray_said(preprocessing), True))
            if channels is not None and channels > 3:
                yield MoreChannels(inner, channels), (*said, (_more_said(channels), True))


def _answered(tried: _Trial, network: Network, *, resizable: bool) -> tuple[Classifier, _Answer]:
    """Return what a network gives as it is, else in an adapter of its input, else for images of another size."""
    answer = tried.ask(network)
    if isinstance(answer, _Answer):
        return tried.classifier, answer
    if isinstance(answer, torch.OutOfMemoryError):
        raise model_failed(answer, tried.largest())
    adapted = tried.ask_adapted(network, answer)
    if adapted is not None:
        return tried.classifier, adapted
    return _of_another_size(tried, network, answer, resizable=resizable)


def _of_another_size(
    tried: _Trial, network: Network, failure: Exception, *, resizable: bool
) -> tuple[Classifier, _Answer]:
    """Return what a network gives at the first usual size that it takes, or raise."""
    batch = tried.largest()
    for side in _SIDES:
        if (side, side) == tuple(batch.shape[-2:]):
            continue
        at_side = replace(tried, pixels=interpolate(tried.pixels[:_TRIED], (side, side)))
        plain = at_side.ask(network)
        answer = plain if isinstance(plain, _Answer) else at_side.ask_adapted(network, plain)
        if answer is not None:
            if resizable and "image_size" in tried.classifier.guessed:
                return _resized(tried.classifier, side), answer
            raise model_failed(failure, batch, f"Give --image-size {side}, which it takes")
    raise model_failed(failure, batch)


def _channels(network: object, failure: Exception) -> int | None:
    """Return how many channels a network's first convolution takes, as its weights or its error say; None: unknown."""
    if isinstance(network, ForeignNetwork) and network.channels is not None:
        return network.channels
    weights = network.parameters() if isinstance(network, nn.Module) else ()
    first = next((weight for weight in weights if weight.ndim == 4), None)
    named = _CHANNELS.findall(str(failure))
    if first is not None:
        return int(first.shape[1])
    return int(named[0]) if named else None


def _resized(classifier: Classifier, side: int) -> Classifier:
    """Return a classifier of another image size; the resize before the crop, where there is one, keeps its share."""
    before = classifier.preprocessing
    resize = before.resize
    if resize is not None and before.image_size is not None:
        resize = max(round(resize * side / min(before.image_size)), side)
    preprocessing = replace(before, image_size=(side, side), resize=resize)
    return replace(classifier, preprocessing=preprocessing, guessed=classifier.guessed - {"image_size"})


def _with_logits(answer: _Answer, classes: int | None) -> _Answer:
    """Return the answer with the logits picked from what the network returns, where that is more than they."""
    found = pick(answer.outputs, answer.rows, classes)
    if found is None:
        return answer
    network = PickedOutput(answer.network, found.path)
    if isinstance(answer.outputs, Tensor):
        if answer.outputs.shape == found.logits.shape:
            return answer
        shape = ", ".join(map(str, ("N", *answer.outputs.shape[1:])))
        said = f"The network returns outputs of shape ({shape}): they were taken as one row for each image."
        return answer.adapted(network, found.logits, said, matters=False)
    beside = f"; {found.others} more would fit" if found.others else ""
    kind = type(answer.outputs).__name__
    said = f"The network returns a {kind}: its entry {found.name} was taken for its logits{beside}."
    return answer.adapted(network, found.logits, said, matters=bool(found.others))


def _two_classes(tried: _Trial, answer: _Answer) -> _Answer:
    """Return the answer with one output turned into two classes."""
    names = tried.classifier.class_names
    single = isinstance(answer.outputs, Tensor) and answer.outputs.ndim == 2 and answer.outputs.shape[1] == 1
    if not single or names is None or len(names.names) != 2:
        return answer
    certain, within = _about_single(tried, answer)
    first, second = names.names
    threshold, what = (0.5, "probability") if certain or within else (0, "logit")
    seen = "" if certain or not within else " (all outputs lie in [0, 1])"
    said = (
        f"The network has one output, which was taken for the {what} of the second class{seen}: '{second}' is "
        f"predicted where it is above {threshold:g}, else '{first}'."
    )
    return answer.adapted(TwoClasses(answer.network, probability=certain or within), answer.outputs, said, matters=True)


def _about_single(tried: _Trial, answer: _Answer) -> tuple[bool, bool]:
    """Return whether single outputs come from a sigmoid, and whether all lie in [0, 1].

    Logits are negative for the images of one of the two classes, unless the network knows nothing.
    """
    size = tried.classifier.preprocessing.image_size
    if size is not None and size != tuple(tried.pixels.shape[-2:]):
        tried = replace(tried, pixels=interpolate(tried.pixels, size))
    # The network has taken batches of so many.
    parts = -(-len(tried.pixels) // answer.rows)
    images = tried.batch(parts * answer.rows)

    def run(inputs: Tensor) -> Tensor:
        outputs: Tensor = call(answer.network, inputs, tried.options)  # type: ignore[assignment]
        return outputs

    outputs = torch.cat([run(part) for part in torch.split(images, answer.rows)])
    certain = ends_in_sigmoid(run, images[: answer.rows])
    return certain, bool(((outputs >= 0) & (outputs <= 1)).all())


def _gray_said(preprocessing: Preprocessing) -> str:
    mean, std = (sum(Gray.share(values)) for values in (preprocessing.mean, preprocessing.std))
    return (
        "The network takes one channel: it was given the luminance of the images (as Pillow's mode L), normalized by "
        f"mean {mean:.3g} and standard deviation {std:.3g}. Colors reach it as brightness alone, so that what changes "
        "only them changes little."
    )


def _more_said(channels: int) -> str:
    others = "the fourth" if channels == 4 else f"the {channels - 3} others"
    return (
        f"The network takes {channels} channels: red, green and blue came first, and {others} had the constant value 0 "
        "after normalization (the mean). Accuracies are those without what else these channels tell."
    )


def _size_said(classifier: Classifier) -> str:
    side, _ = classifier.preprocessing.image_size or (0, 0)
    return f"The network takes images of {side} x {side} pixels, which was found by trying the usual sizes."
