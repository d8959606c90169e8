"""The costs of a training transform as a table."""

from __future__ import annotations

from cuesense.schemas.base import Estimate
from cuesense.schemas.profile import CostModel, PipelineModel, StepModel, TakenModel, TrainingModel


def cost(*drops: float) -> CostModel:
    return CostModel(
        mean=Estimate(value=sum(drops) / len(drops), low=0.0, high=1.0),
        drop=list(drops),
        low=[drop - 0.01 for drop in drops],
        high=[drop + 0.01 for drop in drops],
    )


def step(**changes: object) -> StepModel:
    fields: dict[str, object] = {
        "name": "Flip",
        "settings": "Flip(p=0.5)",
        "probability": 0.5,
        "lost": [0, 4],
        "gained": [0, 0],
        "alone": cost(0.0, 0.2),
        "worst_class": "b",
        "taken": [None, TakenModel(rival="a", share=0.2)],
        "beyond": ["b"],
        "safe_probability": 0.1,
        "verdict": "unknown",
        "sentence": "Flip costs b 20 points.",
    }
    return StepModel.model_validate(fields | changes)


def test_a_row_a_step_and_class() -> None:
    training = TrainingModel(basis="no training", mean=0.1, loss=[0.0, 0.2], at_risk=["b"])
    found = PipelineModel(
        spec="train.py:transform",
        headline="Flip costs b 20 points.",
        repeats=2,
        shares=[0.5, 1.0],
        whole=[cost(0.0, 0.1), cost(0.0, 0.3)],
        steps=[step(left_out=cost(0.0, 0.25), training=training)],
    )
    frame = found.to_frame(["a", "b"])
    assert frame["step"].tolist() == ["(whole)", "(whole)", "Flip", "Flip"]
    # The whole at the largest share of images.
    assert frame["drop"].tolist() == [0.0, 0.3, 0.0, 0.2]
    last = frame.iloc[-1]
    assert (last["class"], last["left_out"], last["taken_by"], last["taken_share"]) == ("b", 0.25, "a", 0.2)
    assert (last["training_loss"], last["safe_probability"], last["probability"]) == (0.2, 0.1, 0.5)


def test_older_files_have_none() -> None:
    from tests.helpers.profiles import profile

    text = profile(3).to_json()
    older = profile(3).model_validate_json(text.replace('"pipeline": null', '"other": null'))
    assert older.pipeline is None
