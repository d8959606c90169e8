"""Who is mistaken for whom: the pairs of classes that an augmentation confuses, in order, and as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cuesense.schemas.profile import ClassModel, CurveModel, Profile, RivalModel
from cuesense.types import Role

# One or two images that another class takes are chance as well: of 20 classes some lose one to another under any strong
# perturbation. Chosen by hand; not tuned.
FEWEST_TAKEN = 3


@dataclass(frozen=True)
class Confusion:
    """A class of which another takes images.

    Attributes:
        loser: Name of the class that loses images.
        taker: Name of the class that takes them.
        share: The largest share of the loser's images that it takes under one perturbation, in (0, 1].
        perturbation: That perturbation.
        others: Further perturbations under which it takes images, the largest share first.
    """

    loser: str
    taker: str
    share: float
    perturbation: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaks:
    """The largest leaks as a matrix.

    Attributes:
        losers: Names of the rows.
        takers: Names of the columns.
        cells: For every row and column the pair; None where none is known.
    """

    losers: tuple[str, ...]
    takers: tuple[str, ...]
    cells: tuple[tuple[Confusion | None, ...], ...]


def confusions(profile: Profile, role: Role = Role.AUGMENTATION) -> list[Confusion]:
    """Return the pairs of classes that perturbations of one role confuse.

    Args:
        profile: The profile; it counts who takes images at the strongest value of each perturbation.
        role: Augmentations, or another role.

    Returns:
        Every pair once, the largest share first; equal shares in the order of the classes. Pairs of less than three
        images are left out.
    """
    of_role = {curve.perturbation: curve for curve in profile.curves if curve.role is role}
    found: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for entry in profile.classes:
        for rival in entry.rivals:
            if rival.perturbation in of_role and is_notable(rival, entry, of_role[rival.perturbation]):
                found.setdefault((entry.name, rival.rival), []).append((rival.share, rival.perturbation))
    pairs = []
    for (loser, taker), taken in found.items():
        (share, name), *rest = sorted(taken, key=lambda part: -part[0])
        pairs.append(Confusion(loser, taker, share, name, tuple(other for _, other in rest)))
    return sorted(pairs, key=lambda pair: -pair.share)


def is_notable(rival: RivalModel, entry: ClassModel, curve: CurveModel) -> bool:
    """Whether a class takes three images or more of another, at the strongest value of the rival's perturbation."""
    return round(rival.share * curve.images_at(len(curve.values))[entry.index], 6) >= FEWEST_TAKEN


def main_taker(entry: ClassModel, curve: CurveModel) -> RivalModel | None:
    """Return the class that takes most of a class's images at a perturbation's strongest value.

    Args:
        entry: The class that loses images.
        curve: The curve of the perturbation.

    Returns:
        It with its share of the class's images; None where no class takes three of them.
    """
    of_curve = [rival for rival in entry.rivals if rival.perturbation == curve.perturbation]
    taken = [rival for rival in of_curve if is_notable(rival, entry, curve)]
    return max(taken, key=lambda rival: rival.share, default=None)


def leaks(pairs: Sequence[Confusion], most: int) -> Leaks:
    """Return the matrix of the largest leaks, in an order in which those who share a taker stand together.

    Args:
        pairs: The pairs, the largest share first.
        most: How many rows and how many columns there are at most.

    Returns:
        Columns by how much they take in all, rows by the column that takes most of them, then by how much.
    """
    losers = list(dict.fromkeys(pair.loser for pair in pairs))[:most]
    of_losers = [pair for pair in pairs if pair.loser in losers]
    takers = list(dict.fromkeys(pair.taker for pair in of_losers))[:most]
    shown = {(pair.loser, pair.taker): pair for pair in of_losers if pair.taker in takers}
    # A row whose takers are all beyond the last column would be empty.
    losers = [loser for loser in losers if any(pair.loser == loser for pair in shown.values())]
    taken = {taker: sum(pair.share for pair in shown.values() if pair.taker == taker) for taker in takers}
    takers.sort(key=lambda taker: -taken[taker])
    largest = {loser: max((p for p in shown.values() if p.loser == loser), key=lambda p: p.share) for loser in losers}
    losers.sort(key=lambda loser: (takers.index(largest[loser].taker), -largest[loser].share))
    cells = tuple(tuple(shown.get((loser, taker)) for taker in takers) for loser in losers)
    return Leaks(tuple(losers), tuple(takers), cells)
