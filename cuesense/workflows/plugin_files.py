"""``--plugin FILE.py``: a file of the user's own that registers perturbations."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cuesense import registry
from cuesense.config import Config
from cuesense.errors import SettingsError, expected
from cuesense.models.trust import OWN_WORD, Trust
from cuesense.pipelines.programs import run_file

# A program of a few lines. Chosen by hand.
_LARGEST_FILE = 16 * 1024**2
_MODULE = "cuesense_plugin"
# What the files that ran in this process registered: name -> SHA-256 of the file.
_origins: dict[str, str] = {}


def load_plugin(path: str | Path | None, trust: Trust = OWN_WORD) -> list[str]:
    """Run a file that registers perturbations with ``cuesense.register``.

    Args:
        path: A Python file; None does nothing.
        trust: What the user allows: the file is a program.

    Returns:
        The names that it registered.

    Raises:
        SettingsError: There is no such file, it fails, or it registers nothing.
        ModelError: Only weights may be read.
    """
    if path is None:
        return []
    file = Path(path)
    if file.suffix != ".py" or not file.is_file() or file.stat().st_size > _LARGEST_FILE:
        got = f"'{file}'" if file.exists() else f"'{file}', which does not exist"
        raise SettingsError(expected("--plugin", "a Python file", got, "Name the .py file that registers them"))
    trust.permit(str(file), "a plug-in", None, instead="Leave --plugin out")
    registered = _run(file)
    if not registered:
        do = "Call cuesense.register(perturbation) in it (docs/augmentations.md)"
        raise SettingsError(expected(f"'{file}'", "a plug-in that registers a perturbation", "none", do))
    _origins.update(dict.fromkeys(registered, hashlib.sha256(file.read_bytes()).hexdigest()))
    return registered


def changing_code(config: Config) -> dict[str, str]:
    """Return the hash of the file of every plug-in's perturbation of a configuration, by name."""
    return {entry.name: _origins[entry.name] for entry in config.perturbations if entry.name in _origins}


def _run(file: Path) -> list[str]:
    before = registry.added("perturbations")
    # One name for each file, so that two plug-ins of one process do not replace each other.
    name = f"{_MODULE}_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}"
    run_file(file, name, str(file))
    after = registry.added("perturbations")
    return [name for name, entry in after.items() if before.get(name) is not entry]
