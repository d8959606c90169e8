"""Where and with what is measured: the device, images, networks, clocks and time limits that all parts share."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from types import FrameType
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from cuesense.config import load_config
from cuesense.types import Condition, Perturbation, Preprocessing

BFLOAT16, AUTOCAST, FLOAT32 = "bfloat16", "bfloat16 autocast", "float32"

# A call is repeated for half a second: medians then move by a few percent (chosen by hand; not tuned).
_SECONDS, _FEWEST, _MOST = 0.5, 3, 20
_WARM_UPS = 2
# Texture of natural photographs: about as much contrast in each octave.
_OCTAVES = (4, 8, 16, 32, 64, 128)


class TimeLimitError(BaseException):
    """A part ran longer than it may; no ``Exception``, so that nothing that handles failures handles it."""


@dataclass(frozen=True)
class Setting:
    """What is measured, small on a CPU.

    Attributes:
        device: ``"cuda"`` or ``"cpu"``.
        small: A few images and small networks, to prove the script where there is no GPU.
    """

    device: str
    small: bool = False

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return self.device != "cpu"

    @property
    def networks(self) -> dict[str, Callable[[], nn.Module]]:
        """What builds each network with random weights; those of timm only where it is installed."""
        if self.small:
            return {"resnet18": lambda: torchvision.models.resnet18(weights=None)}
        return {"resnet50": lambda: torchvision.models.resnet50(weights=None), "vit_small": _vit_small}

    @property
    def batches(self) -> tuple[int, ...]:
        """Images a forward pass."""
        return (2,) if self.small else (32, 64, 128, 256, 512, 1024)

    @property
    def batch(self) -> int:
        """The batch size of single figures: the one that is in every list."""
        return 2 if self.small else 128

    @property
    def images(self) -> int:
        """JPEG photographs of a whole run."""
        return 2 if self.small else 384

    @property
    def preset(self) -> str:
        """The configuration whose conditions are run."""
        return "quick" if self.small else "standard"

    @property
    def side(self) -> int:
        """Side of the networks' images in pixels."""
        return 64 if self.small else 224

    @property
    def preprocessing(self) -> Preprocessing:
        """ImageNet's usual preprocessing, at this side."""
        size = (self.side, self.side)
        return Preprocessing(size, self.side * 8 // 7, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

    def conditions(self) -> list[Condition]:
        """Return the conditions of the preset, the clean one first; a few of them in a small setting."""
        return load_config(self.preset).conditions()[: 4 if self.small else None]

    def perturbations(self) -> list[Perturbation]:
        """Return the preset's perturbations with its ladders."""
        return list(load_config(self.preset).perturbations)

    def wait(self) -> None:
        """Return when the device has done all that it was given."""
        if self.on_gpu:
            torch.cuda.synchronize()


def _vit_small() -> nn.Module:
    import timm

    network: nn.Module = timm.create_model("vit_small_patch16_224", pretrained=False)
    return network


def network_of(setting: Setting, name: str, *, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return a network with the same random weights at every call, on the device, channels last."""
    torch.manual_seed(0)
    network = setting.networks[name]().eval().requires_grad_(False)
    return network.to(setting.device, dtype).to(memory_format=torch.channels_last)


def natural_images(count: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return images with the contrast of photographs at every scale, and sharp outlines: (N, H, W, 3), uint8."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.full((count, 3, height, width), 0.5)
    for octave in _OCTAVES:
        noise = torch.randn(count, 3, octave, octave, generator=generator)
        # Photographs have less contrast in color than in lightness.
        noise = 0.3 * noise + noise[:, :1]
        pixels += 0.07 * functional.interpolate(noise, (height, width), mode="bicubic", align_corners=False)
    for image in pixels:
        top, left = (int(torch.randint(0, max(1, side // 2), (1,), generator=generator)) for side in (height, width))
        color = torch.rand(3, 1, 1, generator=generator)
        image[:, top : top + height // 3, left : left + width // 3] = color
    return pixels.clamp_(0, 1).mul_(255).round_().byte().permute(0, 2, 3, 1).contiguous().numpy()


def as_tensor(images: np.ndarray) -> Tensor:
    """Return 8-bit images, (N, H, W, 3), as the engine has them: (N, 3, H, W), float32, in [0, 1], on the CPU."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float().div_(255)


def failed(error: BaseException) -> str:
    """Return what went wrong in one line."""
    text = str(error).strip() or "no message"
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}"


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimitError once this many seconds are over (in the main thread, between two steps of Python)."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        raise TimeLimitError(f"stopped after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def device_seconds(setting: Setting, call: Callable[[], object]) -> float:
    """Return the median time of a call on the device, in seconds, after a warm-up.

    On a GPU it is the time between two CUDA events, of calls that follow each other without waiting: what the call
    costs where the device, or handing it work, is the bottleneck.
    """
    one = _warm(setting, call)
    count = max(_FEWEST, min(_MOST, int(_SECONDS / max(one, 1e-6))))
    if not setting.on_gpu:
        return statistics.median(_wall(setting, call) for _ in range(count))
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for event in events[1:]:
        call()
        event.record()
    torch.cuda.synchronize()
    return statistics.median(a.elapsed_time(b) / 1000 for a, b in pairwise(events))


def wall_seconds(setting: Setting, call: Callable[[], object]) -> float:
    """Return the median time of a call that is waited for, in seconds, after a warm-up."""
    one = _warm(setting, call)
    count = max(_FEWEST, min(_MOST, int(_SECONDS / max(one, 1e-6))))
    return statistics.median(_wall(setting, call) for _ in range(count))


def _warm(setting: Setting, call: Callable[[], object]) -> float:
    return [_wall(setting, call) for _ in range(_WARM_UPS)][-1]


def _wall(setting: Setting, call: Callable[[], object]) -> float:
    setting.wait()
    start = time.perf_counter()
    call()
    setting.wait()
    return time.perf_counter() - start


def kernel_seconds(setting: Setting, call: Callable[[], object]) -> dict[str, float]:
    """Return how long kernels and copies ran on the GPU during one call, in seconds; nothing on a CPU.

    Everything runs in one stream, so that these times do not overlap.
    """
    if not setting.on_gpu:
        call()
        return {}
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        call()
        torch.cuda.synchronize()
    found = {"kernels": 0.0, "copies": 0.0}
    for event in recorded.key_averages():
        kind = "copies" if event.key.startswith(("Memcpy", "Memset")) else "kernels"
        found[kind] += event.self_device_time_total / 1e6
    return found


def tried(results: dict[str, Any], name: str, measure: Callable[[], Any]) -> None:
    """Keep what a measurement gives, or why it failed, under its name; the next one goes on."""
    try:
        results[name] = measure()
    except Exception as error:  # what fails is part of the result
        results[name] = {"failed": failed(error)}
    if torch.cuda.is_available() and "OutOfMemory" in str(results[name]):
        torch.cuda.empty_cache()
