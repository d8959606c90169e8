"""Networks that answer: small ones trained on a set, and pretrained trunks with a fitted head or with their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.networks import EPOCHS, RATES, build, fit, fit_heads
from cuesense import registry
from cuesense.errors import ModelError, expected
from cuesense.models.compact import MEAN, STD
from cuesense.perturbations.apply import perturb

Condition = tuple[str, float]

# Images that are perturbed and answered at once.
_BATCH = 64
# Penalty on the weights of a head over standardized features, and its L-BFGS steps; chosen by hand, not tuned.
_PENALTY, _STEPS = 0.02, 60
# torchvision's MobileNetV2 divides by 2 where TensorFlow's does, but pads on the other side.
_HALF = (0.5, 0.5, 0.5)
# The blocks of MobileNetV2 before the last one, which is tuned.
_FROZEN = 17
_SQUEEZE_MEAN = (123 / 255, 117 / 255, 104 / 255)


@dataclass(frozen=True)
class Answering:
    """A trunk, and heads that share its work.

    Attributes:
        trunk: Module from normalized images to features.
        heads: Modules from features to logits of the set's classes, by the name of the network.
        normalize: Mean and standard deviation of the channels.
        device: Where they are.
    """

    trunk: nn.Module
    heads: Mapping[str, nn.Module]
    normalize: tuple[tuple[float, ...], tuple[float, ...]]
    device: str

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """Return the features of a batch in [0, 1]."""
        mean, std = (torch.tensor(part, device=self.device).view(3, 1, 1) for part in self.normalize)
        return self.trunk(((pixels - mean) / std).contiguous(memory_format=torch.channels_last))

    @torch.inference_mode()
    def scores(self, pixels: Tensor) -> dict[str, NDArray[np.float32]]:
        """Return the log-probabilities of every head for a batch in [0, 1], (N, C) each."""
        features = self.features(pixels)
        return {name: head(features).float().log_softmax(1).cpu().numpy() for name, head in self.heads.items()}


def small(
    kind: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
    seed: int,
    device: str,
    epochs: int | None = None,
) -> Answering:
    """Train one of ``benchmarks.networks.KINDS`` from scratch on images, (N, H, W, 3), for some epochs or as usual."""
    torch.manual_seed(seed)
    network = build(kind, classes, images.shape[1]).to(device)
    mean, std = (torch.tensor(part, device=device).view(3, 1, 1) for part in (MEAN, STD))
    pixels = ((_pixels(images, device) - mean) / std).contiguous(memory_format=torch.channels_last)
    fit(network, pixels, torch.from_numpy(labels).to(device), epochs or EPOCHS[kind], RATES[kind], seed)
    return Answering(network, {kind: nn.Identity()}, (MEAN, STD), device)


def pretrained(
    weights: Path,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
    outputs: Sequence[int] | None,
    device: str,
) -> Answering:
    """Fit a head on the frozen features of a pretrained trunk, and keep the network's own head where it fits.

    Args:
        weights: State dict of torchvision's mobilenet_v2 (with TensorFlow's padding) or squeezenet1_0.
        images: Training images, (N, H, W, 3).
        labels: Their classes, (N,).
        classes: Number of classes C.
        outputs: The output of each class where the network knows the classes; the others are left out of its answers.
        device: Where it runs.
    """
    name, trunk, own, normalize = _read(weights)
    answering = Answering(trunk.eval().to(device, memory_format=torch.channels_last), {}, normalize, device)
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    features = torch.cat([pool(answering.features(part)) for part in _batches(images, device)])
    heads: dict[str, nn.Module] = {
        f"{name}_fitted": nn.Sequential(pool, _head(features, torch.from_numpy(labels).to(device), classes))
    }
    if outputs is not None:
        heads[f"{name}_own"] = nn.Sequential(own, _Chosen(outputs))
    return Answering(answering.trunk, {key: head.eval().to(device) for key, head in heads.items()}, normalize, device)


def adapted(
    weights: Path,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
    epochs: tuple[int, int],
    device: str,
) -> Answering:
    """Fit a head on a pretrained MobileNetV2, and tune a copy of its last block with it.

    Args:
        weights: State dict of torchvision's mobilenet_v2.
        images: Training images, (N, H, W, 3).
        labels: Their classes, (N,).
        classes: Number of classes C.
        epochs: Of the head, and of the tuning.
        device: Where it runs.

    Returns:
        Two networks, ``mobilehead`` and ``mobiletuned``.
    """
    network = torchvision.models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    network.eval().to(device, memory_format=torch.channels_last)
    trunk, tail = network.features[:_FROZEN], network.features[_FROZEN:]
    answering = Answering(trunk, {}, (_HALF, _HALF), device)
    features = torch.cat([answering.features(part) for part in _batches(images, device)])
    known = torch.from_numpy(labels).to(device)
    head, tuned = fit_heads(tail, network.last_channel, features, known, classes, epochs)
    return Answering(trunk, {"mobilehead": head, "mobiletuned": tuned}, (_HALF, _HALF), device)


class _Chosen(nn.Module):
    """Keep some of the outputs."""

    def __init__(self, outputs: Sequence[int]) -> None:
        super().__init__()
        self.outputs = list(outputs)

    def forward(self, logits: Tensor) -> Tensor:
        """Map (N, K) to (N, C)."""
        return logits[:, self.outputs]


def _read(weights: Path) -> tuple[str, nn.Module, nn.Module, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return the name, the trunk, the network's own head and the normalization."""
    state = torch.load(weights, weights_only=True, map_location="cpu")
    if "features.18.0.weight" in state:
        network = torchvision.models.mobilenet_v2()
        network.load_state_dict(state)
        pad_like_tensorflow(network)
        own = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), network.classifier)
        return "mobilenet", network.features, own, (_HALF, _HALF)
    if "classifier.1.weight" in state and state["classifier.1.weight"].ndim == 4:
        network = torchvision.models.squeezenet1_0()
        network.load_state_dict(state)
        own = nn.Sequential(network.classifier, nn.Flatten())
        return "squeezenet", network.features, own, (_SQUEEZE_MEAN, (1.0, 1.0, 1.0))
    kinds = "a state dict of torchvision's mobilenet_v2 or squeezenet1_0"
    raise ModelError(expected(str(weights), kinds, f"{len(state)} other tensors", "Check --weights"))


def pad_like_tensorflow(network: nn.Module) -> None:
    """Make convolutions of stride 2 pad right and bottom alone, as TensorFlow's SAME does on even sides."""
    found = [(name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    for name, convolution in found:
        if convolution.stride == (2, 2):
            convolution.padding = (0, 0)
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), convolution))


def _head(features: Tensor, labels: Tensor, classes: int) -> nn.Module:
    """Fit a ridge-penalized multinomial regression on standardized features, (N, D)."""
    features = features.clone()
    center, scale = features.mean(dim=0), features.std(dim=0).clamp(min=1e-6)
    head = nn.Linear(features.shape[1], classes).to(features.device)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")
    standardized = (features - center) / scale

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = cross_entropy(head(standardized), labels) + _PENALTY * head.weight.square().sum() / 2
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():
        head.weight /= scale
        head.bias -= head.weight @ center
    return head


def _pixels(images: NDArray[np.uint8], device: str) -> Tensor:
    """Return (N, H, W, 3) uint8 as (N, 3, H, W) float in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 255


def _batches(images: NDArray[np.uint8], device: str) -> list[Tensor]:
    return [_pixels(images[start : start + _BATCH], device) for start in range(0, len(images), _BATCH)]


def ask(
    networks: Sequence[Answering],
    images: NDArray[np.uint8],
    ids: Sequence[str],
    conditions: Sequence[Condition],
    seed: int,
    device: str,
) -> dict[str, NDArray[np.float32]]:
    """Return the answers of networks to clean images and to images under every condition.

    Args:
        networks: Of one size; a batch is perturbed once for all of them.
        images: (N, H, W, 3).
        ids: Length N; perturbations depend on them.
        conditions: Perturbations and their values.
        seed: Of the perturbations.
        device: Where they are perturbed.

    Returns:
        Log-probabilities by the name of the network, (1 + conditions, N, C), the clean images first.
    """
    rows = [_answers(networks, images, lambda pixels, _: pixels, device)]
    for name, value in conditions:
        perturbation = registry.get("perturbations", name)

        def change(pixels: Tensor, start: int, p: object = perturbation, v: float = value) -> Tensor:
            return perturb(p, pixels, ids[start : start + len(pixels)], v, seed=seed)

        rows.append(_answers(networks, images, change, device))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _answers(
    networks: Sequence[Answering], images: NDArray[np.uint8], change: Callable[[Tensor, int], Tensor], device: str
) -> dict[str, NDArray[np.float32]]:
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for network in networks for name in network.heads}
    for start in range(0, len(images), _BATCH):
        pixels = change(_pixels(images[start : start + _BATCH], device), start).contiguous()
        for network in networks:
            for name, scores in network.scores(pixels).items():
                parts[name].append(scores)
    return {name: np.concatenate(found) for name, found in parts.items()}
