"""Tiny models in the files and folders of other libraries: made by the libraries themselves, for the tests."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

SIDE = 16
"""Height and width of the images that they take."""


def hf_folder(folder: Path, *, labels: tuple[str, ...] = ("red", "green", "blue"), channels: int = 3) -> Any:
    """Write a vision transformer of transformers with its image processor, and return the network."""
    import transformers

    sizes = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.ViTConfig(
        image_size=SIDE,
        patch_size=8,
        num_channels=channels,
        id2label=dict(enumerate(labels)),
        label2id={name: number for number, name in enumerate(labels)},
        **sizes,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.ViTForImageClassification(config).eval()
    model.save_pretrained(folder)
    square = {"height": SIDE, "width": SIDE}
    processor = transformers.ViTImageProcessor(size=square, image_mean=[0.5] * 3, image_std=[0.25] * 3)
    processor.save_pretrained(folder)
    return model


def onnx_file(
    network: nn.Module, path: Path, shape: tuple[int, ...] = (2, 3, SIDE, SIDE), *, free: bool = True
) -> Path:
    """Export a network to ONNX, its batch size free or fixed, and return the file."""
    named: Any = {"images": {0: "batch"}} if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the older exporter, which needs no further package
        torch.onnx.export(
            network.eval(),
            (torch.rand(shape),),
            str(path),
            input_names=["images"],
            dynamic_axes=named,
            dynamo=False,
        )
    return path


def onnx_graph(
    path: Path, nodes: list[Any], *, inputs: Any, outputs: Any, metadata: dict[str, str] | None = None
) -> Path:
    """Write an ONNX graph of given nodes."""
    import onnx
    from onnx import helper

    graph = helper.make_graph(nodes, "graph", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if metadata:
        helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    return path
