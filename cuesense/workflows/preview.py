"""A picture sheet of what an analysis would apply to a user's own images, before any network is run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from cuesense.atomic_files import refuse_folder, refuse_same, replacing, unwritable
from cuesense.config import Config, load_config, with_more
from cuesense.datasets.formats import decode, readable_suffixes
from cuesense.datasets.images import prepare
from cuesense.datasets.load import AS_GIVEN, DatasetOptions, load_dataset
from cuesense.errors import CuesenseError, DatasetError, SettingsError, UnreadableImageError, expected
from cuesense.inference.loading import guesses, images_for, load_matched
from cuesense.models.names import is_file
from cuesense.models.preprocessing import ImageOptions
from cuesense.models.trust import Trust
from cuesense.perturbations.apply import perturb
from cuesense.perturbations.libraries import confirm
from cuesense.registry import names
from cuesense.reports.picture_sheet import Block, Row, draw_sheet, sheet_size
from cuesense.reports.profile_text import value_text
from cuesense.types import Dataset, Perturbation, Preprocessing, Progress, Sample, no_progress
from cuesense.validation import LARGEST_SIDE, whole_number
from cuesense.workflows.plugin_files import load_plugin

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".webp")
# More images are better looked at one sheet after the other. Chosen by hand.
MOST_IMAGES = 8
# The usual side of a network's input, where no model says one.
_USUAL_SIDE = 224
# What the format of a WebP file allows for a side.
_LARGEST_WEBP = 16383
_ONE_DRAW = "Each tile is one draw; random perturbations differ from image to image, and another --seed draws others."


@dataclass(frozen=True)
class PreviewOptions:
    """What a picture sheet shows.

    Attributes:
        config: Preset name or TOML file.
        augmentations: Augmentations beside those of the configuration, with their own ladders.
        plugin: A Python file that registers perturbations; it is run.
        images: How many images, 1 to 8.
        image_size: Side in pixels to which images are prepared; None takes the model's, without a model 224 or the
            shorter side of the smallest image.
        seed: Seed of the draws, as of an analysis, and of the choice of images.
    """

    config: str | Path | Config = "standard"
    augmentations: Sequence[str] = ()
    plugin: Path | None = None
    images: int = 1
    image_size: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class ModelOptions:
    """A model whose way to prepare images is shown, as ``analyze`` takes it.

    Attributes:
        model: A model file or spec.
        arch: Architecture of a file that holds weights only.
        weights_key: Which of a checkpoint's weights.
        class_names: Names of the model's outputs.
        weights_only: Whether programs are refused.
    """

    model: str
    arch: str | None = None
    weights_key: str | None = None
    class_names: str | None = None
    weights_only: bool = False


@dataclass(frozen=True)
class Preview:
    """A picture sheet that was written.

    Attributes:
        path: The file.
        remarks: What it shows and how images were prepared, in sentences.
    """

    path: Path
    remarks: tuple[str, ...]


def preview(
    images: str,
    output: Path,
    options: PreviewOptions,
    *,
    model: ModelOptions | None = None,
    where: DatasetOptions = AS_GIVEN,
    progress: Progress = no_progress,
) -> Preview:
    """Write a picture sheet of images under every perturbation of a configuration.

    What an image looks like is what an analysis with the same seed would show a network.

    Args:
        images: A dataset spec, or, without a model, an image file.
        output: A ``.png`` or ``.webp`` file.
        options: What is shown.
        model: The model that would be analyzed; None prepares images without one.
        where: Where the dataset lies.
        progress: Called with (perturbations done, perturbations in all).

    Returns:
        The file, and what to know of it.

    Raises:
        CuesenseError: Something given is wrong, or the file cannot be written.
    """
    whole_number(options.images, "--images", highest=MOST_IMAGES)
    whole_number(options.seed, "--seed", lowest=None)
    if options.image_size is not None:
        whole_number(options.image_size, "--image-size", highest=LARGEST_SIDE)
    _check_output(output)
    if Path(images).is_file():
        refuse_same(output, Path(images))
    load_plugin(options.plugin, Trust(weights_only=model is not None and model.weights_only))
    perturbations = _perturbations(options)
    samples, preprocessing, how = (
        _without_model(images, where, options) if model is None else _with_model(model, images, where, options)
    )
    blocks = _blocks(samples, preprocessing, perturbations, options.seed, progress)
    _check_size(output, sheet_size(blocks))
    name = options.config.name if isinstance(options.config, Config) else options.config
    title = f"{name}: {len(perturbations)} perturbations, each mild to strong, seed {options.seed}"
    _save(draw_sheet(title, how[0], blocks), output)
    return Preview(output, (*how, _ONE_DRAW))


def _perturbations(options: PreviewOptions) -> tuple[Perturbation, ...]:
    config = options.config if isinstance(options.config, Config) else load_config(options.config)
    found = with_more(config, options.augmentations).perturbations
    for perturbation in found:
        confirm(perturbation)
    return found


def _check_output(output: Path) -> None:
    if output.suffix.lower() not in SUFFIXES:
        raise SettingsError(expected("--output", "a .png or .webp file", f"'{output}'", "Name one, such as sheet.png"))
    refuse_folder(output)


def _check_size(output: Path, size: tuple[int, int]) -> None:
    if output.suffix.lower() == ".webp" and max(size) > _LARGEST_WEBP:
        to_be, got = f"at most {_LARGEST_WEBP} pixels high as WebP", f"{max(size)} pixels"
        do = "Give --output with a .png, or fewer --images or perturbations"
        raise SettingsError(expected("the picture sheet", to_be, got, do))


def _without_model(
    images: str, where: DatasetOptions, options: PreviewOptions
) -> tuple[list[Sample], Preprocessing, tuple[str, ...]]:
    """Return images, and how they are prepared where no model says it."""
    path = Path(images)
    if path.suffix.lower() in readable_suffixes() and path.is_file():
        # Of one image there is no class.
        samples, remarks = [Sample(path.name, decode(path), -1)], ()
    else:
        dataset = _dataset(images, where)
        samples, remarks = _chosen(dataset, options), tuple(getattr(dataset, "remarks", ()))
    side = options.image_size or min(_USUAL_SIDE, *(min(_sides(sample)) for sample in samples))
    half = (0.5, 0.5, 0.5)
    how = f"Prepared at {side} x {side} pixels: shorter side resized to {side}, then the center crop."
    own = "No model is named: give MODEL --dataset DATASET to prepare them as it takes them."
    return samples, Preprocessing((side, side), side, half, half), (f"{how} {own}", *remarks)


def _dataset(images: str, where: DatasetOptions) -> Dataset:
    prefix = images.partition(":")[0]
    if ":" in images and prefix in {*names("models")} - {*names("datasets")}:
        raise _lacks_images(images)
    try:
        return load_dataset(images, data_root=where.root, split=where.split, download=where.download)
    except CuesenseError as error:
        if is_file(images) and _is_model(Path(images)):
            raise _lacks_images(images) from None
        if prefix in names("models"):
            said = f"{error.for_command_line} To see how a model takes images, give MODEL --dataset DATASET."
            raise type(error)(said) from None
        raise


def _is_model(path: Path) -> bool:
    from cuesense.models.first_bytes import kind_of

    try:
        kind_of(path)
    except (CuesenseError, OSError):
        return False
    return True


def _lacks_images(model: str) -> DatasetError:
    do = "Give images with it: --dataset DATASET"
    return DatasetError(expected("the first argument", "a dataset or an image", f"the model '{model}'", do))


def _with_model(
    model: ModelOptions, images: str, where: DatasetOptions, options: PreviewOptions
) -> tuple[list[Sample], Preprocessing, tuple[str, ...]]:
    """Return images, and how a model takes them."""
    trust = Trust(weights_only=model.weights_only)
    data = images_for(model.model, images, where, arch=model.arch, class_names=model.class_names, trust=trust)
    classifier, _, _ = load_matched(
        model.model,
        data,
        arch=model.arch,
        class_names=model.class_names,
        images=ImageOptions(options.image_size),
        trust=trust,
        weights_key=model.weights_key,
    )
    found = classifier.preprocessing
    size = "their own size" if found.image_size is None else "{1} x {0} pixels".format(*found.image_size)
    resized = "resized whole" if found.resize is None else f"shorter side {found.resize}, then the center crop"
    how = f"Prepared as {classifier.spec} takes them: {size}, {resized}, {found.interpolation}."
    return _chosen(data, options), found, (how, *getattr(data, "remarks", ()), *guesses(classifier))


def _chosen(dataset: Dataset, options: PreviewOptions) -> list[Sample]:
    """Return readable images in an order that the seed decides, of as many classes as there are."""
    keys = [hashlib.sha256(f"{options.seed} {name}".encode()).digest() for name in dataset.sample_ids]
    order = sorted(range(len(dataset)), key=keys.__getitem__)
    first_of_class = {dataset.labels[index]: index for index in reversed(order)}
    firsts = {*first_of_class.values()}
    found: list[Sample] = []
    problem: UnreadableImageError | None = None
    for index in sorted(order, key=lambda index: index not in firsts):
        try:
            sample = dataset[index]
            _sides(sample)
        except UnreadableImageError as error:
            problem = problem or error
            continue
        found.append(_titled(sample, dataset))
        if len(found) == options.images:
            break
    if not found:
        got = "none" if problem is None else f"none that can be read ({problem.reason})"
        raise DatasetError(expected(f"the dataset '{dataset.spec}'", "images", got, "Name another"))
    return found


def _titled(sample: Sample, dataset: Dataset) -> Sample:
    """Return a sample whose id is what a person calls it: its class and its own id."""
    name = dataset.class_names[sample.label]
    title = sample.id if sample.id.startswith(f"{name}/") else f"{name}: {sample.id}"
    return Sample(title, sample.image, sample.label)


def _sides(sample: Sample) -> tuple[int, int]:
    image = sample.image
    return (image.shape[0], image.shape[1]) if hasattr(image, "shape") else (image.height, image.width)


def _blocks(
    samples: Sequence[Sample],
    preprocessing: Preprocessing,
    perturbations: Sequence[Perturbation],
    seed: int,
    progress: Progress,
) -> list[Block]:
    blocks: list[Block] = []
    total = len(samples) * len(perturbations)
    for sample in samples:
        image = prepare(sample.image, preprocessing)
        pixels = torch.from_numpy(image.pixels)[None].float().div_(255)
        rows: list[Row] = []
        for perturbation in perturbations:
            progress(len(blocks) * len(perturbations) + len(rows), total)
            rows.append(_row(perturbation, pixels, image.key, seed))
        blocks.append(Block(sample.id, image.pixels.transpose(1, 2, 0), tuple(rows)))
    progress(total, total)
    return blocks


def _row(perturbation: Perturbation, pixels: torch.Tensor, key: str, seed: int) -> Row:
    """Return an image under every severity, drawn as an analysis draws its first repeat."""
    tiles = []
    for value in perturbation.ladder:
        changed = perturb(perturbation, pixels, [key], value, seed=seed)
        tiles.append(changed[0].mul(255).round().byte().permute(1, 2, 0).contiguous().numpy())
    shorter = min(pixels.shape[2:])
    texts = [
        value_text(value, perturbation.unit, value * shorter if perturbation.relative else None)
        for value in perturbation.ladder
    ]
    return Row(perturbation, tuple(texts), tuple(tiles))


def _save(sheet: Image.Image, output: Path) -> None:
    """Write the sheet whole or not at all."""
    kind = output.suffix.lower().removeprefix(".").upper()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as temporary:
            sheet.save(temporary, kind, **({"quality": 90} if kind == "WEBP" else {}))
    except OSError as error:
        raise unwritable(output.parent, error) from None
