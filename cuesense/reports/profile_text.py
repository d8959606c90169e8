"""Values, budgets, flags and shares of a profile as text, for its page and its terminal table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cuesense.reports.text import DASH, counted, fixed, percent, readable_name
from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import BudgetModel, CurveModel, GlobalBudget, GroupModel, PolicyModel, Profile
from cuesense.types import BudgetStatus

# Headings of nine characters or fewer for the augmentations of a usual training recipe, in its order: those that stand
# in the table of classes first.
SHORT_NAMES = {
    "random_resized_crop": "crop",
    "color_jitter": "jitter",
    "random_gaussian_blur": "blur",
    "random_erasing": "erase",
    "random_rotation": "rotate",
    "horizontal_flip": "flip",
    "random_grayscale": "gray",
}

# Values relative to the image (perturbations with ``relative=True``) are shown in percent of its shorter side.
_RELATIVE = "fraction of shorter side"

# The words for a budget that is no value: the same in the terminal, on pages and in markdown, and short enough for a
# column of a table. JSON and CSV files keep the status itself, which is their contract.
BUDGET_WORDS = {BudgetStatus.UNLIMITED: "any", BudgetStatus.NONE: "none", BudgetStatus.UNDETERMINED: "?"}
# Where there is room, no mark stands for a word.
FULL_BUDGET_WORDS = BUDGET_WORDS | {BudgetStatus.UNDETERMINED: BudgetStatus.UNDETERMINED.value}
BUDGET_MEANINGS = {
    BudgetStatus.UNLIMITED: "within the risk to the end of the ladder (“unlimited” in the files)",
    BudgetStatus.LIMITED: "within the risk up to here",
    BudgetStatus.NONE: "even the mildest value exceeds the risk, and the class probably loses there",
    BudgetStatus.UNDETERMINED: "undetermined: even whether it loses is open, or the class is hardly recognized",
}

# Smaller shares of a group may be none at all and would only fill the line (chosen by hand, not tuned).
_NOTABLE_SHARE = 0.05


def axis_title(parameter: str, unit: str) -> str:
    """Return a perturbation's parameter and its unit, for instance ``"window, % of side"``."""
    readable = "%\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}side" if unit == _RELATIVE else unit
    return readable if unit.startswith(parameter) else f"{parameter}, {readable}"


def tick_label(value: float, unit: str) -> str:
    """Return a value without its unit, as it stands on an axis whose title has the unit."""
    return f"{100 * value:.3g}" if unit == _RELATIVE else f"{value:g}"


def tick_labels(curve: CurveModel) -> list[str]:
    """Return every value of a curve without its unit, mild to strong."""
    return [tick_label(value, curve.unit) for value in curve.values]


def value_text(value: float, unit: str, pixels: float | None = None) -> str:
    """Return a value with its unit where the unit is short, and in pixels where they are known.

    Args:
        value: The physical strength, in the unit.
        unit: The unit's name in the profile.
        pixels: The same in pixels of the network's input, or None.

    Returns:
        For instance ``"3.6 % (8 px)"``, ``"30°"`` or ``"0.4"``.
    """
    suffix = {_RELATIVE: "\N{NO-BREAK SPACE}%", "degrees": "°"}.get(unit, "")
    in_pixels = "" if pixels is None else f" ({round(pixels, 1):g}\N{NO-BREAK SPACE}px)"
    return f"{tick_label(value, unit)}{suffix}{in_pixels}"


def curve_values(curve: CurveModel) -> list[str]:
    """Return every value of a curve as text, mild to strong."""
    pixels: Sequence[float | None] = curve.pixels or [None] * len(curve.values)
    return [value_text(value, curve.unit, px) for value, px in zip(curve.values, pixels, strict=True)]


def budget_text(entry: BudgetModel) -> str:
    """Return a class's budget as one short text: its value where a value limits it, else a word."""
    return budget_of(entry.value, entry.status, entry.unit)


def budget_of(value: float | None, status: BudgetStatus, unit: str) -> str:
    """Return a budget as one short text.

    Args:
        value: The strongest value within the risk; None where there is none.
        status: What stopped the search.
        unit: The unit of the value.

    Returns:
        The value where a value limits it, else a word of ``BUDGET_WORDS``; a dash for a limit that is not known.
    """
    if status in BUDGET_WORDS:
        return BUDGET_WORDS[status]
    return DASH if value is None else value_text(value, unit)


def budget_meaning(policy: PolicyModel) -> str:
    """Return what a budget is, to be read after "Budgets:"; the same words everywhere."""
    lost, risk = f"{100 * policy.tolerance:g} points", f"{100 * policy.risk:g}\N{NO-BREAK SPACE}%"
    return f"the strongest value whose risk of losing more than {lost} is at most {risk}"


def budget_key() -> str:
    """Return what the words in a column of budgets mean, to be read after ``budget_meaning``."""
    unlimited, undetermined = BUDGET_WORDS[BudgetStatus.UNLIMITED], BUDGET_WORDS[BudgetStatus.UNDETERMINED]
    none = BUDGET_WORDS[BudgetStatus.NONE]
    return (
        f"{unlimited} = the strongest value that was measured, {none} = not even the mildest, "
        f"{undetermined} = undetermined: whether the class loses at all by the mildest is open"
    )


def budget_risk(entry: BudgetModel) -> str:
    """Return a budget's risk and what is certified, such as ``"risk 12 %, certified to 0.7"``; empty in older files."""
    if entry.risk is None:
        return ""
    certified = "nothing" if entry.certified is None else f"to {value_text(entry.certified, entry.unit)}"
    return f"risk {fixed(100 * entry.risk, 0)}\N{NO-BREAK SPACE}%, certified {certified}"


def global_budget_text(entry: GlobalBudget, curve: CurveModel | None) -> str:
    """Return the budget of all classes together, as ``budget_of``; the unit is the curve's, where there is one."""
    return budget_of(entry.value, entry.status, curve.unit if curve else "")


def augmentation_columns(profile: Profile, count: int) -> list[str]:
    """Return the augmentations that have a column in the table of classes.

    Args:
        profile: The profile.
        count: How many columns fit.

    Returns:
        At most count names that have a budget: those of a usual training recipe first, then the others as they come.
    """
    known = list(dict.fromkeys(name for entry in profile.classes for name in entry.budgets))
    usual = [name for name in SHORT_NAMES if name in known]
    return (usual + [name for name in known if name not in usual])[:count]


def seen_text(profile: Profile, at: int | None = None) -> str:
    """Return on how many images severities were measured, a sentence; empty where it was all of them.

    Args:
        profile: The profile.
        at: Position of the class; None counts the images of all classes.
    """
    if all(curve.seen is None for curve in profile.curves):
        return ""
    classes = slice(None) if at is None else slice(at, at + 1)
    seen = np.vstack([curve.images for curve in profile.curves])[:, classes].sum(axis=1)
    images = sum(entry.images for entry in profile.classes[classes])
    fewest, most = int(seen.min()), int(seen.max())
    if fewest == images:
        return ""
    counts = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return f"Each severity was measured on {counts} of the {counted(images, 'image')} (adaptive run)."


def flag_texts(flags: Mapping[str, str]) -> list[str]:
    """Return the flags of a class as text, such as ``"confused with: wolf"``."""
    return [f"{readable_name(name)}: {detail}" for name, detail in flags.items()]


def group_shares(group: GroupModel) -> str:
    """Return the estimated share of a group's classes that rely on each cue, the largest first.

    Args:
        group: The group; shares below 5 % are left out.

    Returns:
        For instance ``"shape 62.0 % [50, 74], texture 20.0 % [11, 31]"``, intervals in whole percent.
    """
    known = [(cue, part) for cue, part in group.shares.items() if part.value is not None]
    notable = [(cue, part) for cue, part in known if (part.value or 0.0) >= _NOTABLE_SHARE]
    ranked = sorted(notable, key=lambda pair: -(pair[1].value or 0.0))
    return ", ".join(f"{cue.value} {percent(part.value)} {_whole_percent(part)}".rstrip() for cue, part in ranked)


def _whole_percent(part: Estimate) -> str:
    if part.low is None or part.high is None:
        return ""
    return f"[{fixed(100 * part.low, 0)}, {fixed(100 * part.high, 0)}]"
