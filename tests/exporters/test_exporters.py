"""Every export is run (albumentations' is held against its documented schema) and does what was analyzed."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import timm.data
import torch
import yaml
from PIL import Image
from torch import Tensor

from cuesense import registry
from cuesense.errors import SettingsError
from cuesense.exporters.common import left_out
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.kornia_table import row_of
from cuesense.pipelines import ultralytics
from cuesense.policies.policy import Policy, sparing, uniform
from cuesense.types import Role
from tests.helpers.exported_code import SIZE, exported, transform_of
from tests.helpers.profiles import NAMES

VALUES = {
    "random_resized_crop": 0.3,
    "color_jitter": 0.4,
    "brightness": 0.4,
    "contrast": 0.4,
    "saturation": 0.8,
    "hue": 0.2,
    "random_grayscale": 0.5,
    "random_gaussian_blur": 0.04,
    "random_erasing": 0.4,
    "random_rotation": 40.0,
    "horizontal_flip": 0.5,
    "vertical_flip": 0.25,
}
CODE = ("torchvision", "kornia")
FORMATS = registry.names("exporters")


def images(number: int) -> Tensor:
    """Smooth, colorful pictures with a corner of their own, so that flips, crops and turns show."""
    rng = np.random.default_rng(0)
    y, x = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]), indexing="ij")
    waves = np.stack([0.5 + 0.3 * np.sin(3 * x + a) * np.cos(2 * y) for a in (0.0, 1.0, 2.5)])
    found = torch.from_numpy(waves[None].repeat(number, 0) + 0.15 * rng.random((number, 3, 1, 1))).float()
    found[:, 0, :12, :12] = 0.95
    return found


def statistics(pictures: Tensor) -> np.ndarray:
    """Per image: means and deviations by channel, by quadrant, of edges, and of gray pixels."""
    rows = [
        pictures.mean(dim=(2, 3)),
        pictures.std(dim=(2, 3)),
        pictures[:, :, :24, :24].mean(dim=(2, 3)),
        pictures[:, :, 24:, 24:].mean(dim=(2, 3)),
        pictures.diff(dim=3).abs().mean(dim=(2, 3)),
        (pictures.amax(1) - pictures.amin(1)).mean(dim=(1, 2))[:, None],
    ]
    return torch.cat(rows, dim=1).numpy()


def test_every_augmentation_is_tried() -> None:
    ours = set(registry.names("perturbations"))
    entries = [registry.get("perturbations", name) for name in ours]
    # Those of kornia's table are tried in test_library_steps.py.
    found = {entry.name for entry in entries if entry.role is Role.AUGMENTATION and row_of(entry) is None}
    assert set(VALUES) == found


def without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def exported_or_refused(library: str, policy: Policy) -> str | None:
    try:
        return exported(library, policy)
    except SettingsError:
        return None


AUGMENTATIONS = [
    name
    for name in (*registry.names("perturbations"), "kornia:RandomRain", "torchvision:TrivialAugmentWide")
    if registry.get("perturbations", name).role is Role.AUGMENTATION
]


@pytest.mark.parametrize("library", FORMATS)
def test_every_augmentation_is_exported_or_named_as_left_out_or_refused(library: str) -> None:
    """No format may lack a step in silence."""
    nothing = without_comments(exported(library, uniform({}, NAMES)))
    for name in AUGMENTATIONS:
        entry = registry.get("perturbations", name)
        for value in (entry.ladder[0], entry.ladder[-1]):
            text = exported_or_refused(library, uniform({name: value}, NAMES))
            if text is None:
                with pytest.raises(SettingsError, match=f"'{name}'"):
                    exported(library, uniform({name: value}, NAMES))
            else:
                named = any(sentence.endswith(f": {name}.") for sentence in left_out(text))
                assert (without_comments(text) != nothing) != named, (library, name, text)


def drawn(library: str, policy: Policy, pictures: Tensor) -> Tensor:
    transform = transform_of(exported(library, policy))
    torch.manual_seed(0)
    return transform(pictures) if library == "kornia" else torch.stack([transform(picture) for picture in pictures])


@pytest.mark.parametrize("library", CODE)
@pytest.mark.parametrize("augmentation", VALUES)
def test_pixels_agree_in_distribution_with_what_was_analyzed(library: str, augmentation: str) -> None:
    """Quantiles of image statistics, over many draws of one picture, fit the value and no other one."""
    number, value = 160, VALUES[augmentation]
    pictures, entry = images(number), registry.get("perturbations", augmentation)
    analyzed = statistics(perturb(entry, pictures, [str(index) for index in range(number)], value))
    spread, levels = analyzed.std(axis=0) + 0.01, np.linspace(0.05, 0.95, 10)

    def gap(other: float) -> float:
        found = statistics(drawn(library, uniform({augmentation: other}, NAMES, 1.0), pictures))
        return float(
            (np.abs(np.quantile(found, levels, axis=0) - np.quantile(analyzed, levels, axis=0)) / spread).mean()
        )

    wrong = 2 * value if augmentation == "random_resized_crop" else min(1.0, 1.5 * value)
    assert gap(value) < 0.12
    assert gap(value) < 0.7 * gap(wrong)


@pytest.mark.parametrize("library", CODE)
def test_the_share_of_augmented_images_is_the_policy_s(library: str) -> None:
    pictures = images(300)
    found = drawn(library, uniform({"random_erasing": 0.4, "brightness": 0.3}, NAMES, 0.6), pictures)
    touched = (found != pictures).flatten(1).any(1).float().mean()
    assert touched == pytest.approx(0.6, abs=0.07)


@pytest.mark.parametrize("library", CODE)
def test_code_with_everything_and_with_nothing_runs(library: str) -> None:
    pictures = images(4)
    every = transform_of(exported(library, uniform(VALUES, NAMES)))(pictures)
    assert every.shape == pictures.shape
    assert 0 <= every.min() <= every.max() <= 1
    assert torch.equal(transform_of(exported(library, uniform({}, NAMES)))(pictures), pictures)
    assert transform_of(exported("torchvision", uniform(VALUES, NAMES)))(pictures[0]).shape == pictures[0].shape


def timm_flags() -> argparse.ArgumentParser:
    """The augmentation flags of timm's train.py, with the names of timm.data.create_transform's arguments."""
    parser = argparse.ArgumentParser()
    for flag in ("scale", "ratio"):
        parser.add_argument(f"--{flag}", type=float, nargs="+")
    for flag in ("hflip", "vflip", "color-jitter", "color-jitter-prob", "grayscale-prob"):
        parser.add_argument(f"--{flag}", type=float)
    parser.add_argument("--reprob", type=float, dest="re_prob")
    parser.add_argument("--remode", dest="re_mode")
    return parser


def test_timm_s_flags_make_its_transform() -> None:
    lines = exported("timm", uniform(VALUES, NAMES)).splitlines()
    assert all(line.startswith("# ") for line in lines[:-1])
    assert "random_rotation" in " ".join(lines[:-1])
    flags = {
        key: value for key, value in vars(timm_flags().parse_args(shlex.split(lines[-1]))).items() if value is not None
    }
    assert flags["scale"] == [0.3, 1.0]
    assert flags["hflip"] == 0.4
    assert flags["vflip"] == 0.2
    assert flags["color_jitter_prob"] == 0.8
    transform = timm.data.create_transform(48, is_training=True, normalize=False, **flags)
    shown = str(transform)
    assert "scale=(0.3, 1.0)" in shown
    picture = (images(1)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    assert transform(Image.fromarray(picture)).shape == (3, 48, 48)


def test_timm_s_flags_for_no_augmentation_change_nothing() -> None:
    line = exported("timm", uniform({}, NAMES)).splitlines()[-1]
    flags = {key: value for key, value in vars(timm_flags().parse_args(shlex.split(line))).items() if value is not None}
    transform = timm.data.create_transform(48, is_training=True, normalize=False, **flags)
    picture = (images(1)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    assert torch.equal(transform(Image.fromarray(picture)), torch.from_numpy(picture).permute(2, 0, 1))


PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
CHANCE = {"type": "number", "minimum": 0, "maximum": 1}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "RandomResizedCrop": {"size": PAIR, "scale": PAIR, "ratio": PAIR, "interpolation": {"enum": [0, 1, 2, 3, 4, 5, 6]}},
    "ColorJitter": {"brightness": PAIR, "contrast": PAIR, "saturation": PAIR, "hue": PAIR},
    "ToGray": {},
    "GaussianBlur": {"sigma_limit": PAIR, "blur_limit": PAIR},
    "Erasing": {"scale": PAIR, "ratio": PAIR, "fill": {"type": "number", "minimum": 0, "maximum": 255}},
    "Rotate": {"limit": PAIR, "interpolation": {"enum": [0, 1]}, "border_mode": {"enum": [0]}, "fill": {"const": 0}},
    "HorizontalFlip": {},
    "VerticalFlip": {},
}


def step_schema(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    every = {"__class_fullname__": {"const": name}, "p": CHANCE, **properties}
    return {"type": "object", "properties": every, "required": list(every), "additionalProperties": False}


def test_albumentations_json_fits_its_documented_schema() -> None:
    """The envelope and the arguments of version 2.0.8's documentation; albumentations itself is not installed."""
    steps = {"type": "array", "items": {"oneOf": [step_schema(*entry) for entry in ARGUMENTS.items()]}}
    sequence = {"type": "array", "items": step_schema("Sequential", {"transforms": steps}), "minItems": 1}
    envelope = {
        "type": "object",
        "properties": {
            "__version__": {"const": "2.0.8"},
            "transform": step_schema("Compose", {"transforms": sequence}),
        },
        "required": ["__version__", "transform"],
        "additionalProperties": False,
    }
    written = json.loads(exported("albumentations", uniform(VALUES, NAMES)))
    jsonschema.validate(written, envelope)
    (together,) = written["transform"]["transforms"]
    assert together["p"] == 0.8
    assert len(together["transforms"]) == len(VALUES)
    crop = together["transforms"][0]
    assert crop["size"] == [48, 48]
    assert crop["scale"] == [0.3, 1.0]
    jitter = together["transforms"][1]
    assert jitter["hue"] == [-0.1, 0.1]
    assert jitter["brightness"] == [0.6, 1.4]


@pytest.mark.parametrize(
    ("area", "size", "ratio"),
    [
        (0.2, (48, 48), [0.3, 3.3]),
        (0.6, (48, 48), [0.6, 1.666667]),
        (0.6, None, [0.6, 1.666667]),
        (0.5, (32, 64), [1.0, 3.3]),
        (0.5, (10, 100), [0.3, 3.3]),
    ],
)
def test_albumentations_erases_as_much_as_the_policy(
    area: float, size: tuple[int, int] | None, ratio: list[float]
) -> None:
    """It erases at most what fits into the image at every ratio: min(r H, W / r) of its range's ends (2.0.8)."""
    written = json.loads(exported("albumentations", uniform({"random_erasing": area}, NAMES), size))
    (step,) = written["transform"]["transforms"][0]["transforms"]
    assert step["scale"] == [0.0, area]
    assert step["ratio"] == ratio
    if size is not None and ratio != [0.3, 3.3]:
        height, width = size
        assert min(ratio[0] * height**2, width**2 / ratio[1]) == pytest.approx(area * height * width, rel=1e-5)


@pytest.mark.parametrize("library", FORMATS)
def test_values_that_change_nothing_are_not_exported(library: str) -> None:
    """albumentations divides by an area of 0 and inverts white at a threshold of 1."""
    nothing = {name: registry.get("perturbations", name).identity for name in ("random_erasing", "solarize", "jpeg")}
    if library not in ("json", "yaml"):
        assert exported(library, uniform(nothing, NAMES)) == exported(library, uniform({}, NAMES))


def test_yaml_and_json_say_the_same() -> None:
    policy = Policy("grouped", 0.5, ("a", "b", "ü"), (0, 1, 0), ({"hue": 0.1}, {}))
    listed = policy.to_dict() | {"no_hue_classes": ["b"]}
    assert yaml.safe_load(exported("yaml", policy)) == json.loads(exported("json", policy)) == listed


def test_yaml_says_that_one_policy_leaves_classes_out() -> None:
    """Else its groups look like a policy by class that nobody asked for."""
    policy = sparing({"hue": 0.1}, ("a", "b", "c"), ["b"], 0.5)
    text = exported("yaml", policy)
    assert text.startswith("# One policy, not one a class: the classes of the group without augmentations are left out")
    assert yaml.safe_load(text) == policy.to_dict() | {"no_hue_classes": ["b"]}
    by_class = Policy("per_class", 0.5, ("a", "b"), (0, 1), ({"hue": 0.1}, {"hue": 0.2}))
    assert not exported("yaml", by_class).startswith("#")


@pytest.mark.parametrize("library", [name for name in FORMATS if name not in ("json", "yaml")])
def test_policies_by_class_are_refused_where_they_cannot_be_said(library: str) -> None:
    policy = Policy("per_class", 0.8, ("a", "b"), (0, 1), ({"hue": 0.1}, {}))
    with pytest.raises(SettingsError, match="the same for all classes"):
        exported(library, policy)


@pytest.mark.parametrize("library", ["torchvision", "kornia", "albumentations"])
@pytest.mark.parametrize("augmentation", ["random_resized_crop", "random_gaussian_blur"])
def test_an_unknown_size_is_asked_for(library: str, augmentation: str) -> None:
    with pytest.raises(SettingsError, match="Give image_size"):
        exported(library, uniform({augmentation: VALUES[augmentation]}, NAMES), None)


@pytest.mark.parametrize("library", ["torchvision", "kornia", "albumentations"])
def test_augmentations_a_library_does_not_have_are_refused(library: str) -> None:
    with pytest.raises(SettingsError, match=f"one that {library} has, but got 'tile_jitter'"):
        exported(library, uniform({"tile_jitter": 0.02}, NAMES))


WEIGHTED = replace(uniform({"hue": 0.1}, ("a", "b", "c")), class_weights=(0.5, 0.75, 1.75))


@pytest.mark.parametrize("library", CODE)
def test_code_defines_the_class_weights_and_only_where_there_are_any(library: str) -> None:
    scope: dict[str, Any] = {}
    exec(exported(library, WEIGHTED), scope)
    assert scope["class_weights"] == [0.5, 0.75, 1.75]
    torch.nn.CrossEntropyLoss(weight=torch.tensor(scope["class_weights"]))(torch.zeros(2, 3), torch.tensor([0, 2]))
    assert scope["transform"](images(2)).shape == (2, 3, *SIZE)
    plain = exported(library, replace(WEIGHTED, class_weights=()))
    assert "weights" not in plain
    assert exported(library, WEIGHTED).startswith(plain)


def test_timm_s_comments_say_that_class_weights_are_left_out() -> None:
    lines = exported("timm", WEIGHTED).splitlines()
    plain = exported("timm", replace(WEIGHTED, class_weights=())).splitlines()
    assert [line for line in lines if line not in plain] == [
        "# Left out, because timm has no flag for them: class weights in the loss (the format yaml has them)."
    ]
    assert lines[-1] == plain[-1]


def test_albumentations_json_has_the_class_weights_beside_the_transform() -> None:
    written = json.loads(exported("albumentations", WEIGHTED))
    plain = json.loads(exported("albumentations", replace(WEIGHTED, class_weights=())))
    assert written.pop("class_weights") == [0.5, 0.75, 1.75]
    assert "torch.nn.CrossEntropyLoss(weight=torch.tensor(class_weights))" in written.pop("class_weights_use")
    # albumentations.load reads "transform" alone.
    assert written == plain


@pytest.mark.parametrize("library", ["json", "yaml"])
def test_the_plain_formats_hold_the_class_weights_by_class(library: str) -> None:
    assert yaml.safe_load(exported(library, WEIGHTED))["class_weights"] == {"a": 0.5, "b": 0.75, "c": 1.75}
    assert "class_weights" not in exported(library, replace(WEIGHTED, class_weights=()))


@pytest.mark.parametrize("library", ["torchvision", "kornia", "timm", "yaml"])
def test_a_policy_without_augmentation_says_so_in_words(library: str) -> None:
    said = "# Train without augmentation."
    assert said in exported(library, uniform({}, NAMES))
    assert said not in exported(library, uniform({"hue": 0.1}, NAMES))


@pytest.mark.parametrize("library", CODE)
def test_code_without_augmentation_is_a_module_that_does_nothing(library: str) -> None:
    weighted = replace(WEIGHTED, values=({},))
    for policy in (uniform({}, NAMES), weighted):
        assert type(transform_of(exported(library, policy))).__name__ == "Identity"
    assert "class_weights = [0.5, 0.75, 1.75]" in exported(library, weighted)


def hyperparameters(policy: Policy, tmp_path: Path) -> tuple[dict[str, Any], str]:
    text = exported("ultralytics", policy)
    path = tmp_path / "hyp.yaml"
    path.write_text(text)
    return ultralytics.read(path)[0], text


def test_ultralytics_hyperparameters_are_the_policy_s(tmp_path: Path) -> None:
    found, text = hyperparameters(uniform(VALUES | {"random_erasing": 0.33}, NAMES), tmp_path)
    assert found == {
        # hue and saturation of their own stand beside the jitter's.
        "hsv_h": 0.2,
        "hsv_s": 0.8,
        "hsv_v": 0.4,
        "scale": 0.7,
        "fliplr": 0.4,
        "flipud": 0.2,
        "erasing": 0.8,
        "auto_augment": None,
    }
    assert (
        "Left out, because Ultralytics has no hyperparameter for them: random_grayscale, random_gaussian_blur." in text
    )
    transform = ultralytics.transform(found, SIZE)
    crop, left, up, jitter = transform.transforms[:4]
    assert (crop.scale, left.p, up.p) == ((pytest.approx(0.3), 1.0), 0.4, 0.2)
    assert jitter.hue == (-0.2, 0.2)


def test_ultralytics_leaves_out_by_name_what_only_its_detection_has() -> None:
    text = exported("ultralytics", uniform({"perspective": 0.1, "random_rotation": 30.0, "elastic": 0.01}, NAMES))
    assert left_out(text) == [
        "Left out, because Ultralytics has degrees, perspective for detection alone: random_rotation, perspective.",
        "Left out, because Ultralytics has no hyperparameter for them: elastic.",
    ]


def test_ultralytics_jitter_is_the_policy_s(tmp_path: Path) -> None:
    found, text = hyperparameters(uniform({"color_jitter": 0.4}, NAMES), tmp_path)
    assert (found["hsv_h"], found["hsv_s"], found["hsv_v"]) == (0.1, 0.4, 0.4)
    assert "# Every image is jittered, where the policy leaves some clean." in text
    alone, text = hyperparameters(uniform({"brightness": 0.4}, NAMES), tmp_path)
    assert alone["hsv_v"] == 0
    assert left_out(text) == ["Left out, because hsv_v jitters brightness and contrast alike: brightness."]
    both, text = hyperparameters(uniform({"brightness": 0.4, "contrast": 0.2}, NAMES), tmp_path)
    assert both["hsv_v"] == 0.2
    assert "the smaller of the two values is taken" in text
    assert not left_out(text)


def test_ultralytics_erases_a_third_or_not_at_all(tmp_path: Path) -> None:
    for area, erasing in ((0.32, 0.0), (0.33, 0.8)):
        found, text = hyperparameters(uniform({"random_erasing": area}, NAMES), tmp_path)
        assert found["erasing"] == erasing
        assert ("Left out, because Ultralytics erases" in text) == (erasing == 0)


def test_ultralytics_hyperparameters_for_no_augmentation_change_nothing(tmp_path: Path) -> None:
    found, text = hyperparameters(uniform({}, NAMES), tmp_path)
    assert text.startswith("# Train without augmentation.\n")
    picture = Image.fromarray((images(1)[0] * 255).byte().permute(1, 2, 0).numpy())
    transform = ultralytics.transform(found, SIZE)
    for seed in range(5):
        torch.manual_seed(seed)
        assert torch.equal(transform(picture), torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255)


def test_ultralytics_comments_say_that_class_weights_are_left_out() -> None:
    assert "class weights in the loss" in exported("ultralytics", WEIGHTED)
    assert "weights" not in exported("ultralytics", replace(WEIGHTED, class_weights=()))


def test_classes_without_an_augmentation_are_listed() -> None:
    values = {"horizontal_flip": 0.5, "random_resized_crop": 0.4, "vertical_flip": 0.5}
    some = {"random_resized_crop": 0.4}
    groups = tuple(int(index > 1) for index in range(len(NAMES)))
    policy = Policy("per_class", 0.8, NAMES, groups, (some, values))
    for found in (json.loads(exported("json", policy)), yaml.safe_load(exported("yaml", policy))):
        assert found["no_flip_classes"] == list(NAMES[:2])
        assert found["no_vertical_flip_classes"] == list(NAMES[:2])
        assert "no_crop_classes" not in found
        assert Policy.from_dict(found, NAMES) == policy
    assert "no_" not in exported("yaml", uniform(values, NAMES))
