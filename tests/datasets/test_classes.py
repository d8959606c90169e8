"""Names of outputs, and their match with a dataset's classes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models import ResNet18_Weights

from cuesense.datasets.classes import counted_from_1, display_names, match_classes, read_class_names
from cuesense.errors import DatasetError
from cuesense.imagenet_names import imagenet_lemmas
from cuesense.types import ClassNames

IMAGENET = read_class_names("imagenet")
CATEGORIES = ResNet18_Weights.DEFAULT.meta["categories"]
PETS = ClassNames(("tench, Tinca tinca", "Golden Retriever", "school_bus", "cat"))


def names_file(folder, text, name="names.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def failure(function, *arguments):
    with pytest.raises(DatasetError) as caught:
        function(*arguments)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


class TestImageNet:
    def test_synsets_match_in_any_order(self):
        order = np.random.default_rng(0).permutation(1000).tolist()
        assert match_classes([IMAGENET.synsets[index] for index in order], IMAGENET) == tuple(order)

    def test_own_names_match(self):
        assert match_classes(IMAGENET.names, IMAGENET) == tuple(range(1000))

    def test_torchvisions_names_match_but_for_the_ambiguous(self):
        doubtful = {"crane", "Cardigan", "cardigan"}
        clear = [index for index, name in enumerate(CATEGORIES) if name not in doubtful]
        assert match_classes([CATEGORIES[index] for index in clear], IMAGENET) == tuple(clear)
        assert "'crane bird' and 'construction crane'" in failure(match_classes, ["crane"], IMAGENET)
        assert "both at 'cardigan'" in failure(match_classes, ["Cardigan", "cardigan"], IMAGENET)

    def test_wordnets_lists_match_but_for_the_cranes(self):
        listed = [imagenet_lemmas()[synset] for synset in IMAGENET.synsets]
        clear = [index for index, text in enumerate(listed) if text != "crane"]
        assert match_classes([listed[index] for index in clear], IMAGENET) == tuple(clear)

    def test_folders_of_tiny_imagenet(self):
        folders = ["brain_coral", "ladybug", "rocking_chair", "school_bus", "spider_web", "thatch", "CD player"]
        assert match_classes(folders, IMAGENET) == (109, 301, 765, 779, 815, 853, 485)

    def test_a_synset_with_a_name_behind_it(self):
        assert match_classes(["n02085620-Chihuahua", "n02085782_spaniel"], IMAGENET) == (151, 152)

    def test_an_unknown_synset_is_no_class(self):
        assert "'n00000001'" in failure(match_classes, ["n00000001"], IMAGENET)

    def test_display_names(self):
        classes = ["n01440764", "school_bus", "n02085620-Chihuahua"]
        shown = display_names(classes, IMAGENET, match_classes(classes, IMAGENET))
        assert shown == ("tench", "school_bus", "Chihuahua")


class TestMatch:
    @pytest.mark.parametrize(
        ("name", "output"),
        [
            ("tench, Tinca tinca", 0),
            ("tench", 0),
            ("TENCH", 0),
            ("Tinca tinca", 0),
            ("tench, something else", 0),
            ("golden_retriever", 1),
            ("golden-retriever", 1),
            ("Golden  Retriever.", 1),
            ("School Bus", 2),
            ("cat", 3),
        ],
    )
    def test_by_name(self, name, output):
        assert match_classes([name], PETS) == (output,)

    @pytest.mark.parametrize("form", ["{:03d}.{}", "{}_{}", "{:02d} - {}", "{:03d}-{}"])
    def test_numbers_before_names_are_ignored_where_nothing_else_fits(self, form):
        classes = [form.format(index, name) for index, name in enumerate(("golden_retriever", "cat", "tench"), 1)]
        assert match_classes(classes, PETS) == (1, 3, 0)
        numbered = ClassNames(tuple(form.format(index, name) for index, name in enumerate(("dog", "cat"), 1)))
        assert match_classes(["cat", "dog"], numbered) == (1, 0)

    def test_a_number_decides_before_it_is_ignored(self):
        outputs = ClassNames(("7 up", "up", "2 up"))
        assert match_classes(["up", "2_up", "7_up"], outputs) == (1, 2, 0)
        assert "'3_up' may be" in failure(match_classes, ["3_up"], ClassNames(("7 up", "2 up")))

    def test_composed_and_decomposed_letters_are_one(self):
        assert match_classes(["a\u0308rger"], ClassNames(("x", "\u00e4rger"))) == (1,)

    def test_the_strictest_rule_wins(self):
        outputs = ClassNames(("Cardigan", "cardigan", "harmonica, harp", "harp", "C++", "C"))
        assert match_classes(["cardigan", "harp", "C", "Cardigan", "C++"], outputs) == (1, 3, 5, 0, 4)

    def test_by_index(self):
        assert match_classes(["3", "0", "2"], PETS) == (3, 0, 2)

    def test_numbers_that_are_names_are_names(self):
        assert match_classes(["1", "10", "2"], ClassNames(("10", "2", "1"))) == (2, 0, 1)
        assert match_classes(["0", "1", "2"], ClassNames(("2", "0", "1"))) == (1, 2, 0)

    @pytest.mark.parametrize("classes", [["0", "cat"], ["0", "4"], ["-1", "0"], ["0", "x"], ["²"]])
    def test_indices_are_all_or_none(self, classes):
        failure(match_classes, classes, PETS)

    @settings(max_examples=50)
    @given(
        names=st.lists(st.text("abcXY_- 1", min_size=1), min_size=1, max_size=12, unique=True),
        data=st.data(),
    )
    def test_a_models_own_names_are_found_in_any_order(self, names, data):
        order = data.draw(st.permutations(range(len(names))))
        assert match_classes([names[index] for index in order], ClassNames(tuple(names))) == tuple(order)

    def test_unmatched_classes_are_counted_and_the_nearest_is_named(self):
        text = failure(match_classes, ["cat", "golden retreiver", "x", "y", "z"], PETS)
        assert "4 of 5 without one: 'golden retreiver', 'x', 'y', ..." in text
        assert "the nearest output to 'golden retreiver' is 'Golden Retriever'" in text

    def test_where_no_output_has_a_similar_name_some_of_them_are_named(self):
        text = failure(match_classes, ["zucchini", "4711"], PETS)
        assert "nearest" not in text
        assert "(the 4 outputs are called 'tench, Tinca tinca', 'Golden Retriever', 'school_bus', ...)" in text

    @pytest.mark.parametrize("count", [1, 4, 1000])
    @pytest.mark.parametrize("width", [1, 4])
    def test_numbers_from_1_to_the_number_of_outputs_count_them_from_1(self, count, width):
        classes = sorted(f"{number:0{width}d}" for number in range(1, count + 1))
        outputs = ClassNames(tuple(f"name {index}" for index in range(count)))
        assert match_classes(classes, outputs) == tuple(int(name) - 1 for name in classes)
        assert counted_from_1(classes, outputs)
        assert display_names(classes, outputs, match_classes(classes, outputs)) == tuple(
            f"name {int(name) - 1}" for name in classes
        )

    def test_other_classes_are_not_counted_from_1(self):
        # Counted from 0, fewer than the outputs, names, or numbers that are names.
        for classes in (["0", "1", "2", "3"], ["1", "2", "3"], ["tench", "1"], ["1", "2", "3", "x"]):
            assert not counted_from_1(classes, PETS)
        assert match_classes(["1", "2", "3"], PETS) == (1, 2, 3)
        assert not counted_from_1(["1", "2"], ClassNames(("2", "1")))
        assert not counted_from_1(["1", "2"], ClassNames(("2", "x")))

    @pytest.mark.parametrize("classes", [["0", "4"], ["1", "7"], ["2", "3", "4"]])
    def test_other_numbers_beyond_the_outputs_are_refused(self, classes):
        text = failure(match_classes, classes, PETS)
        assert f"'{classes[-1]}' with 4 outputs (indices 0 to 3)" in text

    def test_long_numbers_are_names(self):
        assert "1 of 1 without one" in failure(match_classes, ["9" * 5000], PETS)

    def test_two_unicode_forms_of_one_name_are_refused_as_two_classes(self):
        assert "'cat' 2 times." in failure(match_classes, ["cat", "cat"], PETS)
        text = failure(match_classes, ["caf\u00e9", "cafe\u0301", "x"], ClassNames(("caf\u00e9", "cafe\u0301", "x")))
        assert "'caf\u00e9' 2 times (in different Unicode forms)" in text

    def test_case_decides_between_names_where_unicode_forms_differ(self):
        outputs = ClassNames(("\u00c4rger", "\u00e4rger"))
        assert match_classes(["a\u0308rger", "A\u0308rger"], outputs) == (1, 0)

    def test_punctuation_decides_before_it_is_ignored(self):
        assert match_classes(["c+", "C"], ClassNames(("c", "C+"))) == (1, 0)

    def test_an_ambiguous_class_names_its_rivals(self):
        text = failure(match_classes, ["missile"], ClassNames(("rocket, missile", "projectile, missile", "cat")))
        assert "1 of 1 without one: 'missile' ('missile' may be 'rocket, missile' and 'projectile, missile')" in text

    @pytest.mark.parametrize("classes", [["cat", "CAT"], ["0", "00"]])
    def test_two_classes_on_one_output(self, classes):
        text = failure(match_classes, classes, PETS)
        assert f"'{classes[0]}' and '{classes[1]}' both at" in text

    def test_what_is_displayed_is_composed(self):
        assert display_names(["a\u0308rger"], ClassNames(("x",)), (0,)) == ("\u00e4rger",)

    def test_display_leaves_other_names(self):
        assert display_names(["golden_retriever", "3x"], PETS, (1, 3)) == ("golden_retriever", "3x")


class TestRead:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("names.txt", "tench, Tinca tinca\nGolden Retriever\n cat \n\n"),
            ("names", "\ufefftench, Tinca tinca\r\nGolden Retriever\r\ncat"),
            ("names.json", '["tench, Tinca tinca", "Golden Retriever", "cat"]'),
            ("names.JSON", '{"2": "cat", "0": "tench, Tinca tinca", "1": "Golden Retriever"}'),
            ("names.csv", 'index,name\n2,cat\n0,"tench, Tinca tinca"\n1,Golden Retriever\n'),
            ("class_to_idx.json", '{"cat": 2, "tench, Tinca tinca": 0, "Golden Retriever": 1}'),
            ("config.json", '{"x": 1, "id2label": {"0": "tench, Tinca tinca", "1": "Golden Retriever", "2": "cat"}}'),
            ("config.json", '{"label2id": {"tench, Tinca tinca": 0, "Golden Retriever": 1, "cat": 2}}'),
            ("names.txt", "0 tench, Tinca tinca\n1 Golden Retriever\n2 cat\n"),
            ("names.txt", "0: tench, Tinca tinca\n1: Golden Retriever\n2: cat\n"),
            ("names.csv", 'name, index\n"tench, Tinca tinca",0\nGolden Retriever,1\ncat,2\n'),
            ("names.csv", 'index,name\n1,"tench, Tinca tinca"\n2,Golden Retriever\n3,cat\n'),
            ("names.csv", 'name\n"tench, Tinca tinca"\nGolden Retriever\ncat\n'),
            ("names.csv", '"tench, Tinca tinca"\nGolden Retriever\ncat\n'),
            ("names.csv", "tench, Tinca tinca\nGolden Retriever\ncat\n"),
            ("names.csv", "class_name\ntench, Tinca tinca\nGolden Retriever\ncat\n"),
            ("names.csv", '2,cat\n0,"tench, Tinca tinca"\n1,Golden Retriever\n'),
            ("names.csv", 'cat,2\r\n"tench, Tinca tinca",0\r\nGolden Retriever,1\r\n'),
            ("names.csv", 'nr;species\n2;cat\n0;"tench, Tinca tinca"\n1;Golden Retriever\n'),
            ("names.csv", 'Nummer;Art\n2;cat\n0;"tench, Tinca tinca"\n1;Golden Retriever\n'),
            ("names.csv", 'label,class\n2,cat\n0,"tench, Tinca tinca"\n1,Golden Retriever\n'),
            ("names.tsv", "id\tname\n0\ttench, Tinca tinca\n1\tGolden Retriever\n2\tcat\n"),
            ("names.txt", "tench, Tinca tinca 0\nGolden Retriever 1\ncat 2\n"),
            ("names.txt", "tench, Tinca tinca: 0\nGolden Retriever: 1\ncat: 2\n"),
            ("names.txt", "cat\t2\ntench, Tinca tinca\t0\nGolden Retriever\t1\n"),
            ("names.txt", "2,cat\n0,tench, Tinca tinca\n1,Golden Retriever\n"),
            ("names.txt", "1. tench, Tinca tinca\n2. Golden Retriever\n3. cat\n"),
            ("names.txt", "[0] tench, Tinca tinca\n[1] Golden Retriever\n[2] cat\n"),
            ("names.txt", "# the classes\ntench, Tinca tinca\nGolden Retriever\n# a pet\ncat\n"),
            ("names.txt", '"tench, Tinca tinca", Golden Retriever, cat\n'),
            ("names.txt", '"tench, Tinca tinca",\n"Golden Retriever",\n"cat"\n'),
            ("names.txt", "'tench, Tinca tinca'\n'Golden Retriever'\n'cat'\n"),
            ("names.txt", "{0: 'tench, Tinca tinca',\n 1: 'Golden Retriever',\n 2: 'cat'}"),
            ("names.txt", "['tench, Tinca tinca', 'Golden Retriever', 'cat']"),
            ("names.py", "{'cat': 2, 'tench, Tinca tinca': 0, 'Golden Retriever': 1}"),
            ("names.txt", '["tench, Tinca tinca", "Golden Retriever", "cat"]'),
            ("data.yaml", "path: x\nnc: 3\nnames: ['tench, Tinca tinca', Golden Retriever, cat]\n"),
            ("data.yml", "names:\n  0: tench, Tinca tinca\n  1: Golden Retriever\n  2: cat\n"),
            ("names.yaml", '"tench, Tinca tinca": 0\nGolden Retriever: 1\ncat: 2\n'),
            ("names.jsonl", '{"name": "tench, Tinca tinca"}\n{"name": "Golden Retriever"}\n{"name": "cat"}\n'),
            ("names.json", '[["tench, Tinca tinca"], ["Golden Retriever"], ["cat"]]'),
            ("names.txt", "0;tench, Tinca tinca\n1;Golden Retriever\n2;cat\n"),
            ("names.txt", "tench, Tinca tinca;Golden Retriever; cat;\n"),
            ("config.json", '{"label_names": ["tench, Tinca tinca", "Golden Retriever", "cat"], "num_classes": 3}'),
            (
                "map.pbtxt",
                "item {\n  id: 2\n  name: 'n1'\n  display_name: \"Golden Retriever\"\n}\n"
                "item {\n  name: 'tench, Tinca tinca'\n  id: 1\n}\nitem { id: 3 name: 'cat' }\n",
            ),
            ("names.csv", ',name\n0,"tench, Tinca tinca"\n1,Golden Retriever\n2,cat\n'),
            ("names.yaml", "- tench, Tinca tinca\n- Golden Retriever\n- cat\n"),
            ("idx.json", '{"idx_to_class": {"1": "Golden Retriever", "0": "tench, Tinca tinca", "2": "cat"}}'),
            ("idx.json", '{"cat": "2", "tench, Tinca tinca": "0", "Golden Retriever": "1"}'),
            ("flowers.json", '{"1": "tench, Tinca tinca", "2": "Golden Retriever", "3": "cat"}'),
            (
                "coco.json",
                '{"categories": [{"id": 2, "name": "Golden Retriever"}, {"id": 1, "name": "tench, Tinca tinca"}, '
                '{"id": 3, "name": "cat"}]}',
            ),
        ],
    )
    def test_every_form_keeps_the_outputs_order(self, name, text, tmp_path):
        wanted = ClassNames(("tench, Tinca tinca", "Golden Retriever", "cat"))
        assert read_class_names(names_file(tmp_path, text, name)) == wanted

    def test_names_that_were_escaped_in_a_csv_come_back(self, tmp_path):
        assert read_class_names(names_file(tmp_path, "index,name\n0,'=1+1\n1,'tis\n", "names.csv")).names == (
            "=1+1",
            "'tis",
        )

    def test_a_csv_of_synsets(self, tmp_path):
        spec = names_file(tmp_path, "synset,name\nn02123045,tabby\nn01440764,tench\n", "names.csv")
        outputs = read_class_names(spec)
        assert outputs == ClassNames(("tabby", "tench"), ("n02123045", "n01440764"))
        assert match_classes(["n01440764", "n02123045"], outputs) == (1, 0)
        assert match_classes(["Tinca tinca"], outputs) == (1,)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("index.json", '{"1": ["n02123045", "tabby"], "0": ["n01440764", "tench"]}'),
            ("synsets.txt", "n01440764 tench\nn02123045 tabby\n"),
            ("synsets.txt", "n02123045 2 tabby\nn01440764 1 tench\n"),
            ("synsets.json", '{"n01440764": "tench", "n02123045": "tabby"}'),
            ("synsets.json", '{"n02123045": ["1", "tabby"], "n01440764": ["0", "tench"]}'),
            ("synsets.csv", "1,n02123045,tabby\n0,n01440764,tench\n"),
        ],
    )
    def test_synsets_before_names(self, name, text, tmp_path):
        found = read_class_names(names_file(tmp_path, text, name))
        assert found == ClassNames(("tench", "tabby"), ("n01440764", "n02123045"))

    def test_words_of_yaml_stay_names(self, tmp_path):
        assert read_class_names(names_file(tmp_path, "names: [no, on, 1, null]\n", "a.yaml")).names == (
            "no",
            "on",
            "1",
            "null",
        )

    def test_synsets_alone_are_names_and_synsets(self, tmp_path):
        found = read_class_names(names_file(tmp_path, "n01440764\nn02123045\n"))
        assert found == ClassNames(("n01440764", "n02123045"), ("n01440764", "n02123045"))
        assert match_classes(["n02123045-tabby"], found) == (1,)

    @pytest.mark.parametrize(
        "text",
        [
            "0 cat\ndog\n",
            "n01440764 tench\ncat\n",
            "class 0\nclass 1\nclass 2\n",
            "0 degrees\n90 degrees\n180 degrees\n",
            "5 cents\n10 euros\n20 pounds\n",
            "boeing 707\nboeing 727\nairbus 300\n",
            "0\n1\n2\n",
            "3.5 mm\n6.3 cm\n",
        ],
    )
    def test_lines_that_are_not_all_behind_their_index_are_names(self, text, tmp_path):
        assert read_class_names(names_file(tmp_path, text)).names == tuple(text.splitlines())

    def test_a_file_of_windows_1252_says_so(self, tmp_path):
        for name in ("a.txt", "a.json", "a.csv"):
            (tmp_path / name).write_bytes('{"caf\u00e9": 0}\n'.encode("cp1252"))
            text = failure(read_class_names, str(tmp_path / name))
            assert "probably Windows-1252 or Latin-1 (the byte 0xE9 in line 1)" in text
            assert "Save it as UTF-8" in text
            (tmp_path / name).write_text("cat\ndog\n", encoding="utf-16")
            assert "UTF-16" in failure(read_class_names, str(tmp_path / name))

    def test_indices_of_json_are_numbers_not_strings(self, tmp_path):
        names = {str(index): f"name {index}" for index in range(12)}
        spec = names_file(tmp_path, json.dumps(names, sort_keys=True), "names.json")
        assert read_class_names(spec).names == tuple(names.values())

    @pytest.mark.parametrize(
        ("name", "text", "problem"),
        [
            ("a.txt", "", "no name"),
            ("a.txt", " \n\n", "no name"),
            ("a.json", "", "no name"),
            ("a.json", "[]", "no name"),
            ("a.csv", "index,name\n", "no name"),
            ("a.txt", "cat\ndog\ncat\n", "'cat' 2 times"),
            ("a.json", '["x", "x", "x"]', "'x' 3 times"),
            ("a.txt", "caf\u00e9\ncafe\u0301\n", "'caf\u00e9' 2 times"),
            ("a.txt", "cat\n\ndog\n", "an empty name for output 1"),
            ("a.txt", "\ncat\n", "an empty name for output 0"),
            ("a.json", "[1, 2]", "something else than a list of names"),
            ("a.json", '"cat"', "something else than a list of names"),
            ("a.json", "{", "Expecting"),
            ("a.json", '{"0": "a", "2": "b"}', "indices that are not 0, 1, 2, ..."),
            ("a.json", '{"cat": 1}', "indices that are not 0, 1, 2, ..."),
            ("a.json", '{"1": 0, "0": 1}', "an object of numbers alone"),
            ("a.json", '{"cat": "dog"}', "neither from index to name nor from name to index"),
            ("a.json", '{"0": ["n1", "a", "b"]}', "something else than a list of names"),
            ("a.txt", "0 cat\n2 dog\n3 cow\n", "indices that are not 0, 1, 2, ...: 1 missing"),
            ("a.txt", "0 cat\n1 dog\n1 cow\n", "indices that are not 0, 1, 2, ...: 1 twice"),
            ("a.txt", "cat 0\ndog 2\ncow 3\n", "indices that are not 0, 1, 2, ...: 1 missing"),
            ("a.txt", "{'a': open('x')}", "malformed node"),
            ("a.txt", "{'a': }", "line 1"),
            ("a.yaml", "names: [a, b", "expected ',' or ']'"),
            ("a.yaml", "!!python/object/apply:os.getcwd {}", "no name"),
            ("a.json", '{"names": [1, 2]}', "something else than a list of names"),
            ("a.json", '[{"title": "a"}]', "a list of objects without a name"),
            ("a.csv", "", "the columns none"),
            ("a.csv", "index,name\n0,a\n2,b\n", "indices that are not 0, 1, 2, ...: 1 missing"),
            ("a.csv", "index,name\n0,a\n0,b\n", "indices that are not 0, 1, 2, ...: 0 twice"),
            ("a.csv", "index,name\nx,a\n", "'x' in the column index"),
            ("a.csv", "name,index\na\n", "rows of different lengths"),
            ("a.csv", "id,label\n0,1\n1,0\n", "the columns id, label, none of which holds names"),
            ("a.json", "[" * 100_000, "recursion"),
            ("a.csv", "index,name\n0\n", "rows of different lengths"),
            ("a.csv", "index,name\n0,a\n1,\n", "an empty name for output 1"),
        ],
    )
    def test_other_files_say_why(self, name, text, problem, tmp_path):
        assert problem in failure(read_class_names, names_file(tmp_path, text, name))

    def test_missing(self, tmp_path):
        assert "No such file" in failure(read_class_names, str(tmp_path / "gone.txt"))
        assert "directory" in failure(read_class_names, str(tmp_path))

    @pytest.mark.parametrize("suffix", ["txt", "csv", "json", "yaml"])
    @settings(max_examples=60)
    @given(data=st.binary(max_size=60) | st.text('{}[]",:\nname01index', max_size=60).map(str.encode))
    def test_any_bytes_give_names_or_one_sentence(self, suffix, data, tmp_path_factory):
        path = tmp_path_factory.mktemp("names") / f"x.{suffix}"
        path.write_bytes(data)
        try:
            found = read_class_names(str(path))
        except DatasetError:
            return
        assert len(set(found.names)) == len(found.names) > 0
        assert all(found.names)
