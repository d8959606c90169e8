"""Files recognized by their content, whatever their name."""

import copy
import hashlib
import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from cuesense.errors import ModelError, SettingsError
from cuesense.models.load import load_classifier


def lightning(state):
    return {
        "state_dict": {f"net.{key}": value for key, value in state.items()},
        "pytorch-lightning_version": "2.5",
        "epoch": 1,
    }


def contents(network):
    state = network.state_dict()
    compiled = {f"module._orig_mod.{key}": value for key, value in state.items()}
    return {
        "state dict": state,
        "half": {key: value.half() for key, value in state.items()},
        "checkpoint": {"model_state_dict": state, "optimizer": {"lr": 0.1}, "epoch": 7},
        "averaged": {"model": {key: torch.zeros_like(value) for key, value in state.items()}, "model_ema": state},
        "lightning": lightning(state),
        "compiled and distributed": {"state_dict": compiled},
    }


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("kind", contents(nn.Linear(1, 1)))
def test_every_checkpoint_loads_into_its_architecture(tmp_path, tiny, images, factory_module, kind, legacy):
    path = tmp_path / "weights.jpg"
    torch.save(contents(tiny)[kind], path, _use_new_zipfile_serialization=not legacy)
    classifier = load_classifier(str(path), arch=factory_module)
    with torch.inference_mode():
        tolerance = 1e-2 if kind == "half" else 1e-6
        assert torch.allclose(classifier.network(images), tiny(images), atol=tolerance)
    assert classifier.architecture == "tiny_factory:build"
    assert classifier.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("prefix", ["", "model."])
def test_safetensors_load(tmp_path, tiny, same, factory_module, prefix):
    path = tmp_path / "weights.bin"
    save_file({prefix + key: value for key, value in tiny.state_dict().items()}, path)
    assert same(load_classifier(str(path), arch=factory_module).network)


def test_modules_load_with_and_without_a_checkpoint_around_them(tmp_path, tiny, same):
    for content in (tiny, {"ema": copy.deepcopy(tiny).half(), "epoch": 3}):
        torch.save(content, tmp_path / "m.pt")
        classifier = load_classifier(str(tmp_path / "m.pt"))
        assert classifier.architecture == "Sequential"
    torch.save(copy.deepcopy(tiny).train().double(), tmp_path / "m.pt")
    network = load_classifier(str(tmp_path / "m.pt")).network
    assert same(network)
    assert not network.training
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert not any(value.requires_grad for value in network.parameters())


def test_arch_takes_the_weights_out_of_a_module(tmp_path, tiny, same, factory_module):
    torch.save(tiny, tmp_path / "m.pt")
    classifier = load_classifier(str(tmp_path / "m.pt"), arch=factory_module)
    assert same(classifier.network)
    assert classifier.architecture == "tiny_factory:build"


def bad_files(folder):
    image, array, docx, text = io.BytesIO(), io.BytesIO(), io.BytesIO(), b"epoch,loss\n1,0.5\n"
    Image.new("RGB", (8, 8)).save(image, "PNG")
    np.savez(array, a=np.zeros(3))
    with zipfile.ZipFile(docx, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    torch.save(nn.Linear(2, 2).state_dict(), folder / "whole.pt")
    whole = (folder / "whole.pt").read_bytes()
    save_file({"w": torch.zeros(40)}, folder / "whole.safetensors")
    tensors = (folder / "whole.safetensors").read_bytes()
    return {
        "empty": (b"", "an empty file"),
        "image": (image.getvalue(), "a file of another kind"),
        "text": (text, "a file of another kind"),
        "short": (b"x", "a file of another kind"),
        "npz": (array.getvalue(), "an archive of another kind"),
        "docx": (docx.getvalue(), "an archive of another kind"),
        "truncated": (whole[: len(whole) // 2], "a truncated or damaged archive"),
        "truncated safetensors": (tensors[:-8], "damaged safetensors"),
        "broken safetensors": (tensors[:9] + b"}}" + tensors[11:], "damaged safetensors"),
    }


@pytest.mark.parametrize(
    "kind",
    ["empty", "image", "text", "short", "npz", "docx", "truncated", "truncated safetensors", "broken safetensors"],
)
def test_what_is_no_model_is_one_sentence(tmp_path, kind):
    data, reason = bad_files(tmp_path)[kind]
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(path), arch="torchvision:resnet18")
    message = str(caught.value)
    assert message.startswith(f"Expected {path} to be a model (a state dict, a checkpoint,")
    assert reason in message
    assert "\n" not in message


def test_a_checkpoint_without_weights_shows_its_keys(tmp_path):
    torch.save({"epoch": 3, "lr": 0.1}, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="an object of type dict with the keys epoch, lr and no weights in it"):
        load_classifier(str(tmp_path / "m.pt"), arch="torchvision:resnet18")
    save_file({}, tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match="safetensors without tensors"):
        load_classifier(str(tmp_path / "m.safetensors"))


def test_a_path_that_is_no_file(tmp_path):
    with pytest.raises(ModelError, match=r"existing file or one of torchvision:\.\.\., timm:\.\.\., open_clip"):
        load_classifier(str(tmp_path / "missing.pt"))
    with pytest.raises(ModelError, match=r"to be a file or a folder with a config\.json, but got the folder"):
        load_classifier(str(tmp_path))
    with pytest.raises(SettingsError, match=r"Unknown model 'torchvison'\. Did you mean 'torchvision'"):
        load_classifier("torchvison:resnet18")


def test_weights_alone_ask_for_their_architecture(tmp_path, tiny):
    torch.save(tiny.state_dict(), tmp_path / "m.pt")
    with pytest.raises(SettingsError, match="Write torchvision:resnet18 or timm:resnet18"):
        load_classifier(str(tmp_path / "m.pt"), arch="resnet18")
    with pytest.raises(ModelError) as caught:
        load_classifier(str(tmp_path / "m.pt"))
    assert str(caught.value) == (
        f"Expected arch to say which network {tmp_path / 'm.pt'} holds the weights of. Pass the architecture it was "
        "trained with, for your own code arch python:module:factory."
    )
