"""Ultralytics' hyperparameters for classification (hyp.yaml, args.yaml) as its transform, without its package.

What its ``classify_augmentations`` does with them: RandomResizedCrop(scale=(1 - scale, 1)), flips, a policy or a color
jitter (brightness and contrast by hsv_v, saturation by hsv_s, hue by hsv_h), RandomErasing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cuesense.errors import SettingsError, expected, first_line, unknown
from cuesense.pipelines.flags import meant_by
from cuesense.validation import is_number

# Ultralytics' own defaults, for what a file does not say.
_DEFAULTS: Mapping[str, float] = {
    "hsv_h": 0.015,
    "hsv_s": 0.7,
    "hsv_v": 0.4,
    "scale": 0.5,
    "flipud": 0.0,
    "fliplr": 0.5,
    "erasing": 0.4,
}
_POLICY = "auto_augment"
_POLICIES = ("randaugment", "augmix", "autoaugment")
# Settings of detection, with the value at which they do nothing.
_NOT_USED = ("degrees", "translate", "shear", "perspective", "bgr", "mosaic", "copy_paste")
_MIXED = ("mixup", "cutmix")
# All other settings of Ultralytics, of versions 8.0 to 8.4, which say nothing of augmentation.
_OTHERS = """
agnostic_nms amp anchor_t anchors angle augment batch bgr box boxes cache cfg channels_last classes close_mosaic cls
cls_pw cls_remap compile conf copy_paste_mode cos_lr crop_fraction data deterministic device dfl dgrad dis distill_model
dlam dlog dnn dropout dynamic embed end2end epochs exist_ok fl_gamma format fraction freeze half hide_conf hide_labels
imgsz int8 iou keras kobj label_smoothing line_thickness line_width lr0 lrf mask_ratio max_det min_memory mode model
momentum multi_scale name nbs nms opset optimize optimizer overlap_mask patience plots pose pretrained profile project
quantize rect resume retina_masks rle save save_conf save_crop save_dir save_frames save_hybrid save_json save_period
save_txt seed show show_boxes show_conf show_labels simplify single_cls source split stream_buffer task time tracker
v5loader val verbose vid_stride visualize warmup_bias_lr warmup_epochs warmup_momentum weight_decay workers workspace
"""
_LARGEST_FILE = 1024**2


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the hyperparameters of augmentation in a file, and what was left out, in sentences.

    Args:
        path: A YAML file of names and values.

    Raises:
        SettingsError: It is no such file, names none of these hyperparameters, misspells one, or a value is out of
            range.
    """
    content = _content(path)
    unknown_names = _unknown(path, content)
    if not any(name in content for name in (*_DEFAULTS, _POLICY)):
        do = f"Give the args.yaml of an Ultralytics run; it has {', '.join(_DEFAULTS)}"
        raise SettingsError(expected(str(path), "a file of hyperparameters", "none of augmentation", do))
    found: dict[str, Any] = {name: _number(path, name, content.get(name, value)) for name, value in _DEFAULTS.items()}
    found[_POLICY] = _policy(content)
    remarks = _remarks(content, found)
    if unknown_names:
        remarks.append(f"Unknown to Ultralytics, and left out: {', '.join(unknown_names)}.")
    return found, remarks


def transform(settings: Mapping[str, Any], side: tuple[int, int]) -> Any:
    """Return Ultralytics' transform for images of a size (height, width) in pixels."""
    from torchvision import transforms
    from torchvision.transforms import autoaugment

    policies = {
        "randaugment": autoaugment.RandAugment,
        "augmix": autoaugment.AugMix,
        "autoaugment": autoaugment.AutoAugment,
    }
    bilinear = transforms.InterpolationMode.BILINEAR
    steps: list[Any] = [transforms.RandomResizedCrop(side, scale=(1 - settings["scale"], 1.0))]
    if settings["fliplr"] > 0:
        steps.append(transforms.RandomHorizontalFlip(settings["fliplr"]))
    if settings["flipud"] > 0:
        steps.append(transforms.RandomVerticalFlip(settings["flipud"]))
    if settings[_POLICY]:
        steps.append(policies[settings[_POLICY]](interpolation=bilinear))
    else:
        value = settings["hsv_v"]
        steps.append(transforms.ColorJitter(value, value, settings["hsv_s"], settings["hsv_h"]))
    steps.append(transforms.ToTensor())
    if settings["erasing"] > 0:
        steps.append(transforms.RandomErasing(p=settings["erasing"]))
    return transforms.Compose(steps)


def _content(path: Path) -> dict[str, Any]:
    import yaml

    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError("a file of more than 1 MB")
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(expected("--pipeline", "a file", f"no file at '{path}'", "Correct the path")) from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        do = "Give the args.yaml of an Ultralytics run"
        raise SettingsError(expected(str(path), "a YAML file", first_line(error), do)) from None
    if not isinstance(content, dict):
        do = "Give the args.yaml of an Ultralytics run"
        raise SettingsError(expected(str(path), "names and values", f"a {type(content).__name__}", do))
    return content


def _unknown(path: Path, content: Mapping[str, Any]) -> list[str]:
    """Return the names that are no setting of Ultralytics; one that is close to a hyperparameter is refused."""
    augment = (*_DEFAULTS, _POLICY)
    others = (*_NOT_USED, *_MIXED, *_OTHERS.split())
    names = [str(name) for name in content if name not in augment and name not in others]
    for name in names:
        meant = meant_by(name, augment)
        if meant is not None:
            raise SettingsError(f"Unknown setting '{name}' in {path}. Did you mean '{meant}'? If not, leave it out.")
    return names


def _number(path: Path, name: str, value: Any) -> float:
    highest = 0.5 if name == "hsv_h" else 1.0
    if is_number(value) and 0 <= value <= highest and not (name == "scale" and value == 1):
        return float(value)
    do = "Correct it; Ultralytics refuses it, too" if name != "scale" else "Give one number below 1"
    raise SettingsError(expected(f"{name} in {path}", f"a number from 0 to {highest:g}", repr(value), do))


def _policy(content: Mapping[str, Any]) -> str | None:
    """Return the policy: Ultralytics' default where the file does not name one, none where it says so."""
    found = content.get(_POLICY, "randaugment")
    if found in (None, False, "", "None", "none", "null"):
        return None
    if found not in _POLICIES:
        raise SettingsError(unknown(f"{_POLICY} '{found}'", str(found), _POLICIES))
    return str(found)


def _remarks(content: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    sentences = []
    assumed = [name for name in (*_DEFAULTS, _POLICY) if name not in content]
    if assumed:
        values = ", ".join(f"{name} {found[name]}" for name in assumed)
        sentences.append(f"Ultralytics' defaults were taken for what the file does not say: {values}.")
    without = [name for name in _NOT_USED if is_number(content.get(name)) and content[name]]
    if without:
        sentences.append(f"Left out, because Ultralytics' classification does nothing with them: {', '.join(without)}.")
    mixed = [name for name in _MIXED if is_number(content.get(name)) and content[name]]
    if mixed:
        mixes = "mixes" if len(mixed) == 1 else "mix"
        sentences.append(f"Left out, because it is no change of one image: {', '.join(mixed)} ({mixes} two images).")
    if found[_POLICY] and any(found[name] for name in ("hsv_h", "hsv_s", "hsv_v")):
        sentences.append(f"With auto_augment: {found[_POLICY]}, Ultralytics does nothing with hsv_h, hsv_s and hsv_v.")
    return sentences
