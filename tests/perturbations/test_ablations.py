"""Ablations of cue verdicts: each stands on a ladder, suppresses its cue, and is found in what a run measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cuesense import registry
from cuesense.perturbations.ablations import (
    ALL_REMOVED,
    CUES,
    EVERY_ABLATION,
    PRIMARY_ABLATION,
    REPLICATE_ABLATION,
    SHAM,
    SINGLE_CUE,
    TILED,
    Ablation,
    measured,
)
from cuesense.types import Cue, Perturbation, Role


def entry(name: str) -> Perturbation:
    found: Perturbation = registry.get("perturbations", name)
    return found


ALL = [entry(name) for name in registry.names("perturbations")]


@pytest.mark.parametrize("cue", CUES)
def test_ablations_suppress_their_cue_alone_by_two_mechanisms(cue: Cue) -> None:
    primary, replicate = PRIMARY_ABLATION[cue], REPLICATE_ABLATION[cue]
    assert entry(primary.perturbation).suppresses == entry(replicate.perturbation).suppresses == (cue,)
    assert primary.perturbation != replicate.perturbation


@pytest.mark.parametrize("cue", CUES)
def test_a_single_cue_is_left_by_suppressing_the_others_and_a_sham_suppresses_none(cue: Cue) -> None:
    assert set(entry(SINGLE_CUE[cue].perturbation).suppresses) == set(CUES) - {cue}
    assert entry(SHAM[cue].perturbation).role is Role.CONTROL
    assert set(entry(ALL_REMOVED.perturbation).suppresses) == set(CUES)


def test_every_ablation_is_measured_by_the_default_ladders() -> None:
    found = measured(ALL)
    assert found.keys() == {*EVERY_ABLATION, *SHAM.values()}
    for ablation, severity in found.items():
        assert entry(ablation.perturbation).ladder[severity - 1] == ablation.value


def test_a_run_that_measured_less_lacks_what_it_did_not_measure() -> None:
    grays = replace(entry("grayscale"), ladder=(0.5, 0.75))
    shuffles = replace(entry("patch_shuffle"), ladder=(3.0, 5.0))
    assert measured([grays, shuffles]) == {Ablation("patch_shuffle", 3.0): 1}
    assert measured([]) == {}


def test_a_severity_is_that_of_the_runs_own_ladder() -> None:
    finer = replace(entry("opening_closing"), ladder=(0.01, 0.02, 0.03, 0.07, 0.2))
    assert measured([finer]) == {PRIMARY_ABLATION[Cue.TEXTURE]: 4}


def test_only_ablations_that_cut_tiles_are_tiled() -> None:
    assert {ablation for ablation in EVERY_ABLATION if "patch" in ablation.perturbation} - TILED == {ALL_REMOVED}
    assert all("patch" in ablation.perturbation for ablation in TILED)
