"""The world as a dataset: names, order, determinism, disjoint splits, and errors."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense import registry
from cuesense.errors import DatasetError
from cuesense.planted.classes import COUNTS
from cuesense.planted.world import PlantedWorld, load
from cuesense.types import Cue, Dataset

seeds = st.integers(0, 2**64)
FIELDS = {
    Cue.COLOR: ("hue", "ground_hue"),
    Cue.SHAPE: ("outline",),
    Cue.TEXTURE: ("texture", "ground_texture"),
}


def test_it_is_a_dataset_with_aligned_names_truth_and_ids():
    world = PlantedWorld(seed=5, split="train", images_per_class=3)
    assert isinstance(world, Dataset)
    assert world.spec == "planted:5,split=train,images=3"
    assert len(world) == len(world.sample_ids) == len(world.labels) == 63
    assert world.sample_ids[:4] == (
        "split-train/color-0/0000",
        "split-train/color-0/0001",
        "split-train/color-0/0002",
        "split-train/color-1/0000",
    )
    assert len(set(world.sample_ids)) == 63
    for sample_id, label in zip(world.sample_ids, world.labels, strict=True):
        assert sample_id.split("/")[1] == world.class_names[label]


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_agrees_with_what_is_fixed(seed):
    world = PlantedWorld(seed=seed)
    assert Counter(name.split("-")[0] for name in world.class_names) == COUNTS
    for member in world.classes:
        fixed = {cue for cue, names in FIELDS.items() if any(getattr(member.cues, name) is not None for name in names)}
        assert fixed == set(member.carriers)
        kind = member.name.split("-")[0]
        if kind == "context":
            assert member.truth == member.carriers[0].value
            assert member.cues.hue is member.cues.outline is member.cues.texture is None
        else:
            assert member.truth == {"null": "undetermined"}.get(kind, kind)


@pytest.mark.parametrize("seed", range(6))
def test_no_cue_is_used_twice_but_in_combinations_and_null_pairs(seed):
    members = PlantedWorld(seed=seed).classes
    alone = [m.cues for m in members if not m.name.startswith(("mixed", "null"))]
    for field in ("hue", "outline", "texture"):
        values = [getattr(cues, field) for cues in alone if getattr(cues, field) is not None]
        assert len(values) == len(set(values))
    quad = [m.cues for m in members if m.name.startswith("mixed")]
    values = {cues: (cues.hue, cues.outline, cues.texture) for cues in quad}
    assert len(values) == 4
    assert sorted(len(set(column)) for column in zip(*values.values(), strict=True)) == [1, 2, 2]
    one, other = (m.cues for m in members if m.name.startswith("null"))
    assert one == other


def test_worlds_share_no_cue():
    worlds = [PlantedWorld(seed=seed) for seed in range(4)]
    found = [{m.cues.outline for m in world.classes if m.cues.outline} for world in worlds]
    assert len(set().union(*found)) == sum(map(len, found))
    patterns = [{m.cues.texture.pattern for m in world.classes if m.cues.texture} for world in worlds]
    assert not patterns[0] & patterns[1]


@given(st.integers(1, 9))
def test_classes_are_balanced(images_per_class):
    labels = PlantedWorld(images_per_class=images_per_class).labels
    assert np.bincount(labels).tolist() == [images_per_class] * 21


def test_a_long_tail_falls_to_a_fifth():
    counts = sorted(np.bincount(PlantedWorld(images_per_class=100, long_tailed=True).labels).tolist())
    assert counts[0] == 20
    assert counts[-1] == 100
    ratios = np.array(counts[1:]) / counts[:-1]
    assert ratios.max() < 1.15
    assert ratios.min() >= 1


@pytest.mark.parametrize("cue", [Cue.COLOR, Cue.SHAPE, Cue.TEXTURE])
def test_a_redrawn_cue_is_gone_and_the_others_stay(cue):
    world = PlantedWorld(seed=0, redrawn=(cue,))
    rng = np.random.default_rng(0)
    for member in world.classes:
        shown = world._shown(member, rng)
        for other, names in FIELDS.items():
            for name in names:
                assert getattr(shown, name) == (None if other == cue else getattr(member.cues, name))
    assert world.fingerprint != PlantedWorld(seed=0).fingerprint


def test_four_of_five_redundant_training_images_keep_one_of_their_cues():
    world, rng = PlantedWorld(seed=0, split="train"), np.random.default_rng(0)
    triple = next(m for m in world.classes if len(m.carriers) == 3)
    shown = [world._shown(triple, rng) for _ in range(200)]
    kept = Counter(tuple(value is not None for value in (s.hue, s.outline, s.texture)) for s in shown)
    together = kept.pop((True, True, True))
    assert 20 <= together <= 60
    assert set(map(sum, kept)) == {1}
    assert len(kept) == 3
    assert PlantedWorld(seed=0)._shown(triple, rng) == triple.cues


@pytest.mark.parametrize(
    "spec",
    ["planted:0", "planted:7,size=128,cluttered", "planted:3,split=train,long-tailed,color=0,mixed=8"],
)
def test_a_spec_makes_the_world_that_names_it(spec):
    assert load(spec.partition(":")[2]).spec == spec


def test_the_same_scene_at_every_size():
    one, other = (PlantedWorld(size=size, images_per_class=1) for size in (64, 128))
    halved = other[0].image.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - one[0].image).mean() < 6


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
    assert len(images) == 4 * 84
    assert len(ids) == 2 * 84


def test_splits_show_the_same_classes():
    train, test = PlantedWorld(split="train"), PlantedWorld(split="test")
    assert train.class_names == test.class_names
    assert train.truth == test.truth


@settings(max_examples=20)
@given(seeds)
def test_the_classes_of_a_world_are_far_apart(seed):
    cues = [member.cues for member in PlantedWorld(seed=seed).classes]
    hues = np.sort(list({hue for c in cues for hue in (c.hue, c.ground_hue) if hue is not None}))
    assert np.diff(hues, append=hues[0] + 1) == pytest.approx(1 / len(hues))
    assert all(0 <= hue < 1 for hue in hues)
    textures = {t for c in cues for t in (c.texture, c.ground_texture) if t}
    by_pattern = [sorted(t.period for t in textures if t.pattern == name) for name in {t.pattern for t in textures}]
    assert all(after / before > 1.25 for periods in by_pattern for before, after in pairwise(periods))
    outlines = [np.array(outline.radii) for outline in {c.outline for c in cues if c.outline}]
    likeness = [
        max(np.corrcoef(one, np.roll(other, turn))[0, 1] for turn in range(0, 256, 4))
        for number, one in enumerate(outlines)
        for other in outlines[:number]
    ]
    assert max(likeness) < 0.8


@given(seeds, seeds)
@settings(max_examples=20)
def test_two_seeds_share_no_class(one, other):
    first, second = ({member.cues for member in PlantedWorld(seed=seed).classes} for seed in (one, other))
    assert bool(first & second) == (one == other)


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
    with pytest.raises(DatasetError, match=r"^Expected .*seed.* to be a whole number.*, but got .*\.$"):
        load(argument)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("0,siz=3", "one of size, images, split"),
        ("0,size=big", "size to be a whole number"),
        ("0,size", "size to be a whole number"),
        ("0,cluttered=1", "one of size, images, split"),
        ("0,mixed=3", "multiple of 4"),
        ("0,null=1", "multiple of 2"),
        ("0,color=-1", "from 0 to 1000"),
        ("0,color=99999999999", "from 0 to 1000"),
        ("0,size=64,size=32", "given once, but got size twice"),
        ("0,color=30", "12 values of a cue"),
        ("0,color=0,shape=0,texture=0,redundant=0,mixed=0,context=0,null=0", "12 values of a cue"),
        ("0,split=val", "'train' or 'test'"),
    ],
)
def test_load_teaches_the_options(argument, said):
    with pytest.raises(DatasetError, match=said):
        load(argument)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"seed": value} for value in (-1, "7", 1.5, None)),
        *({"split": value} for value in ("val", None)),
        *({"images_per_class": value} for value in (0, 2.5, "5", 10**9, True)),
        *({"size": value} for value in (31, 64.0, 20_000)),
        *({"counts": value} for value in (None, [1])),
        *({"redrawn": value} for value in (None, ("x",), 1)),
    ],
    ids=str,
)
def test_a_world_that_cannot_be_is_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(
        DatasetError, match=rf"^Expected the planted world's {name} to be .*, but got {re.escape(repr(value))}\. "
    ):
        PlantedWorld(**{name: value})


def test_an_index_out_of_range_is_an_index_error():
    with pytest.raises(IndexError):
        PlantedWorld(images_per_class=1)[21]
