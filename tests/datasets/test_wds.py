"""Tar shards: keys, labels in their usual members, patterns, parts, ids that are distinct, and what is refused."""

import bz2
import gzip
import json
import lzma
import tarfile

import numpy as np
import pytest

from cuesense.datasets import tars
from cuesense.datasets.load import load_dataset
from cuesense.datasets.wds import load
from cuesense.errors import DatasetError, SplitError, UnreadableImageError
from tests.helpers import dataset_files as made
from tests.helpers.small_networks import NAMES

PNG = made.FILES


def refused(spec, **options):
    with pytest.raises(DatasetError) as caught:
        load(str(spec), **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def sample(key, label, kind="cls", image=0, suffix="png"):
    return [(f"{key}.{suffix}", PNG[image]), (f"{key}.{kind}", label.encode())]


class TestSamples:
    def test_numbers_are_classes_in_their_order(self, tmp_path):
        members = [part for place in (10, 9, 2) for part in sample(f"k{place}", str(place))]
        dataset = load(str(made.tar(tmp_path / "a.tar", members)))
        assert dataset.class_names == ("2", "9", "10")
        assert dataset.sample_ids == ("10/k10.png", "2/k2.png", "9/k9.png")
        assert dataset.spec == f"wds:{tmp_path / 'a.tar'}"

    @pytest.mark.parametrize("name", ["classes.txt", "classnames.txt", "../classnames.txt"])
    def test_numbers_get_the_names_of_a_file_beside_the_shards(self, name, tmp_path):
        made.tar(tmp_path / "s" / "a.tar", [*sample("a", "1"), *sample("b", "0")])
        (tmp_path / "s" / name).write_text("ant\nbee\n")
        dataset = load(str(tmp_path / "s"))
        assert dataset.class_names == ("ant", "bee")
        assert dataset.sample_ids == ("ant/b.png", "bee/a.png")
        assert "named by the file" in dataset.remarks[-1]

    @pytest.mark.parametrize("key", ["label", "class", "cls", "category"])
    def test_json_has_the_class_under_the_usual_keys(self, key, tmp_path):
        members = [*sample("a", json.dumps({"width": 3, key: "ant"}), "json"), *sample("b", '"bee"', "json")]
        assert load(str(made.tar(tmp_path / "a.tar", members))).class_names == ("ant", "bee")

    def test_a_number_and_a_name_in_json_are_one_class(self, tmp_path):
        def told(*pairs):
            objects = [
                json.dumps({"id": k, "label": number, "class_name": name}) for k, (number, name) in enumerate(pairs)
            ]
            members = [part for k, text in enumerate(objects) for part in sample(f"k{k}", text, "json")]
            return load(str(made.tar(tmp_path / "a.tar", members)))

        dataset = told((1, "ant"), (0, "bee"), (1, "ant"))
        assert (dataset.class_names, dataset.sample_ids) == (("bee", "ant"), ("ant/k0.png", "ant/k2.png", "bee/k1.png"))
        assert "class_name was taken for their names" in dataset.remarks[0]
        # Indices of outputs, of which some are missing; and names that are not one to one.
        assert told((7, "ant"), (0, "bee")).class_names == ("0", "7")
        assert told((0, "ant"), (1, "ant")).class_names == ("0", "1")

    def test_cls_goes_before_json_and_txt(self, tmp_path):
        members = [*sample("a", "ant"), ("a.json", b'{"label": "bee"}'), ("a.txt", b"a photo of an ant")]
        assert load(str(made.tar(tmp_path / "a.tar", members))).class_names == ("ant",)

    def test_the_first_image_of_a_key_counts_and_masks_do_not(self, tmp_path):
        members = [("a.seg.png", PNG[3]), ("a.png", PNG[1]), ("a.jpg", PNG[2]), ("a.cls", b"0")]
        dataset = load(str(made.tar(tmp_path / "a.tar", members)))
        np.testing.assert_array_equal(np.asarray(dataset[0].image), made.PIXELS[1])

    def test_keys_end_at_the_first_dot_of_the_name_and_keep_their_folder(self, tmp_path):
        members = [*sample("v1.0/a", "ant"), *sample("v2.0/a", "ant", image=1)]
        assert load(str(made.tar(tmp_path / "a.tar", members))).sample_ids == ("v1.0/a.png", "v2.0/a.png")

    def test_repeated_names_stand_behind_their_shards(self, tmp_path):
        for number in range(2):
            made.tar(tmp_path / f"s-{number}.tar", sample("0000", "ant", image=number))
        dataset = load(str(tmp_path))
        assert dataset.sample_ids == ("s-0/0000.png", "s-1/0000.png")
        np.testing.assert_array_equal(np.asarray(dataset[1].image), made.PIXELS[1])

    def test_shards_that_webdataset_writes(self, tmp_path):
        webdataset = pytest.importorskip("webdataset")
        with webdataset.TarWriter(str(tmp_path / "a.tar")) as writer:
            for stem, label, image in zip(made.STEMS, made.LABELS, PNG, strict=True):
                writer.write({"__key__": stem, "png": image, "json": {"label": NAMES[label]}})
        assert list(load(str(tmp_path / "a.tar")).sample_ids) == made.NAMED

    def test_captions_are_no_classes(self, tmp_path):
        members = [part for k in range(6) for part in sample(f"{k}", f"a photo of {k} small dogs", "txt", image=k)]
        assert "captions?" in refused(made.tar(tmp_path / "a.tar", members))

    def test_a_sample_without_a_label_is_named(self, tmp_path):
        members = [*sample("a", "0"), ("b.png", PNG[1])]
        assert "1 of 2 without .cls (b.png)" in refused(made.tar(tmp_path / "a.tar", members))

    @pytest.mark.parametrize(("count", "enough"), [(20, True), (19, False)])
    def test_of_twenty_samples_one_may_lack_its_label(self, count, enough, tmp_path):
        members = [part for k in range(count - 1) for part in sample(f"{k:02d}", "ant", image=k % made.COUNT)]
        path = made.tar(tmp_path / "a.tar", [*members, ("last.png", PNG[1])])
        if not enough:
            assert f"1 of {count} without .cls (last.png)" in refused(path)
            return
        dataset = load(str(path))
        assert len(dataset) == count - 1
        assert "1 of 20 images without .cls were left out: last.png." in dataset.remarks

    def test_json_without_a_class_lists_its_keys(self, tmp_path):
        text = refused(made.tar(tmp_path / "a.tar", sample("a", '{"width": 3}', "json")))
        assert "the keys width" in text


class TestPatterns:
    @pytest.fixture
    def shards(self, tmp_path):
        for number in range(8, 12):
            made.tar(tmp_path / f"s-{number:03d}.tar", sample(f"{number}", "ant", image=number))
        return tmp_path

    @pytest.mark.parametrize(
        ("pattern", "count"),
        [("s-{008..011}.tar", 4), ("s-{009..010}.tar", 2), ("s-*.tar", 4), ("s-01?.tar", 2), ("s-{008,011}.tar", 2),
         ("", 4), ("s-008.tar", 1), ("s-0{08,1{0..1}}.tar", 3)],
    )  # fmt: skip
    def test_patterns(self, pattern, count, shards):
        assert len(load(f"{shards}/{pattern}")) == count
        assert len(load_dataset(f"wds:{shards}/{pattern}")) == count
        assert len(load_dataset(f"{shards}/{pattern}")) == count

    def test_a_pattern_without_a_file_is_named(self, shards):
        with pytest.raises(DatasetError, match=r"s-012\.tar"):
            load_dataset(f"{shards}/s-{{012..013}}.tar")

    def test_several_patterns(self, shards):
        assert len(load(f"{shards}/s-008.tar::{shards}/s-01*.tar")) == 3

    def test_a_relative_pattern_starts_from_the_root(self, shards):
        assert len(load("s-*.tar", data_root=shards)) == 4

    def test_a_missing_shard_is_named(self, shards):
        assert "s-012.tar" in refused(f"{shards}/s-{{008..012}}.tar")

    @pytest.mark.parametrize("name", ["pipe:rm -rf x", "https://x.org/a-{0..3}.tar", "s3://b/a.tar"])
    def test_programs_and_addresses_do_not_run(self, name):
        assert "files on this machine" in refused(name)


class TestParts:
    @pytest.fixture
    def shards(self, tmp_path):
        for part, count in (("train", 3), ("val", 2)):
            made.tar(tmp_path / f"x-{part}-000.tar", [p for k in range(count) for p in sample(f"{k}", "a", image=k)])
        return tmp_path

    def test_validation_shards_are_read_and_said(self, shards):
        dataset = load_dataset(str(shards))
        assert (len(dataset), dataset.split) == (2, "val")
        assert "'val' was read, not train" in dataset.remarks[0]

    def test_another_part(self, shards):
        assert (len(load(str(shards), split="train")), load(str(shards), split="train").remarks) == (3, ())
        with pytest.raises(SplitError, match="train, val"):
            load(str(shards), split="test")

    def test_folders_of_shards_are_parts(self, tmp_path):
        for part in ("train", "test"):
            made.tar(tmp_path / part / "0.tar", sample(part, "a"))
        assert load_dataset(str(tmp_path)).sample_ids == ("a/test.png",)

    def test_a_split_of_shards_without_parts_is_refused(self, tmp_path):
        with pytest.raises(SplitError, match="no parts"):
            load(str(made.tar(tmp_path / "a.tar", sample("a", "0"))), split="val")


class TestTrees:
    def test_parts_with_class_folders(self, tmp_path):
        members = [
            (f"set/{part}/{kind}/{k}.png", PNG[k]) for part in ("train", "val") for kind in "ab" for k in range(2)
        ]
        dataset = load_dataset(str(made.tar(tmp_path / "a.tar", members)))
        assert dataset.sample_ids == ("a/0.png", "a/1.png", "b/0.png", "b/1.png")
        assert dataset.split == "val"

    def test_images_with_a_table(self, tmp_path):
        members = [(f"{k}.png", PNG[k]) for k in range(3)]
        table = b"filename,label\n0.png,x\n1.png,y\n2.png,x\n"
        dataset = load_dataset(str(made.tar(tmp_path / "a.tar", [*members, ("labels.csv", table)])))
        assert (dataset.class_names, dataset.labels) == (("x", "y"), (0, 1, 0))


class TestCompressed:
    """Nothing in a compressed tar can be read without all before it: it is unpacked into memory."""

    MEMBERS = (*sample("a", "0"), *sample("b", "1", image=1), *sample("c", "1", image=2))

    @pytest.mark.parametrize(
        ("suffix", "compress"),
        [
            (".tar.gz", gzip.compress), (".tgz", gzip.compress), (".tar", gzip.compress),
            (".tar.bz2", bz2.compress), (".tar.xz", lzma.compress),
        ],
    )  # fmt: skip
    def test_is_the_same_dataset(self, suffix, compress, tmp_path):
        plain = load(str(made.tar(tmp_path / "plain.tar", self.MEMBERS)))
        path = tmp_path / "set" / f"a{suffix}"
        path.parent.mkdir()
        path.write_bytes(compress((tmp_path / "plain.tar").read_bytes()))
        for spec in (path, path.parent):
            dataset = load_dataset(str(spec))
            assert (dataset.sample_ids, dataset.labels, dataset.contents) == (
                plain.sample_ids,
                plain.labels,
                plain.contents,
            )
            assert np.array_equal(dataset[2].image, plain[2].image)

    def test_beside_others(self, tmp_path):
        made.tar(tmp_path / "0.tar", sample("a", "0"))
        (tmp_path / "1.tar.gz").write_bytes(gzip.compress(made.tar(tmp_path / "x", sample("b", "1")).read_bytes()))
        dataset = load(str(tmp_path))
        assert dataset.sample_ids == ("0/a.png", "1/b.png")
        assert all(dataset.contents)

    def test_too_much_to_unpack_is_refused_with_the_command(self, tmp_path, monkeypatch):
        content = made.tar(tmp_path / "plain.tar", self.MEMBERS).read_bytes()
        for name in ("a.tar.gz", "b.tar.gz"):
            (tmp_path / name).write_bytes(gzip.compress(content))
        monkeypatch.setattr(tars, "_MOST_UNPACKED", len(content))
        assert len(load(str(tmp_path / "a.tar.gz"))) == 3
        assert "b.tar.gz'" in refused(f"{tmp_path / 'a.tar.gz'}::{tmp_path / 'b.tar.gz'}")
        monkeypatch.setattr(tars, "_MOST_UNPACKED", len(content) // 2)
        text = refused(tmp_path / "a.tar.gz")
        assert "one compressed with gzip that holds more" in text
        assert "`gunzip -k" in text

    def test_a_header_that_asks_for_all_memory_is_refused_early(self, tmp_path, monkeypatch):
        header = tarfile.TarInfo("x")
        header.type, header.size = tarfile.XHDTYPE, 2**40
        head = header.tobuf(tarfile.GNU_FORMAT)
        (tmp_path / "a.tar.gz").write_bytes(gzip.compress(head + bytes(2**22)))
        monkeypatch.setattr(tars, "_MOST_UNPACKED", 2**20)
        assert "holds more" in refused(tmp_path / "a.tar.gz")

    def test_zstd_is_named_with_the_command(self, tmp_path):
        (tmp_path / "a.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
        with pytest.raises(DatasetError, match=r"compressed with zstd.*`unzstd"):
            load_dataset(str(tmp_path / "a.tar.zst"))

    @pytest.mark.parametrize("length", [20, 200])
    @pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
    def test_a_damaged_one_is_named(self, compress, length, tmp_path):
        content = compress(made.tar(tmp_path / "plain.tar", self.MEMBERS).read_bytes())
        (tmp_path / "a.tar").write_bytes(content[:length])
        assert "a whole tar file" in refused(tmp_path / "a.tar")
        (tmp_path / "a.tar").write_bytes(content[:20] + b"\xff" * 40 + content[60:])
        assert "a whole tar file" in refused(tmp_path / "a.tar")


class TestBroken:
    def test_a_shard_that_is_cut_off_is_named(self, tmp_path):
        path = made.tar(tmp_path / "a.tar", sample("a", "0"))
        path.write_bytes(path.read_bytes()[:700])
        assert "tar" in refused(path)

    def test_a_shard_that_shrinks_later_gives_unreadable_images(self, tmp_path):
        path = made.tar(tmp_path / "a.tar", sample("a", "0"))
        dataset = load(str(path))
        path.write_bytes(path.read_bytes()[:600])
        with pytest.raises(UnreadableImageError, match=r"a\.png"):
            dataset[0]

    def test_a_tar_without_images(self, tmp_path):
        assert "no image in it" in refused(made.tar(tmp_path / "a.tar", [("a.txt", b"x")]))
