"""timm's flags: what they change, what they leave out, and the comments that say so."""

from __future__ import annotations

import pytest

from cuesense.exporters.timm import export
from cuesense.policies.policy import uniform

NAMES = ("lemon", "lime")


def parts(probability: float = 0.8, **values: float) -> tuple[list[str], str]:
    """Return the comments without their mark, and the line of flags."""
    *comments, flags = export(uniform(values, NAMES, probability)).splitlines()
    return [comment.removeprefix("# ") for comment in comments], flags


def test_no_augmentation_is_written_out_because_timm_augments_by_default() -> None:
    comments, flags = parts()
    assert [comment.split(",")[0] for comment in comments] == [
        "Train without augmentation.",
        "timm augments by default",
    ]
    assert flags == "--scale 1.0 1.0 --ratio 1.0 1.0 --color-jitter 0.0 --hflip 0.0 --vflip 0.0 --grayscale-prob 0.0"


def test_probabilities_are_multiplied_by_the_policy_s() -> None:
    _, flags = parts(0.5, horizontal_flip=0.5, vertical_flip=1.0, random_grayscale=0.25, color_jitter=0.4)
    assert "--hflip 0.25 --vflip 0.5 --grayscale-prob 0.125" in flags
    assert "--color-jitter 0.4 --color-jitter-prob 0.5" in flags


def test_a_crop_brings_its_ratio_and_a_comment() -> None:
    comments, flags = parts(random_resized_crop=0.3)
    assert flags.startswith("--scale 0.3 1.0 --ratio 0.75 1.3333 ")
    assert "timm crops every image: no view stays whole." in comments


def test_a_jitter_without_hue_is_commented() -> None:
    assert "timm's color jitter leaves the hue alone." in parts(color_jitter=0.4)[0]


@pytest.mark.parametrize(("area", "erases"), [(0.32, False), (0.33, True), (0.6, True)])
def test_erasing_is_written_from_the_area_that_timm_erases_on(area: float, erases: bool) -> None:
    comments, flags = parts(0.5, random_erasing=area)
    assert ("--reprob 0.5 --remode const" in flags) is erases
    left_out = "Left out, because timm has no flag for the value: random_erasing."
    assert (left_out in comments) is not erases


def test_what_has_no_flag_is_named() -> None:
    comments, _ = parts(hue=0.1, random_rotation=10.0, color_jitter=0.2)
    assert comments[-1] == "Left out, because timm has no flag for the value: hue, random_rotation."
