"""One contract for all readers: the same images give the same ids, pixels and profile, whatever their form."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from cuesense import registry
from cuesense.datasets.in_memory import wrap
from cuesense.datasets.load import load_dataset
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError
from cuesense.types import Dataset
from cuesense.workflows.analyze import analyze
from tests.helpers import dataset_files as made
from tests.helpers.small_networks import NAMES, classifier


def table(name: str, separator: str = ",", **form: Any) -> Callable[[Path], Dataset]:
    return lambda folder: load_dataset(str(made.separated(made.class_folders(folder) / name, separator, **form)))


def beside(make: Callable[[Path], Path], name: str) -> Callable[[Path], Dataset]:
    return lambda folder: load_dataset(str(make(made.class_folders(folder) / name)))


def flat(folder: Path) -> Dataset:
    """Images in one folder with a table, whose rows name them as the class folders do."""
    made.class_folders(folder / "images")
    made.separated(folder / "labels.csv", ",")
    return load_dataset(f"table:{folder / 'labels.csv'}")


def of_classes(folder: Path) -> Path:
    return made.tar(folder / "all.tar", [(f"./data/{n}", c) for n, c in zip(made.NAMED, made.FILES, strict=True)])


# Readers that know the names of files: all give the ids that class folders have.
NAMED: dict[str, Callable[[Path], Dataset]] = {
    "folder": lambda folder: load_dataset(str(made.class_folders(folder))),
    "folder:": lambda folder: load_dataset(f"folder:{made.class_folders(folder)}"),
    "csv": table("list.csv"),
    "csv with usual headings": table("list.csv", head="File Name", label="CLASS"),
    "csv with semicolons": table("list.csv", ";"),
    "tsv": table("list.tsv", "\t"),
    "lines with bars": table("list.txt", "|"),
    "csv without a header": table("list.csv", header=False),
    "lines of path and class": table("list.txt", " ", header=False),
    "json lines": beside(made.json_lines, "list.jsonl"),
    "parquet list": beside(made.parquet_list, "list.parquet"),
    "images in a folder": flat,
    "inline parquet": lambda folder: load_dataset(str(made.inline_parquet(folder / "val.parquet"))),
    "hf: parquet": lambda folder: load_dataset(f"hf:{made.inline_parquet(folder / 'val.parquet')}"),
    "clone of the hub": lambda folder: load_dataset(
        str(made.inline_parquet(folder / "data" / "test-00000-of-00001.parquet").parent.parent)
    ),
    "save_to_disk": lambda folder: load_dataset(str(made.saved_to_disk(folder / "saved"))),
    "wds: cls": lambda folder: load_dataset(f"wds:{made.shards(folder)}/shard-{{000000..000001}}.tar"),
    "wds: json": lambda folder: load_dataset(f"wds:{made.shards(folder, kind='json')}/*.tar"),
    "wds: txt": lambda folder: load_dataset(str(made.shards(folder, kind="txt"))),
    "tar of class folders": lambda folder: load_dataset(str(of_classes(folder))),
    "zip": lambda folder: load_dataset(str(made.zipped(folder / "a.zip"))),
    "zip with a folder around": lambda folder: load_dataset(f"zip:{made.zipped(folder / 'a.zip', 'set/val/')}"),
}


class Pairs:
    """A torch dataset in memory."""

    targets = made.LABELS
    classes = NAMES

    def __len__(self) -> int:
        return made.COUNT

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return made.PIXELS[index], made.LABELS[index]


def npy(folder: Path) -> Dataset:
    np.save(folder / "images.npy", made.PIXELS)
    np.save(folder / "labels.npy", np.array(made.LABELS))
    (folder / "classes.txt").write_text("\n".join(NAMES))
    return load_dataset(str(folder / "images.npy"))


# Readers of what has no names: all give positions.
UNNAMED: dict[str, Callable[[Path], Dataset]] = {
    "memory": lambda _: wrap(Pairs()),
    "npz": lambda folder: load_dataset(str(made.arrays(folder / "a.npz"))),
    "npz of MedMNIST": lambda folder: load_dataset(
        f"npz:{made.arrays(folder / 'a.npz', 'test_images', 'test_labels', train_images=made.PIXELS[:2])}"
    ),
    "npz of floats": lambda folder: load_dataset(str(made.arrays(folder / "a.npz", "x", "y", x=made.PIXELS / 255))),
    "npy": npy,
    "folder of cifar": lambda folder: load_dataset(str(made.cifar(folder))),
    "torchvision:": lambda folder: load_dataset("torchvision:CIFAR10", data_root=made.cifar(folder)),
    "parquet without names": lambda folder: load_dataset(str(made.inline_parquet(folder / "a.parquet", names=False))),
    "parquet of bytes": lambda folder: load_dataset(str(made.inline_parquet(folder / "a.parquet", structured=False))),
}
ALL = NAMED | UNNAMED


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Dataset]:
    return cache(lambda name: ALL[name](tmp_path_factory.mktemp("data")))


def plain(dataset: Any) -> dict[str, Any]:
    """Return a profile without what says where its images came from."""
    network = classifier()
    content = json.loads(analyze(network, dataset, config="quick", batch_size=16).to_json())
    del content["provenance"]
    content["summary"].pop("warnings")
    return content


@pytest.mark.parametrize("name", ALL)
class TestEveryReader:
    def test_is_a_dataset_with_sorted_ids_and_labels_in_its_classes(self, name, read):
        dataset = read(name)
        assert isinstance(dataset, Dataset)
        assert list(dataset.sample_ids) == sorted(set(dataset.sample_ids))
        assert len(dataset) == len(dataset.labels) == made.COUNT
        assert dataset.class_names == NAMES
        assert list(dataset.labels) == made.LABELS
        assert all("\n" not in remark and remark.endswith(".") for remark in getattr(dataset, "remarks", ()))

    def test_the_ids_are_those_of_its_family(self, name, read):
        expected = made.NAMED if name in NAMED else [f"{place:09d}" for place in range(made.COUNT)]
        assert list(read(name).sample_ids) == expected

    def test_a_process_that_it_is_sent_to_reads_the_same(self, name, read):
        dataset = read(name)
        # Read before, as every run does: files that are open are not sent.
        assert dataset.fingerprint
        dataset[0]
        sent = cloudpickle.loads(cloudpickle.dumps(dataset))
        assert list(sent.sample_ids) == list(dataset.sample_ids)
        for index in (0, made.COUNT - 1):
            assert np.array_equal(np.asarray(sent[index].image), np.asarray(dataset[index].image))

    def test_the_pixels_are_the_same_in_any_order_and_thread(self, name, read):
        dataset = read(name)
        order = np.random.default_rng(0).permutation(made.COUNT).tolist()
        with ThreadPoolExecutor(8) as pool:
            for place, sample in zip(order, pool.map(dataset.__getitem__, order), strict=True):
                assert (sample.id, sample.label) == (dataset.sample_ids[place], made.LABELS[place])
                np.testing.assert_array_equal(np.asarray(sample.image), made.PIXELS[place])

    def test_reading_again_gives_the_same_fingerprint(self, name, read, tmp_path):
        again = ALL[name](tmp_path)
        assert again.fingerprint == read(name).fingerprint

    # What a reader had to assume is a warning, and differs between them.
    @pytest.mark.filterwarnings("ignore::cuesense.errors.CuesenseWarning")
    def test_the_profile_is_that_of_every_other_reader(self, name, read):
        assert plain(read(name)) == profile_of("folder", read)

    def test_a_subset_is_the_same_from_every_reader(self, name, read):
        family = "folder" if name in NAMED else "memory"
        chosen = subset(read(name), 2)
        assert list(chosen.sample_ids) == list(subset(read(family), 2).sample_ids)
        assert len(chosen.fingerprint) == 64
        assert chosen.fingerprint != read(name).fingerprint
        place = dict(zip(read(name).sample_ids, range(made.COUNT), strict=True))[chosen.sample_ids[3]]
        np.testing.assert_array_equal(np.asarray(chosen[3].image), made.PIXELS[place])


_PROFILES: dict[str, Any] = {}


def profile_of(name: str, read: Callable[[str], Dataset]) -> dict[str, Any]:
    if name not in _PROFILES:
        _PROFILES[name] = plain(read(name))
    return _PROFILES[name]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_images_in_another_order_give_the_same_profile(seed, read):
    order = np.random.default_rng(seed).permutation(made.COUNT).tolist()
    mixed = [(made.PIXELS[place], made.LABELS[place]) for place in order]
    found = analyze(classifier(), wrap(mixed), config="quick", batch_size=16, class_names=NAMES)
    assert found.classes == analyze(classifier(), read("folder"), config="quick", batch_size=16).classes


@pytest.mark.parametrize(
    "name", ["folder", "csv", "inline parquet", "save_to_disk", "wds: cls", "zip", "npz", "torchvision:"]
)
def test_other_content_has_another_fingerprint(name, read, tmp_path, monkeypatch):
    changed = made.PIXELS.copy()
    changed[5, 0, 0, 0] ^= 255
    monkeypatch.setattr(made, "PIXELS", changed)
    monkeypatch.setattr(made, "FILES", [made.png(pixels) for pixels in changed])
    other = ALL[name](tmp_path)
    assert list(other.sample_ids) == list(read(name).sample_ids)
    assert other.fingerprint != read(name).fingerprint


ADVANCE = "Expected "


@pytest.mark.parametrize("name", [n for n in registry.names("datasets") if n not in ("imagenet", "planted")])
class TestEveryName:
    def test_alone_it_says_what_to_write(self, name):
        with pytest.raises(DatasetError, match=f"^{ADVANCE}") as caught:
            load_dataset(f"{name}:")
        assert "\n" not in str(caught.value)

    def test_a_missing_file_is_one_sentence(self, name, tmp_path):
        with pytest.raises(DatasetError, match=f"^{ADVANCE}") as caught:
            load_dataset(f"{name}:{tmp_path}/gone.csv")
        assert "\n" not in str(caught.value)

    def test_a_folder_of_that_name_is_a_folder(self, name, tmp_path, monkeypatch):
        made.class_folders(tmp_path / name)
        monkeypatch.chdir(tmp_path)
        assert len(load_dataset(name)) == made.COUNT


DAMAGED = {
    "zip": lambda folder: made.zipped(folder / "a.zip"),
    "tar": lambda folder: made.shards(folder) / "shard-000000.tar",
    "npz": lambda folder: made.arrays(folder / "a.npz"),
    "parquet": lambda folder: made.inline_parquet(folder / "a.parquet"),
    "arrow": lambda folder: made.saved_to_disk(folder / "saved") / "data-00000-of-00001.arrow",
    "cifar": lambda folder: made.cifar(folder) / "cifar-10-batches-py" / "test_batch",
    "jsonl": lambda folder: made.json_lines(made.class_folders(folder) / "list.jsonl"),
}


@pytest.mark.parametrize("kind", DAMAGED)
class TestDamaged:
    def test_a_file_that_is_cut_off_is_one_sentence(self, kind, tmp_path):
        path = DAMAGED[kind](tmp_path)
        content = path.read_bytes()
        for share in (0.2, 0.5, 0.9):
            path.write_bytes(content[: int(len(content) * share)])
            read_all(path.parent if kind == "cifar" else path)

    def test_flipped_bytes_never_escape(self, kind, tmp_path):
        path = DAMAGED[kind](tmp_path)
        content = path.read_bytes()
        for seed in range(12):
            random = np.random.default_rng(seed)
            wrong = np.frombuffer(content, np.uint8).copy()
            wrong[random.integers(0, len(wrong), 8)] = random.integers(0, 256, 8)
            path.write_bytes(wrong.tobytes())
            read_all(path.parent if kind == "cifar" else path)


def read_all(path: Path) -> None:
    """Read all that can be read; whatever is wrong is a DatasetError or an unreadable image, in one line."""
    from cuesense.errors import UnreadableImageError

    try:
        dataset = load_dataset(str(path))
    except DatasetError as error:
        assert "\n" not in str(error)  # noqa: PT017 (some damage is harmless)
        return
    for place in range(len(dataset)):
        try:
            dataset[place]
        except UnreadableImageError as error:
            assert "\n" not in str(error)  # noqa: PT017
