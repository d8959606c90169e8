"""The ablations that cues rest on: which perturbation, at which strength, removes which cue."""

from __future__ import annotations

from collections.abc import Mapping

from cuesense.types import Cue

Dose = tuple[str, float]
CUES = (Cue.SHAPE, Cue.TEXTURE, Cue.COLOR)
DECISIVE: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("patch_shuffle", 3.0),
    Cue.TEXTURE: ("opening_closing", 0.07),
    Cue.COLOR: ("grayscale", 1.0),
}
SECOND: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("patch_rotation", 3.0),
    Cue.TEXTURE: ("median_blur", 0.16),
    Cue.COLOR: ("channel_permutation", 1.0),
}
ALONE: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("grayscale_opening_closing", 0.07),
    Cue.TEXTURE: ("grayscale_patch_shuffle", 3.0),
    Cue.COLOR: ("patch_shuffle_opening_closing", 3.0),
}
DESTROYED: Dose = ("grayscale_patch_shuffle_gaussian_blur", 4.0)
SHAM: Mapping[Cue, Dose] = {
    Cue.SHAPE: ("tile_jitter", 0.036),
    Cue.TEXTURE: ("translation", 0.036),
    Cue.COLOR: ("translation", 0.036),
}
CUT = frozenset({DECISIVE[Cue.SHAPE], SECOND[Cue.SHAPE], ALONE[Cue.TEXTURE], ALONE[Cue.COLOR]})
DOSES: tuple[Dose, ...] = (*DECISIVE.values(), *SECOND.values(), *ALONE.values(), DESTROYED)
