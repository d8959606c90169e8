"""Kinds of models of other libraries: Hugging Face folders, timm's hub layout, ONNX, Ultralytics, fastai."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.inputs_scripts import Bytes, Dictionary, Nhwc, Pair, Sigmoid, Softmax, Unit, Wrapped, _binary
from benchmarks.inputs_weights import Settings, foreign, without
from benchmarks.inputs_world import CLASSES, HALF, SIDE, Kind, Place, Right, either, refused, warned, works

_NAMES = dict(enumerate(CLASSES))


class _Logits(nn.Module):
    """A network of transformers that gives logits alone."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).logits


def _hugging_face(kind: str = "vit", names: dict[int, str] | None = None) -> Any:
    import transformers as t

    common: dict[str, Any] = {"id2label": names or _NAMES, "label2id": {n: i for i, n in (names or _NAMES).items()}}
    torch.manual_seed(0)
    if kind == "vit":
        config: Any = t.ViTConfig(
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            image_size=SIDE,
            patch_size=8,
            **common,
        )
        return t.ViTForImageClassification(config)
    if kind == "resnet":
        config = t.ResNetConfig(
            embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], layer_type="basic", **common
        )
        return t.ResNetForImageClassification(config)
    config = t.ConvNextConfig(hidden_sizes=[16, 24, 32, 48], depths=[1, 1, 1, 1], **common)
    return t.ConvNextForImageClassification(config)


_PROCESSOR = {
    "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": list(HALF), "image_std": list(HALF),
    "image_processor_type": "ViTImageProcessor", "resample": 2, "rescale_factor": 1 / 255, "size": {"height": SIDE, "width": SIDE},
}  # fmt: skip


def hf_model(
    spec: str = "model",
    kind: str = "vit",
    processor: dict[str, Any] | None = _PROCESSOR,
    change: Callable[[Path], Any] = lambda path: None,
    names: dict[int, str] | None = None,
    flags: bool = False,
    **save: Any,
) -> Callable[[Place], Any]:
    """A folder of save_pretrained, whose head was fitted with mean and std 0.5."""

    def made(place: Place) -> Any:
        net = place.world.head_fitted(_hugging_face(kind), f"hf {kind}", mean=HALF, std=HALF)
        place.truth = place.world.accuracy(_Logits(net), mean=HALF, std=HALF)
        if names:
            net.config.id2label, net.config.label2id = names, {n: i for i, n in names.items()}
        net.save_pretrained("model", **save)
        if processor is not None:
            place.write("model/preprocessor_config.json", json.dumps(processor))
        change(place.folder / "model")
        said = (
            ["--image-size", "32", "--resize", "32", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"] if flags else []
        )
        return [spec, "--dataset", place.usual, *said]

    return made


def _to_bin(path: Path) -> None:
    from safetensors.torch import load_file

    torch.save(load_file(path / "model.safetensors"), path / "pytorch_model.bin")
    (path / "model.safetensors").unlink()


def _trainer(path: Path) -> None:
    for name in ("optimizer.pt", "scheduler.pt", "training_args.bin", "rng_state.pth"):
        torch.save({}, path / name)
    (path / "trainer_state.json").write_text('{"best_metric": 0.9}')
    inner = path.parent / "run" / "checkpoint-500"
    inner.parent.mkdir()
    shutil.move(path, inner)


def _hub_cache(path: Path) -> None:
    cache = path.parent / "models--me--fruit"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("abc")
    (cache / "snapshots").mkdir()
    (cache / "blobs").mkdir()
    for file in list(path.iterdir()):
        shutil.move(file, cache / "blobs" / file.name)
        (cache / "snapshots" / "abc").mkdir(exist_ok=True)
        (cache / "snapshots" / "abc" / file.name).symlink_to(cache / "blobs" / file.name)


def _headless(place: Place) -> Any:
    import transformers as t

    t.ViTModel(
        t.ViTConfig(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=16,
            image_size=SIDE,
            patch_size=8,
        )
    ).save_pretrained("model")
    return ["model", "--dataset", place.usual]


def _config(text: str, *more: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        place.write("model/config.json", text)
        for name in more:
            place.write(f"model/{name}", b"\0" * 16)
        return ["model", "--dataset", place.usual]

    return made


def timm_folder(
    spec: str = "timm:local-dir:model", old: bool = False, weights: str = "model.safetensors"
) -> Callable[[Place], Any]:
    """The layout of timm's push_to_hub, of a network at 32 px with mean and std 0.5."""

    def made(place: Place) -> Any:
        import timm

        torch.manual_seed(0)
        net = place.world.head_fitted(timm.create_model("test_resnet", num_classes=12), "timm", mean=HALF, std=HALF)
        place.truth = place.world.accuracy(net, mean=HALF, std=HALF)
        config = {
            "input_size": [3, SIDE, SIDE],
            "mean": HALF,
            "std": HALF,
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "num_classes": 12,
            "label_names": CLASSES,
        }
        content = {
            "architecture": "test_resnet",
            "num_classes": 12,
            **(config if old else {"pretrained_cfg": config, "label_names": CLASSES}),
        }
        place.write("model/config.json", json.dumps(content))
        if weights.endswith("safetensors"):
            save_file({k: v.contiguous() for k, v in net.state_dict().items()}, f"model/{weights}")
        else:
            torch.save(net.state_dict(), f"model/{weights}")
        return [spec, "--dataset", place.usual]

    return made


def onnx(
    wrapper: type[Wrapped] = Wrapped,
    shape: tuple[int, ...] = (3, SIDE, SIDE),
    batch: int | None = None,
    spec: str = "model.onnx",
    flags: tuple[str, ...] = (),
    change: Callable[[Path], Any] = lambda path: None,
) -> Callable[[Place], Any]:
    """An ONNX file of the usual network."""

    def made(place: Place) -> Any:
        write_onnx(wrapper(place.world.net).eval(), torch.zeros(batch or 2, *shape), dynamic=batch is None)
        change(place.folder / "model.onnx")
        return [*place.model(spec), *flags]

    return made


def write_onnx(net: nn.Module, example: Tensor, *, dynamic: bool, name: str = "model.onnx") -> None:
    """Export a network through torch's older exporter, which needs no other package."""
    axes = {"input": {0: "batch"}} if dynamic else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (example,), name, dynamo=False, input_names=["input"], dynamic_axes=axes, opset_version=17
        )


def _named(path: Path) -> None:
    import onnx as library

    model = library.load(path)
    entry = model.metadata_props.add()
    entry.key, entry.value = "names", str(_NAMES)
    library.save(model, path)


def _external(path: Path) -> None:
    import onnx as library

    library.save(library.load(path), path, save_as_external_data=True, location="model.onnx.data", size_threshold=0)


def _without_data(path: Path) -> None:
    _external(path)
    path.with_name("model.onnx.data").unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20000])


def _onnx_binary(place: Place) -> Any:
    arguments = _binary(Sigmoid)(place)
    net = Sigmoid(place.world.trained(key="binary"))
    write_onnx(net, torch.zeros(2, 3, SIDE, SIDE), dynamic=True)
    return ["model.onnx", *arguments[1:]]


def _onnx_text(place: Place) -> Any:
    class Text(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(9, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.table(x).mean(1)

    write_onnx(Text(), torch.zeros(2, 7, dtype=torch.long), dynamic=True)
    return place.model("model.onnx")


def _stand_in(name: str, module: str, kind: str, *more: Any) -> Callable[[Place], Any]:
    """A pickled object of a library that is not installed, with tensors somewhere in it."""

    def made(place: Place) -> Any:
        thing = foreign(
            type(kind, (), {}), module, _parameters={"w": torch.zeros(3)}, _buffers={}, _modules={}, names=_NAMES
        )
        content = (
            {"model": thing, "ema": None, "train_args": {"imgsz": 32}, "date": "2024", "version": "8.2"}
            if more
            else thing
        )
        torch.save(content, name)
        without(module)
        return place.model(name)

    return made


def _sidecar(place: Place) -> Any:
    net = place.world.trained(key="half", mean=HALF, std=HALF)
    place.truth = place.world.accuracy(net, mean=HALF, std=HALF)
    torch.save(net.state_dict(), "model.pt")
    place.write("model.toml", "image_size = 32\nresize = 32\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\n")
    return ["model.pt", "--arch", "python:usernet:build", "--dataset", place.usual]


_HF = "hf:|transformers"
_KINDS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("HF ViT folder", works(), hf_model(), ""),
    ("HF hf:FOLDER", works(), hf_model("hf:model"), ""),
    ("HF folder with / at its end", works(), hf_model("model/"), ""),
    ("HF ResNet", works(), hf_model(kind="resnet"), ""),
    ("HF ConvNeXt", works(), hf_model(kind="convnext"), ""),
    ("HF without preprocessor_config", warned("--mean|--std|assum|--probe"), hf_model(processor=None), "the dataset's size, and a warning"),
    ("HF without preprocessor_config, with flags", works(), hf_model(processor=None, flags=True), ""),
    ("HF older feature extractor", works(), hf_model(processor={**{k: v for k, v in _PROCESSOR.items() if k != "image_processor_type"}, "feature_extractor_type": "ViTFeatureExtractor", "size": SIDE}), ""),
    ("HF shortest edge and crop", works(), hf_model(processor={**_PROCESSOR, "size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}, "do_center_crop": True}), ""),
    ("HF pytorch_model.bin", works(), hf_model(change=_to_bin), ""),
    ("HF shards", works(), hf_model(max_shard_size="40KB"), ""),
    ("HF names in capitals", works(), hf_model(names={i: n.title() for i, n in _NAMES.items()}), ""),
    ("HF names LABEL_0 ...", works(), hf_model(names={i: f"LABEL_{i}" for i in range(12)}), "placeholders name nothing"),
    ("HF Trainer's checkpoint-500", works(), hf_model("run/checkpoint-500", change=_trainer), ""),
    ("HF Trainer's output folder", either("checkpoint-500"), hf_model("run", change=_trainer), ""),
    ("HF snapshot in the hub's cache", works(), hf_model("models--me--fruit/snapshots/abc", change=_hub_cache), ""),
    ("HF hub cache folder", either("snapshots"), hf_model("models--me--fruit", change=_hub_cache), ""),
    ("HF model.safetensors alone", either(_HF, "folder|--arch"), hf_model("model/model.safetensors"), "the folder knows the rest"),
    ("HF config.json named", either(_HF, "folder"), hf_model("model/config.json"), ""),
    ("HF --arch hf:FOLDER", works(), lambda p: [hf_model("model/model.safetensors")(p)[0], "--arch", "hf:model", "--dataset", p.usual], ""),
    ("HF without head", refused("classif|head|ViTModel"), _headless, ""),
    ("HF language model", refused("bert|language|image"), _config('{"model_type": "bert", "architectures": ["BertForMaskedLM"]}', "model.safetensors"), ""),
    ("HF LoRA adapter", refused("adapter|lora|peft", "merge"), lambda p: (p.write("model/adapter_config.json", '{"peft_type": "LORA", "base_model_name_or_path": "google/vit"}'), p.write("model/adapter_model.safetensors", b"\0" * 9), ["model", "--dataset", p.usual])[2], ""),
    ("HF code of its own", refused("auto_map|code|trust"), _config('{"model_type": "my", "architectures": ["MyNet"], "auto_map": {"AutoModelForImageClassification": "modeling.MyNet"}}', "model.safetensors"), ""),
    ("HF name without network", refused("network|hub|offline|connect|cache", "google/vit"), lambda p: ["hf:google/vit-base-patch16-224", "--dataset", p.usual], ""),
    ("timm:local-dir:", works(), timm_folder(), ""),
    ("timm hub layout as a folder", works(), timm_folder("model"), ""),
    ("timm hub layout, older config", works(), timm_folder(old=True), ""),
    ("timm hub layout, pytorch_model.bin", works(), timm_folder(weights="pytorch_model.bin"), ""),
    ("timm:hf-hub: without network", refused("network|hub|offline|connect|cache"), lambda p: ["timm:hf-hub:timm/resnet18.a1_in1k", "--dataset", p.usual], ""),
    ("ONNX, any batch", works(), onnx(), ""),
    ("ONNX, batch 1", works(), onnx(batch=1), ""),
    ("ONNX, batch 5", works(), onnx(batch=5), ""),
    ("ONNX softmax", works(), onnx(Softmax), ""),
    ("ONNX NHWC", works(), onnx(Nhwc, (SIDE, SIDE, 3)), ""),
    ("ONNX two outputs", works(), onnx(Pair), ""),
    ("ONNX dictionary", works(), onnx(Dictionary), ""),
    ("ONNX 0 to 255", warned("255", "--mean|--std|--probe"), onnx(Bytes), ""),
    ("ONNX 0 to 1, with flags", works(), onnx(Unit, flags=("--mean", "0,0,0", "--std", "1,1,1")), ""),
    ("ONNX with names in it", works(), onnx(change=_named), ""),
    ("ONNX, onnx:FILE", works(), onnx(spec="onnx:model.onnx"), ""),
    ("ONNX with external data", works(), onnx(change=_external), ""),
    ("ONNX, external data missing", refused(r"model\.onnx\.data|external"), onnx(change=_without_data), ""),
    ("ONNX truncated", refused("truncated|damaged|onnx"), onnx(change=_cut), ""),
    ("ONNX one sigmoid", works(), _onnx_binary, ""),
    ("ONNX of a text model", refused("image|shape|input", "int64|onnx"), _onnx_text, ""),
    ("ONNX at another size", refused("32", "--image-size"), lambda p: [*onnx(batch=1)(p)[:3], "--image-size", "48", "--resize", "48"], ""),
    ("ONNX with --arch", either("--arch", "leave|own"), onnx(flags=("--arch", "python:usernet:build")), ""),
    ("ONNX and --weights-only", either("--weights-only|onnx"), onnx(flags=("--weights-only",)), "a graph of known operators"),
    ("Ultralytics .pt", refused("ultralytics", "python:|export"), _stand_in("best.pt", "ultralytics.nn.tasks", "ClassificationModel", 1), "a stand-in for the library's class"),
    ("fastai export.pkl", refused("fastai", "python:|state_dict|save"), _stand_in("export.pkl", "fastai.learner", "Learner"), ""),
    ("AllenNLP or another library's object", refused("archive|mylib", "python:|state_dict"), _stand_in("model.pt", "mylib.nets", "Archive"), ""),
    ("a pickled config beside the weights", works(), lambda p: (torch.save({"state_dict": p.world.state, "cfg": foreign(Settings, "hydra_cfg.conf", lr=1)}, "model.pt"), without("hydra_cfg.conf"), p.with_arch("model.pt"))[2], ""),
    ("sidecar model.toml beside the weights", works(), _sidecar, "ours: size, mean and std of half"),
)  # fmt: skip


KINDS = [Kind("formats", name, right, make, why) for name, right, make, why in _KINDS]
