"""Which way a regularizer's numbers run: whether a larger number makes it stronger, decided by its name or the user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cuesense.errors import SettingsError, expected

Order = Literal["rising", "falling", "given"]

# Regularizers whose meaning is fixed by their name: a larger number is stronger. Names that fit several things (scale,
# crop, temperature, epochs, learning rate, threshold) are left out on purpose: the user is asked.
_LARGER = """
weight_decay wd l1 l2 l1_penalty l2_penalty l1_regularization l2_regularization ridge lasso dropout dropout_rate
dropout_prob dropout_probability drop_rate drop_prob p_drop dropout_p drop_path drop_path_rate drop_path_prob droppath
stochastic_depth stochastic_depth_prob stochastic_depth_rate dropblock drop_block attention_dropout attn_drop
attn_drop_rate head_dropout label_smoothing labelsmoothing smoothing smooth label_smooth confidence_penalty mixup
mixup_alpha mix_up cutmix cutmix_alpha cut_mix mixup_prob cutmix_prob manifold_mixup jitter color_jitter colour_jitter
colorjitter color_jitter_prob brightness contrast saturation hue color_jitter_strength jitter_strength blur
gaussian_blur random_gaussian_blur blur_sigma blur_prob gaussian_blur_prob noise gaussian_noise noise_std input_noise
gradient_noise label_noise rotation random_rotation rotate degrees shear translation translate randaugment
rand_augment randaugment_magnitude rand_augment_magnitude ra_magnitude randaugment_n rand_augment_n cutout cutout_size
cutout_length random_erasing erasing erasing_prob random_erasing_prob random_erasing_area reprob grayscale
random_grayscale grayscale_prob random_grayscale_prob horizontal_flip random_horizontal_flip hflip flip_prob
vertical_flip crop_padding random_crop_padding padding sam sam_rho gradient_penalty adversarial_eps
adversarial_epsilon
"""
_LARGER_IS_STRONGER = frozenset(_LARGER.split())
# A smaller number is stronger: the smallest area that torchvision's RandomResizedCrop keeps, and shares that are kept.
_SMALLER = """
random_resized_crop randomresizedcrop rrc random_resized_crop_scale random_resized_crop_min_scale
random_resized_crop_area random_resized_crop_min_area rrc_scale rrc_min_scale rrc_area rrc_min_area keep_prob
keep_probability keep_rate dropout_keep_prob dropout_keep_rate survival_prob survival_probability
"""
_SMALLER_IS_STRONGER = frozenset(_SMALLER.split())
# What --order may be instead of all strengths.
ORDER_WORDS: dict[str, Order] = {"rising": "rising", "falling": "falling"}
# Strengths that an error lists. Chosen by hand, for reading.
_LISTED = 4


@dataclass(frozen=True)
class Direction:
    """The order of a sweep's strengths, and why it is taken to be that.

    Attributes:
        order: ``"rising"`` where larger numbers are stronger, ``"falling"`` where smaller ones are, ``"given"`` where
            the user listed all strengths.
        because: The reason, a clause such as ``"weight_decay is known"``.
    """

    order: Order
    because: str


def choose_direction(regularizer: str | None, order: Sequence[str] | None, numbers: Sequence[float]) -> Direction:
    """Decide which way strengths run.

    Args:
        regularizer: Its name, None where the table names none: its column is called strength then, and a larger
            strength is a stronger regularizer.
        order: What the user gave: ``["rising"]``, ``["falling"]``, all strengths from mild to strong, or None.
        numbers: The strengths that are numbers, for the error.

    Returns:
        The direction and its reason.

    Raises:
        SettingsError: The name does not decide, and no order is given.
    """
    if order is not None:
        word = ORDER_WORDS.get(order[0].casefold()) if len(order) == 1 else None
        return Direction(word or "given", "--order says so")
    if regularizer is None:
        return Direction("rising", "they are called strengths and no regularizer is named; --order falling reverses it")
    name = re.sub(r"[\W_]+", "_", _split_words(regularizer)).strip("_").casefold()
    if name in _LARGER_IS_STRONGER:
        return Direction("rising", f"that is how '{regularizer}' is usually meant; --order falling reverses it")
    if name in _SMALLER_IS_STRONGER:
        return Direction("falling", f"that is how '{regularizer}' is usually meant; --order rising reverses it")
    raise SettingsError(_question(regularizer, sorted(numbers)))


def _split_words(name: str) -> str:
    """Return a name such as ``RandomResizedCrop`` with its words apart, as ``Random_Resized_Crop``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def _question(regularizer: str, numbers: Sequence[float]) -> str:
    rising = [f"{number:g}" for number in numbers]
    ends = f"{rising[0]} or {rising[-1]}" if rising else "the smallest or the largest"
    do = (
        f"Give --order rising where larger numbers are stronger ({_shown(rising)}), or --order falling where smaller "
        f"numbers are stronger ({_shown(rising[::-1])})"
    )
    what, got = "the order of the strengths", f"'{regularizer}', which does not say whether {ends} is the mildest"
    return expected(what, "known from the name of the regularizer", got, do)


def _shown(strengths: Sequence[str]) -> str:
    if len(strengths) > _LISTED:
        return f"mild to strong: {strengths[0]},{strengths[1]},...,{strengths[-1]}"
    return f"mild to strong: {','.join(strengths)}"
