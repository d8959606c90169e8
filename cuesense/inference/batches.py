"""Turn pixels into what a network is given: batches of one shape, perturbed and normalized."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cuesense.inference.threads import single_threads
from cuesense.perturbations.apply import perturb
from cuesense.types import Condition, LazyFunction, Preprocessing


class BatchMaker:
    """Makes a network's batches.

    Args:
        preprocessing: Mean and standard deviation, for pixels in [0, 1].
        size: Images in a batch, N.
        device: Where the batches lie.
        seed: Seed of every draw.
    """

    def __init__(self, preprocessing: Preprocessing, size: int, device: str, seed: int) -> None:
        self.size = size
        self.seed = seed
        mean, std = preprocessing.mean, preprocessing.std
        self.scales = [1 / spread for spread in std]
        offsets = [-center / spread for center, spread in zip(mean, std, strict=True)]
        self.offsets = torch.tensor(offsets, device=device).unbind()
        self.batch = torch.empty(0)
        self.threads = single_threads() if torch.device(device).type == "cpu" else None

    def batch_of(self, condition: Condition, pixels: Tensor, keys: Sequence[str]) -> Tensor:
        """Return a full perturbed and normalized batch, channels last; its last image is repeated to fill it.

        All batches have one shape. On the CPU the images are taken one by one, side by side in as many threads as
        torch uses; an image's working set stays in the cache.

        Args:
            condition: What to do to every image.
            pixels: (M, 3, H, W), 1 <= M <= N, float32 in [0, 1], on the device; left unchanged.
            keys: What the random draws of each image depend on, length M.

        Returns:
            (N, 3, H, W) float32. The next call writes into the same tensor.
        """
        shape = (self.size, *pixels.shape[1:])
        if self.batch.shape != shape:
            self.batch = torch.empty(shape, device=pixels.device, memory_format=torch.channels_last)
        count = len(pixels)
        step = 1 if pixels.device.type == "cpu" else count
        parts = [slice(start, start + step) for start in range(0, count, step)]

        def fill(part: slice) -> None:
            # Each thread has its own inference mode.
            with torch.inference_mode():
                self._normalize(self._perturbed(condition, pixels[part], keys[part]), self.batch[part])

        if self.threads is not None and _is_thread_safe(condition):
            # As a list, so that an image's error is raised here.
            list(self.threads.map(fill, parts))
        else:
            for part in parts:
                fill(part)
        self.batch[count:] = self.batch[count - 1]
        return self.batch

    def _normalize(self, pixels: Tensor, normalized: Tensor) -> None:
        planes = zip(self.offsets, pixels.unbind(1), self.scales, normalized.unbind(1), strict=True)
        for offset, plane, scale, out in planes:
            torch.add(offset, plane, alpha=scale, out=out)

    def _perturbed(self, condition: Condition, pixels: Tensor, keys: Sequence[str]) -> Tensor:
        if condition.perturbation is None:
            return pixels
        return perturb(condition.perturbation, pixels, keys, condition.value, seed=self.seed, repeat=condition.repeat)


def _is_thread_safe(condition: Condition) -> bool:
    """Return whether images may be perturbed side by side: functions of others may keep state from image to image."""
    return condition.perturbation is None or isinstance(condition.perturbation.apply, LazyFunction)
