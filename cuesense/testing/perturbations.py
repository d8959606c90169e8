"""The contract of a perturbation, for one's own and for ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from cuesense.draws import Draws
from cuesense.errors import SettingsError, expected
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.wrapped import Sometimes
from cuesense.registry import check_new_name
from cuesense.types import Perturbation, Role

_SEED = 3
_SIZES = ((1, 1), (2, 3), (5, 64), (33, 7), (32, 32))
# Enough images for the mean change of random augmentations to follow their strength. Chosen by hand.
_IMAGES, _SIDE = 48, 48
# Changes by random draws may fall a little from one value to the next; a wrong order falls by more. Chosen by hand.
_FALL = 0.9
# Batched and single arithmetic differ by rounding on accelerators: some hundred units of the last place.
_ROUNDING = 2e-5


def check_perturbation(perturbation: Perturbation) -> None:
    """Raise SettingsError unless a perturbation keeps the contract that analyses rest on.

    Its ladder leads away from its identity within its limits; the identity changes nothing; results have the shape of
    the images, are finite and in [0, 1] for color, gray, tiny and oblong images; they depend on the image's id and the
    condition alone, whatever the batch and the state of the global generators; the images given stay as they are; and
    stronger values change more on average.

    Args:
        perturbation: What to check.

    Raises:
        SettingsError: It is no perturbation, or breaks the contract; the sentence says where.
    """
    if not isinstance(perturbation, Perturbation):
        got = (
            f"'{perturbation}'" if isinstance(perturbation, str) else f"an object of type {type(perturbation).__name__}"
        )
        do = "Pass a cuesense.Perturbation, or what cuesense.perturbations.wrapped.wrapped returns"
        raise SettingsError(expected("what is checked", "a perturbation", got, do))
    check_new_name(perturbation.name)
    _check_entry(perturbation)
    images, ids = _photographs(6, 41, 60), [f"image-{index}" for index in range(6)]
    for value in (perturbation.ladder[0], perturbation.ladder[-1]):
        _check_result(perturbation, images, value)
        _check_alone(perturbation, images, ids, value)
        for height, width in _SIZES:
            _check_result(perturbation, _photographs(2, height, width), value)
        _check_result(perturbation, images.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1).contiguous(), value)
    if not torch.equal(perturb(perturbation, images, ids, perturbation.identity), images):
        raise _broken(perturbation, "an identity that changes nothing", "other pixels", "Correct its identity")
    _check_stronger(perturbation)


def _check_entry(entry: Perturbation) -> None:
    distances = [abs(value - entry.identity) for value in entry.ladder]
    if not entry.ladder or sorted(set(distances)) != distances or min(distances) == 0:
        got = ", ".join(f"{value:g}" for value in entry.ladder) or "no value"
        to_be = f"a ladder of values that lead away from its identity, {entry.identity:g}"
        raise _broken(entry, to_be, got, "Sort the values from mild to strong")
    for value in entry.ladder:
        entry.check(value)
    if bool(entry.suppresses) != (entry.role is Role.SUPPRESSION):
        got = f"role {entry.role.value} and {len(entry.suppresses)} cues"
        raise _broken(entry, "a suppression exactly where it suppresses cues", got, "Correct role or suppresses")
    if not (entry.name and entry.parameter and entry.unit and entry.damages):
        got = "an empty text"
        raise _broken(entry, "described by name, parameter, unit and damages", got, "Fill them in")


def _check_result(entry: Perturbation, images: Tensor, value: float) -> None:
    """Check shape, range and input of what the function itself gives, for a batch."""
    before = images.clone()
    ids = [str(index) for index in range(len(images))]
    draws = Draws.of(ids, perturbation=entry.name, value=value, seed=_SEED)
    where = f"for images of {images.shape[2]} x {images.shape[3]} pixels at {entry.parameter} {value:g}"
    try:
        found = entry.apply(images, value, draws)
    except Exception as error:
        do = "Let it take images of any size"
        raise _broken(entry, f"applicable {where}", f"{type(error).__name__}: {error}", do) from error
    if not torch.equal(images, before):
        raise _broken(entry, "a function that leaves its input as it is", "changed images", "Work on a copy")
    if not isinstance(found, Tensor) or found.shape != before.shape or not found.is_floating_point():
        got = f"{tuple(found.shape)} of {found.dtype}" if isinstance(found, Tensor) else type(found).__name__
        raise _broken(entry, f"a function that keeps the shape {where}", got, "Resize its result")
    if not torch.isfinite(found).all():
        raise _broken(entry, f"finite {where}", "NaN or infinity", "Look for divisions by zero")
    alone = perturb(entry, images, ids, value, seed=_SEED)
    if not torch.allclose(found.clamp(0, 1), alone, atol=_ROUNDING, rtol=0):
        do = "Treat every image alone, by its own row of draws"
        raise _broken(entry, f"the same in a batch and alone {where}", "other pixels", do)


def _check_alone(entry: Perturbation, images: Tensor, ids: Sequence[str], value: float) -> None:
    """Check that an image depends on its id and the condition alone."""

    def changed(rows: Sequence[int]) -> Tensor:
        return perturb(entry, images[list(rows)], [ids[row] for row in rows], value, seed=_SEED)

    together = changed(range(6))
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("the same when it is called again", lambda: torch.equal(changed(range(6)), together)),
        ("the same in another order of images", lambda: torch.equal(changed([4, 0, 2]), together[[4, 0, 2]])),
        ("the same for an image alone", lambda: torch.equal(changed([3]), together[[3]])),
    ]
    for to_be, holds in checks:
        # Numbers that are drawn from a global generator would not be the same again.
        torch.rand(1)
        np.random.rand()
        if not holds():
            do = "Take random numbers from draws alone, or wrap it with cuesense.perturbations.wrapped"
            raise _broken(entry, to_be, "other pixels", do)


def _check_stronger(entry: Perturbation) -> None:
    images, ids = _photographs(_IMAGES, _SIDE, _SIDE), [str(index) for index in range(_IMAGES)]
    changes = [float((perturb(entry, images, ids, value, seed=_SEED) - images).abs().mean()) for value in entry.ladder]
    if max(changes) == 0:
        do = "See whether it returns what it is given, or the strength does not reach it"
        raise _broken(entry, "a function that changes images", "the same images at every value", do)
    by_share = isinstance(entry.apply, Sometimes)
    falls = any(later < _FALL * earlier for earlier, later in pairwise(changes))
    if min(changes) == 0 or falls or (len(changes) > 1 and changes[-1] <= changes[0]):
        got = ", ".join(f"{change:.3g}" for change in changes)
        to_be = "a ladder whose later values change pixels more"
        do = "Let it change most images that it is given" if by_share else "Sort the ladder, or widen it"
        raise _broken(entry, to_be, f"mean changes of {got}", do)


def _broken(entry: Perturbation, to_be: str, got: str, do: str) -> SettingsError:
    return SettingsError(expected(f"'{entry.name}'", to_be, got, do))


def _photographs(count: int, height: int, width: int) -> Tensor:
    """Return images (count, 3, height, width) in [0, 1] with regions, edges, gradients and fine texture."""
    generator = np.random.default_rng(0)
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    pictures = []
    for _ in range(count):
        waves = [0.5 + 0.25 * np.sin(a * x + b * y + c) for a, b, c in generator.uniform(0, 6, (3, 3))]
        disk = (x - generator.uniform(0.3, 0.7)) ** 2 + (y - generator.uniform(0.3, 0.7)) ** 2 < 0.06
        picture = np.where(disk, generator.uniform(0, 1, (3, 1, 1)), np.stack(waves))
        pictures.append(np.clip(picture + 0.05 * generator.standard_normal((1, height, width)), 0, 1))
    return torch.from_numpy(np.stack(pictures)).mul(255).round_().div_(255).float()
