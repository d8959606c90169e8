"""The choice of a few images of each class."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.datasets.files import fingerprint
from cuesense.datasets.subset import subset
from cuesense.errors import SettingsError
from cuesense.types import Dataset, Sample


@dataclass(frozen=True)
class Toy:
    sample_ids: tuple[str, ...]
    labels: tuple[int, ...]
    spec: str = "toy"
    class_names: tuple[str, ...] = ("a", "b", "c")

    @property
    def fingerprint(self):
        return fingerprint(self.sample_ids, self.labels, [0] * len(self.labels))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return Sample(self.sample_ids[index], np.zeros((1, 1, 3), np.uint8), self.labels[index])


datasets = st.dictionaries(st.text(max_size=5), st.integers(0, 2), max_size=30).map(
    lambda rows: Toy(tuple(rows), tuple(rows.values()))
)
TOY = Toy(tuple(f"image-{index}" for index in range(60)), tuple(index % 3 for index in range(60)))


def rank(name):
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


@given(dataset=datasets, count=st.integers(1, 12))
def test_is_the_slow_choice(dataset, count):
    chosen = subset(dataset, count)
    wanted = set()
    for label in range(3):
        members = [name for name, its in zip(dataset.sample_ids, dataset.labels, strict=True) if its == label]
        wanted |= set(sorted(members, key=rank)[:count])
    assert set(chosen.sample_ids) == wanted
    assert list(chosen.sample_ids) == [name for name in dataset.sample_ids if name in wanted]


@given(dataset=datasets, count=st.integers(1, 12))
def test_is_a_dataset_that_gives_its_own_samples(dataset, count):
    chosen = subset(dataset, count)
    assert isinstance(chosen, Dataset)
    assert (chosen.spec, chosen.class_names) == (dataset.spec, dataset.class_names)
    assert len(chosen) == len(chosen.labels) == len(chosen.sample_ids)
    for index in range(len(chosen)):
        sample = chosen[index]
        assert (sample.id, sample.label) == (chosen.sample_ids[index], chosen.labels[index])


@given(count=st.integers(1, 25), order=st.permutations(range(60)))
def test_does_not_depend_on_the_order_of_files(count, order):
    shuffled = Toy(tuple(TOY.sample_ids[index] for index in order), tuple(TOY.labels[index] for index in order))
    assert set(subset(shuffled, count).sample_ids) == set(subset(TOY, count).sample_ids)


@given(count=st.integers(1, 20))
def test_grows_by_adding(count):
    smaller, larger = subset(TOY, count), subset(TOY, count + 1)
    assert Counter(smaller.labels) == dict.fromkeys(range(3), count)
    assert set(smaller.sample_ids) <= set(larger.sample_ids)


def test_is_no_plain_head():
    assert subset(TOY, 5).sample_ids != TOY.sample_ids[:15]


def test_the_fingerprint_sees_data_and_choice():
    same, again = subset(TOY, 5).fingerprint, subset(TOY, 5).fingerprint
    relabeled = replace(TOY, labels=tuple(reversed(TOY.labels)))
    assert same == again
    assert len({same, subset(TOY, 6).fingerprint, subset(relabeled, 5).fingerprint, TOY.fingerprint}) == 4


def test_the_fingerprint_sees_images_that_were_not_chosen():
    first = max(subset(TOY, 1).sample_ids, key=rank)
    later = next(f"extra-{index}" for index in range(10_000) if rank(f"extra-{index}") > rank(first))
    larger = replace(TOY, sample_ids=(*TOY.sample_ids, later), labels=(*TOY.labels, 0))
    assert subset(larger, 1).sample_ids == subset(TOY, 1).sample_ids
    assert subset(larger, 1).fingerprint != subset(TOY, 1).fingerprint


@pytest.mark.parametrize("count", [0, -3])
def test_less_than_one_is_refused(count):
    with pytest.raises(SettingsError, match=f"at least 1, but got {count}"):
        subset(TOY, count)
