"""``open_clip:NAME[@TAG or FILE]``: zero-shot classification by comparing images with the classes' names."""

from typing import Any

import open_clip
from torch import Tensor, nn

from cuesense.errors import ModelError, expected
from cuesense.models.common import Loaded, State, fetching, quiet
from cuesense.models.names import unknown_name
from cuesense.models.weights import fill
from cuesense.types import ClassNames, Preprocessing

_KEPT = ("mean", "std", "interpolation", "resize_mode")
# What is assumed for a user's own weights; the input size belongs to the architecture.
_OPEN_CLIPS_OWN = frozenset({"resize", "mean", "std", "interpolation", "channels"})
_NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size")  # buffers of OpenAI's own archives


class _ZeroShot(nn.Module):
    """Scaled cosine similarities of images and class embeddings (Radford et al. 2021, arXiv 2103.00020)."""

    def __init__(self, clip: Any, classes: Tensor) -> None:
        super().__init__()
        self.clip = clip
        self.register_buffer("classes", classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized (N, 3, H, W) to logits (N, K)."""
        logits: Tensor = self.clip.logit_scale.exp() * self.clip.encode_image(images, normalize=True) @ self.classes
        return logits


def load(name: str, state: State | None, class_names: ClassNames | None) -> Loaded:
    """Load a contrastive image-text network and build its classifier from names (see the package for the arguments).

    Args:
        name: ``"ViT-B-32@laion2b_s34b_b79k"``, or only the architecture where a state is given.
        state: Weights to fill the network with, or None for the tag's.
        class_names: The classes to choose from; every name is put into open_clip's seven simple templates, whose
            embeddings are averaged.

    Returns:
        The network with the preprocessing of the tag, or of the architecture's first tag for the user's own weights.

    Raises:
        ModelError: There are no class names, the name or tag is unknown, or the weights cannot be had or do not fit.
    """
    base, _, tag = name.partition("@")
    tags = _tags(base)
    if class_names is None:
        raise ModelError(
            expected("--class-names", f"given for open_clip:{base}", "none", "Pass the names it should choose from")
        )
    clip = _pretrained(base, tag, tags) if state is None else _filled(base, tags, state)
    preprocessing, warnings = _preprocessing(open_clip.get_model_preprocess_cfg(clip))
    network = _ZeroShot(clip, _classes(clip, base, class_names))
    guessed = frozenset() if state is None else _OPEN_CLIPS_OWN
    return Loaded(network, base, preprocessing, class_names=class_names, warnings=warnings, guessed=guessed)


def refuse_foreign_text(name: str) -> None:
    """Raise ModelError where a network's text part is another library's, which fetches what its hub says it needs.

    Args:
        name: As for ``load``.
    """
    base = name.partition("@")[0]
    # First of all the name is looked up: for others, such as hf-hub:..., open_clip asks a hub for the configuration.
    _tags(base)
    config = open_clip.get_model_config(base) or {}
    if any(key.startswith("hf_") and value for key, value in config.get("text_cfg", {}).items()):
        do, to_be = "Choose a network of open_clip's own", "all of open_clip's own code, with only weights allowed"
        raise ModelError(expected(f"open_clip:{name}", to_be, "a text part or tokenizer of transformers", do))


def _tags(name: str) -> list[str]:
    if name not in open_clip.list_models():
        raise unknown_name("the open_clip model", name, open_clip.list_models())
    tags: list[str] = open_clip.list_pretrained_tags_by_model(name)
    return tags


def _pretrained(name: str, tag: str, tags: list[str]) -> Any:
    if tag not in tags:
        raise unknown_name(f"what follows the @ in open_clip:{name}@ (a tag or a file)", tag, tags)
    with fetching(f"open_clip:{name}@{tag}"), quiet():
        return open_clip.create_model(name, pretrained=tag, require_pretrained=True).eval()


def _filled(name: str, tags: list[str], state: State) -> Any:
    kept = open_clip.get_pretrained_cfg(name, tags[0]) if tags else {}
    preprocessing = {key: kept[key] for key in _KEPT if key in kept}
    with fetching(f"open_clip:{name}"), quiet():
        clip = open_clip.create_model(name, pretrained_text=False, force_preprocess_cfg=preprocessing)
    state = {key: value for key, value in state.items() if key not in _NOT_WEIGHTS}
    return fill(clip, state, f"open_clip:{name}").eval()


def _classes(clip: Any, name: str, class_names: ClassNames) -> Tensor:
    with fetching(f"open_clip:{name}'s tokenizer"):
        tokenizer = open_clip.get_tokenizer(name)
        classes: Tensor = open_clip.build_zero_shot_classifier(
            clip, tokenizer, class_names.names, open_clip.SIMPLE_IMAGENET_TEMPLATES
        )
    return classes


def _preprocessing(kept: dict[str, Any]) -> tuple[Preprocessing, tuple[str, ...]]:
    size = kept["size"]
    height, width = (size, size) if isinstance(size, int) else size
    mode = kept["resize_mode"]
    resize = None if mode == "squash" else max(height, width)
    interpolation = "bilinear" if kept["interpolation"] == "bilinear" else "bicubic"
    warnings = (
        ("These weights were trained on padded images; a center crop is used instead.",) if mode == "longest" else ()
    )
    return Preprocessing((height, width), resize, tuple(kept["mean"]), tuple(kept["std"]), interpolation), warnings
