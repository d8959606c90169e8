"""The ablations that cue verdicts rest on: which perturbation, at which strength, removes which cues.

An ablation is named by a physical value, because its meaning must not change with the ladder of a run. ``measured``
finds, once for each set of predictions, the severity that stands for it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from cuesense.types import Cue, Perturbation


class Ablation(NamedTuple):
    """A perturbation at one strength.

    Attributes:
        perturbation: Name of the perturbation.
        value: Its physical strength, in the perturbation's unit.
    """

    perturbation: str
    value: float


class Column(NamedTuple):
    """One column of a class's graded answer: what it keeps without one cue, or on one cue alone.

    Attributes:
        name: For instance ``"without_color"`` or ``"color_alone"``.
        cue: The cue.
        alone: Whether the cue is all that is left; else it is all that is removed.
        mechanisms: The ablations that do this in different ways.
        combined: ``"mean"`` of what is kept over the mechanisms, or the ``"best"``: where every mechanism may destroy
            more than its cue, and none less, the one that keeps most of a class is nearest to the truth.
        otherwise: What counts where none of the mechanisms was measured, as in the preset quick.
    """

    name: str
    cue: Cue
    alone: bool
    mechanisms: tuple[Ablation, ...]
    combined: Literal["mean", "best"] = "mean"
    otherwise: tuple[Ablation, ...] = ()


CUES = (Cue.SHAPE, Cue.TEXTURE, Cue.COLOR)

# Grid 3 and windows of 7 and 16 % of the side: of the strengths tried on planted worlds, those that remove their cue
# and leave the others readable (docs/method.md, "Which perturbations"; assets/readable.csv holds the measurement).
PRIMARY_ABLATION: Mapping[Cue, Ablation] = {
    Cue.SHAPE: Ablation("patch_shuffle", 3.0),
    Cue.TEXTURE: Ablation("opening_closing", 0.07),
    Cue.COLOR: Ablation("grayscale", 1.0),
}
# A second mechanism for each cue: where both agree, the loss is not an artifact of one of them.
REPLICATE_ABLATION: Mapping[Cue, Ablation] = {
    Cue.SHAPE: Ablation("patch_rotation", 3.0),
    Cue.TEXTURE: Ablation("median_blur", 0.16),
    Cue.COLOR: Ablation("channel_permutation", 1.0),
}
SINGLE_CUE: Mapping[Cue, Ablation] = {
    Cue.SHAPE: Ablation("grayscale_opening_closing", 0.07),
    Cue.TEXTURE: Ablation("grayscale_patch_shuffle", 3.0),
    Cue.COLOR: Ablation("patch_shuffle_opening_closing", 3.0),
}
ALL_REMOVED = Ablation("grayscale_patch_shuffle_gaussian_blur", 4.0)

# Controls that change as many pixels and keep all cues. Tile jitter has the seams of a patch shuffle and keeps the
# layout; seams of foreign pixels would harm shape themselves, so they are no control.
SHAM: Mapping[Cue, Ablation] = {
    Cue.SHAPE: Ablation("tile_jitter", 0.036),
    Cue.TEXTURE: Ablation("translation", 0.036),
    Cue.COLOR: Ablation("translation", 0.036),
}
_GRAYS = (PRIMARY_ABLATION[Cue.COLOR], Ablation("grayscale_maximum", 1.0), Ablation("grayscale_minimum", 1.0))
_SHUFFLES = tuple(Ablation("patch_shuffle", tiles) for tiles in (2.0, 3.0, 4.0, 6.0, 8.0))
_ROTATIONS = tuple(Ablation("patch_rotation", tiles) for tiles in (2.0, 3.0))
_BILATERAL = tuple(Ablation("bilateral_blur", window) for window in (0.036, 0.0625, 0.11))
_GRAY_SHUFFLES = tuple(Ablation("grayscale_patch_shuffle", tiles) for tiles in (3.0, 4.0, 6.0, 8.0))
_GRAY_BILATERAL = Ablation("grayscale_bilateral_blur", 0.0625)
_BLURRED_SHUFFLE = Ablation("patch_shuffle_gaussian_blur", 4.0)
# Of several ways to remove a cue, or to leave it alone, the one that keeps most of a class has harmed least beside the
# cue. Opening and closing erases thin lines as well as texture, a bilateral filter keeps lines and strong texture; luma
# makes saturated blue nearly black, the smallest channel all saturated colors dark, the largest all of them light.
REMOVALS: Mapping[Cue, tuple[Ablation, ...]] = {
    Cue.SHAPE: (PRIMARY_ABLATION[Cue.SHAPE],),
    Cue.TEXTURE: (PRIMARY_ABLATION[Cue.TEXTURE], _BILATERAL[1]),
    Cue.COLOR: _GRAYS,
}
ALONE: Mapping[Cue, tuple[Ablation, ...]] = {
    Cue.SHAPE: (SINGLE_CUE[Cue.SHAPE], _GRAY_BILATERAL),
    Cue.TEXTURE: (_GRAY_SHUFFLES[1],),
    Cue.COLOR: (SINGLE_CUE[Cue.COLOR], _BLURRED_SHUFFLE),
}
# Tiles of a sixth of the side, 37 of 224 pixels: few parts of an object survive, most textures do (share kept of
# images with texture alone .95, of line drawings .13 to .37; docs/method.md, "Single cues").
SMALL_GRAY_TILES = _GRAY_SHUFFLES[2]
# What the joint model (analysis/joint_model.py) reads, in the order of its weights. Chosen on 150 networks by leaving
# one kind of images out (`benchmarks/cue_model.py`): removals of each cue by mechanisms that harm different things
# beside it, and each cue alone at several strengths.
JOINT_ABLATIONS: tuple[Ablation, ...] = (
    _GRAYS[0],
    _GRAYS[2],
    _GRAYS[1],
    PRIMARY_ABLATION[Cue.TEXTURE],
    *_BILATERAL,
    Ablation("median_blur", 0.07),
    REPLICATE_ABLATION[Cue.TEXTURE],
    *_SHUFFLES,
    *_ROTATIONS,
    *_GRAY_SHUFFLES,
    _GRAY_BILATERAL,
    SINGLE_CUE[Cue.SHAPE],
    _BLURRED_SHUFFLE,
    SINGLE_CUE[Cue.COLOR],
    ALL_REMOVED,
)
# The mechanisms of each column are those of several tried that give the most reliable classes on photographs and agree
# best with manipulations that are not ours (docs/method.md, "Columns"; `benchmarks/single_cue.py --sets photographs`).
COLUMNS: tuple[Column, ...] = (
    Column(
        "without_shape",
        Cue.SHAPE,
        False,
        (_SHUFFLES[2], _SHUFFLES[4], *_ROTATIONS),
        otherwise=(PRIMARY_ABLATION[Cue.SHAPE],),
    ),
    Column(
        "without_texture",
        Cue.TEXTURE,
        False,
        (PRIMARY_ABLATION[Cue.TEXTURE], REPLICATE_ABLATION[Cue.TEXTURE], _BILATERAL[2]),
    ),
    Column("without_color", Cue.COLOR, False, _GRAYS, "best"),
    Column("shape_alone", Cue.SHAPE, True, (SINGLE_CUE[Cue.SHAPE], _GRAY_BILATERAL)),
    Column("texture_alone", Cue.TEXTURE, True, _GRAY_SHUFFLES[1:], otherwise=(SINGLE_CUE[Cue.TEXTURE],)),
    Column("color_alone", Cue.COLOR, True, (SINGLE_CUE[Cue.COLOR], _BLURRED_SHUFFLE)),
)
ABLATIONS: tuple[Ablation, ...] = (
    *PRIMARY_ABLATION.values(),
    *REPLICATE_ABLATION.values(),
    *SINGLE_CUE.values(),
    ALL_REMOVED,
)
EVERY_ABLATION: tuple[Ablation, ...] = tuple(dict.fromkeys((*ABLATIONS, *JOINT_ABLATIONS)))
_CUT = {
    "patch_shuffle",
    "patch_rotation",
    "grayscale_patch_shuffle",
    "patch_shuffle_opening_closing",
    "patch_shuffle_gaussian_blur",
}
# Ablations that cut the image into tiles: only these are compared with the sham that has seams.
TILED = frozenset(ablation for ablation in EVERY_ABLATION if ablation.perturbation in _CUT)


def measured(perturbations: Iterable[Perturbation]) -> dict[Ablation, int]:
    """Return the severity of every ablation and sham in the ladders that a run measured.

    Args:
        perturbations: What was applied, each with the ladder of the run.

    Returns:
        Severity by ablation; those that the run did not measure are missing.
    """
    severities = {
        Ablation(entry.name, value): severity
        for entry in perturbations
        for severity, value in zip(entry.severities, entry.ladder, strict=True)
    }
    wanted = dict.fromkeys((*EVERY_ABLATION, *SHAM.values()))
    return {ablation: severities[ablation] for ablation in wanted if ablation in severities}
