"""Tell logits from probabilities by what a network gives for a few images, and turn both into logits.

Cues rest on scores that are corrected for the class prior by biases on logits. Probabilities in their place would be
normalized twice, and the same biases would then do too little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from cuesense.types import OutputKind

# bfloat16 rounds each probability by up to 2^-9, and so their sum: by 0.2 %. Logits of 8 images that are all at least 0
# and add up to 1 within 0.5 % do not occur by chance.
_SUM_TOLERANCE = 0.005
# Trained sigmoids are sure of some class of some image, and sure of others that they are not there; cosines, small
# activations and untrained networks stay between. Chosen by hand; not tuned.
_SURE = 0.1
# A rectifier gives zeros, a sigmoid none unless its logit is below -100. Chosen by hand; not tuned.
_MOST_ZEROS = 0.1


def as_logits(outputs: Tensor, kind: OutputKind) -> Tensor:
    """Return a network's outputs as logits.

    Args:
        outputs: What the network gives, (N, K), of any real dtype.
        kind: What it is. The logarithm of a probability, or log(p / (1 - p)) of a sigmoid's, is taken before anything
            is rounded to float32; 0 and 1 become the nearest number that keeps it finite.

    Returns:
        Logits, (N, K), float32.
    """
    if kind is OutputKind.LOGITS:
        return outputs.float()
    wide = outputs if outputs.dtype == torch.float64 else outputs.float()
    limits = torch.finfo(wide.dtype)
    if kind is OutputKind.PROBABILITIES:
        return wide.clamp(min=limits.tiny).log().float()
    inside = wide.clamp(limits.tiny, 1 - limits.eps / 2)
    return (inside.log() - torch.log1p(-inside)).float()


def add_up(outputs: Tensor) -> float | None:
    """Return what the rows of probabilities add up to, 1 or 100 (percent); None where they are none.

    Args:
        outputs: (N, K), finite. A single output says nothing.
    """
    if outputs.shape[1] < 2 or bool((outputs < 0).any()):
        return None
    sums = outputs.double().sum(dim=1)
    return next((total for total in (1.0, 100.0) if bool(((sums / total - 1).abs() <= _SUM_TOLERANCE).all())), None)


def within_unit(outputs: Tensor) -> bool:
    """Return whether outputs, (N, K), all lie in [0, 1]; a single output says nothing."""
    return outputs.shape[1] > 1 and bool(((outputs >= 0) & (outputs <= 1)).all())


def resembles_sigmoid(outputs: Tensor) -> bool:
    """Return whether outputs in [0, 1], (N, K), look like a sigmoid: some near 1, some near 0, few exactly 0."""
    zeros = float((outputs == 0).float().mean())
    return float(outputs.max()) >= 1 - _SURE and float(outputs.min()) <= _SURE and zeros <= _MOST_ZEROS


def ends_in_sigmoid(run: Callable[[Tensor], Tensor], batch: Tensor) -> bool:
    """Return whether a network's outputs are, to the last digit, what a sigmoid in it gives.

    Args:
        run: The network, TorchScript and exported programs too: operators are seen where torch dispatches them.
        batch: Images that it can be run on.
    """
    with _Sigmoids() as seen:
        outputs = run(batch)
    flat = outputs.cpu().double().flatten()
    return any(
        made.numel() == flat.numel() and torch.equal(made.cpu().to(outputs.dtype).double().flatten(), flat)
        for made in seen.made
    )


class _Sigmoids(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps what every sigmoid gives while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator, and keep its result where it is a sigmoid."""
        result = func(*args, **(kwargs or {}))
        if func._schema.name.startswith("aten::sigmoid"):
            self.made.append(result)
        return result
