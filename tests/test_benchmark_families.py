"""The synthetic worlds of ``benchmarks/families``: images carry the cues that their classes say, and no other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.families import figures, patterns
from benchmarks.families.figures import coverage, draw_figure, placed
from benchmarks.families.grid import grid
from benchmarks.families.looks import FamilyClass, Look
from benchmarks.families.patterns import Pattern, draw_pattern, paint
from benchmarks.families.single_cues import KINDS, SingleCueWorld
from benchmarks.families.world import FAMILIES, MOST_HUES, FamilyWorld, build_classes
from cuesense.planted.textures import PATTERNS
from cuesense.types import Cue, CueVerdict, Dataset

World = FamilyWorld | SingleCueWorld
WORLDS = [(family, seed) for family in FAMILIES for seed in (0, 1)]
CUES = (Cue.COLOR, Cue.SHAPE, Cue.TEXTURE)


class Recording(FamilyWorld):
    """A world that keeps what its images show instead of drawing them."""

    def shown(self) -> list[tuple[str, Look]]:
        found: list[tuple[str, Look]] = []

        def drawn(member: FamilyClass, look: Look, _: np.random.Generator) -> np.ndarray:
            found.append((member.name, look))
            return np.zeros((1, 1, 3), np.uint8)

        object.__setattr__(self, "drawn", drawn)
        for index in range(len(self)):
            _ = self[index]
        return found


def fixed(look: Look) -> set[Cue]:
    values = {Cue.COLOR: look.hue, Cue.SHAPE: look.figure, Cue.TEXTURE: look.pattern}
    return {cue for cue, value in values.items() if value is not None}


def pixels(world: World) -> np.ndarray:
    return np.stack([np.asarray(world[index].image) for index in range(len(world))])


def color_statistic(images: np.ndarray) -> np.ndarray:
    """Mean hue of the middle, weighted by how colored it is."""
    side = images.shape[1]
    middle = images[:, side // 4 : -side // 4, side // 4 : -side // 4].astype(float)
    chroma = middle - middle.mean(axis=3, keepdims=True)
    mean = chroma.mean(axis=(1, 2))
    return mean / (np.linalg.norm(mean, axis=1, keepdims=True) + 1e-6)


def shape_statistic(images: np.ndarray) -> np.ndarray:
    """Where pixels differ from the border, blurred."""
    whole = images.astype(float)
    border = np.median(whole[:, :3].reshape(len(images), -1, 3), axis=1)[:, None, None]
    unlike = np.linalg.norm(whole - border, axis=3)
    unlike /= unlike.mean(axis=(1, 2), keepdims=True)
    blocks = unlike.reshape(len(images), 12, unlike.shape[1] // 12, 12, -1).mean(axis=(2, 4))
    return blocks.reshape(len(images), -1)


def texture_statistic(images: np.ndarray) -> np.ndarray:
    """Spectrum of the middle by period, whatever its contrast."""
    side = images.shape[1] // 2
    middle = np.log(images[:, side // 2 : -side // 2, side // 2 : -side // 2].mean(axis=3) + 10)
    window = np.hanning(side + 2)[1:-1]
    power = np.abs(np.fft.rfft2((middle - middle.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window)) ** 2
    bins = (3 * np.log2(np.maximum(grid(side).cycles, 1))).astype(int).ravel()
    kept = np.unique(bins)[1:]
    found = np.log([np.bincount(bins, one.ravel())[kept] + 0.01 for one in power])
    return found - found.mean(axis=1, keepdims=True)


def told_apart(seen: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> float:
    """Share of images that are nearest to the mean of their own class; means of the even images, asked of the odd."""
    spread = seen.std(axis=0) + 1e-6
    means = np.stack([seen[::2][labels[::2] == label].mean(axis=0) for label in range(labels.max() + 1)])
    distance = (((asked[1::2, None] - means) / spread) ** 2).sum(axis=2)
    return float((distance.argmin(axis=1) == labels[1::2]).mean())


@pytest.mark.parametrize(("family", "seed"), WORLDS)
def test_an_image_depends_on_its_world_and_id_alone(family: str, seed: int) -> None:
    world = FamilyWorld(family, seed, 48, images_per_class=2, counts={"redundant": 2, "context": 2})
    first = pixels(world)
    assert isinstance(world, Dataset)
    assert first.dtype == np.uint8
    assert first.shape == (len(world), 48, 48, 3)
    build_classes.cache_clear()
    more = replace(world, images_per_class=3)
    kept = [more.sample_ids.index(name) for name in world.sample_ids]
    assert np.array_equal(first, pixels(more)[kept])
    for other in (replace(world, split="train"), replace(world, seed=seed + 2)):
        assert not any(np.array_equal(one, two) for one, two in zip(first, pixels(other), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_single_cues_depend_on_their_world_and_id_alone(kind: str) -> None:
    world = SingleCueWorld(kind, 3, 48, images_per_class=2, number=3)
    assert np.array_equal(pixels(world), pixels(replace(world)))
    assert not np.array_equal(pixels(world), pixels(replace(world, split="train")))
    assert world.truth == (CueVerdict(KINDS[kind].value),) * 3
    assert world.labels == (0, 0, 1, 1, 2, 2)


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_show_the_cues_of_their_class_and_no_other(split: str) -> None:
    world = Recording("parts", 2, split=split, images_per_class=40)
    carriers = {member.name: set(member.carriers) for member in world.classes}
    shown = [(name, fixed(look)) for name, look in world.shown()]
    assert all(cues == carriers[name] for name, cues in shown if not name.startswith("redundant"))
    redundant = [(carriers[name], cues) for name, cues in shown if name.startswith("redundant")]
    assert all(cues <= every for every, cues in redundant)
    together = np.mean([cues == every for every, cues in redundant])
    alone = np.mean([len(cues) == 1 for _, cues in redundant])
    assert (together, alone) == ((1, 0) if split == "test" else (pytest.approx(0.2, abs=0.08), 1 - together))


@pytest.mark.parametrize("gone", CUES)
def test_redrawn_cues_are_fixed_in_no_image(gone: Cue) -> None:
    world = Recording("fields", 1, images_per_class=3, redrawn=(gone,))
    carriers = {member.name: set(member.carriers) for member in world.classes}
    assert all(fixed(look) == carriers[name] - {gone} for name, look in world.shown())


def test_no_value_of_one_cue_tells_two_exclusive_classes_apart() -> None:
    world = Recording("fields", 1, images_per_class=400, counts={"exclusive": 2})
    assert world.truth == (CueVerdict.MIXED, CueVerdict.MIXED)
    shown = world.shown()
    pairs = {name: {look for one, look in shown if one == name} for name in world.class_names}
    first, second = pairs.values()
    assert len(first) == len(second) == 2
    assert not first & second
    for cue in world.classes[0].carriers:
        counted = Counter((name, look.only([cue])) for name, look in shown)
        assert len(counted) == 4
        assert all(150 < count < 250 for count in counted.values())


@pytest.mark.parametrize(("family", "seed"), WORLDS)
@pytest.mark.parametrize(
    ("cue", "statistic"),
    [(Cue.COLOR, color_statistic), (Cue.SHAPE, shape_statistic), (Cue.TEXTURE, texture_statistic)],
)
def test_a_cue_tells_classes_apart_until_it_is_redrawn(family: str, seed: int, cue: Cue, statistic) -> None:
    world = FamilyWorld(family, seed, 48, images_per_class=40, counts={cue.value: 3})
    labels = np.array(world.labels)
    seen = statistic(pixels(world))
    redrawn = statistic(pixels(replace(world, redrawn=(cue,))))
    kept = told_apart(seen, labels, seen)
    assert kept > 0.55, "chance is 0.33"
    assert told_apart(seen, labels, redrawn) < min(0.5, kept - 0.2)


@pytest.mark.parametrize(("kind", "cue"), KINDS.items())
@pytest.mark.parametrize("seed", [0, 1])
def test_single_cue_images_carry_their_cue_and_no_color_unless_it_is_color(kind: str, cue: Cue, seed: int) -> None:
    world = SingleCueWorld(kind, seed, 48, images_per_class=30, number=3)
    images, labels = pixels(world), np.array(world.labels)
    colored = np.ptp(images, axis=3).max()
    assert colored > 0 if cue is Cue.COLOR else colored == 0
    statistic = {Cue.COLOR: color_statistic, Cue.SHAPE: shape_statistic, Cue.TEXTURE: texture_statistic}[cue]
    seen = statistic(images)
    redrawn = statistic(pixels(replace(world, redrawn=(cue,))))
    assert told_apart(seen, labels, seen) > 0.5
    assert told_apart(seen, labels, redrawn) < 0.55


def test_a_flat_image_has_one_color_and_a_silhouette_two_grays() -> None:
    flat = pixels(SingleCueWorld("flat", 0, 48, images_per_class=3)).astype(float)
    assert flat.std(axis=(1, 2)).max() < 8
    dark_or_light = pixels(SingleCueWorld("silhouettes", 1, 48, images_per_class=5))[..., 0]
    ground = np.median(dark_or_light[:, :2].reshape(len(dark_or_light), -1), axis=1)
    assert 0.2 < (ground < 128).mean() < 0.8
    between = (dark_or_light > 95) & (dark_or_light < 160)
    assert between.mean() < 0.08, "edges only"


def test_a_line_drawing_is_mostly_ground() -> None:
    drawn = pixels(SingleCueWorld("lines", 0, 64, images_per_class=5))[..., 0].astype(float)
    ground = np.median(drawn, axis=(1, 2), keepdims=True)
    inked = (np.abs(drawn - ground) > 60).mean(axis=(1, 2))
    assert inked.min() > 0.01
    assert inked.max() < 0.35


@pytest.mark.parametrize(("family", "seed"), WORLDS)
def test_outlines_fill_the_frame_without_leaving_it(family: str, seed: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        cover = coverage(placed(draw_figure(rng, family, seed), 64, (0, 0, 0, 1, 1)), 1)
        assert cover[[0, -1]].max() == 0
        assert cover[:, [0, -1]].max() == 0
        assert 0.02 < cover.mean() < 0.5


@pytest.mark.parametrize("kind", [kind for kinds in patterns.KINDS.values() for kind in kinds])
@pytest.mark.parametrize("size", [32, 64])
def test_a_pattern_varies_within_its_range(kind: str, size: int) -> None:
    rng = np.random.default_rng(0)
    for form in ((0, 0), (0.5, 0.5), (1, 1), (0, 1), (1, 0)):
        drawn = paint(Pattern(kind, 0.14, None, form), size, rng)
        assert drawn.shape == (size, size)
        assert np.abs(drawn).max() <= 1
        assert drawn.std() > 0.2, form


@pytest.mark.parametrize("size", [32, 64, 224])
def test_no_pattern_is_finer_than_pixels_can_show(size: int) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_pattern(rng, family, seed, size).period for family, seed in WORLDS for _ in range(50)]
    assert min(drawn) * size >= 3.6
    assert min(drawn) >= 0.03
    assert max(drawn) <= 0.3


def test_families_and_parities_share_no_kind_of_outline_or_pattern() -> None:
    for table in (figures.KINDS, patterns.KINDS):
        every = [kind for kinds in table.values() for kind in kinds]
        assert len(every) == len(set(every))
    assert not {kind for kinds in patterns.KINDS.values() for kind in kinds} & {
        p for ps in PATTERNS.values() for p in ps
    }


@pytest.mark.parametrize(
    ("counts", "classes"),
    [
        ({"color": 1, "shape": 1}, 2),
        ({"exclusive": 2, "context": 1}, 3),
        ({"mixed": 4}, 4),
        ({"redundant": 5}, 5),
        ({"color": 6, "shape": 26, "texture": 20, "redundant": 16, "mixed": 24, "exclusive": 4, "context": 4}, 100),
    ],
)
def test_worlds_have_two_to_a_hundred_classes_and_no_value_twice(counts: dict[str, int], classes: int) -> None:
    world = FamilyWorld("parts", 1, counts=counts, images_per_class=1)
    assert len(set(world.class_names)) == len(world.class_names) == len(world) == classes
    looks = {look for member in world.classes for look in member.looks}
    groups = Counter(kind.split("-")[0] for kind in world.class_names)
    for name in ("hue", "figure", "pattern"):
        used = Counter(getattr(look, name) for look in looks if getattr(look, name) is not None)
        assert set(used.values()) <= ({1, 2} if groups["mixed"] or groups["exclusive"] else {1})
        assert name != "hue" or len(used) <= MOST_HUES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"family": "waves"}, "family"),
        ({"counts": {"null": 2}}, "'null'"),
        ({"counts": {"mixed": 3}}, "a multiple of 4"),
        ({"counts": {"exclusive": 1}}, "a multiple of 2"),
        ({"counts": {"color": 0}}, "got none"),
    ],
)
def test_what_cannot_be_drawn_is_said(options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FamilyWorld(**options)


def test_more_colors_than_hues_are_refused() -> None:
    assert len(FamilyWorld(counts={"color": MOST_HUES}).classes) == MOST_HUES
    with pytest.raises(ValueError, match="at most 12"):
        _ = FamilyWorld(counts={"color": MOST_HUES + 1}).classes


def test_kinds_and_numbers_of_single_cue_worlds_are_checked() -> None:
    with pytest.raises(ValueError, match="silhouettes"):
        SingleCueWorld("photographs")
    with pytest.raises(ValueError, match="one class or more"):
        SingleCueWorld("flat", number=0)
