"""A profile in a run of Weights & Biases."""

from __future__ import annotations

from typing import Any

from cuesense.errors import SettingsError, expected
from cuesense.reports.html.profile import render
from cuesense.reports.loggers.content import PREFIX, check_logger, check_profile, class_table, library, scalars
from cuesense.schemas.profile import Profile


def log_to_wandb(profile: Profile, run: Any = None, step: int | None = None) -> None:
    """Log a profile's numbers, classes and page to a run of Weights & Biases.

    Args:
        profile: The profile.
        run: The run; None takes the one that ``wandb.init`` has started.
        step: The training step at which the model was analyzed; None takes the run's own.

    Raises:
        SettingsError: wandb is not installed (``pip install 'cuesense[wandb]'``), or there is no such run.
    """
    check_profile(profile)
    wandb: Any = library("wandb", "wandb", "wandb")
    run = wandb.run if run is None else run
    if run is None:
        raise SettingsError(expected("run", "a run of Weights & Biases", "none", "Call wandb.init() first"))
    check_logger(run, "run", "a run of Weights & Biases", ("log",), "Pass what wandb.init() returned")
    frame = class_table(profile)
    shown = {
        f"{PREFIX}/classes": wandb.Table(columns=list(frame.columns), data=frame.to_numpy().tolist()),
        f"{PREFIX}/report": wandb.Html(render(profile), inject=False),
    }
    run.log({**scalars(profile), **shown}, step=step)
