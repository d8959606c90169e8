"""Write the digests of all architectures of torchvision and timm: ``assets/architectures.txt``.

    PYTHONPATH=. python benchmarks/architectures.py

Every network is built without memory for its numbers; all of them take about 20 minutes on one core. To be run again
where a new release of either library has new networks; those that are missing are only not suggested.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import timm
import torchvision
from torch import nn

from cuesense.models.architectures import signature
from cuesense.models.torchvision import build
from cuesense.models.weights import head_of, sketch

TARGET = Path("assets/architectures.txt")
# Names that one line lists: variants of one architecture that differ in padding or input size have the same digest.
MOST_NAMES = 6


def networks() -> Iterator[tuple[str, str, nn.Module]]:
    """Yield every architecture's name, the names of its heads, and the network."""
    for name in torchvision.models.list_models(module=torchvision.models):
        network = sketch(lambda name=name: build(name))  # type: ignore[misc]
        yield f"torchvision:{name}", head_of(network), network
    for name in timm.list_models():
        try:
            network = sketch(lambda name=name: timm.create_model(name))  # type: ignore[misc]
            heads = network.default_cfg.get("classifier")
            heads = "+".join(heads) if isinstance(heads, tuple) else heads
            yield f"timm:{name}", heads or head_of(network), network
        except Exception as error:
            print(f"left out: timm:{name} ({type(error).__name__}: {error})")


def main() -> None:
    """Write the table."""
    found: dict[str, list[str]] = {}
    known: dict[str, int] = {}
    for name, heads, network in networks():
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        if not all(f"{head}.weight" in shapes for head in heads.split("+")):
            print(f"left out: {name} (no {heads}.weight)")
            continue
        known[heads] = known.get(heads, 0) + 1
        found.setdefault(signature(shapes, heads), []).append(name)
    lines = [f"# torchvision {torchvision.__version__.partition('+')[0]}, timm {timm.__version__}"]
    lines += [f"head {heads}" for heads in sorted(known, key=lambda heads: -known[heads])]
    for digest, names in sorted(found.items(), key=lambda pair: pair[1]):
        ordered = sorted(names, key=lambda name: (name.startswith("timm"), len(name), name))
        lines.append(" ".join((digest, *ordered[:MOST_NAMES])))
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{sum(map(len, found.values()))} networks, {len(found)} digests, {len(known)} heads: {TARGET}")


if __name__ == "__main__":
    main()
