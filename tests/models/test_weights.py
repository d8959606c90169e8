"""State dicts: what is wrapped around their keys, and whether they fit."""

import copy
import random
from collections import OrderedDict

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cuesense.models.weights import (
    HeadlessError,
    MisfitError,
    count_classes,
    fill,
    fit,
    fitting_prefixes,
    head_of,
    sketch,
)

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "backbone.", "student.encoder.", "x0.")


def wrapped(state, prefix):
    return {prefix + key: value for key, value in state.items()}


@given(st.lists(st.sampled_from(PREFIXES), max_size=4))
def test_any_prefix_comes_off(prefixes):
    own = {"0.weight": torch.zeros(1), "1.bias": torch.zeros(1)}
    outer = own
    for prefix in prefixes:
        outer = wrapped(outer, prefix)
    found = fit(own, outer)
    assert (found.state, found.beside, found.differences) == (own, (), ())


def test_marks_of_wrappers_come_off_inside_of_keys():
    own = {"layer1.0.weight": torch.zeros(1), "fc.bias": torch.zeros(1)}
    state = {"layer1._orig_mod.0.weight": torch.zeros(1), "_fsdp_wrapped_module.fc.bias": torch.zeros(1)}
    assert fit(own, state).state.keys() == own.keys()


def test_the_network_may_have_the_prefix_that_the_weights_lack():
    own = {"backbone.0.weight": torch.zeros(1), "backbone.1.bias": torch.zeros(1)}
    assert not fit(own, {"0.weight": torch.zeros(1), "1.bias": torch.zeros(1)}).differences
    assert fit(own, {"0.weight": torch.zeros(1)}).differences == ("1 missing (backbone.1.bias)",)


def test_what_stands_beside_the_network_stays_outside():
    own = {"0.weight": torch.zeros(3, 2), "1.bias": torch.zeros(1)}
    beside = {"criterion.weight": torch.ones(3), "loss": torch.tensor(1.0), "head.0.weight": torch.zeros(9, 9)}
    found = fit(own, wrapped(own, "model.") | beside)
    assert (found.prefix, set(found.beside), found.differences) == ("model.", set(beside), ())
    flat = fit(own, own | {key: beside[key] for key in ("criterion.weight", "loss")})
    assert not flat.differences
    assert fit(own, own | beside).differences == ("1 unexpected (head.0.weight)",)


def test_of_two_networks_the_one_of_the_right_shapes_is_taken():
    own = {"0.weight": torch.zeros(3, 2), "1.bias": torch.zeros(1)}
    larger = {"0.weight": torch.zeros(6, 2), "1.bias": torch.zeros(1)}
    found = fit(own, wrapped(larger, "a.") | wrapped(own, "b."))
    assert (found.prefix, found.differences) == ("b.", ())
    both = wrapped(own, "teacher.") | wrapped(own, "student.") | wrapped(own, "ema.")
    assert fitting_prefixes(own, both) == ["ema.", "student.", "teacher."]
    assert fitting_prefixes(own, wrapped(larger, "a.")) == []


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
    assert count_classes(network.state_dict(), head) == 17
    assert all(value.device.type == "meta" for value in network.parameters())


def test_no_head_no_classes():
    assert count_classes({"a.weight": torch.zeros(3, 2)}, "b") is None


def test_counts_of_operations_stay_outside(tiny):
    own = tiny.state_dict()
    first = next(iter(own)).rpartition(".")[0]
    counted = own | {"total_ops": torch.zeros(1), f"{first}.total_params": torch.zeros(1)}
    found = fit(own, counted)
    assert (found.state.keys(), found.differences) == (own.keys(), ())


def test_a_part_under_another_prefix_is_taken_where_it_is_the_only_one() -> None:
    own = {f"f.{place}.weight": torch.full((2,), float(place)) for place in range(4)} | {"head.weight": torch.ones(3)}
    inner = {key: value for key, value in own.items() if key != "head.weight"}
    for key in ("head.weight", "cls.head.weight"):
        found = fit(own, wrapped(inner, "backbone.") | {key: torch.ones(3), "loss.weight": torch.ones(1)})
        assert (found.differences, found.elsewhere, found.prefix) == ((), (key,), "backbone.")
        assert all(found.state[name].equal(own[name]) for name in own)
        assert found.beside == ("loss.weight",)
    heads = {"a.head.weight": torch.ones(3), "b.head.weight": torch.ones(3)}
    assert fit(own, wrapped(inner, "backbone.") | heads).differences == ("1 missing (head.weight)",)
    other = fit(own, wrapped(inner, "backbone.") | {"head.weight": torch.ones(5)})
    assert other.differences == ("1 of another shape (head.weight (5,) instead of (3,))",)
    # Half of a network is no part of it.
    half = {"backbone.a.weight": torch.ones(1), "b.weight": torch.ones(1)}
    assert fit({"a.weight": torch.ones(1), "b.weight": torch.ones(1)}, half).elsewhere == ()


def test_a_backbone_alone_is_told_from_another_network(tiny: nn.Module) -> None:
    state = dict(tiny.state_dict())
    bare = {key: value for key, value in state.items() if not key.startswith("6.")}
    with pytest.raises(HeadlessError, match=r"without its classification layer: 6\.weight, 6\.bias are missing"):
        fill(tiny, wrapped(bare, "backbone."), "python:tiny")
    for other in (bare | {"fc.weight": torch.ones(2)}, {key: bare[key] for key in list(bare)[1:]}):
        with pytest.raises(MisfitError) as caught:
            fill(tiny, other, "python:tiny")
        assert not isinstance(caught.value, HeadlessError)
