"""Where a training transform comes from: a program, another program's flags, Ultralytics' file, or Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from cuesense.errors import SettingsError, expected, first_line, nearest
from cuesense.models.trust import Trust
from cuesense.pipelines import timm_flags, torchvision_flags, ultralytics
from cuesense.pipelines.programs import run_file

# The size for which a transform is built where the network takes images of any size.
_SIDE = (224, 224)
_YAML = (".yaml", ".yml")
_INSTEAD = "Name the transform by --timm-args, --torchvision-args or an Ultralytics .yaml file, which run nothing"
_BEHIND_MAIN = "Put what trains behind `if __name__ == '__main__':`, or the transform into a file of its own"


@dataclass(frozen=True)
class Source:
    """A training transform that can be built for a network.

    Attributes:
        spec: What the user named.
        build: Returns the transform for a size (height, width) in pixels.
        remarks: What was assumed or left out, in sentences.
        text: Tells one transform from another.
    """

    spec: str
    build: Callable[[tuple[int, int]], Any]
    remarks: tuple[str, ...] = ()
    text: str = ""

    def made(self, size: tuple[int, int] | None) -> Any:
        """Return the transform for a network's input size; None is for any size."""
        return self.build(size or _SIDE)


def find(pipeline: Any, timm_args: str | None, torchvision_args: str | None, trust: Trust) -> Source | None:
    """Return the one training transform that is given, None where there is none; the model is not needed yet.

    Args:
        pipeline: A transform, ``"FILE.py:NAME"``, or an Ultralytics YAML file.
        timm_args: Flags of timm's training script.
        torchvision_args: Flags of torchvision's reference scripts.
        trust: Whether a program may run.

    Raises:
        SettingsError: Several are given, or one is wrong.
        ModelError: A program is named where only weights may be read.
    """
    given = {"--pipeline": pipeline, "--timm-args": timm_args, "--torchvision-args": torchvision_args}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise SettingsError(expected("the pipeline", "given once", " and ".join(named), "Leave one out"))
    if timm_args is not None:
        return _from_flags(f"timm {timm_args}", timm_flags, timm_args)
    if torchvision_args is not None:
        return _from_flags(f"torchvision {torchvision_args}", torchvision_flags, torchvision_args)
    if pipeline is None:
        return None
    return _named(str(pipeline), trust) if isinstance(pipeline, (str, Path)) else _given(pipeline)


def _from_flags(spec: str, flags: ModuleType, text: str) -> Source:
    settings, remarks = flags.read(text)
    return Source(spec, partial(flags.transform, settings), tuple(remarks), repr(settings))


def _given(transform: Any) -> Source:
    if not callable(transform) and not isinstance(transform, (list, tuple)):
        do = "Pass a Compose, a list of transforms, or a function"
        raise SettingsError(expected("--pipeline", "a transform", f"an object of type {type(transform).__name__}", do))
    return Source("pipeline", lambda _: transform, (), _code_of(transform))


def _code_of(transform: Any) -> str:
    """Return what tells one function from another, beside what is printed of it."""
    code = getattr(transform, "__code__", None)
    return "" if code is None else hashlib.sha256(code.co_code + repr(code.co_consts).encode()).hexdigest()


def _named(spec: str, trust: Trust) -> Source:
    if Path(spec).suffix.lower() in _YAML:
        settings, remarks = ultralytics.read(Path(spec))
        return Source(spec, partial(ultralytics.transform, settings), tuple(remarks), repr(settings))
    file, colon, name = spec.rpartition(":")
    if not colon or Path(file).suffix != ".py" or not name.isidentifier():
        do = "Name the file and the transform in it, for instance train.py:transform"
        raise SettingsError(expected("--pipeline", "FILE.py:NAME or an Ultralytics .yaml file", f"'{spec}'", do))
    if not Path(file).is_file():
        raise SettingsError(expected("--pipeline", "a file", f"no file at '{file}'", "Correct the path"))
    trust.permit(spec, "a Python file", None, instead=_INSTEAD)
    module = run_file(Path(file), f"_cuesense_pipeline_{Path(file).stem}", spec, _BEHIND_MAIN)
    found = _in_module(module, name, spec)
    text = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return Source(spec, lambda _: found, (), f"{text} {name}")


def _in_module(module: ModuleType, name: str, spec: str) -> Any:
    found = getattr(module, name, None)
    if _is_transform(found):
        return _called(found, spec)
    known = [key for key, value in vars(module).items() if not key.startswith("_") and _is_own(value, module)]
    do = nearest(name, known) if known else "Define it"
    what = "none of that name" if found is None else f"an object of type {type(found).__name__}"
    raise SettingsError(expected(f"'{spec}'", "a transform in that file", what, do))


def _is_transform(found: Any) -> bool:
    return callable(found) or (isinstance(found, (list, tuple)) and bool(found))


def _is_own(value: Any, module: ModuleType) -> bool:
    """Return whether something in a module may be its transform: no class or function that it imports."""
    if isinstance(value, (type, ModuleType)):
        return False
    return _is_transform(value) and getattr(value, "__module__", module.__name__) is not None


def _called(found: Any, spec: str) -> Any:
    """Return the transform that a function without parameters makes, else what was found itself."""
    code: Any = getattr(found, "__code__", None)
    if code is None or code.co_argcount or code.co_flags & _VARIADIC:
        return found
    try:
        return found()
    except (Exception, SystemExit) as error:
        got = f"{type(error).__name__}: {first_line(error)}"
        do = "Call it yourself to see where it fails"
        raise SettingsError(expected(f"'{spec}'", "callable without arguments", got, do)) from error


# CO_VARARGS and CO_VARKEYWORDS: a function of any arguments may take an image.
_VARIADIC = 0x04 | 0x08
