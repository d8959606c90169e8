"""Run a network on one batch, and check what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from cuesense.errors import ModelError, expected, listed
from cuesense.inference.options import RunOptions
from cuesense.types import Condition

# Images that an error names before it counts the rest.
_LISTED = 3
_INTERPRETER = "TorchScript interpreter"


def placed(network: Callable[[Tensor], Tensor], device: str) -> Callable[[Tensor], Tensor]:
    """Return the same network on a device, its weights in the layout that batches have."""
    if isinstance(network, nn.Module):
        network.to(device)
        # Convolutions run faster on this layout on CPUs and tensor cores; results differ by rounding only.
        network.to(memory_format=torch.channels_last)
    return network


def forward(network: Callable[[Tensor], Tensor], batch: Tensor, options: RunOptions) -> Tensor:
    """Return a network's outputs for one batch.

    Args:
        network: The network, on the device.
        batch: Normalized images, (N, 3, H, W), on the device.
        options: Device and precision.

    Returns:
        The outputs, (N, K), as the network gives them.

    Raises:
        ModelError: The network fails, or gives something else than real numbers of this shape.
    """
    try:
        outputs = call(network, batch, options)
    except Exception as error:  # a user's network may raise anything
        raise model_failed(error, batch) from None
    return _checked(outputs, len(batch))


def call(network: Callable[[Tensor], object], batch: Tensor, options: RunOptions) -> object:
    """Return whatever a network gives for one batch, or raise whatever it raises; arguments as for ``forward``."""
    half = options.precision == "bfloat16"
    with torch.autocast(torch.device(options.device).type, dtype=torch.bfloat16, enabled=half):
        return network(batch)


def check_count(outputs: int, count: int) -> None:
    """Raise ModelError unless a network has as many outputs as are wanted."""
    if outputs == 1 != count:
        do = f"Wrap it to return {count} logits, such as [-z, z] for one z between two classes"
        raise ModelError(expected("the number of the model's outputs", f"{count}, one for each class", "one", do))
    if outputs != count:
        raise ModelError(
            expected(
                "the number of the model's outputs",
                f"{count}, one for each class",
                str(outputs),
                "Give --class-names with one name an output, in their order",
            )
        )


def check_finite(finite: Tensor, largest: Tensor, ids: Sequence[str], condition: Condition) -> None:
    """Raise ModelError where an image's logits are no finite float32 numbers.

    The run does not go on without such an image as it does without an unreadable one: the network answers, and its
    answer under this condition is what is measured.

    Args:
        finite: Whether all logits of an image are finite as float32, (N,).
        largest: The largest absolute output that the network gave, (N,): it tells an overflow of float32 from NaN.
        ids: The images' ids, length N.
        condition: What was done to the images.
    """
    if bool(finite.all()):
        return
    rows = (~finite).nonzero()[:, 0].tolist()
    of_them = largest[~finite]
    what = f"{of_them.max().item():.2g}, beyond float32" if bool(of_them.isfinite().all()) else "NaN or infinity"
    images = listed([f"'{ids[row]}'" for row in rows], _LISTED)
    where = f"{len(rows)} of {len(ids)} images: {images}" if len(rows) > 1 else f"the image {images}"
    do = "Check the weights, and --mean and --std; where it is this image alone, remove it from the dataset"
    if len(rows) > 1:
        do = "Check the weights, and --mean and --std"
    raise ModelError(expected(f"the model's logits under {condition}", "finite numbers", f"{what} for {where}", do))


class DeviceMemoryError(ModelError):
    """The device's memory is too small for a batch."""

    @classmethod
    def of(cls, images: int) -> DeviceMemoryError:
        """Return the error for a batch of so many images."""
        if images == 1:
            return cls("The device's memory is too small for one image. Give another --device or --image-size.")
        return cls(f"The device ran out of memory with {images} images a batch. Give a smaller --batch-size.")


def model_failed(error: Exception, batch: Tensor, do: str = "Check --image-size and the architecture") -> ModelError:
    """Return the error for a network that raised something.

    Args:
        error: What it raised.
        batch: What it was given.
        do: What the user can do, without a full stop.
    """
    if isinstance(error, torch.OutOfMemoryError):
        return DeviceMemoryError.of(len(batch))
    reason = _reason(error)
    return ModelError(f"The model failed on a batch of shape {tuple(batch.shape)}: {reason}. {do}.")


def _reason(error: Exception) -> str:
    """Return the line of an error that says what went wrong: TorchScript prints its own trace above torch's reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1 if any(_INTERPRETER in line for line in lines) else 0].rstrip(".")


def _checked(outputs: object, batch: int) -> Tensor:
    if not isinstance(outputs, Tensor) or outputs.ndim != 2 or len(outputs) != batch:
        got = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        to_be = f"logits of shape ({batch}, classes)"
        raise ModelError(expected("the model's output", to_be, str(got), "Wrap it to return logits"))
    if outputs.is_complex():
        do = "Wrap it to return real logits, such as their absolute values"
        raise ModelError(expected("the model's logits", "real numbers", "complex ones", do))
    return outputs
