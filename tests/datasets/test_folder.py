"""Folders of class folders, and how a spec finds its plug-in."""

import os
import sys
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import ImageFolder

from cuesense.datasets.load import load_dataset
from cuesense.errors import CuesenseError, SettingsError, UnreadableImageError
from cuesense.types import Dataset

COLORS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}


def paint(path, color="red", size=(4, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def failure(spec, **options):
    with pytest.raises(CuesenseError) as caught:
        load_dataset(str(spec), **options)
    text = str(caught.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text


@pytest.fixture
def colors(tmp_path):
    for name in COLORS:
        for index in range(3):
            paint(tmp_path / name / f"{index}.png", name)
    return tmp_path


class TestFolder:
    def test_is_a_dataset_in_the_order_of_its_ids(self, colors):
        dataset = load_dataset(str(colors))
        assert isinstance(dataset, Dataset)
        assert dataset.spec == str(colors)
        assert dataset.class_names == ("blue", "lime", "red")
        assert list(dataset.sample_ids) == [
            f"{name}/{index}.png" for name in ("blue", "lime", "red") for index in "012"
        ]
        assert list(dataset.labels) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert len(dataset) == 9

    def test_gives_the_image_of_its_id(self, colors):
        dataset = load_dataset(str(colors))
        for index, name in enumerate(dataset.sample_ids):
            sample = dataset[index]
            assert (sample.id, sample.label) == (name, dataset.labels[index])
            assert sample.image.getpixel((0, 0)) == COLORS[name.split("/")[0]]

    def test_classes_and_labels_are_imagefolders(self, tmp_path):
        for name in ("10", "2", "1", "a b", "Zoo", "ärger", "100"):
            paint(tmp_path / name / "deep" / "x.PNG")
            paint(tmp_path / name / "y.jpeg")
        oracle = ImageFolder(str(tmp_path))
        dataset = load_dataset(str(tmp_path))
        assert list(dataset.class_names) == oracle.classes
        ours = dict(zip(map(str, dataset.paths), dataset.labels, strict=True))
        assert ours == dict(oracle.samples)

    @pytest.mark.parametrize(
        "name", ["a.JPG", "a.jpeg", "a.png", "a.Bmp", "a.gif", "a.tif", "a.tiff", "a.webp", "a.ppm", "a b ü.png"]
    )
    def test_suffixes_of_images(self, name, tmp_path):
        (tmp_path / "cat").mkdir()
        (tmp_path / "cat" / name).touch()
        assert load_dataset(str(tmp_path)).sample_ids == (f"cat/{name}",)

    def test_other_files_and_hidden_ones_are_ignored(self, colors):
        for name in ("red/notes.txt", "red/.hidden.png", "red/.cache/x.png", ".git/x.png", "readme.md", "red/png"):
            (colors / name).parent.mkdir(exist_ok=True)
            (colors / name).touch()
        dataset = load_dataset(str(colors))
        assert len(dataset) == 9
        assert dataset.class_names == ("blue", "lime", "red")

    def test_an_empty_class_stays_beside_others(self, colors):
        (colors / "cyan").mkdir()
        (colors / "mauve").mkdir()
        (colors / "mauve" / "notes.txt").touch()
        dataset = load_dataset(str(colors))
        assert dataset.class_names == ("blue", "cyan", "lime", "mauve", "red")
        assert set(dataset.labels) == {0, 2, 4}

    def test_links_are_followed_but_not_in_circles(self, colors, tmp_path_factory):
        elsewhere = paint(tmp_path_factory.mktemp("elsewhere") / "x.png", "lime").parent
        (colors / "linked").symlink_to(elsewhere)
        (colors / "red" / "up").symlink_to(colors / "red")
        (colors / "red" / "self").symlink_to("self")
        (colors / "red" / "file.png").symlink_to(colors / "red" / "0.png")
        ids = load_dataset(str(colors)).sample_ids
        assert "linked/x.png" in ids
        assert "red/file.png" in ids
        assert len(ids) == 11

    @pytest.mark.parametrize("part", ["", "val"])
    @pytest.mark.parametrize("to", [".", "..", "blue", "blue/deep", "linked"])
    def test_links_to_the_dataset_or_another_class_are_left_out(self, part, to, tmp_path):
        root = tmp_path / "data" / part
        for name in ("red/x", "blue/x", "blue/deep/x"):
            paint(root / f"{name}.png")
        # Another class that is a link itself is a class, whose images are outside.
        paint(tmp_path / "outside" / "y.png")
        (root / "linked").symlink_to(tmp_path / "outside")
        (root / "red" / "loop").symlink_to(root / to)
        dataset = load_dataset(str(tmp_path / "data"))
        assert dataset.class_names == ("blue", "linked", "red")
        assert dataset.sample_ids == ("blue/deep/x.png", "blue/x.png", "linked/y.png", "red/x.png")
        assert any("another class was left out ('red/loop')" in remark for remark in dataset.remarks)

    def test_of_two_names_of_one_class_folder_the_link_is_left_out(self, colors):
        (colors / "azure").symlink_to(colors / "blue")
        dataset = load_dataset(str(colors))
        assert not [name for name in dataset.sample_ids if name.startswith("azure")]
        assert any("'azure'" in remark for remark in dataset.remarks)

    def test_a_broken_link_is_an_unreadable_image(self, colors):
        (colors / "red" / "gone.png").symlink_to(colors / "nowhere.png")
        dataset = load_dataset(str(colors))
        index = dataset.sample_ids.index("red/gone.png")
        with pytest.raises(UnreadableImageError, match="no such file"):
            dataset[index]

    def test_names_that_are_no_unicode_become_escapes(self, colors):
        folder = os.fsencode(colors) + b"/caf\xe9"
        os.mkdir(folder)  # noqa: PTH102 (bytes)
        with open(folder + b"/\xff.png", "wb") as file:  # noqa: PTH123 (bytes)
            Image.new("RGB", (2, 2)).save(file, "PNG")
        dataset = load_dataset(str(colors))
        assert "caf\\xe9" in dataset.class_names
        index = dataset.sample_ids.index("caf\\xe9/\\xff.png")
        assert dataset[index].image.size == (2, 2)

    @pytest.mark.parametrize("where", [0, 4095, -4096, -1])
    def test_the_fingerprint_sees_other_images_of_the_same_size(self, where, tmp_path):
        image = tmp_path / "a" / "1.bmp"
        image.parent.mkdir()
        image.write_bytes(bytes(20_000))
        before = load_dataset(str(tmp_path)).fingerprint
        content = bytearray(20_000)
        content[where] = 1
        image.write_bytes(content)
        assert load_dataset(str(tmp_path)).fingerprint != before

    @pytest.mark.parametrize("change", ["add", "remove", "rename", "grow", "class"])
    def test_the_fingerprint_sees_a_change(self, change, colors):
        before = load_dataset(str(colors)).fingerprint
        assert load_dataset(str(colors)).fingerprint == before
        image = colors / "red" / "1.png"
        {
            "add": lambda: paint(colors / "red" / "9.png"),
            "remove": image.unlink,
            "rename": lambda: image.rename(colors / "red" / "7.png"),
            "grow": lambda: image.write_bytes(image.read_bytes() + b"\0"),
            "class": lambda: (colors / "aqua").mkdir(),
        }[change]()
        assert load_dataset(str(colors)).fingerprint != before

    def test_the_fingerprint_does_not_depend_on_where_it_is(self, colors, tmp_path_factory):
        moved = tmp_path_factory.mktemp("moved") / "data"
        before = load_dataset(str(colors)).fingerprint
        colors.rename(moved)
        assert load_dataset(str(moved)).fingerprint == before

    @settings(max_examples=25)
    @given(tree=st.dictionaries(st.sampled_from("abcde"), st.sets(st.integers(0, 30)), min_size=1))
    def test_any_tree(self, tree, tmp_path_factory):
        root = tmp_path_factory.mktemp("tree")
        for name, members in tree.items():
            (root / name).mkdir()
            for member in members:
                (root / name / f"{member}.png").touch()
        if not any(tree.values()):
            assert "without a single image" in failure(root)
            return
        dataset = load_dataset(str(root))
        pairs = {(name, dataset.class_names[label]) for name, label in zip(dataset.sample_ids, dataset.labels)}  # noqa: B905
        assert pairs == {(f"{name}/{member}.png", name) for name, members in tree.items() for member in members}
        assert list(dataset.sample_ids) == sorted(dataset.sample_ids)


class TestFolderErrors:
    def test_empty(self, tmp_path):
        assert "no class folder in it" in failure(tmp_path)

    def test_images_without_class_folders(self, tmp_path):
        paint(tmp_path / "x.png")
        text = failure(tmp_path)
        assert "images without class folders" in text
        assert "one folder per class" in text
        assert "table" in text

    def test_class_folders_without_images(self, tmp_path):
        for name in "ab":
            (tmp_path / name).mkdir()
        assert "2 class folders without a single image" in failure(tmp_path)

    def test_missing(self, tmp_path):
        assert "no such file or directory" in failure(f"folder:{tmp_path}/gone")

    def test_a_file(self, tmp_path):
        assert "not a directory" in failure(f"folder:{paint(tmp_path / 'x.png')}")

    def test_unreadable(self, colors, monkeypatch):
        def denied(_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "scandir", denied)
        assert "permission denied" in failure(colors)


class TestSpecs:
    def test_prefix_and_path_are_the_same(self, colors):
        plain, prefixed = load_dataset(str(colors)), load_dataset(f"folder:{colors}")
        assert plain == prefixed

    def test_a_relative_folder(self, colors, monkeypatch):
        monkeypatch.chdir(colors.parent)
        assert len(load_dataset(colors.name)) == 9

    def test_a_folder_with_a_colon(self, tmp_path):
        paint(tmp_path / "a:b" / "red" / "x.png")
        assert len(load_dataset(str(tmp_path / "a:b"))) == 1

    def test_a_file_is_a_table(self, colors):
        (colors / "list.csv").write_text("path,label\nred/0.png,red\n")
        assert load_dataset(str(colors / "list.csv")).class_names == ("red",)

    @pytest.mark.parametrize(
        ("spec", "hint"),
        [
            ("plantd", "Did you mean 'planted'"),
            ("imagnet", "Did you mean 'imagenet'"),
            ("qqqq", "Choose one of"),
            ("", "Choose one of"),
            ("no/such/place", "Check the path"),
            ("/no/such:where", "Check the path"),
            ("list.csv", "Check the path"),
            ("folder", "Write folder:PATH"),
            ("folder:", "Write folder:PATH"),
        ],
    )
    def test_nothing_there(self, spec, hint, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert hint in failure(spec)

    def test_an_unknown_prefix(self):
        with pytest.raises(SettingsError, match="Did you mean 'planted'"):
            load_dataset("plant:3")

    def test_a_folder_takes_no_other_root(self, colors, tmp_path):
        assert "left out for a folder" in failure(colors, data_root=tmp_path)

    def test_plugins_get_argument_and_root(self, plug, tmp_path):
        plug("datasets", EntryPoint("echo", f"{__name__}:echo", "cuesense.datasets"))
        assert load_dataset("echo:a:b", data_root=tmp_path) == ("a:b", tmp_path)
        assert load_dataset("echo") == ("", None)

    def test_importing_needs_no_torch(self):
        code = (
            "import sys; import cuesense.datasets.classes as c, cuesense.datasets.imagenet, cuesense.datasets.folder;"
            "c.read_class_names('imagenet'); sys.exit('torch' in sys.modules)"
        )
        assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


def echo(argument, *, data_root):
    return argument, data_root
