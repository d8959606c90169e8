"""Perturbations of one's own: cuesense analyze MODEL --dataset DATA --plugin perturbations.py --augmentations fog,tint.

Two ways: a function of a batch that takes all random numbers from ``draws``, with a strength of its own; and any
transform of one image, whose strength is how often it is applied.
"""

import torch
from torch import Tensor
from torchvision.transforms import v2

import cuesense
from cuesense.perturbations.wrapped import wrapped
from cuesense.types import Role


def fog(images: Tensor, value: float, draws: cuesense.Draws) -> Tensor:
    """Blend each image with white; the white's weight is a sample of U[0, value]."""
    weight = value * torch.from_numpy(draws.uniform(1)).to(images.device)
    return torch.lerp(images, torch.ones_like(images), weight[:, :, None, None])


cuesense.register(
    cuesense.Perturbation(
        name="fog",
        role=Role.AUGMENTATION,
        suppresses=(),
        damages="contrast",
        parameter="density",
        unit="fraction",
        ladder=(0.2, 0.4, 0.6, 0.9),
        identity=0.0,
        limits=(0.0, 1.0),
        apply=fog,
    )
)
cuesense.register(wrapped("tint", v2.ColorJitter(hue=0.1, saturation=0.5), damages="color"))
