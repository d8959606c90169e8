"""Decoding real files of every kind, the limits that hold before, and files that are damaged on purpose."""

import io
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features
from PIL.PngImagePlugin import PngImageFile

from cuesense.datasets import formats
from cuesense.datasets.formats import decode, needed_for, readable_suffixes
from cuesense.datasets.images import resize_and_crop
from cuesense.datasets.value_range import value_range
from cuesense.errors import UnreadableImageError
from cuesense.types import Preprocessing
from tests.helpers.image_files import encoded, noise, written

PREPROCESSING = Preprocessing((32, 32), 36, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
MODERN = [kind for kind, known in (("AVIF", "avif"), ("JPEG2000", "jpg_2000")) if features.check(known)]


class TestDecode:
    @pytest.mark.parametrize("kind", [*FORMATS, *MODERN])
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

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", *MODERN])
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


class TestLimits:
    def webp(self, kind, width, height):
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = {
            b"VP8X": b"\0" * 4 + size,
            b"VP8L": b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little"),
            b"VP8 ": b"\0" * 3 + b"\x9d\x01\x2a" + struct.pack("<HH", width, height),
        }[kind]
        chunk = kind + struct.pack("<I", len(body)) + body
        return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk

    @pytest.mark.parametrize("kind", [b"VP8X", b"VP8L", b"VP8 "])
    def test_a_webp_is_refused_before_its_reader_makes_room(self, kind, tmp_path, monkeypatch):
        def opened(_):
            raise AssertionError

        monkeypatch.setattr(formats.WebPImageFile, "__init__", opened)
        with pytest.raises(UnreadableImageError, match=r"too large \(16383 x 16000 pixels\)"):
            decode(written(tmp_path / "x.webp", self.webp(kind, 16_383, 16_000)))

    @pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0"}])
    def test_the_size_in_a_webps_head_is_the_images(self, options):
        data = encoded(noise(300, 70), "WEBP", **options)
        assert formats._webp_size(data[:64]) == (300, 70)

    def test_a_png_that_announces_gigabytes_is_refused(self, tmp_path):
        head = b"IHDR" + struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
        data += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
        with pytest.raises(UnreadableImageError, match="too large"):
            decode(written(tmp_path / "x.png", data))

    def test_text_that_unpacks_to_gigabytes_is_damage(self, tmp_path):
        text = b"zTXtComment\0\0" + zlib.compress(bytes(2**26))
        chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
        data = encoded(noise(4, 4), "PNG")
        with pytest.raises(UnreadableImageError, match="damaged"):
            decode(written(tmp_path / "x.png", data[:33] + chunk + data[33:]))

    @pytest.mark.parametrize(("limit", "readable"), [(64, True), (63, False)])
    def test_jpeg_2000_has_a_limit_of_its_own(self, limit, readable, tmp_path, monkeypatch):
        if "JPEG2000" not in MODERN:
            pytest.skip("this Pillow does not read it")
        monkeypatch.setattr(formats, "_MAX_PIXELS_JPEG_2000", limit)
        path = written(tmp_path / "x.jp2", encoded(noise(8, 8), "JPEG2000"))
        if readable:
            assert decode(path).size == (8, 8)
            return
        with pytest.raises(UnreadableImageError, match="too large"):
            decode(path)

    def test_scans_of_a_progressive_jpeg_are_counted(self, tmp_path, monkeypatch):
        data = encoded(noise(64, 64), "JPEG", progressive=True)
        scans = data.count(b"\xff\xda")
        path = written(tmp_path / "x.jpg", data)
        monkeypatch.setattr(formats, "_MAX_SCANNED", scans * 64 * 64)
        oracle = Image.open(io.BytesIO(data)).convert("RGB")
        np.testing.assert_array_equal(np.asarray(decode(path)), np.asarray(oracle))
        monkeypatch.setattr(formats, "_MAX_SCANNED", scans * 64 * 64 - 1)
        with pytest.raises(UnreadableImageError, match=f"in {scans} scans"):
            decode(path)

    def test_large_images_are_decoded_one_at_a_time(self, tmp_path, monkeypatch):
        monkeypatch.setattr(formats, "_LARGE", 63)
        path = written(tmp_path / "x.png", encoded(noise(8, 8), "PNG"))
        with formats._one_large, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(decode, path)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
            formats._one_large.release()
            assert waiting.result(timeout=60).size == (8, 8)
            formats._one_large.acquire()

    @pytest.mark.parametrize(
        "error",
        [struct.error, SyntaxError, MemoryError, OverflowError, zlib.error, IndexError, KeyError, RecursionError],
    )
    def test_whatever_a_reader_raises_is_an_unreadable_image(self, error, tmp_path, monkeypatch):
        def load(_):
            raise error("no")

        monkeypatch.setattr(PngImageFile, "load", load)
        with pytest.raises(UnreadableImageError, match="it is damaged"):
            decode(written(tmp_path / "x.png", encoded(noise(8, 8), "PNG")))


class TestPlugIns:
    HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"

    def test_heic_needs_a_package_that_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        formats._heic.cache_clear()
        with pytest.raises(UnreadableImageError, match=r"install pillow-heif to read HEIC"):
            decode(written(tmp_path / "x.jpg", self.HEIC))
        formats._heic.cache_clear()

    def test_heic_is_read_by_the_package(self, tmp_path, monkeypatch):
        stand_in = SimpleNamespace(HeifImageFile=lambda file: PngImageFile(io.BytesIO(file.read()[24:])))
        monkeypatch.setitem(sys.modules, "pillow_heif", stand_in)
        formats._heic.cache_clear()
        image = noise(8, 8)
        decoded = decode(written(tmp_path / "x.heic", self.HEIC + encoded(image, "PNG")))
        formats._heic.cache_clear()
        np.testing.assert_array_equal(np.asarray(decoded), np.asarray(image))

    def test_an_old_pillow_names_what_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(formats, "_avif", lambda: None)
        monkeypatch.setattr(features, "check_codec", lambda _: False)
        with pytest.raises(UnreadableImageError, match="install a newer Pillow to read AVIF"):
            decode(written(tmp_path / "x", b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif"))
        with pytest.raises(UnreadableImageError, match="with OpenJPEG to read JPEG 2000"):
            decode(written(tmp_path / "y", b"\xff\x4f\xff\x51"))

    def test_other_boxes_are_no_image(self, tmp_path):
        with pytest.raises(UnreadableImageError, match="it is no JPEG"):
            decode(written(tmp_path / "x.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42"))

    def test_what_can_be_read_needs_nothing(self):
        assert {".jpg", ".png", ".tiff"} <= readable_suffixes()
        assert needed_for(".jpg") is needed_for(".txt") is None


class TestDeepColor:
    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bit_color_remembers_how_large_it_can_have_been(self, kind, tmp_path):
        values = np.array([[[0, 100, 1000], [3, 700, 1023]]], dtype=np.uint16)
        decoded = decode(written(tmp_path / "x", deep_color(values, kind)))
        assert np.asarray(decoded)[0, :, 2].tolist() == [3, 3]
        assert value_range(decoded) == (1023, 65535)

    def test_8_bit_color_has_no_range(self, tmp_path):
        assert np.isnan(value_range(decode(written(tmp_path / "x", encoded(noise(4, 4), "PNG")))).largest)


def deep_color(values, kind):
    """Return a PNG or TIFF file of 16-bit color, which Pillow does not write; values have the shape (H, W, 3)."""
    height, width, _ = values.shape
    if kind == "TIFF":
        data = values.astype("<u2").tobytes()
        tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 2), (273, 122), (277, 3), (278, height)]
        tags.append((279, len(data)))
        # The strip stands behind the header (8), the number of entries (2), nine entries (12 each) and an end (4).
        rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        rows = rows.replace(struct.pack("<HHII", 258, 4, 1, 16), struct.pack("<HHIHH", 258, 3, 1, 16, 0))
        return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + struct.pack("<I", 0) + data
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


SEEDS = [encoded(noise(9, 7), kind) for kind in (*FORMATS, *MODERN)]
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
    @given(head=st.sampled_from([data[:16] for data in SEEDS] + [b""]), tail=st.binary(max_size=80))
    def test_random_bytes_behind_any_magic(self, fuzzed, head, tail):
        image_or_unreadable(fuzzed, head + tail)
