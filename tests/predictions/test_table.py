"""Tables of predictions: what analyze writes is read back, other people's tables too, and every mistake is named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest

from cuesense.analysis.counts import count_predictions
from cuesense.analysis.evidence import gather
from cuesense.errors import CuesenseError, DatasetError, OutputError, SettingsError
from cuesense.perturbations.ablations import PRIMARY_ABLATION
from cuesense.predictions.table import read
from cuesense.predictions.write_table import write
from cuesense.registry import get
from cuesense.types import Cue, Role
from tests.helpers.cue_predictions import EVERY, predictions, recognized_with, shares_kept
from tests.helpers.parts_of_images import first_of_class, part_of
from tests.helpers.prediction_tables import CLASSES, rows, saved


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    found = predictions(
        [
            shares_kept(recognized_with("color")),
            shares_kept(recognized_with("shape")),
            shares_kept(recognized_with("texture")),
        ],
        side=128,
    )
    write(found, tmp_path / "p.parquet")
    again, warnings = read(tmp_path / "p.parquet")
    assert again.class_names == found.class_names
    assert again.side == 128
    assert again.paired
    assert again.corrected
    assert set(map(str, again.conditions)) == set(map(str, found.conditions))
    first, second = gather(found, 0.95), gather(again, 0.95)
    for ablation, share in first.shares.items():
        np.testing.assert_allclose(second.shares[ablation].kept, share.kept)
        np.testing.assert_allclose(second.shares[ablation].distinct, share.distinct)
    assert warnings[0].startswith("Predictions that no label names count as wrong: other ")


def test_outputs_of_one_name_stay_apart(tmp_path: Path) -> None:
    found = predictions([shares_kept(recognized_with("color"))] * 2)
    found = replace(found, output_names=("crane", "crane", *found.output_names[2:]), class_names=("crane", "crane"))
    write(found, tmp_path / "p.parquet")
    assert read(tmp_path / "p.parquet")[0].class_names == ("crane (0)", "crane (1)")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_plain_table_is_read_whatever_its_order(tmp_path: Path, kind: str) -> None:
    shuffled = rows().sample(frac=1, random_state=3)
    found, warnings = read(saved(shuffled, tmp_path / f"p.{kind}"))
    assert not warnings
    assert found.class_names == CLASSES
    assert found.side is None
    assert not found.corrected
    curve = count_predictions(found).raw["grayscale"]
    assert curve.perturbation.ladder == (0.25, 0.5, 0.75, 1.0)
    assert curve.n.tolist() == curve.clean_correct.tolist() == [4, 4, 4]
    assert curve.lost.tolist() == [[1, 0, 1]] * 4
    assert curve.gained.tolist() == [[0, 0, 0]] * 4


def test_integer_labels_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    frame = rows().replace({"ant": 2, "bee": 10, "cow": 1}).infer_objects()
    for kind in ("csv", "parquet"):
        assert read(saved(frame, tmp_path / f"p.{kind}"))[0].class_names == ("1", "2", "10")


def test_the_column_of_values_overrides_the_ladder(tmp_path: Path) -> None:
    frame = rows(perturbations={"patch_shuffle": 1})
    frame["value"] = np.where(frame["severity"] > 0, 3.0, np.nan)
    found, _ = read(saved(frame, tmp_path / "p.csv"))
    assert found.perturbations[0].ladder == (3.0,)
    assert PRIMARY_ABLATION[Cue.SHAPE] in gather(found, 0.95).shares


def test_a_value_close_to_a_rung_is_the_rung(tmp_path: Path) -> None:
    frame = rows(perturbations={"opening_closing": 1})
    frame["value"] = np.where(frame["severity"] > 0, 0.07, np.nan).astype(np.float32)
    found, _ = read(saved(frame, tmp_path / "p.parquet"))
    assert found.perturbations[0].ladder == (0.07,)


def test_corrected_predictions_that_are_missing_are_those_of_the_network_and_said(tmp_path: Path) -> None:
    frame = rows().assign(corrected=lambda f: f["label"])
    frame.loc[frame.index[-2:], "corrected"] = [None, "dog"]
    found, warnings = read(saved(frame, tmp_path / "p.csv"))
    assert found.per_condition[-1].corrected[-2:].tolist() == [2, -1]  # type: ignore[index]
    assert "1 rows have no corrected prediction" in warnings[1]
    assert "dog" in warnings[0]
    empty, _ = read(saved(rows().assign(corrected=""), tmp_path / "p.csv"))
    assert not empty.corrected


def test_columns_of_lists_are_refused_and_foreign_metadata_ignored(tmp_path: Path) -> None:
    frame = rows()
    with pytest.raises(DatasetError, match="one value a cell, but got lists or structures in the column label"):
        read(saved(frame.assign(label=[[1]] * len(frame)), tmp_path / "p.parquet"))
    table = pa.Table.from_pandas(frame).replace_schema_metadata({b"other": b"{broken"})
    pq.write_table(table, tmp_path / "q.parquet")
    assert read(tmp_path / "q.parquet")[0].class_names == CLASSES


def test_repeats_become_image_repeats(tmp_path: Path) -> None:
    frame = rows(perturbations={"color_jitter": 1})
    again = frame[frame["severity"] > 0].assign(repeat=1)
    curve = count_predictions(read(saved(pd.concat([frame, again]), tmp_path / "p.csv"))[0]).raw["color_jitter"]
    assert curve.repeats == 2
    assert curve.n.tolist() == [4, 4, 4]
    assert curve.lost.tolist() == [[2, 0, 2]]


def test_a_perturbation_of_ones_own_has_a_curve_and_a_warning(tmp_path: Path) -> None:
    found, warnings = read(saved(rows(perturbations={"fog": 2, "grayscale": 4}), tmp_path / "p.csv"))
    assert "fog" in warnings[0]
    fog = next(p for p in found.perturbations if p.name == "fog")
    assert (fog.role, fog.ladder, fog.suppresses) == (Role.CONTROL, (1.0, 2.0), ())
    assert "fog" in count_predictions(found).raw


def test_images_that_some_condition_lacks_are_left_out(tmp_path: Path) -> None:
    frame = rows()
    found, warnings = read(saved(frame.drop(frame.index[-1]), tmp_path / "p.csv"))
    assert found.paired
    assert warnings == ["Left out 1 of 12 images, which some condition lacks; grayscale at severity 4 has fewest, 11."]
    assert len(found.per_condition[0].labels) == 11
    gone = frame[~((frame["label"] == "ant") & (frame["severity"] == 2))]
    _, warnings = read(saved(gone, tmp_path / "p.csv"))
    assert "(among them all of ant)" in warnings[0]


def test_other_images_in_every_condition_are_unpaired(tmp_path: Path) -> None:
    frame = rows(images=40)
    frame["sample_id"] = frame["sample_id"] + "@" + frame["severity"].astype(str)
    found, warnings = read(saved(frame, tmp_path / "p.csv"))
    assert not found.paired
    assert "independent samples" in warnings[0]
    curve = count_predictions(found).raw["grayscale"]
    assert curve.unpaired is not None
    assert curve.unpaired.n.tolist() == [[40] * 3] * 4
    assert curve.unpaired.correct.tolist() == [[39, 40, 39]] * 4
    assert curve.lost.tolist() == [[1, 0, 1]] * 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="predicted"), "but got no predicted"),
        (lambda f: f[f["severity"] > 0], "clean images"),
        (lambda f: pd.concat([f, f.tail(1)]), "'cow/3' in rows 60 and 61"),
        (lambda f: f.iloc[:0], "no rows"),
        (lambda f: f.assign(severity=f["severity"] + 0.5), "each severity"),
        (lambda f: f.assign(severity=-1), "each severity"),
        (lambda f: f.assign(repeat="x"), "each repeat"),
        (lambda f: f.assign(label=[None, *f["label"][1:]]), "each label of .* none in row 1"),
        (lambda f: f.assign(predicted=["", *f["predicted"][1:]]), "each predicted of .* none in row 1"),
        (lambda f: f.assign(p_true=1.5), "probability"),
        (lambda f: f.assign(severity=f["severity"] * 2), "severity of grayscale"),
        (lambda f: f.assign(label=[*f["label"][:-1], "ant"]), "ant and cow for 'cow/3'"),
        (lambda f: f.assign(value=np.arange(len(f))), "one value"),
        (lambda f: f.assign(severity=1), "severity 1 of clean in row 1"),
        (lambda f: f.assign(severity=f["severity"] - (f["severity"] > 0)), "severity 0 of grayscale in row 13"),
        (lambda f: f[f["severity"] == 0], "clean ones alone"),
        (lambda f: f.assign(severity=f["severity"] * 10**12), "1,000,000"),
        (lambda f: f.assign(value="much"), "each value .* row 1"),
        (lambda f: f.assign(value=np.inf), "finite"),
        (lambda f: f.assign(value=0.5), "different"),
        (lambda f: f.assign(value=f["severity"] * 7.0), "grayscale's blend"),
        (lambda f: pd.concat([f, f[f["severity"] == 1].assign(repeat=1)]), "same at all severities"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_mistake_is_named(tmp_path: Path, change, said: str, kind: str) -> None:
    if kind == "parquet" and said == "each repeat":
        pytest.skip("a column has one type there")
    with pytest.raises(CuesenseError, match=said) as caught:
        read(saved(change(rows()), tmp_path / f"p.{kind}"))
    assert str(caught.value).endswith(".")


def test_labels_outside_of_the_class_names_are_refused_and_classes_without_images_kept(tmp_path: Path) -> None:
    path = saved(rows(), tmp_path / "p.csv")
    assert read(path, ["cow", "bee", "ant", "dog"])[0].class_names == ("cow", "bee", "ant", "dog")
    with pytest.raises(DatasetError, match="but got cow"):
        read(path, ["ant", "bee"])


@pytest.mark.parametrize(("name", "content"), [("p.csv", b"\xff\xfe\x00"), ("p.parquet", b"PAR1"), ("p.txt", b"")])
def test_files_that_are_no_table_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=r"Expected the table"):
        read(tmp_path / name)
    with pytest.raises(DatasetError, match=r"Expected the table"):
        read(tmp_path / f"missing-{name}")


def test_the_size_of_the_images_can_be_given(tmp_path: Path) -> None:
    assert read(saved(rows(), tmp_path / "p.parquet"), image_size=32)[0].side == 32
    assert len(EVERY) == 12


def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    found = predictions([shares_kept(recognized_with("color"))] * 2)
    (tmp_path / "p.parquet").mkdir()
    with pytest.raises(OutputError, match="but got a folder"):
        write(found, tmp_path / "p.parquet")
    with pytest.raises(OutputError, match="writable"):
        write(found, tmp_path / "missing" / "p.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_a_perturbation_known_from_a_table_alone_cannot_be_applied(tmp_path: Path) -> None:
    found, _ = read(saved(rows(perturbations={"fog": 1}), tmp_path / "p.csv"))
    with pytest.raises(SettingsError, match="known from a table alone"):
        found.perturbations[0].apply(None, 1.0, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [",extra", ",,"])
def test_rows_wider_than_the_header_are_one_sentence(tmp_path: Path, end: str) -> None:
    """pandas would take the first field for an index, and every column for the one beside it."""
    path = saved(rows(), tmp_path / "p.csv")
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(line + end for line in lines)]))
    with pytest.raises(DatasetError, match="more cells than the header"):
        read(path)


def test_a_comma_at_the_end_of_every_row_is_no_cell(tmp_path: Path) -> None:
    path = saved(rows(), tmp_path / "p.csv")
    expected, _ = read(path)
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(line + "," for line in lines)]))
    assert read(path)[0].sample_ids == expected.sample_ids


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_whole_numbers_name_classes_however_they_are_stored(tmp_path: Path, name: str) -> None:
    """A column of numbers in which a value was missing once is one of floats."""
    frame = rows(images=10, perturbations={"grayscale": 4})
    number = {label: index for index, label in enumerate(CLASSES)}
    frame = frame.assign(label=frame.label.map(number), predicted=frame.predicted.map(number).astype(float))
    found, warnings = read(saved(frame, tmp_path / name))
    assert found.class_names == ("0", "1", "2")
    assert found.right(0).all()
    assert not warnings


def test_predictions_that_name_no_class_at_all_are_an_error(tmp_path: Path) -> None:
    frame = rows().assign(predicted="7")
    with pytest.raises(DatasetError, match="labels, such as ant, but got 7"):
        read(saved(frame, tmp_path / "p.csv"))


def test_a_condition_that_no_label_needs_does_not_spoil_the_others(tmp_path: Path) -> None:
    frame = rows(images=6, perturbations={"grayscale": 4, "horizontal_flip": 1})
    flipped = frame.perturbation == "horizontal_flip"
    found, warnings = read(saved(frame[~(flipped & (frame.label == "cow"))], tmp_path / "p.csv"))
    assert warnings == ["Left out horizontal_flip at severity 1, which lacks 6 of 18 images (among them all of cow)."]
    assert found.paired
    assert len(found.sample_ids) == 18
    assert [part.name for part in found.perturbations] == ["grayscale"]


def test_the_images_that_a_needed_condition_lacks_are_left_out(tmp_path: Path) -> None:
    frame = rows(images=6, perturbations={"grayscale": 4, "horizontal_flip": 1})
    lacking = (frame.perturbation == "grayscale") & (frame.sample_id == "cow/0")
    found, warnings = read(saved(frame[~lacking], tmp_path / "p.csv"))
    assert "Left out 1 of 18 images" in warnings[0]
    assert len(found.sample_ids) == 17
    assert len(found.perturbations) == 2


@pytest.mark.parametrize(
    ("off", "known"), [(0.99 * 2**-11, True), (1.01 * 2**-11, False), (-0.99 * 2**-11, True), (-1.01 * 2**-11, False)]
)
def test_a_value_is_that_of_the_ladder_up_to_rounding(tmp_path: Path, off: float, known: bool) -> None:
    frame = rows(perturbations={"opening_closing": 1})
    frame["value"] = np.where(frame["severity"] > 0, 0.07 * (1 + off), np.nan)
    ((value,),) = (entry.ladder for entry in read(saved(frame, tmp_path / "p.csv"))[0].perturbations)
    assert (value == 0.07) == known


@pytest.mark.parametrize(("missing", "paired"), [(6, True), (7, False)])
def test_conditions_are_paired_while_they_share_half_of_the_images(tmp_path: Path, missing: int, paired: bool) -> None:
    frame = rows()
    found, warnings = read(saved(frame.drop(frame[frame.severity == 4].index[:missing]), tmp_path / "p.csv"))
    assert found.paired == paired
    assert len(found.per_condition[0].labels) == (6 if paired else 12)
    assert ("independent samples" in warnings[-1]) != paired


@pytest.mark.parametrize(("missing", "dropped"), [(3, True), (4, False)])
def test_a_condition_is_of_the_same_images_with_nine_tenths_of_them(
    tmp_path: Path, missing: int, dropped: bool
) -> None:
    """A flip of a tenth of the images is left out where half of the conditions are of the clean images."""
    frame = rows(images=10, perturbations={"grayscale": 2, "horizontal_flip": 1})
    gone = list(frame[frame.perturbation == "horizontal_flip"].index[:27])
    for severity in (1, 2):
        gone += list(frame[(frame.perturbation == "grayscale") & (frame.severity == severity)].index[-missing:])
    found, warnings = read(saved(frame.drop(gone), tmp_path / "p.csv"))
    assert ([entry.name for entry in found.perturbations] == ["grayscale"]) == dropped
    assert found.paired == dropped
    assert ("Left out horizontal_flip" in warnings[0]) == dropped


@pytest.mark.parametrize("name", ["grayscale", "opening_closing", "gaussian_blur", "patch_shuffle", "color_jitter"])
def test_ladders_written_as_float32_or_with_six_digits_are_the_registered_ones(tmp_path: Path, name: str) -> None:
    ladder = np.array(get("perturbations", name).ladder)
    frame = rows(perturbations={name: len(ladder)})
    exact = np.array([np.nan, *ladder])[frame["severity"]]
    frame32 = frame.assign(value=exact.astype(np.float32))
    digits = frame.assign(value=["" if np.isnan(value) else f"{value:.6g}" for value in exact])
    for path in (
        saved(frame32, tmp_path / "a.parquet"),
        saved(frame32.astype({"value": float}), tmp_path / "b.csv"),
        saved(digits, tmp_path / "c.csv"),
    ):
        (entry,) = read(path)[0].perturbations
        assert entry == get("perturbations", name)


def test_a_value_of_ones_own_as_float32_is_its_shortest_decimal(tmp_path: Path) -> None:
    frame = rows(perturbations={"grayscale": 1})
    frame["value"] = np.where(frame["severity"] > 0, 0.3, np.nan).astype(np.float32)
    assert read(saved(frame, tmp_path / "p.parquet"))[0].perturbations[0].ladder == (0.3,)


def test_a_value_of_ones_own_as_float64_stays_as_it_is(tmp_path: Path) -> None:
    frame = rows(perturbations={"opening_closing": 1})
    frame["value"] = np.where(frame["severity"] > 0, 1 / 7, np.nan)
    assert read(saved(frame, tmp_path / "p.parquet"))[0].perturbations[0].ladder == (1 / 7,)


def test_severities_that_a_table_skips_are_numbered_anew_and_keep_their_values(tmp_path: Path) -> None:
    frame = rows()
    found, _ = read(saved(frame[frame["severity"].isin((0, 2, 4))], tmp_path / "p.csv"))
    assert [(one.severity, one.value) for one in found.conditions] == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert found.perturbations[0].ladder == (0.5, 1.0)


def test_unknown_perturbations_keep_their_values_or_take_their_severities(tmp_path: Path) -> None:
    frame = rows(perturbations={"fog": 3, "snow": 3, "grayscale": 1})
    frame["value"] = np.where(frame["perturbation"] == "fog", frame["severity"] * -2.5, np.nan)
    found, warnings = read(saved(frame, tmp_path / "p.csv"))
    ladders = {entry.name: (entry.ladder, entry.limits) for entry in found.perturbations}
    assert ladders == {
        "fog": ((-2.5, -5.0, -7.5), (-7.5, 0.0)),
        "snow": ((1.0, 2.0, 3.0), (0.0, 3.0)),
        "grayscale": ((0.25,), get("perturbations", "grayscale").limits),
    }
    assert warnings == [
        "No registered perturbation: fog, snow. They get a curve, and have no part in cues and budgets."
    ]


def test_predictions_outside_of_the_classes_are_outputs_behind_them_and_named_up_to_five(tmp_path: Path) -> None:
    frame = rows(images=8)
    others = [f"other {number}" for number in range(7)]
    frame.loc[:6, "predicted"] = others
    found, warnings = read(saved(frame, tmp_path / "p.csv"))
    assert found.output_names == (*CLASSES, *others)
    assert found.outputs == (0, 1, 2)
    assert found.per_condition[0].predicted[:8].tolist() == [3, 4, 5, 6, 7, 8, 9, 0]
    assert found.right(0).tolist() == [False] * 7 + [True] * 17
    assert warnings == [
        "Predictions that no label names count as wrong: other 0, other 1, other 2, other 3, other 4 and 2 more."
    ]


@pytest.mark.parametrize(("severity", "fits"), [(4, True), (5, False)])
def test_a_severity_without_a_value_is_one_of_the_registered_ladder(tmp_path: Path, severity: int, fits: bool) -> None:
    frame = rows(perturbations={"grayscale": 1})
    path = saved(frame.assign(severity=frame["severity"] * severity), tmp_path / "p.csv")
    if fits:
        assert read(path)[0].perturbations[0].ladder == (1.0,)
    else:
        with pytest.raises(DatasetError, match=r"of its ladder, 1 to 4, but got 5\. Give its value in a column"):
            read(path)


@pytest.mark.parametrize("content", [b"{broken", b"[1]", b'"text"', b"7"])
def test_metadata_of_another_program_is_no_metadata(tmp_path: Path, content: bytes) -> None:
    table = pa.Table.from_pandas(rows()).replace_schema_metadata({b"cuesense": content})
    pq.write_table(table, tmp_path / "p.parquet")
    found, warnings = read(tmp_path / "p.parquet")
    assert (found.class_names, found.side, warnings) == (CLASSES, None, [])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("name", "values", "word"),
    [("gaussian_blur", (0.036, 0.0045), "rising"), ("random_resized_crop", (0.08, 0.7), "falling")],
)
def test_values_against_the_order_of_severities_are_refused(
    tmp_path: Path, name: str, values: tuple[float, float], word: str, kind: str
) -> None:
    for given_values, wrong in ((values, True), (values[::-1], False)):
        frame = rows(perturbations={name: 2, "grayscale": 4})
        frame["value"] = np.where(
            frame.perturbation == name, frame.severity.map({0: 0, 1: given_values[0]}).fillna(given_values[1]), np.nan
        )
        path = saved(frame, tmp_path / f"p.{kind}")
        if not wrong:
            assert {entry.name: entry.ladder for entry in read(path)[0].perturbations}[name] == given_values
            continue
        with pytest.raises(DatasetError, match=f"by severity, to be {word}, but got .*Number severities from mild"):
            read(path)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_values_of_any_precision_are_those_of_the_ladder(tmp_path: Path, kind: type) -> None:
    frame = rows(perturbations={"opening_closing": 4, "tile_jitter": 4})
    ladders = {name: get("perturbations", name).ladder for name in ("opening_closing", "tile_jitter")}
    values = [ladders[row.perturbation][row.severity - 1] if row.severity else 0.0 for row in frame.itertuples()]
    frame["value"] = np.array(values).astype(kind)
    found, _ = read(saved(frame, tmp_path / "p.parquet"))
    assert {entry.name: entry.ladder for entry in found.perturbations} == ladders


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"image_size": "224"}, "metadata 'image_size' is a whole number from 1 to 4096, but got '224'"),
        ({"image_size": True}, "but got True"),
        ({"image_size": 0}, "but got 0"),
        ({"classes": 3}, "metadata 'classes' is a list of names, but got 3"),
        ({"classes": [1]}, "a list of names"),
    ],
)
def test_metadata_of_the_wrong_type_are_refused(tmp_path: Path, metadata: dict[str, object], sentence: str) -> None:
    table = pa.Table.from_pandas(rows()).replace_schema_metadata({b"cuesense": json.dumps(metadata).encode()})
    pq.write_table(table, tmp_path / "p.parquet")
    with pytest.raises(DatasetError, match=sentence):
        read(tmp_path / "p.parquet")


def test_an_index_of_pandas_is_a_column(tmp_path: Path) -> None:
    rows().set_index("sample_id").to_parquet(tmp_path / "p.parquet")
    assert len(read(tmp_path / "p.parquet")[0].sample_ids) == 12


def test_the_table_of_an_adaptive_run_has_the_rows_that_it_looked_at(tmp_path: Path) -> None:
    found = predictions([shares_kept(recognized_with(cue)) for cue in ("color", "shape", "texture")], 30)
    some = part_of(found, first_of_class(found, 12))
    # Half of the conditions were looked at in more images.
    mixed = part_of(found, first_of_class(found, 20)).per_condition
    rows = tuple(mixed[row] if row % 2 else given for row, given in enumerate(some.per_condition))
    some = replace(some, per_condition=rows)
    write(some, tmp_path / "p.parquet")
    table = pq.read_table(tmp_path / "p.parquet")
    assert len(table) == sum(int(some.seen(row).sum()) for row in range(len(rows)))
    again, warnings = read(tmp_path / "p.parquet")
    assert again.paired
    assert not [text for text in warnings if "Left out" in text or "different images" in text]
    assert list(again.sample_ids) == sorted(some.sample_ids)
    order = np.argsort(some.sample_ids)
    place = {str(condition): row for row, condition in enumerate(again.conditions)}
    for row, condition in enumerate(some.conditions):
        other = again.per_condition[place[str(condition)]]
        np.testing.assert_array_equal(again.seen(place[str(condition)]), some.seen(row)[order])
        np.testing.assert_array_equal(other.corrected, some.per_condition[row].corrected[order])
    first, second = gather(some, 0.95), gather(again, 0.95)
    for ablation, share in first.shares.items():
        np.testing.assert_allclose(second.shares[ablation].kept, share.kept)


def test_a_table_that_says_so_falsely_is_refused(tmp_path: Path) -> None:
    found = predictions([shares_kept(recognized_with("color"))] * 2, 12)
    write(part_of(found, first_of_class(found, 6)), tmp_path / "p.parquet")
    table = pq.read_table(tmp_path / "p.parquet")
    clean = pa.compute.equal(table["perturbation"].cast(pa.string()), "clean")
    strange = pa.compute.and_(clean, pa.compute.equal(table["sample_id"].cast(pa.string()), found.sample_ids[0]))
    pq.write_table(table.filter(pa.compute.invert(strange)), tmp_path / "q.parquet")
    with pytest.raises(DatasetError, match=r"the images of '.*q\.parquet' to be among its clean ones, but got others"):
        read(tmp_path / "q.parquet")
