"""Folders of transformers, and of timm in the hub's layout, give what the libraries themselves give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from cuesense.errors import ModelError
from cuesense.imagenet_names import imagenet_names
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import probe
from cuesense.models.load import load_classifier
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import Trust
from tests.helpers.library_models import SIDE, hf_folder
from tests.helpers.small_networks import Colors

pytest.importorskip("transformers")
IMAGES = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hf_folder(tmp_path / "vit")
    return tmp_path / "vit"


def changed(folder: Path, file: str = "config.json", **values: Any) -> Path:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return folder


@pytest.mark.parametrize("prefix", ["", "hf:"])
def test_a_folder_gives_what_transformers_gives(tmp_path: Path, prefix: str) -> None:
    model = hf_folder(tmp_path)
    found = load_classifier(f"{prefix}{tmp_path}")
    with torch.inference_mode():
        assert torch.equal(found.network(IMAGES), model(IMAGES).logits)
    preprocessing = found.preprocessing
    assert (preprocessing.image_size, preprocessing.resize) == ((SIDE, SIDE), None)
    assert (preprocessing.mean, preprocessing.std) == ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert found.class_names is not None
    assert found.class_names.names == ("red", "green", "blue")
    assert (found.architecture, found.guessed, found.warnings) == ("ViTForImageClassification", frozenset(), ())


def test_pickled_weights_are_read_by_our_own_reader(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    before = load_classifier(str(folder)).network(IMAGES)
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert torch.equal(load_classifier(str(folder), trust=Trust(weights_only=True)).network(IMAGES), before)
    torch.save({"weights": Path, "f": print}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin"):
        load_classifier(str(folder))


def test_what_is_missing_in_a_folder_is_said(folder: Path, tmp_path: Path) -> None:
    (folder / "preprocessor_config.json").unlink()
    found = load_classifier(str(folder))
    assert found.warnings[0].endswith("wants its images: there is no preprocessor_config.json in the folder.")
    (folder / "preprocessor_config.json").write_text('{"image_processor_type": "Gone"}')
    said = load_classifier(str(folder)).warnings[0]
    assert "preprocessor_config.json cannot be used (ValueError: " in said
    assert said.endswith(").")
    assert {"mean", "std"} <= found.guessed
    assert found.preprocessing.image_size == (SIDE, SIDE)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors or pytorch_model\.bin.*only config\.json"):
        load_classifier(str(folder))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"a folder with a config\.json"):
        load_classifier(str(tmp_path / "empty"))
    with pytest.raises(ModelError, match=r"no config\.json in it"):
        load_classifier(f"hf:{tmp_path / 'empty'}")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_in_the_folder_stands_for_it(folder: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    expected = load_classifier(str(folder)).network(IMAGES)
    assert torch.equal(load_classifier(str(folder / name)).network(IMAGES), expected)
    assert f"MODEL {folder / name} is read as its folder, {folder}." in caplog.text
    (folder / "config.json").write_text('{"lr": 0.1}')
    with pytest.raises(ModelError, match=r"arch to say which network|a JSON file"):
        load_classifier(str(folder / name))


def test_pickled_weights_may_lie_in_several_files(folder: Path) -> None:
    before = load_classifier(str(folder)).network(IMAGES)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    table = {key: names[number % 2] for number, key in enumerate(state)}
    for name in names:
        torch.save({key: value for key, value in state.items() if table[key] == name}, folder / name)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": table}))
    assert torch.equal(load_classifier(str(folder)).network(IMAGES), before)


def test_random_heads_are_refused(folder: Path) -> None:
    state = {key: value for key, value in load_file(folder / "model.safetensors").items() if "classifier" not in key}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"no weights for classifier\.bias, classifier\.weight"):
        load_classifier(str(folder))


def test_code_of_a_model_is_never_run(folder: Path) -> None:
    (folder / "own.py").write_text("raise SystemExit('run')")
    auto = {"AutoConfig": "own.Config", "AutoModelForImageClassification": "own.Model"}
    changed(folder, model_type="own-kind", auto_map=auto, architectures=["Own"])
    for more in ({}, {"auto_map": {"AutoModelForImageClassification": "own.Model"}}):
        changed(folder, **more)
        with pytest.raises(ModelError, match=r"which is never run\. Build it in a function of your own and"):
            load_classifier(str(folder))


def test_other_networks_than_classifiers_are_named(folder: Path) -> None:
    changed(folder, model_type="bert", architectures=["BertModel"])
    with pytest.raises(ModelError, match=r"an image classifier, but got a bert network \(BertModel\)"):
        load_classifier(str(folder))


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), None),
        (tuple(f"{name}, other" for name in imagenet_names()), imagenet_names()),
    ],
)
def test_names_that_say_nothing_are_left_out_and_imagenets_known(tmp_path: Path, labels: Any, names: Any) -> None:
    hf_folder(tmp_path, labels=labels)
    found = load_classifier(str(tmp_path)).class_names
    assert (found.names if found else None) == names
    assert found is None or len(found.synsets) == 1000


def test_position_embeddings_are_interpolated_for_another_size(folder: Path) -> None:
    found = load_classifier(str(folder), images=ImageOptions(image_size=32))
    assert found.preprocessing.image_size == (32, 32)
    assert found.network(torch.rand(2, 3, 32, 32)).shape == (2, 3)


def test_one_channel_is_given_luminance(tmp_path: Path) -> None:
    hf_folder(tmp_path, channels=1)
    loaded = load_classifier(str(tmp_path))
    found = probe(loaded, Colors(12), RunOptions())
    assert "luminance" in found.assumptions[0]
    assert found.applied(loaded).network(IMAGES).shape == (4, 3)


@pytest.mark.parametrize("prefix", ["", "hf:", "timm:local-dir:"])
def test_a_timm_folder_gives_what_timm_gives(tmp_path: Path, prefix: str) -> None:
    network = timm.create_model("test_resnet", num_classes=3).eval()
    own = {"label_names": ["red", "green", "blue"]}
    timm.models.save_for_hf(network, tmp_path, model_config=own, safe_serialization=True)
    found = load_classifier(f"{prefix}{tmp_path}")
    size = network.pretrained_cfg["input_size"][1:]
    with torch.inference_mode():
        images = torch.rand(2, 3, *size)
        assert torch.equal(found.network(images), network(images))
    assert found.preprocessing.image_size == size
    assert found.class_names is not None
    assert found.class_names.names == ("red", "green", "blue")
    assert found.guessed == frozenset()


@pytest.mark.parametrize("size", [64, 96])
def test_timms_transformers_take_the_size_of_their_weights_and_others(tmp_path: Path, size: int) -> None:
    network = timm.create_model("test_vit", num_classes=3, img_size=64).eval()
    path = tmp_path / "vit.pth"
    torch.save(network.state_dict(), path)
    found = load_classifier(
        str(path), arch="timm:test_vit", images=ImageOptions(image_size=None if size == 64 else size)
    )
    images = torch.rand(2, 3, size, size)
    assert found.preprocessing.image_size == (size, size)
    if size != 64:
        network.set_input_size(img_size=size)
    with torch.inference_mode():
        assert torch.allclose(found.network(images), network(images), atol=1e-6)


def test_a_folder_of_transformers_is_none_of_timms(folder: Path) -> None:
    with pytest.raises(ModelError, match="a Hugging Face folder of transformers") as caught:
        load_classifier(f"timm:local-dir:{folder}")
    assert str(caught.value).endswith(f"Write hf:{folder}.")
