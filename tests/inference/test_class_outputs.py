"""Which output stands for which class where nobody names the outputs: by their number, and by what is recognized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cuesense.datasets.classes import read_class_names
from cuesense.errors import ModelError, UnreadableImageError
from cuesense.inference.class_outputs import orders_differ, settle
from cuesense.inference.loading import load_matched
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import probe
from cuesense.types import Classifier, ClassNames, Preprocessing, Sample

# What is said where nothing tells why the numbers differ.
PLAIN = r"one for each class, but got \d+\. Give class_names"
AS_TEXT = ("0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9")


@dataclass
class Grays:
    """Images whose brightness is the number of their class, or its rank where it is none; some may be unreadable."""

    class_names: tuple[str, ...]
    of_each: int = 5
    without: frozenset[str] = frozenset()
    broken: bool = False
    spec: str = "grays"
    fingerprint: str = "0"

    @property
    def labels(self) -> list[int]:
        rows = [index for index, name in enumerate(self.class_names) if name not in self.without]
        return [row for row in rows for _ in range(self.of_each)]

    @property
    def sample_ids(self) -> list[str]:
        return [f"{place:05d}" for place in range(len(self))]

    def __len__(self) -> int:
        return self.of_each * (len(self.class_names) - len(self.without))

    def __getitem__(self, index: int) -> Sample:
        if self.broken:
            raise UnreadableImageError("not an image")
        label = self.labels[index]
        name = self.class_names[label]
        shade = int(name) if name.isdecimal() else label
        return Sample(self.sample_ids[index], np.full((4, 4, 3), 8 * (shade % 32) + 4, np.uint8), label)


class Shade(nn.Module):
    """Recognizes brightness; its outputs are the shades in an order."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("shades", torch.tensor([(8 * (shade % 32) + 4) / 255 for shade in order]))

    def forward(self, images: Tensor) -> Tensor:
        shades = self.get_buffer("shades")
        return -1000 * (images.mean(dim=(1, 2, 3))[:, None] - shades).abs()


def classifier(network: nn.Module) -> Classifier:
    plain = Preprocessing((4, 4), 4, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return Classifier("shade", "shade", network.eval(), plain)


def settled(order: Sequence[int], data: Grays, names: ClassNames | None = None) -> tuple[Classifier, tuple[int, ...]]:
    options = RunOptions("cpu")
    found, outputs, _ = load_matched(replace(classifier(Shade(order)), class_names=names), data)
    tried = probe(found, data, options)
    return settle(tried.applied(found), data, outputs, tried.output_count, options)


@pytest.mark.parametrize(
    ("names", "differ"),
    [
        (AS_TEXT, True), (("1", "10", "2"), True), (("0", "1", "2"), False), (("00", "01", "10"), False),
        (("0", "10", "2", "x"), False), (("10", "9"), True), (("1", "01", "10", "2"), False), (("²", "10"), False),
        (("class1", "class10", "class2"), True), (("c1", "d10", "c2"), False), (("c01", "c02", "c10"), False),
        (("1_a", "10_b", "2_c"), True), (("1-a", "10.b", "2 c"), True), (("1a", "10b", "2c"), False),
        (("1_a", "1_b", "10_c", "2_d"), False), (("a", "b"), False),
    ],
)  # fmt: skip
def test_orders_of_numbers(names: tuple[str, ...], differ: bool) -> None:
    assert orders_differ(names) is differ


@pytest.mark.parametrize("first", [0, 1])
def test_a_network_whose_outputs_are_in_the_order_of_numbers_is_read_so(first: int) -> None:
    data = Grays(tuple(sorted(str(number + first) for number in range(12))))
    found, outputs = settled(range(first, 12 + first), data)
    assert outputs == tuple(int(name) - first for name in data.class_names)
    assert found.class_names == ClassNames(tuple(str(number + first) for number in range(12)))
    (said,) = found.assumptions
    shown, other = ", ".join(data.class_names[:3]), "16.7%" if first == 0 else "8.3%"
    assert said == (
        f"The class folders are numbered ({shown}, ... as text), and 100.0% of 60 clean images are recognized in the "
        f"order of the numbers and {other} in that of text: the outputs were taken to be in the order of the numbers. "
        f"To say it yourself, name the outputs in their order (--class-names)."
    )
    assert found.warnings == ()
    assert "class_names" in found.guessed


def test_a_network_of_imagefolder_keeps_the_order_of_text() -> None:
    found, outputs = settled([int(name) for name in AS_TEXT], Grays(AS_TEXT))
    assert outputs == tuple(range(12))
    assert found.class_names == ClassNames(AS_TEXT)
    (said,) = found.assumptions
    assert "were taken to be in the order of text, as torchvision's ImageFolder sorts folders." in said
    assert found.warnings == ()


def test_a_network_that_decides_nothing_keeps_the_order_of_text_with_a_warning() -> None:
    found, outputs = settled([0] * 12, Grays(AS_TEXT))
    assert outputs == tuple(range(12))
    (warning,) = found.warnings
    assert "the order of the outputs is not certain: 8.3% of 60 clean images" in warning
    assert "That of text was taken." in warning


@pytest.mark.parametrize(("images", "certain"), [(7, False), (8, True)])
def test_both_sides_of_the_level(images: int, certain: bool) -> None:
    # Ten of twelve classes have another place in the other order: of n images that one order alone explains, all for
    # it, the two-sided p is 2 / 2 ** n: 0.0156 for 7 and 0.0078 for 8.
    without = frozenset({"0", "1", *sorted(set(AS_TEXT) - {"0", "1"})[images:]})
    found, _ = settled(range(12), Grays(AS_TEXT, of_each=1, without=without))
    assert (found.warnings == ()) is certain


def test_without_readable_images_the_order_of_text_is_said() -> None:
    data = Grays(AS_TEXT, broken=True)
    loaded, outputs, _ = load_matched(classifier(Shade(range(12))), data)
    found, kept = settle(loaded, data, outputs, 12, RunOptions("cpu"))
    assert kept == outputs
    assert "in the order of text" in found.assumptions[0]
    assert settle(loaded, data, outputs, None, RunOptions("cpu")) == (loaded, outputs)


def test_names_that_are_known_are_left_alone() -> None:
    names = ClassNames(tuple(str(number) for number in range(12)))
    found, outputs = settled(range(12), Grays(AS_TEXT), names)
    assert outputs == tuple(map(int, AS_TEXT))
    assert found.assumptions == ()


def test_labels_that_are_sorted_as_numbers_are_indices() -> None:
    data = Grays(tuple(str(number) for number in range(12)))
    found, outputs = settled(range(12), data)
    assert (outputs, found.assumptions) == (tuple(range(12)), ())


def test_numbers_below_more_outputs_are_indices() -> None:
    found, outputs = settled(range(20), Grays(("10", "11", "3")))
    assert outputs == (10, 11, 3)
    assert found.class_names is not None
    assert len(found.class_names.names) == 20
    assert "class_names" not in found.guessed
    (said,) = found.assumptions
    assert said.startswith("The model has 20 outputs, and the 3 class folders are numbers from 3 to 11: each was taken")
    # 20 is no index of 20 outputs.
    with pytest.raises(ModelError, match=PLAIN):
        settled(range(20), Grays(("10", "11", "20")))


def test_a_part_of_imagenet_gets_the_outputs_of_its_classes() -> None:
    known = read_class_names("imagenet")
    for names in ((known.synsets[5], known.synsets[900]), ("tench", "goldfish")):
        found, outputs = settled(range(1000), Grays(names))
        assert outputs == ((5, 900) if names[0] != "tench" else (0, 1))
        assert found.class_names == known
        assert found.assumptions == (
            "The model has 1,000 outputs, and the 2 classes are ImageNet's: the outputs were taken for ImageNet's "
            "classes in their usual order (--class-names imagenet).",
        )
    for count, names in ((1000, ("tench", "my cat")), (999, ("tench", "goldfish"))):
        with pytest.raises(ModelError, match=PLAIN):
            settled(range(count), Grays(names))


def test_classes_in_two_spellings_are_named() -> None:
    names = ("Red fox", "cat", "cat ", "red_fox")
    with pytest.raises(ModelError) as caught:
        settled(range(2), Grays(names))
    text = caught.value.for_command_line
    assert "to be 4, one for each class, but got 2" in text
    assert "'Red fox' and 'red_fox', 'cat' and 'cat '" in text
    with pytest.raises(ModelError, match=PLAIN):
        settled(range(3), Grays(names))
    assert settled(range(4), Grays(names))[1] == (0, 1, 2, 3)


def test_empty_folders_beside_the_right_number_are_named() -> None:
    names = ("a", "b", "c", "d")
    with pytest.raises(ModelError) as caught:
        settled(range(3), Grays(names, without=frozenset({"c"})))
    assert caught.value.for_command_line == (
        "Expected the number of the model's outputs to be 4, one for each class folder, but got 3, as many as without "
        "the 1 folder without an image: 'c'. Remove it, or name the outputs with --class-names."
    )
    with pytest.raises(ModelError, match="the 2 folders without an image: 'a', 'c'"):
        settled(range(2), Grays(names, without=frozenset({"a", "c"})))
    assert settled(range(4), Grays(names, without=frozenset({"c"})))[1] == (0, 1, 2, 3)
    # Another number is another mistake.
    with pytest.raises(ModelError, match=PLAIN):
        settled(range(7), Grays(names, without=frozenset({"c"})))


def test_groups_of_as_many_folders_as_outputs_are_named() -> None:
    data = Grays(("pome", "stone"), of_each=2)
    ids = ["pome/apple/1", "pome/pear/1", "stone/cherry/1", "stone/peach/1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Grays, "sample_ids", ids)
        with pytest.raises(
            ModelError, match="as many as there are folders of their own inside the class folders"
        ) as got:
            settled(range(4), data)
        assert "'pome/apple', 'pome/pear', 'stone/cherry' and 1 more" in str(got.value)
        with pytest.raises(ModelError, match=PLAIN):
            settled(range(5), data)
