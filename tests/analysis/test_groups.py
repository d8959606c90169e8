"""Groups: shares that include the doubtful classes, shrinkage, and the file that names them."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from cuesense.analysis.groups import group_cues, read_groups
from cuesense.errors import SettingsError
from cuesense.types import CueVerdict

LABELS = (CueVerdict.SHAPE, CueVerdict.TEXTURE, CueVerdict.COLOR)


def answer(columns, classes=None):
    likely = np.array(columns, dtype=float).T
    members = range(likely.shape[1]) if classes is None else classes
    return group_cues("group", members, LABELS, likely, 0.95, np.full(likely.shape[1], 0.9))


def test_sure_classes_give_their_own_share() -> None:
    found = answer([[1, 0, 0]] * 30 + [[0, 1, 0]] * 10)
    assert found.cue is CueVerdict.SHAPE
    shape = found.shares[CueVerdict.SHAPE]
    assert shape.value == pytest.approx(30.5 / 41.5, abs=0.02)
    assert shape.low < 0.75 < shape.high  # type: ignore[operator]
    assert sum(part.value for part in found.shares.values()) == pytest.approx(1)  # type: ignore[misc]


@pytest.mark.parametrize(("classes", "share"), [(1, 1.5 / 2.5), (2, 2.5 / 3.5)])
def test_every_verdict_has_a_prior_weight_of_one_half(classes: int, share: float) -> None:
    """Of sure classes the shares are a Dirichlet draw, whose mean is known."""
    found = answer([[1, 0, 0]] * classes).shares[CueVerdict.SHAPE]
    assert found.value == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(("classes", "cue"), [(33, CueVerdict.SHAPE), (26, CueVerdict.UNDETERMINED)])
def test_a_group_has_a_cue_where_that_of_most_of_its_classes_is_certain(classes: int, cue: CueVerdict) -> None:
    found = answer([[1, 0, 0]] * classes + [[0, 1, 0]] * (50 - classes))
    assert found.cue is cue
    assert (found.shares[CueVerdict.SHAPE].low > 0.5) == (cue is CueVerdict.SHAPE)  # type: ignore[operator]


def test_a_doubtful_class_is_shrunken_toward_its_group() -> None:
    found = answer([[0.98, 0.01, 0.01]] * 20 + [[0.6, 0.4, 0]])
    assert found.members[20] is CueVerdict.SHAPE
    alone = answer([[0.6, 0.4, 0]])
    assert alone.members == {0: CueVerdict.UNDETERMINED}
    assert alone.cue is CueVerdict.UNDETERMINED


def test_classes_that_say_nothing_give_wide_shares_and_no_label() -> None:
    found = answer([[1 / 3] * 3] * 12)
    assert found.cue is CueVerdict.UNDETERMINED
    assert found.shares[CueVerdict.SHAPE].low < 0.1  # type: ignore[operator]
    assert found.shares[CueVerdict.SHAPE].high > 0.8  # type: ignore[operator]


def test_only_the_named_classes_count_and_none_is_an_answer() -> None:
    found = answer([[1, 0, 0]] * 5 + [[0, 0, 1]] * 5, classes=[5, 6, 7, 8, 9])
    assert found.cue is CueVerdict.COLOR
    assert list(found.members) == [5, 6, 7, 8, 9]
    assert answer([[1, 0, 0]], classes=[]).shares == {}


def test_shares_cover_the_truth() -> None:
    """40 draws of 25 classes: the 95 % interval holds the true share in nearly all."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(40):
        kinds = rng.choice(3, size=25, p=[0.6, 0.3, 0.1])
        likely = (
            np.full((25, 3), 0.15) + 0.55 * np.eye(3)[[k if rng.random() < 0.7 else rng.integers(3) for k in kinds]]
        )
        likely /= likely.sum(axis=1, keepdims=True)
        share = answer(likely).shares[CueVerdict.SHAPE]
        covered += share.low <= 0.6 <= share.high  # type: ignore[operator]
    assert covered >= 36


def test_reads_groups_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("class,group\ncat,pets\ncar,vehicles\ndog,pets\ncat,pets\ndog,mammals\n")
    assert read_groups(path, ["dog", "cat", "car"]) == {"pets": [1, 0], "vehicles": [2], "mammals": [0]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("class,group\nowl,birds\n", "'owl'"),
        ("class,group\ndog\n", "line 2"),
        ("class,group\ndog,all classes\n", "other"),
        ("name,kind\na,b\n", "name, kind"),
        ("name,kind\na,b,c\n", "name, kind"),
        ("", "an empty file"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(content)
    with pytest.raises(SettingsError, match=said):
        read_groups(path, ["dog"])


def test_says_that_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_groups(tmp_path / "none.csv", ["dog"])


def sentence_of(path: Path) -> str:
    with pytest.raises(SettingsError) as error:
        read_groups(path, ["dog", "cat"])
    return error.value.for_command_line


@pytest.mark.parametrize(
    ("content", "to_be", "found", "do"),
    [
        ("class,group\ndog,a\ncat,  \n", "a name other than 'all classes'", "'' in line 3", "Give it another name"),
        ("class,group\ndog,all classes\n", "a name other than 'all classes'", "'all classes' in line 2", "Give it"),
        ("class,group\ndog\n", "a name other than 'all classes'", "'' in line 2", "Give it another name"),
        ("class,group\nDoge,a\n", "one of the dataset's classes", "'Doge'", "Correct it or remove the row."),
        ("class,group\n,a\n", "one of the dataset's classes", "''", "Correct it or remove the row."),
        (
            "class,kind\ndog,a\n",
            "one with the columns class, group",
            "no group (its columns: class, kind)",
            "Name the columns",
        ),
        ("class,group\n", "a table with the columns class and group", "no rows", "Write one row per class"),
    ],
)
def test_a_wrong_line_is_refused_with_what_is_found_there(
    tmp_path: Path, content: str, to_be: str, found: str, do: str
) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(content)
    sentence = sentence_of(path)
    assert f"--groups '{path}' to be {to_be}, but got {found}. {do}" in sentence
    assert sentence.startswith("Expected ")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes("class,group\ndog,Säugetiere\n".encode("latin-1"))
    sentence = sentence_of(path)
    assert sentence.startswith(
        f"Expected --groups '{path}' to be UTF-8 text, but got other text, probably Windows-1252"
    )
    assert "the byte 0xE4 in line 2" in sentence


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert sentence_of(tmp_path) == (f"Expected --groups '{tmp_path}' to be a file, but got a folder. Check the name.")


def test_spaces_quotes_more_columns_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text('\ufeffgroup,note,class\n" small pets ",x, cat \nsmall pets,,dog\n', encoding="utf-8")
    assert read_groups(path, ["dog", "cat"]) == {"small pets": [1, 0]}


def test_the_draws_are_the_same_every_time() -> None:
    doubtful = [[0.5, 0.3, 0.2]] * 4 + [[0.1, 0.1, 0.8]] * 3
    assert answer(doubtful) == answer(doubtful)


def test_sure_classes_keep_their_verdict_in_any_company() -> None:
    found = answer([[1, 0, 0]] * 30 + [[0, 1, 0]])
    assert found.members == dict.fromkeys(range(30), CueVerdict.SHAPE) | {30: CueVerdict.TEXTURE}
    assert found.classes == tuple(range(31))
    assert found.name == "group"


def test_a_group_without_classes_is_undetermined() -> None:
    found = answer([[1, 0, 0]], classes=[])
    assert (found.cue, found.classes, found.shares, found.members) == (CueVerdict.UNDETERMINED, (), {}, {})


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.99])
def test_intervals_hold_their_share_of_the_dirichlet_draws(confidence: float) -> None:
    """Of sure classes the shares are a Dirichlet draw: one share is a beta draw, whose quantiles are known."""
    likely = np.array([[1, 0, 0]] * 12 + [[0, 0, 1]] * 8, dtype=float).T
    found = group_cues("group", range(20), LABELS, likely, confidence, np.full(20, 0.9)).shares[CueVerdict.SHAPE]
    low, high = beta.ppf([(1 - confidence) / 2, (1 + confidence) / 2], 12.5, 9)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


@pytest.mark.parametrize(("certain", "cue"), [(0.55, CueVerdict.SHAPE), (0.95, CueVerdict.UNDETERMINED)])
def test_a_member_gets_its_verdict_from_the_given_probability_on(certain: float, cue: CueVerdict) -> None:
    likely = np.array([[0.7, 0.2, 0.1]] * 2, dtype=float).T
    # The other class needs another probability.
    found = group_cues("group", [1], LABELS, likely, 0.95, np.array([1.5 - certain, certain]))
    assert found.members == {1: cue}


def test_classes_are_found_in_another_unicode_form_and_case(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("class,group\ncaf\u00e9,w\u00e4rm\nLEMON,wa\u0308rm\n School_bus ,cold\n", encoding="utf-8")
    assert read_groups(path, ["cafe\u0301", "lemon", "school bus"]) == {"w\u00e4rm": [0, 1], "cold": [2]}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("LEMON,a", "'LEMON', which may be 'Lemon' or 'lemon'. Spell it exactly as one of them."),
        ("lemon,a\nLemon,A", "to be spelled in one way, but got 'a' and 'A' (line 3)."),
        ("lemon,All  Classes", "to be a name other than 'all classes', but got 'All  Classes' in line 2."),
    ],
)
def test_what_may_be_two_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(f"class,group\n{rows}\n")
    with pytest.raises(SettingsError, match=re.escape(said)):
        read_groups(path, ["Lemon", "lemon"])
