"""The first condition under which each image is lost, against a plain loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cuesense.errors import DatasetError, SettingsError
from cuesense.predictions.first_failures import first_failures
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.predictions.table import read
from cuesense.registry import get
from cuesense.types import Condition
from tests.helpers import prediction_tables
from tests.helpers.parts_of_images import part_of

JITTER, CROP, GRAY = (get("perturbations", name) for name in ("color_jitter", "random_resized_crop", "grayscale"))


def predictions(seed: int = 0, images: int = 60, *, paired: bool = True) -> Predictions:
    """Return random predictions of three classes under jitter (two repeats), crop and grayscale."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, images)
    conditions = [
        Condition(),
        *(Condition(JITTER, severity, repeat) for severity in (1, 2, 3) for repeat in (0, 1)),
        *(Condition(CROP, severity) for severity in (1, 2)),
        Condition(GRAY, 1),
    ]
    predicted = [np.where(random.random(images) < 0.8, labels, random.integers(0, 3, images)) for _ in conditions]
    return Predictions(
        class_names=("ant", "bee", "cow"),
        output_names=("ant", "bee", "cow"),
        outputs=(0, 1, 2),
        sample_ids=[f"{row:03d}" for row in range(images)],
        perturbations=(JITTER, CROP, GRAY),
        conditions=tuple(conditions),
        per_condition=tuple(ConditionPredictions(labels, found) for found in predicted),
        paired=paired,
    )


def plain(found: Predictions, image: int, names: set[str]) -> tuple[str, int, str]:
    """Return the first failure of one image, its severity and rival."""
    label = found.per_condition[0].labels[image]
    if found.per_condition[0].predicted[image] != label:
        return "", 0, found.class_names[found.per_condition[0].predicted[image]]
    for severity in (1, 2, 3):
        for condition, answers in zip(found.conditions, found.per_condition, strict=True):
            if condition.name in names and condition.severity == severity and answers.predicted[image] != label:
                return condition.name, severity, found.class_names[answers.predicted[image]]
    return "", 0, ""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("names", [None, ["grayscale"], ["random_resized_crop", "color_jitter", "grayscale"]])
def test_it_is_what_a_plain_loop_finds(seed: int, names: list[str] | None) -> None:
    found = predictions(seed)
    shown = first_failures(found, names)
    expected = [plain(found, image, set(names or ["color_jitter", "random_resized_crop"])) for image in range(60)]
    assert list(zip(shown["first_failure"], shown["severity"], shown["rival"], strict=True)) == expected
    assert len({name for name, _, _ in expected}) > 1
    assert list(shown["correct"]) == list(found.right(0))
    assert list(shown["sample_id"]) == list(found.sample_ids)
    known = shown[shown["severity"] > 0]
    ladders = {entry.name: entry for entry in found.perturbations}
    assert all(row.value == ladders[row.first_failure].value(row.severity) for row in known.itertuples())
    assert shown["value"].isna().sum() == (shown["severity"] == 0).sum()


def test_a_table_that_was_written_gives_the_same(tmp_path: Path) -> None:
    path = prediction_tables.saved(prediction_tables.rows(), tmp_path / "table.parquet")
    shown = first_failures(read(path)[0], ["grayscale"]).set_index("sample_id")
    assert shown.loc["ant/0", ["first_failure", "severity", "rival"]].tolist() == ["grayscale", 1, "bee"]
    assert shown.loc["bee/0", "first_failure"] == ""
    assert shown.loc["ant/1", "first_failure"] == ""


def test_what_was_not_measured_and_what_is_not_paired_is_refused() -> None:
    with pytest.raises(SettingsError, match="Unknown perturbation 'hue'"):
        first_failures(predictions(), ["hue"])
    with pytest.raises(DatasetError, match="of the same images under every condition"):
        first_failures(predictions(paired=False))


def test_what_was_not_looked_at_is_no_failure() -> None:
    found = predictions(1)
    seen = np.arange(60) % 2 == 0
    shown = first_failures(part_of(found, seen))
    expected = [plain(found, image, {"color_jitter", "random_resized_crop"}) for image in range(60)]
    for image, (row, whole) in enumerate(zip(shown.itertuples(), expected, strict=True)):
        assert (row.first_failure, row.severity) == (whole[:2] if seen[image] else ("", 0))
