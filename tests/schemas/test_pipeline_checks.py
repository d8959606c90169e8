"""What no profile can say of a training transform is refused."""

from __future__ import annotations

import pytest

from cuesense.schemas.pipeline_checks import pipeline_problems
from cuesense.schemas.profile import PipelineModel
from tests.helpers.pipeline_predictions import pipeline, predictions, some_profile, step


def costs() -> PipelineModel:
    from cuesense.analysis.pipeline_costs import pipeline_costs

    known, measured = some_profile(), pipeline(step("a", augmentation="random_erasing", value=0.3), step("b"))
    return pipeline_costs(measured, predictions(measured, {"a": (0, 5, 0, 20)}, known), known)


NAMES = [entry.name for entry in some_profile().classes]


def test_what_was_measured_has_no_problem() -> None:
    assert list(pipeline_problems(costs(), NAMES)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"steps": []}, "no step"),
        ({"shares": [0.5]}, "4 values in 'pipeline.whole'"),
        ({"shares": [0.25, 0.5, 0.75, 2.0]}, "2 in 'pipeline.shares'"),
        ({"repeats": 0}, "0 in 'pipeline.repeats'"),
    ],
)
def test_impossible_transforms(changes: dict[str, object], problem: str) -> None:
    assert problem in next(pipeline_problems(costs().model_copy(update=changes), NAMES))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lost": [1]}, "1 values in 'pipeline.steps.0.lost'"),
        ({"lost": [-1, 0, 0, 0]}, "-1 in 'pipeline.steps.0.lost'"),
        ({"probability": 1.5}, "1.5 in 'pipeline.steps.0.probability'"),
        ({"beyond": ["unicorn"]}, "unicorn"),
        ({"certain": ["unicorn"]}, "unicorn"),
        ({"worst_class": "unicorn"}, "unicorn"),
        ({"name": "b"}, "'b' twice in 'pipeline.steps.name'"),
    ],
)
def test_impossible_steps(changes: dict[str, object], problem: str) -> None:
    found = costs()
    steps = [found.steps[0].model_copy(update=changes), *found.steps[1:]]
    problems = list(pipeline_problems(found.model_copy(update={"steps": steps}), NAMES))
    assert any(problem in text for text in problems), problems
