"""Datasets of the hub through the package ``datasets``: offline, from its cache, and without the package."""

import sys

import numpy as np
import pytest

from cuesense.datasets.hub import from_hub, from_rows
from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError
from tests.helpers import dataset_files as made
from tests.helpers.small_networks import NAMES

datasets = pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def rows():
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(NAMES))})
    images = [{"bytes": file, "path": f"{stem}.png"} for file, stem in zip(made.FILES, made.STEMS, strict=True)]
    return datasets.Dataset.from_dict({"image": images, "label": made.LABELS}, features=features)


def test_rows_are_read_like_files(rows):
    dataset = from_rows(rows, "hf:x/y")
    assert (dataset.spec, dataset.class_names, list(dataset.sample_ids)) == ("hf:x/y", NAMES, made.NAMED)
    np.testing.assert_array_equal(np.asarray(dataset[5].image), made.PIXELS[5])


def test_rows_in_another_order_have_no_names_to_go_by(rows):
    dataset = from_rows(rows.select([5, 3, 1]), "hf:x/y")
    assert dataset.sample_ids == ("000000000", "000000001", "000000002")
    np.testing.assert_array_equal(np.asarray(dataset[0].image), made.PIXELS[5])


def test_a_name_goes_to_the_package_offline_and_its_parts_are_chosen(rows, monkeypatch):
    asked = []

    def load(name, config):
        asked.append((name, config, datasets.config.HF_HUB_OFFLINE))
        return datasets.DatasetDict({"train": rows.select(range(4)), "test": rows})

    monkeypatch.setattr(datasets, "load_dataset", load)
    before = datasets.config.HF_HUB_OFFLINE
    dataset = load_dataset("hf:user/birds@small")
    assert asked == [("user/birds", "small", True)]
    assert before == datasets.config.HF_HUB_OFFLINE
    assert (dataset.spec, dataset.split, len(dataset)) == ("hf:user/birds@small", "test", made.COUNT)
    load_dataset("hf:user/birds", download=True, split="train")
    assert asked[1] == ("user/birds", None, before)


def test_what_is_not_in_the_cache_says_how_to_fetch_it(monkeypatch):
    def load(*_):
        raise ConnectionError("offline\nmode")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(DatasetError, match=r"cache of datasets .*'offline'.*add download"):
        from_hub("user/birds", split=None, download=False)


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DatasetError, match=r"pip install 'cuesense\[hf\]'"):
        load_dataset("hf:user/birds")
