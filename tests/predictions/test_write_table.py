"""Written tables: every image and condition is a row, and reading gives back what was predicted."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import OutputError
from cuesense.predictions import write_table
from cuesense.predictions.predictions import ConditionPredictions, Predictions
from cuesense.predictions.table import read
from cuesense.predictions.write_table import METADATA, write
from cuesense.registry import get
from cuesense.types import Condition

GRAY, JITTER = get("perturbations", "grayscale"), get("perturbations", "color_jitter")
CONDITIONS = (
    Condition(),
    *(Condition(GRAY, severity) for severity in GRAY.severities),
    *(Condition(JITTER, severity, repeat) for severity in JITTER.severities for repeat in (0, 1)),
)


def drawn(seed: int, images: int = 12, outputs: tuple[int, ...] = (3, 0, 5)) -> Predictions:
    """Return random predictions of a network of six outputs; corrections are -1 for some images."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(outputs), images)
    return Predictions(
        class_names=tuple(f"class {index}" for index in range(len(outputs))),
        output_names=tuple(f"output {index}" for index in range(6)),
        outputs=outputs,
        sample_ids=[f"folder/{index:02d}.png" for index in range(images)],
        perturbations=(GRAY, JITTER),
        conditions=CONDITIONS,
        per_condition=tuple(
            ConditionPredictions(labels, random.integers(0, 6, images), random.integers(-1, len(outputs), images))
            for _ in CONDITIONS
        ),
        side=224,
    )


# What every output of drawn() is called in its table: by its class, where it has one.
WRITTEN = ("class 1", "output 1", "output 2", "class 0", "output 4", "class 2")


def test_every_image_of_every_condition_is_a_row(tmp_path: Path) -> None:
    found = drawn(0)
    write(found, tmp_path / "p.parquet")
    expected = [
        {
            "sample_id": found.sample_ids[image],
            "label": f"class {entry.labels[image]}",
            "perturbation": condition.name,
            "severity": condition.severity,
            "value": condition.value,
            "repeat": condition.repeat,
            "predicted": WRITTEN[entry.predicted[image]],
            "corrected": None if corrected == -1 else f"class {corrected}",
        }
        for condition, entry in zip(CONDITIONS, found.per_condition, strict=True)
        for image, corrected in enumerate(entry.corrected)  # type: ignore[arg-type]
    ]
    assert pq.read_table(tmp_path / "p.parquet").to_pylist() == expected
    known = json.loads(pq.read_schema(tmp_path / "p.parquet").metadata[METADATA])
    assert known == {"image_size": 224, "classes": ["class 0", "class 1", "class 2"], "fingerprint": None}


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), outputs=st.permutations(range(6)), classes=st.integers(2, 6))
def test_what_is_written_is_read_back_image_by_image(
    seed: int, outputs: list[int], classes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("t")
    found = drawn(seed, 7, tuple(outputs[:classes]))
    write(found, folder / "p.parquet")
    again, _ = read(folder / "p.parquet")
    assert (again.class_names, again.side, again.paired) == (found.class_names, 224, True)
    assert [entry.name for entry in again.perturbations] == ["color_jitter", "grayscale"]
    assert [entry.ladder for entry in again.perturbations] == [JITTER.ladder, GRAY.ladder]
    assert list(again.sample_ids) == list(found.sample_ids)
    row_of = {(one.name, one.severity, one.repeat): row for row, one in enumerate(again.conditions)}
    assert len(row_of) == len(CONDITIONS)
    for row, condition in enumerate(found.conditions):
        other = row_of[condition.name, condition.severity, condition.repeat]
        assert again.conditions[other].value == condition.value
        before, after = found.per_condition[row], again.per_condition[other]
        np.testing.assert_array_equal(after.labels, before.labels)
        np.testing.assert_array_equal(again.right(other), found.right(row))
        # Where there was no correction, what was predicted stands for it: -1 unless it is a class.
        class_of = {output: index for index, output in enumerate(found.outputs)}
        own = [class_of.get(output, -1) for output in before.predicted.tolist()]
        assert before.corrected is not None
        assert after.corrected is not None
        np.testing.assert_array_equal(after.corrected, np.where(before.corrected < 0, own, before.corrected))
    shutil.rmtree(folder)


def test_conditions_are_written_together_up_to_a_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, whole, parts = drawn(0), tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    write(found, whole)
    # Twelve images: two conditions a group.
    monkeypatch.setattr(write_table, "_ROWS_TOGETHER", 30)
    write(found, parts)
    groups = pq.read_metadata(parts)
    assert [groups.row_group(at).num_rows for at in range(groups.num_row_groups)] == [24] * (len(CONDITIONS) // 2) + [
        12
    ]
    assert pq.read_metadata(whole).num_row_groups == 1
    assert pq.read_table(parts).to_pylist() == pq.read_table(whole).to_pylist()


def test_classes_without_images_and_an_unknown_side_are_kept(tmp_path: Path) -> None:
    found = drawn(1)
    labels = np.zeros(12, dtype=np.int64)
    found = replace(
        found, side=None, per_condition=tuple(replace(entry, labels=labels) for entry in found.per_condition)
    )
    write(found, tmp_path / "p.parquet")
    again, _ = read(tmp_path / "p.parquet")
    assert again.class_names == ("class 0", "class 1", "class 2")
    assert again.side is None
    assert read(tmp_path / "p.parquet", image_size=99)[0].side == 99


def test_the_fingerprint_of_the_images_is_read_back(tmp_path: Path) -> None:
    found = drawn(2, images=40)
    for fingerprint in ("abc", None):
        write(replace(found, fingerprint=fingerprint), tmp_path / "p.parquet")
        assert read(tmp_path / "p.parquet")[0].fingerprint == fingerprint


def test_class_names_that_are_given_win_over_those_in_the_file(tmp_path: Path) -> None:
    write(drawn(2, images=40), tmp_path / "p.parquet")
    names = ["class 2", "other", "class 0", "class 1"]
    again, _ = read(tmp_path / "p.parquet", names)
    assert again.class_names == tuple(names)
    np.testing.assert_array_equal(
        again.per_condition[0].labels, np.array([2, 3, 0])[drawn(2, images=40).per_condition[0].labels]
    )


@pytest.mark.parametrize(
    ("class_names", "output_names", "written"),
    [
        (("a", "b"), ("x", "y", "z"), ["b", "y", "a"]),
        # The name of a class is also that of an output without a class.
        (("y", "b"), ("x", "y", "z"), ["b", "y (1)", "y (2)"]),
        (("a", "a"), ("x", "y", "z"), ["a (0)", "y", "a (2)"]),
        # What only the network called so does not count once the class has a name.
        (("a", "b"), ("y", "y", "y"), ["b", "y", "a"]),
    ],
)
def test_outputs_are_named_after_their_classes_each_differently(
    tmp_path: Path, class_names: tuple[str, ...], output_names: tuple[str, ...], written: list[str]
) -> None:
    entry = ConditionPredictions(np.array([0, 1, 1]), np.array([0, 1, 2]), np.array([1, 0, 0]))
    found = Predictions(
        class_names, output_names, (2, 0), ["1", "2", "3"], (GRAY,), (Condition(), Condition(GRAY, 1)), (entry,) * 2
    )
    write(found, tmp_path / "p.parquet")
    table = pq.read_table(tmp_path / "p.parquet").to_pydict()
    assert table["predicted"] == written * 2
    assert table["label"] == [written[2], written[0], written[0]] * 2
    assert table["corrected"] == [written[0], written[2], written[2]] * 2


def test_an_older_table_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    for seed in (3, 4):
        write(drawn(seed), tmp_path / "p.parquet")
    again, _ = read(tmp_path / "p.parquet")
    np.testing.assert_array_equal(again.per_condition[0].labels, drawn(4).per_condition[0].labels)
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_a_table_that_cannot_be_finished_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(drawn(5), tmp_path / "p.parquet")
    before = (tmp_path / "p.parquet").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write(drawn(6), tmp_path / "p.parquet")
    assert (tmp_path / "p.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_where_there_is_no_corrected_prediction_its_cells_are_empty(tmp_path: Path) -> None:
    found = drawn(0)
    bare = replace(found, per_condition=tuple(replace(entry, corrected=None) for entry in found.per_condition))
    write(bare, tmp_path / "p.parquet")
    assert set(pq.read_table(tmp_path / "p.parquet")["corrected"].to_pylist()) == {None}
    assert not read(tmp_path / "p.parquet")[0].corrected
