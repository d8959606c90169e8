"""What trackers get of a profile."""

from __future__ import annotations

import pytest

from cuesense.errors import SettingsError
from cuesense.reports.loggers.content import class_table, library, scalars
from tests.helpers.graded_profiles import graded
from tests.helpers.planted_profiles import limited_profile
from tests.helpers.profiles import profile


def test_numbers_have_steady_names() -> None:
    source = profile(12)
    found = scalars(source)
    assert found["cuesense/clean_accuracy"] == source.summary.clean_accuracy
    assert found["cuesense/worst_class_accuracy"] == source.summary.worst_class_accuracy
    counts = {name: value for name, value in found.items() if name.startswith("cuesense/classes_by_cue/")}
    assert sum(counts.values()) == 12
    assert "cuesense/classes_by_cue/fine-detail" in counts or "cuesense/classes_by_cue/shape" in counts
    assert all(isinstance(value, float) for value in found.values())


def test_the_worst_loss_is_that_at_the_usual_strength() -> None:
    source = limited_profile()
    classes = [
        entry.model_copy(
            update={
                "budgets": {
                    "color_jitter": entry.budgets["color_jitter"].model_copy(
                        update={"expected": [0.0, 0.0, 0.1 * entry.index, 0.9]}
                    )
                }
            }
        )
        for entry in source.classes
    ]
    found = scalars(source.model_copy(update={"classes": classes}))
    # 0.4 is the usual strength of color jitter and the third severity.
    assert {name: value for name, value in found.items() if "worst_loss" in name} == {
        "cuesense/worst_loss/color_jitter": pytest.approx(0.2)
    }


def test_unknown_numbers_are_left_out() -> None:
    assert not any("accuracy" in name for name in scalars(profile(1, empty=1)))


def test_classes_are_rows_with_plain_values_the_strongest_lean_first() -> None:
    source = graded(12, empty=1)
    frame = class_table(source)
    assert list(frame["name"]) == [entry.name for entry in source.classes_by_lean]
    assert {type(value) for value in frame.to_numpy().ravel()} <= {str, int, float, bool, type(None)}
    assert frame.iloc[-1]["clean_accuracy"] is None


def test_a_missing_library_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match=r"Expected A to be installed, .*Install it: pip install 'cuesense\[a\]'"):
        library("no_such_library_at_all", "A", "a")
