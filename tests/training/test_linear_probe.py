"""Linear heads compared with scikit-learn's, their penalty, and that no image is predicted by a head fitted on it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from cuesense.training import linear_probe
from cuesense.training.linear_probe import cross_fitted, cross_validated_predictions, fit_and_predict, folds

RNG = torch.Generator().manual_seed(0)
LABELS = torch.arange(240) % 3
INFORMATIVE = torch.nn.functional.one_hot(LABELS).float() + 0.2 * torch.randn(240, 3, generator=RNG)
NOISE = torch.randn(240, 3, generator=RNG)


def clouds(images: int, dimensions: int, noise: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes around centers of their own in the first three dimensions; the others are noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 3
    features = random.normal(size=(images, dimensions)) * noise
    features[np.arange(images), labels] += 1
    return torch.tensor(features, dtype=torch.float32), torch.tensor(labels)


def clean_accuracy(clean: torch.Tensor, changed: torch.Tensor, probability: float = 0.8) -> float:
    return float((cross_fitted(clean, changed, LABELS, 3, probability)[0] == LABELS.numpy()).mean())


def test_folds_have_each_class_alike() -> None:
    labels = torch.tensor([0] * 10 + [1] * 15 + [2] * 5)[torch.randperm(30, generator=torch.manual_seed(0))]
    fold = folds(labels)
    for number in range(5):
        assert torch.bincount(labels[fold == number]).tolist() == [2, 3, 1]


@pytest.mark.parametrize("penalty", [1.0, 0.01])
def test_a_head_is_scikit_learn_s(penalty: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_probe, "_PENALTIES", (penalty,))
    train, labels = clouds(120, 6, 0.6)
    test, _ = clouds(200, 6, 0.6, seed=1)
    scaler = StandardScaler().fit(train.numpy())
    reference = LogisticRegression(C=1 / (penalty * len(train)), max_iter=1000, tol=1e-8)
    reference.fit(scaler.transform(train.numpy()), labels.numpy())
    theirs = reference.predict(scaler.transform(test.numpy()))
    assert (fit_and_predict(train, labels, test, 3) == theirs).mean() >= 0.99


def test_the_penalty_is_chosen_by_what_it_does() -> None:
    train, labels = clouds(45, 150, 0.7)
    test, truth = clouds(600, 150, 0.7, seed=1)
    chosen = (fit_and_predict(train, labels, test, 3) == truth.numpy()).mean()
    shares = []
    for penalty in linear_probe._PENALTIES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(linear_probe, "_PENALTIES", (penalty,))
            shares.append((fit_and_predict(train, labels, test, 3) == truth.numpy()).mean())
    assert chosen >= max(shares) - 0.05


def test_a_weak_penalty_is_chosen_where_a_strong_one_sees_the_largest_class_alone() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [160, 25, 15])
    features = torch.tensor(np.eye(3)[labels] + 0.1 * random.normal(size=(200, 3)), dtype=torch.float32)
    found = fit_and_predict(features, torch.tensor(labels), features, 3)
    assert (found == labels).all()


def test_images_are_predicted_by_heads_that_never_saw_them() -> None:
    features, _ = clouds(60, 80, 1.0)
    labels = torch.randint(0, 3, (60,), generator=torch.manual_seed(1))
    noise = torch.randn(60, 80, generator=torch.manual_seed(2))
    assert (cross_validated_predictions(noise, labels, 3) == labels.numpy()).mean() < 0.6
    sure, truth = clouds(60, 6, 0.1)
    assert (cross_validated_predictions(sure, truth, 3) == truth.numpy()).all()
    assert len(features) == 60


def test_a_cross_fitted_head_is_scikit_learn_s_on_weighted_views() -> None:
    clean, labels = clouds(60, 4, 0.8)
    changed = clean + 0.5 * torch.randn(60, 4, generator=torch.Generator().manual_seed(3))
    scaler, fold = StandardScaler().fit(clean.numpy()), folds(labels).numpy()
    # torch's standard deviation divides by N - 1, scikit-learn's by N
    scaler.scale_ *= np.sqrt(60 / 59)
    views = [scaler.transform(features.numpy()) for features in (clean, changed)]
    theirs = np.empty((2, 60), dtype=np.int64)
    for number in range(5):
        rest, own = fold != number, fold == number
        reference = LogisticRegression(C=1 / (0.02 * rest.sum()), max_iter=1000, tol=1e-8)
        weights = np.repeat([0.3, 0.7], rest.sum())
        reference.fit(np.concatenate([view[rest] for view in views]), np.tile(labels.numpy()[rest], 2), weights)
        for row, view in enumerate(views):
            theirs[row, own] = reference.predict(view[own])
    ours = np.stack(cross_fitted(clean, changed, labels, 3, 0.7))
    assert (ours == theirs).mean() >= 0.99
    assert (theirs != labels.numpy()).mean() > 0.1


def test_heads_learn_from_clean_and_from_augmented_views() -> None:
    assert clean_accuracy(INFORMATIVE, INFORMATIVE) > 0.95
    assert clean_accuracy(INFORMATIVE, NOISE, probability=0.5) > 0.9


def test_the_more_frequent_view_decides_where_the_two_contradict_each_other() -> None:
    shifted = INFORMATIVE.roll(1, dims=1)
    assert clean_accuracy(INFORMATIVE, shifted, probability=0.9) < 0.1
    assert clean_accuracy(INFORMATIVE, shifted, probability=0.1) > 0.9


def test_augmented_images_are_predicted_beside_the_clean_ones() -> None:
    shifted = INFORMATIVE.roll(1, dims=1)
    clean, changed = cross_fitted(INFORMATIVE, shifted, LABELS, 3, 0.9)
    assert (clean == LABELS.numpy()).mean() < 0.1
    assert (changed == LABELS.numpy()).mean() > 0.9


def test_a_cross_fitted_head_never_saw_the_images_it_predicts() -> None:
    """With more features than images any labels could be memorized."""
    wide = torch.randn(240, 400, generator=RNG)
    assert clean_accuracy(wide, wide) < 0.5


def test_a_constant_feature_and_a_class_of_one_image_do_no_harm() -> None:
    labels = torch.tensor([0] * 30 + [1] * 30 + [2])
    clean = torch.cat([torch.nn.functional.one_hot(labels).float(), torch.ones(61, 1)], dim=1)
    predicted, _ = cross_fitted(clean, clean, labels, 3, 0.8)
    assert (predicted[:60] == labels.numpy()[:60]).all()
    # The head that predicts it never saw its class.
    assert predicted[60] != 2


@pytest.mark.parametrize("images", [2, 5])
def test_fewer_images_than_folds_are_predicted_all_the_same(images: int) -> None:
    labels = torch.arange(images) % 2
    features = torch.nn.functional.one_hot(labels).float()
    found = cross_fitted(features, features, labels, 2, 0.5)[0]
    assert found.tolist() == ([1, 0] if images == 2 else labels.tolist())


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_folds_of_any_labels_differ_by_at_most_one_image_of_a_class(labels: list[int]) -> None:
    fold = folds(torch.tensor(labels))
    assert set(fold.tolist()) <= set(range(5))
    of_all = np.bincount(fold, minlength=5)
    assert of_all.max() - of_all.min() <= 1
    for label in set(labels):
        counts = np.bincount(fold[torch.tensor(labels) == label], minlength=5)
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("penalty", [0.3, 0.02])
def test_a_fitted_head_has_no_slope_left_and_its_biases_are_not_penalized(penalty: float) -> None:
    """The gradient of the stated loss, by hand: two views weighted 0.7 and 0.3, and half the squared weights."""
    features, labels = clouds(90, 5, 0.8)
    other = features + 1.0
    head = linear_probe._zero_head(features, 3)
    linear_probe._fit(head, [(0.7, features), (0.3, other)], labels, penalty, 200)
    weight, bias = (entry.detach().double().numpy() for entry in (head.weight, head.bias))
    slope, lift = penalty * weight, np.zeros(3)
    for share, view in ((0.7, features.double().numpy()), (0.3, other.double().numpy())):
        chances = np.exp(view @ weight.T + bias)
        errors = chances / chances.sum(axis=1, keepdims=True) - np.eye(3)[labels.numpy()]
        slope = slope + share * errors.T @ view / 90
        lift = lift + share * errors.mean(axis=0)
    assert np.abs(slope).max() < 2e-4
    assert np.abs(lift).max() < 2e-4
    assert np.abs(weight).max() > 0.05


def test_features_are_scaled_by_the_reference_and_a_constant_one_is_only_moved() -> None:
    reference = torch.tensor([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    scaled, other = linear_probe._standardized(reference, reference, torch.tensor([[6.0, 5.0]]))
    assert scaled.tolist() == [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    assert other.tolist() == [[2.0, 0.0]]


def test_predictions_do_not_depend_on_the_unit_of_a_feature() -> None:
    train, labels = clouds(90, 5, 0.6)
    test, _ = clouds(60, 5, 0.6, seed=1)
    units = torch.tensor([1000.0, 0.01, 1.0, 5.0, 1.0])
    plain, scaled = (fit_and_predict(train * unit, labels, test * unit, 3) for unit in (1.0, units))
    assert (plain == scaled).mean() >= 0.98
