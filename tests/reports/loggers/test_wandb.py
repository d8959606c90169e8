"""A profile in a run of Weights & Biases, with a run that keeps what it is given, and with the real one offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cuesense.errors import SettingsError
from cuesense.reports.loggers.content import class_table, scalars
from cuesense.reports.loggers.wandb import log_to_wandb
from tests.helpers.graded_profiles import graded


@pytest.fixture
def wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    found = pytest.importorskip("wandb", reason="needs wandb: pip install 'cuesense[wandb]'")
    yield found
    # Its process would else run until the tests end.
    found.teardown()


class Kept:
    """A run that keeps what is logged."""

    def __init__(self) -> None:
        self.logged: dict[str, Any] = {}
        self.step: int | None = None

    def log(self, values: dict[str, Any], step: int | None = None) -> None:
        self.logged, self.step = values, step


@pytest.mark.usefixtures("wandb")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numbers_classes_and_page_are_logged_at_once() -> None:
    source, run = graded(6, empty=1), Kept()
    log_to_wandb(source, run, step=5)
    assert run.step == 5
    assert {name: run.logged[name] for name in scalars(source)} == scalars(source)
    table = run.logged["cuesense/classes"]
    assert table.columns == list(class_table(source).columns)
    assert [row[1] for row in table.data] == list(class_table(source)["name"])
    assert run.logged["cuesense/report"].html.startswith("<!DOCTYPE html>")


@pytest.mark.filterwarnings("ignore")
def test_a_run_without_a_network_takes_it(wandb, tmp_path: Path) -> None:
    source = graded(3)
    run = wandb.init(project="test", dir=str(tmp_path))
    try:
        log_to_wandb(source)
        assert run.summary["cuesense/clean_accuracy"] == pytest.approx(source.summary.clean_accuracy)
    finally:
        run.finish()
    written = {path.name.split("_")[0] for path in tmp_path.rglob("media/**/*") if path.is_file()}
    assert written == {"classes", "report"}


def test_without_a_run_it_says_what_to_do(wandb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb, "run", None)
    with pytest.raises(SettingsError, match=r"Expected run to be a run .*Call wandb.init\(\) first"):
        log_to_wandb(graded(2))


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(SettingsError, match=r"pip install 'cuesense\[wandb\]'"):
        log_to_wandb(graded(2))


def test_what_is_no_run_is_one_sentence() -> None:
    pytest.importorskip("wandb", reason="needs wandb: pip install 'cuesense[wandb]'")
    with pytest.raises(SettingsError, match=r"Expected run to be a run of Weights & Biases, but got .* type str"):
        log_to_wandb(graded(2), "run")
