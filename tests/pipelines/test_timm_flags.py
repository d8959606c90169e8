"""timm's flags make timm's own transform, with the defaults of its training script."""

from __future__ import annotations

from timm.data import create_transform

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
