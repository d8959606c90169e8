"""A profile in TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cuesense.atomic_files import unwritable
from cuesense.reports.headline import headline
from cuesense.reports.loggers.content import PREFIX, check_logger, check_profile, class_table, library, scalars
from cuesense.reports.text import printable
from cuesense.schemas.profile import Profile

# Rows that TensorBoard's page of texts shows at once, and columns that fit beside each other. Chosen by hand.
_ROWS, _COLUMNS = 100, ("name", "images", "clean_accuracy", "cue", "leans_to", "why")


def log_to_tensorboard(profile: Profile, writer: Any, step: int = 0) -> None:
    """Write a profile's numbers, headline and classes as TensorBoard shows them.

    Args:
        profile: The profile.
        writer: A ``torch.utils.tensorboard.SummaryWriter``, or the folder of a run, which gets an event file of its
            own.
        step: The training step at which the model was analyzed.

    Raises:
        SettingsError: TensorBoard is not installed (``pip install 'cuesense[tensorboard]'``), or something else is no
            profile or no writer.
        OutputError: The folder cannot be written.
    """
    check_profile(profile)
    if isinstance(writer, str | Path):
        made = _writer_of(Path(writer))
        try:
            log_to_tensorboard(profile, made, step)
        finally:
            made.close()
        return
    to_be, do = "a SummaryWriter or the folder of a run", "Pass one of these"
    check_logger(writer, "writer", to_be, ("add_scalar", "add_text"), do)
    for name, value in scalars(profile).items():
        writer.add_scalar(name, value, step)
    writer.add_text(f"{PREFIX}/headline", "\n\n".join(map(_text, headline(profile).sentences)), step)
    writer.add_text(f"{PREFIX}/classes", _table(profile), step)


def _writer_of(folder: Path) -> Any:
    """Return a SummaryWriter of a folder."""
    tensorboard = library("torch.utils.tensorboard", "TensorBoard", "tensorboard")
    try:
        return tensorboard.SummaryWriter(str(folder))
    except OSError as error:
        raise unwritable(folder, error) from None


def _table(profile: Profile) -> str:
    """Return the first classes as a table of Markdown."""
    frame = class_table(profile).head(_ROWS)
    columns = [name for name in _COLUMNS if name in frame.columns]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(map(_text, row)) + " |" for row in frame[columns].itertuples(index=False)]
    return "\n".join(lines)


def _text(value: object) -> str:
    """Return a cell as text of Markdown in which a name cannot end the cell, format, link or be HTML."""
    if value is None:
        return ""
    shown = f"{value:.3f}" if isinstance(value, float) else printable(str(value))
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#!" else letter for letter in shown)
