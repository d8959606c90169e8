"""A profile in an MLflow run."""

from __future__ import annotations

from typing import Any

from cuesense.reports.html.profile import render
from cuesense.reports.loggers.content import PREFIX, class_table, library, scalars
from cuesense.schemas.profile import Profile
from cuesense.tables.write_csv import csv_text


def log_to_mlflow(profile: Profile, step: int = 0) -> None:
    """Log a profile's numbers as metrics, and its page, classes and JSON as artifacts, to the active MLflow run.

    Without an active run MLflow starts one, as for ``mlflow.log_metric``. ``mlflow-skinny`` suffices.

    Args:
        profile: The profile.
        step: The training step at which the model was analyzed.

    Raises:
        SettingsError: MLflow is not installed (``pip install 'cuesense[mlflow]'``).
    """
    mlflow: Any = library("mlflow", "MLflow", "mlflow")
    mlflow.log_metrics(scalars(profile), step=step)
    mlflow.log_text(render(profile), f"{PREFIX}/report.html")
    mlflow.log_text(csv_text(class_table(profile)), f"{PREFIX}/classes.csv")
    mlflow.log_text(profile.to_json(), f"{PREFIX}/{Profile.FILE_NAME}")
