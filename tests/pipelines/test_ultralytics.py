"""Ultralytics' hyperparameters make what its classify_augmentations makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuesense.errors import SettingsError
from cuesense.pipelines.steps import flattened, settings_of
from cuesense.pipelines.ultralytics import read, transform


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "args.yaml"
    path.write_text(text)
    return path


def steps(path: Path) -> list[str]:
    return [settings_of(step) for step in flattened(transform(read(path)[0], (32, 32)))]


def test_jitter_without_a_policy(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "hsv_h: 0.02\nhsv_s: 0.7\nhsv_v: 0.4\nscale: 0.3\n"
        "fliplr: 0.25\nflipud: 0.1\nerasing: 0.2\nauto_augment: null\n",
    )
    crop, left, up, jitter, tensor, erasing = steps(path)
    assert crop.startswith("RandomResizedCrop(size=(32, 32), scale=(0.7, 1.0)")
    assert (left, up, tensor) == ("RandomHorizontalFlip(p=0.25)", "RandomVerticalFlip(p=0.1)", "ToTensor()")
    assert "brightness=(0.6, 1.4), contrast=(0.6, 1.4)" in jitter
    assert "hue=(-0.02, 0.02)" in jitter
    assert erasing.startswith("RandomErasing(p=0.2, scale=(0.02, 0.33)")
    assert read(path)[1] == []


@pytest.mark.parametrize(
    ("name", "step"), [("randaugment", "RandAugment("), ("augmix", "AugMix("), ("autoaugment", "AutoAugment(")]
)
def test_a_policy_turns_the_jitter_off(tmp_path: Path, name: str, step: str) -> None:
    path = written(tmp_path, f"auto_augment: {name}\nfliplr: 0\nerasing: 0\nhsv_v: 0.4\n")
    assert [text.partition("(")[0] + "(" for text in steps(path)] == ["RandomResizedCrop(", step, "ToTensor("]
    assert f"With auto_augment: {name}, Ultralytics does nothing with hsv_h, hsv_s and hsv_v." in read(path)[1]


def test_what_the_file_does_not_say_is_ultralytics_default(tmp_path: Path) -> None:
    settings, remarks = read(written(tmp_path, "task: classify\nfliplr: 0.3\ndegrees: 10\nmixup: 0.2\nmosaic: 0.0\n"))
    assert (settings["fliplr"], settings["scale"], settings["erasing"], settings["auto_augment"]) == (
        0.3,
        0.5,
        0.4,
        "randaugment",
    )
    assert remarks[0].startswith("Ultralytics' defaults were taken for what the file does not say: hsv_h 0.015, ")
    assert "Left out, because Ultralytics' classification does nothing with them: degrees." in remarks
    assert "Left out, because it is no change of one image: mixup (mixes two images)." in remarks


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lr0: 0.1\n", "a file of hyperparameters, but got none of augmentation"),
        ("- fliplr\n", "names and values, but got a list"),
        ("fliplr: 2\n", "fliplr in .* a number from 0 to 1, but got 2"),
        ("hsv_h: 0.6\n", "hsv_h in .* a number from 0 to 0.5, but got 0.6"),
        ("scale: [0.5, 1]\n", "Give one number below 1"),
        ("scale: 1\n", "Give one number below 1"),
        ("auto_augment: randaug\nfliplr: 0\n", "Unknown auto_augment 'randaug'. Did you mean 'randaugment'?"),
        ("fliplr: [\n", "a YAML file"),
        ("flip_lr: 0.2\nscale: 0.3\n", "Unknown setting 'flip_lr' in .* Did you mean 'fliplr'. If not, leave it out"),
        ("erase: 0.2\n", "Did you mean 'erasing'"),
    ],
)
def test_wrong_files_are_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read(written(tmp_path, text))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no file at"):
        read(tmp_path / "none.yaml")


def test_a_file_runs_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, f"fliplr: !!python/object/apply:pathlib.Path.touch [{tmp_path / 'ran'}]\n")
    with pytest.raises(SettingsError, match="a YAML file"):
        read(path)
    assert not (tmp_path / "ran").exists()


def test_settings_that_ultralytics_does_not_know_are_said(tmp_path: Path) -> None:
    remarks = read(written(tmp_path, "fliplr: 0.3\nlr0: 0.1\nquite_mine: 3\nplots: true\n"))[1]
    assert remarks[-1] == "Unknown to Ultralytics, and left out: quite_mine."
    assert "lr0" not in " ".join(remarks)
