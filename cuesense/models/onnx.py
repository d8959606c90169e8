"""ONNX files, run by onnxruntime: graphs of known operators, which are data and no program."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cuesense.errors import ModelError, expected, first_line
from cuesense.models.common import ForeignNetwork, Loaded, State, optional_library
from cuesense.types import ClassNames, Preprocessing

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
# Keys under which exporters keep the names of the outputs; Ultralytics' is "names".
_NAMES = ("names", "class_names", "classes", "labels", "id2label", "categories")
# Channels of images with their channels last; a side of so few pixels is none.
_MOST_CHANNELS = 4
# 0 to 255 is what a network of whole numbers takes: the pixels themselves.
_PIXELS = ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))


class OnnxNetwork(ForeignNetwork):
    """A graph that onnxruntime runs on the CPU, or on a GPU where its provider is installed."""

    def __init__(self, path: Path) -> None:
        """Read a file.

        Args:
            path: The file; tensors that lie beside it are found in its folder.
        """
        super().__init__()
        self._runtime: Any = optional_library("onnxruntime", "onnx", "ONNX files")
        # Whole: it is read again for another device, and in other processes.
        self._path = path.absolute()
        self._sessions: dict[str, Any] = {}
        session = self._session("cpu")
        self.inputs = session.get_inputs()
        self.outputs = [output.name for output in session.get_outputs()]
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def __reduce__(self) -> tuple[type[OnnxNetwork], tuple[Path]]:
        """Return how another process makes the same network: it reads the file, which no session can be made of."""
        return OnnxNetwork, (self._path,)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of its input, None where a length is free."""
        return tuple(length if isinstance(length, int) and length > 0 else None for length in self.inputs[0].shape)

    @property
    def channels_last(self) -> bool:
        """Whether images are (N, H, W, C): the last length is a number of channels, and the second is none."""
        _, second, _, last = self.shape
        return last is not None and last <= _MOST_CHANNELS and not (second is not None and second <= _MOST_CHANNELS)

    @property
    def channels(self) -> int | None:
        """How many channels it takes, None where that is free."""
        return self.shape[3 if self.channels_last else 1]

    @property
    def takes_pixels(self) -> bool:
        """Whether its input is of whole numbers from 0 to 255."""
        return self._type is np.uint8

    @property
    def _type(self) -> Any:
        return _TYPES.get(self.inputs[0].type)

    def forward(self, images: Tensor) -> Any:
        """Map normalized (N, C, H, W) to the graph's output, or to all of them by name where it has several."""
        batch = (images.permute(0, 2, 3, 1) if self.channels_last else images).detach().cpu()
        values = (batch.round().clamp(0, 255) if self.takes_pixels else batch).numpy().astype(self._type)
        session = self._session(images.device.type)
        results = session.run(self.outputs, {self.inputs[0].name: np.ascontiguousarray(values)})
        tensors = [torch.from_numpy(np.array(result)).to(images.device) for result in results]
        return tensors[0] if len(tensors) == 1 else dict(zip(self.outputs, tensors, strict=True))

    def _session(self, device: str) -> Any:
        provider = "CUDAExecutionProvider" if device == "cuda" else "CPUExecutionProvider"
        if provider not in self._runtime.get_available_providers():
            provider = "CPUExecutionProvider"
        if provider not in self._sessions:
            options = self._runtime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            options.inter_op_num_threads = 1
            options.use_deterministic_compute = True
            options.log_severity_level = 4
            self._sessions[provider] = self._runtime.InferenceSession(
                str(self._path), sess_options=options, providers=[provider]
            )
        return self._sessions[provider]


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Load an ONNX file (see the package for the arguments).

    Args:
        name: The file's path.
        state: Must be None: the file has its weights in it.
        class_names: Names of the outputs, or None for those in the file's metadata.

    Returns:
        The network, with the batch size and the input size where they are fixed.

    Raises:
        ModelError: Weights are given, onnxruntime is not installed, or there is no such file or network.
    """
    if state is not None:
        raise ModelError(expected("--arch", "a network that weights fit into", f"onnx:{name}", "Leave it out"))
    path = Path(name)
    if not path.is_file():
        raise ModelError(expected("what follows onnx:", "an ONNX file", f"'{name}'", "Check the path"))
    return load_onnx(path, class_names)


def load_onnx(path: Path, class_names: ClassNames | None = None) -> Loaded:
    """Load an ONNX file; arguments and errors as for ``load``."""
    try:
        network = OnnxNetwork(path)
    except ModelError:
        raise
    except Exception as error:  # onnxruntime's own errors, and what it finds in a damaged file
        do = "Export it again with operators of ONNX alone: those of other libraries are not loaded"
        raise ModelError(expected(str(path), "an ONNX file that onnxruntime reads", _reason(error), do)) from error
    _refuse_unfit(network, path)
    count, *sides = network.shape
    height, width = sides[:2] if network.channels_last else sides[1:]
    size = (height, width) if height is not None and width is not None else None
    carried = _carried(network, size)
    known = _class_names(network.metadata)
    return Loaded(
        network,
        "ONNX",
        carried,
        input_size=size,
        class_names=class_names or known,
        fixed_batch=count,
        guessed=frozenset() if carried is None or _is_ultralytics(network.metadata) else _unknown(size),
    )


def _refuse_unfit(network: OnnxNetwork, path: Path) -> None:
    do = "Export a network with one input of shape (batch, 3, height, width)"
    inputs = [f"{entry.name} {tuple(entry.shape)} of type {entry.type}" for entry in network.inputs]
    fits = len(inputs) == 1 and len(network.inputs[0].shape) == 4 and network.inputs[0].type in _TYPES
    if not fits:
        raise ModelError(expected(str(path), "a network for one batch of images", "; ".join(inputs) or "no input", do))


def _carried(network: OnnxNetwork, size: tuple[int, int] | None) -> Preprocessing | None:
    """Return what a file says of its preprocessing: a type of whole numbers, or Ultralytics' metadata."""
    if network.takes_pixels:
        side = size or (224, 224)
        return Preprocessing(side, round(min(side) / 0.875) if size is None else None, *_PIXELS)
    if _is_ultralytics(network.metadata):
        sides = size or _sides(network.metadata.get("imgsz"))
        # Its classifiers take pixels from 0 to 1, the center crop of the shorter side (ultralytics.data.augment).
        return None if sides is None else Preprocessing(sides, max(sides), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return None


def _unknown(size: tuple[int, int] | None) -> frozenset[str]:
    return frozenset({"resize", "interpolation"} | ({"image_size"} if size is None else set()))


def _is_ultralytics(metadata: Mapping[str, str]) -> bool:
    return metadata.get("author") == "Ultralytics" and metadata.get("task") == "classify"


def _sides(text: str | None) -> tuple[int, int] | None:
    sides = _literal(text or "")
    if isinstance(sides, list) and len(sides) == 2 and all(isinstance(side, int) and side > 0 for side in sides):
        return sides[0], sides[1]
    return None


def _class_names(metadata: Mapping[str, str]) -> ClassNames | None:
    """Return the names of the outputs where a file's metadata say them, in any of the shapes that exporters write."""
    found = next((metadata[key] for key in _NAMES if metadata.get(key)), None)
    if found is None:
        return None
    value = _literal(found)
    if isinstance(value, dict):
        numbered = {str(key): name for key, name in value.items()}
        value = [numbered.get(str(number)) for number in range(len(numbered))]
    if not isinstance(value, list | tuple):
        value = [name.strip() for name in re.split(r"[\n,]", found) if name.strip()]
    names = tuple(str(name) for name in value)
    return ClassNames(names) if len(set(names)) == len(names) > 1 and None not in value else None


def _literal(text: str) -> Any:
    """Return what a text says as JSON or as a Python literal, None where it is neither; nothing of it is run."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _reason(error: Exception) -> str:
    """Return what onnxruntime says without the number and name of its error's kind."""
    return first_line(re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error)))
