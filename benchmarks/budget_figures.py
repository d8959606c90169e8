"""Draw the pictures of ``docs/budgets.md``: ``python benchmarks/budget_figures.py FOLDER``.

``assets/crop_curve.svg`` shows mean and single classes against the strongest crop in the low-data regime, in the
manner of Figure 1 of Balestriero, Bottou, LeCun 2022; ``assets/forecast_outcome.svg`` the forecast against the outcome.
"""

import argparse
from html import escape
from pathlib import Path

import numpy as np
from budgets import DOSES, LADDERS, World, forecasts, key
from figure_parts import COLORS, LEFT, PLOT_HEIGHT, PLOT_WIDTH, TOP, axes, page

SHOWN = 3


def crop_curve(world: World) -> str:
    """Draw the mean over classes, and the classes that change most either way, against the strongest crop."""
    names = ["none", *(key("random_resized_crop", value) for value in LADDERS["random_resized_crop"])]
    recalls = np.stack([[world.recall(seed, name) for name in names] for seed in world.seeds])
    mean, bounds = recalls.mean(axis=0), recalls.std(axis=0, ddof=1) / np.sqrt(len(recalls))
    order = np.argsort((mean[1:] - mean[0]).min(axis=0))
    chosen = [*order[:SHOWN], *order[-2:]]
    across = np.linspace(0, 1, len(names))
    labels = ["none", *(f"{value:g}" for value in LADDERS["random_resized_crop"])]
    parts = axes(
        dict(zip(labels, across.tolist(), strict=True)),
        {f"{value}": value / 100 for value in range(0, 101, 20)},
        "smallest area of the random crop in training",
        f"recall on test images, %, {len(recalls)} seeds",
    )
    lines = [("mean of the classes", mean.mean(axis=1), np.zeros(len(names)), "#000")]
    lines += [(world.names[c], mean[:, c], bounds[:, c], COLORS[row]) for row, c in enumerate(chosen)]
    for row, (label, values, error, color) in enumerate(lines):
        points = [(LEFT + PLOT_WIDTH * x, TOP + PLOT_HEIGHT * (1 - y)) for x, y in zip(across, values, strict=True)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        width = 3 if row == 0 else 1.5
        parts.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>')
        for (x, y), half in zip(points, PLOT_HEIGHT * error, strict=True):
            parts.append(f'<path d="M{x:.1f} {y - half:.1f}V{y + half:.1f}" stroke="{color}"/>')
        place = TOP + 14 + 20 * row
        parts.append(f'<path d="M{LEFT + PLOT_WIDTH + 14} {place - 4}h16" stroke="{color}" stroke-width="{width}"/>')
        said = escape(label.replace("_", " "))
        parts.append(f'<text x="{LEFT + PLOT_WIDTH + 36}" y="{place}">{said}</text>')
    return page(f"Recall against the crop, {world.name}", parts)


def outcome(worlds: list[World]) -> str:
    """Draw forecast losses, from two seeds, against the mean losses of the others, one dot a class and value."""
    low, high = -0.2, 0.8
    ticks = {f"{100 * value:.0f}": (value - low) / (high - low) for value in np.arange(low, high + 0.01, 0.2).round(1)}
    parts = axes(ticks, ticks, "forecast loss of recall, points", "real loss, mean over other seeds, points")
    bottom = TOP + PLOT_HEIGHT
    parts.append(f'<path d="M{LEFT} {bottom}L{LEFT + PLOT_WIDTH} {TOP}" stroke="#888"/>')
    for row, world in enumerate(worlds):
        pair = tuple(sorted(world.seeds)[:2])
        forecast = forecasts(world, (pair[0], pair[1]))["strongest dose trained, and head"]
        truth = world.truth((pair[0], pair[1]))
        for dose, (guesses, losses) in enumerate(zip(forecast, truth, strict=True)):
            for name, guess, loss in zip(world.names, guesses, losses, strict=True):
                x = LEFT + PLOT_WIDTH * (np.clip(guess, low, high) - low) / (high - low)
                y = bottom - PLOT_HEIGHT * (np.clip(loss, low, high) - low) / (high - low)
                said = escape(f"{name}, {key(*DOSES[dose])}: forecast {100 * guess:.0f}, real {100 * loss:.0f}")
                dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLORS[row]}" fill-opacity="0.6">'
                parts.append(f"{dot}<title>{said}</title></circle>")
        place = TOP + 14 + 20 * row
        parts.append(f'<circle cx="{LEFT + PLOT_WIDTH + 20}" cy="{place - 4}" r="4" fill="{COLORS[row]}"/>')
        parts.append(f'<text x="{LEFT + PLOT_WIDTH + 32}" y="{place}">{escape(world.name)}</text>')
    return page("Forecast and real losses", parts)


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--curve", default="photos:all:100")
    parser.add_argument("--worlds", nargs="+", default=["planted:401:100", "photos:b:380", "photos:all:100"])
    options = parser.parse_args()
    assets = Path(__file__).parents[1] / "assets"
    (assets / "crop_curve.svg").write_text(crop_curve(World(options.folder, options.curve)))
    (assets / "forecast_outcome.svg").write_text(outcome([World(options.folder, name) for name in options.worlds]))


if __name__ == "__main__":
    main()
