"""ONNX files give what onnxruntime gives by hand, whatever their input's layout, type and batch size are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from cuesense.errors import ModelError
from cuesense.inference.options import RunOptions
from cuesense.inference.probe import probe
from cuesense.models.common import is_program
from cuesense.models.first_bytes import is_onnx
from cuesense.models.load import load_classifier
from cuesense.models.onnx import load
from cuesense.models.trust import Trust
from cuesense.types import Classifier, ClassNames
from tests.helpers.library_models import SIDE, onnx_file, onnx_graph
from tests.helpers.small_networks import Colors, Meanest

IMAGES = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_file(Meanest(), tmp_path_factory.mktemp("onnx") / "plain.onnx")


def mean_graph(path: Path, shape: list[Any], kind: int = TensorProto.FLOAT, **more: Any) -> Path:
    """Write the mean over pixels of images in a layout and of a type."""
    axes = [1, 2] if shape[-1] in (1, 3, 4) else [2, 3]
    cast = helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)
    nodes = [cast, helper.make_node("ReduceMean", ["f"], ["y"], axes=axes, keepdims=0)]
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    return onnx_graph(path, nodes, inputs=inputs, outputs=outputs, **more)


def run_of(path: Path | str, **options: Any) -> Classifier:
    loaded = load_classifier(str(path), **options)
    return probe(loaded, Colors(12), RunOptions(batch_size=4)).applied(loaded)


@pytest.mark.parametrize("prefix", ["", "onnx:"])
def test_a_file_gives_what_onnxruntime_gives(plain: Path, prefix: str) -> None:
    found = load_classifier(f"{prefix}{plain}")
    session = onnxruntime.InferenceSession(str(plain), providers=["CPUExecutionProvider"])
    (by_hand,) = session.run(None, {"images": IMAGES.numpy()})
    assert np.array_equal(found.network(IMAGES).numpy(), by_hand)
    assert (found.architecture, found.fixed_batch) == ("ONNX", None)
    assert found.preprocessing.image_size == (SIDE, SIDE)
    assert found.sha256 is not None
    assert is_program(found.network)


def test_memory_order_of_a_batch_does_not_matter(plain: Path) -> None:
    network = load_classifier(str(plain)).network
    assert torch.equal(network(IMAGES), network(IMAGES.contiguous(memory_format=torch.channels_last)))


def test_a_fixed_batch_size_is_kept(tmp_path: Path) -> None:
    found = run_of(onnx_file(Meanest(), tmp_path / "two.onnx", free=False))
    assert found.fixed_batch == 2
    assert found.network(IMAGES[:2]).shape == (2, 3)


@pytest.mark.parametrize("shape", [["n", 3, 16, 16], ["n", 16, 16, 3], [None, None, None, 3], ["n", 3, "h", "w"]])
def test_channels_come_first_or_last(tmp_path: Path, shape: list[Any]) -> None:
    found = load_classifier(str(mean_graph(tmp_path / "a.onnx", shape)))
    assert torch.allclose(found.network(IMAGES), IMAGES.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_other_floating_types_are_converted(tmp_path: Path, kind: int) -> None:
    found = load_classifier(str(mean_graph(tmp_path / "a.onnx", ["n", 3, 16, 16], kind)))
    assert torch.allclose(found.network(IMAGES), IMAGES.mean((2, 3)), atol=1e-3)


def test_whole_numbers_are_the_pixels_themselves(tmp_path: Path) -> None:
    found = load_classifier(str(mean_graph(tmp_path / "a.onnx", ["n", 16, 16, 3], TensorProto.UINT8)))
    pixels = (255 * IMAGES).round()
    mean, std = (
        torch.tensor(values).view(1, 3, 1, 1) for values in (found.preprocessing.mean, found.preprocessing.std)
    )
    assert torch.allclose(found.network((pixels / 255 - mean) / std), pixels.mean((2, 3)), atol=1e-3)
    assert found.guessed & {"mean", "std"} == frozenset()


@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_are_adapted_to(tmp_path: Path, channels: int) -> None:
    path = mean_graph(tmp_path / "a.onnx", ["n", channels, 16, 16])
    found = run_of(path, class_names=ClassNames(tuple("abcd"[: max(channels, 2)])))
    assert f"takes {'one channel' if channels == 1 else '4 channels'}" in " ".join(found.assumptions)


def test_several_outputs_are_picked_from(tmp_path: Path) -> None:
    class Two(nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            features = images.mean((2, 3)).repeat(1, 2)
            return features, features[:, :3] * 2

    found = run_of(onnx_file(Two(), tmp_path / "two.onnx"), class_names=ClassNames(("a", "b", "c")))
    assert torch.allclose(found.network(IMAGES), 2 * IMAGES.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        ({"names": "{0: 'ant', 1: 'bee', 2: 'cat'}"}, ("ant", "bee", "cat")),
        ({"id2label": '{"1": "bee", "0": "ant", "2": "cat"}'}, ("ant", "bee", "cat")),
        ({"classes": '["ant", "bee", "cat"]'}, ("ant", "bee", "cat")),
        ({"labels": "ant\nbee\ncat\n"}, ("ant", "bee", "cat")),
        ({"classes": "ant, bee, cat"}, ("ant", "bee", "cat")),
        ({"names": "{0: 'ant', 5: 'bee'}"}, None),
        ({"other": "ant,bee"}, None),
    ],
)
def test_names_of_the_outputs_are_read_from_the_metadata(tmp_path: Path, metadata: Any, names: Any) -> None:
    found = load_classifier(str(mean_graph(tmp_path / "a.onnx", ["n", 3, 16, 16], metadata=metadata)))
    assert (found.class_names.names if found.class_names else None) == names


def test_metadata_of_ultralytics_say_how_images_are_prepared(tmp_path: Path) -> None:
    metadata = {"author": "Ultralytics", "task": "classify", "imgsz": "[32, 32]", "names": "{0: 'a', 1: 'b', 2: 'c'}"}
    found = load_classifier(str(mean_graph(tmp_path / "a.onnx", ["n", 3, "h", "w"], metadata=metadata)))
    preprocessing = found.preprocessing
    assert (preprocessing.image_size, preprocessing.resize) == ((32, 32), 32)
    assert (preprocessing.mean, preprocessing.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert found.guessed == frozenset()


def test_what_is_no_network_for_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"one batch of images, but got images \(2, 3\) of type tensor\(float\)"):
        load_classifier(str(onnx_file(nn.Linear(3, 2), tmp_path / "a.onnx", (2, 3), free=False)))
    custom = helper.make_node("Own", ["x"], ["y"], domain="com.example")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    path = onnx_graph(tmp_path / "b.onnx", [custom], inputs=[value], outputs=[helper.make_empty_tensor_value_info("y")])
    with pytest.raises(ModelError, match="operators of ONNX alone"):
        load_classifier(str(path))
    damaged = tmp_path / "c.onnx"
    damaged.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match=r"c\.onnx"):
        load_classifier(str(damaged))
    with pytest.raises(ModelError, match="an ONNX file, but got"):
        load_classifier("onnx:none.onnx")


def test_weights_and_architectures_do_not_go_with_it(plain: Path) -> None:
    with pytest.raises(ModelError, match="arch to be left out where a file has its network in it"):
        load_classifier(str(plain), arch="torchvision:resnet18")
    with pytest.raises(ModelError, match="a network that weights fit into"):
        load("a.onnx", {}, None)


def test_it_is_data_and_needs_no_trust(plain: Path) -> None:
    assert load_classifier(str(plain), trust=Trust(weights_only=True)).architecture == "ONNX"


def test_without_onnxruntime_the_extra_is_named(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'")

    monkeypatch.setattr("cuesense.models.common.import_module", missing)
    with pytest.raises(ModelError, match=r"Install it: pip install 'cuesense\[onnx\]'"):
        load_classifier(str(plain))


def test_the_first_bytes_tell_it() -> None:
    assert is_onnx(b"\x08\x09\x12\x07pytorch")
    assert is_onnx(b"\x08\x08:\x10")
    assert not any(is_onnx(start) for start in (b"\x80\x02}q", b"PK\x03\x04", b"\x08\x00\x12", b"GGUF"))
