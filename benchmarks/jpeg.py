"""Whether torchvision decodes JPEG photographs as Pillow does, and in what time.

    python benchmarks/jpeg.py

Both end with a Pillow image in RGB, which Pillow resizes. For each kind of chroma subsampling the CPU time is the
smallest of 100 calls, taken in turn; ``equal`` says whether all pixels are the same.
"""

import io
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torchvision.io import ImageReadMode, decode_jpeg

from cuesense.datasets.formats import decode_bytes

SUBSAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
CALLS = 100


def by_torchvision(content: bytes) -> Image.Image:
    """Decode a JPEG file's content to a Pillow image."""
    planes = decode_jpeg(torch.frombuffer(bytearray(content), dtype=torch.uint8), ImageReadMode.RGB)
    return Image.fromarray(planes.permute(1, 2, 0).numpy())


def by_pillow(content: bytes) -> Image.Image:
    """Decode as datasets are decoded."""
    return decode_bytes(content, "photograph")


def fastest(calls: list[Callable[[], object]]) -> list[float]:
    """Return each call's smallest CPU time in milliseconds."""
    times = [[0.0] * CALLS for _ in calls]
    for attempt in range(CALLS):
        for call, taken in zip(calls, times, strict=True):
            start = time.thread_time()
            call()
            taken[attempt] = 1000 * (time.thread_time() - start)
    return [min(taken) for taken in times]


def main() -> None:
    """Compare both on a photograph of 500 x 375 pixels."""
    photograph = Image.fromarray(load_sample_images().images[0]).crop((0, 0, 500, 375))
    for name, subsampling in SUBSAMPLINGS.items():
        file = io.BytesIO()
        photograph.save(file, "JPEG", quality=90, subsampling=subsampling)
        content = file.getvalue()
        equal = np.array_equal(np.asarray(by_pillow(content)), np.asarray(by_torchvision(content)))
        pillow, torchvision = fastest([lambda c=content: by_pillow(c), lambda c=content: by_torchvision(c)])
        ratio = pillow / torchvision
        print(f"{name}: Pillow {pillow:.2f} ms, torchvision {torchvision:.2f} ms, ratio {ratio:.2f}, equal {equal}")


if __name__ == "__main__":
    main()
