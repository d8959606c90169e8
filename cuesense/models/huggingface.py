"""``hf:NAME_OR_FOLDER``: image classifiers of transformers, and folders in timm's layout of the same hub."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cuesense.errors import CuesenseError, ModelError, expected, first_line
from cuesense.imagenet_names import imagenet_names, imagenet_synsets
from cuesense.models.checkpoint import state_in
from cuesense.models.common import Loaded, State, fetching, optional_library, quiet
from cuesense.models.hf_images import Images, preprocessing_of
from cuesense.models.hub_folders import CONFIG, PICKLED, PROCESSOR, SAFE, is_timm_folder, json_of
from cuesense.types import ClassNames

_NO_NAME = re.compile(r"LABEL_\d+")
# Of a thousand names, those that must be ImageNet's for the rest to be taken so: spellings differ between models.
_MOST_DIFFERENT = 100


class HfNetwork(nn.Module):
    """A classifier of transformers as a module from images to logits."""

    def __init__(self, model: nn.Module, side: tuple[int, int] | None) -> None:
        """Wrap a classifier.

        Args:
            model: The classifier.
            side: The height and width that its position embeddings are for; None where it has none.
        """
        super().__init__()
        self.model = model
        self.side = side
        self.interpolates = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized (N, C, H, W) to logits (N, K); position embeddings are interpolated for other sizes."""
        other = self.interpolates and self.side is not None and tuple(images.shape[-2:]) != self.side
        more = {"interpolate_pos_encoding": True} if other else {}
        logits: Tensor = self.model(pixel_values=images, **more).logits
        return logits


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Load an image classifier from a folder, the cache or the hub (see the package for the arguments).

    Args:
        name: A folder with config.json and weights beside it, or a name of the hub.
        state: Weights to fill the network with, or None for those that lie beside its configuration.
        class_names: Names of the outputs, or None for those of the configuration.

    Returns:
        The network with what preprocessor_config.json says.

    Raises:
        ModelError: transformers is not installed, something is missing in the folder, the network is no image
            classifier, needs code of its own, or its weights lack the head.
    """
    folder = Path(name) if Path(name).is_dir() else None
    if folder is not None and is_timm_folder(folder):
        from cuesense.models.timm import load as load_timm

        return load_timm(f"local-dir:{folder}", state, class_names)
    if folder is not None and not (folder / CONFIG).is_file():
        do = "Save the model with save_pretrained, or name the file in it"
        raise ModelError(expected(f"the folder {folder}", "one of transformers", f"no {CONFIG} in it", do))
    transformers = optional_library("transformers", "hf", "Hugging Face models")
    with fetching(f"hf:{name}", "Check the name and the network, or give a local folder"):
        config = _config(transformers, name)
        _refuse_unfit(transformers, name, config)
        model = _filled(transformers, config, name, state) if state else _pretrained(transformers, name, folder, config)
    images = _images(transformers, name, config)
    known = _class_names(config)
    return Loaded(
        HfNetwork(model, _side(config)),
        type(model).__name__,
        images.preprocessing,
        input_size=None if images.preprocessing else _side(config),
        class_names=class_names or known,
        warnings=images.warnings,
        guessed=images.guessed,
    )


def _config(transformers: Any, name: str) -> Any:
    try:
        return transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
    except ValueError as error:
        # Of the two the first is also what a configuration says that needs code of its own.
        own = Path(name).is_dir() and "auto_map" in json_of(Path(name) / CONFIG)
        if own or "trust_remote_code" in str(error) or "custom code" in str(error):
            raise _needs_code(name) from error
        raise


def _needs_code(name: str) -> ModelError:
    do = "Build it in a function of your own and give python:module:function"
    got = "one with Python code of its own (auto_map), which is never run"
    return ModelError(expected(f"hf:{name}", "a network of transformers itself", got, do))


def _refuse_unfit(transformers: Any, name: str, config: Any) -> None:
    if type(config) in transformers.AutoModelForImageClassification._model_mapping:
        return
    if getattr(config, "auto_map", None):
        raise _needs_code(name)
    what = f"a {config.model_type} network ({', '.join(config.architectures or ()) or 'no architecture'})"
    do = "Choose one that ends in ForImageClassification"
    raise ModelError(expected(f"hf:{name}", "an image classifier", what, do))


def _pretrained(transformers: Any, name: str, folder: Path | None, config: Any) -> nn.Module:
    if folder is not None and not any((folder / file).is_file() for file in SAFE):
        return _unpickled(transformers, folder, config)
    with quiet(), _silent(transformers):
        model, found = transformers.AutoModelForImageClassification.from_pretrained(
            name, config=config, trust_remote_code=False, output_loading_info=True
        )
    _refuse_missing(name, found)
    fitted: nn.Module = model
    return fitted


def _unpickled(transformers: Any, folder: Path, config: Any) -> nn.Module:
    """Fill a network with pickled weights through this package's own reader, which runs nothing of them."""
    from cuesense.models.file_formats import read

    file = next((folder / name for name in PICKLED if (folder / name).is_file()), None)
    if file is None:
        got = ", ".join(sorted(path.name for path in folder.iterdir())[:6])
        to_be = f"beside {CONFIG} ({SAFE[0]} or {PICKLED[0]})"
        raise ModelError(expected(f"the weights of {folder}", to_be, f"only {got}", "Download them too"))
    content = read(file)
    state = content.network.state_dict() if isinstance(content, Loaded) else state_in(content.weights)
    return _filled(transformers, config, str(folder), state)


def _filled(transformers: Any, config: Any, name: str, state: State) -> nn.Module:
    found = transformers.AutoModelForImageClassification._model_mapping[type(config)]
    kind = found[0] if isinstance(found, tuple) else found
    with quiet(), _silent(transformers):
        # transformers itself fills it: it knows older names of its weights.
        model, report = kind.from_pretrained(None, config=config, state_dict=dict(state), output_loading_info=True)
    _refuse_missing(name, report)
    filled: nn.Module = model
    return filled


def _silent(transformers: Any) -> Any:
    """Return a context in which transformers draws no bars of progress."""
    return _Silent(transformers.utils.logging)


class _Silent:
    def __init__(self, settings: Any) -> None:
        self.settings, self.drawn = settings, settings.is_progress_bar_enabled()

    def __enter__(self) -> None:
        self.settings.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        if self.drawn:
            self.settings.enable_progress_bar()


def _refuse_missing(name: str, found: Mapping[str, Any]) -> None:
    """Raise where transformers has drawn random weights for what a file lacks, which it only logs."""
    missing = sorted(map(str, found.get("missing_keys") or ()))
    if missing:
        do = "Fine-tune it first, or give the weights of a fine-tuned one"
        some = ", ".join(missing[:3])
        raise ModelError(expected(f"hf:{name}", "trained to its outputs", f"no weights for {some}", do))


def _images(transformers: Any, name: str, config: Any) -> Images:
    try:
        with quiet(), _silent(transformers):
            processor = transformers.AutoImageProcessor.from_pretrained(name, trust_remote_code=False)
    except CuesenseError:
        raise
    except Exception as error:  # it lacks, or needs code, or is of a class that this version does not have
        missing = Path(name).is_dir() and not (Path(name) / PROCESSOR).is_file()
        why = f"there is no {PROCESSOR} in the folder" if missing else f"{PROCESSOR} cannot be used ({_short(error)})"
        return Images(None, warnings=(f"Nothing says how hf:{name} wants its images: {why}.",))
    return preprocessing_of(processor, _side(config))


def _short(error: Exception) -> str:
    """Return the kind of an error and the first sentence of its text, which in transformers goes on for many lines."""
    return f"{type(error).__name__}: {first_line(error).partition('. ')[0].rstrip('.')}"


def _side(config: Any) -> tuple[int, int] | None:
    side = getattr(config, "image_size", None)
    if isinstance(side, int) and side > 0:
        return side, side
    if isinstance(side, (tuple, list)) and len(side) == 2 and all(isinstance(one, int) for one in side):
        return side[0], side[1]
    return None


def _class_names(config: Any) -> ClassNames | None:
    """Return the configuration's names of the outputs; ImageNet's in its usual spelling where they are its."""
    labels = {int(key): str(value) for key, value in (getattr(config, "id2label", None) or {}).items()}
    names = tuple(labels.get(number, "") for number in range(len(labels)))
    if not names or not all(names) or all(map(_NO_NAME.fullmatch, names)):
        return None
    if len(names) == len(imagenet_names()):
        first: Callable[[str], str] = lambda text: text.partition(",")[0].strip().lower()  # noqa: E731
        pairs = zip(names, imagenet_names(), strict=True)
        if sum(first(own) != first(known) for own, known in pairs) <= _MOST_DIFFERENT:
            return ClassNames(imagenet_names(), imagenet_synsets())
    return ClassNames(names) if len(set(names)) == len(names) else None
