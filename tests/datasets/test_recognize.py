"""What lies at a path goes to its reader, and what no reader knows is named with the way out."""

import shutil

import pytest

from cuesense.datasets.load import DatasetOptions, load_dataset, load_one_of_several
from cuesense.datasets.subset import subset
from cuesense.errors import CuesenseError, DatasetError
from tests.helpers import dataset_files as made


def refused(spec, **options):
    with pytest.raises(CuesenseError) as caught:
        load_dataset(str(spec), **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.pt", "a file of a model"),
        ("a.safetensors", "a file of a model"),
        ("a.tfrecord", "a TFRecord file"),
        ("a.h5", "an HDF5 file"),
        ("a.mdb", "an LMDB database"),
        ("a.pkl", "a Python pickle"),
        ("a.xlsx", "as CSV UTF-8"),
        ("a.7z", "`7z x "),
        ("a.rar", "`unrar x "),
        ("a.jpg", "one image"),
        ("a.md", "a .csv, .tsv"),
    ],
)
def test_other_files_are_named(name, said, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    assert said in refused(tmp_path / name)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("cifar10", "write torchvision:CIFAR10"),
        ("Flowers-102", "write torchvision:Flowers102"),
        ("uoft-cs/cifar100", "write hf:uoft-cs/cifar100"),
        ("a/b/c", "Check the path."),
        ("https://x.org/a.zip", "the address"),
        ("imagenett", "Did you mean 'imagenet'?"),
    ],
)
def test_what_is_not_there_has_a_hint(spec, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in refused(spec)


def test_a_parquet_list_with_names_as_bytes_is_a_list(tmp_path):
    import pandas as pd

    made.class_folders(tmp_path)
    rows = made.rows()
    frame = pd.DataFrame({"path": [row["path"].encode() for row in rows], "label": [row["label"] for row in rows]})
    frame.to_parquet(tmp_path / "list.parquet")
    assert list(load_dataset(str(tmp_path / "list.parquet")).sample_ids) == made.NAMED


def test_a_zip_without_a_suffix_is_one(tmp_path):
    shutil.move(made.zipped(tmp_path / "a.zip"), tmp_path / "archive")
    assert len(load_dataset(str(tmp_path / "archive"))) == made.COUNT


def test_class_folders_beside_archives_are_classes(tmp_path):
    made.class_folders(tmp_path)
    made.shards(tmp_path)
    made.zipped(tmp_path / "all.zip")
    assert list(load_dataset(str(tmp_path)).sample_ids) == made.NAMED


def test_the_cache_of_datasets_is_read_by_its_parts(tmp_path):
    saved = made.saved_to_disk(tmp_path / "saved")
    (saved / "state.json").unlink()
    shutil.copy(saved / "data-00000-of-00001.arrow", saved / "birds-train.arrow")
    shutil.move(saved / "data-00000-of-00001.arrow", saved / "birds-validation.arrow")
    dataset = load_dataset(str(saved))
    assert (list(dataset.sample_ids), dataset.split) == (made.NAMED, "validation")


def test_a_competitions_folder(tmp_path):
    """One table with labels, one without, a sample of what to hand in, and images whose names lack the suffix."""
    made.flat_images(tmp_path / "train")
    made.flat_images(tmp_path / "test")
    rows = "\n".join(f"{stem},{label}" for stem, label in zip(made.STEMS, made.LABELS, strict=True))
    (tmp_path / "train.csv").write_text(f"id,breed\n{rows}\n")
    (tmp_path / "test.csv").write_text("id,width\nval_00,32\n")
    (tmp_path / "sample_submission.csv").write_text("id,label\nval_00,0\n")
    dataset = load_dataset(str(tmp_path))
    assert list(dataset.labels) == made.LABELS
    assert {path.parent.name for path in dataset.paths} == {"train"}


def test_a_path_refuses_what_does_not_apply(tmp_path):
    made.class_folders(tmp_path / "classes")
    archive = made.zipped(tmp_path / "a.zip")
    for path in (tmp_path / "classes", archive):
        assert "download" in refused(path, download=True)
        assert "Leave it out" in refused(path, data_root=tmp_path)
        assert "no parts" in refused(path, split="val")


def test_addresses_and_databases_are_named(tmp_path):
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / "data.mdb").touch()
    assert "an LMDB database" in refused(tmp_path / "l")
    (tmp_path / "list.csv").write_text("path,label\nhttps://x.org/a.jpg,x\n")
    assert "the URL 'https://x.org/a.jpg'" in refused(tmp_path / "list.csv")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no class folder in it"):
        load_dataset(str(tmp_path))


def test_a_subset_of_an_archive_is_part_of_a_larger_one(tmp_path):
    dataset = load_dataset(str(made.zipped(tmp_path / "a.zip")))
    two, three = subset(dataset, 2), subset(dataset, 3)
    assert set(two.sample_ids) < set(three.sample_ids)
    assert len(two.contents) == 6


def test_of_several_datasets_each_takes_the_root_that_it_has_use_for(tmp_path):
    made.class_folders(tmp_path / "far" / "away")
    made.separated(tmp_path / "list.csv", ",")
    options = DatasetOptions(tmp_path / "far" / "away", download=True)
    assert load_one_of_several(str(tmp_path / "list.csv"), options)[0].image.size == (made.SIDE, made.SIDE)
    assert len(load_one_of_several(str(tmp_path / "far" / "away"), options)) == made.COUNT
    assert len(load_one_of_several(str(made.zipped(tmp_path / "a.zip")), options)) == made.COUNT
