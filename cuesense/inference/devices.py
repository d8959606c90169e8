"""Where networks run."""

from __future__ import annotations

import os

import torch

from cuesense.errors import SettingsError, expected


def device_of(device: str | torch.device) -> str:
    """Return the device that a user names; ``"auto"`` is a GPU where there is one.

    Raises:
        SettingsError: torch cannot use it here.
    """
    device = str(device)
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        do = "Try --device cpu" if device.startswith("cuda") else "Try --device cpu, or cuda for a GPU"
        raise SettingsError(
            expected("--device", "auto, cpu or a device torch can use here", f"'{device}'", do)
        ) from None
    return device


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> int:
    """Return how many GPUs this process may use."""
    return torch.cuda.device_count()
