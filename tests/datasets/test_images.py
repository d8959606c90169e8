"""Decoding real files of every kind, and preparing them as torchvision does."""

import io
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from cuesense.datasets.formats import decode
from cuesense.datasets.images import resize_and_crop, to_rgb
from cuesense.errors import UnreadableImageError
from cuesense.types import Preprocessing

PREPROCESSING = Preprocessing((32, 32), 36, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")


def noise(width, height, mode="RGB", seed=0):
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "LA": (2,), "CMYK": (4,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    if mode == "CMYK":
        return Image.frombytes("CMYK", (width, height), pixels.tobytes())
    return Image.fromarray(pixels)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def written(path, data):
    path.write_bytes(data)
    return path


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


class TestDecode:
    @pytest.mark.parametrize("kind", FORMATS)
    def test_every_format_whatever_its_suffix(self, kind, tmp_path):
        data = encoded(noise(20, 12), kind)
        decoded = decode(written(tmp_path / "image.dat", data))
        oracle = Image.open(io.BytesIO(data)).convert("RGB")
        assert decoded.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(decoded), np.asarray(oracle))

    @pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
    def test_an_animation_gives_its_first_frame(self, kind, tmp_path):
        frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert decode(written(tmp_path / "moving", data)).getpixel((4, 4)) == (255, 0, 0)

    def test_one_pixel(self, tmp_path):
        decoded = decode(written(tmp_path / "1.png", encoded(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")))
        assert (resize_and_crop(decoded, PREPROCESSING) == np.array([1, 2, 3]).reshape(3, 1, 1)).all()

    def test_the_file_is_closed(self, tmp_path):
        path = written(tmp_path / "a.gif", encoded(noise(8, 8), "GIF"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            decode(path).tobytes()
        path.unlink()

    @pytest.mark.parametrize(("width", "height"), [(10_000, 9_000), (60_000, 60_000)])
    def test_too_large_is_refused_before_it_is_decoded(self, width, height, tmp_path):
        data = bytearray(encoded(Image.new("1", (8, 8)), "BMP"))
        struct.pack_into("<ii", data, 18, width, height)
        with pytest.raises(UnreadableImageError, match=f"too large \\({width} x {height} pixels\\)"):
            decode(written(tmp_path / "bomb.bmp", bytes(data)))

    def test_pillows_own_limit_is_the_last_size_taken(self, tmp_path, monkeypatch):
        monkeypatch.setattr("cuesense.datasets.formats._MAX_PIXELS", 64)
        assert decode(written(tmp_path / "a.png", encoded(noise(8, 8), "PNG"))).size == (8, 8)
        with pytest.raises(UnreadableImageError, match="too large"):
            decode(written(tmp_path / "b.png", encoded(noise(13, 5), "PNG")))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "the file is empty"),
            (b"hello", "it is no JPEG"),
            (b"PK\x03\x04 a zip", "it is no JPEG"),
            (b"P6 nonsense", "it is damaged"),
            (b"\xff\xd8\xff\xe0 nonsense", "it is damaged"),
            (b"\x89PNG\r\n\x1a\n", "it is damaged"),
        ],
    )
    def test_no_image_says_why(self, data, reason, tmp_path):
        path = written(tmp_path / "x.jpg", data)
        with pytest.raises(UnreadableImageError) as caught:
            decode(path)
        assert caught.value.reason.startswith(reason)
        assert str(caught.value).startswith(f"Cannot read the image '{path}': {reason}")
        assert str(caught.value).endswith(".")

    @pytest.mark.parametrize(
        ("name", "reason"), [("missing.png", "no such file"), (".", "is a directory"), ("x" * 300, "name too long")]
    )
    def test_what_cannot_be_opened_says_why(self, name, reason, tmp_path):
        with pytest.raises(UnreadableImageError, match=reason):
            decode(tmp_path / name)

    def test_permission_is_named(self, tmp_path, monkeypatch):
        def denied(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)
        with pytest.raises(UnreadableImageError, match="permission denied"):
            decode(tmp_path / "a.png")

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
    def test_half_a_file_is_unreadable(self, kind, tmp_path):
        data = encoded(noise(64, 64), kind)
        with pytest.raises(UnreadableImageError):
            decode(written(tmp_path / "half", data[: len(data) // 2]))

    def test_threads_see_the_same_pixels(self, tmp_path):
        paths = [
            written(tmp_path / f"{index}.jpg", encoded(noise(40, 30, seed=index), "JPEG")) for index in range(8)
        ] * 4
        alone = [resize_and_crop(decode(path), PREPROCESSING) for path in paths]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda path: resize_and_crop(decode(path), PREPROCESSING), paths))
        np.testing.assert_array_equal(alone, together)


SEEDS = [encoded(noise(9, 7), kind) for kind in FORMATS]
SEEDS += [
    encoded(noise(9, 7).quantize(8), "PNG", transparency=b"\x10\x80"),
    encoded(noise(9, 7, "CMYK"), "JPEG"),
    encoded(noise(9, 7), "TIFF", compression="tiff_lzw"),
    encoded(noise(9, 7), "GIF", save_all=True, append_images=[noise(9, 7, seed=1)]),
]


@st.composite
def damaged(draw):
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "fuzzed"


def image_or_unreadable(path, data):
    path.write_bytes(data)
    try:
        decoded = decode(path)
    except UnreadableImageError as error:
        assert len(str(error)) < 200 + len(str(path))  # noqa: PT017 (either outcome is right)
        return
    assert resize_and_crop(decoded, PREPROCESSING).shape == (3, 32, 32)


class TestFuzz:
    @settings(max_examples=400)
    @given(data=damaged())
    def test_damaged_files(self, fuzzed, data):
        image_or_unreadable(fuzzed, data)

    @settings(max_examples=100)
    @given(head=st.sampled_from([data[:8] for data in SEEDS] + [b""]), tail=st.binary(max_size=80))
    def test_random_bytes_behind_any_magic(self, fuzzed, head, tail):
        image_or_unreadable(fuzzed, head + tail)
