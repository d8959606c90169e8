"""Where expected losses come from: the forecast, gains only where trainings agree, else the profile alone."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense.errors import SettingsError
from cuesense.policies.expected_losses import expected_losses
from cuesense.policies.policy import Policy, uniform
from cuesense.schemas.profile import Profile
from cuesense.stats.drop_risk import expected_drops
from cuesense.stats.training_prior import forecast_from_drops
from tests.helpers.profiles import NAMES
from tests.helpers.profiles_with_forecasts import CROP, CROPPED, JITTER, LOST, forecast, planted

THREE = NAMES[:3]


def changed(found: Profile, **fields: object) -> Profile:
    assert found.forecast is not None
    return found.model_copy(update={"forecast": found.forecast.model_copy(update=fields)})


@pytest.mark.parametrize(
    ("method", "runs", "gain"),
    [("trained", 2, -0.2), ("trained", 1, 0.0), ("head", 2, 0.0), ("trained and head", 2, -0.2)],
)
def test_gains_count_from_two_trainings_on_and_never_of_heads(method: str, runs: int, gain: float) -> None:
    losses = expected_losses(changed(forecast({CROP: CROPPED}), method=method, runs=runs))
    assert losses.basis == method
    assert losses.losses[CROP].loss[0].tolist() == [0.0, 0.0, gain]
    assert losses.losses[CROP].loss[3, 1] == 0.4


def test_without_a_forecast_the_profile_alone_decides() -> None:
    found = planted(LOST)
    losses = expected_losses(found, [CROP])
    curve = next(curve for curve in found.curves if curve.perturbation == CROP).to_curve()
    wanted = forecast_from_drops(CROP, expected_drops(curve).drop, (0.7, 0.4, 0.2, 0.08), losses.accuracy)
    assert losses.basis == "no training"
    assert list(losses.losses) == [CROP]
    assert np.isfinite(losses.losses[CROP].spread).all()
    assert losses.losses[CROP].loss.shape == wanted.loss.shape


def test_losses_of_several_augmentations_add_up_with_independent_errors() -> None:
    found = expected_losses(forecast({CROP: CROPPED, JITTER: [[0.1] * 3] * 4}, spread=0.03))
    both = found.of_policy(uniform({CROP: 0.2, JITTER: 0.4}, THREE))
    half = found.of_policy(uniform({CROP: 0.2, JITTER: 0.4}, THREE, 0.4))
    assert both is not None
    assert half is not None
    assert both.loss[0] == pytest.approx([0.1, 0.3, both.loss[0, 2]])
    assert both.spread[0] == pytest.approx([0.03 * np.sqrt(2)] * 3)
    assert half.loss == pytest.approx(both.loss / 2)
    assert half.spread == pytest.approx(both.spread / 2)


def test_a_class_that_is_not_augmented_loses_nothing_for_certain() -> None:
    found = expected_losses(forecast({CROP: CROPPED}))
    spared = found.of_policy(Policy("per_class", 0.8, THREE, (0, 1, 0), ({CROP: 0.2}, {})))
    assert spared is not None
    assert (spared.loss[0, 1], spared.spread[0, 1]) == (0.0, 0.0)
    assert spared.spread[0, 0] > 0
    assert found.of_policy(uniform({JITTER: 0.1}, THREE)) is None


def test_what_was_not_forecast_is_refused() -> None:
    with pytest.raises(SettingsError, match="one that was forecast"):
        expected_losses(forecast({CROP: CROPPED}), [JITTER])
