"""The predictions of ``benchmarks/scale.py``: whole shards of classes that lose what their cues say, and all files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import memory, scale
from cuesense.predictions.shards import SHARD_SIZE
from cuesense.schemas.profile import Profile
from cuesense.workflows.score import score

WORLD = scale.World(40, 8, scale.configuration(30))


def test_configurations_have_at_most_as_many_conditions() -> None:
    assert len(scale.configuration(90).conditions()) == 90
    assert 2 < len(WORLD.config.conditions()) <= 30


@pytest.mark.parametrize("classes", [2, 40, 200])
def test_images_have_distinct_likely_classes_of_which_the_first_is_predicted(classes: int) -> None:
    world = scale.World(classes, 8, WORLD.config)
    kept = world.kept()
    shards = [world.shard(number, kept) for number in range(world.shards)]
    assert np.concatenate([shard.images for shard in shards]).tolist() == list(range(8 * classes))
    assert max(len(shard.images) for shard in shards) <= SHARD_SIZE
    for shard in shards:
        assert np.array_equal(shard.outputs[..., 0], shard.predicted)
        assert (np.diff(np.sort(shard.outputs, axis=2), axis=2) > 0).all()
        assert (np.diff(shard.scores, axis=2) <= 0).all()
        np.testing.assert_allclose(np.exp(shard.scores).sum(axis=2), 1, rtol=1e-5)
        labels = world.wanted.labels[shard.images]
        assert ((shard.margin > 0) == (shard.predicted == labels)).all()


def test_classes_lose_what_was_planted() -> None:
    world = scale.World(40, 50, WORLD.config)
    kept = world.kept()
    shards = [world.shard(number, kept) for number in range(world.shards)]
    right = np.concatenate([shard.predicted == world.wanted.labels[shard.images] for shard in shards], axis=1)
    share = right.reshape(len(kept), world.classes, world.images).mean(axis=2)
    assert 0.5 < share[0].mean() < 0.8
    assert np.corrcoef((share / share[0])[1:].ravel(), kept[1:].ravel())[0, 1] > 0.8


def test_the_whole_way_from_shards_to_files_and_back_from_the_table(tmp_path: Path) -> None:
    scale.write(WORLD, tmp_path / "outcomes")
    stages = scale.analysis(WORLD, tmp_path / "outcomes", tmp_path / "analyzed")
    assert list(stages) == ["open the shards", "read and correct", "cues and budgets", "profile", "page and files"]
    found, again = Profile.read(tmp_path / "analyzed"), score(tmp_path / "analyzed" / scale.PREDICTIONS)
    assert [entry.cue for entry in found.classes] == [entry.cue for entry in again.classes]
    # A table has its perturbations in the order of their names.
    assert sorted(found.curves, key=lambda curve: curve.perturbation) == again.curves
    assert (tmp_path / "analyzed" / "report.html").is_file()


def test_made_images_are_the_same_each_time_and_recognized() -> None:
    images = memory.MadeImages(12, 3)
    assert all(np.array_equal(images[index][0], images[index][0]) for index in range(len(images)))
    pixels = np.stack([images[index][0] for index in range(len(images))])
    logits = memory.Nearest(images.colors)(memory.torch.tensor(pixels).permute(0, 3, 1, 2) / 255)
    assert logits.argmax(1).tolist() == images.targets
