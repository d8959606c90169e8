"""Images that changed on disk since a run began are named; a new time alone is no change."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from PIL import Image

from cuesense.datasets.contents import FILE, added_since, contents_of, refuse_changed, remember
from cuesense.datasets.load import load_dataset
from cuesense.datasets.subset import subset
from cuesense.errors import OutputError
from cuesense.types import Dataset
from tests.helpers.small_networks import Colors


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(4):
            Image.new("RGB", (40, 40), (index, 0, 0)).save(tmp_path / "data" / name / f"{index}.bmp")
    return tmp_path / "data"


def load(root: Path) -> Dataset:
    return load_dataset(str(root))


def alter(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("place", [54, 2400, -1])
def test_a_changed_byte_anywhere_is_named(place: int, root: Path, tmp_path: Path) -> None:
    remember(tmp_path / "run", load(root))
    before = load(root).fingerprint
    alter(root / "dog" / "2.bmp", place)
    assert load(root).fingerprint != before
    wanted = "1 of 8 with another content since then ('dog/2.bmp'). Restore them"
    with pytest.raises(OutputError, match=re.escape(wanted)):
        refuse_changed(tmp_path / "run", load(root))


def test_a_new_time_alone_is_no_change(root: Path, tmp_path: Path) -> None:
    remember(tmp_path / "run", load(root))
    before = load(root).fingerprint
    for path in root.rglob("*.bmp"):
        os.utime(path, (1, 1))
    refuse_changed(tmp_path / "run", load(root))
    assert load(root).fingerprint == before


def test_many_are_counted(root: Path, tmp_path: Path) -> None:
    remember(tmp_path / "run", load(root))
    for path in root.rglob("*.bmp"):
        alter(path, 60)
    with pytest.raises(OutputError, match=r"8 of 8 .* and 3 more\)"):
        refuse_changed(tmp_path / "run", load(root))


def test_other_images_are_not_this_files_matter(root: Path, tmp_path: Path) -> None:
    remember(tmp_path / "run", load(root))
    (root / "dog" / "2.bmp").unlink()
    refuse_changed(tmp_path / "run", load(root))


@pytest.mark.parametrize("content", [None, "nonsense", "[1]"])
def test_without_a_list_of_images_nothing_is_refused(content: str | None, root: Path, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / FILE).write_text(content)
    refuse_changed(tmp_path, load(root))


def test_a_subset_reads_its_own_files_only(root: Path) -> None:
    chosen = subset(load(root), 1)
    before = chosen.fingerprint
    other = next(path for path in root.rglob("*.bmp") if path.relative_to(root).as_posix() not in chosen.sample_ids)
    alter(other, 60)
    assert set(contents_of(chosen)) == set(chosen.sample_ids)
    assert subset(load(root), 1).fingerprint == before


def test_datasets_that_are_no_files_have_no_contents(tmp_path: Path) -> None:
    remember(tmp_path, Colors(3))
    assert contents_of(Colors(3)) == {}
    assert not (tmp_path / FILE).exists()


def test_added_images_are_named_and_removed_ones_are_not(root: Path, tmp_path: Path) -> None:
    assert added_since(tmp_path / "run", load(root)) == []
    remember(tmp_path / "run", load(root))
    (root / "cat" / "1.bmp").rename(root / "cat" / "9.bmp")
    (root / "dog" / "3.bmp").unlink()
    assert added_since(tmp_path / "run", load(root)) == ["cat/9.bmp"]
    assert added_since(tmp_path / "run", Colors(3)) == []
