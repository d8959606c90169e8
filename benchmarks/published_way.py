"""CPU time of a run of cuesense against one process a condition, as published code does it.

    OMP_NUM_THREADS=1 python benchmarks/published_way.py
    OMP_NUM_THREADS=1 python benchmarks/published_way.py --model mobilenet_v3_small --images 500

For each of 24 conditions a process starts, decodes every photograph again, transforms it alone on the CPU and predicts
in batches of 32: with torchvision's transforms on Pillow images where they exist, else with cuesense's own function on
one image, so that slower filters do not count against it. cuesense's process ends with a profile and a page. The
networks of torchvision have random weights. CPU time per image is measured with a few photographs and carried forward
to ``--at`` many; what a process needs to start, and cuesense to conclude, stays. ``--every 4`` measures every fourth
condition of the published way and counts it four times.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision
from overhead import photographs
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2 as transforms

from cuesense.perturbations.apply import perturb
from cuesense.registry import get

# Conditions besides the clean one: 23 in all.
VALUES = {
    "grayscale": (1.0,),
    "median_blur": (0.07, 0.16),
    "bilateral_blur": (0.036, 0.0625, 0.11),
    "opening_closing": (0.07,),
    "patch_shuffle": (2, 4, 8),
    "random_resized_crop": (0.7, 0.4, 0.2, 0.08),
    "color_jitter": (0.1, 0.2, 0.4, 0.8),
    "horizontal_flip": (1.0,),
    "random_rotation": (30, 180),
    "random_erasing": (0.2, 0.6),
}
CONDITIONS = ("clean", *(f"{name}={value}" for name, values in VALUES.items() for value in values))
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 32
# What torchvision has: on the photograph or on its crop, both Pillow's, or on the crop's tensor.
OF_PHOTOGRAPHS = {"random_resized_crop": lambda value: transforms.RandomResizedCrop(224, (value, 1))}
OF_CROPS = {
    "grayscale": lambda _: transforms.Grayscale(3),
    "color_jitter": lambda value: transforms.ColorJitter(value, value, value, value / 4),
    "horizontal_flip": transforms.RandomHorizontalFlip,
    "random_rotation": lambda value: transforms.RandomRotation(value, InterpolationMode.BILINEAR),
}
OF_TENSORS = {"random_erasing": lambda value: transforms.RandomErasing(1.0, (1e-6, value))}


def transform(condition: str) -> Callable[..., torch.Tensor]:
    """Return what turns a photograph into one image of a batch."""
    name, _, number = condition.partition("=")
    value = float(number or 0)
    crop = [transforms.Resize(256), transforms.CenterCrop(224)]
    first = [OF_PHOTOGRAPHS[name](value)] if name in OF_PHOTOGRAPHS else crop
    if name in OF_CROPS:
        first.append(OF_CROPS[name](value))
    last = [OF_TENSORS[name](value)] if name in OF_TENSORS else []
    if not last and len(first) == len(crop) and name != "clean":
        last = [lambda image: perturb(get("perturbations", name), image[None], ["image"], value)[0]]
    tensor = [transforms.PILToTensor(), transforms.ToDtype(torch.float32, scale=True)]
    return transforms.Compose([*first, *tensor, *last, transforms.Normalize(MEAN, STD)])


def published(model: str, condition: str, folder: Path) -> float:
    """Predict all photographs under one condition; return the CPU seconds of the photographs alone."""
    network = getattr(torchvision.models, model)(num_classes=2).eval()
    network.load_state_dict(torch.load(folder / "network.pt"))
    data = torchvision.datasets.ImageFolder(folder / "photos", transform(condition))
    start = time.process_time()
    with torch.inference_mode():
        predicted = [network(images).argmax(1) for images, _ in torch.utils.data.DataLoader(data, BATCH)]
    torch.save(torch.cat(predicted), folder / "predicted.pt")
    return time.process_time() - start


def ours(model: str, folder: Path) -> float:
    """Analyze with the same conditions; return the CPU seconds of the photographs alone."""
    import cuesense

    rows = [f"{name} = [{', '.join(map(str, values))}]" for name, values in VALUES.items()]
    (folder / "config.toml").write_text("\n".join(['description = "24 conditions"', "[perturbations]", *rows]))
    times: list[float] = []
    cuesense.analyze(
        folder / "network.pt",
        folder / "photos",
        arch=f"torchvision:{model}",
        class_names=["class-0", "class-1"],
        config=folder / "config.toml",
        output=folder / "output",
        image_size=224,
        resize=256,
        mean=MEAN,
        std=STD,
        batch_size=BATCH,
        workers=1,
        progress=lambda *_: times.append(time.process_time()),
    )
    return times[-1] - times[0]


def cpu_seconds(arguments: list[str]) -> tuple[float, float]:
    """Return a process's CPU seconds in all, and those of its photographs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return total, float(done.stdout.splitlines()[-1])


def compare(model: str, images: int, at: int, every: int) -> None:
    """Print both ways' CPU seconds and their ratio."""
    measured = CONDITIONS[::every]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs(folder / "photos", images)
        torch.save(getattr(torchvision.models, model)(num_classes=2).state_dict(), folder / "network.pt")
        theirs = [cpu_seconds([name, "--model", model, "--condition", condition]) for condition in measured]
        own = cpu_seconds([name, "--model", model])
    totals = []
    for what, runs, share in (("published way", theirs, len(measured) / len(CONDITIONS)), ("cuesense", [own], 1.0)):
        total, photos = (sum(column) / share for column in zip(*runs, strict=True))
        totals.append(total - photos + photos * at / images)
        each = 1000 * photos / images / len(CONDITIONS)
        print(f"{model:20s} {what:15s} {each:5.1f} ms an image and condition, {at} photographs {totals[-1]:7.1f} s")
    print(f"{model:20s} ratio {totals[0] / totals[1]:.2f}", flush=True)


def main() -> None:
    """Parse and measure; with a folder, do one process's work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--condition", help=argparse.SUPPRESS)
    parser.add_argument("--model", action="append", help="a torchvision model; default resnet18 and mobilenet_v3_small")
    parser.add_argument("--images", type=int, default=32, help="a multiple of 32")
    parser.add_argument("--at", type=int, default=500)
    parser.add_argument("--every", type=int, default=1, help="measure every so many-th condition of the published way")
    options = parser.parse_args()
    if options.folder:
        model = options.model[0]
        print(published(model, options.condition, options.folder) if options.condition else ours(model, options.folder))
        return
    for model in options.model or ["resnet18", "mobilenet_v3_small"]:
        compare(model, options.images, options.at, options.every)


if __name__ == "__main__":
    main()
