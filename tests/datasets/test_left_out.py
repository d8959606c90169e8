"""What is left out of a folder is counted by kind, and what nobody misses is not mentioned."""

from pathlib import Path

import pytest
from PIL import Image, features

from cuesense.datasets import formats
from cuesense.datasets.cached import CachedDataset
from cuesense.datasets.left_out import LeftOut, is_litter, remarks_of
from cuesense.datasets.load import load_dataset
from cuesense.datasets.subset import subset
from cuesense.errors import DatasetError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        for index in range(3):
            picture(tmp_path / name / f"{index}.png", index)
    return tmp_path


def picture(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (shade, 0, 0)).save(path)
    return path


def touched(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def remarks(root: Path) -> tuple[str, ...]:
    return remarks_of(load_dataset(str(root)))


def test_a_sound_folder_says_nothing(root: Path) -> None:
    assert remarks(root) == ()


@pytest.mark.parametrize(
    "name",
    [
        "cat/.DS_Store", "cat/Thumbs.db", "dog/desktop.ini", "cat/._0.png", ".git/config", "__MACOSX/cat/._0.png",
        "cat/__MACOSX/x.png", "cat/.ipynb_checkpoints/0-checkpoint.png", "@eaDir/x.jpg", "README.md", "classes.txt",
        "LICENSE", "labels.csv", "meta.json",
    ],
)  # fmt: skip
def test_litter_and_documents_beside_the_classes_are_quiet(name: str, root: Path) -> None:
    touched(root, name)
    dataset = load_dataset(str(root))
    assert dataset.class_names == ("cat", "dog")
    assert len(dataset) == 6
    assert remarks_of(dataset) == ()


def test_an_empty_macosx_folder_is_no_class(root: Path) -> None:
    (root / "__MACOSX").mkdir()
    assert load_dataset(str(root)).class_names == ("cat", "dog")


def test_one_other_kind_is_counted_with_its_suffix(root: Path) -> None:
    touched(root, *(f"cat/{index}.raw" for index in range(40)))
    assert remarks(root) == ("40 files of other kinds (.raw) were left out.",)


def test_several_kinds_are_counted_the_commonest_first(root: Path) -> None:
    touched(root, "cat/a.txt", "dog/b.XML", "dog/deep/c.xml", "dog/d")
    assert remarks(root) == ("4 files of other kinds (2 .xml, 1 .txt, 1 without suffix) were left out.",)


def test_one_file_is_one(root: Path) -> None:
    touched(root, "cat/a.mp4")
    assert remarks(root) == ("1 file of another kind (.mp4) was left out.",)


def test_archives_beside_the_classes_are_counted(root: Path) -> None:
    touched(root, "rest.zip")
    assert remarks(root) == ("1 file of another kind (.zip) was left out.",)


def test_images_beside_the_classes_are_named(root: Path) -> None:
    touched(root, "x.png", "y.JPG")
    (remark,) = remarks(root)
    assert remark.startswith("2 images beside the class folders were left out ('x.png', 'y.JPG')")


def test_hidden_images_are_named(root: Path) -> None:
    touched(root, "cat/.secret.png")
    (remark,) = remarks(root)
    assert remark.startswith("1 image with a dot before the name was left out ('cat/.secret.png')")


def test_empty_class_folders_are_named_and_stay_classes(root: Path) -> None:
    touched(root, "owl/notes.txt", "rat/deep/notes.txt")
    dataset = load_dataset(str(root))
    assert dataset.class_names == ("cat", "dog", "owl", "rat")
    assert "2 of 4 class folders hold no image: 'owl', 'rat'." in remarks_of(dataset)


def test_links_that_lead_nowhere_or_up_are_named(root: Path) -> None:
    (root / "cat" / "gone").symlink_to(root / "nowhere")
    (root / "dog" / "up").symlink_to(root / "dog")
    (remark,) = remarks(root)
    assert remark.startswith(
        "2 links to nowhere, to a folder above or to another class were left out ('cat/gone', 'dog/up')"
    )


def test_files_that_need_a_package_name_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    formats.readable_suffixes.cache_clear()
    touched(root, "cat/a.heic", "dog/b.HEIC")
    found = remarks(root)
    assert found == (
        "2 files of other kinds (.heic) were left out.",
        "Install pillow-heif to read the 2 .heic files (pip install 'cuesense[heif]').",
    )
    touched(root, "cat/c.hif", *(f"cat/{index}.{kind}" for index in range(4) for kind in ("mp4", "p", "q", "r", "s")))
    others, advice = remarks(root)
    formats.readable_suffixes.cache_clear()
    assert others.startswith("23 files of other kinds (2 .heic, 1 .hif, 4 .mp4, 4 ")
    assert advice == "Install pillow-heif to read the 3 .heic and .hif files (pip install 'cuesense[heif]')."


@pytest.mark.parametrize(("kind", "suffix"), [("AVIF", "avif"), ("JPEG2000", "jp2"), ("JPEG2000", "j2k")])
def test_other_formats_are_read_where_pillow_reads_them(kind: str, suffix: str, root: Path) -> None:
    if not features.check({"AVIF": "avif", "JPEG2000": "jpg_2000"}[kind]):
        pytest.skip("this Pillow does not read it")
    Image.new("RGB", (8, 8), (0, 200, 0)).save(root / "dog" / f"x.{suffix}", kind)
    dataset = load_dataset(str(root))
    assert remarks_of(dataset) == ()
    index = dataset.sample_ids.index(f"dog/x.{suffix}")
    assert abs(dataset[index].image.getpixel((4, 4))[1] - 200) < 4


def test_what_a_folder_without_images_holds_is_said(tmp_path: Path) -> None:
    touched(tmp_path, "cat/a.tar", "dog/b.tar")
    with pytest.raises(DatasetError, match=r"without a single image; 2 files of other kinds \(\.tar\) were left out"):
        load_dataset(str(tmp_path))


def test_subsets_and_caches_pass_the_remarks_on(root: Path) -> None:
    touched(root, "cat/a.mp4")
    dataset = load_dataset(str(root))
    assert remarks_of(subset(dataset, 1)) == remarks_of(CachedDataset(dataset)) == remarks_of(dataset) != ()


def test_many_kinds_are_cut_off() -> None:
    left_out = LeftOut()
    for letter in "abcdefgh":
        left_out.count_file(f"cat/x.{letter}")
    assert left_out.other_kinds().endswith("1 .e and 3 more) were left out")


def test_litter_is_told_whatever_its_case() -> None:
    assert is_litter("THUMBS.DB")
    assert not is_litter("thumb.png")


@pytest.mark.parametrize("between", ["photos", "outer/photos"])
def test_a_single_folder_around_the_class_folders_is_said(
    between: str, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    above = tmp_path_factory.mktemp("above")
    (above / between).parent.mkdir(exist_ok=True)
    (above / between).symlink_to(root)
    found = load_dataset(str(above))
    assert found.fingerprint == load_dataset(str(root)).fingerprint
    assert remarks_of(found) == (f"The class folders are those in '{between}', the only folder with images.",)


def test_one_class_with_images_of_its_own_stays_one(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2019/2.png", "cat/2020/3.png"):
        picture(tmp_path / name)
    assert load_dataset(str(tmp_path)).class_names == ("cat",)
    picture(tmp_path / "dog" / "4.png")
    assert load_dataset(str(tmp_path)).class_names == ("cat", "dog")


def test_a_folder_of_other_files_says_what_it_holds(tmp_path: Path) -> None:
    touched(tmp_path, "val-000000.rec", "val-000001.rec")
    with pytest.raises(DatasetError, match=r"no class folder in it; 2 files of other kinds \(\.rec\) were left"):
        load_dataset(str(tmp_path))


def test_a_link_that_leads_up_to_the_dataset_gives_no_class_the_images_of_all(root: Path) -> None:
    (root / "cat" / "loop").symlink_to(root)
    found = load_dataset(str(root))
    assert len(found) == 6
    (remark,) = remarks_of(found)
    assert remark.startswith("1 link to nowhere, to a folder above or to another class was left out ('cat/loop')")
