"""What the engine keeps of each image: against a loop over single images, and whatever else is run beside them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cuesense.datasets.images import pixel_digest
from cuesense.errors import DatasetError, ModelError
from cuesense.inference import runner, units
from cuesense.inference.engine import predict, weights_digest
from cuesense.inference.options import RunOptions
from cuesense.perturbations.apply import perturb
from cuesense.predictions import outcomes, shards
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import ClassNames, Condition, OutputKind
from tests.helpers.engine_runs import CONDITIONS, read, remove, run
from tests.helpers.small_networks import Colors, Meanest, classifier, picture


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "SHARD_SIZE", 12)


class Pixels(nn.Module):
    """Random linear scores of K outputs from the 27 mean colors of a 3 x 3 grid."""

    def __init__(self, outputs: int, seed: int) -> None:
        super().__init__()
        weight = torch.randn(outputs, 27, generator=torch.Generator().manual_seed(seed))
        self.weight = nn.Parameter(3 * weight)

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(images, 3).flatten(1) @ self.weight.T


def one_by_one(network: nn.Module, number: int, condition: Condition, label: int | None = None) -> np.ndarray:
    """Return the logits of one image, (K,), in a batch of its own."""
    image = picture(number, number % 3 if label is None else label)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    if condition.perturbation is not None:
        key = f"{pixel_digest(image):016x}"
        pixels = perturb(condition.perturbation, pixels, [key], condition.value, seed=5, repeat=condition.repeat)
    with torch.no_grad():
        return network((pixels - 0.5) / 0.25)[0].double().numpy()


@pytest.mark.parametrize(("count", "outputs"), [(3, (2, 0, 1)), (7, (6, 0, 3)), (40, (39, 12, 1))])
def test_outcomes_of_any_outputs_are_those_of_a_plain_loop(count: int, outputs: tuple[int, ...]) -> None:
    network = Pixels(count, seed=count)
    names = ClassNames(tuple(f"output {index}" for index in range(count)))
    predicted = run(Colors(18), classifier(network, class_names=names), outputs=outputs)
    for condition, found in zip(CONDITIONS, read(predicted), strict=True):
        for number in range(18):
            logits = one_by_one(network, number, condition)
            true = outputs[number % 3]
            log_p = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            assert found.predicted[number] == logits.argmax()
            np.testing.assert_allclose(found.p_true[number], np.exp(log_p[true]), atol=1e-4)
            np.testing.assert_allclose(found.margin[number], logits[true] - np.delete(logits, true).max(), atol=1e-3)
            np.testing.assert_allclose(found.scores[number], log_p[list(outputs)], atol=1e-3)
            assert found.classes[number].tolist() == [0, 1, 2]


def test_a_margin_is_positive_where_the_true_output_is_predicted() -> None:
    found = run(Colors(30), classifier(Pixels(3, seed=0)))
    truth = found.images.labels
    right = [entry.predicted == truth for entry in read(found)]
    assert 0 < np.mean(right) < 1
    for entry, same in zip(read(found), right, strict=True):
        np.testing.assert_array_equal(entry.margin > 0, same)


class OneClass(Colors):
    """Images that are all of one class."""

    @property
    def labels(self) -> list[int]:
        return [0] * self.count


def test_the_margin_of_a_single_output_is_its_logit() -> None:
    network = Pixels(1, seed=0)
    model = classifier(network, class_names=ClassNames(("brick",)))
    found = run(OneClass(6), model, outputs=(0,), conditions=[Condition()])
    (found,) = read(found, 1)
    logits = [one_by_one(network, number, Condition(), label=0)[0] for number in range(6)]
    np.testing.assert_allclose(found.margin, logits, atol=1e-3)
    assert found.p_true.tolist() == [1] * 6
    assert found.scores.tolist() == [[0]] * 6


class Reordered(Colors):
    """The same images in another order of the dataset."""

    @property
    def sample_ids(self) -> list[str]:
        return [f"{(11 * place + 5) % self.count:05d}" for place in range(self.count)]


def test_the_order_of_the_dataset_does_not_change_a_bit() -> None:
    assert Reordered(30).sample_ids != Colors(30).sample_ids
    one, other = run(Colors(30)), run(Reordered(30))
    np.testing.assert_array_equal(one.images.labels, other.images.labels)
    for first, second in zip(read(one), read(other), strict=True):
        for name in ("predicted", "p_true", "margin", "scores"):
            assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@pytest.mark.parametrize("gone", [(0,), (1,), (0, 2)])
def test_shards_that_are_missing_anywhere_are_computed_and_no_others(tmp_path: Path, gone: tuple[int, ...]) -> None:
    whole, store = run(Colors(30)), OutcomeStore.open(tmp_path / "o", {})
    run(Colors(30), store=store)
    remove(store, *gone)
    seen: list[int] = []
    network = nn.Sequential(Meanest())
    network.register_forward_hook(lambda _module, inputs, _outputs: seen.append(len(inputs[0])))
    found = run(Colors(30), classifier(network), OutcomeStore.open(tmp_path / "o", {}))
    assert seen == [8] * len(gone) * len(CONDITIONS)
    for first, second in zip(read(whole), read(found), strict=True):
        assert first.scores.tobytes() == second.scores.tobytes()


@pytest.mark.parametrize("fixed", [1, 7, 64])
def test_padding_to_a_fixed_batch_changes_nothing_but_rounding(fixed: int) -> None:
    plain = read(run(Colors(29), classifier(Pixels(3, seed=1))))
    padded = read(run(Colors(29), classifier(Pixels(3, seed=1), fixed_batch=fixed)))
    for one, other in zip(plain, padded, strict=True):
        assert one.predicted.shape == other.predicted.shape == (29,)
        np.testing.assert_array_equal(one.predicted, other.predicted)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


def test_seeds_and_repeats_draw_anew_and_the_clean_images_stay() -> None:
    model = classifier(Pixels(3, seed=2))
    clean, gray, first, second = (found.scores for found in read(run(Colors(12), model)))
    other_clean, other_gray, other, _ = (found.scores for found in read(run(Colors(12), model, seed=6)))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(clean, other_clean)
    np.testing.assert_array_equal(gray, other_gray)
    again = read(run(Colors(12), model, conditions=[CONDITIONS[3], CONDITIONS[0]]), 2)
    np.testing.assert_array_equal(again[0].scores, second)
    np.testing.assert_array_equal(again[1].scores, clean)


def test_what_happens_to_an_image_does_not_depend_on_the_others() -> None:
    """Thirteen images more stand behind the first ones, in their batches too."""
    model = classifier(Pixels(3, seed=3))
    few, many = read(run(Colors(6), model)), read(run(Colors(19), model))
    for one, other in zip(few, many, strict=True):
        np.testing.assert_allclose(one.scores, other.scores[:6], atol=1e-5)


def test_every_channel_has_its_own_mean_and_spread() -> None:
    seen = []

    def network(images: Tensor) -> Tensor:
        seen.append(images.clone())
        return images.mean(dim=(2, 3))

    prepared = replace(classifier().preprocessing, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 2.0))
    run(Colors(1), classifier(network, preprocessing=prepared), conditions=[Condition()], batch_size=2)
    pixels = torch.from_numpy(picture(0, 0)).permute(2, 0, 1).float() / 255
    wanted = torch.stack([(pixels[0] - 0.1) / 0.4, (pixels[1] - 0.2) / 0.5, (pixels[2] - 0.3) / 2.0])
    assert len(seen) == 1
    torch.testing.assert_close(seen[0].contiguous(), torch.stack([wanted, wanted]), atol=1e-6, rtol=0)


def test_no_gradients_are_kept_while_a_network_runs() -> None:
    modes = []

    def network(images: Tensor) -> Tensor:
        modes.append(torch.is_inference_mode_enabled())
        return images.mean(dim=(2, 3))

    run(Colors(12), classifier(network))
    assert modes == [True] * 8


def test_no_more_than_two_batches_are_decoded_ahead() -> None:
    data, ahead = Colors(60), []

    class Watched(Meanest):
        def forward(self, images: Tensor) -> Tensor:
            ahead.append(len(data.read))
            return super().forward(images)

    run(data, classifier(Watched()), conditions=[Condition()], workers=4)
    assert len(ahead) == 8
    for call, count in enumerate(ahead):
        assert min(60, 8 * (call + 1)) <= count <= 8 * (call + 3)


def test_progress_is_reported_after_every_batch_and_counts_unreadable_images() -> None:
    seen: list[int] = []
    data, options = Colors(30, broken=frozenset({4})), RunOptions(batch_size=8)
    assert data.sample_ids[4] == "00028"
    predict(classifier(), data, (0, 1, 2), [Condition()], OutcomeStore(), options, lambda done, _: seen.append(done))
    assert list(dict.fromkeys(seen)) == [0, 8, 16, 24, 30]


class Breaks(Colors):
    """Images of which one is no image at all, which is no mistake of a single file."""

    def __getitem__(self, index: int) -> object:  # type: ignore[override]
        if self.sample_ids[index] == "00020":
            raise DatasetError("the item is no pair")
        return super().__getitem__(index)


def test_an_error_of_the_dataset_ends_the_run_and_keeps_the_shards_before(tmp_path: Path) -> None:
    store = OutcomeStore.open(tmp_path / "o", {})
    with pytest.raises(DatasetError, match="the item is no pair"):
        run(Breaks(30), store=store)  # type: ignore[arg-type]
    assert [store.held(name).images.size for name in store.names] == [8, 8]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("x"), "memory is too small for one image. Give another device"),
        (ValueError("first line.\nsecond line"), "a batch of shape (8, 3, 16, 16): first line. Check image_size"),
        (ZeroDivisionError(), "of shape (8, 3, 16, 16): ZeroDivisionError. Check"),
    ],
)
def test_whatever_a_network_raises_is_one_sentence(error: Exception, said: str) -> None:
    def network(_: Tensor) -> Tensor:
        raise error

    with pytest.raises(ModelError) as caught:
        run(Colors(12), classifier(network))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_one_logit_that_is_no_finite_number_is_refused_with_its_condition(bad: float) -> None:
    def network(images: Tensor) -> Tensor:
        logits = images.mean(dim=(2, 3))
        logits[3, 1] = bad
        return logits

    with pytest.raises(ModelError, match="the model's logits under clean to be finite numbers"):
        run(Colors(12), classifier(network))


@pytest.mark.parametrize(("outputs", "fits"), [((0, 1, 2), False), ((4, 1, 2), True), ((5, 1, 2), False)])
def test_without_names_the_largest_output_of_a_class_is_the_last(outputs: tuple[int, ...], fits: bool) -> None:
    model = classifier(Pixels(5, seed=4), class_names=None)
    if fits:
        assert len(run(Colors(12), model, outputs=outputs).images.labels) == 12
    else:
        with pytest.raises(ModelError, match=f"{max(outputs) + 1}, one for each class, but got 5"):
            run(Colors(12), model, outputs=outputs)


@pytest.mark.parametrize("most_whole", [2, 3])
@pytest.mark.parametrize("kept", [1, 2])
def test_kept_scores_are_the_best_with_their_classes(
    kept: int, most_whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = classifier(Pixels(3, seed=5))
    every = read(run(Colors(16), model))
    monkeypatch.setattr(outcomes, "KEPT_SCORES", kept)
    monkeypatch.setattr(runner, "KEPT_SCORES", kept)
    monkeypatch.setattr(shards, "MOST_WHOLE", most_whole)
    for whole, best in zip(every, read(run(Colors(16), model)), strict=True):
        assert best.scores.shape == best.classes.shape == (16, kept)
        for row in range(16):
            chosen = np.argsort(-whole.scores[row])[:kept]
            assert best.classes[row].tolist() == chosen.tolist()
            np.testing.assert_array_equal(best.scores[row], whole.scores[row][chosen])


def buffers(**tensors: Tensor) -> nn.Module:
    module = nn.Module()
    for name, tensor in tensors.items():
        module.register_buffer(name, tensor)
    return module


def test_the_digest_sees_names_types_and_values_but_not_the_order_of_layers_or_of_memory() -> None:
    values = torch.arange(6.0).reshape(2, 3)
    plain = weights_digest(buffers(a=values, b=values + 1))
    assert weights_digest(buffers(b=values + 1, a=values)) == plain
    assert weights_digest(buffers(a=values.T.contiguous().T, b=values + 1)) == plain
    others = [
        buffers(a=values + 1, b=values),
        buffers(a=values, c=values + 1),
        buffers(a=values.double(), b=values + 1),
        buffers(a=values),
        buffers(a=values.T, b=values + 1),
    ]
    assert len({plain, *map(weights_digest, others)}) == 6
    # Counters and masks of any type and shape have bytes too.
    assert weights_digest(buffers(a=torch.tensor(3), b=torch.tensor([True]), c=torch.empty(0))) is not None


class Answers(nn.Module):
    """Gives whatever a function gives for the mean colors of the images, (N, 3)."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, images: Tensor) -> Tensor:
        return self.change(40 * images.mean(dim=(2, 3)))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda logits: logits.softmax(dim=1), OutputKind.PROBABILITIES),
        (lambda logits: logits.double().sigmoid(), OutputKind.SIGMOIDS),
    ],
)
def test_probabilities_have_the_outcomes_of_their_logits(change: Callable[[Tensor], Tensor], kind: OutputKind) -> None:
    logits = read(run(Colors(30), classifier(Answers(lambda found: found))))
    found = read(run(Colors(30), classifier(Answers(change), output_kind=kind)))
    for one, other in zip(logits, found, strict=True):
        np.testing.assert_array_equal(one.predicted, other.predicted)
        for name in ("p_true", "margin", "scores"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-3)


@pytest.mark.parametrize(("classes", "dtype"), [(32_768, np.int16), (32_769, np.int32), (40_000, np.int32)])
def test_classes_of_any_number_keep_their_index(classes: int, dtype: type, tmp_path: Path) -> None:
    """The last class has the highest score of all images, whatever the first bytes of its number are."""

    def change(found: Tensor) -> Tensor:
        return torch.arange(float(classes)).expand(len(found), classes)

    many = classifier(Answers(change), class_names=ClassNames(tuple(map(str, range(classes)))))
    store = OutcomeStore.open(tmp_path / "o", {})
    (outcome,) = read(run(Colors(16), many, store, [Condition()], range(classes)), 1)
    assert outcome.classes.dtype == dtype
    np.testing.assert_array_equal(outcome.classes, np.tile(classes - 1 - np.arange(32), (16, 1)))
    assert set(outcome.predicted.tolist()) == {classes - 1}


def spoiled(rows: set[str], value: float) -> nn.Module:
    """Return a network that gives a value instead of a number for images whose first pixel is that of these ids."""
    corners = [torch.from_numpy(picture(int(name), int(name) % 3)[0, 0]) for name in rows]

    def change(images: Tensor) -> Tensor:
        pixels = (images[:, :, 0, 0] * 0.25 + 0.5) * 255
        wrong = torch.stack([(pixels - corner).abs().amax(dim=1) < 0.5 for corner in corners]).any(dim=0)
        return torch.where(wrong[:, None], value, images.mean(dim=(2, 3)).double())

    class Spoiled(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return change(images)

    return Spoiled()


def test_an_image_without_a_finite_logit_is_named_with_its_condition() -> None:
    with pytest.raises(ModelError) as caught:
        run(Colors(30), classifier(spoiled({"00021"}, float("nan"))))
    assert caught.value.for_command_line == (
        "Expected the model's logits under clean to be finite numbers, but got NaN or infinity for the image '00021'. "
        "Check the weights, and --mean and --std; where it is this image alone, remove it from the dataset."
    )


def test_several_such_images_are_counted() -> None:
    names = {"00025", "00026", "00027", "00028"}
    with pytest.raises(ModelError, match=r"4 of 6 images: '00025', '00026', '00027' and 1 more\. Check the weights"):
        run(Colors(30), classifier(spoiled(names, float("inf"))), conditions=[Condition()])


def test_logits_beyond_float32_are_named_and_not_made_infinite() -> None:
    with pytest.raises(ModelError, match=r"but got 1e\+39, beyond float32 for the image '00021'"):
        run(Colors(30), classifier(spoiled({"00021"}, -1e39)))
    largest = read(run(Colors(30), classifier(spoiled({"00021"}, 3.4e38)), conditions=[Condition()]), 1)
    assert all(np.isfinite(found.scores).all() for found in largest)


def test_complex_logits_are_refused() -> None:
    with pytest.raises(ModelError, match="logits to be real numbers, but got complex ones"):
        run(Colors(12), classifier(Answers(lambda found: torch.complex(found, found))))
