"""State dicts: where they hide, what is wrapped around their keys, and whether they fit."""

import copy
import random
from collections import OrderedDict

import pytest
import timm
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cuesense.models.architectures import fitting_architectures
from cuesense.models.checkpoint import find
from cuesense.models.weights import MisfitError, count_classes, fill, head_of, sketch, variants

NESTED = ("state_dict_ema", "model_ema", "ema", "state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")


def wrapped(state, prefix):
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize("key", NESTED)
def test_weights_are_found_under_every_usual_key(key):
    state = {"fc.weight": torch.zeros(2, 3)}
    assert find({"epoch": 3, key: state, "optimizer": {"lr": torch.tensor(0.1)}}).weights == state


@given(st.lists(st.sampled_from(NESTED), min_size=2, unique=True))
def test_the_first_key_in_the_order_wins(keys):
    content = {key: {"fc.weight": torch.full((1,), float(NESTED.index(key)))} for key in keys}
    found = find(content)
    assert found.weights["fc.weight"].item() == min(map(NESTED.index, keys))


def test_a_module_in_a_checkpoint_and_two_levels_are_found(tiny):
    assert find({"epoch": 1, "model": tiny}).weights is tiny
    assert find({"model": {"state_dict": {"w": torch.ones(1)}}}).weights["w"] == 1


@pytest.mark.parametrize("empty", [{}, {"epoch": 3}, {"ema": None, "model": {}}, [1, 2], "text", {1: torch.ones(1)}])
def test_nothing_is_found_where_nothing_is(empty):
    assert find(empty) is None


def test_an_empty_average_does_not_hide_the_weights():
    assert find({"ema": None, "model_ema": {}, "ema_decay": 0.9, "model": {"w": torch.ones(1)}}).weights["w"] == 1


@given(st.lists(st.sampled_from(PREFIXES), max_size=4))
def test_prefixes_come_off_in_any_order(prefixes):
    state = {"0.weight": torch.zeros(1), "1.bias": torch.zeros(1)}
    outer = state
    for prefix in prefixes:
        outer = wrapped(outer, prefix)
    unwrapped = list(variants(outer))
    assert len(unwrapped) == len(prefixes) + 1
    assert set(unwrapped[-1]) == set(state)
    assert set(unwrapped[0]) == set(outer)


def test_a_prefix_stays_where_one_key_lacks_it():
    state = {"model.a": torch.zeros(1), "head.a": torch.zeros(1)}
    assert [set(variant) for variant in variants(state)] == [set(state)]


def test_the_counter_of_averaged_models_does_not_keep_the_prefix(tiny):
    averaged = torch.optim.swa_utils.AveragedModel(tiny)
    network = fill(copy.deepcopy(tiny), averaged.state_dict(), "python:tiny")
    assert torch.equal(network[6].weight, tiny[6].weight)


def test_a_network_whose_own_keys_look_wrapped_keeps_them(tiny):
    own = nn.ModuleDict({"model": tiny})
    filled = fill(nn.ModuleDict({"model": copy.deepcopy(tiny)}), wrapped(own.state_dict(), "module."), "python:own")
    assert torch.equal(filled["model"][0].weight, tiny[0].weight)


def test_fill_loads_every_tensor_whatever_the_order_and_precision(tiny):
    items = [(key, value.half() if value.is_floating_point() else value) for key, value in tiny.state_dict().items()]
    random.Random(0).shuffle(items)
    other = copy.deepcopy(tiny)
    for parameter in other.parameters():
        parameter.data.zero_()
    fill(other, OrderedDict(items), "python:tiny")
    for key, value in tiny.state_dict().items():
        assert torch.allclose(other.state_dict()[key], value, atol=1e-3), key


def test_counters_of_old_torch_may_be_missing(tiny):
    state = {key: value for key, value in tiny.state_dict().items() if "num_batches" not in key}
    fill(copy.deepcopy(tiny), state, "python:tiny")


def test_what_differs_is_named(tiny):
    state = dict(tiny.state_dict())
    del state["0.bias"]
    state |= {f"extra.{i}": torch.zeros(1) for i in range(5)}
    state["6.weight"] = torch.zeros(7, 4)
    with pytest.raises(MisfitError) as caught:
        fill(copy.deepcopy(tiny), state, "python:tiny")
    assert str(caught.value) == (
        "Expected the file's weights to be those of python:tiny, but got 1 missing (0.bias) and 5 unexpected "
        "(extra.0, extra.1, extra.2 and 2 more) and 1 of another shape (6.weight (7, 4) instead of (5, 4))."
    )


def test_a_misfit_leaves_the_network_as_it_was(tiny):
    before = copy.deepcopy(tiny.state_dict())
    with pytest.raises(MisfitError):
        fill(tiny, {"0.weight": torch.full((4, 3, 3, 3), 9.0)}, "python:tiny")
    assert all(torch.equal(before[key], value) for key, value in tiny.state_dict().items())


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", "fc"),
        ("squeezenet1_1", "classifier.1"),
        ("mobilenet_v3_small", "classifier.3"),
        ("vit_b_32", "heads.head"),
        ("swin_t", "head"),
        ("densenet121", "classifier"),
        ("regnet_y_400mf", "fc"),
    ],
)
def test_the_head_of_known_networks_and_its_classes(name, head):
    network = sketch(lambda: torchvision.models.get_model(name, num_classes=17))
    assert head_of(network) == head
    assert count_classes(wrapped(network.state_dict(), "module."), head) == 17
    assert all(value.device.type == "meta" for value in network.parameters())


def test_no_head_no_classes():
    assert count_classes({"a.weight": torch.zeros(3, 2)}, "b") is None


@pytest.mark.parametrize(("name", "prefix"), [("squeezenet1_1", ""), ("mobilenet_v3_small", "module._orig_mod.")])
def test_the_architecture_is_recognized_with_another_head(name, prefix):
    state = torchvision.models.get_model(name, num_classes=3).state_dict()
    assert fitting_architectures(wrapped(state, prefix)) == [f"torchvision:{name}"]


def test_architectures_of_timm_are_recognized():
    state = timm.create_model("mobilenetv3_small_100", num_classes=3).state_dict()
    assert fitting_architectures(state) == ["timm:mobilenetv3_small_100"]


def test_unknown_architectures_are_not_guessed(tiny):
    assert fitting_architectures(tiny.state_dict()) == []
