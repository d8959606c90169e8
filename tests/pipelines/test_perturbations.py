"""Whole, steps and leave-outs are perturbations that depend on image and condition alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision import transforms

from cuesense.perturbations.apply import perturb
from cuesense.pipelines.perturbations import REPEATS, plan
from cuesense.pipelines.read import read

IMAGES = torch.randint(0, 256, (6, 3, 16, 16), generator=torch.Generator().manual_seed(0)).float() / 255
IDS = [f"image {index}" for index in range(6)]
STEPS = [transforms.RandomResizedCrop(16), transforms.RandomInvert(p=0.2), transforms.ToTensor()]


def test_whole_steps_and_leave_outs_are_measured() -> None:
    found = plan(read(STEPS, "both", (16, 16)))
    assert (found.whole.name, found.whole.ladder) == ("pipeline", (0.25, 0.5, 0.75, 1.0))
    assert [step.name for step in found.alone] == ["RandomResizedCrop", "RandomInvert"]
    assert [step.name for step in found.without] == [
        "pipeline without RandomResizedCrop",
        "pipeline without RandomInvert",
    ]
    # Clean, four shares of the whole, and two steps alone and left out, each drawn twice.
    assert len(found.config.conditions()) == 1 + REPEATS * (4 + 2 + 2)


def test_a_single_step_is_not_left_out() -> None:
    found = plan(read(transforms.RandomInvert(), "one", (16, 16)))
    assert (len(found.alone), found.without) == (1, ())


@pytest.mark.parametrize("part", ["whole", "alone", "without"])
def test_a_pixel_does_not_depend_on_the_batch(part: str) -> None:
    found = plan(read(STEPS, "both", (16, 16)))
    perturbation = found.whole if part == "whole" else getattr(found, part)[0]
    together = perturb(perturbation, IMAGES, IDS, 1.0)
    for row in (5, 0, 3):
        assert torch.equal(perturb(perturbation, IMAGES[[row]], [IDS[row]], 1.0)[0], together[row])
    assert torch.equal(perturb(perturbation, IMAGES[[2, 1]], [IDS[2], IDS[1]], 1.0), together[[2, 1]])


def changed(found: Tensor) -> float:
    return float((found != IMAGES[:1]).flatten(1).any(1).float().mean())


def test_the_value_is_the_share_of_images_that_are_changed() -> None:
    found = plan(read([transforms.RandomInvert(p=0.2), transforms.ToTensor()], "rare", (16, 16)))
    many = IMAGES[:1].expand(400, -1, -1, -1)
    ids = [str(index) for index in range(400)]
    # A step alone is always applied, the whole as often as the user's own.
    assert changed(perturb(found.alone[0], many, ids, 1.0)) == 1
    assert changed(perturb(found.whole, many, ids, 1.0)) == pytest.approx(0.2, abs=0.06)
    assert changed(perturb(found.whole, many, ids, 0.5)) == pytest.approx(0.1, abs=0.05)
