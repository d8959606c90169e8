"""Strengths as positions, found once."""

from __future__ import annotations

import pytest

from cuesense.reports.audit_view import view
from cuesense.schemas.audit import Audit
from tests.helpers import audits


@pytest.fixture(scope="module")
def audit() -> Audit:
    return audits.audit(audits.sweep(planted={0: 0.3, 4: 0.12}))


def test_positions_name_the_strengths_of_the_audit(audit: Audit) -> None:
    found = view(audit)
    chosen = (audit.chosen_by_mean, audit.chosen_by_worst_class, audit.chosen_unharmed, audit.chosen_safe)
    for choice, strength in zip(found.choices, chosen, strict=True):
        assert (None if choice.index is None else audit.strengths[choice.index]) == strength
    assert audit.strengths[found.best] == audit.chosen_by_mean
    assert found.last == 3
    for entry in audit.classes:
        assert audit.strengths[found.best_of_class[entry.index]] == entry.best_strength
    assert [choice.cost for choice in found.choices][:2] == [0.0, audit.price.by_worst_class]


def test_harmed_and_gaining_classes_are_ranked(audit: Audit) -> None:
    found = view(audit)
    assert [entry.name for entry in found.harmed] == ["teapot", "bus"]
    gains = [entry.gain for entry in found.gaining]
    assert gains == sorted(gains, reverse=True)
    assert {entry.index for entry in found.gaining} == {entry.index for entry in audit.classes if entry.gains}


def test_harmed_classes_are_counted_at_every_strength(audit: Audit) -> None:
    counts = [sum(strength in entry.harmed_at for entry in audit.classes) for strength in audit.strengths]
    assert list(view(audit).harmed_counts) == counts


def test_from_one_run_of_each_strength_harm_is_not_known() -> None:
    found = view(audits.audit(audits.sweep(runs=1)))
    assert not found.harm_is_known
    assert found.harmed_counts == (None,) * 4
    assert view(audits.audit()).harm_is_known


def test_words_and_classes_without_images() -> None:
    words = ("none", "light", "heavy", "ultra")
    found = view(audits.audit(audits.sweep(strengths=words, empty=[3])))
    assert found.best_of_class[3] is None
    assert found.best == 3
    assert found.safe is None


def test_a_strength_that_the_audit_does_not_have_is_an_error(audit: Audit) -> None:
    with pytest.raises(KeyError):
        view(audit.model_copy(update={"chosen_safe": 0.3}))
