"""Shards: whole or not there, refused when the settings differ, read a bounded amount at a time."""

import errno
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuesense.atomic_files import write_file
from cuesense.errors import OutputError
from cuesense.predictions import shards
from cuesense.predictions.shards import OutcomeStore, Shard
from cuesense.stores.arrays import ArrayStore

SETTINGS = {"model": "m", "seed": 0}


def shard(start: int, count: int, conditions: int = 4, skipped: tuple[tuple[str, str], ...] = ()) -> Shard:
    random = np.random.default_rng(start)
    return Shard(
        labels=np.arange(count) % 3,
        positions=np.arange(start, start + count),
        digests=random.integers(0, 2**64, count, dtype=np.uint64),
        largest=np.where(np.arange(count) % 2, np.nan, 4095.0),
        white=np.where(np.arange(count) % 2, np.nan, 65535.0),
        predicted=random.integers(0, 9, (conditions, count)).astype(np.int32),
        p_true=random.random((conditions, count), dtype=np.float32),
        margin=random.random((conditions, count), dtype=np.float32),
        scores=random.random((conditions, count, 3), dtype=np.float32),
        classes=np.broadcast_to(np.arange(3, dtype=np.int16), (conditions, count, 3)),
        skipped=skipped,
    )


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OutcomeStore:
    return OutcomeStore() if request.param == "memory" else OutcomeStore.open(tmp_path / "outcomes", SETTINGS)


def test_gives_back_what_was_written(store: OutcomeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    written = [shard(0, 5, skipped=(("a.jpg", "truncated"),)), shard(5, 2)]
    for number, entry in enumerate(written):
        assert number not in store
        store.write(number, entry)
        assert number in store
    assert store.labels(2).tolist() == [0, 1, 2, 0, 1, 0, 1]
    assert store.positions(2).tolist() == list(range(7))
    for number, entry in enumerate(written):
        for column in fields(store.images_in(number)):
            np.testing.assert_array_equal(getattr(store.images_in(number), column.name), getattr(entry, column.name))
    for column in fields(store.images(2)):
        joined = np.concatenate([getattr(entry, column.name) for entry in written])
        np.testing.assert_array_equal(getattr(store.images(2), column.name), joined)
    assert store.skipped_in(0) == (("a.jpg", "truncated"),)
    assert store.skipped_in(1) == ()
    for read_bytes in (1, 2**30):
        monkeypatch.setattr(shards, "_READ_BYTES", read_bytes)
        for condition, read in zip((3, 0), store.conditions(2, (3, 0)), strict=True):
            for entry in fields(read):
                expected = np.concatenate([getattr(part, entry.name)[condition] for part in written])
                np.testing.assert_array_equal(getattr(read, entry.name), expected)


def test_the_same_settings_resume_and_others_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "outcomes"
    OutcomeStore.open(folder, SETTINGS).write(0, shard(0, 3))
    assert 0 in OutcomeStore.open(folder, SETTINGS)
    with pytest.raises(OutputError, match=r"other model, seed.*restart=True"):
        OutcomeStore.open(folder, {"model": "n", "seed": 1})
    assert 0 in OutcomeStore.open(folder, SETTINGS)
    assert 0 not in OutcomeStore.open(folder, {"model": "n"}, restart=True)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "keep.txt").write_text("mine")
    for restart in (False, True):
        with pytest.raises(OutputError, match="other files"):
            OutcomeStore.open(tmp_path / "o", SETTINGS, restart=restart)
    assert (tmp_path / "o" / "keep.txt").read_text() == "mine"


def test_settings_with_tuples_resume(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"outputs": (1, 2), "mean": [0.1]}
    OutcomeStore.open(tmp_path / "o", settings)
    OutcomeStore.open(tmp_path / "o", settings)


def test_a_full_disk_leaves_no_half_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OutcomeStore.open(tmp_path / "o", SETTINGS)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match="No space left"):
        store.write(0, shard(0, 3))
    assert 0 not in store
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["settings.json"]


def test_a_damaged_shard_or_manifest_is_one_sentence(tmp_path: Path) -> None:
    store = OutcomeStore.open(tmp_path / "o", SETTINGS)
    store.write(0, shard(0, 3))
    (tmp_path / "o" / "shard-00000.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(OutputError, match="Run the same command again"):
        store.labels(1)
    assert 0 not in OutcomeStore.open(tmp_path / "o", SETTINGS)
    store.write(0, shard(0, 3))
    for content in ("{", "[]"):
        (tmp_path / "o" / "settings.json").write_text(content)
        with pytest.raises(OutputError, match="the settings of a run"):
            OutcomeStore.open(tmp_path / "o", SETTINGS)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Not a directory|File exists"):
        OutcomeStore.open(tmp_path / "file" / "o", SETTINGS)
    with pytest.raises(OutputError):
        write_file(tmp_path / "file" / "profile.json", "{}")
    with pytest.raises(OutputError, match="a file, but got a folder"):
        write_file(tmp_path, "{}")


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "new" / "a.txt", "one")
    write_file(tmp_path / "new" / "a.txt", "zwö")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "zwö"
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_shards_without_a_readable_image_join_the_others(store: OutcomeStore) -> None:
    empty = replace(shard(0, 0), skipped=(("a", "b"),))
    store.write(0, empty)
    store.write(1, shard(1, 3))
    assert len(store.labels(2)) == 3
    assert next(store.conditions(2, [1])).scores.shape == (3, 3)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(pipe, "policy")
    assert os.read(reader, 100) == b"policy"
    os.close(reader)
    assert pipe.is_fifo()


def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return a list that gets the names of the arrays of every reading."""
    found: list[tuple[str, ...]] = []
    read = ArrayStore.read
    monkeypatch.setattr(
        ArrayStore, "read", lambda self, name, names: found.append(tuple(names)) or read(self, name, names)
    )
    return found


@pytest.mark.parametrize("read_bytes", [1, 3000, 2**30])
def test_no_more_is_read_at_once_than_the_memory_for_it(
    tmp_path: Path, read_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three scores of six bytes (value and class) for each of 128 images of a shard: 2,304 bytes a condition."""
    monkeypatch.setattr(shards, "_READ_BYTES", read_bytes)
    store = OutcomeStore.open(tmp_path / "o", SETTINGS)
    store.write(0, shard(0, 5, conditions=7))
    opened = reads(monkeypatch)
    wanted = (6, 0, 3, 3, 1)
    found = list(store.conditions(1, wanted))
    for condition, outcome in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(outcome.margin, shard(0, 5, conditions=7).margin[condition])
    # The first reading asks for the number of scores alone.
    assert len(opened) == 1 + (1 if read_bytes == 2**30 else 5)


def test_labels_are_read_without_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OutcomeStore.open(tmp_path / "o", SETTINGS)
    store.write(0, shard(0, 5))
    opened = reads(monkeypatch)
    store.labels(1)
    store.positions(1)
    assert [set(names) - {"skipped"} for names in opened] == [{"labels"}, {"positions"}]


def test_no_wanted_condition_is_none(store: OutcomeStore) -> None:
    store.write(0, shard(0, 3))
    assert list(store.conditions(1, [])) == []


def test_a_shard_is_replaced_by_a_newer_one_and_keeps_its_types(store: OutcomeStore) -> None:
    store.write(0, shard(0, 5))
    store.write(0, shard(9, 2, skipped=(("ü.png", "kaputt: ä"),)))
    assert store.positions(1).tolist() == [9, 10]
    assert store.skipped_in(0) == (("ü.png", "kaputt: ä"),)
    (found,) = store.conditions(1, [2])
    types = {entry.name: getattr(found, entry.name).dtype.name for entry in fields(found)}
    assert types == {
        "predicted": "int32",
        "p_true": "float32",
        "margin": "float32",
        "scores": "float32",
        "classes": "int16",
    }


@pytest.mark.parametrize(("other", "named"), [({"seed": 0}, "model"), (SETTINGS | {"size": 3}, "size")])
def test_a_setting_that_is_gone_or_new_is_another_setting(tmp_path: Path, other: dict[str, Any], named: str) -> None:
    OutcomeStore.open(tmp_path / "o", SETTINGS).write(0, shard(0, 3))
    with pytest.raises(OutputError, match=f"results with other {named}\\. Give another"):
        OutcomeStore.open(tmp_path / "o", other)


def test_settings_without_any_shard_are_taken_over(tmp_path: Path) -> None:
    OutcomeStore.open(tmp_path / "o", SETTINGS)
    OutcomeStore.open(tmp_path / "o", {"model": "n"}).write(0, shard(0, 3))
    with pytest.raises(OutputError, match="other model, seed"):
        OutcomeStore.open(tmp_path / "o", SETTINGS)


def test_a_shard_under_another_number_is_refused(tmp_path: Path) -> None:
    OutcomeStore.open(tmp_path / "o", SETTINGS).write(1, shard(0, 3))
    (tmp_path / "o" / "shard-00001.npz").rename(tmp_path / "o" / "shard-00000.npz")
    with pytest.raises(OutputError, match=r"shard-00000\.npz was written as shard-00001\.npz"):
        OutcomeStore.open(tmp_path / "o", SETTINGS)
