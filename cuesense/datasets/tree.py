"""Images in an archive, by the names of its members alone: class folders, parts with class folders, or a table."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cuesense.datasets.left_out import LeftOut, is_image_name, is_litter
from cuesense.datasets.split_choice import choose_split
from cuesense.datasets.splits import refuse_split, split_kind
from cuesense.datasets.table import read_rows
from cuesense.errors import DatasetError, expected, listed
from cuesense.tables.read_listing import SUFFIXES

_SHOWN = 4
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
# Bytes of a table in an archive that is unpacked. Chosen by hand.
_LARGEST_TABLE = 2**28


@dataclass(frozen=True)
class Tree:
    """The images that an archive holds.

    Attributes:
        class_names: Names of the classes.
        records: Id, label, and place among the members of each image.
        remarks: What was chosen or left out, in sentences.
        split: The part of a dataset that was read, None where there are no parts.
    """

    class_names: tuple[str, ...]
    records: list[tuple[str, int, int]]
    remarks: tuple[str, ...]
    split: str | None = None


@dataclass
class _Members:
    """Members of an archive as they are narrowed down: the place of each by its name below the current folder."""

    what: str
    images: dict[str, int]
    others: dict[str, int]
    said: list[str] = field(default_factory=list)
    split: str | None = None

    def below(self, folder: str) -> None:
        """Go into a folder; what lies elsewhere is forgotten."""
        start = f"{folder}/"
        self.images = {name.removeprefix(start): at for name, at in self.images.items() if name.startswith(start)}
        self.others = {name.removeprefix(start): at for name, at in self.others.items() if name.startswith(start)}

    def folders(self) -> list[str]:
        """Return the folders that hold images, at any depth."""
        return sorted({name.partition("/")[0] for name in self.images if "/" in name})


def read_tree(names: Sequence[str], what: str, split: str | None, read: Callable[[int], bytes]) -> Tree:
    """Return the images of an archive with their classes.

    Folders around everything are passed over; of parts (train, val, test) one is read; then each folder is a class, as
    in a folder of class folders, whose ids these images have. Images without class folders need a table in the
    archive.

    Args:
        names: The names of the members.
        what: What errors call the archive.
        split: The part to read, None for the usual one.
        read: Returns the content of a member.

    Raises:
        SplitError: There is no such part.
        DatasetError: There is no image, or nothing says the classes.
    """
    members = _sorted_out(names, what)
    while _is_wrapped(members):
        members.below(members.folders()[0])
    parts = members.folders()
    if parts and all(map(split_kind, parts)) and all(name.count("/") for name in members.images):
        chosen, said = choose_split(parts, split, what)
        members.said += [said] if said else []
        members.below(chosen)
        members.split = chosen
    else:
        refuse_split(what, split)
    table = _table(members)
    if table is not None and (not members.folders() or len(members.folders()) == 1):
        return _by_table(members, table, read)
    if not members.folders():
        got = f"images without class folders ({listed(sorted(members.images), _SHOWN)}) and without a table of labels"
        do = "Put each image into a folder named after its class, or add a table labels.csv with the columns path,label"
        raise DatasetError(expected(what, "an archive of class folders", got, do))
    return _by_folder(members)


def _sorted_out(names: Sequence[str], what: str) -> _Members:
    kept = [
        (PurePosixPath(name.replace("\\", "/")).as_posix(), place)
        for place, name in enumerate(names)
        if not name.endswith("/")
        and not any(is_litter(part) for part in PurePosixPath(name).parts if part not in (".", ".."))
    ]
    images = {name: place for name, place in kept if is_image_name(name)}
    if not images:
        inside = sorted(name for name, _ in kept if name.lower().endswith(_ARCHIVES))
        got = f"archives in the archive ({listed(inside, _SHOWN)})" if inside else "no image in it"
        do = "Unpack it, and name what is in it" if inside else "Check that it is the right file"
        raise DatasetError(expected(what, "an archive of images", got, do))
    return _Members(what, images, {name: place for name, place in kept if name not in images})


def _is_wrapped(members: _Members) -> bool:
    """Return whether one folder lies around everything, in which there are folders still."""
    folders = members.folders()
    return (
        len(folders) == 1
        and not split_kind(folders[0])
        and all(name.count("/") >= 2 for name in members.images)
        and all("/" in name for name in members.images)
    )


def _by_folder(members: _Members) -> Tree:
    left_out = LeftOut()
    for name in members.others:
        left_out.count_file(name, beside="/" not in name)
    for name in members.images:
        if "/" not in name:
            left_out.count_file(name, beside=True)
    classes = members.folders()
    index = {name: place for place, name in enumerate(classes)}
    records = [(name, index[name.partition("/")[0]], place) for name, place in members.images.items() if "/" in name]
    remarks = (*members.said, *left_out.remarks(len(classes)))
    return Tree(tuple(classes), records, remarks, members.split)


def _table(members: _Members) -> str | None:
    """Return the table of labels: the only table beside the images."""
    found = [name for name in members.others if PurePosixPath(name).suffix.lower() in SUFFIXES and "/" not in name]
    found = [name for name in found if not name.lower().startswith(("readme", "license", "classes"))]
    first = [name for name in found if PurePosixPath(name).stem.casefold() in ("metadata", "labels", "annotations")]
    chosen = first[:1] or found
    return chosen[0] if len(chosen) == 1 else None


def _by_table(members: _Members, table: str, read: Callable[[int], bytes]) -> Tree:
    content = read(members.others[table])
    if len(content) > _LARGEST_TABLE:
        got = f"{len(content):,} bytes"
        raise DatasetError(expected(f"the table '{table}' of {members.what}", "smaller", got, "Unpack the archive"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PurePosixPath(table).name
        path.write_bytes(content)
        try:
            rows = read_rows(path)
        except DatasetError as error:
            sentence = error.for_command_line.replace(str(path), f"{table} of {members.what.strip(chr(39))}")
            raise DatasetError(sentence) from error
    by_end = Counter(PurePosixPath(name).name for name in members.images)
    places = {**members.images}
    places.update({PurePosixPath(n).name: at for n, at in members.images.items() if by_end[PurePosixPath(n).name] == 1})
    places.update({PurePosixPath(n).with_suffix("").as_posix(): at for n, at in list(places.items())} | places)
    missing = [name for name in rows.ids if name not in places]
    if missing:
        got = f"{len(missing)} of {len(rows.ids)} that are not in it ({listed(missing, _SHOWN)})"
        raise DatasetError(expected(f"the images of '{table}' in {members.what}", "there", got, "Correct the table"))
    records = [(name, label, places[name]) for name, label in zip(rows.ids, rows.labels.indices, strict=True)]
    said = f"The classes are those of the table '{table}' in the archive."
    return Tree(rows.labels.names, records, (*members.said, said, *rows.remarks), members.split)
