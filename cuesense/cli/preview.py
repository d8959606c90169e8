"""``cuesense preview``: a picture sheet of the perturbations on one's own images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesense.cli.errors import user_errors
from cuesense.cli.options import (
    Arch,
    ClassNames,
    Config,
    DataRoot,
    DatasetIfAny,
    Download,
    ImageSize,
    MoreAugmentations,
    OutputFile,
    Plugin,
    Seed,
    Split,
    WeightsKey,
    WeightsOnly,
    names_in,
)
from cuesense.cli.terminal import progress, remark, remark_wrapped


def preview(
    source: Annotated[
        str,
        typer.Argument(metavar="DATASET|IMAGE|MODEL", help="Images, or a model together with --dataset."),
    ],
    dataset: DatasetIfAny = None,
    arch: Arch = None,
    weights_key: WeightsKey = None,
    class_names: ClassNames = None,
    config: Config = "standard",
    augmentations: MoreAugmentations = None,
    plugin: Plugin = None,
    images: Annotated[int, typer.Option(metavar="N", help="Images to show, up to 8.")] = 1,
    image_size: ImageSize = None,
    seed: Seed = 0,
    data_root: DataRoot = None,
    split: Split = None,
    download: Download = False,
    weights_only: WeightsOnly = False,
    output: OutputFile = Path("preview.png"),
) -> None:
    """Draw what would be applied to your images: a row for each perturbation, mild to strong, in a .png or .webp.

    What is drawn is what analyze with the same seed shows the network. Without a model, images are prepared at 224
    pixels, or at their own size where they are smaller.

    \b
    Examples:
      cuesense preview photos/val
      cuesense preview cat.jpg --augmentations hue,random_perspective --output cat.webp
      cuesense preview torchvision:resnet50 --dataset photos/val --class-names imagenet --images 3
    """
    with user_errors():
        from cuesense.datasets.load import DatasetOptions
        from cuesense.errors import SettingsError, expected

        where = DatasetOptions(data_root, split, download)
        if dataset is None:
            given = {"--arch": arch, "--weights-key": weights_key, "--class-names": class_names}
            for flag, value in given.items():
                if value is not None:
                    do = "Give --dataset as well, and the model first"
                    raise SettingsError(expected(flag, "left out where no model is named", f"'{value}'", do))
        else:
            from cuesense.cli.early import refuse_early

            refuse_early(source, arch, dataset, where, class_names)
        from cuesense.workflows.preview import ModelOptions, PreviewOptions
        from cuesense.workflows.preview import preview as draw

        with progress("drawing", "rows") as advance:
            found = draw(
                source if dataset is None else dataset,
                output,
                PreviewOptions(config, names_in(augmentations) or (), plugin, images, image_size, seed),
                model=None if dataset is None else ModelOptions(source, arch, weights_key, class_names, weights_only),
                where=where,
                progress=advance,
            )
        for sentence in found.remarks:
            remark_wrapped(sentence)
        remark(f"Pictures: {found.path}")
