"""Analyze the models that are to be compared and have no profile yet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cuesense.comparison.pairing import is_profile
from cuesense.errors import SettingsError, expected, naming
from cuesense.schemas.profile import Profile
from cuesense.types import Progress
from cuesense.workflows.analyze import analyze

FOLDER = "cuesense-compared"


def analyze_pair(
    specs: dict[str, str],
    *,
    dataset: str | None,
    output: Path,
    watch: Callable[[str], AbstractContextManager[Progress]],
    **options: Any,
) -> list[Path]:
    """Return the profiles of what a user named, and analyze what is no profile yet.

    Args:
        specs: Profiles (see ``comparison.pairing.is_profile``) and models (see ``cuesense analyze --help``), by the
            name of a folder.
        dataset: The images for the models; needed where there is one.
        output: Folder in which every model's analysis gets a folder of its own; an earlier run there is resumed.
        watch: Called with a title such as "analyzing a"; returns a context that gives the progress function.
        **options: What else ``workflows.analyze.analyze`` takes.

    Returns:
        The profiles' files or folders, in the order of specs.

    Raises:
        CuesenseError: Something given is wrong; the sentence says what to do.
    """
    models = {name: spec for name, spec in specs.items() if not is_profile(spec)}
    if models and dataset is None:
        do = "Give a --dataset to analyze models, or name profiles"
        raise SettingsError(expected(next(iter(models.values())), "a profile.json or its folder", "no profile", do))
    # A profile that cannot be read is an error before the first model has run for minutes.
    for name, spec in specs.items():
        if name not in models:
            Profile.read(spec)
    for name, spec in models.items():
        with naming(spec), watch(f"analyzing {name}") as progress:
            analyze(spec, dataset, output=output / name, progress=progress, **options)
    return [output / name if name in models else Path(spec) for name, spec in specs.items()]
