"""The engine against a plain loop: every image once, in order of ids, whatever batches, workers and interruptions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cuesense.datasets.images import pixel_digest
from cuesense.errors import DatasetError, ModelError
from cuesense.inference import units
from cuesense.inference.engine import predict, weights_digest
from cuesense.inference.options import RunOptions
from cuesense.perturbations.apply import perturb
from cuesense.predictions import outcomes
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import ClassNames, Condition
from tests.helpers.engine_runs import CONDITIONS, GRAY, read, remove, run
from tests.helpers.small_networks import NAMES, Colors, Meanest, classifier, picture


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 12)


def test_equals_a_plain_loop_over_images_and_conditions() -> None:
    found = run(Colors(30))
    network = Meanest()
    for number in range(30):
        label = number % 3
        pixels = torch.from_numpy(picture(number, label)).permute(2, 0, 1)[None].float() / 255
        key = f"{pixel_digest(picture(number, label)):016x}"
        for condition, outcome in zip(CONDITIONS, read(found), strict=True):
            changed = pixels
            if condition.perturbation is not None:
                changed = perturb(
                    condition.perturbation, pixels, [key], condition.value, seed=5, repeat=condition.repeat
                )
            logits = network((changed - 0.5) / 0.25)[0].detach()
            assert outcome.predicted[number] == int(logits.argmax())
            np.testing.assert_allclose(outcome.p_true[number], logits.softmax(0)[label], atol=1e-5)
            others = torch.cat([logits[:label], logits[label + 1 :]])
            np.testing.assert_allclose(outcome.margin[number], logits[label] - others.max(), atol=1e-3)
            np.testing.assert_allclose(outcome.scores[number], logits.log_softmax(0), atol=1e-3)
    assert found.images.labels.tolist() == [number % 3 for number in range(30)]


def test_every_image_is_decoded_once() -> None:
    data = Colors(30)
    run(data)
    assert sorted(data.read) == sorted(data.sample_ids)


@pytest.mark.parametrize("changes", [{"workers": 1}, {"workers": 5}])
def test_workers_do_not_change_a_bit(changes: dict[str, int]) -> None:
    first, second = (read(run(Colors(30), **engine)) for engine in ({}, changes))  # type: ignore[arg-type]
    for one, other in zip(first, second, strict=True):
        assert one.scores.tobytes() == other.scores.tobytes()


@pytest.mark.parametrize("batch_size", [1, 5, 12])
def test_batch_sizes_change_nothing_but_rounding(batch_size: int) -> None:
    for one, other in zip(read(run(Colors(30))), read(run(Colors(30), batch_size=batch_size)), strict=True):
        np.testing.assert_array_equal(one.predicted, other.predicted)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


def test_every_forward_pass_has_one_shape() -> None:
    shapes = []

    class Watched(Meanest):
        def forward(self, images: Tensor) -> Tensor:
            shapes.append(tuple(images.shape))
            return super().forward(images)

    run(Colors(29), classifier(Watched()))
    assert set(shapes) == {(8, 3, 16, 16)}
    shapes.clear()
    run(Colors(29), classifier(Watched(), fixed_batch=3))
    assert set(shapes) == {(3, 3, 16, 16)}


def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    class Stops(Meanest):
        calls = 0

        def forward(self, images: Tensor) -> Tensor:
            Stops.calls += 1
            if Stops.calls == 7:
                raise KeyboardInterrupt
            return super().forward(images)

    store = OutcomeStore.open(tmp_path / "o", {})
    with pytest.raises(KeyboardInterrupt):
        run(Colors(30), classifier(Stops()), store)
    assert [store.held(name).images.size for name in store.names] == [8]
    data = Colors(30)
    found = run(data, store=store)
    assert found.images.positions.tolist() == list(range(30))
    for one, other in zip(read(found), read(run(Colors(30))), strict=True):
        assert one.scores.tobytes() == other.scores.tobytes()


def test_progress_counts_up_to_the_end_and_starts_where_it_stopped(tmp_path: Path) -> None:
    store = OutcomeStore.open(tmp_path / "o", {})
    seen: list[tuple[int, int]] = []
    settings = RunOptions(batch_size=8)
    predict(classifier(), Colors(30), (0, 1, 2), CONDITIONS, store, settings, lambda *pair: seen.append(pair))
    assert seen[0] == (0, 30)
    assert seen[-1] == (30, 30)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    remove(store, 1)
    store = OutcomeStore.open(tmp_path / "o", {})
    seen.clear()
    predict(classifier(), Colors(30), (0, 1, 2), CONDITIONS, store, settings, lambda *pair: seen.append(pair))
    assert seen[0] == (22, 30)
    assert seen[-1] == (30, 30)


def test_unreadable_images_are_skipped_and_kept_by_name() -> None:
    found = run(Colors(30, broken=frozenset({4})), batch_size=1)
    assert len(found.images.labels) == 29
    assert [len(outcome.predicted) for outcome in read(found)] == [29] * len(CONDITIONS)
    assert list(found.skipped) == [("00028", "not an image")]
    assert 28 not in found.images.positions


def test_five_percent_unreadable_are_skipped_and_more_are_an_error() -> None:
    found = run(Colors(40, broken=frozenset({4, 9})))
    assert len(found.images.labels) == 38
    with pytest.raises(DatasetError, match=r"2 of 39.*not an image"):
        run(Colors(39, broken=frozenset({4, 9})))


def test_unreadable_images_of_an_earlier_run_count_too(tmp_path: Path) -> None:
    store = OutcomeStore.open(tmp_path / "o", {})
    run(Colors(40, broken=frozenset({39, 20})), store=store)
    remove(store, 2)
    with pytest.raises(DatasetError, match="3 of 40"):
        run(Colors(40, broken=frozenset({39, 20, 11})), store=OutcomeStore.open(tmp_path / "o", {}))


@pytest.mark.parametrize(("images", "shards"), [(1, 1), (6, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_shards_are_as_full_as_they_can_be(images: int, shards: int) -> None:
    store = OutcomeStore()
    found = run(Colors(images), store=store)
    assert len(store.names) == shards
    assert found.images.positions.tolist() == list(range(images))


def test_a_shard_of_unreadable_images_alone_does_not_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 1)
    found = run(Colors(30, broken=frozenset({4})))
    assert len(found.images.labels) == 29


def test_images_of_two_sizes_need_an_image_size() -> None:
    class Mixed(Colors):
        def __getitem__(self, index: int) -> object:  # type: ignore[override]
            sample = super().__getitem__(index)
            return replace(sample, image=picture(0, 0, 20 if index == 3 else 16))

    free = classifier(preprocessing=replace(classifier().preprocessing, image_size=None, resize=None))
    with pytest.raises(DatasetError, match="image_size"):
        run(Mixed(12), free)  # type: ignore[arg-type]
    assert len(run(Colors(12), free).images.labels) == 12


class Constant(nn.Module):
    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, images: Tensor) -> object:
        return self.answer(images) if callable(self.answer) else self.answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda images: images.new_full((len(images), 3), float("nan")), "finite"),
        (lambda images: images.new_zeros(len(images), 3, 1), "logits of shape"),
        (lambda images: images.new_zeros(1, 3), "logits of shape"),
        (lambda images: (images,), "tuple"),
        (lambda images: images.new_zeros(len(images), 4), "3, one for each class, but got 4"),
        (lambda images: images @ torch.zeros(5, 5), "Check image_size"),
        (lambda images: {}["missing"], "missing"),  # noqa: ARG005
    ],
)
def test_a_model_that_answers_nonsense_is_one_sentence(answer: object, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        run(Colors(12), classifier(Constant(answer)))


def test_nan_under_a_perturbation_alone_names_the_condition() -> None:
    def answer(images: Tensor) -> Tensor:
        gray = (images[:, 0] - images[:, 1]).abs().amax() < 1e-3
        return images.mean(dim=(2, 3)) * (float("nan") if gray else 1.0)

    with pytest.raises(ModelError, match="grayscale"):
        run(Colors(12), classifier(Constant(answer)), conditions=[Condition(), Condition(GRAY, 4)])


def test_classes_may_be_any_of_many_outputs() -> None:
    many = classifier(Meanest(outputs=40), class_names=ClassNames((*NAMES, *(f"other {n}" for n in range(37)))))
    found = run(Colors(30), many, outputs=(2, 1, 0))
    outcome = next(found.conditions([0]))
    truth = found.images.labels
    assert outcome.scores.shape == (30, 3)
    np.testing.assert_array_equal(outcome.predicted, truth)
    assert np.all(outcome.p_true[truth != 1] < 0.1)
    assert np.all(outcome.p_true[truth == 1] > 0.5)


def test_only_the_best_scores_are_kept_of_many_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "KEPT_SCORES", 2)
    outcome = next(iter(read(run(Colors(30)))))
    assert outcome.scores.shape == (30, 2)
    assert np.all(outcome.scores[:, 0] >= outcome.scores[:, 1])
    np.testing.assert_array_equal(outcome.classes[:, 0], outcome.predicted)


def test_bfloat16_runs_close_to_float32() -> None:
    model = classifier(nn.Sequential(nn.Conv2d(3, 3, 3, stride=2), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    exact, half = (read(run(Colors(12), model, precision=precision))[0] for precision in ("float32", "bfloat16"))
    assert not np.array_equal(exact.scores, half.scores)
    np.testing.assert_allclose(exact.scores, half.scores, atol=0.05)


def test_the_digest_is_that_of_the_weights() -> None:
    assert weights_digest(Meanest()) == weights_digest(Meanest())
    changed = Meanest()
    changed.scale.data += 1
    assert weights_digest(changed) != weights_digest(Meanest())
    assert weights_digest(lambda images: images) is None
