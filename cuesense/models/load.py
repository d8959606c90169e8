"""Load a model that a user names, with its architecture and preprocessing, as a Classifier."""

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path

from torch import nn

from cuesense import registry
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.models.common import Loaded, State, ready
from cuesense.models.file_formats import read
from cuesense.models.preprocessing import AS_CARRIED, ImageOptions, Prepared, prepare, prepare_as_they_come
from cuesense.models.weights import MisfitError
from cuesense.types import Classifier, ClassNames


def load_classifier(
    spec: str,
    *,
    arch: str | None = None,
    class_names: ClassNames | None = None,
    images: ImageOptions = AS_CARRIED,
) -> Classifier:
    """Load what a user names as a model.

    Args:
        spec: A file, ``torchvision:NAME[@WEIGHTS]``, ``timm:NAME``, ``open_clip:NAME@TAG`` or
            ``python:module:factory``; a file may also follow an ``@``.
        arch: The architecture, with the same prefixes, of a file that holds only weights.
        class_names: Names of the outputs in their order; needed by open_clip.
        images: How images are prepared, where the weights should not decide.

    Returns:
        The classifier: in evaluation mode, float32, on the CPU, without gradients. Preprocessing that was not given is
        what the weights carry, else the usual one of ImageNet, with a warning, and named in ``guessed``.

    Raises:
        ModelError: The model cannot be loaded.
        SettingsError: The prefix is unknown, or the shorter side before the crop is smaller than the crop.
    """
    file, builder = _file_and_builder(spec, arch)
    loaded = _from_library(spec, None, class_names) if file is None else _from_file(file, builder, class_names)
    return _classifier(spec, loaded, prepare(loaded, images), class_names, None if file is None else _digest(file))


def wrap_module(
    module: nn.Module,
    *,
    class_names: ClassNames | None = None,
    images: ImageOptions = AS_CARRIED,
) -> Classifier:
    """Make a classifier of a module that is already in memory.

    Args:
        module: Any module from normalized (N, 3, H, W) to logits (N, K); it is copied and stays as it is.
        class_names: Names of the K outputs in their order.
        images: How images are prepared. Without a size they are taken as they come; ImageNet's mean and standard
            deviation are assumed where they are not given, with a warning.

    Returns:
        The classifier: in evaluation mode, float32, on the CPU, without gradients.

    Raises:
        SettingsError: The shorter side before the crop is smaller than the crop.
    """
    name = type(module).__name__
    loaded = Loaded(copy.deepcopy(module), name)
    untouched = images.size is None and images.resize is None
    prepared = prepare_as_they_come(images) if untouched else prepare(loaded, images)
    return _classifier(f"python:{name}", loaded, prepared, class_names, None)


def _classifier(
    spec: str, loaded: Loaded, prepared: Prepared, class_names: ClassNames | None, sha256: str | None
) -> Classifier:
    return Classifier(
        spec=spec,
        architecture=loaded.architecture,
        network=ready(loaded.network),
        preprocessing=prepared.preprocessing,
        class_names=class_names or loaded.class_names,
        sha256=sha256,
        warnings=loaded.warnings + prepared.warnings,
        fixed_batch=loaded.fixed_batch,
        guessed=loaded.guessed | prepared.guessed,
    )


def _file_and_builder(spec: str, arch: str | None) -> tuple[Path | None, str | None]:
    """Return the file and the builder of its network, each None where there is none."""
    if Path(spec).is_file():
        return Path(spec), arch
    if Path(spec).is_dir():
        raise ModelError(expected("MODEL", "a file", f"the folder {spec}", "Name the file in it"))
    if ":" not in spec:
        kinds = ", ".join(f"{prefix}:..." for prefix in registry.names("models"))
        raise ModelError(expected("MODEL", f"an existing file or one of {kinds}", f"'{spec}'", "Check the path"))
    if arch is not None:
        raise ModelError(expected("--arch", f"left out with {spec}", arch, "Use it with a file of weights only"))
    base, _, weights = spec.partition("@")
    return (Path(weights), base) if Path(weights).is_file() else (None, None)


def _from_file(path: Path, arch: str | None, class_names: ClassNames | None) -> Loaded:
    content = read(path)
    if arch is None:
        if isinstance(content, Loaded):
            return content
        raise ModelError(f"Expected --arch to say which network {path} holds the weights of. {_advice(content)}.")
    state = content.network.state_dict() if isinstance(content, Loaded) else content
    try:
        return _from_library(arch, state, class_names)
    except MisfitError as error:
        raise ModelError(f"{error.for_command_line} {_advice(state)}.") from None


def _from_library(spec: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    prefix, colon, name = spec.partition(":")
    if not colon:
        raise SettingsError(expected("--arch", "PREFIX:NAME", f"'{spec}'", f"Write torchvision:{spec} or timm:{spec}"))
    load: Callable[[str, State | None, ClassNames | None], Loaded] = registry.get("models", prefix)
    return load(name, state, class_names)


def _advice(state: State) -> str:
    from cuesense.models.architectures import fitting_architectures

    fitting = " or ".join(fitting_architectures(state))
    return (
        f"Pass --arch {fitting}, which fits its keys"
        if fitting
        else "Pass the architecture it was trained with, for your own code --arch python:module:factory"
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
