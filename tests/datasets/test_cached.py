"""Images that stay in memory are the same images."""

import numpy as np
import pytest
from PIL import Image

from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.images import resize_and_crop
from cuesense.errors import UnreadableImageError
from cuesense.types import Dataset, Preprocessing, Sample
from tests.helpers.small_networks import Colors


def test_it_is_the_same_dataset_decoded_once() -> None:
    source = Colors(12)
    data = CachedDataset(source)
    assert isinstance(data, Dataset)
    assert (data.spec, data.class_names, len(data)) == (source.spec, source.class_names, 12)
    assert (data.sample_ids, data.labels, data.fingerprint) == (source.sample_ids, source.labels, source.fingerprint)
    first = [data[index].image for index in range(12)]
    again = [data[index].image for index in range(12)]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert len(source.read) == 12


def test_the_limit_is_kept() -> None:
    source = Colors(12)
    data = CachedDataset(source, limit=5 * 16 * 16 * 3)
    for _ in range(2):
        for index in range(12):
            assert data[index].label == source.labels[index]
    assert len(source.read) == 12 + 7


def test_what_cannot_be_read_is_tried_again() -> None:
    data = CachedDataset(Colors(6, broken=frozenset({2})))
    for _ in range(2):
        with pytest.raises(UnreadableImageError):
            data[2]


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "RGB"])
def test_modes_are_prepared_as_if_they_were_decoded_anew(mode: str) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)).convert(mode)

    class One(Colors):
        def __getitem__(self, index: int) -> Sample:
            return Sample("0", image, 0)

    size = Preprocessing((16, 16), 18, (0.5,) * 3, (0.5,) * 3)
    data = CachedDataset(One(1))
    for _ in range(2):
        assert np.array_equal(resize_and_crop(data[0].image, size), resize_and_crop(image, size))
