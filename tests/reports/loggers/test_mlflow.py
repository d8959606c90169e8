"""A profile in an MLflow run, read back from a store in a folder."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pandas as pd
import pytest

from cuesense.errors import SettingsError
from cuesense.reports.loggers.content import scalars
from cuesense.reports.loggers.mlflow import log_to_mlflow
from cuesense.schemas.profile import Profile
from tests.helpers.graded_profiles import graded


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    found = pytest.importorskip("mlflow", reason="needs MLflow: pip install 'cuesense[mlflow]'")
    before = found.get_tracking_uri()
    found.set_tracking_uri((tmp_path / "runs").as_uri())
    yield found
    found.set_tracking_uri(before)


# The store in files is deprecated, and needs no server and no database.
@pytest.mark.filterwarnings("ignore")
def test_numbers_page_classes_and_profile_come_back(mlflow) -> None:
    source = graded(6)
    with mlflow.start_run() as run:
        log_to_mlflow(source, step=3)
    found = mlflow.MlflowClient().get_run(run.info.run_id)
    assert found.data.metrics == pytest.approx(scalars(source))
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "cuesense/clean_accuracy")
    assert [metric.step for metric in history] == [3]
    texts = {
        name: mlflow.artifacts.load_text(f"{found.info.artifact_uri}/cuesense/{name}")
        for name in ("report.html", "classes.csv", "profile.json")
    }
    assert Profile.model_validate_json(texts["profile.json"]) == source
    assert texts["report.html"].startswith("<!DOCTYPE html>")
    assert set(pd.read_csv(io.StringIO(texts["classes.csv"]))["name"]) == {entry.name for entry in source.classes}


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(SettingsError, match=r"Expected MLflow to be installed.*pip install 'cuesense\[mlflow\]'"):
        log_to_mlflow(graded(2))


@pytest.mark.filterwarnings("ignore")
def test_a_store_that_does_not_work_is_one_sentence(mlflow) -> None:
    mlflow.set_tracking_uri("nowhere://runs")
    with pytest.raises(
        SettingsError, match=r"an MLflow run, but got .*unsupported URI 'nowhere:.*mlflow\.set_tracking_uri"
    ):
        log_to_mlflow(graded(2))
