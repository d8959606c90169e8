"""A table's classes have one spelling, whatever Unicode form, case or blanks its rows have."""

from random import Random
from unicodedata import normalize

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import DatasetError
from cuesense.predictions.table import read

LEMON, CAFE = "citr\u00f3n", "caf\u00e9"


def rows(labels=(LEMON, CAFE), respell=lambda _, name: name):
    """Return predictions for ten images a class; one in five is predicted as the next class."""
    found = []
    for perturbation, severity in (("clean", 0), ("grayscale", 1)):
        for place, label in enumerate(labels):
            for number in range(10):
                predicted = labels[(place + 1) % len(labels)] if number % 5 == 0 else label
                found.append(
                    {
                        "sample_id": respell("sample_id", f"{label}/{number}"),
                        "label": respell("label", label),
                        "perturbation": perturbation,
                        "severity": severity,
                        "predicted": respell("predicted", predicted),
                        "corrected": respell("corrected", predicted),
                    }
                )
    return pd.DataFrame(found)


def counted(frame, folder, class_names=None):
    """Return how many clean images of each class are right, by name, and the warnings."""
    frame.to_csv(folder / "p.csv", index=False)
    found, warnings = read(folder / "p.csv", class_names)
    labels, right = found.per_condition[0].labels, found.right(0)
    return {name: int(right[labels == index].sum()) for index, name in enumerate(found.class_names)}, warnings


@pytest.mark.parametrize("column", ["label", "predicted"])
def test_a_column_in_another_unicode_form_counts_like_the_same(tmp_path, column):
    plain, none = counted(rows(), tmp_path)
    assert (plain, none) == ({LEMON: 8, CAFE: 8}, [])
    frame = rows(respell=lambda of, name: normalize("NFD", name) if of == column else name)
    found, warnings = counted(frame, tmp_path)
    assert found == plain
    assert len(warnings) == 1
    assert "'caf\u00e9' in two Unicode forms, 'citr\u00f3n' in two Unicode forms" in warnings[0]


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_every_cell_in_any_form_counts_like_one_spelling(tmp_path_factory, seed):
    form = Random(seed)
    frame = rows(respell=lambda _, name: normalize(form.choice(["NFC", "NFD"]), name))
    assert counted(frame, tmp_path_factory.mktemp("p"))[0] == {LEMON: 8, CAFE: 8}


def test_one_form_throughout_is_no_warning_and_is_printed_composed(tmp_path):
    frame = rows(respell=lambda _, name: normalize("NFD", name))
    assert counted(frame, tmp_path) == ({LEMON: 8, CAFE: 8}, [])


@pytest.mark.parametrize("change", [str.upper, str.title, "\u00a0{} ".format, lambda name: name.replace(" ", "_")])
def test_case_and_blanks(tmp_path, change):
    labels = ("green lemon", "lime")
    frame = rows(labels, lambda column, name: change(name) if column in ("predicted", "corrected") else name)
    found, warnings = counted(frame, tmp_path)
    assert found == {"green lemon": 8, "lime": 8}
    assert len(warnings) == (change(" a b ").strip() != "a b")


def test_labels_in_two_spellings_are_one_class(tmp_path):
    frame = rows(("lemon", "lime"))
    frame.loc[frame["sample_id"].isin(["lemon/1", "lemon/2"]), "label"] = "Lemon"
    found, warnings = counted(frame, tmp_path)
    assert found == {"lemon": 8, "lime": 8}
    assert "'lemon' and 'Lemon'" in warnings[0]


def test_names_that_are_labels_and_predictions_both_are_two_classes_and_it_is_said(tmp_path):
    frame = rows(("Cardigan", "cardigan", "tench"))
    found, warnings = counted(frame, tmp_path)
    assert found == {"Cardigan": 8, "cardigan": 8, "tench": 8}
    assert warnings == [
        "'Cardigan' and 'cardigan' count as different classes, because all of them are both labels and predictions. "
        "Spell them alike if they are one."
    ]
    assert counted(frame, tmp_path, ["Cardigan", "cardigan", "tench"]) == (found, [])


def test_an_output_that_only_looks_like_a_class_stays_one_of_its_own(tmp_path):
    frame = rows(("Cardigan", "tench"))
    frame.loc[(frame["label"] == "tench") & (frame["predicted"] == "Cardigan"), ["predicted", "corrected"]] = "cardigan"
    found, warnings = counted(frame, tmp_path)
    assert found == {"Cardigan": 8, "tench": 8}
    assert "Predictions that no label names count as wrong: cardigan." in warnings


def test_predictions_in_both_spellings_for_images_of_the_class_are_the_class(tmp_path):
    frame = rows(("lemon", "lime"))
    frame.loc[frame["sample_id"].isin(["lemon/1", "lemon/2"]), ["predicted", "corrected"]] = "Lemon"
    found, warnings = counted(frame, tmp_path)
    assert found == {"lemon": 8, "lime": 8}
    assert len(warnings) == 1


def test_what_may_be_two_classes_is_refused_by_name(tmp_path):
    frame = rows(("Lemon", "lemon", "lime"))
    frame["predicted"] = frame["predicted"].replace("Lemon", "LEMON")
    with pytest.raises(DatasetError, match="'LEMON', which may be 'Lemon' or 'lemon'"):
        counted(frame, tmp_path, ["Lemon", "lemon", "lime"])


def test_class_names_decide_how_a_class_is_called(tmp_path):
    frame = rows(respell=lambda _, name: normalize("NFD", name).upper())
    found, warnings = counted(frame, tmp_path, [normalize("NFD", CAFE), LEMON, "x"])
    assert found == {CAFE: 8, LEMON: 8, "x": 0}
    assert warnings == []


def test_sample_ids_are_the_same_images_in_every_form(tmp_path):
    frame = rows()
    frame["sample_id"] = [
        normalize("NFD" if name == "grayscale" else "NFC", sample)
        for name, sample in zip(frame["perturbation"], frame["sample_id"], strict=True)
    ]
    assert counted(frame, tmp_path) == ({LEMON: 8, CAFE: 8}, [])
