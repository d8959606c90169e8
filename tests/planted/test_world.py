"""The world as a dataset: names, order, determinism, disjoint splits, and errors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense import registry
from cuesense.errors import DatasetError
from cuesense.planted.world import PlantedWorld, class_cues, load
from cuesense.types import CueLabel, Dataset

seeds = st.integers(0, 2**64)


def test_it_is_a_dataset_with_aligned_names_truth_and_ids():
    world = PlantedWorld(seed=5, split="train", images_per_class=3)
    assert isinstance(world, Dataset)
    assert world.spec == "planted:5"
    assert len(world) == len(world.sample_ids) == len(world.labels) == 36
    assert world.sample_ids[:4] == (
        "split-train/color-0/0000",
        "split-train/color-0/0001",
        "split-train/color-0/0002",
        "split-train/color-1/0000",
    )
    assert len(set(world.sample_ids)) == 36
    for sample_id, label in zip(world.sample_ids, world.labels, strict=True):
        assert sample_id.split("/")[1] == world.class_names[label]


def test_truth_is_four_classes_of_each_cue_and_agrees_with_what_is_fixed():
    world = PlantedWorld()
    assert [world.truth.count(cue) for cue in (CueLabel.COLOR, CueLabel.SHAPE, CueLabel.TEXTURE)] == [4, 4, 4]
    for name, truth in zip(world.class_names, world.truth, strict=True):
        cues = class_cues(0)[name]
        fixed = {CueLabel.COLOR: cues.hue, CueLabel.SHAPE: cues.outline, CueLabel.TEXTURE: cues.texture}
        assert [cue for cue, value in fixed.items() if value is not None] == [truth]


@given(st.integers(1, 9))
def test_classes_are_balanced(images_per_class):
    labels = PlantedWorld(images_per_class=images_per_class).labels
    assert np.bincount(labels).tolist() == [images_per_class] * 12


@settings(max_examples=20)
@given(seeds, st.sampled_from(("train", "test")), st.integers(0, 35))
def test_an_image_depends_on_seed_and_id_alone(seed, split, index):
    few = PlantedWorld(seed=seed, split=split, images_per_class=3)
    many = PlantedWorld(seed=seed, split=split, images_per_class=50)
    state = np.random.get_state()[1].copy()
    one = few[index]
    other = many[many.sample_ids.index(one.id)]
    assert (one.id, one.label) == (other.id, other.label) == (few.sample_ids[index], few.labels[index])
    assert one.image.dtype == np.uint8
    assert one.image.shape == (64, 64, 3)
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(state, np.random.get_state()[1])


def test_threads_see_the_same_images():
    world = PlantedWorld(images_per_class=4)
    expected = [world[index].image for index in range(len(world))]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda index: world[index].image, reversed(range(len(world)))))
    assert all(np.array_equal(one, other) for one, other in zip(expected, reversed(found), strict=True))


def test_no_image_is_repeated_within_or_across_splits_and_seeds():
    worlds = [PlantedWorld(seed, split, images_per_class=4) for seed in (0, 1) for split in ("train", "test")]
    images = {world[index].image.tobytes() for world in worlds for index in range(len(world))}
    ids = {sample_id for world in worlds[:2] for sample_id in world.sample_ids}
    assert len(images) == 4 * 48
    assert len(ids) == 2 * 48


def test_splits_show_the_same_classes():
    train, test = PlantedWorld(split="train"), PlantedWorld(split="test")
    assert train.class_names == test.class_names
    assert train.truth == test.truth


@settings(max_examples=20)
@given(seeds)
def test_the_classes_of_a_world_are_far_apart(seed):
    cues = class_cues(seed).values()
    hues = np.sort([c.hue for c in cues if c.hue is not None])
    assert np.diff(hues, append=hues[0] + 1) == pytest.approx(0.25)
    assert all(0 <= hue < 1 for hue in hues)
    textures = [c.texture for c in cues if c.texture]
    assert sorted(texture.directions for texture in textures) == [0, 1, 2, 3]
    assert min(np.diff(sorted(texture.period for texture in textures))) > 0.008
    turns = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    outlines = [c.outline.radius(turns) for c in cues if c.outline]
    gaps = [
        min(np.sqrt(np.mean((one - np.roll(other, turn)) ** 2)) for turn in range(180))
        for number, one in enumerate(outlines)
        for other in outlines[:number]
    ]
    assert min(gaps) > 0.05


@given(seeds, seeds)
@settings(max_examples=20)
def test_two_seeds_share_no_class(one, other):
    shared = set(class_cues(one).values()) & set(class_cues(other).values())
    assert bool(shared) == (one == other)


def test_the_fingerprint_tells_worlds_apart():
    worlds = [
        PlantedWorld(),
        PlantedWorld(seed=1),
        PlantedWorld(split="train"),
        PlantedWorld(size=96),
        PlantedWorld(images_per_class=61),
    ]
    assert len({world.fingerprint for world in worlds}) == 5
    assert PlantedWorld().fingerprint == PlantedWorld(seed=0, split="test").fingerprint
    int(worlds[0].fingerprint, 16)


def test_the_size_is_that_of_the_images():
    assert PlantedWorld(images_per_class=1, size=33)[0].image.shape == (33, 33, 3)


@pytest.mark.parametrize(("argument", "seed"), [("", 0), ("0", 0), ("17", 17)])
def test_load_reads_the_seed(argument, seed, tmp_path):
    assert load(argument) == load(argument, data_root=tmp_path) == PlantedWorld(seed=seed)
    assert registry.get("datasets", "planted") is load


@pytest.mark.parametrize("argument", ["x", "1.5", "-1", "0:1", " "])
def test_load_teaches_what_a_seed_is(argument):
    with pytest.raises(DatasetError, match=r"^Expected .*seed.* to be a whole number from 0, but got .*\.$"):
        load(argument)


@pytest.mark.parametrize(
    "wrong",
    [{"seed": -1}, {"split": "val"}, {"images_per_class": 0}, {"size": 31}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_world_that_cannot_be_is_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(DatasetError, match=rf"^Expected the planted world's {name} to be .*, but got {value}\. "):
        PlantedWorld(**{name: value})


def test_an_index_out_of_range_is_an_index_error():
    with pytest.raises(IndexError):
        PlantedWorld(images_per_class=1)[12]
