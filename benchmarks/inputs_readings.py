"""Kinds of weights whose size and normalization something says, or nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.inputs_world import HALF, MEAN, SIDE, STD, Kind, Place, Right, warned, works

_ZERO, _ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_NORMS: dict[str, tuple[Sequence[float], Sequence[float]]] = {
    "ImageNet": (MEAN, STD), "half": (HALF, HALF), "0 to 1": (_ZERO, _ONE),
    "0 to 255": (_ZERO, (1 / 255, 1 / 255, 1 / 255)),
    "CIFAR": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "CLIP": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
}  # fmt: skip


def trained(place: Place, norm: str) -> torch.nn.Module:
    """Return the user's network trained with a normalization, and set the truth."""
    mean, std = _NORMS[norm]
    # Batch norms behind the first convolution make training with 0 to 255 as easy as any other.
    net = place.world.trained(key=f"norm {norm}", mean=mean, std=std)
    place.truth = place.world.accuracy(net, mean=mean, std=std)
    return net


def _flags(norm: str) -> list[str]:
    return [
        text
        for name, values in zip(("--mean", "--std"), _NORMS[norm], strict=True)
        for text in (name, ",".join(map(repr, values)))
    ]


def bare(
    norm: str,
    *flags: str,
    size: bool = False,
    said: bool = False,
    about: Callable[[str], dict[str, Any]] = lambda norm: {},
) -> Callable[[Place], Any]:
    """A state dict with or without flags and data beside it."""

    def made(place: Place) -> Any:
        net = trained(place, norm)
        torch.save({"state_dict": net.state_dict(), **about(norm)}, "model.pt")
        sizes = place.sizes if size else []
        return [
            "model.pt",
            "--arch",
            "python:usernet:build",
            "--dataset",
            place.usual,
            *sizes,
            *(_flags(norm) if said else []),
            *flags,
        ]

    return made


def library(kind: str, about: Callable[[], dict[str, Any]] = dict, *flags: str) -> Callable[[Place], Any]:
    """A library's architecture fine-tuned at 32 px with ImageNet's normalization: nothing says the size."""

    def made(place: Place) -> Any:
        import timm
        import torchvision

        torch.manual_seed(0)
        build = (
            (lambda: torchvision.models.resnet18(num_classes=12))
            if kind == "torchvision:resnet18"
            else (
                lambda: timm.create_model(
                    kind.partition(":")[2], num_classes=12, **({"img_size": SIDE} if "vit" in kind else {})
                )
            )
        )
        net = place.world.head_fitted(build(), f"reading {kind}", mean=MEAN, std=STD)
        place.truth = place.world.accuracy(net)
        torch.save({"state_dict": net.state_dict(), **about()}, "model.pt")
        return ["model.pt", "--arch", kind, "--dataset", place.usual, *flags]

    return made


def _resized(side: int, *flags: str) -> Callable[[Place], Any]:
    """A network trained at 32 px, images of another size that all are the same."""

    def made(place: Place) -> Any:
        from benchmarks.inputs_images import _large

        arguments = _large(side)(place)
        torch.save(place.world.net.state_dict(), "model.pt")
        return ["model.pt", "--arch", "python:usernet:build", *arguments[1:3], *flags]

    return made


def _ns(**values: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"args": argparse.Namespace(**values)}


def _sidecar(name: str, text: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        arguments = bare("half")(place)
        place.write(name, text)
        return arguments

    return made


def _bgr(place: Place) -> Any:
    state = dict(place.world.state)
    state["conv1.weight"] = state["conv1.weight"].flip(1)
    torch.save(state, "model.pt")
    return ["model.pt", "--arch", "python:usernet:build", "--dataset", place.usual, *place.sizes]


_TOML = "image_size = 32\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\n"
_WARN = "--mean|--std|--probe"
_SIZE = "--image-size|--resize|--probe"
_LISTS = {"mean": list(HALF), "std": list(HALF)}
_KINDS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    *((f"{norm}, all flags", works(), bare(norm, size=True, said=True), "") for norm in _NORMS),
    *((f"{norm}, nothing said", works() if norm == "ImageNet" else warned(_WARN), bare(norm), "the dataset's own size; the probe warns of the normalization") for norm in _NORMS),
    *((f"{norm}, size alone", works() if norm == "ImageNet" else warned(_WARN), bare(norm, size=True), "") for norm in _NORMS if norm in ("ImageNet", "half", "0 to 255")),
    ("torchvision's resnet18 fine-tuned at 32 px", works("32"), library("torchvision:resnet18"), "25.0 % for a true 45.8 %: the dataset's own size, and it is said"),
    ("timm's test_resnet fine-tuned at 32 px with ImageNet's", warned(_WARN), library("timm:test_resnet"), "the architecture's configuration says 0.5"),
    ("timm's test_vit at another img_size", works(), library("timm:test_vit", dict, "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"), "positions for 32 px, the architecture is of 160"),
    ("timm args with img_size, mean and std", works(), library("timm:test_resnet", _ns(img_size=SIDE, input_size=None, mean=list(MEAN), std=list(STD), crop_pct=1.0, model="test_resnet")), ""),
    ("timm args with input_size", works(), library("timm:test_resnet", _ns(img_size=None, input_size=[3, SIDE, SIDE], mean=list(MEAN), std=list(STD), crop_pct=1.0)), ""),
    ("torchvision references' val_crop_size", works(), library("torchvision:resnet18", _ns(val_crop_size=SIDE, val_resize_size=SIDE, model="resnet18")), ""),
    ("hyper_parameters of Lightning", works(), bare("half", about=lambda n: {"hyper_parameters": {"image_size": SIDE, **_LISTS}}), ""),
    ("hyper_parameters, nested", works(), bare("half", about=lambda n: {"hyper_parameters": {"data": {"img_size": SIDE, **_LISTS}, "lr": 0.1}}), ""),
    ("config with a normalize dict", works(), bare("half", about=lambda n: {"config": {"transform": {"size": SIDE, "normalize": _LISTS}}}), ""),
    ("args as a dict", works(), bare("half", about=lambda n: {"args": {"img_size": SIDE, **_LISTS}}), ""),
    ("image_mean and image_std", works(), bare("half", about=lambda n: {"preprocessing": {"image_size": SIDE, "image_mean": list(HALF), "image_std": list(HALF)}}), ""),
    ("mean and std of 0 to 255", works(), bare("half", about=lambda n: {"cfg": {"mean": [127.5] * 3, "std": [127.5] * 3, "image_size": SIDE}}), "mmpretrain's data_preprocessor"),
    ("carried mean, no size", works(), bare("half", about=lambda n: {"args": _LISTS}), "the dataset's own size"),
    ("flags win over what is carried", works(), bare("half", size=True, said=True, about=lambda n: {"args": {"img_size": 224, "mean": list(MEAN), "std": list(STD)}}), ""),
    ("sidecar model.toml", works(), _sidecar("model.toml", _TOML), ""),
    ("sidecar model.json", works(), _sidecar("model.json", json.dumps({"image_size": 32, **_LISTS})), ""),
    ("sidecar with a mistake", Right(False, (r"model\.toml", "mean|three|numbers")), _sidecar("model.toml", "mean = [0.5, 0.5]\n"), ""),
    ("64 px images, nothing said, trained at 32", warned(_SIZE), _resized(64), "the dataset's own size is wrong here: the probe tells"),
    ("128 px images, nothing said, trained at 32", warned(_SIZE), _resized(128), ""),
    ("64 px images, --image-size 32 alone", warned("--resize|--probe"), _resized(64, "--image-size", "32"), "a crop of 87.5 % was not meant"),
    ("--probe with the right flags", works("images prepared as"), bare("half", "--probe", size=True, said=True), ""),
    ("--probe, nothing said", works(r"--mean 0\.5 --std 0\.5"), bare("half", "--probe"), "the table names the right reading"),
    ("BGR weights", warned("bgr"), _bgr, ""),
)  # fmt: skip


KINDS = [Kind("readings", name, right, make, why) for name, right, make, why in _KINDS]
