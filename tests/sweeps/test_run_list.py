"""A list of checkpoints becomes runs, or one sentence."""

from pathlib import Path

import pytest

from cuesense.errors import SettingsError
from cuesense.sweeps.run_list import read_runs

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
    assert read_runs(path, regularizer="crop").strengths == (1.0, 0.5)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("runs.csv", "model,strength\na.pt,1\n", "rows of model, strength, seed, but got no column seed"),
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
        ("runs.csv", "", "the runs in .* to be readable"),
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
