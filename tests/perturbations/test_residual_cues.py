"""The manipulation check: what a decoder still reads of each cue, and whether doses do what they say."""

import pytest

from cuesense import registry
from cuesense.perturbations.ablations import ALONE, CUES, DECISIVE, DESTROYED, SECOND, SHAM
from cuesense.perturbations.residual_cues import readable


def test_every_dose_of_every_ladder_was_checked() -> None:
    every = {
        (p.name, v)
        for p in (registry.get("perturbations", n) for n in registry.names("perturbations"))
        for v in p.ladder
    }
    assert set(readable()) == every
    assert all(0 <= share <= 1 for shares in readable().values() for share in shares.values())


@pytest.mark.parametrize("cue", CUES)
def test_decisive_doses_remove_their_cue_more_than_the_others(cue) -> None:
    for dose in (DECISIVE[cue], SECOND[cue]):
        left = readable()[dose]
        assert left[cue] == min(left.values())
        assert left[cue] <= 0.6


@pytest.mark.parametrize("cue", CUES)
def test_pairs_leave_one_cue(cue) -> None:
    left = readable()[ALONE[cue]]
    assert left[cue] == max(left.values())
    assert readable()[DESTROYED][cue] <= 0.35


def test_shams_leave_everything() -> None:
    for dose in SHAM.values():
        assert min(readable()[dose].values()) >= 0.75
