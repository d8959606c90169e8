"""The checkpoints of a sweep: the predictions of each, those of classes first, kept so that a run goes on."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cuesense.datasets.load import AS_GIVEN, DatasetOptions
from cuesense.errors import CuesenseError, DatasetError, ModelError, SettingsError, UnreadableImageError
from cuesense.inference import checkpoints as room
from cuesense.inference import one_checkpoint
from cuesense.inference.checkpoints import (
    CheckpointPredictions,
    images_of,
    predict_checkpoints,
    text_similarity,
    with_accepted,
)
from cuesense.inference.one_checkpoint import CheckpointOptions
from cuesense.inference.options import RunOptions
from cuesense.models.preprocessing import ImageOptions
from cuesense.sweeps.rivals import cosines
from cuesense.sweeps.run_list import Runs, read_runs
from cuesense.types import Sample
from tests.helpers.small_networks import NAMES, SIZE, Colors, classifier, picture
from tests.helpers.sweep_networks import ARCH, wide, write_networks

WIDE, HEADLESS = (f"python:tests.helpers.sweep_networks:{name}" for name in ("wide", "headless"))
SIX = ("sky", "water", "road", "brick", "sand", "grass")
OPTIONS = CheckpointOptions(RunOptions(batch_size=32), ImageOptions(SIZE, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return read_runs(write_networks(tmp_path_factory.mktemp("sweep"), (0.0, 1.0), seeds=2), arch=ARCH)


def of(models: Sequence[str], strength_of: Sequence[int] | None = None) -> Runs:
    """Return a sweep of these models, each of a strength of its own unless said otherwise."""
    places = range(len(models)) if strength_of is None else strength_of
    return Runs(
        regularizer="mixup",
        strengths=tuple(float(place) for place in range(max(places) + 1)),
        strength_of=np.array(places),
        seeds=tuple(map(str, range(len(models)))),
        models=tuple(models),
        archs=(None,) * len(models),
    )


def corner(data: Colors, name: str) -> torch.Tensor:
    """Return the normalized first pixel of an image, which is all that the networks look at."""
    image = data[list(data.sample_ids).index(name)].image
    return (torch.tensor(np.asarray(image)[0, 0]) / 255 - 0.5) / 0.25


class Copied(Colors):
    """Images of which those with ids from 9 on are the first three again."""

    def __getitem__(self, index: int) -> Sample:
        found = super().__getitem__(index)
        return replace(found, image=picture(found.label, found.label)) if int(found.id) >= 9 else found


def test_copies_count_once_and_are_said(runs: Runs) -> None:
    found = predict_checkpoints(runs, Copied(15), OPTIONS, None)
    plain = predict_checkpoints(runs, Copied(9), OPTIONS, None)
    assert found.sample_ids == plain.sample_ids == tuple(f"{number:05d}" for number in range(9))
    assert found.source["images"] == 9
    assert found.sweep.images.tolist() == plain.sweep.images.tolist()
    np.testing.assert_array_equal(found.sweep.accuracy, plain.sweep.accuracy)
    (remark,) = set(found.sweep.remarks) - set(plain.sweep.remarks)
    assert remark.startswith("6 of 15 images are copies of others")


def test_predictions_of_every_run_are_those_of_a_plain_loop(runs: Runs) -> None:
    data = Colors(45)
    found = predict_checkpoints(runs, data, OPTIONS, None)
    assert found.sample_ids == tuple(sorted(data.sample_ids))
    per_image = found.sweep.per_image
    assert per_image is not None
    assert per_image.output_names == found.sweep.class_names == NAMES
    assert per_image.labels.tolist() == [int(name) % 3 for name in found.sample_ids]
    for run, model in enumerate(runs.models):
        state = torch.load(model)
        logits = [state["1.weight"] @ corner(data, name) + state["1.bias"] for name in found.sample_ids]
        assert per_image.predicted[run].tolist() == [int(row.argmax()) for row in logits]
    assert found.sweep.remarks == ()
    assert found.source == {"dataset": "colors", "images": 45, "fingerprint": data.fingerprint}


def test_one_of_several_weights_is_taken_and_kept_apart(runs: Runs, tmp_path: Path) -> None:
    for number, model in enumerate(runs.models):
        state = torch.load(model)
        other = {"1.weight": state["1.weight"], "1.bias": state["1.bias"] - torch.tensor([8.0, 0, 0])}
        torch.save({"other": other, "own": state}, tmp_path / f"{number}.pt")
    both = replace(runs, models=tuple(str(tmp_path / f"{number}.pt") for number in range(len(runs.models))))

    def accuracy(key: str, folder: Path | None) -> Any:
        return predict_checkpoints(both, Colors(45), replace(OPTIONS, weights_key=key), folder).sweep.accuracy

    plain = predict_checkpoints(runs, Colors(45), OPTIONS, None).sweep.accuracy
    np.testing.assert_array_equal(accuracy("own", tmp_path / "kept"), plain)
    other = accuracy("other", None)
    assert not np.array_equal(other, plain)
    np.testing.assert_array_equal(accuracy("other", tmp_path / "kept"), other)


def test_classes_come_first_and_other_outputs_behind_them_in_their_order() -> None:
    """brick, grass and water are the outputs 3, 5 and 1; the model spec is no file and takes no architecture."""
    data, options = Colors(30), replace(OPTIONS, class_names=SIX)
    found = predict_checkpoints(replace(of([WIDE]), archs=("timm:resnet18",)), data, options, None)
    per_image = found.sweep.per_image
    assert per_image is not None
    assert per_image.output_names == ("brick", "grass", "water", "sky", "road", "sand")
    head = wide()[1]
    with torch.no_grad():
        own = [SIX[int(head(corner(data, name)).argmax())] for name in found.sample_ids]
    # The test is of the order: predictions among the classes and beyond them.
    assert set(own) & set(NAMES)
    assert set(own) - set(NAMES)
    assert [per_image.output_names[output] for output in per_image.predicted[0]] == own
    right = [name == NAMES[int(sample) % 3] for name, sample in zip(own, found.sample_ids, strict=True)]
    assert found.sweep.accuracy[0].tolist() == [np.mean(right[label::3]) for label in range(3)]


def test_similarities_are_of_the_mildest_runs_in_the_order_of_the_outputs(runs: Runs) -> None:
    found = predict_checkpoints(runs, Colors(30), OPTIONS, None)
    weights = [torch.load(model)["1.weight"].double().numpy() for model in runs.models[:2]]
    assert runs.strength_of.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(found.similarity, np.mean([cosines(rows) for rows in weights], axis=0))
    turned = predict_checkpoints(of([WIDE]), Colors(30), replace(OPTIONS, class_names=SIX), None)
    rows = wide()[1].weight.detach().double().numpy()[[3, 5, 1, 0, 2, 4]]
    np.testing.assert_allclose(turned.similarity, cosines(rows))


def test_networks_without_a_linear_layer_of_all_outputs_have_no_similarities() -> None:
    assert predict_checkpoints(of([HEADLESS]), Colors(30), OPTIONS, None).similarity is None
    # The mildest run decides: that a stronger one shows its directions does not help.
    both = predict_checkpoints(of([HEADLESS, ARCH]), Colors(30), OPTIONS, None)
    assert both.similarity is None
    mixed = predict_checkpoints(of([HEADLESS, ARCH], [0, 0]), Colors(30), OPTIONS, None)
    assert mixed.similarity is not None
    assert mixed.similarity.shape == (3, 3)


def test_every_image_is_decoded_once_for_all_runs(runs: Runs) -> None:
    data = Colors(30)
    predict_checkpoints(runs, data, OPTIONS, None)
    assert sorted(data.read) == sorted(data.sample_ids)


def test_progress_counts_over_all_runs(runs: Runs) -> None:
    seen: list[tuple[int, int]] = []
    predict_checkpoints(runs, Colors(40), OPTIONS, None, progress=lambda *pair: seen.append(pair))
    assert {total for _, total in seen} == {160}
    done = [count for count, _ in seen]
    assert done == sorted(done)
    # Each run starts where the one before ended, and reports after its batches of 32 and 8 images.
    assert set(done) == {0, 32, 40, 72, 80, 112, 120, 152, 160}


def folders(path: Path) -> list[str]:
    return sorted(found.name for found in (path / "answers").iterdir())


def test_a_run_goes_on_from_what_is_kept(runs: Runs, tmp_path: Path) -> None:
    data = Colors(30)
    first = predict_checkpoints(runs, data, OPTIONS, tmp_path)
    assert len(folders(tmp_path)) == 4
    data.read.clear()
    second = predict_checkpoints(runs, data, OPTIONS, tmp_path)
    # Images in memory are known by their pixels.
    assert len(data.read) == 30
    data.read.clear()
    third = predict_checkpoints(runs, data, OPTIONS, tmp_path, restart=True)
    assert len(data.read) == 30
    memory = predict_checkpoints(runs, data, OPTIONS, None)
    for other in (second, third, memory):
        assert other.sample_ids == first.sample_ids
        assert other.sweep.per_image is not None
        assert first.sweep.per_image is not None
        np.testing.assert_array_equal(other.sweep.per_image.predicted, first.sweep.per_image.predicted)
        np.testing.assert_array_equal(other.similarity, first.similarity)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"run": RunOptions(batch_size=7, workers=1, seed=3)}, 1),
        ({"run": RunOptions(batch_size=32, precision="bfloat16")}, 2),
        ({"images": replace(OPTIONS.images, mean=(0.4, 0.5, 0.5))}, 2),
        ({"class_names": ("grass", "brick", "water")}, 1),
    ],
)
def test_predictions_are_kept_by_all_that_decides_them_and_nothing_else(
    runs: Runs, tmp_path: Path, changes: dict[str, Any], kept: int
) -> None:
    one, data = of(runs.models[:1]), Colors(30)
    one = replace(one, archs=(ARCH,))
    predict_checkpoints(one, data, OPTIONS, tmp_path)
    data.read.clear()
    # Exchanged names stop after the predictions, which are kept.
    with pytest.raises(DatasetError, match="exchanged") if "class_names" in changes else nullcontext():
        predict_checkpoints(one, data, replace(OPTIONS, **changes), tmp_path)
    assert len(folders(tmp_path)) == kept
    # Which images are predicted is no setting: others are kept beside them.
    before = len(list(tmp_path.rglob("shard-*.npz")))
    predict_checkpoints(one, Colors(33), OPTIONS, tmp_path)
    assert len(folders(tmp_path)) == kept
    assert len(list(tmp_path.rglob("shard-*.npz"))) == before + 1


def test_the_settings_of_a_run_stand_beside_its_predictions(tmp_path: Path) -> None:
    data = Colors(30)
    predict_checkpoints(of([WIDE]), data, replace(OPTIONS, class_names=SIX), tmp_path)
    (folder,) = (tmp_path / "answers").iterdir()
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["precision"] == "float32"
    assert settings["preprocessing"]["image_size"] == [SIZE, SIZE]
    # A network without a file is known by its weights.
    assert len(settings["weights"]) == 64


def test_images_that_cannot_be_read_are_left_out_of_everything(runs: Runs) -> None:
    data = Colors(40, broken=frozenset({3, 11}))
    gone = {data.sample_ids[3], data.sample_ids[11]}
    found = predict_checkpoints(runs, data, OPTIONS, None)
    assert found.sample_ids == tuple(name for name in sorted(data.sample_ids) if name not in gone)
    assert found.source["images"] == 38
    assert found.sweep.per_image is not None
    assert found.sweep.per_image.predicted.shape == (4, 38)
    assert found.sweep.per_image.labels.tolist() == [int(name) % 3 for name in found.sample_ids]
    assert found.sweep.remarks == ("2 of 40 images could not be read and were left out.",)


class Flaky(Colors):
    """Images of which one more cannot be read from the second time on."""

    def __getitem__(self, index: int) -> Sample:
        first = self.sample_ids[index] not in self.read
        if index == 7 and not first:
            raise UnreadableImageError("the disk is gone")
        return super().__getitem__(index)


def test_runs_on_other_readable_images_are_not_compared(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without memory for images each network reads them itself.
    monkeypatch.setattr(room, "CachedDataset", lambda dataset: dataset)
    two = replace(of(runs.models[:2]), archs=(ARCH, ARCH))
    with pytest.raises(DatasetError) as caught:
        predict_checkpoints(two, Flaky(40), OPTIONS, None)
    assert caught.value.for_command_line == (
        f"Expected the dataset to be the same for all checkpoints, but got other readable images in the run of "
        f"'{runs.models[1]}' than in that of '{runs.models[0]}'. Give --restart."
    )


def test_checkpoints_of_other_classes_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = one_checkpoint.load_matched
    names: Iterator[tuple[str, ...]] = iter([(*NAMES, "sky", "road", "sand"), SIX])

    def loads(model: str, dataset: Any, **options: Any) -> Any:
        return loaded(model, dataset, **(options | {"class_names": next(names)}))

    monkeypatch.setattr(one_checkpoint, "load_matched", loads)
    with pytest.raises(ModelError, match=r"about the same classes, but got 6 outputs in .* and 6 in .* the same order"):
        predict_checkpoints(of([WIDE, WIDE]), Colors(30), OPTIONS, None)


def test_a_checkpoint_with_another_number_of_outputs_is_refused() -> None:
    with pytest.raises(ModelError, match="3, one for each class, but got 6"):
        predict_checkpoints(of([ARCH, WIDE]), Colors(30), OPTIONS, None)


@pytest.mark.parametrize(("count", "images"), [(None, 30), (1, 3), (4, 12), (10, 30), (99, 30)])
def test_a_sweep_is_tested_on_all_images_or_some_of_each_class(count: int | None, images: int) -> None:
    data = Colors(30)
    found = images_of(data, AS_GIVEN, count)
    assert np.bincount(found.labels).tolist() == [images // 3] * 3
    assert set(found.sample_ids) <= set(data.sample_ids)
    assert (found is data) == (count is None)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_number_of_images_is_whole_and_one_or_more(count: Any) -> None:
    with pytest.raises(SettingsError, match="images_per_class"):
        images_of(Colors(30), AS_GIVEN, count)


def test_a_sweep_without_a_dataset_is_one_sentence() -> None:
    with pytest.raises(SettingsError) as caught:
        images_of(None, DatasetOptions("data"), 3)
    assert caught.value.for_command_line == (
        "Expected --dataset to be given with RUNS, but got none. Name the images to test on."
    )


@pytest.fixture(scope="module")
def found(runs: Runs) -> CheckpointPredictions:
    return predict_checkpoints(runs, Colors(30), OPTIONS, None)


def test_accepted_labels_are_those_of_the_file_beside_an_images_own(
    found: CheckpointPredictions, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("path,accepted\n00001,grass|water\n00002,brick\n")
    more = with_accepted(found, tmp_path / "a.csv")
    assert more.sweep.per_image is not None
    accepted = more.sweep.per_image.accepted
    assert accepted is not None
    expected = np.eye(3, dtype=bool)[[int(name) % 3 for name in found.sample_ids]]
    expected[1], expected[2] = [False, True, True], [True, False, False]
    np.testing.assert_array_equal(accepted, expected)
    assert found.sweep.per_image is not None
    assert found.sweep.per_image.accepted is None


def test_accepted_labels_need_the_images_themselves(found: CheckpointPredictions, tmp_path: Path) -> None:
    counts = replace(found, sweep=replace(found.sweep, per_image=None))
    assert with_accepted(counts, tmp_path / "missing.csv") is counts
    with pytest.raises(DatasetError, match="accepted labels"):
        with_accepted(found, tmp_path / "missing.csv")


class Texts(nn.Module):
    """Embeddings of texts as open_clip's networks hold them, (D, K)."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("classes", torch.arange(float(2 * count)).reshape(2, count).sin())


@pytest.mark.parametrize("with_images", [True, False])
def test_similarities_of_names_are_the_cosines_of_their_texts(
    found: CheckpointPredictions, with_images: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def loads(spec: str, *, class_names: Any, **_: Any) -> Any:
        calls.append((spec, class_names.names))
        return classifier(Texts(len(class_names.names)))

    monkeypatch.setattr(room, "load_classifier", loads)
    sweep = found.sweep
    assert sweep.per_image is not None
    names = (*NAMES, "sky") if with_images else NAMES
    kept = replace(sweep.per_image, output_names=names) if with_images else None
    similarity = text_similarity("open_clip:A@file", replace(sweep, per_image=kept))
    assert calls == [("open_clip:A@file", names)]
    np.testing.assert_allclose(similarity, cosines(Texts(len(names)).get_buffer("classes").double().numpy().T))


@pytest.mark.parametrize("spec", ["timm:resnet18", "open_clip", "OPEN_CLIP:A", ""])
def test_similarities_come_from_open_clip_alone(found: CheckpointPredictions, spec: str) -> None:
    with pytest.raises(ModelError, match=rf"open_clip:NAME@TAG_OR_FILE, but got '{spec}'"):
        text_similarity(spec, found.sweep)


def test_a_network_without_texts_is_one_sentence(found: CheckpointPredictions, monkeypatch: pytest.MonkeyPatch) -> None:
    function: Callable[[torch.Tensor], torch.Tensor] = torch.sin
    monkeypatch.setattr(room, "load_classifier", lambda *_, **__: classifier(function))
    with pytest.raises(CuesenseError, match="a network with text embeddings, but got 'open_clip:A'"):
        text_similarity("open_clip:A", found.sweep)


def test_networks_of_a_sweep_that_are_no_functions_of_one_image_are_refused_or_said() -> None:
    model = "python:tests.helpers.dependent_networks:TrainsItself"
    options = replace(OPTIONS, class_names=NAMES)
    with pytest.raises(ModelError, match=f"^In '{model}': .*its forward puts 2 of its modules"):
        predict_checkpoints(of([model]), Colors(30), options, None)
    allowed = replace(options, run=RunOptions(allow_nondeterministic=True))
    (said,) = predict_checkpoints(of([model, model]), Colors(30), allowed, None).sweep.remarks[:1]
    assert said.startswith("2 of 2 models are no functions of one image (--allow-nondeterministic), such as 'python:")
