"""The same few labeled images in every form that a dataset reader knows."""

from __future__ import annotations

import csv
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from tests.helpers.small_networks import NAMES, picture

COUNT, SIDE = 24, 32
LABELS = [place * len(NAMES) // COUNT for place in range(COUNT)]
# The order of positions is that of the names, so that readers without names give the same order.
STEMS = [f"val_{place:02d}" for place in range(COUNT)]
NAMED = [f"{NAMES[label]}/{stem}.png" for label, stem in zip(LABELS, STEMS, strict=True)]
PIXELS = np.stack([picture(place, label, SIDE) for place, label in enumerate(LABELS)])


def png(pixels: NDArray[np.uint8]) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()


FILES = [png(pixels) for pixels in PIXELS]


def class_folders(folder: Path) -> Path:
    for name, content in zip(NAMED, FILES, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def flat_images(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, content in zip(STEMS, FILES, strict=True):
        (folder / f"{stem}.png").write_bytes(content)
    return folder


def rows(head: str = "path", label: str = "label") -> list[dict[str, str]]:
    return [{head: name, label: NAMES[index]} for name, index in zip(NAMED, LABELS, strict=True)]


def separated(path: Path, separator: str, head: str = "path", label: str = "label", *, header: bool = True) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        if header:
            writer.writerow([head, label])
        writer.writerows(row.values() for row in rows())
    return path


def json_lines(path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows("file_name")), encoding="utf-8")
    return path


def parquet_list(path: Path) -> Path:
    pd.DataFrame(rows("Image Path", "Class")).to_parquet(path)
    return path


FEATURES = {"image": {"_type": "Image"}, "label": {"names": list(NAMES), "_type": "ClassLabel"}}


def inline_table(*, names: bool = True, structured: bool = True) -> pa.Table:
    """Images as ``datasets`` stores them in Parquet and Arrow files."""
    held = [{"bytes": file, "path": f"{stem}.png" if names else None} for file, stem in zip(FILES, STEMS, strict=True)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    image = pa.array(held, kind) if structured else pa.array(FILES, pa.binary())
    schema = pa.schema([("image", image.type), ("label", pa.int64())])
    told = {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()}
    return pa.Table.from_arrays([image, pa.array(LABELS)], schema=schema.with_metadata(told))


def inline_parquet(path: Path, **kind: bool) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(inline_table(**kind), path, row_group_size=5)
    return path


def saved_to_disk(folder: Path) -> Path:
    """What ``Dataset.save_to_disk`` writes."""
    folder.mkdir(parents=True)
    table = inline_table()
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        for batch in table.to_batches(7):
            out.write_batch(batch)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def shards(folder: Path, *, kind: str = "cls") -> Path:
    """Two WebDataset shards whose keys are bare names, with classes as names."""
    samples = []
    for stem, label, content in zip(STEMS, LABELS, FILES, strict=True):
        name = NAMES[label]
        held = json.dumps({"label": name}) if kind == "json" else name
        samples.append([(f"{stem}.png", content), (f"{stem}.{kind}", held.encode())])
    half = COUNT // 2
    for number, part in enumerate((samples[:half], samples[half:])):
        tar(folder / f"shard-{number:06d}.tar", [member for sample in part for member in sample])
    return folder


def zipped(path: Path, around: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in zip(NAMED, FILES, strict=True):
            archive.writestr(f"{around}{name}", content)
            archive.writestr(f"__MACOSX/{around}._{Path(name).name}", b"x")
    return path


def arrays(path: Path, images: str = "images", labels: str = "labels", **others: object) -> Path:
    given = {images: PIXELS, labels: np.array(LABELS), "class_names": np.array(NAMES), **others}
    np.savez_compressed(path, **given)  # type: ignore[arg-type]
    return path


def cifar(root: Path, protocol: int = 2) -> Path:
    """CIFAR-10's folder as torchvision unpacks it, with other images in it."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    data = PIXELS.transpose(0, 3, 1, 2).reshape(COUNT, -1)
    batch = {b"data": data, b"labels": LABELS, b"filenames": [f"{stem}.png".encode() for stem in STEMS]}
    (folder / "test_batch").write_bytes(pickle.dumps(batch, protocol))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(NAMES)}, protocol))
    return root
