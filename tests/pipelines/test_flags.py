"""The flags of another program's command line are read, and misspelled ones do not pass in silence."""

from __future__ import annotations

from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.pipelines.flags import Flag, Script, meant_by, number, one_of, positive_range, probability, read_flags

FLAGS = {
    "scale": Flag("scale", positive_range, (0.08, 1.0)),
    "magnitude": Flag("magnitude", number(0, 30, whole=True), 9),
    "jitter": Flag("jitter", number(0), 0.4),
    "remode": Flag("mode", one_of("pixel", "const")),
    "reprob": Flag("erasing", probability, 0.0),
    "no-aug": Flag("off", None, False),
}
SCRIPT = Script(
    "timm's train.py", "--timm-args", FLAGS, {"mixup": "it mixes two images"}, frozenset({"lr", "epochs", "recover"})
)


def found(text: str) -> tuple[dict[str, Any], list[str]]:
    return read_flags(text, SCRIPT)


def test_flags_have_their_values_and_the_others_their_defaults() -> None:
    assert found("--scale .2 1 --remode=const --no_aug")[0] == {
        "scale": (0.2, 1.0),
        "magnitude": 9,
        "jitter": 0.4,
        "mode": "const",
        "erasing": 0.0,
        "off": True,
    }


def test_what_is_left_out_is_said() -> None:
    settings, remarks = found("train.py /data --lr 0.1 --reprob 0.2 --mixup 0.8 --epochs 90 --lr 1 --my-own 3")
    assert settings["erasing"] == 0.2
    assert remarks == [
        "--mixup of --timm-args is left out: it mixes two images.",
        "Of --timm-args, these say nothing of augmentation: --lr, --epochs.",
        "Unknown to timm's train.py, and left out: --my-own.",
    ]


def test_flags_of_one_letter_end_what_follows_the_flag_before() -> None:
    assert found("--scale .2 1 -b 128 --reprob .5 -j 4 5")[0]["scale"] == (0.2, 1.0)
    # A number below zero is no flag.
    with pytest.raises(SettingsError, match=r"but got '-0\.5 1'"):
        found("--scale -0.5 1")


@pytest.mark.parametrize("value", ["0", "1", "0.25"])
def test_probabilities_from_0_to_1_are_taken(value: str) -> None:
    assert found(f"--reprob {value}")[0]["erasing"] == float(value)


@pytest.mark.parametrize("value", ["1.001", "-0.001", "2", "nan", "inf", "a", "0.1 0.2"])
def test_other_probabilities_are_refused(value: str) -> None:
    with pytest.raises(SettingsError) as error:
        found(f"--reprob {value}")
    sentence = f"Expected --reprob in --timm-args to be a number from 0 to 1, but got '{value}'"
    assert sentence in error.value.for_command_line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("--reprobe 0.2", "Unknown flag '--reprobe' in --timm-args. Did you mean '--reprob'? If not, leave it out."),
        ("--scael 1", "Did you mean '--scale'?"),
        ("--no-a", "Did you mean '--no-aug'?"),
        ("--scale 0.2", "Expected --scale in --timm-args to be 2 numbers above 0, the smaller first, but got '0.2'"),
        ("--scale 1 0.2", "the smaller first, but got '1 0.2'"),
        ("--scale 0 1", "above 0"),
        ("--magnitude 31", "a whole number from 0 to 30, but got '31'"),
        ("--magnitude 2.5", "a whole number from 0 to 30, but got '2.5'"),
        ("--jitter -1", "a number of at least 0, but got '-1'"),
        ("--reprob", "Expected --reprob in --timm-args to be a number from 0 to 1, but got nothing"),
        ("--remode", "Expected --remode in --timm-args to be one of pixel, const, but got nothing"),
        ("--remode gray", "one of pixel, const, but got 'gray'"),
        ("rand-m9", "Expected --timm-args to be a list of flags, but got 'rand-m9'"),
        ("--aa 'rand", "Close the quotes"),
    ],
)
def test_wrong_flags_are_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        found(text)
    assert sentence in error.value.for_command_line


def test_close_names_and_beginnings_are_meant() -> None:
    assert meant_by("scael", FLAGS) == "scale"
    assert meant_by("rep", FLAGS) == "reprob"
    assert meant_by("quite-else", FLAGS) is None
    assert meant_by("", FLAGS) is None
