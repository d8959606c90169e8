"""A model card: the hub's own library reads it and writes the same metadata."""

from __future__ import annotations

import numpy as np
import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

from cuesense.reports.markdown.model_card import metadata, render
from cuesense.schemas.profile import Profile
from tests.helpers.markdown_page import check_is_plain, page_of, rows_of
from tests.helpers.page_checks import HOSTILE
from tests.helpers.partly_seen import partly_seen
from tests.helpers.profiles import profile
from tests.helpers.usual_drops import with_expected


def named(known: Profile, model: str, dataset: str, split: str | None = None) -> Profile:
    source = known.provenance
    changed = {
        "model": source.model.model_copy(update={"spec": model}),
        "dataset": source.dataset.model_copy(update={"spec": dataset, "split": split}),
    }
    return known.model_copy(update={"provenance": source.model_copy(update=changed)})


def test_the_hub_s_library_reads_the_results_and_writes_the_same() -> None:
    known = named(with_expected(profile(5)), "/home/me/birds.safetensors", "hf:org/birds", "test")
    card = ModelCard(render(known), ignore_metadata_errors=False)
    results = {result.metric_name: result for result in card.data.eval_results}
    assert card.data.model_name == "birds"
    assert results["Accuracy"].metric_value == round(known.summary.clean_accuracy or 0, 4)
    assert results["Accuracy of the worst class"].metric_value == round(known.summary.worst_class_accuracy or 0, 4)
    for result in results.values():
        assert (result.task_type, result.metric_type) == ("image-classification", "accuracy")
        assert (result.dataset_type, result.dataset_name, result.dataset_split) == (
            "org/birds",
            "hf:org/birds (test)",
            "test",
        )
        assert 0 <= result.metric_value <= 1
    index = metadata(known)["model-index"]
    assert eval_results_to_model_index(*model_index_to_eval_results(index)) == index
    assert card.data.to_dict()["tags"] == ["image-classification", "cuesense"]


def test_the_accuracy_under_each_augmentation_is_that_of_all_images_at_its_strongest_value() -> None:
    known = profile(4)
    found = {part["name"]: part["value"] for part in metadata(known)["model-index"][0]["results"][0]["metrics"]}
    (curve,) = [curve for curve in known.curves if curve.perturbation == "color_jitter"]
    clean, lost, gained = (np.sum(part) for part in (curve.clean_correct, curve.lost[-1], curve.gained[-1]))
    expected = (clean + (gained - lost) / curve.repeats) / np.sum(curve.n)
    assert found["Accuracy under color jitter 0.8"] == pytest.approx(expected, abs=5e-5)
    assert len(found) == 2 + 6


@pytest.mark.parametrize("name", [*HOSTILE, "a: b\n---\nlicense: mit", "@x|`y`", "...", "null", "1e3", "\u0085\ufeff"])
def test_no_name_breaks_the_metadata_or_the_text(name: str) -> None:
    known = named(with_expected(profile(3, names=(name, "b", "c"))), f"x/{name.replace('/', '')}.pt", name, name)
    text = render(known)
    card = ModelCard(text, ignore_metadata_errors=False)
    assert set(card.data.to_dict()) == {"pipeline_tag", "tags", "metrics", "model-index"}
    result = card.data.eval_results[0]
    assert isinstance(result.dataset_type, str)
    assert isinstance(card.data.model_name, str)
    page = page_of(card.text)
    check_is_plain(page)
    assert len(rows_of(page)) == 3


def test_without_images_there_are_no_results() -> None:
    known = profile(2, empty=2)
    assert "model-index" not in metadata(known)
    assert ModelCard(render(known), ignore_metadata_errors=False).data.eval_results is None


def test_a_configuration_of_a_dataset_on_the_hub_has_a_field_of_its_own() -> None:
    known = named(with_expected(profile(3)), "birds.pt", "hf:org/birds@small", None)
    dataset = metadata(known)["model-index"][0]["results"][0]["dataset"]
    assert (dataset["type"], dataset["config"]) == ("org/birds", "small")
    assert "config" not in metadata(profile(3))["model-index"][0]["results"][0]["dataset"]


def test_a_class_counts_by_all_its_images_where_a_part_of_them_was_looked_at() -> None:
    found = {part["name"]: part["value"] for part in metadata(partly_seen())["model-index"][0]["results"][0]["metrics"]}
    # .35 and .3 of 80 images each, of which 20 and 10 were looked at.
    assert found["Accuracy under color jitter 0.8"] == 0.325
    assert "Each severity was measured on 30 to 160 of the 160 images (adaptive run)." in render(partly_seen())
