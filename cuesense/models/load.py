"""Load a model that a user names, with its architecture and preprocessing, as a Classifier."""

import copy
import hashlib
import logging
import stat
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from torch import nn

from cuesense import registry
from cuesense.errors import ModelError, expected, listed
from cuesense.models.architectures import fitting_architectures, other_architectures
from cuesense.models.channels import in_order
from cuesense.models.checkpoint import Found, state_in
from cuesense.models.common import ForeignNetwork, Loaded, State, only_tensors, ready
from cuesense.models.file_formats import read
from cuesense.models.file_kinds import other_folder, whole_module
from cuesense.models.first_bytes import index_in, reading
from cuesense.models.from_checkpoint import as_module, fitted
from cuesense.models.hub_folders import FILES, is_folder, is_model
from cuesense.models.names import is_file, path_mode
from cuesense.models.preprocessing import (
    AS_CARRIED,
    Beside,
    ImageOptions,
    Prepared,
    prepare,
    prepare_as_they_come,
    sized,
)
from cuesense.models.shards import files_of
from cuesense.models.sidecar import said_about
from cuesense.models.spellings import no_such_model, refuse_misspelled, understood
from cuesense.models.stand_ins import StandIn
from cuesense.models.trust import COMPACT, OWN_WORD, Trust
from cuesense.models.weights import HeadlessError, MisfitError
from cuesense.types import Classifier, ClassNames

_LOG = logging.getLogger(__name__)
# Architectures that have the same keys and differ in padding or input size: enough to choose from. Chosen by hand.
_MOST_ADVISED = 4
# Names that a sentence lists.
_MOST_NAMED = 3


def load_classifier(
    spec: str,
    *,
    arch: str | None = None,
    class_names: ClassNames | None = None,
    images: ImageOptions = AS_CARRIED,
    trust: Trust = OWN_WORD,
    own_size: tuple[int, int] | None = None,
    weights_key: str | None = None,
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
        weights_key: Where in the file the weights lie, as a dotted path; None takes the first that fit.

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
    spec, arch = _said(spec, "MODEL"), None if arch is None else _said(arch, "--arch")
    spec = _folder_of(spec) if arch is None else spec
    file, builder = _file_and_builder(spec, arch)
    if file is None:
        library = f"hf:{spec}" if is_folder(Path(spec)) else spec
        loaded = _from_library(library, None, class_names, trust, trust.model_named_in)
        return _classifier(spec, loaded, prepare(loaded, images, Beside(own_size=own_size)), class_names, None)
    named_in = trust.arch_named_in if builder == arch else trust.model_named_in
    with reading(file):  # a damaged module may be read and still be no network
        loaded = _from_file(file, builder, class_names, trust, named_in, weights_key)
        said = said_about(file, loaded.about)
        prepared = prepare(loaded, images, Beside(said, own_size))
        if class_names is None and said.class_names is not None:
            loaded, prepared = _named(loaded, prepared, said.class_names)
        return _classifier(spec, loaded, prepared, class_names, _digest(file))


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
    network = sized(loaded.network, loaded.preprocessing, prepared.preprocessing)
    return Classifier(
        spec=spec,
        architecture=loaded.architecture,
        network=in_order(ready(network), prepared.preprocessing.channels),
        preprocessing=prepared.preprocessing,
        class_names=class_names or loaded.class_names,
        sha256=sha256,
        warnings=loaded.warnings + prepared.warnings,
        fixed_batch=loaded.fixed_batch,
        guessed=(loaded.guessed & {"class_names"}) | prepared.guessed,
        assumptions=prepared.assumptions,
        usual_size=None if loaded.preprocessing is None else loaded.preprocessing.image_size,
        weights_key=loaded.weights_key,
        other_weights=loaded.other_weights,
    )


def _named(loaded: Loaded, prepared: Prepared, names: ClassNames) -> tuple[Loaded, Prepared]:
    """Return a network with the names of its outputs that its file says, where its library knows none, and say so."""
    if loaded.class_names is not None and "class_names" not in loaded.guessed:
        return loaded, prepared
    shown = listed([f"'{name}'" for name in names.names], _MOST_NAMED)
    said = f"The weights' file, or one beside it, names the {len(names.names)} outputs: {shown}."
    loaded = replace(loaded, class_names=names, guessed=loaded.guessed - {"class_names"})
    return loaded, replace(prepared, assumptions=(*prepared.assumptions, said))


def _said(spec: str, what: str) -> str:
    """Return what is understood by a spec, and say it where it is written in another way."""
    meant = understood(spec, what)
    if meant != spec:
        _LOG.warning("%s %s is read as %s.", what, spec, meant)
    return meant


def _folder_of(spec: str) -> str:
    """Return the folder of which one file is named, where it holds a model in the layout of the hub; else the spec."""
    path = Path(spec)
    if path.name not in FILES or not path.is_file() or not is_model(path.parent):
        return spec
    folder = str(path.parent)
    _LOG.warning("MODEL %s is read as its folder, %s.", spec, folder)
    return folder


def _file_and_builder(spec: str, arch: str | None) -> tuple[Path | None, str | None]:
    """Return the file and the builder of its network, each None where there is none."""
    # Of a file the digest is known, and it is what is in it that counts.
    path = spec.removeprefix("onnx:")
    if is_file(path):
        return Path(path), arch
    if ":" not in spec and not is_folder(Path(spec)):
        index = index_in(Path(spec))
        if index is None:
            raise _no_file(spec)
        return index, arch
    if arch is not None:
        raise ModelError(expected("--arch", f"left out with {spec}", arch, "Use it with a file of weights only"))
    base, _, weights = spec.partition("@")
    return (Path(weights), base) if is_file(weights) else (None, None)


def _no_file(spec: str) -> ModelError:
    mode = path_mode(spec)
    if stat.S_ISDIR(mode):
        return ModelError(expected("MODEL", "a file or a folder with a config.json", *other_folder(Path(spec))))
    if mode:
        return ModelError(expected("MODEL", "a file", f"the pipe or device '{spec}'", "Save the model into a file"))
    return no_such_model(spec)


def _from_file(
    path: Path, arch: str | None, class_names: ClassNames | None, trust: Trust, named_in: str | None, key: str | None
) -> Loaded:
    content = read(path, trust, key)
    if arch is not None:
        return _with_architecture(path, content, arch, class_names, trust, named_in)
    if isinstance(content, Loaded):
        return content
    _refuse_whole_module(path, content.weights, trust)
    if isinstance(content.weights, nn.Module):
        return as_module(content, content.weights)
    advice = _advice(content, trust)
    raise ModelError(f"Expected --arch to say which network {path} holds the weights of. {advice}.")


def _with_architecture(
    path: Path, content: Found | Loaded, arch: str, class_names: ClassNames | None, trust: Trust, named_in: str | None
) -> Loaded:
    """Return the network that --arch names with a file's weights, or the file's own where it is another one."""
    if isinstance(content, Loaded):
        if isinstance(content.network, ForeignNetwork):
            got = f"the {content.architecture} file {path}"
            raise ModelError(expected("--arch", "left out where a file has its network in it", got, "Leave it out"))
        return _filled(Found(content.network), arch, class_names, trust, named_in)
    if trust.strict:
        _refuse_whole_module(path, content.weights, trust)
    try:
        return _filled(content, arch, class_names, trust, named_in)
    except MisfitError:
        if isinstance(content.weights, nn.Module):
            return as_module(content, content.weights, unlike=arch)
        raise


def _refuse_whole_module(path: Path, weights: object, trust: Trust) -> None:
    """Raise for a module of a class that is not known, and where only weights are read for any module."""
    if isinstance(weights, StandIn) or (trust.strict and isinstance(weights, nn.Module)):
        raise whole_module(path, weights, strict=trust.strict)


def _filled(found: Found, arch: str, class_names: ClassNames | None, trust: Trust, named_in: str | None) -> Loaded:
    try:
        _refuse_other(found, arch)
        return fitted(found, lambda state: _from_library(arch, state, class_names, trust, named_in))
    except HeadlessError:
        raise
    except MisfitError as error:
        raise MisfitError(f"{error.for_command_line} {_advice(found, trust)}.") from None


def _refuse_other(found: Found, arch: str) -> None:
    """Raise where all weights of a file are known to be another architecture's, before its library is imported."""
    others = [other_architectures(state_in(weights), arch) for weights in found.in_order.values()]
    if all(others):
        got = f"those of {' or '.join(others[0][:_MOST_ADVISED])}"
        raise MisfitError(f"Expected the file's weights to be those of {arch}, but got {got}.")


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


def _advice(found: Found, trust: Trust) -> str:
    for key, weights in found.in_order.items():
        fitting = fitting_architectures(state_in(weights))
        if fitting:
            also = " --weights-key " + key if key != found.key else ""
            return f"Pass --arch {' or '.join(fitting[:_MOST_ADVISED])}{also}, which fits its keys"
    own = "" if trust.strict else ", for your own code --arch python:module:factory"
    return f"Pass the architecture it was trained with{own}"


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    for part in files_of(path):
        with part.open("rb") as file:
            hashlib.file_digest(file, lambda: found)
    return found.hexdigest()
