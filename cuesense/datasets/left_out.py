"""What a reader of image files leaves out: counted by kind, so that nothing is left out without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from cuesense.datasets.formats import needed_for, readable_suffixes
from cuesense.errors import listed
from cuesense.types import Dataset

# Kinds and names that a sentence lists.
_SHOWN = 5
# What operating systems, archives, notebooks and network drives leave in folders of images: nobody misses it.
_LITTER = frozenset(
    (
        "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "#recycle", "$recycle.bin",
        "system volume information", "lost+found", "__pycache__",
    )
)  # fmt: skip
# Documents that usually lie beside class folders.
_DOCUMENTS = frozenset(
    (
        "", ".txt", ".md", ".rst", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".toml", ".xml", ".html",
        ".pdf", ".py", ".sh", ".cfg", ".ini", ".log", ".md5", ".sha256",
    )
)  # fmt: skip


def is_litter(name: str) -> bool:
    """Return whether a file or folder is hidden, or one that systems and archives leave behind."""
    return name.startswith(".") or name.casefold() in _LITTER


def is_image_name(name: str) -> bool:
    """Return whether a file's suffix is one of images that can be read here."""
    return PurePath(name).suffix.lower() in readable_suffixes()


@dataclass
class LeftOut:
    """Counts what is left out while a folder is read.

    Attributes:
        kinds: Files of other kinds, by suffix.
        beside: Images that lie beside the class folders.
        hidden: Images whose names begin with a dot.
        links: Links that lead nowhere, back to a folder above or to another class.
        empty: Class folders without an image.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    beside: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def count_file(self, name: str, *, beside: bool = False) -> None:
        """Count a file that is not taken.

        Args:
            name: Its path, as a sentence should name it.
            beside: Whether it lies beside the class folders and not in one.
        """
        path = PurePath(name)
        suffix = path.suffix.lower()
        if is_litter(path.name):
            # "._a.jpg" is what macOS keeps about a.jpg, and no image.
            if is_image_name(path.name) and not path.name.startswith("._"):
                self.hidden.append(name)
        elif beside and is_image_name(path.name):
            self.beside.append(name)
        elif not (beside and suffix in _DOCUMENTS):
            self.kinds[suffix] += 1

    def remarks(self, classes: int) -> tuple[str, ...]:
        """Return what was left out, in sentences.

        Args:
            classes: How many class folders there are.
        """
        have = "1 class folder holds" if len(self.empty) == 1 else f"{len(self.empty)} of {classes} class folders hold"
        found = [
            f"{self.other_kinds()}." if self.kinds else "",
            *self.advice(),
            _sentence(self.beside, "image", "beside the class folders", "no folder says which class"),
            _sentence(self.hidden, "image", "with a dot before the name", "rename what is to count"),
            _sentence(
                self.links,
                "link",
                "to nowhere, to a folder above or to another class",
                "correct or remove what is to count",
            ),
            f"{have} no image: {_quoted(self.empty)}." if self.empty else "",
        ]
        return tuple(sentence for sentence in found if sentence)

    def other_kinds(self) -> str:
        """Return what to say of files of other kinds, without a full stop; an empty text where there are none."""
        if not self.kinds:
            return ""
        total = self.kinds.total()
        # What could be read with another package is never among those that are cut off.
        common = sorted(self.kinds.most_common(), key=lambda kind: needed_for(kind[0]) is None)
        if len(common) == 1:
            shown = common[0][0] or "no suffix"
        else:
            shown = listed([f"{count} {suffix or 'without suffix'}" for suffix, count in common], _SHOWN)
        what = "1 file of another kind" if total == 1 else f"{total} files of other kinds"
        return f"{what} ({shown}) {'was' if total == 1 else 'were'} left out"

    def advice(self) -> list[str]:
        """Return a sentence for each package that would read some of the files of other kinds."""
        needs: dict[str, list[str]] = {}
        for suffix in sorted(self.kinds):
            if need := needed_for(suffix):
                needs.setdefault(need, []).append(suffix)
        found = []
        for need, suffixes in needs.items():
            count = sum(self.kinds[suffix] for suffix in suffixes)
            files = (
                f"the {' and '.join(suffixes)} file" if count == 1 else f"the {count} {' and '.join(suffixes)} files"
            )
            text = need.format(files)
            found.append(f"{text[0].upper()}{text[1:]}.")
        return found


def remarks_of(dataset: Dataset) -> tuple[str, ...]:
    """Return what a dataset has to say about how it was read; a Dataset may have ``remarks``, and need not."""
    found: tuple[str, ...] = getattr(dataset, "remarks", ())
    return found


def _sentence(names: Sequence[str], what: str, which: str, why: str) -> str:
    if not names:
        return ""
    many = f"1 {what}" if len(names) == 1 else f"{len(names)} {what}s"
    return f"{many} {which} {'was' if len(names) == 1 else 'were'} left out ({_quoted(names)}): {why}."


def _quoted(names: Sequence[str]) -> str:
    return listed([f"'{name}'" for name in names], _SHOWN)
