"""The fuzzing script damages files in the same way for the same seed, and counts what escapes from a reader."""

from __future__ import annotations

import argparse
import os
import time
from mmap import mmap
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest

from benchmarks import fuzz
from benchmarks.fuzzing.good_files import GoodFile, accuracies, every, label_tables, profiles, run_lists
from benchmarks.fuzzing.readers import READERS, damaged
from cuesense.errors import SettingsError

GOOD = [GoodFile(".json", b'{"a": [1, 2, {"b": "c"}]}'), GoodFile(".json", b"[0.5]")]


def test_the_same_seed_gives_the_same_damages() -> None:
    good = [*profiles(), *label_tables(), *run_lists(), *accuracies()]
    first, again = ([damaged(Random(f"1/{number}"), good) for number in range(200)] for _ in range(2))
    assert first == again
    assert sum(file not in good for file in first) > 180


def counted(reader: object, monkeypatch: pytest.MonkeyPatch, inputs: int, keep: Path | None = None) -> fuzz.Counts:
    monkeypatch.setitem(READERS, "configs", reader)  # type: ignore[arg-type]
    options = argparse.Namespace(seed=0, inputs=inputs, share=None, keep=keep)
    return fuzz._Campaign("configs", GOOD, options).run()


def test_answers_sentences_and_failures_are_counted_and_failing_inputs_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def reader(path: Path, _: Random) -> None:
        size = len(path.read_bytes()) % 3
        if size == 1:
            raise SettingsError("Expected a to be b, but got c. Change it.")
        if size == 2:
            raise KeyError(size)

    found = counted(reader, monkeypatch, 60, tmp_path / "kept")
    assert found.inputs == 60
    assert found.accepted > 0
    assert found.refused > 0
    assert set(found.failed) == {"KeyError (outside of cuesense)"}
    kept = list((tmp_path / "kept").iterdir())
    assert 0 < len(kept) <= 3
    assert all(len(file.read_bytes()) % 3 == 2 for file in kept)


def test_a_process_that_dies_hangs_or_takes_memory_is_counted_and_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = iter(range(100))

    def dies(_path: Path, _random: Random) -> None:
        if next(numbers) == 2:
            os._exit(7)

    assert counted(dies, monkeypatch, 5).failed == {"the process died with exit code 7": 1}

    monkeypatch.setattr(fuzz, "_SECONDS", 0.2)

    def hangs(_path: Path, _random: Random) -> None:
        time.sleep(2)

    assert counted(hangs, monkeypatch, 1).failed == {"no answer after 0.2 s (outside of cuesense)": 1}

    monkeypatch.setattr(fuzz, "_SECONDS", 10)
    monkeypatch.setattr(fuzz, "_BYTES", 2**25)

    # Pages of their own: memory that this process holds free after large tests would be taken without growing. And far
    # more than the limit: a system that reclaims memory takes back a part of the process that it was forked from.
    def grows(_path: Path, _random: Random) -> None:
        with mmap(-1, 2**29) as pages:
            for _ in range(2**9):
                pages.write(bytes(2**20))

    assert sum(counted(grows, monkeypatch, 1).failed.values()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", list(READERS))
def test_every_reader_takes_damaged_files(name: str) -> None:
    options = argparse.Namespace(seed=3, inputs=40, share=None, keep=None)
    found = fuzz._Campaign(name, every()[name], options).run()
    assert found.failed == {}


def test_what_escapes_is_named_by_its_line(tmp_path: Path) -> None:
    def fails() -> NoReturn:
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011 (there is no text)
        fails()
    assert fuzz._place(caught.value) == "outside of cuesense"
    assert fuzz._outcome("configs", tmp_path / "none.toml", Random(0)) == "refused"
