"""The best policy for all classes that the expected losses allow: never silent, with what it is forecast to give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cuesense.arrays import Bools, Floats
from cuesense.policies.expected_losses import ExpectedLosses
from cuesense.policies.policy import Policy, sparing, uniform
from cuesense.stats.training_loss import Forecast

# Shares of augmented views that are tried after the wanted one, in this order. Half of the views clean halved the
# losses of docs/budgets.md; a quarter is one step further. Chosen by hand; not tuned.
_FEWER_VIEWS = (0.5, 0.25)
# Classes are left out of the augmentation only with half of the views clean or more: with a fifth, networks recognized
# spared classes by being clean (docs/budgets.md, "Half of the views clean").
_SPARING = 0.5
# At most this share of the classes is left out (at least one class may be). Chosen by hand; not tuned.
_MOST_SPARED = 0.1
# Policies that are forecast to give less than this are no better than training without: a tenth of a point is far
# below what any number of trainings can show. Chosen by hand; not tuned.
_LEAST_GAIN = 0.001


@dataclass(frozen=True)
class Limits:
    """What a policy may cost.

    Attributes:
        tolerance: Recall that a class may lose, a fraction in (0, 1).
        risk: The largest chance, for each class, of losing more than that.
        all_but: How many classes may be harmed.
    """

    tolerance: float
    risk: float
    all_but: int = 0


@dataclass(frozen=True)
class Found:
    """The result of the search.

    Attributes:
        policy: What is recommended; without augmentations where training without is forecast to be best.
        spared: Names of the classes that get no augmentation.
        runner_up: The best other policy: where none is recommended, the best of all, whatever its risk; else the best
            with just one severity of one augmentation changed; None where there is no other.
    """

    policy: Policy
    spared: tuple[str, ...]
    runner_up: Policy | None


def search(
    losses: ExpectedLosses, class_names: Sequence[str], probability: float, limits: Limits, *, spares: bool = True
) -> Found:
    """Return the policy with the best expected mean and worst-class recall among those within the risk.

    Policies are compared by the sum of mean and lowest expected recall. The search goes from no augmentation, one
    severity of one augmentation at a time, to where no change gives more. Where nothing within the risk is better than
    no augmentation, fewer augmented views are tried, then leaving out the classes at risk; else none is recommended.

    Args:
        losses: What training with each augmentation is expected to cost.
        class_names: Names of the C classes.
        probability: The wanted share of augmented views, in (0, 1].
        limits: What the policy may cost.
        spares: Whether classes may be left out of the augmentation.

    Returns:
        The policy, never silent: where it is empty, the runner-up says what was rejected.
    """
    space = _Space(losses, tuple(class_names), limits)
    shares = [probability, *(share for share in _FEWER_VIEWS if share < probability)]
    for share in shares:
        best = space.climb(share)
        if space.gain(best, share) > _LEAST_GAIN:
            return Found(space.policy(best, share), (), space.neighbor(best, share))
    few = [min(probability, _SPARING), *(share for share in shares if share < _SPARING)] if spares else []
    found = next((found for found in map(space.spare, few) if found is not None), None)
    if found is not None:
        return found
    free = _Space(losses, tuple(class_names), Limits(limits.tolerance, 1.0))
    best = free.climb(probability)
    rejected = space.policy(best, probability) if any(best.values()) else free.neighbor(best, probability)
    return Found(uniform({}, class_names, probability), (), rejected)


# The severity of every augmentation, 0 for none.
_State = Mapping[str, int]


@dataclass(frozen=True)
class _Space:
    """The policies that are compared: one severity of every augmentation."""

    losses: ExpectedLosses
    class_names: tuple[str, ...]
    limits: Limits

    def climb(self, share: float, spared: Bools | None = None) -> _State:
        """Return the severities from which no single change gives more, starting without augmentation."""
        state: _State = dict.fromkeys(self.losses.losses, 0)
        while True:
            better = max(self._allowed(state, share, spared), key=lambda other: self.gain(other, share, spared))
            if self.gain(better, share, spared) <= self.gain(state, share, spared) + 1e-12:
                return state
            state = better

    def gain(self, state: _State, share: float, spared: Bools | None = None) -> float:
        """Return by how much mean and lowest expected recall together exceed those without augmentation."""
        before, after = self.losses.accuracy, self._recall(self._cost(state, share, spared))
        if np.isnan(before).all():
            return 0.0
        return float(np.nanmean(after) - np.nanmean(before) + np.nanmin(after) - np.nanmin(before))

    def neighbor(self, state: _State, share: float) -> Policy | None:
        """Return the best other policy that differs in one severity of one augmentation."""
        others = [other for other in self._neighbors(state) if any(other.values())]
        return self.policy(max(others, key=lambda other: self.gain(other, share)), share) if others else None

    def spare(self, share: float) -> Found | None:
        """Return the best policy that leaves out the few classes at risk; None where that gives nothing."""
        most = max(1, int(_MOST_SPARED * len(self.class_names)))
        free = _Space(self.losses, self.class_names, Limits(self.limits.tolerance, 1.0, len(self.class_names)))
        ordered = self._riskiest(self._cost(free.climb(share), share, None))[:most]
        for count in range(1, len(ordered) + 1):
            spared = np.isin(np.arange(len(self.class_names)), ordered[:count])
            best = self.climb(share, spared)
            if self.gain(best, share, spared) > _LEAST_GAIN:
                values = self._values(best)
                names = tuple(self.class_names[index] for index in np.flatnonzero(spared))
                return Found(sparing(values, self.class_names, names, share), names, self.policy(best, share))
        return None

    def policy(self, state: _State, share: float) -> Policy:
        """Return the policy of these severities."""
        return uniform(self._values(state), self.class_names, share)

    def _values(self, state: _State) -> dict[str, float]:
        return {name: self.losses.ladders[name][severity - 1] for name, severity in state.items() if severity}

    def _neighbors(self, state: _State) -> Iterator[_State]:
        for name, ladder in self.losses.ladders.items():
            yield from ({**state, name: severity} for severity in range(len(ladder) + 1) if severity != state[name])

    def _allowed(self, state: _State, share: float, spared: Bools | None) -> Iterator[_State]:
        """Yield the state itself and its neighbors within the risk."""
        yield state
        yield from (other for other in self._neighbors(state) if self._safe(self._cost(other, share, spared)))

    def _cost(self, state: _State, share: float, spared: Bools | None) -> Forecast:
        cost = self.losses.of_policy(self.policy(state, share))
        if cost is None:
            raise KeyError(f"no losses of one of {tuple(state)}")
        if spared is None:
            return cost
        return Forecast(np.where(spared, 0.0, cost.loss), np.where(spared, 0.0, cost.spread))

    def _recall(self, cost: Forecast) -> Floats:
        return np.clip(self.losses.accuracy - cost.loss[0], 0, 1)

    def _safe(self, cost: Forecast) -> bool:
        """Return whether no more classes than allowed are at a larger risk than is accepted."""
        return int((self._risk(cost) > self.limits.risk).sum()) <= self.limits.all_but

    def _risk(self, cost: Forecast) -> Floats:
        """Return each class's risk; 0 for a class that is not recognized or has no images, which has nothing to lose.

        What is not recognized has an infinite spread in a forecast.
        """
        known = np.isfinite(cost.spread[0]) & ~np.isnan(self.losses.accuracy)
        return np.where(known, cost.risk(self.limits.tolerance)[0], 0.0)

    def _riskiest(self, cost: Forecast) -> list[int]:
        risk = self._risk(cost)
        order = np.lexsort((np.arange(len(risk)), -np.nan_to_num(cost.loss[0]), -risk))
        return [int(index) for index in order if risk[index] > self.limits.risk]
