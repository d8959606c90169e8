"""Tables of paths and labels, as CSV and as Parquet."""

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cuesense.datasets.load import load_dataset
from cuesense.datasets.table import read_rows
from cuesense.errors import DatasetError, SplitError, UnreadableImageError
from cuesense.types import Dataset


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for index in range(4):
        Image.new("RGB", (3, 3), (index, 0, 0)).save(tmp_path / "images" / f"{index}.png")
    return tmp_path


def csv_table(folder, text, name="list.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def parquet_table(folder, **columns):
    path = folder / "list.parquet"
    pd.DataFrame(columns).to_parquet(path)
    return str(path)


def names(spec):
    return read_rows(Path(spec)).labels.names


def failure(spec):
    with pytest.raises(DatasetError) as caught:
        load_dataset(spec)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


class TestTable:
    def test_is_a_dataset(self, images):
        spec = csv_table(images, "path,label\nimages/2.png,dog\nimages/0.png,cat\nimages/1.png,dog\n")
        dataset = load_dataset(spec)
        assert isinstance(dataset, Dataset)
        assert dataset.spec == spec
        assert dataset.class_names == ("cat", "dog")
        assert dataset.sample_ids == ("images/0.png", "images/1.png", "images/2.png")
        assert dataset.labels == (0, 1, 1)
        assert [dataset[index].image.getpixel((0, 0))[0] for index in range(3)] == [0, 1, 2]

    def test_parquet_is_the_same(self, images):
        paths, labels = ["images/1.png", "images/0.png"], ["dog", "cat"]
        text = "path,label\n" + "".join(f"{path},{label}\n" for path, label in zip(paths, labels, strict=True))
        one = load_dataset(csv_table(images, text))
        other = load_dataset(parquet_table(images, path=paths, label=labels))
        assert (one.sample_ids, one.labels, one.class_names) == (other.sample_ids, other.labels, other.class_names)
        assert one.fingerprint == other.fingerprint

    def test_parquet_categories(self, images):
        labels = pd.Categorical(["b", "a"])
        dataset = load_dataset(parquet_table(images, path=["images/1.png", "images/0.png"], label=labels))
        assert dataset.class_names == ("a", "b")
        assert dataset.labels == (0, 1)

    def test_absolute_paths(self, images):
        path = images / "images" / "3.png"
        dataset = load_dataset(csv_table(images, f"path,label\n{path},x\n"))
        assert dataset.sample_ids == (path.as_posix(),)
        assert dataset[0].image.getpixel((0, 0)) == (3, 0, 0)

    def test_other_columns_order_blank_lines_and_a_byte_order_mark(self, images):
        text = '\ufeffsplit,label , path\nval,"a, b",images/0.png\n\nval,c,images/1.png\n'
        dataset = load_dataset(csv_table(images, text.replace(" path", "path")))
        assert dataset.class_names == ("a, b", "c")
        assert dataset.sample_ids == ("images/0.png", "images/1.png")

    def test_integers_sort_as_numbers(self, images):
        rows = "".join(f"{index}.png,{index}\n" for index in (10, 9, 100, 0))
        found = read_rows(Path(csv_table(images, "path,label\n" + rows)))
        assert found.labels.names == ("0", "9", "10", "100")
        assert [found.labels.names[label] + ".png" for label in found.labels.indices] == found.ids
        frame = parquet_table(images, path=["10.png", "9.png"], label=[10, 9])
        assert names(frame) == ("9", "10")

    def test_names_sort_as_strings_and_keep_their_zeros(self, images):
        spec = csv_table(images, "path,label\na,b\nb,10\nc,9\nd,007\ne,NA\nf,null\n")
        assert names(spec) == ("007", "10", "9", "NA", "b", "null")

    def test_a_missing_file_is_found_when_decoded(self, images):
        dataset = load_dataset(csv_table(images, "path,label\nimages/0.png,a\ngone.png,a\n"))
        assert len(dataset) == 2
        with pytest.raises(UnreadableImageError, match="no such file"):
            dataset[0]
        assert dataset[1].image.size == (3, 3)

    def test_an_impossible_path_is_found_when_decoded(self, images):
        dataset = load_dataset(parquet_table(images, path=["images/0.png", "a\0b.png"], label=["a", "a"]))
        with pytest.raises(UnreadableImageError):
            dataset[0]

    def test_the_fingerprint_sees_labels_and_sizes(self, images):
        first = load_dataset(csv_table(images, "path,label\nimages/0.png,a\nimages/1.png,b\n")).fingerprint
        again = load_dataset(csv_table(images, "path,label\nimages/1.png,b\nimages/0.png,a\n")).fingerprint
        swapped = load_dataset(csv_table(images, "path,label\nimages/0.png,b\nimages/1.png,a\n")).fingerprint
        (images / "images" / "0.png").write_bytes(b"")
        shorter = load_dataset(csv_table(images, "path,label\nimages/0.png,a\nimages/1.png,b\n")).fingerprint
        assert first == again
        assert len({first, swapped, shorter}) == 3

    @settings(max_examples=30)
    @given(
        rows=st.dictionaries(
            # A blank after a comma of a CSV file belongs to the comma.
            st.text("abc/é ,\"'", min_size=1).filter(lambda name: name.lstrip() == name and "/" not in name),
            st.text("xyz 'é\"", min_size=1).filter(str.strip),
            min_size=1,
        )
    )
    def test_any_names_survive_both_formats(self, rows, tmp_path_factory):
        folder = tmp_path_factory.mktemp("table")
        frame = pd.DataFrame({"path": list(rows), "label": list(rows.values())})
        frame.to_csv(folder / "list.csv", index=False)
        frame.to_parquet(folder / "list.parquet")
        for name in ("list.csv", "list.parquet"):
            found = read_rows(folder / name)
            labels = [found.labels.names[label] for label in found.labels.indices]
            assert dict(zip(found.ids, labels, strict=True)) == {k: v.strip() for k, v in rows.items()}


class TestForms:
    """Tables as people have them; each form also runs through the contract of all readers."""

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("header", ["File_Name{}Class", "image_id{}target", "img{}y", ""])
    def test_separators_and_headings(self, separator, header, images):
        rows = [header.format(separator)] if header else []
        rows += [f"images/{index}.png{separator}{name}" for index, name in enumerate(("b", "a", "b"))]
        dataset = load_dataset(csv_table(images, "\n".join(rows) + "\n", "list.txt"))
        assert (dataset.class_names, dataset.labels) == (("a", "b"), (1, 0, 1))
        assert [dataset[index].image.getpixel((0, 0))[0] for index in range(3)] == [0, 1, 2]

    def test_lines_of_path_and_index_with_names_beside(self, images):
        (images / "classes.txt").write_text("ant\nbee\ncat\n")
        dataset = load_dataset(csv_table(images, "images/0.png 2\nimages/1.png 0\n", "val.txt"))
        assert (dataset.class_names, dataset.labels) == (("ant", "bee", "cat"), (2, 0))
        assert "named by the file 'classes.txt'" in dataset.remarks[-1]

    @pytest.mark.parametrize(("numbers", "indices"), [((1, 3), (0, 2)), ((0, 2), (0, 2)), ((1, 2), (1, 2))])
    def test_names_are_counted_from_1_only_where_they_cannot_be_from_0(self, numbers, indices, images):
        (images / "classes.txt").write_text("ant\nbee\ncat\n")
        rows = "".join(f"images/{place}.png,{number}\n" for place, number in enumerate(numbers))
        assert load_dataset(csv_table(images, "path,label\n" + rows)).labels == indices

    def test_numbers_stay_numbers_where_names_do_not_fit(self, images):
        (images / "classes.txt").write_text("ant\nbee\n")
        assert names(csv_table(images, "path,label\na,7\nb,0\n")) == ("0", "7")

    def test_ids_without_a_suffix_in_a_folder_beside(self, images):
        dataset = load_dataset(csv_table(images, "id,breed\n2,dog\n0,cat\n"))
        assert dataset.sample_ids == ("0", "2")
        assert [dataset[index].image.getpixel((0, 0))[0] for index in range(2)] == [0, 2]
        assert "found in the folder 'images'" in dataset.remarks[-1]

    def test_a_column_of_parts(self, images):
        text = "path,label,split\nimages/0.png,a,train\nimages/1.png,b,test\nimages/2.png,a,train\n"
        dataset = load_dataset(csv_table(images, text))
        assert (dataset.sample_ids, dataset.split) == (("images/1.png",), "test")
        assert "'test' was read, not train" in dataset.remarks[0]
        assert load_dataset(csv_table(images, text), split="train").sample_ids == ("images/0.png", "images/2.png")

    def test_the_rows_of_a_part_that_was_asked_for_are_counted(self, images):
        text = "path,label,split\nimages/0.png,a,train\nimages/1.png,b,test\nimages/2.png,a,train\n"
        said = load_dataset(csv_table(images, text), split="train").remarks
        assert len(said) == 1
        assert "Of the 3 rows" in said[0]
        assert "the 2 of 'train' in the column split" in said[0]
        assert load_dataset(csv_table(images, text.replace("test", "train")), split="train").remarks == ()

    @pytest.mark.parametrize(
        ("column", "yes", "part", "count"),
        [
            ("is_valid", "True", "valid", 1),
            ("is_valid", "0", "train", 0),
            ("is_test", "1", "test", 1),
            ("is_training_image", "0", "test", 1),
        ],
    )
    def test_a_flag_tells_two_parts(self, column, yes, part, count, images):
        no = {"True": "False", "0": "1", "1": "0"}[yes]
        rows = f"images/0.png,a,{yes}\nimages/1.png,b,{no}\nimages/2.png,a,{yes}\n"
        dataset = load_dataset(csv_table(images, f"path,label,{column}\n{rows}"))
        wanted = ("images/0.png", "images/2.png") if count else ("images/1.png",)
        assert dataset.sample_ids == wanted
        assert dataset.split == (part if count else "valid")

    def test_a_part_has_the_classes_of_all_rows(self, images):
        text = "path,label,split\nimages/0.png,b,train\nimages/1.png,c,val\nimages/2.png,a,train\n"
        dataset = load_dataset(csv_table(images, text))
        assert (dataset.class_names, dataset.labels) == (("a", "b", "c"), (2,))
        numbers = text.replace(",b,", ",10,").replace(",c,", ",2,").replace(",a,", ",0,")
        dataset = load_dataset(csv_table(images, numbers))
        assert (dataset.class_names, dataset.labels) == (("0", "2", "10"), (1,))
        # A test part without labels says nothing of classes.
        dataset = load_dataset(csv_table(images, text.replace(",a,train", ",-1,test")))
        assert (dataset.class_names, dataset.labels) == (("c",), (0,))

    @pytest.mark.parametrize("other", ["unlabeled", "", "extra"])
    def test_rows_of_no_known_part_are_left_out(self, other, images):
        text = f"path,label,split\nimages/0.png,a,train\nimages/1.png,b,val\nimages/2.png,a,{other}\n"
        dataset = load_dataset(csv_table(images, text))
        assert (dataset.sample_ids, dataset.split) == (("images/1.png",), "val")
        if other:
            assert load_dataset(csv_table(images, text), split=other).sample_ids == ("images/2.png",)

    def test_a_fold_is_a_part_where_it_is_asked_for(self, images):
        text = "path,label,fold\nimages/0.png,a,0\nimages/1.png,b,1\nimages/2.png,a,1\n"
        assert len(load_dataset(csv_table(images, text))) == 3
        assert load_dataset(csv_table(images, text), split="1").sample_ids == ("images/1.png", "images/2.png")
        with pytest.raises(SplitError):
            load_dataset(csv_table(images, text), split="2")

    def test_a_flag_with_other_cells_is_no_part(self, images):
        text = "path,label,is_valid\nimages/0.png,a,7\nimages/1.png,b,0\n"
        assert len(load_dataset(csv_table(images, text))) == 2

    @pytest.mark.parametrize("name", ["list.csv.gz", "list.jsonl.gz"])
    def test_packed_tables(self, name, images):
        rows = '{"path": "images/1.png", "label": "a"}\n' if "json" in name else "path,label\nimages/1.png,a\n"
        (images / name).write_bytes(gzip.compress(rows.encode()))
        dataset = load_dataset(str(images / name))
        assert (dataset.sample_ids, dataset.class_names) == (("images/1.png",), ("a",))
        (images / name).write_bytes(gzip.compress(rows.encode())[:-4])
        assert "packed with gzip" in failure(str(images / name))

    @pytest.mark.parametrize("suffix", [".feather", ".arrow"])
    @pytest.mark.parametrize("stream", [True, False])
    @pytest.mark.parametrize("prefix", ["", "hf:", "table:"])
    def test_arrow_files_of_paths(self, suffix, stream, prefix, images):
        rows = pa.table({"file_name": ["images/1.png", "images/0.png"], "label": ["b", "a"]})
        path = images / f"list{suffix}"
        write = pa.ipc.new_stream if stream else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, write(sink, rows.schema) as writer:
            writer.write_table(rows, 1)
        dataset = load_dataset(f"{prefix}{path}")
        assert (dataset.class_names, dataset.labels) == (("a", "b"), (0, 1))
        assert dataset[1].image.getpixel((0, 0)) == (1, 0, 0)

    def test_folders_of_paths_alone_are_classes(self, images):
        text = "path\ncats/0.png\ncats/1.png\ndogs\\2.png\n"
        found = read_rows(Path(csv_table(images, text)))
        assert (found.labels.names, found.labels.indices) == (("cats", "dogs"), (0, 0, 1))
        assert "folders of the images" in found.remarks[0]

    @pytest.mark.parametrize("text", ["path\n0.png\n1.png\n", "path\na/0.png\na/1.png\n", "path\na/0.png\nb/1.png\n"])
    def test_folders_that_are_no_classes(self, text, images):
        assert "names the classes" in failure(csv_table(images, text))

    def test_spellings_of_one_class_are_said(self, images):
        said = read_rows(Path(csv_table(images, "path,label\na,Red Fox\nb,red_fox\nc,owl\n"))).remarks
        assert said == ("Classes that differ in case or blanks alone were counted apart: 'Red Fox' and 'red_fox'.",)
        assert not read_rows(Path(csv_table(images, "path,label\na,B\nb,b\n"))).remarks

    def test_binary_labels_are_no_one_hot_column(self, images):
        assert load_dataset(csv_table(images, "images/0.png,0\nimages/1.png,1\n")).labels == (0, 1)


class TestTableErrors:
    @pytest.mark.parametrize("text", ["", "path,label\n", "\n\n"])
    def test_empty(self, text, images):
        said = failure(csv_table(images, text))
        assert "no rows" in said or "an empty file" in said

    @pytest.mark.parametrize("header", ["a,b,c", "path,b,c", "a,label,c"])
    def test_missing_columns_are_told_apart_from_the_found(self, header, images):
        text = failure(csv_table(images, f"{header}\nx,y,z"))
        assert "a column of images and one of classes" in text
        assert f"its columns: {header.replace(',', ', ')}" in text

    @pytest.mark.parametrize(("encoding", "name"), [("utf-16-le", "UTF-16"), ("cp1252", "probably Windows-1252")])
    def test_other_encodings_are_named(self, encoding, name, images):
        (images / "other.csv").write_bytes("path,label\nä.png,b\n".encode(encoding))
        assert name in failure(str(images / "other.csv"))

    def test_blanks_after_commas_belong_to_the_commas(self, images):
        dataset = load_dataset(csv_table(images, "path, label\nimages/0.png, cat\n"))
        assert (dataset.sample_ids, dataset.class_names) == (("images/0.png",), ("cat",))

    def test_an_empty_cell_beside_numbers_is_what_is_wrong(self, images):
        assert "None in row 2" in failure(parquet_table(images, path=["a", "b"], label=[1, None]))

    def test_missing_columns_of_parquet(self, images):
        assert "its columns: width, label" in failure(parquet_table(images, width=["a"], label=["b"]))

    @pytest.mark.parametrize("other", ["a.png", "./a.png"])
    def test_the_first_duplicate_is_named(self, other, images):
        assert "'a.png' more than once" in failure(csv_table(images, f"path,label\na.png,x\nb,x\n{other},y\nb,x\n"))

    @pytest.mark.parametrize("label", ["", " ", "-1", "0.5", "1.0", ".5", "-2.5"])
    def test_bad_labels_of_csv(self, label, images):
        text = failure(csv_table(images, f"path,label\na.png,x\nb.png,{label}\n"))
        assert "in row 2" in text
        assert "a name or an integer from 0" in text

    @pytest.mark.parametrize("labels", [[1.0, 2.5], [0, -1], ["a", None]])
    def test_bad_labels_of_parquet(self, labels, images):
        assert "a name or an integer from 0" in failure(parquet_table(images, path=["a", "b"], label=labels))

    def test_lists_of_one_label_are_labels_and_longer_ones_are_not(self, images):
        assert names(parquet_table(images, path=["a", "b"], label=[[1], [2]])) == ("1", "2")
        text = failure(parquet_table(images, path=["a", "b"], label=[[1], [1, 2]]))
        assert "2 of them in row 2 (a multi-label dataset)" in text

    def test_bytes_of_text_are_text(self, images):
        assert names(parquet_table(images, path=["a", "b"], label=[b"x", b"y"])) == ("x", "y")

    @pytest.mark.parametrize("paths", [["a", None], ["a", " "], [1.5, 2.5]])
    def test_bad_paths(self, paths, images):
        assert "the path of an image" in failure(parquet_table(images, path=paths, label=["x", "y"]))

    def test_ragged_rows(self, images):
        assert "3 cells in line 3" in failure(csv_table(images, "path,label\na,b\na,b,c\n"))

    def test_unknown_suffix(self, images):
        assert ".jsonl or .parquet file" in failure(csv_table(images, "path,label\na,b\n", "list.docx"))

    def test_no_utf8(self, images):
        (images / "latin.csv").write_bytes("path,label\nä,b\n".encode("latin-1"))
        assert "UTF-8" in failure(str(images / "latin.csv"))

    def test_missing_behind_a_prefix(self, images):
        assert "No such file" in failure(f"table:{images}/gone.csv")
        assert "gone.parquet" in failure(f"table:{images}/gone.parquet")

    @pytest.mark.parametrize("suffix", ["csv", "parquet"])
    @settings(max_examples=40)
    @given(data=st.binary(max_size=60))
    def test_any_bytes_give_one_sentence(self, suffix, data, tmp_path_factory):
        path = tmp_path_factory.mktemp("bytes") / f"x.{suffix}"
        path.write_bytes(data)
        failure(str(path))

    @settings(max_examples=60)
    @given(position=st.integers(0, 10_000), value=st.integers(1, 255))
    def test_a_damaged_parquet_never_escapes(self, position, value, tmp_path_factory):
        folder = tmp_path_factory.mktemp("damaged")
        spec = parquet_table(folder, path=["a", "b"], label=["x", "y"])
        data = bytearray((folder / "list.parquet").read_bytes())
        data[position % len(data)] ^= value
        (folder / "list.parquet").write_bytes(data)
        try:
            load_dataset(spec)
        except DatasetError as error:
            assert "\n" not in str(error)  # noqa: PT017 (some damage is harmless)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_excels_unicode_text_is_read(encoding, images):
    text = "path\tlabel\r\nimages/2.png\tM\u00fcnze\r\nimages/0.png\tcat\r\n"
    path = images / "list.txt"
    path.write_bytes(("\ufeff" if encoding.endswith("be") else "").encode(encoding) + text.encode(encoding))
    dataset = load_dataset(str(path))
    assert (dataset.class_names, dataset.labels) == (("M\u00fcnze", "cat"), (1, 0))
    assert dataset.spec == str(path)
    assert dataset[0].image.getpixel((0, 0)) == (0, 0, 0)
    path.write_bytes(path.read_bytes()[:-1])
    assert "UTF-16 text, as its first bytes say" in failure(str(path))
