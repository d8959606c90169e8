"""Example images of every class with the model's answers, as small WebP files, and the file that keeps them."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cuesense.atomic_files import replacing, unwritable
from cuesense.schemas.profile import Profile

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "pictures.parquet"
_LOG = logging.getLogger(__name__)
_OF = b"cuesense pictures of"


@dataclass(frozen=True)
class Answer:
    """What a model answered to one image.

    Attributes:
        name: The output with the largest logit.
        probability: Its softmax probability, in [0, 1].
        right: Whether it is the image's class.
        rival: The likeliest other output: the image's class where the answer is wrong. None where it is an output that
            is no class of the dataset.
        rival_probability: Its softmax probability.
    """

    name: str
    probability: float
    right: bool
    rival: str | None
    rival_probability: float


@dataclass(frozen=True)
class Picture:
    """One image under one condition.

    Attributes:
        sample_id: The image's name in the dataset.
        severity: Rung of the perturbation's ladder, 0 for the clean image.
        value: The physical strength, in the curve's unit; 0 for the clean image.
        image: The encoded image, a WebP file.
        answer: What the model answered to the whole image at full size.
    """

    sample_id: str
    severity: int
    value: float
    image: bytes
    answer: Answer


@dataclass(frozen=True)
class Strip:
    """One image of a class under one perturbation: the one that flips at the mildest severity of all.

    Attributes:
        perturbation: The perturbation's name.
        clean: The image as it is.
        tiles: The image at some or all severities, mild to strong.
    """

    perturbation: str
    clean: Picture
    tiles: tuple[Picture, ...]


Pictures = Mapping[int, Sequence[Strip]]


def encode(array: NDArray[np.uint8], side: int, quality: int) -> bytes:
    """Return an image as a small WebP file.

    Args:
        array: RGB pixels, shape (H, W, 3), uint8.
        side: The longer side is at most this many pixels afterwards; images are never enlarged.
        quality: WebP's quality, 0 to 100.

    Returns:
        The file's bytes, equal for equal pixels.
    """
    image = Image.fromarray(array)
    # Pillow's default gap first averages boxes of pixels, which is faster but less exact; no time is lost here.
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality)
    return buffer.getvalue()


def write_pictures(pictures: Pictures, profile: Profile, folder: Path) -> None:
    """Write the pictures of a profile's classes beside it, as one table.

    Args:
        pictures: By position of the class in the profile.
        profile: The profile; its model, images and seed are noted in the file.
        folder: The folder of profile.json.

    Raises:
        OutputError: The folder cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row for at, strips in pictures.items() for strip in strips for row in _rows(at, profile, strip)]
    table = pa.Table.from_pylist(rows, schema=_schema().with_metadata({_OF: _measured(profile)}))
    try:
        with replacing(folder / FILE) as temporary:
            # The images are compressed already.
            pq.write_table(table, temporary, compression="zstd")
    except OSError as error:
        raise unwritable(folder, error) from None


def read_pictures(folder: Path, profile: Profile) -> dict[int, list[Strip]]:
    """Return the pictures beside a profile.

    Args:
        folder: The folder of profile.json.
        profile: The profile.

    Returns:
        The strips by position of the class; none where there is no such file, or one of other measurements. A damaged
        file gives none, and a warning in the log.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder / FILE
    try:
        table = pq.read_table(file)
        if (table.schema.metadata or {}).get(_OF) != _measured(profile):
            return {}
        rows = table.to_pylist()
        return _strips(rows, len(profile.classes))
    except FileNotFoundError:
        return {}
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        # Examples are no result: without them the page has all its numbers.
        _LOG.warning(
            "The example images in %s are damaged and left out: the page has all numbers, and no pictures. Run "
            "`cuesense analyze` again with the same output folder to draw them again, or delete the file.",
            file,
        )
        return {}


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("class_index", pa.int32()),
            ("class", pa.string()),
            ("perturbation", pa.string()),
            ("sample_id", pa.string()),
            ("severity", pa.int32()),
            ("value", pa.float64()),
            ("answer", pa.string()),
            ("probability", pa.float32()),
            ("right", pa.bool_()),
            ("rival", pa.string()),
            ("rival_probability", pa.float32()),
            ("image", pa.binary()),
        ]
    )


def _rows(position: int, profile: Profile, strip: Strip) -> Iterable[dict[str, Any]]:
    for picture in (strip.clean, *strip.tiles):
        yield {
            "class_index": position,
            "class": profile.classes[position].name,
            "perturbation": strip.perturbation,
            "sample_id": picture.sample_id,
            "severity": picture.severity,
            "value": picture.value,
            "answer": picture.answer.name,
            "probability": picture.answer.probability,
            "right": picture.answer.right,
            "rival": picture.answer.rival,
            "rival_probability": picture.answer.rival_probability,
            "image": picture.image,
        }


def _strips(rows: Sequence[Mapping[str, Any]], classes: int) -> dict[int, list[Strip]]:
    found: dict[tuple[int, str], list[Picture]] = {}
    for row in rows:
        found.setdefault((row["class_index"], row["perturbation"]), []).append(_picture(row))
    strips: dict[int, list[Strip]] = {}
    for (position, name), (clean, *tiles) in found.items():
        if 0 <= position < classes:
            strips.setdefault(position, []).append(Strip(name, clean, tuple(tiles)))
    return strips


def _picture(row: Mapping[str, Any]) -> Picture:
    answer = Answer(row["answer"], row["probability"], row["right"], row["rival"], row["rival_probability"])
    return Picture(row["sample_id"], row["severity"], row["value"], row["image"], answer)


def _measured(profile: Profile) -> bytes:
    """Return what tells the predictions of one model, dataset, configuration and seed from others."""
    known = profile.provenance
    model, dataset = known.model, known.dataset
    # The counts are others where the outputs stand for other classes, and with them the answers below the pictures.
    # Without ``seen``, which tells nothing more, so that pictures of earlier versions are still those of their profile.
    counts = [curve.model_dump(mode="json", exclude={"seen"}) for curve in profile.curves]
    parts = [model.sha256, model.preprocessing, dataset.fingerprint, known.config, known.seed, counts]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest().encode()
