"""Ask whether a network is a function of one image, by running a few images again, alone and in other batches.

Dropout that was left on, batch statistics and random numbers make an image's outputs depend on chance or on what else
is in its batch. Every accuracy measured then is that of the batches, not that of the network.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, fx, nn

from cuesense.models.adapted import unwrapped

# Difference that rounding explains, as shares of the size of the outputs and of what noise of half a gray level
# changes. Measured on networks of torchvision (random, and trained on ImageNet) on a CPU in batches of 1 to 16: at most
# 1.2e-6 of the size; 0.0005 of the noise's change where trained, 0.05 in an untrained one. Repeated batches never
# differed.
_FINE = 1e-5, 0.05
# bfloat16 and GPUs (TensorFloat-32, other kernels for other batches) round at 2^-9 and 2^-11. Chosen by hand from that;
# on a CPU no network differed in bfloat16.
_COARSE = 1e-3, 1.0
# Networks whose activations are quantized while they run take one scale for the whole batch: measured 0.7 to 7 % of the
# largest difference between images (the script is the one above, with torch.ao's quantize_dynamic).
_QUANTIZED = 0.1
# Outputs may hold a huge constant for classes that are masked: beyond this multiple of the median, it sets no scale.
_TYPICAL = 100.0


_REPEATED = (
    "the same batch gave other outputs the second time",
    "the same batch gave other outputs after other batches",
)

Buffers = dict[str, tuple[torch.Size, bytes]]


@dataclass(frozen=True)
class Trial:
    """A network and a few images to try it on.

    Attributes:
        network: The network itself, which is asked for its modules and buffers.
        run: From normalized images to outputs, (N, 3, H, W) to (N, K).
        images: Normalized images, all rows of one batch, (N, 3, H, W), N at least 1.
        others: As many other images.
        noise: The change of half a gray level in each pixel of images, either way, (N, 3, H, W).
        fixed: Whether the network takes batches of N alone.
        coarse: Whether it is computed with fewer digits than float32 has on a CPU.
    """

    network: Callable[[Tensor], Tensor]
    run: Callable[[Tensor], Tensor]
    images: Tensor
    others: Tensor
    noise: Tensor
    fixed: bool = False
    coarse: bool = False


@dataclass(frozen=True)
class Answer:
    """What a trial showed.

    Attributes:
        outputs: The network's outputs for the trial's images, (N, K).
        dependence: What else than the image its outputs depend on, in words with figures; None where on nothing.
        slight: The same where a quantized network depends on its batch as little as its quantization explains.
    """

    outputs: Tensor
    dependence: str | None = None
    slight: str | None = None


def ask(trial: Trial) -> Answer:
    """Return whether a network is a function of one image; buffers and global random generators stay as they were.

    The same batch is run three times, the last time after others; reversed; one image alone (or, where the batch size
    is fixed, beside its own copies); and two images beside others. Random numbers that are drawn, buffers that change
    and modules in training mode are noticed even where the outputs agree by chance.

    Args:
        trial: The network and the images.

    Raises:
        ModelError: The network fails on them.
    """
    before = _training(trial.network)
    with undisturbed(trial.network, trial.images.device):
        first, states = trial.run(trial.images), [_generators(trial)]
        # What is filled in at the first call, such as a cache, is no dependence: states are compared from here on.
        buffers = _buffers(trial.network)
        found = _differences(trial, first, states)
        largest = max(found.values())
        allowed = _tolerance(trial, first, largest)
        signs = _draws(states) + _changed(buffers, _buffers(trial.network))
    different = [f"{words} (largest difference {by:.3g}{_range(first)})" for words, by in found.items() if by > allowed]
    if not different and not signs:
        return Answer(first)
    said = "; ".join(different[:1] + signs + _in_training(trial.network, before))
    repeats = max(by for words, by in found.items() if words in _REPEATED)
    by_scales = repeats <= allowed and largest <= _QUANTIZED * _spread(first)
    if not signs and by_scales and _is_quantized(trial.network):
        return Answer(first, slight=said)
    return Answer(first, dependence=said)


def _differences(trial: Trial, first: Tensor, states: list[dict[str, bytes]]) -> dict[str, float]:
    """Return the largest differences between outputs that should be equal, in words, the clearest sign first."""
    found = {}

    def run_again() -> Tensor:
        outputs = trial.run(trial.images)
        states.append(_generators(trial))
        return outputs

    count = len(trial.images)
    found[_REPEATED[0]] = _largest(run_again(), first)
    if count > 1:
        if trial.fixed:
            alone, words = trial.images[:1].expand_as(trial.images), "beside copies of itself than beside other images"
        else:
            alone, words = trial.images[:1], f"alone than in a batch of {count}"
        found[f"an image gave other outputs {words}"] = _largest(_run(trial, alone)[:1], first[:1])
        # Of another size too, where the network takes one.
        kept, left_out = min(2, count - 1), 0 if trial.fixed else 1
        beside = _run(trial, torch.cat([trial.images[:kept], trial.others[kept + left_out :]]))
        found["an image gave other outputs beside other images"] = _largest(beside[:kept], first[:kept])
        found["the same batch in another order gave other outputs"] = _largest(
            _run(trial, trial.images.flip(0)).flip(0), first
        )
    found[_REPEATED[1]] = _largest(run_again(), first)
    return found


def _run(trial: Trial, batch: Tensor) -> Tensor:
    return trial.run(batch.contiguous(memory_format=torch.channels_last))


def _largest(outputs: Tensor, expected: Tensor) -> float:
    """Return the largest difference; NaN and infinities equal themselves, and are an error elsewhere."""
    return float((outputs.double().nan_to_num() - expected.double().nan_to_num()).abs().max())


def _tolerance(trial: Trial, first: Tensor, largest: float) -> float:
    of_size, of_noise = _COARSE if trial.coarse else _FINE
    by_size = of_size * _size(first)
    if largest <= by_size:
        return by_size
    return max(by_size, of_noise * _largest(_run(trial, trial.images + trial.noise), first))


def _size(outputs: Tensor) -> float:
    """Return the size of outputs, up to some hundred times their median and 1 at least, leaving out constant ones."""
    values = outputs.double().nan_to_num()
    varying = values[:, (values != values[:1]).any(dim=0)].abs()
    if not varying.numel():
        varying = values.abs()
    return min(float(varying.max()), max(1.0, _TYPICAL * float(varying.median())))


def _spread(outputs: Tensor) -> float:
    """Return the largest difference of an output from its mean over the images."""
    values = outputs.double().nan_to_num()
    return float((values - values.mean(dim=0)).abs().max())


def _range(outputs: Tensor) -> str:
    return f"; outputs go from {float(outputs.min()):.3g} to {float(outputs.max()):.3g}"


def _generators(trial: Trial) -> dict[str, bytes]:
    """Return the state of every global generator of random numbers, and of those that the network keeps itself."""
    numpys = np.random.get_state(legacy=False)
    states = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": repr(numpys["state"]["key"].tolist()).encode() + repr(numpys["state"]["pos"]).encode(),
        "Python": repr(random.getstate()).encode(),
    }
    if trial.images.device.type == "cuda":
        states["CUDA"] = torch.cuda.get_rng_state(trial.images.device).numpy().tobytes()
    modules = trial.network.named_modules() if isinstance(trial.network, nn.Module) else ()
    return states | {
        f"'{name}.{attribute}'".replace("'.", "'"): repr(state()).encode()
        for name, module in modules
        for attribute, value in vars(module).items()
        if (state := _state_of(value)) is not None
    }


def _state_of(value: object) -> Callable[[], object] | None:
    """Return what reads the state of a generator of random numbers, None for anything else."""
    if isinstance(value, torch.Generator):
        return lambda: value.get_state().tolist()
    if isinstance(value, random.Random):
        return value.getstate
    return (lambda: value.bit_generator.state) if isinstance(value, np.random.Generator) else None


@contextmanager
def undisturbed(network: object, device: torch.device) -> Iterator[None]:
    """Run a network without traces: buffers and global random generators are afterwards as they were.

    Args:
        network: The network.
        device: Where it runs.
    """
    with torch.inference_mode(), _kept_generators(device), _kept_buffers(network):
        yield


@contextmanager
def _kept_generators(device: torch.device) -> Iterator[None]:
    numpys, pythons = np.random.get_state(), random.getstate()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            np.random.set_state(numpys)
            random.setstate(pythons)


@contextmanager
def _kept_buffers(network: object) -> Iterator[None]:
    """Give buffers their values back, so that a network that changes them is measured, and hashed, as it was given."""
    buffers = list(network.buffers()) if isinstance(network, nn.Module) else []
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, values in zip(buffers, before, strict=True):
            if buffer.shape == values.shape:
                buffer.copy_(values)


def _draws(states: list[dict[str, bytes]]) -> list[str]:
    """Return which generators are drawn from, in words: states after equal batches differ unless it sets the seed."""
    drawn = [name for name in states[0] if len({state[name] for state in states}) > 1]
    return [f"it draws random numbers from the generator of {' and '.join(drawn)}"] if drawn else []


def _buffers(network: object) -> Buffers:
    """Return shape and digest of every buffer, by its name."""
    if not isinstance(network, nn.Module):
        return {}
    return {name: (buffer.shape, _digest(buffer)) for name, buffer in network.named_buffers()}


def _digest(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().view(-1).view(torch.uint8)
    return hashlib.blake2b(flat.numpy().tobytes(), digest_size=16).digest()


def _changed(before: Buffers, after: Buffers) -> list[str]:
    """Return which buffers have other values, in words; those of another shape are caches."""
    names = [name for name in before if name in after and _other_values(before[name], after[name])]
    if not names:
        return []
    what = f"{len(names)} of its buffers, such as '{names[0]}'" if names[1:] else f"its buffer '{names[0]}'"
    return [f"its forward changes {what}"]


def _other_values(before: tuple[torch.Size, bytes], after: tuple[torch.Size, bytes]) -> bool:
    return before[0] == after[0] and before[1] != after[1]


def _training(network: object) -> set[str]:
    """Return the names of the modules in training mode that behave otherwise there, as far as their types say."""
    if not isinstance(network, nn.Module):
        return set()
    return {
        name
        for name, module in network.named_modules()
        # Frozen TorchScript has no mode.
        if getattr(module, "training", False) and any(part in _kind(module) for part in ("Drop", "Norm", "RReLU"))
    }


def _kind(module: nn.Module) -> str:
    return str(module.original_name if isinstance(module, torch.jit.ScriptModule) else type(module).__name__)


def _in_training(network: object, before: set[str]) -> list[str]:
    """Return which modules are in training mode, in words, and whether the network itself put them there."""
    after = _training(network)
    if not after:
        return []
    some = f"{len(after)} of its modules (such as '{min(after)}')" if after != {""} else "it"
    if after - before:
        return [f"although eval() was called, its forward puts {some} into training mode"]
    return [f"{some} {'is' if after == {''} else 'are'} in training mode"]


def _is_quantized(network: object) -> bool:
    """Return whether a network has operators or modules of torch's quantization."""
    network = unwrapped(network)
    if isinstance(network, torch.jit.ScriptModule):
        return "quantized::" in str(network.inlined_graph)
    if not isinstance(network, nn.Module):
        return False
    graphs = (module.graph for module in network.modules() if isinstance(module, fx.GraphModule))
    return any("quantized" in type(module).__module__ for module in network.modules()) or any(
        "quantize" in str(node.target) for graph in graphs for node in graph.nodes
    )
