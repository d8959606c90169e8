"""Linear heads on frozen features: one ridge-penalized multinomial regression, fitted with L-BFGS."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

# From strong to weak, because each fit starts where the last one ended and a strong penalty has its optimum near zero.
# Factors of about 3 over three decades: chosen by hand, not tuned.
_PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
# One penalty for all of a forecast's heads, so that their differences come from the augmentation alone. There is no
# record of how it was chosen; the figures of "refitted heads" in docs/budgets.md were measured with it.
_FIXED_PENALTY = 0.02
# L-BFGS steps. The probe is compared with scikit-learn's optimum and gets more of them; the heads that are fitted once
# for each augmentation, value and fold get fewer, because their number decides the time of a forecast.
_STEPS = 100
_FEWER_STEPS = 60
# The usual number: each head sees 80 % of the images, for five times the time of one fit. Not tuned.
_FOLDS = 5
# A feature that never varies would be divided by zero.
_SMALLEST_SCALE = 1e-6


def fit_and_predict(train: Tensor, labels: Tensor, test: Tensor, classes: int) -> np.ndarray:
    """Fit a head on some images' features and predict the classes of others.

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
    train, test = _standardized(train, train, test)
    held_out = folds(labels) == 0
    head, losses = _zero_head(train, classes), []
    for penalty in _PENALTIES:
        _fit(head, [(1.0, train[~held_out])], labels[~held_out], penalty, _STEPS)
        with torch.no_grad():
            losses.append(float(cross_entropy(head(train[held_out]), labels[held_out])))
    head = _zero_head(train, classes)
    _fit(head, [(1.0, train)], labels, _PENALTIES[int(np.argmin(losses))], _STEPS)
    return _predict(head, test)


def cross_validated_predictions(features: Tensor, labels: Tensor, classes: int) -> np.ndarray:
    """Predict every image with a head that was not fitted on it.

    The images are dealt to five folds, class by class; each fold is predicted by a head fitted on the others.

    Args:
        features: (N, D).
        labels: Class of each, (N,), in [0, C); each class has two images or more.
        classes: Number of classes C.

    Returns:
        The predicted class of each, (N,).
    """
    fold, predicted = folds(labels), np.empty(len(labels), dtype=np.int64)
    for own in _members(fold):
        predicted[own.numpy()] = fit_and_predict(features[~own], labels[~own], features[own], classes)
    return predicted


def cross_fitted(
    clean: Tensor, changed: Tensor, labels: Tensor, classes: int, probability: float
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every image, clean and augmented, with a head that was not fitted on it.

    The images are dealt to five folds, class by class. For each fold, a head with a fixed ridge penalty is fitted on
    the others: on their augmented features with the given weight, on their clean ones with the rest, as training
    would see both kinds of views. Features are scaled to mean 0 and variance 1 of the clean ones.

    Args:
        clean: Features of the clean images, (N, D).
        changed: Features of the same images, augmented, (N, D).
        labels: Class of each image, (N,), in [0, C).
        classes: Number of classes C.
        probability: Weight of the augmented features, in [0, 1]: the probability that a view is augmented.

    Returns:
        The predicted class of each clean image and of each augmented one, (N,) each.
    """
    clean, changed = _standardized(clean, clean, changed)
    predicted = np.empty((2, len(labels)), dtype=np.int64)
    for own in _members(folds(labels)):
        head = _zero_head(clean, classes)
        views = [(probability, changed[~own]), (1 - probability, clean[~own])]
        _fit(head, views, labels[~own], _FIXED_PENALTY, _FEWER_STEPS)
        predicted[:, own.numpy()] = _predict(head, clean[own]), _predict(head, changed[own])
    return predicted[0], predicted[1]


def folds(labels: Tensor) -> Tensor:
    """Deal images to five folds, class by class.

    Args:
        labels: Class of each image, (N,).

    Returns:
        The fold of each image, (N,), from 0 to 4. The folds' numbers of images of a class differ by at most one.
    """
    fold = torch.empty(len(labels), dtype=torch.int64)
    fold[torch.argsort(labels, stable=True)] = torch.arange(len(labels)) % _FOLDS
    return fold


def _members(fold: Tensor) -> list[Tensor]:
    """Return a mask of the images for every fold that has some, (N,) each."""
    return [fold == number for number in range(_FOLDS) if bool((fold == number).any())]


def _standardized(reference: Tensor, *features: Tensor) -> tuple[Tensor, ...]:
    """Scale features to mean 0 and variance 1 of a reference, all (N, D)."""
    center, scale = reference.mean(dim=0), reference.std(dim=0).clamp(min=_SMALLEST_SCALE)
    return tuple((entry - center) / scale for entry in features)


def _zero_head(features: Tensor, classes: int) -> nn.Linear:
    head = nn.Linear(features.shape[1], classes)
    # The loss is convex, so zeros cost nothing, and results do not depend on a seed.
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def _predict(head: nn.Linear, features: Tensor) -> np.ndarray:
    with torch.no_grad():
        predicted: np.ndarray = head(features).argmax(dim=1).numpy()
    return predicted


def _fit(
    head: nn.Linear, views: Sequence[tuple[float, Tensor]], labels: Tensor, penalty: float, max_steps: int
) -> None:
    """Minimize the weighted sum of the views' cross-entropies plus penalty / 2 times the squared weights, in place.

    Args:
        head: Where the optimization starts, and the result.
        views: A weight, and features (N, D) of the same N images, for each kind of view.
        labels: Class of each image, (N,).
        penalty: Factor of half the sum of the squared weights; biases are not penalized.
        max_steps: Largest number of L-BFGS steps.
    """
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=max_steps, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        # Added from left to right, the penalty last: another order would round differently.
        errors = (weight * cross_entropy(head(features), labels) for weight, features in views)
        total = reduce(add, errors) + penalty * head.weight.square().sum() / 2
        total.backward()  # type: ignore[no-untyped-call]
        return float(total.detach())

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
