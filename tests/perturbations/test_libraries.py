"""``kornia:NAME`` and ``torchvision:NAME``: found by name, repeatable, graded where the class has a strength."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from cuesense import registry
from cuesense.errors import SettingsError
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.libraries import confirm
from cuesense.policies.policy import uniform
from cuesense.types import Perturbation, Role

NAMES = (
    "kornia:RandomRain",
    "kornia:TrivialAugment",
    "kornia:RandAugment",
    "torchvision:RandAugment",
    "torchvision:AugMix",
    "torchvision:TrivialAugmentWide",
    "torchvision:AutoAugment",
    "torchvision:RandomPhotometricDistort",
)


def entry(name: str) -> Perturbation:
    found: Perturbation = registry.get("perturbations", name)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_pixels_depend_on_the_image_and_the_condition_alone(name: str, oblongs: Tensor) -> None:
    found = entry(name)
    confirm(found)
    value, ids = found.ladder[-1], [str(index) for index in range(6)]
    together = perturb(found, oblongs, ids, value, seed=1)
    assert torch.equal(perturb(found, oblongs[3:4], ids[3:4], value, seed=1), together[3:4])
    assert not torch.equal(perturb(found, oblongs, ids, value, seed=2), together)
    assert not torch.equal(together, oblongs)
    assert together.shape == oblongs.shape
    assert torch.equal(perturb(found, oblongs, ids, found.identity), oblongs)


def test_a_name_is_one_perturbation_of_equal_values() -> None:
    assert entry("kornia:RandomRain") == entry("kornia:RandomRain")
    assert entry("torchvision:RandAugment").parameter == "magnitude"
    assert entry("torchvision:AugMix").parameter == "severity"
    assert entry("torchvision:AutoAugment").parameter == "probability"
    assert all(entry(name).role is Role.AUGMENTATION for name in NAMES)
    assert registry.known("perturbations", "kornia:RandomRain")
    assert not registry.known("perturbations", "keras:RandomRain")


def test_a_policy_keeps_such_names_after_the_registered_ones() -> None:
    policy = uniform({"kornia:RandomRain": 0.5, "vertical_flip": 0.5, "hue": 0.1}, ("a",))
    assert policy.names == ("hue", "vertical_flip", "kornia:RandomRain")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kornia:RandomRian", "Did you mean 'kornia:RandomRain'"),
        ("kornia:RandomRian", "'kornia:RandomRain'"),
        ("kornia:RandomMotionBlurr", "See the augmentations of|'kornia:RandomM(?!otionBlur)"),
        ("kornia:Nope", "See the augmentations of kornia.augmentation and"),
        ("torchvision:Nope", "See the augmentations of torchvision"),
        ("torchvision:TrivialAugment", "Did you mean 'torchvision:TrivialAugmentWide'"),
        ("torchvision:RandomResizedCrop", "needs no arguments"),
        ("kornia:RandomMixUpV2", "changes a single image"),
        ("torchvision:Identity", "changes a single image"),
        ("torchvision:InterpolationMode", "needs no arguments"),
    ],
)
def test_what_is_no_transform_of_one_image_is_refused_before_a_run(name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        confirm(entry(name))


def test_a_profile_s_names_are_looked_up_without_the_libraries() -> None:
    code = (
        "import sys\nfrom cuesense import registry\n"
        "for name in ('kornia:RandomRain', 'torchvision:RandAugment', 'solarize'):\n"
        "    registry.get('perturbations', name)\n"
        "sys.exit(bool({'torch', 'kornia', 'torchvision'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("library", ["kornia", "torchvision"])
def test_only_augmentations_of_single_images_are_offered(library: str) -> None:
    for name in ("Base2D", "AugmentationBase2D", "RandomMixUp", "RandomCutMix", "Dispather", "Compose", "RandomAply"):
        with pytest.raises(SettingsError) as error:
            confirm(entry(f"{library}:{name}x"))
        sentence = str(error.value)
        assert len(sentence) < 250
        offered = sentence.partition("Did you mean")[2]
        assert not any(part in offered for part in ("Base", "Mix", "Dispat", "Compose", "Apply", "3D"))
