"""Kinds of files that are no weights of PyTorch, or damaged ones: what a refusal must name."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.inputs_world import Kind, Place, Right, refused, works

_HDF5 = b"\x89HDF\r\n\x1a\n" + b"\0" * 600


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; "__" in a name stands for "/" and "_DOT_" for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return buffer.getvalue()


def tarred(**members: bytes) -> bytes:
    """Return a tar archive; names as in ``zipped``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_DOT_", "."))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def checkpoint(place: Place) -> bytes:
    """Return the usual weights as torch.save writes them."""
    buffer = io.BytesIO()
    torch.save(place.world.state, buffer)
    return buffer.getvalue()


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "PNG")
    return buffer.getvalue()


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{"conv1.weight": np.zeros((2, 3, 3, 3)), "fc.bias": np.zeros(3)})
    return buffer.getvalue()


_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 46000000\n"
# File name -> bytes, and the words that its refusal needs. Analyzed without --arch.
_FILES: dict[str, tuple[str, Callable[[Place], bytes], Right]] = {
    "Keras HDF5": ("model.h5", lambda p: _HDF5, refused("keras|hdf5", "convert|onnx|pytorch")),
    "Keras 3 archive": (
        "model.keras",
        lambda p: zipped(metadata_DOT_json=b"{}", config_DOT_json=b"{}", model_DOT_weights_DOT_h5=_HDF5),
        refused("keras", "onnx|pytorch|convert"),
    ),
    "Keras weights.h5": ("model.weights.h5", lambda p: _HDF5, refused("keras|hdf5", "onnx|pytorch|convert")),
    "TFLite": (
        "model.tflite", lambda p: b"\x1c\0\0\0TFL3" + b"\0" * 600, refused("tflite|tensorflow lite", "onnx|pytorch|convert"),
    ),
    "TensorFlow frozen graph": (
        "frozen.pb", lambda p: b"\n\x1d\n\x05input\x12\x0bPlaceholder" + b"\0" * 99, refused(r"tensorflow|\.pb", "onnx|pytorch|convert"),
    ),
    "TensorFlow checkpoint index": (
        "model.ckpt-1000.index", lambda p: b"\0\0\x12model/conv/kernel" + b"\0" * 99, refused("tensorflow|index", "onnx|pytorch|convert"),
    ),
    "TensorFlow checkpoint data": (
        "model.ckpt.data-00000-of-00001", lambda p: b"\x12\x9c\xbd=" * 99, refused("tensorflow|checkpoint", "onnx|pytorch|convert"),
    ),
    "CoreML": ("model.mlmodel", lambda p: b"\x08\x04\x12\x9b\x01\n\x1d\n\x05image" + b"\0" * 99, refused("core ?ml", "pytorch|convert|onnx")),
    "OpenVINO": ("model.xml", lambda p: b'<?xml version="1.0"?>\n<net name="m" version="11"><layers/></net>', refused("openvino", "onnx|pytorch|convert")),
    "OpenVINO weights": ("model.bin", lambda p: b"\xcd\xcc\xcc=" * 99, refused(r"openvino|\.bin|raw|another kind", "onnx|pytorch|torch")),
    "Paddle": ("model.pdparams", lambda p: pickle.dumps({"conv.weight": np.zeros((2, 3, 3, 3), "f4"), "StructuredToParameterName@@": {}}), refused("paddle", "onnx|pytorch|convert")),
    "Flax msgpack": ("flax_model.msgpack", lambda p: b"\x83\xa6params\x82\xa5Dense" + b"\0" * 99, refused("flax|msgpack|jax", "pytorch|convert")),
    "MXNet": ("model-0000.params", lambda p: b"\x12\x01\0\0\0\0\0\0" + b"\0" * 99, refused("mxnet|params", "onnx|pytorch|convert")),
    "Caffe": ("net.caffemodel", lambda p: b"\n\x07AlexNet\xa2\x06\x10" + b"\0" * 99, refused("caffe", "onnx|pytorch|convert")),
    "Darknet": ("yolo.weights", lambda p: b"\0\0\0\0\x02\0\0\0\x05\0\0\0" + b"\xcd\xcc\xcc=" * 99, refused(r"darknet|\.weights|another kind", "onnx|pytorch|torch")),
    "TensorRT engine": ("model.engine", lambda p: b"ftrt" + b"\0" * 600, refused("tensorrt", "engine|onnx|pytorch")),
    "GGUF": ("model.gguf", lambda p: b"GGUF\3\0\0\0" + b"\0" * 99, refused("gguf", "pytorch|torch")),
    "NCNN": ("model.param", lambda p: b"7767517\n3 3\nInput data 0 1 data\n", refused(r"ncnn|text file|\.param", "pytorch|torch|onnx")),
    "ExecuTorch": ("model.pte", lambda p: b"\x1c\0\0\0ET12" + b"\0" * 600, refused("executorch", "torch.export|state_dict|torch")),
    "git-lfs pointer": ("model.pt", lambda p: _LFS, refused("git-lfs", "git lfs pull")),
    "git-lfs pointer, safetensors": ("model.safetensors", lambda p: _LFS, refused("git-lfs", "git lfs pull")),
    "HTML page": ("model.pth", lambda p: b"<!DOCTYPE html>\n<html><head><title>Google Drive - Virus scan warning</title>", refused("html|web page", "download")),
    "HTML page after blanks": ("model.pth", lambda p: b"\n\n  <html lang=en><body>404</body></html>", refused("html|web page", "download")),
    "XML error of a bucket": ("model.pt", lambda p: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', refused("xml|web page|error", "download")),
    "JSON error": ("model.pt", lambda p: b'{"message": "Not Found", "status": "404"}', refused("json|text", "download")),
    "text 'Entry not found'": ("model.pt", lambda p: b"Entry not found", refused("text", "download")),
    "empty": ("model.pt", lambda p: b"", refused("empty", "save|download|copy")),
    "zeros": ("model.pt", lambda p: b"\0" * 4096, refused("zero|null byte|another kind", "save|download|copy")),
    "truncated": ("model.pt", lambda p: checkpoint(p)[:-3000], refused("truncated|damaged|incomplete", "save|download|copy")),
    "a torch file with flipped bytes": ("model.pt", lambda p: (lambda b: b[:9000] + bytes(x ^ 255 for x in b[9000:9300]) + b[9300:])(checkpoint(p)), refused("damaged|checksum|crc", "save|download|copy")),
    "truncated safetensors": ("model.safetensors", lambda p: b"\x60\0\0\0\0\0\0\0" + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'.ljust(96), refused("truncated|damaged|incomplete|shorter", "save|download|copy")),
    "gzipped checkpoint": ("model.pt.gz", lambda p: gzip.compress(checkpoint(p)), refused("gzip", "unpack|gunzip")),
    "zip around a checkpoint": ("model.zip", lambda p: zipped(run__best_DOT_pt=checkpoint(p)), refused("archive|zip", "unpack")),
    "tar around a checkpoint": ("model.tar", lambda p: tarred(best_DOT_pt=checkpoint(p)), refused("tar", "unpack")),
    "tar.gz around a checkpoint": ("model.tar.gz", lambda p: gzip.compress(tarred(best_DOT_pt=checkpoint(p))), refused("gzip|tar", "unpack")),
    "7z": ("model.7z", lambda p: b"7z\xbc\xaf\x27\x1c" + b"\0" * 99, refused("7z|packed|archive", "unpack")),
    "zip of images": ("data.zip", lambda p: zipped(cat__a_DOT_png=_png()), refused("archive|zip", "images|--dataset|unpack")),
    "MAR archive of TorchServe": ("model.mar", lambda p: zipped(MAR_INF__MANIFEST_DOT_json=b"{}", model_DOT_pt=checkpoint(p)), refused("archive|mar", "unpack")),
    "docx": ("model.docx", lambda p: zipped(word__document_DOT_xml=b"<w/>"), refused("archive|another kind", "save|download|model")),
    "image": ("photo.png", lambda p: _png(), refused("image", "model")),
    "JPEG named .pt": ("model.pt", lambda p: b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 99, refused("image", "model")),
    "PDF": ("model.pdf", lambda p: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", refused("pdf|another kind|text", "model|download")),
    "npy": ("weights.npy", lambda p: _npy(), refused("numpy", "torch|pytorch|state_dict")),
    "npz of weights": ("weights.npz", lambda p: _npz(), refused("numpy|npz", "torch|pytorch|state_dict")),
    "pickle of numpy arrays": ("weights.pkl", lambda p: pickle.dumps({"conv1.weight": np.zeros((2, 3, 3, 3), "f4")}), refused("--arch", "weights")),
    "scikit-learn pickle": ("model.pkl", lambda p: b"\x80\x04\x95\x1b\0\0\0\0\0\0\0\x8c\x10sklearn.svm._svm\x8c\x03SVC\x93.", refused("pickle|sklearn|scikit", "network|torch|pytorch")),
    "joblib": ("model.dump", lambda p: b"\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81\xff\x01\x02.", refused("pickle|sklearn|scikit|joblib", "network|torch|pytorch")),
    "a dataset's pickle": ("batch.pkl", lambda p: pickle.dumps({b"data": np.zeros((2, 3072), "u1"), b"labels": [0, 1]}, 2), refused("pickle", "state_dict|torch.save|dataset")),
    "a notebook": ("train.ipynb", lambda p: json.dumps({"cells": [], "nbformat": 4}).encode(), refused("notebook|json|text", "model|save")),
    "a Python file": ("model.py", lambda p: b"import torch\n\ndef build():\n    pass\n", refused("python", r"python:model:")),
    "a YAML config": ("config.yaml", lambda p: b"model: resnet18\nclasses: 12\n", refused("text|yaml", "model|weights|checkpoint")),
    "a Hugging Face config alone": ("config.json", lambda p: b'{"model_type": "vit", "architectures": ["ViTForImageClassification"]}', refused("config|json|text", "folder|weights")),
    "TensorBoard events": ("events.out.tfevents.1", lambda p: b"\x18\0\0\0\0\0\0\0\xa3\x7fK\"\t\0\0\xc0" + b"\0" * 99, refused("another kind|tensorboard|events", "checkpoint|model|save")),
    "a list of losses": ("losses.pt", lambda p: _torch_bytes([0.3, 0.2]), refused("list", "weights|state_dict|model")),
    "a single tensor": ("tensor.pt", lambda p: _torch_bytes(torch.zeros(3, 4)), refused("tensor", "weights|state_dict|model")),
    "images as tensors": ("test.pt", lambda p: _torch_bytes((torch.zeros(9, 3, 8, 8), torch.zeros(9))), refused("tuple|tensor", "weights|state_dict|model|dataset")),
    "a string": ("path.pt", lambda p: _torch_bytes("best.pt"), refused("str|text", "weights|state_dict|model")),
    "an empty dict": ("model.pt", lambda p: _torch_bytes({}), refused("empty|no weights", "weights|state_dict|save")),
}  # fmt: skip


def _torch_bytes(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _file(name: str, content: Callable[[Place], bytes]) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        place.write(name, content(place))
        return place.model(name)

    return made


def _folder(*files: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        (place.folder / "model").mkdir()
        for name in files:
            place.write(f"model/{name}", b"\x08\x01" if name.endswith(".pb") else b"{}")
        return place.model("model")

    return made


def _spec(*words: str) -> Callable[[Place], Any]:
    return lambda place: place.model(words[0])


def _unreadable(place: Place) -> Any:
    place.write("model.pt", checkpoint(place))
    (place.folder / "link.pt").symlink_to("nowhere.pt")
    return place.model("link.pt")


def _pickled_lambda(place: Place) -> Any:
    place.write("evil.pt", b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.")
    return place.model("evil.pt")


def _cut_legacy(place: Place) -> Any:
    torch.save(place.world.state, "model.pt", _use_new_zipfile_serialization=False)
    content = (place.folder / "model.pt").read_bytes()
    place.write("model.pt", content[:-5000])
    return place.with_arch("model.pt")


def _pickled_arrays(place: Place) -> Any:
    place.write("weights.pkl", pickle.dumps({key: value.numpy() for key, value in place.world.state.items()}))
    return place.with_arch("weights.pkl")


def _renamed(name: str) -> Callable[[Place], Any]:
    """Save the usual weights under a misleading name: the content decides."""

    def made(place: Place) -> Any:
        place.write(name, checkpoint(place))
        return place.with_arch(name)

    return made


_MORE: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("TensorFlow SavedModel folder", refused("savedmodel|tensorflow", "onnx|pytorch|convert"), _folder("saved_model.pb", "variables/variables.index"), ""),
    ("CoreML package folder", refused("core ?ml", "onnx|pytorch|convert"), _folder("Manifest.json", "Data/com.apple.CoreML/model.mlmodel"), ""),
    ("OpenVINO folder", refused("openvino", "onnx|pytorch|convert"), _folder("openvino_model.xml", "openvino_model.bin"), ""),
    ("empty folder", refused("folder", "empty|no file|no model|name the file"), _folder(), ""),
    ("folder with a config alone", refused("folder", "config|weights"), _folder("config.json"), ""),
    ("Orbax folder", refused("orbax|jax|folder", "pytorch|convert|file"), _folder("_CHECKPOINT_METADATA", "d/abc"), ""),
    ("wrong path", refused(r"missing\.pt", "path|exist"), _spec("missing.pt"), ""),
    ("wrong path, folder exists", refused(r"nearly\.pt", r"near\.pt|path"), lambda p: [p.write("near.pt", b"x"), *p.model("nearly.pt")][1:], ""),
    ("URL", refused("http", "download"), _spec("https://download.pytorch.org/models/resnet18-f37072fd.pth"), ""),
    ("s3 URL", refused("s3", "download"), _spec("s3://bucket/model.pt"), ""),
    ("home directory that the shell did not expand", refused("~|path"), _spec("~/no-such-model.pt"), ""),
    ("broken link", refused("link", "nowhere|path"), _unreadable, ""),
    ("a pickle that runs a program", refused("posix.system", "could run code"), _pickled_lambda, "nothing of it may run"),
    ("truncated legacy file", refused("truncated|damaged|ends|incomplete", "save|download|copy"), _cut_legacy, ""),
    ("pickled dictionary of arrays", works(), _pickled_arrays, "what pickle.dump writes of a state dict in NumPy"),
    ("weights named .bin", works(), _renamed("pytorch_model.bin"), ""),
    ("weights named .h5", works(), _renamed("weights.h5"), "the content decides"),
    ("weights named .pth.tar", works(), _renamed("model_best.pth.tar"), ""),
    ("weights named .onnx", works(), _renamed("model.onnx"), "the content decides"),
    ("weights named .safetensors", works(), _renamed("model.safetensors"), "the content decides"),
    ("weights without suffix", works(), _renamed("checkpoint"), ""),
    ("weights with blanks in the name", works(), _renamed("my best model (1).pt"), "a browser's second download"),
    ("weights with an umlaut", works(), _renamed("größe.pt"), ""),
    ("weights with a colon in the name", works(), _renamed("epoch=3:acc=0.9.ckpt"), ""),
    ("weights with an @ in the name", works(), _renamed("run@home.pt"), ""),
)  # fmt: skip

KINDS = [
    *(Kind("weights", name, right, _file(file, content)) for name, (file, content, right) in _FILES.items()),
    *(Kind("weights", name, right, make, why) for name, right, make, why in _MORE),
]
