"""Files written whole or not at all, and the record of what was written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.atomic_files import (
    TEMPORARY,
    Written,
    digest,
    record_parts,
    recorded,
    refuse_folder,
    remove_file,
    replacing,
    unwritable,
    write_file,
)
from cuesense.errors import OutputError


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@given(st.dictionaries(st.text(max_size=5), st.integers(), min_size=1, max_size=6))
def test_a_digest_depends_on_the_settings_and_not_on_their_order(settings: dict[str, int]) -> None:
    backwards = dict(reversed(settings.items()))
    name = next(iter(settings))
    assert digest(settings) == digest(backwards)
    assert digest(settings) != digest(settings | {name: settings[name] + 1})


def test_a_digest_has_two_hexadecimal_digits_a_byte() -> None:
    assert len(digest({"seed": 1})) == 16
    assert len(digest({"seed": 1}, size=6)) == 12


def test_a_full_disk_keeps_the_older_text_and_no_half_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    write_file(path, "old")
    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_text_is_utf_8_in_folders_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_file(path, "drop ≤ 5 %")
    assert path.read_bytes() == "drop ≤ 5 %".encode()


def test_a_folder_is_no_output_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="to be a file, but got a folder"):
        write_file(tmp_path, "text")
    refuse_folder(tmp_path / "missing")
    (tmp_path / "there").write_text("older")
    refuse_folder(tmp_path / "there")


def test_a_file_in_the_way_of_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="writable, but got 'File exists'"):
        write_file(tmp_path / "file" / "report.html", "text")


def test_the_systems_reason_is_given_where_there_is_one(tmp_path: Path) -> None:
    assert "'Permission denied'" in str(unwritable(tmp_path, OSError(13, "x")))
    assert "'no such archive'" in str(unwritable(tmp_path, ValueError("no such archive")))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_the_system_refuses_at_any_step_keeps_the_older_text(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network file systems say only when a file is flushed that the disk is full."""
    path = tmp_path / "report.html"
    write_file(path, "old")
    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[call], full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_an_interruption_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            assert temporary.match(TEMPORARY)
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as first, replacing(tmp_path / "a") as second:
        first.write_text("first")
        second.write_text("second")
    assert first != second
    assert (tmp_path / "a").read_text() == "first"


def test_a_file_that_is_not_there_may_be_removed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    for _ in range(2):
        remove_file(tmp_path / "a")
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        remove_file(tmp_path / "folder")


def test_the_record_tells_what_is_on_the_disk(tmp_path: Path) -> None:
    """What was there before, was removed since, or was about to be written does not count."""
    store, found = tmp_path / "outcomes", Written()
    store.mkdir()
    (tmp_path / "older.csv").write_text("")
    with recorded(found):
        record_parts({store / "shard-0.npz", store / "gone.npz"}, store, restarted=False)
        (store / "shard-0.npz").write_text("")
        write_file(store / "shard-1.npz", "")
        write_file(tmp_path / "new.csv", "")
        write_file(tmp_path / "removed.csv", "")
        remove_file(tmp_path / "removed.csv")

    def interrupted() -> None:
        with replacing(tmp_path / "older.csv") as temporary:
            temporary.write_text("new")
            found.inodes[tmp_path / "older.csv"] = temporary.stat().st_ino
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    write_file(tmp_path / "later.csv", "")
    assert found.kept() == [store / "shard-0.npz", store / "shard-1.npz"]
    assert found.outputs() == [tmp_path / "new.csv"]
    assert not found.restarted
