"""ImageNet's validation set, where it lies on disk as 1000 synset folders."""

from __future__ import annotations

import os
from pathlib import Path

from cuesense.datasets.files import FileDataset
from cuesense.datasets.folder import scan
from cuesense.datasets.splits import refuse_download
from cuesense.errors import DatasetError, SplitError, expected
from cuesense.imagenet_names import imagenet_synsets


def load(
    argument: str, *, data_root: Path | None = None, split: str | None = None, download: bool = False
) -> FileDataset:
    """Return the ILSVRC-2012 validation images; nothing is downloaded.

    Args:
        argument: Empty: there is one validation set.
        data_root: The folder that holds ``imagenet/val`` or ``val``, or the synset folders themselves; else the
            environment variable CUESENSE_DATA names it.
        split: ``"val"`` or None.
        download: Refused: ImageNet's terms ask everyone to fetch it themselves.

    Returns:
        The dataset; its classes are the 1000 synsets in sorted order.

    Raises:
        DatasetError: No root was named, or the synset folders are not there.
    """
    if argument:
        raise DatasetError(expected("imagenet", "named alone", f"'imagenet:{argument}'", "Write imagenet"))
    refuse_download("imagenet", download=download)
    if split not in (None, "val"):
        raise SplitError(expected("--split", "val for imagenet", f"'{split}'", "Leave it out"))
    root = data_root or os.environ.get("CUESENSE_DATA")
    if not root:
        do = "Give --data-root or set CUESENSE_DATA to the folder that holds imagenet/val"
        raise DatasetError(expected("ImageNet's folder", "named", "neither --data-root nor CUESENSE_DATA", do))
    return scan(_validation_folder(Path(root)), spec="imagenet")


def _validation_folder(root: Path) -> Path:
    candidates = (root / "imagenet" / "val", root / "val", root)
    found = [sum((folder / synset).is_dir() for synset in imagenet_synsets()) for folder in candidates]
    # All 1,000 or none: with some missing, class indices would be others than the model's outputs.
    most = max(found)
    if most == len(imagenet_synsets()):
        return candidates[found.index(most)]
    do = "Sort the validation images into synset folders, or name a part of ImageNet by its own path"
    to_be = "1000 synset folders in imagenet/val, in val or in itself"
    raise DatasetError(expected(f"'{root}'", f"a folder with {to_be}", f"at most {most} of them", do))
