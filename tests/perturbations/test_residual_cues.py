"""The manipulation check: what a decoder still reads of each cue, and whether each value removes what it should."""

import pytest

from cuesense import registry
from cuesense.perturbations.ablations import ALL_REMOVED, CUES, PRIMARY_ABLATION, REPLICATE_ABLATION, SHAM, SINGLE_CUE
from cuesense.perturbations.kornia_table import row_of
from cuesense.perturbations.residual_cues import residual_cues


def test_every_value_of_every_ladder_was_checked() -> None:
    every = {
        (p.name, v)
        for p in (registry.get("perturbations", n) for n in registry.names("perturbations"))
        for v in p.ladder
        # Of kornia's augmentations none is taken for the removal of a cue.
        if row_of(p) is None
    }
    assert set(residual_cues()) == every
    assert all(0 <= share <= 1 for shares in residual_cues().values() for share in shares.values())


@pytest.mark.parametrize("cue", CUES)
def test_primary_and_replicate_ablations_remove_their_cue_more_than_the_others(cue) -> None:
    for ablation in (PRIMARY_ABLATION[cue], REPLICATE_ABLATION[cue]):
        left = residual_cues()[ablation]
        assert left[cue] == min(left.values())
        assert left[cue] <= 0.6


@pytest.mark.parametrize("cue", CUES)
def test_pairs_leave_one_cue(cue) -> None:
    left = residual_cues()[SINGLE_CUE[cue]]
    assert left[cue] == max(left.values())
    assert residual_cues()[ALL_REMOVED][cue] <= 0.35


def test_shams_leave_everything() -> None:
    for ablation in SHAM.values():
        assert min(residual_cues()[ablation].values()) >= 0.75
