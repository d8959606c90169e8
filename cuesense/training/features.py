"""Frozen features of a network: what its linear head is given."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cuesense.errors import ModelError, expected, first_line
from cuesense.training.fit import Images

# Images a forward pass, fixed so that features are the same in every run. Chosen by hand.
_BATCH = 128


def linear_head_name(network: nn.Module, images: Images, device: str = "cpu") -> str | None:
    """Return the name of the linear layer whose output is the network's output, None where there is none.

    Args:
        network: Module from normalized (N, 3, H, W) to logits (N, K), in evaluation mode.
        images: Images it can be tried on; two are.
        device: Where the network is.

    Raises:
        ModelError: The network fails on them.
    """
    outputs: dict[str, object] = {}

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        return lambda _module, _inputs, output: outputs.update({name: output})

    linear = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_hook(note(name)) for name, module in linear]
    pixels = images.pixels[:2].to(device).float().div_(255)
    try:
        with torch.inference_mode():
            logits = network(images.normalized(pixels))
    except Exception as error:  # a user's network may raise anything
        sizes = tuple(images.pixels.shape[-2:])
        raise ModelError(f"The model fails on images of {sizes} pixels: {first_line(error)}. Check its size.") from None
    finally:
        for handle in handles:
            handle.remove()
    # By identity: a layer whose output is scaled or pooled afterwards is no head that could be refitted.
    found = [name for name, output in outputs.items() if output is logits]
    return found[-1] if found else None


def features(network: nn.Module, images: Images, change: Callable[[Tensor, int], Tensor], device: str) -> Tensor:
    """Return the inputs of the network's linear head.

    Args:
        network: Module from normalized (N, 3, H, W) to logits, in evaluation mode.
        images: The N images.
        change: Function that changes a batch in [0, 1], (B, 3, H, W), before normalization; its second argument is the
            index of the batch's first image.
        device: Where the network is.

    Returns:
        (N, D), float32.

    Raises:
        ModelError: The network has no linear layer whose input can be seen.
    """
    name = linear_head_name(network, images, device)
    if name is None:
        do = "Give its weights as a state dict, and the network's own code with --arch"
        raise ModelError(expected("the model", "a network with a linear head", "none that can be seen", do))
    seen: list[Tensor] = []
    handle = network.get_submodule(name).register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].float().flatten(1).cpu())
    )
    try:
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                pixels = images.pixels[start : start + _BATCH].to(device).float().div_(255)
                network(images.normalized(change(pixels, start)))
    finally:
        handle.remove()
    # A copy outside of inference mode, whose tensors autograd refuses to use.
    return torch.cat(seen).clone()
