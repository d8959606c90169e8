"""Kinds of files that hold weights: every key, prefix and neighbor that training scripts give them."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import enum
import json
import pathlib
import random
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.inputs_world import CLASSES, HALF, Kind, Place, Right, World, either, refused, works

State = dict[str, Tensor]


def prefixed(state: State, prefix: str) -> State:
    """Return a state dict with a prefix before every key."""
    return {f"{prefix}{key}": value for key, value in state.items()}


def optimizer(world: World) -> dict[str, Any]:
    """Return the state of an optimizer, as checkpoints hold it beside the weights."""
    net = world.net.train()
    step = torch.optim.AdamW(net.parameters(), lr=1e-4)
    with torch.enable_grad():
        net(torch.zeros(2, 3, 32, 32)).sum().backward()
    step.step()
    return step.state_dict()


@dataclasses.dataclass
class Settings:
    """A user's own class of settings, unknown where the checkpoint is read."""

    lr: float = 0.1
    name: str = "run"


class Phase(enum.Enum):
    """A user's own enumeration."""

    TRAIN = 1


class EMA:
    """A user's own helper for averaged weights, as copied from many tutorials."""

    def __init__(self, shadow: State) -> None:
        """Keep the averaged weights."""
        self.decay, self.shadow = 0.999, shadow


def foreign(kind: type, module: str, *arguments: Any, **fields: Any) -> Any:
    """Return an object whose class seems to live in a module that is not installed where the file is read."""
    copy = type(kind.__name__, (), {})
    if module not in sys.modules:
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            sys.modules.setdefault(name, types.ModuleType(name))
    copy.__module__, copy.__qualname__ = module, kind.__name__
    setattr(sys.modules[module], kind.__name__, copy)
    made = copy(*arguments)
    vars(made).update(fields)
    return made


def without(module: str) -> None:
    """Forget a module that ``foreign`` made."""
    for name in [
        name for name in sys.modules if name == module.split(".")[0] or name.startswith(f"{module.split('.')[0]}.")
    ]:
        del sys.modules[name]


def _under(key: str) -> Callable[[World], Any]:
    return lambda w: {key: w.state, "epoch": 3, "loss": 0.2}


def _omegaconf(world: World) -> dict[str, Any]:
    values = {"lr": 0.1, "model": "small"}
    conf = foreign(type("DictConfig", (), {}), "omegaconf.dictconfig", _metadata=None, _content=values)
    return {"epoch": 1, "state_dict": prefixed(world.state, "backbone."), "hyper_parameters": {"cfg": conf}}


# Everything that is saved with torch.save and belongs to the usual network; analyzed with --arch python:usernet:build.
_CONTENT: dict[str, Callable[[World], Any]] = {
    "state_dict": lambda w: w.state,
    "OrderedDict": lambda w: collections.OrderedDict(w.state),
    **{
        f"under {key}": _under(key)
        for key in (
            "net", "model", "state_dict", "model_state_dict", "model_state", "weights", "params", "network", "classifier",
            "generator_ema", "module", "backbone", "encoder", "student", "params_ema", "best_model", "best_state_dict",
            "weight", "state", "model_weights",
        )
    },
    "under net, with module.": lambda w: {"net": prefixed(w.state, "module."), "acc": 91.2, "epoch": 99},
    "under checkpoint.model.state_dict": lambda w: {"checkpoint": {"model": {"state_dict": w.state}}},
    "a list with the weights first": lambda w: [w.state, optimizer(w), 12],
    "a tuple (epoch, weights)": lambda w: (12, w.state),
    "a list of one state dict": lambda w: [w.state],
    "DataParallel prefix": lambda w: prefixed(w.state, "module."),
    "compiled prefix": lambda w: prefixed(w.state, "_orig_mod."),
    "DDP of compiled": lambda w: prefixed(w.state, "module._orig_mod."),
    "FSDP full state": lambda w: {"model": prefixed(w.state, "_fsdp_wrapped_module.")},
    "prefix backbone.": lambda w: prefixed(w.state, "backbone."),
    "prefix encoder.": lambda w: prefixed(w.state, "encoder."),
    "prefix network.": lambda w: prefixed(w.state, "network."),
    "prefix classifier.": lambda w: prefixed(w.state, "classifier."),
    "prefix my_own_net.inner.": lambda w: prefixed(w.state, "my_own_net.inner."),
    "with optimizer and scheduler": lambda w: {
        "epoch": 5, "arch": "small", "state_dict": w.state, "optimizer": optimizer(w), "scheduler": {"last_epoch": 5},
        "best_acc1": torch.tensor(0.9),
    },
    "Lightning": lambda w: {
        "epoch": 2, "global_step": 100, "pytorch-lightning_version": "2.4.0", "state_dict": prefixed(w.state, "model."),
        "loops": {}, "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.8)}},
        "optimizer_states": [optimizer(w)], "lr_schedulers": [], "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 0.1},
    },
    "Lightning, prefix backbone.": lambda w: {"state_dict": prefixed(w.state, "backbone."), "hyper_parameters": {}},
    "Lightning with OmegaConf": _omegaconf,
    "Lightning with torchmetrics buffers": lambda w: {
        "state_dict": {
            **prefixed(w.state, "net."), "val_acc.tp": torch.zeros(12), "criterion.weight": torch.ones(12),
        }
    },
    "Lightning with a pretrained teacher beside": lambda w: {
        "state_dict": {**prefixed(w.state, "student."), **prefixed(w.untrained, "teacher.")}
    },
    "MoCo with head": lambda w: {
        "state_dict": {**prefixed(w.state, "module.encoder_q."), "module.queue": torch.zeros(8, 16)}
    },
    "DINO student": lambda w: {"student": prefixed(w.state, "module.backbone."), "epoch": 1, "args": None},
    "numpy history": lambda w: {"state_dict": w.state, "history": np.array([0.1, 0.2])},
    "numpy scalars": lambda w: {"model": w.state, "acc": np.float64(0.9), "epoch": np.int64(3)},
    "defaultdict": lambda w: {"model": w.state, "history": collections.defaultdict(list, loss=[1.0, 0.5])},
    "datetime": lambda w: {"model": w.state, "saved": datetime.datetime(2024, 5, 1, 12, 0)},
    "Namespace": lambda w: {"model": w.state, "args": argparse.Namespace(lr=0.1, data=pathlib.Path("/data"))},
    "Namespace with a lambda's result and an enum": lambda w: {
        "model": w.state, "args": argparse.Namespace(phase=foreign(Phase, "train_utils", value=1)),
    },
    "dataclass settings": lambda w: {"model": w.state, "cfg": foreign(Settings, "project.config", lr=0.1)},
    "own EMA object beside": lambda w: {"model": w.state, "ema": foreign(EMA, "ema_helper", decay=0.9, shadow={})},
    "random states": lambda w: {
        "model": w.state, "rng": random.getstate(), "np_rng": np.random.get_state(), "torch_rng": torch.get_rng_state(),
    },
    "class names beside": lambda w: {"model": w.state, "classes": list(CLASSES), "class_to_idx": {n: i for i, n in enumerate(CLASSES)}},
    "sets and complex": lambda w: {"model": w.state, "seen": {1, 2}, "z": 1 + 2j, "range": range(3), "slice": slice(0, 2)},
    "half precision": lambda w: {key: value.half() if value.is_floating_point() else value for key, value in w.state.items()},
    "bfloat16": lambda w: {key: value.bfloat16() if value.is_floating_point() else value for key, value in w.state.items()},
    "double precision": lambda w: {key: value.double() if value.is_floating_point() else value for key, value in w.state.items()},
    "parameters with gradients": lambda w: {key: nn.Parameter(value.float(), requires_grad=value.is_floating_point()) if value.is_floating_point() else value for key, value in w.state.items()},
    "without num_batches_tracked": lambda w: {key: value for key, value in w.state.items() if "num_batches" not in key},
    "AveragedModel (swa_utils)": lambda w: {**prefixed(w.state, "module."), "n_averaged": torch.tensor(7)},
    "numpy arrays instead of tensors": lambda w: {key: value.numpy() for key, value in w.state.items()},
    "channels last": lambda w: {key: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value for key, value in w.state.items()},
    "thop counters among the keys": lambda w: {**w.state, "total_ops": torch.zeros(1), "conv1.total_params": torch.zeros(1)},
    "loss weights beside": lambda w: {**prefixed(w.state, "model."), "criterion.weight": torch.ones(12)},
    "ignite": lambda w: {"trainer": {"epoch_length": 5, "iteration": 9}, "model": w.state, "optimizer": optimizer(w)},
    "mmpretrain": lambda w: {"meta": {"epoch": 3, "CLASSES": CLASSES}, "state_dict": w.state, "message_hub": {}},
    "composer": lambda w: {"state": {"model": prefixed(w.state, "module."), "optimizers": {}}, "rng": []},
    "accelerate custom": lambda w: {"epoch": 1, "model_state": prefixed(w.state, "module."), "step": 4},
    "VISSL": lambda w: {"classy_state_dict": {"base_model": {"model": {"trunk": w.state, "heads": {}}}}},
    "avalanche": lambda w: {"strategy": {"model": w.state}},
}  # fmt: skip


def _contents() -> list[Kind]:
    def make(content: Callable[[World], Any]) -> Callable[[Place], Any]:
        def made(place: Place) -> Any:
            arguments = place.save(content(place.world))
            for module in ("omegaconf", "train_utils", "project", "ema_helper"):
                without(module)
            return arguments

        return made

    return [Kind("weights", name, works(), make(content)) for name, content in _CONTENT.items()]


def _ema(key: str, raw: Callable[[World], State], averaged: Callable[[World], State]) -> Callable[[Place], Any]:
    return lambda place: place.save({"model": raw(place.world), key: averaged(place.world), "epoch": 3})


def _trained(world: World) -> State:
    return world.state


def _untrained(world: World) -> State:
    return world.untrained


def _ema_object(place: Place) -> Any:
    content = {"model": place.world.untrained, "ema": foreign(EMA, "ema_helper", decay=0.9, shadow=place.world.state)}
    arguments = place.save(content)
    without("ema_helper")
    return arguments


def _legacy(place: Place) -> Any:
    return place.save({"model": place.world.state}, _use_new_zipfile_serialization=False)


def _protocol(number: int) -> Callable[[Place], Any]:
    return lambda place: place.save({"model": place.world.state}, pickle_protocol=number)


def _on_cuda(place: Place) -> Any:
    """Save a file as if from a GPU: the name of the device stands in the pickle as text."""
    from zipfile import ZipFile

    torch.save({"model": place.world.state}, "cpu.pt")
    with ZipFile("cpu.pt") as archive, ZipFile("model.pt", "w") as written:
        for name in archive.namelist():
            data = archive.read(name)
            if name.endswith("data.pkl"):
                data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:3")
            written.writestr(name, data)
    return place.with_arch("model.pt")


def _whole(make: Callable[[World], nn.Module], **options: Any) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        torch.save(make(place.world), "model.pt", **options)
        return place.model("model.pt")

    return made


def _whole_with_arch(place: Place) -> Any:
    return place.save(place.world.net)


def _head(place: Place) -> Any:
    world = place.world
    net = world.trained(world.usernet.HeadNet, key="head", epochs=8)
    place.truth = world.accuracy(net)
    torch.save({"model": net.state_dict()}, "model.pt")
    return place.with_arch("model.pt", "python:usernet:build_head")


def _safetensors(change: Callable[[State], State] = lambda state: state, **metadata: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        save_file(
            {k: v.contiguous() for k, v in change(place.world.state).items()}, "model.safetensors", metadata or None
        )
        return place.with_arch("model.safetensors")

    return made


def _sharded(named: str = "model.safetensors.index.json") -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        stem, end, save = "model", "safetensors", save_file
        if named.endswith("bin.index.json"):
            stem, end, save = "pytorch_model", "bin", torch.save
        keys = list(place.world.state)
        parts = {f"{stem}-00001-of-00002.{end}": keys[:8], f"{stem}-00002-of-00002.{end}": keys[8:]}
        for name, part in parts.items():
            save({key: place.world.state[key].contiguous() for key in part}, name)
        index = {"metadata": {}, "weight_map": {key: name for name, part in parts.items() for key in part}}
        place.write(f"{stem}.{end}.index.json", json.dumps(index))
        return place.with_arch(named)

    return made


def _one_shard(place: Place) -> Any:
    _sharded()(place)
    return place.with_arch("model-00001-of-00002.safetensors")


def _timm(content: Callable[[State], Any], arch: str = "timm:test_resnet") -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        import timm

        torch.manual_seed(0)
        # timm trains with the mean and std of the architecture's configuration, which are 0.5 here.
        net = place.world.head_fitted(timm.create_model("test_resnet", num_classes=12), "timm", mean=HALF, std=HALF)
        place.truth = place.world.accuracy(net, mean=HALF, std=HALF)
        torch.save(content(net.state_dict()), "model.pth.tar")
        return place.with_arch("model.pth.tar", arch)

    return made


def _timm_args(size: int = 32) -> argparse.Namespace:
    return argparse.Namespace(
        model="test_resnet", num_classes=12, img_size=size, mean=None, std=None, crop_pct=1.0, aa="rand-m9"
    )


def _torchvision(content: Callable[[State], Any], arch: str = "torchvision:resnet18") -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        import torchvision

        torch.manual_seed(0)
        net = place.world.head_fitted(torchvision.models.resnet18(num_classes=12), "resnet18")
        place.truth = place.world.accuracy(net)
        torch.save(content(net.state_dict()), "model.pth")
        return place.with_arch("model.pth", arch)

    return made


def _mlp_on_resnet(place: Place) -> Any:
    import torchvision

    net = torchvision.models.resnet18(num_classes=12)
    net.fc = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 12))
    torch.save(net.state_dict(), "model.pth")
    return place.with_arch("model.pth", "torchvision:resnet18")


def _two(first: str, second: str, *more: str) -> Callable[[Place], Any]:
    """Save good weights under the first key and untrained ones under the second."""

    def made(place: Place) -> Any:
        return [*place.save({second: place.world.untrained, first: place.world.state}), *more]

    return made


def _lora(place: Place) -> Any:
    return place.save({"base_model.model.conv1.lora_A.weight": torch.zeros(4, 27)})


def _optimizer_only(place: Place) -> Any:
    return place.save({"optimizer": optimizer(place.world), "epoch": 3})


def _half_of_keys(place: Place) -> Any:
    return place.save({key: value for key, value in place.world.state.items() if not key.startswith("fc")})


def _eleven(place: Place) -> Any:
    state = place.world.state
    return place.save({**state, "fc.weight": state["fc.weight"][:11], "fc.bias": state["fc.bias"][:11]})


def _other_channels(place: Place) -> Any:
    state = place.world.state
    return place.save({**state, "conv1.weight": state["conv1.weight"][:, :1]})


def _quantized(place: Place) -> Any:
    net = torch.ao.quantization.quantize_dynamic(place.world.net, {nn.Linear}, dtype=torch.qint8)
    return place.save(net.state_dict())


def _meta(place: Place) -> Any:
    with torch.device("meta"):
        return place.save(place.world.usernet.SmallNet().state_dict())


def _nan(place: Place) -> Any:
    state = place.world.state
    return place.save({**state, "fc.weight": state["fc.weight"] * float("nan")})


def _deepspeed(place: Place) -> Any:
    folder = place.folder / "global_step10"
    folder.mkdir()
    torch.save({"module": place.world.state, "ds_version": "0.14"}, folder / "mp_rank_00_model_states.pt")
    return place.with_arch("global_step10/mp_rank_00_model_states.pt")


def _dcp(place: Place) -> Any:
    import torch.distributed.checkpoint as dcp

    dcp.save({"model": place.world.state}, checkpoint_id="ckpt", no_dist=True)
    return place.with_arch("ckpt")


def _folder_of(name: str) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        (place.folder / "run").mkdir()
        torch.save({"model": place.world.state}, place.folder / "run" / name)
        return place.with_arch("run")

    return made


_EMA = r"ema|average"
_OTHERS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("EMA trained, raw trained", works(_EMA), _ema("ema", _trained, _trained), "that EMA weights are taken is said"),
    ("state_dict_ema trained, raw trained", works(_EMA), _ema("state_dict_ema", _trained, _trained), "it is said"),
    ("EMA untrained beside trained weights", works(_EMA), _ema("model_ema", _trained, _untrained), "8.3 % in silence"),
    ("ema key untrained beside trained", works(_EMA), _ema("ema", _trained, _untrained), "the trained ones are better"),
    ("EMA trained beside untrained", works(_EMA), _ema("model_ema", _untrained, _trained), "EMA is what is used"),
    ("EMA object holds the weights", either(r"--weights-key|ema"), _ema_object, "an object of an unknown class"),
    ("trained under model, untrained under teacher", works("teacher"), _two("model", "teacher"), "others are named"),
    ("student and teacher, student trained", works("teacher"), _two("student", "teacher"), "which was taken is said"),
    ("--weights-key chooses", works(), _two("net_b", "net_a", "--weights-key", "net_b"), "the option of issue 20"),
    ("--weights-key misspelled", refused("net_bb", "net_b"), _two("net_b", "net_a", "--weights-key", "net_bb"), ""),
    ("two networks of equal rank", works("net_a"), _two("net_b", "net_a"), "both fit: the other is named, or the probe decides"),
    ("legacy format", works(), _legacy, "torch before 1.6"),
    ("pickle protocol 4", either("protocol"), _protocol(4), "torch itself reads it"),
    ("saved on a GPU", works(), _on_cuda, ""),
    ("whole module of one's own class", refused("usernet|SmallNet", "python:|state_dict"), _whole(lambda w: w.net), "needs its code"),
    ("whole DataParallel module", refused("usernet|SmallNet", "python:|state_dict"), _whole(lambda w: nn.DataParallel(w.net)), ""),
    ("whole module under model", refused("usernet|SmallNet", "python:|state_dict"), _whole(lambda w: {"model": w.net, "epoch": 1}), ""),
    ("whole module, with --arch", either("usernet|SmallNet", "python:|state_dict"), _whole_with_arch, "its tensors can be read"),
    ("whole module, legacy format, with --arch", works(), lambda p: (_whole(lambda w: w.net, _use_new_zipfile_serialization=False)(p), p.with_arch("model.pt"))[1], ""),
    ("whole resnet18, legacy format", refused("torchvision:resnet18"), _whole(lambda w: __import__("torchvision").models.resnet18(), _use_new_zipfile_serialization=False), ""),
    ("quantized dynamically, whole", refused("quantiz"), _whole(lambda w: torch.ao.quantization.quantize_dynamic(w.net, {nn.Linear}, dtype=torch.qint8)), ""),
    ("whole module, legacy format", refused("usernet|SmallNet", "python:|state_dict"), _whole(lambda w: w.net, _use_new_zipfile_serialization=False), ""),
    ("head of two layers", works(), _head, "built by the user's own function"),
    ("head of two layers on resnet18", refused(r"fc\.0|head|fc\.weight", "python:"), _mlp_on_resnet, "the library's network has one layer"),
    ("safetensors", works(), _safetensors(), ""),
    ("safetensors with metadata", works(), _safetensors(format="pt", arch="small", epoch="3"), ""),
    ("safetensors, prefix module.", works(), _safetensors(lambda s: prefixed(s, "module.")), ""),
    ("safetensors, prefix backbone.", works(), _safetensors(lambda s: prefixed(s, "backbone.")), ""),
    ("safetensors, half precision", works(), _safetensors(lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()}), ""),
    ("safetensors in shards, index named", works(), _sharded(), ""),
    ("safetensors in shards, folder named", works(), _sharded("."), ""),
    ("torch.save in shards", works(), _sharded("pytorch_model.bin.index.json"), ""),
    ("shards, one missing", refused("00002-of-00002", "download"), lambda p: (_sharded()(p), (p.folder / "model-00002-of-00002.safetensors").unlink(), p.with_arch("model.safetensors.index.json"))[2], ""),
    ("one shard of two", refused("00001-of-00002|part", "index"), _one_shard, "half of the weights"),
    ("timm train.py", works(), _timm(lambda s: {"epoch": 9, "arch": "test_resnet", "state_dict": s, "optimizer": {}, "version": 2, "args": _timm_args()}), ""),
    ("timm train.py with EMA", works(), _timm(lambda s: {"arch": "test_resnet", "state_dict": s, "state_dict_ema": s, "args": _timm_args()}), "both are one and the same"),
    ("timm DDP", works(), _timm(lambda s: {"state_dict": prefixed(s, "module.")}), ""),
    ("torchvision references", works(), _torchvision(lambda s: {"model": s, "optimizer": {}, "lr_scheduler": {}, "epoch": 89, "args": argparse.Namespace(model="resnet18", val_crop_size=32, val_resize_size=32)}), ""),
    ("torchvision references with model_ema", works(_EMA), _torchvision(lambda s: {"model": s, "model_ema": {**prefixed(s, "module."), "n_averaged": torch.tensor(3)}, "args": None}), ""),
    ("resnet18 under state_dict with module.", works(), _torchvision(lambda s: {"state_dict": prefixed(s, "module.")}), "the ImageNet example of PyTorch"),
    ("resnet18 weights, no --arch", refused("--arch", "resnet18"), lambda p: [*_torchvision(lambda s: s)(p)[:1], *p.model("")[1:]], ""),
    ("resnet18 weights, --arch resnet34", refused("resnet34", "resnet18"), _torchvision(lambda s: s, "torchvision:resnet34"), ""),
    ("resnet18 weights, --arch timm:resnet18", works(), _torchvision(lambda s: s, "timm:resnet18"), "the same keys"),
    ("own weights, no --arch", refused("--arch", "python:"), lambda p: [p.save(p.world.state)[0], *p.model("")[1:]], ""),
    ("own weights, --arch of another", refused("resnet18", "conv2|unexpected|missing", "python:"), lambda p: [p.save(p.world.state)[0], *p.with_arch("", "torchvision:resnet18")[1:]], ""),
    ("LoRA alone", refused("missing|lora|weights"), _lora, ""),
    ("optimizer alone", refused("optimizer|no weights|no state dict", "weights"), _optimizer_only, ""),
    ("backbone without head", refused(r"fc\.", "missing|head"), _half_of_keys, "no outputs to analyze"),
    ("head of 11 for 12 classes", refused(r"fc\.weight", "11", "12"), _eleven, ""),
    ("one channel for three", refused(r"conv1\.weight", r"24, 1, 3, 3|channel"), _other_channels, ""),
    ("quantized dynamically", refused("quantiz", "state_dict|export"), _quantized, ""),
    ("meta tensors", refused("meta|no values|without values"), _meta, ""),
    ("NaN weights", refused("nan|not finite|finite"), _nan, ""),
    ("DeepSpeed model states", works(), _deepspeed, "under module"),
    ("torch.distributed.checkpoint folder", refused("distributed|dcp", "torch_save|convert|full"), _dcp, "python -m torch.distributed.checkpoint.format_utils dcp_to_torch"),
    ("folder of a run with best.pt", refused(r"best\.pt|name the file"), _folder_of("best.pt"), "the files in it are named"),
)  # fmt: skip

KINDS = [*_contents(), *(Kind("weights", name, right, make, why) for name, right, make, why in _OTHERS)]
