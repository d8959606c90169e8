"""Run a Python file of the user's own as a module, and say what to do where it fails."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from cuesense.errors import CuesenseError, SettingsError, expected, first_line

_CORRECT = "Correct it; `python {file}` shows where it fails"


def run_file(path: Path, module_name: str, spec: str, do: str = _CORRECT) -> ModuleType:
    """Run a file, which finds what lies beside it and in the working directory, as a script and ``python -m`` do.

    Args:
        path: The file.
        module_name: What the module is called in this process.
        spec: What the user named, for messages.
        do: What the user can do where neither a missing module nor wrong syntax is the cause.

    Returns:
        The module.

    Raises:
        SettingsError: It fails.
    """
    found = spec_from_file_location(module_name, path.resolve())
    if found is None or found.loader is None:
        raise SettingsError(expected(f"'{spec}'", "a Python file", "another file", "Correct the path"))
    module = module_from_spec(found)
    # Dataclasses and pickles look a class's module up by its name.
    sys.modules[module_name] = module
    folder, working = str(path.resolve().parent), str(Path.cwd())
    sys.path.insert(0, folder)
    # At the end and for good, as for python:module:factory: a function may import its neighbors when it is called.
    sys.path.extend(place for place in dict.fromkeys((working, folder)) if place not in sys.path[1:])
    try:
        found.loader.exec_module(module)
    except CuesenseError:
        raise
    except (Exception, SystemExit) as error:
        got = f"{type(error).__name__}: {first_line(error)}"
        way_out = _way_out(error, do.format(file=path))
        raise SettingsError(expected(f"'{spec}'", "a file that can be imported", got, way_out)) from error
    finally:
        sys.path.remove(folder)
    return module


def _way_out(error: BaseException, do: str) -> str:
    """Return what to do where a file fails; what is missing is named by its import, which pip may call otherwise."""
    trains = "run cuesense from the environment that trains"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        own = "A module of your own is found beside the file and in the working directory"
        return f"Install '{package}' for this Python ({sys.executable}), or {trains}. {own}"
    if isinstance(error, ImportError):
        return f"Install the version of that library which trains, or {trains}"
    return "Correct the line" if isinstance(error, SyntaxError) else do
