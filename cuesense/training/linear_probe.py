"""Linear probes: a linear head on frozen features, its penalty chosen on a part of the training images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

_PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_STEPS = 100
_FOLDS = 5


def fit_and_predict(train: Tensor, labels: Tensor, test: Tensor, classes: int) -> np.ndarray:
    """Fit a head on some images' features and return what it says of others.

    Multinomial regression with a ridge penalty (L-BFGS) on features of mean 0 and variance 1. The penalty is the one
    with the smallest cross-entropy on a fifth of each class's training images when fitted on the others; then the head
    is fitted on all of them.

    Args:
        train: Features to fit on, (N, D).
        labels: Class of each, (N,), in [0, C).
        test: Features to predict from, (M, D).
        classes: Number of classes C.

    Returns:
        The predicted class of each, (M,).
    """
    center, scale = train.mean(dim=0), train.std(dim=0).clamp(min=1e-6)
    train, test = (train - center) / scale, (test - center) / scale
    held = folds(labels) == 0
    head, losses = _head(train, classes), []  # from strong to weak penalties, each from where the last one ended
    for penalty in _PENALTIES:
        _fit(head, train[~held], labels[~held], penalty)
        with torch.no_grad():
            losses.append(float(cross_entropy(head(train[held]), labels[held])))
    head = _head(train, classes)
    _fit(head, train, labels, _PENALTIES[int(np.argmin(losses))])
    with torch.no_grad():
        found: np.ndarray = head(test).argmax(dim=1).numpy()
    return found


def cross_validated_predictions(features: Tensor, labels: Tensor, classes: int) -> np.ndarray:
    """Return what heads say of images that they were not fitted on.

    The images are dealt to five folds, class by class; each fold is predicted by a head fitted on the others.

    Args:
        features: (N, D).
        labels: Class of each, (N,), in [0, C); each class has two images or more.
        classes: Number of classes C.

    Returns:
        The predicted class of each, (N,).
    """
    fold, predicted = folds(labels), np.empty(len(labels), dtype=np.int64)
    for number in range(_FOLDS):
        own = fold == number
        if own.any():
            predicted[own.numpy()] = fit_and_predict(features[~own], labels[~own], features[own], classes)
    return predicted


def folds(labels: Tensor) -> Tensor:
    """Deal images to five folds, class by class, (N,)."""
    fold = torch.empty(len(labels), dtype=torch.int64)
    fold[torch.argsort(labels, stable=True)] = torch.arange(len(labels)) % _FOLDS
    return fold


def _head(features: Tensor, classes: int) -> nn.Linear:
    head = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def _fit(head: nn.Linear, features: Tensor, labels: Tensor, penalty: float) -> None:
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        total = cross_entropy(head(features), labels) + penalty * head.weight.square().sum() / 2
        total.backward()  # type: ignore[no-untyped-call]
        return float(total.detach())

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
