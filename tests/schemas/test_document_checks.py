"""Audits, comparisons, gates and verifications that contradict themselves are refused with their field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.schemas.schema_files import CONTRACTS
from tests.helpers import audits
from tests.helpers.contract_documents import OLD, real


@pytest.mark.parametrize(
    ("name", "path", "value", "said"),
    [
        ("audit", ("strengths",), [], "no strength in 'strengths'"),
        ("audit", ("strengths",), [0.1, 0.1], "'0.1' twice in 'strengths'"),
        ("audit", ("runs",), [1], "1 values in 'runs', where there are 2 strengths"),
        ("audit", ("safety",), [], "0 values in 'safety'"),
        ("audit", ("mean_low",), [None] * 3, "3 values in 'mean_low'"),
        ("audit", ("worst_class", 0), "lime", "the unknown class 'lime' in 'worst_class'"),
        ("audit", ("tolerance",), 1, "1 in 'tolerance'"),
        ("audit", ("confidence",), 0.4, "0.4 in 'confidence'"),
        ("audit", ("chosen_by_mean",), "light", "the strength 'light' in 'chosen_by_mean'"),
        ("audit", ("chosen_safe",), 0.2, "the strength '0.2' in 'chosen_safe'"),
        ("audit", ("classes", 0, "accuracy"), [0.5], "'classes.0.accuracy'"),
        ("audit", ("classes", 0, "accuracy_high"), [], "'classes.0.accuracy_high'"),
        ("audit", ("classes", 0, "best_strength"), 7, "the strength '7.0' in 'classes.0.best_strength'"),
        ("audit", ("classes", 0, "harmed_at"), [0.1, 5], "the strength '5.0' in 'classes.0.harmed_at'"),
        ("audit", ("classes", 0, "n"), -5, "-5 in 'classes.0.n'"),
        ("comparison", ("confidence",), 0, "0 in 'confidence'"),
        ("comparison", ("classes", 0, "images_b"), -4, "-4 in 'classes.0'"),
        ("comparison", ("accuracy", "low"), 0.9, "a lower bound above the upper one in 'accuracy'"),
        ("gate", ("confidence",), 1.5, "1.5 in 'confidence'"),
        ("gate", ("results", 0, "limit"), 1, "1 in 'results.0.limit'"),
        ("gate", ("results", 0, "holds"), False, "0 violations in 'results.0', which says that it does not hold"),
        ("gate", ("results", 0, "worst", "images"), -1, "-1 in 'results.0.images'"),
        ("verification", ("tolerance",), -1, "-1 in 'tolerance'"),
        ("verification", ("arms", 0, "worst"), 1.2, "1.2 in 'arms.0'"),
        ("verification", ("arms", 0, "lowest_gain"), 1.2, "1.2 in 'arms.0.lowest_gain'"),
        ("verification", ("arms", 0, "classes", 0, "recall"), -0.2, "-0.2 in 'arms.0.classes.0'"),
    ],
)
def test_what_cannot_be_is_named(
    name: str, path: tuple[str | int, ...], value: object, said: str, tmp_path: Path
) -> None:
    content: Any = copy.deepcopy(OLD[name])
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    file = tmp_path / "document.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        CONTRACTS[name].read(file)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["audit", "comparison", "gate", "verification"])
def test_genuine_documents_have_no_problem(name: str) -> None:
    assert list(real(name).problems()) == []
    assert list(CONTRACTS[name].model_validate(OLD[name]).problems()) == []


@pytest.mark.parametrize("seed", range(3))
def test_genuine_audits_have_no_problem(seed: int) -> None:
    known = audits.sweep(4, runs=2, images=40, empty=(1,), seed=seed)
    assert list(audits.audit(known).problems()) == []
