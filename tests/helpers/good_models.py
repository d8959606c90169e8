"""One small network, saved in every kind of file that is read."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

TENSORS = ("state dict", "state dict before 1.6", "checkpoint", "checkpoint before 1.6", "safetensors")


def small_network() -> nn.Module:
    """Return a network whose tensors lie in a few hundred bytes."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def good_models(folder: Path) -> dict[str, Path]:
    """Write the network in every kind of file.

    Args:
        folder: Where.

    Returns:
        The files, by their kind; those of TENSORS hold no more than tensors and plain data.
    """
    network = small_network()
    state = network.state_dict()
    more = {"state_dict": state, "epoch": 3, "best": np.float64(0.5), "args": argparse.Namespace(lr=0.1)}
    torch.save(state, folder / "state.pt")
    torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)
    torch.save(more, folder / "checkpoint.ckpt")
    torch.save(more, folder / "old.ckpt", _use_new_zipfile_serialization=False)
    save_file(state, folder / "weights.safetensors")
    torch.save(network, folder / "module.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(str(folder / "script.pt"))
        torch.export.save(torch.export.export(network, (torch.rand(2, 3, 16, 16),)), folder / "exported.pt2")
    names = {
        "state dict": "state.pt",
        "state dict before 1.6": "old.pt",
        "checkpoint": "checkpoint.ckpt",
        "checkpoint before 1.6": "old.ckpt",
        "safetensors": "weights.safetensors",
        "module": "module.pt",
        "TorchScript": "script.pt",
        "torch.export": "exported.pt2",
    }
    return {kind: folder / name for kind, name in names.items()}
