"""The picture of a verification: what was forecast against what happened, one dot a class and policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cuesense.schemas.verification import ArmResult, ClassResult, Verification

_SIZE, _LEFT, _TOP, _PLOT = (640, 520), 64, 24, 420
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_STEP = 0.1


@dataclass(frozen=True)
class _Scale:
    """Losses from low to high, in steps of ten points, along both axes."""

    low: float
    high: float

    def x(self, loss: float) -> float:
        return round(_LEFT + _PLOT * (self._inside(loss) - self.low) / (self.high - self.low), 1)

    def y(self, loss: float) -> float:
        return round(_TOP + _PLOT * (self.high - self._inside(loss)) / (self.high - self.low), 1)

    def _inside(self, loss: float) -> float:
        return min(max(loss, self.low), self.high)

    @property
    def ticks(self) -> list[float]:
        return [round(step * _STEP, 1) for step in range(round(self.low / _STEP), round(self.high / _STEP) + 1)]


def scatter(found: Verification) -> str:
    """Draw forecast against real losses of recall, in percentage points, with the real ones' intervals.

    Args:
        found: The verification.

    Returns:
        A standalone SVG file. Policies that do the same as an earlier one are left out.
    """
    arms = [arm for arm in found.arms if arm.policy is not None and arm.same_as is None]
    dots = [(arm, entry) for arm in arms for entry in arm.classes if entry.forecast_loss is not None]
    scale = _scale(dots)
    colors = {arm.name: _COLORS[place % len(_COLORS)] for place, arm in enumerate(arms)}
    said = "no forecast to compare with" if not dots else f"{len(dots)} dots, one a class and policy"
    width, height = _SIZE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'font-family="sans-serif" font-size="12">',
            f"<title>Forecast and real loss of recall: {said}</title>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *_frame(scale, found.tolerance),
            *(_dot(scale, arm, entry, colors[arm.name]) for arm, entry in dots),
            *_legend(colors),
            "</svg>",
            "",
        ]
    )


def _scale(dots: Sequence[tuple[ArmResult, ClassResult]]) -> _Scale:
    losses = [0.0, 0.2]
    for _, entry in dots:
        losses += [entry.forecast_loss or 0.0, -(entry.recall_change.value or 0.0)]
    low, high = min(losses), max(losses)
    return _Scale(_STEP * (low // _STEP), _STEP * (high // _STEP + 1))


def _frame(scale: _Scale, tolerance: float) -> list[str]:
    right, bottom = _LEFT + _PLOT, _TOP + _PLOT
    lines = [
        f'<path d="M{_LEFT} {scale.y(tick)}H{right}M{scale.x(tick)} {_TOP}V{bottom}" stroke="#e5e5e5"/>'
        f'<text x="{_LEFT - 8}" y="{scale.y(tick) + 4}" text-anchor="end">{100 * tick:.0f}</text>'
        f'<text x="{scale.x(tick)}" y="{bottom + 18}" text-anchor="middle">{100 * tick:.0f}</text>'
        for tick in scale.ticks
    ]
    diagonal = f"M{scale.x(scale.low)} {scale.y(scale.low)}L{scale.x(scale.high)} {scale.y(scale.high)}"
    limit = f"M{_LEFT} {scale.y(tolerance)}H{right}M{scale.x(tolerance)} {_TOP}V{bottom}"
    return [
        *lines,
        f'<path d="{diagonal}" stroke="#888"/>',
        f'<path d="{limit}" stroke="#888" stroke-dasharray="4 4"/>',
        f'<text x="{_LEFT + _PLOT / 2}" y="{bottom + 42}" text-anchor="middle">'
        "forecast loss of recall, percentage points</text>",
        f'<text transform="translate(16 {_TOP + _PLOT / 2}) rotate(-90)" text-anchor="middle">'
        "real loss, mean over seeds, with its interval</text>",
    ]


def _dot(scale: _Scale, arm: ArmResult, entry: ClassResult, color: str) -> str:
    change, forecast = entry.recall_change, entry.forecast_loss or 0.0
    real = -(change.value or 0.0)
    x = scale.x(forecast)
    whisker = ""
    if change.low is not None and change.high is not None:
        whisker = f'<path d="M{x} {scale.y(-change.low)}V{scale.y(-change.high)}" stroke="{color}" opacity="0.35"/>'
    said = escape(f"{entry.name}, {arm.name}: forecast {100 * forecast:.1f}, real {100 * real:.1f} points")
    dot = (
        f'<circle cx="{x}" cy="{scale.y(real)}" r="4" fill="{color}" fill-opacity="0.75"><title>{said}</title></circle>'
    )
    return whisker + dot


def _legend(colors: dict[str, str]) -> list[str]:
    left = _LEFT + _PLOT + 18
    return [
        f'<circle cx="{left}" cy="{_TOP + 10 + 20 * row}" r="4" fill="{color}"/>'
        f'<text x="{left + 10}" y="{_TOP + 14 + 20 * row}">{escape(name.replace("_", " "))}</text>'
        for row, (name, color) in enumerate(colors.items())
    ]
