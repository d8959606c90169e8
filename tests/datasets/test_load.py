"""How a spec finds its reader, and which options reach it."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from cuesense.datasets.load import DatasetOptions, load_dataset, load_one_of_several
from cuesense.errors import DatasetError, SplitError, expected


def echo(argument: str, *, data_root: Path | None, split: str | None, download: bool) -> tuple[object, ...]:
    return argument, data_root, split, download


def earlier(argument: str, *, data_root: Path | None) -> tuple[object, ...]:
    return argument, data_root


def any_options(argument: str, **options: object) -> tuple[object, ...]:
    return argument, options


def parts(argument: str, *, data_root: Path | None, split: str | None, download: bool) -> object:
    known = argument.split("+")
    if split is not None and split not in known:
        raise SplitError(expected("--split", "one of its parts", split, "Name one"))
    return split or known[-1], data_root, download


@pytest.fixture(autouse=True)
def readers(plug: Any) -> None:
    functions = (echo, earlier, any_options, parts)
    names = [function.__name__ for function in functions]
    plug("datasets", *(EntryPoint(name, f"{__name__}:{name}", "cuesense.datasets") for name in names))


def test_a_reader_gets_the_root_the_part_and_whether_to_download(tmp_path: Path) -> None:
    assert load_dataset("echo:a:b", data_root=tmp_path, split="val", download=True) == ("a:b", tmp_path, "val", True)  # type: ignore[comparison-overlap]
    assert load_dataset("echo") == ("", None, None, False)  # type: ignore[comparison-overlap]


def test_a_reader_of_an_earlier_version_still_works(tmp_path: Path) -> None:
    assert load_dataset("earlier:a", data_root=tmp_path) == ("a", tmp_path)  # type: ignore[comparison-overlap]
    with pytest.raises(SplitError, match="split to be left out for 'earlier', which does not know it, but got 'val'"):
        load_dataset("earlier", split="val")
    with pytest.raises(DatasetError, match="download=True to be left out for 'earlier', which does not know it"):
        load_dataset("earlier", download=True)


def test_a_reader_may_take_whatever_options_there_are() -> None:
    given = {"data_root": None, "split": "val", "download": False}
    assert load_dataset("any_options", split="val") == ("", given)  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("spec", "split", "for_training", "taken"),
    [
        ("parts:train+val", None, True, "train"),
        ("parts:train+val", None, False, "val"),
        ("parts:train+val", "val", True, "val"),
        ("parts:dev+test", None, True, "test"),
    ],
)
def test_training_images_are_those_of_the_part_called_train(
    spec: str, split: str | None, for_training: bool, taken: str
) -> None:
    found = load_one_of_several(spec, DatasetOptions("root", split, download=True), for_training=for_training)
    assert found == (taken, Path("root"), True)  # type: ignore[comparison-overlap]


def test_a_part_that_is_asked_for_is_never_replaced() -> None:
    with pytest.raises(SplitError):
        load_one_of_several("parts:train+val", DatasetOptions(split="test"), for_training=True)


def test_a_folder_beside_a_named_dataset_ignores_the_root_of_that(photos_folder: Path) -> None:
    found = load_one_of_several(str(photos_folder), DatasetOptions("root", download=True), for_training=True)
    assert len(found) == 60
    with pytest.raises(DatasetError, match="left out for a folder"):
        load_dataset(str(photos_folder), data_root=Path("root"))
    with pytest.raises(DatasetError, match=r"download=True to be left out for the folder '.*', which is read where"):
        load_dataset(str(photos_folder), download=True)


def test_a_table_has_no_parts(tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("path,label\na.png,cat\n")
    with pytest.raises(SplitError, match="no parts such as train and val, but got 'val'"):
        load_dataset(str(table), split="val")
    with pytest.raises(DatasetError, match="download"):
        load_dataset(str(table), download=True)


def test_a_planted_world_takes_its_part_from_either_place() -> None:
    assert load_dataset("planted:3", split="train") == load_dataset("planted:3,split=train", split="train")
    assert load_dataset("planted:3", split="train") == load_dataset("planted:3,split=train")
    assert (
        load_dataset("planted:3", split="test") == load_dataset("planted:3") != load_dataset("planted:3", split="train")
    )
    with pytest.raises(SplitError, match="'train' or 'test' for planted worlds, but got 'val'"):
        load_dataset("planted:3", split="val")
    with pytest.raises(SplitError, match="left out beside 'split=train', but got 'test'"):
        load_dataset("planted:3,split=train", split="test")
    with pytest.raises(DatasetError, match="made, not read"):
        load_dataset("planted", download=True)
