"""What commands take from free fields is as they need it, or named."""

from __future__ import annotations

from typing import Any

import pytest

from cuesense.policies.policy import Policy
from cuesense.schemas.free_fields import policy_problems, preprocessing_problems


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"image_size": None, "resize": None, "mean": None, "std": None},
        {"image_size": [224, 160], "resize": 256, "mean": [0, 0.5, -1.5], "std": [1, 0.2, 1e-6], "other": []},
        {"image_size": [1, 1_000_000], "interpolation": "bicubic", "crop": "down", "resizer": "torchvision"},
    ],
)
def test_what_analyze_writes_has_no_problem(known: dict[str, Any]) -> None:
    assert list(preprocessing_problems("p", known)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", 224),
        ("image_size", [224]),
        ("image_size", [0, 224]),
        ("image_size", [224.5, 224]),
        ("image_size", [1_000_001, 1]),
        ("resize", "256"),
        ("resize", True),
        ("resize", -1),
        ("mean", [0.5]),
        ("mean", 0.5),
        ("mean", ["a", "b", "c"]),
        ("std", [0.5, 0.5, 0]),
        ("interpolation", "magic"),
        ("interpolation", []),
        ("crop", "up"),
        ("resizer", "magic"),
    ],
)
def test_what_images_cannot_be_prepared_with_is_named(name: str, value: object) -> None:
    (said,) = preprocessing_problems("p", {name: value})
    assert f"'p.{name}'" in said


def test_every_policy_that_is_written_has_no_problem() -> None:
    for scope, groups in (("global", (0, 0)), ("per_class", (0, 1))):
        values = ({"hue": 0.1},) * (max(groups) + 1)
        policy = Policy(scope, 0.8, ("a", "b"), groups, values)  # type: ignore[arg-type]
        assert list(policy_problems("p", policy.to_dict())) == []
    assert list(policy_problems("p", None)) == []


@pytest.mark.parametrize(
    "groups",
    [3, [3], [{}], [{"classes": ["a"]}], [{"augmentations": []}], [{"classes": [[]], "augmentations": []}]],
)
def test_groups_without_classes_or_augmentations_are_named(groups: object) -> None:
    assert list(policy_problems("p", {"groups": groups})) == [
        "a group without its classes and augmentations in 'p.groups'"
    ]
