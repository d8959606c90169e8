"""A table of accuracies becomes a sweep, or one sentence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cuesense.errors import CuesenseError
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
    crop = read_accuracies(path, regularizer="crop")
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
        ("t.csv", "", "to be readable"),
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
