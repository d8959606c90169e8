"""Short names of models and datasets say nothing of where files lie."""

from __future__ import annotations

import pytest

from cuesense.reports.spec_text import on_dataset, short_dataset, short_spec
from cuesense.schemas.profile import DatasetInfo, ModelInfo


@pytest.mark.parametrize(
    ("spec", "parts", "short"),
    [
        ("/home/me/model.pt2", 1, "model.pt2"),
        ("C:\\models\\model.pt2", 1, "model.pt2"),
        ("model.pt2", 1, "model.pt2"),
        ("/home/me/photos/val/", 2, "photos/val"),
        ("hf:org/model", 1, "hf:org/model"),
        ("timm:hf-hub/x", 1, "timm:hf-hub/x"),
        ("/", 1, "/"),
    ],
)
def test_paths_are_cut_to_their_end(spec: str, parts: int, short: str) -> None:
    assert short_spec(spec, parts) == short


@pytest.mark.parametrize(("split", "shown"), [(None, "photos/val"), ("val", "photos/val (val)")])
def test_a_dataset_is_called_with_its_part(split: str | None, shown: str) -> None:
    dataset = DatasetInfo(spec="/data/photos/val", images=1, classes=1, fingerprint="f", split=split)
    assert short_dataset(dataset) == shown


@pytest.mark.parametrize(("spec", "said"), [("model.pt2", " on table.csv (val)"), ("table.csv (val)", "")])
def test_a_table_of_predictions_is_named_once(spec: str, said: str) -> None:
    dataset = DatasetInfo(spec="table.csv", images=1, classes=1, fingerprint="f", split="val")
    model = ModelInfo.model_construct(spec=spec)
    assert on_dataset(model, dataset) == said
