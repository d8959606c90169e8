"""A training transform is measured on the images of an analysis, resumed, and kept beside it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision import transforms

import cuesense
from cuesense.errors import ModelError, SettingsError
from cuesense.schemas.profile import PipelineModel, Profile
from cuesense.workflows.pipeline import FOLDER
from tests.helpers.small_networks import NAMES, Colors, classifier


def swapped(image: Tensor) -> Tensor:
    """Exchange red and green in half of the images: brick and grass become each other, and water stays."""
    return image[[1, 0, 2]] if torch.rand(()) < 0.5 else image


def mirrored() -> Any:
    return transforms.RandomHorizontalFlip()


STEPS = [mirrored(), transforms.ToTensor(), swapped, transforms.Normalize(0.5, 0.25)]


def analyzed(pipeline: Any = None, **options: Any) -> Profile:
    return cuesense.analyze(classifier(), Colors(90), config="quick", pipeline=pipeline, **options)


def costs(profile: Profile) -> PipelineModel:
    assert profile.pipeline is not None
    return profile.pipeline


def test_each_step_costs_the_classes_that_it_harms() -> None:
    found = costs(analyzed(STEPS))
    flip, swap = found.steps
    assert (flip.name, swap.name) == ("RandomHorizontalFlip", "swapped")
    assert found.preparation == ["ToTensor", "Normalize"]
    # The network looks at mean colors, which a mirror does not change (three pixels aside).
    assert flip.alone.mean.value == pytest.approx(0, abs=0.05)
    assert [round(drop or 0, 1) for drop in swap.alone.drop] == pytest.approx([0.5, 0.5, 0.0], abs=0.15)
    assert [taken and taken.rival for taken in swap.taken] == [NAMES[1], NAMES[0], None]
    assert set(swap.beyond) == {NAMES[0], NAMES[1]}
    assert swap.verdict == "unknown"
    assert "swapped costs" in found.headline
    # What the whole costs, it costs because of this step.
    assert swap.left_out is not None
    assert swap.left_out.mean.value == pytest.approx(found.whole[-1].mean.value, abs=0.05)


def test_the_rest_of_the_profile_is_that_without_a_transform() -> None:
    with_it, without = analyzed(STEPS), analyzed()
    assert with_it.curves == without.curves
    assert with_it.classes == without.classes
    assert without.pipeline is None


def test_results_are_written_resumed_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = analyzed(STEPS, output=out)
    with (out / "pipeline.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == [*["(whole)"] * 3, *["RandomHorizontalFlip"] * 3, *["swapped"] * 3]
    assert rows[6]["taken_by"] == NAMES[1]
    assert costs(Profile.read(out)) == costs(first)
    assert "What the training transform costs" in (out / "report.html").read_text()

    images = Colors(90)
    again = cuesense.analyze(classifier(), images, config="quick", pipeline=STEPS, output=out)
    assert costs(again) == costs(first)
    # Another transform has shards of its own, and the same call without one keeps what was known.
    other = analyzed([transforms.ToTensor(), swapped], output=out)
    assert [step.name for step in costs(other).steps] == ["swapped"]
    assert len(list((out / FOLDER).iterdir())) == 2
    assert costs(analyzed(output=out)) == costs(other)
    # What is said of one tolerance is not said of another.
    assert analyzed(output=out, tolerance=0.3).pipeline is None
    # A restart throws the shards of all transforms away.
    analyzed(STEPS, output=out, restart=True)
    assert len(list((out / FOLDER).iterdir())) == 1


def test_batches_change_nothing() -> None:
    assert costs(analyzed(STEPS, batch_size=7)) == costs(analyzed(STEPS, batch_size=32))


def test_a_wrong_transform_stops_the_run_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a transform that augments"):
        analyzed(transforms.ToTensor(), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_program_is_refused_where_only_weights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("raise RuntimeError('ran')\n")
    with pytest.raises(ModelError, match="which is a program"):
        analyzed(f"{path}:transform", weights_only=True)


def test_flags_are_read() -> None:
    found = costs(analyzed(timm_args="--scale .5 1 --color-jitter 0.2 --hflip 0"))
    assert [(step.name, step.augmentation) for step in found.steps] == [
        ("RandomResizedCropAndInterpolation", "random_resized_crop"),
        ("ColorJitter", "color_jitter"),
    ]
    assert found.spec == "timm --scale .5 1 --color-jitter 0.2 --hflip 0"


def test_a_transform_that_rarely_fails_keeps_the_run_and_is_said(tmp_path: Path) -> None:
    failing = 1 / 100

    def rare(image: Tensor) -> Tensor:
        draw = float(torch.rand(()))
        if draw < failing:
            raise ValueError("bits must be between 1 and 8")
        return image * draw

    steps = [rare, transforms.ToTensor()]
    first = costs(analyzed(steps, output=tmp_path / "out"))
    (said,) = [remark for remark in first.remarks if "failed" in remark]
    assert said.startswith(
        "The transform failed on some images, which count as unchanged (ValueError: bits must be between 1 and 8): "
    )
    assert " under 'rare of pipeline'" in said
    # A run that finds everything measured says the same.
    assert costs(analyzed(steps, output=tmp_path / "out")).remarks == first.remarks
