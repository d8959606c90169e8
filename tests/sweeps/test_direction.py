"""Which way strengths run: by a known name, by the user's word, or a question."""

import pytest

from cuesense.errors import SettingsError
from cuesense.sweeps.direction import choose_direction


@pytest.mark.parametrize(
    "name",
    [
        "weight_decay",
        "Weight Decay",
        "WeightDecay",
        "wd",
        "label-smoothing",
        "mixup",
        "MixUp",
        "dropout",
        "color_jitter",
        "ColorJitter",
        "crop_padding",
        "RandAugment",
    ],
)
def test_larger_is_stronger_for_known_names(name: str) -> None:
    found = choose_direction(name, None, [0.0, 1.0])
    assert found.order == "rising"
    assert name in found.because
    assert "--order falling" in found.because


@pytest.mark.parametrize("name", ["random_resized_crop", "RandomResizedCrop", "rrc", "rrc_min_area", "keep_prob"])
def test_smaller_is_stronger_for_a_share_that_is_kept(name: str) -> None:
    assert choose_direction(name, None, [0.08, 1.0]).order == "falling"


@pytest.mark.parametrize(
    "name", ["scale", "min_area", "crop", "RandomCrop", "center_crop_size", "epochs", "temperature"]
)
def test_other_names_are_asked_for(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        choose_direction(name, None, [1.0, 0.08])
    said = caught.value.for_command_line
    assert f"'{name}', which does not say whether 0.08 or 1 is the mildest" in said
    assert "--order rising where larger numbers are stronger (mild to strong: 0.08,1)" in said
    assert "--order falling where smaller numbers are stronger (mild to strong: 1,0.08)" in said
    for word in ("rising", "falling"):
        assert choose_direction(name, [word], [1.0, 0.08]).order == word


def test_many_strengths_are_shown_by_their_ends() -> None:
    with pytest.raises(SettingsError, match=r"mild to strong: 0,1,\.\.\.,9"):
        choose_direction("scale", None, [float(number) for number in range(10)])


def test_an_order_wins_over_the_name_and_no_name_means_strengths() -> None:
    assert choose_direction("weight_decay", ["falling"], [0.0]).order == "falling"
    assert choose_direction("weight_decay", ["1", "0"], [0.0]).order == "given"
    unnamed = choose_direction(None, None, [0.0])
    assert unnamed.order == "rising"
    assert "no regularizer is named; --order falling reverses it" in unnamed.because
