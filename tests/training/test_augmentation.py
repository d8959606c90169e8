"""Policies at work: who is augmented, how strongly, and that nothing else is touched."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from cuesense import registry
from cuesense.errors import SettingsError
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.kornia_table import row_of
from cuesense.policies.policy import Policy
from cuesense.policies.recommend import recommend
from cuesense.training.augmentation import PolicyAugmentation
from cuesense.types import Role
from tests.helpers.profiles import profile
from tests.helpers.profiles_with_forecasts import CROP, JITTER, LOST, planted

AUGMENTATIONS = [
    name for name in registry.names("perturbations") if registry.get("perturbations", name).role is Role.AUGMENTATION
]
IMAGES = torch.rand(600, 3, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(600) % 3


def changed(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    return (before != after).flatten(1).any(dim=1)


def test_about_as_many_images_are_augmented_as_the_policy_says() -> None:
    torch.manual_seed(0)
    after = PolicyAugmentation.from_values({CROP: 0.3}, probability=0.7)(IMAGES)
    assert changed(IMAGES, after).float().mean() == pytest.approx(0.7, abs=0.06)


def test_all_augmentations_are_applied_to_an_image_together_or_none() -> None:
    """Each alone has probability one half; apart they would leave a quarter of the images clean."""
    torch.manual_seed(0)
    after = PolicyAugmentation.from_values({JITTER: 0.8, "random_erasing": 0.6}, probability=0.5)(IMAGES)
    assert changed(IMAGES, after).float().mean() == pytest.approx(0.5, abs=0.06)


def test_every_class_gets_its_own_values_and_views_stay_clean_in_each() -> None:
    torch.manual_seed(0)
    policy = Policy(
        "per_class", 0.8, ("a", "b", "c"), (0, 1, 2), ({"horizontal_flip": 1.0}, {}, {"vertical_flip": 1.0})
    )
    after = PolicyAugmentation(policy)(IMAGES, LABELS)
    touched = changed(IMAGES, after)
    for label, flipped in ((0, IMAGES.flip(3)), (2, IMAGES.flip(2))):
        mine = label == LABELS
        assert torch.equal(after[mine & touched], flipped[mine & touched])
        assert touched[mine].float().mean() == pytest.approx(0.8, abs=0.1)
    assert not touched[LABELS == 1].any()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_draws_for_each_image(name: str) -> None:
    value = registry.get("perturbations", name).ladder[-1]
    module = PolicyAugmentation.from_values({name: value}, probability=1.0)
    torch.manual_seed(1)
    same = IMAGES[:1].expand(40, -1, -1, -1)
    after = module(same)
    assert after.shape == same.shape
    assert 0 <= after.min() <= after.max() <= 1
    row = row_of(registry.get("perturbations", name))
    by_chance = name in ("horizontal_flip", "vertical_flip", "random_grayscale") or (row is not None and row.chance)
    if not by_chance and not (row is not None and row.fixed):
        assert len({image.numpy().tobytes() for image in after}) > 15


def test_what_is_done_is_what_was_analyzed() -> None:
    """The same keys give the same pixels as the analysis' own function."""
    torch.manual_seed(3)
    after = PolicyAugmentation.from_values({JITTER: 0.4}, probability=1.0)(IMAGES)
    analyzed = perturb(registry.get("perturbations", JITTER), IMAGES, [str(index) for index in range(600)], 0.4)
    for quantity in (torch.mean, torch.std):
        assert quantity(after) == pytest.approx(float(quantity(analyzed)), abs=0.01)
    gaps = np.sort(after.mean(dim=(2, 3)).numpy(), axis=0) - np.sort(analyzed.mean(dim=(2, 3)).numpy(), axis=0)
    assert np.abs(gaps).mean() < 0.01


def test_seeds_repeat_and_evaluation_leaves_images_alone() -> None:
    module = PolicyAugmentation.from_values({CROP: 0.2, JITTER: 0.4})
    torch.manual_seed(5)
    first = module(IMAGES)
    torch.manual_seed(5)
    assert torch.equal(first, module(IMAGES))
    assert not torch.equal(first, module(IMAGES))
    assert module.eval()(IMAGES) is IMAGES
    assert len(module.state_dict()) == 0


def test_images_are_left_unchanged_and_types_kept() -> None:
    before = IMAGES.clone()
    half = PolicyAugmentation.from_values({JITTER: 0.4}, probability=1.0)(IMAGES.bfloat16())
    assert half.dtype == torch.bfloat16
    PolicyAugmentation.from_values({JITTER: 0.4, CROP: 0.2}, probability=1.0)(IMAGES)
    assert torch.equal(before, IMAGES)


def test_one_image_with_its_label_will_do() -> None:
    torch.manual_seed(0)
    policy = Policy("per_class", 1.0, ("a", "b"), (0, 1), ({}, {"horizontal_flip": 1.0}))
    module = PolicyAugmentation(policy)
    assert torch.equal(module(IMAGES[0], 1), IMAGES[0].flip(2))  # type: ignore[arg-type]
    assert torch.equal(module(IMAGES[0], torch.tensor(0)), IMAGES[0])
    assert module(IMAGES[:0], LABELS[:0]).shape == (0, 3, 16, 16)


def test_it_trains_a_network_after_an_analysis_has_filled_its_caches() -> None:
    with torch.inference_mode():
        perturb(registry.get("perturbations", "random_rotation"), IMAGES[:2], ["a", "b"], 30.0)
    module = PolicyAugmentation.from_values({"random_rotation": 30.0, "random_gaussian_blur": 0.05, CROP: 0.3})
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    loader = DataLoader(TensorDataset(IMAGES, LABELS), batch_size=300)
    for images, labels in loader:
        functional.cross_entropy(network(module(images, labels)), labels).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_from_profile_does_what_is_recommended(tmp_path: Path) -> None:
    found = planted(LOST)
    (tmp_path / "profile.json").write_text(found.to_json(), encoding="utf-8")
    for source in (found, tmp_path):
        module = PolicyAugmentation.from_profile(source, "per_class", augmentations=[CROP, JITTER])
        assert module.policy == recommend(found, "per_class", augmentations=[CROP, JITTER])
        assert module.policy.of_class(1)
    assert module.get_config() == module.policy.to_dict()
    assert "scope='per_class'" in repr(module)
    assert "probability=0.8" in repr(module)
    assert copy.deepcopy(module).policy == module.policy
    # Few images are no reason to say nothing.
    assert PolicyAugmentation.from_profile(profile(3, images=20)).policy == recommend(profile(3, images=20))


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (IMAGES, None, "called with the images' labels"),
        (IMAGES, LABELS[:5], "one whole number an image"),
        (IMAGES, LABELS.float(), "one whole number an image"),
        (IMAGES, LABELS + 1, "1 to 3"),
        (IMAGES, LABELS - 1, "-1 to 1"),
        ((IMAGES * 255).byte(), LABELS, "a tensor of floats"),
        (IMAGES[:, :1], LABELS, "of shape"),
        (IMAGES.numpy(), LABELS, "a tensor of floats"),
    ],
)
def test_wrong_batches_are_named(images: object, labels: object, sentence: str) -> None:
    module = PolicyAugmentation(Policy("per_class", 0.8, ("a", "b", "c"), (0, 1, 2), ({CROP: 0.4}, {}, {})))
    with pytest.raises(SettingsError, match=sentence):
        module(images, labels)


def test_several_augmentations_are_applied_one_after_the_other() -> None:
    """Both flips together are half a turn, and an image that is not augmented gets neither."""
    torch.manual_seed(0)
    values = {"horizontal_flip": 1.0, "vertical_flip": 1.0}
    after = PolicyAugmentation.from_values(values, probability=0.5)(IMAGES)
    touched = changed(IMAGES, after)
    assert torch.equal(after[touched], IMAGES[touched].rot90(2, dims=(2, 3)))
    assert touched.float().mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("images", [IMAGES[:2] * 4 - 2, IMAGES[:2] * 255, IMAGES[:1] * float("nan")])
def test_pixels_outside_of_0_to_1_are_refused_in_training(images: torch.Tensor) -> None:
    augment = PolicyAugmentation.from_values({"color_jitter": 0.4})
    with pytest.raises(SettingsError, match=r"images to be floats in \[0, 1\], but got .* before normalization"):
        augment(images)
    torch.testing.assert_close(augment.eval()(images), images, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_rounding_may_leave_pixels_just_outside(dtype: torch.dtype) -> None:
    augment = PolicyAugmentation.from_values({"color_jitter": 0.4})
    images = torch.tensor([-0.0005, 1.0]).repeat(3 * 4 * 2).view(1, 3, 4, 4).to(dtype)
    assert augment(images).shape == images.shape
