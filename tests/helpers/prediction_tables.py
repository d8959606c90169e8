"""Small tables of predictions in the documented columns, as pandas frames and as files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

CLASSES = ("ant", "bee", "cow")


def rows(images: int = 4, perturbations: dict[str, int] | None = None) -> pd.DataFrame:
    """Return a small right table in the documented columns."""
    conditions = [("clean", 0)] + [
        (name, step + 1) for name, steps in (perturbations or {"grayscale": 4}).items() for step in range(steps)
    ]
    return pd.DataFrame(
        [
            {
                "sample_id": f"{name}/{image}",
                "label": name,
                "perturbation": perturbation,
                "severity": severity,
                "repeat": 0,
                "predicted": name if image or not severity else "bee",
            }
            for perturbation, severity in conditions
            for name in CLASSES
            for image in range(images)
        ]
    )


def saved(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path
