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
    """

    name: str
    cue: Cue
    alone: bool
    mechanisms: tuple[Ablation, ...]
    combined: Literal["mean", "best"] = "mean"


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
# Ablations that cut the image into tiles: only these are compared with the sham that has seams.
TILED = frozenset(
    {PRIMARY_ABLATION[Cue.SHAPE], REPLICATE_ABLATION[Cue.SHAPE], SINGLE_CUE[Cue.TEXTURE], SINGLE_CUE[Cue.COLOR]}
)
COLUMNS: tuple[Column, ...] = (
    Column("without_shape", Cue.SHAPE, False, (PRIMARY_ABLATION[Cue.SHAPE], REPLICATE_ABLATION[Cue.SHAPE])),
    Column("without_texture", Cue.TEXTURE, False, (PRIMARY_ABLATION[Cue.TEXTURE], REPLICATE_ABLATION[Cue.TEXTURE])),
    Column("without_color", Cue.COLOR, False, (PRIMARY_ABLATION[Cue.COLOR],), "best"),
    Column("shape_alone", Cue.SHAPE, True, (SINGLE_CUE[Cue.SHAPE],)),
    Column("texture_alone", Cue.TEXTURE, True, (SINGLE_CUE[Cue.TEXTURE],)),
    Column("color_alone", Cue.COLOR, True, (SINGLE_CUE[Cue.COLOR],)),
)
ABLATIONS: tuple[Ablation, ...] = (
    *PRIMARY_ABLATION.values(),
    *REPLICATE_ABLATION.values(),
    *SINGLE_CUE.values(),
    ALL_REMOVED,
)


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
    wanted = dict.fromkeys((*ABLATIONS, *SHAM.values()))
    return {ablation: severities[ablation] for ablation in wanted if ablation in severities}
