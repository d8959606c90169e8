"""``kornia:NAME`` and ``torchvision:NAME``: any of these libraries' transforms of one image, with default arguments.

Nothing here imports the libraries before a transform is applied or its name is confirmed, so that profiles which name
them can be read at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cuesense.errors import SettingsError, expected, first_line
from cuesense.types import Perturbation, Role

if TYPE_CHECKING:
    from torch import Tensor

    from cuesense.draws import Draws

_MODULES = {
    "kornia": ("kornia.augmentation", "kornia.augmentation.auto"),
    "torchvision": ("torchvision.transforms.v2",),
}


@dataclass(frozen=True)
class _Strength:
    """The argument of a class that sets its strength.

    Attributes:
        argument: Its name.
        ladder: Values from mild to strong.
        limits: Smallest and largest value; the smallest stands for no augmentation.
    """

    argument: str
    ladder: tuple[float, ...]
    limits: tuple[float, float]


# RandAugment's magnitudes are 0 to 30 here, with 9 as the usual one; AugMix's severities 1 to 10, with 3. 0 stands for
# the image as it is. All other classes vary in how often they are applied.
_STRENGTHS: Mapping[str, _Strength] = {
    "torchvision:RandAugment": _Strength("magnitude", (5.0, 9.0, 15.0, 25.0), (0.0, 30.0)),
    "torchvision:AugMix": _Strength("severity", (1.0, 3.0, 6.0, 10.0), (0.0, 10.0)),
}
# kornia's RandAugment has no defaults: torchvision's are taken. By probability, because kornia's magnitude is not the
# strength of every step.
_ALSO: Mapping[str, Mapping[str, Any]] = {"kornia:RandAugment": {"n": 2, "m": 9}}
# How names of augmentations begin, and parts of the names of those that mix images, take volumes or hold others.
_AUGMENTATIONS = ("Random", "Color", "Auto", "Rand", "Trivial", "AugMix", "Elastic", "Gaussian", "JPEG")
_OTHERS = ("3D", "MixUp", "CutMix", "Jigsaw", "Mosaic", "Transplantation", "Base", "Apply", "Choice", "Order")
_CHANCES = (0.25, 0.5, 0.75, 1.0)


def kornia(name: str) -> Perturbation:
    """Return a class of kornia.augmentation or kornia.augmentation.auto as an augmentation.

    Args:
        name: The class's name, for instance ``"RandomRain"``.

    Returns:
        The augmentation. Whether kornia has such a class shows when it is applied, or by ``confirm``.
    """
    return _entry("kornia", name)


def torchvision(name: str) -> Perturbation:
    """Return a class of torchvision.transforms.v2 as an augmentation.

    Args:
        name: The class's name, for instance ``"TrivialAugmentWide"``.

    Returns:
        The augmentation. Whether torchvision has such a class shows when it is applied, or by ``confirm``.
    """
    return _entry("torchvision", name)


def confirm(perturbation: Perturbation) -> None:
    """Raise SettingsError where a perturbation is named by a library that has no such transform.

    Args:
        perturbation: Any perturbation; only those of ``kornia`` and ``torchvision`` are looked at.
    """
    if isinstance(perturbation.apply, LibraryTransform):
        perturbation.apply.confirm()


@dataclass(frozen=True)
class LibraryTransform:
    """A library's transform with default arguments: the ``apply`` of a perturbation.

    Attributes:
        library: ``"kornia"`` or ``"torchvision"``.
        name: The class's name.
    """

    library: str
    name: str

    @property
    def spec(self) -> str:
        """How a user names it."""
        return f"{self.library}:{self.name}"

    @property
    def by_chance(self) -> bool:
        """Whether the value is how often it is applied."""
        return self.spec not in _STRENGTHS

    @property
    def strongest(self) -> float:
        """The last value of the ladder."""
        return 1.0 if self.by_chance else _STRENGTHS[self.spec].ladder[-1]

    def arguments(self, value: float) -> dict[str, Any]:
        """Return the arguments of the class for a value, without the probability."""
        strength = _STRENGTHS.get(self.spec)
        return dict(_ALSO.get(self.spec, {})) | ({} if strength is None else {strength.argument: int(value)})

    def confirm(self) -> None:
        """Raise SettingsError unless the library has the class, and it takes one image and default arguments."""
        from cuesense.perturbations.wrapped import check_transform

        if self.spec not in _confirmed:
            check_transform(_transform(self, self.strongest), self.spec)
            _confirmed.add(self.spec)

    def __call__(self, images: Tensor, value: float, draws: Draws) -> Tensor:
        """Change each image by itself.

        Args:
            images: (N, 3, H, W) in [0, 1].
            value: The probability of application, or the strength.
            draws: The images' keys.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        from cuesense.perturbations.wrapped import Sometimes, each_image, form_of

        transform = _transform(self, 1.0 if self.by_chance else value)
        form = _form(self, form_of)
        if self.by_chance:
            return Sometimes(self.spec, transform, form)(images, value, draws)
        return each_image(transform, images, draws, form, self.spec)

    @property
    def has_probability(self) -> bool:
        """Whether the class takes ``p``; this imports the library."""
        return "p" in inspect.signature(self._class()).parameters

    def made(self, value: float) -> Callable[..., Any]:
        """Return the transform, applied to every image; this imports the library."""
        found = self._class()
        # Many classes are applied to half of the images by default: here the perturbation decides how often.
        given = self.arguments(value) | ({"p": 1.0} if self.has_probability else {})
        try:
            made: Callable[..., Any] = found(**given)
        except Exception as error:
            do = "Write a plug-in that calls it with your arguments (docs/augmentations.md)"
            to_be = "a transform that needs no arguments"
            raise SettingsError(
                expected(f"'{self.spec}'", to_be, f"{type(error).__name__}: {first_line(error)}", do)
            ) from error
        return made

    def _class(self) -> type:
        known: dict[str, type] = {}
        for module in map(import_module, _MODULES[self.library]):
            known |= {name: value for name, value in vars(module).items() if inspect.isclass(value)}
        if self.name not in known:
            offered = [name for name, value in known.items() if _is_offered(name, value)]
            close = get_close_matches(self.name, offered)
            known_as = " or ".join(f"'{self.library}:{name}'" for name in close)
            see = f"See the augmentations of {' and '.join(_MODULES[self.library])}"
            hint = f"Did you mean {known_as}?" if close else f"{see}, or `cuesense list perturbations`."
            raise SettingsError(f"Unknown transform '{self.spec}'. {hint}")
        return known[self.name]


def _is_offered(name: str, found: type) -> bool:
    """Return whether a class is an augmentation of single images that needs no arguments, as far as its name says."""
    if not name.startswith(_AUGMENTATIONS) or any(part in name for part in _OTHERS):
        return False
    parameters = inspect.signature(found).parameters.values()
    return all(known.default is not known.empty or known.kind is known.VAR_KEYWORD for known in parameters)


_confirmed: set[str] = set()


@cache
def _form(transform: LibraryTransform, form_of: Callable[..., Any]) -> Any:
    return form_of(_transform(transform, transform.strongest), transform.spec)


@lru_cache(maxsize=64)
def _transform(transform: LibraryTransform, value: float) -> Callable[..., Any]:
    return transform.made(value)


def _entry(library: str, name: str) -> Perturbation:
    transform = LibraryTransform(library, name)
    strength = _STRENGTHS.get(transform.spec, _Strength("probability", _CHANCES, (0.0, 1.0)))
    return Perturbation(
        name=transform.spec,
        role=Role.AUGMENTATION,
        suppresses=(),
        damages="see the library's documentation",
        parameter=strength.argument,
        unit="probability" if transform.by_chance else "steps",
        ladder=strength.ladder,
        identity=strength.limits[0],
        limits=strength.limits,
        apply=transform,
        whole=not transform.by_chance,
    )
