"""Kinds of packed and library datasets: Hugging Face, webdataset, archives, arrays, and the layouts of ImageNet."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.inputs_world import CLASSES, Kind, Place, Right, either, refused, works, write_folders
from cuesense.imagenet_names import imagenet_synsets


def png(image: np.ndarray, format: str = "PNG") -> bytes:
    """Return an image as a file's bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format)
    return buffer.getvalue()


def samples(place: Place) -> list[tuple[str, bytes, int]]:
    """Return key, PNG and label of every usual image."""
    return [
        (f"{i:06d}", png(image), int(label))
        for i, (image, label) in enumerate(zip(place.world.images, place.world.labels, strict=True))
    ]


def _dataset(place: Place, names: bool = True, column: str = "label", image: str = "image") -> Any:
    import datasets

    kind = datasets.ClassLabel(names=list(CLASSES)) if names else datasets.Value("int64")
    features = datasets.Features({image: datasets.Image(), column: kind})
    content = {image: [Image.fromarray(x) for x in place.world.images], column: place.world.labels.tolist()}
    return datasets.Dataset.from_dict(content, features=features)


def hf(save: Callable[[Any, Path], Any], name: str = "hf:data", **options: Any) -> Callable[[Place], Any]:
    """A dataset of the library ``datasets``, saved somehow under ``data``."""

    def made(place: Place) -> Any:
        save(_dataset(place, **options), place.folder / "data")
        return place.on(name)

    return made


def _dict(*names: str) -> Callable[[Any, Path], Any]:
    def save(found: Any, path: Path) -> None:
        import datasets

        wrong = found.map(lambda row: {"label": (row["label"] + 1) % 12}, features=found.features)
        good = next((n for n in names if n.startswith("val")), names[-1])
        datasets.DatasetDict({name: found if name == good else wrong for name in names}).save_to_disk(path)

    return save


def _parquet(*parts: str) -> Callable[[Any, Path], Any]:
    def save(found: Any, path: Path) -> None:
        path.mkdir()
        for index, part in enumerate(parts):
            (path / part).parent.mkdir(parents=True, exist_ok=True)
            found.shard(len(parts), index, contiguous=True).to_parquet(path / part)

    return save


def _plain_parquet(place: Place) -> Any:
    """Parquet with the bytes of files, without the metadata of the library."""
    import pandas as pd

    frame = pd.DataFrame(
        {"image": [{"bytes": data, "path": None} for _, data, _ in samples(place)], "label": place.world.labels}
    )
    frame.to_parquet("data.parquet")
    return place.on("hf:data.parquet")


def shards(
    place: Path,
    found: Sequence[tuple[str, bytes, int]],
    members: Callable[[str, bytes, int], dict[str, bytes]],
    number: int = 1,
    name: str = "val-%06d.tar",
) -> None:
    """Write samples into tar files."""
    for shard in range(number):
        with tarfile.open(
            place / (name % shard if "%" in name else name), "w:gz" if name.endswith("gz") else "w"
        ) as tar:
            for sample in found[shard::number]:
                for member, content in members(*sample).items():
                    info = tarfile.TarInfo(member)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))


def _wds(
    spec: str, members: Callable[[str, bytes, int], dict[str, bytes]], number: int = 1, name: str = "val-%06d.tar"
) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        shards(place.folder, samples(place), members, number, name)
        return place.on(spec)

    return made


def _cls(key: str, data: bytes, label: int) -> dict[str, bytes]:
    return {f"{key}.png": data, f"{key}.cls": str(label).encode()}


def _json(key: str, data: bytes, label: int) -> dict[str, bytes]:
    return {f"{key}.png": data, f"{key}.json": json.dumps({"label": label, "name": CLASSES[label]}).encode()}


def _foldered(key: str, data: bytes, label: int) -> dict[str, bytes]:
    return {f"data/{CLASSES[label]}/{key}.png": data}


def _zip(root: str = "", name: str = "data.zip", spec: str = "data.zip") -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        with zipfile.ZipFile(name, "w") as archive:
            for key, data, label in samples(place):
                archive.writestr(f"{root}{CLASSES[label]}/{key}.png", data)
        return place.on(spec)

    return made


def _zip_parts(place: Place) -> Any:
    with zipfile.ZipFile("data.zip", "w") as archive:
        for part, shift in (("train", 1), ("val", 0)):
            for key, data, label in samples(place):
                archive.writestr(f"data/{part}/{CLASSES[(label + shift) % 12]}/{key}.png", data)
        archive.writestr("__MACOSX/data/._x", b"x")
    return place.on("data.zip")


def npz(spec: str, **arrays: Callable[[Place], Any]) -> Callable[[Place], Any]:
    """An npz file of arrays that are functions of the place."""

    def made(place: Place) -> Any:
        np.savez(place.folder / "data.npz", **{name: array(place) for name, array in arrays.items()})
        return place.on(spec)

    return made


def _images(place: Place) -> Any:
    return place.world.images


def _labels(place: Place) -> Any:
    return place.world.labels


def _column(place: Place) -> Any:
    return place.world.labels[:, None]


def _wrong(place: Place) -> Any:
    return (place.world.labels[:, None] + 1) % 12


def _medmnist(part: str) -> dict[str, Callable[[Place], Any]]:
    """MedMNIST's arrays, of which one part has the right labels."""
    images = {f"{name}_images": _images for name in ("train", "val", "test")}
    return images | {f"{name}_labels": _column if name == part else _wrong for name in ("train", "val", "test")}


def _cifar(place: Place, hundred: bool = False) -> Any:
    """CIFAR's files with our images: 12 classes in the place of its own."""
    folder = place.folder / ("cifar-100-python" if hundred else "cifar-10-batches-py")
    folder.mkdir()
    data = place.world.images.transpose(0, 3, 1, 2).reshape(len(place.world.labels), -1)
    key = b"fine_labels" if hundred else b"labels"
    for name in ["test"] if hundred else ["test_batch"]:
        (folder / name).write_bytes(pickle.dumps({b"data": data, key: place.world.labels.tolist()}, 2))
    names = {b"fine_label_names" if hundred else b"label_names": [n.encode() for n in CLASSES]}
    (folder / ("meta" if hundred else "batches.meta")).write_bytes(pickle.dumps(names, 2))
    return place.on(folder.name)


def _mnist(place: Place) -> Any:
    folder = place.folder / "MNIST" / "raw"
    folder.mkdir(parents=True)
    gray = np.stack([np.asarray(Image.fromarray(x).convert("L")) for x in place.world.images])
    (folder / "t10k-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, *gray.shape) + gray.tobytes())
    (folder / "t10k-labels-idx1-ubyte").write_bytes(
        struct.pack(">2i", 2049, len(gray)) + place.world.labels.astype("u1").tobytes()
    )
    place.truth = place.world.accuracy(images=np.repeat(gray[..., None], 3, 3))
    return [place.script, "--dataset", "torchvision:MNIST", "--data-root", ".", *place.sizes]


def _tv(name: str, write: Callable[[Place], Any]) -> Callable[[Place], Any]:
    def made(place: Place) -> Any:
        write(place)
        return [place.script, "--dataset", f"torchvision:{name}", "--data-root", ".", *place.sizes]

    return made


def _eurosat(place: Place) -> None:
    write_folders(
        place.folder / "eurosat" / "2750",
        place.world.images,
        place.world.labels,
        suffix=".jpg",
        format="JPEG",
        quality=100,
        subsampling=0,
    )
    files = [sorted((place.folder / "eurosat" / "2750" / n).glob("*.jpg")) for n in CLASSES]
    place.truth = place.world.accuracy(
        images=np.stack([np.asarray(Image.open(f).convert("RGB")) for fs in files for f in fs])
    )


def _stl(place: Place) -> None:
    folder = place.folder / "stl10_binary"
    folder.mkdir()
    big = place.world.images.repeat(3, 1).repeat(3, 2)
    (folder / "test_X.bin").write_bytes(np.ascontiguousarray(big.transpose(0, 3, 2, 1)).tobytes())
    (folder / "test_y.bin").write_bytes((place.world.labels % 10 + 1).astype("u1").tobytes())
    (folder / "class_names.txt").write_text("\n".join(CLASSES[:10]))


def _imagenet(layout: Callable[[Place, Path], Any], root: str = "in", *flags: str) -> Callable[[Place], Any]:
    """Images of the first twelve synsets of ImageNet, and a network of 1000 outputs of which twelve are trained."""

    def made(place: Place) -> Any:
        import torch
        from torch import nn

        net = place.world.net
        full = place.world.usernet.SmallNet(1000)
        with torch.no_grad():
            state = net.state_dict()
            weight, bias = torch.zeros(1000, 64), torch.full((1000,), -1e4)
            weight[:12], bias[:12] = state["fc.weight"], state["fc.bias"]
            full.load_state_dict({**state, "fc.weight": weight, "fc.bias": bias})
        torch.jit.trace(nn.Sequential(full).eval(), torch.zeros(1, 3, 32, 32)).save("model.pt")
        layout(place, place.folder / root)
        return ["model.pt", "--dataset", "imagenet", "--data-root", root, *place.sizes, *flags]

    return made


def _synset_folders(inner: str, every: bool = True) -> Callable[[Place, Path], Any]:
    def layout(place: Place, root: Path) -> None:
        write_folders(
            root / inner,
            place.world.images,
            place.world.labels,
            names=imagenet_synsets()[:12],
            suffix=".JPEG",
            format="PNG",
        )
        for synset in imagenet_synsets()[12:] if every else ():
            (root / inner / synset).mkdir()

    return layout


def _flat_val(root: Path, place: Place) -> list[tuple[str, int]]:
    found = []
    root.mkdir(parents=True)
    order = np.random.default_rng(5).permutation(len(place.world.labels))
    for number, index in enumerate(order, 1):
        name = f"ILSVRC2012_val_{number:08d}"
        (root / f"{name}.JPEG").write_bytes(png(place.world.images[index]))
        found.append((name, int(place.world.labels[index])))
    return found


def _devkit(place: Place, root: Path) -> None:
    """The official layout: the ground truth counts synsets in the devkit's order, which is not the sorted one."""
    from scipy.io import savemat

    found = _flat_val(root / "val", place)
    synsets = list(imagenet_synsets())
    order = [synsets.index(s) for s in synsets[::-1]]
    rows = [(number + 1, synsets[index], "w", "g", 0, np.zeros(0), 0, 1300) for number, index in enumerate(order)]
    kinds = [
        ("ILSVRC2012_ID", object),
        ("WNID", object),
        ("words", object),
        ("gloss", object),
        ("num_children", object),
        ("children", object),
        ("wordnet_height", object),
        ("num_train_images", object),
    ]
    data = root / "ILSVRC2012_devkit_t12" / "data"
    data.mkdir(parents=True)
    savemat(data / "meta.mat", {"synsets": np.array(rows, dtype=kinds)[:, None]})
    place_of = {index: number + 1 for number, index in enumerate(order)}
    # A line for each of the 50,000 images, as the official file always has, also beside a part of the images.
    labels = [label for _, label in found] + [0] * (50_000 - len(found))
    truth = "".join(f"{place_of[label]}\n" for label in labels)
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text(truth)


def _kaggle(place: Place, root: Path) -> None:
    found = _flat_val(root / "ILSVRC" / "Data" / "CLS-LOC" / "val", place)
    lines = [f"{name},{imagenet_synsets()[label]} 0 0 31 31" for name, label in found]
    (root / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "\n".join(lines) + "\n")
    (root / "LOC_synset_mapping.txt").write_text("\n".join(f"{s} name {i}" for i, s in enumerate(imagenet_synsets())))


def _packed(_place: Place, root: Path) -> None:
    root.mkdir()
    with tarfile.open(root / "ILSVRC2012_img_val.tar", "w") as tar:
        info = tarfile.TarInfo("ILSVRC2012_val_00000001.JPEG")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))


def _flat_alone(place: Place, root: Path) -> None:
    _flat_val(root / "val", place)


def _tiny(place: Place, root: Path) -> None:
    found = []
    (root / "val" / "images").mkdir(parents=True)
    for number, (image, label) in enumerate(zip(place.world.images, place.world.labels, strict=True)):
        (root / "val" / "images" / f"val_{number}.JPEG").write_bytes(png(image))
        found.append(f"val_{number}.JPEG\t{imagenet_synsets()[label]}\t0\t0\t31\t31")
    (root / "val" / "val_annotations.txt").write_text("\n".join(found) + "\n")
    (root / "wnids.txt").write_text("\n".join(imagenet_synsets()[:12][::-1]))


def _tiny_set(place: Place) -> Any:
    _tiny(place, place.folder / "tiny-imagenet-200")
    place.write("names.txt", "\n".join(imagenet_synsets()[:12]))
    return place.on("tiny-imagenet-200", "--class-names", "names.txt")


def _named_folders(place: Place, root: Path) -> None:
    write_folders(root / "val", place.world.images, place.world.labels)


def _as_folder(place: Place) -> Any:
    arguments = _imagenet(_synset_folders("val", every=False))(place)
    return [arguments[0], "--dataset", "in/val", *place.sizes]


_READERS: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("hf: save_to_disk", works(), hf(lambda d, p: d.save_to_disk(p)), ""),
    ("save_to_disk without hf:", works(), hf(lambda d, p: d.save_to_disk(p), "data"), ""),
    ("save_to_disk, image column img", works(), hf(lambda d, p: d.save_to_disk(p), image="img", column="fine_label"), ""),
    ("save_to_disk, labels without names", works(), hf(lambda d, p: d.save_to_disk(p), names=False), ""),
    ("DatasetDict train and validation", works("validation"), hf(_dict("train", "validation")), ""),
    ("DatasetDict train and test", works("test"), hf(_dict("train", "test")), ""),
    ("DatasetDict with --split train", works(), lambda p: [*hf(_dict("test", "train"))(p), "--split", "train"], "the user's own choice needs no word"),
    ("Parquet with inline images", works(), hf(_parquet("data.parquet"), "data/data.parquet"), ""),
    ("hf: Parquet with inline images", works(), hf(_parquet("data.parquet"), "hf:data/data.parquet"), ""),
    ("hf: folder of Parquet shards", works(), hf(_parquet("data/validation-00000-of-00002.parquet", "data/validation-00001-of-00002.parquet")), ""),
    ("Parquet shards without hf:", works(), hf(_parquet("data/test-00000-of-00001.parquet"), "data"), ""),
    ("Parquet of bytes without metadata", works(), _plain_parquet, ""),
    ("hf: imagefolder", works(), lambda p: p.on(f"hf:{p.folders()}"), ""),
    ("hf: of a missing folder", refused("missing-folder", "path|network|hub|folder|offline"), lambda p: p.on("hf:./missing-folder"), ""),
    ("wds: png and cls", works(), _wds("wds:val-000000.tar", _cls), ""),
    ("wds: braces", works(), _wds("wds:val-{000000..000002}.tar", _cls, 3), ""),
    ("wds: star", works(), _wds("wds:val-*.tar", _cls, 2), ""),
    ("wds: folder", works(), _wds("wds:.", _cls, 2), ""),
    ("webdataset without wds:", works(), _wds("val-000000.tar", _cls), ""),
    ("folder of shards without wds:", works(), lambda p: ((p.folder / "s").mkdir(), shards(p.folder / "s", samples(p), _cls, 2), p.on("s"))[2], ""),
    ("wds: json labels", works(), _wds("wds:val-000000.tar", _json), ""),
    ("wds: names in cls", works(), _wds("wds:val-000000.tar", lambda k, d, n: {f"{k}.png": d, f"{k}.cls": CLASSES[n].encode()}), ""),
    ("wds: keys with folders", works(), _wds("wds:val-000000.tar", lambda k, d, n: {f"a/{k}.png": d, f"a/{k}.cls": str(n).encode()}), ""),
    ("wds: no labels", refused("cls|label|json"), _wds("wds:val-000000.tar", lambda k, d, n: {f"{k}.png": d}), ""),
    ("wds: gzipped shard", works(), _wds("wds:val.tar.gz", _cls, name="val.tar.gz"), ""),
    ("wds: missing shard", refused(r"val-000009|missing|nothing"), lambda p: p.on("wds:val-000009.tar"), ""),
    ("wds: truncated shard", refused("truncated|damaged|end"), lambda p: (_wds("x", _cls)(p), p.write("cut.tar", (p.folder / "val-000000.tar").read_bytes()[:5000]), p.on("wds:cut.tar"))[2], ""),
    ("tar of class folders", works(), _wds("images.tar", _foldered, name="images.tar"), ""),
    ("tar.gz of class folders", works(), _wds("images.tar.gz", _foldered, name="images.tar.gz"), ""),
    ("zip of class folders", works(), _zip(), ""),
    ("zip of one folder of class folders", works(), _zip("photos/"), ""),
    ("zip:PATH", works(), _zip(spec="zip:data.zip"), ""),
    ("zip of train and val", works("val"), _zip_parts, ""),
    ("zip without images", refused("image"), lambda p: (zipfile.ZipFile("data.zip", "w").writestr("a/readme.txt", "x"), p.on("data.zip"))[1], ""),
    ("npz: images and labels", works(), npz("npz:data.npz", images=_images, labels=_labels), ""),
    ("npz without prefix", works(), npz("data.npz", images=_images, labels=_labels), ""),
    ("npz: x_test and y_test", works(), npz("npz:data.npz", x_train=_images, y_train=_wrong, x_test=_images, y_test=_labels), "Keras' MNIST"),
    ("npz: x and y", works(), npz("npz:data.npz", x=_images, y=_labels), ""),
    ("npz: X and y, floats in [0, 1]", works(), npz("npz:data.npz", X=lambda p: p.world.images / np.float32(255), y=_labels), ""),
    ("npz: channels first", works(), npz("npz:data.npz", images=lambda p: p.world.images.transpose(0, 3, 1, 2), labels=_labels), ""),
    ("npz: one-hot labels", works(), npz("npz:data.npz", images=_images, labels=lambda p: np.eye(12)[p.world.labels]), ""),
    ("npz: MedMNIST", works("val"), npz("npz:data.npz", **_medmnist("val")), "which part is said: of several, that of validation"),
    ("npz: MedMNIST, --split test", works(), lambda p: [*npz("npz:data.npz", **_medmnist("test"))(p), "--split", "test"], "the user's own choice needs no word"),
    ("npz: labels missing", refused("label"), npz("npz:data.npz", images=_images), ""),
    ("npz: fewer labels than images", refused("71", "72"), npz("npz:data.npz", images=_images, labels=lambda p: p.world.labels[1:]), ""),
    ("npz: arr_0 and arr_1", works(), npz("npz:data.npz", arr_0=_images, arr_1=_labels), ""),
    ("npz: objects", refused("object|pickle"), npz("npz:data.npz", images=lambda p: np.array([None, {}], object), labels=lambda p: np.zeros(2)), ""),
    ("npy of images alone", refused("label", "npz|table|folder"), lambda p: (np.save("x.npy", p.world.images), p.on("x.npy"))[1], ""),
    ("HDF5 of images", refused("hdf5|h5", "npz|folder|table"), lambda p: (p.write("data.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 99), p.on("data.h5"))[1], ""),
    ("TFRecord", refused("tfrecord", "folder|table|convert|wds"), lambda p: (p.write("data.tfrecord", b"\x10\0\0\0\0\0\0\0abcd" + b"\0" * 99), p.on("data.tfrecord"))[1], ""),
    ("LMDB", refused("lmdb", "folder|table|convert|wds"), lambda p: ((p.folder / "l").mkdir(), p.write("l/data.mdb", b"\0" * 99), p.write("l/lock.mdb", b"\0"), p.on("l"))[3], ""),
    ("CIFAR-10 folder", either("torchvision:CIFAR10"), _cifar, "the reader is named, or it is read"),
    ("torchvision:CIFAR10", works(), _tv("CIFAR10", _cifar), ""),
    ("torchvision:cifar10", either("CIFAR10"), _tv("cifar10", _cifar), ""),
    ("torchvision:CIFAR100", works(), _tv("CIFAR100", lambda p: _cifar(p, hundred=True)), ""),
    ("torchvision:MNIST", works(), _mnist, "gray, and without the files of training"),
    ("MNIST folder", either("torchvision:MNIST"), lambda p: (_mnist(p), p.on("MNIST"))[1], ""),
    ("torchvision:STL10, ten classes for twelve outputs", refused("10", "12", "--class-names"), _tv("STL10", _stl), ""),
    ("torchvision:EuroSAT", works(), _tv("EuroSAT", _eurosat), ""),
    ("torchvision:CIFAR10, nothing there", refused("--download|--data-root"), _tv("CIFAR10", lambda p: None), ""),
    ("torchvision:FakeData", refused("FakeData|real|images"), _tv("FakeData", lambda p: None), "random noise"),
)  # fmt: skip
_IMAGENET: tuple[tuple[str, Right, Callable[[Place], Any], str], ...] = (
    ("synset folders in imagenet/val", works(), _imagenet(_synset_folders("imagenet/val")), ""),
    ("synset folders in val", works(), _imagenet(_synset_folders("val")), ""),
    ("synset folders in the root", works(), _imagenet(_synset_folders("")), ""),
    ("synset folders in ILSVRC2012/val", works(), _imagenet(_synset_folders("ILSVRC2012/val")), ""),
    ("root named to val itself", works(), lambda p: ["in/val" if part == "in" else part for part in _imagenet(_synset_folders("val"))(p)], ""),
    ("twelve synsets of 1000", works(), _imagenet(_synset_folders("val", every=False)), "the names of the outputs are implied"),
    ("flat with the devkit", works(), _imagenet(_devkit), "the devkit's order is not the sorted one"),
    ("Kaggle", works(), _imagenet(_kaggle), ""),
    ("Kaggle, root ILSVRC", either("LOC_val_solution", "--data-root|root|folder"), lambda p: ["in/ILSVRC" if part == "in" else part for part in _imagenet(_kaggle)(p)], "the solution lies one above"),
    ("flat without ground truth", refused("devkit|ground truth|LOC_val_solution"), _imagenet(_flat_alone), ""),
    ("still packed", refused("tar", "tar -?xf|tar xf|unpack|extract"), _imagenet(_packed), "one sentence with the command"),
    ("nothing there", refused("imagenet/val|synset", "--data-root"), _imagenet(lambda p, r: r.mkdir()), ""),
    ("a root that is not there", refused("none|nothing|no such|not there", "--data-root|path"), lambda p: ["none" if part == "in" else part for part in _imagenet(_synset_folders("val"))(p)], ""),
    ("no root named", refused("--data-root", "CUESENSE_DATA"), lambda p: p.on("imagenet"), ""),
    ("class names for folders", refused("synset"), _imagenet(_named_folders), ""),
    ("part of ImageNet by its path", works(), _as_folder, "synsets are matched to 1000 outputs without --class-names"),
    ("part of ImageNet by its path, with names", works(), lambda p: [*_as_folder(p), "--class-names", "imagenet"], ""),
    ("twelve outputs for imagenet", refused("12", "1000|1,000"), lambda p: [p.script, *_imagenet(_synset_folders("val"))(p)[1:]], ""),
    ("tiny-imagenet's own layout", works(), _tiny_set, ""),
    ("imagenet:val", either("imagenet"), lambda p: ["imagenet:val" if part == "imagenet" else part for part in _imagenet(_synset_folders("val"))(p)], ""),
    ("ImageNet in capitals", either("imagenet"), lambda p: ["ImageNet" if part == "imagenet" else part for part in _imagenet(_synset_folders("val"))(p)], ""),
    ("train and val, --split train", works(), lambda p: [*_imagenet(_synset_folders("train"))(p), "--split", "train"], "the user's own choice needs no word"),
)  # fmt: skip

KINDS = [
    *(Kind("readers", name, right, make, why) for name, right, make, why in _READERS),
    *(Kind("layouts", f"imagenet: {name}", right, make, why) for name, right, make, why in _IMAGENET),
]
