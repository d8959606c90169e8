"""Hugging Face files: class names from the schema, columns, parts, real files of ``datasets``, and what is refused."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cuesense.datasets import arrow_images
from cuesense.datasets.hf import load
from cuesense.datasets.load import load_dataset
from cuesense.errors import DatasetError, SplitError, UnreadableImageError
from tests.helpers import dataset_files as made
from tests.helpers.small_networks import NAMES


def refused(spec, **options):
    with pytest.raises(DatasetError) as caught:
        load(str(spec), **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def parquet(path, columns, features=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    if features:
        told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
        table = table.replace_schema_metadata(told)
    pq.write_table(table, path)
    return path


FILES = made.FILES[:4]


class TestColumns:
    def test_names_without_labels_in_use_stay_classes(self, tmp_path):
        label = {"_type": "ClassLabel", "names": ["a", "b", "c"]}
        path = parquet(tmp_path / "x.parquet", {"image": FILES, "label": [0, 2, 0, 2]}, {"label": label})
        dataset = load(str(path))
        assert (dataset.class_names, dataset.labels) == (("a", "b", "c"), (0, 2, 0, 2))

    def test_the_only_class_label_is_the_label_whatever_it_is_called(self, tmp_path):
        features = {"kind": {"_type": "ClassLabel", "names": ["a", "b"]}}
        columns = {"picture": FILES, "kind": [0, 1, 1, 0], "label": ["x", "y", "z", "w"]}
        assert load(str(parquet(tmp_path / "x.parquet", columns, features))).class_names == ("a", "b")

    def test_fine_labels_go_before_coarse_ones(self, tmp_path):
        features = {name: {"_type": "ClassLabel", "names": ["a", "b"]} for name in ("coarse_label", "fine_label")}
        columns = {"img": FILES, "coarse_label": [0, 0, 0, 0], "fine_label": [0, 1, 0, 1]}
        assert load(str(parquet(tmp_path / "x.parquet", columns, features))).labels == (0, 1, 0, 1)

    @pytest.mark.parametrize("kind", [pa.null(), pa.large_string(), pa.string()])
    def test_the_type_of_names_that_no_schema_tells(self, kind, tmp_path):
        fields = pa.struct([("bytes", pa.binary()), ("path", kind)])
        named = not pa.types.is_null(kind)
        rows = [{"bytes": content, "path": f"{n}.png" if named else None} for n, content in enumerate(FILES)]
        path = parquet(tmp_path / "x.parquet", {"image": pa.array(rows, fields), "label": ["a", "b", "a", "b"]})
        dataset = load_dataset(str(path))
        assert dataset.sample_ids[0] == ("a/0.png" if named else "000000000")
        assert dataset[0].image is not None

    def test_a_column_of_files_under_any_name(self, tmp_path):
        path = parquet(tmp_path / "x.parquet", {"content": FILES, "label": ["a", "b", "a", "b"]})
        assert len(load_dataset(str(path))) == 4
        names = parquet(tmp_path / "y.parquet", {"path": [b"BMa", b"BMb"], "label": ["a", "b"]})
        assert "there" in refused(names)

    def test_names_of_labels_without_a_schema_are_classes(self, tmp_path):
        path = parquet(tmp_path / "x.parquet", {"image": FILES, "label": ["dog", "cat", "dog", "cat"]})
        assert load(str(path)).class_names == ("cat", "dog")

    def test_paths_beside_the_file_are_read_where_bytes_are_missing(self, tmp_path):
        (tmp_path / "0.png").write_bytes(FILES[0])
        image = pa.array([{"bytes": None, "path": "0.png"}], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        dataset = load(str(parquet(tmp_path / "x.parquet", {"image": image, "label": ["a"]})))
        np.testing.assert_array_equal(np.asarray(dataset[0].image), made.PIXELS[0])

    def test_a_row_without_an_image_is_unreadable(self, tmp_path):
        dataset = load(str(parquet(tmp_path / "x.parquet", {"image": [FILES[0], None], "label": ["a", "a"]})))
        assert dataset[0].image.size == (made.SIDE, made.SIDE)
        with pytest.raises(UnreadableImageError, match="no image in this row"):
            dataset[1]
        assert dataset.contents[1] == ""

    @pytest.mark.parametrize(
        ("columns", "said"),
        [
            ({"image": FILES, "text": ["a", "b", "c", "d"]}, "none (its other columns: text)"),
            ({"label": [0, 1, 0, 1], "text": ["a", "b", "c", "d"]}, "none that names the images"),
            ({"image": FILES, "objects": [{"bbox": [1.0]}] * 4}, "object detection"),
            ({"image": FILES, "label": [[0, 1], [1], [0], [1]]}, "multi-label"),
            ({"image": FILES, "label": [-1, -1, -1, -1]}, "published without labels"),
        ],
    )
    def test_what_is_missing_is_named(self, columns, said, tmp_path):
        assert said in refused(parquet(tmp_path / "x.parquet", columns))


class TestParts:
    def clone(self, folder):
        for part, rows in (("train", slice(0, 3)), ("validation", slice(2, 4)), ("test", slice(1, 4))):
            columns = {"image": FILES[rows], "label": ["a"] * len(FILES[rows])}
            parquet(folder / "data" / f"{part}-00000-of-00001.parquet", columns)
        return folder

    def test_validation_is_read_and_said(self, tmp_path):
        dataset = load_dataset(str(self.clone(tmp_path)))
        assert (len(dataset), dataset.split) == (2, "validation")
        assert "'validation' was read, not test, train" in dataset.remarks[0]

    @pytest.mark.parametrize(("split", "count"), [("train", 3), ("test", 3), ("val", 2)])
    def test_a_part_by_name(self, split, count, tmp_path):
        dataset = load_dataset(f"hf:{self.clone(tmp_path)}", split=split)
        assert len(dataset) == count
        assert dataset.remarks == ()

    def test_a_missing_part(self, tmp_path):
        with pytest.raises(SplitError, match="test, train, validation"):
            load_dataset(f"hf:{self.clone(tmp_path)}", split="extra")

    def test_several_files_of_one_part_are_one_dataset(self, tmp_path):
        for number in range(2):
            columns = {"image": FILES[2 * number : 2 * number + 2], "label": ["a", "b"]}
            parquet(tmp_path / f"test-{number:05d}-of-00002.parquet", columns)
        dataset = load_dataset(str(tmp_path))
        assert len(dataset) == 4
        for place in range(4):
            np.testing.assert_array_equal(np.asarray(dataset[place].image), made.PIXELS[place])

    def test_a_missing_file_of_a_part_is_said(self, tmp_path):
        for number in (0, 2):
            parquet(tmp_path / f"test-0000{number}-of-00003.parquet", {"image": FILES, "label": ["a", "b", "a", "b"]})
        said = load(str(tmp_path)).remarks[1:]
        assert said == ("1 file is missing, whose images are not in this dataset: test-00001-of-00003.parquet.",)
        parquet(tmp_path / "test-00001-of-00003.parquet", {"image": FILES, "label": ["a", "b", "a", "b"]})
        (only,) = load(str(tmp_path)).remarks
        assert only.startswith("The only part of")
        assert load(str(tmp_path / "test-00001-of-00003.parquet")).remarks == ()

    def test_parts_that_were_saved_each_for_itself(self, real, tmp_path):
        for part in ("train", "test"):
            real.save_to_disk(tmp_path / "d" / part)
        dataset = load_dataset(str(tmp_path / "d"))
        assert (dataset.split, len(dataset)) == ("test", made.COUNT)
        assert "'test' was read, not train" in dataset.remarks[0]

    def test_configurations_are_not_one_dataset(self, tmp_path):
        for name in ("cropped", "full"):
            parquet(tmp_path / name / "test-00000-of-00001.parquet", {"image": FILES, "label": ["a", "b", "a", "b"]})
        assert f"several: cropped, full. Name {tmp_path / 'cropped'}." in refused(tmp_path)
        assert len(load(str(tmp_path / "full"))) == 4

    def test_a_file_alone_has_no_parts(self, tmp_path):
        with pytest.raises(SplitError, match="no parts"):
            load_dataset(f"hf:{made.inline_parquet(tmp_path / 'a' / 'x.parquet').parent}", split="test")


@pytest.fixture(scope="module")
def real():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(NAMES))})
    images = [{"bytes": file, "path": f"{stem}.png"} for file, stem in zip(made.FILES, made.STEMS, strict=True)]
    return datasets.Dataset.from_dict({"image": images, "label": made.LABELS}, features=features)


class TestRealFiles:
    """Files that the package ``datasets`` writes."""

    def check(self, dataset):
        assert dataset.class_names == NAMES
        assert list(dataset.sample_ids) == made.NAMED
        for place in (0, 7, made.COUNT - 1):
            np.testing.assert_array_equal(np.asarray(dataset[place].image), made.PIXELS[place])

    def test_save_to_disk(self, real, tmp_path):
        real.save_to_disk(tmp_path / "saved")
        self.check(load_dataset(str(tmp_path / "saved")))

    def test_to_parquet(self, real, tmp_path):
        real.to_parquet(tmp_path / "x.parquet")
        self.check(load_dataset(str(tmp_path / "x.parquet")))

    def test_a_dictionary_of_parts(self, real, tmp_path):
        import datasets

        datasets.DatasetDict({"train": real.select(range(3)), "test": real}).save_to_disk(tmp_path / "saved")
        dataset = load_dataset(str(tmp_path / "saved"))
        assert dataset.split == "test"
        self.check(dataset)
        assert len(load_dataset(f"hf:{tmp_path}/saved", split="train")) == 3

    def test_pillow_images_without_names_have_positions(self, real, tmp_path):
        import datasets

        rows = {"image": [Image.open(io.BytesIO(file)) for file in FILES], "label": [0, 1, 0, 1]}
        datasets.Dataset.from_dict(rows, features=real.features).save_to_disk(tmp_path / "saved")
        assert load_dataset(str(tmp_path / "saved")).sample_ids[1] == "000000001"


class TestFolders:
    def test_an_image_folder_is_a_folder_of_classes(self, tmp_path):
        dataset = load(str(made.class_folders(tmp_path)))
        assert (dataset.spec, list(dataset.sample_ids)) == (f"hf:{tmp_path}", made.NAMED)

    def test_metadata_beside_images(self, tmp_path):
        made.flat_images(tmp_path)
        rows = [
            {"file_name": f"{stem}.png", "label": NAMES[k]} for stem, k in zip(made.STEMS, made.LABELS, strict=True)
        ]
        (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert load(str(tmp_path)).class_names == NAMES

    def test_a_relative_path_starts_from_the_root(self, tmp_path):
        made.inline_parquet(tmp_path / "sets" / "x.parquet")
        assert len(load("sets/x.parquet", data_root=tmp_path)) == made.COUNT

    def test_a_download_of_a_file_is_refused(self, tmp_path):
        assert "download" in refused(made.inline_parquet(tmp_path / "x.parquet"), download=True)

    def test_a_broken_dictionary_of_parts(self, tmp_path):
        (tmp_path / "dataset_dict.json").write_text('{"splits": ["../train", 3]}')
        assert "none of their folders" in refused(tmp_path)

    @pytest.mark.parametrize("name", ["gone.parquet", "./gone", "/gone/at/all", "a/b/c"])
    def test_a_path_that_is_not_there_is_no_name_of_the_hub(self, name):
        assert "nothing there. Check the path." in refused(name)


class TestLimits:
    def test_what_is_put_away_in_a_file_reads_the_same(self, tmp_path, monkeypatch):
        monkeypatch.setattr(arrow_images, "_IN_MEMORY", 2000)
        dataset = load(str(made.inline_parquet(tmp_path / "x.parquet")))
        for place in [*range(made.COUNT - 1, -1, -1), 3, 11]:
            np.testing.assert_array_equal(np.asarray(dataset[place].image), made.PIXELS[place])

    def test_a_file_that_unpacks_to_far_more_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(arrow_images, "_ALWAYS_ALLOWED", 0)
        path = tmp_path / "x.parquet"
        table = pa.table({"image": [b"\0" * 10_000_000], "label": ["a"]})
        pq.write_table(table, path, compression="zstd")
        with pytest.raises(UnreadableImageError, match="a hundred times its size"):
            load(str(path))[0]

    def test_too_many_rows_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(arrow_images, "_MOST_ROWS", 20)
        assert "at most 20" in refused(made.inline_parquet(tmp_path / "x.parquet"))
        assert "at most 20" in refused(made.saved_to_disk(tmp_path / "saved"))
