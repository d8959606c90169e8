"""Compile a network for batches of one shape, where that pays or is asked for."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from cuesense.errors import first_line
from cuesense.inference.options import RunOptions
from cuesense.models.common import is_program

# So many images must be shown to a network until compiling it on a GPU has paid. On an H200 in bfloat16 and batches of
# 128 (benchmarks/results) a ResNet-50 takes 13.7 s to compile and then 5.45 instead of 8.70 ms a batch, which it takes
# back over 13.7 / 0.00325 * 128 = 540,000 images; a ViT-S 7.5 s and 4.38 instead of 5.18 ms: 1,200,000 images. On a
# CPU a ResNet-18 took 122 s for 1.12 x the pace: never by itself.
_IMAGES_THAT_PAY = 1_500_000

_LOG = logging.getLogger(__name__)


def pays(network: object, options: RunOptions, images: int) -> bool:
    """Return whether a network is to be compiled: as the options say, else where that takes less time in all.

    Args:
        network: The network; exported programs, such as TorchScript, are compiled only where the options say so.
        options: The device, and what the user says.
        images: How many images it will be shown, each as often as there are conditions.
    """
    if options.compile is not None:
        return options.compile
    on_gpu = torch.device(options.device).type == "cuda"
    return on_gpu and images >= _IMAGES_THAT_PAY and not is_program(network)


class CompiledNetwork:
    """A network that is compiled at its first batch; where that fails, the network itself is called from then on.

    Outputs differ from those of the network by rounding only.
    """

    def __init__(self, network: Callable[[Tensor], Any]) -> None:
        """Prepare to compile.

        Args:
            network: The network, on its device.
        """
        self._network = self._called = network
        self._shapes: set[tuple[int, ...]] = set()
        try:
            self._called = torch.compile(network, dynamic=False)
        except Exception as error:  # a compiler may raise anything
            self._give_up(error)

    def __call__(self, images: Tensor) -> Any:
        """Return what the network gives for a batch, or raise what it raises.

        Args:
            images: Normalized images, (N, 3, H, W), on the network's device.
        """
        if self._called is self._network:
            return self._network(images)
        is_new = images.shape not in self._shapes
        self._shapes.add(images.shape)
        try:
            # While it compiles, the compiler warns of its own ways, such as of TensorFloat32.
            with warnings.catch_warnings(action="ignore") if is_new else nullcontext():
                return self._called(images)
        except torch.OutOfMemoryError:
            # No fault of the compiler's: smaller batches are compiled anew.
            raise
        except Exception as error:  # as above
            # An error of the network itself is raised here, as it would be without a compiler.
            outputs = self._network(images)
            self._give_up(error)
            return outputs

    def _give_up(self, error: Exception) -> None:
        self._called = self._network
        _LOG.warning("the network could not be compiled and runs as it is: %s", first_line(error))
