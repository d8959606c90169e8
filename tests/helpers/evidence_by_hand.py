"""Evidence whose every number is written by hand: shares at each ablation, and the class that is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cuesense.analysis.class_evidence import ClassEvidence
from cuesense.analysis.evidence import Evidence, Share
from cuesense.perturbations.ablations import ABLATIONS, Ablation
from cuesense.types import Cue

NAMES = ("ant", "bee")


def share_of(kept: Sequence[float], **parts: Sequence[float]) -> Share:
    """Return a share of 20 explainable images of 50, all alike, but for the parts that are given."""
    known = np.array(kept, dtype=float)
    fields = dict.fromkeys(("kept", "stays", "unaided", "distinct", "raw", "generous"), known)
    fields |= {
        "low": known - 0.03,
        "high": known + 0.02,
        "of": np.full(2, 20.0),
        "images": np.full(2, 50.0),
        "told": np.ones(2),
    }
    return Share(**(fields | {name: np.array(values, dtype=float) for name, values in parts.items()}))


def evidence_of(shares: Mapping[Ablation, Share], **fields: Any) -> Evidence:
    """Return the evidence of two classes of 50 and 40 images, each mistaken for the other in 1 of 10."""
    known: dict[str, Any] = {
        "images": np.array([50, 40]),
        "explainable": np.array([45, 30]),
        "recognized": np.array([0.9, 0.75]),
        "chance": np.array([0.1, 0.1]),
        "fewest": np.array([50, 39]),
        "rival": np.array([1, 0]),
        "mistaken": np.array([0.1, 0.25]),
        "q": {},
        "sinks": (None, None),
        "side": 64,
    }
    return Evidence(**(known | fields), shares=dict(shares))


def class_of(
    shares: Mapping[Ablation, Share],
    recognized_under: Mapping[Ablation, bool] | None = None,
    shapley: Mapping[Cue, Sequence[float]] | None = None,
    index: int = 0,
    **fields: Any,
) -> ClassEvidence:
    """Return the evidence of one of the classes; what is not said to be recognized under an ablation is not."""
    flags = dict.fromkeys(ABLATIONS, False) | dict(recognized_under or {})
    return ClassEvidence(
        evidence_of(shares, **fields),
        index,
        NAMES,
        # The other class is always the opposite: a wrong index gives a wrong value.
        {ablation: np.array([flag, not flag] if index == 0 else [not flag, flag]) for ablation, flag in flags.items()},
        {cue: np.array(parts, dtype=float) for cue, parts in (shapley or {}).items()},
    )
