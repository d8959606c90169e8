"""Names of outputs, their match with a dataset's classes, and the warning about their order."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models import ResNet18_Weights

from cuesense.datasets.classes import display_names, match_classes, order_warning, read_class_names
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

    def test_an_ambiguous_class_names_its_rivals(self):
        text = failure(match_classes, ["missile"], ClassNames(("rocket, missile", "projectile, missile", "cat")))
        assert "1 of 1 without one: 'missile' ('missile' may be 'rocket, missile' and 'projectile, missile')" in text

    @pytest.mark.parametrize("classes", [["cat", "CAT"], ["0", "00"], ["cat", "cat"]])
    def test_two_classes_on_one_output(self, classes):
        text = failure(match_classes, classes, PETS)
        assert f"'{classes[0]}' and '{classes[1]}' both at" in text

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
            ("names.csv", 'name, index\n"tench, Tinca tinca",0\nGolden Retriever,1\ncat,2\n'),
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
            ("a.txt", "cat\n\ndog\n", "an empty name for output 1"),
            ("a.txt", "\ncat\n", "an empty name for output 0"),
            ("a.json", "[1, 2]", "something else than a list of names"),
            ("a.json", '"cat"', "something else than a list of names"),
            ("a.json", "{", "Expecting"),
            ("a.json", '{"0": "a", "2": "b"}', "indices that are not 0, 1, 2, ..."),
            ("a.json", '{"cat": 0}', "cat"),
            ("a.csv", "cat\ndog\n", "the columns cat"),
            ("a.csv", "name\ncat\n", "the columns name"),
            ("a.csv", "", "the columns none"),
            ("a.csv", "index,name\n1,a\n2,b\n", "indices that are not"),
            ("a.csv", "index,name\n0,a\n0,b\n", "indices that are not"),
            ("a.csv", "index,name\nx,a\n", "'x'"),
            ("a.csv", "index,name\n0\n", "no name"),
            ("a.csv", "synset,name\nn1,a\nn2,b,c\nn3\n", "an empty name for output 2"),
        ],
    )
    def test_other_files_say_why(self, name, text, problem, tmp_path):
        assert problem in failure(read_class_names, names_file(tmp_path, text, name))

    def test_missing(self, tmp_path):
        assert "No such file" in failure(read_class_names, str(tmp_path / "gone.txt"))
        assert "directory" in failure(read_class_names, str(tmp_path))

    @pytest.mark.parametrize("suffix", ["txt", "csv", "json"])
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


def confusion_of(order, per_class=20, right=18, outputs=None):
    """Return a table where class i is predicted ``right`` times as output order[i], and else as output 0."""
    table = np.zeros((len(order), outputs or len(order)), dtype=np.int64)
    for row, column in enumerate(order):
        table[row, column] += right
        table[row, 0] += per_class - right
    return table


class TestOrder:
    def test_string_sorting_is_seen(self):
        numbers = list(range(30))
        as_strings = sorted(numbers, key=str)
        text = order_warning(confusion_of(as_strings), tuple(numbers))
        assert "class 2 by output 10 instead of 2, class 3 by output 11 instead of 3" in text
        assert "1, 10, 100, 2" in text
        clean, better = map(float, re.findall(r"([0-9.]+)%", text))
        assert clean < 15
        assert better >= 90

    def test_outputs_are_named_as_the_model_counts_them(self):
        table = confusion_of([7, 5, 9], outputs=12)
        assert "class 0 by output 7 instead of 5, class 1 by output 5" in order_warning(table, (5, 7, 9))

    def test_two_swapped_classes_of_two(self):
        text = order_warning(np.array([[2, 18], [19, 1]]), (0, 1))
        assert "Clean accuracy is 7.5%, but would be 92.5%" in text
        assert "class 0 by output 1 instead of 0, class 1 by output 0 instead of 1" in text

    def test_one_constant_prediction_is_no_other_order(self):
        assert order_warning(np.array([[2, 6, 2], [0, 40, 0], [0, 2, 4]])[[1, 0, 2]], (0, 1, 2)) is None

    def test_at_most_three_pairs(self):
        order = np.roll(np.arange(10), 1)
        assert order_warning(confusion_of(order), tuple(range(10))).count("instead of") == 3

    def test_classes_without_images_are_not_called_swapped(self):
        table = confusion_of(np.roll(np.arange(10), 1))
        table[0] = 0
        assert "class 0 by" not in order_warning(table, tuple(range(10)))

    @pytest.mark.parametrize("right", [20, 15, 3])
    def test_the_right_order_is_silent(self, right):
        assert order_warning(confusion_of(range(10), right=right), tuple(range(10))) is None

    def test_a_constant_prediction_is_silent(self):
        assert order_warning(confusion_of([0] * 10), tuple(range(10))) is None

    def test_predictions_outside_the_classes_are_silent(self):
        assert order_warning(confusion_of([10] * 5, outputs=11), tuple(range(5))) is None

    def test_nothing_measured_is_silent(self):
        assert order_warning(np.zeros((3, 3), dtype=np.int64), (0, 1, 2)) is None

    def test_a_few_swapped_classes_of_a_good_model_are_silent(self):
        order = [1, 0, *range(2, 10)]
        assert order_warning(confusion_of(order), tuple(range(10))) is None

    @pytest.mark.parametrize(("classes", "per_class"), [(2, 15), (3, 10), (5, 6), (20, 5), (100, 5)])
    def test_guessing_is_silent(self, classes, per_class):
        rng = np.random.default_rng(classes)
        warned = 0
        for _ in range(100):
            table = rng.multinomial(per_class, np.full(classes, 1 / classes), size=classes)
            warned += order_warning(table, tuple(range(classes))) is not None
        assert warned <= 1

    def test_few_images_prove_nothing(self):
        order = np.roll(np.arange(10), 1)
        assert order_warning(confusion_of(order, per_class=4, right=4), tuple(range(10))) is None
        assert order_warning(confusion_of(order, per_class=5, right=5), tuple(range(10))) is not None

    @pytest.mark.parametrize(("right", "warned"), [(6, True), (7, False)])
    def test_accuracy_must_be_within_15_points_of_chance(self, right, warned):
        """Two of ten classes are right; the others are each other's, but for some images of each hundred."""
        table = np.diag([100, 100] + [right] * 8)
        table[2:, 2:] += np.roll(np.eye(8, dtype=int), 1, axis=1) * (100 - right)
        assert (order_warning(table, tuple(range(10))) is not None) == warned

    @pytest.mark.parametrize(("elsewhere", "warned"), [(2, True), (3, False)])
    def test_another_order_must_explain_half_of_the_images_more(self, elsewhere, warned):
        table = np.eye(10, 11, dtype=int) * 24
        table[:, 10] = elsewhere
        table[np.arange(10), (np.arange(10) + 1) % 10] = 76 - elsewhere
        assert (order_warning(table, tuple(range(10))) is not None) == warned

    @pytest.mark.parametrize(("right", "warned"), [(4, True), (6, False)])
    def test_another_order_must_explain_15_points_more_than_the_largest_class(self, right, warned):
        table = np.array([[right, 80 - right], [20, 0]])
        assert (order_warning(table, (0, 1)) is not None) == warned

    @pytest.mark.parametrize(("images", "warned"), [(9, False), (10, True)])
    def test_thirty_images_at_least(self, images, warned):
        table = np.roll(np.eye(3, dtype=int), 1, axis=1) * images
        assert (order_warning(table, (0, 1, 2)) is not None) == warned
