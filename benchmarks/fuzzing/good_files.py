"""Good files of every kind that the package reads; the damages start from them."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from cuesense import package_files
from cuesense.schemas.profile import Profile
from tests.helpers import prediction_tables
from tests.helpers.contract_documents import OLD, real
from tests.helpers.small_networks import SIZE, Meanest, picture

CLASSES = ("ant", "bee", "cow")
SAMPLES = tuple(f"{name}/{number}.png" for name in CLASSES for number in range(4))
_CURVES = ("grayscale", "patch_shuffle", "random_resized_crop")


@dataclass(frozen=True)
class GoodFile:
    """A file's content, and the suffix by which readers recognize it."""

    suffix: str
    content: bytes


def network() -> nn.Module:
    """Return the small network whose weights the files of weights hold."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def models() -> list[GoodFile]:
    """Return a file of every container of models."""
    from safetensors.torch import save

    weights = network().state_dict()
    example = torch.rand(2, 3, SIZE, SIZE)
    whole = torch.jit.trace(Meanest(), example)
    traced = io.BytesIO()
    torch.jit.save(whole, traced)
    exported = io.BytesIO()
    torch.export.save(torch.export.export(Meanest(), (example,)), exported)
    checkpoint = {"model": weights, "epoch": 3, "args": {"lr": 0.1}}
    lightning = {"state_dict": {f"model.{k}": v for k, v in weights.items()}, "pytorch-lightning_version": "2.4.0"}
    return [
        GoodFile(".pt2", exported.getvalue()),
        GoodFile(".pt", traced.getvalue()),
        GoodFile(".safetensors", save({name: tensor.contiguous() for name, tensor in weights.items()})),
        GoodFile(".pth", _saved(weights)),
        GoodFile(".pth", _saved(weights, legacy=True)),
        GoodFile(".pth", _saved(checkpoint)),
        GoodFile(".ckpt", _saved(lightning)),
        GoodFile(".pth", _saved(network())),
    ]


def _saved(value: Any, *, legacy: bool = False) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def images() -> list[GoodFile]:
    """Return a picture in every format."""
    rgb = Image.fromarray(picture(0, 1, 24))
    gray16 = Image.fromarray(np.arange(576, dtype=np.uint16).reshape(24, 24) * 100)
    kinds = (
        (rgb, "JPEG"),
        (rgb, "PNG"),
        (rgb.quantize(8), "PNG"),
        (gray16, "PNG"),
        (rgb.quantize(8), "GIF"),
        (rgb, "BMP"),
        (rgb, "TIFF"),
        (gray16, "TIFF"),
        (rgb, "WEBP"),
        (rgb, "PPM"),
        (rgb.convert("CMYK"), "JPEG"),
        (rgb.convert("RGBA"), "PNG"),
    )
    found = []
    for image, name in kinds:
        out = io.BytesIO()
        image.save(out, name)
        found.append(GoodFile(f".{name.lower()}", out.getvalue()))
    return found


def label_tables() -> list[GoodFile]:
    """Return tables of images and their labels."""
    frame = pd.DataFrame({"path": SAMPLES, "label": [name.split("/")[0] for name in SAMPLES]})
    return [*_tables(frame), *_tables(frame.assign(label=np.repeat(range(3), 4)))]


def predictions() -> list[GoodFile]:
    """Return tables of predictions, also one that ``analyze`` would write."""
    from cuesense.predictions.table import read
    from cuesense.predictions.write_table import write

    frame = prediction_tables.rows(3, {"grayscale": 2, "random_resized_crop": 2})
    found = _tables(frame)
    with tempfile.TemporaryDirectory() as folder:
        plain = prediction_tables.saved(frame, Path(folder) / "plain.parquet")
        own = Path(folder) / "own.parquet"
        write(read(plain)[0], own)
        found.append(GoodFile(".parquet", own.read_bytes()))
    return found


def accuracies() -> list[GoodFile]:
    """Return tables of accuracies by run and class."""
    rows = [
        {"run": f"{s}-{r}", "strength": s, "seed": r, "class": name, "accuracy": 0.5 + 0.1 * s + 0.02 * r, "n": 50}
        for s in (0, 1, 2)
        for r in (0, 1)
        for name in CLASSES
    ]
    frame = pd.DataFrame(rows)
    return [*_tables(frame), *_tables(frame.assign(regularizer="mixup"))]


def _tables(frame: pd.DataFrame) -> list[GoodFile]:
    out = io.BytesIO()
    frame.to_parquet(out)
    return [GoodFile(".csv", frame.to_csv(index=False).encode()), GoodFile(".parquet", out.getvalue())]


def run_lists() -> list[GoodFile]:
    """Return lists of checkpoints."""
    table = "model,regularizer,strength,seed\n" + "".join(
        f"timm:net{s}{r},mixup,{s},{r}\n" for s in (0, 0.1, 0.2) for r in (0, 1)
    )
    toml = 'regularizer = "mixup"\n' + "".join(
        f'[[runs]]\nmodel = "timm:net{s}{r}"\nstrength = {s}\nseed = {r}\n' for s in (0, 0.1) for r in (0, 1)
    )
    return [GoodFile(".csv", table.encode()), GoodFile(".toml", toml.encode())]


def class_names() -> list[GoodFile]:
    """Return lists of class names in every form."""
    indexed = json.dumps({str(index): name for index, name in enumerate(CLASSES)})
    synsets = "index,name,synset\n" + "".join(f"{i},{name},n0000000{i}\n" for i, name in enumerate(CLASSES))
    return [
        GoodFile(".txt", "\n".join(CLASSES).encode()),
        GoodFile(".json", json.dumps(CLASSES).encode()),
        GoodFile(".json", indexed.encode()),
        GoodFile(".csv", synsets.encode()),
    ]


def groups() -> list[GoodFile]:
    """Return tables of classes and their groups."""
    return [GoodFile(".csv", b"class,group\nant,insects\nbee,insects\ncow,mammals\nant,small\n")]


def accepted_labels() -> list[GoodFile]:
    """Return annotations that several classes are right for an image."""
    table = "path,accepted\n" + "".join(f"{sample},ant|bee\n" for sample in SAMPLES)
    return [GoodFile(".csv", table.encode()), GoodFile(".json", json.dumps([[0], [1, 2], []] * 10).encode())]


def profiles() -> list[GoodFile]:
    """Return profiles: the first format, and one with every block but few curves."""
    whole = real("profile")
    if not isinstance(whole, Profile):
        raise TypeError("the profile among the documents is none")
    few = [curve for curve in whole.curves if curve.perturbation in _CURVES]
    small = whole.model_copy(update={"curves": few})
    plain = small.model_copy(update={"forecast": None, "verified": None})
    texts = (json.dumps(OLD["profile"]), small.to_json(), plain.to_json())
    return [GoodFile(".json", text.encode()) for text in texts]


def documents(name: str) -> list[GoodFile]:
    """Return documents of another contract, the first format and one of today."""
    return [GoodFile(".json", text.encode()) for text in (json.dumps(OLD[name]), real(name).to_json())]


def configs() -> list[GoodFile]:
    """Return the presets and a small configuration."""
    small = b'description = "small"\nrepeats = 2\n[perturbations]\ngrayscale = "ladder"\nhue = [0.05, 0.1, 0.2]\n'
    presets = sorted(package_files.folder("configs").glob("*.toml"))
    return [GoodFile(".toml", small), *(GoodFile(".toml", path.read_bytes()) for path in presets)]


def every() -> dict[str, list[GoodFile]]:
    """Return the good files of every reader by its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "profiles": profiles(),
            "command-line": profiles(),
            "audits": documents("audit"),
            "comparisons": documents("comparison"),
            "gates": documents("gate"),
            "verifications": documents("verification"),
            "configs": configs(),
            "class-names": class_names(),
            "groups": groups(),
            "accepted-labels": accepted_labels(),
            "run-lists": run_lists(),
            "accuracies": accuracies(),
            "label-tables": label_tables(),
            "predictions": predictions(),
            "images": images(),
            "models": models(),
        }
