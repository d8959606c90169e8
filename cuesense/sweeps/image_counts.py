"""Whether the n of a table of accuracies can be true: accuracies are multiples of 1/n, up to rounding."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cuesense.arrays import Bools, Floats
from cuesense.errors import listed
from cuesense.sweeps.summary_rows import Cells

# Float32 keeps seven digits: an accuracy is never known better than this.
_FLOAT32 = 1e-6
# Accuracies that were stored as float16 have a relative error of 2**-11 and lie in [0, 1].
_FLOAT16 = 2.0**-12
# They have more decimal places than three, as opposed to 0.5 and 0.125, which are exact in any format.
_FLOAT16_DIGITS = 3
# A number of images below n is suspected where chance would put all accuracies on its multiples at most this often,
# all classes and numbers tried together. Chosen by hand; not tuned.
_BY_CHANCE = 1e-6
# Numbers of images that are tried in the place of n: with more, accuracies of three digits are on every grid.
_MOST_TRIED = 2_000
# Names that a warning lists. Chosen by hand, for reading.
_LISTED = 3


def rounding_of(texts: Sequence[str]) -> float:
    """Return how far accuracies of a run may be from the true ones: half a unit of the last digit that any of them has.

    Args:
        texts: The accuracies as they are written, fractions.
    """
    digits = max((_decimals(text) for text in texts), default=0)
    half = digits > _FLOAT16_DIGITS and all(_is_half(float(text)) for text in texts)
    return max(0.5 * 10.0**-digits * (1 + 1e-9), _FLOAT16 if half else _FLOAT32)


def _is_half(number: float) -> bool:
    """Return whether a number is a float16, exactly or as it is printed."""
    half = np.float16(number)
    return number in (float(half), float(str(half)))


def _decimals(text: str) -> int:
    """Return how many decimal places a number is written with; 1e-05 has five."""
    mantissa, _, exponent = text.strip().lower().partition("e")
    return max(0, len(mantissa.partition(".")[2]) - int(exponent or 0))


def count_remarks(names: Sequence[str], run_names: Sequence[str], cells: Cells) -> tuple[str, ...]:
    """Return what is wrong with the numbers of images, in sentences.

    Args:
        names: Names of the C classes.
        run_names: Names of the R runs.
        cells: The numbers of the table, without rows that are no classes.
    """
    used = np.flatnonzero((cells.images > 0).all(axis=0))
    names = [names[int(index)] for index in used]
    cells = Cells(cells.accuracy[:, used], cells.images[:, used], cells.rounding)
    if not names:
        return ()
    changing = _changing(names, run_names, cells.images)
    off = _off_grid(names, run_names, cells)
    return (*changing, *off) if off else (*changing, *_too_large(names, cells))


def _changing(names: Sequence[str], run_names: Sequence[str], images: Floats) -> tuple[str, ...]:
    """Return a remark where a class has another n in another run."""
    classes = np.flatnonzero((images != images[:1]).any(axis=0))
    if not len(classes):
        return ()
    first = int(classes[0])
    other = int((images[:, first] != images[0, first]).argmax())
    return (
        f"n differs between runs for {_some(names, classes)}: '{names[first]}' has {images[0, first]:,.0f} in run "
        f"'{run_names[0]}' and {images[other, first]:,.0f} in run '{run_names[other]}'. Losses compare runs as if all "
        "were tested on the same images: test them on the same ones, or correct n.",
    )


def _on_grid(accuracy: Floats, images: Floats, rounding: Floats) -> Bools:
    """Return which accuracies are k/n for a whole k, up to rounding."""
    found: Bools = np.abs(accuracy - np.round(accuracy * images) / images) <= rounding
    return found


def _off_grid(names: Sequence[str], run_names: Sequence[str], cells: Cells) -> tuple[str, ...]:
    """Return a remark where accuracies are no k/n."""
    off = ~_on_grid(cells.accuracy, cells.images, cells.rounding)
    if not off.any():
        return ()
    run, index = np.argwhere(off)[0]
    value, images = cells.accuracy[run, index], cells.images[run, index]
    same = len(names) > 1 and bool((cells.images == cells.images[0, 0]).all())
    whole = " (every class has this n: it may be that of the whole test set)" if same else ""
    return (
        f"{int(off.sum()):,} of {off.size:,} accuracies are no multiple of 1/n: {value:.6g} of '{names[index]}' "
        f"in run '{run_names[run]}' is none of 1/{images:,.0f}{whole}. Bounds rest on n: give the number of the "
        "class's own test images, and accuracies with all their digits that are no averages of several tests.",
    )


def _too_large(names: Sequence[str], cells: Cells) -> tuple[str, ...]:
    """Return a remark where accuracies are multiples of 1/m for a much smaller m than n, not by chance."""
    together = _fewer_together(cells)
    fewer = [_fewer(cells, index) for index in range(len(names))] if together is None else together
    suspects = [index for index, found in enumerate(fewer) if found is not None]
    if not suspects:
        return ()
    first = suspects[0]
    images = cells.images[0, first]
    same = len(names) > 1 and bool((cells.images == images).all())
    whole = "n is the same for every class, as if it were that of the whole test set" if same else "n is too large"
    return (
        f"{whole}: the accuracies of {_some(names, suspects)} are those of fewer images; all of '{names[first]}' are "
        f"multiples of 1/{fewer[first]:,}, and its n is {images:,.0f}. Bounds are too narrow with an n that is too "
        "large: give the number of each class's own test images.",
    )


def _fewer(cells: Cells, index: int) -> int | None:
    """Return the smallest number of images that explains a class's accuracies, where chance hardly would; else None."""
    images, tried = cells.images[:, index], cells.images.shape[1]
    if (images != images[0]).any() or images[0] < 2:
        return None
    values, room = _distinct(cells, index)
    most = int(min(images[0] // 2, _MOST_TRIED))
    candidates = np.arange(1, most + 1, dtype=np.float64)
    fits = _on_grid(values[:, None], candidates[None, :], room[:, None]).all(axis=0)
    if not len(values) or not fits.any():
        return None
    fewest = int(candidates[fits.argmax()])
    return fewest if _log_chance(fewest, images[0], room) + math.log(fewest * tried) < math.log(_BY_CHANCE) else None


def _fewer_together(cells: Cells) -> list[int | None] | None:
    """Return n divided by the same number for all classes, where that explains their accuracies, else None."""
    images = cells.images[0]
    if (cells.images != images).any() or (images < 2).any():
        return None
    common = int(np.gcd.reduce(images.astype(np.int64)))
    # The largest factor that fits all is the one; those that do not divide all n are no factor of all.
    factors = [part for part in range(2, min(common, _MOST_TRIED) + 1) if common % part == 0]
    for factor in reversed(factors):
        fewer = images / factor
        if _on_grid(cells.accuracy, np.broadcast_to(fewer, cells.accuracy.shape), cells.rounding).all():
            chance = sum(
                _log_chance(int(fewer[index]), images[index], _distinct(cells, index)[1])
                for index in range(len(images))
            )
            return fewer.astype(int).tolist() if chance + math.log(factor) < math.log(_BY_CHANCE) else None
    return None


def _distinct(cells: Cells, index: int) -> tuple[Floats, Floats]:
    """Return the different accuracies of a class that are neither 0 nor 1, and the rounding of each."""
    values, places = np.unique(cells.accuracy[:, index], return_index=True)
    inner = (values > 0) & (values < 1)
    return values[inner], cells.rounding[places[inner], 0]


def _log_chance(fewer: int, images: float, rounding: Floats) -> float:
    """Return the logarithm of the chance that accuracies k/n, rounded, are all multiples of 1/fewer as well.

    Of the different numbers that can be written (n + 1, or fewer where digits are few), fewer + 1 are.
    """
    writable = np.minimum(images, 0.5 / rounding) + 1
    return float(np.minimum(0.0, np.log((fewer + 1) / writable)).sum())


def _some(names: Sequence[str], indices: Sequence[int] | np.ndarray) -> str:
    return listed([f"'{names[index]}'" for index in indices], _LISTED)
