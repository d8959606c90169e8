"""Datasets of the Hugging Face hub, through the package ``datasets``: from its cache, or downloaded where asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from cuesense.datasets.hf_features import class_names, image_column, label_column
from cuesense.datasets.labels import read_labels
from cuesense.datasets.records import Content, RecordDataset, from_records, record_ids
from cuesense.datasets.split_choice import choose_split
from cuesense.errors import CuesenseError, DatasetError, UnreadableImageError, expected, first_line

_SHOWN = 6


@dataclass(frozen=True)
class HubSource:
    """The images of a column of a ``datasets.Dataset``, not decoded by it.

    Attributes:
        rows: The dataset with that column alone.
        image: The column.
    """

    rows: Any
    image: str

    def content(self, place: int) -> Content:
        """Return one image, as ``records.Source`` says."""
        try:
            found = self.rows[place][self.image]
            content = found.get("bytes") if isinstance(found, dict) else found
            return bytes(content) if content is not None else Path(found["path"]).read_bytes()
        except Exception as error:  # whatever the other package raises
            raise UnreadableImageError(first_line(error)) from error


def from_hub(argument: str, *, split: str | None, download: bool) -> RecordDataset:
    """Return a dataset of the hub.

    Args:
        argument: ``user/name`` or ``name``, also with ``@config`` behind it.
        split: The part to read; None takes validation, else test.
        download: Fetch what is not in the cache.

    Raises:
        SplitError: There is no such part.
        DatasetError: The package is missing, the dataset is not in the cache (or cannot be fetched), or it has no
            column of images or of classes.
    """
    name, _, config = argument.partition("@")
    library = _library(argument)
    with _network(library, allowed=download), _asking(argument, download=download):
        parts = library.load_dataset(name, config or None)
    chosen, said = choose_split(list(parts), split, f"'{argument}'")
    return replace(from_rows(parts[chosen], f"hf:{argument}", said), split=chosen)


def from_rows(rows: Any, spec: str, said: str | None = None) -> RecordDataset:
    """Return the images of a ``datasets.Dataset``.

    Args:
        rows: The dataset.
        spec: What the user named.
        said: What to say of the choice of these rows.

    Raises:
        DatasetError: It has no column of images or of classes.
    """
    features = {
        name: feature.to_dict() if hasattr(feature, "to_dict") else _plain(feature)
        for name, feature in rows.features.items()
    }
    schema = rows.features.arrow_schema
    image = image_column(schema, features, f"'{spec}'")
    label = label_column(schema, features, image, f"'{spec}'")
    library = import_module("datasets")
    images = rows.select_columns([image]).with_format(None)
    if features[image].get("_type") == "Image":
        images = images.cast_column(image, library.Image(decode=False))
    labels = read_labels(rows.with_format(None)[label][:], f"'{spec}'", class_names(features[label]))
    kinds = [labels.names[index] for index in labels.indices]
    ids = record_ids(_file_names(images, image), kinds)
    records = zip(ids, labels.indices, range(len(ids)), strict=True)
    return from_records(spec, labels.names, records, HubSource(images, image), filter(None, [said]))


def _plain(feature: Any) -> dict[str, Any]:
    names = getattr(feature, "names", None)
    return {"_type": type(feature).__name__, **({"names": list(names)} if names else {})}


def _file_names(images: Any, image: str) -> list[str | None]:
    table = images.data.table
    column = table.column(image)
    if (
        images._indices is not None
        or not hasattr(column.type, "get_field_index")
        or column.type.get_field_index("path") < 0
    ):
        return [None] * len(images)
    return [name for chunk in column.chunks for name in chunk.field("path").to_pylist()]


def _library(argument: str) -> Any:
    try:
        return import_module("datasets")
    except ImportError:
        to_be = "a file or folder that is there, or to be read with the package datasets"
        do = "Check the path. For a dataset of the hub, install it: pip install 'cuesense[hf]'"
        raise DatasetError(expected(f"hf:{argument}", to_be, "nothing there and no such package", do)) from None


@contextmanager
def _network(library: Any, *, allowed: bool) -> Iterator[None]:
    """Keep ``datasets`` from asking the network, unless that is allowed; the setting is put back."""
    if allowed:
        yield
        return
    hub = import_module("huggingface_hub.constants")
    places = [(library.config, "HF_HUB_OFFLINE"), (hub, "HF_HUB_OFFLINE")]
    before = [getattr(module, name, False) for module, name in places]
    try:
        for module, name in places:
            setattr(module, name, True)
        yield
    finally:
        for (module, name), value in zip(places, before, strict=True):
            setattr(module, name, value)


@contextmanager
def _asking(argument: str, *, download: bool) -> Iterator[None]:
    try:
        yield
    except CuesenseError:
        raise
    except Exception as error:  # whatever the other package raises
        where = "in the cache of datasets (HF_HOME)" if not download else "to be had from the hub"
        do = "Check the name; a network is needed" if download else "Check the path or name, or add --download"
        got = f"nothing that it could read ('{first_line(error)}')"
        raise DatasetError(expected(f"hf:{argument}", f"a path, or a dataset {where}", got, do)) from error
