"""Read a training transform: find out by trying how it takes an image, what only prepares it, and how to undo that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cuesense.errors import SettingsError, expected, first_line
from cuesense.pipelines.chain import Call, Chain, Undo
from cuesense.pipelines.forms import FORMS, Form
from cuesense.pipelines.steps import Part, parts_of

# The side of the trial image where the network takes images of any size.
_SIDE = 64
# Draws with which a transform is tried: enough to meet a random operation that fails on this form of image. Chosen by
# hand.
_TRIES = 8
# How many of them may fail: a transform that fails on one image in a hundred can be measured on the others.
_MAY_FAIL = 1
# Draws after which a step of unknown kind that always did the same is taken for preparation: one that augments a tenth
# of the images is missed in 3 % of the cases. Chosen by hand.
_PATIENCE = 32
# Pixels that tell what preparation does to colors: three unknown factors and an offset for each channel.
_PIXELS = 4096
# Preparation may round to whole bytes, and no more.
_ROUNDING = 0.6 / 255


@dataclass(frozen=True)
class Pipeline:
    """A training transform, taken apart.

    Attributes:
        spec: What the user named.
        parts: Its parts in order, without those that only change the size: augmentations and forms.
        form: In which form the first part takes an image.
        taken_as: That form in words.
        undo: Takes back what the forms do.
        preparation: Names of the parts that were taken as preparation.
        remarks: What was assumed or left out, in sentences.
        digest: Tells one transform from another, as far as its parts and its file say what it does.
    """

    spec: str
    parts: tuple[Part, ...]
    form: Form
    taken_as: str
    undo: Undo
    preparation: tuple[str, ...]
    remarks: tuple[str, ...]
    digest: str

    @property
    def augmentations(self) -> tuple[Part, ...]:
        """The parts that augment, in order."""
        return tuple(part for part in self.parts if part.role == "augmentation")

    def chain(self, chosen: Sequence[str], *, always: bool = False) -> Chain:
        """Return some augmentations, with all preparation, as one function of an image.

        Args:
            chosen: Names of the augmentations, done in the transform's own order.
            always: Whether each is applied to every image, whatever its probability.
        """
        calls = [_call(part, always=always) for part in self.parts if part.role == "form" or part.name in chosen]
        return Chain(calls, self.form, self.undo)


def read(
    transform: Any, spec: str, size: tuple[int, int] | None, *, remarks: Sequence[str] = (), source: str = ""
) -> Pipeline:
    """Take a training transform apart.

    Args:
        transform: A ``Compose``, list, sequence or function from an image to an image: of torchvision, timm,
            albumentations, kornia or one's own.
        spec: What the user named, for messages.
        size: Height and width of the network's input in pixels, or None where it takes images of any size.
        remarks: What was said before, in sentences.
        source: Text that tells the program of the transform from others.

    Returns:
        The transform's parts.

    Raises:
        SettingsError: It is no transform of images, fails, changes nothing at random, or draws random numbers that no
            seed reaches.
    """
    found = parts_of(transform, size)
    skipped = [part.name for part in found if part.role == "size"]
    parts = [part for part in found if part.role != "size"]
    trial = _noise(size or (_SIDE, _SIDE))
    taken_as, form = _form(parts, trial, spec)
    parts = _with_forms(parts, form, trial)
    forms = [part.call for part in parts if part.role == "form"]
    pipeline = Pipeline(
        spec=spec,
        parts=tuple(parts),
        form=form,
        taken_as=taken_as,
        undo=_undo(Chain(forms, form), trial) or Undo(),
        preparation=(*skipped, *(part.name for part in parts if part.role == "form")),
        remarks=tuple(remarks),
        digest=hashlib.sha256("\0".join([source, *(part.settings for part in found)]).encode()).hexdigest(),
    )
    if not pipeline.augmentations:
        do = "Name the transform of the training images, not that of the test images"
        raise SettingsError(expected(f"'{spec}'", "a transform that augments", "preparation alone", do))
    _refuse_failing(pipeline, trial)
    return replace(pipeline, remarks=(*pipeline.remarks, *_remarks(pipeline, trial)))


def _call(part: Part, *, always: bool) -> Call:
    return part.always if always and part.always is not None else part.call


def _noise(size: tuple[int, int]) -> Tensor:
    """Return an image of random bytes (3, H, W) in [0, 1], the same each time."""
    numbers = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    return torch.from_numpy(numbers).float().div_(255)


def _form(parts: Sequence[Part], trial: Tensor, spec: str) -> tuple[str, Form]:
    """Return the first form that a transform takes, with its name."""
    calls = [_call(part, always=True) for part in parts]
    problems = {name: _problems(Chain(calls, form), [trial]) for name, form in FORMS.items()}
    fewest = min(problems, key=lambda name: len(problems[name]))
    if len(problems[fewest]) <= _MAY_FAIL:
        return fewest, FORMS[fewest]
    pil, tensors = (problems[name][0] for name in ("PIL images", "tensors (3, H, W) in [0, 1]"))
    got = f"one that fails on PIL images ({pil}) and on tensors ({tensors})"
    do = "Name a transform from one image to one image, and try it on an image yourself"
    raise SettingsError(expected(f"'{spec}'", "a transform of images", got, do))


def _problems(chain: Chain, images: Sequence[Tensor]) -> list[str]:
    """Return why a chain fails, for each draw in which it does."""
    found = [_tried(chain, image, seed) for image in images for seed in range(_TRIES)]
    return [problem for problem in found if isinstance(problem, str)]


def _tried(chain: Chain, image: Tensor, seed: int) -> Tensor | str:
    """Return what a chain makes of an image, or why it fails."""
    try:
        return chain.tried(image, seed)
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {first_line(error)}"


def _refuse_failing(pipeline: Pipeline, trial: Tensor) -> None:
    """Raise SettingsError where a step or the whole often fails, before minutes go into measuring it.

    Args:
        pipeline: The transform.
        trial: An image of noise; a dark one, a light one and a smooth one of its size are tried as well.
    """
    smooth = torch.linspace(0, 1, trial.shape[-1]).expand_as(trial).contiguous()
    images = [trial, torch.zeros_like(trial), torch.ones_like(trial), smooth]
    names = [part.name for part in pipeline.augmentations]
    chains = {f"{name} of {pipeline.spec}": pipeline.chain([name], always=True) for name in names}
    for name, chain in (chains | {pipeline.spec: pipeline.chain(names)}).items():
        problems = _problems(chain, images)
        if len(problems) > _MAY_FAIL * len(images):
            got = f"{len(problems)} failures in {_TRIES * len(images)} tries ({problems[0]})"
            do = "Correct it, or leave the step out"
            raise SettingsError(expected(f"'{name}'", "a transform that works on every image", got, do))


def _with_forms(parts: Sequence[Part], form: Form, trial: Tensor) -> list[Part]:
    """Return parts in which steps of unknown kind that do the same to every pixel of every image are preparation."""
    found: list[Part] = []
    for part in parts:
        before = [earlier.call for earlier in found if earlier.role == "form"]
        unknown = part.role == "augmentation" and part.known is None and part.probability == 1
        prepares = unknown and _prepares([*before, part.call], form, trial)
        found.append(replace(part, role="form") if prepares else part)
    return found


def _prepares(calls: Sequence[Call], form: Form, trial: Tensor) -> bool:
    chain = Chain(calls, form)
    first = _tried(chain, trial, 0)
    same = all(_equal(first, _tried(chain, trial, seed)) for seed in range(1, _PATIENCE))
    return same and _undo(chain, trial) is not None


def _equal(one: Tensor | str, other: Tensor | str) -> bool:
    """Return whether two tries gave the same image; a failure is none."""
    return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)


def _undo(chain: Chain, trial: Tensor) -> Undo | None:
    """Return what takes a preparation back, None where it is more than a change of colors that can be taken back."""
    prepared = chain.tried(trial, 0)
    if prepared.shape != trial.shape:
        return None
    before, after = (part.flatten(1)[:, :_PIXELS].double() for part in (trial, prepared))
    with_one = torch.cat([after, torch.ones_like(after[:1])])
    # Fitted from prepared colors to pixels, so that the error is in units of pixels.
    solution = torch.linalg.lstsq(with_one.T, before.T).solution.T
    error = (solution @ with_one - before).abs().max()
    if not error <= _ROUNDING:
        return None
    matrix, offset = solution[:, :3], solution[:, 3]
    unchanged = (matrix - torch.eye(3)).abs().max() < 1e-4 and offset.abs().max() < 1e-4
    return Undo() if unchanged else Undo(matrix.float(), offset.float())


def _remarks(pipeline: Pipeline, trial: Tensor) -> list[str]:
    """Return what a user should know of how a transform was read."""
    sentences = []
    chain = pipeline.chain([part.name for part in pipeline.augmentations])
    for seed in range(_TRIES):
        first, again = (_tried(chain, trial, seed) for _ in range(2))
        if isinstance(first, Tensor) and not _equal(first, again):
            do = "Draw from Python's, NumPy's or torch's global generators, or give an albumentations pipeline itself"
            got = "other results with the same seed"
            raise SettingsError(expected(f"'{pipeline.spec}'", "to draw random numbers that a seed repeats", got, do))
    results = [result for seed in range(_TRIES) if isinstance(result := _tried(chain, trial, seed), Tensor)]
    size = results[0].shape[1:]
    if size != trial.shape[1:]:
        given, wanted = (f"{height} x {width}" for height, width in (size, trial.shape[1:]))
        sentences.append(f"'{pipeline.spec}' gives {given} px: its images are resized to the network's {wanted} px.")
    return sentences
