"""Which architectures of the libraries a state dict has."""

import pytest
import timm
import torch
import torchvision

from cuesense.models.architectures import fitting_architectures, other_architectures


def wrapped(state, prefix):
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize(("name", "prefix"), [("squeezenet1_1", ""), ("mobilenet_v3_small", "module.backbone.")])
def test_the_architecture_is_recognized_with_another_head(name, prefix):
    state = torchvision.models.get_model(name, num_classes=3).state_dict()
    assert fitting_architectures(wrapped(state, prefix)) == [f"torchvision:{name}"]


def test_networks_that_differ_in_padding_alone_are_all_named():
    state = timm.create_model("mobilenetv3_small_100", num_classes=3).state_dict()
    assert fitting_architectures(state) == ["timm:mobilenetv3_small_100", "timm:tf_mobilenetv3_small_100"]


def test_what_both_libraries_have_is_torchvisions_first():
    state = torchvision.models.resnet18(num_classes=7).state_dict()
    beside = wrapped({"weight": torch.ones(3)}, "criterion.")
    assert fitting_architectures(wrapped(state, "model.") | beside)[:2] == ["torchvision:resnet18", "timm:resnet18"]


def test_networks_with_two_heads_and_auxiliary_heads_are_recognized():
    state = timm.create_model("deit_tiny_distilled_patch16_224", num_classes=3).state_dict()
    assert "timm:deit_tiny_distilled_patch16_224" in fitting_architectures(state)
    state = torchvision.models.googlenet(num_classes=3, init_weights=False).state_dict()
    assert fitting_architectures(state) == ["torchvision:googlenet"]


def test_unknown_architectures_are_not_guessed(tiny):
    assert fitting_architectures(tiny.state_dict()) == []
    other = torchvision.models.resnet18(num_classes=3).state_dict()
    other["layer1.0.conv1.weight"] = torch.zeros(64, 64, 1, 1)
    assert fitting_architectures(other) == []


@pytest.mark.parametrize("prefix", ["", "module.model."])
def test_weights_of_another_architecture_are_told_without_building_it(prefix):
    state = wrapped(torchvision.models.resnet18(num_classes=7).state_dict(), prefix)
    for arch in ("torchvision:resnet50", "torchvision:resnet34@IMAGENET1K_V1", "timm:resnet50.a1_in1k"):
        assert other_architectures(state, arch)[:2] == ["torchvision:resnet18", "timm:resnet18"]
    for arch in (
        "torchvision:resnet18",
        "timm:resnet18.a1_in1k",
        "timm:resnetblur18",
        "python:net:build",
        "timm:no_such",
    ):
        assert other_architectures(state, arch) == []


def test_what_may_fit_is_left_to_the_library(tiny):
    assert other_architectures(tiny.state_dict(), "torchvision:resnet18") == []
    # At another size of images its positions are others: those of a network that has its own name.
    state = timm.create_model("vit_tiny_patch16_384", num_classes=3).state_dict()
    assert other_architectures(state, "timm:vit_tiny_patch16_224") == []
    # A student beside a teacher: which is meant is no matter of keys alone.
    student, teacher = (torchvision.models.get_model(name).state_dict() for name in ("resnet18", "resnet34"))
    both = wrapped(student, "student.") | wrapped(teacher, "teacher.")
    assert other_architectures(both, "torchvision:resnet34") == []
