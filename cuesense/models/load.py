"""Load a model that a user names, with its architecture and preprocessing, as a Classifier."""

import copy
import hashlib
import stat
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from torch import nn

from cuesense import registry
from cuesense.errors import ModelError, expected
from cuesense.models.channels import in_order
from cuesense.models.checkpoint import Found
from cuesense.models.common import Loaded, State, only_tensors, ready
from cuesense.models.file_formats import read, reading
from cuesense.models.names import is_file, path_mode, refuse_misspelled
from cuesense.models.preprocessing import AS_CARRIED, Beside, ImageOptions, Prepared, prepare, prepare_as_they_come
from cuesense.models.sidecar import said_about
from cuesense.models.trust import COMPACT, OWN_WORD, Trust
from cuesense.models.weights import MisfitError
from cuesense.types import Classifier, ClassNames


def load_classifier(
    spec: str,
    *,
    arch: str | None = None,
    class_names: ClassNames | None = None,
    images: ImageOptions = AS_CARRIED,
    trust: Trust = OWN_WORD,
    own_size: tuple[int, int] | None = None,
) -> Classifier:
    """Load what a user names as a model.

    Args:
        spec: A file, ``torchvision:NAME[@WEIGHTS]``, ``timm:NAME``, ``open_clip:NAME@TAG`` or
            ``python:module:factory``; a file may also follow an ``@``.
        arch: The architecture, with the same prefixes, of a file that holds only weights.
        class_names: Names of the outputs in their order; needed by open_clip.
        images: How images are prepared, where the weights should not decide.
        trust: Who named the model, and whether programs run (see ``models.trust``).
        own_size: Height and width that all images of the dataset share, which are taken where nobody says a size.

    Returns:
        The classifier: in evaluation mode, float32, on the CPU, without gradients. Preprocessing that was not given is
        what the weights' file or one beside it says (``models.sidecar``), else the dataset's own size and the
        architecture's usual normalization, with a warning, and named in ``guessed``.

    Raises:
        ModelError: The model cannot be loaded, or is a program that may not run.
        SettingsError: The prefix is unknown, CUESENSE_WEIGHTS_ONLY is neither yes nor no, or the shorter side before
            the crop is smaller than the crop.
    """
    refuse_misspelled(spec, arch)
    file, builder = _file_and_builder(spec, arch)
    if file is None:
        loaded = _from_library(spec, None, class_names, trust, trust.model_named_in)
        return _classifier(spec, loaded, prepare(loaded, images, Beside(own_size=own_size)), class_names, None)
    named_in = trust.arch_named_in if builder == arch else trust.model_named_in
    with reading(file):  # a damaged module may be read and still be no network
        loaded = _from_file(file, builder, class_names, trust, named_in)
        beside = Beside(said_about(file, loaded.about), own_size)
        return _classifier(spec, loaded, prepare(loaded, images, beside), class_names, _digest(file))


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
        network=in_order(ready(loaded.network), prepared.preprocessing.channels),
        preprocessing=prepared.preprocessing,
        class_names=class_names or loaded.class_names,
        sha256=sha256,
        warnings=loaded.warnings + prepared.warnings,
        fixed_batch=loaded.fixed_batch,
        guessed=(loaded.guessed & {"class_names"}) | prepared.guessed,
        assumptions=prepared.assumptions,
        usual_size=None if loaded.preprocessing is None else loaded.preprocessing.image_size,
    )


def _file_and_builder(spec: str, arch: str | None) -> tuple[Path | None, str | None]:
    """Return the file and the builder of its network, each None where there is none."""
    if is_file(spec):
        return Path(spec), arch
    if ":" not in spec:
        raise _no_file(spec)
    if arch is not None:
        raise ModelError(expected("--arch", f"left out with {spec}", arch, "Use it with a file of weights only"))
    base, _, weights = spec.partition("@")
    return (Path(weights), base) if is_file(weights) else (None, None)


def _no_file(spec: str) -> ModelError:
    mode = path_mode(spec)
    if stat.S_ISDIR(mode):
        return ModelError(expected("MODEL", "a file", f"the folder {spec}", "Name the file in it"))
    if mode:
        return ModelError(expected("MODEL", "a file", f"the pipe or device '{spec}'", "Save the model into a file"))
    kinds = ", ".join(f"{prefix}:..." for prefix in registry.names("models"))
    return ModelError(expected("MODEL", f"an existing file or one of {kinds}", f"'{spec}'", "Check the path"))


def _from_file(
    path: Path, arch: str | None, class_names: ClassNames | None, trust: Trust, named_in: str | None
) -> Loaded:
    content = read(path, trust)
    if isinstance(content, Loaded) and arch is None:
        return content
    state = content.network.state_dict() if isinstance(content, Loaded) else _state(content)
    if arch is None:
        raise ModelError(f"Expected --arch to say which network {path} holds the weights of. {_advice(state, trust)}.")
    try:
        return replace(_from_library(arch, state, class_names, trust, named_in), about=content.about)
    except MisfitError as error:
        raise ModelError(f"{error.for_command_line} {_advice(state, trust)}.") from None


def _state(found: Found) -> State:
    return found.weights.state_dict() if isinstance(found.weights, nn.Module) else found.weights


def _from_library(
    spec: str, state: State | None, class_names: ClassNames | None, trust: Trust, named_in: str | None
) -> Loaded:
    prefix, _, name = spec.partition(":")
    if prefix == "python" and spec != COMPACT:
        trust.permit(spec, "a Python function", named_in)
    elif not registry.is_own("models", prefix):
        trust.permit(spec, f"the plug-in '{prefix}' of another package", named_in)
    elif prefix == "open_clip" and trust.strict:
        from cuesense.models.open_clip import refuse_foreign_text

        refuse_foreign_text(name)
    load: Callable[[str, State | None, ClassNames | None], Loaded] = registry.get("models", prefix)
    with only_tensors() if trust.strict else nullcontext():
        return load(name, state, class_names)


def _advice(state: State, trust: Trust) -> str:
    from cuesense.models.architectures import fitting_architectures

    fitting = " or ".join(fitting_architectures(state))
    if fitting:
        return f"Pass --arch {fitting}, which fits its keys"
    own = "" if trust.strict else ", for your own code --arch python:module:factory"
    return f"Pass the architecture it was trained with{own}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
