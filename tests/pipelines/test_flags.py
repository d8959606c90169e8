"""The flags of another program's command line are read, and misspelled ones do not pass in silence."""

from __future__ import annotations

from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.pipelines.flags import Flag, numbers, one, read_flags, word

FLAGS = {
    "scale": Flag("scale", numbers(2), (0.08, 1.0)),
    "color-jitter": Flag("jitter", numbers(1, 3), 0.4),
    "aa": Flag("policy", word),
    "reprob": Flag("erasing", one, 0.0),
    "no-aug": Flag("off", None, False),
}


def found(text: str) -> tuple[dict[str, Any], list[str]]:
    return read_flags(text, FLAGS, {"mixup": "mixes two images"}, "--timm-args")


def test_flags_have_their_values_and_the_others_their_defaults() -> None:
    assert found("--scale .2 1 --aa=rand-m9 --color_jitter 0.1 0.2 0.3 --no-aug")[0] == {
        "scale": (0.2, 1.0),
        "jitter": (0.1, 0.2, 0.3),
        "policy": "rand-m9",
        "erasing": 0.0,
        "off": True,
    }


def test_what_is_left_out_is_said() -> None:
    settings, remarks = found("train.py /data --lr 0.1 --reprob 0.2 --mixup 0.8 --epochs 90")
    assert settings["erasing"] == 0.2
    assert remarks == [
        "--mixup of --timm-args is left out: it mixes two images, and is no change of one image.",
        "Of --timm-args, these say nothing of augmentation: --lr, --epochs.",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("--reprobe 0.2", "Unknown flag '--reprobe' in --timm-args. Did you mean '--reprob'?"),
        ("--scale 0.2", "Expected --scale in --timm-args to be 2 numbers, but got '0.2'"),
        ("--color-jitter a", "Expected --color-jitter in --timm-args to be 1 or 3 numbers, but got 'a'"),
        ("--reprob", "Expected --reprob in --timm-args to be a number, but got nothing"),
        ("--aa", "Expected --aa in --timm-args to be one word, but got nothing"),
        ("rand-m9", "Expected --timm-args to be a list of flags, but got 'rand-m9'"),
        ("--aa 'rand", "Close the quotes"),
    ],
)
def test_wrong_flags_are_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        found(text)
    assert sentence in error.value.for_command_line
