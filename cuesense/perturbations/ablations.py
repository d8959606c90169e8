"""The ablations that cues rest on: which perturbation, at which strength, removes which cue."""

from __future__ import annotations

from collections.abc import Mapping

from cuesense.types import Cue

Ablation = tuple[str, float]
CUES = (Cue.SHAPE, Cue.TEXTURE, Cue.COLOR)
PRIMARY_ABLATION: Mapping[Cue, Ablation] = {
    Cue.SHAPE: ("patch_shuffle", 3.0),
    Cue.TEXTURE: ("opening_closing", 0.07),
    Cue.COLOR: ("grayscale", 1.0),
}
REPLICATE_ABLATION: Mapping[Cue, Ablation] = {
    Cue.SHAPE: ("patch_rotation", 3.0),
    Cue.TEXTURE: ("median_blur", 0.16),
    Cue.COLOR: ("channel_permutation", 1.0),
}
SINGLE_CUE: Mapping[Cue, Ablation] = {
    Cue.SHAPE: ("grayscale_opening_closing", 0.07),
    Cue.TEXTURE: ("grayscale_patch_shuffle", 3.0),
    Cue.COLOR: ("patch_shuffle_opening_closing", 3.0),
}
ALL_REMOVED: Ablation = ("grayscale_patch_shuffle_gaussian_blur", 4.0)
SHAM: Mapping[Cue, Ablation] = {
    Cue.SHAPE: ("tile_jitter", 0.036),
    Cue.TEXTURE: ("translation", 0.036),
    Cue.COLOR: ("translation", 0.036),
}
TILED = frozenset(
    {PRIMARY_ABLATION[Cue.SHAPE], REPLICATE_ABLATION[Cue.SHAPE], SINGLE_CUE[Cue.TEXTURE], SINGLE_CUE[Cue.COLOR]}
)
ABLATIONS: tuple[Ablation, ...] = (
    *PRIMARY_ABLATION.values(),
    *REPLICATE_ABLATION.values(),
    *SINGLE_CUE.values(),
    ALL_REMOVED,
)
