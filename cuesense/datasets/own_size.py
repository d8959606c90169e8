"""The size that all images of a dataset share, where they do."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cuesense.errors import UnreadableImageError
from cuesense.types import Dataset, Sample

# Images that are looked at, evenly spread over the ids. Photographs of all sizes differ within the first few, and
# decoding more would take longer than it tells. Chosen by hand; not tuned.
_LOOKED_AT = 64
# Pictures of a camera share a size, too, and no network was trained on them as they are. Chosen by hand.
LARGEST_OWN = 256


def own_size(dataset: Dataset) -> tuple[int, int] | None:
    """Return height and width in pixels that all images of a dataset share.

    Args:
        dataset: The images; up to 64 of them are decoded.

    Returns:
        The size; None where they differ, none can be read, or a side is longer than 256 pixels.
    """
    order = sorted(range(len(dataset)), key=lambda index: dataset.sample_ids[index])
    places = np.linspace(0, len(order) - 1, min(len(order), _LOOKED_AT)).round().astype(int).tolist()
    found: tuple[int, int] | None = None
    for place in dict.fromkeys(places):
        try:
            size = _size(dataset[order[place]])
        except UnreadableImageError:
            continue
        if found not in (None, size) or max(size) > LARGEST_OWN:
            return None
        found = size
    return found


def _size(sample: Sample) -> tuple[int, int]:
    if isinstance(sample.image, Image.Image):
        return sample.image.height, sample.image.width
    height, width = sample.image.shape[:2]
    return height, width
