"""timm's flags make timm's own transform, with the defaults of its training script."""

from __future__ import annotations

import pytest
from timm.data import create_transform

from cuesense.errors import SettingsError
from cuesense.pipelines.steps import flattened, settings_of
from cuesense.pipelines.timm_flags import read, transform


def described(found: object) -> list[str]:
    return [settings_of(step) for step in flattened(found)]


def test_flags_make_timm_s_transform() -> None:
    text = "--aa rand-m9-mstd0.5 --scale .3 1 --color-jitter .2 --reprob 0.25 --remode const --vflip 0.1"
    own = transform(read(text)[0], (32, 32))
    theirs = create_transform(
        (3, 32, 32),
        is_training=True,
        auto_augment="rand-m9-mstd0.5",
        scale=(0.3, 1.0),
        color_jitter=0.2,
        re_prob=0.25,
        re_mode="const",
        vflip=0.1,
        interpolation="random",
    )
    assert described(own) == described(theirs)


def test_without_flags_stand_the_defaults_of_the_script() -> None:
    found, remarks = read("--model resnet18")
    theirs = create_transform((3, 32, 32), is_training=True, interpolation="random")
    assert described(transform(found, (32, 32))) == described(theirs)
    assert found["re_mode"] == "pixel"
    assert remarks == ["Of --timm-args, these say nothing of augmentation: --model."]


def test_jitter_may_have_a_value_for_each_part() -> None:
    (jitter,) = [
        text for text in described(transform(read("--color-jitter .1 .2 .3")[0], (32, 32))) if "Jitter" in text
    ]
    assert "brightness=(0.9, 1.1), contrast=(0.8, 1.2), saturation=(0.7, 1.3)" in jitter


def test_mixing_two_images_is_left_out() -> None:
    assert "--mixup of --timm-args is left out" in read("--mixup 0.8")[1][0]


@pytest.mark.parametrize(
    "policy", ["rand-m9-mstd0.5-inc1", "rand-m6-n4-tweights", "augmix-m3-w3", "original-mstd0.5", "v0r", "3a"]
)
def test_timm_s_policies_are_taken(policy: str) -> None:
    found = read(f"--aa {policy}")[0]
    assert found["auto_augment"] == policy
    assert transform(found, (32, 32))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("--aa nonsense", "one of timm's policies, such as rand-m9-mstd0.5-inc1, .* but got 'nonsense'"),
        ("--aa randx-m9", "one of timm's policies"),
        ("--aa rand-m9-foo2", "one of timm's policies"),
        ("--aa rand-m9-foo", "one of timm's policies"),
        ("--aa rand-mx", "one of timm's policies"),
        ("--aa augmix-q3", "one of timm's policies"),
        ("--aa v1", "one of timm's policies"),
        ("--aa", "one of timm's policies, .* but got nothing"),
        ("--remode black", "one of pixel, const, rand, but got 'black'"),
        ("--train-interpolation cubic", "one of random, bilinear"),
        ("--train-crop-mode x", "one of rrc, rkrc, rkrr"),
        ("--recount 0", "a whole number of at least 1"),
        ("--recount 1.5", "a whole number of at least 1"),
        ("--color-jitter .1 .2", "1, 3 or 4 numbers of at least 0"),
        ("--color-jitter .1 .2 .3 .6", "the fourth .hue. is at most 0.5"),
        ("--color-jitter -1", "of at least 0"),
        ("--scael .1 1", "Did you mean '--scale'"),
        ("--hfilp .1", "Did you mean '--hflip'"),
        *((f"--{name} 1.5", "a number from 0 to 1, but got '1.5'") for name in ("reprob", "hflip", "vflip")),
        *((f"--{name}-prob -1", "from 0 to 1") for name in ("color-jitter", "grayscale", "gaussian-blur")),
    ],
)
def test_what_timm_would_refuse_or_not_mean_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read(text)


def test_a_whole_command_line_of_timm_s_script_names_nothing_unknown() -> None:
    text = (
        "/data --model resnet50 --pretrained -b 256 --opt lamb --weight-decay .02 --epochs 300 --sched cosine --amp "
        "--aa rand-m9-mstd0.5-inc1 --mixup .2 --cutmix 1.0 --mixup-off-epoch 250 --smoothing 0.1 --drop-path 0.1 "
        "--model-ema --model-ema-decay 0.9998 --bce-loss --aug-repeats 3 -j 8 --warmup-epochs 5 --img-size 224"
    )
    remarks = read(text)[1]
    assert [remark.partition(" ")[0] for remark in remarks] == ["--mixup", "--cutmix", "--aug-repeats", "Of"]


def test_what_timm_refuses_when_it_builds_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match="flags that timm takes, but got"):
        transform({"train_crop_mode": "x"}, (32, 32))
