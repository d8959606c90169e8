"""What cuesense costs on top of the network's own forward passes.

    python benchmarks/overhead.py --model resnet18 --images 64
    python benchmarks/overhead.py --model mobilenet_v2 --images 64 --threads 2

One run measures both: the whole engine (decoding JPEG photographs, perturbing, predicting, writing shards) and, inside
it, the time of the forward passes, after a warm-up. Each network has a process of its own, as in use: a network's
large tensors change how the C library keeps memory, and with it the next network's speed. With one thread the figures
are CPU seconds, with more they are wall seconds. The second table gives each condition's cost relative to one forward
pass of resnet18.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import torch
import torchvision
from PIL import Image
from sklearn.datasets import load_sample_images

from cuesense.config import load_config
from cuesense.datasets.load import load_dataset
from cuesense.datasets.subset import subset
from cuesense.inference.engine import predict
from cuesense.inference.options import RunOptions
from cuesense.perturbations.apply import perturb
from cuesense.predictions.shards import OutcomeStore
from cuesense.types import Classifier, Preprocessing

PREPROCESSING = Preprocessing((224, 224), 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class Timed(torch.nn.Module):
    """A network that adds up the time of its forward passes."""

    def __init__(self, network: torch.nn.Module, clock: object) -> None:
        super().__init__()
        self.network, self.clock, self.seconds = network, clock, 0.0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Time one pass."""
        start = self.clock()
        logits = self.network(images)
        self.seconds += self.clock() - start
        return logits


def photographs(folder: Path, count: int) -> None:
    """Write JPEG photographs of 500 x 375 pixels in two class folders, both of the same two scenes.

    A network with random weights is then right by chance, and never wrong about all, which an analysis refuses.
    """
    sources = [Image.fromarray(image) for image in load_sample_images().images]
    for index in range(count):
        place = folder / f"class-{index // 2 % 2}"
        place.mkdir(parents=True, exist_ok=True)
        left, top = 3 * index % 140, 5 * index % 52
        sources[index % 2].crop((left, top, left + 500, top + 375)).save(place / f"{index:04d}.jpg", quality=90)


def engine_over_forward(name: str, images: int, preset: str, threads: int) -> None:
    """Print total over forward time of one network."""
    clock = time.process_time if threads == 1 else time.perf_counter
    network = Timed(getattr(torchvision.models, name)(weights=None).eval(), clock)
    classifier = Classifier(name, name, network, PREPROCESSING)
    classifier.network.network.to(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        photographs(Path(folder) / "photos", images)
        dataset = load_dataset(str(Path(folder) / "photos"))
        conditions = load_config(preset).conditions()
        store = OutcomeStore.open(Path(folder) / "outcomes", {})
        predict(classifier, subset(dataset, 1), (0, 999), conditions, OutcomeStore(), RunOptions(workers=1))
        network.seconds = 0.0
        start = clock()
        predict(classifier, dataset, (0, 999), conditions, store, RunOptions(workers=threads))
        total = clock() - start
    print(
        f"{name}, {preset}, {len(conditions)} conditions, {images} photographs, {threads} thread(s): "
        f"total {total:.1f} s, forward {network.seconds:.1f} s, ratio {total / network.seconds:.3f}"
    )


def condition_costs(preset: str, images: int = 16) -> None:
    """Print each condition's CPU time relative to a forward pass of resnet18, both for one image."""
    network = torchvision.models.resnet18(weights=None).eval().to(memory_format=torch.channels_last)
    pixels = torch.rand(images, 3, 28, 28).repeat_interleave(8, 2).repeat_interleave(8, 3)
    names = [str(index) for index in range(images)]
    with torch.inference_mode():
        forward = seconds(lambda: network(pixels.contiguous(memory_format=torch.channels_last)))
        print(f"\nresnet18 forward: {1000 * forward / images:.1f} ms an image")
        for perturbation in load_config(preset).perturbations:
            for value in perturbation.ladder:
                cost = seconds(lambda p=perturbation, v=value: perturb(p, pixels, names, v))
                print(f"{perturbation.name:30s} {value:<8g} {cost / forward:.3f}")


def seconds(call: object) -> float:
    """Return the smallest CPU time of five calls after a warm-up."""
    call()
    times = []
    for _ in range(5):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="a torchvision model; default resnet18 and mobilenet_v3_small")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    jobs = [
        (engine_over_forward, (name, options.images, options.preset, options.threads))
        for name in options.model or ["resnet18", "mobilenet_v3_small"]
    ]
    for job, arguments in [*jobs, (condition_costs, (options.preset,))]:
        process = get_context("spawn").Process(target=on_threads, args=(options.threads, job, arguments))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


def on_threads(threads: int, job: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """Run one measurement on a number of threads."""
    torch.set_num_threads(threads)
    job(*arguments)


if __name__ == "__main__":
    main()
