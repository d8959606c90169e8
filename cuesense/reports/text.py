"""How the reports say numbers and names: one place, so that the page and the terminal agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unicodedata import category

from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import BudgetModel, CurveModel, GlobalBudget, GroupModel, Profile
from cuesense.types import BudgetStatus, CueVerdict

DASH = "–"
GLYPHS = {label: label.value[0].upper() for label in CueVerdict} | {CueVerdict.UNDETERMINED: "?"}
SHORT_NAMES = {
    "random_resized_crop": "crop",
    "color_jitter": "jitter",
    "random_gaussian_blur": "blur",
    "random_erasing": "erase",
    "random_rotation": "rotate",
    "horizontal_flip": "flip",
    "random_grayscale": "gray",
}

_SIDE = "fraction of shorter side"
_NOTABLE = 0.05
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def words(name: str) -> str:
    """Return a perturbation's name as words, for instance ``"gaussian blur"``."""
    return name.replace("_", " ")


def plain(name: str) -> str:
    """Return a name without control characters, which could command a terminal or turn text; each becomes U+FFFD."""
    return "".join("\ufffd" if category(letter) == "Cc" or letter in _TURNING else letter for letter in name)


def percent(share: float | None) -> str:
    """Return a share as a percentage with one decimal, a dash for None."""
    return DASH if share is None else f"{100 * share:z.1f}\N{NO-BREAK SPACE}%".replace("-", "−")


def points(drop: float | None) -> str:
    """Return an accuracy drop in percentage points with one decimal, a dash for None."""
    return DASH if drop is None else f"{100 * drop:z.1f}\N{NO-BREAK SPACE}pp".replace("-", "−")


def decimal(number: float | None) -> str:
    """Return a number with two decimals, a dash for None."""
    return DASH if number is None else f"{number:z.2f}".replace("-", "−")


def bounded(value: float | None, low: float | None, high: float | None) -> str:
    """Return an estimate with its bounds, for instance ``"0.82 [0.70, 0.90]"``; without them where they are unknown."""
    return decimal(value) if low is None or high is None else f"{decimal(value)} [{decimal(low)}, {decimal(high)}]"


def axis(parameter: str, unit: str) -> str:
    """Return what a dose is and its unit, for instance ``"window, % of side"``."""
    readable = "%\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}side" if unit == _SIDE else unit
    return readable if unit.startswith(parameter) else f"{parameter}, {readable}"


def tick(value: float, unit: str) -> str:
    """Return a dose without its unit, as it stands on an axis."""
    return f"{100 * value:.3g}" if unit == _SIDE else f"{value:g}"


def dose(value: float, unit: str, pixels: float | None = None) -> str:
    """Return a dose with its unit where the unit is short, and in pixels where they are known.

    Args:
        value: The dose, in the unit.
        unit: The unit's name in the profile.
        pixels: The same dose in pixels, or None.

    Returns:
        For instance ``"3.6 % (8 px)"``, ``"30°"`` or ``"0.4"``.
    """
    suffix = {_SIDE: "\N{NO-BREAK SPACE}%", "degrees": "°"}.get(unit, "")
    in_pixels = "" if pixels is None else f" ({round(pixels, 1):g}\N{NO-BREAK SPACE}px)"
    return f"{tick(value, unit)}{suffix}{in_pixels}"


def doses(curve: CurveModel) -> list[str]:
    """Return every dose of a curve as text, mild to strong."""
    pixels: Sequence[float | None] = curve.pixels or [None] * len(curve.values)
    return [dose(value, curve.unit, px) for value, px in zip(curve.values, pixels, strict=True)]


def budget(entry: BudgetModel) -> str:
    """Return a class's budget as one short text: its dose where a dose limits it, else the status."""
    if entry.status is BudgetStatus.LIMITED and entry.value is not None:
        return dose(entry.value, entry.unit)
    return entry.status.value


def shared_budget(entry: GlobalBudget, curve: CurveModel | None) -> str:
    """Return the dose that is safe for every class, or why there is none; curve is where its unit stands."""
    return entry.status.value if entry.value is None else dose(entry.value, curve.unit if curve else "")


def main_augmentations(profile: Profile, count: int) -> list[str]:
    """Return the augmentations that stand in the table of classes.

    Args:
        profile: The profile.
        count: How many fit.

    Returns:
        At most count names that have a budget: the usual ones of a training recipe first, then the others as they come.
    """
    known = list(dict.fromkeys(name for entry in profile.classes for name in entry.budgets))
    usual = [name for name in SHORT_NAMES if name in known]
    return (usual + [name for name in known if name not in usual])[:count]


def flags(found: Mapping[str, str]) -> list[str]:
    """Return the flags of a class in words, such as ``"confused with: wolf"``."""
    return [f"{words(name)}: {detail}" for name, detail in found.items()]


def shares(group: GroupModel) -> str:
    """Return the estimated shares of a group's labels, largest first, those that may be nothing left out."""
    known = [(label, part) for label, part in group.shares.items() if part.value is not None and part.value >= _NOTABLE]
    ranked = sorted(known, key=lambda pair: -(pair[1].value or 0.0))
    return ", ".join(f"{label.value} {percent(part.value)} {_between(part)}" for label, part in ranked)


def _between(part: Estimate) -> str:
    if part.low is None or part.high is None:
        return ""
    return f"[{100 * part.low:.0f}, {100 * part.high:.0f}]"
