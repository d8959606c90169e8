"""Linear probes against scikit-learn, and a penalty that is needed."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from cuesense.training import linear_probe
from cuesense.training.linear_probe import cross_validated_predictions, fit_and_predict, folds


def clouds(images: int, dimensions: int, noise: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes around centers of their own in the first three dimensions; the others tell nothing."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 3
    features = random.normal(size=(images, dimensions)) * noise
    features[np.arange(images), labels] += 1
    return torch.tensor(features, dtype=torch.float32), torch.tensor(labels)


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
