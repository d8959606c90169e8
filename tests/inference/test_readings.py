"""The search for how a network wants its images, with networks that recognize classes under one reading only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cuesense.errors import UnreadableImageError
from cuesense.inference import reading_candidates as candidates
from cuesense.inference import readings as room
from cuesense.inference.options import RunOptions
from cuesense.inference.reading_candidates import NORMALIZATIONS, described, options_for
from cuesense.inference.readings import Readings, find_readings, spread_over_classes
from cuesense.inference.tried_readings import Tried
from cuesense.models.preprocessing import IMAGENET
from cuesense.types import Classifier, Preprocessing, Sample

ALL = frozenset({"image_size", "resize", "mean", "std", "channels", "interpolation"})
OPTIONS = RunOptions(batch_size=32, workers=1)
CLASSES = 4


TAKEN = replace(IMAGENET, image_size=(112, 112), resize=128)
IMAGES = 32


@pytest.fixture(autouse=True)
def _small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer and smaller images than usual, for the time that tests take."""
    monkeypatch.setattr(room, "IMAGES", IMAGES)
    monkeypatch.setattr(room, "MORE_IMAGES", IMAGES)
    monkeypatch.setattr(candidates, "SIDES", (32, 48, 64, 96))
    monkeypatch.setattr(candidates, "_COARSE", (48, 96))


@dataclass(frozen=True)
class Squares:
    """Gray images of several sizes; the quarter that is red tells the class."""

    count: int = 240
    side: int | None = None
    broken: bool = False
    spec: str = "squares"
    class_names: tuple[str, ...] = ("a", "b", "c", "d")
    fingerprint: str = "squares"

    @property
    def sample_ids(self) -> list[str]:
        return [f"{(37 * place) % self.count:04d}" for place in range(self.count)]

    @property
    def labels(self) -> list[int]:
        return [int(name) % CLASSES for name in self.sample_ids]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if self.broken:
            raise UnreadableImageError("no image")
        label, name = self.labels[index], self.sample_ids[index]
        side = self.side or 48 + 8 * (int(name) % 5)
        image = np.full((side, side, 3), 128, np.uint8)
        half = side // 2
        rows, columns = (slice(half * part, half * (part + 1)) for part in divmod(label, 2))
        image[rows, columns] = (255, 0, 0)
        return Sample(name, image, label)


class Particular(nn.Module):
    """Sees where it is red, if the size and the values of the pixels are what it was made for; else guesses."""

    def __init__(self, wanted: Preprocessing) -> None:
        super().__init__()
        self.wanted = wanted
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (self.wanted.mean, self.wanted.std))
        images = images.flip(1) if self.wanted.channels == "bgr" else images
        pixels = images * std + mean
        height, width = pixels.shape[2:]
        quarters = pixels.unflatten(2, (2, height // 2)).unflatten(4, (2, width // 2)) if not height % 2 else None
        # Nothing lies outside of [0, 1], and something at both ends, only under the right normalization.
        off = (pixels.flatten(1).amax(1) - 1).abs() + pixels.flatten(1).amin(1).abs()
        sharp = max(0.0, 1 - abs(np.log(height / self.wanted.image_size[0]))) * (off < 0.05).float()[:, None]
        if quarters is None:
            return images.new_zeros(len(images), CLASSES)
        # Blue in the place of red is a weaker sign, weaker than what the network makes up from the mean of the image.
        signs = 10 * (quarters[:, 0] - quarters[:, 1]) + 3 * (quarters[:, 2] - quarters[:, 1])
        guess = nn.functional.one_hot((pixels.mean((1, 2, 3)) * 1e4).long() % CLASSES, CLASSES)
        return sharp * signs.mean(dim=(2, 4)).flatten(1) + (4 + 4 * (1 - sharp)) * guess


def classifier(network: nn.Module, taken: Preprocessing = TAKEN, guessed: frozenset[str] = ALL) -> Classifier:
    return Classifier("x", "x", network, taken, guessed=guessed)


def wanted(side: int, normalization: str, channels: str = "rgb") -> Preprocessing:
    return Preprocessing((side, side), side, *NORMALIZATIONS[normalization], channels=channels)


@pytest.mark.parametrize(
    ("side", "normalization", "channels"),
    [
        (64, "ImageNet's", "rgb"),
        (32, "0 to 1", "rgb"),
        (48, "0 to 255", "rgb"),
        (96, "-1 to 1", "bgr"),
        (48, "Caffe's", "rgb"),
    ],
)
def test_the_reading_that_a_network_was_made_for_is_found(side: int, normalization: str, channels: str) -> None:
    network = Particular(wanted(side, normalization, channels))
    found = find_readings(classifier(network), Squares(), range(CLASSES), OPTIONS)
    assert found is not None
    best = found.best.reading
    assert best.image_size == (side, side)
    assert (best.mean, best.std) == NORMALIZATIONS[normalization]
    assert best.channels == channels
    assert (found.best.count, found.better) == (found.images, None)
    assert found.confirmed is not None
    assert found.confirmed[2] == found.confirmed[0] == IMAGES


def test_a_network_that_recognizes_enough_is_left_alone_after_one_pass() -> None:
    right = wanted(64, "ImageNet's")
    network = Particular(right)
    found = find_readings(classifier(network, right), Squares(), range(CLASSES), OPTIONS)
    assert found is not None
    assert (len(found.tried), found.best.reading, network.calls) == (1, right, IMAGES // room.FIRST_IMAGES)
    thorough = find_readings(classifier(network, right), Squares(), range(CLASSES), OPTIONS, thorough=True)
    assert thorough is not None
    assert len(thorough.tried) > 20
    assert thorough.best.reading == right


@pytest.mark.parametrize(
    ("guessed", "kept"),
    [
        (frozenset(), {"image_size", "resize", "mean", "std", "channels"}),
        (ALL - {"image_size", "resize"}, {"image_size", "resize"}),
        (ALL - {"mean", "std"}, {"mean", "std"}),
        (ALL - {"channels"}, {"channels"}),
    ],
)
def test_what_somebody_says_is_never_changed_but_the_better_reading_is_named(
    guessed: frozenset[str], kept: set[str]
) -> None:
    right = wanted(64, "-1 to 1", "bgr")
    taken = wanted(112, "ImageNet's")
    found = find_readings(classifier(Particular(right), taken, guessed), Squares(), range(CLASSES), OPTIONS)
    assert found is not None
    assert all(getattr(found.best.reading, name) == getattr(taken, name) for name in kept)
    assert found.better is not None
    assert (found.better.reading.image_size, found.better.reading.channels) == ((64, 64), "bgr")


def test_networks_at_chance_are_called_so() -> None:
    class Constant(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.new_tensor([1.0, 0, 0, 0]).expand(len(images), CLASSES)

    found = find_readings(classifier(Constant()), Squares(), range(CLASSES), OPTIONS)
    assert found is not None
    assert found.at_chance
    assert (found.best, found.better, found.hint) == (found.current, None, None)


def test_a_size_that_the_network_does_not_take_gives_way_to_the_usual_one() -> None:
    class Fixed(Particular):
        def forward(self, images: Tensor) -> Tensor:
            assert images.shape[2] == 96, "needs 96"
            return super().forward(images)

    own = Preprocessing((64, 64), None, *NORMALIZATIONS["ImageNet's"])
    model = replace(classifier(Fixed(wanted(96, "ImageNet's")), own), usual_size=(96, 96))
    found = find_readings(model, Squares(side=64), range(CLASSES), OPTIONS)
    assert found is not None
    assert found.tried[0].failed is not None
    assert found.best.reading.image_size == (96, 96)
    said = classifier(Fixed(wanted(96, "ImageNet's")), own, frozenset({"mean", "std"}))
    assert find_readings(said, Squares(side=64), range(CLASSES), OPTIONS) is None


def test_without_images_nothing_is_found() -> None:
    assert find_readings(classifier(Particular(IMAGENET)), Squares(broken=True), range(CLASSES), OPTIONS) is None


def test_few_images_hint_at_what_they_cannot_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_USUAL_TESTS", 1)
    network = Particular(wanted(64, "ImageNet's"))
    found = find_readings(classifier(network), Squares(count=8), range(CLASSES), OPTIONS)
    assert found is not None
    assert found.best is found.current
    assert found.hint is not None
    assert found.hint.reading.image_size == (64, 64)


def test_the_search_leaves_buffers_and_generators_as_they_were() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, CLASSES)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    find_readings(classifier(network), Squares(count=80), range(CLASSES), OPTIONS)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_images_of_all_classes_come_in_turns_whatever_the_order_of_the_files() -> None:
    data = Squares(count=40)
    order = spread_over_classes(data)
    assert sorted(order) == list(range(40))
    labels = [data.labels[index] for index in order]
    assert all(sorted(labels[start : start + CLASSES]) == list(range(CLASSES)) for start in range(0, 40, CLASSES))


def test_classes_under_each_other_s_names_turn_no_channels() -> None:
    """Labels in another order: no reading mends that, whatever it recognizes by chance."""
    network = Particular(wanted(64, "ImageNet's"))
    turned = find_readings(classifier(network, wanted(64, "ImageNet's")), Squares(), [1, 0, 3, 2], OPTIONS)
    assert turned is not None
    assert turned.best is turned.current
    assert turned.better is None
    assert turned.hint is None
    assert turned.other_order == turned.images


def test_chance_is_that_of_the_classes_over_all_readings() -> None:
    def readings(count: int) -> Readings:
        right = np.arange(64) < count
        return Readings(Tried(IMAGENET, right), (Tried(IMAGENET, right),), Tried(IMAGENET, right), None, CLASSES)

    # P(X >= 24) of 64 images at 1/4 is 0.0184, P(X >= 23) 0.0335; the level is 0.025.
    assert readings(23).at_chance
    assert not readings(24).at_chance


def test_options_give_a_reading_exactly() -> None:
    reading = Preprocessing((64, 64), None, (0.0,) * 3, (1 / 255,) * 3, channels="bgr")
    assert options_for(reading, ALL) == "--image-size 64 --resize 0 --mean 0 --std 1/255 --channels bgr"
    assert options_for(wanted(64, "ImageNet's"), frozenset({"std", "resize"})) == (
        "--image-size 64 --resize 64 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
    )
    assert options_for(reading, frozenset()) == ""
    assert described(reading) == "resized whole to 64 pixels, pixels from 0 to 255, BGR"
    odd = Preprocessing((64, 48), 72, (0.1, 0.2, 0.3), (1.0,) * 3)
    assert described(odd) == "center crop of 64 x 48 of 72 pixels, mean 0.1,0.2,0.3 and std 1, RGB"
    assert options_for(odd, frozenset({"image_size"})) == ""


def test_what_is_all_somebodys_word_is_searched_only_at_chance() -> None:
    right = wanted(64, "ImageNet's")

    class Half(Particular):
        """Recognizes half of the classes."""

        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) * images.new_tensor([1, 1, 0, 0])

    network = Half(right)
    found = find_readings(classifier(network, right, frozenset()), Squares(), range(CLASSES), OPTIONS)
    assert found is not None
    assert not found.at_chance
    assert found.best.count < IMAGES * 0.8
    assert (len(found.tried), network.calls) == (1, IMAGES // room.FIRST_IMAGES)
    guessed = find_readings(classifier(network, right), Squares(), range(CLASSES), OPTIONS)
    assert guessed is not None
    assert len(guessed.tried) > 20


def test_a_search_is_announced_only_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room._Search, "improved", lambda _self, start, *_: start)
    said: list[str] = []
    network = Particular(wanted(64, "ImageNet's"))
    for shortest in (1e9, -1.0):
        monkeypatch.setattr(room, "_SHORT", shortest)
        find_readings(classifier(network), Squares(), range(CLASSES), OPTIONS, notify=said.append)
    (sentence,) = said
    assert f"of {IMAGES} images are recognized as they are prepared" in sentence


def test_a_second_start_leaves_a_wrong_normalization_that_looks_better_at_a_wrong_size() -> None:
    half, imagenet = NORMALIZATIONS["-1 to 1"], NORMALIZATIONS["ImageNet's"]
    losses = {(112, imagenet): 1.2, (48, half): 1.25, (64, half): 0.1, (32, half): 1.6, (96, half): 1.6}

    def runner(reading: Preprocessing, images: list[object], _truth: object) -> Tried:
        side = reading.image_size[0] if reading.image_size else 0
        loss = losses.get((side, (reading.mean, reading.std)), 2.0)
        return Tried(reading, np.zeros(len(images), bool), np.full(len(images), loss))

    search = room._Search(runner, [Image.new("RGB", (8, 6))] * IMAGES, np.zeros(IMAGES, int), 8)  # type: ignore[arg-type]
    start = search.tried[TAKEN] = search._whole(TAKEN)
    best = search.improved(start, frozenset({"image_size", "resize", "mean"}), ())
    assert (best.reading.image_size, best.reading.mean, best.reading.std) == ((64, 64), *half)
    assert len(best.right) == IMAGES


@pytest.mark.parametrize(("side", "starts"), [(candidates.LARGE, 1), (candidates.LARGE + 1, 0)])
def test_large_images_are_no_second_start(side: int, starts: int) -> None:
    half = NORMALIZATIONS["-1 to 1"]
    search = room._Search(lambda *_: None, [None] * IMAGES, np.zeros(IMAGES, int), 8)  # type: ignore[arg-type, list-item, return-value]
    search.runner = lambda reading, *_: Tried(reading, np.ones(IMAGES, bool), np.full(IMAGES, 0.2))  # type: ignore[assignment]
    best, other = (search._whole(replace(TAKEN, image_size=(size, size))) for size in (112, side))
    turned = replace(other, reading=replace(other.reading, mean=half[0], std=half[1]))
    search.tried = {one.reading: one for one in (best, turned)}
    assert [one.reading for one in search._of_another_normalization(best)] == [turned.reading] * starts


def test_normalizations_are_alike_where_a_network_hardly_sees_the_difference() -> None:
    names = [*NORMALIZATIONS]
    readings = {name: wanted(64, name) for name in names}
    same = {(one, other) for one in names for other in names if candidates.alike(readings[one], readings[other])}
    assert same == {(name, name) for name in names} | {
        ("ImageNet's", "CIFAR-10's"),
        ("CIFAR-10's", "ImageNet's"),
    }


def test_where_all_is_a_guess_the_other_order_of_the_channels_is_tried_with_every_normalization() -> None:
    half = NORMALIZATIONS["-1 to 1"]

    def runner(reading: Preprocessing, images: list[object], _truth: object) -> Tried:
        right = (reading.image_size, reading.mean, reading.channels) == ((48, 48), half[0], "bgr")
        return Tried(reading, np.full(len(images), right), np.full(len(images), 0.1 if right else np.log(8)))

    search = room._Search(runner, [Image.new("RGB", (8, 6))] * IMAGES, np.zeros(IMAGES, int), 8)  # type: ignore[arg-type]
    start = search.tried[TAKEN] = search._whole(TAKEN)
    best = search.improved(start, ALL, ())
    assert (best.reading.image_size, best.reading.mean, best.reading.channels) == ((48, 48), half[0], "bgr")
