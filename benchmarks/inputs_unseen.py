"""Kinds that nobody tuned for: run once, at the end, for an honest figure."""

from __future__ import annotations

import collections
import decimal
import gzip
import io
import json
import pickle
import shutil
import tarfile
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.inputs_files import checkpoint, zipped
from benchmarks.inputs_folders import changed, named
from benchmarks.inputs_formats import hf_model, onnx, write_onnx
from benchmarks.inputs_images import _as, _copied_as
from benchmarks.inputs_readers import _dataset, _imagenet, _synset_folders, npz, samples, shards
from benchmarks.inputs_scripts import Wrapped, _exported, _traced
from benchmarks.inputs_tables import rows, table, text
from benchmarks.inputs_weights import Settings, foreign, prefixed, without
from benchmarks.inputs_world import (
    CLASSES,
    HALF,
    SIDE,
    Kind,
    Place,
    Right,
    World,
    either,
    refused,
    told,
    warned,
    works,
    write_folders,
)


def saved(content: Callable[[World], Any]) -> Callable[[Place], Any]:
    """Save what a function of the world gives, and analyze it with the user's architecture."""

    def made(place: Place) -> Any:
        arguments = place.save(content(place.world))
        for module in ("byol", "mycfg"):
            without(module)
        return arguments

    return made


class Nested(Wrapped):
    """Gives a dictionary in a tuple."""

    def forward(self, x: Tensor) -> Any:
        """Return logits in a dictionary in a tuple."""
        return ({"scores": self.net(x)},)


class Minus(Wrapped):
    """Takes -1 to 1."""

    def forward(self, x: Tensor) -> Any:
        """Return logits."""
        return self.net(((x + 1) / 2 - self.mean) / self.std)


class Extra(Wrapped):
    """Has one output more than there are classes, for the background."""

    def forward(self, x: Tensor) -> Any:
        """Return 13 outputs, the first one for the background."""
        y = self.net(x)
        return torch.cat([y[:, :1] * 0 - 99, y], 1)


class Transposed(Wrapped):
    """Gives (K, N)."""

    def forward(self, x: Tensor) -> Any:
        """Return logits with the axes exchanged."""
        return self.net(x).T


def _names(name: str, content: str) -> Callable[[Place], Any]:
    return lambda place: [*place.on(place.usual), "--class-names", place.write(name, content)]


def _file(name: str, content: bytes) -> Callable[[Place], Any]:
    return lambda place: [place.write(name, content), *place.model(name)][1:]


def _shared(world: World) -> Any:
    state = world.state
    return {"state_dict": state, "best": state, "last": {k: v.clone() for k, v in state.items()}}


def _zip_of_safetensors(place: Place) -> Any:
    save_file(place.world.state, "model.safetensors")
    with zipfile.ZipFile("model.zip", "w") as archive:
        archive.write("model.safetensors")
    return place.model("model.zip")


def _mixed_parts(place: Place) -> Any:
    for part, shift in (("Training", 1), ("Testing", 0)):
        write_folders(place.folder / "data" / part, place.world.images, (place.world.labels + shift) % 12)
    return place.on("data")


def _folds(place: Place) -> Any:
    for part in ("fold_1", "fold_2"):
        write_folders(place.folder / "data" / part, place.world.images, place.world.labels)
    return place.on("data")


def _class_then_part(place: Place) -> Any:
    """Parts inside the classes: apple/train, apple/val."""
    for name in CLASSES:
        kept = place.world.labels == CLASSES.index(name)
        write_folders(place.folder / "data" / name, place.world.images[kept], np.zeros(6, int), names=("val",))
    return place.on("data")


def _reversed_folders(place: Place) -> Any:
    """Folders are named as the outputs, in other letters, with hyphens."""
    found = place.folders(names=[f"{n.title()}-Fruit" for n in CLASSES])
    return [*place.on(found), "--class-names", place.write("n.txt", "\n".join(f"{n}_fruit" for n in CLASSES))]


def _wds_image_id(place: Place) -> Any:
    shards(place.folder, samples(place), lambda k, d, n: {f"{k}.input.png": d, f"{k}.target.cls": str(n).encode()})
    return place.on("wds:val-000000.tar")


def _wds_jpg_missing(place: Place) -> Any:
    shards(
        place.folder,
        samples(place),
        lambda k, d, n: {f"{k}.png": d} if k == "000003" else {f"{k}.png": d, f"{k}.cls": str(n).encode()},
    )
    kept = np.arange(len(place.world.labels)) != 3
    place.truth = place.world.accuracy(images=place.world.images[kept], labels=place.world.labels[kept])
    return place.on("wds:val-000000.tar")


def _tar_bz2(place: Place) -> Any:
    with tarfile.open("data.tar.bz2", "w:bz2") as tar:
        for key, data, label in samples(place):
            info = tarfile.TarInfo(f"{CLASSES[label]}/{key}.png")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return place.on("data.tar.bz2")


def _zip_with_table(place: Place) -> Any:
    with zipfile.ZipFile("data.zip", "w") as archive:
        found = samples(place)
        for key, data, _ in found:
            archive.writestr(f"images/{key}.png", data)
        archive.writestr("labels.csv", text([(f"images/{k}.png", CLASSES[n]) for k, _, n in found], "filename,label"))
    return place.on("data.zip")


def _parquet_png_column(place: Place) -> Any:
    import pandas as pd

    frame = pd.DataFrame(
        {"png": [data for _, data, _ in samples(place)], "class": [CLASSES[n] for n in place.world.labels]}
    )
    frame.to_parquet("data.parquet")
    return place.on("hf:data.parquet")


def _dict_test_only(place: Place) -> Any:
    import datasets

    found = _dataset(place)
    datasets.DatasetDict({"test": found}).save_to_disk("data")
    return place.on("hf:data")


def _arrow_inside(place: Place) -> Any:
    _dataset(place).save_to_disk("data")
    return place.on("data/data-00000-of-00001.arrow")


def _metadata_in_parts(place: Place) -> Any:
    for part, shift in (("train", 1), ("test", 0)):
        found = place.flat(f"data/{part}")
        lines = [json.dumps({"file_name": n, "label": CLASSES[(label + shift) % 12]}) for n, label in found]
        place.write(f"data/{part}/metadata.jsonl", "\n".join(lines))
    return place.on("data")


def _table_in_folder_named(place: Place) -> Any:
    found = place.flat("birds/images")
    place.write("birds/images.txt", "\n".join(f"{i} {n}" for i, (n, _) in enumerate(found, 1)))
    place.write("birds/image_class_labels.txt", "\n".join(f"{i} {n + 1}" for i, (_, n) in enumerate(found, 1)))
    place.write("birds/classes.txt", "\n".join(f"{i} {n}" for i, n in enumerate(CLASSES, 1)))
    return place.on("birds")


def _two_tables(place: Place) -> Any:
    found = rows(place)
    wrong = [(path, CLASSES[(CLASSES.index(label) + 1) % 12]) for path, label in found]
    place.write("train.csv", text(wrong))
    place.write("val.csv", text(found))
    return place.on(".")


def _rotated(place: Place) -> Any:
    """EXIF says that the camera was turned; torchvision's loader ignores it."""
    exif = Image.Exif()
    exif[274] = 6
    return _as(".png", exif=exif)(place)


def _sixty_four(place: Place) -> Any:
    """Animated GIFs: the first frame counts."""

    def frames(image: Image.Image) -> Image.Image:
        return image.quantize(255)

    path = place.folders(suffix=".gif", change=frames)
    images = np.stack(
        [np.asarray(Image.open(f).convert("RGB")) for n in CLASSES for f in sorted((path / n).glob("*.gif"))]
    )
    place.truth = place.world.accuracy(images=images)
    for file in path.rglob("*.gif"):
        first = Image.open(file).copy()
        first.save(file, save_all=True, append_images=[first.transpose(Image.Transpose.ROTATE_180)], loop=0)
    images = np.stack(
        [np.asarray(Image.open(f).convert("RGB")) for n in CLASSES for f in sorted((path / n).glob("*.gif"))]
    )
    place.truth = place.world.accuracy(images=images)
    return place.on(path)


def _squares(place: Place) -> Any:
    """One image is 1 x 1 pixel; it is resized like any other."""
    path = place.folders()
    file = path / "apple" / "000.png"
    Image.new("RGB", (1, 1), (9, 9, 9)).save(file)
    images = place.world.images.copy()
    images[0] = 9
    place.truth = place.world.accuracy(images=images)
    return place.on(path)


def _lightning_hparams(place: Place) -> Any:
    net = place.world.trained(key="half", mean=HALF, std=HALF)
    place.truth = place.world.accuracy(net, mean=HALF, std=HALF)
    about = {"hyper_parameters": {"transforms_val": {"resize": SIDE, "crop": SIDE, "mean": HALF, "std": HALF}}}
    torch.save({"state_dict": prefixed(net.state_dict(), "model."), **about}, "model.ckpt")
    return ["model.ckpt", "--arch", "python:usernet:build", "--dataset", place.usual]


def _names_carried(place: Place) -> Any:
    """The outputs stand in another order than the folders; the checkpoint names them."""
    net = place.world.net
    order = list(range(11, -1, -1))
    with torch.no_grad():
        net.fc.weight.copy_(net.fc.weight[order])
        net.fc.bias.copy_(net.fc.bias[order])
    return place.save({"model": net.state_dict(), "classes": [CLASSES[i] for i in order]})


def _onnx_uint8(place: Place) -> Any:
    class Inner(Wrapped):
        def forward(self, x: Tensor) -> Any:
            return self.net((x.float() / 255 - self.mean) / self.std)

    write_onnx(Inner(place.world.net).eval(), torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8), dynamic=True)
    return place.model("model.onnx")


def _quantized_onnx(place: Place) -> Any:
    from onnxruntime.quantization import quantize_dynamic

    onnx()(place)
    quantize_dynamic("model.onnx", "small.onnx")
    place.tolerance = 0.2
    return place.model("small.onnx")


def _gz(place: Place) -> Any:
    save_file(place.world.state, "m.safetensors")
    place.write("m.safetensors.gz", gzip.compress((place.folder / "m.safetensors").read_bytes()))
    return place.model("m.safetensors.gz")


_KINDS: tuple[tuple[str, str, Right, Callable[[Place], Any], str], ...] = (
    ("weights", "under gen.net.weights", works(), saved(lambda w: {"gen": {"net": {"weights": w.state}}}), ""),
    ("weights", "under model_state_dict_best", works(), saved(lambda w: {"model_state_dict_best": w.state, "iter": 4}), ""),
    ("weights", "prefix feature_extractor.model.", works(), saved(lambda w: prefixed(w.state, "feature_extractor.model.")), ""),
    ("weights", "BYOL online and target", works("target"), saved(lambda w: {**prefixed(w.state, "online_network."), **prefixed(w.untrained, "target_network.")}), "which was taken is said"),
    ("weights", "Decimal, UUID, deque and Fraction beside", works(), saved(lambda w: {"model": w.state, "lr": decimal.Decimal("0.1"), "id": uuid.UUID(int=5), "last": collections.deque([1, 2], maxlen=3)}), ""),
    ("weights", "a lambda's name beside", works(), saved(lambda w: {"model": w.state, "loss": torch.nn.functional.cross_entropy, "act": torch.relu}), "functions by name"),
    ("weights", "own scheduler object with tensors", works(), saved(lambda w: {"net": w.state, "sched": foreign(Settings, "mycfg", lr=torch.tensor(0.1))}), ""),
    ("weights", "the same weights under three keys", works(), saved(_shared), ""),
    ("weights", "complex keys as bytes", either("bytes|key"), saved(lambda w: {"model": {k.encode(): v for k, v in w.state.items()}}), ""),
    ("weights", "generator of keys with slashes", either("conv1/weight|missing"), saved(lambda w: {k.replace(".", "/"): v for k, v in w.state.items()}), ""),
    ("weights", "list of (name, tensor) pairs", either("list|weights"), saved(lambda w: list(w.state.items())), ""),
    ("weights", "RAR", refused("rar|packed|archive", "unpack"), _file("model.rar", b"Rar!\x1a\x07\x01\0" + b"\0" * 99), ""),
    ("weights", "zip around safetensors", refused("archive|zip", "unpack"), _zip_of_safetensors, ""),
    ("weights", "gzipped safetensors", refused("gzip", "unpack|gunzip"), _gz, ""),
    ("weights", "a core ML neural network in zip", refused("core ?ml|archive", "unpack|convert|onnx|pytorch|download"), lambda p: (p.write("m.mlpackage.zip", zipped(m__Manifest_DOT_json=b"{}")), p.model("m.mlpackage.zip"))[1], ""),
    ("weights", "a login page after a redirect", refused("web page|html"), _file("m.pt", b"<script>location='/login'</script><html></html>"), ""),
    ("weights", "a CSV as model", refused("text|csv"), _file("m.csv", b"path,label\na.png,cat\n"), ""),
    ("weights", "--arch resnet18.fb_swsl_ig1b_ft_in1k", either("timm:resnet18"), lambda p: p.with_arch(str(p.save(p.world.state)[0]), "resnet18.fb_swsl_ig1b_ft_in1k"), ""),
    ("weights", "--arch torchvision.models.resnet.ResNet", refused("torchvision:resnet|resnet18|python:"), lambda p: p.with_arch(str(p.save(p.world.state)[0]), "torchvision.models.resnet.ResNet"), ""),
    ("weights", "--arch usernet:SmallNet(12)", either("python:usernet:SmallNet|python:"), lambda p: p.with_arch(str(p.save(p.world.state)[0]), "usernet:SmallNet(12)"), ""),
    ("formats", "TorchScript dictionary in a tuple", either("scores|dict|tuple|output"), _traced(Nested), ""),
    ("formats", "TorchScript -1 to 1", warned("--mean|--std|--probe"), _traced(Minus), "0.5 and 0.5"),
    ("formats", "TorchScript -1 to 1, with flags", works(), _traced(Minus, None, "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"), ""),
    ("formats", "13 outputs, the first for the background", refused("13", "12", "--class-names"), _traced(Extra), ""),
    ("formats", "13 outputs, named", works(), lambda p: [*_traced(Extra)(p), "--class-names", p.write("n.txt", "background\n" + "\n".join(CLASSES))], ""),
    ("formats", "(K, N) instead of (N, K)", refused("12|shape"), _traced(Transposed), ""),
    ("formats", "torch.export at 32, image size not given", works(), lambda p: _exported(batch=1)(p)[:3], "the file says its size"),
    ("formats", "ONNX uint8 input", either("uint8|255"), _onnx_uint8, ""),
    ("formats", "ONNX quantized", works(), _quantized_onnx, "within 20 points"),
    ("formats", "HF ViT in half precision", works(), hf_model(change=lambda path: None, flags=True), ""),
    ("formats", "HF id2label with synsets' words", works(), hf_model(names={i: f"{n}, {n} fruit" for i, n in enumerate(CLASSES)}), "the first word is the class"),
    ("readings", "Lightning hyper_parameters with a nested transform", works(), _lightning_hparams, ""),
    ("readings", "classes in the checkpoint, another order", works(), _names_carried, ""),
    ("layouts", "Training and Testing", works("Testing"), _mixed_parts, ""),
    ("layouts", "fold_1 and fold_2", refused("fold_1|folders of its own|outputs"), _folds, ""),
    ("layouts", "parts inside the classes", works(), _class_then_part, ""),
    ("layouts", "hyphens for underscores", works(), _reversed_folders, ""),
    ("layouts", "names: (0) apple", either("apple", "--class-names"), _names("n.txt", "\n".join(f"({i}) {n}" for i, n in enumerate(CLASSES))), ""),
    ("layouts", "names: apple = 0", either("apple", "--class-names"), _names("n.txt", "\n".join(f"{n} = {i}" for i, n in enumerate(CLASSES))), ""),
    ("layouts", "names: TOML list", either("apple|list|names"), _names("n.toml", f"names = {json.dumps(CLASSES)}\n"), ""),
    ("layouts", "names: JSON map of string numbers to objects", either("object|list|names"), _names("n.json", json.dumps({str(i): {"name": n} for i, n in enumerate(CLASSES)})), ""),
    ("layouts", "names: Latin-1", either("utf-8|encoding|byte"), lambda p: [*p.on(p.usual), "--class-names", p.write("n.txt", "\n".join((*CLASSES[:11], "mangö")), "latin-1")], ""),
    ("layouts", "names: tabs after numbers from 1, counted", works(), _names("n.txt", "\n".join(f"{i}\t{n}" for i, n in enumerate(CLASSES, 1))), ""),
    ("layouts", "folders a_00 to a_11", works(), named([f"a_{i:02d}" for i in range(12)]), ""),
    ("layouts", "folders with dots at the end", works(), named([f"{n}." for n in CLASSES]), ""),
    ("layouts", "a file among the class folders without suffix", works(), changed(lambda path, p: (path / "LICENSE").write_text("x")), ""),
    ("layouts", "images: animated GIF", works(), _sixty_four, ""),
    ("layouts", "images: EXIF rotation", works(), _rotated, ""),
    ("layouts", "images: 1 x 1 pixel", works(), _squares, ""),
    ("layouts", "images: JPEG named .jfif", works(), _as(".jfif", "JPEG", quality=95), ""),
    ("layouts", "images: .jpeg_ suffix", either(r"jpeg_"), _copied_as(".jpeg_"), ""),
    ("layouts", "imagenet: synset folders in imagenet/validation", works(), _imagenet(_synset_folders("imagenet/validation")), ""),
    ("layouts", "imagenet: ten missing synsets", works(), _imagenet(lambda p, r: (_synset_folders("val")(p, r), [shutil.rmtree(d) for d in sorted((r / "val").iterdir())[-10:]])), ""),
    ("readers", "wds: input.png and target.cls", either("cls|label"), _wds_image_id, ""),
    ("readers", "wds: one sample without label", told("label|cls|left out|1 "), _wds_jpg_missing, ""),
    ("readers", "tar.bz2 of class folders", works(), _tar_bz2, ""),
    ("readers", "zip of images with a label file", works(), _zip_with_table, ""),
    ("readers", "Parquet with png bytes and class", works(), _parquet_png_column, ""),
    ("readers", "DatasetDict with a test part alone", works("test"), _dict_test_only, ""),
    ("readers", "an Arrow file of save_to_disk", either("arrow", "folder|hf:"), _arrow_inside, ""),
    ("readers", "imagefolder with metadata in parts", works("test"), _metadata_in_parts, ""),
    ("readers", "CUB's three text files", either("table|label|class folders"), _table_in_folder_named, ""),
    ("readers", "a folder with train.csv and val.csv", works("val"), _two_tables, ""),
    ("readers", "table: Image Name, Class Label", works(), table(header="Image Name,Class Label"), ""),
    ("readers", "table: label in quotes with commas", works(), table(change=lambda f: [(a, f'"{b}, ripe"') for a, b in f]), ""),
    ("readers", "table: columns x and y", either("columns?|path|label"), table(header="x,y"), ""),
    ("readers", "npz: data and target", works(), npz("npz:data.npz", data=lambda p: p.world.images, target=lambda p: p.world.labels), ""),
    ("readers", "npz: flat pixels", either("shape|flat|3072"), npz("npz:data.npz", x=lambda p: p.world.images.reshape(72, -1), y=lambda p: p.world.labels), ""),
    ("readers", "pickled dict of arrays", refused("pickle", "npz|folder|table"), lambda p: (p.write("d.pkl", pickle.dumps({"x": p.world.images, "y": p.world.labels})), p.on("d.pkl"))[1], ""),
    ("readers", "a checkpoint named .parquet as dataset", refused("parquet", "damaged|no parquet|magic|footer|not"), lambda p: (p.write("d.parquet", checkpoint(p)), p.on("d.parquet"))[1], ""),
)  # fmt: skip

KINDS = [Kind(part, name, right, make, why) for part, name, right, make, why in _KINDS]
