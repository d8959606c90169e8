"""One short training: what it sees, in which order, and what it gives back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cuesense.training import fit as fit_module
from cuesense.training.fit import Images, Recipe, fit, log_probabilities
from tests.helpers.training_images import MEAN, STD, small_network, training_images


def weights(trained: nn.Module) -> Tensor:
    return torch.cat([entry.detach().flatten() for entry in trained.parameters()]).clone()


class Seen:
    """An augmentation that notes the labels it is given and uses up random numbers."""

    def __init__(self, draws: int) -> None:
        self.draws, self.labels = draws, list[Tensor]()

    def __call__(self, pixels: Tensor, labels: Tensor) -> Tensor:
        assert pixels.dtype == torch.float32
        assert 0 <= float(pixels.min()) <= float(pixels.max()) <= 1
        torch.rand(self.draws)
        self.labels.append(labels)
        return pixels


def test_a_network_learns_the_classes() -> None:
    data, test = training_images(), training_images(90).take(range(60, 90))
    trained = fit(small_network(), data, Recipe(epochs=20, rate=0.03, batch_size=20), seed=0)
    assert not trained.training
    predictions = log_probabilities(trained, test, batch_size=7)
    assert predictions.shape == (30, 3)
    assert np.exp(predictions).sum(axis=1) == pytest.approx(np.ones(30), abs=1e-5)
    assert (predictions.argmax(axis=1) == test.labels.numpy()).mean() >= 0.9


def test_the_seed_decides_everything_and_torchs_random_numbers_stay_as_they_were() -> None:
    recipe = Recipe(epochs=2, rate=0.01, batch_size=16)

    def noisy(pixels: Tensor, labels: Tensor) -> Tensor:  # noqa: ARG001
        return (pixels + 0.1 * torch.randn_like(pixels)).clamp(0, 1)

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (
        weights(fit(small_network(), training_images(), recipe, noisy, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.manual_seed(5)
    assert torch.equal(before, torch.random.get_rng_state())


def test_trainings_see_the_images_in_the_same_order_whatever_is_done_to_them() -> None:
    recipe = Recipe(epochs=2, rate=0.01, batch_size=15)
    little, much = Seen(1), Seen(1000)
    for seen in (little, much):
        fit(small_network(), training_images(), recipe, seen, seed=3)
    assert torch.equal(torch.cat(little.labels), torch.cat(much.labels))
    other = Seen(1)
    fit(small_network(), training_images(), recipe, other, seed=4)
    assert not torch.equal(torch.cat(little.labels), torch.cat(other.labels))


def test_every_epoch_shows_every_image_once_and_a_fraction_is_a_part_of_one() -> None:
    data = Images(training_images().pixels, torch.arange(60) % 3, MEAN, STD)
    indices: list[int] = []

    def note(pixels: Tensor, labels: Tensor) -> Tensor:  # noqa: ARG001
        rows = (pixels.mul(255).round().byte()[:, None] == data.pixels[None]).flatten(2).all(2)
        indices.extend(rows.int().argmax(1).tolist())
        return pixels

    steps: list[tuple[int, int]] = []
    fit(
        small_network(),
        data,
        Recipe(1.5, 0.01, 10),
        note,
        seed=0,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert sorted(indices[:60]) == list(range(60))
    assert len(set(indices[60:])) == 30
    assert steps == [(done, 9) for done in range(1, 10)]
    assert Recipe(0.01, 0.1, 64).steps(20) == 1


def test_the_average_is_the_mean_of_the_weights_after_the_first_quarter() -> None:
    recipe = Recipe(epochs=2, rate=0.02, batch_size=15, cycle=False, average=True)
    plain, passed = small_network(), list[Tensor]()
    fit(
        plain,
        training_images(),
        Recipe(2, 0.02, 15, cycle=False),
        seed=4,
        progress=lambda *_: passed.append(weights(plain)),
    )
    averaged = weights(fit(small_network(), training_images(), recipe, seed=4))
    assert len(passed) == 8
    assert torch.allclose(averaged, torch.stack(passed[2:]).mean(0), atol=1e-6)
    assert not torch.allclose(averaged, passed[-1], atol=1e-4)


def test_the_averages_batch_statistics_are_those_of_the_last_step() -> None:
    def normed() -> nn.Module:
        return nn.Sequential(nn.BatchNorm2d(3), small_network())

    last = normed()
    fit(last, training_images(), Recipe(2, 0.02, 15, cycle=False), seed=4)
    averaged = fit(normed(), training_images(), Recipe(2, 0.02, 15, cycle=False, average=True), seed=4)
    assert torch.equal(averaged.get_buffer("0.running_mean"), last.get_buffer("0.running_mean"))


def test_the_rate_rises_and_falls_or_stays() -> None:
    """One step from the same weights with the same gradient: AdamW moves every weight by the rate."""
    moves = {}
    for cycle in (True, False):
        trained, passed = small_network(), list[Tensor]()
        recipe = Recipe(4, 0.01, 60, weight_decay=0.0, cycle=cycle)
        start = weights(trained)
        fit(trained, training_images(), recipe, seed=0, progress=lambda *_, n=trained, p=passed: p.append(weights(n)))
        moves[cycle] = float((passed[0] - start).abs().max())
    assert moves[False] == pytest.approx(0.01, rel=1e-3)
    assert moves[True] < 0.001


def test_biases_are_not_decayed_and_frozen_weights_stay() -> None:
    trained = small_network()
    trained[2].weight.requires_grad_(False)  # type: ignore[union-attr]
    frozen, bias = trained[2].weight.clone(), trained[4].bias.clone()  # type: ignore[union-attr]
    recipe = Recipe(1, 1e-12, 60, weight_decay=1e11, cycle=False)
    matrix = trained[4].weight.clone()  # type: ignore[union-attr]
    fit(trained, training_images(), recipe, seed=0)
    assert torch.equal(trained[2].weight, frozen)  # type: ignore[union-attr]
    assert torch.allclose(trained[4].bias, bias, atol=1e-9)  # type: ignore[union-attr]
    assert (trained[4].weight.abs() < 0.99 * matrix.abs() + 1e-9).all()  # type: ignore[union-attr]


def test_labels_are_smoothed() -> None:
    """The best prediction for smoothed labels is not certain: its loss is their entropy."""
    data = training_images()
    sure = fit(small_network(), data, Recipe(60, 0.1, 60, weight_decay=0, smoothing=0.0), seed=0)
    smooth = fit(small_network(), data, Recipe(60, 0.1, 60, weight_decay=0, smoothing=0.5), seed=0)
    losses = [
        float(cross_entropy(torch.from_numpy(log_probabilities(trained, data)), data.labels))
        for trained in (sure, smooth)
    ]
    assert losses[0] < 0.1 < 0.3 < losses[1]


def one_cycle(step: int, steps: int, peak: float) -> tuple[float, float]:
    """Learning rate and first momentum of a step (Smith and Topin 2019, with cosines): up in 30 % of the steps."""
    top = 0.3 * steps - 1
    if step <= top:
        share = (1 - np.cos(np.pi * step / top)) / 2
        return peak / 25 + share * (peak - peak / 25), 0.95 - share * 0.1
    share = (1 - np.cos(np.pi * (step - top) / (steps - 1 - top))) / 2
    return peak + share * (peak / 25e4 - peak), 0.85 + share * 0.1


def trained_by_hand(
    matrix: np.ndarray, bias: np.ndarray, data: Images, recipe: Recipe, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """AdamW on a linear network in double precision, from the definitions (Loshchilov and Hutter 2019)."""
    inputs = data.normalized(data.pixels.double() / 255).flatten(1).numpy()
    targets = np.eye(3)[data.labels.numpy()] * (1 - recipe.smoothing) + recipe.smoothing / 3
    steps = recipe.steps(len(data))
    orders = torch.Generator().manual_seed(seed)
    needed = -(-steps * recipe.batch_size // len(data))
    order = torch.cat([torch.randperm(len(data), generator=orders) for _ in range(needed)]).numpy()
    weights_ = [matrix.astype(np.float64), bias.astype(np.float64)]
    first, second = [np.zeros_like(entry) for entry in weights_], [np.zeros_like(entry) for entry in weights_]
    for step in range(steps):
        rows = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
        logits = inputs[rows] @ weights_[0].T + weights_[1]
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        errors = (chances / chances.sum(axis=1, keepdims=True) - targets[rows]) / len(rows)
        rate, momentum = one_cycle(step, steps, recipe.rate) if recipe.cycle else (recipe.rate, 0.9)
        for at, gradient in enumerate((errors.T @ inputs[rows], errors.sum(axis=0))):
            first[at] = momentum * first[at] + (1 - momentum) * gradient
            second[at] = 0.999 * second[at] + 0.001 * gradient**2
            decay = recipe.weight_decay if at == 0 else 0.0
            weights_[at] *= 1 - rate * decay
            mean, square = first[at] / (1 - momentum ** (step + 1)), second[at] / (1 - 0.999 ** (step + 1))
            weights_[at] -= rate * mean / (np.sqrt(square) + 1e-8)
    return weights_[0], weights_[1]


@pytest.mark.parametrize("cycle", [True, False])
def test_a_training_is_adamw_by_hand(cycle: bool) -> None:
    data = training_images()
    recipe = Recipe(epochs=5, rate=0.003, batch_size=15, weight_decay=0.5, smoothing=0.1, cycle=cycle)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
    head = network[1]
    start = head.weight.detach().numpy().copy(), head.bias.detach().numpy().copy()
    expected = trained_by_hand(*start, data, recipe, seed=7)
    fit(network, data, recipe, seed=7)
    for found, wanted, before in zip((head.weight, head.bias), expected, start, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), wanted, atol=5e-5)
        assert np.abs(wanted - before).max() > 20 * 5e-5


@pytest.mark.parametrize(
    ("epochs", "images", "size", "steps"),
    [(1, 64, 64, 1), (1, 95, 64, 1), (1, 97, 64, 2), (16, 40, 64, 10), (0.5, 640, 64, 5), (0.001, 10, 64, 1)],
)
def test_steps_are_rounded_and_at_least_one(epochs: float, images: int, size: int, steps: int) -> None:
    assert Recipe(epochs, 0.1, size).steps(images) == steps


@pytest.mark.parametrize(("images", "size", "steps"), [(10, 3, 7), (10, 10, 2), (4, 10, 3), (7, 2, 1)])
def test_batches_are_one_order_of_all_images_after_another(images: int, size: int, steps: int) -> None:
    batches = fit_module._batches(images, size, steps, seed=3)
    assert [len(rows) for rows in batches] == [size] * steps
    shown = torch.cat(batches).tolist()
    for start in range(0, len(shown) - images + 1, images):
        assert sorted(shown[start : start + images]) == list(range(images))
    longer = fit_module._batches(images, size, steps + 2, seed=3)
    assert torch.equal(torch.stack(longer[:steps]), torch.stack(batches))


def test_an_average_of_less_than_four_steps_leaves_none_out() -> None:
    recipe = Recipe(3, 0.02, 60, cycle=False)
    plain, passed = small_network(), list[Tensor]()
    fit(plain, training_images(), recipe, seed=4, progress=lambda *_: passed.append(weights(plain)))
    averaged = fit(small_network(), training_images(), Recipe(3, 0.02, 60, cycle=False, average=True), seed=4)
    assert torch.allclose(weights(averaged), torch.stack(passed).mean(0), atol=1e-6)


def test_a_training_inside_of_no_grad_trains_all_the_same() -> None:
    recipe = Recipe(1, 0.01, 20)
    with torch.no_grad():
        inside = weights(fit(small_network(), training_images(), recipe, seed=1))
        assert not torch.is_grad_enabled()
    assert torch.equal(inside, weights(fit(small_network(), training_images(), recipe, seed=1)))


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
def test_predictions_do_not_depend_on_the_batch_size(batch_size: int) -> None:
    data, network = training_images(), small_network().eval()
    with torch.no_grad():
        logits = network(data.normalized(data.pixels.float() / 255))
    expected = logits - logits.exp().sum(dim=1, keepdim=True).log()
    found = log_probabilities(network, data, batch_size=batch_size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_images_are_normalized_channel_by_channel_and_taken_in_the_given_order() -> None:
    data = Images(training_images().pixels, training_images().labels, (0.1, 0.2, 0.3), (0.5, 0.25, 0.125))
    found = data.normalized(torch.full((2, 3, 1, 1), 0.6))
    assert found[:, :, 0, 0].tolist() == [pytest.approx([1.0, 1.6, 2.4])] * 2
    some = data.take(np.array([5, 0, 5]))
    assert (len(some), some.labels.tolist()) == (3, [2, 0, 2])
    assert torch.equal(some.pixels, data.pixels[[5, 0, 5]])
    assert (some.mean, some.std) == (data.mean, data.std)


class Rigged(nn.Module):
    """Gives one row of logits to every image."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([0.5, -1.0, 2.0]))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.logits.expand(len(pixels), 3)


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.3])
def test_a_weighted_loss_is_that_of_a_plain_loop(smoothing: float) -> None:
    outputs, labels = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 2, 1, 0, 2])
    class_weights = (0.5, 1.0, 1.5)
    total = weight_of_all = 0.0
    for row, label in zip(outputs, labels.tolist(), strict=True):
        log_p = row.log_softmax(0)
        loss = -(1 - smoothing) * log_p[label] - smoothing * log_p.mean()
        total += class_weights[label] * float(loss)
        weight_of_all += class_weights[label]
    weights = torch.tensor(class_weights)[labels]
    found = fit_module._loss(outputs, labels, weights, smoothing)
    assert float(found) == pytest.approx(total / weight_of_all, rel=1e-5)
    if not smoothing:
        assert float(found) == pytest.approx(float(cross_entropy(outputs, labels, weight=torch.tensor(class_weights))))


@pytest.mark.parametrize("size", [0.1, 1.0, 7.0])
def test_equal_weights_of_any_size_change_no_step(size: float) -> None:
    recipe = Recipe(epochs=2, rate=0.02, batch_size=15)
    data = training_images()
    alike = weights(fit(small_network(), data.weighted((size,) * 3), recipe, seed=1))
    assert torch.allclose(alike, weights(fit(small_network(), data, recipe, seed=1)), atol=1e-5)


def test_images_carry_the_weight_of_their_class() -> None:
    data = training_images(6).weighted((0.5, 1.0, 1.5))
    assert data.weights is not None
    assert data.weights.tolist() == [0.5, 1.0, 1.5, 0.5, 1.0, 1.5]
    taken = data.take([5, 0]).weights
    assert taken is not None
    assert taken.tolist() == [1.5, 0.5]
    assert data.weighted(()).weights is None
    assert training_images(6).weighted(()).weights is None


def test_a_network_that_sees_nothing_predicts_the_class_with_the_largest_weight() -> None:
    """Its best constant answer is each class's share of the weight."""
    data = training_images()
    blind = Recipe(epochs=60, rate=0.1, batch_size=60, smoothing=0.0, weight_decay=0.0, cycle=False)
    for heavy in range(3):
        class_weights = [0.75] * 3
        class_weights[heavy] = 1.5
        trained = fit(Rigged(), data.weighted(class_weights), blind, seed=0)
        shares = np.exp(log_probabilities(trained, data))[0]
        assert shares == pytest.approx(np.array(class_weights) / 3, abs=0.03)
