"""A table of accuracies becomes a sweep, or one sentence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.errors import CuesenseError, DatasetError, SettingsError
from cuesense.sweeps.accuracy_table import read_accuracies
from tests.helpers.simulated_sweeps import Truth, level, simulated, table

SWEEP = simulated(Truth(level(3, 4), images=50, runs=2), 0)


def written(frame: pd.DataFrame, folder: Path, name: str = "t.csv") -> Path:
    path = folder / name
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_gives_back_the_sweep_in_any_order_of_rows(name: str, tmp_path: Path) -> None:
    frame = table(SWEEP)
    found = read_accuracies(written(frame, tmp_path, name))
    assert found.strengths == SWEEP.strengths
    assert found.class_names == SWEEP.class_names
    assert found.accuracy == pytest.approx(SWEEP.accuracy)
    assert found.seeds == SWEEP.seeds
    assert (found.images == 50).all()
    mixed = read_accuracies(written(frame.sample(frac=1, random_state=0), tmp_path, "m.csv"))
    for place in range(3):
        own, theirs = (one.accuracy[one.strength_of == place] for one in (mixed, found))
        assert np.sort(own, axis=0) == pytest.approx(np.sort(theirs, axis=0))


def test_one_regularizer_is_taken_and_names_like_none_are_names(tmp_path: Path) -> None:
    frame = table(SWEEP).replace("class 1", "None")
    both = pd.concat([frame.assign(regularizer="crop"), frame.assign(regularizer="blur", run=frame["run"] + "b")])
    path = written(both, tmp_path)
    crop = read_accuracies(path, regularizer="crop", order="falling")
    assert crop.strengths == (2.0, 1.0, 0.0)
    assert "None" in crop.class_names
    assert read_accuracies(path, regularizer="blur").strengths == (0.0, 1.0, 2.0)
    with pytest.raises(CuesenseError, match=r"runs of one regularizer, but got 2: blur, crop. Choose with regularizer"):
        read_accuracies(path)


def test_a_frame_is_as_good_as_a_file(tmp_path: Path) -> None:
    frame = table(SWEEP)
    found, read = read_accuracies(frame), read_accuracies(written(frame, tmp_path))
    assert found.accuracy == pytest.approx(read.accuracy)
    assert (found.strengths, found.seeds, found.class_names) == (read.strengths, read.seeds, read.class_names)


def test_copies_of_a_run_are_pointed_out() -> None:
    frame = table(SWEEP)
    assert "A table does not say which images" in read_accuracies(frame).remarks[0]
    assert len(read_accuracies(frame).remarks) == 1
    frame.loc[frame["run"] == "run 1", "accuracy"] = frame.loc[frame["run"] == "run 0", "accuracy"].to_numpy()
    assert "1 of 6 runs have the accuracies of another run of their strength" in read_accuracies(frame).remarks[1]


def test_categories_are_names(tmp_path: Path) -> None:
    frame = table(SWEEP).assign(regularizer="weight_decay").astype({"class": "category", "regularizer": "category"})
    for source in (frame, written(frame, tmp_path, "c.parquet")):
        assert read_accuracies(source).class_names == SWEEP.class_names


def test_words_need_an_order(tmp_path: Path) -> None:
    frame = table(SWEEP).assign(strength=lambda rows: rows["strength"].map({0.0: "none", 1.0: "mild", 2.0: "hard"}))
    path = written(frame, tmp_path)
    assert read_accuracies(path, order=["none", "mild", "hard"]).strengths == ("none", "mild", "hard")
    with pytest.raises(CuesenseError, match="Expected the strengths to be numbers"):
        read_accuracies(path)


def edited(column: str, row: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.loc[row, column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: frame.drop(columns="n"), "rows of run, strength, seed, class, accuracy, n, but got no column n"),
        (lambda frame: frame.head(0), "but got no rows"),
        (edited("accuracy", 2, 87.5), r"fraction from 0 to 1, but got '87.5' \(row 3 of .*\). Divide by 100"),
        (edited("accuracy", 0, "high"), r"but got 'high' \(row 1"),
        (edited("n", 1, 2.5), r"the column n to be a whole number from 0 to 1,000,000,000, but got '2.5' \(row 2"),
        (edited("n", 1, None), r"whole number from 0 to 1,000,000,000, but got an empty cell \(row 2"),
        (edited("seed", 4, None), r"the column seed to be given in every row, but got an empty cell \(row 5"),
        (edited("strength", 0, 7), "each run of .* to be of one strength and seed, but got two in run 'run 0'"),
        (edited("class", 1, "class 0"), "one row a run and class, but got class 'class 0' 2 times in run 'run 0'"),
        (edited("class", 1, "other"), "about the same classes, but got run 'run 0' without class 'class 1'"),
        (edited("n", 1, 10**30), r"the column n to be a whole number from 0 to 1,000,000,000, but got '1000000000"),
        (
            edited("n", 1, 0),
            "'class 1' of .* to be one with images in all runs or in none, but got none in run 'run 0'",
        ),
        (lambda frame: frame.assign(regularizer=[""] + ["x"] * (len(frame) - 1)), "the column regularizer to be given"),
        (edited("strength", 1, [1, 2]), "the column strength to be a number or a name in every row"),
        (lambda frame: pd.concat([frame, frame["n"]], axis=1), "to be distinct, but got n twice"),
        (lambda frame: frame.assign(n=0), "the column n to be above 0 in some class"),
        (lambda frame: frame.assign(seed=1), "3 given twice"),
        (lambda frame: frame[frame["strength"] == 0], "two strengths at least"),
    ],
)
def test_mistakes_are_one_sentence(change: Callable[[pd.DataFrame], pd.DataFrame], sentence: str) -> None:
    with pytest.raises(CuesenseError, match=sentence):
        read_accuracies(change(table(SWEEP)))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.txt", "run", "to be a .csv or .parquet file, but got 't.txt'"),
        ("t.csv", "", "an empty file"),
        ("t.parquet", "no parquet", "to be readable"),
        ("missing.csv", None, "to be readable, but got 'No such file or directory'"),
    ],
)
def test_unreadable_tables_are_one_sentence(name: str, content: str | None, sentence: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(CuesenseError, match=sentence):
        read_accuracies(tmp_path / name)


@pytest.mark.parametrize(("images", "allowed"), [(10**9, True), (10**9 + 1, False)])
def test_a_billion_images_are_the_most(images: int, allowed: bool) -> None:
    frame = table(SWEEP).assign(n=images)
    if allowed:
        assert (read_accuracies(frame).images == images).all()
        return
    with pytest.raises(CuesenseError, match="a whole number from 0 to 1,000,000,000"):
        read_accuracies(frame)


@pytest.mark.parametrize(("accuracy", "allowed"), [(0.0, True), (1.0, True), (-0.001, False), (1.001, False)])
def test_accuracies_are_fractions_ends_included(accuracy: float, allowed: bool) -> None:
    frame = edited("accuracy", 0, accuracy)(table(SWEEP))
    if allowed:
        assert read_accuracies(frame).accuracy[0, 0] == accuracy
        return
    with pytest.raises(CuesenseError, match="a fraction from 0 to 1"):
        read_accuracies(frame)


def rows(*cells: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=["run", "strength", "seed", "class", "accuracy", "n"])


TWO = rows(
    ("a", 0.5, 0, "cat", 0.75, 8),
    ("a", 0.5, 0, "dog", 0.5, 4),
    ("b", 0.1, 3, "dog", 0.25, 4),
    ("b", 0.1, 3, "cat", 1.0, 8),
)


def test_a_small_table_cell_by_cell() -> None:
    found = read_accuracies(TWO)
    assert (found.regularizer, found.strengths, found.seeds) == ("regularizer", (0.1, 0.5), ("0", "3"))
    assert found.strength_of.tolist() == [1, 0]
    assert found.class_names == ("cat", "dog")
    assert found.accuracy.tolist() == [[0.75, 0.5], [1.0, 0.25]]
    assert found.images.tolist() == [[8, 4], [8, 4]]
    assert found.per_image is None


def test_a_frame_is_left_as_it_is() -> None:
    before = TWO.copy()
    read_accuracies(TWO)
    pd.testing.assert_frame_equal(TWO, before)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(4)))
def test_rows_of_any_order_give_every_run_its_own_accuracies(order: list[int]) -> None:
    found = read_accuracies(TWO.iloc[order].reset_index(drop=True))
    by_seed = {
        seed: (found.strengths[place], accuracy.tolist())
        for seed, place, accuracy in zip(found.seeds, found.strength_of, found.accuracy, strict=True)
    }
    assert by_seed == {"0": (0.5, [0.75, 0.5]), "3": (0.1, [1.0, 0.25])}


def test_names_that_look_like_numbers_or_nothing_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "t.CSV"
    path.write_text(
        "run,strength,seed,class,accuracy,n\n01,0,007,NA,1,2\n01,0,007,001,0,2\n1,1,nan,NA,1,2\n1,1,nan,001,1,2\n"
    )
    found = read_accuracies(path)
    assert found.class_names == ("001", "NA")
    assert found.seeds == ("007", "nan")
    assert found.strengths == (0.0, 1.0)
    assert found.accuracy.tolist() == [[0, 1], [1, 1]]


def test_a_class_without_images_in_any_run_has_no_accuracy_whatever_its_cell() -> None:
    more = [
        (run, strength, seed, "owl", cell, 0) for run, strength, seed, cell in (("a", 0.5, 0, None), ("b", 0.1, 3, 7))
    ]
    found = read_accuracies(pd.concat([TWO.astype(object), rows(*more)], ignore_index=True))
    assert found.class_names == ("cat", "dog", "owl")
    assert np.isnan(found.accuracy[:, 2]).all()
    assert found.images[:, 2].tolist() == [0, 0]


def test_many_strengths_are_joined_and_a_smaller_crop_is_stronger() -> None:
    sweep = simulated(Truth(level(12, 3), images=20, runs=1), 0)
    found = read_accuracies(table(sweep).assign(regularizer="random_resized_crop"))
    assert found.regularizer == "random_resized_crop"
    assert len(found.strengths) == 2
    assert found.strengths[0] > found.strengths[1]
    assert found.remarks[-1].startswith("12 strengths were joined into 2 groups")


DO = "Write one row a run and class."
PLACE = "'the table'"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda frame: frame.drop(columns=["seed", "n"]),
            f"Expected the table {PLACE} to be rows of run, strength, seed, class, accuracy, n, but got no column "
            f"seed. {DO}",
        ),
        (
            edited("accuracy", 1, -0.5),
            f"Expected the column accuracy to be a fraction from 0 to 1, but got '-0.5' (row 2 of {PLACE}). "
            "Divide by 100 if it is in percent.",
        ),
        (
            edited("accuracy", 3, None),
            f"Expected the column accuracy to be a number in every row, but got an empty cell (row 4 of {PLACE}). "
            "Write a number in that cell, or leave the class out of every run.",
        ),
        (
            edited("accuracy", 2, "nan"),
            f"Expected the column accuracy to be a number in every row, but got 'nan' (row 3 of {PLACE}). "
            "Write a number in that cell, or leave the class out of every run.",
        ),
        (
            edited("accuracy", 2, "85 %"),
            f"Expected the column accuracy to be a fraction from 0 to 1, but got '85 %' (row 3 of {PLACE}). "
            "Divide by 100 if it is in percent.",
        ),
        (
            edited("n", 0, -1),
            f"Expected the column n to be a whole number from 0 to 1,000,000,000, but got '-1' (row 1 of {PLACE}). "
            "Count the class's test images.",
        ),
        (
            edited("class", 2, "  "),
            f"Expected the column class to be given in every row, but got '  ' (row 3 of {PLACE}). Fill the cell.",
        ),
        (
            edited("seed", 1, 9),
            f"Expected each run of {PLACE} to be of one strength and seed, but got two in run 'a'. Name the "
            "runs apart.",
        ),
        (
            lambda frame: frame.head(3),
            f"Expected the runs of {PLACE} to be about the same classes, but got run 'b' without class 'cat'. Add its "
            "rows, or leave the run or the class out.",
        ),
        (
            lambda frame: pd.concat([frame, frame.tail(1)]),
            f"Expected {PLACE} to be one row a run and class, but got class 'cat' 2 times in run 'b'. Give every run a "
            "name of its own.",
        ),
        (
            edited("n", 2, 0),
            f"Expected the class 'dog' of {PLACE} to be one with images in all runs or in none, but got none in run "
            "'b'. Leave the class or the run out.",
        ),
        (
            lambda frame: frame.assign(n=[0, 0, 4, 8]),
            f"Expected the column n to be above 0 in some class, but got '0' (row 1 of {PLACE}). Check it.",
        ),
        (
            edited("run", 2, {"b"}),
            "Expected the column run to be a number or a name in every row, but got '{'b'}' "
            f"(row 3 of {PLACE}). Write one value a cell.",
        ),
    ],
)
def test_the_first_mistake_is_named_with_its_row(change: Callable[[pd.DataFrame], pd.DataFrame], sentence: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_accuracies(change(TWO))
    assert str(caught.value) == sentence


def test_an_unknown_regularizer_is_named() -> None:
    with pytest.raises(SettingsError, match=r"Unknown regularizer 'crops' in 'the table'\. Did you mean 'crop'\?"):
        read_accuracies(TWO.assign(regularizer="crop"), regularizer="crops")


def test_spellings_of_a_class_in_several_runs_are_one_class_and_it_is_said(tmp_path: Path) -> None:
    frame = table(SWEEP).replace({"class 1": "citr\u00f3n", "class 2": "Lemon"})
    other = frame["run"] == frame["run"].iloc[0]
    frame.loc[other, "class"] = frame.loc[other, "class"].replace({"citr\u00f3n": "citro\u0301n", "Lemon": " lemon"})
    found = read_accuracies(written(frame, tmp_path))
    assert set(found.class_names) == {"class 0", "class 3", "citr\u00f3n", "Lemon"}
    assert found.accuracy.shape == SWEEP.accuracy.shape
    said = [remark for remark in found.remarks if remark.startswith("Spellings of one class")]
    assert len(said) == 1
    assert "'Lemon' and 'lemon', 'citr\u00f3n' in two Unicode forms" in said[0]


def test_names_that_stand_in_one_run_are_classes_of_their_own(tmp_path: Path) -> None:
    frame = table(SWEEP).replace({"class 1": "cardigan", "class 2": "Cardigan"})
    found = read_accuracies(written(frame, tmp_path))
    assert {"cardigan", "Cardigan"} <= set(found.class_names)
    assert not any("Spellings" in remark for remark in found.remarks)


def test_a_regularizer_is_named_in_any_case(tmp_path: Path) -> None:
    frame = table(SWEEP).assign(regularizer="Cr\u00f6p")
    assert (
        read_accuracies(written(frame, tmp_path), regularizer="CRO\u0308P", order="rising").regularizer == "Cr\u00f6p"
    )


def test_a_class_that_is_called_like_a_summary_is_pointed_out() -> None:
    frame = table(SWEEP)
    named = frame.replace({"class": {"class 1": "mean", "class 2": "all"}})
    found = read_accuracies(named)
    assert {"mean", "all"} < set(found.class_names)
    for name in ("mean", "all"):
        (remark,) = (one for one in found.remarks if one.startswith(f"'{name}' counts as a class"))
        assert remark.endswith("Remove its rows if it is one.")
    assert not any("counts as a class" in one for one in read_accuracies(frame).remarks)


@pytest.mark.parametrize(
    ("runs", "said"),
    [(1, "in the 1 of 6 runs that has it"), (2, "in the 2 of 6 runs that have it"), (6, "in every run")],
)
def test_a_summary_is_said_to_be_one_in_the_runs_that_have_it(runs: int, said: str) -> None:
    frame = table(SWEEP)
    total = frame.groupby(["run", "strength", "seed"], as_index=False).agg(
        accuracy=("accuracy", "mean"), n=("n", "sum")
    )
    found = read_accuracies(pd.concat([frame, total[:runs].assign(**{"class": "macro avg"})]))
    (remark,) = (one for one in found.remarks if one.startswith("Left out 'macro avg'"))
    assert f"their average, {said})." in remark
