"""Pickles: what is loaded, and above all what is not run."""

import argparse
import os
import pathlib
import pickle
import sys
import warnings
from collections import OrderedDict
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from cuesense.errors import ModelError
from cuesense.models.checkpoint import about
from cuesense.models.load import load_classifier
from cuesense.models.pickles import load_pickle
from cuesense.models.stand_ins import StandIn, state_of
from cuesense.models.trust import Trust


class Attack:
    """Unpickles by calling a function with arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Homemade(nn.Module):
    """A module whose class lives in no library."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(4, 5)
        self.register_buffer("passing", torch.ones(2), persistent=False)
        self.activation = nn.functional.relu

    def forward(self, images):
        return self.head(self.activation(self.features(images)))


def save(content, path, legacy):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def touch(path):
    pathlib.Path(path).touch()


@pytest.fixture(params=[False, True], ids=["zip", "legacy"])
def legacy(request):
    return request.param


def attacks(target):
    return {
        "os.system": Attack(os.system, f"touch {target}"),
        "builtins.eval": Attack(eval, f"open({str(target)!r}, 'w')"),
        "builtins.exec": Attack(exec, f"open({str(target)!r}, 'w')"),
        "builtins.open": Attack(open, str(target), "w"),
        "pathlib.Path.touch": Attack(touch, str(target)),
        "torch.load": Attack(torch.save, 1, str(target)),
        "subprocess": Attack(partial(os.system, f"touch {target}")),
        "nn function": Attack(nn.Module.__call__, 1),
    }


HARMFUL = ("os.system", "builtins.eval", "builtins.exec", "builtins.open", "torch.load", "subprocess")


@pytest.mark.parametrize("name", attacks(""))
@pytest.mark.parametrize("place", ["alone", "beside weights"])
def test_no_attack_runs(tmp_path, legacy, name, place):
    target = tmp_path / "pwned"
    attack = attacks(target)[name]
    content = attack if place == "alone" else {"state_dict": {"w": torch.zeros(1)}, "args": attack}
    path = save(content, tmp_path / "model.pt", legacy)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path), arch="torchvision:resnet18")
    assert not target.exists()
    assert ("could run code and was not loaded. Trust nothing in this file" in str(caught.value)) == (name in HARMFUL)
    if name not in HARMFUL:
        # What is nobody's data and does no harm by its name becomes a stand-in; the weights beside it are read.
        assert ("no weights of PyTorch in it" if place == "alone" else "unexpected (w)") in str(caught.value)


def test_the_attack_is_real(tmp_path):
    target = tmp_path / "pwned"
    pickle.loads(pickle.dumps(attacks(target)["os.system"]))  # noqa: S301 - the attack itself
    assert target.exists()


def test_a_plain_pickle_that_torch_did_not_write_does_not_run(tmp_path):
    target = tmp_path / "pwned"
    path = tmp_path / "model.pkl"
    for protocol in (2, 4):
        path.write_bytes(pickle.dumps(attacks(target)["os.system"], protocol=protocol))
        with pytest.raises(ModelError):
            load_classifier(str(path))
    assert not target.exists()


@pytest.mark.parametrize(
    "function",
    [
        torch.nn.functional.relu,
        torchvision.models.resnet18,
        timm.create_model,
        timm.models.load_checkpoint,
    ],
)
def test_functions_of_trusted_libraries_are_not_called_either(tmp_path, legacy, function):
    attack = Attack(function, "resnet18")
    path = save({"model": {"w": torch.zeros(1)}, "extra": attack}, tmp_path / "model.pt", legacy)
    extra = load_pickle(path)["extra"]
    assert isinstance(extra, StandIn)
    assert extra.name.endswith(function.__name__)


def test_a_whole_module_in_the_old_format_asks_for_its_architecture(tmp_path, tiny, factory_module, images):
    path = str(save(tiny, tmp_path / "model.pt", legacy=True))
    with pytest.raises(ModelError, match=r"not the code of the class\. Save its state_dict\(\) where it was made"):
        load_classifier(path)
    classifier = load_classifier(path, arch=factory_module)
    assert torch.equal(classifier.network(images), tiny.eval()(images))
    path = str(save({"model": timm.create_model("test_resnet", num_classes=3)}, tmp_path / "timm.pt", legacy=True))
    with pytest.raises(ModelError, match=r"class timm\.models\.resnet\.ResNet, .*Pass arch timm:test_resnet, which"):
        load_classifier(path)
    assert load_classifier(path, arch="timm:test_resnet").network.num_classes == 3


@pytest.mark.parametrize("whole", [False, True], ids=["state dict", "module"])
def test_quantized_tensors_are_named(tmp_path, legacy, whole):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = torch.ao.quantization.quantize_dynamic(Homemade(), {nn.Linear}, dtype=torch.qint8)
    path = save(quantized if whole else quantized.state_dict(), tmp_path / "model.pt", legacy)
    with pytest.raises(ModelError, match=r"got tensors of a quantized network\. Save the state_dict\(\) of the"):
        load_classifier(str(path), arch=f"python:{Homemade.__module__}:Homemade")


@pytest.mark.parametrize("whole", [False, True], ids=["state dict", "module"])
def test_weights_without_values_are_named_and_left_aside(tmp_path, legacy, whole):
    with torch.device("meta"):
        empty = Homemade()
    good = Homemade()
    content = empty if whole else empty.state_dict()
    arch = f"python:{Homemade.__module__}:Homemade"
    path = str(save({"model": content}, tmp_path / "model.pt", legacy))
    with pytest.raises(ModelError, match="weights from the meta device, which have shapes and no values"):
        load_classifier(path, arch=arch)
    path = str(save({"model": content, "good": good.state_dict()}, tmp_path / "both.pt", legacy))
    assert torch.equal(load_classifier(path, arch=arch).network.head.weight, good.head.weight)


def test_a_pickle_of_arrays_holds_weights(tmp_path):
    good = Homemade()
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({key: value.numpy() for key, value in good.state_dict().items()}))
    found = load_classifier(str(path), arch=f"python:{Homemade.__module__}:Homemade")
    assert torch.equal(found.network.head.weight, good.head.weight)


def test_a_module_of_an_own_class_asks_for_its_code(tmp_path):
    path = save(Homemade(), tmp_path / "model.pt", legacy=False)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path))
    name = Homemade.__module__
    assert str(caught.value) == (
        f"Expected arch to say how to build the network in {path}: the file holds an object of the class "
        f"{name}.Homemade, but not the code of the class. Pass arch python:{name}:Homemade if it needs no arguments; "
        "else write a file model.py with `def build(): return Homemade(...)` and pass arch python:model:build."
    )


@pytest.mark.parametrize("place", ["alone", "in a checkpoint", "inside another"])
def test_the_weights_of_an_own_class_go_into_its_network(tmp_path, place):
    torch.manual_seed(3)
    network = Homemade().eval()
    content = {
        "alone": network,
        "in a checkpoint": {"epoch": 3, "net": network, "loss": nn.CrossEntropyLoss()},
        "inside another": nn.Sequential(network),
    }[place]
    path = save(content, tmp_path / "model.pt", legacy=False)
    classifier = load_classifier(str(path), arch=f"python:{Homemade.__module__}:Homemade")
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(classifier.network(images), network(images))
    with pytest.raises(ModelError, match=r"to be only tensors and plain data.*could run code and was not loaded"):
        load_classifier(str(path), arch=f"python:{Homemade.__module__}:Homemade", trust=Trust(weights_only=True))


def test_stand_ins_keep_the_state_that_a_module_would_save(tmp_path):
    network = Homemade()
    path = save(network, tmp_path / "model.pt", legacy=False)
    found = state_of(load_pickle(path))
    assert list(found) == list(network.state_dict())
    assert all(torch.equal(found[key], value) for key, value in network.state_dict().items())


def test_a_module_that_a_file_names_is_not_even_imported(tmp_path, legacy, monkeypatch):
    target = tmp_path / "pwned"
    (tmp_path / "timm_layers_evil.py").write_text(f"open({str(target)!r}, 'w').close()\nclass Thing: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    thing = type("Thing", (), {"__module__": "timm_layers_evil"})
    monkeypatch.setitem(sys.modules, "timm_layers_evil", SimpleNamespace(Thing=thing))
    path = save({"w": torch.zeros(1), "thing": thing()}, tmp_path / "model.pt", legacy)
    monkeypatch.delitem(sys.modules, "timm_layers_evil")
    assert load_pickle(path)["thing"].name == "timm_layers_evil.Thing"
    assert not target.exists()


def test_nothing_stays_allowed_afterwards(tmp_path, tiny):
    before = set(torch.serialization.get_safe_globals())
    load_pickle(save(tiny, tmp_path / "model.pt", legacy=False))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize(
    "build",
    [
        lambda: torchvision.models.squeezenet1_1(num_classes=3),
        lambda: torchvision.models.mobilenet_v3_small(num_classes=3),
        lambda: torchvision.models.VisionTransformer(32, 16, 1, 2, 16, 16, num_classes=3),
        lambda: timm.create_model("test_vit", num_classes=3),
        lambda: timm.create_model("test_efficientnet", num_classes=3),
        lambda: nn.DataParallel(timm.create_model("test_resnet", num_classes=3)),
    ],
    ids=["squeezenet", "mobilenet", "vit", "timm vit", "timm efficientnet", "data parallel"],
)
def test_full_modules_of_the_libraries_load(tmp_path, build):
    network = build().eval()
    kept = getattr(getattr(network, "module", network), "default_cfg", {"input_size": (3, 32, 32)})
    size = kept["input_size"][1]
    classifier = load_classifier(str(save(network, tmp_path / "model.pt", legacy=False)))
    images = torch.rand(2, 3, size, size)
    with torch.inference_mode():
        assert torch.allclose(classifier.network(images), network(images), atol=1e-6)
    assert not isinstance(classifier.network, nn.DataParallel)


def test_what_training_scripts_keep_beside_the_weights_is_read(tmp_path, legacy):
    content = {
        "model": OrderedDict(w=torch.ones(2)),
        "args": argparse.Namespace(lr=0.1, output=pathlib.PosixPath("/runs")),
        "best": np.float64(0.75),
        "epoch": np.int64(3),
        "best32": np.float32(0.5),
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
    }
    loaded = load_pickle(save(content, tmp_path / "model.pt", legacy))
    assert loaded["best"] == 0.75
    assert about(loaded)["args"] == {"lr": 0.1, "output": "/runs"}
    assert torch.equal(loaded["model"]["w"], torch.ones(2))


def test_a_damaged_checkpoint_is_one_sentence(tmp_path, legacy, tiny):
    path = save(tiny.state_dict(), tmp_path / "model.pt", legacy)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path), arch="torchvision:resnet18")
    assert "\n" not in str(caught.value)
