"""Preparing images of every mode as torchvision does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode, v2

from cuesense.datasets import images
from cuesense.datasets.formats import decode
from cuesense.datasets.images import pixel_digest, prepare, resize_and_crop, to_rgb
from cuesense.errors import UnreadableImageError
from cuesense.types import RESIZERS, Preprocessing
from tests.helpers.image_files import encoded, noise, written

PREPROCESSING = Preprocessing((32, 32), 36, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class TestPrepare:
    @pytest.mark.parametrize("size", [(64, 64), (37, 53), (53, 37), (1, 1), (1, 7), (7, 1), (31, 32), (200, 35)])
    @pytest.mark.parametrize(("resize", "crop"), [(36, (32, 32)), (33, (32, 30)), (24, (32, 32)), (25, (31, 64))])
    @pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
    def test_equals_torchvision(self, size, resize, crop, interpolation):
        image = noise(*size)
        oracle = transforms.Compose(
            [
                transforms.Resize(resize, InterpolationMode(interpolation), antialias=True),
                transforms.CenterCrop(crop),
            ]
        )
        ours = resize_and_crop(image, Preprocessing(crop, resize, (0,) * 3, (1,) * 3, interpolation))
        np.testing.assert_array_equal(ours.transpose(1, 2, 0), np.asarray(oracle(image)))

    @settings(max_examples=80)
    @given(
        width=st.integers(1, 90),
        height=st.integers(1, 90),
        resize=st.integers(1, 50),
        crop=st.tuples(st.integers(20, 50), st.integers(20, 50)),
    )
    def test_equals_torchvision_at_any_size(self, width, height, resize, crop):
        long = int(resize * max(width, height) / min(width, height))
        if long * resize > 16 * crop[0] * crop[1]:
            return
        image = noise(width, height)
        oracle = transforms.CenterCrop(crop)(transforms.Resize(resize)(image))
        ours = resize_and_crop(image, replace(PREPROCESSING, image_size=crop, resize=resize))
        np.testing.assert_array_equal(ours.transpose(1, 2, 0), np.asarray(oracle))

    @pytest.mark.parametrize(("length", "rounded", "down"), [(20, 0, 0), (21, 0, 0), (23, 2, 1), (25, 2, 2)])
    def test_an_odd_margin_is_rounded_as_the_library_does(self, length, rounded, down):
        image = noise(length, 20)
        usual = replace(PREPROCESSING, image_size=(20, 20), resize=20)
        every = np.asarray(image).transpose(2, 0, 1)
        for crop, left in (("rounded", rounded), ("down", down)):
            ours = resize_and_crop(image, replace(usual, crop=crop))
            np.testing.assert_array_equal(ours, every[:, :, left : left + 20])
        small = replace(usual, image_size=(33, 33), resize=None)
        padded = [resize_and_crop(image, replace(small, resize=20, crop=crop)) for crop in ("rounded", "down")]
        np.testing.assert_array_equal(*padded)

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
    @pytest.mark.parametrize("resize", [None, 120])
    def test_equals_torchvision_on_tensors_where_it_resizes(self, interpolation, resize):
        if interpolation == "lanczos" and images._is_old():
            pytest.skip("this torchvision resizes no tensors by Lanczos' filter")
        image = noise(400, 300)
        size = {None: [99, 95], 120: [120, 160]}[resize]
        mode = "nearest-exact" if interpolation == "nearest" else interpolation
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
        oracle = v2.CenterCrop([99, 95])(v2.Resize(size, InterpolationMode(mode))(pixels)).numpy()
        wanted = replace(PREPROCESSING, image_size=(99, 95), resize=resize, interpolation=interpolation)
        np.testing.assert_array_equal(resize_and_crop(image, replace(wanted, resizer="torchvision")), oracle)
        differs = (resize_and_crop(image, wanted) != oracle).any()
        # These two are the same where both round alike.
        assert differs or interpolation in ("nearest", "bilinear")

    def test_filters_that_tensors_have_not_are_pillows(self, monkeypatch):
        image = noise(70, 50)
        wanted = replace(PREPROCESSING, image_size=(21, 25), resize=None)
        monkeypatch.setattr("cuesense.datasets.images.version", lambda _: "0.26.1+cpu")
        images._is_old.cache_clear()
        try:
            for interpolation in ("box", "hamming", "lanczos"):
                pair = [replace(wanted, interpolation=interpolation, resizer=name) for name in RESIZERS]
                np.testing.assert_array_equal(*(resize_and_crop(image, one) for one in pair))
        finally:
            images._is_old.cache_clear()

    def test_without_resize_goes_straight_to_the_size(self):
        image = noise(50, 30)
        ours = resize_and_crop(image, replace(PREPROCESSING, resize=None, image_size=(20, 25)))
        oracle = transforms.Resize((20, 25))(image)
        np.testing.assert_array_equal(ours.transpose(1, 2, 0), np.asarray(oracle))

    @pytest.mark.parametrize("resize", [None, 10])
    def test_without_size_keeps_every_pixel(self, resize):
        image = noise(50, 30)
        ours = resize_and_crop(image, replace(PREPROCESSING, image_size=None, resize=resize))
        np.testing.assert_array_equal(ours, np.asarray(image).transpose(2, 0, 1))

    def test_layout_is_contiguous_bytes(self):
        ours = resize_and_crop(noise(50, 40), PREPROCESSING)
        assert ours.shape == (3, 32, 32)
        assert ours.dtype == np.uint8
        assert ours.flags.c_contiguous

    def test_an_array_is_its_image(self):
        image = noise(50, 40)
        np.testing.assert_array_equal(
            resize_and_crop(np.asarray(image), PREPROCESSING), resize_and_crop(image, PREPROCESSING)
        )

    @pytest.mark.parametrize("size", [(20, 600), (601, 20), (20, 333)])
    @pytest.mark.parametrize("crop", [(32, 32), (31, 40), (50, 24), (38, 38)])
    def test_a_long_image_differs_by_rounding_only(self, size, crop, monkeypatch):
        image = noise(*size)
        preprocessing = replace(PREPROCESSING, image_size=crop)
        monkeypatch.setattr("cuesense.datasets.images._MAX_RESIZED", 10_000)
        whole = resize_and_crop(image, preprocessing).astype(int)
        monkeypatch.setattr("cuesense.datasets.images._MAX_RESIZED", 0)
        seen = resize_and_crop(image, preprocessing).astype(int)
        assert np.abs(whole - seen).max() <= 1

    @pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (3, 65_000)])
    def test_an_extreme_image_never_becomes_huge(self, size, monkeypatch):
        made = []
        original = Image.Image.resize

        def spy(self, size, *args, **options):
            made.append(size[0] * size[1])
            return original(self, size, *args, **options)

        monkeypatch.setattr(Image.Image, "resize", spy)
        gray = Image.new("RGB", size, (10, 20, 30))
        ours = resize_and_crop(gray, replace(PREPROCESSING, image_size=(224, 224), resize=256))
        assert max(made) <= 16 * 224 * 224
        assert (ours == np.array([10, 20, 30]).reshape(3, 1, 1)).all()

    def test_leaves_the_image_as_it_was(self):
        image = noise(40, 40, "L").convert("P")
        image.info["transparency"] = b"\x00\x80" * 128
        before = image.tobytes()
        resize_and_crop(image, PREPROCESSING)
        assert image.mode == "P"
        assert image.tobytes() == before
        assert "transparency" in image.info

    def test_a_mode_without_way_to_rgb_is_unreadable(self):
        with pytest.raises(UnreadableImageError, match="color mode La "):
            resize_and_crop(Image.new("La", (4, 4)), PREPROCESSING)


class TestPrepared:
    def test_copies_have_one_digest_whatever_they_were(self, tmp_path):
        image = noise(40, 40)
        png = decode(written(tmp_path / "a.png", encoded(image, "PNG")))
        bmp = decode(written(tmp_path / "b.dat", encoded(image, "BMP")))
        other = noise(40, 40, seed=1)
        first, *same = (prepare(given, PREPROCESSING).digest for given in (image, png, bmp, np.asarray(image)))
        assert set(same) == {first}
        assert prepare(other, PREPROCESSING).digest != first
        assert 0 <= first < 2**64

    def test_the_digest_sees_every_pixel_and_the_shape(self):
        pixels = np.zeros((3, 4, 4), np.uint8)
        changed = pixels.copy()
        changed[2, 3, 3] = 1
        found = [pixels, changed, pixels.reshape(3, 2, 8), pixels.transpose(0, 2, 1)]
        assert len({pixel_digest(given) for given in found}) == 3

    def test_the_key_is_the_same_for_every_size_and_form(self, tmp_path):
        pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        png = decode(written(tmp_path / "a.png", encoded(Image.fromarray(pixels), "PNG")))
        forms = [pixels, Image.fromarray(pixels), png, pixels.transpose(1, 0, 2).copy()]
        larger = replace(PREPROCESSING, image_size=(32, 32), resize=36)
        keys = [[prepare(form, wanted).key for form in forms] for wanted in (PREPROCESSING, larger)]
        assert len({*keys[0][:3], *keys[1][:3]}) == 1
        assert keys[0][3] not in keys[0][:3]

    def test_the_key_sees_what_a_crop_does_not(self):
        pixels = np.zeros((40, 50, 3), dtype=np.uint8)
        other = pixels.copy()
        other[0, 0, 0] = 1
        one, two = (prepare(image, replace(PREPROCESSING, image_size=(16, 16), resize=40)) for image in (pixels, other))
        assert one.digest == two.digest
        assert one.key != two.key

    def test_what_a_lazy_image_raises_is_an_unreadable_image(self, monkeypatch):
        image = noise(8, 8)
        monkeypatch.setattr(image, "load", lambda: (_ for _ in ()).throw(SyntaxError("broken file")))
        with pytest.raises(UnreadableImageError, match=r"cannot be decoded \(broken file\)"):
            prepare(image, PREPROCESSING)

    def test_the_range_of_16_bit_gray_is_remembered(self):
        image = Image.fromarray(np.array([[0, 1023]], dtype=np.uint16))
        assert prepare(image, PREPROCESSING).values == (1023, 65535)


class TestModes:
    def test_gray_is_repeated(self):
        gray = noise(9, 7, "L")
        np.testing.assert_array_equal(np.asarray(to_rgb(gray)), np.asarray(gray)[..., None].repeat(3, axis=2))

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_alpha_is_dropped(self, mode):
        image = noise(9, 7, mode)
        colors = np.asarray(image)[..., :-1]
        np.testing.assert_array_equal(np.asarray(to_rgb(image)), np.broadcast_to(colors, (7, 9, 3)))

    def test_one_bit_is_black_and_white(self):
        image = Image.fromarray(np.array([[True, False], [False, True]]))
        assert image.mode == "1"
        assert np.asarray(to_rgb(image))[..., 0].tolist() == [[255, 0], [0, 255]]

    def test_cmyk_is_pillows_rgb(self):
        image = noise(9, 7, "CMYK")
        np.testing.assert_array_equal(np.asarray(to_rgb(image)), np.asarray(image.convert("RGB")))

    @pytest.mark.parametrize("transparency", [3, bytes(range(256))])
    def test_a_transparent_palette_keeps_its_colors(self, transparency, tmp_path):
        image = noise(16, 16).quantize(16)
        data = encoded(image, "PNG", transparency=transparency)
        decoded = decode(written(tmp_path / "p.png", data))
        np.testing.assert_array_equal(np.asarray(decoded), np.asarray(image.convert("RGB")))

    def test_16_bit_gray_is_scaled_not_clipped(self, tmp_path):
        values = np.array([[0, 257, 32_896, 65_535, 128, 129]], dtype=np.uint16)
        path = tmp_path / "deep.png"
        Image.fromarray(values).save(path)
        assert np.asarray(decode(path))[0, :, 1].tolist() == [0, 1, 128, 255, 0, 1]

    @pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
    def test_16_bit_gray_of_either_byte_order(self, mode):
        order = ">u2" if mode.endswith("B") else "<u2"
        values = np.array([[0, 200, 51_400]], dtype=order)
        image = Image.frombytes(mode, (3, 1), values.tobytes())
        assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 1, 200]

    def test_dark_16_bit_gray_stays_dark(self):
        image = Image.frombytes("I;16", (3, 1), np.array([[0, 128, 255]], dtype="<u2").tobytes())
        assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 0, 1]

    @pytest.mark.parametrize(
        ("values", "wanted"),
        [
            ([0, 7, 255], [0, 7, 255]),
            ([0, 257, 65_535], [0, 1, 255]),
            ([-10, 0, 10], [0, 128, 255]),
            ([0, 500_000, 1_000_000], [0, 128, 255]),
            ([70_000, 70_000, 70_000], [0, 0, 0]),
        ],
    )
    def test_32_bit_integers(self, values, wanted):
        image = Image.fromarray(np.array([values], dtype=np.int32))
        assert image.mode == "I"
        assert np.asarray(to_rgb(image))[0, :, 2].tolist() == wanted

    @pytest.mark.parametrize(
        ("values", "wanted"),
        [
            ([0.0, 0.2, 1.0], [0, 51, 255]),
            ([0.0, 7.4, 255.0], [0, 7, 255]),
            ([0.0, 257.0, 65_535.0], [0, 1, 255]),
            ([-0.1, 0.0, 0.1], [0, 128, 255]),
        ],
    )
    def test_floats(self, values, wanted):
        image = Image.fromarray(np.array([values], dtype=np.float32))
        assert np.asarray(to_rgb(image))[0, :, 2].tolist() == wanted

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_floats_that_are_not_finite_are_unreadable(self, value):
        with pytest.raises(UnreadableImageError, match="not finite"):
            to_rgb(Image.fromarray(np.array([[0.5, value]], dtype=np.float32)))
