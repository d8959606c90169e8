"""How images are prepared: the user's options, what the weights carry, and what is assumed where nobody says."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cuesense.errors import SettingsError
from cuesense.models.carried import Carried
from cuesense.models.common import Loaded
from cuesense.models.preprocessing import (
    AS_CARRIED,
    Beside,
    ImageOptions,
    Prepared,
    prepare,
    prepare_as_they_come,
    without_guesses,
)
from cuesense.types import Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CARRIED = Preprocessing((160, 160), 168, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bicubic")
ALL = {"image_size", "resize", "mean", "std", "interpolation", "channels"}


def prepared(carried=None, input_size=None, **options):
    return prepare(Loaded(nn.Identity(), "x", carried, input_size), ImageOptions(**options))


def test_what_the_weights_carry_is_used_without_a_word():
    assert prepared(CARRIED) == Prepared(CARRIED)
    assert prepare(Loaded(nn.Identity(), "x", CARRIED), AS_CARRIED) == Prepared(CARRIED)


def test_each_option_overrides_its_field():
    found = prepared(CARRIED, image_size=(96, 128), resize=200, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 3.0))
    assert found == Prepared(Preprocessing((96, 128), 200, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), "bicubic"))
    assert prepared(CARRIED, mean=(0.0, 0.0, 0.0)).preprocessing.mean == (0.0, 0.0, 0.0)


def test_the_carried_resize_keeps_its_proportion():
    assert prepared(CARRIED, image_size=320).preprocessing.resize == 336
    squash = Preprocessing((160, 160), None, MEAN, STD)
    assert prepared(squash, image_size=320).preprocessing == Preprocessing((320, 320), None, MEAN, STD)


def test_where_nothing_is_known_imagenet_is_assumed_and_named():
    found = prepared()
    assert found.preprocessing == Preprocessing((224, 224), 256, MEAN, STD, "bilinear")
    assert found.guessed == ALL
    first, second = found.warnings
    assert "mean and std" in first
    assert "224 of 256" in second


@given(st.integers(1, 2000))
def test_a_size_alone_gives_the_usual_resize(size):
    found = prepared(image_size=size, mean=MEAN, std=STD)
    assert found.preprocessing.image_size == (size, size)
    assert found.preprocessing.resize == round(size / 0.875)
    assert found.guessed == {"resize", "interpolation", "channels"}
    (warning,) = found.warnings
    assert f"a center crop of {size} of {round(size / 0.875)} pixels is assumed" in warning


@pytest.mark.parametrize(
    ("options", "given", "count"),
    [
        ({"mean": MEAN, "std": STD, "image_size": 64, "resize": 72}, {"mean", "std", "image_size", "resize"}, 0),
        ({"mean": MEAN, "image_size": 64, "resize": 72}, {"mean", "image_size", "resize"}, 1),
        ({"std": STD, "image_size": 64, "resize": 72}, {"std", "image_size", "resize"}, 1),
        ({"mean": MEAN, "std": STD}, {"mean", "std"}, 1),
        ({"mean": MEAN, "std": STD, "resize": 256}, {"mean", "std", "resize"}, 1),
        ({"mean": MEAN, "std": STD, "input_size": (64, 64)}, {"mean", "std", "image_size"}, 1),
        ({"image_size": 64}, {"image_size"}, 2),
    ],
)
def test_only_what_nobody_says_is_guessed_and_warned_of(options, given, count):
    found = prepared(**options)
    assert found.guessed == ALL - given
    assert len(found.warnings) == count


def test_what_the_weights_carry_is_never_a_guess_however_much_is_given():
    assert prepared(CARRIED, image_size=96).guessed == frozenset()
    assert prepared(CARRIED, input_size=(64, 64)) == Prepared(CARRIED)


def test_a_fixed_input_size_counts_where_nothing_else_is_known():
    assert prepared(input_size=(64, 96)).preprocessing.image_size == (64, 96)
    assert prepared(input_size=(64, 64), image_size=32).preprocessing.image_size == (32, 32)


def test_images_as_they_come_are_only_normalized():
    found = prepare_as_they_come(ImageOptions(mean=(0.5, 0.5, 0.5)))
    assert found.preprocessing == Preprocessing(None, None, (0.5, 0.5, 0.5), STD)
    assert found.guessed == {"std", "channels"}
    (warning,) = found.warnings
    assert warning.startswith("Nothing says the std of the normalization")
    known = Prepared(Preprocessing(None, None, MEAN, STD), frozenset({"channels"}))
    assert prepare_as_they_come(ImageOptions(mean=MEAN, std=STD)) == known
    assert prepare_as_they_come(ImageOptions(channels="bgr")).preprocessing.channels == "bgr"


def test_arrays_and_tensors_become_plain_triples():
    options = ImageOptions(mean=np.full(3, 0.5, np.float32), std=torch.full((3,), 0.25))
    assert options == ImageOptions(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    assert type(options.mean[0]) is float


@pytest.mark.parametrize("side", [1, 4096])
def test_sizes_may_be_as_small_and_as_large_as_their_limits(side):
    assert ImageOptions(image_size=side, resize=side).size == (side, side)
    assert ImageOptions(image_size=(side, 32)).size == (side, 32)


@pytest.mark.parametrize(("option", "lowest"), [("image_size", 1), ("resize", 0)])
@pytest.mark.parametrize("side", [-1, 4097, 32.0, "64", True])
def test_sizes_beyond_their_limits_are_refused(option, lowest, side):
    with pytest.raises(SettingsError, match=f"{option[-4:]} to be a whole number from {lowest} to 4096"):
        ImageOptions(**{option: side})


@pytest.mark.parametrize("side", [0, 4097])
def test_each_side_of_an_oblong_size_has_limits(side):
    with pytest.raises(SettingsError, match="a whole number from 1 to 4096"):
        ImageOptions(image_size=(32, side))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": (123.0, 117.0, 104.0)}, "Divide by 255"),
        ({"mean": (0.5, 0.5, -0.1)}, "Divide by 255"),
        ({"mean": (0.5, 0.5)}, "three finite numbers"),
        ({"std": (0.2, 0.0, 0.2)}, "three positive numbers"),
        ({"std": (0.2, float("nan"), 0.2)}, "three positive numbers"),
    ],
)
def test_normalizations_out_of_range_are_one_sentence(options, message):
    with pytest.raises(SettingsError, match=message):
        ImageOptions(**options)


def test_means_and_deviations_at_their_limits_are_taken():
    assert ImageOptions(mean=(0.0, 1.0, 0.0)).mean == (0.0, 1.0, 0.0)
    assert ImageOptions(std=(1e-6, 58.0, 57.0)).std == (1e-6, 58.0, 57.0)


def test_the_crop_fits_into_the_resized_image():
    assert prepared(image_size=224, resize=224).preprocessing.resize == 224
    with pytest.raises(SettingsError, match="at least the image size of 224, but got 223"):
        prepared(image_size=224, resize=223)


def test_zero_resizes_whole_and_says_so_to_nobody():
    found = prepared(image_size=64, resize=0, mean=MEAN, std=STD, channels="rgb")
    assert (found.preprocessing, found.warnings) == (Preprocessing((64, 64), None, MEAN, STD), ())
    assert found.guessed == {"interpolation"}


@pytest.mark.parametrize("channels", ["RGB", "gbr", ""])
def test_an_unknown_order_of_channels_is_refused(channels):
    with pytest.raises(SettingsError, match="channels to be rgb or bgr"):
        ImageOptions(channels=channels)


USUAL = Loaded(nn.Identity(), "resnet18", CARRIED, guessed=frozenset(ALL))


def test_a_user_s_own_weights_take_the_architecture_s_values_as_a_guess_that_is_said():
    found = prepare(USUAL, AS_CARRIED)
    assert (found.preprocessing, found.guessed) == (CARRIED, ALL)
    first, second = found.warnings
    assert first == (
        "Nothing says how the images were normalized: mean 0.5, 0.5, 0.5 and std 0.25, 0.25, 0.25, as is usual for "
        "resnet18, are assumed."
    )
    assert "a center crop of 160 of 168 pixels, as is usual for resnet18, is assumed" in second
    assert without_guesses((*found.warnings, "other")) == ("other",)


@pytest.mark.parametrize(("given", "missing"), [("mean", "std"), ("std", "mean")])
def test_of_a_normalization_that_is_given_by_half_the_other_half_is_named(given, missing):
    found = prepare(USUAL, ImageOptions(160, 168, **{given: (0.4,) * 3}))
    numbers = ", ".join(f"{number:g}" for number in getattr(CARRIED, missing))
    assert found.warnings == (
        f"Nothing says the {missing} of the normalization: {numbers} is assumed. Give --{missing}, too.",
    )


def test_the_size_that_all_images_share_comes_before_the_architecture_s():
    beside = Beside(own_size=(48, 64))
    found = prepare(USUAL, AS_CARRIED, beside)
    assert (found.preprocessing.image_size, found.preprocessing.resize) == ((48, 64), None)
    assert "the 48 x 64 pixels that all of them have are taken as they are" in found.warnings[1]
    assert "image_size" in found.guessed
    # A size or a crop that is given is not mixed with it, and a file that takes one size only is no guess.
    assert prepare(USUAL, ImageOptions(320), beside).preprocessing.resize == 336
    assert prepare(USUAL, ImageOptions(resize=200), beside).preprocessing.image_size == (160, 160)
    fixed = Loaded(nn.Identity(), "x", None, (96, 96))
    assert prepare(fixed, AS_CARRIED, beside).preprocessing.image_size == (96, 96)


def test_images_that_have_the_size_already_are_not_enlarged_to_be_cropped():
    beside = Beside(own_size=(48, 48))
    for found in (
        prepare(USUAL, ImageOptions(48), beside),
        prepare(Loaded(nn.Identity(), "x", None, (48, 48)), AS_CARRIED, beside),
    ):
        assert (found.preprocessing.image_size, found.preprocessing.resize) == ((48, 48), None)
        assert "these have the size already, and are taken as they are" in found.warnings[-1]
    assert prepare(USUAL, ImageOptions(47), beside).preprocessing.resize == round(168 * 47 / 160)
    assert prepare(USUAL, ImageOptions(48, 56), beside).preprocessing.resize == 56
    # What a library says of its own weights stays.
    assert prepare(Loaded(nn.Identity(), "x", CARRIED), ImageOptions(48), beside).preprocessing.resize == 50


def test_what_the_file_says_comes_before_guesses_and_after_options():
    said = Carried((64, 64), 72, (0.1,) * 3, (0.2,) * 3, "bilinear", channels="bgr", ignored=("An odd value.",))
    found = prepare(USUAL, AS_CARRIED, Beside(said, (48, 48)))
    assert found.preprocessing == Preprocessing((64, 64), 72, (0.1,) * 3, (0.2,) * 3, "bilinear", "bgr")
    assert (found.guessed, found.warnings) == (frozenset(), ("An odd value.",))
    (sentence,) = found.assumptions
    assert "says the image size 64, the mean 0.1, 0.1, 0.1 and the standard deviation 0.2" in sentence
    given = prepare(USUAL, ImageOptions(32, 40, MEAN, STD, "rgb"), Beside(said))
    assert given.preprocessing == Preprocessing((32, 32), 40, MEAN, STD, "bilinear", "rgb")
    assert given.assumptions == ()
    alone = prepare(USUAL, AS_CARRIED, Beside(Carried((80, 80))))
    assert (alone.preprocessing.resize, alone.guessed & {"image_size", "resize"}) == (84, {"resize"})
    whole = prepare(USUAL, AS_CARRIED, Beside(Carried((80, 80), 0)))
    assert (whole.preprocessing.resize, whole.guessed & {"image_size", "resize"}) == (None, frozenset())
