"""The best policy for all classes that the expected losses allow: never silent, with what it is forecast to give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

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
# Policies that are forecast to give less than this, mean and lowest recall together, are no better than training
# without: half a point is what five seeds can hardly show. Chosen by hand; not tuned.
_LEAST_GAIN = 0.005


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

    Policies are compared by the sum of mean and lowest expected recall. The search goes from no augmentation to
    where no change of the severities of one augmentation, or of two at once, gives more: with one at a time it missed
    the best of all combinations by up to 2.6 points in 8 % of the cases of random smooth losses (2 to 4 augmentations),
    with two by .3 in 1 of 300. Where nothing within the risk is better than no augmentation, fewer augmented views are
    tried, then leaving out the classes at risk; else none is recommended.

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
    sparing_space = replace(space, most_spared=max(1, int(_MOST_SPARED * len(class_names))))
    for share in [min(probability, _SPARING), *(share for share in shares if share < _SPARING)] if spares else []:
        best = sparing_space.climb(share)
        if sparing_space.gain(best, share) > _LEAST_GAIN:
            return sparing_space.found(best, share)
    free = replace(space, limits=Limits(limits.tolerance, 1.0))
    best = free.climb(probability)
    rejected = space.policy(best, probability) if any(best.values()) else free.neighbor(best, probability)
    return Found(uniform({}, class_names, probability), (), rejected)


# The severity of every augmentation, 0 for none.
_State = Mapping[str, int]


@dataclass(frozen=True)
class _Space:
    """The policies that are compared: one severity of every augmentation.

    Attributes:
        losses: What they are expected to cost.
        class_names: Names of the C classes.
        limits: What they may cost.
        most_spared: How many classes may be left out: those at more risk than is accepted.
    """

    losses: ExpectedLosses
    class_names: tuple[str, ...]
    limits: Limits
    most_spared: int = 0

    def climb(self, share: float) -> _State:
        """Return the severities from which no change of one or two gives more, starting without augmentation."""
        state: _State | None = dict.fromkeys(self.losses.losses, 0)
        while state is not None:
            best, state = state, self._better(state, share, 1) or self._better(state, share, 2)
        return best

    def _better(self, state: _State, share: float, changes: int) -> _State | None:
        """Return the best allowed policy after so many changes; None where that gives no more than the state."""
        best, most = None, self.gain(state, share) + 1e-12
        for others in self._neighbors(state, changes):
            cost = self._cost(others, share)
            gains = np.where(self._safe(cost), self._gains(cost), -np.inf)
            if gains.max() > most:
                best, most = others[int(gains.argmax())], gains.max()
        return best

    def gain(self, state: _State, share: float) -> float:
        """Return by how much mean and lowest expected recall together exceed those without augmentation."""
        return float(self._gains(self._cost([state], share))[0])

    def _gains(self, cost: Forecast) -> Floats:
        """Return the same for the costs of N policies, (N,)."""
        before = self.losses.accuracy
        if np.isnan(before).all():
            return np.zeros(len(cost.loss))
        loss = np.where(self._spared(cost), 0.0, cost.loss) if self.most_spared else cost.loss
        after = np.clip(before - loss, 0, 1)
        return np.asarray(np.nanmean(after, axis=1) - np.nanmean(before) + np.nanmin(after, axis=1) - np.nanmin(before))

    def neighbor(self, state: _State, share: float) -> Policy | None:
        """Return the best other policy that differs in one severity of one augmentation."""
        others = [other for group in self._neighbors(state) for other in group if any(other.values())]
        if not others:
            return None
        return self.policy(others[int(self._gains(self._cost(others, share)).argmax())], share)

    def found(self, state: _State, share: float) -> Found:
        """Return the policy of these severities without the classes at risk."""
        spared = self._spared(self._cost([state], share))[0]
        names = tuple(self.class_names[index] for index in np.flatnonzero(spared))
        return Found(sparing(self._values(state), self.class_names, names, share), names, self.policy(state, share))

    def policy(self, state: _State, share: float) -> Policy:
        """Return the policy of these severities."""
        return uniform(self._values(state), self.class_names, share)

    def _values(self, state: _State) -> dict[str, float]:
        return {name: self.losses.ladders[name][severity - 1] for name, severity in state.items() if severity}

    def _neighbors(self, state: _State, changes: int = 1) -> Iterator[list[_State]]:
        """Yield the policies that differ in the severities of just so many augmentations, for the same ones at once."""
        for names in combinations(self.losses.ladders, changes):
            others = [
                [step for step in range(len(self.losses.ladders[name]) + 1) if step != state[name]] for name in names
            ]
            yield [{**state, **dict(zip(names, severities, strict=True))} for severities in product(*others)]

    def _cost(self, states: Sequence[_State], share: float) -> Forecast:
        """Return what N policies cost, (N, C): as ``ExpectedLosses.of_policy``, without a policy's checks."""
        parts = []
        for name, found in self.losses.losses.items():
            severity = np.array([state[name] for state in states])
            if severity.any():
                done = severity[:, None] > 0
                loss, spread = (np.where(done, part[severity - 1], 0.0) for part in (found.loss, found.spread))
                parts.append((loss, spread))
        return self.losses.added(parts, share)

    def _safe(self, cost: Forecast) -> Bools:
        """Return whether no more classes than may be harmed or left out are at more risk than is accepted, (N,)."""
        safe: Bools = self._at_risk(cost).sum(axis=1) <= max(self.limits.all_but, self.most_spared)
        return safe

    def _spared(self, cost: Forecast) -> Bools:
        """Return which classes are left out, (N, C)."""
        return self._at_risk(cost) & (self.most_spared > 0)

    def _at_risk(self, cost: Forecast) -> Bools:
        """Return which classes are at more risk than is accepted, (N, C).

        A class without images, or that is not recognized, which has an infinite spread, has nothing to lose.
        """
        known = np.isfinite(cost.spread) & ~np.isnan(self.losses.accuracy)
        at_risk: Bools = known & (cost.risk(self.limits.tolerance) > self.limits.risk)
        return at_risk
