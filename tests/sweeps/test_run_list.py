"""A list of checkpoints becomes runs, or one sentence."""

from pathlib import Path

import numpy as np
import pytest

from cuesense.errors import SettingsError
from cuesense.sweeps.run_list import read_runs, sweep_of

LIST = "model,regularizer,strength,seed\na.pt,weight_decay,0.1,0\na.pt,weight_decay,0.01,0\n"
LIST += "timm:resnet18,weight_decay,1,0\n"


def listed(folder: Path, content: str, name: str = "runs.csv") -> Path:
    (folder / "a.pt").touch()
    (folder / name).write_text(content)
    return folder / name


def test_a_csv_lists_runs_relative_to_itself(tmp_path: Path) -> None:
    found = read_runs(listed(tmp_path, LIST), arch="timm:resnet18")
    assert found.regularizer == "weight_decay"
    assert found.strengths == (0.01, 0.1, 1.0)
    assert found.strength_of.tolist() == [1, 0, 2]
    assert found.models == (str(tmp_path / "a.pt"), str(tmp_path / "a.pt"), "timm:resnet18")
    assert found.archs == ("timm:resnet18",) * 3


def test_a_toml_says_once_what_all_runs_share(tmp_path: Path) -> None:
    content = 'regularizer = "mixup"\narch = "timm:resnet18"\norder = "none, strong"\n'
    for strength in ("strong", "none"):
        content += f'[[runs]]\nmodel = "a.pt"\nstrength = "{strength}"\nseed = 1\n'
    found = read_runs(listed(tmp_path, content, "runs.toml"))
    assert (found.regularizer, found.strengths) == ("mixup", ("none", "strong"))
    assert found.archs == ("timm:resnet18",) * 2
    assert found.seeds == ("1", "1")


def test_an_architecture_of_its_own_wins(tmp_path: Path) -> None:
    rows = "model,strength,seed,arch\na.pt,0,0,timm:vit\na.pt,1,0,\n"
    assert read_runs(listed(tmp_path, rows), arch="timm:other").archs == ("timm:vit", "timm:other")


def test_several_regularizers_need_a_choice(tmp_path: Path) -> None:
    path = listed(tmp_path, LIST + "a.pt,crop,0.5,0\na.pt,crop,1,0\n")
    with pytest.raises(SettingsError, match="runs of one regularizer"):
        read_runs(path)
    assert read_runs(path, regularizer="crop", order="falling").strengths == (1.0, 0.5)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("runs.csv", "model,strength\na.pt,1\n", "one with the columns model, strength, seed, but got no seed"),
        ("runs.csv", "model,strength,seed\n", "but got no rows"),
        ("runs.csv", "model,strength,seed\na.pt,,0\n", "filled in every row, but got an empty cell in row 1"),
        (
            "runs.csv",
            LIST + "b.pt,weight_decay,3,0\nc.pt,weight_decay,4,0\n",
            "but got 2 that are missing: b.pt, c.pt.",
        ),
        ("runs.csv", LIST + "a.pt,weight_decay,0.1,0\n", "strength 0.1 with seed 0"),
        ("runs.csv", "model,strength,seed\na.pt,1,0\n", "two strengths at least, but got '1' alone"),
        ("runs.csv", LIST + "a.pt,weight_decay,0.1,1\n", "a checkpoint of its own, but got 'a.pt' several times with"),
        (
            "runs.csv",
            LIST + "./a.pt,weight_decay,0.1,1\n",
            "a checkpoint of its own, but got 'a.pt' several times with",
        ),
        (
            "runs.toml",
            "order = 3\n[[runs]]\nmodel='a.pt'\nstrength=1\nseed=0\n",
            "order to be strengths, mild to strong",
        ),
        ("runs.toml", "model = 3", r"a table \[\[runs\]\] for each checkpoint, but got none"),
        ("runs.toml", "model = ", "the runs in .* to be readable"),
        ("runs.txt", "", "Expected RUNS to be a .csv or .toml file"),
        ("runs.csv", "", "the runs in .* an empty file"),
    ],
)
def test_mistakes_are_one_sentence(name: str, content: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_runs(listed(tmp_path, content, name))


def test_all_missing_checkpoints_are_named_at_once(tmp_path: Path) -> None:
    names = [f"{number}.pt" for number in range(30)]
    rows = "".join(f"{name},{number},0\n" for number, name in enumerate(names))
    with pytest.raises(SettingsError, match=f"30 that are missing: {', '.join(names)}"):
        read_runs(listed(tmp_path, f"model,strength,seed\n{rows}"))


def test_a_missing_list_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="but got 'No such file or directory'"):
        read_runs(tmp_path / "runs.csv")


def test_a_sweep_counts_what_the_runs_recognize(tmp_path: Path) -> None:
    """Two runs of three strengths; the fourth output is no class, and class 2 has no images."""
    runs = read_runs(listed(tmp_path, LIST))
    labels = np.array([0, 0, 1, 1, 1])
    predicted = np.array([[0, 0, 1, 1, 0], [0, 1, 1, 3, 3], [3, 3, 3, 3, 3]], dtype=np.int32)
    found = sweep_of(runs, ("cat", "dog", "owl"), labels, predicted, ("cat", "dog", "owl", "car"))
    for run in range(3):
        for index in range(2):
            right = [image for image in range(5) if labels[image] == index == predicted[run, image]]
            assert found.accuracy[run, index] == len(right) / [2, 3][index]
    assert np.isnan(found.accuracy[:, 2]).all()
    assert found.images.tolist() == [[2, 3, 0]] * 3
    assert (found.regularizer, found.strengths, found.seeds) == ("weight_decay", (0.01, 0.1, 1.0), ("0", "0", "0"))
    assert found.strength_of.tolist() == [1, 0, 2]
    assert found.per_image is not None
    assert found.per_image.output_names == ("cat", "dog", "owl", "car")
    assert found.per_image.predicted is predicted
    assert found.remarks == ()


def test_equal_predictions_of_two_checkpoints_are_remarked_by_their_file(tmp_path: Path) -> None:
    for name in ("x.pt", "y.pt", "z.pt"):
        (tmp_path / name).touch()
    runs = read_runs(listed(tmp_path, "model,strength,seed\nx.pt,0,0\ny.pt,0,1\nz.pt,1,0\n"))
    labels = np.arange(3)
    predicted = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]], dtype=np.int32)
    found = sweep_of(runs, ("a", "b", "c"), labels, predicted, ("a", "b", "c"))
    assert found.remarks == (
        "1 of 3 runs have the accuracies of another run of their strength in every class, such as 'y.pt': if they are "
        "copies, the variation over seeds is underestimated.",
    )


def test_an_order_on_the_command_line_replaces_that_of_the_file(tmp_path: Path) -> None:
    content = 'order = ["a", "b"]\n' + "".join(
        f'[[runs]]\nmodel = "a.pt"\nstrength = "{strength}"\nseed = 0\n' for strength in "ab"
    )
    path = listed(tmp_path, content, "runs.TOML")
    assert read_runs(path).strengths == ("a", "b")
    assert read_runs(path, order="b, a").strengths == ("b", "a")


def test_a_run_s_own_entries_of_a_toml_replace_those_of_the_top(tmp_path: Path) -> None:
    content = 'regularizer = "mixup"\narch = "timm:top"\n'
    for strength, more in ((0, 'arch = "timm:own"'), (1, "")):
        content += f'[[runs]]\nmodel = "a.pt"\nstrength = {strength}\nseed = {strength}\n{more}\n'
    found = read_runs(listed(tmp_path, content, "runs.toml"), arch="timm:given")
    assert found.archs == ("timm:own", "timm:given")
    assert (found.regularizer, found.seeds) == ("mixup", ("0", "1"))


def test_paths_are_relative_to_the_list_and_names_stay_text(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "a.pt").touch()
    path = tmp_path / "lists" / "runs.csv"
    path.write_text("model, strength, seed\n../a.pt, none, 007\n../a.pt, NA, nan\n")
    found = read_runs(path, order="none,NA")
    assert found.models == (str((tmp_path / "a.pt").resolve()),) * 2
    assert (found.strengths, found.seeds) == (("none", "NA"), ("007", "nan"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "model,strength,seed\nx.pt,1,0\na.pt,2,0\n",
            "Expected the checkpoints in '{path}' to be files that exist, but got 1 that are missing: x.pt. Correct "
            "the paths, which are relative to that file.",
        ),
        (
            "model,strength,seed\na.pt,1,0\na.pt,2,\n",
            "Expected '{path}' to be filled in every row, but got an empty cell in row 2. Write one row a checkpoint: "
            "model,regularizer,strength,seed.",
        ),
        (
            "model,strength,seed\na.pt,1,0\na.pt,1,1\na.pt,2,0\n",
            "Expected each run in '{path}' to be a checkpoint of its own, but got 'a.pt' several times with strength "
            "1. Name the checkpoint of each seed.",
        ),
    ],
)
def test_mistakes_name_the_list_and_what_to_do(content: str, sentence: str, tmp_path: Path) -> None:
    path = listed(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        read_runs(path)
    assert str(caught.value) == sentence.format(path=path)


@pytest.mark.parametrize("content", ["runs = 3", "runs = [1, 2]", "[runs]\nmodel = 'a.pt'", "runs = ['a.pt']"])
def test_runs_of_a_toml_are_tables(content: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"to be a table \[\[runs\]\] for each checkpoint, but got none"):
        read_runs(listed(tmp_path, content, "runs.toml"))
