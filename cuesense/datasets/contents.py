"""Which images of a run changed on disk since the run began: kept beside its results, and compared when it goes on."""

from __future__ import annotations

import json
from pathlib import Path

from cuesense.atomic_files import replacing, unwritable
from cuesense.errors import OutputError, expected, listed
from cuesense.types import Dataset

FILE = "images.json"
# Images that a sentence names.
_SHOWN = 5


def contents_of(dataset: Dataset) -> dict[str, str]:
    """Return a digest of each image's file by the image's id; nothing for datasets that are no files."""
    contents: tuple[str, ...] = getattr(dataset, "contents", ())
    return dict(zip(dataset.sample_ids, contents, strict=True)) if contents else {}


def changed_since(folder: Path, dataset: Dataset) -> list[str]:
    """Return the ids of images with another content than when the results of a folder were made.

    Args:
        folder: The results' folder; no image has changed where it does not exist or does not know its images.
        dataset: The images now.
    """
    before, now = _before(folder / FILE), contents_of(dataset)
    return sorted(name for name in before.keys() & now.keys() if before[name] != now[name])


def added_since(folder: Path, dataset: Dataset) -> list[str]:
    """Return the ids of images that were not in the dataset when the results of a folder were made.

    Args:
        folder: The results' folder; no image is new where it does not exist or does not know its images.
        dataset: The images now.
    """
    before = _before(folder / FILE)
    return sorted(contents_of(dataset).keys() - before.keys()) if before else []


def changed_remark(folder: Path, dataset: Dataset) -> str:
    """Return a sentence on the images that changed since the results of a folder were made; empty where none did."""
    changed = changed_since(folder, dataset)
    if not changed:
        return ""
    shown = listed([f"'{name}'" for name in changed], _SHOWN)
    have = "has" if len(changed) == 1 else "have"
    what = f"{len(changed)} of {len(dataset)} images {have} another content than when measured before ({shown})"
    return f"{what}, and {'is' if len(changed) == 1 else 'are'} measured again."


def refuse_changed(folder: Path, dataset: Dataset) -> None:
    """Raise OutputError where images have another content than when the results of a folder were made.

    Args:
        folder: The results' folder; nothing is refused where it does not exist or does not know its images.
        dataset: The images now.
    """
    changed = changed_since(folder, dataset)
    if changed:
        shown = listed([f"'{name}'" for name in changed], _SHOWN)
        to_be = "those of the run that is in it"
        got = f"{len(changed)} of {len(dataset)} with another content since then ({shown})"
        do = "Restore them, give another --output, or --restart to measure all images again"
        raise OutputError(expected(f"the images of {folder.parent}", to_be, got, do))


def remember(folder: Path, dataset: Dataset) -> None:
    """Write down what a dataset's images hold, for ``refuse_changed``.

    Raises:
        OutputError: The folder cannot be written.
    """
    found = contents_of(dataset)
    if found and found != _before(folder / FILE):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # No result: it does not count among what an interrupted run has written.
            with replacing(folder / FILE, record=False) as temporary:
                temporary.write_text(json.dumps(found, indent=0), encoding="utf-8")
        except OSError as error:
            raise unwritable(folder, error) from None


def _before(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
