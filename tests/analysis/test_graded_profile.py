"""Where each number of the graded answer stands in the profile."""

from __future__ import annotations

import numpy as np
import pytest

from cuesense.analysis.graded import grade
from cuesense.analysis.graded_profile import class_kept, class_leans, graded_summary
from cuesense.perturbations.ablations import COLUMNS, Column
from cuesense.types import Cue
from tests.helpers.graded_predictions import MECHANISMS, sampled

NAMES = ("ant", "bee", "cow", "dodo")
SIZES = np.array([40, 40, 40, 0])
SHARES = {
    ablation: np.array([0.9, 0.6, 0.2, 0.5])[:: 1 if column.alone else -1]
    for column in COLUMNS
    for ablation in column.mechanisms
}
ANSWER = grade(sampled(SHARES, SIZES, np.random.default_rng(0)), 0.95)


def test_every_class_has_every_column() -> None:
    for index, images in enumerate(SIZES):
        kept = class_kept(ANSWER, index)
        assert list(kept) == [column.name for column in COLUMNS]
        for name, found in kept.items():
            column = ANSWER.columns[name]
            if not images:
                assert (found.value, found.low, found.high, found.observed, found.images) == (None, None, None, None, 0)
                continue
            assert found.value == pytest.approx(column.shares.value[index], abs=1e-6)
            assert found.low == pytest.approx(column.shares.low[index], abs=1e-6)
            assert found.high == pytest.approx(column.shares.high[index], abs=1e-6)
            assert found.observed == pytest.approx(column.kept.share[index], abs=1e-6)
            assert found.images == round(column.kept.images[index])


def test_every_class_leans_by_every_cue() -> None:
    leans = class_leans(ANSWER, 4)
    for cue, found in ANSWER.cues.items():
        value, low, high = found.lean
        for index in range(3):
            lean = leans[index][cue]
            assert (lean.value, lean.low, lean.high) == pytest.approx((value[index], low[index], high[index]), abs=1e-6)
            assert lean.reliance.value == pytest.approx(found.bounded_reliance[0][index], abs=1e-6)
            assert (lean.above, lean.below, lean.of) == (found.above[index], found.below[index], 2)
            assert lean.top_fifth == pytest.approx(found.top_fifth[index], abs=1e-6)
            assert lean.sentence.startswith(f"relies on {cue} ")
        assert [leans[index][cue].rank for index in found.order] == [1, 2, 3]
        assert leans[3][cue].model_dump(exclude={"reliance"}) == {
            "value": None,
            "low": None,
            "high": None,
            "rank": None,
            "above": 0,
            "below": 0,
            "of": 0,
            "top_fifth": None,
            "sentence": "",
        }


def test_the_summary_holds_columns_orders_and_pairs() -> None:
    found = graded_summary(ANSWER, NAMES, SIZES)
    assert list(found.columns) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        entry, seen = found.columns[column.name], ANSWER.columns[column.name]
        assert (entry.cue, entry.alone, entry.combined) == (column.cue, column.alone, column.combined)
        assert entry.mechanisms == [f"{each.perturbation} {each.value:g}" for each in column.mechanisms]
        assert entry.mean.value == pytest.approx(seen.mean.value, abs=1e-6)
        assert (entry.reliability, entry.spread) == pytest.approx((seen.reliability, seen.spread), abs=1e-6)
        assert entry.alike == seen.alike
        assert entry.sentence
    assert list(found.lean) == [Cue.SHAPE, Cue.TEXTURE, Cue.COLOR]
    assert (found.pairs.pairs, found.pairs.told_apart) == (3, ANSWER.told_apart)
    for entry in found.sharpen:
        assert {entry.first, entry.second} <= set(NAMES)
        assert f"separate {entry.first} from {entry.second} in {entry.cue}" in entry.sentence


def test_what_was_not_measured_is_null_and_says_what_it_needs() -> None:
    (column,) = [column for column in COLUMNS if column.name == "without_color"]
    shares = {column.mechanisms[0]: np.array([0.1, 0.9])}
    found = grade(sampled(shares, 20, np.random.default_rng(0)), 0.95)
    summary = graded_summary(found, NAMES[:2], np.array([20, 20]))
    alone = summary.columns["color_alone"]
    assert (alone.mean.value, alone.reliability, alone.mechanisms) == (None, None, [])
    assert alone.sentence.startswith("What is kept on color alone was not measured: it needs ")
    assert summary.lean[Cue.SHAPE].mean.value is None
    assert summary.lean[Cue.SHAPE].sentence == "Nothing was measured without shape or on shape alone."
    assert class_kept(found, 0)["color_alone"].value is None
    assert class_leans(found, 2)[0][Cue.SHAPE].value is None
    assert class_leans(found, 2)[0][Cue.COLOR].value is not None


def test_the_best_mechanism_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = MECHANISMS[:2]
    best = Column("without_color", Cue.COLOR, False, (first, second), "best")
    monkeypatch.setattr("cuesense.analysis.kept.kept_by_column.__defaults__", ((best,),))
    shares = {first: np.array([0.9, 0.1]), second: np.array([0.2, 0.8])}
    found = grade(sampled(shares, 40, np.random.default_rng(0)), 0.95)
    named = [class_kept(found, index)["without_color"].mechanism for index in (0, 1)]
    assert named == [f"{each.perturbation} {each.value:g}" for each in (first, second)]
