"""What a file is that is no model, as errors say it."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cuesense.errors import ModelError
from cuesense.models.load import load_classifier


def tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pt"))
    return target.getvalue()


def archive(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        for name in names:
            written.writestr(name, b"content")
    return target.getvalue()


FILES = {
    b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 46\n": ("git-lfs pointer", "Run `git lfs pull`"),
    b"<!DOCTYPE html>\n<html><body>Sign in</body></html>": ("a web page", "not the page about it"),
    b"\n  <html lang='en'>": ("a web page", "not the page about it"),
    b"<?xml version='1.0'?>\n<html xmlns='x'>": ("a web page", "not the page about it"),
    b"<script>location='/login'</script>": ("a web page", "not the page about it"),
    b"\x89HDF\r\n\x1a\n" + bytes(40): ("HDF5", "as Keras"),
    b"GGUF\x03\x00\x00\x00rest": ("GGUF", "state_dict()"),
    b"import torch\n\ndef build():\n    pass\n": ("code of Python", "Pass it as python:model:build"),
    b'"""A network."""\nfrom torch import nn\n': ("code of Python", "Pass it as python:model:build"),
    archive("net/.data/extern_modules", "net/models/a.pkl"): ("a package of torch.package", "PackageImporter"),
    archive("a/1.png", "b/2.JPG"): ("images", "belong to dataset"),
    b"\x1c\0\0\0TFL3\x14\0": ("a TFLite model", "Convert it to PyTorch or ONNX"),
    b"ftrt" + bytes(20): ("a TensorRT engine", "state_dict()"),
    b'<?xml version="1.0"?>\n<net name="model" version="11">': ("a network of OpenVINO", "Convert it"),
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>': ("an XML file", "download it again"),
    b'{"message": "Not Found", "status": "404"}': ("the message of a server", "Download the file again"),
    b'{"error": {"code": 403}}': ("the message of a server", "Download the file again"),
    b"\x1c\0\0\0ET12" + bytes(600): ("a program of ExecuTorch", "a .pt2, or a state_dict()"),
    b"\x08\x04\x12\x9b\x01\n\x1d\n\x05image" + bytes(99): ("a model of CoreML", "Convert it"),
    b'{"architectures": ["ViT"]}': ("a JSON file", "the weights that lies beside it"),
    b"\x82\xa6params\x81\xa5Dense": ("msgpack of Flax", "Convert it"),
    archive("a/saved_model.pb"): ("a SavedModel of TensorFlow", "Convert it"),
    archive("arr_0.npy"): ("arrays of NumPy", "state_dict()"),
    gzip.compress(b"weights"): ("a gzip file", "Unpack it"),
    tar(): ("a tar archive", "Unpack it"),
    b"epoch,loss\n1,0.5\n": ("a text file", "Save or download it again"),
    archive("metadata.json", "config.json", "model.weights.h5"): ("a Keras model", "Convert it to PyTorch or ONNX"),
    archive("run/best.ckpt", "run/log.txt"): ("with a model's file in it", "Unpack it, and name that file"),
}


@pytest.mark.parametrize("data", FILES, ids=[kind for kind, _ in FILES.values()])
def test_the_sentence_says_what_the_file_is(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.pt").write_bytes(data)
    with pytest.raises(ModelError) as caught:
        load_classifier(str(tmp_path / "model.pt"), arch="timm:resnet18")
    for part in FILES[data]:
        assert part in str(caught.value)
    assert "of another kind (" in str(caught.value)


def test_what_cannot_be_opened_is_an_error_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for spec in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(ModelError, match="to be a file, but got the pipe or device"):
            load_classifier(spec)
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(ModelError, match="an existing file"):
        load_classifier(str(tmp_path / "link"))
    (tmp_path / "model.pt").write_bytes(b"PK")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"model\.pt to be readable, but got 'Permission denied'"):
        load_classifier(str(tmp_path / "model.pt"))


def test_folders_of_other_libraries_are_named(tmp_path: Path) -> None:
    (tmp_path / "openvino").mkdir()
    for name in ("net.xml", "net.bin"):
        (tmp_path / "openvino" / name).touch()
    with pytest.raises(ModelError, match="a network of OpenVINO"):
        load_classifier(str(tmp_path / "openvino"))
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(ModelError, match=r"a SavedModel of TensorFlow.*Convert it to PyTorch or ONNX"):
        load_classifier(str(tmp_path))


def test_the_models_in_a_folder_are_named(tmp_path: Path) -> None:
    def said(folder: Path) -> str:
        with pytest.raises(ModelError) as caught:
            load_classifier(str(folder))
        return str(caught.value).rpartition(". ")[2]

    for name in ("run", "hub/snapshots/abc", "hub/blobs"):
        (tmp_path / name).mkdir(parents=True)
    run, hub = tmp_path / "run", tmp_path / "hub"
    assert said(run) == "Name the file in it."
    for name in ("best.pt", "last.ckpt", "log.txt"):
        (run / name).touch()
    assert said(run) == f"Name one of {run}/best.pt, {run}/last.ckpt."
    (run / "checkpoint-500").mkdir()
    (run / "checkpoint-500" / "config.json").touch()
    assert said(run) == f"Name {run}/checkpoint-500."
    (hub / "snapshots" / "abc" / "config.json").touch()
    assert said(hub) == f"Name {hub}/snapshots/abc."
    (run / "adapter_config.json").touch()
    assert said(run).startswith("Merge it (peft's merge_and_unload)")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"state": {}, "param_groups": []}, "the state of an optimizer alone and no weights in it. Give the file"),
        (Decimal("1.5"), "an object of the class decimal.Decimal and no weights of PyTorch in it. Save the PyTorch"),
    ],
)
def test_pickles_without_weights_are_named(tmp_path: Path, content: object, said: str) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(ModelError) as caught:
        load_classifier(str(tmp_path / "model.pkl"))
    assert said in str(caught.value)


# A class of scikit-learn, and what joblib writes: numbers that no pickle holds follow the name of their class.
_CLASS = b"\x80\x04\x8c\x10sklearn.svm._svm\x8c\x03SVC\x93"
_JOBLIB = b"\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81\xff\x01\x02."
# Of PaddlePaddle; its linear layers are transposed, so that no architecture makes it fit.
_PADDLE = pickle.dumps({"fc.weight": np.zeros((2, 3), "f4"), "StructuredToParameterName@@": {}})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            _CLASS + b".",
            r"the class sklearn\.svm\._svm\.SVC and no weights .*Give a network of PyTorch: models",
        ),
        (
            _CLASS + b")\x81.",
            r"the class sklearn\.svm\._svm\.SVC and no weights .*Give a network of PyTorch",
        ),
        (_JOBLIB, r"got a pickle with joblib\.numpy_pickle\.NumpyArrayWrapper in it\. Give a network of PyTorch"),
        (_PADDLE, r"got weights of PaddlePaddle\. Convert it"),
    ],
)
def test_pickles_of_other_libraries_are_named(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "model.pkl").write_bytes(data)
    for arch in (None, "timm:test_resnet"):
        with pytest.raises(ModelError, match=said):
            load_classifier(str(tmp_path / "model.pkl"), arch=arch)


class Unlisted(nn.Sequential):
    """A module of a class that no library has."""


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda net: nn.DataParallel(nn.DataParallel(net))])
def test_the_network_in_a_wrapper_is_named(tmp_path: Path, wrap: Callable[[nn.Module], nn.Module]) -> None:
    torch.save(wrap(Unlisted(nn.Linear(2, 2))), tmp_path / "model.pt")
    with pytest.raises(ModelError, match=r"an object of the class tests\.models\.test_file_kinds\.Unlisted"):
        load_classifier(str(tmp_path / "model.pt"))


def test_one_part_of_several_is_named(tmp_path: Path) -> None:
    state = nn.Linear(2, 2).state_dict()
    part, whole = tmp_path / "model-00001-of-00002.safetensors", tmp_path / "model-00001-of-00001.safetensors"
    save_file(state, part)
    save_file(state, whole)
    with pytest.raises(ModelError, match=r"got part 1 of 2 of a network's weights\. Save them into one file, or"):
        load_classifier(str(part), arch="torchvision:resnet18")
    with pytest.raises(ModelError, match="Expected arch to say"):
        load_classifier(str(whole))


@pytest.mark.parametrize("address", ["https://example.org/resnet18.pth", "s3://bucket/model.pt"])
def test_an_address_is_to_be_downloaded(address: str) -> None:
    with pytest.raises(ModelError, match=r"a file on this machine, but got the address .*Download the file first"):
        load_classifier(address)
    with pytest.raises(ModelError, match="Download the file first"):
        load_classifier("torchvision:resnet18", arch=address)
