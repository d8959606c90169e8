"""From MODEL and its options to a Classifier: preprocessing, its defaults, and what the user is told."""

import copy
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import cuesense.models
from cuesense.errors import ModelError, SettingsError, first_line
from cuesense.models.common import Loaded
from cuesense.models.load import _preprocessing, _wanted, load_classifier, wrap_module
from cuesense.types import ClassNames, Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CARRIED = Preprocessing((160, 160), 168, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bicubic")


def prepared(carried=None, input_size=None, **options):
    wanted = _wanted(*(options.get(key) for key in ("image_size", "resize", "mean", "std")))
    return _preprocessing(Loaded(nn.Identity(), "x", carried, input_size), wanted)


def test_what_the_weights_carry_is_used_without_a_word():
    assert prepared(CARRIED) == (CARRIED, ())


def test_each_option_overrides_its_field():
    chosen, remarks = prepared(CARRIED, image_size=(96, 128), resize=200, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 3.0))
    assert chosen == Preprocessing((96, 128), 200, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), "bicubic")
    assert remarks == ()
    assert prepared(CARRIED, mean=(0.0, 0.0, 0.0))[0].mean == (0.0, 0.0, 0.0)


def test_the_carried_resize_keeps_its_proportion():
    assert prepared(CARRIED, image_size=320)[0].resize == 336
    squash = Preprocessing((160, 160), None, MEAN, STD)
    assert prepared(squash, image_size=320)[0] == Preprocessing((320, 320), None, MEAN, STD)


def test_where_nothing_is_known_imagenet_is_assumed_and_said():
    chosen, remarks = prepared()
    assert chosen == Preprocessing((224, 224), 256, MEAN, STD, "bilinear")
    assert ["mean and std" in remarks[0], "224 of 256" in remarks[1], len(remarks)] == [True, True, 2]


@given(st.integers(1, 2000))
def test_a_size_alone_gives_the_usual_resize(size):
    chosen, remarks = prepared(image_size=size, mean=MEAN, std=STD)
    assert chosen.image_size == (size, size)
    assert chosen.resize == round(size / 0.875)
    assert len(remarks) == 1
    assert "87.5 %" in remarks[0]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"mean": MEAN, "std": STD, "image_size": 64, "resize": 72}, 0),
        ({"mean": MEAN, "image_size": 64, "resize": 72}, 1),
        ({"mean": MEAN, "std": STD}, 1),
        ({"image_size": 64}, 2),
    ],
)
def test_only_what_was_not_given_is_remarked(options, count):
    assert len(prepared(**options)[1]) == count


def test_a_fixed_input_size_counts_where_nothing_else_is_known():
    assert prepared(input_size=(64, 96))[0].image_size == (64, 96)
    assert prepared(input_size=(64, 64), image_size=32)[0].image_size == (32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size to be at least 1 pixel"),
        ({"image_size": (32, -1)}, "image_size to be at least 1 pixel"),
        ({"resize": 0}, "resize to be at least 1 pixel"),
        ({"mean": (123.0, 117.0, 104.0)}, "Divide by 255"),
        ({"std": (0.2, 0.0, 0.2)}, "std to be three positive numbers"),
        ({"image_size": 224, "resize": 128}, "resize to be at least the image size of 224"),
    ],
)
def test_options_out_of_range_are_one_sentence(tiny, options, message):
    with pytest.raises(SettingsError, match=message):
        wrap_module(tiny, **options)


def test_a_wrapped_module_is_a_copy_ready_to_run(tiny, images):
    module = copy.deepcopy(tiny).train()
    names = ClassNames(("a", "b", "c", "d", "e"))
    classifier = wrap_module(module, class_names=names, image_size=32, resize=40, mean=MEAN, std=STD)
    assert (classifier.spec, classifier.architecture) == ("python:Sequential", "Sequential")
    assert classifier.preprocessing == Preprocessing((32, 32), 40, MEAN, STD)
    assert (classifier.class_names, classifier.sha256, classifier.warnings) == (names, None, ())
    with torch.inference_mode():
        assert torch.equal(classifier.network(images), tiny(images))
    assert not any(value.requires_grad for value in classifier.network.parameters())
    assert module.training
    assert all(value.requires_grad for value in module.parameters())


def test_a_wrapped_module_takes_images_as_they_come(tiny):
    classifier = wrap_module(tiny.double())
    assert classifier.preprocessing == Preprocessing(None, None, MEAN, STD)
    assert len(classifier.warnings) == 1
    assert wrap_module(tiny, mean=MEAN, std=STD).warnings == ()
    assert {value.dtype for value in classifier.network.parameters()} == {torch.float32}
    assert {value.dtype for value in tiny.parameters()} == {torch.float64}


def test_an_exported_module_can_be_wrapped(tiny, images):
    exported = torch.export.export(tiny, (images,)).module()
    assert torch.allclose(wrap_module(exported).network(images), tiny(images), atol=1e-6)


def test_the_users_factory_is_called(factory_module, images):
    names = ClassNames(("a", "b", "c", "d", "e"))
    classifier = load_classifier(factory_module, class_names=names, image_size=16)
    assert classifier.network(images).shape == (2, 5)
    assert (classifier.spec, classifier.architecture) == (factory_module, "tiny_factory:build")
    assert (classifier.class_names, classifier.sha256) == (names, None)
    assert len(classifier.warnings) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tiny_factory", "a module and the name of a function"),
        ("tiny_factory:", "a module and the name of a function"),
        ("tiny_factory:biuld", "a function 'biuld' in tiny_factory.*Did you mean 'build'"),
        ("tiny_factory:number", "a function 'number' in tiny_factory"),
        ("tiny_factory:broken", "but got ValueError: no such width. Call it yourself"),
        ("tiny_factory:quits", "but got SystemExit: 7"),
        ("tiny_factory:wrong", "an nn.Module, but got an object of type str"),
        ("no_such_module_at_all:build", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    ],
)
@pytest.mark.usefixtures("factory_module")
def test_mistakes_with_a_factory_are_one_sentence(name, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_classifier(f"python:{name}")
    assert "\n" not in str(caught.value)


def test_arch_is_for_files():
    with pytest.raises(ModelError, match="arch to be left out with timm:test_vit"):
        load_classifier("timm:test_vit", arch="timm:test_vit")


def test_first_lines_are_short_and_never_empty():
    assert first_line(ValueError("one.\ntwo")) == "one"
    assert first_line(KeyError()) == "KeyError"
    assert len(first_line("x" * 999)) == 200


def test_the_package_is_light_and_has_two_entries():
    code = "import sys, cuesense.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = cuesense.models.other
