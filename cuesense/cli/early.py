"""What is wrong with a command's names is said before torch is imported, and all of it in one answer."""

from __future__ import annotations

from pathlib import Path

from cuesense.datasets.load import DatasetOptions, load_dataset
from cuesense.errors import CuesenseError
from cuesense.models.spellings import refuse_misspelled


def refuse_early(model: str, arch: str | None, dataset: str, where: DatasetOptions) -> None:
    """Raise where a model or an architecture does not exist, and say in the same answer what the images lack.

    Args:
        model: What is given as MODEL.
        arch: What is given as ``--arch``.
        dataset: What is given as ``--dataset``; it is looked at only where something else is wrong already.
        where: Where datasets lie; nothing is downloaded for an answer.

    Raises:
        CuesenseError: The first thing that is wrong, with sentences about the others.
    """
    found: list[CuesenseError] = []
    for spec, builder in ((model, None), (None, arch)):
        try:
            refuse_misspelled(spec, builder)
        except CuesenseError as error:
            found.append(error)
    if not found:
        return
    said = [error.for_command_line for error in found]
    suffix = Path(model).suffix.lower()
    if arch is None and suffix and suffix != ".onnx" and ":" not in model and not Path(model).exists():
        said.append("A file that holds weights only also needs --arch.")
    if not where.download:
        try:
            load_dataset(dataset, data_root=where.root, split=where.split)
        except CuesenseError as error:
            said.append(error.for_command_line)
    raise type(found[0])(" ".join(said)) from found[0]
