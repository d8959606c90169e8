"""The picture of a verification: forecast against real loss of recall, one dot for each class and policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cuesense.reports.text import points, readable_name
from cuesense.schemas.verification import ArmResult, ClassResult, Verification

# A square plot, so that the diagonal (forecast = real) has 45 degrees; the right margin holds the names of policies.
_WIDTH, _HEIGHT = 640, 520
_LEFT, _TOP, _PLOT = 64, 24, 420

# The palette of Okabe and Ito (2008), which people with any color vision deficiency can tell apart, without yellow,
# which has too little contrast on white, and with a gray for an eighth policy.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#777777")

# Both axes have a tick every ten points and show at least a loss from 0 to 20 points.
_STEP = 0.1
_LEAST_SHOWN = (0.0, 0.2)

_Dot = tuple[ArmResult, ClassResult]


@dataclass(frozen=True)
class _Scale:
    """Losses from low to high, in steps of ten points, along both axes; losses outside are drawn at the border."""

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
        A standalone SVG file. Policies that do the same as an earlier one are left out, and so are those with class
        weights, which no forecast is about.
    """
    arms = [arm for arm in found.arms if arm.policy is not None and arm.same_as is None and not _weighted(arm)]
    dots = [(arm, entry) for arm in arms for entry in arm.classes if entry.forecast_loss is not None]
    scale = _scale(dots)
    colors = {arm.name: _COLORS[at % len(_COLORS)] for at, arm in enumerate(arms)}
    contents = f"{len(dots)} dots, one a class and policy" if dots else "no forecast to compare with"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            'font-family="sans-serif" font-size="12">',
            f"<title>Forecast and real loss of recall: {contents}</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
            *_frame(scale, found.tolerance),
            *(_dot(scale, arm, entry, colors[arm.name]) for arm, entry in dots),
            *_legend(colors),
            "</svg>",
            "",
        ]
    )


def _weighted(arm: ArmResult) -> bool:
    return "class_weights" in (arm.policy or {})


def _scale(dots: Sequence[_Dot]) -> _Scale:
    losses = list(_LEAST_SHOWN)
    for _, entry in dots:
        losses += [entry.forecast_loss or 0.0, -(entry.recall_change.value or 0.0)]
    return _Scale(_STEP * (min(losses) // _STEP), _STEP * (max(losses) // _STEP + 1))


def _frame(scale: _Scale, tolerance: float) -> list[str]:
    """Draw the grid, the diagonal on which forecasts are right, and the tolerance along both axes."""
    right, bottom = _LEFT + _PLOT, _TOP + _PLOT
    grid = [
        f'<path d="M{_LEFT} {scale.y(tick)}H{right}M{scale.x(tick)} {_TOP}V{bottom}" stroke="#e5e5e5"/>'
        f'<text x="{_LEFT - 8}" y="{scale.y(tick) + 4}" text-anchor="end">{100 * tick:.0f}</text>'
        f'<text x="{scale.x(tick)}" y="{bottom + 18}" text-anchor="middle">{100 * tick:.0f}</text>'
        for tick in scale.ticks
    ]
    diagonal = f"M{scale.x(scale.low)} {scale.y(scale.low)}L{scale.x(scale.high)} {scale.y(scale.high)}"
    limit = f"M{_LEFT} {scale.y(tolerance)}H{right}M{scale.x(tolerance)} {_TOP}V{bottom}"
    return [
        *grid,
        f'<path d="{diagonal}" stroke="#888"/>',
        f'<path d="{limit}" stroke="#888" stroke-dasharray="4 4"/>',
        f'<text x="{_LEFT + _PLOT / 2}" y="{bottom + 42}" text-anchor="middle">'
        "forecast loss of recall, percentage points</text>",
        f'<text transform="translate(16 {_TOP + _PLOT / 2}) rotate(-90)" text-anchor="middle">'
        "real loss, mean over seeds, with its interval</text>",
    ]


def _dot(scale: _Scale, arm: ArmResult, entry: ClassResult, color: str) -> str:
    forecast, real = entry.forecast_loss or 0.0, -(entry.recall_change.value or 0.0)
    title = escape(f"{entry.name}, {readable_name(arm.name)}: forecast {points(forecast)}, real {points(real)} points")
    return (
        f"{_whisker(scale, entry, color)}"
        f'<circle cx="{scale.x(forecast)}" cy="{scale.y(real)}" r="4" fill="{color}" fill-opacity="0.75">'
        f"<title>{title}</title></circle>"
    )


def _whisker(scale: _Scale, entry: ClassResult, color: str) -> str:
    change, x = entry.recall_change, scale.x(entry.forecast_loss or 0.0)
    if change.low is None or change.high is None:
        return ""
    return f'<path d="M{x} {scale.y(-change.low)}V{scale.y(-change.high)}" stroke="{color}" opacity="0.35"/>'


def _legend(colors: dict[str, str]) -> list[str]:
    left = _LEFT + _PLOT + 18
    return [
        f'<circle cx="{left}" cy="{_TOP + 10 + 20 * row}" r="4" fill="{color}"/>'
        f'<text x="{left + 10}" y="{_TOP + 14 + 20 * row}">{escape(readable_name(name))}</text>'
        for row, (name, color) in enumerate(colors.items())
    ]
