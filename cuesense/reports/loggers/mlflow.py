"""A profile in an MLflow run."""

from __future__ import annotations

from typing import Any

from cuesense.errors import SettingsError, expected, first_line
from cuesense.reports.html.profile import render
from cuesense.reports.loggers.content import PREFIX, check_profile, class_table, library, scalars
from cuesense.schemas.profile import Profile
from cuesense.tables.write_csv import csv_text


def log_to_mlflow(profile: Profile, step: int = 0) -> None:
    """Log a profile's numbers as metrics, and its page, classes and JSON as artifacts, to the active MLflow run.

    Without an active run MLflow starts one, as for ``mlflow.log_metric``. ``mlflow-skinny`` suffices for servers, and
    for folders where ``MLFLOW_ALLOW_FILE_STORE=true`` is set.

    Args:
        profile: The profile.
        step: The training step at which the model was analyzed.

    Raises:
        SettingsError: MLflow is not installed (``pip install 'cuesense[mlflow]'``), or it cannot start a run.
    """
    check_profile(profile)
    mlflow: Any = library("mlflow", "MLflow", "mlflow")
    _begin(mlflow)
    mlflow.log_metrics(scalars(profile), step=step)
    mlflow.log_text(render(profile), f"{PREFIX}/report.html")
    mlflow.log_text(csv_text(class_table(profile)), f"{PREFIX}/classes.csv")
    mlflow.log_text(profile.to_json(), f"{PREFIX}/{Profile.FILE_NAME}")


def _begin(mlflow: Any) -> None:
    """Start a run where none is active; a store that does not work fails in as many ways as there are stores."""
    if mlflow.active_run() is not None:
        return
    try:
        mlflow.start_run()
    except Exception as error:
        got = f"an error of MLflow ({first_line(error)})"
        do = (
            "Call mlflow.set_tracking_uri(...) with a server's http:// address, or set the environment variable "
            "MLFLOW_ALLOW_FILE_STORE=true for a folder, or install all of mlflow for sqlite:"
        )
        raise SettingsError(expected("run", "an MLflow run", got, do)) from error
