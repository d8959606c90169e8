"""The forecast in a profile, and how it becomes numbers again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from cuesense.schemas.profile import ForecastModel, LossModel, Profile
from tests.helpers.contract_documents import OLD, real

# A forecast as it was first written: without augmented recalls and budgets.
OLD_FORECAST: dict[str, Any] = {
    "method": "head",
    "probability": 0.8,
    "runs": 1,
    "recipe": {},
    "train": None,
    "accuracy": [0.9],
    "augmentations": {
        "hue": {
            "parameter": "shift",
            "unit": "turns",
            "values": [0.1],
            "loss": [[0.02]],
            "spread": [[None]],
            "low": [[0.0]],
            "high": [[1.0]],
            "flags": [["unclear"]],
        }
    },
}


def test_old_forecasts_read() -> None:
    profile = Profile.model_validate_json(json.dumps(OLD["profile"] | {"forecast": OLD_FORECAST}))
    assert profile.forecast is not None
    losses = profile.forecast.augmentations["hue"]
    assert (losses.augmented, losses.leaks, profile.forecast.budgets) == ([], [], {})


def test_an_unknown_error_is_unbounded() -> None:
    profile = real("profile")
    assert isinstance(profile, Profile)
    assert isinstance(profile.forecast, ForecastModel)
    losses: LossModel = profile.forecast.augmentations["hue"]
    found = losses.to_forecast()
    np.testing.assert_array_equal(found.loss, losses.loss)
    assert found.spread.tolist() == [[0.02, 0.03, np.inf], [0.02, 0.03, np.inf]]
    assert found.risk(0.05)[:, 2].tolist() == [0.5, 0.5]
