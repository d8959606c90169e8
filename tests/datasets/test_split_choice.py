"""Which part of a dataset is read: the one that was asked for in any spelling, else validation, test, training."""

import pytest

from cuesense.datasets.split_choice import choose_split
from cuesense.errors import SplitError


@pytest.mark.parametrize(
    ("names", "asked", "chosen"),
    [
        (["train", "test"], None, "test"),
        (["test", "validation", "train"], None, "validation"),
        (["train"], None, "train"),
        (["train", "unsupervised"], None, "train"),
        (["train", "validation"], "val", "validation"),
        (["train", "validation"], "train", "train"),
        (["Train", "Test"], "test", "Test"),
        (["train", "extra"], "extra", "extra"),
    ],
)
def test_choices(names, asked, chosen):
    found, said = choose_split(names, asked, "'x'")
    assert found == chosen
    assert (said is None) == (asked is not None)
    if len(names) == 1:
        assert said == "The only part of 'x', 'train', was read."


@pytest.mark.parametrize("asked", ["val", "extra", "tset"])
def test_a_part_that_is_not_there_is_refused_with_those_that_are(asked):
    with pytest.raises(SplitError, match="Give one of train, test"):
        choose_split(["train", "test"], asked, "'x'")
