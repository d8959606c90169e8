"""Kinds of commands: how architectures are named, and what is left out or combined wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.inputs_world import Kind, Place, Right, either, refused, warned, works


def _state(place: Place) -> str:
    torch.save(place.world.state, "model.pt")
    return "model.pt"


def _resnet(place: Place) -> str:
    import torchvision

    torch.manual_seed(0)
    net = place.world.head_fitted(torchvision.models.resnet18(num_classes=12), "resnet18")
    place.truth = place.world.accuracy(net)
    torch.save(net.state_dict(), "model.pt")
    return "model.pt"


def _arch(name: str, save: Callable[[Place], str] = _resnet) -> Callable[[Place], Any]:
    return lambda place: [*place.with_arch(save(place), name)]


def _spec(name: str) -> Callable[[Place], Any]:
    return lambda place: place.model(name)


def _plain(*arguments: str) -> Callable[[Place], Any]:
    return lambda place: [place.script, *arguments]


def _untrained(place: Place) -> Any:
    place.truth, place.tolerance = 1 / 12, 0.25
    return place.model("python:usernet:build")


_TV = "torchvision:resnet18"
_ARCHS: tuple[tuple[str, Right, Callable[[Place], Any]], ...] = (
    (_TV, works(), _arch(_TV)),
    ("resnet18", either("torchvision:resnet18"), _arch("resnet18")),
    ("ResNet18", either("torchvision:resnet18"), _arch("ResNet18")),
    ("resnet-18", either("torchvision:resnet18"), _arch("resnet-18")),
    ("torchvision.models.resnet18", either(_TV), _arch("torchvision.models.resnet18")),
    ("torchvision/resnet18", either(_TV), _arch("torchvision/resnet18")),
    ("models.resnet18", either(_TV), _arch("models.resnet18")),
    ("models.resnet18()", either(_TV), _arch("models.resnet18()")),
    ("torchvision:ResNet18", either(_TV), _arch("torchvision:ResNet18")),
    ("torchvision:resnet18@DEFAULT", either("weights|@|leave|torchvision:resnet18"), _arch("torchvision:resnet18@DEFAULT")),
    ("Torchvision:resnet18", either(_TV), _arch("Torchvision:resnet18")),
    ("torchvison:resnet18", refused("torchvision"), _arch("torchvison:resnet18")),
    ("torchvision:resnet19", refused("resnet18"), _arch("torchvision:resnet19")),
    ("torchvision: resnet18", either(_TV), _arch("torchvision: resnet18")),
    ("timm:resnet18", works(), _arch("timm:resnet18")),
    ("timm/resnet18", either("timm:resnet18"), _arch("timm/resnet18")),
    ("timm.resnet18", either("timm:resnet18"), _arch("timm.resnet18")),
    ("timm.create_model('resnet18')", either("timm:resnet18"), _arch("timm.create_model('resnet18')")),
    ("timm:resnet18.a1_in1k", works(), _arch("timm:resnet18.a1_in1k")),
    ("timm:resnet_18", either("timm:resnet18"), _arch("timm:resnet_18")),
    ("vit-b-16", refused("vit_b_16"), _arch("vit-b-16")),
    ("usernet:build", either("python:usernet:build"), _arch("usernet:build", _state)),
    ("usernet.build", either("python:usernet:build"), _arch("usernet.build", _state)),
    ("usernet.SmallNet", either("python:usernet:SmallNet"), _arch("usernet.SmallNet", _state)),
    ("usernet.py:build", either("python:usernet:build"), _arch("usernet.py:build", _state)),
    ("./usernet.py:build", either("python:usernet:build"), _arch("./usernet.py:build", _state)),
    ("usernet.py", either("python:usernet:"), _arch("usernet.py", _state)),
    ("python:usernet.py:build", either("python:usernet:build"), _arch("python:usernet.py:build", _state)),
    ("python:usernet", refused("python:usernet:|function"), _arch("python:usernet", _state)),
    ("python:usernet.build", either("python:usernet:build"), _arch("python:usernet.build", _state)),
    ("python:usernet:SmallNet", works(), _arch("python:usernet:SmallNet", _state)),
    ("python:usernet:build_classes", works(), _arch("python:usernet:build_classes", _state)),
    ("python:usernet:buld", refused("build"), _arch("python:usernet:buld", _state)),
    ("python:usernett:build", refused("usernett"), _arch("python:usernett:build", _state)),
    ("python:usernet:nn", refused("function|module|callable"), _arch("python:usernet:nn", _state)),
    ("python:usernet:Lit for bare weights", either("backbone|missing"), _arch("python:usernet:Lit", _state)),
    ("SmallNet", refused("SmallNet", "python:"), _arch("SmallNet", _state)),
    ("keras.applications.ResNet50", refused("keras|torchvision:resnet50"), _arch("keras.applications.ResNet50")),
    ("microsoft/resnet-18", refused("hf:|transformers|torchvision:resnet18|timm"), _arch("microsoft/resnet-18")),
    ("yolov8n-cls", refused("ultralytics|python:|export|torchvision"), _arch("yolov8n-cls")),
    ("an empty --arch", refused("--arch"), _arch("")),
)  # fmt: skip
_COMMANDS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("model: resnet18", refused("torchvision:resnet18"), _spec("resnet18"), "an architecture's name where a file was meant, or the library's weights"),
    ("model: torchvision.models.resnet18", refused("torchvision:resnet18"), _spec("torchvision.models.resnet18"), ""),
    ("model: torchvision:resnet18@NO_SUCH", refused("IMAGENET1K"), _spec("torchvision:resnet18@NO_SUCH"), ""),
    ("model: timm:resnet18.no_such", refused("resnet18", "a1_in1k|tag|weights"), _spec("timm:resnet18.no_such"), ""),
    ("model: google/vit-base-patch16-224", refused("hf:google/vit-base-patch16-224"), _spec("google/vit-base-patch16-224"), ""),
    ("model: hf-hub:timm/resnet18.a1_in1k", refused("timm:hf-hub:"), _spec("hf-hub:timm/resnet18.a1_in1k"), ""),
    ("model: open_clip:ViT-B-33", refused("ViT-B-32"), _spec("open_clip:ViT-B-33"), ""),
    ("model: open_clip:ViT-B-32@nowhere.pt", refused("nowhere|laion|openai"), _spec("open_clip:ViT-B-32@nowhere.pt"), ""),
    ("model: clip:ViT-B/32", refused("open_clip"), _spec("clip:ViT-B/32"), ""),
    ("model: python:usernet:build without weights", works(), _untrained, "untrained: chance, as plain torch says"),
    ("--dataset left out", refused("--dataset"), _plain(), ""),
    ("everything left out", refused("--dataset|MODEL", "MODEL|--dataset"), lambda p: [], ""),
    ("weights without --arch on imagenet without a root", refused("--arch", "--data-root|CUESENSE_DATA"), lambda p: [_state(p), "--dataset", "imagenet"], "all that is missing, in one answer"),
    ("weights without --arch and a wrong dataset", refused("--arch", "no-such|nothing"), lambda p: [_state(p), "--dataset", "no-such/val"], "both in one answer"),
    ("wrong model and wrong dataset", refused("nothing-here", "no-such"), lambda p: ["nothing-here.pt", "--dataset", "no-such/val"], "both in one answer"),
    ("--image-size as HxW", either("--image-size"), lambda p: [p.script, "--dataset", p.usual, "--image-size", "32x32", "--resize", "32"], ""),
    ("--image-size 0", refused("--image-size"), lambda p: [p.script, "--dataset", p.usual, "--image-size", "0"], ""),
    ("--mean with blanks", either("--mean"), lambda p: [*p.on(p.usual), "--mean", "0.485, 0.456, 0.406"], ""),
    ("--mean in brackets", either("--mean"), lambda p: [*p.on(p.usual), "--mean", "[0.485,0.456,0.406]"], ""),
    ("--mean of 0 to 255", refused("--mean", "255"), lambda p: [*p.on(p.usual), "--mean", "123.675,116.28,103.53"], ""),
    ("--mean one number", warned("--std"), lambda p: [*p.on(p.usual), "--mean", "0.5"], ""),
    ("--std 0", refused("--std", "0"), lambda p: [*p.on(p.usual), "--std", "0,0,0"], ""),
    ("--resize smaller than --image-size", refused("--resize", "--image-size|image size"), lambda p: [p.script, "--dataset", p.usual, "--image-size", "32", "--resize", "16"], ""),
    ("--img-size", refused("--image-size"), lambda p: [p.script, "--dataset", p.usual, "--img-size", "32"], "the option's right name"),
    ("--data", refused("--dataset|--data-root"), lambda p: [p.script, "--data", p.usual], ""),
    ("--model", refused("--model", "MODEL"), lambda p: ["--model", p.script, "--dataset", p.usual], ""),
    ("--device cuda without one", refused("cuda", "cpu"), lambda p: [*p.on(p.usual), "--device", "cuda"], ""),
    ("--device gpu", refused("gpu", "cuda"), lambda p: [*p.on(p.usual), "--device", "gpu"], ""),
    ("--data-root with a folder", refused("--data-root", "leave"), lambda p: [*p.on(p.usual), "--data-root", "/data"], ""),
    ("--probe prints the readings", works("images prepared as"), lambda p: [*p.on(p.usual), "--probe"], "the option of issue 20"),
    ("planted world for a network of 12 outputs", refused("12", "--class-names|outputs"), lambda p: [p.script, "--dataset", "planted:7", *p.sizes], ""),
    ("--dataset planted:x", refused("planted", "seed"), lambda p: p.on("planted:x"), ""),
    ("--dataset hf: without name", refused("hf:"), lambda p: p.on("hf:"), ""),
    ("--dataset cifar10", refused("torchvision:CIFAR10"), lambda p: p.on("cifar10"), ""),
    ("--dataset mnist", refused("torchvision:MNIST"), lambda p: p.on("mnist"), ""),
    ("--dataset torchvision:Nothing", refused("Nothing", "CIFAR10|MNIST|one of"), lambda p: p.on("torchvision:Nothing"), ""),
    ("--dataset of a Hugging Face hub without network", refused("network|hub|offline|cache|hf:"), lambda p: p.on("hf:mnist-of-nobody/nothing"), ""),
)  # fmt: skip


def _part(name: str) -> str:
    if name.startswith("--dataset ") and "left out" not in name:
        return "readers"
    return "readings" if name.startswith(("--image", "--mean", "--std", "--probe", "--resize")) else "weights"


KINDS = [
    *(Kind("weights", f"--arch {name}", right, make) for name, right, make in _ARCHS),
    *(Kind(_part(name), name, right, make, why) for name, right, make, why in _COMMANDS),
]
