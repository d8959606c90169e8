"""Shares that classes of one cue typically keep under all ablations of the joint model, and evidence of them."""

from __future__ import annotations

from typing import Any

from cuesense.analysis.evidence import Evidence, Share
from cuesense.perturbations.ablations import ABLATIONS, JOINT_ABLATIONS, Ablation
from tests.helpers.evidence_by_hand import evidence_of, share_of


def shares_of(kept: dict[str, float]) -> list[float]:
    """Return a share for every ablation, by the last cue-removing part of its name; 0 where none is given."""
    return [kept.get(f"{name} {value:g}", kept.get(name, 0.0)) for name, value in JOINT_ABLATIONS]


COLOR = {
    "opening_closing": 1.0,
    "bilateral_blur": 1.0,
    "median_blur": 1.0,
    "patch_shuffle": 0.9,
    "patch_rotation": 0.9,
    "patch_shuffle_gaussian_blur": 0.9,
    "patch_shuffle_opening_closing": 0.9,
}
SHAPE = {
    "grayscale": 0.95,
    "grayscale_minimum": 0.9,
    "grayscale_maximum": 0.9,
    "opening_closing": 0.9,
    "bilateral_blur": 0.95,
    "median_blur": 0.9,
    "patch_shuffle 2": 0.4,
    "patch_shuffle 3": 0.2,
    "patch_rotation 2": 0.2,
    "grayscale_bilateral_blur": 0.9,
    "grayscale_opening_closing": 0.85,
}
LINES = {**SHAPE, "opening_closing": 0.08, "median_blur": 0.1, "grayscale_opening_closing": 0.08}
TEXTURE = {
    "grayscale": 1.0,
    "grayscale_minimum": 0.95,
    "grayscale_maximum": 0.95,
    "opening_closing": 0.15,
    "bilateral_blur 0.036": 0.6,
    "bilateral_blur 0.0625": 0.25,
    "median_blur 0.07": 0.4,
    "patch_shuffle": 0.95,
    "patch_rotation": 0.9,
    "grayscale_patch_shuffle": 0.9,
    "grayscale_bilateral_blur": 0.2,
    "grayscale_opening_closing": 0.15,
}
TYPICAL = {"color": COLOR, "shape": SHAPE, "texture": TEXTURE}


def evidence(kept: dict[str, float], changes: dict[Ablation, Share] | None = None, **fields: Any) -> Evidence:
    """Return the evidence of two classes that keep these shares under all ablations of the model.

    Args:
        kept: Shares as in shares_of.
        changes: Other shares under some ablations.
        **fields: Other fields of the evidence.
    """
    shares = {
        ablation: share_of([share, share]) for ablation, share in zip(JOINT_ABLATIONS, shares_of(kept), strict=True)
    }
    none = {ablation: share_of([0.0, 0.0]) for ablation in ABLATIONS}
    return evidence_of(none | shares | (changes or {}), **fields)
