"""Adaptive analyses: fewer forward passes, the full run's answers where nothing is left out, the same after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from cuesense.adaptive import answers, budgets, cues
from cuesense.config import Config, load_config
from cuesense.datasets.subset import subset
from cuesense.errors import CuesenseWarning, SettingsError
from cuesense.inference import units
from cuesense.schemas.profile import Profile
from cuesense.workflows import adaptive as room
from cuesense.workflows.analyze import analyze as run_analysis
from cuesense.workflows.score import score
from tests.helpers.small_networks import Colors, Meanest, classifier, picture

# Ablations of color and texture, and two augmentations: what Meanest loses and what it keeps is plain.
NAMES = ("grayscale", "hue_rotation", "patch_shuffle", "gaussian_blur", "color_jitter", "random_resized_crop")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 40)
    for module in (answers, budgets, cues):
        monkeypatch.setattr(module, "SIMULATED_RUNS", 10)


def config() -> Config:
    quick = load_config("quick")
    return replace(quick, perturbations=tuple(entry for entry in quick.perturbations if entry.name in NAMES))


def analyze(dataset: Any = None, network: nn.Module | None = None, **changes: Any) -> Profile:
    options = {"config": config(), "batch_size": 16, "adaptive": True, "progress": False} | changes
    return run_analysis(classifier(network), dataset or Colors(300), **options)


class Counting(Meanest):
    seen = 0

    def forward(self, images):  # type: ignore[no-untyped-def]
        Counting.seen += len(images)
        return super().forward(images)


def content(profile: Profile) -> dict[str, Any]:
    found = profile.model_dump(mode="json")
    found["provenance"].pop("created")
    return found


def test_settled_answers_are_not_looked_at_again_and_are_those_of_all_images() -> None:
    found, whole = analyze(), analyze(adaptive=False)
    known = found.provenance.adaptive
    assert known is not None
    assert known.of == 300 * len(config().conditions())
    assert known.forward_passes < 0.6 * known.of
    assert known.looks >= 1
    assert [entry.cue for entry in found.classes] == [entry.cue for entry in whole.classes]
    pairs = zip(found.classes, whole.classes, strict=True)
    agree = [one.budgets[name].value == other.budgets[name].value for one, other in pairs for name in one.budgets]
    assert np.mean(agree) >= 0.8
    # Every curve says how many images it rests on, and all of them together are what was looked at.
    seen = [curve.images.sum() * curve.repeats for curve in found.curves]
    assert sum(seen) + 300 == known.forward_passes
    assert any(curve.seen is not None for curve in found.curves)
    assert all(curve.seen is None for curve in whole.curves)
    assert whole.provenance.adaptive is None


def test_only_what_is_said_is_computed(tmp_path: Path) -> None:
    def forwards(**changes: Any) -> tuple[int, Profile]:
        Counting.seen = 0
        found = analyze(Colors(120), Counting(), output=tmp_path / "o", batch_size=1, **changes)
        return Counting.seen, found

    first, profile = forwards()
    again, _ = forwards()
    known = profile.provenance.adaptive
    assert known is not None
    # What is tried before an analysis is the same in both.
    assert first - again == known.forward_passes
    # A full run afterwards computes what is left.
    full, whole = forwards(adaptive=False)
    assert full - again == known.of - known.forward_passes
    assert content(whole) == content(analyze(Colors(120), adaptive=False, batch_size=1))
    # And an adaptive one after it has the answers that it had before.
    assert content(forwards()[1]) == content(profile)


def test_with_all_images_looked_at_the_answers_are_those_of_a_full_run() -> None:
    few = subset(Colors(300), 10)
    found, whole = content(analyze(few)), content(analyze(few, adaptive=False))
    of = 30 * len(config().conditions())
    assert found["provenance"].pop("adaptive") == {"forward_passes": of, "of": of, "looks": 1}
    assert whole["provenance"].pop("adaptive") is None
    assert found == whole


def test_a_run_that_was_stopped_ends_in_the_same_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = content(analyze(Colors(150)))
    looks: list[int] = []
    decide = room.next_plan

    def stop(*given: Any) -> Any:
        looks.append(1)
        if len(looks) == 2:
            raise KeyboardInterrupt
        return decide(*given)

    monkeypatch.setattr(room, "next_plan", stop)
    with pytest.raises(KeyboardInterrupt):
        analyze(Colors(150), output=tmp_path / "o")
    assert content(analyze(Colors(150), output=tmp_path / "o")) == plain


def test_the_order_of_the_images_does_not_matter() -> None:
    class Turned(Colors):
        @property
        def sample_ids(self) -> list[str]:
            return super().sample_ids[::-1]

    one, other = content(analyze(Colors(90))), content(analyze(Turned(90)))
    for found in (one, other):
        found["provenance"]["dataset"].pop("fingerprint")
    assert one == other


@pytest.mark.parametrize("seed", [-1, 2**70])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert analyze(Colors(60), seed=seed).provenance.seed == seed


def test_copies_and_images_that_cannot_be_read_count_for_nothing() -> None:
    class Copies(Colors):
        def __getitem__(self, index: int):  # type: ignore[no-untyped-def]
            sample = super().__getitem__(index)
            first = sample.label
            return replace(sample, image=picture(first, first)) if int(sample.id) < 30 else sample

    with pytest.warns(CuesenseWarning, match="27 of 299 images are copies"):
        found = analyze(Copies(300, frozenset({5})))
    assert sum(entry.images for entry in found.classes) == 272
    known = found.provenance.adaptive
    assert known is not None
    images = sum(entry.images for entry in found.classes)
    assert known.of == images * len(config().conditions())
    assert sum(curve.images.sum() * curve.repeats for curve in found.curves) + images == known.forward_passes


def test_scoring_its_table_again_gives_its_answers(tmp_path: Path) -> None:
    found = analyze(output=tmp_path / "o")
    again = score(tmp_path / "o" / "predictions.parquet", output=tmp_path / "again")
    curves = {curve.perturbation: curve for curve in again.curves}
    assert len(curves) == len(found.curves)
    for one in found.curves:
        other = curves[one.perturbation]
        assert one.seen == other.seen
        assert one.lost == other.lost
    for entry, other_entry in zip(found.classes, again.classes, strict=True):
        assert entry.cue == other_entry.cue
        assert entry.budgets == other_entry.budgets


@pytest.mark.parametrize("other", [{"part": "1/2"}, {"engine": "ray"}])
def test_is_refused_where_several_processes_would_have_to_decide(other: dict[str, str], tmp_path: Path) -> None:
    if "engine" in other:
        pytest.importorskip("ray")
    with pytest.raises(
        SettingsError,
        match=r"Expected adaptive to be used in one process .*, but got (part 1 of 2|engine ray)",
    ):
        analyze(output=tmp_path / "o", **other)
    assert not (tmp_path / "o").exists()
