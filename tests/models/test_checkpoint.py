"""Checkpoints: where weights hide, which are taken, and what is said beside them."""

import argparse
import datetime
import enum
import pathlib
import pickle
import sys
from collections import defaultdict, deque
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cuesense.errors import ModelError
from cuesense.models.checkpoint import about, find, is_averaged
from cuesense.models.pickles import load_pickle

KEYS = (
    "net",
    "weights",
    "params",
    "student",
    "model_state",
    "network",
    "ema",
    "state_dict_ema",
    "generator_g",
    "my net",
)


def state(value=0.0, size=4):
    return {"fc.weight": torch.full((size, 3), value), "fc.bias": torch.full((size,), value)}


class Color(enum.Enum):
    RED = "red"


@dataclass
class Options:
    lr: float
    inner: object = None


class Config(dict):
    pass


@pytest.mark.parametrize("key", KEYS)
def test_weights_are_found_under_every_key(key):
    weights = state()
    optimizer = {"state": {0: {"exp_avg": torch.ones(99, 99)}}, "param_groups": [{"lr": 0.1}]}
    found = find({"epoch": 3, key: weights, "optimizer": optimizer, "opt2": optimizer, "loss": torch.tensor(0.1)})
    assert (found.weights, found.key, dict(found.others)) == (weights, key, {})


def test_a_module_in_a_checkpoint_and_deeper_levels_are_found(tiny):
    assert find({"epoch": 1, "model": tiny}).weights is tiny
    found = find({"runs": [{"fold": 1, "nets": (1, {"state": state(1.0)})}]})
    assert (found.key, found.weights["fc.bias"][0]) == ("runs.0.nets.1.state", 1)
    assert find((state(2.0), {"epoch": 3})).key == "0"


@pytest.mark.parametrize("empty", [{}, {"epoch": 3}, {"ema": None, "model": {}}, [1, 2], "text", {1: torch.ones(1)}])
def test_nothing_is_found_where_nothing_is(empty):
    assert find(empty) is None


def test_numbers_and_optimizers_alone_are_no_weights():
    assert find({"loss": torch.tensor(1.0), "accuracy": torch.tensor(0.5)}) is None
    assert find({"optimizer_states": [{"state": {"0": {"exp_avg": torch.ones(3)}}}]}) is None
    assert find({"state": {}, "param_groups": [{"w": torch.ones(3)}]}) is None


def test_an_empty_average_does_not_hide_the_weights():
    assert find({"ema": None, "model_ema": {}, "ema_decay": 0.9, "model": {"w": torch.ones(1)}}).weights["w"] == 1


@given(st.permutations(["teacher", "zeta", "alpha", "model", "state_dict", "ema"]))
def test_the_written_order_decides_and_the_others_are_named(keys):
    sizes = {"zeta": 6}
    found = find({key: state(size=sizes.get(key, 4)) for key in keys})
    assert [found.key, *found.others] == ["ema", "state_dict", "model", "zeta", "alpha", "teacher"]


def test_small_tensors_beside_weights_are_no_other_weights():
    found = find({"net": state(size=1000), "class_weights": torch.ones(5), "stats": {"mean": torch.ones(3)}})
    assert (found.key, dict(found.others)) == ("net", {})


def test_a_key_takes_what_it_names():
    content = {"a": {"net": state(1.0)}, "b": {"ema": state(2.0)}, "optimizer": {"slow": state(3.0)}}
    for key, value in (("a.net", 1), ("net", 1), ("b.ema", 2), ("ema", 2), ("slow", 3)):
        found = find(content, key)
        assert (found.weights["fc.bias"][0], dict(found.others)) == (value, {})
    flat = {f"{name}.{key}": value for name in ("student", "teacher") for key, value in state(5.0).items()}
    assert find(flat, "teacher").weights.keys() == state().keys()
    assert find({"x": flat}, "x.teacher").weights.keys() == state().keys()
    with pytest.raises(ModelError, match=r"weights_key to be one of 'a.net', 'b.ema', 'optimizer.slow', but got 'c'"):
        find(content, "c")


@pytest.mark.parametrize(
    ("path", "averaged"),
    [
        ("model_ema", 1),
        ("ema", 1),
        ("a.ema.b", 1),
        ("swa_model", 1),
        ("schema", 0),
        ("emalloc", 0),
        ("model", 0),
        ("cinema", 0),
    ],
)
def test_averages_are_known_by_whole_words(path, averaged):
    assert is_averaged(path) == bool(averaged)


def test_arrays_with_the_names_of_weights_are_weights(tmp_path):
    arrays = {"conv.weight": np.ones((2, 3), np.float32), "conv.bias": np.arange(2.0)}
    torch.save({"params": arrays, "losses": np.ones(3)}, tmp_path / "m.pt")
    found = find(load_pickle(tmp_path / "m.pt"))
    assert found.key == "params"
    assert torch.equal(found.weights["conv.bias"], torch.arange(2.0, dtype=torch.float64))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("legacy", [False, True])
def test_data_beside_weights_is_read_as_far_as_it_is_plain(tmp_path, protocol, legacy):
    content = {
        "net": state(1.5),
        "args": argparse.Namespace(lr=0.1, data=pathlib.Path("/data"), size=(224, 224)),
        "options": Options(0.5, Options(0.25)),
        "config": Config(width=3, inner=Config(depth=2)),
        "history": defaultdict(list, loss=[0.5, 0.25]),
        "last": deque([1, 2], maxlen=2),
        "best": np.float32(0.5),
        "curve": np.arange(3),
        "matrix": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "names": np.array(["a", "b"]),
        "color": Color.RED,
        "price": Decimal("0.1"),
        "when": datetime.datetime(2024, 1, 2),
        "confused": {(1, 2): 3},
        "seen": {(1, 2)},
        "step": partial(max, 1),
        "kind": Options,
        "huge": 10**15,
        "generator": np.random.default_rng(0),
        "optimizer": torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict(),
    }
    torch.save(content, tmp_path / "m.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    loaded = load_pickle(tmp_path / "m.pt")
    assert torch.equal(find(loaded).weights["fc.bias"], content["net"]["fc.bias"])
    found = about(loaded)
    assert found["args"] == {"lr": 0.1, "data": "/data", "size": [224, 224]}
    assert found["options"] == {"lr": 0.5, "inner": {"lr": 0.25, "inner": None}}
    assert found["config"] == {"width": 3, "inner": {"depth": 2}}
    assert found["history"] == {"loss": [0.5, 0.25]}
    assert (found["last"], found["best"], found["curve"]) == ([1, 2], 0.5, [0, 1, 2])
    assert found["matrix"] == [[0, 1, 2], [3, 4, 5]]
    assert (found["color"], found["price"], found["huge"]) == ("red", "0.1", 10**15)
    assert found["kind"].endswith("Options")
    assert not any(isinstance(value, torch.Tensor) for value in found.values())


def test_what_omegaconf_saves_becomes_plain(tmp_path, monkeypatch):
    """The library's containers keep their values in attributes and refer to their parents."""
    names = ("omegaconf", "omegaconf.nodes", "omegaconf.dictconfig")
    node = type("AnyNode", (), {"__module__": names[1]})
    container = type("DictConfig", (), {"__module__": names[2]})
    for name in names:
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(AnyNode=node, DictConfig=container))
    leaf, config = node(), container()
    vars(leaf).update(_val=0.1, _parent=config, _metadata=None)
    vars(config).update(_content={"lr": leaf}, _parent=None)
    torch.save({"state_dict": state(), "hyper_parameters": config}, tmp_path / "m.ckpt")
    for name in names:
        monkeypatch.delitem(sys.modules, name)
    assert about(load_pickle(tmp_path / "m.ckpt"))["hyper_parameters"] == {"lr": 0.1}


def test_what_is_said_of_a_checkpoint_is_limited():
    endless = {}
    endless["self"] = endless
    assert find(endless) is None
    assert about(endless)
    assert about({"long": list(range(1000)), "longer": list(range(1001))}).keys() == {"long"}
    assert about([1, 2]) == {}


def test_a_plain_pickle_of_weights_is_read(tmp_path):
    for protocol in (2, 4, 5):
        (tmp_path / "m.pkl").write_bytes(pickle.dumps({"epoch": 1, "net": state(2.5)}, protocol=protocol))
        assert torch.equal(find(load_pickle(tmp_path / "m.pkl")).weights["fc.bias"], torch.full((4,), 2.5))
