"""Which strength is chosen, by exhaustive comparison on small sweeps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuesense.sweeps.losses import class_losses, safety_bounds
from cuesense.sweeps.strength_choice import choose
from tests.helpers.simulated_sweeps import Truth, level, simulated


def test_the_average_and_the_worst_class_disagree() -> None:
    accuracy = np.array([[0.7, 0.7, 0.7, 0.7], [0.9, 0.9, 0.9, 0.5]])
    sweep = simulated(Truth(accuracy, images=400), 0)
    found = choose(sweep, class_losses(sweep, 0.95), 0.05, 0.95)
    assert (found.by_mean, found.by_worst_class) == (1, 0)
    assert found.unharmed is None
    assert found.safety == ("unsafe", "unsafe")
    assert found.safe is None
    assert found.seeds_needed is None


def test_the_average_is_over_images_not_classes() -> None:
    sweep = simulated(Truth(np.array([[0.9, 0.5], [0.8, 0.7]]), images=400), 0)
    images = np.tile([900, 100], (len(sweep.seeds), 1))
    assert choose(sweep, class_losses(sweep, 0.95), 0.05, 0.95).by_mean == 1
    weighted = replace(sweep, images=images)
    assert choose(weighted, class_losses(weighted, 0.95), 0.05, 0.95).by_mean == 0


def test_the_safe_strength_is_the_best_average_that_is_shown_to_be_safe() -> None:
    accuracy = level(3, 4) * 0 + np.array([[0.8], [0.81], [0.9]])
    accuracy[2, 0] = 0.6
    sweep = simulated(Truth(accuracy, images=3000, runs=8), 1, per_image=True)
    found = choose(sweep, class_losses(sweep, 0.95), 0.12, 0.95)
    assert found.by_mean == 2
    assert found.safety == ("safe", "safe", "unsafe")
    assert found.safe == 1
    assert found.seeds_needed is None


def test_seeds_needed_is_the_first_number_that_would_do() -> None:
    sweep = simulated(Truth(level(3, 4), images=2000, runs=2, difficulty=0.05), 4)
    found = class_losses(sweep, 0.95)
    tolerance = 0.9 * float(np.nanmin(safety_bounds(found, sweep.runs, 0.95)))
    chosen = choose(sweep, found, tolerance, 0.95)
    assert set(chosen.safety) == {"undetermined"}
    assert chosen.seeds_needed is not None
    assert safety_bounds(found, np.full(3, chosen.seeds_needed), 0.95).min() <= tolerance
    assert safety_bounds(found, np.full(3, chosen.seeds_needed - 1), 0.95).min() > tolerance


@pytest.mark.parametrize("runs", [1, 2])
def test_what_cannot_be_told_is_undetermined(runs: int) -> None:
    sweep = simulated(Truth(level(3, 4), images=30, runs=runs), 0)
    found = choose(sweep, class_losses(sweep, 0.95), 0.01, 0.95)
    assert set(found.safety) == {"undetermined"}
    assert found.safe is None
    assert found.seeds_needed is None
    assert (found.unharmed is None) == (runs == 1)


@pytest.mark.parametrize(("runs", "needed"), [(700, 700), (1000, 1000), (1001, None), (1500, None)])
def test_more_than_a_thousand_seeds_are_not_suggested(runs: int, needed: int | None) -> None:
    """The tolerance is the bound that so many runs of each strength would have."""
    sweep = simulated(Truth(level(3, 4), images=2000, runs=2, difficulty=0.05), 4)
    found = class_losses(sweep, 0.95)
    tolerance = float(safety_bounds(found, np.full(3, runs), 0.95).min())
    assert choose(sweep, found, tolerance, 0.95).seeds_needed == needed


def test_a_bound_at_the_tolerance_is_within_it() -> None:
    sweep = simulated(Truth(level(3, 4), images=2000), 1)
    found = class_losses(sweep, 0.95)
    bound = float(safety_bounds(found, sweep.runs, 0.95).min())
    assert choose(sweep, found, bound, 0.95).safety.count("safe") == 1
    assert "safe" not in choose(sweep, found, float(np.nextafter(bound, 0)), 0.95).safety


def test_a_loss_shown_at_the_tolerance_is_not_above_it() -> None:
    accuracy = np.full((2, 3), 0.8)
    accuracy[1, 0] = 0.5
    sweep = simulated(Truth(accuracy, images=400), 0)
    found = class_losses(sweep, 0.95)
    shown = float(found.losses.low[1].max())
    assert shown > 0.1
    assert choose(sweep, found, shown, 0.95).safety[1] == "undetermined"
    assert choose(sweep, found, float(np.nextafter(shown, 0)), 0.95).safety[1] == "unsafe"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_every_choice_is_that_of_a_plain_loop(seed: int, runs: int) -> None:
    """Accuracies of a few values, so that strengths tie: the mildest of equals is chosen."""
    rng = np.random.default_rng(seed)
    sweep = simulated(Truth(level(4, 3), images=40, runs=runs), seed)
    coarse = rng.choice([0.25, 0.5, 0.75], (4, 3))[sweep.strength_of]
    sweep = replace(sweep, accuracy=coarse + 0.025 * rng.integers(0, 2, coarse.shape))
    found = class_losses(sweep, 0.9)
    chosen = choose(sweep, found, 0.2, 0.9)
    bounds = safety_bounds(found, sweep.runs, 0.9)
    best: dict[str, tuple[float, int] | None] = dict.fromkeys(("mean", "worst", "unharmed", "safe"))
    verdicts = []
    for place in range(4):
        shown = [low for low in found.losses.low[place] if np.isfinite(low)]
        safe = bool(bounds[place] <= 0.2)
        verdicts.append("safe" if safe else "unsafe" if shown and max(shown) > 0.2 else "undetermined")
        candidates = {
            "mean": (found.mean[place], True),
            "worst": (min(found.accuracy[place]), True),
            "unharmed": (found.mean[place], bool(shown) and max(shown) <= 0),
            "safe": (found.mean[place], safe),
        }
        for rule, (score, allowed) in candidates.items():
            known = best[rule]
            if allowed and (known is None or score > known[0]):
                best[rule] = (score, place)
    assert chosen.safety == tuple(verdicts)
    places = {rule: None if known is None else known[1] for rule, known in best.items()}
    assert places == {
        "mean": chosen.by_mean,
        "worst": chosen.by_worst_class,
        "unharmed": chosen.unharmed,
        "safe": chosen.safe,
    }
    assert chosen.seeds_needed is None or chosen.safe is None


def test_more_tolerance_never_makes_a_strength_unsafe() -> None:
    accuracy = np.full((4, 4), 0.85)
    accuracy[2:, 0] -= np.array([0.1, 0.3])
    sweep = simulated(Truth(accuracy, images=400), 2)
    found = class_losses(sweep, 0.95)
    order = {"unsafe": 0, "undetermined": 1, "safe": 2}
    ranks = np.array(
        [
            [order[verdict] for verdict in choose(sweep, found, tolerance, 0.95).safety]
            for tolerance in (0.01, 0.05, 0.1, 0.2, 0.5)
        ]
    )
    assert (np.diff(ranks, axis=0) >= 0).all()
    assert ranks[0, 3] == 0
    assert ranks[-1].tolist() == [2] * 4
