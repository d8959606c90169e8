"""What happens to every image, in a FiftyOne dataset and in the CSV file that FiftyOne imports."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.schemas.profile import Profile
from tests.helpers import prediction_tables
from tests.helpers.profiles import profile

CLASSES = prediction_tables.CLASSES


class FiftyOne:
    """A dataset with the two functions of ``fiftyone.Dataset`` that are called."""

    def __init__(self, files: list[str]) -> None:
        self.files = files
        self.fields: dict[str, list[Any]] = {}

    def values(self, field: str) -> list[str]:
        assert field == "filepath"
        return self.files

    def set_values(self, field: str, values: list[Any]) -> None:
        assert len(values) == len(self.files)
        # FiftyOne takes Python's values, not NumPy's, whose types it does not know.
        assert {type(value) for value in values} <= {bool, str, type(None)}
        self.fields[field] = values


@pytest.fixture
def analyzed(tmp_path: Path) -> tuple[Profile, Path]:
    """Return a profile and the output folder with its predictions: of each class image 0 becomes a bee under gray."""
    folder = tmp_path / "out"
    folder.mkdir()
    prediction_tables.saved(prediction_tables.rows(), folder / "predictions.parquet")
    return profile(3, names=CLASSES), folder


def test_samples_are_found_by_their_paths_below_one_folder(analyzed: tuple[Profile, Path]) -> None:
    found, folder = analyzed
    data = FiftyOne(["/data/photos/ant/0", "/data/photos/cow/3", "/elsewhere/dog/0", "/data/photos/bee/0", "ant/1"])
    assert found.to_fiftyone(data, folder, ["grayscale"]) == 3
    assert data.fields == {
        "cuesense_correct": [True, True, None, True, None],
        "cuesense_predicted": ["ant", "cow", None, "bee", None],
        "cuesense_first_failure": ["grayscale 0.25", None, None, None, None],
        "cuesense_rival": ["bee", None, None, None, None],
    }


def test_the_images_of_another_folder_get_no_values(analyzed: tuple[Profile, Path]) -> None:
    found, folder = analyzed
    most = [f"/photos/b/{name}/{number}" for name in CLASSES for number in range(4)]
    data = FiftyOne(["/photos/a/ant/0", *most])
    assert found.to_fiftyone(data, folder, "grayscale") == 12
    assert data.fields["cuesense_correct"][0] is None
    with pytest.raises(SettingsError, match="as many images with the analyzed ones' names in '/photos/b' as in"):
        found.to_fiftyone(FiftyOne(["/photos/b/ant/0", "/photos/a/ant/0"]), folder)


def test_the_analyzed_folder_is_known_by_its_name(analyzed: tuple[Profile, Path]) -> None:
    found, folder = analyzed
    assert found.provenance.dataset.spec == "photos/val"
    samples = FiftyOne(["/photos/train/ant/0", "/photos/train/ant/1", "/photos/val/ant/0"])
    assert found.to_fiftyone(samples, folder) == 1
    assert samples.fields["cuesense_correct"] == [None, None, True]


@pytest.mark.parametrize("dataset", ["my-dataset", Path("images.txt"), object(), None])
def test_what_is_no_dataset_and_no_csv_file_is_one_sentence(analyzed: tuple[Profile, Path], dataset: object) -> None:
    found, folder = analyzed
    with pytest.raises(SettingsError, match=r"Expected the dataset to be a FiftyOne dataset or a \.csv file"):
        found.to_fiftyone(dataset, folder)


def test_fields_may_have_another_prefix_and_the_table_may_be_named(analyzed: tuple[Profile, Path]) -> None:
    found, folder = analyzed
    data = FiftyOne(["ant/0"])
    found.to_fiftyone(data, folder / "predictions.parquet", ["grayscale"], prefix="v2")
    assert set(data.fields) == {"v2_correct", "v2_predicted", "v2_first_failure", "v2_rival"}


def test_a_profile_that_lies_in_a_folder_knows_its_predictions(analyzed: tuple[Profile, Path], tmp_path: Path) -> None:
    found, folder = analyzed
    with pytest.raises(SettingsError, match="this profile lies in no folder"):
        found.to_fiftyone(tmp_path / "images.csv", perturbations="grayscale")
    found.lies_in(folder)
    assert found.to_fiftyone(tmp_path / "images.csv", perturbations="grayscale") == 12


def test_a_csv_file_has_a_row_an_image(analyzed: tuple[Profile, Path], tmp_path: Path) -> None:
    found, folder = analyzed
    assert found.to_fiftyone(tmp_path / "images.csv", str(folder), ["grayscale"]) == 12
    with (tmp_path / "images.csv").open(encoding="utf-8", newline="") as file:
        rows = {row.pop("filepath"): row for row in csv.DictReader(file)}
    assert len(rows) == 12
    assert rows["ant/0"] == {
        "cuesense_correct": "True",
        "cuesense_predicted": "ant",
        "cuesense_first_failure": "grayscale 0.25",
        "cuesense_rival": "bee",
    }
    # FiftyOne leaves out empty cells.
    assert rows["bee/0"]["cuesense_first_failure"] == ""


def test_what_does_not_belong_together_is_one_sentence(analyzed: tuple[Profile, Path], tmp_path: Path) -> None:
    found, folder = analyzed
    with pytest.raises(SettingsError, match="Expected predictions to be the output folder of analyze"):
        found.to_fiftyone(FiftyOne(["ant/0"]), tmp_path / "none")
    with pytest.raises(SettingsError, match="to be of the profile's classes, but got other classes"):
        profile(3).to_fiftyone(FiftyOne(["ant/0"]), folder)
    for files in (["/x/y.jpg"], []):
        with pytest.raises(SettingsError, match="of images with the ends of the analyzed ones' paths, but got no"):
            found.to_fiftyone(FiftyOne(files), folder, ["grayscale"])


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Return files where the analyzed images would lie; FiftyOne opens none of them."""
    files = [tmp_path / "photos" / name / str(number) for name in CLASSES for number in range(4)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return files


@pytest.mark.filterwarnings("ignore")
def test_the_real_importer_reads_the_file(analyzed: tuple[Profile, Path], photos: list[Path], tmp_path: Path) -> None:
    found, folder = analyzed
    csv_room = pytest.importorskip("fiftyone.utils.csv", reason="needs fiftyone: pip install 'cuesense[fiftyone]'")
    found.to_fiftyone(tmp_path / "images.csv", folder, ["grayscale"])
    importer = csv_room.CSVDatasetImporter(data_path=str(tmp_path / "photos"), labels_path=str(tmp_path / "images.csv"))
    with importer:
        samples = {sample.filepath: sample for sample in importer}
    assert set(samples) == set(map(str, photos))
    assert samples[str(photos[0])]["cuesense_first_failure"] == "grayscale 0.25"
    assert not samples[str(photos[1])].has_field("cuesense_first_failure")


@pytest.mark.filterwarnings("ignore")
def test_the_real_dataset_takes_the_fields(analyzed: tuple[Profile, Path], photos: list[Path]) -> None:
    found, folder = analyzed
    fiftyone = pytest.importorskip("fiftyone", reason="needs fiftyone: pip install 'cuesense[fiftyone]'")
    try:
        data = fiftyone.Dataset()
    except Exception as error:
        pytest.skip(f"FiftyOne's database does not run here: {type(error).__name__}")
    data.add_samples([fiftyone.Sample(filepath=str(file)) for file in photos])
    assert found.to_fiftyone(data, folder, ["grayscale"]) == 12
    assert data.count_values("cuesense_first_failure") == {None: 10, "grayscale 0.25": 2}
