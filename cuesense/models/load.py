"""From MODEL, ``--arch`` and the preprocessing options to a Classifier."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from cuesense import registry
from cuesense.errors import ModelError, SettingsError, expected
from cuesense.models.common import Loaded, State, ready
from cuesense.models.file_formats import read
from cuesense.models.weights import MisfitError
from cuesense.types import Classifier, ClassNames, Preprocessing

Size = int | tuple[int, int]
Channels = tuple[float, float, float]

_USUAL = Preprocessing((224, 224), 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_NO_NORMALIZATION = "Nothing says how the images were normalized: ImageNet's mean and std are assumed."
_NO_SIZE = "Nothing says how large the images were: a center crop of 224 of 256 pixels is assumed."
_NO_RESIZE = "Nothing says how the images were resized: the center crop is taken to be 87.5 % of the shorter side."


@dataclass(frozen=True)
class _Wanted:
    """The preprocessing that the user gave; None where nothing was said."""

    image_size: tuple[int, int] | None
    resize: int | None
    mean: Channels | None
    std: Channels | None


def load_classifier(
    spec: str,
    *,
    arch: str | None = None,
    class_names: ClassNames | None = None,
    image_size: Size | None = None,
    resize: int | None = None,
    mean: Channels | None = None,
    std: Channels | None = None,
) -> Classifier:
    """Load what a user names as a model.

    Args:
        spec: A file, ``torchvision:NAME[@WEIGHTS]``, ``timm:NAME``, ``open_clip:NAME@TAG`` or
            ``python:module:factory``; a file may also follow an ``@``.
        arch: The architecture, with the same prefixes, of a file that holds only weights.
        class_names: Names of the outputs in their order; needed by open_clip.
        image_size: Side, or height and width, of the network's input in pixels.
        resize: Shorter side in pixels before the center crop.
        mean: Mean per channel in [0, 1].
        std: Standard deviation per channel, positive.

    Returns:
        The classifier: in evaluation mode, float32, on the CPU, without gradients. Preprocessing that was not given is
        what the weights carry, else the usual one of ImageNet together with a warning.

    Raises:
        ModelError: The model cannot be loaded.
        SettingsError: The prefix is unknown, or an option is out of range.
    """
    wanted = _wanted(image_size, resize, mean, std)
    file, builder = _places(spec, arch)
    loaded = _from_library(spec, None, class_names) if file is None else _from_file(file, builder, class_names)
    return _classifier(spec, loaded, wanted, class_names, sha256=None if file is None else _digest(file))


def wrap_module(
    module: nn.Module,
    *,
    class_names: ClassNames | None = None,
    image_size: Size | None = None,
    resize: int | None = None,
    mean: Channels | None = None,
    std: Channels | None = None,
) -> Classifier:
    """Make a classifier of a module that is already in memory.

    Args:
        module: Any module from normalized (N, 3, H, W) to logits (N, K); it is copied and stays as it is.
        class_names: Names of the K outputs in their order.
        image_size: Side, or height and width, of the network's input in pixels; None takes images as they come.
        resize: Shorter side in pixels before the center crop.
        mean: Mean per channel in [0, 1]; ImageNet's where it is not given, with a warning.
        std: Standard deviation per channel, positive; likewise.

    Returns:
        The classifier: in evaluation mode, float32, on the CPU, without gradients.

    Raises:
        SettingsError: An option is out of range.
    """
    wanted = _wanted(image_size, resize, mean, std)
    name = type(module).__name__
    loaded = Loaded(copy.deepcopy(module), name)
    if wanted.image_size is None and resize is None:
        as_they_come = Preprocessing(None, None, mean or _USUAL.mean, std or _USUAL.std)
        remarks = () if mean and std else (_NO_NORMALIZATION,)
        return Classifier(f"python:{name}", name, ready(loaded.network), as_they_come, class_names, warnings=remarks)
    return _classifier(f"python:{name}", loaded, wanted, class_names, sha256=None)


def _classifier(
    spec: str, loaded: Loaded, wanted: _Wanted, class_names: ClassNames | None, *, sha256: str | None
) -> Classifier:
    preprocessing, remarks = _preprocessing(loaded, wanted)
    return Classifier(
        spec,
        loaded.architecture,
        ready(loaded.network),
        preprocessing,
        class_names or loaded.class_names,
        sha256,
        loaded.warnings + remarks,
        loaded.fixed_batch,
    )


def _places(spec: str, arch: str | None) -> tuple[Path | None, str | None]:
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


def _wanted(image_size: Size | None, resize: int | None, mean: Channels | None, std: Channels | None) -> _Wanted:
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if size is not None and min(size) < 1:
        raise SettingsError(
            expected("--image-size", "at least 1 pixel", size, "Pass the size the network was trained on")
        )
    if resize is not None and resize < 1:
        raise SettingsError(expected("--resize", "at least 1 pixel", resize, "Pass the shorter side before the crop"))
    if mean is not None and not all(0 <= value <= 1 for value in mean):
        raise SettingsError(
            expected("--mean", "three numbers from 0 to 1", mean, "Divide by 255 if it is for 8-bit values")
        )
    if std is not None and not all(value > 0 for value in std):
        raise SettingsError(expected("--std", "three positive numbers", std, "Divide by 255 if it is for 8-bit values"))
    return _Wanted(size, resize, mean, std)


def _preprocessing(loaded: Loaded, wanted: _Wanted) -> tuple[Preprocessing, tuple[str, ...]]:
    carried = loaded.preprocessing or _USUAL
    size = wanted.image_size or (loaded.input_size if loaded.preprocessing is None else None) or carried.image_size
    resize = wanted.resize or _scaled(carried, size)
    if size is not None and resize is not None and resize < max(size):
        raise SettingsError(
            expected(
                "--resize", f"at least the image size of {max(size)}", resize, "Pass a larger one or --image-size too"
            )
        )
    chosen = Preprocessing(size, resize, wanted.mean or carried.mean, wanted.std or carried.std, carried.interpolation)
    return chosen, _remarks(loaded, wanted)


def _scaled(carried: Preprocessing, size: tuple[int, int] | None) -> int | None:
    """Return the carried resize in proportion to the new size; None (squash) stays None."""
    if carried.resize is None or carried.image_size is None or size is None:
        return carried.resize
    return max(round(carried.resize * min(size) / min(carried.image_size)), *size)


def _remarks(loaded: Loaded, wanted: _Wanted) -> tuple[str, ...]:
    if loaded.preprocessing is not None:
        return ()
    remarks = [] if wanted.mean and wanted.std else [_NO_NORMALIZATION]
    if wanted.image_size is None and loaded.input_size is None:
        remarks.append(_NO_SIZE)
    elif wanted.resize is None:
        remarks.append(_NO_RESIZE)
    return tuple(remarks)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
