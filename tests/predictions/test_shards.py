"""Shards: whole or not there, refused when the settings differ, and named by what they hold."""

import errno
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuesense.atomic_files import write_file
from cuesense.errors import OutputError
from cuesense.predictions.shards import (
    ALL_OUTPUTS,
    MOST_WHOLE,
    OF_CONDITIONS,
    OF_IMAGES,
    OutcomeStore,
    condition_identity,
    image_identity,
    outputs_identity,
)
from cuesense.registry import get
from cuesense.types import Condition
from tests.helpers.stored_outcomes import shard

SETTINGS = {"model": "m", "seed": 0}
ARRAYS = ("images", *OF_IMAGES, *OF_CONDITIONS)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OutcomeStore:
    return OutcomeStore() if request.param == "memory" else OutcomeStore.open(tmp_path / "outcomes", SETTINGS)


def test_gives_back_what_was_written(store: OutcomeStore) -> None:
    written = [shard(0, 5, skipped=((7, "ü.jpg", "kaputt: ä"),)), replace(shard(5, 2), chosen_from="others")]
    for entry in written:
        store.write(entry)
    assert store.names == sorted(entry.name for entry in written)
    for entry in written:
        read = store.read(entry.name, ARRAYS)
        for column in fields(entry):
            found, expected = getattr(read, column.name), getattr(entry, column.name)
            np.testing.assert_array_equal(found, expected)
            if isinstance(expected, np.ndarray):
                assert found.dtype == expected.dtype
    held = store.held(written[0].name)
    assert held.images.tolist() == [0, 1, 2, 3, 4, 7]
    assert (held.conditions, held.chosen_from) == (("a", "b", "c", "d"), ALL_OUTPUTS)


def test_the_name_tells_images_conditions_and_scores_apart_and_nothing_else() -> None:
    plain = shard(0, 5)
    assert replace(plain, p_true=plain.p_true + 1).name == plain.name
    others = [shard(0, 4), shard(1, 5), shard(0, 5, ("a", "b", "c")), shard(0, 5, ("a", "b", "d", "c"))]
    others += [replace(plain, chosen_from="x"), replace(plain, skipped=((9, "i", "r"),))]
    assert len({plain.name, *(entry.name for entry in others)}) == 7
    # An image that cannot be read is one of the shard's images, too.
    assert replace(shard(0, 4), skipped=((4, "i", "r"),)).name == plain.name


@given(st.lists(st.tuples(st.text(), st.text(), st.integers(0, 9)), unique=True, max_size=20))
def test_images_differ_by_id_content_and_output(images: list[tuple[str, str, int]]) -> None:
    clear = [image for image in images if "\0" not in image[0] + image[1]]
    assert len({image_identity(*image) for image in clear}) == len(clear)
    assert all(0 <= image_identity(*image) < 2**64 for image in clear)


def test_a_condition_is_known_by_its_value_in_any_ladder() -> None:
    gray = get("perturbations", "grayscale")
    alone = condition_identity(Condition(replace(gray, ladder=(1.0,)), 1), {})
    assert alone == condition_identity(Condition(gray, len(gray.ladder)), {}) == "grayscale 1.0 0"
    assert condition_identity(Condition(gray, 1, 1), {}) != condition_identity(Condition(gray, 1), {})
    assert condition_identity(Condition(gray, 1), {"grayscale": "f00"}).endswith(" 0 f00")
    assert condition_identity(Condition(), {"grayscale": "f00"}) == "clean 0.0 0"


def test_small_networks_keep_all_scores_and_others_those_of_a_set_of_classes() -> None:
    assert outputs_identity((3, 1), MOST_WHOLE) == ALL_OUTPUTS
    of_two = outputs_identity((3, 1), MOST_WHOLE + 1)
    assert of_two == outputs_identity((1, 3), MOST_WHOLE + 1)
    assert len({of_two, ALL_OUTPUTS, outputs_identity((3, 1, 2), MOST_WHOLE + 1)}) == 3


def test_the_same_settings_resume_and_others_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "outcomes"
    OutcomeStore.open(folder, SETTINGS).write(shard(0, 3))
    assert OutcomeStore.open(folder, SETTINGS).names == [shard(0, 3).name]
    with pytest.raises(OutputError, match=r"other model, seed.*restart=True"):
        OutcomeStore.open(folder, {"model": "n", "seed": 1})
    assert OutcomeStore.open(folder, SETTINGS).names
    assert not OutcomeStore.open(folder, {"model": "n"}, restart=True).names


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
        store.write(shard(0, 3))
    assert not store.names
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["settings.json"]


def test_a_damaged_shard_or_manifest_is_one_sentence(tmp_path: Path) -> None:
    store, name = OutcomeStore.open(tmp_path / "o", SETTINGS), shard(0, 3).name
    store.write(shard(0, 3))
    (tmp_path / "o" / name).write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(OutputError, match="Run the same command again"):
        store.read(name, ("images",))
    assert not OutcomeStore.open(tmp_path / "o", SETTINGS).names
    store.write(shard(0, 3))
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


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(pipe, "policy")
    assert os.read(reader, 100) == b"policy"
    os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize(("other", "named"), [({"seed": 0}, "model"), (SETTINGS | {"size": 3}, "size")])
def test_a_setting_that_is_gone_or_new_is_another_setting(tmp_path: Path, other: dict[str, Any], named: str) -> None:
    OutcomeStore.open(tmp_path / "o", SETTINGS).write(shard(0, 3))
    with pytest.raises(OutputError, match=f"results with other {named}\\. Give another"):
        OutcomeStore.open(tmp_path / "o", other)


def test_settings_without_any_shard_are_taken_over(tmp_path: Path) -> None:
    OutcomeStore.open(tmp_path / "o", SETTINGS)
    OutcomeStore.open(tmp_path / "o", {"model": "n"}).write(shard(0, 3))
    with pytest.raises(OutputError, match="other model, seed"):
        OutcomeStore.open(tmp_path / "o", SETTINGS)


def test_a_shard_under_another_name_is_refused(tmp_path: Path) -> None:
    OutcomeStore.open(tmp_path / "o", SETTINGS).write(shard(0, 3))
    (tmp_path / "o" / shard(0, 3).name).rename(tmp_path / "o" / "shard-00000.npz")
    with pytest.raises(OutputError, match=r"shard-00000\.npz was written as shard-\w{16}\.npz"):
        OutcomeStore.open(tmp_path / "o", SETTINGS)
