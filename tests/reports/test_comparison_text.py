"""Sentences about a comparison."""

from __future__ import annotations

import pytest

from cuesense.comparison.compare import compare
from cuesense.reports.comparison_text import (
    budget_changes,
    budget_counts,
    changed_cues,
    cue_changed,
    headline,
    is_significant,
    ranked,
    side_name,
    undetermined_cues,
)
from cuesense.reports.text import quoted
from cuesense.schemas.comparison import BudgetChange, ClassComparison, Comparison
from cuesense.types import BudgetStatus, CueVerdict
from tests.helpers.profiles import profile


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(profile(12, images=100), profile(12, images=100, seed=1))


@pytest.mark.parametrize(
    ("value", "p", "said"),
    [
        (
            0.012,
            0.2,
            "B recognizes 1.2 points more of the clean images than A [−5.0, 5.0], which may be chance (p = 0.2).",
        ),
        (
            -0.012,
            0.05,
            "B recognizes 1.2 points fewer of the clean images than A [−5.0, 5.0], which is certain (p = 0.05).",
        ),
        (0.0, 1.0, "B recognizes as many of the clean images as A [−5.0, 5.0]."),
        (None, None, "Their accuracies cannot be compared: one of the two has no images."),
    ],
)
def test_the_headline_says_how_much_and_how_sure(
    value: float | None, p: float | None, said: str, found: Comparison
) -> None:
    change = found.accuracy.model_copy(update={"value": value, "low": -0.05, "high": 0.05, "p": p})
    assert headline(found.model_copy(update={"accuracy": change}))[0].startswith(f"{said} Of 12 classes ")


def surest(entry: ClassComparison) -> float:
    """Return the largest difference of a class that is certain, clean or under an augmentation; 0 where none is."""
    sure = [part.value or 0.0 for part in (entry.accuracy, *entry.under.values()) if is_significant(part)]
    return max(sure, key=abs, default=0.0)


def test_it_names_the_classes_cues_and_budgets_that_differ(found: Comparison) -> None:
    sentences = headline(found)
    changes = {entry.name: surest(entry) for entry in found.classes}
    worst = min(changes, key=lambda name: changes[name])
    lost, gained = (sum(sign * value > 0 for value in changes.values()) for sign in (-1, 1))
    _, _, said = sentences[0].partition(" Of 12 classes ")
    assert said.startswith(f"{lost} lost ('{worst}' {-100 * changes[worst]:.1f} points")
    assert f") and {gained} gained ('" in said
    assert gained > 4
    assert f" and {gained - 4} more), at a false discovery rate of 5 %" in said
    assert said.endswith("`cuesense check B --baseline A` makes a gate of it.")
    assert sentences[1].startswith(f"The cue of {changed_cues(found)} of 12 classes changed: '")
    counts = [change.change for entry in found.classes for change in entry.budgets.values()]
    assert sentences[2].startswith(
        f"Of 72 budgets {counts.count('stronger')} allow more in B than in A and {counts.count('weaker')} less;"
    )
    assert sum(sum(part.values()) for _, part in budget_counts(found)) == 72


@pytest.mark.parametrize(
    ("sides", "unknown"),
    [("b", "in B for 12"), ("a", "in A for 12"), ("ab", "in A for 12 and in B for 12")],
)
def test_a_cue_that_is_undetermined_in_one_of_the_two_has_not_changed(sides: str, unknown: str) -> None:
    few, known = (profile(12, images=100) for _ in range(2))
    classes = [entry.model_copy(update={"cue": CueVerdict.UNDETERMINED}) for entry in few.classes]
    labels = dict.fromkeys(few.summary.labels, 0) | {CueVerdict.UNDETERMINED: 12}
    summary = few.summary.model_copy(update={"labels": labels})
    few = few.model_copy(update={"classes": classes, "summary": summary})
    found = compare(*(few if side in sides else known for side in "ab"))
    assert found.labels_changed == (0 if sides == "ab" else 12)
    assert changed_cues(found) == 0
    assert undetermined_cues(found) == f"not known {unknown}"
    sentence = f"The cue of 0 of 12 classes changed; it is not known {unknown}."
    assert (sentence in headline(found)) == (sides != "ab")


def test_cues_that_changed_stand_beside_those_that_are_not_known(found: Comparison) -> None:
    first = next(entry for entry in found.classes if cue_changed(entry))
    label = first.label.model_copy(update={"b": CueVerdict.UNDETERMINED})
    classes = [first.model_copy(update={"label": label}) if entry is first else entry for entry in found.classes]
    side = found.b.model_copy(update={"labels": {CueVerdict.UNDETERMINED: 1}})
    said = headline(found.model_copy(update={"classes": classes, "b": side}))[1]
    assert said.startswith(f"The cue of {changed_cues(found) - 1} of 12 classes changed: '")
    assert quoted(first.name) not in said
    assert said.endswith("; it is not known in B for 1.")


def test_a_model_against_itself_differs_in_nothing() -> None:
    same = compare(profile(4), profile(4))
    (said,) = headline(same)
    assert said.endswith(
        "None of 4 classes is shown to differ, clean or under an augmentation, at a false discovery rate of 5 %. Next: "
        "to tell smaller differences, analyze more images of each class."
    )


def test_a_class_that_differs_under_an_augmentation_alone_is_named_with_it(found: Comparison) -> None:
    """The one class gains, whatever the others do: none of them differs for certain."""
    chance = found.classes[0].accuracy.model_copy(update={"q": 1.0, "value": -0.3})
    level = [
        entry.model_copy(update={"accuracy": chance, "under": dict.fromkeys(entry.under, chance)})
        for entry in found.classes
    ]
    sure = chance.model_copy(update={"q": 0.05, "value": 0.2})
    gained = level[1].model_copy(update={"under": {**level[1].under, "color_jitter": sure}})
    said = headline(found.model_copy(update={"classes": [level[0], gained, *level[2:]]}))[0]
    assert f"Of 12 classes none lost and 1 gained ('{gained.name}' 20.0 points under jitter), at a" in said
    assert said.endswith("Next: take B, as no class is shown to lose.")


def test_budgets_are_called_as_everywhere(found: Comparison) -> None:
    changed = BudgetChange(
        a=180.0, b=None, status_a=BudgetStatus.UNLIMITED, status_b=BudgetStatus.NONE, change="weaker"
    )
    same = changed.model_copy(update={"change": "same"})
    entry = found.classes[0].model_copy(update={"budgets": {"random_rotation": changed, "color_jitter": same}})
    assert budget_changes(found, entry) == [("rotate", "any → none", "weaker")]
    limited = changed.model_copy(update={"a": 30.0, "status_a": BudgetStatus.LIMITED})
    entry = entry.model_copy(update={"budgets": {"random_rotation": limited}})
    assert budget_changes(found, entry) == [("rotate", "30° → none", "weaker")]


def test_models_are_named_without_their_folders(found: Comparison) -> None:
    side = found.a.model_copy(update={"model": "/home/me/old.pt2"})
    assert side_name(found.model_copy(update={"a": side}), "a") == "old.pt2"
    assert len(ranked(found)) == 12
