"""ImageNet in every layout in which it is handed on: the same images give the same dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from cuesense.datasets import imagenet_labels
from cuesense.datasets.classes import read_class_names
from cuesense.datasets.left_out import remarks_of
from cuesense.datasets.load import load_dataset
from cuesense.datasets.splits import split_of
from cuesense.errors import CuesenseError, DatasetError, SplitError
from cuesense.types import Dataset

SYNSETS = read_class_names("imagenet").synsets
# Image and class of a small validation set.
LABELS = {1: SYNSETS[65], 2: SYNSETS[970], 3: SYNSETS[65], 4: SYNSETS[0]}


def paint(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (shade, 60, 0)).save(path, "JPEG")


def flat(folder: Path) -> Path:
    for number in LABELS:
        paint(folder / f"ILSVRC2012_val_{number:08d}.JPEG", number)
    return folder


def sorted_into(folder: Path) -> Path:
    for number, synset in LABELS.items():
        paint(folder / synset / f"ILSVRC2012_val_{number:08d}.JPEG", number)
    return folder


def loaded(root: Path, split: str | None = None) -> Dataset:
    return load_dataset("imagenet", data_root=root, split=split)


def failure(root: Path, split: str | None = None) -> str:
    with pytest.raises(CuesenseError) as caught:
        loaded(root, split)
    return caught.value.for_command_line


def same(one: Dataset, other: Dataset) -> bool:
    return (one.class_names, one.sample_ids, one.labels, one.fingerprint) == (
        (other.class_names, other.sample_ids, other.labels, other.fingerprint)
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return loaded(sorted_into(tmp_path_factory.mktemp("reference") / "val"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    for synset in SYNSETS:
        (root / "imagenet" / "val" / synset).mkdir(parents=True)
    paint(root / "imagenet" / "val" / "n01440764" / "x.JPEG", 250)
    paint(root / "imagenet" / "val" / "n15075141" / "y.JPEG", 250)
    return root


class TestSynsetFolders:
    @pytest.mark.parametrize(("where", "part"), [(".", "val"), ("imagenet", "val"), ("imagenet/val", None)])
    def test_are_found_in_each_folder(self, where: str, part: str | None, whole: Path) -> None:
        found = loaded(whole / where)
        assert found.spec == "imagenet"
        assert found.class_names == SYNSETS
        assert found.sample_ids == ("n01440764/x.JPEG", "n15075141/y.JPEG")
        assert found.labels == (0, 999)
        assert np.asarray(found[0].image)[0, 0, 0] > 240
        assert split_of(found) == part
        assert not any("of ImageNet's" in remark for remark in remarks_of(found))

    @pytest.mark.parametrize(
        "where",
        [
            "val", "imagenet/validation", "ILSVRC2012_img_val", "ILSVRC/Data/CLS-LOC/val", "imagenette2-320/val",
            "imagenet/ILSVRC/Data/CLS-LOC/val", "imagenet-sketch/sketch", "imagenet-r", "imagenet-a", ".",
        ],
    )  # fmt: skip
    def test_some_of_them_are_enough(self, where: str, tmp_path: Path, reference: Dataset) -> None:
        sorted_into(tmp_path / where)
        found = loaded(tmp_path)
        assert same(found, reference)
        assert remarks_of(found) == (
            f"'{tmp_path / where}' holds 3 of ImageNet's 1,000 classes: all numbers are of these alone.",
        )

    def test_may_have_words_behind_them_and_other_folders_beside(self, tmp_path: Path) -> None:
        for name in ("n01440764_tench", "n01443537-goldfish", "others"):
            paint(tmp_path / name / "x.JPEG")
        found = loaded(tmp_path)
        assert found.class_names == ("n01440764", "n01443537")
        assert found.sample_ids == ("n01440764_tench/x.JPEG", "n01443537-goldfish/x.JPEG")
        assert "Folders that are no class of ImageNet were left out: 'others'." in remarks_of(found)

    def test_one_is_not_imagenet(self, tmp_path: Path) -> None:
        paint(tmp_path / "val" / "n01440764" / "x.JPEG")
        paint(tmp_path / "val" / "cat" / "x.JPEG")
        assert "at most 1 of its 1,000 synset folders" in failure(tmp_path)
        paint(tmp_path / "val" / "n01443537" / "x.JPEG")
        assert len(loaded(tmp_path)) == 2

    def test_validation_images_come_before_more_training_images(self, tmp_path: Path) -> None:
        sorted_into(tmp_path / "train")
        paint(tmp_path / "train" / SYNSETS[3] / "x.JPEG")
        assert split_of(loaded(tmp_path)) == "train"
        assert remarks_of(loaded(tmp_path))[0].startswith("Only training images are there")
        assert remarks_of(loaded(tmp_path, "train")) == remarks_of(loaded(tmp_path))[1:]
        assert "--split of imagenet to be one of 'train', but got 'val'" in failure(tmp_path, "val")
        sorted_into(tmp_path / "val")
        assert len(loaded(tmp_path).class_names) == 3
        assert len(loaded(tmp_path, "train").class_names) == 4
        with pytest.raises(SplitError, match="one of 'train', 'val', but got 'fold1'"):
            loaded(tmp_path, "fold1")


class TestImageNetV2:
    def test_folders_are_indices(self, tmp_path: Path) -> None:
        for index in range(1000):
            (tmp_path / "imagenetv2-matched-frequency-format-val" / str(index)).mkdir(parents=True)
        paint(tmp_path / "imagenetv2-matched-frequency-format-val" / "10" / "a.jpeg")
        paint(tmp_path / "imagenetv2-matched-frequency-format-val" / "9" / "b.jpeg")
        found = loaded(tmp_path)
        assert found.class_names == SYNSETS
        assert (found.sample_ids, found.labels) == (("10/a.jpeg", "9/b.jpeg"), (10, 9))


class TestFlatImages:
    def test_kaggles_solution(self, tmp_path: Path, reference: Dataset) -> None:
        flat(tmp_path / "ILSVRC" / "Data" / "CLS-LOC" / "val")
        rows = [
            f"ILSVRC2012_val_{number:08d},{synset} 178 102 1 2 {synset} 0 0 9 9 " for number, synset in LABELS.items()
        ]
        (tmp_path / "LOC_val_solution.csv").write_text("\n".join(["ImageId,PredictionString", *rows]))
        (tmp_path / "LOC_synset_mapping.txt").write_text("n01440764 tench, Tinca tinca\n")
        assert same(loaded(tmp_path), reference)
        assert split_of(loaded(tmp_path)) == "val"

    @pytest.mark.parametrize("as_index", [True, False])
    def test_a_list_of_files_and_classes(self, as_index: bool, tmp_path: Path, reference: Dataset) -> None:
        flat(tmp_path / "val")
        lines = [
            f"ILSVRC2012_val_{number:08d}.JPEG {SYNSETS.index(synset) if as_index else synset}"
            for number, synset in LABELS.items()
        ]
        (tmp_path / "caffe_ilsvrc12").mkdir()
        (tmp_path / "caffe_ilsvrc12" / "val.txt").write_text("\r\n".join(lines))
        assert same(loaded(tmp_path), reference)

    def test_a_synset_a_line(self, tmp_path: Path, reference: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(imagenet_labels, "IMAGES", len(LABELS))
        flat(tmp_path)
        file = tmp_path / "imagenet_2012_validation_synset_labels.txt"
        file.write_text("\n".join(LABELS.values()) + "\n")
        assert same(loaded(tmp_path), reference)
        file.write_text("\n".join(list(LABELS.values())[1:]) + "\n")
        assert "one line for each of 4 images, but got 3 lines" in failure(tmp_path)

    def test_the_devkits_ground_truth(
        self, tmp_path: Path, reference: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(imagenet_labels, "IMAGES", len(LABELS))
        flat(tmp_path / "val")
        data = tmp_path / "ILSVRC2012_devkit_t12" / "data"
        data.mkdir(parents=True)
        # Its numbers are in no order of the synsets.
        numbers = {synset: 1000 - index for index, synset in enumerate(SYNSETS)}
        lines = [str(numbers[synset]) for synset in LABELS.values()]
        (data / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(lines) + "\n")
        assert "ImageNet's meta.mat" in failure(tmp_path)
        kind = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
        rows = [(numbers[synset], synset, "words", 0) for synset in SYNSETS] + [(1001, "n00001740", "entity", 2)]
        savemat(data / "meta.mat", {"synsets": np.array(rows, dtype=kind)[:, None]})
        assert same(loaded(tmp_path), reference)
        (data / "meta.mat").write_bytes(b"no table")
        assert "the devkit's table of synsets" in failure(tmp_path)
        savemat(data / "meta.mat", {"synsets": np.array(rows[:1], dtype=kind)[:, None]})
        assert f"numbers of meta.mat, but got '{lines[0]}'" in failure(tmp_path)

    def test_tiny_imagenet(self, tmp_path: Path) -> None:
        root = tmp_path / "tiny-imagenet-200"
        for number in (0, 1):
            paint(root / "val" / "images" / f"val_{number}.JPEG", number)
        for synset in SYNSETS[:2]:
            paint(root / "train" / synset / "images" / f"{synset}_0.JPEG")
        text = f"val_0.JPEG\t{SYNSETS[1]}\t0\t32\t44\t62\nval_1.JPEG\t{SYNSETS[0]}\t1\t2\t3\t4\n"
        (root / "val" / "val_annotations.txt").write_text(text)
        for where in (tmp_path, root):
            found = loaded(where)
            assert found.sample_ids == (f"{SYNSETS[0]}/val_1.JPEG", f"{SYNSETS[1]}/val_0.JPEG")
        assert found.class_names == load_dataset(str(root)).class_names

    def test_without_labels_the_sentence_says_where_they_are(self, tmp_path: Path) -> None:
        flat(tmp_path / "val")
        assert "4 images without class folders and no file of labels. Put LOC_val_solution.csv" in failure(tmp_path)
        (tmp_path / "ILSVRC2012_devkit_t12.tar.gz").touch()
        packed = tmp_path / "ILSVRC2012_devkit_t12.tar.gz"
        assert f"Unpack the labels: `tar -xzf {packed} -C {tmp_path}`." in failure(tmp_path)

    def test_as_a_folder_the_sentence_names_imagenet(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="with dataset imagenet data_root "):
            load_dataset(str(flat(tmp_path)))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("ILSVRC2012_val_00000001.JPEG 65\n", "3 of 4 without one, such as 'ILSVRC2012_val_00000002.JPEG'"),
            ("ILSVRC2012_val_00000001.JPEG 1000\n", "indices from 0 to 999, but got '1000'"),
            ("ILSVRC2012_val_00000001.JPEG -1\n", "synsets or indices of classes, but got '-1'"),
            ("a b\nc\n", "an image and its class on each line, but got something else"),
            ("", "an image and its class on each line, but got something else"),
            (b"\xff\xfe\x00", "readable text"),
        ],
    )
    def test_labels_that_do_not_fit(self, text: str | bytes, said: str, tmp_path: Path) -> None:
        flat(tmp_path / "val")
        (tmp_path / "val.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        assert said in failure(tmp_path)

    def test_labels_are_read_up_to_a_limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(imagenet_labels, "_LARGEST", 2**20)
        flat(tmp_path)
        (tmp_path / "val.txt").write_bytes(b" " * (2**20 + 1))
        assert "more than 1 MB" in failure(tmp_path)


class TestNothing:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("ILSVRC2012_img_val.tar", "mkdir -p {root}/val && tar -xf {root}/ILSVRC2012_img_val.tar -C {root}/val`"),
            ("tiny-imagenet-200.zip", "unzip -q {root}/tiny-imagenet-200.zip -d {root}/imagenet`"),
            ("data/val-00000-of-00014.parquet", "Read them with --dataset hf:{root}/data."),
            ("mappings/folder_to_objectnet_label.json", "at most 0 of its 1,000"),
            ("objectnet-1.0/folder_to_objectnet_label.json", "ObjectNet, whose 313 classes are not ImageNet's"),
            ("notes.txt", "at most 0 of its 1,000 synset folders"),
        ],
    )
    def test_one_sentence_says_what_to_do(self, name: str, said: str, tmp_path: Path) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        assert said.format(root=tmp_path) in failure(tmp_path)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        assert "a readable folder, but got 'no such file or directory'. Check --data-root." in failure(
            tmp_path / "gone"
        )


class TestOptions:
    def test_the_environment_names_the_root(self, whole: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CUESENSE_DATA", str(whole))
        assert len(load_dataset("imagenet")) == 2
        with pytest.raises(DatasetError):
            loaded(tmp_path)

    def test_without_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CUESENSE_DATA", raising=False)
        with pytest.raises(DatasetError, match="CUESENSE_DATA"):
            load_dataset("imagenet")

    def test_takes_no_argument_and_fetches_nothing(self, whole: Path) -> None:
        with pytest.raises(DatasetError, match="'imagenet:train'"):
            load_dataset("imagenet:train", data_root=whole)
        with pytest.raises(DatasetError, match="download"):
            load_dataset("imagenet", data_root=whole, download=True)
