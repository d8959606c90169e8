"""Folders of array files: whole, of one run, and each known by what it says about itself."""

from __future__ import annotations

import json
import logging
import random
import shutil
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.atomic_files import Written, recorded, replacing
from cuesense.errors import OutputError
from cuesense.stores.arrays import ArrayStore
from tests.helpers.kept_files import DAMAGES, damaged, without_marks

PATTERN = "part-*.npz"
ARRAYS = ("a", "b")
CONTENT = {"a": np.arange(5, dtype=np.int16), "b": np.eye(2, dtype=np.float32)}


def opened(folder: Path, settings: dict[str, object] | None = None, *, restart: bool = False) -> ArrayStore:
    return ArrayStore.open(folder, settings or {"seed": 1}, PATTERN, ARRAYS, restart=restart)


def full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@given(
    rows=st.lists(st.integers(0, 6), max_size=9),
    deep=st.lists(st.integers(0, 3), max_size=2),
    kind=st.sampled_from(["int16", "float32", "uint64", "bool"]),
    order=st.sampled_from(["C", "F"]),
)
def test_rows_are_those_of_the_whole_array(
    rows: list[int], deep: list[int], kind: str, order: Literal["C", "F"]
) -> None:
    values = np.random.default_rng(7).integers(0, 200, (7, *deep)).astype(kind, order=order)
    with tempfile.TemporaryDirectory() as folder:
        store = opened(Path(folder))
        store.write("part-0.npz", {"a": values, "b": np.arange(7.0)})
        found, whole = store.rows("part-0.npz", ("b", "a"), rows), store.read("part-0.npz", ("a",))["a"]
    assert found["a"].dtype == whole.dtype == values.dtype
    np.testing.assert_array_equal(whole, values)
    np.testing.assert_array_equal(found["a"], values[rows])
    np.testing.assert_array_equal(found["b"], np.arange(7.0)[rows])


def test_rows_of_a_file_that_is_gone_or_damaged_are_one_sentence(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write("part-0.npz", CONTENT)
    with pytest.raises(OutputError, match="a whole file, but got damaged"):
        store.rows("part-0.npz", ("c",), [0])
    (tmp_path / "part-0.npz").write_bytes((tmp_path / "part-0.npz").read_bytes()[:200])
    with pytest.raises(OutputError, match="a whole file, but got damaged"):
        store.rows("part-0.npz", ("a",), [0])
    (tmp_path / "part-0.npz").unlink()
    with pytest.raises(OutputError, match="No such file"):
        store.rows("part-0.npz", ("a",), [0])


def test_a_look_finds_what_others_wrote_and_leaves_their_unfinished_files(tmp_path: Path) -> None:
    first, second = opened(tmp_path), ArrayStore.open(tmp_path, {"seed": 1}, PATTERN, ARRAYS, shared=True)
    with replacing(tmp_path / "part-1.npz") as temporary:
        temporary.write_bytes(b"half")
        ArrayStore.open(tmp_path, {"seed": 1}, PATTERN, ARRAYS, shared=True)
        assert temporary.exists()
    second.write("part-0.npz", CONTENT)
    assert "part-0.npz" not in first
    first.look()
    assert "part-0.npz" in first
    # What was renamed and is no file of arrays is not whole.
    assert "part-1.npz" not in first


def test_a_folder_is_created_with_its_settings(tmp_path: Path) -> None:
    opened(tmp_path / "a" / "b")
    assert json.loads((tmp_path / "a" / "b" / "settings.json").read_text()) == {"seed": 1}
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["settings.json"]


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert "part-0.npz" not in store
    store.write("part-0.npz", CONTENT)
    for read in (store, opened(tmp_path)):
        assert "part-0.npz" in read
        found = read.read("part-0.npz", ("b", "a"))
        assert list(found) == ["b", "a"]
        assert found["a"].dtype == np.int16
        assert found["a"].tolist() == [0, 1, 2, 3, 4]
        assert np.array_equal(found["b"], np.eye(2))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["part-0.npz", "settings.json"]


def test_other_settings_are_refused_once_there_are_results(tmp_path: Path) -> None:
    opened(tmp_path / "run", {"seed": 1, "size": (64, 64)})
    opened(tmp_path / "run", {"seed": 2, "size": (64, 64)}).write("part-0.npz", CONTENT)
    assert "part-0.npz" in opened(tmp_path / "run", {"seed": 2, "size": (64, 64)})
    with pytest.raises(OutputError, match=r"results with other batch, seed\. Give another output, or restart=True"):
        opened(tmp_path / "run", {"seed": 1, "size": (64, 64), "batch": 8})
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["seed"] == 2


def test_a_file_of_a_run_with_other_settings_is_refused_by_name(tmp_path: Path) -> None:
    """As it is after a copy, or after a second run wrote into the folder."""
    opened(tmp_path / "other", {"seed": 2}).write("part-3.npz", CONTENT)
    store = opened(tmp_path / "own")
    store.write("part-0.npz", CONTENT)
    shutil.copy(tmp_path / "other" / "part-3.npz", tmp_path / "own")
    with pytest.raises(OutputError, match=r"part-3\.npz is from a run with other settings\. Delete it, or give"):
        opened(tmp_path / "own")
    with pytest.raises(OutputError, match=r"part-3\.npz is from a run with other settings"):
        store.read("part-3.npz", ("a",))
    assert opened(tmp_path / "own", restart=True).whole == set()


def test_a_file_of_the_same_settings_is_taken_from_elsewhere(tmp_path: Path) -> None:
    opened(tmp_path / "other").write("part-3.npz", CONTENT)
    opened(tmp_path / "own")
    shutil.copy(tmp_path / "other" / "part-3.npz", tmp_path / "own")
    assert "part-3.npz" in opened(tmp_path / "own")


def test_a_file_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).write("part-0.npz", CONTENT)
    (tmp_path / "part-0.npz").rename(tmp_path / "part-1.npz")
    with pytest.raises(OutputError, match=r"part-1\.npz was written as part-0\.npz"):
        opened(tmp_path)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_again_with_a_word(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(tmp_path)
    store.write("part-0.npz", CONTENT)
    store.write("part-1.npz", CONTENT)
    path = tmp_path / "part-0.npz"
    path.write_bytes(damaged(path.read_bytes(), damage))
    with caplog.at_level(logging.WARNING):
        again = opened(tmp_path)
    assert again.whole == {"part-1.npz"}
    assert f"{path} is damaged: what it held is computed again." in caplog.text
    with pytest.raises(OutputError, match=r"part-0\.npz to be a whole file, but got damaged\. Run the same command"):
        store.read("part-0.npz", ("a",))
    again.write("part-0.npz", CONTENT)
    assert opened(tmp_path).whole == {"part-0.npz", "part-1.npz"}


def test_no_changed_byte_changes_what_is_read(tmp_path: Path) -> None:
    """Whatever byte of a file changes, it is read as it was or known to be damaged, also while the run goes on."""
    store = opened(tmp_path)
    store.write("part-0.npz", CONTENT)
    path, source = tmp_path / "part-0.npz", random.Random(0)
    whole = path.read_bytes()
    known = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << source.randrange(8))]) + whole[place + 1 :])
        try:
            found = store.read("part-0.npz", ARRAYS)
        except OutputError as error:
            assert "damaged" in str(error) or "without" in str(error)  # noqa: PT017
            known += 1
        else:
            assert all(np.array_equal(found[name], CONTENT[name]) for name in ARRAYS)
    assert known > len(whole) / 2


def test_a_file_that_does_not_say_what_it_belongs_to_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened(tmp_path).write("part-0.npz", CONTENT)
    without_marks(tmp_path / "part-0.npz")
    assert opened(tmp_path).whole == set()
    assert "part-0.npz is without name.npy, settings.npy, which say what it belongs to" in caplog.text


def test_a_file_that_lacks_an_array_is_made_again(tmp_path: Path) -> None:
    opened(tmp_path).write("part-0.npz", {"a": CONTENT["a"]})
    assert opened(tmp_path).whole == set()


def test_a_file_that_cannot_be_read_is_named_and_stays(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "part-0.npz").mkdir()
    with pytest.raises(OutputError, match=r"part-0\.npz to be readable, but got 'Is a directory'"):
        opened(tmp_path)


def test_restart_deletes_results_and_half_written_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    opened(folder).write("part-0.npz", CONTENT)
    for name in ("part-1.tmp", ".cuesense-0123.tmp", "notes.txt"):
        (folder / name).write_bytes(b"")
    assert opened(folder, {"seed": 2}, restart=True).whole == set()
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "settings.json"]
    assert json.loads((folder / "settings.json").read_text()) == {"seed": 2}


def test_a_restart_that_was_killed_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting ends with the settings: results alone would be refused as somebody else's."""
    for name in ("part-0.npz", "part-1.npz"):
        opened(tmp_path).write(name, CONTENT)
    unlink, left = Path.unlink, [2]

    def killed(path: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path, {"seed": 2}, restart=True)
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]
    assert opened(tmp_path, {"seed": 2}, restart=True).whole == set()


@pytest.mark.parametrize("restart", [False, True])
def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path, restart: bool) -> None:
    (tmp_path / "part-0.npz").write_bytes(b"mine")
    with pytest.raises(OutputError, match="a folder of cuesense, but got other files"):
        opened(tmp_path, restart=restart)
    assert (tmp_path / "part-0.npz").read_bytes() == b"mine"
    assert not (tmp_path / "settings.json").exists()


def test_what_a_run_leaves_that_was_killed_in_its_first_moment_blocks_nobody(tmp_path: Path) -> None:
    (tmp_path / ".cuesense-0123.tmp").write_text('{"se')
    opened(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("content", ["{", "[1]", "null"])
def test_damaged_settings_are_named(tmp_path: Path, content: str) -> None:
    opened(tmp_path).write("part-0.npz", CONTENT)
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(OutputError, match=r"settings\.json to be the settings of a run.*restart=True"):
        opened(tmp_path)


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    store = opened(tmp_path)
    marks = {"settings": np.array(store.settings), "name": np.array("part-0.npz")}
    np.savez(tmp_path / "part-0.npz", a=np.array([{}], dtype=object), b=CONTENT["b"], **marks)
    assert opened(tmp_path).whole == set()
    with pytest.raises(OutputError, match="damaged"):
        store.read("part-0.npz", ("a",))


def test_a_full_disk_keeps_the_older_archive_and_no_half_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    store.write("part-0.npz", CONTENT)
    monkeypatch.setattr(Path, "write_bytes", full_disk)
    for name in ("part-0.npz", "part-1.npz"):
        with pytest.raises(OutputError, match="No space left on device"):
            store.write(name, CONTENT | {"a": np.arange(9)})
    assert store.read("part-0.npz", ("a",))["a"].tolist() == [0, 1, 2, 3, 4]
    assert store.whole == {"part-0.npz"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["part-0.npz", "settings.json"]


def test_parts_are_recorded_for_the_message_of_an_interruption(tmp_path: Path) -> None:
    opened(tmp_path / "run").write("part-0.npz", CONTENT)
    found = Written()
    with recorded(found):
        opened(tmp_path / "run").write("part-1.npz", CONTENT)
    assert found.kept() == [tmp_path / "run" / "part-0.npz", tmp_path / "run" / "part-1.npz"]
    assert not found.restarted
    with recorded(found):
        opened(tmp_path / "run", restart=True)
    assert found.kept() == []
    assert found.restarted


@pytest.mark.parametrize("ours", [False, True])
def test_a_restart_deletes_what_was_made_of_the_results_beside_results_of_ours_alone(
    tmp_path: Path, ours: bool
) -> None:
    for name in ("table.csv", "notes.txt"):
        (tmp_path / name).write_text("")
    if ours:
        opened(tmp_path / "run")
    ArrayStore.open(tmp_path / "run", {"seed": 2}, PATTERN, ARRAYS, made_of_it=["table.csv"])
    assert (tmp_path / "table.csv").is_file()
    if not ours:
        shutil.rmtree(tmp_path / "run")
    ArrayStore.open(tmp_path / "run", {"seed": 2}, PATTERN, ARRAYS, restart=True, made_of_it=["table.csv"])
    assert (tmp_path / "table.csv").is_file() is not ours
    assert (tmp_path / "notes.txt").is_file()


def test_a_folder_that_is_only_viewed_stays_as_it_is(tmp_path: Path) -> None:
    def viewed(folder: Path, seed: int = 1) -> ArrayStore:
        return ArrayStore.view(folder, {"seed": seed}, PATTERN, ARRAYS)

    assert viewed(tmp_path / "none").whole == set()
    assert not (tmp_path / "none").exists()
    opened(tmp_path / "run").write("part-0.npz", CONTENT)
    (tmp_path / "run" / ".part-1.npz.tmp").write_text("unfinished, perhaps of a run that is going on")
    (tmp_path / "run" / "part-2.npz").write_bytes(b"damaged")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert viewed(tmp_path / "run").whole == {"part-0.npz"}
    with pytest.raises(OutputError, match="results with other seed"):
        viewed(tmp_path / "run", seed=2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "diary.txt").touch()
    with pytest.raises(OutputError, match="to be a folder of cuesense"):
        viewed(tmp_path / "other")
