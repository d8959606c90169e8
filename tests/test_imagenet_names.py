"""The shipped names of ImageNet's classes, compared with what the installed libraries say."""

import re

import pytest
from open_clip import IMAGENET_CLASSNAMES
from timm.data import ImageNetInfo
from torchvision.models import ResNet18_Weights

from cuesense.imagenet_names import imagenet_lemmas, imagenet_names, imagenet_synsets


def test_synsets_are_timms_in_sorted_order():
    assert list(imagenet_synsets()) == ImageNetInfo().label_names() == sorted(set(imagenet_synsets()))
    assert len(imagenet_synsets()) == 1000
    assert all(re.fullmatch(r"n\d{8}", synset) for synset in imagenet_synsets())


def test_lemmas_are_timms():
    info = ImageNetInfo()
    assert imagenet_lemmas() == {synset: info.label_name_to_description(synset) for synset in imagenet_synsets()}


def test_names_are_open_clips_where_those_differ_from_each_other():
    folded = [name.casefold() for name in IMAGENET_CLASSNAMES]
    for name, theirs, synset in zip(imagenet_names(), IMAGENET_CLASSNAMES, imagenet_synsets(), strict=True):
        repeated = folded.count(theirs.casefold()) > 1
        assert name == (imagenet_lemmas()[synset].split(",")[0] if repeated else theirs)


def test_names_differ_from_each_other():
    assert len({name.casefold() for name in imagenet_names()}) == 1000


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "tench"),
        (134, "crane bird"),
        (517, "construction crane"),
        (657, "missile"),
        (744, "projectile"),
        (836, "sunglass"),
        (837, "sunglasses"),
        (999, "toilet paper"),
    ],
)
def test_names_of_some_outputs(index, name):
    assert imagenet_names()[index] == name


def test_outputs_are_in_torchvisions_order():
    theirs = ResNet18_Weights.DEFAULT.meta["categories"]
    different = [
        index
        for index, (category, synset) in enumerate(zip(theirs, imagenet_synsets(), strict=True))
        if category not in imagenet_lemmas()[synset]
    ]
    assert [theirs[index] for index in different] == ["crane bird", "maillot tank suit"]


def test_lemmas_cannot_be_changed_by_a_caller():
    with pytest.raises(TypeError):
        imagenet_lemmas()["n01440764"] = "carp"
