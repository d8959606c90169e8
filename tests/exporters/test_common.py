"""A policy as steps: the ranges of every augmentation, in pixels, degrees, turns and factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.errors import SettingsError
from cuesense.exporters.common import Kind, Step, library_calls, shared_values, short
from cuesense.perturbations import geometry
from cuesense.policies.policy import Policy, sparing, uniform

NAMES = ("lemon", "lime")


def steps(values: Mapping[str, float], size: tuple[int, int] | None = (40, 60)) -> list[Step]:
    """Return the steps themselves."""
    writers = dict.fromkeys(get_args(Kind), lambda step: step)
    return library_calls(uniform(values, NAMES), size, "library", writers, lambda *_: None)


def ranges(**values: float) -> dict[str, Any]:
    (step,) = steps(values)
    return dict(step.ranges)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ({"random_resized_crop": 0.3}, "crop", {"scale": (0.3, 1.0)}),
        ({"random_rotation": 40.0}, "rotation", {"angle": (-40.0, 40.0)}),
        ({"random_erasing": 0.4}, "erasing", {"area": (0.0, 0.4)}),
        ({"random_gaussian_blur": 0.04}, "blur", {"sigma": (0.01, 1.6)}),
        ({"hue": 0.2}, "jitter", {"hue": (-0.2, 0.2)}),
        ({"brightness": 0.4}, "jitter", {"brightness": (0.6, 1.4)}),
        ({"contrast": 0.4}, "jitter", {"contrast": (0.6, 1.4)}),
        ({"saturation": 0.8}, "jitter", {"saturation": (0.2, 1.8)}),
        ({"horizontal_flip": 0.5}, "horizontal_flip", {}),
        ({"vertical_flip": 0.5}, "vertical_flip", {}),
        ({"random_grayscale": 0.5}, "gray", {}),
        (
            {"color_jitter": 0.4},
            "jitter",
            {"brightness": (0.6, 1.4), "contrast": (0.6, 1.4), "saturation": (0.6, 1.4), "hue": (-0.1, 0.1)},
        ),
    ],
)
def test_every_augmentation_has_its_kind_and_ranges(values: dict[str, float], kind: str, expected: object) -> None:
    (step,) = steps(values)
    assert (step.kind, step.ranges) == (kind, expected)


@pytest.mark.parametrize("name", ["horizontal_flip", "vertical_flip", "random_grayscale"])
def test_a_chance_is_a_probability_and_all_else_is_done_always(name: str) -> None:
    ((chance,), (always,)) = steps({name: 0.25}), steps({"hue": 0.25})
    assert (chance.probability, always.probability) == (0.25, 1.0)


def test_factors_end_at_zero() -> None:
    assert ranges(brightness=0.9)["brightness"] == (0.1, 1.9)
    assert ranges(brightness=1.0)["brightness"] == (0.0, 2.0)
    assert ranges(brightness=1.5)["brightness"] == (0.0, 2.5)


@pytest.mark.parametrize(("value", "largest"), [(0.0001, 0.02), (0.0005, 0.02), (0.00051, 0.0204)])
def test_a_blur_is_never_weaker_than_its_least_sigma(value: float, largest: float) -> None:
    assert ranges(random_gaussian_blur=value)["sigma"] == (0.01, largest)


def test_a_blur_is_measured_along_the_shorter_side() -> None:
    (wide,), (tall,) = steps({"random_gaussian_blur": 0.1}, (30, 90)), steps({"random_gaussian_blur": 0.1}, (90, 30))
    assert wide.ranges == tall.ranges == {"sigma": (0.01, 3.0)}


@pytest.mark.parametrize(("sigma", "side"), [(0.02, 3), (0.25, 3), (0.26, 5), (1.0, 9), (1.01, 11)])
def test_a_kernel_is_odd_and_holds_four_sigmas_on_each_side(sigma: float, side: int) -> None:
    assert Step("blur", ranges={"sigma": (0.01, sigma)}).kernel == side


def test_a_crop_has_the_network_s_size_and_nothing_else_needs_one() -> None:
    (crop,) = steps({"random_resized_crop": 0.3})
    assert crop.size == (40, 60)
    assert len(steps({"hue": 0.1, "random_rotation": 10.0, "random_erasing": 0.1}, None)) == 3


def test_steps_come_in_the_order_in_which_the_policy_does_them() -> None:
    policy = uniform({"vertical_flip": 0.5, "hue": 0.1, "random_resized_crop": 0.5}, NAMES)
    assert tuple(shared_values(policy, "library")) == policy.names == ("random_resized_crop", "hue", "vertical_flip")


def test_a_policy_that_differs_between_classes_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        shared_values(Policy("grouped", 0.8, NAMES, (0, 1), ({"hue": 0.1}, {"hue": 0.2})), "timm")
    assert str(caught.value) == (
        "Expected the policy to be the same for all classes, because timm does not know the class of an image, but got "
        "one of scope grouped. Recommend one with scope='global' and spares=False, choose library json or yaml, or "
        "train with PolicyAugmentation."
    )
    with pytest.raises(SettingsError, match=r"leaves out 'lime'\. Recommend one with scope='global' and spares="):
        shared_values(sparing({"hue": 0.1}, NAMES, ["lime"], 0.5), "timm")
    with pytest.raises(SettingsError, match=r"one of scope per_class\. Leave scope=.per_class. and"):
        shared_values(Policy("per_class", 0.8, NAMES, (0, 1), ({}, {})), "timm")


@given(st.floats(-200, 200))
def test_numbers_are_cut_to_six_digits(number: float) -> None:
    assert abs(short(number) - number) <= 5.1e-7
    assert short(number) == short(short(number))
    assert short(0.1 + 0.2) == 0.3


def test_what_is_erased_is_filled_as_it_was_when_measured() -> None:
    from cuesense.exporters.common import FILL

    assert geometry._FILL == FILL
