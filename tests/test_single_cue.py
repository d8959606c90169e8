"""The single-cue benchmark makes images that have one cue, and counts what the analysis answers on them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from benchmarks import networks, single_cue
from benchmarks.outside import pixels, single
from benchmarks.outside.battery import CHECKS, MANIPULATIONS
from benchmarks.outside.judge import judged, table, validity
from benchmarks.outside.kept import OUTSIDE, keep
from benchmarks.outside.networks import pad_like_tensorflow
from benchmarks.outside.photographs import View, made, of_folders, of_photographs, shown
from benchmarks.outside.single import SETS
from cuesense.analysis.hypotheses import CUES_LEFT
from cuesense.errors import DatasetError
from cuesense.perturbations.ablations import COLUMNS, EVERY_ABLATION, SHAM
from cuesense.types import Cue

SIDE = 48
NOISE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def disc(radius: float = SIDE / 4) -> tuple[np.ndarray, np.ndarray]:
    """Return a red disc on green noise, and where it is."""
    down, across = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    inside = np.hypot(down, across) < radius
    image = np.where(inside[..., None], (150, 20, 20), (60, 160, 70)) + random().integers(-3, 4, (SIDE, SIDE, 3))
    return image.astype(np.uint8), inside


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, color in (("blue", (30, 40, 220)), ("green", (30, 200, 40)), ("red", (220, 40, 30))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(4):
            image = np.clip(random(number).normal(color, 25, (40, 56, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(image).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("name", [*SETS, *MANIPULATIONS])
@pytest.mark.parametrize("side", [(48, 48), (40, 56)])
def test_every_maker_is_deterministic_and_keeps_the_size(name: str, side: tuple[int, int]) -> None:
    image = random(1).integers(0, 256, (*side, 3), dtype=np.uint8)
    before = image.copy()

    def result() -> np.ndarray:
        if name in SETS:
            return SETS[name].maker(image, random(2))
        return MANIPULATIONS[name](image, random(2), image[::-1])

    assert result().shape == image.shape
    assert result().dtype == np.uint8
    np.testing.assert_array_equal(result(), result())
    np.testing.assert_array_equal(image, before)


@given(st.integers(0, 2**24 - 1))
def test_colors_survive_the_way_to_lab_and_back(color: int) -> None:
    image = np.array([[[color >> 16, color >> 8 & 255, color & 255]]], dtype=np.uint8)
    assert np.abs(pixels.rgb(pixels.lab(image)).astype(int) - image).max() <= 1
    assert pixels.lightness(image)[0, 0] * 100 == pytest.approx(pixels.lab(image)[0, 0, 0], abs=0.01)


def test_lab_of_known_colors() -> None:
    found = pixels.lab(np.array([[[255, 0, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8))[0]
    np.testing.assert_allclose(found, [[53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [100, 0, 0]], atol=0.05)


@pytest.mark.parametrize("radius", [SIDE / 6, SIDE / 4, SIDE / 3])
def test_a_silhouette_is_the_object_at_the_size_of_all_silhouettes(radius: float) -> None:
    image, _ = disc(radius)
    mask = single.silhouette(image, random())[..., 0] < 128
    down, across = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    expected = np.hypot(down, across) < np.sqrt(0.22 / np.pi) * SIDE
    assert mask.mean() == pytest.approx(0.22, abs=0.03)
    assert (mask & expected).sum() / (mask | expected).sum() > 0.85


@pytest.mark.parametrize("name", ["lines", "edges"])
def test_drawings_follow_outlines_and_know_two_values_only(name: str) -> None:
    image, _ = disc()
    drawn = SETS[name].maker(image, random())[..., 0]
    down, across = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    outline = np.abs(np.hypot(down, across) - SIDE / 4) < 2
    ink = drawn < 128 if name == "lines" else drawn > 128
    assert len(np.unique(drawn)) == 2
    assert (ink & outline).sum() > (0.9 if name == "lines" else 0.3) * ink.sum()
    angles = np.round(np.arctan2(down, across)[ink & outline] / (np.pi / 8)).astype(int) % 16
    assert len(set(angles.tolist())) >= 14


def test_no_more_than_the_length_and_one_line_is_drawn() -> None:
    lines, strength = np.zeros((9, 9), dtype=bool), np.ones((9, 9), dtype=np.float32)
    lines[0], lines[4], lines[8, :5] = True, True, True
    strength[4] = 3
    kept = pixels.strongest_lines(lines, strength, 9)
    np.testing.assert_array_equal(kept.any(axis=1).nonzero()[0], [4])
    kept = pixels.strongest_lines(lines, strength, 10)
    np.testing.assert_array_equal(kept.any(axis=1).nonzero()[0], [0, 4])


@pytest.mark.parametrize("name", ["collage", "quilt", "phase"])
def test_textures_are_gray_of_one_mean_and_contrast_and_take_the_middle_alone(name: str) -> None:
    found = SETS[name].maker(NOISE, random())
    assert (found == found[..., :1]).all()
    assert found.mean() == pytest.approx(127.5, abs=8)
    assert found.std() == pytest.approx(51, abs=8)
    framed = NOISE.copy()
    framed[:8], framed[-8:], framed[:, :8], framed[:, -8:] = 0, 255, 255, 0
    np.testing.assert_array_equal(SETS[name].maker(framed, random()), found)


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=5))
def test_the_cut_of_a_quilt_is_the_cheapest_path(errors: list[list[int]]) -> None:
    error = np.array(errors, dtype=np.float32)
    path = single._left_of_cut(error).sum(axis=1)
    every = [p for p in product(range(3), repeat=len(error)) if all(abs(a - b) <= 1 for a, b in pairwise(p))]
    assert tuple(path.tolist()) in every
    cost = [float(sum(row[at] for row, at in zip(errors, p, strict=True))) for p in every]
    assert error[np.arange(len(error)), path].sum() == min(cost)


@pytest.mark.parametrize("name", ["flat", "palette", "pixels"])
def test_colors_have_lightness_that_tells_nothing(name: str) -> None:
    dark, light = ((NOISE // 4 + offset).astype(np.uint8) for offset in (40, 150))
    found = [np.sort(pixels.lightness(SETS[name].maker(image, random(3))), axis=None) for image in (dark, light)]
    assert np.abs(found[0].mean() - found[1].mean()) < 0.03


def test_shuffled_pixels_keep_every_color_and_no_place() -> None:
    colors = single.shuffled_pixels(disc()[0], random())
    red = pixels.lab(colors)[..., 1] > 20
    assert red.mean() == pytest.approx(disc()[1].mean(), abs=0.02)
    assert red[:, : SIDE // 2].mean() == pytest.approx(red[:, SIDE // 2 :].mean(), abs=0.08)


def test_a_palette_keeps_the_shares_of_its_colors() -> None:
    image = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    image[:, : SIDE // 4] = (250, 20, 20)
    colors, share = single.palette(image, 2, random())
    assert sorted(np.round(share, 2).tolist()) == pytest.approx([0.25, 0.75], abs=0.05)
    assert np.ptp(colors[:, 1]) > 50


def test_the_battery_leaves_what_it_is_to_leave() -> None:
    image, inside = disc()
    lightness = pixels.lightness(image)
    for name in ("one_tint", "other_hues", "colors_of_another"):
        changed = MANIPULATIONS[name](image, random(4), NOISE)
        assert np.abs(pixels.lightness(changed) - lightness).mean() < 0.06
        assert np.abs(pixels.lab(changed) - pixels.lab(image))[inside, 1:].mean() > 15
    known = {tuple(color) for color in image.reshape(-1, 3).tolist()}
    for name in ("voronoi", "collage_4", "collage_8"):
        changed = MANIPULATIONS[name](image, random(4), NOISE)
        assert {tuple(color) for color in changed.reshape(-1, 3).tolist()} <= known
        assert (changed != image).any(axis=2).mean() > 0.8
    flat = MANIPULATIONS["flattened"](image, random(4), NOISE)
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) <= 40
    assert np.abs(flat.astype(int) - image).mean() < 12
    ordered = CHECKS["any_order"](image, random(4), image)
    np.testing.assert_array_equal(np.sort(ordered, axis=None), np.sort(image, axis=None))


def test_photographs_are_split_and_views_differ(photos: Path) -> None:
    views = of_folders(photos, 6, 3)
    assert views.names == ("blue", "green", "red")
    assert len(views.train) == 18
    assert len(views.test) == 12
    assert not {view.path for view in views.train} & {view.path for view in views.test}
    of_one = of_photographs(photos, 5, 4, 3, seed=1)
    assert len(of_one.names) == 5
    assert len(of_one.train) == 20
    assert not {view.id for view in of_one.train} & {view.id for view in of_one.test}
    assert {view.path for view in of_one.train} == {view.path for view in of_one.test}
    assert len({shown(view, 32, 0).tobytes() for view in of_one.train + of_one.test}) == 35


def test_an_image_depends_on_its_view_alone(photos: Path) -> None:
    first, second = of_folders(photos, 6, 3).train[:2]
    np.testing.assert_array_equal(made(first, "collage", 32, 0), made(replace(first), "collage", 32, 0))
    assert (made(first, "collage", 32, 0) != made(first, "collage", 32, 1)).any()
    assert first.id != second.id
    assert View(first.path, 0, 0, first.path).id != View(first.path, 0, 1, first.path).id


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    with pytest.raises(DatasetError, match=r"two class folders or more .* got only: 0"):
        of_folders(tmp_path, 1, 1)


@pytest.mark.parametrize("side", [8, 12])
def test_padding_is_that_of_tensorflow_on_even_sides(side: int) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 1, 3, stride=2, padding=1, bias=False), nn.Conv2d(1, 1, 3, padding=1, bias=False)
    )
    for part in network:
        nn.init.ones_(part.weight)
    image = torch.arange(side * side).float().reshape(1, 1, side, side)
    before = network(image)
    pad_like_tensorflow(network)
    first = network[0](image)
    assert network(image).shape == before.shape
    for row, column in ((0, 0), (1, 2), (side // 2 - 1, side // 2 - 1)):
        window = image[0, 0, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        assert first[0, 0, row, column] == window.sum()


def planted(path: Path, kept: dict[tuple[str, float], np.ndarray], truth: str) -> Path:
    """Keep predictions of which a given share of each class is right under each condition; the clean ones all are."""
    classes, images = len(next(iter(kept.values()))), 40
    labels = np.repeat(np.arange(classes), images)
    scores = [np.eye(classes)[labels] * 9]
    for share in kept.values():
        shown = labels.copy()
        for label, part in enumerate(share):
            places = np.flatnonzero(labels == label)[round(part * images) :]
            shown[places] = np.delete(np.arange(classes), label)[np.arange(len(places)) % (classes - 1)]
        scores.append(np.eye(classes)[shown] * 9)
    logits = np.stack(scores).astype(np.float32)
    logits -= np.log(np.exp(logits).sum(axis=2, keepdims=True))
    keep(
        path, names=[f"c{k}" for k in range(classes)], truth=truth, labels=labels, conditions=list(kept), scores=logits
    )
    return path


def without(classes: int, cues: set[Cue]) -> dict[tuple[str, float], np.ndarray]:
    """Return what classes keep that rely on these cues alone, under the conditions of the rule and both checks."""
    found = {tuple(ablation): np.full(classes, float(cues <= CUES_LEFT[ablation])) for ablation in CUES_LEFT}
    found |= {tuple(ablation): np.ones(classes) for ablation in SHAM.values()}
    checks = {"collage_8": Cue.SHAPE not in cues, "any_order": cues == {Cue.COLOR}}
    return found | {(f"{OUTSIDE}{name}", 1.0): np.full(classes, float(kept)) for name, kept in checks.items()}


@pytest.mark.parametrize("cue", list(Cue))
def test_the_cue_of_the_set_is_right_and_another_is_wrong(cue: Cue, tmp_path: Path) -> None:
    kept = without(6, {cue})
    right = judged(planted(tmp_path / "lines-views-vit-0-64.npz", kept, cue.value))
    assert right["recognized"] == right["confirmed"] == {"all": 6, "right": 6, "open": 0, "wrong": 0}
    other = next(name for name in Cue if name is not cue)
    wrong = judged(planted(tmp_path / "flat-views-vit-0-224.npz", kept, other.value))
    assert wrong["recognized"] == {"all": 6, "right": 0, "open": 0, "wrong": 6}
    assert wrong["confirmed"]["all"] == 0
    assert wrong["wrong_words"] == {cue.value: 6}
    assert (wrong["set"], wrong["network"], wrong["side"]) == ("flat", "vit", 224)
    text = table([right, wrong])
    assert "| all | | |" in text.replace("|  ", "| ")
    assert "12: 6 / 0 / 6" in text


def test_classes_that_are_not_recognized_are_listed_apart(tmp_path: Path) -> None:
    path = planted(tmp_path / "flat-views-vit-0-64.npz", without(6, {Cue.COLOR}), "color")
    with np.load(path) as archive:
        stored = dict(archive)
    stored["predicted"][0][:21] = 1
    stored["predicted"][0][40:60] = 2
    np.savez_compressed(path, **stored)
    found = judged(path)
    assert found["recognized"]["all"] == 5
    assert found["not_recognized"]["all"] == 1


def test_validity_compares_what_is_kept_class_by_class(tmp_path: Path) -> None:
    share, other = np.array([0.1, 0.3, 0.5, 0.7, 0.9]), np.array([0.9, 0.5, 0.1, 0.7, 0.3])
    kept: dict[tuple[str, float], np.ndarray] = {
        tuple(ablation): share for ablation in (*EVERY_ABLATION, *SHAM.values())
    }
    kept |= {(f"{OUTSIDE}{name}", 1.0): share if "color" in name else other for name in MANIPULATIONS}
    found = validity(planted(tmp_path / "photographs-folders-vit-0-64.npz", kept, "undetermined"))["columns"]
    assert found["shape_alone"]["r"] == pytest.approx(np.corrcoef(share, other)[0, 1], abs=0.05)
    assert found["without_color"]["r_each"]["colors_of_another"] == pytest.approx(1, abs=0.01)
    assert found["without_texture"]["kept"] == pytest.approx(share, abs=0.06)
    assert found["without_texture"]["reliability"] > 0.9


def test_networks_are_trained_asked_and_judged(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(networks.EPOCHS, "strided", 6)
    conditions = (("grayscale", 1.0), ("patch_shuffle", 3.0), ("opening_closing", 0.07))
    plan = single_cue.Plan(
        photos, tmp_path / "out", kinds=("strided",), train=24, test=8, classes=4, conditions=conditions
    )
    for use in ("flat", single_cue.PHOTOGRAPHS):
        single_cue.measure(plan, use, "folders", 32, None)
    single_cue.judge(tmp_path / "out", tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())
    (by_folder,), (compared,) = found["single_cue"], found["validity"]
    assert set(compared["columns"]) == {column.name for column in COLUMNS if {*column.mechanisms} <= {*conditions}}
    assert by_folder["truth"] == "color"
    assert by_folder["recognized"]["all"] == 3
    assert by_folder["confirmed"]["all"] == 3
    with np.load(tmp_path / "out" / "photographs-folders-strided-0-32.npz") as stored:
        assert len(stored["doses"]) == 1 + 3 + len(MANIPULATIONS)
        assert stored["predicted"].shape == (len(stored["doses"]), 24)
        true = np.exp(stored["scores"][:, np.arange(24), stored["labels"]].astype(np.float32))
        np.testing.assert_allclose(stored["p_true"] / 255, true, atol=0.01)
    assert "| color | flat | folders | strided | 32 | 3:" in capsys.readouterr().out
