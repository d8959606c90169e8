"""Draw what classes of each planted kind keep under each ablation of the rule.

``python benchmarks/label_figure.py FOLDER --output assets/answers.svg`` makes the figure of ``docs/method.md``.
A small square is one class of one network of an odd seed at 64 or 128 px (``label_worlds.py`` fills the folder).
"""

import argparse
from pathlib import Path

import numpy as np
from labels import networks

from cuesense.analysis.hypotheses import CUES_LEFT
from cuesense.perturbations.ablations import CUES

ORDER = ("color", "shape", "texture", "redundant", "mixed")
LEFT, TOP, COLUMN, SQUARE, WIDE = 92, 64, 68, 7, 8
LOW, HIGH = (240, 242, 245), (29, 103, 176)


def shade(share: float) -> str:
    """Return the color of a share in [0, 1]."""
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(LOW, HIGH, strict=True))


def rows(folder: Path) -> dict[str, list[np.ndarray]]:
    """Return for each planted label what each class keeps at every ablation, those that keep alike together."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in ORDER}
    chosen = [n for n in networks(folder, odd=True) if 48 < n.side < 160 and not n.name.startswith(("no", "one"))]
    for network in chosen:
        evidence = network.evidence(None, 0)
        kept = np.stack([evidence.shares[ablation].distinct for ablation in CUES_LEFT])
        for index, label in enumerate(network.truth):
            if label.value in found:
                found[label.value].append(kept[:, index])
    return {name: sorted(part, key=lambda kept: tuple((kept > 0.4).tolist())) for name, part in found.items()}


def draw(found: dict[str, list[np.ndarray]]) -> str:
    """Return the figure as SVG."""
    parts, top = [], TOP
    for column, ((name, value), left) in enumerate(CUES_LEFT.items()):
        x = LEFT + column * COLUMN + COLUMN / 2
        kept = " + ".join(cue.value for cue in CUES if cue in left) or "nothing"
        words = name.replace("grayscale", "gray").replace("opening_closing", "open-close").replace("_", " ")
        for line, said in enumerate((f"{words.replace('patch ', '').replace('gaussian ', '')}", f"{value:g}", kept)):
            size, weight = (8.5, "700") if line == 2 else (7.5, "400")
            parts.append(f'<text x="{x}" y="{22 + 13 * line}" font-size="{size}" font-weight="{weight}">{said}</text>')
    for label, classes in found.items():
        parts.append(f'<text x="{LEFT - 12}" y="{top + 12}" font-size="11" text-anchor="end">{label}</text>')
        wide = (len(classes) + WIDE - 1) // WIDE
        for column in range(len(CUES_LEFT)):
            for place, kept in enumerate(classes):
                x = LEFT + column * COLUMN + 5 + SQUARE * (place % WIDE)
                y = top + SQUARE * (place // WIDE)
                parts.append(f'<rect x="{x}" y="{y}" width="6.4" height="6.4" fill="{shade(float(kept[column]))}"/>')
        top += SQUARE * wide + 14
    scale = "".join(
        f'<rect x="{LEFT + 5 + 12 * step}" y="{top + 4}" width="12" height="8" fill="{shade(step / 10)}"/>'
        for step in range(11)
    )
    words = "kept without guessing, 0 to 1"
    said = f'<text x="{LEFT + 145}" y="{top + 12}" font-size="8.5" text-anchor="start">{words}</text>'
    width, height = LEFT + len(CUES_LEFT) * COLUMN + 8, top + 24
    style = 'font-family="Helvetica,Arial,sans-serif" text-anchor="middle" fill="#1b1f24"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {style}>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(parts)}{scale}{said}</svg>\n'
    )


def main() -> None:
    """Write the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.write_text(draw(rows(options.folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
