"""Models and datasets that fit each other: which output stands for which class, and what the classes are called."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cuesense.datasets.load import DatasetOptions
from cuesense.errors import CuesenseError, DatasetError, ModelError
from cuesense.imagenet_names import imagenet_names, imagenet_synsets
from cuesense.inference import loading as room
from cuesense.inference.loading import dataset_of, guesses, images_for, load_matched, preprocessing_values
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import OWN_WORD
from cuesense.types import Classifier, ClassNames, Preprocessing
from tests.helpers.small_networks import NAMES, Colors, Meanest, classifier

# Goldfish, great white shark and cock: outputs 1, 2 and 7 of a network of ImageNet-1k's classes.
SYNSETS = ("n01484850", "n01443537", "n01514668")
BARE = replace(classifier(), class_names=None)
SIX = ("sky", "water", "road", "brick", "sand", "grass")


@pytest.mark.parametrize("form", ["list", "tuple", "ClassNames", "text", "json", "Path"])
def test_outputs_are_found_by_name_in_whatever_form_the_names_come(tmp_path: Path, form: str) -> None:
    (tmp_path / "names.txt").write_text("\n".join(SIX))
    (tmp_path / "names.json").write_text(json.dumps(SIX))
    forms: dict[str, Any] = {
        "list": list(SIX),
        "tuple": SIX,
        "ClassNames": ClassNames(SIX),
        "text": str(tmp_path / "names.txt"),
        "json": str(tmp_path / "names.json"),
        "Path": tmp_path / "names.txt",
    }
    found, outputs, shown = load_matched(BARE, Colors(), class_names=forms[form])
    assert outputs == (3, 5, 1)
    assert shown == NAMES
    assert found.class_names == ClassNames(SIX)
    assert "class_names" not in found.guessed


def test_names_that_are_numbers_are_taken_as_text() -> None:
    found, outputs, shown = load_matched(BARE, Colors(class_names=("30", "10", "20")), class_names=[10, 20, 30])  # type: ignore[list-item]
    assert found.class_names == ClassNames(("10", "20", "30"))
    assert outputs == (2, 0, 1)
    assert shown == ("30", "10", "20")


def test_classes_that_count_the_outputs_from_1_are_said() -> None:
    found, outputs, shown = load_matched(BARE, Colors(class_names=("3", "1", "2")), class_names=["red", "lime", "blue"])
    assert (outputs, shown) == ((2, 0, 1), ("blue", "red", "lime"))
    assert any("numbers 1 to 3" in said and "'1' for 'red'" in said for said in found.assumptions)
    # Numbers that are the outputs' own names, or counted from 0, are nothing to say.
    for classes, names in ((("1", "2", "3"), ["3", "2", "1"]), (("0", "1", "2"), ["red", "lime", "blue"])):
        found, _, _ = load_matched(BARE, Colors(class_names=classes), class_names=names)
        assert found.assumptions == BARE.assumptions


def test_without_names_the_outputs_are_the_datasets_classes_in_their_order_and_that_is_a_guess() -> None:
    data = Colors(class_names=("water", "brick", "grass"))
    found, outputs, shown = load_matched(replace(BARE, guessed=frozenset({"mean"})), data)
    assert found.class_names == ClassNames(("water", "brick", "grass"))
    assert (outputs, shown) == ((0, 1, 2), ("water", "brick", "grass"))
    assert found.guessed == {"mean", "class_names"}


def test_names_that_a_classifier_carries_are_no_guess_and_give_way_to_those_of_the_user() -> None:
    data = Colors(class_names=("water", "brick", "grass"))
    model = classifier()
    carried, outputs, _ = load_matched(model, data)
    assert outputs == (2, 0, 1)
    assert carried.guessed == frozenset()
    given, outputs, _ = load_matched(model, data, class_names=["grass", "water", "brick"])
    assert outputs == (1, 2, 0)
    assert given.class_names == ClassNames(("grass", "water", "brick"))
    assert given.network is carried.network is model.network


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["brick", "grass"], "1 of 3 without one: 'water'"),
        (["brick", "grass", "grass", "water"], "the class names to be different .* 'grass' 2 times"),
        (["brick", "", "water"], "an empty name for output 1"),
        ([], "no name at all"),
        ("missing.txt", r"class names in 'missing\.txt' to be a readable list"),
        (["brick", "Brick", "grass", "water?", "water!"], None),
    ],
)
def test_names_that_fit_no_class_or_repeat_are_refused(names: Any, said: str | None) -> None:
    if said is None:
        # Exactly the same beats the same but for case and punctuation; the latter alone is not one output.
        with pytest.raises(DatasetError, match=r"'water' may be 'water\?' and 'water!'"):
            load_matched(BARE, Colors(), class_names=names)
    else:
        with pytest.raises(DatasetError, match=said):
            load_matched(BARE, Colors(), class_names=names)


def test_synsets_are_matched_by_id_and_shown_by_name() -> None:
    found, outputs, shown = load_matched(BARE, Colors(class_names=SYNSETS), class_names="imagenet")
    assert found.class_names is not None
    assert len(found.class_names.names) == 1000
    assert outputs == (2, 1, 7)
    assert shown == tuple(imagenet_names()[output] for output in outputs)


def test_synsets_without_names_of_outputs_are_those_of_a_network_of_just_these_classes() -> None:
    found, outputs, shown = load_matched(BARE, Colors(class_names=SYNSETS))
    readable = tuple(imagenet_names()[imagenet_synsets().index(name)] for name in SYNSETS)
    assert found.class_names == ClassNames(readable, SYNSETS)
    assert (outputs, shown) == ((0, 1, 2), readable)
    assert found.guessed == {"class_names"}


@pytest.mark.parametrize("other", ["fish", "n0148485", "n01484850 shark"])
def test_one_class_that_is_no_bare_synset_leaves_all_names_as_they_are(other: str) -> None:
    classes = (other, *SYNSETS[1:])
    assert load_matched(BARE, Colors(class_names=classes))[0].class_names == ClassNames(classes)


def test_synsets_beyond_imagenets_stay_as_they_are_where_their_names_need_not_be_known() -> None:
    names = ("n99999999", *SYNSETS[1:])
    found, outputs, shown = load_matched(BARE, Colors(class_names=names))
    assert (outputs, shown) == ((0, 1, 2), names)
    assert found.class_names == ClassNames(names, names)
    with pytest.raises(DatasetError, match="1 of 3 without one: 'n99999999'"):
        load_matched("open_clip:ViT-B-32@file", Colors(class_names=names))


@pytest.mark.parametrize(
    ("model", "arch", "classes", "names"),
    [
        ("open_clip:ViT-B-32@file", None, NAMES, ClassNames(NAMES)),
        ("weights.pt", "open_clip:ViT-B-32", NAMES, ClassNames(NAMES)),
        (Path("weights.pt"), "open_clip:RN50", NAMES, ClassNames(NAMES)),
        ("open_clip:ViT-B-32@file", None, SYNSETS[:1], ClassNames((imagenet_names()[2],), SYNSETS[:1])),
        ("timm:resnet18", None, NAMES, None),
        ("weights.pt", "timm:resnet18", NAMES, None),
        ("my_open_clip:x", None, NAMES, None),
    ],
)
def test_networks_that_compare_with_names_get_the_datasets_when_the_user_gives_none(
    model: str | Path,
    arch: str | None,
    classes: tuple[str, ...],
    names: ClassNames | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def loads(spec: str, **options: Any) -> Classifier:
        calls.append((spec, options))
        return replace(BARE, class_names=options["class_names"])

    monkeypatch.setattr(room, "load_classifier", loads)
    images = ImageOptions(image_size=32)
    found, _, _ = load_matched(model, Colors(class_names=classes), arch=arch, images=images)
    given = {"arch": arch, "class_names": names, "images": images, "trust": OWN_WORD, "own_size": (16, 16)}
    given |= {"weights_key": None}
    assert calls == [(str(model), given)]
    # Where the library was given names it is no guess that they are the outputs'.
    assert ("class_names" in found.guessed) == (names is None)
    calls.clear()
    load_matched(model, Colors(class_names=classes), arch=arch, class_names=[*classes, "more"])
    assert calls[0][1]["class_names"] == ClassNames((*classes, "more"))


def test_a_module_in_memory_is_copied_and_prepared_as_the_user_says() -> None:
    module = Meanest().train()
    images = ImageOptions(image_size=20, resize=24, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    found, _, _ = load_matched(module, Colors(), images=images)
    assert found.preprocessing == Preprocessing((20, 20), 24, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert isinstance(found.network, nn.Module)
    assert not found.network.training
    assert module.training
    module.scale.data += 1
    assert float(found.network.state_dict()["scale"]) == 40.0


def test_a_file_is_loaded_with_its_weights(model_file: Path) -> None:
    for model in (model_file, str(model_file)):
        found, outputs, _ = load_matched(model, Colors(), class_names=["water", "grass", "brick"])
        assert outputs == (2, 1, 0)
        logits = found.network(torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(2, 3, 16, 16))
        assert logits.argmax(dim=1).tolist() == [0, 0]


@pytest.mark.parametrize("model", [lambda images: images, 3, None, [Meanest()]])
def test_what_is_no_model_is_one_sentence(model: Any) -> None:
    with pytest.raises(ModelError, match=r"a file, a spec, an nn\.Module or a Classifier, but got .* Wrap it in an nn"):
        load_matched(model, Colors())


def test_datasets_come_from_specs_paths_and_torch(photos_folder: Path) -> None:
    for spec in (f"folder:{photos_folder}", str(photos_folder), photos_folder):
        found = dataset_of(spec)
        assert found.class_names == NAMES
        assert len(found) == 60
    pairs = [(np.full((4, 4, 3), value, np.uint8), value % 2) for value in range(6)]
    wrapped = dataset_of(pairs)
    assert list(wrapped.labels) == [0, 1] * 3
    assert wrapped.class_names == ("0", "1")
    data = Colors()
    assert dataset_of(data) is data
    with pytest.raises(CuesenseError, match="a length and items"):
        dataset_of(object())


@pytest.mark.parametrize(("root", "handed"), [(None, None), ("data", Path("data")), (Path("data"), Path("data"))])
def test_the_root_of_the_data_reaches_the_loader_as_a_path(
    root: str | Path | None, handed: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(room, "load_dataset", lambda spec, **options: calls.append((spec, options)))
    dataset_of(Path("photos"), DatasetOptions(root, "val", download=True))
    assert calls == [("photos", {"data_root": handed, "split": "val", "download": True})]


@pytest.mark.parametrize(("size", "listed"), [((20, 30), [20, 30]), (None, None)])
def test_preprocessing_becomes_json_values_without_a_change(
    size: tuple[int, int] | None, listed: list[int] | None
) -> None:
    prepared = Preprocessing(size, 40, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bicubic")
    found = preprocessing_values(classifier(preprocessing=prepared))
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "image_size": listed,
        "resize": 40,
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "interpolation": "bicubic",
    }


def test_what_resizes_is_said_where_it_is_not_pillow() -> None:
    prepared = Preprocessing((20, 30), None, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), resizer="torchvision")
    assert preprocessing_values(classifier(preprocessing=prepared))["resizer"] == "torchvision"


def test_all_that_is_missing_is_said_in_one_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUESENSE_DATA", raising=False)
    torch.save({"fc.weight": torch.zeros(3, 4), "fc.bias": torch.zeros(3)}, tmp_path / "weights.pt")
    with pytest.raises(DatasetError) as caught:
        images_for(tmp_path / "weights.pt", "imagenet", class_names=tmp_path / "gone.txt")
    said = caught.value.for_command_line
    parts = [
        "Expected --arch to say which network",
        "'No such file or directory'",
        "neither --data-root nor CUESENSE_DATA",
    ]
    assert sorted(parts, key=said.index) == parts
    with pytest.raises(DatasetError) as caught:
        images_for("gone.pt", "imagenet", DatasetOptions(tmp_path))
    said = caught.value.for_command_line
    parts = ["Expected MODEL to be an existing file", "weights only also needs --arch.", "at most 0 of its 1,000"]
    assert sorted(parts, key=said.index) == parts
    with pytest.raises(DatasetError) as caught:
        images_for("gone.pt", "imagenet", DatasetOptions(tmp_path), arch="torchvision:resnet18")
    assert "also needs --arch" not in caught.value.for_command_line


@pytest.mark.parametrize("model", ["gone.onnx", "onnx:gone.onnx", "onnx:no/such/gone.onnx"])
def test_a_missing_onnx_file_is_said_with_the_dataset_and_asks_for_no_architecture(model: str) -> None:
    with pytest.raises(DatasetError) as caught:
        images_for(model, "no/such/folder")
    said = caught.value.for_command_line
    assert said.index("gone.onnx") < said.index("Expected the dataset 'no/such/folder'")
    assert "weights only" not in said


def test_a_folder_with_a_model_is_asked_for_no_architecture(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vit", "architectures": ["ViTForImageClassification"]}')
    with pytest.raises(DatasetError) as caught:
        images_for(tmp_path, "no/such/folder")
    said = caught.value.for_command_line
    # Its weights are missing.
    assert str(tmp_path) in said
    assert "Expected the dataset 'no/such/folder'" in said
    assert "weights only" not in said


@pytest.mark.parametrize("model", ["torchvision:resnet18", Meanest()])
def test_a_model_that_is_no_file_is_not_tried_for_a_missing_dataset(
    model: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "load_classifier", None)
    with pytest.raises(DatasetError) as caught:
        images_for(model, "no/such/folder")  # type: ignore[arg-type]
    assert caught.value.for_command_line.startswith("Expected the dataset 'no/such/folder'")


def test_images_that_are_there_are_all_that_is_looked_at(photos_folder: Path) -> None:
    assert len(images_for("gone.pt", photos_folder, class_names="gone.txt")) == 60


def test_an_assumed_interpolation_is_said_beside_others_only() -> None:
    assert guesses(replace(BARE, guessed=frozenset({"interpolation"}))) == []
    (said,) = guesses(replace(BARE, guessed=frozenset({"interpolation", "resize"})))
    assert "shorter side of 16 pixels" in said
    assert "interpolation" in said


@pytest.mark.parametrize("names", [("0", "2", "1"), ("1", "2", "3"), ("a", "b", "c")])
@pytest.mark.parametrize("labels", [(0, 2), (1, 2), (0, 1)])
def test_label_i_of_images_without_names_is_output_i(names: tuple[str, ...], labels: tuple[int, ...]) -> None:
    pairs = [(np.zeros((4, 4, 3), np.uint8), label) for label in labels]
    for model, given in ((BARE, names), (replace(BARE, class_names=ClassNames(names)), None)):
        data = images_for(model, pairs, class_names=given)
        assert data.labels == labels
        _, outputs, shown = load_matched(model, data, class_names=given)
        assert (outputs, shown) == ((0, 1, 2), names)
