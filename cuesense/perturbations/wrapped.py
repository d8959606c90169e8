"""Any function of one image as a perturbation, with random numbers that depend on the image and the condition alone."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from cuesense.draws import Draws
from cuesense.errors import SettingsError, expected, first_line
from cuesense.registry import check_new_name
from cuesense.types import Perturbation, Role

Form = Literal["pil", "array", "named", "tensor", "batch"]
"""What a function takes: a PIL image; an array (H, W, 3) of uint8, also as the argument ``image`` (``"named"``, which
albumentations wants); a float32 tensor (3, H, W) or (1, 3, H, W) in [0, 1]."""

PROBABILITIES = (0.25, 0.5, 0.75, 1.0)
"""The ladder of augmentations whose strength is how often they are applied."""

# Large enough for the usual RandomCrop(224), and small enough to be changed in milliseconds.
_PROBE_SIDE = 256
# A transform may leave most images alone, so that equal results twice tell little. Chosen by hand; not tuned.
_PROBES = 8
# A transform that fails now and then keeps its run: up to this many images, or this share of them, stay unchanged. The
# number keeps a few early failures of a transform that rarely fails from ending a run. Chosen by hand.
_FAILURES, _FAILED_SHARE = 8, 0.05
# No change of an image in [0, 1] goes beyond this; normalized images and those in 0 to 255 do. Chosen by hand.
_LOWEST, _HIGHEST = -1.0, 2.0

_LOG = logging.getLogger(__name__)
# The generators belong to the process: two threads that seed them at once would draw each other's numbers.
_GENERATORS = RLock()
_said: set[str] = set()


def wrapped(
    name: str, transform: Callable[..., Any], *, damages: str = "not known", form: Form | None = None
) -> Perturbation:
    """Return a user's own random transform as an augmentation whose strength is how often it is applied.

    What happens to an image depends on its id, the probability, the seed and the repeat alone: before every call the
    global generators of torch, NumPy and Python (and those of an albumentations pipeline) are seeded for this image,
    and afterwards they are as before. Results are resized to the image's size where the transform changes it, and cut
    to [0, 1].

    Args:
        name: Unique name, without commas.
        transform: From one image to one image; torchvision's, timm's, albumentations' and kornia's transforms and
            plain functions. It ends before the normalization.
        damages: What it harms, in words.
        form: What the transform takes; None tries the forms in turn.

    Returns:
        The augmentation, with the parameter ``probability``.

    An image on which the transform fails stays as it is; where it fails on more than a few, this is an error.

    Raises:
        SettingsError: The transform takes no image, gives none, or draws random numbers that no seed reaches.
    """
    check_new_name(name)
    taken = form_of(transform, name) if form is None else form
    _check_repeatable(transform, taken, name)
    return Perturbation(
        name=name,
        role=Role.AUGMENTATION,
        suppresses=(),
        damages=damages,
        parameter="probability",
        unit="probability",
        ladder=PROBABILITIES,
        identity=0.0,
        limits=(0.0, 1.0),
        apply=Sometimes(name, transform, taken, Failures()),
    )


def check_transform(transform: Callable[..., Any], name: str) -> None:
    """Raise SettingsError unless a transform takes one image, changes it, and repeats with a seed.

    Args:
        transform: From one image to one image, applied to every image.
        name: Its name, for the error.
    """
    results = _check_repeatable(transform, form_of(transform, name), name)
    # An image that is mixed with itself differs by rounding.
    if all(torch.allclose(result, _probe(), atol=1e-5) for result in results):
        do = "Transforms that mix the images of a batch, or leave them as they are, have no effect to measure"
        raise SettingsError(expected(f"'{name}'", "a transform that changes a single image", "the same image", do))


@dataclass
class Failures:
    """How often a transform of one image failed.

    Attributes:
        tried: Images that it was applied to.
        failed: Images on which it failed, which then stay unchanged.
        first: The first failure, in words.
        quiet: Whether somebody else says that there were some.
    """

    quiet: bool = False
    tried: int = 0
    failed: int = 0
    first: str = ""

    def note(self, name: str, problem: str) -> None:
        """Count a failure, and say the first one unless ``quiet``.

        Args:
            name: The perturbation's name, for messages.
            problem: What happened, in words.

        Raises:
            SettingsError: There are too many.
        """
        self.failed += 1
        if self.failed == 1:
            self.first = problem
        if self.failed == 1 and not self.quiet:
            _LOG.warning("'%s' failed on an image, which counts as unchanged: %s.", name, problem)
        if self.failed > max(_FAILURES, _FAILED_SHARE * self.tried):
            got = f"{self.failed} failures in {self.tried} ({self.first})"
            do = "Call it yourself to see where it fails"
            raise SettingsError(expected(f"'{name}'", "a transform that works on every image", got, do))


@dataclass(frozen=True)
class Sometimes:
    """A transform of one image that is applied with a probability: the ``apply`` of a perturbation.

    Attributes:
        name: Its name, for errors.
        transform: From one image to one image.
        form: What the transform takes.
        failures: Counts images on which it fails, which stay as they are; None where the first one is an error.
    """

    name: str
    transform: Callable[..., Any]
    form: Form
    failures: Failures | None = field(default=None, compare=False)

    def __call__(self, images: Tensor, value: float, draws: Draws) -> Tensor:
        """Change each image with a probability.

        Args:
            images: (N, 3, H, W) in [0, 1].
            value: Probability, 0 to 1.
            draws: One number an image, and its key.

        Returns:
            (N, 3, H, W) in [0, 1], a new tensor.
        """
        changed = images.clone()
        for row in (draws.uniform(1)[:, 0] < value).nonzero()[0].tolist():
            part = slice(row, row + 1)
            changed[part] = each_image(self.transform, images[part], draws[part], self.form, self.name, self.failures)
        return changed


def each_image(
    transform: Callable[..., Any],
    images: Tensor,
    draws: Draws,
    form: Form,
    name: str,
    failures: Failures | None = None,
) -> Tensor:
    """Change every image by itself, with random numbers that start from its own key.

    On every device the transform gets images in the CPU's memory, so that its results are the same everywhere.

    Args:
        transform: From one image to one image.
        images: (N, 3, H, W) in [0, 1].
        draws: The images' keys.
        form: What the transform takes.
        name: The perturbation's name, for errors.
        failures: Counts images on which it fails; None where the first one is an error.

    Returns:
        (N, 3, H, W) in [0, 1], on the images' device.

    Raises:
        SettingsError: The transform fails, or gives no image in [0, 1], too often.
    """

    def changed(image: Tensor, key: int) -> Tensor:
        try:
            return _changed(transform, image, key, form, name)
        except _NoImageError as error:
            if failures is None:
                raise _unlike(name, _WORDS[form], str(error)) from error
            failures.note(name, str(error))
            return image

    if failures is not None:
        failures.tried += len(images)
    pairs = zip(images.cpu(), draws.keys.tolist(), strict=True)
    return torch.stack([changed(image, key) for image, key in pairs]).to(images.device)


def form_of(transform: Callable[..., Any], name: str) -> Form:
    """Find out what a transform takes, by trying the forms in turn.

    Args:
        transform: From one image to one image.
        name: Its name, for the error.

    Returns:
        The first form that gives an image back.

    Raises:
        SettingsError: None does; the sentence holds the first failure.
    """
    # Tensors before arrays: arithmetic meant for tensors works on arrays too, and gives wrong images in uint8.
    forms: tuple[Form, ...] = ("pil", "named", "tensor", "batch", "array")
    results = {form: _tried(transform, form) for form in forms}
    found = {form: result for form, result in results.items() if isinstance(result, Tensor)}
    if not found:
        shown: tuple[Form, ...] = ("named",) if hasattr(transform, "set_random_state") else ("pil", "tensor")
        got = "; ".join(f"for {_WORDS[form]}, {results[form]}" for form in shown)
        raise _unlike(name, "one image (PIL, array or tensor)", got)
    # A transform of batches that takes a single image's rows for its channels gives another size.
    return next((form for form, result in found.items() if result.shape == _probe().shape), next(iter(found)))


def _tried(transform: Callable[..., Any], form: Form) -> Tensor | Exception:
    try:
        return _called(transform, _probe(), 0, form)
    except _NoImageError as error:
        return error


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the global generators of torch (the CPU's), NumPy and Python start from a seed; later they go on as before.

    Args:
        seed: 0 to 2^64 - 1.
    """
    with _GENERATORS:
        before = torch.get_rng_state(), np.random.get_state(), random.getstate()
        try:
            # Not torch.manual_seed, which would seed the accelerators too.
            torch.default_generator.manual_seed(seed)
            np.random.seed([seed & 0xFFFFFFFF, seed >> 32])
            random.seed(seed)
            yield
        finally:
            torch.set_rng_state(before[0])
            np.random.set_state(before[1])
            random.setstate(before[2])


class _NoImageError(Exception):
    """A transform failed, or gave something else than an image in [0, 1]; the text says what came."""


def _unlike(name: str, given: str, got: str) -> SettingsError:
    do = "Call it yourself to see where it fails; leave a normalization out"
    return SettingsError(expected(f"'{name}'", f"a transform from {given} to an image in [0, 1] or of uint8", got, do))


def _changed(transform: Callable[..., Any], image: Tensor, key: int, form: Form, name: str) -> Tensor:
    """Return one image (3, H, W) changed, of the same size and in [0, 1], or raise _NoImageError."""
    pixels = _called(transform, image, key, form)
    if pixels.shape != image.shape:
        _say_resized(name, pixels, image)
        size = (image.shape[1], image.shape[2])
        pixels = functional.interpolate(pixels[None], size, mode="bilinear", align_corners=False, antialias=True)[0]
    return pixels.clamp(0, 1)


def _called(transform: Callable[..., Any], image: Tensor, key: int, form: Form) -> Tensor:
    """Return what a transform makes of one image (3, H, W): of any size, and possibly a little outside of [0, 1]."""
    # A transform may keep tensors: those of inference mode, in which predictions run, could not be trained with later.
    with seeded(key), torch.inference_mode(mode=False), torch.no_grad():
        _seed_own(transform, key)
        given = _given(image.clone(), form)
        try:
            pixels = _as_pixels(transform(image=given) if form == "named" else transform(given), form)
        except Exception as error:
            raise _NoImageError(f"{type(error).__name__}: {first_line(error)}") from error
    low, high = (float(bound) for bound in torch.aminmax(pixels))
    # Written so that NaN, which compares with nothing, is refused too.
    if not (low >= _LOWEST and high <= _HIGHEST):
        raise _NoImageError(f"values from {low:.3g} to {high:.3g}")
    return pixels


def _seed_own(transform: Callable[..., Any], key: int) -> None:
    """Seed what has generators of its own: albumentations, since its version 2."""
    # One generator for all steps of a pipeline: set_random_seed gives each step the same numbers, so that two flips
    # with a probability of a half would always come together.
    if hasattr(transform, "set_random_state"):
        transform.set_random_state(np.random.default_rng(key), random.Random(key))


_WORDS: dict[Form, str] = {
    "pil": "a PIL image",
    "array": "an array (H, W, 3) of uint8",
    "named": "an array (H, W, 3) of uint8 as image=",
    "tensor": "a tensor (3, H, W)",
    "batch": "a tensor (1, 3, H, W)",
}


def _given(image: Tensor, form: Form) -> Any:
    if form == "tensor":
        return image
    if form == "batch":
        return image[None]
    array = image.mul(255).round_().byte().permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(array) if form == "pil" else array


def _as_pixels(result: object, form: Form) -> Tensor:
    """Return what a transform gave as a float32 tensor (3, H, W); uint8 becomes [0, 1]."""
    if form == "named":
        # A function that only calls its argument so takes arrays for what they are not.
        result = result.get("image") if isinstance(result, dict) else None
    if isinstance(result, Image.Image):
        result = np.array(result.convert("RGB"))
    # What turns a tensor into an array (as NumPy's functions do) took its axes for those of an array.
    if isinstance(result, np.ndarray) and form not in ("tensor", "batch"):
        result = torch.from_numpy(np.ascontiguousarray(result))
        result = result.permute(2, 0, 1) if result.ndim == 3 else result
    if not isinstance(result, Tensor):
        raise TypeError(f"returned a value of type {type(result).__name__}, which is no image")
    pixels = result.detach().cpu()
    pixels = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels.float()
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or len(pixels) not in (1, 3):
        raise ValueError(f"returned an image of shape {tuple(result.shape)}")
    return pixels.expand(3, -1, -1)


def _say_resized(name: str, pixels: Tensor, image: Tensor) -> None:
    if name not in _said:
        _said.add(name)
        sizes = [f"{side[1]} x {side[2]}" for side in (pixels.shape, image.shape)]
        _LOG.warning("'%s' changes the size of images: what it gives (%s) is resized to %s.", name, *sizes)


def _probe() -> Tensor:
    """Return an image (3, H, W) with colors, edges and bright parts, in [0, 1] and exact in 8 bits."""
    ramp = torch.linspace(0.2, 1.0, _PROBE_SIDE)
    down, across = ramp[:, None].expand(_PROBE_SIDE, _PROBE_SIDE), ramp.expand(_PROBE_SIDE, _PROBE_SIDE)
    return torch.stack([down, across, (down - across).abs()]).mul(255).round_().div_(255)


def _check_repeatable(transform: Callable[..., Any], form: Form, name: str) -> list[Tensor]:
    """Return what a transform makes of the probe with several seeds, after holding it against a second call."""
    image = _probe()
    results: list[list[Tensor]] = []
    problems: list[_NoImageError] = []
    for key in range(_PROBES):
        try:
            results.append([_changed(transform, image, key, form, name) for _ in range(2)])
        except _NoImageError as error:
            problems.append(error)
    # One that rarely fails may do so here; the images on which it does are counted later.
    if len(problems) > 1:
        raise _unlike(name, _WORDS[form], str(problems[0])) from problems[0]
    if any(not torch.equal(first, second) for first, second in results):
        do = "Draw from torch, NumPy's or Python's global generators, or give an albumentations pipeline itself"
        got = "other results with the same seed"
        raise SettingsError(expected(f"'{name}'", "a transform that a seed repeats", got, do))
    return [first for first, _ in results]
