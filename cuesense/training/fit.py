"""Train a network: one short training with the same recipe and image order for every augmentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel

from cuesense.types import Progress, no_progress

Augment = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Images:
    """Images as a network is trained on them, all of one size.

    Attributes:
        pixels: (N, 3, H, W), uint8.
        labels: (N,), int64, the network's output of each image's class.
        mean: Normalization mean, RGB in [0, 1] units.
        std: Normalization standard deviation, likewise.
        weights: (N,), float32, how much each image counts in the training loss; None: all alike.
    """

    pixels: Tensor
    labels: Tensor
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: Tensor | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(self.labels)

    def take(self, rows: Sequence[int] | np.ndarray | Tensor) -> Images:
        """Return some of the images.

        Args:
            rows: Their indices.
        """
        indices = torch.as_tensor(rows)
        weights = None if self.weights is None else self.weights[indices]
        return Images(self.pixels[indices], self.labels[indices], self.mean, self.std, weights)

    def weighted(self, class_weights: Sequence[float]) -> Images:
        """Return the same images, each of which counts in the training loss as much as its class.

        Args:
            class_weights: Weight of each class, above 0; empty: all count alike.
        """
        if not class_weights:
            return replace(self, weights=None)
        return replace(self, weights=torch.tensor(class_weights, dtype=torch.float32)[self.labels])

    def normalized(self, pixels: Tensor) -> Tensor:
        """Return pixels in [0, 1], (N, 3, H, W), as the network takes them."""
        shape = (1, 3, 1, 1)
        return (pixels - pixels.new_tensor(self.mean).view(shape)) / pixels.new_tensor(self.std).view(shape)


@dataclass(frozen=True)
class Recipe:
    """How long and how fast a network is trained, with AdamW and label smoothing.

    Attributes:
        epochs: Passes over the images; a fraction is a part of one.
        rate: The learning rate, or its peak.
        batch_size: Images a step.
        weight_decay: Decoupled weight decay of matrices and filters.
        smoothing: Label smoothing, in [0, 1).
        cycle: Raise and lower the rate once (Smith and Topin 2019, arXiv 1708.07120); else it is constant.
        average: Give back the mean of the weights of all steps after the first quarter (Izmailov et al. 2018, arXiv
            1803.05407), with the statistics of batches as the last step left them.
    """

    epochs: float
    rate: float
    # Chosen by hand for networks of some 150,000 parameters and never tuned for a result: all tables of docs/budgets.md
    # and docs/class-dependence.md (which also sweeps the weight decay) were measured with these three.
    batch_size: int = 64
    weight_decay: float = 0.02
    smoothing: float = 0.05
    cycle: bool = True
    average: bool = False

    def steps(self, images: int) -> int:
        """Return the number of steps for a number of images: at least one."""
        return max(1, round(self.epochs * images / self.batch_size))


def fit(
    network: nn.Module,
    images: Images,
    recipe: Recipe,
    augment: Augment | None = None,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = no_progress,
) -> nn.Module:
    """Train a network.

    The order of the images depends on the seed alone, so that trainings with and without an augmentation see them in
    the same order; so do torch's random numbers during the training, whose state is left as it was.

    Args:
        network: Module from normalized (N, 3, H, W) to logits (N, K); its weights are changed.
        images: What to train on; where they have weights, the loss of a batch is the mean with these weights.
        recipe: How.
        augment: From a batch in [0, 1] and its labels to a batch in [0, 1]; None leaves the images as they are.
        seed: Seed of the order and of the augmentation.
        device: ``"cpu"``, ``"cuda"`` or any device torch knows.
        progress: Called with (steps done, steps in all).

    Returns:
        The network in evaluation mode, or its average.
    """
    # channels_last is 1.3 times as fast on a CPU and the faster layout of convolutions on GPUs.
    network.to(device).to(memory_format=torch.channels_last).train()
    steps = recipe.steps(len(images))
    optimizer = _optimizer(network, recipe)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps) if recipe.cycle else None
    average = AveragedModel(network) if recipe.average else None
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        for step, rows in enumerate(_batches(len(images), recipe.batch_size, steps, seed)):
            _step(network, images.take(rows), augment, optimizer, recipe, device)
            if schedule is not None:
                schedule.step()
            # The first quarter is left out: there the weights are still far from the average (Izmailov et al. average
            # from three quarters on, but of much longer trainings). Chosen by hand.
            if average is not None and step >= steps // 4:
                average.update_parameters(network)
            progress(step + 1, steps)
    # AveragedModel averages weights and copies buffers: batch statistics are those of the last step. The averaged
    # weights would deserve statistics of their own, but those would need another pass over the images.
    return (network if average is None else average.module).eval()


def log_probabilities(network: nn.Module, images: Images, device: str = "cpu", batch_size: int = 128) -> np.ndarray:
    """Return what a network predicts for images.

    Args:
        network: Module from normalized (N, 3, H, W) to logits (N, K), in evaluation mode.
        images: The N images.
        device: Where the network is.
        batch_size: Images a forward pass.

    Returns:
        Logarithms of the probabilities of the K outputs, (N, K), float32.
    """
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            pixels = images.pixels[start : start + batch_size].to(device).float().div_(255)
            parts.append(network(images.normalized(pixels)).float().log_softmax(dim=1).cpu())
    found: np.ndarray = torch.cat(parts).numpy()
    return found


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    # Biases and normalization scales are not decayed, as is usual: decay would shift what they normalize to.
    groups = [
        {"params": [entry for entry in parameters if entry.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [entry for entry in parameters if entry.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=recipe.rate)


def _batches(images: int, size: int, steps: int, seed: int) -> list[Tensor]:
    """Return the rows of every step: one order of all images after another, cut into whole batches."""
    # A generator of its own: the augmentation's draws must not change the order of the images.
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(images, generator=generator) for _ in range(-(-steps * size // images))]
    return list(torch.cat(orders)[: steps * size].view(steps, size))


def _step(
    network: nn.Module,
    batch: Images,
    augment: Augment | None,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    device: str,
) -> None:
    pixels, labels = batch.pixels.to(device).float().div_(255), batch.labels.to(device)
    changed = pixels if augment is None else augment(pixels, labels)
    inputs = batch.normalized(changed).contiguous(memory_format=torch.channels_last)
    loss = _loss(network(inputs), labels, batch.weights, recipe.smoothing)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _loss(outputs: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """Return the mean cross-entropy of a batch, each image with its weight.

    Without smoothing this is ``cross_entropy(..., weight=...)``. With it, torch weights the smoothed part by the
    classes that an image does not show; here an image's weight is that of its own class for all of its loss. Dividing
    by the weights of the batch keeps the size of the steps, whatever the batch holds.
    """
    if weights is None:
        return cross_entropy(outputs, labels, label_smoothing=smoothing)
    losses = cross_entropy(outputs, labels, label_smoothing=smoothing, reduction="none")
    by_image = weights.to(losses.device)
    return (by_image * losses).sum() / by_image.sum()
