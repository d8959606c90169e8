"""torchvision, timm and open_clip: untrained networks stand in for pretrained ones, nothing is downloaded."""

import json
import logging
from pathlib import Path

import open_clip
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from cuesense.errors import ModelError
from cuesense.models.load import load_classifier
from cuesense.models.timm import preprocessing_of as timm_preprocessing
from cuesense.models.trust import Trust
from cuesense.types import ClassNames, Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# What is assumed of a user's own weights.
GUESSED = frozenset({"image_size", "resize", "mean", "std", "interpolation", "channels"})
ANIMALS = ClassNames(("cat", "dog", "toucan"))


def saved(network, path):
    torch.save(network.state_dict(), path)
    return str(path)


@pytest.mark.parametrize("classes", [1000, 7])
def test_a_users_torchvision_weights_with_any_head(tmp_path, classes):
    network = torchvision.models.squeezenet1_1(num_classes=classes).eval()
    classifier = load_classifier(saved(network, tmp_path / "m.pt"), arch="torchvision:squeezenet1_1")
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(classifier.network(images), network(images))
    assert classifier.preprocessing == Preprocessing((224, 224), 256, MEAN, STD, "bilinear")
    assert (classifier.architecture, classifier.usual_size) == ("squeezenet1_1", (224, 224))
    assert all(warning.startswith("Nothing says how") for warning in classifier.warnings)
    assert len(classifier.warnings) == 2
    if classes == 1000:
        assert classifier.class_names.names[:2] == ("tench", "goldfish")
        assert classifier.class_names.synsets[:2] == ("n01440764", "n01443537")
        assert classifier.guessed == GUESSED | {"class_names"}
    else:
        assert classifier.class_names is None
        assert classifier.guessed == GUESSED


def test_the_users_names_win(tmp_path):
    path = saved(torchvision.models.squeezenet1_1(num_classes=3), tmp_path / "m.pt")
    classifier = load_classifier(path, arch="torchvision:squeezenet1_1", class_names=ANIMALS)
    assert (classifier.class_names, classifier.guessed) == (ANIMALS, GUESSED)


def test_inception_with_and_without_its_training_heads(tmp_path):
    state = torchvision.models.googlenet(aux_logits=True, init_weights=False, num_classes=4).state_dict()
    bare = {key: value for key, value in state.items() if not key.startswith("aux")}
    for content in (state, bare):
        torch.save(content, tmp_path / "m.pt")
        network = load_classifier(str(tmp_path / "m.pt"), arch="torchvision:googlenet").network
        assert network.transform_input
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 4)


@pytest.mark.usefixtures("no_network")
def test_pretrained_torchvision_weights_come_from_the_cache(tmp_path, monkeypatch):
    network = torchvision.models.mobilenet_v3_small().eval()
    weights = torchvision.models.MobileNet_V3_Small_Weights.IMAGENET1K_V1
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(network.state_dict(), cache / Path(weights.url).name)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    images = torch.rand(1, 3, 64, 64)
    for spec in ("torchvision:mobilenet_v3_small", "torchvision:mobilenet_v3_small@IMAGENET1K_V1"):
        classifier = load_classifier(spec)
        assert torch.equal(classifier.network(images), network(images))
        assert (classifier.spec, classifier.sha256) == (spec, None)
        assert classifier.guessed == frozenset()
        assert len(classifier.class_names.names) == len(classifier.class_names.synsets) == 1000


def test_a_local_file_after_the_at_sign(tmp_path):
    path = saved(torchvision.models.squeezenet1_1(num_classes=2), tmp_path / "m.pt")
    classifier = load_classifier(f"torchvision:squeezenet1_1@{path}")
    assert classifier.network(torch.rand(1, 3, 64, 64)).shape == (1, 2)
    assert classifier.sha256 is not None


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("spec", ["torchvision:resnet18", "timm:test_resnet"])
def test_a_failed_download_is_one_sentence(tmp_path, monkeypatch, spec):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=f"weights of {spec} to be downloaded or in the cache") as caught:
        load_classifier(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:resnet81", "Did you mean 'resnet"),
        ("torchvision:", "Choose one of"),
        ("torchvision:resnet18@IMAGENET1K_V7", "Did you mean 'IMAGENET1K_V1'"),
        ("torchvision:fasterrcnn_resnet50_fpn", "the torchvision model to be among those that exist"),
        ("timm:resnett18", "Did you mean 'resnet18'"),
        ("timm:test_vit.no_such_tag", "test_vit.r160_in1k"),
        ("open_clip:ViT-B-33", "Did you mean 'ViT-B-32'"),
    ],
)
@pytest.mark.usefixtures("no_network")
def test_unknown_names_suggest_the_nearest(spec, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_classifier(spec)
    assert len(str(caught.value)) < 250


def test_weights_of_another_network_name_the_one_they_fit(tmp_path):
    path = saved(torchvision.models.squeezenet1_1(num_classes=4), tmp_path / "m.pt")
    with pytest.raises(
        ModelError, match=r"of torchvision:squeezenet1_0, but got those of torchvision:squeezenet1_1"
    ) as caught:
        load_classifier(path, arch="torchvision:squeezenet1_0")
    assert str(caught.value).endswith("Pass arch torchvision:squeezenet1_1, which fits its keys.")


@pytest.mark.parametrize("classes", [1000, 7])
@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet.r160_in1k"])
def test_a_users_timm_weights_with_any_head(tmp_path, name, classes):
    network = timm.create_model(name, num_classes=classes).eval()
    classifier = load_classifier(saved(network, tmp_path / "m.pt"), arch=f"timm:{name}")
    images = torch.rand(1, 3, 160, 160)
    with torch.inference_mode():
        assert torch.equal(classifier.network(images), network(images))
    kept = network.pretrained_cfg
    assert classifier.preprocessing == Preprocessing(
        (160, 160), int(160 / kept["crop_pct"]), kept["mean"], kept["std"], kept["interpolation"]
    )
    names = classifier.class_names
    assert classifier.guessed == (GUESSED if classes == 7 else GUESSED | {"class_names"})
    assert names is None if classes == 7 else names.names[0] == "tench" and names.synsets[0] == "n01440764"


@pytest.mark.usefixtures("no_network")
def test_pretrained_timm_weights_come_from_the_cache(tmp_path, monkeypatch):
    network = timm.create_model("test_resnet").eval()
    folder = tmp_path / "models--timm--test_resnet.r160_in1k"
    (folder / "snapshots" / "0123abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123abc")
    save_file(network.state_dict(), folder / "snapshots" / "0123abc" / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    images = torch.rand(1, 3, 64, 64)
    classifier = load_classifier("timm:test_resnet")
    assert torch.equal(classifier.network(images), network(images))
    assert classifier.guessed == frozenset()


def test_timm_without_a_head_is_no_classifier(tmp_path):
    path = saved(timm.create_model("test_vit", num_classes=0), tmp_path / "m.pt")
    with pytest.raises(ModelError, match="missing"):
        load_classifier(path, arch="timm:test_vit")
    path = saved(timm.create_model("eva02_tiny_patch14_224"), tmp_path / "m.pt")
    with pytest.raises(ModelError, match="a classifier, but got a network without a head"):
        load_classifier(path, arch="timm:eva02_tiny_patch14_224")


def test_timm_crop_modes():
    kept = {"input_size": (3, 224, 224), "crop_pct": 0.9, "crop_mode": "center", "interpolation": "bicubic"}
    kept |= {"mean": MEAN, "std": STD}
    assert timm_preprocessing(kept) == (Preprocessing((224, 224), 248, MEAN, STD, "bicubic"), ())
    assert timm_preprocessing(kept | {"crop_mode": "squash"})[0].resize is None
    assert len(timm_preprocessing(kept | {"crop_mode": "border"})[1]) == 1


def test_networks_that_another_library_completes_are_refused_with_only_weights_allowed(tmp_path):
    path = saved(torchvision.models.squeezenet1_1(num_classes=2), tmp_path / "m.pt")
    with pytest.raises(ModelError, match="a text part or tokenizer of transformers"):
        load_classifier(path, arch="open_clip:roberta-ViT-B-32", trust=Trust(weights_only=True))
    for arch in ("timm:hf-hub:someone/model", "timm:local-dir:/tmp", "open_clip:hf-hub:someone/model"):
        with pytest.raises(ModelError, match=r"among those that exist|downloaded or in the cache"):
            load_classifier(path, arch=arch, trust=Trust(weights_only=True))


@pytest.fixture
def clip_name(tmp_path):
    config = {
        "embed_dim": 8,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
    }
    (tmp_path / "tiny-clip.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-clip.json")
    yield "tiny-clip"
    (tmp_path / "tiny-clip.json").unlink()
    open_clip.factory._MODEL_CONFIGS.pop("tiny-clip", None)


@pytest.fixture
def clip(clip_name):
    torch.manual_seed(0)
    logging.disable(logging.WARNING)
    network = open_clip.create_model(clip_name).eval()
    logging.disable(logging.NOTSET)
    return network


def zero_shot(clip, tokenizer, images):
    """Logits by a plain loop over classes and templates."""
    features = clip.encode_image(images)
    features = features / features.norm(dim=1, keepdim=True)
    columns = []
    for name in ANIMALS.names:
        texts = [clip.encode_text(tokenizer([template(name)])) for template in open_clip.SIMPLE_IMAGENET_TEMPLATES]
        mean = torch.stack([text / text.norm() for text in texts]).mean(0)
        columns.append(features @ (mean / mean.norm()).T)
    return clip.logit_scale.exp() * torch.cat(columns, dim=1)


@pytest.mark.parametrize("form", ["arch", "at"])
def test_open_clip_classifies_by_names(tmp_path, clip_name, clip, form, caplog):
    path = saved(clip, tmp_path / "clip.pt")
    if form == "arch":
        classifier = load_classifier(path, arch=f"open_clip:{clip_name}", class_names=ANIMALS)
    else:
        classifier = load_classifier(f"open_clip:{clip_name}@{path}", class_names=ANIMALS)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        expected = zero_shot(clip, open_clip.get_tokenizer(clip_name), images)
        assert torch.allclose(classifier.network(images), expected, atol=1e-4)
    assert classifier.preprocessing == Preprocessing(
        (32, 32), 32, open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD, "bicubic"
    )
    assert classifier.class_names == ANIMALS
    assert classifier.guessed == GUESSED - {"image_size"}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not any(value.requires_grad for value in classifier.network.parameters())


@pytest.mark.usefixtures("no_network")
def test_open_clip_needs_names_and_a_tag(clip_name):
    with pytest.raises(ModelError, match="class_names to be given for open_clip:tiny-clip"):
        load_classifier(f"open_clip:{clip_name}@x")
    with pytest.raises(ModelError, match=r"a tag or a file.*but got 'laion2b_e17'.*Did you mean 'laion2b_e16'"):
        load_classifier("open_clip:ViT-B-32@laion2b_e17", class_names=ANIMALS)
    with pytest.raises(ModelError, match="weights of open_clip:ViT-B-32@laion2b_e16 to be downloaded"):
        load_classifier("open_clip:ViT-B-32@laion2b_e16", class_names=ANIMALS)


def test_open_clip_weights_that_do_not_fit(tmp_path, clip_name, clip):
    state = {key: value for key, value in clip.state_dict().items() if key != "logit_scale"}
    torch.save(state, tmp_path / "clip.pt")
    with pytest.raises(ModelError, match=r"those of open_clip:tiny-clip, but got 1 missing \(logit_scale\)"):
        load_classifier(str(tmp_path / "clip.pt"), arch=f"open_clip:{clip_name}", class_names=ANIMALS)
