"""Files written whole or not at all, and folders that refuse results of other settings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.atomic_files import claim, digest, read_arrays, refuse_folder, unwritable, write_arrays, write_file
from cuesense.errors import OutputError

PATTERN = "part-*.npz"


def full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@given(st.dictionaries(st.text(max_size=5), st.integers(), min_size=1, max_size=6))
def test_a_digest_depends_on_the_settings_and_not_on_their_order(settings: dict[str, int]) -> None:
    backwards = dict(reversed(settings.items()))
    name = next(iter(settings))
    assert digest(settings) == digest(backwards)
    assert digest(settings) != digest(settings | {name: settings[name] + 1})


def test_a_digest_has_two_hexadecimal_digits_a_byte() -> None:
    assert len(digest({"seed": 1})) == 16
    assert len(digest({"seed": 1}, size=6)) == 12


def test_a_folder_is_created_with_its_settings(tmp_path: Path) -> None:
    claim(tmp_path / "a" / "b", {"seed": 1}, PATTERN)
    assert json.loads((tmp_path / "a" / "b" / "settings.json").read_text()) == {"seed": 1}
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["settings.json"]


def test_other_settings_are_refused_once_there_are_results(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    claim(folder, {"seed": 1, "size": (64, 64)}, PATTERN)
    claim(folder, {"seed": 2, "size": (64, 64)}, PATTERN)
    (folder / "part-0.npz").write_bytes(b"")
    claim(folder, {"seed": 2, "size": (64, 64)}, PATTERN)
    with pytest.raises(OutputError, match=r"results with other batch, seed\. Give another output, or restart=True"):
        claim(folder, {"seed": 1, "size": (64, 64), "batch": 8}, PATTERN)
    assert json.loads((folder / "settings.json").read_text())["seed"] == 2


def test_restart_deletes_results_and_half_written_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    claim(folder, {"seed": 1}, PATTERN)
    for name in ("part-0.npz", "part-1.tmp", "notes.txt"):
        (folder / name).write_bytes(b"")
    claim(folder, {"seed": 2}, PATTERN, restart=True)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "settings.json"]
    assert json.loads((folder / "settings.json").read_text()) == {"seed": 2}


@pytest.mark.parametrize("restart", [False, True])
def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path, restart: bool) -> None:
    (tmp_path / "part-0.npz").write_bytes(b"mine")
    with pytest.raises(OutputError, match="a folder of cuesense, but got other files"):
        claim(tmp_path, {"seed": 1}, PATTERN, restart=restart)
    assert (tmp_path / "part-0.npz").read_bytes() == b"mine"
    assert not (tmp_path / "settings.json").exists()


@pytest.mark.parametrize("content", ["{", "[1]", "null"])
def test_damaged_settings_are_named(tmp_path: Path, content: str) -> None:
    claim(tmp_path, {"seed": 1}, PATTERN)
    (tmp_path / "part-0.npz").write_bytes(b"")
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(OutputError, match=r"settings\.json to be the settings of a run.*restart=True"):
        claim(tmp_path, {"seed": 1}, PATTERN)


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "part-0.npz"
    write_arrays(path, {"a": np.arange(5, dtype=np.int16), "b": np.eye(2, dtype=np.float32)})
    found = read_arrays(path, ("b", "a"))
    assert list(found) == ["b", "a"]
    assert found["a"].dtype == np.int16
    assert found["a"].tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(found["b"], np.eye(2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["part-0.npz"]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "missing", "without the array"])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "part-0.npz"
    write_arrays(path, {"a": np.arange(500)})
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"cut": whole[:200], "empty": b"", "text": b"hello"}.get(damage, whole))
    with pytest.raises(OutputError, match=r"part-0\.npz to be a whole file, but got a damaged one\. Delete it"):
        read_arrays(path, ("b",) if damage == "without the array" else ("a",))


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "part-0.npz"
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(OutputError, match="a damaged one"):
        read_arrays(path, ("a",))


def test_a_full_disk_keeps_the_older_archive_and_no_half_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "part-0.npz"
    write_arrays(path, {"a": np.arange(5)})
    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_arrays(path, {"a": np.arange(9)})
    assert read_arrays(path, ("a",))["a"].tolist() == [0, 1, 2, 3, 4]
    assert [entry.name for entry in tmp_path.iterdir()] == ["part-0.npz"]


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
