"""An audit with the values that its page, its charts and its terminal tables share, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cuesense.schemas.audit import Audit, ClassAudit, Strength


@dataclass(frozen=True)
class Choice:
    """One way to choose a strength.

    Attributes:
        title: What is looked for.
        short: The same in one or two words.
        index: Position of the chosen strength, 0 for the mildest; None where no strength fulfills it.
        cost: Mean accuracy that is lower than the best one by so much, as a fraction; None where there is no strength.
    """

    title: str
    short: str
    index: int | None
    cost: float | None


@dataclass(frozen=True)
class AuditView:
    """An audit whose strengths are positions, 0 for the mildest of S.

    The JSON file names strengths by their values, numbers or words, which are its keys. They are looked up here and
    nowhere else in the reports.

    Attributes:
        audit: The audit.
        best: Position of the strength with the best mean accuracy.
        safe: Position of the safe strength with the best mean accuracy, None where there is none.
        choices: The four ways to choose a strength: best mean accuracy, best worst class, no class harmed, safe.
        harmed: Classes that are shown to lose accuracy at the best mean accuracy, the largest loss first.
        gaining: Classes that are shown to gain there against the mildest strength, the largest gain first.
        harmed_counts: At each strength, how many classes are shown to be harmed; None where that is unknown. Length S.
        best_of_class: Position of each class's own best strength, by the class's index; None without images.
    """

    audit: Audit
    best: int
    safe: int | None
    choices: tuple[Choice, Choice, Choice, Choice]
    harmed: tuple[ClassAudit, ...]
    gaining: tuple[ClassAudit, ...]
    harmed_counts: tuple[int | None, ...]
    best_of_class: Mapping[int, int | None]

    @property
    def last(self) -> int:
        """Position of the strongest strength."""
        return len(self.audit.strengths) - 1

    @property
    def harm_is_known(self) -> bool:
        """Whether it is known of any class if it is harmed; from one run of each strength it is not."""
        return self.audit.harmed is not None


def view(audit: Audit) -> AuditView:
    """Return an audit with its strengths as positions.

    Args:
        audit: The audit; a strength that it names must be one of its ``strengths``.

    Raises:
        KeyError: It names another one.
    """
    position: dict[Strength | None, int | None] = {strength: at for at, strength in enumerate(audit.strengths)}
    position[None] = None
    return AuditView(
        audit=audit,
        best=audit.strengths.index(audit.chosen_by_mean),
        safe=position[audit.chosen_safe],
        choices=(
            Choice("Best mean accuracy", "mean", position[audit.chosen_by_mean], 0.0),
            Choice(
                "Best worst class", "worst class", position[audit.chosen_by_worst_class], audit.price.by_worst_class
            ),
            Choice(
                "Best mean accuracy with no class shown to be harmed",
                "no harm",
                position[audit.chosen_unharmed],
                audit.price.unharmed,
            ),
            Choice("Best mean accuracy of the safe strengths", "safe", position[audit.chosen_safe], audit.price.safe),
        ),
        harmed=tuple(sorted((e for e in audit.classes if e.harmed), key=lambda entry: -(entry.loss or 0.0))),
        gaining=tuple(sorted((e for e in audit.classes if e.gains), key=lambda entry: -(entry.gain or 0.0))),
        harmed_counts=_harmed_counts(audit),
        best_of_class={entry.index: position[entry.best_strength] for entry in audit.classes},
    )


def _harmed_counts(audit: Audit) -> tuple[int | None, ...]:
    if audit.harmed is None:
        return (None,) * len(audit.strengths)
    harmed_at = [set(entry.harmed_at) for entry in audit.classes]
    return tuple(sum(strength in found for found in harmed_at) for strength in audit.strengths)
