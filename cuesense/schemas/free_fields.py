"""What commands take from the fields of a profile that hold any JSON value: how images were prepared, and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cuesense.types import INTERPOLATIONS, RESIZERS

_CHOICES = {"crop": ("rounded", "down"), "resizer": RESIZERS, "interpolation": INTERPOLATIONS}
_MOST_PIXELS = 1_000_000  # a side in pixels, far above any network's input; chosen by hand


def preprocessing_problems(field: str, known: Mapping[str, Any]) -> Iterator[str]:
    """Yield a clause for every size, mean or standard deviation that images cannot be prepared with; null is fine.

    Args:
        field: Name of the field.
        known: ``image_size`` [height, width] and ``resize`` in pixels, ``mean`` and ``std`` of three channels,
            ``interpolation``, ``crop`` and ``resizer``; each may be missing.
    """
    size, resize = known.get("image_size"), known.get("resize")
    if size is not None and not (isinstance(size, list) and len(size) == 2 and all(map(_is_side, size))):
        yield f"no height and width in '{field}.image_size'"
    if resize is not None and not _is_side(resize):
        yield f"no whole number of pixels in '{field}.resize'"
    for name, choices in _CHOICES.items():
        if known.get(name) not in (None, *choices):
            yield f"no known {name} in '{field}.{name}'"
    for name in ("mean", "std"):
        values = known.get(name)
        if values is not None and not (isinstance(values, list) and len(values) == 3 and all(map(_is_number, values))):
            yield f"no three numbers in '{field}.{name}'"
        elif values and name == "std" and min(values) <= 0:
            yield f"a number that is not above 0 in '{field}.std'"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_side(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_PIXELS


def policy_problems(field: str, policy: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield a clause where a policy is not as ``Policy.to_dict`` gives it: augmentations, for all classes or by group.

    Args:
        field: Name of the field.
        policy: The policy; None for no augmentation.
    """
    if policy is None:
        return
    groups = policy.get("groups", [])
    if not isinstance(groups, list) or not all(map(_is_group, groups)):
        yield f"a group without its classes and augmentations in '{field}.groups'"
    weights = policy.get("class_weights", {})
    if not isinstance(weights, dict) or not all(isinstance(weight, int | float) for weight in weights.values()):
        yield f"something else than one number a class in '{field}.class_weights'"


def _is_group(group: object) -> bool:
    if not isinstance(group, dict) or "augmentations" not in group:
        return False
    classes = group.get("classes")
    return isinstance(classes, list) and all(isinstance(name, str) for name in classes)
